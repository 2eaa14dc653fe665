//! Where a thread that comes up says how it gets on, and waits for what others have to do meanwhile.

use crate::sys;
use std::io;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicUsize, Ordering};

/// Which step of confining a thread failed, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfineError {
    pub step: &'static str,
    pub errno: i32,
}

impl ConfineError {
    pub(crate) fn at(step: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self { step, errno: error.raw_os_error().unwrap_or(0) }
    }
}

/// What a starting thread says.
#[derive(Debug)]
pub enum Progress {
    /// The listener of its filter; call [`crate::Started::open_gate`] when somebody serves it.
    Listener(i32),
    /// It has given up its rights; the start-up page is not needed for it any more.
    Confined,
    Failed(ConfineError),
}

/// Where a thread that has put itself under a filter leaves the filter's listener, and waits until someone listens.
///
/// In memory with its domain's key, since it is still used when the thread has no other rights. No code but ours runs in the process
/// between its begin and the end of the start-up page.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Gate {
    /// 0: nothing yet. [`LISTENER`]: `value` is a listener. [`PASSED`]: past the start-up page. [`FAILED`]: `value` is the errno,
    /// `step` says where.
    pub(crate) state: AtomicU32,
    pub(crate) open: AtomicU32,
    pub(crate) value: AtomicI32,
    thread: AtomicI32,
    step_at: AtomicUsize,
    step_len: AtomicUsize,
}

const LISTENER: u32 = 1;
pub(crate) const PASSED: u32 = 2;
pub(crate) const FAILED: u32 = 3;

/// Values of [`Gate::open`]: somebody listens; the start-up page is gone.
const SERVED: u32 = 1;
pub(crate) const BEGIN: u32 = 2;

impl Gate {
    /// Leaves the listener and sleeps until it is served.
    pub fn hand_over(&self, listener: i32) {
        self.value.store(listener, Ordering::Relaxed);
        self.publish(LISTENER);
        while self.open.load(Ordering::Acquire) == 0 {
            sys::futex_wait(&self.open, 0, None);
        }
    }

    pub(crate) fn pass(&self) {
        self.publish(PASSED);
    }

    /// Sleeps until the start-up page is gone.
    pub(crate) fn wait_to_begin(&self) {
        loop {
            let open = self.open.load(Ordering::Acquire);
            if open == BEGIN {
                return;
            }
            sys::futex_wait(&self.open, open, None);
        }
    }

    pub(crate) fn fail(&self, error: ConfineError) {
        self.value.store(error.errno, Ordering::Relaxed);
        self.name_step(error.step);
        self.publish(FAILED);
    }

    /// What is to be said of a failure from now on.
    pub(crate) fn name_step(&self, step: &'static str) {
        self.step_at.store(step.as_ptr() as usize, Ordering::Relaxed);
        self.step_len.store(step.len(), Ordering::Relaxed);
    }

    /// Says who the calling thread is.
    pub(crate) fn name_thread(&self) {
        // SAFETY: asks for the caller's number.
        self.thread.store(unsafe { libc::gettid() }, Ordering::Relaxed);
    }

    fn publish(&self, state: u32) {
        self.name_thread();
        self.state.store(state, Ordering::Release);
        sys::futex_wake(&self.state);
    }

    /// For whoever follows the thread.
    pub(crate) fn wait(&self) -> Progress {
        loop {
            match self.state.swap(0, Ordering::Acquire) {
                0 => sys::futex_wait(&self.state, 0, None),
                LISTENER => return Progress::Listener(self.value.load(Ordering::Relaxed)),
                PASSED => return Progress::Confined,
                _ => {
                    let at = self.step_at.load(Ordering::Relaxed) as *const u8;
                    let len = self.step_len.load(Ordering::Relaxed);
                    // SAFETY: stored from a &'static str, while no function's code runs.
                    let step = unsafe { std::str::from_utf8_unchecked(std::slice::from_raw_parts(at, len)) };
                    let errno = self.value.load(Ordering::Relaxed);
                    return Progress::Failed(ConfineError { step, errno });
                }
            }
        }
    }

    pub(crate) fn thread(&self) -> i32 {
        self.thread.load(Ordering::Relaxed)
    }

    pub(crate) fn open(&self) {
        self.open.store(SERVED, Ordering::Release);
        sys::futex_wake(&self.open);
    }

    pub(crate) fn let_begin(&self) {
        self.open.store(BEGIN, Ordering::Release);
        sys::futex_wake(&self.open);
    }
}

/// The gate of a thread that waits for the start-up page to go.
#[derive(Debug)]
pub(crate) struct WaitingGate(usize);

impl WaitingGate {
    /// `gate` is a gate's address, which is never unmapped.
    pub(crate) fn at(gate: usize) -> Self {
        Self(gate)
    }

    pub(crate) fn let_begin(self) {
        // SAFETY: as `at` says.
        unsafe { &*(self.0 as *const Gate) }.let_begin();
    }
}
