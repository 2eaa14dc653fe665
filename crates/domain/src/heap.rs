//! The heap of the trusted threads, on their own key: payloads between two domains, the state of the machine, the plan.
//!
//! It is the executable's global allocator. In an instance without keys it is an ordinary heap. Domain threads must never
//! allocate from it: they could not touch what they get. A process that runs no domain leaves it to the C library, whose heap
//! serves many threads at once.

use crate::keys;
use crate::sys;
use dlmalloc::{Allocator, Dlmalloc};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Address space set aside; memory is taken as it is needed.
const RESERVED: usize = 64 << 30;
/// How much is taken at least at a time.
const STEP: usize = 1 << 20;

static BASE: AtomicUsize = AtomicUsize::new(0);
static USED: AtomicUsize = AtomicUsize::new(0);

struct Pages;

// SAFETY: `alloc` hands out disjoint parts of one private reservation, never twice; the other operations decline.
unsafe impl Allocator for Pages {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        let size = size.next_multiple_of(STEP);
        let none = (std::ptr::null_mut(), 0, 0);
        // Only one thread is here at a time: the heap's lock is held.
        let mut base = BASE.load(Ordering::Relaxed);
        if base == 0 {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
            let Ok(reserved) = sys::map(RESERVED, libc::PROT_NONE, flags, -1) else { return none };
            base = reserved;
            BASE.store(base, Ordering::Relaxed);
        }
        let used = USED.load(Ordering::Relaxed);
        if size > RESERVED - used {
            return none;
        }
        // SAFETY: this part of the reservation is ours and has not been handed out.
        let taken =
            unsafe { sys::protect(base + used, size, libc::PROT_READ | libc::PROT_WRITE, keys::trusted()) };
        if taken.is_err() {
            return none;
        }
        USED.store(used + size, Ordering::Relaxed);
        ((base + used) as *mut u8, size, 0)
    }

    fn remap(&self, _ptr: *mut u8, _old: usize, _new: usize, _can_move: bool) -> *mut u8 {
        std::ptr::null_mut()
    }

    fn free_part(&self, _ptr: *mut u8, _old: usize, _new: usize) -> bool {
        false
    }

    fn free(&self, _ptr: *mut u8, _size: usize) -> bool {
        false
    }

    fn can_release_part(&self, _flags: u32) -> bool {
        false
    }

    fn allocates_zeros(&self) -> bool {
        true
    }

    fn page_size(&self) -> usize {
        sys::PAGE
    }
}

/// See the module. `#[global_allocator] static HEAP: TrustedHeap = TrustedHeap::new();`
pub struct TrustedHeap {
    heap: Mutex<Dlmalloc<Pages>>,
    left_to_system: AtomicBool,
}

impl Default for TrustedHeap {
    fn default() -> Self {
        Self::new()
    }
}

impl TrustedHeap {
    pub const fn new() -> Self {
        Self { heap: Mutex::new(Dlmalloc::new_with_allocator(Pages)), left_to_system: AtomicBool::new(false) }
    }

    /// From now on memory comes from the C library. For a process that runs no domain.
    pub fn leave_to_system(&self) {
        self.left_to_system.store(true, Ordering::Relaxed);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Dlmalloc<Pages>> {
        // A panic inside the allocator aborts, so a poisoned lock cannot be seen.
        self.heap.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Whether new memory comes from here.
    fn serves(&self) -> bool {
        !self.left_to_system.load(Ordering::Relaxed)
    }
}

/// Whether it was taken from the heap, before or after that was left to the system.
fn holds(ptr: *mut u8) -> bool {
    let base = BASE.load(Ordering::Relaxed);
    base != 0 && (ptr as usize).wrapping_sub(base) < RESERVED
}

// SAFETY: dlmalloc is an allocator, and the lock makes it one for many threads; so is the system's. What was taken from the one is
// never given to the other: the heap's address range tells.
unsafe impl GlobalAlloc for TrustedHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps GlobalAlloc's contract, which is theirs.
        unsafe {
            match self.serves() {
                true => self.lock().malloc(layout.size(), layout.align()),
                false => System.alloc(layout),
            }
        }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe {
            match holds(ptr) {
                true => self.lock().free(ptr, layout.size(), layout.align()),
                false => System.dealloc(ptr, layout),
            }
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe {
            match self.serves() {
                true => self.lock().calloc(layout.size(), layout.align()),
                false => System.alloc_zeroed(layout),
            }
        }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as above.
        unsafe {
            match holds(ptr) {
                true => self.lock().realloc(ptr, layout.size(), layout.align(), new_size),
                false => System.realloc(ptr, layout, new_size),
            }
        }
    }
}

/// Puts what the heap holds by now on the trusted key. Later growth is tagged as it comes.
pub(crate) fn tag_with(key: keys::Key) -> std::io::Result<()> {
    let (base, used) = (BASE.load(Ordering::Relaxed), USED.load(Ordering::Relaxed));
    if used == 0 {
        return Ok(());
    }
    // SAFETY: the range is the heap's own; the calling thread may touch the key, and no other thread runs yet.
    unsafe { sys::protect(base, used, libc::PROT_READ | libc::PROT_WRITE, Some(key)) }
}
