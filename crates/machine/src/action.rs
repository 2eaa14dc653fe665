//! What an execution wants done.

use crate::event::{InvocationId, Micros, TimerId, TransferId};
use crate::history::HistoryEvent;
use crate::trial::Inspection;
use faastlane_asl::definition::{OutputType, StateIndex};
use faastlane_payload::Payload;
use serde_json::Value;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Call a function, and answer with `InvocationSucceeded` or `InvocationFailed`.
    Invoke {
        invocation: InvocationId,
        /// A bare name; `None` where the resource is a service, which only a stand-in answers for.
        function: Option<Arc<str>>,
        /// As the definition writes it.
        resource: Arc<str>,
        /// The state's name.
        state: Arc<str>,
        /// How often this visit of the state was tried before.
        attempt: u32,
        path: StatePath,
        payload: Payload,
        /// When the machine gives up on it by itself, for the function's remaining time.
        timeout_at: Option<Micros>,
        /// The result is to show the invocation's log (`"LogType": "Tail"`): the answer has to bring it.
        wants_log: bool,
    },
    /// Nobody waits for this invocation any more. An answer that comes anyway is ignored.
    Cancel {
        invocation: InvocationId,
    },
    /// Open the source of a distributed Map's items. Nothing is to be answered yet.
    OpenItems {
        transfer: TransferId,
        /// `arn:aws:states:::s3:getObject`, say.
        resource: Arc<str>,
        /// Bucket and key.
        arguments: Payload,
        /// `ReaderConfig`, without `MaxItems`.
        config: Value,
        max_items: Option<u32>,
    },
    /// Answer with `ItemsRead` or `TransferFailed`.
    ReadItems {
        transfer: TransferId,
        at_most: u32,
    },
    /// Open the place for a distributed Map's results.
    OpenResults {
        transfer: TransferId,
        resource: Arc<str>,
        /// Bucket and prefix.
        arguments: Payload,
        output_type: OutputType,
        map_run: Arc<str>,
    },
    /// A child execution has ended.
    WriteResult {
        transfer: TransferId,
        succeeded: bool,
        /// What is to be written of it, each on its own.
        records: Vec<Payload>,
    },
    /// Answer with `ResultsWritten` or `TransferFailed`.
    CloseResults {
        transfer: TransferId,
    },
    /// Nobody waits for items or results any more.
    CancelTransfer {
        transfer: TransferId,
    },
    /// Answer with `TimerFired` at that time or later.
    SetTimer {
        timer: TimerId,
        at: Micros,
        purpose: TimerPurpose,
    },
    CancelTimer {
        timer: TimerId,
    },
    /// The next event of the history.
    Record(HistoryEvent),
    /// Only of a trial.
    Inspected(Inspection),
    /// The step stopped at its limit of transitions: answer with `Continue`, after whatever else has happened.
    Yield,
    /// The last action, once.
    Finished(Outcome),
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerPurpose {
    /// A Wait state.
    Wait,
    /// The delay before another try.
    Retry,
    /// `TimeoutSeconds` or `HeartbeatSeconds` of a state.
    Timeout,
    /// `TimeoutSeconds` of the machine.
    ExecutionTimeout,
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// With its output.
    Succeeded(Payload),
    /// A Fail state may give neither an error nor a cause.
    Failed {
        error: Option<String>,
        cause: Option<String>,
    },
    /// After the machine's `TimeoutSeconds`.
    TimedOut,
    Aborted {
        error: Option<String>,
        cause: Option<String>,
    },
}

/// The way into a branch of a Parallel or an iteration of a Map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Turn {
    /// The Parallel or Map.
    pub state: StateIndex,
    /// Which branch or iteration of it, from 0.
    pub child: u32,
}

/// Where in the definition, and in which branches and iterations, a state runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StatePath {
    /// From the machine inwards; empty for a state of the machine itself.
    pub turns: Arc<[Turn]>,
    pub state: StateIndex,
}
