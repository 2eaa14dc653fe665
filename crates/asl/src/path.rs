//! JSONPath as Step Functions reads it (Jayway semantics), parsed once and evaluated often.
//!
//! Start at [`Path::find`]. A *definite* path (`$.a['b'][0]`) finds one value or nothing, and finding it decodes
//! nothing: it steps through the payload's flat form. An *indefinite* one (`..`, `*`, lists, slices, filters) finds an
//! array, which may be empty, in the decoded payload.
//!
//! Source: <https://github.com/json-path/JsonPath> and the Step Functions developer guide, "Reference paths" and "Paths".

mod filter;
mod function;
mod parser;
mod reference;
mod variable;

use faastlane_payload::flat::{Draft, View};
use faastlane_payload::{Payload, PayloadError};
use filter::Filter;
use function::Function;
pub use reference::{PlaceError, ReferencePath};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
pub use variable::is_variable_name;

/// What paths are evaluated against.
pub trait Scope {
    /// `$`: the input of the state or its result, depending on the field.
    fn input(&self) -> &Payload;
    /// `$$`: the context object. Built only when a path asks for it.
    fn context(&self) -> &Payload;
    /// `$name`: the workflow's variable of this name, without its `$`; `None` if nothing has been assigned to it.
    fn variable(&self, name: &str) -> Option<&Payload>;
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

#[derive(Clone, Debug, PartialEq, Eq)]
enum Root {
    /// `$`; in a filter also `@`.
    Input,
    /// `$$`
    Context,
    /// `$name`
    Variable(String),
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

/// What a path selects from a payload.
#[derive(Clone, Debug)]
pub enum Selected<'a> {
    /// A value where it lies.
    There(View<'a>),
    /// A value that is not in the payload as it stands: what an indefinite path or a function gives.
    Made(Value),
}

impl<'a> Selected<'a> {
    /// The value, decoded.
    pub fn into_value(self) -> Value {
        match self {
            Selected::There(view) => view.to_value(),
            Selected::Made(value) => value,
        }
    }
}

impl<'a> From<Selected<'a>> for Draft<'a> {
    fn from(selected: Selected<'a>) -> Self {
        match selected {
            Selected::There(view) => Draft::Part(view),
            Selected::Made(value) => Draft::Value(value),
        }
    }
}

/// What a path found in a decoded document.
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

    /// The name of the variable that it starts at (`$name`), without the `$`.
    pub fn variable(&self) -> Option<&str> {
        match &self.root {
            Root::Variable(name) => Some(name),
            Root::Input | Root::Context => None,
        }
    }

    /// The name of the variable that it starts at, if nothing has been assigned to that: why it finds nothing.
    pub fn unassigned(&self, scope: &impl Scope) -> Option<&str> {
        self.variable().filter(|name| scope.variable(name).is_none())
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

    /// `None` where a definite path points at nothing, and where any path starts at a variable without a value: see
    /// [`Path::unassigned`].
    ///
    /// # Errors
    /// The payload came in a flat form that is none.
    pub fn find<'a>(&self, scope: &'a impl Scope) -> Result<Option<Selected<'a>>, PayloadError> {
        match self.document(scope) {
            Some(document) => self.find_in(document),
            None => Ok(None),
        }
    }

    /// What the path starts at; `None` for a variable without a value.
    pub(crate) fn document<'a>(&self, scope: &'a impl Scope) -> Option<&'a Payload> {
        match &self.root {
            Root::Input => Some(scope.input()),
            Root::Context => Some(scope.context()),
            Root::Variable(name) => scope.variable(name),
        }
    }

    /// Evaluates against one payload, whichever root the path names.
    ///
    /// # Errors
    /// The payload came in a flat form that is none.
    pub fn find_in<'a>(&self, payload: &'a Payload) -> Result<Option<Selected<'a>>, PayloadError> {
        if !self.definite {
            let found = self.find_in_value(payload.value()?).into_value();
            return Ok(found.map(|value| Selected::Made(value.into_owned())));
        }
        let Some((at, rest)) = walk(&self.segments, payload.view()?) else { return Ok(None) };
        if rest.is_empty() && self.function.is_none() {
            return Ok(Some(Selected::There(at)));
        }
        let at = at.to_value();
        let found = self.finish(ending(rest, &at));
        Ok(found.into_value().map(|value| Selected::Made(value.into_owned())))
    }

    /// Evaluates against one decoded document.
    pub fn find_in_value<'a>(&self, document: &'a Value) -> Found<'a> {
        self.select(document, document)
    }

    fn finish<'a>(&self, found: Found<'a>) -> Found<'a> {
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
            return self.finish(Found::Many(found));
        }
        self.finish(match walk(&self.segments, start) {
            Some((at, rest)) => ending(rest, at),
            None => Found::Nothing,
        })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// A value in either form, through which a definite path goes in the same way.
trait Place: Copy {
    /// `None` as well if it is no object.
    fn member(self, name: &str) -> Option<Self>;
    /// How many elements an array has.
    fn length(self) -> Option<usize>;
    /// `None` as well if it is no array.
    fn at(self, position: usize) -> Option<Self>;
}

impl Place for &Value {
    fn member(self, name: &str) -> Option<Self> {
        self.as_object()?.get(name)
    }

    fn length(self) -> Option<usize> {
        self.as_array().map(Vec::len)
    }

    fn at(self, position: usize) -> Option<Self> {
        self.as_array()?.get(position)
    }
}

impl Place for View<'_> {
    fn member(self, name: &str) -> Option<Self> {
        View::member(self, name)
    }

    fn length(self) -> Option<usize> {
        self.elements().and(self.count())
    }

    fn at(self, position: usize) -> Option<Self> {
        self.element(position)
    }
}

/// Goes as far as names and indices go; returns where that is and which segments are left.
fn walk<P: Place>(segments: &[Segment], start: P) -> Option<(P, &[Segment])> {
    let (mut at, mut rest) = (start, segments);
    while let [segment, behind @ ..] = rest {
        at = match segment {
            Segment::Key(key) => at.member(key)?,
            Segment::Index(index) => element(at, *index)?,
            _ => break,
        };
        rest = behind;
    }
    Some((at, rest))
}

/// What is left of a definite path behind its names and indices: nothing, or a list of names.
fn ending<'a>(rest: &[Segment], at: &'a Value) -> Found<'a> {
    match rest {
        [] => Found::One(at),
        [Segment::Keys(keys)] => members(at, keys),
        _ => Found::Nothing,
    }
}

/// Counts from the end when negative.
fn element<P: Place>(array: P, index: i64) -> Option<P> {
    if index >= 0 {
        return array.at(usize::try_from(index).ok()?);
    }
    array.at(array.length()?.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?)
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
