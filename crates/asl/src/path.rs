//! JSONPath as Step Functions reads it (Jayway semantics), parsed once and evaluated often.
//!
//! Start at [`Path::find`]. A *definite* path (`$.a['b'][0]`) finds one value or nothing, and finding it allocates
//! nothing; an *indefinite* one (`..`, `*`, lists, slices, filters) finds an array, which may be empty.
//!
//! Source: <https://github.com/json-path/JsonPath> and the Step Functions developer guide, "Reference paths" and "Paths".

mod filter;
mod function;
mod parser;
mod reference;

use filter::Filter;
use function::Function;
pub use reference::{ReferencePath, SetError};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// What paths are evaluated against.
pub trait Scope {
    /// `$`: the input of the state or its result, depending on the field.
    fn input(&self) -> &Value;
    /// `$$`: the context object. Built only when a path asks for it.
    fn context(&self) -> &Value;
}

/// Why a text is not a path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PathError {
    /// A lower-case sentence.
    pub message: String,
    /// Bytes from the beginning of the path.
    pub offset: usize,
}

/// A parsed path.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    text: Arc<str>,
    root: Root,
    segments: Vec<Segment>,
    function: Option<Function>,
    definite: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Root {
    Input,
    Context,
}

#[derive(Clone, Debug, PartialEq)]
enum Segment {
    /// `.name`, `['name']`
    Key(String),
    /// `[0]`, `[-1]`
    Index(i64),
    /// `['a','b']`
    Keys(Vec<String>),
    /// `[0,2]`
    Indices(Vec<i64>),
    /// `[1:3]`
    Slice { from: Option<i64>, to: Option<i64> },
    /// `.*`, `[*]`
    Wildcard,
    /// `..`: the segment that follows is applied to every value below, parents first.
    Descend,
    /// `[?(…)]`
    Filter(Filter),
}

/// What a path found.
#[derive(Clone, Debug, PartialEq)]
pub enum Found<'a> {
    /// A definite path points at nothing.
    Nothing,
    /// A value of the document.
    One(&'a Value),
    /// What an indefinite path found, in document order.
    Many(Vec<&'a Value>),
    /// A value that is not in the document as it stands: a function's result, a selection of several members.
    Made(Value),
}

impl<'a> Found<'a> {
    /// The value found; an indefinite path's is an array.
    pub fn into_value(self) -> Option<Cow<'a, Value>> {
        match self {
            Found::Nothing => None,
            Found::One(value) => Some(Cow::Borrowed(value)),
            Found::Many(values) => Some(Cow::Owned(Value::Array(values.into_iter().cloned().collect()))),
            Found::Made(value) => Some(Cow::Owned(value)),
        }
    }
}

impl Path {
    /// # Errors
    /// The text is no path; the error's offset points at the first character that does not fit.
    pub fn parse(text: &str) -> Result<Path, PathError> {
        parser::path(text)
    }

    /// The path at the beginning of a text, and how many bytes it has.
    pub(crate) fn parse_prefix(text: &str) -> Result<(Path, usize), PathError> {
        parser::prefix(text).map(|(path, _, length)| (path, length))
    }

    /// The path as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `$`: the whole input.
    pub fn is_whole(&self) -> bool {
        self.root == Root::Input && self.segments.is_empty() && self.function.is_none()
    }

    /// Whether it starts at the context object (`$$`).
    pub fn reads_context(&self) -> bool {
        self.root == Root::Context
    }

    /// Whether it is a path into the context object that can find the member at `members`, or something around or
    /// inside it: `$$.Execution` and `$$..Id` can reach `["Execution", "Input"]`, `$$.State` cannot.
    pub fn may_reach_context(&self, members: &[&str]) -> bool {
        self.reads_context()
            && self
                .segments
                .iter()
                .zip(members)
                .map_while(|(segment, member)| match segment {
                    Segment::Key(key) => Some(key == member),
                    _ => None,
                })
                .all(|same| same)
    }

    /// Whether it points at one place, not at any number of them.
    pub fn is_definite(&self) -> bool {
        self.definite
    }

    pub fn find<'a>(&self, scope: &'a impl Scope) -> Found<'a> {
        match self.root {
            Root::Input => self.find_in(scope.input()),
            Root::Context => self.find_in(scope.context()),
        }
    }

    /// Evaluates against one document, whichever root the path names.
    pub fn find_in<'a>(&self, document: &'a Value) -> Found<'a> {
        let found = self.select(document, document);
        match &self.function {
            None => found,
            Some(function) => function.apply(found),
        }
    }

    /// `start` is where the first segment applies; `document` is what `$` means in a filter.
    fn select<'a>(&self, start: &'a Value, document: &'a Value) -> Found<'a> {
        if !self.definite {
            let mut found = Vec::new();
            collect(&self.segments, start, document, &mut found);
            return Found::Many(found);
        }
        let mut at = start;
        for segment in &self.segments {
            let next = match segment {
                Segment::Key(key) => at.get(key.as_str()),
                Segment::Index(index) => element(at, *index),
                // Only as the last segment of a definite path: the members that are there, as an object.
                Segment::Keys(keys) => return members(at, keys),
                _ => None,
            };
            match next {
                Some(next) => at = next,
                None => return Found::Nothing,
            }
        }
        Found::One(at)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// Counts from the end when negative.
fn element(value: &Value, index: i64) -> Option<&Value> {
    let array = value.as_array()?;
    let position = if index < 0 { index.checked_add(i64::try_from(array.len()).ok()?)? } else { index };
    array.get(usize::try_from(position).ok()?)
}

fn members<'a>(value: &'a Value, keys: &[String]) -> Found<'a> {
    let Value::Object(object) = value else { return Found::Nothing };
    let chosen: Map<String, Value> =
        keys.iter().filter_map(|key| Some((key.clone(), object.get(key)?.clone()))).collect();
    Found::Made(Value::Object(chosen))
}

fn collect<'a>(segments: &[Segment], at: &'a Value, document: &'a Value, found: &mut Vec<&'a Value>) {
    let Some((segment, rest)) = segments.split_first() else {
        found.push(at);
        return;
    };
    match segment {
        Segment::Key(key) => {
            if let Some(value) = at.get(key.as_str()) {
                collect(rest, value, document, found);
            }
        }
        Segment::Index(index) => {
            if let Some(value) = element(at, *index) {
                collect(rest, value, document, found);
            }
        }
        Segment::Keys(keys) => {
            for value in keys.iter().filter_map(|key| at.get(key.as_str())) {
                collect(rest, value, document, found);
            }
        }
        Segment::Indices(indices) => {
            for value in indices.iter().filter_map(|index| element(at, *index)) {
                collect(rest, value, document, found);
            }
        }
        Segment::Slice { from, to } => {
            for value in slice(at, *from, *to) {
                collect(rest, value, document, found);
            }
        }
        Segment::Wildcard => for_each_child(at, |value| collect(rest, value, document, found)),
        Segment::Descend => descend(rest, at, document, found),
        Segment::Filter(filter) => match at {
            Value::Array(array) => {
                for value in array.iter().filter(|value| filter.accepts(value, document)) {
                    collect(rest, value, document, found);
                }
            }
            Value::Object(_) if filter.accepts(at, document) => collect(rest, at, document, found),
            _ => {}
        },
    }
}

/// Parents before children, as Jayway walks. A payload's nesting is bounded, and so is this recursion.
fn descend<'a>(rest: &[Segment], at: &'a Value, document: &'a Value, found: &mut Vec<&'a Value>) {
    collect(rest, at, document, found);
    for_each_child(at, |child| {
        if child.is_array() || child.is_object() {
            descend(rest, child, document, found);
        }
    });
}

fn for_each_child<'a>(value: &'a Value, mut visit: impl FnMut(&'a Value)) {
    match value {
        Value::Array(array) => array.iter().for_each(visit),
        Value::Object(object) => object.values().for_each(&mut visit),
        _ => {}
    }
}

fn slice(value: &Value, from: Option<i64>, to: Option<i64>) -> &[Value] {
    let Value::Array(array) = value else { return &[] };
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

#[cfg(test)]
mod tests;
