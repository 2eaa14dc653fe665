//! From a decoded document to what a path finds in it: segment by segment, from a list of values to the next one, so
//! that neither the length of the path nor the depth of the document is recursion. Only filters in filters are.

use super::budget::Budget;
use super::{FindError, Found, Path, Segment};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Where a path is evaluated, and how.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// Where the first segment applies.
    pub(super) start: &'a Value,
    /// What `$` means in filters and arguments.
    pub(super) document: &'a Value,
    /// Whether an object without the asked member ends the search with nothing, wherever it is met. That is how Jayway
    /// answers whether something exists.
    pub(super) strict: bool,
}

/// What came of a segment at one value.
enum Reached {
    /// Nothing or something: either is an answer.
    Fine,
    /// An object without the member.
    Missing,
    /// Something that the segment is not for.
    Other,
}

impl Path {
    pub(super) fn select<'a>(&self, place: Place<'a>, budget: &mut Budget) -> Result<Found<'a>, FindError> {
        let mut at = vec![place.start];
        let mut certain = true;
        for (position, segment) in self.segments.iter().enumerate() {
            let ends_in_list = position + 1 == self.segments.len() && self.function.is_none();
            if let (Segment::Keys(keys), true) = (segment, ends_in_list) {
                return self.members(&at, keys, certain, place, budget);
            }
            let scanned = position > 0 && self.segments[position - 1] == Segment::Descend;
            let mut next = Vec::new();
            for value in at {
                budget.spend(1)?;
                // Behind `*` and the like what does not fit is passed by.
                let ends_here = match (Step { segment, scanned, place }).from(value, &mut next, budget)? {
                    Reached::Fine => false,
                    Reached::Missing => certain || place.strict,
                    Reached::Other => certain,
                };
                if ends_here {
                    return Ok(self.without_result(place));
                }
            }
            at = next;
            certain &= matches!(segment, Segment::Key(_) | Segment::Index(_));
        }
        self.ended(at, place, budget)
    }

    /// An indefinite path finds an empty array wherever it ends; unless the question is whether anything exists.
    fn without_result<'a>(&self, place: Place<'_>) -> Found<'a> {
        if self.definite || place.strict { Found::Nothing } else { Found::Many(Vec::new()) }
    }

    fn ended<'a>(
        &self,
        at: Vec<&'a Value>,
        place: Place<'a>,
        budget: &mut Budget,
    ) -> Result<Found<'a>, FindError> {
        let Some(function) = &self.function else {
            return Ok(match at.first() {
                _ if !self.definite => Found::Many(at.into_iter().map(Cow::Borrowed).collect()),
                Some(found) => Found::One(found),
                None => Found::Nothing,
            });
        };
        // `$..price.sum()` is one sum; `$.lists[*].sum()` is a list of them.
        if self.segments.first() == Some(&Segment::Descend) {
            let result = function.of_all(&at, place.document, budget)?;
            return Ok(result.map_or(Found::Nothing, Found::Made));
        }
        let mut results = Vec::with_capacity(at.len());
        for value in at {
            match function.of_value(value, place.document, budget)? {
                Some(result) => results.push(Cow::Owned(result)),
                None => return Ok(Found::Nothing),
            }
        }
        Ok(match results.pop() {
            Some(Cow::Owned(only)) if self.definite => Found::Made(only),
            last if !self.definite => Found::Many(results.into_iter().chain(last).collect()),
            _ => Found::Nothing,
        })
    }

    /// `['a','b']` at the end of a path: an object of those members that are there.
    fn members<'a>(
        &self,
        at: &[&'a Value],
        keys: &[String],
        certain: bool,
        place: Place<'a>,
        budget: &mut Budget,
    ) -> Result<Found<'a>, FindError> {
        let mut found = Vec::new();
        for value in at {
            let Value::Object(object) = value else {
                if certain {
                    return Ok(self.without_result(place));
                }
                continue;
            };
            let mut chosen = Map::new();
            for key in keys {
                budget.spend(1)?;
                match object.get(key) {
                    Some(member) => {
                        budget.spend_on(member)?;
                        chosen.insert(key.clone(), member.clone());
                    }
                    None if place.strict => return Ok(Found::Nothing),
                    None => {}
                }
            }
            found.push(Value::Object(chosen));
        }
        Ok(match found.pop() {
            Some(only) if self.definite => Found::Made(only),
            None if self.definite => Found::Nothing,
            last => Found::Many(found.into_iter().chain(last).map(Cow::Owned).collect()),
        })
    }
}

/// One segment, applied to one value after the other.
struct Step<'s, 'a> {
    segment: &'s Segment,
    /// Whether `..` stands before it.
    scanned: bool,
    place: Place<'a>,
}

impl<'a> Step<'_, 'a> {
    fn from(
        &self,
        value: &'a Value,
        next: &mut Vec<&'a Value>,
        budget: &mut Budget,
    ) -> Result<Reached, FindError> {
        match (self.segment, value) {
            (Segment::Key(key), Value::Object(object)) => match object.get(key) {
                Some(member) => next.push(member),
                None => return Ok(Reached::Missing),
            },
            (Segment::Keys(keys), Value::Object(object)) => {
                budget.spend(keys.len())?;
                next.extend(keys.iter().filter_map(|key| object.get(key)));
            }
            (Segment::Index(index), Value::Array(array)) => next.extend(element(array, *index)),
            (Segment::Indices(indices), Value::Array(array)) => {
                budget.spend(indices.len())?;
                next.extend(indices.iter().filter_map(|index| element(array, *index)));
            }
            (Segment::Slice { from, to }, Value::Array(array)) => {
                let part = slice(array, *from, *to);
                budget.spend(part.len())?;
                next.extend(part);
            }
            (Segment::Wildcard, Value::Array(array)) => {
                budget.spend(array.len())?;
                next.extend(array);
            }
            (Segment::Wildcard, Value::Object(object)) => {
                budget.spend(object.len())?;
                next.extend(object.values());
            }
            (Segment::Wildcard, _) => {}
            (Segment::Descend, _) => containers(value, next, budget)?,
            (Segment::Filter(filter), Value::Object(_)) => {
                if filter.accepts(value, self.place.document, budget)? {
                    next.push(value);
                }
            }
            (Segment::Filter(filter), Value::Array(array)) => {
                // Behind `..` an array is looked into if it is itself what the filter asks for; its elements have
                // their own turn.
                if self.scanned && !filter.accepts(value, self.place.document, budget)? {
                    return Ok(Reached::Fine);
                }
                for element in array {
                    if filter.accepts(element, self.place.document, budget)? {
                        next.push(element);
                    }
                }
            }
            _ => return Ok(Reached::Other),
        }
        Ok(Reached::Fine)
    }
}

/// The value and all arrays and objects in it, parents first.
fn containers<'a>(
    value: &'a Value,
    found: &mut Vec<&'a Value>,
    budget: &mut Budget,
) -> Result<(), FindError> {
    let mut waiting = vec![value];
    while let Some(value) = waiting.pop() {
        let begin = waiting.len();
        match value {
            Value::Array(array) => {
                budget.spend(1 + array.len())?;
                waiting.extend(array.iter().filter(|value| value.is_array() || value.is_object()));
            }
            Value::Object(object) => {
                budget.spend(1 + object.len())?;
                waiting.extend(object.values().filter(|value| value.is_array() || value.is_object()));
            }
            _ => continue,
        }
        waiting[begin..].reverse();
        found.push(value);
    }
    Ok(())
}

/// Counts from the end when negative.
fn element(array: &[Value], index: i64) -> Option<&Value> {
    array.get(position(index, array.len())?)
}

pub(super) fn position(index: i64, length: usize) -> Option<usize> {
    if index >= 0 {
        return usize::try_from(index).ok();
    }
    length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)
}

fn slice(array: &[Value], from: Option<i64>, to: Option<i64>) -> &[Value] {
    let place = |bound: i64| {
        let length = array.len();
        match usize::try_from(bound) {
            Ok(bound) => bound.min(length),
            Err(_) => length.saturating_sub(usize::try_from(bound.unsigned_abs()).unwrap_or(usize::MAX)),
        }
    };
    let (start, end) = (from.map_or(0, place), to.map_or(array.len(), place));
    array.get(start..end).unwrap_or(&[])
}
