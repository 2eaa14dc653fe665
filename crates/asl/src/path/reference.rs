//! Reference paths: paths that can only point at one place, so that something can be put there.

use super::{Found, Path, PathError, Scope, Segment, element, parser};
use serde_json::{Map, Value};
use std::fmt;

/// A definite path without functions and negative indices: `$.a.b[0]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ReferencePath(Path);

/// The document has no room for a value at the path: `States.ResultPathMatchFailure`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Unable to apply ReferencePath {path} to input {input}")]
pub struct SetError {
    pub path: String,
    /// The document, as JSON.
    pub input: String,
}

impl ReferencePath {
    /// A path that starts at `$$` is accepted: `SecondsPath` may read the context. Where a value is to be put
    /// (`ResultPath`) the caller refuses it: see [`ReferencePath::reads_context`].
    ///
    /// # Errors
    /// The text is no path, or one that can point at several places or at none of the document's own.
    pub fn parse(text: &str) -> Result<ReferencePath, PathError> {
        let (path, offsets) = parser::path_with_offsets(text)?;
        let refuse = |offset: usize, what: &str| {
            Err(PathError { message: format!("{what} cannot be used in a reference path"), offset })
        };
        for (segment, offset) in path.segments.iter().zip(offsets) {
            match segment {
                Segment::Key(_) => {}
                Segment::Index(index) if *index >= 0 => {}
                Segment::Index(_) => return refuse(offset, "a negative index"),
                Segment::Keys(_) | Segment::Indices(_) => return refuse(offset, "a list"),
                Segment::Slice { .. } => return refuse(offset, "a slice"),
                Segment::Wildcard => return refuse(offset, "`*`"),
                Segment::Descend => return refuse(offset, "`..`"),
                Segment::Filter(_) => return refuse(offset, "a filter"),
            }
        }
        if path.function.is_some() {
            return refuse(text.rfind('.').unwrap_or(0), "a function");
        }
        Ok(ReferencePath(path))
    }

    /// The path as it was written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it starts at the context object (`$$`).
    pub fn reads_context(&self) -> bool {
        self.0.reads_context()
    }

    /// The same place, to read from.
    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn find<'a>(&self, scope: &'a impl Scope) -> Option<&'a Value> {
        match self.0.find(scope) {
            Found::One(value) => Some(value),
            _ => None,
        }
    }

    /// Puts `value` into `document` (`ResultPath`): objects that are missing on the way are made, an array element
    /// must be there already.
    ///
    /// # Errors
    /// On the way lies something that is neither an object for a name nor an array for an index; the document is as
    /// it was.
    pub fn set(&self, document: &mut Value, value: Value) -> Result<(), SetError> {
        if !fits(document, &self.0.segments) {
            return Err(SetError { path: self.as_str().to_owned(), input: document.to_string() });
        }
        let mut at = document;
        for segment in &self.0.segments {
            at = match (segment, at) {
                (Segment::Key(key), Value::Object(object)) => {
                    object.entry(key.as_str()).or_insert_with(|| Value::Object(Map::new()))
                }
                (Segment::Index(index), Value::Array(array)) => &mut array[*index as usize],
                (_, at) => at,
            };
        }
        *at = value;
        Ok(())
    }
}

/// Whether every segment meets what it applies to; from the first missing member on, only names follow.
fn fits(document: &Value, segments: &[Segment]) -> bool {
    let mut at = Some(document);
    segments.iter().all(|segment| match (segment, at) {
        (Segment::Key(_), None) => true,
        (Segment::Key(key), Some(Value::Object(object))) => {
            at = object.get(key.as_str());
            true
        }
        (Segment::Index(index), Some(value)) => {
            at = element(value, *index);
            at.is_some()
        }
        _ => false,
    })
}

impl fmt::Display for ReferencePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
