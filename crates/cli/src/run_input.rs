//! The input of an execution: a file, standard input, or `{}`.

use faastlane_asl::diagnostic::Diagnostic;
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
    // Editors that mark a file as UTF-8 do so with a character that JSON does not know.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Payload::from_json(text).map_err(|error| not_json(&name, text, &error))
}

/// Checks it against the limit that payloads have between states.
pub(crate) fn check_size(input: &Payload, max_payload_bytes: u64) -> Result<(), Box<Diagnostic>> {
    let bytes = input.flat().len() as u64;
    if bytes <= max_payload_bytes {
        return Ok(());
    }
    let message = format!("the input takes {bytes} bytes, and max_payload is {max_payload_bytes}");
    let hint = "Raise `max_payload` under `[workflow]` in faastlane.toml, or give `--max-payload`.";
    Err(finding("FL0303", message, hint))
}

fn finding(code: &'static str, message: String, hint: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(code, message).hint(hint))
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
    if text.trim().is_empty() {
        return finding("FL0302", format!("the input {name} is empty"), "Leave `--input` out for `{}`.");
    }
    // What lacks its end is said to be wrong where the next line begins, or where the text ends.
    let (line, column) = if *column == 0 { (line.saturating_sub(1), usize::MAX) } else { (*line, *column) };
    let line_start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let line_text = text[line_start..].lines().next().unwrap_or_default();
    let within = column.saturating_sub(1).min(line_text.len().saturating_sub(1));
    let whole = |at: usize| (0..=at).rev().find(|at| line_text.is_char_boundary(*at)).unwrap_or(0);
    let start = line_start + whole(within);
    let end = start + text[start..].chars().next().map_or(0, char::len_utf8);
    Box::new(Diagnostic {
        label: Some(message.replace("expected ident", "not a JSON value")),
        place: Some((Source::new(name, text), Span { start, end })),
        ..*finding("FL0302", format!("the input {name} is not JSON"), hint)
    })
}
