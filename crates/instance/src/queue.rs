//! The line in front of a domain, and the places where its calls are made: one for each lane. First come, first served.

use crate::invocation::Invocation;
use faastlane_compose::Usual;
use faastlane_domain::Mailbox;
use faastlane_machine::{InvocationId, Micros};
use faastlane_payload::Payload;
use std::collections::VecDeque;

/// A call that a domain works on.
pub(crate) struct Underway {
    pub(crate) invocation: Invocation,
    /// Since when the machine does not wait for it any more (a timeout, a sibling that failed): what comes back is dropped.
    pub(crate) abandoned: Option<Micros>,
    /// Nanoseconds of the monotonic clock.
    pub(crate) handed_ns: u64,
    pub(crate) event_bytes: u64,
}

/// How long a call must have its domain, in nanoseconds, to go to a lane that is there: it wakes another CPU for that.
const WORTH_ANOTHER_CPU_NS: u64 = 30_000;

/// One domain in one lane, which works on one call at a time.
pub(crate) struct Seat {
    pub(crate) lane: u32,
    pub(crate) mailbox: Mailbox,
    /// It takes calls.
    pub(crate) up: bool,
    pub(crate) underway: Option<Underway>,
    /// What the domain goes on with by itself.
    pub(crate) ahead: VecDeque<Invocation>,
}

/// One domain as the orchestrator sees it.
pub(crate) struct Queue {
    /// At least one; the first is in the instance itself.
    pub(crate) seats: Vec<Seat>,
    waiting: VecDeque<(Invocation, Payload)>,
    /// How long its functions take; `None` where none has been measured.
    pub(crate) usual: Option<Usual>,
}

impl Queue {
    pub(crate) fn new(mailbox: Mailbox, usual: Option<Usual>) -> Self {
        let mut queue = Self { seats: Vec::new(), waiting: VecDeque::new(), usual };
        queue.add_seat(0, mailbox);
        queue
    }

    pub(crate) fn add_seat(&mut self, lane: u32, mailbox: Mailbox) {
        self.seats.push(Seat { lane, mailbox, up: false, underway: None, ahead: VecDeque::new() });
    }

    pub(crate) fn push(&mut self, invocation: Invocation, payload: Payload) {
        self.waiting.push_back((invocation, payload));
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.seats.iter().any(|seat| seat.underway.is_some())
    }

    /// Whether a domain goes on by itself.
    pub(crate) fn has_run(&self) -> bool {
        self.seats.iter().any(|seat| !seat.ahead.is_empty())
    }

    /// The call that a domain has gone on with by itself, if it is this one.
    pub(crate) fn gone_on_with(&mut self, request_id: &str) -> Option<&mut Underway> {
        let mut underway = self.seats.iter_mut().filter_map(|seat| seat.underway.as_mut());
        underway.find(|underway| underway.invocation.request_id == request_id)
    }

    /// How many calls wait in line.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether calls wait behind one that nobody waits for any more, which may never end: that one, and since when.
    pub(crate) fn held_up(&self) -> Option<(InvocationId, Micros)> {
        if self.waiting.is_empty() || self.free().is_some() {
            return None;
        }
        let underway = self.seats.iter().filter_map(|seat| seat.underway.as_ref());
        underway
            .filter_map(|call| Some((call.invocation.id, call.abandoned?)))
            .min_by_key(|(_, since)| *since)
    }

    fn free(&self) -> Option<usize> {
        let own = &self.seats[0];
        let is_held_up = own.underway.as_ref().is_some_and(|underway| underway.abandoned.is_some());
        let spreads = is_held_up || self.usual.is_none_or(|usual| usual.busy_ns >= WORTH_ANOTHER_CPU_NS);
        let seats = if spreads { &self.seats[..] } else { &self.seats[..1] };
        seats.iter().position(|seat| seat.up && seat.underway.is_none())
    }

    /// The next call, and the seat that is free for it, if there are both.
    pub(crate) fn pop(&mut self) -> Option<(usize, Invocation, Payload)> {
        let seat = self.free()?;
        let (invocation, payload) = self.waiting.pop_front()?;
        Some((seat, invocation, payload))
    }

    /// Which function a call that is here is of, by position in the plan.
    pub(crate) fn function_of(&self, id: InvocationId) -> Option<usize> {
        let underway = self.seats.iter().filter_map(|seat| seat.underway.as_ref());
        let underway = underway.map(|underway| &underway.invocation);
        let mut calls = underway.chain(self.waiting.iter().map(|(invocation, _)| invocation));
        calls.find(|invocation| invocation.id == id).map(|invocation| invocation.function)
    }

    /// From `now` on nobody waits for `invocation` any more. True if it was here.
    pub(crate) fn cancel(&mut self, invocation: InvocationId, now: Micros) -> bool {
        let mut underway = self.seats.iter_mut().filter_map(|seat| seat.underway.as_mut());
        if let Some(underway) = underway.find(|underway| underway.invocation.id == invocation) {
            underway.abandoned.get_or_insert(now);
            return true;
        }
        // Mostly the first one.
        let position = self.waiting.iter().position(|(waiting, _)| waiting.id == invocation);
        position.and_then(|position| self.waiting.remove(position)).is_some()
    }

    /// The execution is over.
    pub(crate) fn abandon_all(&mut self, now: Micros) {
        self.waiting.clear();
        for underway in self.seats.iter_mut().filter_map(|seat| seat.underway.as_mut()) {
            underway.abandoned.get_or_insert(now);
        }
    }

    /// A call has taken this long, and its domain this long for it.
    pub(crate) fn took(&mut self, ns: u64, busy_ns: u64) {
        match &mut self.usual {
            Some(usual) => usual.add(ns, busy_ns),
            None => self.usual = Some(Usual::of(ns, busy_ns)),
        }
    }
}
