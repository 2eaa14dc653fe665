//! The line in front of a domain: one call at a time, first come, first served.

use crate::invocation::Invocation;
use faastlane_domain::Mailbox;
use faastlane_machine::InvocationId;
use faastlane_payload::Payload;
use std::collections::VecDeque;

/// A call that a domain works on.
pub(crate) struct Underway {
    pub(crate) invocation: Invocation,
    /// The machine does not wait for it any more (a timeout, a sibling that failed): what comes back is dropped.
    pub(crate) abandoned: bool,
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

    /// Calls that wait behind one that nobody waits for any more, which may never end.
    pub(crate) fn held_up(&self) -> impl Iterator<Item = &Invocation> {
        let held_up = self.underway.as_ref().is_some_and(|underway| underway.abandoned);
        self.waiting.iter().filter(move |_| held_up).map(|(invocation, _)| invocation)
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

    /// Nobody waits for `invocation` any more. True if it was here.
    pub(crate) fn cancel(&mut self, invocation: InvocationId) -> bool {
        if let Some(underway) = self.underway.as_mut().filter(|underway| underway.invocation.id == invocation)
        {
            underway.abandoned = true;
            return true;
        }
        let before = self.waiting.len();
        self.waiting.retain(|(waiting, _)| waiting.id != invocation);
        before != self.waiting.len()
    }

    /// The execution is over.
    pub(crate) fn abandon_all(&mut self) {
        self.waiting.clear();
        if let Some(underway) = &mut self.underway {
            underway.abandoned = true;
        }
    }
}
