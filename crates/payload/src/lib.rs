//! The value that moves between states: JSON at the edges, flat and length-prefixed in between.
//!
//! It knows nothing of the rest of the workspace. Start at [`Payload`], which holds one value in the form
//! that it came in and converts lazily; `flat` reads and writes the form that crosses a domain's boundary
//! (specified in `docs/ARCHITECTURE.md`), finds parts of it ([`flat::View`]) and makes new payloads of them
//! ([`flat::Draft`]) without decoding; `text` is JSON and its numbers.
//!
//! Architecture Invariant: bytes in the flat form were written by a domain and may be hostile. Every length
//! is checked against what is there before it is used, and no memory is reserved because a count claims it.

#![forbid(unsafe_code)]

pub mod as_flat_bytes;
mod error;
pub mod flat;
mod payload;
mod text;

pub use error::PayloadError;
pub use payload::{Backing, Payload};

/// How deep arrays and objects may nest: `[]` is one level deep. CPython's own recursion limit, at which
/// `json.dumps` gives up too.
pub const MAX_DEPTH: usize = 1_000;
