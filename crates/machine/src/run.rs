//! The loop behind a step: takes an event to the branch that waits for it, then runs branches until all of them wait.

use crate::action::{Action, Outcome, TimerPurpose};
use crate::branch::{Activity, Branch};
use crate::event::{Event, InvocationId, Micros, TimerId};
use crate::execution::Execution;
use crate::failure::{Failure, HEARTBEAT_TIMEOUT, TIMEOUT};
use crate::history::{Detail, EventKind, HistoryEvent};
use crate::machine::Machine;
use crate::states::Answer;
use faastlane_asl::definition::{State, StateKind, Transition};
use faastlane_payload::Payload;
use std::sync::Arc;

/// One step of one execution.
pub(crate) struct Run<'m, 'e> {
    pub(crate) machine: &'m Machine,
    pub(crate) execution: &'e mut Execution,
    pub(crate) actions: &'e mut Vec<Action>,
}

/// Of the machine's deadline; no branch has this slot.
const DEADLINE: TimerId = TimerId(u64::MAX);

impl<'m> Run<'m, '_> {
    pub(crate) fn begin(&mut self) {
        let definition = self.machine.definition();
        let serial = self.execution.next_serial();
        let input = self.execution.input.clone();
        let root = self.execution.branches.insert(Branch {
            serial,
            parent: None,
            turns: Arc::from([]),
            state: definition.flow.start_at,
            activity: Activity::Enter,
            queued: false,
            input: input.clone(),
            entered_event: 0,
            entered_at: self.execution.now,
            last_event: 0,
            retries: Vec::new(),
            item: None,
            variables: self
                .execution
                .trial
                .as_ref()
                .map_or_else(Arc::default, |trial| Arc::new(trial.variables.clone())),
            task_token: None,
            child: None,
            root: None,
        });
        let too_large = input.len() > self.machine.limits().payload_bytes;
        self.record_without_state(root, EventKind::ExecutionStarted, Detail::Input(input));
        // Step Functions lets the first state follow nothing.
        self.execution.branches[root].last_event = 0;
        if too_large {
            let name = Arc::clone(&self.execution.identity.execution_name);
            self.fail_branch(root, Failure::data_limit(&name));
            return;
        }
        if let Some(seconds) = definition.timeout_seconds {
            self.execution.deadline = Some(DEADLINE);
            let at = after_seconds(self.execution.now, seconds);
            let purpose = TimerPurpose::ExecutionTimeout;
            self.actions.push(Action::SetTimer { timer: DEADLINE, at, purpose });
        }
        self.make_ready(root);
        self.until_blocked();
    }

    pub(crate) fn take(&mut self, event: Event) {
        match event {
            Event::InvocationSucceeded { invocation, output, log, .. } => {
                if let Some(slot) = self.answered(invocation) {
                    self.task_succeeded(slot, output, Answer::Function(log));
                }
            }
            Event::TaskSucceeded { invocation, result, .. } => {
                if let Some(slot) = self.answered(invocation) {
                    self.task_succeeded(slot, result, Answer::Task);
                }
            }
            Event::InvocationFailed { invocation, error, cause, .. } => {
                if let Some(slot) = self.answered(invocation) {
                    self.task_failed(slot, Failure::new(&error, cause));
                }
            }
            Event::ItemsRead { transfer, items, ended, .. } => self.items_read(transfer, items, ended),
            Event::ResultsWritten { transfer, result, .. } => self.results_written(transfer, result),
            Event::TransferFailed { transfer, error, cause, .. } => {
                self.transfer_failed(transfer, Failure::new(&error, cause));
            }
            Event::TimerFired { timer, .. } => self.timer_fired(timer),
            Event::Continue { .. } => {}
            Event::Aborted { error, cause, .. } => {
                let detail = Detail::Failure { error: error.clone(), cause: cause.clone() };
                self.stop(EventKind::ExecutionAborted, detail, Outcome::Aborted { error, cause });
            }
        }
    }

    /// Runs what can go on, up to the limit of transitions.
    pub(crate) fn until_blocked(&mut self) {
        for _ in 0..self.machine.limits().transitions_per_step {
            let Some((slot, serial)) = self.execution.ready.pop_front() else { return };
            // A branch that was cancelled while it was in the queue is gone.
            if let Some(branch) =
                self.execution.branches.get_mut(slot).filter(|branch| branch.serial == serial)
            {
                branch.queued = false;
                self.advance(slot);
            }
        }
        // A branch that never waits must not keep the others from running.
        if let Some(front) = self.execution.ready.pop_front() {
            self.execution.ready.push_back(front);
            self.actions.push(Action::Yield);
        }
    }

    fn advance(&mut self, slot: u32) {
        match self.execution.branches[slot].activity {
            Activity::Enter => {
                let state = self.state(slot);
                let detail = Detail::Input(self.execution.branches[slot].input.clone());
                let event = self.record(slot, EventKind::entered(&state.kind), detail);
                let now = self.execution.now;
                let branch = &mut self.execution.branches[slot];
                branch.entered_event = event;
                branch.entered_at = now;
                branch.retries.clear();
                self.attempt(slot, state);
            }
            Activity::Attempt => self.attempt(slot, self.state(slot)),
            Activity::Group(_) => self.start_child(slot),
            Activity::Invoking { .. } | Activity::Waiting { .. } | Activity::Backoff { .. } => {}
        }
    }

    fn attempt(&mut self, slot: u32, state: &'m State) {
        let result = match &state.kind {
            StateKind::Task(task) => self.begin_task(slot, state, task),
            StateKind::Pass(pass) => self.run_pass(slot, pass),
            StateKind::Choice(choice) => self.run_choice(slot, choice),
            StateKind::Wait(wait) => self.begin_wait(slot, wait),
            StateKind::Succeed => self.run_succeed(slot),
            StateKind::Fail(fail) => self.run_fail(slot, fail),
            StateKind::Parallel(parallel) => self.begin_parallel(slot, parallel),
            StateKind::Map(map) => self.begin_map(slot, map),
        };
        self.settle(slot, result);
    }

    /// Fails the state if what it did went wrong.
    pub(crate) fn settle(&mut self, slot: u32, result: Result<(), Failure>) {
        if let Err(failure) = result {
            self.fail_state(slot, failure);
        }
    }

    /// The branch that waits for an invocation. Its timer, if any, is no longer needed.
    fn answered(&mut self, invocation: InvocationId) -> Option<u32> {
        let slot = slot_of(invocation.0);
        match self.execution.branches.get(slot)?.activity {
            Activity::Invoking { invocation: awaited, timer, .. } if awaited == invocation => {
                self.actions.extend(timer.map(|timer| Action::CancelTimer { timer }));
                Some(slot)
            }
            _ => None,
        }
    }

    fn timer_fired(&mut self, fired: TimerId) {
        if Some(fired) == self.execution.deadline {
            self.execution.deadline = None;
            self.stop(EventKind::ExecutionTimedOut, Detail::Nothing, Outcome::TimedOut);
            return;
        }
        let slot = slot_of(fired.0);
        let Some(branch) = self.execution.branches.get_mut(slot) else { return };
        match branch.activity {
            Activity::Waiting { timer } if timer == fired => self.end_wait(slot),
            Activity::Backoff { timer } if timer == fired => {
                branch.activity = Activity::Attempt;
                self.make_ready(slot);
            }
            Activity::Invoking { invocation, timer: Some(timer), heartbeat } if timer == fired => {
                self.actions.push(Action::Cancel { invocation });
                let error = if heartbeat { HEARTBEAT_TIMEOUT } else { TIMEOUT };
                self.task_timed_out(slot, Failure { cause: None, ..Failure::new(error, "") });
            }
            _ => {}
        }
    }

    /// To be the next that goes on.
    pub(crate) fn make_ready(&mut self, slot: u32) {
        let branch = &mut self.execution.branches[slot];
        if !std::mem::replace(&mut branch.queued, true) {
            self.execution.ready.push_front((slot, branch.serial));
        }
    }

    /// The state that a branch is in.
    pub(crate) fn state(&self, slot: u32) -> &'m State {
        let branch = &self.execution.branches[slot];
        self.machine.flow(&branch.turns).state(branch.state)
    }

    /// Writes the next event of a branch's history and returns its id.
    pub(crate) fn record(&mut self, slot: u32, kind: EventKind, detail: Detail) -> u64 {
        let state = Some(Arc::clone(&self.state(slot).name));
        self.write(slot, kind, state, detail)
    }

    /// Writes an event of a Map's iteration, if that is what the branch is.
    pub(crate) fn record_iteration(&mut self, slot: u32, kind: EventKind) {
        let branch = &self.execution.branches[slot];
        let (Some(parent), Some(turn)) = (branch.parent, branch.turns.last().copied()) else { return };
        let map = self.state(parent);
        if matches!(&map.kind, StateKind::Map(map) if map.distributed.is_none()) {
            self.write(slot, kind, Some(Arc::clone(&map.name)), Detail::Iteration(turn.child));
        }
    }

    pub(crate) fn record_without_state(&mut self, slot: u32, kind: EventKind, detail: Detail) -> u64 {
        self.write(slot, kind, None, detail)
    }

    /// Into the history of the child execution that the branch is part of, or into the execution's own.
    fn write(&mut self, slot: u32, kind: EventKind, state: Option<Arc<str>>, detail: Detail) -> u64 {
        let root = self.execution.branches[slot].root;
        let child = root.and_then(|root| self.execution.branches[root].child.as_mut());
        let (id, execution) = match child {
            Some(child) => {
                child.last_event += 1;
                (child.last_event, Some(Arc::clone(&child.name)))
            }
            None => {
                self.execution.last_event += 1;
                (self.execution.last_event, None)
            }
        };
        let previous_id = std::mem::replace(&mut self.execution.branches[slot].last_event, id);
        let at = self.execution.now;
        let resource = match &self.state(slot).kind {
            StateKind::Task(task) if kind.is_of_integration() => Some(Arc::clone(&task.resource_text)),
            _ => None,
        };
        let event = HistoryEvent { id, execution, previous_id, at, kind, state, resource, detail };
        self.actions.push(Action::Record(event));
        id
    }

    /// Leaves the state with its output, and with the variables that it sets.
    pub(crate) fn leave(
        &mut self,
        slot: u32,
        output: Payload,
        assigned: Option<Payload>,
        transition: Transition,
    ) {
        if let Some(assigned) = &assigned
            && let Err(failure) = self.set_variables(slot, assigned)
        {
            return self.fail_state(slot, failure);
        }
        if let Some(exited) = EventKind::exited(&self.state(slot).kind) {
            self.record(slot, exited, Detail::Exited { output: output.clone(), assigned });
        }
        if self.execution.trial.is_some() {
            return self.end_trial(slot, output, transition);
        }
        match transition {
            Transition::Next(next) => {
                let branch = &mut self.execution.branches[slot];
                branch.state = next;
                branch.input = output;
                branch.activity = Activity::Enter;
                self.make_ready(slot);
            }
            Transition::End => self.end_branch(slot, output),
        }
    }

    fn end_branch(&mut self, slot: u32, output: Payload) {
        match self.execution.branches[slot].parent {
            Some(parent) => self.child_succeeded(slot, parent, output),
            None => {
                self.record_without_state(
                    slot,
                    EventKind::ExecutionSucceeded,
                    Detail::Output(output.clone()),
                );
                self.finish(Outcome::Succeeded(output));
            }
        }
    }

    /// A state failed, and neither Retry nor Catch took it.
    pub(crate) fn fail_branch(&mut self, slot: u32, failure: Failure) {
        match self.execution.branches[slot].parent {
            Some(parent) => self.child_failed(slot, parent, failure),
            None => {
                let Failure { error, cause, .. } = failure;
                let detail = Detail::Failure { error: error.clone(), cause: cause.clone() };
                self.record_without_state(slot, EventKind::ExecutionFailed, detail);
                self.finish(Outcome::Failed { error, cause });
            }
        }
    }

    /// Ends the execution from outside, wherever it is.
    fn stop(&mut self, kind: EventKind, detail: Detail, outcome: Outcome) {
        self.cancel_inside(None);
        let previous_id = self.execution.last_event;
        let id = previous_id + 1;
        self.execution.last_event = id;
        let at = self.execution.now;
        self.actions.push(Action::Record(HistoryEvent {
            id,
            execution: None,
            previous_id,
            at,
            kind,
            state: None,
            resource: None,
            detail,
        }));
        self.finish(outcome);
    }

    pub(crate) fn finish(&mut self, outcome: Outcome) {
        if let Some(timer) = self.execution.deadline.take() {
            self.actions.push(Action::CancelTimer { timer });
        }
        self.execution.branches.clear();
        self.execution.ready.clear();
        self.execution.outcome = Some(outcome.clone());
        self.actions.push(Action::Finished(outcome));
    }

    /// Gives up all that goes on inside the branch in a slot, or inside the execution.
    pub(crate) fn cancel_inside(&mut self, slot: Option<u32>) {
        for inside in self.execution.branches.inside(slot) {
            let state = self.state(inside);
            let entered = self.execution.branches[inside].activity != Activity::Enter;
            match &self.execution.branches[inside].activity {
                &Activity::Invoking { invocation, timer, .. } => {
                    self.actions.push(Action::Cancel { invocation });
                    self.actions.extend(timer.map(|timer| Action::CancelTimer { timer }));
                }
                &(Activity::Waiting { timer } | Activity::Backoff { timer }) => {
                    self.actions.push(Action::CancelTimer { timer });
                }
                Activity::Group(_) => self.cancel_map_run(inside),
                Activity::Enter | Activity::Attempt => {}
            }
            if let Some(aborted) = EventKind::aborted(&state.kind).filter(|_| entered) {
                self.record(inside, aborted, Detail::Nothing);
            }
            self.record_iteration(inside, EventKind::MapIterationAborted);
            if self.execution.branches[inside].child.is_some() {
                self.record_without_state(inside, EventKind::ExecutionAborted, Detail::Nothing);
            }
            self.execution.branches.remove(inside);
        }
    }
}

pub(crate) fn slot_of(id: u64) -> u32 {
    (id >> 32) as u32
}

pub(crate) fn after_seconds(at: Micros, seconds: u32) -> Micros {
    at.saturating_add(u64::from(seconds) * 1_000_000)
}
