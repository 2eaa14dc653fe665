//! A string that was put together, with the places that its parts were written at.

use faastlane_asl::source::{Part, Source, Span};
use std::ops::Range;

/// A string of a template or a definition: as it was written, or what functions made of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Text {
    text: String,
    /// In order, without overlaps or gaps.
    parts: Vec<Part>,
}

impl Text {
    /// A whole file.
    pub(crate) fn of_file(source: &Source) -> Self {
        Self::verbatim(&source.text, 0)
    }

    /// A scalar of a JSON or YAML file: `decoded` is its value, `span` its place, tag and quotes included.
    pub(crate) fn of_scalar(source: &Source, span: Span, decoded: &str) -> Self {
        let raw = source.text.get(span.start..span.end).unwrap_or_default();
        let aligned = align(raw, decoded).filter(|aligned| aligned.text == decoded);
        let Some(mut aligned) = aligned else { return Self::standing_for(span, decoded) };
        for part in &mut aligned.parts {
            part.written =
                Span { start: span.start + part.written.start, end: span.start + part.written.end };
        }
        aligned
    }

    /// A text that stands for what is written at `span`, as a whole.
    pub(crate) fn standing_for(span: Span, text: impl Into<String>) -> Self {
        let mut made = Self::default();
        made.push_for(&text.into(), span);
        made
    }

    fn verbatim(text: &str, start: usize) -> Self {
        let mut made = Self::default();
        made.push_verbatim(text, start);
        made
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    fn push_verbatim(&mut self, text: &str, start: usize) {
        self.push_part(text, Span { start, end: start + text.len() }, true);
    }

    /// Appends what stands for the text at `span`.
    pub(crate) fn push_for(&mut self, text: &str, span: Span) {
        self.push_part(text, span, false);
    }

    fn push_part(&mut self, text: &str, written: Span, verbatim: bool) {
        if text.is_empty() {
            return;
        }
        let made = Span { start: self.text.len(), end: self.text.len() + text.len() };
        self.text.push_str(text);
        self.parts.push(Part { made, written, verbatim });
    }

    pub(crate) fn push(&mut self, other: &Self) {
        self.push_range(other, 0..other.text.len());
    }

    /// Appends a range of another text, which begins and ends between characters.
    pub(crate) fn push_range(&mut self, other: &Self, range: Range<usize>) {
        let first = other.parts.partition_point(|part| part.made.end <= range.start);
        for part in other.parts[first..].iter().take_while(|part| part.made.start < range.end) {
            let (start, end) = (part.made.start.max(range.start), part.made.end.min(range.end));
            let written = match part.verbatim {
                true => {
                    let first = part.written.start + (start - part.made.start);
                    Span { start: first, end: first + (end - start) }
                }
                false => part.written,
            };
            self.push_part(&other.text[start..end], written, part.verbatim);
        }
    }

    /// Where a range was written: from its first byte to its last.
    pub(crate) fn written(&self, range: Range<usize>) -> Span {
        let mut slice = Self::default();
        slice.push_range(self, range);
        let start = slice.parts.first().map_or(0, |part| part.written.start);
        let end = slice.parts.last().map_or(0, |part| part.written.end);
        Span { start, end: end.max(start) }
    }

    /// The text as a source of its own, whose findings lead back to `source`.
    pub(crate) fn into_source(self, name: &str, source: &Source) -> Source {
        Source::made(name, self.text, source, self.parts)
    }
}

/// Finds a scalar's value in the way it is written; `None` where the one does not show in the other.
fn align(raw: &str, decoded: &str) -> Option<Text> {
    let body = match raw.strip_prefix('!') {
        Some(_) => raw.len() - raw.split_once(char::is_whitespace)?.1.trim_start_matches(' ').len(),
        None => 0,
    };
    match raw[body..].bytes().next()? {
        b'|' => align_block(raw, body, decoded),
        b'"' => align_escaped(raw, body + 1),
        _ => Some(Text::verbatim(decoded, body + raw[body..].find(decoded)?)),
    }
}

/// A literal block: each line stands behind its indentation.
fn align_block(raw: &str, header: usize, decoded: &str) -> Option<Text> {
    let mut text = Text::default();
    let mut position = header + raw[header..].find('\n')? + 1;
    for line in decoded.split_inclusive('\n') {
        let content = line.trim_end_matches('\n');
        let rest = raw.get(position..)?;
        let start = position + rest.find(content).filter(|indent| rest[..*indent].trim().is_empty())?;
        let end = start + content.len();
        text.push_verbatim(content, start);
        let newline = raw[end..].find('\n').map(|offset| end + offset);
        if line.ends_with('\n') {
            text.push_for("\n", Span { start: end, end: newline.map_or(end, |newline| newline + 1) });
        }
        position = newline.map_or(raw.len(), |newline| newline + 1);
    }
    Some(text)
}

/// A double-quoted string with JSON's escapes. `position` is behind the opening quote.
fn align_escaped(raw: &str, mut position: usize) -> Option<Text> {
    let mut text = Text::default();
    loop {
        let rest = raw.get(position..)?;
        let plain = rest.find(['\\', '"', '\n'])?;
        text.push_verbatim(&rest[..plain], position);
        position += plain;
        let rest = &rest[plain..];
        if rest.starts_with('"') {
            return Some(text);
        }
        let length = match rest.strip_prefix("\\u") {
            // A pair of them is one character.
            Some(digits) if digits.starts_with(['d', 'D']) => 12,
            Some(_) => 6,
            None => 2,
        };
        let escape = rest.get(..length)?;
        let character: String = serde_json::from_str(&format!("\"{escape}\"")).ok()?;
        text.push_for(&character, Span { start: position, end: position + length });
        position += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(raw: &str, decoded: &str, part: &str) -> String {
        let file = format!("key: {raw}");
        let source = Source::new("t.yaml", file.as_str());
        let text = Text::of_scalar(&source, Span { start: 5, end: file.len() }, decoded);
        assert_eq!(text.as_str(), decoded, "{raw}");
        let start = decoded.find(part).unwrap();
        let span = text.written(start..start + part.len());
        file[span.start..span.end].to_owned()
    }

    #[test]
    fn parts_of_a_scalar_are_found_where_they_are_written() {
        assert_eq!(written("a${F}b", "a${F}b", "${F}"), "${F}");
        assert_eq!(written("'a${F}b'", "a${F}b", "${F}"), "${F}");
        assert_eq!(written("!Sub \"x\\\"${F}\"", "x\"${F}", "${F}"), "${F}");
        assert_eq!(written(r#""é\u00e9\n\ud83d\ude00${F}""#, "éé\n😀${F}", "${F}"), "${F}");
        assert_eq!(written("|\n  {\n    ${F}\n  }\n", "{\n  ${F}\n}\n", "${F}"), "${F}");
        assert_eq!(written("!Sub |\n  one\n\n  two\n", "one\n\ntwo\n", "two"), "two");
        assert_eq!(
            written(">\n  one\n  two\n", "one two\n", "two"),
            ">\n  one\n  two\n",
            "folded: the whole"
        );
        assert_eq!(written("'it''s'", "it's", "s"), "'it''s'", "the whole");
    }

    #[test]
    fn a_text_made_of_others_leads_back_to_each() {
        let source = Source::new("t.yaml", "arn:${F}:live");
        let file = Text::of_file(&source);
        let mut made = Text::default();
        made.push_range(&file, 0..4);
        made.push_for("function:resize", file.written(4..8));
        made.push_range(&file, 8..13);
        assert_eq!(made.as_str(), "arn:function:resize:live");
        assert_eq!(made.written(20..24), Span { start: 9, end: 13 });
        assert_eq!(made.written(5..6), Span { start: 4, end: 8 });
        let (_, span) = made.into_source("t.yaml", &source).written(Span { start: 0, end: 24 });
        assert_eq!(span, Span { start: 0, end: 13 });
    }
}
