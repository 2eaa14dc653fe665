//! The file that `--mock` names.

use faastlane_asl::diagnostic::Diagnostic;
use faastlane_asl::source::Source;
use faastlane_mock::{MockFile, UNREADABLE};
use std::fs;
use std::path::Path;

/// Reads `FILE` or `FILE#CASE`.
pub(crate) fn read(named: &str) -> Result<MockFile, Vec<Diagnostic>> {
    // A file may have a `#` in its own name.
    let (file, case) = match named.rsplit_once('#') {
        Some((file, case)) if !Path::new(named).exists() => (file, Some(case)),
        _ => (named, None),
    };
    read_case(Path::new(file), case)
}

pub(crate) fn read_case(file: &Path, case: Option<&str>) -> Result<MockFile, Vec<Diagnostic>> {
    MockFile::read(&read_source(file)?, case)
}

fn read_source(file: &Path) -> Result<Source, Vec<Diagnostic>> {
    let name = file.display().to_string();
    let bytes = fs::read(file).map_err(|problem| {
        let message = format!("cannot read the mock file {name}: {problem}");
        let hint = "Name a file with mocks; a test case of it comes behind a `#`.";
        vec![Diagnostic::error(UNREADABLE, message).hint(hint)]
    })?;
    String::from_utf8(bytes).map(|text| Source::new(name.as_str(), text)).map_err(|problem| {
        let at = problem.utf8_error().valid_up_to();
        let message = format!("the mock file {name} is not text: byte {at} is not UTF-8");
        vec![Diagnostic::error(UNREADABLE, message).hint("Save it as UTF-8.")]
    })
}
