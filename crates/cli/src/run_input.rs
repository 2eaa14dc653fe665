//! The input of an execution, and other JSON that a command is given: a file, standard input, or `{}`.

use faastlane_asl::diagnostic::Diagnostic;
use faastlane_asl::source::{Source, Span};
use faastlane_payload::{Payload, PayloadError};
use std::fs;
use std::io::{self, Read};
use std::path::Path;

/// Reads and checks the input. `-` is standard input.
pub(crate) fn read(path: Option<&Path>) -> Result<Payload, Box<Diagnostic>> {
    INPUT.read(path)
}

/// What is read.
pub(crate) struct Given {
    /// As messages call it.
    pub(crate) name: &'static str,
    /// The option that names its file.
    pub(crate) option: &'static str,
}

/// Of an execution, or of an expression.
pub(crate) const INPUT: Given = Given { name: "the input", option: "--input" };

impl Given {
    /// `-` is standard input, and without a path it is `{}`.
    pub(crate) fn read(&self, path: Option<&Path>) -> Result<Payload, Box<Diagnostic>> {
        let Some(path) = path else { return Ok(Payload::from_value(serde_json::json!({}))) };
        let (file, bytes) = if path == Path::new("-") {
            let mut bytes = Vec::new();
            ("standard input".to_owned(), io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes))
        } else {
            (path.display().to_string(), fs::read(path))
        };
        let bytes = bytes.map_err(|error| self.unreadable(&file, &error))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let message = format!("{file} is not UTF-8: byte {at} begins no character");
            finding("FL0302", message, "Save it as UTF-8.")
        })?;
        // Editors that mark a file as UTF-8 do so with a character that JSON does not know.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        Payload::from_json(text).map_err(|error| self.not_json(&file, text, &error))
    }
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

impl Given {
    fn unreadable(&self, file: &str, error: &io::Error) -> Box<Diagnostic> {
        let Self { name, option } = self;
        let hint = format!(
            "Name a file that holds {name} as JSON, `-` for standard input, or leave `{option}` out for `{{}}`."
        );
        finding("FL0301", format!("cannot read {name} {file}: {error}"), &hint)
    }

    fn not_json(&self, file: &str, text: &str, error: &PayloadError) -> Box<Diagnostic> {
        let Self { name, option } = self;
        let hint = if *option == INPUT.option {
            "The input of an execution is one JSON value."
        } else {
            "It is one JSON value."
        };
        let PayloadError::NotJson { message, line, column } = error else {
            return finding("FL0302", format!("{name} {file} cannot be used: {error}"), hint);
        };
        if text.trim().is_empty() {
            return finding(
                "FL0302",
                format!("{name} {file} is empty"),
                &format!("Leave `{option}` out for `{{}}`."),
            );
        }
        // What lacks its end is said to be wrong where the next line begins, or where the text ends.
        let (line, column) =
            if *column == 0 { (line.saturating_sub(1), usize::MAX) } else { (*line, *column) };
        let line_start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let line_text = text[line_start..].lines().next().unwrap_or_default();
        let within = column.saturating_sub(1).min(line_text.len().saturating_sub(1));
        let whole = |at: usize| (0..=at).rev().find(|at| line_text.is_char_boundary(*at)).unwrap_or(0);
        let start = line_start + whole(within);
        let end = start + text[start..].chars().next().map_or(0, char::len_utf8);
        Box::new(Diagnostic {
            label: Some(message.replace("expected ident", "not a JSON value")),
            place: Some((Source::new(file, text), Span { start, end })),
            ..*finding("FL0302", format!("{name} {file} is not JSON"), hint)
        })
    }
}
