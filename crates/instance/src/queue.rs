//! The line in front of a domain: one call at a time, first come, first served.

use crate::invocation::Invocation;
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

/// One domain as the orchestrator sees it.
pub(crate) struct Queue {
    pub(crate) mailbox: Mailbox,
    pub(crate) up: bool,
    pub(crate) underway: Option<Underway>,
    waiting: VecDeque<(Invocation, Payload)>,
}

impl Queue {
    pub(crate) fn new(mailbox: Mailbox) -> Self {
        Self { mailbox, up: false, underway: None, waiting: VecDeque::new() }
    }

    pub(crate) fn push(&mut self, invocation: Invocation, payload: Payload) {
        self.waiting.push_back((invocation, payload));
    }

    /// Whether calls wait behind one that nobody waits for any more, which may never end: that one, and since when.
    pub(crate) fn held_up(&self) -> Option<(InvocationId, Micros)> {
        let underway = self.underway.as_ref().filter(|_| !self.waiting.is_empty())?;
        Some((underway.invocation.id, underway.abandoned?))
    }

    /// The next call, if the domain is free for it.
    pub(crate) fn pop(&mut self) -> Option<(Invocation, Payload)> {
        if self.underway.is_some() { None } else { self.waiting.pop_front() }
    }

    /// Which function a call that is here is of, by position in the plan.
    pub(crate) fn function_of(&self, id: InvocationId) -> Option<usize> {
        let underway = self.underway.iter().map(|underway| &underway.invocation);
        let mut calls = underway.chain(self.waiting.iter().map(|(invocation, _)| invocation));
        calls.find(|invocation| invocation.id == id).map(|invocation| invocation.function)
    }

    /// From `now` on nobody waits for `invocation` any more. True if it was here.
    pub(crate) fn cancel(&mut self, invocation: InvocationId, now: Micros) -> bool {
        if let Some(underway) = self.underway.as_mut().filter(|underway| underway.invocation.id == invocation)
        {
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
        if let Some(underway) = &mut self.underway {
            underway.abandoned.get_or_insert(now);
        }
    }
}
