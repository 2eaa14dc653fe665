//! What happens when a thread of the process faults: a domain that touched what is not its own, native code that crashed, a
//! system call the policy traps.
//!
//! The handler runs on the faulting thread with rights for key 0 alone, perhaps on a stack it cannot read. So it stores a few
//! registers, wakes the watching thread, and sleeps; the watcher, which may touch everything, does the rest, and ends the
//! process. Whatever locks the faulting thread held stay held: nothing goes on in this process. Where the watcher does not end
//! it, because a domain has claimed the report with no fault of its own, the kernel does when the thread has slept: a trap under
//! a mask that blocks it is its end.

use crate::rights_repair::is_trap;
use crate::sys;
use std::io;
use std::mem::{MaybeUninit, offset_of};
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

/// On a page of its own: the rest of the executable's data is on the trusted key, which a handler has no rights to. So a domain
/// can write it too, or call the handler as a function. What is found here is a claim, see [`Fault`].
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
        "xor edi, edi",
        "xor esi, esi",
        "mov edx, {longest}",
        "mov eax, {poll}",
        "syscall",
        ".globl faastlane_asleep_after_fault",
        ".hidden faastlane_asleep_after_fault",
        "faastlane_asleep_after_fault:",
        "ud2",
        report = sym REPORT,
        claimed = const offset_of!(Report, claimed),
        ready = const offset_of!(Report, ready),
        signal = const offset_of!(Report, signal),
        thread = const offset_of!(Report, thread),
        info = const offset_of!(Report, info),
        context = const offset_of!(Report, context),
        gettid = const libc::SYS_gettid,
        futex = const libc::SYS_futex,
        poll = const libc::SYS_poll,
        longest = const LONGEST_REPORT_MS,
        wake = const libc::FUTEX_WAKE,
    )
}

/// The time that the watcher has to report, and the time that a process goes on at most when it cannot.
const LONGEST_REPORT_MS: i32 = 2000;

/// Where the report is, and how long: what must stay on key 0.
pub(crate) fn report_page() -> Range<usize> {
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
            libc::sigfillset(&mut action.sa_mask);
            if libc::sigaction(signal, &action, std::ptr::null_mut()) != 0 {
                return Err(io::Error::last_os_error());
            }
        }
    }
    Ok(())
}

/// What a thread did, as the report says. A domain may have forged that: whose thread it was and whether it is one that has
/// faulted, the kernel tells ([`Fault::is_asleep`], [`crate::is_same_domain`]); what it did is true where `told_at` is in that
/// domain's own memory, which holds what the kernel wrote there and what the domain may say of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub signal: i32,
    pub kind: FaultKind,
    /// The number of the thread. Its registers say nothing of that: a stack pointer goes where a domain wants it.
    pub thread: i32,
    /// Where the kernel wrote what it tells of the fault: its information, and the thread's registers.
    pub told_at: [Range<usize>; 2],
    pub instruction_pointer: usize,
}

impl Fault {
    /// Whether the thread sleeps in the handler, as one does that has faulted. Whoever only names another does not make
    /// that one sleep there. To be asked by a thread that may read `/proc`.
    pub fn is_asleep(&self) -> bool {
        // It wakes the watcher on its way to sleep.
        (0..100).any(|_| {
            let asleep = sleeps_in_handler(self.thread);
            if !asleep {
                std::thread::sleep(Duration::from_millis(1));
            }
            asleep
        })
    }
}

fn sleeps_in_handler(thread: i32) -> bool {
    unsafe extern "C" {
        // In `handler`, behind its last system call.
        #[link_name = "faastlane_asleep_after_fault"]
        static ASLEEP: u8;
    }
    // Number, six arguments, stack pointer, instruction pointer.
    let call = std::fs::read_to_string(format!("/proc/self/task/{thread}/syscall")).unwrap_or_default();
    let (number, at) = (call.split_whitespace().next(), call.split_whitespace().last());
    number == Some(&libc::SYS_poll.to_string()) && at == Some(&format!("{:#x}", &raw const ASLEEP as usize))
}

/// Whether two threads of this process are of one domain, or both of none: each domain has one table of descriptors, which the
/// kernel compares. Fails where one of them has ended.
pub fn is_same_domain(thread: i32, other: i32) -> io::Result<bool> {
    const FILES: i32 = 2;
    // SAFETY: takes numbers.
    match unsafe { libc::syscall(libc::SYS_kcmp, thread, other, FILES, 0usize, 0usize) } {
        0 => Ok(true),
        1.. => Ok(false),
        _ => Err(io::Error::last_os_error()),
    }
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
    let signal = REPORT.signal.load(Ordering::Relaxed) as i32;
    let info_at = REPORT.info.load(Ordering::Relaxed);
    let registers_at =
        REPORT.context.load(Ordering::Relaxed).wrapping_add(offset_of!(libc::ucontext_t, uc_mcontext.gregs));
    let (info, registers) = (told::<Info>(info_at), told::<Registers>(registers_at));
    let told_at = [
        info_at..info_at.saturating_add(size_of::<Info>()),
        registers_at..registers_at.saturating_add(size_of::<Registers>()),
    ];
    let (kind, instruction_pointer) = match (info, registers) {
        (Some(info), Some(registers)) => {
            (kind_of(signal, &info, &registers), registers[libc::REG_RIP as usize] as usize)
        }
        _ => (FaultKind::Other, 0),
    };
    let thread = REPORT.thread.load(Ordering::Relaxed) as i32;
    Fault { signal, kind, thread, told_at, instruction_pointer }
}

/// What is at an address that may be anything: read by the kernel, which does not fault. Only for types that any bytes are.
fn told<T: Copy>(address: usize) -> Option<T> {
    let (reader, writer) = io::pipe().ok()?;
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: the kernel says so where it cannot read the first address; the second has room. It is less than a pipe holds.
    let read = unsafe {
        match libc::write(writer.as_raw_fd(), address as *const _, size_of::<T>()) {
            written if written == size_of::<T>() as isize => {
                libc::read(reader.as_raw_fd(), value.as_mut_ptr().cast(), size_of::<T>())
            }
            _ => -1,
        }
    };
    // SAFETY: all of it was written, and it is of a type that any bytes are.
    (read == size_of::<T>() as isize).then(|| unsafe { value.assume_init() })
}

/// The kernel's `siginfo_t`, in words.
type Info = [u32; size_of::<libc::siginfo_t>() / 4];
/// The kernel's `gregset_t`.
type Registers = [i64; 23];

fn kind_of(signal: i32, info: &Info, registers: &Registers) -> FaultKind {
    const CODE: usize = 2;
    /// Of a fault in memory its address; `si_pkey` is behind that and two words of `si_addr_bnd`. Of a system call its number is
    /// behind the address.
    const ADDRESS: usize = 4;
    let write = registers[libc::REG_ERR as usize] & WRITE != 0;
    let code = info[CODE] as i32;
    match signal {
        libc::SIGSEGV | libc::SIGBUS => {
            let address = info[ADDRESS] as usize | (info[ADDRESS + 1] as usize) << 32;
            match code {
                SEGV_PKUERR => FaultKind::ForeignKey { address, key: info[ADDRESS + 4], write },
                _ => FaultKind::BadAddress { address, write },
            }
        }
        libc::SIGSYS if code == SYS_SECCOMP => match info[ADDRESS + 2] as i32 {
            number if i64::from(number) == libc::SYS_exit_group => {
                FaultKind::Exit { status: registers[libc::REG_RDI as usize] as i32 & 0xff }
            }
            number => FaultKind::SystemCall { number },
        },
        libc::SIGILL if told(registers[libc::REG_RIP as usize] as usize).is_some_and(is_trap) => {
            FaultKind::Rights
        }
        _ => FaultKind::Other,
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
