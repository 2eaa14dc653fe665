//! A run of calls: functions of one domain that follow each other, each with the result before it as its event, without a word
//! of the orchestrator's in between.
//!
//! One word says which call of the run is under way. The domain raises it when it goes on; the orchestrator ends the run by a bit
//! in it. So both know of every call whether it has been begun.

use crate::mailbox::Answer;
use crate::sys::monotonic_nanos;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Longest request id, in bytes.
const REQUEST_ID_LEN: usize = 64;

/// Most calls that follow the first one.
pub const MOST_AHEAD: usize = 15;

/// In the word that says which call is under way: no other one is to follow it.
const ENDED: u32 = 1 << 31;

/// A call that follows in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// The position of the function in its domain.
    pub function: u32,
    /// At most 64 bytes.
    pub request_id: String,
    /// Microseconds that it has; `None` is any time.
    pub timeout_us: Option<u64>,
    /// It does not follow a result whose flat form begins with one of these bytes.
    pub not_behind: &'static [u8; 2],
}

/// Nothing begins with these.
pub const BEHIND_ALL: &[u8; 2] = &[u8::MAX; 2];

#[repr(C)]
pub(crate) struct RequestIdWords {
    len: AtomicU32,
    bytes: [AtomicU64; REQUEST_ID_LEN / 8],
}

impl RequestIdWords {
    pub(crate) fn store(&self, id: &str) {
        let id = &id.as_bytes()[..id.len().min(REQUEST_ID_LEN)];
        let mut padded = [0; REQUEST_ID_LEN];
        padded[..id.len()].copy_from_slice(id);
        for (word, chunk) in self.bytes.iter().zip(padded.as_chunks::<8>().0) {
            word.store(u64::from_ne_bytes(*chunk), Ordering::Relaxed);
        }
        self.len.store(id.len() as u32, Ordering::Relaxed);
    }

    pub(crate) fn load(&self) -> RequestId {
        let mut bytes = [0; REQUEST_ID_LEN];
        for (chunk, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(&self.bytes) {
            *chunk = word.load(Ordering::Relaxed).to_ne_bytes();
        }
        RequestId { bytes, len: (self.len.load(Ordering::Relaxed) as usize).min(REQUEST_ID_LEN) }
    }
}

pub(crate) struct RequestId {
    bytes: [u8; REQUEST_ID_LEN],
    len: usize,
}

impl RequestId {
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or("")
    }
}

#[repr(C)]
pub(crate) struct AheadWords {
    function: AtomicU32,
    not_behind: AtomicU32,
    request_id: RequestIdWords,
    /// 0 is any time.
    timeout_us: AtomicU64,
}

impl AheadWords {
    pub(crate) fn function(&self) -> u32 {
        self.function.load(Ordering::Relaxed)
    }

    pub(crate) fn request_id(&self) -> RequestId {
        self.request_id.load()
    }
}

/// A result that was handed on: from where to where it lies in the room for those.
#[repr(C)]
struct HandedOnWords {
    from: AtomicU64,
    to: AtomicU64,
    called_ns: AtomicU64,
    returned_ns: AtomicU64,
}

#[repr(C)]
pub(crate) struct RunWords {
    under_way: AtomicU32,
    count: AtomicU32,
    epoch_us: AtomicU64,
    ahead: [AheadWords; MOST_AHEAD],
    handed_on: [HandedOnWords; MOST_AHEAD],
}

impl RunWords {
    /// The orchestrator's. Those of `ahead` for which there is no place are left out.
    pub(crate) fn store(&self, ahead: &[Ahead], epoch_us: i64) {
        for (words, call) in self.ahead.iter().zip(ahead) {
            words.function.store(call.function, Ordering::Relaxed);
            let [one, other] = *call.not_behind;
            words.not_behind.store(u32::from(one) << 8 | u32::from(other), Ordering::Relaxed);
            words.request_id.store(&call.request_id);
            words.timeout_us.store(call.timeout_us.unwrap_or(0), Ordering::Relaxed);
        }
        self.epoch_us.store(epoch_us as u64, Ordering::Relaxed);
        self.count.store(ahead.len().min(MOST_AHEAD) as u32, Ordering::Relaxed);
        self.under_way.store(0, Ordering::Relaxed);
    }

    /// The orchestrator's: from where to where the result of a call lies, and its times, once the next one is under way. All of it is
    /// what the domain says.
    pub(crate) fn handed_on(&self, number: u32) -> Option<(usize, usize, u64, u64)> {
        let under_way = self.under_way.load(Ordering::Acquire) & !ENDED;
        if number >= under_way {
            return None;
        }
        let words = self.handed_on.get(number as usize)?;
        let of = |word: &AtomicU64| word.load(Ordering::Relaxed);
        Some((of(&words.from) as usize, of(&words.to) as usize, of(&words.called_ns), of(&words.returned_ns)))
    }

    /// The orchestrator's: no other call is begun.
    pub(crate) fn end(&self) {
        self.under_way.fetch_or(ENDED, Ordering::AcqRel);
    }

    /// The call behind this one.
    pub(crate) fn ahead(&self, number: u32) -> Option<&AheadWords> {
        let is_there = number < self.count.load(Ordering::Relaxed);
        self.ahead.get(number as usize).filter(|_| is_there)
    }

    /// The domain's: says what `number` came to, which will lie at `from`. False if the next call is not to follow that.
    pub(crate) fn hand_on(&self, number: u32, from: usize, result: &[u8], answer: Answer) -> bool {
        let (Some(next), Some(words)) = (self.ahead(number), self.handed_on.get(number as usize)) else {
            return false;
        };
        let not_behind = next.not_behind.load(Ordering::Relaxed);
        let first = result.first().copied().map(u32::from);
        if first == Some(not_behind >> 8) || first == Some(not_behind & 0xff) {
            return false;
        }
        words.from.store(from as u64, Ordering::Relaxed);
        words.to.store((from + result.len()) as u64, Ordering::Relaxed);
        words.called_ns.store(answer.called_ns, Ordering::Relaxed);
        words.returned_ns.store(answer.returned_ns, Ordering::Relaxed);
        true
    }

    /// The domain's: begins the call behind this one, unless the orchestrator has ended the run.
    pub(crate) fn go_on(&self, number: u32) -> bool {
        self.under_way.compare_exchange(number, number + 1, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// The domain's: of a call that begins now; 0 is never.
    pub(crate) fn deadline_ms(&self, call: &AheadWords) -> u64 {
        match call.timeout_us.load(Ordering::Relaxed) {
            0 => 0,
            timeout_us => {
                let epoch_us = self.epoch_us.load(Ordering::Relaxed);
                epoch_us.wrapping_add(monotonic_nanos() / 1000).wrapping_add(timeout_us) / 1000
            }
        }
    }

    /// What a domain may write, whatever it was told.
    #[cfg(test)]
    pub(crate) fn claim_all(&self, len: u64) {
        for words in &self.handed_on {
            words.from.store(len / 2, Ordering::Relaxed);
            words.to.store(len, Ordering::Relaxed);
        }
        self.count.store(u32::MAX, Ordering::Relaxed);
        self.under_way.store(u32::MAX, Ordering::Release);
    }
}
