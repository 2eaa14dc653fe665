//! `test --update`: what came out is written into the case file, and nothing else in it changes.

use crate::test::case::{BAD_CASE, Case};
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_asl::document::{self, Kind};
use faastlane_asl::source::Source;
use serde_json::Value;
use std::fs;

const NOT_UPDATED: &str = "FL0512";

/// Writes `expect` into the case's file.
///
/// # Errors
/// The file cannot be written, or its form leaves no safe place for the value.
pub(crate) fn write(case: &Case, expect: &Value) -> Result<(), Box<Diagnostic>> {
    let shown = case.file.display();
    let text = changed(case, expect).ok_or_else(|| {
        let message = format!("cannot write what is expected into {shown}");
        let hint = "Its form is not one that a value can be put into: write the case as JSON.";
        Diagnostic::error(NOT_UPDATED, message)
            .at(&case.source, case.expect_at.unwrap_or(case.root))
            .hint(hint)
    })?;
    fs::write(&case.file, text).map_err(|problem| {
        let message = format!("cannot write {shown}: {problem}");
        Box::new(Diagnostic::error(NOT_UPDATED, message).hint("Without `--update` nothing is written."))
    })
}

/// The new text; `None` where it would not hold the value, or something else would have changed.
fn changed(case: &Case, expect: &Value) -> Option<String> {
    let text = &case.source.text;
    let json = format!("{expect:#}");
    let new = match case.expect_at {
        Some(span) => {
            // Lines of the value stand two blanks further in than the line that it begins on.
            let line = text.get(..span.start)?.rsplit('\n').next()?;
            let blanks = line.len() - line.trim_start().len();
            let json = json.replace('\n', &format!("\n{}", " ".repeat(blanks)));
            format!("{}{json}{}", text.get(..span.start)?, text.get(span.end..)?)
        }
        None => {
            let end = text.get(..case.root.end)?.strip_suffix('}')?.trim_end();
            let comma = if end.ends_with('{') { "" } else { "," };
            let json = json.replace('\n', "\n  ");
            format!("{end}{comma}\n  \"expect\": {json}\n}}{}", text.get(case.root.end..)?)
        }
    };
    let mut before = value(&case.source)?;
    before["expect"] = expect.clone();
    (value(&Source::new(case.source.name.clone(), new.as_str()))? == before).then_some(new)
}

fn value(source: &Source) -> Option<Value> {
    let root = document::read(source, "the test case", BAD_CASE).ok()?;
    matches!(root.kind, Kind::Object(_)).then(|| root.to_value())
}
