//! Runs of calls: what a domain does by itself between two functions of one trust group, and how the machine is told of it.
//!
//! The machine foretells what it will want, and the domain is told with the first call. Results that have been handed on are taken
//! out while the next call is under way. Until the machine has really wanted that one, it is a call that nobody waits for.

use crate::calls::Wanted;
use crate::invocation::{Invocation, request_id};
use crate::message::{HandReport, Report};
use crate::orchestrator::Orchestrator;
use crate::queue::{Queue, Underway};
use crate::timers::Due;
use faastlane_domain::{Ahead, BEHIND_ALL, MOST_AHEAD, SMALL};
use faastlane_machine::{InvocationId, Micros, NextCall};
use faastlane_payload::Payload;
use faastlane_payload::flat::tag;
use std::sync::Arc;

/// How long a result that was handed on may wait for the journal.
pub(crate) const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_millis(1);

/// What `lambda:invoke` does not hand on as it is.
const TEXT_OR_NULL: &[u8; 2] = &[tag::STRING, tag::NULL];

impl Orchestrator {
    /// What follows an invocation in its own domain without a word from here.
    pub(crate) fn calls_ahead(&self, id: InvocationId, function: usize, wanted: &Wanted) -> Vec<NextCall> {
        let plan = &self.assignment.plan;
        let domain = self.places[function].0;
        // What is handed on is within the limit of payloads.
        let is_shared = plan.domains[domain].functions.len() > 1 && self.assignment.max_payload() >= SMALL;
        let (true, None, false, Some(running)) =
            (is_shared && !self.replays(), &plan.mocks, wanted.wants_log, &self.running)
        else {
            return Vec::new();
        };
        let is_here = |call: &NextCall| {
            self.functions.get(&call.function).is_some_and(|&next| self.places[next].0 == domain)
        };
        let ahead = running.execution.calls_ahead(&self.machine, id, &wanted.path);
        ahead.take(MOST_AHEAD).take_while(is_here).collect()
    }

    /// The same, as the domain is told.
    pub(crate) fn aheads(&self, ahead: &[NextCall]) -> Vec<Ahead> {
        let Some(running) = &self.running else { return Vec::new() };
        let one = |call: &NextCall| {
            let function = *self.functions.get(&call.function)?;
            let own = self.assignment.plan.functions[function].timeout_seconds;
            let least = [own, call.timeout_seconds].into_iter().flatten().min();
            Some(Ahead {
                function: self.places[function].1,
                request_id: request_id(running.seed, call.invocation),
                timeout_us: least.map(|seconds| u64::from(seconds) * 1_000_000),
                not_behind: if call.takes_text { BEHIND_ALL } else { TEXT_OR_NULL },
            })
        };
        ahead.iter().map_while(one).collect()
    }

    /// Notes what a seat's domain will go on with.
    pub(crate) fn expect(&mut self, domain: usize, seat: usize, first: &Invocation) {
        let Some(seed) = self.running.as_ref().map(|running| running.seed) else { return };
        let one = |call: &NextCall| {
            Some(Invocation {
                id: call.invocation,
                function: *self.functions.get(&call.function)?,
                state: Arc::clone(&call.state),
                scheduled_id: 0,
                state_deadline: None,
                request_id: request_id(seed, call.invocation),
                wants_log: false,
                ahead: Vec::new(),
            })
        };
        self.queues[domain].seats[seat].ahead = first.ahead.iter().map_while(one).collect();
    }

    /// A domain has gone on with a call, which the machine has not wanted yet.
    pub(crate) fn begin_next(&mut self, domain: usize, seat: usize, next: Invocation, begun_ns: u64) {
        let abandoned = Some(self.micros(begun_ns));
        let underway = Underway { invocation: next, abandoned, handed_ns: begun_ns, event_bytes: 0 };
        self.queues[domain].seats[seat].underway = Some(underway);
    }

    /// The machine has been told of what came before the call that a domain has gone on with. If it does not want that one, the domain
    /// is to go no further.
    pub(crate) fn end_unwanted_run(&mut self, domain: usize, seat: usize) {
        let here = &self.queues[domain].seats[seat];
        if here.underway.as_ref().is_some_and(|underway| underway.abandoned.is_some()) {
            here.mailbox.end_run();
        }
    }

    /// Takes an invocation that the machine wants, if its domain has gone on with it by itself.
    pub(crate) fn has_gone_on(
        &mut self,
        domain: usize,
        wanted: Invocation,
        payload: &Payload,
    ) -> Option<Invocation> {
        let Some(underway) = self.queues[domain].gone_on_with(&wanted.request_id) else {
            return Some(wanted);
        };
        let id = wanted.id;
        let timeout = self.assignment.plan.functions[wanted.function].timeout_seconds;
        let state = Arc::clone(&wanted.state);
        underway.abandoned = None;
        underway.event_bytes = payload.len() as u64;
        underway.invocation = wanted;
        let begun_ns = underway.handed_ns;
        let lane = self.queues[domain].seats.iter().find_map(|seat| {
            seat.underway.as_ref().filter(|underway| underway.invocation.id == id).map(|_| seat.lane)
        });
        if let Some(lane) = lane {
            self.reporter.send(&Report::Handed(HandReport { domain, lane, invocation: id, state }));
        }
        if let Some(seconds) = timeout {
            let at = self.micros(begun_ns) + Micros::from(seconds) * 1_000_000;
            self.timers.set(Due::Function(id), at);
        }
        None
    }

    /// Lets no domain go on by itself from now on, and tells the machine of all calls that have been begun. Before anything happens
    /// to the execution that would keep a call from being wanted.
    pub(crate) fn end_runs(&mut self) {
        if !self.queues.iter().any(Queue::has_run) {
            return;
        }
        for queue in &mut self.queues {
            for seat in queue.seats.iter_mut().filter(|seat| !seat.ahead.is_empty()) {
                seat.mailbox.end_run();
            }
        }
        // As many as can have been handed on; other domains must not keep this from ending.
        for _ in 0..=MOST_AHEAD {
            if !self.collect_replies() {
                return;
            }
        }
    }
}
