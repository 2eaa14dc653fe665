//! A private view of the loader's thread lists for every link namespace.
//!
//! Since glibc 2.34 every libc of a process, one for each namespace, links its threads into lists whose heads are in the
//! loader's `_rtld_global`. The nodes are at the top of each thread's stack. So `pthread_create` in one domain writes into
//! the stack of another domain's newest thread, which its key forbids, and a stack that one domain freed is given to
//! another. Each libc finds `_rtld_global` through one slot of its global offset table: we point that slot at a copy, in
//! the namespace's own memory, whose lists are empty.
//!
//! The copy's other fields stay what they were. Those that libc reads are the heads of the link maps of each namespace
//! (which do not move) and locks (which then are private).
//!
//! What it costs: a library loaded late that has *static* thread-local storage with an initial value other than zero
//! starts with zeroes in threads that exist already (`_dl_init_static_tls` does not find them).

use crate::link_map::LinkMap;
use crate::sys;
use std::io;

/// Where in `_rtld_global` the heads of the thread lists are.
#[derive(Clone, Debug)]
pub(crate) struct ListHeads {
    size: usize,
    offsets: Vec<usize>,
}

#[derive(Debug, thiserror::Error)]
pub enum ThreadListsError {
    #[error(
        "this glibc keeps its thread lists where Faastlane does not find them (found {0} of 3 list heads)"
    )]
    HeadsNotFound(usize),
    #[error("cannot make libc's offset table writable: {0}")]
    Protect(#[from] io::Error),
}

impl ListHeads {
    /// Finds the heads. To be called while the process has one thread: then two of the lists are empty, and one holds that
    /// thread alone, so that they are recognised by their shape.
    ///
    /// `None` where libc does not use `_rtld_global`: before glibc 2.34 the lists were private to each libc.
    pub(crate) fn find(libc: &LinkMap) -> Result<Option<Self>, ThreadListsError> {
        let Some(slot) = libc.offset_table_slot(c"_rtld_global") else { return Ok(None) };
        // SAFETY: the slot is a relocated pointer of libc's offset table.
        let global = unsafe { *(slot as *const usize) };
        let size = crate::link_map::symbol_size(global).unwrap_or(0);
        let thread: usize;
        // SAFETY: %fs:0x10 holds the address of the thread's own control block on x86-64.
        unsafe { std::arch::asm!("mov {}, fs:0x10", out(reg) thread, options(nostack, readonly)) };
        let offsets: Vec<usize> = (0..size.saturating_sub(16))
            .step_by(8)
            .filter(|offset| {
                let head = global + offset;
                // SAFETY: inside the object that the loader says is `size` bytes long.
                let (next, previous) = unsafe { (*(head as *const usize), *((head + 8) as *const usize)) };
                if next != previous {
                    return false;
                }
                let empty = next == head;
                let in_this_thread = (thread..thread + 4096).contains(&next) && next.is_multiple_of(8);
                // SAFETY: `next` was found to point into this thread's control block, which is longer than a page.
                empty || (in_this_thread && unsafe { *(next as *const usize) } == head)
            })
            .collect();
        // used, user, cache
        if offsets.len() != 3 {
            return Err(ThreadListsError::HeadsNotFound(offsets.len()));
        }
        Ok(Some(Self { size, offsets }))
    }

    /// Bytes that a copy takes.
    pub(crate) fn copy_size(&self) -> usize {
        self.size
    }

    /// Points `libc` at a copy in `memory`, which has room for [`Self::copy_size`] and stays as long as the process.
    ///
    /// # Safety
    /// No thread of that libc is running, but for the caller's.
    pub(crate) unsafe fn give_private_copy(
        &self,
        libc: &LinkMap,
        memory: usize,
    ) -> Result<(), ThreadListsError> {
        let Some(slot) = libc.offset_table_slot(c"_rtld_global") else { return Ok(()) };
        // SAFETY: the slot is valid; source and destination are `size` bytes and do not overlap.
        unsafe {
            let global = *(slot as *const usize);
            std::ptr::copy_nonoverlapping(global as *const u8, memory as *mut u8, self.size);
        }
        for offset in &self.offsets {
            let head = memory + offset;
            // SAFETY: inside the copy.
            unsafe {
                *(head as *mut usize) = head;
                *((head + 8) as *mut usize) = head;
            }
        }
        let page = slot & !(sys::PAGE - 1);
        // SAFETY: the page is of libc's own offset table; it goes back to read-only at once.
        unsafe {
            sys::protect(page, sys::PAGE, libc::PROT_READ | libc::PROT_WRITE, None)?;
            *(slot as *mut usize) = memory;
            sys::protect(page, sys::PAGE, libc::PROT_READ, None)?;
        }
        Ok(())
    }
}
