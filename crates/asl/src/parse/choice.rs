//! The Choice state: rules, and the tests they are made of.
//!
//! Source: <https://states-language.net/spec.html#choice-state>.

use super::data_flow::{expression, jsonata_template, refuse_other_language, timestamp};
use super::state::refuse_transition;
use super::variables::assignments;
use super::{Dialect, Scope, shapes};
use crate::definition::{Choice, ChoiceRule, Comparison, Condition, Operand, Test};
use crate::fields::{Fields, boolean, list, not_empty, path, string, wrong_type};
use crate::node::{At, Kind};
use crate::report::Report;
use serde_json::Number;

pub(super) fn read<'a>(
    fields: &mut Fields<'a>,
    scope: &Scope<'a, '_>,
    report: &mut Report,
) -> Option<Choice> {
    refuse_transition(
        fields,
        "Each rule in `Choices` has its own `Next`; `Default` is for when none matches.",
        report,
    );
    let hint = "List the rules, each with a test and `Next`.";
    let rules = fields.require("Choices", hint, report).and_then(|at| rules(&at, fields, scope, report));
    let default = match fields.get("Default") {
        Some(at) => Some(scope.resolve(&at, "`Default`", report)?),
        None => None,
    };
    Some(Choice { rules: rules?, default })
}

fn rules<'a>(
    at: &At<'a>,
    choice: &Fields<'a>,
    scope: &Scope<'a, '_>,
    report: &mut Report,
) -> Option<Vec<ChoiceRule>> {
    let items = list(at, "`Choices`", report)?;
    if !not_empty(at.node, at.spot(), "`Choices`", "rule", report) {
        return None;
    }
    shapes::check_repeated_rules(&items, report);
    let mut rules = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let owner = format!("rule {} of {}", index + 1, choice.owner);
        rules.push(Fields::of(item, owner, report).and_then(|fields| rule(fields, scope, report)));
    }
    rules.into_iter().collect()
}

fn rule<'a>(mut fields: Fields<'a>, scope: &Scope<'a, '_>, report: &mut Report) -> Option<ChoiceRule> {
    let next = fields.require("Next", "Name the state to go to when the rule matches.", report);
    let next = next.and_then(|at| scope.resolve(&at, "`Next`", report));
    let dialect = scope.dialect;
    let assign = assignments(&mut fields, dialect, report);
    let output =
        (dialect == Dialect::Jsonata).then(|| jsonata_template(&mut fields, "Output", report)).flatten();
    let condition = match dialect {
        Dialect::JsonPath => {
            refuse_other_language(&mut fields, dialect, report);
            condition(fields, report)
        }
        Dialect::Jsonata => jsonata_condition(fields, report),
    };
    Some(ChoiceRule { condition: condition?, assign, output, next: next? })
}

/// `Condition`: an expression, or a boolean.
fn jsonata_condition(mut fields: Fields<'_>, report: &mut Report) -> Option<Condition> {
    fields.owned_string("Comment", report);
    let hint = "Such as `\"Condition\": \"{% $states.input.score > 5 %}\"`.";
    let condition = fields.require("Condition", hint, report).and_then(|at| match &at.node.kind {
        Kind::Bool(literal) => Some(Condition::Literal(*literal)),
        Kind::String(text) if crate::jsonata::expression_in(text).is_some() => {
            expression(&at, "`Condition`", report).map(Condition::Expression)
        }
        _ => {
            wrong_type(&at, "`Condition`", "an expression `{% … %}`, true or false", report);
            None
        }
    });
    ask_for_operators(&mut fields);
    for name in ["Variable", "And", "Or", "Not"] {
        fields.refuse_of_language(
            name,
            "JSONPath",
            "In JSONata the test is an expression in `Condition`.",
            report,
        );
    }
    fields.finish(report);
    condition
}

/// The test of a rule whose other fields have been read.
fn condition(mut fields: Fields<'_>, report: &mut Report) -> Option<Condition> {
    fields.owned_string("Comment", report);
    let head = fields.at_most_one(&["And", "Or", "Not", "Variable"], report);
    let condition = match head.and_then(|name| Some((name, fields.get(name)?))) {
        Some(("And", at)) => all_nested(&at, "`And`", report).map(Condition::And),
        Some(("Or", at)) => all_nested(&at, "`Or`", report).map(Condition::Or),
        Some(("Not", at)) => {
            nested(at, "the rule in `Not`", report).map(|inner| Condition::Not(Box::new(inner)))
        }
        Some((_, at)) => {
            let variable = path(&at, "`Variable`", report);
            let test = test(&mut fields, report);
            variable.zip(test).map(|(variable, test)| Condition::Test { variable, test })
        }
        None => {
            let hint = "Compare something: `\"Variable\": \"$.score\", \"NumericGreaterThan\": 5`.";
            refuse_other_language(&mut fields, Dialect::JsonPath, report);
            ask_for_operators(&mut fields);
            fields.report_missing(&["Variable", "And", "Or", "Not"], hint, report);
            None
        }
    };
    fields.finish(report);
    condition
}

fn all_nested(at: &At<'_>, what: &str, report: &mut Report) -> Option<Vec<Condition>> {
    let items = list(at, what, report)?;
    if !not_empty(at.node, at.spot(), what, "rule", report) {
        return None;
    }
    let mut rules = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        rules.push(nested(item, &format!("rule {} in {what}", index + 1), report));
    }
    rules.into_iter().collect()
}

fn nested(at: At<'_>, owner: &str, report: &mut Report) -> Option<Condition> {
    let mut fields = Fields::of(at, owner, report)?;
    refuse_transition(&mut fields, "Only the outermost rule leads on; move it there.", report);
    condition(fields, report)
}

/// The one operator of a rule with `Variable`.
fn test(fields: &mut Fields<'_>, report: &mut Report) -> Option<Test> {
    ask_for_operators(fields);
    let names = operator_names();
    let Some(name) = fields.at_most_one(&names, report) else {
        // A misspelt operator is reported as such.
        if !fields.has_unknown() {
            let hint = "Add one, such as `StringEquals`, `NumericLessThan`, `BooleanEquals` or `IsPresent`.";
            fields.report_no_operator(&names, hint, report);
        }
        return None;
    };
    let operator = operators().find(|operator| operator.name == name)?;
    operator.read(&fields.get(name)?, report)
}

fn ask_for_operators(fields: &mut Fields<'_>) {
    fields.know(&operator_names());
}

struct Operator {
    name: &'static str,
    kind: OperatorKind,
    /// The `…Path` form.
    by_path: bool,
}

#[derive(Clone, Copy)]
enum OperatorKind {
    Is(fn(bool) -> Test),
    StringMatches,
    BooleanEquals,
    String(Comparison),
    Numeric(Comparison),
    Timestamp(Comparison),
}

macro_rules! comparisons {
    ($family:literal, $kind:path) => {
        [
            operator(concat!($family, "Equals"), $kind(Comparison::Equals)),
            operator(concat!($family, "LessThan"), $kind(Comparison::LessThan)),
            operator(concat!($family, "LessThanEquals"), $kind(Comparison::LessThanEquals)),
            operator(concat!($family, "GreaterThan"), $kind(Comparison::GreaterThan)),
            operator(concat!($family, "GreaterThanEquals"), $kind(Comparison::GreaterThanEquals)),
            by_path(concat!($family, "EqualsPath"), $kind(Comparison::Equals)),
            by_path(concat!($family, "LessThanPath"), $kind(Comparison::LessThan)),
            by_path(concat!($family, "LessThanEqualsPath"), $kind(Comparison::LessThanEquals)),
            by_path(concat!($family, "GreaterThanPath"), $kind(Comparison::GreaterThan)),
            by_path(concat!($family, "GreaterThanEqualsPath"), $kind(Comparison::GreaterThanEquals)),
        ]
    };
}

const STRING: [Operator; 10] = comparisons!("String", OperatorKind::String);
const NUMERIC: [Operator; 10] = comparisons!("Numeric", OperatorKind::Numeric);
const TIMESTAMP: [Operator; 10] = comparisons!("Timestamp", OperatorKind::Timestamp);
const OTHERS: [Operator; 9] = [
    operator("BooleanEquals", OperatorKind::BooleanEquals),
    by_path("BooleanEqualsPath", OperatorKind::BooleanEquals),
    operator("StringMatches", OperatorKind::StringMatches),
    operator("IsNull", OperatorKind::Is(Test::IsNull)),
    operator("IsPresent", OperatorKind::Is(Test::IsPresent)),
    operator("IsNumeric", OperatorKind::Is(Test::IsNumeric)),
    operator("IsString", OperatorKind::Is(Test::IsString)),
    operator("IsBoolean", OperatorKind::Is(Test::IsBoolean)),
    operator("IsTimestamp", OperatorKind::Is(Test::IsTimestamp)),
];

const fn operator(name: &'static str, kind: OperatorKind) -> Operator {
    Operator { name, kind, by_path: false }
}

const fn by_path(name: &'static str, kind: OperatorKind) -> Operator {
    Operator { name, kind, by_path: true }
}

fn operators() -> impl Iterator<Item = &'static Operator> {
    STRING.iter().chain(&NUMERIC).chain(&TIMESTAMP).chain(&OTHERS)
}

fn operator_names() -> Vec<&'static str> {
    operators().map(|operator| operator.name).collect()
}

impl Operator {
    fn read(&self, at: &At<'_>, report: &mut Report) -> Option<Test> {
        let what = format!("`{}`", self.name);
        Some(match self.kind {
            OperatorKind::Is(make) => make(boolean(at, &what, report)?),
            OperatorKind::StringMatches => Test::StringMatches(string(at, &what, report)?.to_owned()),
            OperatorKind::BooleanEquals => Test::BooleanEquals(self.operand(at, &what, boolean, report)?),
            OperatorKind::String(comparison) => {
                let owned = |at: &At<'_>, what: &str, report: &mut Report| {
                    string(at, what, report).map(str::to_owned)
                };
                Test::StringCompare(comparison, self.operand(at, &what, owned, report)?)
            }
            OperatorKind::Numeric(comparison) => {
                Test::NumericCompare(comparison, self.operand(at, &what, number, report)?)
            }
            OperatorKind::Timestamp(comparison) => {
                Test::TimestampCompare(comparison, self.operand(at, &what, timestamp, report)?)
            }
        })
    }

    fn operand<T>(
        &self,
        at: &At<'_>,
        what: &str,
        literal: impl Fn(&At<'_>, &str, &mut Report) -> Option<T>,
        report: &mut Report,
    ) -> Option<Operand<T>> {
        if self.by_path {
            path(at, what, report).map(Operand::Path)
        } else {
            literal(at, what, report).map(Operand::Literal)
        }
    }
}

fn number(at: &At<'_>, what: &str, report: &mut Report) -> Option<Number> {
    let Kind::Number(number) = &at.node.kind else {
        wrong_type(at, what, "a number", report);
        return None;
    };
    Some(number.clone())
}
