//! Code in libraries that writes the rights register: `pkey_set`, which every libc has.
//!
//! A function can call it like any other. It is overwritten, in each namespace's libc and in the base one, with an instruction
//! that traps and a byte by which the trap is told from others.

use crate::sys;
use std::io;

const WRPKRU: [u8; 3] = [0x0f, 0x01, 0xef];
/// `ud2`, and a byte that is never reached.
const TRAP: [u8; 3] = [0x0f, 0x0b, 0xef];
/// `pkey_set` is some 70 bytes long; the instruction is in its second half.
const LOOK: usize = 128;

/// Overwrites the instruction in the function at `pkey_set`, a libc's, or does nothing at null (before glibc 2.27).
///
/// # Safety
/// The address is that libc's `pkey_set`, or null, and no other thread is running in that libc.
pub(crate) unsafe fn disarm(pkey_set: usize) -> io::Result<()> {
    if pkey_set == 0 {
        return Ok(());
    }
    let first_page = pkey_set & !(sys::PAGE - 1);
    let len = sys::page_ceil(pkey_set + LOOK) - first_page;
    let writable = libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC;
    // SAFETY: code of a loaded library, more than a page from its end. It stays executable all along, since the calls made here
    // may be on the same page; nothing of a function runs yet.
    unsafe {
        sys::protect(first_page, len, writable, None)?;
        let code = std::slice::from_raw_parts_mut(pkey_set as *mut u8, LOOK);
        if let Some(at) = code.windows(WRPKRU.len()).position(|window| window == WRPKRU) {
            code[at..at + TRAP.len()].copy_from_slice(&TRAP);
        }
        sys::protect(first_page, len, libc::PROT_READ | libc::PROT_EXEC, None)
    }
}

/// Whether a thread that got SIGILL at `instruction` ran into what [`disarm`] put there.
///
/// # Safety
/// A thread has just executed there.
pub(crate) unsafe fn is_disarmed(instruction: usize) -> bool {
    if instruction % sys::PAGE > sys::PAGE - TRAP.len() {
        return false;
    }
    // SAFETY: the processor has read code there, and the bytes are on one page.
    unsafe { std::ptr::read(instruction as *const [u8; 3]) == TRAP }
}
