//! What is not JSON, in the words of the parser that AWS reads definitions with, Jackson.

use crate::source::{Source, Span};

/// Characters of the text that it quotes.
const QUOTED: usize = 500;

/// What AWS says of a text that is not JSON.
pub(super) struct Wording {
    /// Where ours is not better.
    pub(super) message: Option<String>,
    pub(super) location: String,
}

/// `span` is what could not be read.
pub(super) fn wording(source: &Source, span: Span) -> Wording {
    let rest = source.text.get(span.start..).unwrap_or_default();
    let in_word = |character: char| character.is_alphanumeric() || character == '_' || character == '$';
    let word = &rest[..rest.find(|character| !in_word(character)).unwrap_or(rest.len())];
    let unknown = word.starts_with(|first: char| !first.is_ascii_digit());
    // It has read to the end of a word that it does not know, and past any other character.
    let end = if unknown { span.start + word.len() } else { span.start };
    let (line, column) = source.line_column(end);
    let quoted: String = source.text.chars().take(QUOTED).collect();
    let left = source.text.chars().count().saturating_sub(QUOTED);
    let more = if left > 0 { format!("[truncated {left} chars]") } else { String::new() };
    let location = format!("[Source: (String)\"{quoted}\"{more}; line: {line}, column: {column}]");
    let message = unknown.then(|| {
        format!(
            "Unrecognized token '{word}': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or \
             'false')\n at {location}"
        )
    });
    Wording { message, location }
}
