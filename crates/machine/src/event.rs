//! What the world tells an execution.

use crate::invocation_log::InvocationLog;
use faastlane_payload::Payload;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Microseconds since 1970-01-01T00:00:00Z.
pub type Micros = u64;

/// One try of one Task state. In an execution none comes twice among four billion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InvocationId(pub u64);

/// In an execution none comes twice among four billion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TimerId(pub u64);

/// The reading of one Map's items, and the writing of its results. In an execution none comes twice among four billion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TransferId(pub u64);

/// Who an execution is, as the context object shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `$$.Execution.Id`: an ARN, or what stands for it.
    pub execution_id: Arc<str>,
    /// `$$.Execution.Name`
    pub execution_name: Arc<str>,
    /// `$$.Execution.RoleArn`; absent without one.
    pub role: Option<Arc<str>>,
    /// `$$.StateMachine.Id`
    pub state_machine_id: Arc<str>,
    /// `$$.StateMachine.Name`
    pub state_machine_name: Arc<str>,
}

/// The first event of an execution.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    pub input: Payload,
    pub at: Micros,
    /// Of everything random in the execution.
    pub seed: u64,
    pub identity: Arc<Identity>,
    pub history: HistoryLevel,
}

/// How much the history has to tell. Putting together what nobody reads takes time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HistoryLevel {
    /// Which events there were; a payload that a shortcut left out may be missing from its details.
    #[default]
    Types,
    /// All details.
    Full,
}

/// An item that a distributed Map's reader has read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReadItem {
    /// `Map.Item.Value`
    #[serde(with = "faastlane_payload::as_flat_bytes")]
    pub value: Payload,
    /// `Map.Item.Key`: the member's name, where the data set is an object.
    pub key: Option<Arc<str>>,
    /// `Map.Item.Source`: `s3://bucket/key`, or `s3://bucket` of what a listing tells.
    pub source: Arc<str>,
}

/// What can happen to an execution that has started. Time never goes back: an event earlier than the one before it
/// counts as simultaneous with it.
///
/// Its start and its events, in their order, are an execution's journal: who folds them again has the same execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    InvocationSucceeded {
        invocation: InvocationId,
        #[serde(with = "faastlane_payload::as_flat_bytes")]
        output: Payload,
        /// Where [`crate::Action::Invoke`] asked for it.
        log: Option<Box<InvocationLog>>,
        at: Micros,
    },
    /// What stands in for the whole Task answered: with its raw result, in the shape that the service gives it, which is
    /// not wrapped any more.
    TaskSucceeded {
        invocation: InvocationId,
        #[serde(with = "faastlane_payload::as_flat_bytes")]
        result: Payload,
        at: Micros,
    },
    InvocationFailed {
        invocation: InvocationId,
        error: String,
        cause: String,
        at: Micros,
    },
    /// The answer to [`crate::Action::ReadItems`].
    ItemsRead {
        transfer: TransferId,
        items: Vec<ReadItem>,
        /// There are no more.
        ended: bool,
        at: Micros,
    },
    /// The answer to [`crate::Action::CloseResults`]: what the Map's result is.
    ResultsWritten {
        transfer: TransferId,
        #[serde(with = "faastlane_payload::as_flat_bytes")]
        result: Payload,
        at: Micros,
    },
    /// Items cannot be read, or results not be written.
    TransferFailed {
        transfer: TransferId,
        error: String,
        cause: String,
        at: Micros,
    },
    TimerFired {
        timer: TimerId,
        at: Micros,
    },
    /// The answer to [`crate::Action::Yield`].
    Continue {
        at: Micros,
    },
    /// Someone stopped the execution.
    Aborted {
        error: Option<String>,
        cause: Option<String>,
        at: Micros,
    },
}

impl Event {
    pub fn at(&self) -> Micros {
        match self {
            Event::InvocationSucceeded { at, .. }
            | Event::TaskSucceeded { at, .. }
            | Event::InvocationFailed { at, .. }
            | Event::ItemsRead { at, .. }
            | Event::ResultsWritten { at, .. }
            | Event::TransferFailed { at, .. }
            | Event::TimerFired { at, .. }
            | Event::Continue { at }
            | Event::Aborted { at, .. } => *at,
        }
    }
}
