//! Attacks: functions of a workflow that try what a function must not be able to do, run by the command itself.
//!
//! Each is a case in a table (see `case.rs`): a piece of Python, how it must end under each isolation, what stops it, and how it
//! is shown to be a real attack, which succeeds where that defence is missing. To add one, write a case into the file of its
//! kind; there is nothing else to do but to run it with `FAASTLANE_UPDATE_DOCS=1`, which writes the table in `docs/SECURITY.md`.

mod case;
mod code;
mod copying;
mod faults;
mod interpreter;
mod kernel;
mod mappings;
mod memory;
mod ordinary;
mod payloads;
mod surroundings;
mod table;
mod threads;
#[expect(dead_code, reason = "shared with the tests of `run`, which use more of it")]
#[path = "../run/workflow.rs"]
mod workflow;
