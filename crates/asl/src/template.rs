//! Payload templates: `Parameters`, `ItemSelector`, `ResultSelector`, in which a field `name.$` is a path or a call of an intrinsic function.
//!
//! Source: <https://states-language.net/spec.html#payload-template>.

use crate::intrinsic::{Call, CallError};
use crate::path::{FindError, MAX_STEPS, Path, Scope};
use crate::random::SplitMix64;
use faastlane_payload::flat::Draft;
use faastlane_payload::{Payload, PayloadError};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// A parsed template.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    root: Node,
}

/// What holds no path is kept as one literal, however large.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    Literal(Payload),
    Object(Vec<(String, Node)>),
    Array(Vec<Node>),
    Path {
        /// With its `.$`, as errors name it.
        field: String,
        path: Path,
    },
    Call {
        field: String,
        call: Call,
    },
}

/// Why a value is not a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// A JSON pointer, from the template's root, to the value that does not fit.
    pub pointer: String,
    /// A lower-case sentence.
    pub message: String,
}

/// Why a template gives no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// A definite path points at nothing.
    #[error(
        "The JSONPath '{path}' specified for the field '{field}' could not be found in the input '{input}'"
    )]
    Missing {
        field: String,
        path: String,
        /// The document that the path was applied to, as JSON.
        input: String,
    },
    /// A path starts at a variable to which nothing has been assigned. `States.Runtime`, as for any other path that
    /// finds nothing.
    #[error(
        "The JSONPath '{path}' specified for the field '{field}' could not be found: the variable '${variable}' has not been assigned"
    )]
    Unassigned {
        field: String,
        path: String,
        /// Without its `$`.
        variable: String,
    },
    /// `States.IntrinsicFailure`
    #[error("The function '{call}' had the following error: {message}")]
    Intrinsic { call: String, message: String },
    /// See [`FindError::TooCostly`]. `States.Runtime`.
    #[error(
        "The JSONPath '{path}' specified for the field '{field}' cannot be evaluated: it takes more than {MAX_STEPS} steps"
    )]
    TooCostly { field: String, path: String },
    /// What a path starts at came in a flat form that is none.
    #[error(transparent)]
    Unreadable(#[from] PayloadError),
}

impl Template {
    /// # Errors
    /// A field `name.$` holds no path, or one object has both `name` and `name.$`.
    pub fn parse(value: &Value) -> Result<Template, TemplateError> {
        node(value, &mut Vec::new()).map(|root| Template { root })
    }

    /// The value of a member of the root where it is a literal: `FunctionName` of `lambda:invoke`, say.
    pub fn literal(&self, member: &str) -> Option<&Value> {
        match &self.root {
            Node::Literal(literal) => literal.value().ok()?.get(member),
            Node::Object(members) => members.iter().find_map(|(name, node)| match node {
                Node::Literal(literal) if name == member => literal.value().ok(),
                _ => None,
            }),
            _ => None,
        }
    }

    /// Whether any path of it can find this member of the context object: see [`Path::may_reach_context`].
    pub fn may_reach_context(&self, members: &[&str]) -> bool {
        self.root.any_path(&mut |path| path.may_reach_context(members))
    }

    /// The names of the variables that its paths start at.
    pub fn variables(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.root.any_path(&mut |path| {
            names.extend(path.variable());
            false
        });
        names
    }

    /// Whether `member` of the root is the whole input (`$`) and everything else is literal, so that the input can be
    /// passed on as it is.
    pub fn passes_input_as(&self, member: &str) -> bool {
        let Node::Object(members) = &self.root else { return false };
        members.iter().all(|(name, node)| match node {
            Node::Literal(_) => name != member,
            Node::Path { path, .. } => name == member && path.is_whole(),
            _ => false,
        })
    }

    /// Whether the result has this member.
    pub fn has_member(&self, member: &str) -> bool {
        matches!(&self.root, Node::Object(members) if members.iter().any(|(name, _)| &**name == member))
    }

    /// `random` is for `States.MathRandom` and `States.UUID`.
    ///
    /// # Errors
    /// A definite path points at nothing, or an intrinsic function cannot compute what it is asked to.
    pub fn evaluate(&self, scope: &impl Scope, random: &mut SplitMix64) -> Result<Payload, EvaluationError> {
        Ok(Payload::from_draft(&self.root.draft(scope, random)?))
    }
}

impl Node {
    fn any_path<'a>(&'a self, wanted: &mut impl FnMut(&'a Path) -> bool) -> bool {
        match self {
            Node::Literal(_) => false,
            Node::Object(members) => members.iter().any(|(_, node)| node.any_path(wanted)),
            Node::Array(elements) => elements.iter().any(|node| node.any_path(wanted)),
            Node::Path { path, .. } => wanted(path),
            Node::Call { call, .. } => call.any_path(wanted),
        }
    }

    fn draft<'a>(
        &'a self,
        scope: &'a impl Scope,
        random: &mut SplitMix64,
    ) -> Result<Draft<'a>, EvaluationError> {
        Ok(match self {
            Node::Literal(literal) => Draft::Part(literal.view()?),
            Node::Object(members) => {
                let mut drafts = Vec::with_capacity(members.len());
                for (name, node) in members {
                    drafts.push((Cow::Borrowed(name.as_str()), node.draft(scope, random)?));
                }
                Draft::Object(drafts)
            }
            Node::Array(elements) => {
                let drafts = elements.iter().map(|node| node.draft(scope, random));
                Draft::Array(drafts.collect::<Result<_, _>>()?)
            }
            Node::Path { field, path } => match path.find(scope) {
                Ok(Some(selected)) => selected.into(),
                Ok(None) => return Err(missing(field, path, scope)),
                Err(error) => return Err(unfollowed(field, path, error)),
            },
            Node::Call { field, call } => {
                Draft::Value(call.evaluate(scope, random).map_err(|error| error.in_field(field, scope))?)
            }
        })
    }
}

impl CallError {
    /// What is said about a call that stands in this field, where it was evaluated in this scope.
    pub fn in_field(self, field: &str, scope: &impl Scope) -> EvaluationError {
        match self {
            CallError::Missing(path) => missing(field, &path, scope),
            CallError::Unfollowed { path, error } => unfollowed(field, &path, error),
            CallError::Failed { call, message } => EvaluationError::Intrinsic { call, message },
        }
    }
}

fn unfollowed(field: &str, path: &Path, error: FindError) -> EvaluationError {
    match error {
        FindError::TooCostly => {
            EvaluationError::TooCostly { field: field.to_owned(), path: path.as_str().to_owned() }
        }
        FindError::Unreadable(error) => error.into(),
    }
}

/// What is said about a path in this field that finds nothing in this scope.
pub fn missing(field: &str, path: &Path, scope: &impl Scope) -> EvaluationError {
    let (field, text) = (field.to_owned(), path.as_str().to_owned());
    let Some(document) = path.document(scope) else {
        let variable = path.variable().unwrap_or_default().to_owned();
        return EvaluationError::Unassigned { field, path: text, variable };
    };
    match document.value() {
        Ok(document) => EvaluationError::Missing { field, path: text, input: document.to_string() },
        Err(error) => error.into(),
    }
}

/// `place` holds the names and indices on the way here; the definition's nesting bounds the recursion.
fn node(value: &Value, place: &mut Vec<String>) -> Result<Node, TemplateError> {
    match value {
        Value::Object(object) => {
            let mut members = Vec::with_capacity(object.len());
            for (key, value) in object {
                place.push(key.clone());
                members.push(member(object, key, value, place)?);
                place.pop();
            }
            let all_literal = members.iter().all(|(_, node)| matches!(node, Node::Literal(_)));
            Ok(if all_literal { literal(value) } else { Node::Object(members) })
        }
        Value::Array(array) => {
            let mut elements = Vec::with_capacity(array.len());
            for (index, value) in array.iter().enumerate() {
                place.push(index.to_string());
                elements.push(node(value, place)?);
                place.pop();
            }
            let all_literal = elements.iter().all(|node| matches!(node, Node::Literal(_)));
            Ok(if all_literal { literal(value) } else { Node::Array(elements) })
        }
        scalar => Ok(literal(scalar)),
    }
}

fn literal(value: &Value) -> Node {
    Node::Literal(Payload::from_value(value.clone()))
}

fn member(
    object: &Map<String, Value>,
    key: &str,
    value: &Value,
    place: &mut Vec<String>,
) -> Result<(String, Node), TemplateError> {
    let Some(name) = key.strip_suffix(".$") else { return Ok((key.to_owned(), node(value, place)?)) };
    if object.contains_key(name) {
        return fail(place, format!("both `{name}` and `{key}` give the member `{name}`"));
    }
    let Some(text) = value.as_str() else {
        return fail(place, format!("the value of `{key}` must be a path, because its name ends in `.$`"));
    };
    if text.starts_with("States.") {
        return match Call::parse(text) {
            Ok(call) => Ok((name.to_owned(), Node::Call { field: key.to_owned(), call })),
            Err(error) => fail(place, format!("{error} (character {})", error.offset + 1)),
        };
    }
    match Path::parse(text) {
        Ok(path) => Ok((name.to_owned(), Node::Path { field: key.to_owned(), path })),
        Err(error) => fail(place, format!("`{text}` is no path: {error} (character {})", error.offset + 1)),
    }
}

fn fail<T>(place: &[String], message: String) -> Result<T, TemplateError> {
    let pointer =
        place.iter().map(|name| format!("/{}", name.replace('~', "~0").replace('/', "~1"))).collect();
    Err(TemplateError { pointer, message })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    struct Documents(Payload, Payload);

    impl Documents {
        fn new(input: Value, context: Value) -> Documents {
            Documents(Payload::from_value(input), Payload::from_value(context))
        }
    }

    impl Scope for Documents {
        fn input(&self) -> &Payload {
            &self.0
        }
        fn context(&self) -> &Payload {
            &self.1
        }
        fn variable(&self, name: &str) -> Option<&Payload> {
            (name == "v").then_some(&self.1)
        }
    }

    #[test]
    fn fields_with_a_dollar_are_filled_in() {
        let input = json!({"a": 1, "list": [{"x": 1}, {"x": 2}]});
        let documents = Documents::new(input.clone(), json!({"State": {"Name": "s"}}));
        for (template, expected) in [
            (json!({}), json!({})),
            (json!({"k": "$.a"}), json!({"k": "$.a"})),
            (json!({"k.$": "$.a"}), json!({"k": 1})),
            (json!({"k.$": "$"}), json!({"k": input})),
            (json!({"k.$": "$$.State.Name", "l": 2}), json!({"k": "s", "l": 2})),
            (json!({"deep": [{"k.$": "$.a"}, 3]}), json!({"deep": [{"k": 1}, 3]})),
            (json!({"k.$": "$.list[*].x"}), json!({"k": [1, 2]})),
            (json!({"k.$": "$.list[*].y"}), json!({"k": []})),
            (json!({"k.$": "States.MathAdd($.a, 2)"}), json!({"k": 3})),
            (json!({"k.$": "$v.State.Name", "l": "$v"}), json!({"k": "s", "l": "$v"})),
        ] {
            let parsed = Template::parse(&template).unwrap();
            let made = parsed.evaluate(&documents, &mut SplitMix64::new(0)).unwrap();
            assert_eq!(made.value(), Ok(&expected), "{template}");
        }
    }

    #[test]
    fn a_missing_value_is_named_as_step_functions_names_it() {
        let documents = Documents::new(json!({"int-literal": 0}), json!({"c": 1}));
        let evaluate = |template: Value| {
            Template::parse(&template)
                .unwrap()
                .evaluate(&documents, &mut SplitMix64::new(0))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            evaluate(json!({"value.$": "$.no"})),
            "The JSONPath '$.no' specified for the field 'value.$' could not be found in the input '{\"int-literal\":0}'"
        );
        assert!(
            evaluate(json!({"value.$": "$$.no"})).ends_with("could not be found in the input '{\"c\":1}'")
        );
        assert!(
            evaluate(json!({"value.$": "$v.no"})).ends_with("could not be found in the input '{\"c\":1}'")
        );
        for path in ["$no.x", "$no[*]", "States.Array($no.x)"] {
            let said = evaluate(json!({"value.$": path}));
            assert!(said.ends_with("the variable '$no' has not been assigned"), "{said}");
        }
    }

    #[test]
    fn mistakes_are_placed() {
        for (template, pointer, part) in [
            (json!({"k.$": "a"}), "/k.$", "starts with `$`"),
            (json!({"k.$": 1}), "/k.$", "must be a path"),
            (json!({"a/b": [{"k.$": "$..["}]}), "/a~1b/0/k.$", "expected a quoted name"),
            (json!({"k.$": "$", "k": 1}), "/k.$", "both `k` and `k.$`"),
            (json!({"k.$": "States.UUID(1)"}), "/k.$", "takes 0 arguments, not 1 (character 1)"),
        ] {
            let error = Template::parse(&template).unwrap_err();
            assert_eq!(error.pointer, pointer);
            assert!(error.message.contains(part), "{error}");
        }
    }

    #[test]
    fn what_it_reads_is_known() {
        let template = Template::parse(&json!({"FunctionName": "f", "Payload.$": "$"})).unwrap();
        assert_eq!(template.literal("FunctionName"), Some(&json!("f")));
        assert_eq!(template.literal("Payload"), None);
        assert!(template.passes_input_as("Payload"));
        let template =
            Template::parse(&json!({"f.$": "$.f", "Payload.$": "$", "c.$": "$$.Execution.Name"})).unwrap();
        assert!(!template.passes_input_as("Payload"));
        assert!(template.may_reach_context(&["Execution"]));
        assert!(!template.may_reach_context(&["Execution", "Input"]));
        let template = json!({"a.$": "$b.x", "c": [{"d.$": "States.Array($a, $.x)"}], "e": "$e"});
        assert_eq!(Vec::from_iter(Template::parse(&template).unwrap().variables()), ["a", "b"]);
    }
}
