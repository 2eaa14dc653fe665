//! How a parked thread is made again in a copy of its process.
//!
//! Whatever the domain could write before the process was copied may be forged: its block, its stack, its thread-local storage.
//! So a trusted thread, on a stack and thread-local storage of its own, goes through the whole confinement. Then it becomes the
//! domain's: it takes the domain's thread pointer, enters its last filter and gives up its rights, and only when nothing but
//! the domain's own rights are left does it look at what the domain has left of itself.
//!
//! Architecture Invariant: between the first look at the parked stack and the thread's end there is nothing that the domain
//! may not do itself.

use crate::fault;
use crate::gate::{BEGIN, FAILED, Gate, PASSED, WaitingGate};
use crate::mailbox::Mailbox;
use crate::mapping::Mapping;
use crate::pkru::StartUpPage;
use crate::process::ProcessCopy;
use crate::snapshot::Parking;
use crate::sys;
use crate::test_switch::without;
use crate::thread::{Front, Started, enter, spawn_trusted_on};
use std::io;
use std::mem::offset_of;
use std::ops::Range;

/// For the confinement alone. It stays when the thread has left it, and counts as reserved.
const CONFINING_STACK: usize = 1 << 20;

/// What a thread needs to become a parked one, in trusted memory.
#[repr(C)]
struct LastSteps {
    thread_pointer: usize,
    filter: Program,
    /// 0: there are no rights to give up.
    write_pkru: usize,
    rights: u32,
    /// The end of a little stack that the domain may touch, and that nobody has touched.
    stack: usize,
    gate: usize,
    parking: usize,
    /// Where glibc looks for the thread's number.
    number: usize,
}

/// The kernel's `struct sock_fprog`, of something that stays.
#[repr(C)]
struct Program {
    len: u16,
    at: usize,
}

impl Started {
    /// Makes the parked thread again in a copy of the process; to be followed like one that starts. It answers at `mailbox`, and
    /// `news` is for [`crate::Guest::after_parking`]. It goes on when `page` is gone, where there is one, else by [`Started::begin`].
    ///
    /// Returns the memory that it comes up in, which is the domain's from then on.
    pub fn revive(
        &mut self,
        copy: &ProcessCopy,
        page: Option<&StartUpPage>,
        mailbox: &Mailbox,
        news: &[u8],
    ) -> io::Result<Range<usize>> {
        // Fresh: a page for the gate and the stack, and then the news.
        let memory = Mapping::private(sys::PAGE + news.len(), self.key)?;
        let range = memory.address()..memory.address() + memory.len();
        let memory = memory.leak();
        let news_at = memory + sys::PAGE;
        let front = self.block as *mut Front;
        // SAFETY: the memory is long enough and aligned to a page; zero is a gate. The block's mapping is never another one, and
        // nobody else uses it: no domain runs in the copy yet.
        let (gate, thread_pointer) = unsafe {
            std::ptr::copy_nonoverlapping(news.as_ptr(), news_at as *mut u8, news.len());
            (&raw mut (*front).news).write((news_at, news.len()));
            let side = (&raw const (*front).side).read();
            (&raw mut (*front).side).write(side.moved(mailbox.domain_side()));
            (&*(memory as *const Gate), (*front).parking.thread_pointer())
        };
        self.gate = memory;
        if let Some(page) = page.filter(|_| self.key.is_some()) {
            page.hold(WaitingGate::at(memory));
        }
        let write_pkru = page.filter(|_| self.key.is_some() && !without("copy-rights"));
        let mut last = LastSteps {
            // A number that the thread's own code could load as well; nothing here follows it.
            thread_pointer,
            filter: Program { len: 0, at: 0 },
            write_pkru: write_pkru.map_or(0, |page| page.write_pkru().address()),
            rights: self.key.map_or(0, |key| key.constant_pkru()),
            stack: memory + sys::PAGE,
            gate: memory,
            parking: self.block + offset_of!(Front, parking),
            number: copy.layout.number_of(thread_pointer),
        };
        let (confine, signal_stack) = (self.confine.clone(), self.signal_stack.start);
        spawn_trusted_on(CONFINING_STACK, move || {
            let filter = match enter(&confine, gate, signal_stack) {
                Ok(filter) => filter,
                Err(error) => {
                    gate.fail(error);
                    // Whoever follows it ends the process.
                    fault::sleep_for_good()
                }
            };
            gate.name_thread();
            gate.name_step("its last steps (arch_prctl, seccomp)");
            last.filter = Program { len: filter.len() as u16, at: filter.as_ptr() as usize };
            // SAFETY: all of it is as its fields say, and stays: this thread never comes back here.
            unsafe { become_parked(&last) }
        })?;
        Ok(range)
    }
}

/// Turns the calling thread into the parked one, which returns 1 from where it parked.
///
/// Nothing of the thread's own (stack, thread-local storage) is used any more. After the thread pointer and the filter the
/// rights go. Only then are number, lists of locks and stack the domain's, as it left them: by now it could set them all itself.
///
/// # Safety
/// In a copy of the process, once for each parking, on a thread that nothing else is expected of.
#[unsafe(naked)]
unsafe extern "C" fn become_parked(last: &LastSteps) -> ! {
    std::arch::naked_asm!(
        "mov rbx, rdi",
        "mov r12, qword ptr [rbx + {gate}]",
        "mov r13, qword ptr [rbx + {parking}]",
        "mov r14, qword ptr [rbx + {write_pkru}]",
        "mov r15d, dword ptr [rbx + {rights}]",
        "mov rbp, qword ptr [rbx + {number}]",
        "mov edi, {set_fs}",
        "mov rsi, qword ptr [rbx + {thread_pointer}]",
        "mov eax, {arch_prctl}",
        "syscall",
        "test rax, rax",
        "js 5f",
        "mov edi, {set_filter}",
        "xor esi, esi",
        "lea rdx, [rbx + {filter}]",
        "mov eax, {seccomp}",
        "syscall",
        "test rax, rax",
        "js 5f",
        "mov rsp, qword ptr [rbx + {stack}]",
        "xor ebx, ebx",
        "test r14, r14",
        "jz 2f",
        "mov edi, r15d",
        "call r14",
        // From here on with the domain's rights.
        "2:",
        "mov dword ptr [r12 + {state}], {passed}",
        "lea rdi, [r12 + {state}]",
        "mov esi, {wake}",
        "mov edx, 1",
        "xor r10d, r10d",
        "mov eax, {futex}",
        "syscall",
        "3:",
        "mov edx, dword ptr [r12 + {open}]",
        "cmp edx, {begin}",
        "je 4f",
        "lea rdi, [r12 + {open}]",
        "mov esi, {wait}",
        "xor r10d, r10d",
        "mov eax, {futex}",
        "syscall",
        "jmp 3b",
        "4:",
        "mov rdi, rbp",
        "mov eax, {set_tid_address}",
        "syscall",
        "mov dword ptr [rbp], eax",
        "mov rdi, qword ptr [r13 + {robust_list}]",
        "mov rsi, qword ptr [r13 + {robust_len}]",
        "mov eax, {set_robust_list}",
        "syscall",
        "xor r8d, r8d",
        "xor r9d, r9d",
        "mov rsp, qword ptr [r13 + {stack_pointer}]",
        "mov eax, 1",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbp",
        "pop rbx",
        "ret",
        "5:",
        "neg eax",
        "mov dword ptr [r12 + {value}], eax",
        "mov dword ptr [r12 + {state}], {failed}",
        "lea rdi, [r12 + {state}]",
        "mov esi, {wake}",
        "mov edx, 1",
        "xor r10d, r10d",
        "mov eax, {futex}",
        "syscall",
        "6:",
        "mov eax, {pause}",
        "syscall",
        "jmp 6b",
        thread_pointer = const offset_of!(LastSteps, thread_pointer),
        filter = const offset_of!(LastSteps, filter),
        write_pkru = const offset_of!(LastSteps, write_pkru),
        rights = const offset_of!(LastSteps, rights),
        stack = const offset_of!(LastSteps, stack),
        gate = const offset_of!(LastSteps, gate),
        parking = const offset_of!(LastSteps, parking),
        number = const offset_of!(LastSteps, number),
        state = const offset_of!(Gate, state),
        open = const offset_of!(Gate, open),
        value = const offset_of!(Gate, value),
        stack_pointer = const offset_of!(Parking, stack_pointer),
        robust_list = const offset_of!(Parking, robust_list),
        robust_len = const offset_of!(Parking, robust_len),
        passed = const PASSED,
        failed = const FAILED,
        begin = const BEGIN,
        set_fs = const ARCH_SET_FS,
        set_filter = const libc::SECCOMP_SET_MODE_FILTER,
        wake = const libc::FUTEX_WAKE,
        wait = const libc::FUTEX_WAIT,
        arch_prctl = const libc::SYS_arch_prctl,
        seccomp = const libc::SYS_seccomp,
        futex = const libc::SYS_futex,
        set_tid_address = const libc::SYS_set_tid_address,
        set_robust_list = const libc::SYS_set_robust_list,
        pause = const libc::SYS_pause,
    )
}

/// `asm/prctl.h`.
const ARCH_SET_FS: i32 = 0x1002;
