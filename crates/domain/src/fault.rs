//! What happens when a thread of the process faults: a domain that touched what is not its own, native code that crashed, a
//! system call the policy traps.
//!
//! The handler runs on the faulting thread with rights for key 0 alone, perhaps on a stack it cannot read. So it stores a few
//! registers, wakes the watching thread, and sleeps for good; the watcher, which may touch everything, does the rest, and
//! ends the process. Whatever locks the faulting thread held stay held: nothing goes on in this process.

use crate::rights_repair::is_trap;
use crate::sys;
use std::io;
use std::mem::offset_of;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// On a page of its own: the rest of the executable's data is on the trusted key, which a handler has no rights to.
#[repr(C, align(4096))]
struct Report {
    claimed: AtomicU32,
    ready: AtomicU32,
    signal: AtomicU32,
    thread: AtomicU32,
    info: AtomicUsize,
    context: AtomicUsize,
}

static REPORT: Report = Report {
    claimed: AtomicU32::new(0),
    ready: AtomicU32::new(0),
    signal: AtomicU32::new(0),
    thread: AtomicU32::new(0),
    info: AtomicUsize::new(0),
    context: AtomicUsize::new(0),
};

/// The kernel enters here with signal, info and context in rdi, rsi and rdx.
#[unsafe(naked)]
extern "C" fn handler() {
    std::arch::naked_asm!(
        "lea r8, [rip + {report}]",
        "mov eax, 1",
        "xchg eax, dword ptr [r8 + {claimed}]",
        "test eax, eax",
        "jnz 2f",
        "mov dword ptr [r8 + {signal}], edi",
        "mov qword ptr [r8 + {info}], rsi",
        "mov qword ptr [r8 + {context}], rdx",
        "mov eax, {gettid}",
        "syscall",
        "mov dword ptr [r8 + {thread}], eax",
        "mov dword ptr [r8 + {ready}], 1",
        "lea rdi, [r8 + {ready}]",
        "mov esi, {wake}",
        "mov edx, 1",
        "xor r10d, r10d",
        "mov eax, {futex}",
        "syscall",
        "2:",
        "mov eax, {pause}",
        "syscall",
        "jmp 2b",
        report = sym REPORT,
        claimed = const offset_of!(Report, claimed),
        ready = const offset_of!(Report, ready),
        signal = const offset_of!(Report, signal),
        thread = const offset_of!(Report, thread),
        info = const offset_of!(Report, info),
        context = const offset_of!(Report, context),
        gettid = const libc::SYS_gettid,
        futex = const libc::SYS_futex,
        pause = const libc::SYS_pause,
        wake = const libc::FUTEX_WAKE,
    )
}

/// Where the report is, and how long: what must stay on key 0.
pub(crate) fn report_page() -> std::ops::Range<usize> {
    let start = &raw const REPORT as usize;
    start..start + size_of::<Report>()
}

/// Sleeps for good without ever using the stack again. For the process's first thread: it has all rights, but its stack, which
/// the kernel made, is on key 0, where a domain could write return addresses into it.
#[unsafe(naked)]
pub extern "C" fn sleep_for_good() -> ! {
    std::arch::naked_asm!("2:", "mov eax, {pause}", "syscall", "jmp 2b", pause = const libc::SYS_pause)
}

const SIGNALS: [i32; 6] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGABRT, libc::SIGSYS];

/// Lets faults be reported from now on.
pub(crate) fn install() -> io::Result<()> {
    for signal in SIGNALS {
        // SAFETY: a zeroed sigaction is valid; the handler follows the kernel's calling convention and never returns.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            if libc::sigaction(signal, &action, std::ptr::null_mut()) != 0 {
                return Err(io::Error::last_os_error());
            }
        }
    }
    Ok(())
}

/// What a thread did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub signal: i32,
    pub kind: FaultKind,
    /// Where the thread's stack was: tells which domain it belongs to.
    pub stack_pointer: usize,
    pub instruction_pointer: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// It touched memory that carries a key it has no rights to.
    ForeignKey { address: usize, key: u32, write: bool },
    /// It touched memory that is not there, or not for this use.
    BadAddress { address: usize, write: bool },
    /// It was about to end the process.
    Exit { status: i32 },
    /// It called what would have changed its rights.
    Rights,
    /// It made a system call that its policy traps.
    SystemCall { number: i32 },
    /// Another signal that ends a process.
    Other,
}

const SEGV_PKUERR: i32 = 4;
const SYS_SECCOMP: i32 = 1;
/// Page-fault error code, bit 1: the access was a write.
const WRITE: i64 = 1 << 1;

/// Sleeps until a thread faults. Called by a thread that may touch every key and does nothing else.
pub fn watch() -> Fault {
    while REPORT.ready.load(Ordering::Acquire) == 0 {
        sys::futex_wait(&REPORT.ready, 0, None);
    }
    let (info, context) = (REPORT.info.load(Ordering::Relaxed), REPORT.context.load(Ordering::Relaxed));
    // SAFETY: the handler stored the pointers that the kernel gave it; the thread they belong to sleeps for good. (A domain
    // that forges them, key 0 being writable to it, makes this process end with a fault of its own, which it does anyway.)
    let (info, context) =
        unsafe { (&*(info as *const libc::siginfo_t), &*(context as *const libc::ucontext_t)) };
    let registers = &context.uc_mcontext.gregs;
    let write = registers[libc::REG_ERR as usize] & WRITE != 0;
    let signal = REPORT.signal.load(Ordering::Relaxed) as i32;
    let kind = match signal {
        libc::SIGSEGV | libc::SIGBUS => {
            // SAFETY: these signals carry an address.
            let address = unsafe { info.si_addr() } as usize;
            if info.si_code == SEGV_PKUERR {
                // SAFETY: si_pkey follows si_addr and two words of si_addr_bnd in the kernel's layout.
                let key = unsafe { *std::ptr::from_ref(info).cast::<u32>().add(8) };
                FaultKind::ForeignKey { address, key, write }
            } else {
                FaultKind::BadAddress { address, write }
            }
        }
        libc::SIGSYS if info.si_code == SYS_SECCOMP => {
            // SAFETY: si_syscall follows si_call_addr in the kernel's layout.
            let number = unsafe { *std::ptr::from_ref(info).cast::<i32>().add(6) };
            if i64::from(number) == libc::SYS_exit_group {
                FaultKind::Exit { status: registers[libc::REG_RDI as usize] as i32 & 0xff }
            } else {
                FaultKind::SystemCall { number }
            }
        }
        // SAFETY: the thread got the signal for what it executed there.
        libc::SIGILL if unsafe { is_trap(registers[libc::REG_RIP as usize] as usize) } => FaultKind::Rights,
        _ => FaultKind::Other,
    };
    Fault {
        signal,
        kind,
        stack_pointer: registers[libc::REG_RSP as usize] as usize,
        instruction_pointer: registers[libc::REG_RIP as usize] as usize,
    }
}

/// An alternate signal stack for the calling thread, on key 0, so that an overflow of its own stack can be reported.
pub(crate) fn use_alternate_stack(memory: usize, len: usize) -> io::Result<()> {
    let stack = libc::stack_t { ss_sp: memory as *mut _, ss_flags: 0, ss_size: len };
    // SAFETY: the memory is mapped for good and used for nothing else.
    if unsafe { libc::sigaltstack(&stack, std::ptr::null_mut()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
