//! Text to tree: picks the format, and finds what is wrong in either.

mod jackson;
mod json;
mod yaml;

pub use crate::node::{Kind, Member, Node};

use crate::code;
use crate::diagnostic::Diagnostic;
use crate::node::At;
use crate::report::{Report, Spot};
use crate::source::{Source, Span};
use std::collections::{HashMap, HashSet};

/// Reads a CloudFormation template. The short tags of its functions (`!Ref`, `!GetAtt`, `!Sub`, …) become the objects
/// that they are short for (`{"Ref": …}`, `{"Fn::GetAtt": …}`).
///
/// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html>.
///
/// # Errors
/// What keeps the text from being a tree.
pub fn read_template(source: &Source) -> Result<Node, Vec<Diagnostic>> {
    let mut report = Report::on(source, "template");
    let root = read_with(source, yaml::Tags::CloudFormation, &mut report);
    match root {
        Some(root) if !report.has_errors() => Ok(root),
        _ => Err(report.finish()),
    }
}

/// The tree of the text; `None` where there is none, which has been reported.
pub(crate) fn read(source: &Source, report: &mut Report) -> Option<Node> {
    read_with(source, yaml::Tags::Refused, report)
}

fn read_with(source: &Source, tags: yaml::Tags, report: &mut Report) -> Option<Node> {
    let base = if source.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let text = &source.text[base..];
    let root = if is_json(&source.name, text) {
        json::read(text, base, report)?
    } else {
        yaml::read(text, base, tags, report)?
    };
    if has_duplicates(&root) {
        report_duplicates(&At::root(&root), report);
    }
    Some(root)
}

/// By the file's name; else by the first character, as YAML seldom starts with a brace and JSON always does.
fn is_json(name: &str, text: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref() {
        Some("json") => true,
        Some("yaml" | "yml") => false,
        _ => text.trim_start().starts_with(['{', '[']),
    }
}

/// Whether a name is given twice in an object anywhere, which is seldom.
fn has_duplicates(node: &Node) -> bool {
    /// Members up to which comparing each with each is faster than hashing them.
    const FEW: usize = 16;
    match &node.kind {
        Kind::Object(members) if members.len() <= FEW => {
            let later = |index: usize| members[index + 1..].iter();
            members
                .iter()
                .enumerate()
                .any(|(index, member)| later(index).any(|other| other.key == member.key))
                || members.iter().any(|member| has_duplicates(&member.value))
        }
        Kind::Object(members) => {
            let mut seen = HashSet::with_capacity(members.len());
            members.iter().any(|member| !seen.insert(&member.key) || has_duplicates(&member.value))
        }
        Kind::Array(items) => items.iter().any(has_duplicates),
        _ => false,
    }
}

fn report_duplicates(at: &At<'_>, report: &mut Report) {
    let mut first: HashMap<&str, Span> = HashMap::new();
    for (key, member) in at.members().into_iter().flatten() {
        let spot = member.key_spot();
        if let Some(earlier) = first.get(key) {
            let earlier = report.in_words(*earlier);
            report
                .error(code::DUPLICATE_MEMBER, spot, format!("`{key}` is given twice"))
                .label(format!("first given at {earlier}"))
                .hint("Rename or remove one of the two; only one of them can count.");
        } else {
            first.insert(key, spot.span);
        }
        report_duplicates(&member, report);
    }
    for item in at.items().into_iter().flatten() {
        report_duplicates(&item, report);
    }
}

fn report_empty(base: usize, report: &mut Report) {
    let spot = Spot::of_text(Span { start: base, end: base });
    let message = format!("the {} is empty", report.subject);
    let hint = match report.subject {
        "definition" => "A state machine is an object with `StartAt` and `States`.",
        _ => "A template is an object with `Resources`.",
    };
    report
        .error(code::NOT_A_STATE_MACHINE, spot, message)
        .aws("Definition must be a valid JSON object")
        .hint(hint);
}

fn report_too_deep(span: Span, report: &mut Report) {
    let limit = crate::node::MAX_DEPTH;
    let message = format!("the {} is nested too deep", report.subject);
    report
        .error(code::TOO_DEEP, Spot::of_text(span), message)
        .label(format!("more than {limit} levels"))
        .hint(format!("Flatten it; {limit} levels are the most that is read."));
}

/// How many levels of lists and objects a tree has.
fn depth(node: &Node) -> usize {
    match &node.kind {
        Kind::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Kind::Object(members) => 1 + members.iter().map(|member| depth(&member.value)).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn short_tags_are_the_functions_that_they_are_short_for() {
        let text = "A: !Ref X\nB: !GetAtt F.Arn\nC: !Sub\n  - a${x}\n  - {x: !Ref Y}\nD: !Sub |\n  one\n  two\n\
                    E: !If [C, !Ref X, 1]\nF: [!Condition C]\n";
        let source = Source::new("template.yaml", text);
        let root = read_template(&source).unwrap();
        assert_eq!(
            root.to_value(),
            json!({
                "A": { "Ref": "X" },
                "B": { "Fn::GetAtt": "F.Arn" },
                "C": { "Fn::Sub": ["a${x}", { "x": { "Ref": "Y" } }] },
                "D": { "Fn::Sub": "one\ntwo\n" },
                "E": { "Fn::If": ["C", { "Ref": "X" }, 1] },
                "F": [{ "Condition": "C" }],
            })
        );
        let span = root.get("D").unwrap().span;
        assert_eq!(&text[span.start..span.end], "!Sub |\n  one\n  two\n");
        let refused = Source::new("template.yaml", "A: !Rev X\n");
        assert_eq!(read_template(&refused).unwrap_err()[0].code, code::NOT_A_JSON_VALUE);
        assert_eq!(
            read_template(&Source::new("t.json", "")).unwrap_err()[0].message,
            "the template is empty"
        );
    }
}
