//! JSONPath as Step Functions reads it (Jayway semantics), parsed once and evaluated often.
//!
//! Start at [`Path::find`]. A *definite* path (`$.a['b'][0]`) finds one value or nothing, and finding it decodes
//! nothing: it steps through the payload's flat form. An *indefinite* one (`..`, `*`, lists, slices, filters) finds an
//! array, which may be empty, in the decoded payload.
//!
//! Whatever the path and the document, the evaluation ends after [`MAX_STEPS`].
//!
//! Source: <https://github.com/json-path/JsonPath> and the Step Functions developer guide, "Reference paths" and "Paths".

mod budget;
mod compare;
mod evaluate;
mod filter;
mod filter_parser;
mod function;
mod parser;
mod reason;
mod reference;
mod variable;

pub(crate) use budget::Budget;
pub use budget::MAX_STEPS;
use evaluate::Place;
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

/// Why a path could not be followed to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// What it starts at came in a flat form that is none.
    #[error(transparent)]
    Unreadable(#[from] PayloadError),
    /// It would look at too many values: `..`, `*` and filters inside each other on a large document.
    #[error("it takes more than {MAX_STEPS} steps")]
    TooCostly,
}

/// A parsed path.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    text: Arc<str>,
    root: Root,
    segments: Vec<Segment>,
    function: Option<Box<Function>>,
    definite: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Root {
    /// `$`; in a filter also `@`.
    Input,
    /// `$$`
    Context,
    /// `$name`
    Variable(Arc<str>),
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
    Many(Vec<Cow<'a, Value>>),
    /// A value that is not in the document as it stands: a function's result, a selection of several members.
    Made(Value),
}

impl<'a> Found<'a> {
    /// The value found; an indefinite path's is an array.
    pub fn into_value(self) -> Option<Cow<'a, Value>> {
        match self {
            Found::Nothing => None,
            Found::One(value) => Some(Cow::Borrowed(value)),
            Found::Many(values) => {
                Some(Cow::Owned(Value::Array(values.into_iter().map(Cow::into_owned).collect())))
            }
            Found::Made(value) => Some(Cow::Owned(value)),
        }
    }

    /// What `into_value` will copy.
    fn spend_on_copy(&self, budget: &mut Budget) -> Result<(), FindError> {
        let Found::Many(values) = self else { return Ok(()) };
        values.iter().try_for_each(|value| budget.spend_on(value))
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

    /// The names that it follows, where it starts at the input and is nothing but names.
    pub(crate) fn plain_keys(&self) -> Option<Vec<&str>> {
        if self.root != Root::Input || self.function.is_some() {
            return None;
        }
        let mut keys = Vec::with_capacity(self.segments.len());
        for segment in &self.segments {
            let Segment::Key(key) = segment else { return None };
            keys.push(key.as_str());
        }
        Some(keys)
    }

    /// Whether it points at one place, not at any number of them.
    pub fn is_definite(&self) -> bool {
        self.definite
    }

    /// `None` where a definite path points at nothing, and where any path starts at a variable without a value: see
    /// [`Path::unassigned`].
    ///
    /// # Errors
    /// The payload came in a flat form that is none; or it is more work than [`MAX_STEPS`].
    pub fn find<'a>(&self, scope: &'a impl Scope) -> Result<Option<Selected<'a>>, FindError> {
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
    /// The payload came in a flat form that is none; or it is more work than [`MAX_STEPS`].
    pub fn find_in<'a>(&self, payload: &'a Payload) -> Result<Option<Selected<'a>>, FindError> {
        self.find_within(payload, &mut Budget::new())
    }

    pub(crate) fn find_within<'a>(
        &self,
        payload: &'a Payload,
        budget: &mut Budget,
    ) -> Result<Option<Selected<'a>>, FindError> {
        if !self.definite {
            let document = payload.value()?;
            let found = self.select(Place { start: document, document, strict: false }, budget)?;
            found.spend_on_copy(budget)?;
            return Ok(found.into_value().map(|value| Selected::Made(value.into_owned())));
        }
        let Some((at, rest)) = walk(&self.segments, payload.view()?) else { return Ok(None) };
        if let Some(function) = &self.function {
            let document = if function.reads_document() { payload.value()? } else { &Value::Null };
            return Ok(function.of_value(&at.to_value(), document, budget)?.map(Selected::Made));
        }
        let [Segment::Keys(keys)] = rest else { return Ok(Some(Selected::There(at))) };
        if at.members().is_none() {
            return Ok(None);
        }
        let chosen: Map<String, Value> =
            keys.iter().filter_map(|key| Some((key.clone(), at.member(key)?.to_value()))).collect();
        Ok(Some(Selected::Made(Value::Object(chosen))))
    }

    /// Evaluates against one decoded document.
    ///
    /// # Errors
    /// It is more work than [`MAX_STEPS`].
    pub fn find_in_value<'a>(&self, document: &'a Value) -> Result<Found<'a>, FindError> {
        self.select(Place { start: document, document, strict: false }, &mut Budget::new())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// Goes as far as names and indices go; returns where that is and which segments are left.
fn walk<'a, 's>(segments: &'s [Segment], start: View<'a>) -> Option<(View<'a>, &'s [Segment])> {
    let (mut at, mut rest) = (start, segments);
    while let [segment, behind @ ..] = rest {
        at = match segment {
            Segment::Key(key) => at.member(key)?,
            Segment::Index(index) if *index >= 0 => at.element(usize::try_from(*index).ok()?)?,
            Segment::Index(index) => {
                let length = at.elements().and(at.count())?;
                at.element(evaluate::position(*index, length)?)?
            }
            _ => break,
        };
        rest = behind;
    }
    Some((at, rest))
}

#[cfg(test)]
mod tests;
