//! JSONata: the input and the context are in `$states`, as in a workflow.

use super::{BAD_EXPRESSION, Documents, NO_VALUE, Written, described};
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_asl::jsonata::{Budget, Environment, Expression, Scope, Variable, expression_in};
use faastlane_asl::random::SplitMix64;
use faastlane_asl::source::Span;
use faastlane_payload::Payload;
use serde_json::Value;
use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

/// What errors call the field that an expression of a workflow stands in.
const FIELD: &str = "--jsonata";

const HINT: &str = "The input is `$states.input`, the context object `$states.context`, and a variable `$name`; see \
                    `--input`, `--context` and `--variables`.";

impl Scope for Documents {
    fn variable(&self, name: &str) -> Option<Variable<'_>> {
        let decoded = |payload: &'_ Payload| payload.value().ok().cloned().map(Cow::Owned);
        if name != "states" {
            return decoded(self.variables.get(name)?).map(Variable::Value);
        }
        let members = [("input", &self.input), ("context", &self.context)];
        Some(Variable::Members(
            members.into_iter().filter_map(|(name, payload)| Some((name, decoded(payload)?))).collect(),
        ))
    }
}

pub(super) fn evaluate(
    written: Written<'_>,
    documents: &Documents,
    random: &mut SplitMix64,
) -> Result<Value, Box<Diagnostic>> {
    let inner = expression_in(written.text).unwrap_or(written.text);
    let text = inner.trim();
    let offset = written.place_of(text).start;
    let expression = Expression::parse(text).map_err(|error| {
        let finding = written.finding(BAD_EXPRESSION, "the expression is not JSONata", offset + error.offset);
        Box::new(finding.label(error.message).hint("Such as `$states.input.items[price > 10].name`."))
    })?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(since.as_micros()).unwrap_or(u64::MAX);
    let mut environment = Environment { random, now, budget: Budget::default() };
    expression.evaluate(FIELD, documents, &mut environment).map_err(|error| {
        // What it says in a workflow begins with the expression and its field, which stand below.
        let beginning = format!("The JSONata expression '{text}' specified for the field '{FIELD}' ");
        let message = error.to_string();
        let said = message.strip_prefix(&beginning).unwrap_or(&message);
        let (there, hint) = longest_found(text, documents, &mut environment).unwrap_or((0, HINT.to_owned()));
        let place = Span { start: offset + there, end: offset + text.len() };
        let finding = written.finding_over(NO_VALUE, "the expression gives no value", place);
        Box::new(finding.label(said).hint(hint))
    })
}

/// For an expression that is only a way to a value: how many of its bytes find something, and what that is.
fn longest_found(
    text: &str,
    documents: &Documents,
    environment: &mut Environment<'_>,
) -> Option<(usize, String)> {
    if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"$_.".contains(&byte)) {
        return None;
    }
    text.rmatch_indices('.').find_map(|(end, _)| {
        let found = Expression::parse(&text[..end]).ok()?.evaluate(FIELD, documents, environment).ok()?;
        let asked = text[end + 1..].split('.').next().unwrap_or_default();
        Some((end, described(&text[..end], &found, asked)))
    })
}
