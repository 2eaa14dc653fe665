//! The history, with Step Functions' event types.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html>.

use crate::event::Micros;
use faastlane_asl::definition::StateKind;
use faastlane_payload::Payload;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq)]
pub struct HistoryEvent {
    /// From 1, without gaps.
    pub id: u64,
    /// The child execution of a distributed Map whose history it belongs to; `None` for the execution's own.
    pub execution: Option<Arc<str>>,
    /// The event before it in the same branch; 0 before the first.
    pub previous_id: u64,
    pub at: Micros,
    pub kind: EventKind,
    /// The name of the state it belongs to; of the Map, for an iteration.
    pub state: Option<Arc<str>>,
    /// What an integration's event is about, as the definition writes it: `arn:aws:states:::lambda:invoke`.
    pub resource: Option<Arc<str>>,
    pub detail: Detail,
}

/// What an event carries.
#[derive(Clone, Debug, PartialEq)]
pub enum Detail {
    Nothing,
    /// Of an execution or a state.
    Input(Payload),
    /// Of an execution or a function.
    Output(Payload),
    /// A state's output, and the variables it set, as one object.
    Exited {
        output: Payload,
        assigned: Option<Payload>,
    },
    Failure {
        error: Option<String>,
        cause: Option<String>,
    },
    Scheduled {
        /// As the definition writes it.
        resource: Arc<str>,
        /// The event of a function, the parameters of an integration.
        input: Payload,
        timeout_seconds: Option<u32>,
        heartbeat_seconds: Option<u32>,
        credentials: Option<Payload>,
    },
    /// A JSONata expression gave no value, or one of the wrong type.
    Evaluation {
        error: String,
        cause: String,
        /// The field: `Output/total`.
        location: String,
    },
    /// A Map run's ARN.
    MapRun(Arc<str>),
    /// How many items a Map has.
    Length(u32),
    /// Which iteration, from 0.
    Iteration(u32),
}

macro_rules! event_kinds {
    ($($kind:ident),* $(,)?) => {
        /// The types that this machine writes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum EventKind { $($kind),* }

        impl EventKind {
            /// Step Functions' name.
            pub fn as_str(self) -> &'static str {
                match self { $(EventKind::$kind => stringify!($kind)),* }
            }
        }
    };
}

event_kinds! {
    ExecutionStarted, ExecutionSucceeded, ExecutionFailed, ExecutionTimedOut, ExecutionAborted,
    EvaluationFailed,
    TaskStateEntered, TaskStateExited, TaskStateAborted,
    PassStateEntered, PassStateExited,
    ChoiceStateEntered, ChoiceStateExited,
    WaitStateEntered, WaitStateExited, WaitStateAborted,
    SucceedStateEntered, SucceedStateExited,
    FailStateEntered,
    ParallelStateEntered, ParallelStateExited, ParallelStateStarted, ParallelStateSucceeded, ParallelStateFailed,
    ParallelStateAborted,
    MapStateEntered, MapStateExited, MapStateStarted, MapStateSucceeded, MapStateFailed, MapStateAborted,
    MapIterationStarted, MapIterationSucceeded, MapIterationFailed, MapIterationAborted,
    LambdaFunctionScheduled, LambdaFunctionStarted, LambdaFunctionSucceeded, LambdaFunctionFailed,
    LambdaFunctionTimedOut,
    TaskScheduled, TaskStarted, TaskSucceeded, TaskFailed, TaskTimedOut,
    ActivityScheduled, ActivitySucceeded, ActivityFailed, ActivityTimedOut,
    MapRunStarted, MapRunSucceeded, MapRunFailed, MapRunAborted,
}

impl EventKind {
    /// Whether it is about a service integration.
    pub(crate) fn is_of_integration(self) -> bool {
        use EventKind::{TaskFailed, TaskScheduled, TaskStarted, TaskSucceeded, TaskTimedOut};
        matches!(self, TaskScheduled | TaskStarted | TaskSucceeded | TaskFailed | TaskTimedOut)
    }

    pub(crate) fn entered(kind: &StateKind) -> EventKind {
        match kind {
            StateKind::Task(_) => EventKind::TaskStateEntered,
            StateKind::Pass(_) => EventKind::PassStateEntered,
            StateKind::Choice(_) => EventKind::ChoiceStateEntered,
            StateKind::Wait(_) => EventKind::WaitStateEntered,
            StateKind::Succeed => EventKind::SucceedStateEntered,
            StateKind::Fail(_) => EventKind::FailStateEntered,
            StateKind::Parallel(_) => EventKind::ParallelStateEntered,
            StateKind::Map(_) => EventKind::MapStateEntered,
        }
    }

    /// A Fail state is never left.
    pub(crate) fn exited(kind: &StateKind) -> Option<EventKind> {
        Some(match kind {
            StateKind::Task(_) => EventKind::TaskStateExited,
            StateKind::Pass(_) => EventKind::PassStateExited,
            StateKind::Choice(_) => EventKind::ChoiceStateExited,
            StateKind::Wait(_) => EventKind::WaitStateExited,
            StateKind::Succeed => EventKind::SucceedStateExited,
            StateKind::Fail(_) => return None,
            StateKind::Parallel(_) => EventKind::ParallelStateExited,
            StateKind::Map(_) => EventKind::MapStateExited,
        })
    }

    /// Only states that take time can be aborted in the middle.
    pub(crate) fn aborted(kind: &StateKind) -> Option<EventKind> {
        match kind {
            StateKind::Task(_) => Some(EventKind::TaskStateAborted),
            StateKind::Wait(_) => Some(EventKind::WaitStateAborted),
            StateKind::Parallel(_) => Some(EventKind::ParallelStateAborted),
            StateKind::Map(_) => Some(EventKind::MapStateAborted),
            StateKind::Pass(_) | StateKind::Choice(_) | StateKind::Succeed | StateKind::Fail(_) => None,
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
