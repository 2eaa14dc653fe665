//! CloudFormation's functions, as far as they can be evaluated without an account.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html>.

mod condition;
mod reference;
mod strings;

pub(crate) use reference::layer_arn;

use crate::code;
use crate::sam::template::{Template, first_line};
use crate::sam::text::Text;
use crate::sam::value::{Entry, Value, ValueKind};
use base64::Engine;
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_asl::source::Span;
use faastlane_asl::tree::{Kind, Node};
use std::collections::BTreeMap;

/// How deep values and conditions may ask for each other.
const MAX_DEPTH: usize = 200;

/// Bytes that functions may make in all: a `Join` of a `Join` grows fast.
const MOST_MADE_BYTES: usize = 16 << 20;

/// A value that only a deployed stack knows, and what is taken instead.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StandIn {
    /// Where it is asked for.
    pub(crate) span: Span,
    /// ``the name of `Table` ``
    pub(crate) what: String,
    pub(crate) text: String,
    /// What would make it known; a sentence.
    pub(crate) remedy: Option<String>,
}

/// Evaluates parts of one template. What is never evaluated is never at fault.
pub(crate) struct Evaluator<'t> {
    pub(crate) template: &'t Template,
    /// The names of functions and state machines, by logical id.
    pub(crate) names: BTreeMap<String, String>,
    pub(crate) findings: Vec<Diagnostic>,
    /// Of what was evaluated since the last time they were taken.
    pub(crate) stand_ins: Vec<StandIn>,
    /// What is known of each condition; `None` while it is being found out.
    conditions: BTreeMap<String, Option<bool>>,
    made_bytes: usize,
    /// Values and conditions that are being evaluated, one for the sake of the other.
    depth: usize,
}

impl<'t> Evaluator<'t> {
    pub(crate) fn new(template: &'t Template) -> Self {
        Self {
            template,
            names: BTreeMap::new(),
            findings: Vec::new(),
            stand_ins: Vec::new(),
            conditions: BTreeMap::new(),
            made_bytes: 0,
            depth: 0,
        }
    }

    /// The value of a part of the template.
    pub(crate) fn value(&mut self, node: &Node) -> Value {
        self.deeper(node.span, |evaluator| evaluator.value_here(node))
            .unwrap_or_else(|| Value::absent(node.span))
    }

    /// Does something a level deeper, if there is one.
    fn deeper<T>(&mut self, span: Span, work: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth >= MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} values and conditions ask for each other");
            self.wrong(span, message, "at this one", None);
            return None;
        }
        self.depth += 1;
        let done = work(self);
        self.depth -= 1;
        Some(done)
    }

    fn value_here(&mut self, node: &Node) -> Value {
        let span = node.span;
        let kind = match &node.kind {
            Kind::Null => ValueKind::Null,
            Kind::Bool(flag) => ValueKind::Bool(*flag),
            Kind::Number(number) => ValueKind::Number(number.clone()),
            Kind::String(text) => {
                self.note_dynamic_reference(text, span);
                ValueKind::Text(Text::of_scalar(&self.template.source, span, text))
            }
            Kind::Array(items) => ValueKind::List(self.values(items)),
            Kind::Object(members) => match members.as_slice() {
                [member] if member.key == "Ref" || member.key.starts_with("Fn::") => {
                    return self.call(&member.key, &member.value, span);
                }
                _ => {
                    let entries = members.iter().map(|member| Entry {
                        key: member.key.clone(),
                        key_span: member.key_span,
                        value: self.value(&member.value),
                    });
                    let entries: Vec<Entry> = entries.collect();
                    let is_there = |entry: &Entry| entry.value.kind != ValueKind::Absent;
                    ValueKind::Object(entries.into_iter().filter(is_there).collect())
                }
            },
        };
        Value { span, kind }
    }

    fn values(&mut self, nodes: &[Node]) -> Vec<Value> {
        let values: Vec<Value> = nodes.iter().map(|node| self.value(node)).collect();
        values.into_iter().filter(|value| value.kind != ValueKind::Absent).collect()
    }

    fn call(&mut self, function: &str, argument: &Node, span: Span) -> Value {
        match function {
            "Ref" => self.reference_function(argument, span),
            "Fn::GetAtt" => self.attribute_function(argument, span),
            "Fn::Sub" => self.sub(argument, span),
            "Fn::Join" => self.join(argument, span),
            "Fn::Split" => self.split(argument, span),
            "Fn::Select" => self.select(argument, span),
            "Fn::If" => self.choose(argument, span),
            "Fn::FindInMap" => self.find_in_map(argument, span),
            "Fn::And" | "Fn::Or" | "Fn::Not" | "Fn::Equals" => {
                let holds = self.condition_function(function, argument, span);
                Value { span, kind: ValueKind::Bool(holds) }
            }
            "Fn::Base64" => {
                let text = self.text(argument, "what `Fn::Base64` encodes");
                let encoded = base64::engine::general_purpose::STANDARD.encode(text.as_str());
                Value::text(span, encoded)
            }
            "Fn::ToJsonString" => {
                let value = self.value(argument);
                let json = value.to_json();
                self.made(span, json)
            }
            "Fn::Length" => match self.value(argument).kind {
                ValueKind::List(items) => Value { span, kind: ValueKind::Number(items.len().into()) },
                _ => self.wrong_argument(function, "a list", span),
            },
            "Fn::GetAZs" => {
                let zones =
                    ["a", "b", "c"].map(|zone| Value::text(span, format!("{}{zone}", reference::REGION)));
                Value { span, kind: ValueKind::List(zones.into()) }
            }
            "Fn::ImportValue" => {
                let export = self.text(argument, "the name of the export");
                let what = format!("the export `{}` of another stack", export.as_str());
                self.stand_in(span, what, export.as_str().to_owned(), None)
            }
            "Fn::Cidr" | "Fn::Transform" => {
                let what = format!("what `{function}` makes");
                self.stand_in(span, what, function.replace("::", "-"), None)
            }
            _ => {
                let message = format!("there is no function `{function}`");
                self.wrong(span, message, "not known here", None)
            }
        }
    }

    /// The value of a node as a string; empty where it is none, which is then reported.
    pub(crate) fn text(&mut self, node: &Node, what: &str) -> Text {
        let value = self.value(node);
        self.text_of(&value, what)
    }

    pub(crate) fn text_of(&mut self, value: &Value, what: &str) -> Text {
        if let Some(text) = value.as_text() {
            return text;
        }
        if value.kind != ValueKind::Absent {
            let label = format!("found {}", value.describe());
            self.wrong(value.span, format!("{what} must be a string"), &label, None);
        }
        Text::default()
    }

    /// Reports a mistake in the template.
    pub(crate) fn wrong(&mut self, span: Span, message: String, label: &str, hint: Option<String>) -> Value {
        self.find(code::BAD_TEMPLATE, span, message, label, hint)
    }

    fn find(
        &mut self,
        code: &'static str,
        span: Span,
        message: String,
        label: &str,
        hint: Option<String>,
    ) -> Value {
        let source = &self.template.source;
        let finding = Diagnostic::error(code, message).at(source, first_line(source, span)).label(label);
        let finding = match hint {
            Some(hint) => finding.hint(hint),
            None => finding,
        };
        // A condition or a global is looked at by everything that uses it.
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
        Value::absent(span)
    }

    fn wrong_argument(&mut self, function: &str, expected: &str, span: Span) -> Value {
        let message = format!("`{function}` takes {expected}");
        self.wrong(span, message, "something else is given", None)
    }

    /// Takes `text` for what only a deployed stack knows.
    fn stand_in(&mut self, span: Span, what: String, text: String, remedy: Option<String>) -> Value {
        self.stand_ins.push(StandIn { span, what, text: text.clone(), remedy });
        Value::text(span, text)
    }

    /// `{{resolve:ssm:…}}` is filled in while a stack is deployed.
    fn note_dynamic_reference(&mut self, text: &str, span: Span) {
        if text.contains("{{resolve:") {
            let what = "what `{{resolve:…}}` names".to_owned();
            self.stand_ins.push(StandIn { span, what, text: text.to_owned(), remedy: None });
        }
    }

    /// A text that a function made, if there is room for it.
    fn made(&mut self, span: Span, text: Text) -> Value {
        self.made_bytes = self.made_bytes.saturating_add(text.len());
        if self.made_bytes > MOST_MADE_BYTES {
            let message = format!("the functions of the template make more than {MOST_MADE_BYTES} bytes");
            return self.wrong(span, message, "by this one at the latest", None);
        }
        Value { span, kind: ValueKind::Text(text) }
    }
}

/// The items of a list that is written as one.
fn items(node: &Node) -> Option<&[Node]> {
    match &node.kind {
        Kind::Array(items) => Some(items),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
