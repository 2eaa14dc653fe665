use thiserror::Error;

/// Why a text or a flat form is no payload.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PayloadError {
    /// The text is not JSON. `line` and `column` count from 1.
    #[error("not JSON: {message} at line {line} column {column}")]
    NotJson { message: String, line: usize, column: usize },
    /// Arrays and objects nest deeper than [`MAX_DEPTH`](crate::MAX_DEPTH).
    #[error("arrays and objects nest deeper than {} levels", crate::MAX_DEPTH)]
    TooDeep,
    /// The flat form breaks off or contradicts itself; `at` counts bytes from its start.
    #[error("damaged payload: {what} at byte {at}")]
    Damaged { what: &'static str, at: usize },
}
