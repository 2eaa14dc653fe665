//! Any JSON or YAML file that a person wrote, as a tree with places: for the formats beside the definition.

mod shape;

use crate::diagnostic::Diagnostic;
use crate::report::Report;
use crate::source::Source;
use crate::tree;

pub use crate::node::{Kind, Member, Node};
pub use shape::{Findings, did_you_mean, quoted};

/// Reads JSON or YAML: by the ending of the source's name, else by its first character.
///
/// `what` is how messages call the file (`the mock file`), `code` what its findings carry.
///
/// # Errors
/// What is wrong with the text, a member that is given twice included.
pub fn read(source: &Source, what: &str, code: &'static str) -> Result<Node, Vec<Diagnostic>> {
    let mut report = Report::new(source);
    let root = tree::read(source, &mut report);
    let failed = report.has_errors();
    match root {
        Some(root) if !failed => Ok(root),
        _ => Err(report.finish().into_iter().map(|finding| renamed(finding, what, code)).collect()),
    }
}

/// The reader's findings are worded for a definition.
fn renamed(finding: Diagnostic, what: &str, code: &'static str) -> Diagnostic {
    let of_definitions =
        |hint: &String| ["efinition", "tate machine", "`Comment`"].iter().any(|word| hint.contains(word));
    Diagnostic {
        code,
        message: finding.message.replace("the definition", what),
        hint: finding.hint.filter(|hint| !of_definitions(hint)),
        ..finding
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_speak_of_the_file_that_was_read() {
        for (name, text) in
            [("m.json", "[1,"), ("m.json", ""), ("m.yaml", "a: ["), ("m.json", r#"{"a":1,"a":2}"#)]
        {
            let findings = read(&Source::new(name, text), "the mock file", "FL0501").unwrap_err();
            assert!(!findings.is_empty(), "{text}");
            for finding in findings {
                assert_eq!(finding.code, "FL0501");
                let said = format!("{} {}", finding.message, finding.hint.unwrap_or_default());
                assert!(!said.contains("definition"), "{said}");
            }
        }
        assert!(read(&Source::new("m.yaml", "- function: f\n"), "the mock file", "FL0501").is_ok());
    }
}
