//! Text that a person wrote, and places in it.

use std::sync::Arc;

/// A half-open range of bytes of a [`Source`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

/// A file that was read, as errors name and quote it; or a text that was made from one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// As the user would type it.
    pub name: Arc<str>,
    pub text: Arc<str>,
    /// For a text that was made: what it was made from.
    origins: Option<Arc<Origins>>,
}

/// Where the parts of a made text were written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origins {
    source: Source,
    parts: Vec<Part>,
}

/// A piece of a made text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// In the made text.
    pub made: Span,
    /// In the text that the user wrote.
    pub written: Span,
    /// Whether the two are the same byte by byte; else the one stands for the other as a whole.
    pub verbatim: bool,
}

impl Source {
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), text: text.into(), origins: None }
    }

    /// A text that was made from what stands in `source`. `parts` are in the order of the made text and do not overlap;
    /// what lies between two of them belongs to the one before.
    pub fn made(
        name: impl Into<Arc<str>>,
        text: impl Into<Arc<str>>,
        source: &Self,
        parts: Vec<Part>,
    ) -> Self {
        let origins = Arc::new(Origins { source: source.clone(), parts });
        Self { name: name.into(), text: text.into(), origins: Some(origins) }
    }

    /// Where the user wrote what stands at `span`, and in which text: for a file as it is, just there.
    pub fn written(&self, span: Span) -> (Self, Span) {
        let Some(origins) = &self.origins else { return (self.clone(), span) };
        let first = origins.part_at(span.start);
        let last = origins.part_at(span.end.saturating_sub(1).max(span.start));
        let start = first.map_or(0, |part| match part.verbatim {
            true => (part.written.start + (span.start - part.made.start)).min(part.written.end),
            false => part.written.start,
        });
        let end = last.map_or(0, |part| match part.verbatim {
            true => (part.written.start + span.end.saturating_sub(part.made.start)).min(part.written.end),
            false => part.written.end,
        });
        (origins.source.clone(), Span { start, end: end.max(start) })
    }

    /// Line and column of a byte offset, both from 1; the column counts characters.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let mut end = offset.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &self.text[..end];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

impl Origins {
    /// The part that holds a byte of the made text, or the last one before it.
    fn part_at(&self, offset: usize) -> Option<&Part> {
        let after = self.parts.partition_point(|part| part.made.start <= offset);
        after.checked_sub(1).map(|last| &self.parts[last]).or_else(|| self.parts.first())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_text_leads_back_to_what_was_written() {
        let file = Source::new("a.json", r#"{"R": "${F}:x"}"#);
        let part = |made: (usize, usize), written: (usize, usize), verbatim| Part {
            made: Span { start: made.0, end: made.1 },
            written: Span { start: written.0, end: written.1 },
            verbatim,
        };
        let parts =
            vec![part((0, 7), (0, 7), true), part((7, 15), (7, 11), false), part((15, 19), (11, 15), true)];
        let made = Source::made("a.json", r#"{"R": "function:x"}"#, &file, parts);
        for (start, end, written) in
            [(1, 4, "\"R\""), (6, 18, "\"${F}:x\""), (7, 8, "${F}"), (16, 17, "x"), (18, 19, "}")]
        {
            let (source, span) = made.written(Span { start, end });
            assert_eq!(&source.text[span.start..span.end], written, "{start}..{end}");
        }
        let (source, _) = made.written(Span { start: 400, end: 500 });
        assert_eq!(source, file, "nothing points beyond the text");
    }
}
