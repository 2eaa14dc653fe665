//! The flat form: `docs/ARCHITECTURE.md`, "The flat form", is its specification.

mod binary;
mod draft;
mod elements;
mod read;
mod view;
mod write;

pub use binary::{BYTES_DEPTH, NDARRAY_DEPTH, Ndarray};
pub use draft::Draft;
pub(crate) use draft::Pieces;
pub use elements::Elements;
pub(crate) use read::{check, decode};
pub use view::View;
pub(crate) use write::encode;

/// The first byte of a value.
pub mod tag {
    pub const NULL: u8 = 0;
    pub const FALSE: u8 = 1;
    pub const TRUE: u8 = 2;
    /// An `i64` follows.
    pub const INTEGER: u8 = 3;
    /// A finite `f64` follows.
    pub const FLOAT: u8 = 4;
    /// A `u32` length and the text of a JSON number follow.
    pub const NUMBER: u8 = 5;
    /// A `u32` length and UTF-8 follow.
    pub const STRING: u8 = 6;
    /// A `u32` count, a `u64` length in bytes and the elements follow.
    pub const ARRAY: u8 = 7;
    /// A `u32` count, a `u64` length in bytes and the members (`u32` length, UTF-8 key, value) follow.
    pub const OBJECT: u8 = 8;
    /// A `u64` length and the bytes follow.
    pub const BYTES: u8 = 9;
    /// A `u64` length in bytes and an [`Ndarray`](super::Ndarray) follow.
    pub const NDARRAY: u8 = 10;
}
