//! Why there is no report.

use faastlane_asl::diagnostic::Diagnostic;
use faastlane_pool::{InstanceError, StartError, Status};
use std::io;

#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error("cannot make the functions to measure: {0}")]
    Files(#[from] io::Error),
    /// No Python, no isolation, or no C library that our functions could run with.
    #[error("the functions to measure cannot be composed")]
    Compose(Vec<Diagnostic>),
    #[error(transparent)]
    Instance(InstanceError),
    #[error("the chain of functions ended {status:?}: {}", .cause.as_deref().unwrap_or("no cause"))]
    Execution { status: Status, cause: Option<String> },
    /// Fast is worth nothing when it is wrong.
    #[error("{contestant} changed the event on its way")]
    Changed { contestant: String },
    #[error("the peer {peer} failed: {problem}")]
    Peer { peer: &'static str, problem: String },
    #[error("the functions cannot import what they are to: {python} says {problem}")]
    Imports { python: String, problem: String },
    #[error("instances are no copies of a template here: {0}")]
    NotCopied(String),
    /// More was submitted than the pool takes.
    #[error("the pool refuses an execution: {0}")]
    Refused(String),
    /// What was measured is there.
    #[error("cannot put down what was measured: {0}")]
    Report(String),
    #[error("interrupted")]
    Interrupted,
}

impl From<InstanceError> for BenchError {
    fn from(error: InstanceError) -> Self {
        match error {
            InstanceError::Interrupted => Self::Interrupted,
            other => Self::Instance(other),
        }
    }
}

impl From<StartError> for BenchError {
    /// Functions that only return print nothing to be shown.
    fn from(error: StartError) -> Self {
        error.error.into()
    }
}
