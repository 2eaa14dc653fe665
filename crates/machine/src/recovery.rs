//! What happens when a state fails: another try, a catcher, or the end of the branch.

use crate::action::{Action, TimerPurpose};
use crate::branch::Activity;
use crate::data::Documents;
use crate::event::TimerId;
use crate::failure::{Failure, backoff, catcher_for, retrier_for};
use crate::history::{Detail, EventKind};
use crate::run::Run;
use crate::trial::Recovery;
use faastlane_asl::definition::{Catcher, DataFlow, Retrier, StateKind, Transition};
use faastlane_payload::Payload;
use serde_json::json;

/// What became of the wish to try again.
enum Retried {
    Later,
    /// The retrier has had all its attempts.
    Exhausted(usize),
    /// No retrier is for this error.
    Never,
}

impl<'m> Run<'m, '_> {
    /// Whatever went on inside of the state has been cancelled before.
    pub(crate) fn fail_state(&mut self, slot: u32, failure: Failure) {
        let state = self.state(slot);
        let (retriers, catchers): (&[Retrier], &[Catcher]) = match &state.kind {
            StateKind::Task(task) => (&task.retry, &task.catch),
            StateKind::Parallel(parallel) => (&parallel.retry, &parallel.catch),
            StateKind::Map(map) => (&map.retry, &map.catch),
            _ => (&[], &[]),
        };
        // The definition is wrong, not the world: whether it is tried again or not, the history says where.
        if let Some(location) = &failure.evaluated {
            let placed = failure.clone().placed(&state.name, self.execution.branches[slot].entered_event);
            let detail = Detail::Evaluation {
                error: placed.error.unwrap_or_default(),
                cause: placed.cause.unwrap_or_default(),
                location: location.clone(),
            };
            self.record(slot, EventKind::EvaluationFailed, detail);
        }
        let exhausted = match self.retry(slot, retriers, &failure) {
            Retried::Later => return,
            Retried::Exhausted(retrier) => Some(retrier),
            Retried::Never => None,
        };
        let failed = match &state.kind {
            StateKind::Parallel(_) => Some(EventKind::ParallelStateFailed),
            StateKind::Map(_) => Some(EventKind::MapStateFailed),
            _ => None,
        };
        let is_own = failure.in_state && failure.evaluated.is_none();
        let failure = self.placed(slot, failure);
        // A Parallel or Map that cannot be run is not one that failed: Step Functions writes no such event then.
        if let Some(failed) = failed.filter(|_| !is_own) {
            let detail = Detail::Failure { error: failure.error.clone(), cause: failure.cause.clone() };
            self.record(slot, failed, detail);
        }
        match catcher_for(catchers, failure.error.as_deref()) {
            Some(position) => {
                self.inspect_failure(&failure, Recovery::Catch { catcher: position, exhausted });
                self.catch(slot, &catchers[position], failure);
            }
            None => {
                self.inspect_failure(&failure, Recovery::Nothing { exhausted });
                self.fail_branch(slot, failure);
            }
        }
    }

    /// Tries the state again, if there is a retrier for that.
    fn retry(&mut self, slot: u32, retriers: &[Retrier], failure: &Failure) -> Retried {
        let Some(position) = retrier_for(retriers, failure.error.as_deref()) else { return Retried::Never };
        let retrier = &retriers[position];
        let retries = &mut self.execution.branches[slot].retries;
        if retries.len() <= position {
            retries.resize(position + 1, 0);
        }
        let earlier = retries[position] + self.earlier_tries();
        if earlier >= retrier.max_attempts {
            return Retried::Exhausted(position);
        }
        self.execution.branches[slot].retries[position] += 1;
        if self.execution.trial.is_some() {
            let most = backoff(
                &Retrier { full_jitter: false, ..retrier.clone() },
                earlier,
                &mut self.execution.random,
            );
            let failure = self.placed(slot, failure.clone());
            let recovery = Recovery::Retry { retrier: position, seconds: most / 1_000_000 };
            self.inspect_failure(&failure, recovery);
        }
        let delay = backoff(retrier, earlier, &mut self.execution.random);
        let timer = TimerId(self.execution.next_id(slot));
        self.execution.branches[slot].activity = Activity::Backoff { timer };
        let at = self.execution.now.saturating_add(delay);
        self.actions.push(Action::SetTimer { timer, at, purpose: TimerPurpose::Retry });
        Retried::Later
    }

    fn catch(&mut self, slot: u32, catcher: &'m Catcher, failure: Failure) {
        let caught = self.error_output(slot, catcher, failure);
        match caught {
            Ok((output, assigned)) => self.leave(slot, output, assigned, Transition::Next(catcher.next)),
            Err(failure) => {
                let failure = self.placed(slot, failure);
                self.fail_branch(slot, failure);
            }
        }
    }

    /// What goes on behind a catcher, and the variables it sets. What failed without a name or a cause has empty ones.
    fn error_output(
        &mut self,
        slot: u32,
        catcher: &'m Catcher,
        failure: Failure,
    ) -> Result<(Payload, Option<Payload>), Failure> {
        let error = Payload::from_value(json!({
            "Error": failure.error.unwrap_or_default(),
            "Cause": failure.cause.unwrap_or_default(),
        }));
        let documents = Documents { error_output: Some(&error), ..Documents::of(&error) };
        let assigned = self.assigned(slot, catcher.assign.as_ref(), &documents)?;
        let output = match (&self.state(slot).data, &catcher.output) {
            (DataFlow::JsonPath(_), _) => self.place(slot, &catcher.result_path, error.clone())?,
            (DataFlow::Jsonata(_), None) => error.clone(),
            (DataFlow::Jsonata(_), Some(output)) => self.query(slot, "Output", output, &documents)?,
        };
        Ok((output, assigned))
    }
}
