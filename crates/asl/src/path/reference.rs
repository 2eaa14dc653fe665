//! Reference paths: paths that can only point at one place, so that something can be put there.

use super::{Path, PathError, Segment, parser};
use faastlane_payload::flat::{Draft, View};
use faastlane_payload::{MAX_DEPTH, Payload, PayloadError};
use std::borrow::Cow;
use std::fmt;

/// A definite path without functions and negative indices: `$.a.b[0]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ReferencePath(Path);

/// Why nothing can be put at a path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// The document has no room for a value there: `States.ResultPathMatchFailure`.
    #[error("Unable to apply ReferencePath {path} to input {input}")]
    NoRoom {
        path: String,
        /// The document, as JSON.
        input: String,
    },
    /// The document came in a flat form that is none, or would become too deep.
    #[error(transparent)]
    Unreadable(#[from] PayloadError),
}

impl ReferencePath {
    /// A path that starts at `$$` or at a variable is accepted: `SecondsPath` may read them. Where a value is to be put
    /// (`ResultPath`) the caller refuses it: see [`ReferencePath::reads_context`] and [`ReferencePath::variable`].
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

    /// The name of the variable that it starts at (`$name`), without the `$`.
    pub fn variable(&self) -> Option<&str> {
        self.0.variable()
    }

    /// The same place, to read from.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What `document` becomes when `value` is put there (`ResultPath`): objects that are missing on the way are made,
    /// an array element must be there already.
    ///
    /// # Errors
    /// On the way lies something that is neither an object for a name nor an array for an index, or the document cannot
    /// be read.
    pub fn place<'a>(&'a self, document: &'a Payload, value: Draft<'a>) -> Result<Draft<'a>, PlaceError> {
        // What it makes would be too deep; `placed` goes as deep as the path.
        if self.0.segments.len() > MAX_DEPTH {
            return Err(PayloadError::TooDeep.into());
        }
        match placed(&self.0.segments, Some(document.view()?), value) {
            Some(draft) => Ok(draft),
            None => {
                let input = document.value()?.to_string();
                Err(PlaceError::NoRoom { path: self.as_str().to_owned(), input })
            }
        }
    }
}

/// What `at` becomes; `None` where a segment does not apply to what it meets. Below a missing member nothing is there.
fn placed<'a>(segments: &'a [Segment], at: Option<View<'a>>, value: Draft<'a>) -> Option<Draft<'a>> {
    let [segment, rest @ ..] = segments else { return Some(value) };
    match (segment, at) {
        (Segment::Key(name), None) => {
            let inner = placed(rest, None, value)?;
            Some(Draft::Object(vec![(Cow::Borrowed(name.as_str()), inner)]))
        }
        (Segment::Key(name), Some(object)) => {
            let members = object.members()?;
            let mut inner = Some(placed(rest, object.member(name), value)?);
            let mut drafts = Vec::with_capacity(object.count()? + 1);
            for (key, member) in members {
                // Where the first of duplicates was; the others go.
                let draft = if key == name { inner.take() } else { Some(Draft::Part(member)) };
                drafts.extend(draft.map(|draft| (Cow::Borrowed(key), draft)));
            }
            drafts.extend(inner.map(|draft| (Cow::Borrowed(name.as_str()), draft)));
            Some(Draft::Object(drafts))
        }
        (Segment::Index(index), Some(array)) => {
            let position = usize::try_from(*index).ok()?;
            let inner = placed(rest, Some(array.element(position)?), value)?;
            let mut drafts: Vec<Draft<'a>> = array.elements()?.map(Draft::Part).collect();
            drafts[position] = inner;
            Some(Draft::Array(drafts))
        }
        _ => None,
    }
}

impl fmt::Display for ReferencePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
