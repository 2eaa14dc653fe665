//! System-call filters: the policy, assembled for the kernel.

use crate::policy::{ASKED, LIMITS, REFUSED, THREAD_FLAGS, TRAPPED};
use std::io;

const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;
/// Set in the numbers of the x32 interface, which nobody uses.
const X32: u32 = 0x4000_0000;

// Offsets in struct seccomp_data.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENT_0_LOW: u32 = 16;
const ARGUMENT_2_LOW: u32 = 32;
const ARGUMENT_2_HIGH: u32 = 36;

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const AND: u16 = (libc::BPF_ALU | libc::BPF_AND | libc::BPF_K) as u16;
const IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const IF_AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

fn statement(code: u16, k: u32) -> libc::sock_filter {
    libc::sock_filter { code, jt: 0, jf: 0, k }
}

fn jump(code: u16, k: u32, jt: u8, jf: u8) -> libc::sock_filter {
    libc::sock_filter { code, jt, jf, k }
}

fn fail_with(errno: i32) -> u32 {
    libc::SECCOMP_RET_ERRNO | (errno as u32 & libc::SECCOMP_RET_DATA)
}

/// What every filter begins with: another architecture's call traps, and the number is loaded.
fn prologue() -> Vec<libc::sock_filter> {
    vec![
        statement(LOAD, ARCHITECTURE),
        jump(IF_EQUAL, AUDIT_ARCH_X86_64, 1, 0),
        statement(RETURN, libc::SECCOMP_RET_TRAP),
        statement(LOAD, NUMBER),
        jump(IF_AT_LEAST, X32, 0, 1),
        statement(RETURN, libc::SECCOMP_RET_TRAP),
    ]
}

/// The filter whose listener the monitor reads.
pub(crate) fn memory_filter() -> Vec<libc::sock_filter> {
    let mut program = prologue();
    for &number in ASKED {
        program.push(jump(IF_EQUAL, number as u32, 0, 1));
        program.push(statement(RETURN, libc::SECCOMP_RET_USER_NOTIF));
    }
    program.push(statement(RETURN, libc::SECCOMP_RET_ALLOW));
    program
}

/// The filter that refuses.
pub(crate) fn policy_filter() -> Vec<libc::sock_filter> {
    let mut program = prologue();
    for call in REFUSED {
        program.push(jump(IF_EQUAL, call.number as u32, 0, 1));
        program.push(statement(RETURN, fail_with(call.errno)));
    }
    program.extend([
        jump(IF_EQUAL, TRAPPED as u32, 0, 1),
        statement(RETURN, libc::SECCOMP_RET_TRAP),
        jump(IF_EQUAL, LIMITS as u32, 0, 6),
        statement(LOAD, ARGUMENT_2_LOW),
        jump(IF_EQUAL, 0, 0, 2),
        statement(LOAD, ARGUMENT_2_HIGH),
        jump(IF_EQUAL, 0, 1, 0),
        statement(RETURN, fail_with(libc::EPERM)),
        statement(RETURN, libc::SECCOMP_RET_ALLOW),
        jump(IF_EQUAL, libc::SYS_clone as u32, 0, 4),
        statement(LOAD, ARGUMENT_0_LOW),
        statement(AND, THREAD_FLAGS),
        jump(IF_EQUAL, THREAD_FLAGS, 1, 0),
        statement(RETURN, fail_with(libc::EPERM)),
        statement(RETURN, libc::SECCOMP_RET_ALLOW),
    ]);
    program
}

/// Puts the calling thread, and those it starts, under `program`. With a listener, returns its descriptor.
pub(crate) fn install(program: &[libc::sock_filter], listener: bool) -> io::Result<i32> {
    let filter = libc::sock_fprog { len: program.len() as u16, filter: program.as_ptr().cast_mut() };
    let flags = if listener { libc::SECCOMP_FILTER_FLAG_NEW_LISTENER } else { 0 };
    // SAFETY: the kernel copies the program during the call.
    let result = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, std::ptr::from_ref(&filter))
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result as i32) }
}
