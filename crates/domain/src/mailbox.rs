//! Where a payload enters and leaves a domain.
//!
//! A mailbox is a page of words that both sides see, an inbox and an outbox. It carries the domain's key: the domain and the
//! trusted threads can touch it, nobody else can. The domain sleeps on its bell; the orchestrator sleeps on one doorbell,
//! which all domains ring.
//!
//! Architecture Invariant: the orchestrator reads each word of a reply once, and checks it before it uses it. The domain is
//! not trusted to keep still.

mod domain_side;

pub(crate) use domain_side::DomainSide;
pub use domain_side::{Answer, Call, Written};

use crate::call_run::{Ahead, MOST_AHEAD, RequestIdWords, RunWords};
use crate::keys::Key;
use crate::mapping::{Mapping, trusted_key};
use crate::region::{LentRegion, Region, RegionPool, copy_of, copy_out};
use crate::shelf::{Shelf, Shelved};
use crate::sys;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// Payloads up to this many bytes are copied; larger ones move with their pages. At 16 KiB a copy and the re-tagging of a
/// region cost about the same.
pub const SMALL: usize = 16 << 10;

const BELL_QUIET: u32 = 0;
const BELL_CALL: u32 = 1;

const REPLY_NONE: u32 = 0;
const REPLY_STARTED: u32 = 1;
const REPLY_START_FAILED: u32 = 2;
const REPLY_RETURNED: u32 = 3;

const OUTCOME_OK: u32 = 0;
const OUTCOME_ERROR: u32 = 1;
const OUTCOME_TOO_LARGE: u32 = 2;

/// The first page of a mailbox. Offsets are from the start of the mailbox, wrapping, so that they hold in both processes
/// when the domain lives in another one, and reach a region anywhere when it does not.
#[repr(C)]
struct Words {
    bell: AtomicU32,
    reply: AtomicU32,
    /// The orchestrator looks for the reply by itself. It needs no wake-up then, which is a system call.
    awake: AtomicU32,
    // The call.
    function: AtomicU32,
    request_id: RequestIdWords,
    event_at: AtomicU64,
    event_len: AtomicU64,
    out_at: AtomicU64,
    out_len: AtomicU64,
    deadline_ms: AtomicU64,
    // The reply.
    outcome: AtomicU32,
    len: AtomicU64,
    called_ns: AtomicU64,
    returned_ns: AtomicU64,
    /// Calls that follow the first one without a word of the orchestrator's.
    run: RunWords,
}

/// What was handed on in a run, so that the outbox is free for the next call.
const HANDED_ON_AT: usize = sys::PAGE;

const INBOX_AT: usize = HANDED_ON_AT + SMALL;

/// Bytes of a shared mailbox that takes payloads of `max_payload` bytes. A file holds one for each lane, one behind the other.
pub fn shared_len(max_payload: usize) -> usize {
    // The error of a domain that does not start has room in any.
    INBOX_AT + (2 * sys::page_ceil(max_payload)).max(SMALL)
}

/// The word that every domain rings when it has replied, and that the orchestrator sleeps on.
///
/// Anyone may ring it; what that means is only "look again".
#[derive(Debug)]
pub struct Doorbell {
    memory: Mapping,
}

impl Doorbell {
    /// For domains of this process.
    pub fn private() -> io::Result<Self> {
        Ok(Self { memory: Mapping::private(sys::PAGE, None)? })
    }

    /// For domains of other processes too; `file` holds at least a page.
    pub fn shared(file: BorrowedFd<'_>) -> io::Result<Self> {
        Ok(Self { memory: Mapping::shared(file, sys::PAGE, None)? })
    }

    /// Puts another one in its place, for the same threads: theirs in a copy of the process.
    pub fn replace(&self, file: BorrowedFd<'_>) -> io::Result<()> {
        self.memory.replace(file, None)
    }

    pub(crate) fn word(&self) -> &AtomicU32 {
        // SAFETY: the page is mapped as long as `self`, and a futex word is always accessed atomically.
        unsafe { &*(self.memory.address() as *const AtomicU32) }
    }

    /// How often it rang. Take this before looking at the mailboxes, and give it to [`Self::wait`] after.
    pub fn rings(&self) -> u32 {
        self.word().load(Ordering::Acquire)
    }

    /// Sleeps until it rings again after `seen`, or for `timeout`. Domains of these mailboxes wake it from now on: while nobody
    /// sleeps, they ring without a system call.
    pub fn wait<'m>(
        &self,
        seen: u32,
        timeout: Option<Duration>,
        mailboxes: impl IntoIterator<Item = &'m Mailbox>,
    ) {
        mailboxes.into_iter().for_each(Mailbox::let_wake);
        sys::futex_wait(self.word(), seen, timeout);
    }

    pub fn ring(&self) {
        self.word().fetch_add(1, Ordering::Release);
        sys::futex_wake(self.word());
    }
}

/// A payload for a domain.
#[derive(Debug)]
pub enum Outgoing<'a> {
    /// To be copied.
    Bytes(&'a [u8]),
    /// Moves with its pages.
    Region(Region),
}

impl Outgoing<'_> {
    /// How many bytes of an inbox it will overwrite.
    fn len_in_inbox(&self, moves_pages: bool) -> usize {
        match self {
            Self::Bytes(bytes) if moves_pages && bytes.len() > SMALL => 0,
            Self::Bytes(bytes) => bytes.len(),
            Self::Region(_) if moves_pages => 0,
            Self::Region(region) => region.as_ref().len(),
        }
    }
}

/// A payload from a domain.
#[derive(Debug)]
pub enum Received {
    Copied(Box<[u8]>),
    Region(Region),
    Shelved(Shelved),
}

impl AsRef<[u8]> for Received {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Copied(bytes) => bytes,
            Self::Shelved(shelved) => shelved.as_ref(),
            Self::Region(region) => region.as_ref(),
        }
    }
}

/// What a domain said. Payloads are whatever bytes it wrote: they are checked where they are decoded.
#[derive(Debug)]
pub enum Reply {
    /// It takes calls.
    Started,
    /// With an error object in the flat form.
    StartFailed(Box<[u8]>),
    Returned(Returned),
    /// The result of a call that another one follows in its run, which has begun.
    HandedOn(Returned),
}

#[derive(Debug)]
pub struct Returned {
    pub outcome: Outcome,
    /// When the handler was called and when it returned, in nanoseconds of `CLOCK_MONOTONIC`, as the domain says.
    pub called_ns: u64,
    pub returned_ns: u64,
}

#[derive(Debug)]
pub enum Outcome {
    Ok(Received),
    /// With an error object in the flat form.
    Error(Box<[u8]>),
    /// The result does not fit.
    TooLarge,
}

/// What is to be called.
#[derive(Clone, Copy, Debug)]
pub struct CallHeader<'a> {
    /// The position of the function in its domain.
    pub function: u32,
    /// At most 64 bytes.
    pub request_id: &'a str,
    /// Milliseconds since the Unix epoch; 0 is never.
    pub deadline_ms: u64,
}

#[derive(Debug)]
enum Boxes {
    /// The domain is in this process: large payloads move with their pages.
    Pages { key: Option<Key>, pool: RegionPool, outbox: Option<LentRegion>, inbox: Option<LentRegion> },
    /// The domain is in another process: payloads are copied through shared memory, large results to the shelf.
    Shared { box_len: usize, shelf: Option<Arc<Shelf>> },
}

impl Boxes {
    fn moves_pages(&self) -> bool {
        matches!(self, Self::Pages { .. })
    }
}

/// The orchestrator's side of a mailbox.
#[derive(Debug)]
pub struct Mailbox {
    memory: Mapping,
    boxes: Boxes,
    /// So many bytes of the inbox are of an event that has been answered.
    answered: usize,
    /// So many bytes of the outbox are of a result that has been taken out.
    taken: usize,
    /// A call is under way: the domain writes to the outbox.
    called: bool,
    /// So many calls of the run have been taken out.
    handed_on: u32,
    /// So many bytes are of results that were handed on: they stay until the run is over, as events of its calls.
    handed_on_len: usize,
    /// So many calls follow the first one in its run. The domain can write that in its own words.
    ahead: u32,
}

impl Mailbox {
    /// A mailbox for a domain of this process.
    pub fn private(key: Option<Key>, pool: RegionPool) -> io::Result<Self> {
        let memory = Mapping::private(INBOX_AT + SMALL, key)?;
        Ok(Self::of(memory, Boxes::Pages { key, pool, outbox: None, inbox: None }))
    }

    /// A mailbox between two processes, number `lane` of those in a file that both map, each of [`shared_len`] bytes: the
    /// orchestrator's on the trusted key (`None` here), the domain's on the domain's.
    pub fn shared(file: BorrowedFd<'_>, lane: u32, max_payload: usize, key: Option<Key>) -> io::Result<Self> {
        let len = shared_len(max_payload);
        let memory = Mapping::shared_from(file, lane as usize * len, len, key.or(trusted_key()))?;
        Ok(Self::of(memory, Boxes::Shared { box_len: sys::page_ceil(max_payload), shelf: None }))
    }

    fn of(memory: Mapping, boxes: Boxes) -> Self {
        Self { memory, boxes, answered: 0, taken: 0, called: false, handed_on: 0, handed_on_len: 0, ahead: 0 }
    }

    /// From now on large results are put on the shelf, if they come through shared memory.
    pub fn use_shelf(&mut self, shelf: &Arc<Shelf>) {
        if let Boxes::Shared { shelf: ours, .. } = &mut self.boxes {
            *ours = Some(Arc::clone(shelf));
        }
    }

    /// What the domain's thread needs to know of it.
    pub(crate) fn domain_side(&self) -> usize {
        self.memory.address()
    }

    fn words(&self) -> &Words {
        // SAFETY: the page is mapped as long as `self`, was zero at first, and holds only atomics.
        unsafe { &*(self.memory.address() as *const Words) }
    }

    /// Hands the event over and rings the domain's bell.
    ///
    /// Not to be called while a call is under way, or before the domain has started. Fails when the event does not fit, or
    /// the kernel has no memory for a region.
    pub fn call(&mut self, header: CallHeader<'_>, event: Outgoing<'_>) -> io::Result<()> {
        self.call_run(header, &[], 0, event)
    }

    /// The same, and the domain goes on with `ahead` as long as calls succeed: each gets the result before it as its event.
    /// `epoch_us` is the wall clock, in microseconds, when the monotonic one was zero.
    pub fn call_run(
        &mut self,
        header: CallHeader<'_>,
        ahead: &[Ahead],
        epoch_us: i64,
        event: Outgoing<'_>,
    ) -> io::Result<()> {
        let base = self.memory.address();
        let overwritten = event.len_in_inbox(self.boxes.moves_pages());
        // What does not fit is refused.
        self.wipe_handed_on();
        self.wipe_inbox_behind(if overwritten <= self.room() { overwritten } else { 0 });
        let (event_at, event_len) = self.put_event(event)?;
        let (out_at, out_len) = self.prepare_outbox()?;
        let words = self.words();
        words.function.store(header.function, Ordering::Relaxed);
        words.request_id.store(header.request_id);
        words.run.store(ahead, epoch_us);
        words.event_at.store(event_at.wrapping_sub(base) as u64, Ordering::Relaxed);
        words.event_len.store(event_len as u64, Ordering::Relaxed);
        words.out_at.store(out_at.wrapping_sub(base) as u64, Ordering::Relaxed);
        words.out_len.store(out_len as u64, Ordering::Relaxed);
        words.deadline_ms.store(header.deadline_ms, Ordering::Relaxed);
        words.reply.store(REPLY_NONE, Ordering::Relaxed);
        words.awake.store(1, Ordering::Relaxed);
        self.called = true;
        self.handed_on = 0;
        self.ahead = ahead.len().min(MOST_AHEAD) as u32;
        let words = self.words();
        words.bell.store(BELL_CALL, Ordering::Release);
        sys::futex_wake(&words.bell);
        Ok(())
    }

    /// Where the event is, once it is where the domain can read it.
    fn put_event(&mut self, event: Outgoing<'_>) -> io::Result<(usize, usize)> {
        let copy_at = self.memory.address() + INBOX_AT;
        let (bytes, region): (&[u8], Option<Region>) = match event {
            Outgoing::Bytes(bytes) => (bytes, None),
            Outgoing::Region(region) => (&[], Some(region)),
        };
        match (&mut self.boxes, region) {
            (Boxes::Pages { key, inbox, .. }, Some(region)) => {
                let len = region.as_ref().len();
                let lent = region.lend(*key)?;
                let at = lent.address();
                *inbox = Some(lent);
                Ok((at, len))
            }
            (Boxes::Pages { key, pool, inbox, .. }, None) if bytes.len() > SMALL => {
                let mut region = pool.take()?;
                region.fill(bytes)?;
                let lent = region.lend(*key)?;
                let at = lent.address();
                *inbox = Some(lent);
                Ok((at, bytes.len()))
            }
            (Boxes::Pages { .. }, None) => Ok(copy_in(copy_at, bytes)),
            (Boxes::Shared { box_len, .. }, region) => {
                let bytes = region.as_ref().map_or(bytes, |region| region.as_ref());
                if bytes.len() > *box_len {
                    return Err(io::Error::from(io::ErrorKind::FileTooLarge));
                }
                Ok(copy_in(copy_at, bytes))
            }
        }
    }

    fn prepare_outbox(&mut self) -> io::Result<(usize, usize)> {
        let base = self.memory.address();
        match &mut self.boxes {
            Boxes::Pages { key, pool, outbox, .. } => {
                let lent = match outbox.take() {
                    Some(lent) => lent,
                    None => pool.take()?.lend(*key)?,
                };
                let lent = outbox.insert(lent);
                Ok((lent.address(), lent.len()))
            }
            Boxes::Shared { box_len, .. } => Ok((base + INBOX_AT + *box_len, *box_len)),
        }
    }

    /// Lets the domain wake the orchestrator with its reply. What rang before is found by the count of rings.
    fn let_wake(&self) {
        self.words().awake.store(0, Ordering::SeqCst);
    }

    /// What the domain said since the last call, if it said anything. The event stays until [`Self::tidy`] or the next call.
    pub fn poll(&mut self) -> io::Result<Option<Reply>> {
        // Before where the run is: that stands when the domain has replied.
        let reply = self.words().reply.load(Ordering::Acquire);
        if let Some(returned) = self.poll_run() {
            return Ok(Some(Reply::HandedOn(returned)));
        }
        if reply == REPLY_NONE {
            return Ok(None);
        }
        let words = self.words();
        words.reply.store(REPLY_NONE, Ordering::Relaxed);
        let (outcome, len) =
            (words.outcome.load(Ordering::Relaxed), words.len.load(Ordering::Relaxed) as usize);
        let (called_ns, returned_ns) =
            (words.called_ns.load(Ordering::Relaxed), words.returned_ns.load(Ordering::Relaxed));
        match reply {
            REPLY_STARTED => Ok(Some(Reply::Started)),
            REPLY_START_FAILED => {
                let at = self.memory.address() + INBOX_AT;
                Ok(Some(Reply::StartFailed(copy_out(at, len.min(SMALL)))))
            }
            _ => {
                self.called = false;
                self.take_back_event();
                let outcome = match outcome {
                    OUTCOME_OK => Outcome::Ok(self.collect(len)?),
                    OUTCOME_ERROR => Outcome::Error(self.collect(len)?.as_ref().into()),
                    _ => Outcome::TooLarge,
                };
                Ok(Some(Reply::Returned(Returned { outcome, called_ns, returned_ns })))
            }
        }
    }

    /// A result that has been handed on to the next call of the run.
    fn poll_run(&mut self) -> Option<Returned> {
        let number = self.handed_on;
        if number >= self.ahead {
            return None;
        }
        let (from, to, called_ns, returned_ns) = self.words().run.handed_on(number)?;
        self.handed_on = number + 1;
        let from = from.min(SMALL);
        let to = to.clamp(from, SMALL);
        let bytes = copy_of(self.memory.address() + HANDED_ON_AT + from, to - from);
        self.handed_on_len = self.handed_on_len.max(to);
        Some(Returned { outcome: Outcome::Ok(Received::Copied(bytes)), called_ns, returned_ns })
    }

    /// The call of the run that is under way is its last one. What was handed on before is there to be polled.
    pub fn end_run(&self) {
        self.words().run.end();
    }

    /// The domain's next call, and the next execution, are to find nothing of it.
    fn take_back_event(&mut self) {
        if let Boxes::Pages { inbox: inbox @ Some(_), .. } = &mut self.boxes {
            *inbox = None;
            return;
        }
        self.answered = (self.words().event_len.load(Ordering::Relaxed) as usize).min(self.room());
    }

    /// Bytes of an inbox that is part of the mailbox.
    fn room(&self) -> usize {
        match self.boxes {
            Boxes::Pages { .. } => SMALL,
            Boxes::Shared { box_len, .. } => box_len,
        }
    }

    /// Wipes what has been answered, and what has been taken out. Nobody waits for that, so it is for when there is nothing else to
    /// do.
    pub fn tidy(&mut self) {
        self.wipe_inbox_behind(0);
        if self.called {
            return;
        }
        self.wipe_handed_on();
        let at = self.memory.address() + INBOX_AT + self.room();
        // SAFETY: `taken` bytes are in the outbox of a shared mailbox, which is memory of ours; the domain has no call.
        unsafe { std::ptr::write_bytes(at as *mut u8, 0, std::mem::take(&mut self.taken)) };
    }

    /// Not while a call is under way: it may be reading its event there.
    fn wipe_handed_on(&mut self) {
        let at = self.memory.address() + HANDED_ON_AT;
        // SAFETY: so many bytes are in the room for what is handed on, which is memory of ours; the domain has no call.
        unsafe { std::ptr::write_bytes(at as *mut u8, 0, std::mem::take(&mut self.handed_on_len)) };
    }

    /// Wipes what has been answered but for the first `len` bytes, which are overwritten next.
    fn wipe_inbox_behind(&mut self, len: usize) {
        let answered = std::mem::take(&mut self.answered);
        if answered > len {
            let at = self.memory.address() + INBOX_AT + len;
            // SAFETY: `answered` bytes are in the inbox, which is memory of ours.
            unsafe { std::ptr::write_bytes(at as *mut u8, 0, answered - len) };
        }
    }

    /// Takes `len` bytes out of the outbox.
    fn collect(&mut self, len: usize) -> io::Result<Received> {
        let at = self.memory.address() + INBOX_AT;
        match &mut self.boxes {
            Boxes::Pages { outbox, .. } => {
                let Some(lent) = outbox.take() else { return Ok(Received::Copied(Box::default())) };
                if len <= SMALL {
                    let bytes = copy_out(lent.address(), len.min(lent.len()));
                    *outbox = Some(lent);
                    return Ok(Received::Copied(bytes));
                }
                lent.take_back(len).map(Received::Region)
            }
            Boxes::Shared { box_len, shelf } => {
                let (at, len) = (at + *box_len, len.min(*box_len));
                let shelf = shelf.as_ref().filter(|_| len > SMALL);
                if let Some(shelved) = shelf.and_then(|shelf| shelf.put(at, len)) {
                    // It is the domain's own, which may as well see it for a while.
                    self.taken = self.taken.max(len);
                    return Ok(Received::Shelved(shelved));
                }
                Ok(Received::Copied(copy_out(at, len)))
            }
        }
    }
}

fn copy_in(at: usize, bytes: &[u8]) -> (usize, usize) {
    // SAFETY: the callers checked that an inbox at `at` has room for the bytes.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), at as *mut u8, bytes.len()) };
    (at, bytes.len())
}

#[cfg(test)]
mod tests;
