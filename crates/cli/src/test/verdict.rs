//! What came of a case, as a line for people and as an object for programs.

use crate::render_diagnostic;
use crate::terminal::Terminal;
use crate::test::expectation::Difference;
use faastlane_asl::diagnostic::Diagnostic;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;

pub(crate) struct Verdict {
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) took: Duration,
    pub(crate) result: Outcome,
    pub(crate) notes: Notes,
}

/// What is worth knowing of a case that failed.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) warnings: Vec<Diagnostic>,
    /// Lines that functions printed, with their names.
    pub(crate) printed: Vec<(String, String)>,
}

pub(crate) enum Outcome {
    Passed,
    /// What came out is what is expected from now on.
    Updated,
    Failed(Box<Difference>),
    /// It could not be run: its own mistakes (`malformed`), or the workflow's.
    Error {
        findings: Vec<Diagnostic>,
        malformed: bool,
    },
    /// Why.
    Skipped(String),
}

impl Outcome {
    fn word(&self) -> &'static str {
        match self {
            Self::Passed => "PASS",
            Self::Updated => "UPDATE",
            Self::Failed(_) => "FAIL",
            Self::Error { .. } => "ERROR",
            Self::Skipped(_) => "SKIP",
        }
    }

    fn color(&self) -> &'static str {
        match self {
            Self::Passed => "32;1",
            Self::Updated | Self::Skipped(_) => "33;1",
            Self::Failed(_) | Self::Error { .. } => "31;1",
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Updated => "updated",
            Self::Failed(_) => "failed",
            Self::Error { .. } => "error",
            Self::Skipped(_) => "skipped",
        }
    }

    pub(crate) fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Error { .. })
    }
}

impl Verdict {
    /// `    PASS [   0.012s] name`
    pub(crate) fn line(&self, terminal: Terminal) -> String {
        let word = colored(terminal, self.result.color(), &format!("{:>8}", self.result.word()));
        let reason = match &self.result {
            Outcome::Skipped(reason) => format!(": {reason}"),
            _ => String::new(),
        };
        format!("{word} [{:>8.3}s] {}{reason}\n", self.took.as_secs_f64(), self.name)
    }

    /// What is to be said of one that failed.
    pub(crate) fn details(&self, terminal: Terminal) -> String {
        let mut text = String::new();
        match &self.result {
            Outcome::Failed(difference) => {
                for line in difference.diff.lines() {
                    let color = match line.as_bytes().first() {
                        Some(b'-') => "31",
                        Some(b'+') => "32",
                        _ => "2",
                    };
                    let _ = writeln!(text, "    {}", colored(terminal, color, line));
                }
                for (function, line) in &self.notes.printed {
                    let _ = writeln!(text, "    {} {line}", colored(terminal, "2", &format!("{function} |")));
                }
                text.push_str(&render_diagnostic::render(&self.notes.warnings, terminal));
            }
            Outcome::Error { findings, .. } => text.push_str(&render_diagnostic::render(findings, terminal)),
            _ => {}
        }
        text
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut object = json!({
            "name": self.name,
            "file": self.file,
            "result": self.result.name(),
            "duration_us": self.took.as_micros() as u64,
        });
        match &self.result {
            Outcome::Failed(difference) => {
                object["expected"] = difference.expected.clone();
                object["actual"] = difference.actual.clone();
                object["diff"] = json!(difference.diff);
            }
            Outcome::Error { findings, .. } => object["diagnostics"] = render_diagnostic::to_json(findings),
            Outcome::Skipped(reason) => object["reason"] = json!(reason),
            Outcome::Passed | Outcome::Updated => {}
        }
        let printed =
            self.notes.printed.iter().map(|(function, text)| json!({ "function": function, "text": text }));
        object["logs"] = printed.collect();
        object["warnings"] = render_diagnostic::to_json(&self.notes.warnings);
        object
    }
}

pub(crate) fn colored(terminal: Terminal, code: &str, text: &str) -> String {
    if terminal.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}
