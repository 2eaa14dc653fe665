//! The exit codes of the command, all of them.

use faastlane_asl::diagnostic::{Diagnostic, Severity};
use std::process::ExitCode;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Succeeded = 0,
    /// A bug or a broken host: something that no other code stands for.
    Unexpected = 1,
    /// Wrong arguments, an input that is no JSON, or an expression that is none.
    Usage = 2,
    /// The workflow ran and failed, or an expression was evaluated and gave nothing.
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
            Self::Usage => "wrong arguments, or a wrong input, expression, mock or test case",
            Self::ExecutionFailed => "the execution, the evaluation or a test case failed",
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
        let found = |prefix: &str| {
            let mut errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
            errors.any(|finding| finding.code.starts_with(prefix))
        };
        let exit = BY_CODE.iter().find(|(prefix, _)| found(prefix)).map(|(_, exit)| *exit);
        exit.unwrap_or(Self::Succeeded)
    }
}

/// By what the code of a finding begins with: the first that is among the findings counts.
const BY_CODE: [(&str, Exit); 13] = [
    ("FL01", Exit::InvalidDefinition),
    ("FL030", Exit::Usage),
    ("FL032", Exit::Usage),
    ("FL0310", Exit::ComposeFailed),
    ("FL0313", Exit::IsolationViolation),
    ("FL0314", Exit::Interrupted),
    ("FL031", Exit::Unexpected),
    ("FL0330", Exit::Usage),
    ("FL0331", Exit::ExecutionFailed),
    ("FL034", Exit::Usage),
    ("FL04", Exit::IsolationUnavailable),
    ("FL05", Exit::Usage),
    ("FL", Exit::ComposeFailed),
];

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
