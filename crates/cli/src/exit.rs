//! The exit codes of the command, all of them.

use faastlane_asl::diagnostic::{Diagnostic, Severity};
use std::process::ExitCode;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Succeeded = 0,
    /// A bug or a broken host: something that no other code stands for.
    Unexpected = 1,
    /// Wrong arguments, or an input that is no JSON.
    Usage = 2,
    ExecutionFailed = 100,
    /// A function, a Python or a requirement is missing or wrong.
    ComposeFailed = 101,
    InvalidDefinition = 102,
    TimedOut = 103,
    Aborted = 104,
    IsolationViolation = 105,
    /// The isolation that was asked for by name cannot be had on this host.
    IsolationUnavailable = 106,
    /// By Ctrl-C: 128 and the signal's number, as shells have it.
    Interrupted = 130,
}

impl Exit {
    const ALL: [Self; 11] = [
        Self::Succeeded,
        Self::Unexpected,
        Self::Usage,
        Self::ExecutionFailed,
        Self::ComposeFailed,
        Self::InvalidDefinition,
        Self::TimedOut,
        Self::Aborted,
        Self::IsolationViolation,
        Self::IsolationUnavailable,
        Self::Interrupted,
    ];

    fn meaning(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Unexpected => "something unexpected",
            Self::Usage => "wrong arguments, or an input that is no JSON",
            Self::ExecutionFailed => "the execution failed",
            Self::ComposeFailed => "a function, a Python or a requirement is missing or wrong",
            Self::InvalidDefinition => "the definition is invalid",
            Self::TimedOut => "the execution timed out",
            Self::Aborted => "the execution was aborted",
            Self::IsolationViolation => "a function touched what is not its own",
            Self::IsolationUnavailable => "the isolation asked for cannot be had on this host",
            Self::Interrupted => "interrupted",
        }
    }

    /// For the end of `--help`.
    pub(crate) fn table() -> String {
        let lines = Self::ALL.map(|exit| format!("  {:>3}  {}\n", exit as u8, exit.meaning()));
        format!("Exit codes:\n{}", lines.concat())
    }

    /// What a command ends with when these stand in its way. The definition comes first: as long as it is invalid,
    /// nothing else is certain.
    pub(crate) fn for_findings(findings: &[Diagnostic]) -> Self {
        let errors = || findings.iter().filter(|finding| finding.severity == Severity::Error);
        if errors().any(|finding| finding.code.starts_with("FL01")) {
            Self::InvalidDefinition
        } else if errors().any(|finding| finding.code.starts_with("FL030")) {
            Self::Usage
        } else if errors().any(|finding| finding.code == "FL0313") {
            Self::IsolationViolation
        } else if errors().any(|finding| finding.code.starts_with("FL031")) {
            if errors().any(|finding| finding.code == "FL0310") {
                Self::ComposeFailed
            } else {
                Self::Unexpected
            }
        } else if errors().any(|finding| finding.code.starts_with("FL04")) {
            Self::IsolationUnavailable
        } else if errors().next().is_some() {
            Self::ComposeFailed
        } else {
            Self::Succeeded
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
