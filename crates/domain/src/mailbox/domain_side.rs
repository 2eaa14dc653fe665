//! What a domain does with its mailbox, on its own thread.

use super::{
    BELL_CALL, BELL_QUIET, Doorbell, HANDED_ON_AT, INBOX_AT, OUTCOME_ERROR, OUTCOME_OK, OUTCOME_TOO_LARGE,
    REPLY_RETURNED, REPLY_START_FAILED, REPLY_STARTED, SMALL, Words,
};
use crate::sys;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// The domain's side of a mailbox. Used on the domain's thread, which may touch nothing but its own memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DomainSide {
    base: usize,
    doorbell: usize,
}

/// A call as the domain sees it.
pub struct Call<'a> {
    pub function: u32,
    /// The flat form.
    pub event: &'a [u8],
    pub request_id: &'a str,
    /// Milliseconds since the Unix epoch; 0 is never.
    pub deadline_ms: u64,
    /// The event is what the call before gave, in this domain.
    pub event_is_last_result: bool,
    /// The result may be the event of the next call.
    pub result_is_next_event: bool,
}

/// What a domain's runtime made of a call: how many bytes it wrote, and when it called the handler.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    pub outcome: Written,
    pub called_ns: u64,
    pub returned_ns: u64,
}

#[derive(Clone, Copy, Debug)]
pub enum Written {
    Ok(usize),
    Error(usize),
    TooLarge,
}

impl DomainSide {
    /// # Safety
    /// `base` is a mailbox and `doorbell` a futex word, both mapped for as long as this value is used.
    pub(crate) unsafe fn new(base: usize, doorbell: &Doorbell) -> Self {
        Self { base, doorbell: doorbell.memory.address() }
    }

    /// The same, when its mailbox has moved to `base`.
    ///
    /// # Safety
    /// As for [`Self::new`].
    pub(crate) unsafe fn moved(self, base: usize) -> Self {
        Self { base, ..self }
    }

    fn words(&self) -> &Words {
        // SAFETY: see `new`.
        unsafe { &*(self.base as *const Words) }
    }

    fn send(&self, reply: u32) {
        self.words().reply.store(reply, Ordering::Release);
        // SAFETY: see `new`.
        let doorbell = unsafe { &*(self.doorbell as *const AtomicU32) };
        doorbell.fetch_add(1, Ordering::SeqCst);
        if self.words().awake.load(Ordering::SeqCst) == 0 {
            sys::futex_wake(doorbell);
        }
    }

    /// Where an error object goes when the runtime does not start.
    pub(crate) fn start_error(&mut self) -> &mut [u8] {
        // SAFETY: every mailbox has an inbox of that size, which nobody uses before the first call.
        unsafe { std::slice::from_raw_parts_mut((self.base + INBOX_AT) as *mut u8, SMALL) }
    }

    pub(crate) fn started(&self) {
        self.send(REPLY_STARTED);
    }

    pub(crate) fn start_failed(&self, written: usize) {
        self.words().len.store(written as u64, Ordering::Relaxed);
        self.send(REPLY_START_FAILED);
    }

    pub(crate) fn has_call(&self) -> bool {
        self.words().bell.load(Ordering::Acquire) == BELL_CALL
    }

    /// Sleeps until the bell rings.
    pub(crate) fn wait(&self) {
        while !self.has_call() {
            sys::futex_wait(&self.words().bell, BELL_QUIET, None);
        }
    }

    /// Answers the call that rang, and those that follow it in its run.
    pub(crate) fn answer(&self, mut work: impl FnMut(&Call<'_>, &mut [u8]) -> Answer) {
        let words = self.words();
        words.bell.store(BELL_QUIET, Ordering::Relaxed);
        let at = |offset: &AtomicU64| self.base.wrapping_add(offset.load(Ordering::Relaxed) as usize);
        let len = |len: &AtomicU64| len.load(Ordering::Relaxed) as usize;
        // SAFETY: the orchestrator gave these ranges for the length of the call; they are this domain's and do not overlap. The
        // room for what is handed on is part of every mailbox, and this thread's as long as it has a call.
        let (mut event, out, mut room) = unsafe {
            (
                std::slice::from_raw_parts(at(&words.event_at) as *const u8, len(&words.event_len)),
                std::slice::from_raw_parts_mut(at(&words.out_at) as *mut u8, len(&words.out_len)),
                std::slice::from_raw_parts_mut((self.base + HANDED_ON_AT) as *mut u8, SMALL),
            )
        };
        let (mut function, mut deadline_ms) =
            (words.function.load(Ordering::Relaxed), words.deadline_ms.load(Ordering::Relaxed));
        let mut request_id = words.request_id.load();
        let mut number = 0;
        let answer = loop {
            let next = words.run.ahead(number);
            let call = Call {
                function,
                event,
                request_id: request_id.as_str(),
                deadline_ms,
                event_is_last_result: number > 0,
                result_is_next_event: next.is_some(),
            };
            let answer = work(&call, out);
            let (Some(next), Written::Ok(len)) = (next, answer.outcome) else { break answer };
            let fits = len <= room.len() && len <= out.len();
            if !fits || !words.run.hand_on(number, SMALL - room.len(), &out[..len], answer) {
                break answer;
            }
            // To be there before it can be looked for.
            let (result, rest) = room.split_at_mut(len);
            result.copy_from_slice(&out[..len]);
            if !words.run.go_on(number) {
                break answer;
            }
            (event, room) = (result, rest);
            (function, request_id) = (next.function(), next.request_id());
            deadline_ms = words.run.deadline_ms(next);
            number += 1;
        };
        let (outcome, len) = match answer.outcome {
            Written::Ok(len) => (OUTCOME_OK, len),
            Written::Error(len) => (OUTCOME_ERROR, len),
            Written::TooLarge => (OUTCOME_TOO_LARGE, 0),
        };
        words.outcome.store(outcome, Ordering::Relaxed);
        words.len.store(len as u64, Ordering::Relaxed);
        words.called_ns.store(answer.called_ns, Ordering::Relaxed);
        words.returned_ns.store(answer.returned_ns, Ordering::Relaxed);
        self.send(REPLY_RETURNED);
    }
}
