//! Stand-ins that answer instead of functions: what `run --mock FILE` reads, and what the orchestrator asks.
//!
//! Two formats, told apart by what is in the file: AWS's mock configuration file, which answers for Task states by name
//! and attempt, and a list of stand-ins, which answers for functions by name. Start at [`MockFile::read`]; what it chooses
//! for one workflow is a [`Mocks`], which travels with the plan.
//!
//! May know: `asl` (sources, diagnostics, the reader of JSON and YAML) and `payload`. It reads no files itself, and has no
//! clock: how long a stand-in sleeps is part of its answer.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/sfn-local-mock-cfg-file.html>.
#![forbid(unsafe_code)]
#![allow(clippy::result_large_err, reason = "a diagnostic ends the work: moving its 168 bytes costs nothing")]

mod choice;
mod code;
mod file;
mod kind;
mod literal;
mod mocks;
mod stand_in_list;
mod test_cases;

pub use choice::Targets;
pub use code::{NO_STAND_IN, UNREADABLE};
pub use file::MockFile;
pub use mocks::{Answer, Call, Mocks, Outcome, StandIn};
