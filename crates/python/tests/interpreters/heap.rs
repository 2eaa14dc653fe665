//! Proof of the crate's rule that code on a domain's thread stays off this process's heap.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, Ordering};

/// The system's allocator, which ends the process when domain code uses it.
struct Watched;

static CLOSED: AtomicBool = AtomicBool::new(false);

#[global_allocator]
static HEAP: Watched = Watched;

/// Runs `code` as a domain's thread would run it: without a heap.
pub(crate) fn closed<T>(code: impl FnOnce() -> T) -> T {
    CLOSED.store(true, Ordering::SeqCst);
    let result = code();
    CLOSED.store(false, Ordering::SeqCst);
    result
}

fn check() {
    if CLOSED.load(Ordering::SeqCst) {
        let message = b"domain code used the heap of the process\n";
        // SAFETY: the message is readable for its length, and `abort` may be called from anywhere.
        unsafe {
            libc::write(2, message.as_ptr().cast(), message.len());
            libc::abort();
        }
    }
}

// SAFETY: every request goes to the system's allocator as it is, or the process ends.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        check();
        // SAFETY: the caller's promises are the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        check();
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}
