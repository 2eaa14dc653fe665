//! `DefinitionSubstitutions`: `${Name}` in a definition's text, and what takes its place.
//!
//! The text is replaced as it is, before it is read as JSON or YAML, so that a number can take a placeholder's place.

use crate::sam::evaluate::StandIn;
use crate::sam::text::Text;
use faastlane_asl::source::Span;

/// A name, its value, and what of it only a deployed stack knows.
pub(crate) struct Substitution {
    pub(crate) name: String,
    pub(crate) text: Text,
    pub(crate) stand_ins: Vec<StandIn>,
}

/// A placeholder that no substitution is for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Unreplaced {
    pub(crate) name: String,
    /// Where it was written.
    pub(crate) span: Span,
}

/// A text with its placeholders replaced.
pub(crate) struct Replaced {
    pub(crate) text: Text,
    /// The positions of the substitutions that were used.
    pub(crate) used: Vec<usize>,
    pub(crate) unreplaced: Vec<Unreplaced>,
    /// Whether the text has grown beyond what Step Functions takes.
    pub(crate) too_long: bool,
}

/// Sixteen times the longest definition that Step Functions takes.
const MOST_BYTES: usize = 16 << 20;

pub(crate) fn replace(text: &Text, substitutions: &[Substitution]) -> Replaced {
    let plain = text.as_str();
    let mut replaced =
        Replaced { text: Text::default(), used: Vec::new(), unreplaced: Vec::new(), too_long: false };
    let mut done = 0;
    let mut position = 0;
    while let Some(start) = plain[position..].find("${").map(|offset| position + offset) {
        let Some(end) = plain[start..].find('}').map(|offset| start + offset) else { break };
        let name = &plain[start + 2..end];
        position = start + 2;
        if let Some(index) = substitutions.iter().position(|substitution| substitution.name == name) {
            replaced.text.push_range(text, done..start);
            replaced.text.push_for(substitutions[index].text.as_str(), text.written(start..end + 1));
            done = end + 1;
            position = done;
            if !replaced.used.contains(&index) {
                replaced.used.push(index);
            }
            if replaced.text.len() > MOST_BYTES {
                replaced.too_long = true;
                return replaced;
            }
        } else if is_name(name) {
            replaced
                .unreplaced
                .push(Unreplaced { name: name.to_owned(), span: text.written(start..end + 1) });
        }
    }
    replaced.text.push_range(text, done..plain.len());
    replaced
}

/// Whether somebody means a substitution by it, and no text that only looks like one.
fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | ':' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use faastlane_asl::source::Source;

    #[test]
    fn names_are_replaced_wherever_they_stand() {
        let span = Span::default();
        let substitution = |name: &str, text: &str| Substitution {
            name: name.to_owned(),
            text: Text::standing_for(span, text),
            stand_ins: Vec::new(),
        };
        let substitutions = [substitution("Arn", "arn:x"), substitution("Seconds", "5")];
        let source =
            Source::new("a.asl.json", r#"["${Arn}:1", ${Seconds}, "${Other} ${} ${a b} $${Arn}", "${"]"#);
        let replaced = replace(&Text::of_file(&source), &substitutions);
        assert_eq!(replaced.text.as_str(), r#"["arn:x:1", 5, "${Other} ${} ${a b} $arn:x", "${"]"#);
        assert_eq!(replaced.used, [0, 1]);
        let names: Vec<&str> =
            replaced.unreplaced.iter().map(|left| &source.text[left.span.start..left.span.end]).collect();
        assert_eq!(names, ["${Other}"]);
        let start = replaced.text.as_str().find(":1").unwrap();
        let written = replaced.text.written(start..start + 2);
        assert_eq!(&source.text[written.start..written.end], ":1");
    }
}
