//! Text to tree: picks the format, and finds what is wrong in either.

mod jackson;
mod json;
mod yaml;

use crate::code;
use crate::node::{At, Kind, Node};
use crate::report::{Report, Spot};
use crate::source::{Source, Span};
use std::collections::{HashMap, HashSet};

/// The tree of the text; `None` where there is none, which has been reported.
pub(crate) fn read(source: &Source, report: &mut Report) -> Option<Node> {
    let base = if source.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let text = &source.text[base..];
    let root = if is_json(&source.name, text) {
        json::read(text, base, report)?
    } else {
        yaml::read(text, base, report)?
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

fn report_too_deep(span: Span, report: &mut Report) {
    let limit = crate::node::MAX_DEPTH;
    report
        .error(code::TOO_DEEP, Spot::of_text(span), "the definition is nested too deep")
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
