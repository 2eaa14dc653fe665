//! JSONata: the input and the context are in `$states`, as in a workflow.

use super::{BAD_EXPRESSION, Documents, NO_VALUE, Written};
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_asl::jsonata::{Budget, Environment, Expression, Scope, delimited};
use faastlane_asl::random::SplitMix64;
use faastlane_asl::source::Span;
use serde_json::Value;
use std::time::{SystemTime, UNIX_EPOCH};

/// What errors call the field that an expression of a workflow stands in.
const FIELD: &str = "--jsonata";

impl Scope for Documents {
    fn variable(&self, name: &str) -> Option<Value> {
        self.variables.get(name)?.value().ok().cloned()
    }

    fn state(&self, member: &str) -> Option<Value> {
        match member {
            "input" => self.input.value().ok().cloned(),
            "context" => self.context.value().ok().cloned(),
            _ => None,
        }
    }
}

pub(super) fn evaluate(
    written: Written<'_>,
    documents: &Documents,
    random: &mut SplitMix64,
) -> Result<Value, Box<Diagnostic>> {
    let (text, offset) = match delimited(written.text) {
        Some(inner) => (inner.text, inner.offset),
        None => (written.text, 0),
    };
    let expression = Expression::parse(text).map_err(|error| {
        let finding = written.finding(BAD_EXPRESSION, "the expression is not JSONata", offset + error.offset);
        Box::new(finding.label(error.message).hint("Such as `$states.input.items[price > 10].name`."))
    })?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(since.as_micros()).unwrap_or(u64::MAX);
    let mut environment = Environment { random, now, budget: Budget::default() };
    expression.evaluate(FIELD, documents, &mut environment).map_err(|error| {
        let whole = Span { start: offset, end: offset + text.len() };
        let finding = written.finding_over(NO_VALUE, error.message, whole);
        Box::new(finding.hint(
            "The input is `$states.input`, the context object `$states.context`, and a variable `$name`; \
             see `--input`, `--context` and `--variables`.",
        ))
    })
}
