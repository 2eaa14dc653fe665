//! Parallel and Map: states that run other states. Children are started one at a time, each when the one before it
//! waits for something, so that what never waits needs no room.

use crate::action::Turn;
use crate::branch::{Activity, Branch, Group, Source, Stream, Tolerance};
use crate::failure::Failure;
use crate::history::{Detail, EventKind};
use crate::item::{Item, List};
use crate::run::Run;
use faastlane_asl::definition::{Parallel, StateKind, Transition};
use faastlane_payload::Payload;
use std::sync::Arc;

/// What a child starts with.
pub(super) struct Start {
    pub(super) input: Payload,
    /// What `$$.Map.Item` is in it.
    pub(super) item: Option<Item>,
}

impl<'m> Run<'m, '_> {
    pub(crate) fn begin_parallel(&mut self, slot: u32, parallel: &'m Parallel) -> Result<(), Failure> {
        let input = self.effective_input(slot)?;
        self.record(slot, EventKind::ParallelStateStarted, Detail::Nothing);
        if self.execution.trial.is_some() {
            return self.try_parallel(slot, parallel.transition);
        }
        let branches = u32::try_from(parallel.branches.len()).unwrap_or(u32::MAX);
        self.begin_group(slot, Group::new(input, Source::Branches(branches)))
    }

    pub(super) fn begin_group(&mut self, slot: u32, group: Group) -> Result<(), Failure> {
        self.execution.branches[slot].activity = Activity::Group(Box::new(group));
        self.go_on_with_group(slot)
    }

    /// Starts the next child of a group that has room for one, if it still has.
    pub(crate) fn start_child(&mut self, slot: u32) {
        if !self.group(slot).has_room() {
            let result = self.go_on_with_group(slot);
            self.settle(slot, result);
            return;
        }
        let start = match self.child_start(slot) {
            Ok(Some(start)) => start,
            // Its items have not been read yet.
            Ok(None) => return,
            Err(failure) => {
                self.cancel_inside(Some(slot));
                self.fail_group(slot, failure);
                return;
            }
        };
        let group = self.group(slot);
        let index = group.next;
        group.next += 1;
        group.running += 1;
        if group.has_room() {
            self.make_ready(slot);
        }
        let parent = &self.execution.branches[slot];
        let turn = Turn { state: parent.state, child: index };
        let turns: Arc<[Turn]> = parent.turns.iter().copied().chain([turn]).collect();
        let (last_event, root, variables) = (parent.last_event, parent.root, Arc::clone(&parent.variables));
        let child = Branch {
            serial: self.execution.next_serial(),
            parent: Some(slot),
            state: self.machine.flow(&turns).start_at,
            turns,
            activity: Activity::Enter,
            queued: false,
            input: start.input,
            entered_event: 0,
            entered_at: self.execution.now,
            last_event,
            retries: Vec::new(),
            item: start.item,
            variables,
            task_token: None,
            child: None,
            root,
        };
        let child = self.execution.branches.insert(child);
        if self.group(slot).run.is_some() {
            self.begin_child_execution(child, slot);
        } else {
            self.record_iteration(child, EventKind::MapIterationStarted);
        }
        self.make_ready(child);
    }

    /// What the next child starts with; `None` where that has to be read first.
    fn child_start(&mut self, slot: u32) -> Result<Option<Start>, Failure> {
        match &self.state(slot).kind {
            StateKind::Map(map) => self.next_items(slot, map),
            _ => {
                let input = self.group(slot).input.clone();
                Ok(Some(Start { input, item: self.execution.branches[slot].item.clone() }))
            }
        }
    }

    pub(crate) fn child_succeeded(&mut self, child: u32, slot: u32, output: Payload) {
        self.record_iteration(child, EventKind::MapIterationSucceeded);
        let result = self.end_child_execution(child, slot, Ok(output));
        let index = self.end_child(child, slot);
        let kept = result.and_then(|result| self.keep_result(slot, index, result));
        self.go_on_without(slot, kept);
    }

    pub(crate) fn child_failed(&mut self, child: u32, slot: u32, failure: Failure) {
        self.record_iteration(child, EventKind::MapIterationFailed);
        let result = self.end_child_execution(child, slot, Err(&failure));
        let index = self.end_child(child, slot);
        let group = self.group(slot);
        group.failed += 1;
        if !group.tolerance.is_exceeded(group.failed, group.source.total()) {
            let kept = result.and_then(|result| self.keep_result(slot, index, result));
            self.go_on_without(slot, kept);
            return;
        }
        let failure = if group.tolerance.is_given() || group.run.is_some() {
            Failure::threshold()
        } else {
            // What its expression did is in the history already.
            Failure { evaluated: None, ..failure }
        };
        self.cancel_inside(Some(slot));
        self.fail_group(slot, failure);
    }

    /// Goes on where a child has ended, unless its result could not be kept.
    fn go_on_without(&mut self, slot: u32, kept: Result<(), Failure>) {
        match kept {
            Ok(()) => {
                let result = self.go_on_with_group(slot);
                self.settle(slot, result);
            }
            Err(failure) => {
                self.cancel_inside(Some(slot));
                self.fail_group(slot, failure);
            }
        }
    }

    /// Fails a state in whose group nothing goes on any more.
    pub(super) fn fail_group(&mut self, slot: u32, failure: Failure) {
        self.fail_map_run(slot, &failure);
        self.fail_state(slot, failure);
    }

    /// Takes an ended child out of the group and returns which it was.
    fn end_child(&mut self, child: u32, slot: u32) -> usize {
        let ended = self.execution.branches.remove(child);
        let ended = ended.expect("a child that ends was running, inside of its group");
        if ended.child.is_none() {
            self.execution.branches[slot].last_event = ended.last_event;
        }
        self.group(slot).running -= 1;
        ended.turns.last().map_or(0, |turn| turn.child as usize)
    }

    /// Starts the next child, asks for more items, or completes the group: whatever is next.
    pub(super) fn go_on_with_group(&mut self, slot: u32) -> Result<(), Failure> {
        let group = self.group(slot);
        if group.has_room() {
            self.make_ready(slot);
            return Ok(());
        }
        let is_complete = group.running == 0 && !group.has_children_left();
        if is_complete { self.complete_group(slot) } else { Ok(()) }
    }

    fn complete_group(&mut self, slot: u32) -> Result<(), Failure> {
        if self.close_results(slot) {
            return Ok(());
        }
        let result = self.kept_results(slot)?;
        self.leave_group(slot, result)
    }

    /// Leaves a Parallel or Map with its result.
    pub(super) fn leave_group(&mut self, slot: u32, result: Payload) -> Result<(), Failure> {
        let (succeeded, transition) = match &self.state(slot).kind {
            StateKind::Parallel(parallel) => (EventKind::ParallelStateSucceeded, parallel.transition),
            StateKind::Map(map) => (EventKind::MapStateSucceeded, map.transition),
            _ => (EventKind::MapStateSucceeded, Transition::End),
        };
        if self.group(slot).run.is_some() {
            self.record(slot, EventKind::MapRunSucceeded, Detail::Nothing);
        }
        self.record(slot, succeeded, Detail::Nothing);
        self.complete(slot, result, transition)
    }

    pub(super) fn group(&mut self, slot: u32) -> &mut Group {
        match &mut self.execution.branches[slot].activity {
            Activity::Group(group) => group,
            _ => unreachable!("a branch with children is in a Parallel or a Map"),
        }
    }
}

impl Group {
    pub(super) fn new(input: Payload, source: Source) -> Group {
        Group {
            input,
            source,
            next: 0,
            running: 0,
            concurrency: u32::MAX,
            tolerance: Tolerance::default(),
            failed: 0,
            results: Vec::new(),
            result_bytes: 0,
            run: None,
        }
    }

    pub(super) fn has_children_left(&self) -> bool {
        match &self.source {
            Source::Branches(total) => self.next < *total,
            Source::Items { items, next } => (*next as usize) < items.count(),
            Source::Stream(Stream { buffer, ended, .. }) => !ended || !buffer.is_empty(),
        }
    }

    fn has_room(&self) -> bool {
        self.has_children_left() && self.running < self.concurrency
    }
}

impl Source {
    /// How many items there are, as far as that is known.
    pub(crate) fn total(&self) -> u32 {
        let count = |items: &List| u32::try_from(items.count()).unwrap_or(u32::MAX);
        match self {
            Source::Branches(total) => *total,
            Source::Items { items, .. } => count(items),
            Source::Stream(stream) => {
                stream.taken.saturating_add(u32::try_from(stream.buffer.len()).unwrap_or(u32::MAX))
            }
        }
    }
}
