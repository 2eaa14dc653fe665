//! `[?(@.price < 10 && @.name == 'x')]`: a condition on an element.

use super::{Found, Path};
use crate::number;
use serde_json::Value;
use std::borrow::Cow;
use std::cmp::Ordering;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Filter {
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    /// The path finds something.
    Exists(Term),
    Compare(Term, Operator, Term),
    Matches(Term, Pattern),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Term {
    /// `@…`: from the element.
    Element(Path),
    /// `$…`: from the document.
    Document(Path),
    Literal(Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    Contains,
}

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

impl Filter {
    pub(super) fn accepts(&self, element: &Value, document: &Value) -> bool {
        match self {
            Filter::And(left, right) => left.accepts(element, document) && right.accepts(element, document),
            Filter::Or(left, right) => left.accepts(element, document) || right.accepts(element, document),
            Filter::Not(inner) => !inner.accepts(element, document),
            Filter::Exists(term) => term.value(element, document).is_some(),
            Filter::Compare(left, operator, right) => operator
                .holds(left.value(element, document).as_deref(), right.value(element, document).as_deref()),
            Filter::Matches(term, pattern) => term
                .value(element, document)
                .is_some_and(|value| value.as_str().is_some_and(|text| pattern.regex.is_match(text))),
        }
    }
}

impl Term {
    fn value<'a>(&'a self, element: &'a Value, document: &'a Value) -> Option<Cow<'a, Value>> {
        let (path, start) = match self {
            Term::Element(path) => (path, element),
            Term::Document(path) => (path, document),
            Term::Literal(value) => return Some(Cow::Borrowed(value)),
        };
        path.select(start, document).non_empty().into_value()
    }
}

impl Found<'_> {
    /// In a filter an indefinite path that finds nothing is as absent as a definite one.
    fn non_empty(self) -> Self {
        match self {
            Found::Many(values) if values.is_empty() => Found::Nothing,
            found => found,
        }
    }
}

impl Operator {
    /// What is absent equals nothing and has no order.
    fn holds(self, left: Option<&Value>, right: Option<&Value>) -> bool {
        let (Some(left), Some(right)) = (left, right) else {
            return matches!(self, Operator::NotEqual | Operator::NotIn);
        };
        let order = || match (left, right) {
            (Value::Number(left), Value::Number(right)) => Some(number::compare(left, right)),
            (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
            _ => None,
        };
        let among = |value: &Value, list: &Value| {
            list.as_array().is_some_and(|list| list.iter().any(|one| number::same_value(one, value)))
        };
        match self {
            Operator::Equal => number::same_value(left, right),
            Operator::NotEqual => !number::same_value(left, right),
            Operator::Less => order() == Some(Ordering::Less),
            Operator::LessOrEqual => order().is_some_and(Ordering::is_le),
            Operator::Greater => order() == Some(Ordering::Greater),
            Operator::GreaterOrEqual => order().is_some_and(Ordering::is_ge),
            Operator::In => among(left, right),
            Operator::NotIn => !among(left, right),
            Operator::Contains => match (left, right) {
                (Value::String(text), Value::String(part)) => text.contains(part.as_str()),
                _ => among(right, left),
            },
        }
    }
}
