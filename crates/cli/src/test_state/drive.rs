//! Runs the state on the machine. Nothing is waited for: neither a Wait state nor a delay before another try.

use super::request::Request;
use super::subject::Subject;
use super::work::{Call, Work, Worked};
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_machine::{
    Action, Event, Execution, HistoryLevel, Identity, Inspection, Limits, Machine, Micros, Outcome, Recovery,
    Stage, Start, TimerPurpose, Trial,
};
use faastlane_payload::Payload;
use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// What a state did.
#[derive(Default)]
pub(super) struct Shown {
    /// In order; of a stage that comes twice, the later.
    pub(super) stages: Vec<(Stage, Payload)>,
    pub(super) failure: Option<Failure>,
    /// The state was left for it.
    pub(super) next: Option<Arc<str>>,
    /// `None` where the state would be tried again.
    pub(super) outcome: Option<Outcome>,
}

pub(super) struct Failure {
    pub(super) error: Option<String>,
    pub(super) cause: Option<String>,
    pub(super) recovery: Recovery,
}

pub(super) fn drive(
    subject: &Subject,
    request: &Request,
    trial: Trial,
    work: &mut Work<'_>,
) -> Result<Shown, Vec<Diagnostic>> {
    let limits = Limits { payload_bytes: work.max_payload(), ..Limits::default() };
    let machine = Machine::new(Arc::clone(&subject.machine), limits);
    let start = Start {
        input: request.input.clone(),
        at: now(),
        // Every hasher the standard library makes begins with fresh random keys.
        seed: RandomState::new().hash_one(SystemTime::now()),
        identity: Arc::new(identity(&subject.workflow)),
        // What the state itself would not look at is shown all the same.
        history: HistoryLevel::Full,
    };
    let (mut execution, actions) = Execution::start_trial(&machine, start, trial);
    let mut actions = VecDeque::from(actions);
    let mut shown = Shown::default();
    let mut timeout = None;
    while let Some(action) = actions.pop_front() {
        let event = match action {
            Action::Inspected(inspection) => {
                if shown.take(inspection) {
                    return Ok(shown);
                }
                continue;
            }
            Action::Finished(outcome) => {
                shown.outcome = Some(outcome);
                return Ok(shown);
            }
            Action::SetTimer { timer, at, purpose: TimerPurpose::Wait } => Event::TimerFired { timer, at },
            Action::SetTimer { timer, at, purpose: TimerPurpose::Timeout } => {
                timeout = Some((timer, at));
                continue;
            }
            Action::Invoke { invocation, function, resource, state, attempt, payload, wants_log, .. } => {
                let seconds = timeout.map(|(_, at)| at.saturating_sub(now()).div_ceil(1_000_000));
                let call = Call { function, resource, state, attempt, payload, seconds };
                let worked = work.call(&call)?;
                let at = now();
                match (worked, timeout) {
                    (Worked::Returned { output, log }, _) => {
                        let log = log.filter(|_| wants_log).map(Box::new);
                        Event::InvocationSucceeded { invocation, output, log, at }
                    }
                    (Worked::Result(result), _) => Event::TaskSucceeded { invocation, result, at },
                    (Worked::TimedOut, Some((timer, at))) => Event::TimerFired { timer, at },
                    (Worked::TimedOut, None) => {
                        let (error, cause) = ("States.Timeout".to_owned(), String::new());
                        Event::InvocationFailed { invocation, error, cause, at }
                    }
                    (Worked::Failed { error, cause }, _) => {
                        Event::InvocationFailed { invocation, error, cause, at }
                    }
                }
            }
            Action::Yield => Event::Continue { at: now() },
            // Of what is only for whole executions nothing is to be done.
            _ => continue,
        };
        let mut more = Vec::new();
        execution.step(&machine, event, &mut more);
        actions.extend(more);
    }
    Ok(shown)
}

impl Shown {
    /// Whether this was the last of what there is to see.
    fn take(&mut self, inspection: Inspection) -> bool {
        match inspection {
            Inspection::Stage(stage, value) => {
                self.stages.retain(|(earlier, _)| *earlier != stage);
                self.stages.push((stage, value));
                false
            }
            Inspection::Failed { error, cause, recovery } => {
                self.failure = Some(Failure { error, cause, recovery });
                matches!(recovery, Recovery::Retry { .. })
            }
            Inspection::Left { next } => {
                self.next = next;
                false
            }
        }
    }

    pub(super) fn stage(&self, stage: Stage) -> Option<&Payload> {
        self.stages.iter().find(|(shown, _)| *shown == stage).map(|(_, value)| value)
    }
}

/// What the context object shows where none is given.
fn identity(workflow: &str) -> Identity {
    let arn = |kind: &str, rest: &str| -> Arc<str> {
        format!("arn:aws:states:local:000000000000:{kind}:{workflow}{rest}").into()
    };
    Identity {
        execution_id: arn("execution", ":test-state"),
        execution_name: "test-state".into(),
        role: Some(format!("arn:aws:iam::000000000000:role/{workflow}").into()),
        state_machine_id: arn("stateMachine", ""),
        state_machine_name: workflow.into(),
    }
}

fn now() -> Micros {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as Micros)
}
