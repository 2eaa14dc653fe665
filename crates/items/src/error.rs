//! What goes wrong while items are read and results are written: an error name of the states language and a cause.

use thiserror::Error;

/// An error as a Map state's Retry and Catch see it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{name}: {cause}")]
pub struct ItemsError {
    pub name: ErrorName,
    /// In Step Functions' words where they are known, then what, where and what to do.
    pub cause: String,
}

/// The error names of the states language that this crate's errors have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ErrorName {
    /// The items could not be read.
    #[error("States.ItemReaderFailed")]
    ItemReaderFailed,
    /// The results could not be written.
    #[error("States.ResultWriterFailed")]
    ResultWriterFailed,
    /// An item, or a batch, is larger than it may be.
    #[error("States.DataLimitExceeded")]
    DataLimitExceeded,
    /// The definition asks for what cannot be: an unknown value, or fields that do not go together.
    #[error("States.Runtime")]
    Runtime,
}

impl ItemsError {
    pub(crate) fn reader(cause: impl Into<String>) -> Self {
        Self { name: ErrorName::ItemReaderFailed, cause: cause.into() }
    }

    pub(crate) fn writer(cause: impl Into<String>) -> Self {
        Self { name: ErrorName::ResultWriterFailed, cause: cause.into() }
    }

    pub(crate) fn runtime(cause: impl Into<String>) -> Self {
        Self { name: ErrorName::Runtime, cause: cause.into() }
    }

    pub(crate) fn too_large(what: &str, bytes: u64) -> Self {
        let cause = format!("{what} is larger than the limit of {bytes} bytes.");
        Self { name: ErrorName::DataLimitExceeded, cause }
    }

    /// Says where it happened, unless the cause says so already.
    pub(crate) fn at(mut self, source: &str) -> Self {
        if !self.cause.contains(source) {
            self.cause.push_str(&format!(" Source: {source}"));
        }
        self
    }
}
