//! Stand-ins that take invocations before a domain gets them.

use faastlane_asl::definition::{Resource, State, StateKind};
use faastlane_machine::{Event, InvocationId, InvocationLog, Micros};
use faastlane_mock::{Call, Mocks, Outcome};
use faastlane_payload::Payload;
use std::collections::HashMap;
use std::sync::Arc;

/// The error of an execution whose mocks do not say how it goes on. It is nothing for Retry and Catch: it aborts.
const NO_MOCKED_RESPONSE: &str = "Faastlane.NoMockedResponse";

/// The mocks of the plan, and how far the execution under way has come in them.
pub(crate) struct StandIns {
    mocks: Option<Mocks>,
    /// By state: how many invocations there were.
    invocations: HashMap<Arc<str>, u32>,
    pending: HashMap<InvocationId, Pending>,
}

/// What will be answered when its time has come.
struct Pending {
    outcome: Outcome,
    log: Option<Box<InvocationLog>>,
}

impl StandIns {
    pub(crate) fn new(mocks: Option<Mocks>) -> Self {
        Self { mocks, invocations: HashMap::new(), pending: HashMap::new() }
    }

    /// Whether a stand-in takes the invocation, and if so after how many microseconds its answer is due.
    pub(crate) fn ask(
        &mut self,
        id: InvocationId,
        function: &str,
        state: &State,
        event: &Payload,
        request_id: &str,
        wants_log: bool,
    ) -> Option<Micros> {
        let mocks = self.mocks.as_ref()?;
        if !mocks.stands_in(&state.name, function) {
            return None;
        }
        let invocations = self.invocations.entry(Arc::clone(&state.name)).or_default();
        let attempt = *invocations;
        *invocations = invocations.saturating_add(1);
        let answer = mocks.answer(&Call { state: &state.name, attempt, function, event, request_id })?;
        let outcome = match answer.outcome {
            Outcome::TooLarge => too_large(state),
            other => other,
        };
        let log = || Box::new(InvocationLog::of_stand_in(request_id.to_owned(), answer.after_us));
        self.pending.insert(id, Pending { outcome, log: wants_log.then(log) });
        Some(answer.after_us)
    }

    /// What the machine is told of an invocation whose answer is due.
    pub(crate) fn answer(&mut self, invocation: InvocationId, at: Micros) -> Option<Event> {
        let Pending { outcome, log } = self.pending.remove(&invocation)?;
        Some(match outcome {
            Outcome::Returned(output) => Event::InvocationSucceeded { invocation, output, log, at },
            Outcome::TaskResult(result) => Event::TaskSucceeded { invocation, result, at },
            Outcome::Failed { error, cause } => Event::InvocationFailed { invocation, error, cause, at },
            Outcome::Unforeseen(cause) => {
                Event::Aborted { error: Some(NO_MOCKED_RESPONSE.to_owned()), cause: Some(cause), at }
            }
            // Never pending: it became a failure when it was asked.
            Outcome::TooLarge => return None,
        })
    }

    /// Nobody waits for this invocation any more. True if a stand-in had taken it.
    pub(crate) fn forget(&mut self, invocation: InvocationId) -> bool {
        self.pending.remove(&invocation).is_some()
    }

    /// The execution is over.
    pub(crate) fn clear(&mut self) {
        self.invocations.clear();
        self.pending.clear();
    }
}

/// What Step Functions makes of a response that is too large for it.
fn too_large(state: &State) -> Outcome {
    let subject = match &state.kind {
        StateKind::Task(task) => match task.resource {
            Resource::Function(_) => &task.resource_text,
            _ => "lambda",
        },
        _ => &state.name,
    };
    Outcome::Failed {
        error: "States.DataLimitExceeded".to_owned(),
        cause: format!(
            "The state/task '{subject}' returned a result with a size exceeding the maximum number of bytes service \
             limit."
        ),
    }
}

/// A stretch of time, made shorter or longer.
pub(crate) fn scaled(us: Micros, scale: f64) -> Micros {
    if scale == 1.0 { us } else { (us as f64 * scale) as Micros }
}

#[cfg(test)]
mod tests {
    use super::scaled;

    #[test]
    fn time_is_scaled_without_overflow() {
        assert_eq!(scaled(u64::MAX - 1, 1.0), u64::MAX - 1, "real time is exact");
        assert_eq!(scaled(3_000_000, 0.01), 30_000);
        assert_eq!(scaled(u64::MAX, 1000.0), u64::MAX);
        assert_eq!(scaled(1, 0.001), 0);
    }
}
