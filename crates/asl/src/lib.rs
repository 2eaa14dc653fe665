//! The Amazon States Language: the text of a definition, and the state machine it describes.
//!
//! Start at [`parse`]: from a [`source::Source`] to a [`definition::StateMachine`], or to everything that is wrong with it.
//! [`path`], [`intrinsic`] and [`template`] are the parts of the language that are evaluated while a machine runs.
//!
//! The way of a definition: `tree` reads JSON or YAML into one tree with places; `fields` reads the members of an
//! object by name and type; `parse` builds the machine, one file for each thing; `report` collects the findings.
//!
//! Architecture Invariant: this crate reads no files and runs nothing. It may know `payload`, and nothing else of ours.
#![forbid(unsafe_code)]

pub mod aws;
mod code;
pub mod definition;
pub mod diagnostic;
mod digest;
pub mod direct;
pub mod document;
mod fields;
pub mod intrinsic;
pub mod jsonata;
mod node;
pub mod number;
mod parse;
pub mod path;
pub mod random;
mod report;
pub mod schema;
pub mod source;
mod suggest;
pub mod template;
mod timestamp;
pub mod tree;

pub use parse::{Parsed, is_single_state, parse, parse_as, parse_state};
pub use suggest::nearest;
