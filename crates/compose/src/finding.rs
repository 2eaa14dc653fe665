//! Building diagnostics: the few words that every check of this crate needs.

use faastlane_asl::diagnostic::{Diagnostic, Severity};
use faastlane_asl::nearest;
use faastlane_asl::source::{Source, Span};

/// An error without a place; the `Finding` methods add to it.
pub(crate) fn error(code: &'static str, message: impl Into<String>) -> Diagnostic {
    Diagnostic {
        code,
        severity: Severity::Error,
        message: message.into(),
        label: None,
        hint: None,
        location: None,
        place: None,
    }
}

pub(crate) fn warning(code: &'static str, message: impl Into<String>) -> Diagnostic {
    Diagnostic { severity: Severity::Warning, ..error(code, message) }
}

pub(crate) trait Finding {
    fn at(self, source: &Source, span: Span) -> Self;
    fn label(self, label: impl Into<String>) -> Self;
    fn hint(self, hint: impl Into<String>) -> Self;
}

impl Finding for Diagnostic {
    fn at(mut self, source: &Source, span: Span) -> Self {
        self.place = Some((source.clone(), span));
        self
    }

    fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// ``Did you mean `x`?``, where one of the candidates is near enough to be a slip of the finger.
pub(crate) fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, candidates).map(|candidate| format!("Did you mean `{candidate}`?"))
}

/// `a`, `a or b`, `a, b or c`
pub(crate) fn alternatives(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [start @ .., last] => format!("{} or {last}", start.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_read_as_a_sentence() {
        assert_eq!(alternatives(&["a", "b", "c"]), "a, b or c");
        assert_eq!(alternatives(&["a"]), "a");
    }
}
