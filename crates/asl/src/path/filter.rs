//! `[?(@.price < 10 && @.name == 'x')]`: a condition on an element.

use super::budget::Budget;
use super::compare::{Operator, Pattern};
use super::evaluate::Place;
use super::{FindError, Found, Path};
use serde_json::Value;
use std::borrow::Cow;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    /// The path finds something; one that may find several things always does, be it an empty list.
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

impl Filter {
    /// Recurses as deep as the filter nests, which its parser bounds.
    pub(super) fn accepts(
        &self,
        element: &Value,
        document: &Value,
        budget: &mut Budget,
    ) -> Result<bool, FindError> {
        budget.spend(1)?;
        Ok(match self {
            Filter::All(parts) => {
                for part in parts {
                    if !part.accepts(element, document, budget)? {
                        return Ok(false);
                    }
                }
                true
            }
            Filter::Any(parts) => {
                for part in parts {
                    if part.accepts(element, document, budget)? {
                        return Ok(true);
                    }
                }
                false
            }
            Filter::Not(inner) => !inner.accepts(element, document, budget)?,
            Filter::Exists(term) => term.exists(element, document, budget)?,
            Filter::Compare(left, operator, right) => {
                let left = left.value(element, document, budget)?;
                let right = right.value(element, document, budget)?;
                for side in [&left, &right].into_iter().flatten() {
                    budget.spend_on(side)?;
                }
                operator.holds(left.as_deref(), right.as_deref(), budget)?
            }
            Filter::Matches(term, pattern) => {
                let value = term.value(element, document, budget)?;
                pattern.matches(value.as_deref(), budget)?
            }
        })
    }
}

impl Term {
    fn value<'a>(
        &'a self,
        element: &'a Value,
        document: &'a Value,
        budget: &mut Budget,
    ) -> Result<Option<Cow<'a, Value>>, FindError> {
        let found = match self {
            Term::Element(path) => path.select(Place { start: element, document, strict: false }, budget)?,
            Term::Document(path) => {
                path.select(Place { start: document, document, strict: false }, budget)?
            }
            Term::Literal(value) => return Ok(Some(Cow::Borrowed(value))),
        };
        found.spend_on_copy(budget)?;
        Ok(found.into_value())
    }

    fn exists(&self, element: &Value, document: &Value, budget: &mut Budget) -> Result<bool, FindError> {
        let (path, start) = match self {
            Term::Element(path) => (path, element),
            Term::Document(path) => (path, document),
            Term::Literal(_) => return Ok(true),
        };
        Ok(path.select(Place { start, document, strict: true }, budget)? != Found::Nothing)
    }
}
