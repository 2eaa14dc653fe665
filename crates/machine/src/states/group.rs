//! Parallel and Map: states that run other states. Children are started one at a time, each when the one before it
//! waits for something, so that what never waits needs no room.

use crate::action::Turn;
use crate::branch::{Activity, Branch, Group, Item, Tolerance};
use crate::data::Exit;
use crate::failure::Failure;
use crate::history::{Detail, EventKind};
use crate::run::Run;
use faastlane_asl::definition::{Map, Parallel, State, StateKind};
use faastlane_payload::Payload;
use faastlane_payload::flat::{Draft, Elements};
use std::sync::Arc;

impl<'m> Run<'m, '_> {
    pub(crate) fn begin_parallel(&mut self, slot: u32, parallel: &'m Parallel) -> Result<(), Failure> {
        let input = self.effective_input(slot, &parallel.input_path, parallel.parameters.as_ref())?;
        self.record(slot, EventKind::ParallelStateStarted, Detail::Nothing);
        let total = count(parallel.branches.len())?;
        self.begin_group(slot, Group::new(input, None, total))
    }

    pub(crate) fn begin_map(&mut self, slot: u32, map: &'m Map) -> Result<(), Failure> {
        let input = self.selected_input(slot, &map.input_path)?;
        let items = self.select(slot, &map.items_path, &input)?;
        let Some(items) = Elements::of(&items)? else {
            let path = match &map.items_path {
                faastlane_asl::definition::Selection::Path(path) => path.as_str(),
                _ => "$",
            };
            let shown = path.strip_prefix('$').filter(|rest| rest.starts_with('$')).unwrap_or(path);
            return Err(Failure::runtime(format!("Reference path \"{shown}\" must point to array.")));
        };
        let total = count(items.count())?;
        self.record(slot, EventKind::MapStateStarted, Detail::Length(total));
        let number = |field, number: &Option<_>| {
            number.as_ref().map(|number| self.number(slot, field, number, &input)).transpose()
        };
        let tolerance = Tolerance {
            count: number("ToleratedFailureCount", &map.tolerated_failure_count)?,
            percentage: number("ToleratedFailurePercentage", &map.tolerated_failure_percentage)?,
        };
        if tolerance.percentage.is_some_and(|percentage| percentage > 100) {
            return Err(Failure::runtime("ToleratedFailurePercentage cannot be more than 100."));
        }
        let concurrency = number("MaxConcurrency", &map.max_concurrency)?.filter(|limit| *limit > 0);
        let group = Group::new(input, Some(items), total);
        self.begin_group(slot, Group { tolerance, concurrency: concurrency.unwrap_or(u32::MAX), ..group })
    }

    fn begin_group(&mut self, slot: u32, group: Group) -> Result<(), Failure> {
        let is_empty = group.total == 0;
        self.execution.branches[slot].activity = Activity::Group(Box::new(group));
        if is_empty {
            return self.complete_group(slot);
        }
        self.make_ready(slot);
        Ok(())
    }

    /// Starts the next child of a group that has room for one, if it still has.
    pub(crate) fn start_child(&mut self, slot: u32) {
        let state = self.state(slot);
        let group = self.group(slot);
        if !group.has_room() {
            return;
        }
        let index = group.next;
        let (input, item) = match self.child_input(slot, state, index) {
            Ok(child) => child,
            Err(failure) => {
                self.cancel_inside(Some(slot));
                self.fail_state(slot, failure);
                return;
            }
        };
        let group = self.group(slot);
        group.next += 1;
        group.running += 1;
        if group.has_room() {
            self.make_ready(slot);
        }
        let parent = &self.execution.branches[slot];
        let turn = Turn { state: parent.state, child: index };
        let turns: Arc<[Turn]> = parent.turns.iter().copied().chain([turn]).collect();
        let last_event = parent.last_event;
        let child = Branch {
            serial: self.execution.next_serial(),
            parent: Some(slot),
            state: self.machine.flow(&turns).start_at,
            turns,
            activity: Activity::Enter,
            queued: false,
            input,
            entered_event: 0,
            entered_at: self.execution.now,
            last_event,
            retries: Vec::new(),
            item,
        };
        let child = self.execution.branches.insert(child);
        self.record_iteration(child, EventKind::MapIterationStarted);
        self.make_ready(child);
    }

    /// With what a child starts, and what `$$.Map.Item` is in it.
    fn child_input(
        &mut self,
        slot: u32,
        state: &'m State,
        index: u32,
    ) -> Result<(Payload, Option<Item>), Failure> {
        let group = self.group(slot);
        let input = group.input.clone();
        let (StateKind::Map(map), Some(items)) = (&state.kind, group.items.clone()) else {
            return Ok((input, self.execution.branches[slot].item.clone()));
        };
        let item = Item { items, index };
        let input = match &map.item_selector {
            Some(selector) => self.fill_for_item(slot, selector, &input, Some(&item))?,
            None => Payload::from_draft(&item.view().into()),
        };
        Ok((input, Some(item)))
    }

    pub(crate) fn child_succeeded(&mut self, child: u32, slot: u32, output: Payload) {
        self.record_iteration(child, EventKind::MapIterationSucceeded);
        let index = self.end_child(child, slot);
        self.group(slot).results[index] = Some(output);
        self.go_on_with_group(slot);
    }

    pub(crate) fn child_failed(&mut self, child: u32, slot: u32, failure: Failure) {
        self.record_iteration(child, EventKind::MapIterationFailed);
        self.end_child(child, slot);
        let group = self.group(slot);
        group.failed += 1;
        if !group.tolerance.is_exceeded(group.failed, group.total) {
            self.go_on_with_group(slot);
            return;
        }
        let failure = if group.tolerance.is_given() {
            let cause = "The specified tolerated failure threshold was exceeded";
            Failure::new("States.ExceedToleratedFailureThreshold", cause)
        } else {
            failure
        };
        self.cancel_inside(Some(slot));
        self.fail_state(slot, failure);
    }

    /// Takes an ended child out of the group and returns which it was.
    fn end_child(&mut self, child: u32, slot: u32) -> usize {
        let ended = self.execution.branches.remove(child);
        let (last_event, index) = ended
            .and_then(|branch| Some((branch.last_event, branch.turns.last()?.child)))
            .expect("a child that ends was running, inside of its group");
        self.execution.branches[slot].last_event = last_event;
        self.group(slot).running -= 1;
        index as usize
    }

    fn go_on_with_group(&mut self, slot: u32) {
        let group = self.group(slot);
        if group.has_room() {
            self.make_ready(slot);
        } else if group.running == 0 {
            let result = self.complete_group(slot);
            self.settle(slot, result);
        }
    }

    fn complete_group(&mut self, slot: u32) -> Result<(), Failure> {
        let results = std::mem::take(&mut self.group(slot).results);
        let mut array = Vec::with_capacity(results.len());
        for result in results.iter().flatten() {
            array.push(Draft::Part(result.view()?));
        }
        let result = self.made(slot, Payload::from_draft(&Draft::Array(array)))?;
        let (succeeded, exit) = match &self.state(slot).kind {
            StateKind::Parallel(parallel) => (
                EventKind::ParallelStateSucceeded,
                Exit {
                    result_selector: parallel.result_selector.as_ref(),
                    result_path: &parallel.result_path,
                    output_path: &parallel.output_path,
                    transition: parallel.transition,
                },
            ),
            StateKind::Map(map) => (
                EventKind::MapStateSucceeded,
                Exit {
                    result_selector: map.result_selector.as_ref(),
                    result_path: &map.result_path,
                    output_path: &map.output_path,
                    transition: map.transition,
                },
            ),
            _ => unreachable!("only a Parallel or a Map has children"),
        };
        self.record(slot, succeeded, Detail::Nothing);
        self.complete(slot, result, exit)
    }

    fn group(&mut self, slot: u32) -> &mut Group {
        match &mut self.execution.branches[slot].activity {
            Activity::Group(group) => group,
            _ => unreachable!("a branch with children is in a Parallel or a Map"),
        }
    }
}

impl Group {
    fn new(input: Payload, items: Option<Elements>, total: u32) -> Group {
        Group {
            input,
            items,
            total,
            next: 0,
            running: 0,
            concurrency: u32::MAX,
            tolerance: Tolerance::default(),
            failed: 0,
            results: vec![None; total as usize],
        }
    }

    fn has_room(&self) -> bool {
        self.next < self.total && self.running < self.concurrency
    }
}

fn count(length: usize) -> Result<u32, Failure> {
    u32::try_from(length).map_err(|_| Failure::runtime("The items are too many to be counted."))
}
