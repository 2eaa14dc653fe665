//! The interpreter of the states language, sans-IO: events go in, actions come out.
//!
//! It has no clock, no threads and no randomness but what comes in with events, so that an execution is the fold of its
//! events and can be replayed. It knows `asl` (the definition) and `payload` (the value that moves).
//!
//! Start at [`Execution::start`] and [`Execution::step`]; `run` is the loop behind them, `states` holds one file per
//! kind of state, `failure` says what Retry and Catch do. `trial` runs one state alone and shows its inside.
//!
//! Architecture Invariant: a payload that no path, template or condition of a state reads goes through that state
//! unparsed.
//!
//! Architecture Invariant: an execution's size does not grow with the number of its transitions. What it has to tell
//! is in the actions, which the caller takes away.
//!
//! Architecture Invariant: nothing recurses deeper than a payload or a definition may nest. For the deepest payload that
//! takes less than 1 MiB of stack when optimised, and less than 8 MiB when not.

#![forbid(unsafe_code)]

mod action;
mod branch;
mod call_run;
mod child_result;
mod clock;
mod context;
mod data;
mod event;
mod execution;
mod failure;
mod history;
mod history_details;
mod invocation_log;
mod item;
mod machine;
mod query;
mod recovery;
mod run;
mod states;
#[cfg(test)]
mod testing;
mod trial;
mod variables;

pub use action::{Action, Outcome, StatePath, TimerPurpose, Turn};
pub use call_run::NextCall;
pub use clock::rfc3339;
pub use event::{Event, HistoryLevel, Identity, InvocationId, Micros, ReadItem, Start, TimerId, TransferId};
pub use execution::Execution;
pub use failure::ISOLATION_VIOLATION;
pub use history::{Detail, EventKind, HistoryEvent};
pub use invocation_log::InvocationLog;
pub use machine::{Limits, Machine};
pub use trial::{Inspection, Mock, Recovery, Stage, Trial};
