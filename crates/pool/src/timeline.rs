//! From reports to a record: which visit of which state an event and a call belong to, and what time went where.

use crate::record::{CallRecord, EventRecord, StateRecord};
use faastlane_compose::Plan;
use faastlane_instance::{CallReport, EventReport, MockReport};
use std::collections::HashMap;

/// The reports of one execution, as they came.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    pub(crate) events: Vec<EventReport>,
    pub(crate) calls: Vec<CallReport>,
    pub(crate) mocked: Vec<MockReport>,
}

/// A stretch of time, in nanoseconds since the execution started.
type Stretch = (u64, u64);

impl Timeline {
    /// Keeps an event of the execution's own history, without its details: those are for whoever follows.
    pub(crate) fn add(&mut self, event: EventReport, history: Option<&dyn Fn(&EventReport)>) {
        if let Some(follow) = history {
            follow(&event);
        }
        if event.execution.is_none() {
            self.events.push(EventReport { details: None, ..event });
        }
    }

    /// When the execution started, in microseconds since the Unix epoch.
    fn start_us(&self) -> u64 {
        self.events.first().map_or(0, |event| event.at_us)
    }

    pub(crate) fn event_records(&self) -> Vec<EventRecord> {
        let start = self.start_us();
        let record = |event: &EventReport| EventRecord {
            id: event.id,
            previous_id: event.previous_id,
            at_us: event.at_us.saturating_sub(start),
            kind: event.kind.as_str(),
            state: event.state.clone(),
            error: event.error.clone(),
            cause: event.cause.clone(),
        };
        self.events.iter().map(record).collect()
    }

    fn event(&self, id: u64) -> Option<&EventReport> {
        // Ids count from 1 without gaps.
        self.events.get(usize::try_from(id).ok()?.checked_sub(1)?)
    }

    /// The visit (by the id of its `…StateEntered`) of `state` that the event `id` belongs to.
    fn visit(&self, mut id: u64, state: &str) -> Option<u64> {
        while let Some(event) = self.event(id) {
            if event.kind.as_str().ends_with("StateEntered") && event.state.as_deref() == Some(state) {
                return Some(event.id);
            }
            id = event.previous_id;
        }
        None
    }

    pub(crate) fn state_records(&self, plan: &Plan) -> Vec<StateRecord> {
        let start = self.start_us();
        let mut records: Vec<StateRecord> = Vec::new();
        let mut position: HashMap<u64, usize> = HashMap::new();
        for event in &self.events {
            let Some(name) = event.state.as_deref() else { continue };
            let at = event.at_us.saturating_sub(start);
            if let Some(state_type) = event.kind.as_str().strip_suffix("StateEntered") {
                position.insert(event.id, records.len());
                records.push(entered(plan, name, state_type, at));
            } else if event.kind.as_str().ends_with("StateExited") {
                let visit = self.visit(event.previous_id, name).and_then(|id| position.get(&id));
                if let Some(&visit) = visit {
                    records[visit].exited_us = Some(at);
                }
            } else if let Some(failed) = outcome_of_a_try(event) {
                let visit = self.visit(event.previous_id, name).and_then(|id| position.get(&id));
                if let Some(&visit) = visit {
                    records[visit].error = failed.map(str::to_owned);
                }
            }
        }
        let mut waits = self.waits(&records);
        waits.sort_unstable();
        let mut waits = waits.into_iter().peekable();
        let mut calls: Vec<&CallReport> = self.calls.iter().collect();
        calls.sort_by_key(|call| call.called_ns);
        // When all that had begun before a call was over.
        let mut busy_until = 0;
        for call in calls {
            while let Some((_, end)) = waits.next_if(|&(begin, _)| begin <= call.called_ns) {
                busy_until = busy_until.max(end);
            }
            let Some(scheduled) = self.event(call.scheduled_id) else { continue };
            let Some(state) = scheduled.state.as_deref() else { continue };
            let visit = self.visit(call.scheduled_id, state).and_then(|id| position.get(&id));
            if let Some(&visit) = visit {
                records[visit].calls.push(call_record(call, busy_until));
            }
            busy_until = busy_until.max(call.returned_ns);
        }
        for mocked in &self.mocked {
            let state = self.event(mocked.scheduled_id).and_then(|scheduled| scheduled.state.as_deref());
            let visit = state.and_then(|state| self.visit(mocked.scheduled_id, state));
            if let Some(&visit) = visit.and_then(|id| position.get(&id)) {
                records[visit].mocked = true;
                records[visit].function.get_or_insert_with(|| mocked.function.to_string());
            }
        }
        records
    }

    /// Each once.
    pub(crate) fn mocked_functions(&self) -> Vec<String> {
        let mut functions: Vec<String> = Vec::new();
        for mocked in &self.mocked {
            if !functions.iter().any(|known| **known == *mocked.function) {
                functions.push(mocked.function.to_string());
            }
        }
        functions
    }

    /// Whether no two domains had a call at the same time. Calls are there in the order in which they came back.
    pub(crate) fn is_one_at_a_time(&self) -> bool {
        let follows = |pair: &[CallReport]| {
            let [before, after] = pair else { return true };
            after.handed_ns >= before.received_ns
                || (after.domain, after.lane) == (before.domain, before.lane)
        };
        self.calls.windows(2).all(follows)
    }

    /// Time between the first call and the last return in which no function ran and nothing waited on purpose, in
    /// microseconds.
    pub(crate) fn interaction_us(&self, states: &[StateRecord]) -> u64 {
        let Some(first) = self.calls.iter().map(|call| call.called_ns).min() else { return 0 };
        let last = self.calls.iter().map(|call| call.returned_ns).max().unwrap_or(first);
        let mut busy = self.waits(states);
        busy.extend(self.calls.iter().map(|call| (call.called_ns, call.returned_ns)));
        idle(&mut busy, first, last) / 1000
    }

    /// Wait states, and the delays before retries.
    fn waits(&self, states: &[StateRecord]) -> Vec<Stretch> {
        let start = self.start_us();
        let since = |us: u64| us.saturating_sub(start) * 1000;
        let waited = states
            .iter()
            .filter(|state| state.state_type == "Wait")
            .filter_map(|state| Some((state.entered_us * 1000, state.exited_us? * 1000)));
        let failed = |event: &EventReport| {
            event.kind.as_str().ends_with("Failed") || event.kind.as_str().ends_with("TimedOut")
        };
        let retried =
            self.events.iter().filter(|event| event.kind.as_str().ends_with("Scheduled")).filter_map(
                |event| {
                    let before = self.event(event.previous_id).filter(|before| failed(before))?;
                    Some((since(before.at_us), since(event.at_us)))
                },
            );
        waited.chain(retried).collect()
    }
}

fn entered(plan: &Plan, name: &str, state_type: &'static str, at: u64) -> StateRecord {
    let planned = plan.states.iter().find(|state| state.name == name);
    StateRecord {
        name: name.to_owned(),
        state_type,
        function: planned.and_then(|state| state.function.clone()),
        placement: planned.and_then(|state| state.placement),
        domain: planned.and_then(|state| state.domain).map(|domain| plan.domains[domain].name.clone()),
        entered_us: at,
        exited_us: None,
        mocked: false,
        depth: planned.map_or(0, |state| state.within.len()),
        error: None,
        calls: Vec::new(),
    }
}

/// Of an event that ends a try or begins one: the error it failed with.
fn outcome_of_a_try(event: &EventReport) -> Option<Option<&str>> {
    let kind = event.kind.as_str();
    // An iteration is no visit of its Map.
    if kind.starts_with("MapIteration") {
        return None;
    }
    if kind.ends_with("Failed") || kind.ends_with("TimedOut") {
        return Some(Some(event.error.as_deref().unwrap_or_default()));
    }
    (kind.ends_with("Scheduled") || kind.ends_with("Succeeded") || kind.ends_with("Started")).then_some(None)
}

fn call_record(call: &CallReport, busy_until: u64) -> CallRecord {
    CallRecord {
        request_id: call.request_id.clone(),
        lane: call.lane,
        called_ns: call.called_ns,
        returned_ns: call.returned_ns,
        between_ns: call.called_ns.checked_sub(busy_until),
        event_bytes: call.event_bytes,
        result_bytes: call.result_bytes,
    }
}

/// How much of `first..last` no stretch covers.
fn idle(busy: &mut [Stretch], first: u64, last: u64) -> u64 {
    busy.sort_unstable();
    let (mut covered_to, mut idle) = (first, 0);
    for &(begin, end) in busy.iter() {
        idle += begin.clamp(covered_to, last.max(covered_to)) - covered_to;
        covered_to = covered_to.max(end.min(last));
    }
    idle + last.saturating_sub(covered_to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_is_what_nothing_covers() {
        assert_eq!(idle(&mut [(0, 10), (20, 30)], 0, 30), 10);
        assert_eq!(idle(&mut [(0, 25), (20, 30), (5, 7)], 0, 30), 0);
        assert_eq!(idle(&mut [(0, 10)], 0, 30), 20);
        assert_eq!(idle(&mut [(40, 50)], 0, 30), 30);
    }
}
