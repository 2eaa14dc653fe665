//! Copying the whole process, the domains' threads included: how an instance is made of a template.
//!
//! A domain's thread parks: it leaves where its stack is, and sleeps. [`copy_process`] is a raw `clone`, which copies the memory
//! and the one thread that calls it. In the copy every parked thread is made again (`second_life`), with its own thread pointer,
//! and goes on from where it parked, on its own stack.
//!
//! Not `fork(3)`: its handlers in the child give the parked threads' stacks to others.

use crate::sys;
use std::io;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// Where a thread leaves what it needs to be made again. In its domain's memory: what is found here may be forged.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Parking {
    pub(crate) stack_pointer: AtomicUsize,
    thread_pointer: AtomicUsize,
    /// As `man 2 get_robust_list` says.
    pub(crate) robust_list: AtomicUsize,
    pub(crate) robust_len: AtomicUsize,
    /// 1: it is. [`GIVEN_UP`]: it never will be.
    parked: AtomicU32,
    /// Not 0: the thread itself goes on.
    go_on: AtomicU32,
}

const GIVEN_UP: u32 = 2;

/// What a parked thread was woken up as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// It has slept, and goes on in the process in which it parked.
    InPlace,
    /// It is the copy in a copy of the process.
    InCopy,
}

impl Parking {
    /// Parks the calling thread.
    pub(crate) fn park(&self) -> Woken {
        // SAFETY: the fields are where the code expects them (`repr(C)`); it returns at most once in each process.
        match unsafe { park(self) } {
            0 => Woken::InPlace,
            _ => Woken::InCopy,
        }
    }

    /// Says that nobody will park here.
    pub(crate) fn give_up(&self) {
        self.parked.store(GIVEN_UP, Ordering::Release);
        sys::futex_wake(&self.parked);
    }

    /// Sleeps until a thread has parked here, or (false) will not.
    pub(crate) fn await_parked(&self) -> bool {
        while self.parked.load(Ordering::Acquire) == 0 {
            sys::futex_wait(&self.parked, 0, None);
        }
        self.parked.load(Ordering::Relaxed) != GIVEN_UP
    }

    /// Lets the parked thread go on in this process.
    pub(crate) fn go_on(&self) {
        self.go_on.store(1, Ordering::Release);
        sys::futex_wake(&self.go_on);
    }

    /// For the thread that will park, before a filter refuses to tell.
    pub(crate) fn remember_robust_list(&self) {
        let (list, len) = (self.robust_list.as_ptr(), self.robust_len.as_ptr());
        // SAFETY: the kernel writes two words. Without an answer they stay 0, which is no list.
        unsafe { libc::syscall(libc::SYS_get_robust_list, 0, list, len) };
    }

    pub(crate) fn thread_pointer(&self) -> usize {
        self.thread_pointer.load(Ordering::Relaxed)
    }
}

/// Leaves its frame and thread pointer at `parking`, says so, and sleeps until `go_on`: returns 0 then. In a copy,
/// `second_life` returns 1 from here.
#[unsafe(naked)]
unsafe extern "C" fn park(parking: &Parking) -> u32 {
    std::arch::naked_asm!(
        "push rbx",
        "push rbp",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov rbx, rdi",
        "mov qword ptr [rbx + {stack_pointer}], rsp",
        "mov rax, qword ptr fs:[0]",
        "mov qword ptr [rbx + {thread_pointer}], rax",
        "mov dword ptr [rbx + {parked}], 1",
        "lea rdi, [rbx + {parked}]",
        "mov esi, {wake}",
        "mov edx, 1",
        "xor r10d, r10d",
        "mov eax, {futex}",
        "syscall",
        "2:",
        "mov eax, dword ptr [rbx + {go_on}]",
        "test eax, eax",
        "jnz 3f",
        "lea rdi, [rbx + {go_on}]",
        "mov esi, {wait}",
        "xor edx, edx",
        "xor r10d, r10d",
        "mov eax, {futex}",
        "syscall",
        "jmp 2b",
        "3:",
        "xor eax, eax",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbp",
        "pop rbx",
        "ret",
        stack_pointer = const std::mem::offset_of!(Parking, stack_pointer),
        thread_pointer = const std::mem::offset_of!(Parking, thread_pointer),
        parked = const std::mem::offset_of!(Parking, parked),
        go_on = const std::mem::offset_of!(Parking, go_on),
        wake = const libc::FUTEX_WAKE,
        wait = const libc::FUTEX_WAIT,
        futex = const libc::SYS_futex,
    )
}

/// Where glibc keeps a thread's number, which it looks at instead of asking the kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ThreadLayout {
    /// From the thread pointer, in bytes.
    tid_offset: usize,
}

/// Where a number can be, and how far glibc's descriptor of a thread reaches at least.
const SEARCHED: std::ops::Range<usize> = 0x100..0x700;

impl ThreadLayout {
    /// The word that holds the number of every thread that looks: the caller, and one that found it among `elsewhere`. `None`
    /// where there is no such word, or several.
    pub(crate) fn among(elsewhere: &[usize]) -> Option<Self> {
        let mut both = Self::candidates().into_iter().filter(|offset| elsewhere.contains(offset));
        match (both.next(), both.next()) {
            (Some(tid_offset), None) => Some(Self { tid_offset }),
            _ => None,
        }
    }

    /// Offsets from the calling thread's pointer at which its number stands.
    pub(crate) fn candidates() -> Vec<usize> {
        // SAFETY: asks for the caller's number, and where its thread descriptor is.
        let (thread, descriptor) = unsafe { (libc::gettid(), libc::pthread_self() as usize) };
        let offsets = SEARCHED.step_by(size_of::<i32>());
        // SAFETY: glibc's descriptor is longer than that.
        offsets.filter(|offset| unsafe { *((descriptor + offset) as *const i32) } == thread).collect()
    }

    /// Of the thread with that pointer.
    pub(crate) fn number_of(self, thread_pointer: usize) -> usize {
        thread_pointer.wrapping_add(self.tid_offset)
    }

    fn own_tid(self) -> usize {
        // SAFETY: asks where the caller's thread descriptor is.
        unsafe { libc::pthread_self() as usize + self.tid_offset }
    }
}

/// Which of the two a process is after [`copy_process`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forked {
    /// The copy has this number.
    Original(i32),
    Copy,
}

/// Copies the calling process. The copy is a sibling, of the same parent, and has the calling thread only.
///
/// # Safety
/// No other thread holds a lock that the copy needs, and the copy starts no thread's work over but by [`crate::Started::revive`].
pub(crate) unsafe fn copy_process(layout: ThreadLayout) -> io::Result<Forked> {
    let flags = libc::CLONE_PARENT | libc::CLONE_CHILD_SETTID | libc::CLONE_CHILD_CLEARTID | libc::SIGCHLD;
    // SAFETY: without a stack of its own the copy goes on here, on its copy of this one; the kernel writes its number where glibc
    // looks for it.
    let made = unsafe { libc::syscall(libc::SYS_clone, flags, 0usize, 0usize, layout.own_tid(), 0usize) };
    match made {
        0 => Ok(Forked::Copy),
        pid @ 1.. => Ok(Forked::Original(pid as i32)),
        _ => Err(io::Error::last_os_error()),
    }
}
