//! `Ref` and `GetAtt`: pseudo parameters, parameters, and what a resource says of itself.

use super::{Evaluator, items};
use crate::code;
use crate::finding::did_you_mean;
use crate::sam::template::Resource;
use crate::sam::text::Text;
use crate::sam::value::{Value, ValueKind};
use faastlane_asl::source::Span;
use faastlane_asl::tree::{Kind, Node};

/// `AWS::Region`
pub(super) const REGION: &str = "us-east-1";
/// `AWS::AccountId`
const ACCOUNT: &str = "000000000000";
const PARTITION: &str = "aws";

const FUNCTIONS: [&str; 2] = ["AWS::Serverless::Function", "AWS::Lambda::Function"];
const STATE_MACHINES: [&str; 2] = ["AWS::Serverless::StateMachine", "AWS::StepFunctions::StateMachine"];
const LAYERS: [&str; 2] = ["AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion"];

impl Resource<'_> {
    pub(crate) fn is_function(&self) -> bool {
        FUNCTIONS.contains(&self.kind)
    }

    pub(crate) fn is_state_machine(&self) -> bool {
        STATE_MACHINES.contains(&self.kind)
    }

    pub(crate) fn is_layer(&self) -> bool {
        LAYERS.contains(&self.kind)
    }
}

/// The ARN of a layer of the template, by its logical id.
pub(crate) fn layer_arn(id: &str) -> String {
    format!("arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:layer:{id}:1")
}

impl Evaluator<'_> {
    pub(super) fn reference_function(&mut self, argument: &Node, span: Span) -> Value {
        let name = self.text(argument, "what `Ref` names");
        self.reference(name.as_str(), span)
    }

    pub(super) fn attribute_function(&mut self, argument: &Node, span: Span) -> Value {
        let named = match &argument.kind {
            Kind::String(text) => {
                text.split_once('.').map(|(id, attribute)| (id.to_owned(), attribute.to_owned()))
            }
            _ => match items(argument) {
                Some([id, attribute]) => {
                    let [id, attribute] =
                        [id, attribute].map(|node| self.text(node, "what `Fn::GetAtt` names"));
                    Some((id.as_str().to_owned(), attribute.as_str().to_owned()))
                }
                _ => None,
            },
        };
        match named {
            Some((id, attribute)) => self.attribute(&id, &attribute, span),
            None => self.wrong_argument("Fn::GetAtt", "a resource and one of its attributes", span),
        }
    }

    /// `Ref`
    pub(super) fn reference(&mut self, name: &str, span: Span) -> Value {
        if let Some(pseudo) = name.strip_prefix("AWS::") {
            return self.pseudo_parameter(pseudo, span);
        }
        let template = self.template;
        if let Some(parameter) = template.section("Parameters").and_then(|parameters| parameters.get(name)) {
            return self.parameter(name, parameter, span);
        }
        if let Some(resource) = template.resource(name) {
            return self.resource_name(resource, span);
        }
        // SAM's own references to a function's version and alias.
        if let Some((id, "Version" | "Alias")) = name.split_once('.')
            && template.resource(id).is_some_and(|resource| resource.is_function())
        {
            return Value::text(span, self.function_arn(id));
        }
        self.unknown(name, span)
    }

    /// `GetAtt`
    pub(super) fn attribute(&mut self, id: &str, attribute: &str, span: Span) -> Value {
        let Some(resource) = self.template.resource(id) else { return self.unknown(id, span) };
        match attribute {
            "Arn" if resource.is_function() => Value::text(span, self.function_arn(id)),
            "Arn" if resource.is_state_machine() => Value::text(span, self.state_machine_arn(id)),
            "Name" if resource.is_state_machine() => Value::text(span, self.name_of(id)),
            "Arn" => {
                let service = resource.kind.split("::").nth(1).unwrap_or("cloudformation").to_lowercase();
                let arn = format!("arn:{PARTITION}:{service}:{REGION}:{ACCOUNT}:{id}");
                self.stand_in(span, format!("the ARN of `{id}`"), arn, None)
            }
            _ => {
                let text = format!("{id}.{attribute}");
                self.stand_in(span, format!("`{attribute}` of `{id}`"), text, None)
            }
        }
    }

    fn name_of(&self, id: &str) -> String {
        self.names.get(id).cloned().unwrap_or_else(|| id.to_owned())
    }

    fn function_arn(&self, id: &str) -> String {
        format!("arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:function:{}", self.name_of(id))
    }

    fn state_machine_arn(&self, id: &str) -> String {
        format!("arn:{PARTITION}:states:{REGION}:{ACCOUNT}:stateMachine:{}", self.name_of(id))
    }

    /// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html>.
    fn pseudo_parameter(&mut self, name: &str, span: Span) -> Value {
        let stack = &self.template.stack;
        let text = match name {
            "Region" => REGION.to_owned(),
            "AccountId" => ACCOUNT.to_owned(),
            "Partition" => PARTITION.to_owned(),
            "URLSuffix" => "amazonaws.com".to_owned(),
            "StackName" => stack.clone(),
            "StackId" => {
                let id = "00000000-0000-0000-0000-000000000000";
                format!("arn:{PARTITION}:cloudformation:{REGION}:{ACCOUNT}:stack/{stack}/{id}")
            }
            "NoValue" => return Value::absent(span),
            "NotificationARNs" => return Value { span, kind: ValueKind::List(Vec::new()) },
            _ => return self.unknown(&format!("AWS::{name}"), span),
        };
        Value::text(span, text)
    }

    fn parameter(&mut self, name: &str, parameter: &Node, span: Span) -> Value {
        let kind = match parameter.get("Type").map(|node| &node.kind) {
            Some(Kind::String(kind)) => kind.as_str(),
            _ => "String",
        };
        let default = parameter.get("Default").map(|node| self.text(node, "the default of a parameter"));
        let default = default.map(|text| text.as_str().to_owned());
        if kind.starts_with("AWS::SSM::") {
            let text = default.unwrap_or_else(|| name.to_owned());
            return self.stand_in(
                span,
                format!("the value of the parameter `{name}`, which SSM has,"),
                text,
                None,
            );
        }
        let Some(default) = default else {
            let remedy = format!("Give the parameter `{name}` a `Default`.");
            let what = format!("the value of the parameter `{name}`, which has no default,");
            return self.stand_in(span, what, name.to_owned(), Some(remedy));
        };
        if kind == "CommaDelimitedList" || kind.starts_with("List<") {
            let items = default.split(',').map(|item| Value::text(span, item.trim()));
            return Value { span, kind: ValueKind::List(items.collect()) };
        }
        Value::text(span, default)
    }

    /// What `Ref` makes of a resource: mostly its name.
    fn resource_name(&mut self, resource: Resource<'_>, span: Span) -> Value {
        let id = resource.id;
        if resource.is_function() {
            return Value::text(span, self.name_of(id));
        }
        if resource.is_state_machine() {
            return Value::text(span, self.state_machine_arn(id));
        }
        if resource.is_layer() {
            return Value::text(span, layer_arn(id));
        }
        match resource.kind {
            "AWS::Lambda::Version" | "AWS::Lambda::Alias" => self.function_of(resource, span),
            kind => {
                // `TableName`, `BucketName`, `QueueName`, …
                let own = kind.rsplit("::").next().unwrap_or_default();
                let given = resource.property(&format!("{own}Name"));
                let name = match given.map(|node| &node.kind) {
                    Some(Kind::String(name)) => name.clone(),
                    _ => id.to_owned(),
                };
                self.stand_in(span, format!("the name of `{id}`"), name, None)
            }
        }
    }

    /// The function that a version or an alias is of.
    fn function_of(&mut self, resource: Resource<'_>, span: Span) -> Value {
        let named = resource.property("FunctionName").and_then(|node| match &node.kind {
            Kind::String(name) => Some(name.clone()),
            Kind::Object(members) => match members.as_slice() {
                // Only a reference to a function: an alias of an alias would never end.
                [member] if matches!(member.key.as_str(), "Ref" | "Fn::GetAtt") => match &member.value.kind {
                    Kind::String(name) => name.split('.').next().map(|id| self.name_of(id)),
                    Kind::Array(items) => match items.first().map(|node| &node.kind) {
                        Some(Kind::String(id)) => Some(self.name_of(id)),
                        _ => None,
                    },
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        });
        match named {
            Some(name) if name.starts_with("arn:") => Value::text(span, name),
            Some(name) => {
                let arn = format!("arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:function:{name}");
                Value { span, kind: ValueKind::Text(Text::standing_for(span, arn)) }
            }
            None => {
                self.stand_in(span, format!("the name of `{}`", resource.id), resource.id.to_owned(), None)
            }
        }
    }

    /// A name that is neither a parameter nor a resource. What SAM makes besides a function or an API is there once it
    /// is deployed.
    fn unknown(&mut self, name: &str, span: Span) -> Value {
        let template = self.template;
        if name.starts_with("Serverless") || template.resources().any(|resource| makes(resource, name)) {
            return self.stand_in(span, format!("the name of `{name}`"), name.to_owned(), None);
        }
        let known = template.members("Parameters").iter().chain(template.members("Resources"));
        let known = known.map(|member| member.key.as_str());
        let pseudo = [
            "AWS::Region",
            "AWS::AccountId",
            "AWS::Partition",
            "AWS::StackName",
            "AWS::StackId",
            "AWS::URLSuffix",
        ];
        let hint = did_you_mean(name, known.chain(pseudo));
        let message = format!("there is no parameter and no resource `{name}`");
        self.find(code::UNKNOWN_REFERENCE, span, message, "named here", hint)
    }
}

/// Whether SAM makes a resource of this logical id for another one: a role, a version, what an event needs.
///
/// Source: <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources.html>.
fn makes(resource: Resource<'_>, name: &str) -> bool {
    const MADE: [&str; 6] =
        ["Role", "Stage", "Deployment", "Url", "UrlPublicPermissions", "EventInvokeConfig"];
    let Some(rest) = name.strip_prefix(resource.id).filter(|_| !resource.id.is_empty()) else { return false };
    let events = resource.property("Events").map(|events| &events.kind);
    MADE.contains(&rest)
        || rest.starts_with("Alias")
        || rest.starts_with("Version")
        || matches!(events, Some(Kind::Object(events)) if events.iter().any(|event| rest.starts_with(&event.key)))
}
