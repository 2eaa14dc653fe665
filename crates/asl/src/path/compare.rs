//! The operators of filters. What is absent is `None`: it equals nothing and has no order.
//!
//! Source: Jayway's `EvaluatorFactory` and `ValueNodes`.

use super::FindError;
use super::budget::Budget;
use crate::number;
use serde_json::{Number, Value};
use std::cmp::Ordering;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    /// `===`: a number equals no string.
    Same,
    NotSame,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    Contains,
    SubsetOf,
    AnyOf,
    NoneOf,
    Size,
    Empty,
}

/// Those that are written as signs, longer ones first.
pub(super) const SIGNS: [(&str, Operator); 8] = [
    ("===", Operator::Same),
    ("!==", Operator::NotSame),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

/// Those that are written as words, in any case.
pub(super) const WORDS: [(&str, Operator); 8] = [
    ("in", Operator::In),
    ("nin", Operator::NotIn),
    ("contains", Operator::Contains),
    ("subsetof", Operator::SubsetOf),
    ("anyof", Operator::AnyOf),
    ("noneof", Operator::NoneOf),
    ("size", Operator::Size),
    ("empty", Operator::Empty),
];

/// `/…/i`: matches the whole text, as Java's `matches` does.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) text: String,
    pub(super) regex: regex::Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Operator {
    pub(super) fn holds(
        self,
        left: Option<&Value>,
        right: Option<&Value>,
        budget: &mut Budget,
    ) -> Result<bool, FindError> {
        let list = right.and_then(Value::as_array);
        let order = || left.zip(right).and_then(|(left, right)| order(left, right));
        Ok(match self {
            Operator::Equal => equal(left, right),
            Operator::NotEqual => !equal(left, right),
            Operator::Same => same(left, right),
            Operator::NotSame => !same(left, right),
            Operator::Less => order() == Some(Ordering::Less),
            Operator::LessOrEqual => order().is_some_and(Ordering::is_le),
            Operator::Greater => order() == Some(Ordering::Greater),
            Operator::GreaterOrEqual => order().is_some_and(Ordering::is_ge),
            // Without a list on the right there is no answer, and what has none is not accepted.
            Operator::In => list.is_some_and(|list| among(left, list)),
            Operator::NotIn => list.is_some_and(|list| !among(left, list)),
            Operator::Contains => match (left, right) {
                (Some(Value::String(text)), Some(Value::String(part))) => text.contains(part.as_str()),
                (Some(Value::Array(list)), right) => among(right, list),
                _ => false,
            },
            Operator::SubsetOf | Operator::AnyOf | Operator::NoneOf => {
                let (Some(Value::Array(left)), Some(Value::Array(right))) = (left, right) else {
                    return Ok(false);
                };
                for _ in left {
                    right.iter().try_for_each(|value| budget.spend_on(value))?;
                }
                let is_among = |value: &Value| among(Some(value), right);
                match self {
                    Operator::SubsetOf => left.iter().all(is_among),
                    Operator::AnyOf => left.iter().any(is_among),
                    _ => !left.iter().any(is_among),
                }
            }
            Operator::Size => right.and_then(Value::as_i64).is_some_and(|size| {
                let length = match left {
                    Some(Value::String(text)) => text.encode_utf16().count(),
                    Some(Value::Array(array)) => array.len(),
                    _ => return false,
                };
                i64::try_from(length) == Ok(size)
            }),
            Operator::Empty => right.and_then(Value::as_bool).is_some_and(|wanted| match left {
                Some(Value::String(text)) => text.is_empty() == wanted,
                Some(Value::Array(array)) => array.is_empty() == wanted,
                Some(Value::Object(object)) => object.is_empty() == wanted,
                _ => false,
            }),
        })
    }
}

impl Pattern {
    /// What is no text is matched as its text, or as an empty one; of a list one element is enough.
    pub(super) fn matches(&self, value: Option<&Value>, budget: &mut Budget) -> Result<bool, FindError> {
        let elements = match value {
            Some(Value::Array(array)) => array.iter().map(Some).collect(),
            single => vec![single],
        };
        for element in elements {
            let text = match element {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Number(number)) => number.to_string(),
                Some(Value::Bool(truth)) => truth.to_string(),
                _ => String::new(),
            };
            // An automaton looks at each byte, and may look at it once for each place of the pattern.
            budget.spend(1 + text.len().saturating_mul(self.text.len()) / 64)?;
            if self.regex.is_match(&text) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn among(value: Option<&Value>, list: &[Value]) -> bool {
    list.iter().any(|element| equal(Some(element), value))
}

/// A number and a string are equal if the other's text or value is the same.
fn equal(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (Some(Value::String(left)), Some(Value::Number(right))) => *left == right.to_string(),
        (Some(Value::Number(left)), Some(Value::String(right))) => {
            right.parse::<Number>().is_ok_and(|right| number::compare(left, &right).is_eq())
        }
        (Some(left), Some(right)) => number::same_value(left, right),
        _ => false,
    }
}

fn same(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (Some(Value::String(_)), Some(Value::Number(_)))
        | (Some(Value::Number(_)), Some(Value::String(_))) => false,
        _ => equal(left, right),
    }
}

/// Numbers by value, and as texts as soon as there is one.
fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => Some(number::compare(left, right)),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::String(left), Value::Number(right)) => Some(left.cmp(&right.to_string())),
        (Value::Number(left), Value::String(right)) => Some(left.to_string().cmp(right)),
        _ => None,
    }
}
