//! Text files and paths, with what keeps them from being read as findings.

use crate::code;
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_asl::source::Source;
use std::path::{Path, PathBuf};

/// Reads a text file, named as the user named it.
pub(crate) fn read_source(path: &Path) -> Result<Source, Diagnostic> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|problem| {
        Diagnostic::error(code::UNREADABLE, format!("cannot read {name}: {}", describe(&problem)))
    })?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(name, text)),
        Err(problem) => {
            let offset = problem.utf8_error().valid_up_to();
            Err(Diagnostic::error(
                code::UNREADABLE,
                format!("{name} is not text: byte {offset} is not UTF-8"),
            )
            .hint("Save it as UTF-8."))
        }
    }
}

/// An error of the operating system as the rest of a sentence: `no such file or directory`.
pub(crate) fn describe(problem: &std::io::Error) -> String {
    let text = problem.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// The plan travels as JSON, so its paths have to be text.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, Diagnostic> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let absolute = std::path::absolute(path).map_err(|problem| {
        Diagnostic::error(code::UNREADABLE, format!("cannot find {}: {}", path.display(), describe(&problem)))
    })?;
    match absolute.to_str() {
        Some(_) => Ok(absolute),
        None => {
            Err(Diagnostic::error(code::UNREADABLE, format!("the path {} is not UTF-8", absolute.display()))
                .hint("Rename the folder."))
        }
    }
}
