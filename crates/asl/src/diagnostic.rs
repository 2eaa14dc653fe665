//! One finding about something a person wrote: what, where, why, and what to do.

use crate::source::{Source, Span};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
}

/// A finding. Rendered by the command line with the line and a caret; explained at length by `docs/errors/CODE.md`.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// `FL0123`.
    pub code: &'static str,
    pub severity: Severity,
    /// A lower-case sentence without a full stop.
    pub message: String,
    /// What the caret's label says.
    pub label: Option<String>,
    /// How to mend it; a sentence.
    pub hint: Option<String>,
    /// A JSON pointer to the place, where the source is a tree: `/States/Hello/Next`.
    pub location: Option<String>,
    /// Where in the text; `None` for what has no text (a missing file).
    pub place: Option<(Source, Span)>,
    /// How AWS puts it: see [`crate::aws`].
    pub aws: AwsWording,
}

/// What AWS's ValidateStateMachineDefinition says of the same mistake, where it is known and not what the finding's code
/// and place give: see [`crate::aws`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AwsWording {
    pub code: Option<&'static str>,
    pub message: Option<String>,
    pub location: Option<String>,
}

impl Diagnostic {
    /// An error without a place; the methods below add to it.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            label: None,
            hint: None,
            location: None,
            place: None,
            aws: AwsWording::default(),
        }
    }

    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// Gives it a place: where the user wrote what stands at `span`.
    #[must_use]
    pub fn at(mut self, source: &Source, span: Span) -> Self {
        self.place = Some(source.written(span));
        self
    }

    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
