//! The one place where the rights register is written: a page that exists only while domains start.
//!
//! Architecture Invariant: no instruction that writes PKRU is part of this executable. It is put into a page of its own, each
//! domain thread runs it once, and the page is unmapped before any execution begins. There is no gate to jump into.

use crate::executable::clean_process;
use crate::gate::WaitingGate;
use crate::sys;
use std::hint::black_box;
use std::io;
use std::sync::{Mutex, PoisonError};

/// `mov eax, edi; xor ecx, ecx; xor edx, edx; wrpkru; ret`, each bit turned over: an optimiser makes the bytes of a constant part of
/// its instructions, where they would be code like any other.
const TURNED_WRITE_PKRU: [u8; 10] = [!0x89, !0xf8, !0x31, !0xc9, !0x31, !0xd2, !0x0f, !0x01, !0xef, !0xc3];

/// The page. Removing it unmaps it, when no thread is inside any more, and lets the domains begin that gave up their rights on it:
/// none runs a function's code while the page is there, its own or another's. Where not all of them come up it stays, and so none
/// begins.
#[derive(Debug)]
pub struct StartUpPage {
    address: usize,
    waiting: Mutex<Vec<WaitingGate>>,
}

impl StartUpPage {
    /// Maps the page, once everything else that is executable holds no instruction like it. All libraries are loaded by now.
    ///
    /// Fails with a text that names the file where one does and cannot be rewritten.
    pub fn map() -> io::Result<Self> {
        clean_process().map_err(io::Error::other)?;
        Self::make()
    }

    /// Maps the page again, in a copy of a process: what was executable then has been cleaned, and a domain cannot have added to it.
    pub fn map_in_copy() -> io::Result<Self> {
        Self::make()
    }

    fn make() -> io::Result<Self> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let address = sys::map(sys::PAGE, libc::PROT_READ | libc::PROT_WRITE, flags, -1)?;
        let page = Self { address, waiting: Mutex::default() };
        // SAFETY: a fresh page of our own, long enough for the code; made executable only after it was written.
        unsafe {
            for (at, byte) in black_box(TURNED_WRITE_PKRU).into_iter().enumerate() {
                (address as *mut u8).add(at).write(!byte);
            }
            sys::protect(address, sys::PAGE, libc::PROT_READ | libc::PROT_EXEC, None)?;
        }
        Ok(page)
    }

    pub(crate) fn write_pkru(&self) -> WritePkru {
        WritePkru(self.address)
    }

    /// The thread behind `gate` waits there until the page is gone.
    pub(crate) fn hold(&self, gate: WaitingGate) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(gate);
    }

    /// To be called when every domain thread has said that it is past it.
    pub fn remove(self) {
        let Self { address, waiting } = self;
        // SAFETY: nobody is inside, as the caller says, and nobody has the address who would enter it.
        unsafe { sys::unmap(address, sys::PAGE) };
        waiting
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .into_iter()
            .for_each(WaitingGate::let_begin);
    }
}

/// The code on the page.
#[derive(Clone, Copy)]
pub(crate) struct WritePkru(usize);

impl WritePkru {
    pub(crate) fn address(self) -> usize {
        self.0
    }

    /// Sets the calling thread's rights.
    ///
    /// # Safety
    /// The page is still mapped, and the thread's stack and all it uses from now on is on a key that `rights` allows.
    pub(crate) unsafe fn call(self, rights: u32) {
        // SAFETY: the page holds a function of this signature.
        let code: extern "C" fn(u32) = unsafe { std::mem::transmute(self.0) };
        code(rights);
    }
}
