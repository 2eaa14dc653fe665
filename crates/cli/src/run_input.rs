//! The input of an execution: a file, standard input, or `{}`.

use faastlane_asl::diagnostic::{Diagnostic, Severity};
use faastlane_asl::source::{Source, Span};
use faastlane_payload::{Payload, PayloadError};
use std::fs;
use std::io::{self, Read};
use std::path::Path;

/// Reads and checks it. `-` is standard input.
pub(crate) fn read(path: Option<&Path>) -> Result<Payload, Box<Diagnostic>> {
    let Some(path) = path else { return Ok(Payload::from_value(serde_json::json!({}))) };
    let (name, bytes) = if path == Path::new("-") {
        let mut bytes = Vec::new();
        ("standard input".to_owned(), io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes))
    } else {
        (path.display().to_string(), fs::read(path))
    };
    let bytes = bytes.map_err(|error| unreadable(&name, &error))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        finding("FL0302", format!("{name} is not UTF-8: byte {at} begins no character"), "Save it as UTF-8.")
    })?;
    Payload::from_json(&text).map_err(|error| not_json(&name, &text, &error))
}

fn finding(code: &'static str, message: String, hint: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic {
        code,
        severity: Severity::Error,
        message,
        label: None,
        hint: Some(hint.to_owned()),
        location: None,
        place: None,
    })
}

fn unreadable(name: &str, error: &io::Error) -> Box<Diagnostic> {
    let hint =
        "Name a file that holds the input as JSON, `-` for standard input, or leave `--input` out for `{}`.";
    finding("FL0301", format!("cannot read the input {name}: {error}"), hint)
}

fn not_json(name: &str, text: &str, error: &PayloadError) -> Box<Diagnostic> {
    let hint = "The input of an execution is one JSON value.";
    let PayloadError::NotJson { message, line, column } = error else {
        return finding("FL0302", format!("the input {name} cannot be used: {error}"), hint);
    };
    let line_start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let start = (line_start + column.saturating_sub(1)).min(text.len());
    Box::new(Diagnostic {
        label: Some(message.clone()),
        place: Some((Source::new(name, text), Span { start, end: (start + 1).min(text.len()) })),
        ..*finding("FL0302", format!("the input {name} is not JSON"), hint)
    })
}
