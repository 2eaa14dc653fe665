//! What an execution was: how it ended, what ran where and when.

use crate::logs::LogLine;
use crate::memory::MemoryUse;
use crate::metering::FunctionUse;
use faastlane_compose::{Isolation, Placement};
use faastlane_payload::Payload;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// How an execution ended, in Step Functions' words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    Succeeded,
    Failed,
    TimedOut,
    Aborted,
}

/// One execution, as seen from outside.
#[derive(Clone, Debug)]
pub struct Record {
    pub status: Status,
    /// Of one that succeeded.
    pub output: Option<Payload>,
    pub error: Option<String>,
    pub cause: Option<String>,
    /// Whether it failed because a function touched what is not its own.
    pub violation: bool,
    /// Really in force.
    pub isolation: Isolation,
    /// How many instances it took: 1, and one for each that was lost.
    pub instances: u32,
    /// Why instances are not copies of one template, each loading the functions itself; `None` where they are.
    pub not_copied: Option<String>,
    /// Why calls that waited did not get another lane, in this execution or an earlier one of the same launcher.
    pub no_lane: Option<String>,
    /// What starting instances took, where there was none to begin or to go on in.
    pub started: Option<Duration>,
    /// From the execution's first event to its last, in microseconds.
    pub duration_us: u64,
    /// The part of it between the first call of a function and the last return in which no function ran and none was to
    /// wait: what interaction costs.
    pub interaction_us: u64,
    /// What a platform would bill for: milliseconds, rounded up as clouds do.
    pub billed_ms: u64,
    /// The most that an instance of it had in use, from its start to the execution's end.
    pub memory: Option<MemoryUse>,
    /// All functions of the plan, in its order, with what their calls came to.
    pub functions: Vec<FunctionUse>,
    /// In the order they were entered.
    pub states: Vec<StateRecord>,
    /// The functions that a stand-in answered for, in the order they were called first.
    pub mocked: Vec<String>,
    pub events: Vec<EventRecord>,
    pub logs: Vec<LogLine>,
}

/// One visit of a state. Times are microseconds since the execution started.
#[derive(Clone, Debug, PartialEq)]
pub struct StateRecord {
    pub name: String,
    /// `Task`, `Choice`, …
    pub state_type: &'static str,
    pub function: Option<String>,
    pub placement: Option<Placement>,
    /// The domain's name.
    pub domain: Option<String>,
    pub entered_us: u64,
    /// `None` for a state that was not left: a Fail, or where the execution ended.
    pub exited_us: Option<u64>,
    /// Whether a stand-in answered.
    pub mocked: bool,
    /// How many Map and Parallel states are around it.
    pub depth: usize,
    /// The error of the visit's last try, where it failed; empty for one without a name. A state that was left with one had it caught.
    pub error: Option<String>,
    /// The function's calls, one for each attempt.
    pub calls: Vec<CallRecord>,
}

/// One call of a function. Times are nanoseconds since the execution started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    pub request_id: String,
    /// 0 is the instance's own; others are further processes of the function's domain.
    pub lane: u32,
    /// The handler was called, and returned.
    pub called_ns: u64,
    pub returned_ns: u64,
    /// Since the last function before it returned (or since the start), without what was spent waiting on purpose.
    /// `None` where another function was still running: then nothing was lost.
    pub between_ns: Option<u64>,
    /// Bytes of event and result.
    pub event_bytes: u64,
    pub result_bytes: u64,
}

/// One event of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRecord {
    pub id: u64,
    pub previous_id: u64,
    /// Microseconds since the execution started.
    pub at_us: u64,
    /// Step Functions' name.
    pub kind: &'static str,
    pub state: Option<Arc<str>>,
    pub error: Option<String>,
    pub cause: Option<String>,
}
