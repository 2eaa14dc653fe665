//! `Conditions`, and the functions that ask them.

use super::{Evaluator, items};
use crate::code;
use crate::finding::did_you_mean;
use crate::sam::value::{Value, ValueKind};
use faastlane_asl::source::Span;
use faastlane_asl::tree::{Kind, Node};

impl Evaluator<'_> {
    /// `Fn::If`
    pub(super) fn choose(&mut self, argument: &Node, span: Span) -> Value {
        let Some([Node { kind: Kind::String(name), span: named }, yes, no]) = items(argument) else {
            return self.wrong_argument("Fn::If", "the name of a condition and two values", span);
        };
        let chosen = if self.condition_named(name, *named) { yes } else { no };
        self.value(chosen)
    }

    /// Whether a resource is made at all.
    pub(crate) fn exists(&mut self, resource: &Node) -> bool {
        match resource.get("Condition") {
            Some(Node { kind: Kind::String(name), span }) => self.condition_named(name, *span),
            _ => true,
        }
    }

    fn condition_named(&mut self, name: &str, span: Span) -> bool {
        if let Some(Some(known)) = self.conditions.get(name) {
            return *known;
        }
        if self.conditions.contains_key(name) {
            let message = format!("the condition `{name}` asks for itself");
            self.wrong(span, message, "by way of others", None);
            return false;
        }
        let template = self.template;
        let Some(node) = template.section("Conditions").and_then(|conditions| conditions.get(name)) else {
            let known = template.members("Conditions").iter().map(|member| member.key.as_str());
            let message = format!("there is no condition `{name}`");
            self.find(
                code::UNKNOWN_REFERENCE,
                span,
                message,
                "not in `Conditions`",
                did_you_mean(name, known),
            );
            return false;
        };
        self.conditions.insert(name.to_owned(), None);
        let holds = self.condition(node);
        self.conditions.insert(name.to_owned(), Some(holds));
        holds
    }

    fn condition(&mut self, node: &Node) -> bool {
        let holds = self.deeper(node.span, |evaluator| match &node.kind {
            Kind::Object(members) if members.len() == 1 => {
                evaluator.condition_function(&members[0].key, &members[0].value, node.span)
            }
            Kind::Bool(flag) => *flag,
            _ => evaluator.no_condition(&node.describe(), node.span),
        });
        holds.unwrap_or(false)
    }

    pub(super) fn condition_function(&mut self, function: &str, argument: &Node, span: Span) -> bool {
        match (function, &argument.kind) {
            ("Condition", Kind::String(name)) => self.condition_named(name, argument.span),
            ("Fn::Equals", Kind::Array(items)) if items.len() == 2 => {
                let [first, second] = [&items[0], &items[1]].map(|node| comparable(&self.value(node)));
                first == second
            }
            ("Fn::Not", Kind::Array(items)) if items.len() == 1 => !self.condition(&items[0]),
            ("Fn::And" | "Fn::Or", Kind::Array(items)) => {
                // Every one is evaluated, so that what is wrong with any of them is said.
                let holding: Vec<bool> = items.iter().map(|item| self.condition(item)).collect();
                match function {
                    "Fn::And" => !holding.contains(&false),
                    _ => holding.contains(&true),
                }
            }
            _ => self.no_condition(&format!("`{function}` as it is written"), span),
        }
    }

    fn no_condition(&mut self, what: &str, span: Span) -> bool {
        let hint = "`Fn::Equals` takes two values, `Fn::Not` a list of one condition, `Fn::And` and `Fn::Or` lists of \
                    them.";
        self.wrong(span, format!("{what} is no condition"), "neither true nor false", Some(hint.to_owned()));
        false
    }
}

/// CloudFormation compares strings, and takes `true` and `1` for the strings of that spelling.
fn comparable(value: &Value) -> String {
    match (&value.kind, value.as_text()) {
        (_, Some(text)) => text.as_str().to_owned(),
        (ValueKind::Absent, None) => String::new(),
        (_, None) => value.to_json().as_str().to_owned(),
    }
}
