//! System-call filters: the policy, assembled for the kernel.

use crate::check::Check;
use crate::defences;
use crate::files::landlock_version;
use crate::policy::{ALLOWED, ASKED, Allowed, Grant, LAST_KNOWN, REFUSED, TRAPPED};
use std::io;

/// What `faastlane.toml` grants to the functions of a domain, beyond what every function may ask of the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Sockets of the internet.
    pub network: bool,
    /// Child processes and other programs.
    pub subprocess: bool,
}

impl Grants {
    fn cover(self, grant: Option<Grant>) -> bool {
        match grant {
            None => true,
            Some(Grant::Network) => self.network || defences::left_out("network"),
            Some(Grant::Subprocess) => self.subprocess,
            Some(Grant::SignalChildren) => {
                self.subprocess && landlock_version().is_some_and(|version| version >= SCOPES_SIGNALS)
            }
        }
    }
}

/// The first version of Landlock that knows whom a thread may signal.
const SCOPES_SIGNALS: u32 = 6;

const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;
/// Set in the numbers of the x32 interface, which nobody uses.
const X32: u32 = 0x4000_0000;

// Offsets in struct seccomp_data.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

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

/// The filter that allows what the policy lists, and nothing else.
pub(crate) fn policy_filter(grants: Grants) -> Vec<libc::sock_filter> {
    if defences::left_out("filter") {
        return vec![statement(RETURN, libc::SECCOMP_RET_ALLOW)];
    }
    let mut program = allowing(rows(grants), left_out());
    answer(&mut program, TRAPPED, libc::SECCOMP_RET_TRAP);
    refuse_the_rest(&mut program);
    program
}

/// The filter of a thread of ours that may do what the policy lists, and `more`.
pub(crate) fn with_more(
    grants: Grants,
    more: impl Iterator<Item = &'static Allowed> + Clone,
) -> Vec<libc::sock_filter> {
    let mut program = allowing(rows(grants).chain(more), left_out());
    refuse_the_rest(&mut program);
    program
}

/// The filter of a thread of ours that allows these, and nothing else.
pub(crate) fn of_rows(rows: impl Iterator<Item = &'static Allowed> + Clone) -> Vec<libc::sock_filter> {
    let mut program = allowing(rows, std::iter::empty());
    program.push(statement(RETURN, fail_with(libc::EPERM)));
    program
}

fn rows(grants: Grants) -> impl Iterator<Item = &'static Allowed> + Clone {
    ALLOWED.iter().filter(move |row| grants.cover(row.grant))
}

/// Allows the calls of `rows`, and those of `besides` whatever their arguments are. Then the number is loaded.
fn allowing(
    rows: impl Iterator<Item = &'static Allowed> + Clone,
    besides: impl Iterator<Item = i64>,
) -> Vec<libc::sock_filter> {
    let mut program = prologue();
    // Those with checks first: each may end with an argument where the number was. The kernel remembers for each number
    // whether a filter always allows it, so that the order costs the others nothing.
    for row in rows.clone().filter(|row| !row.checks.is_empty()) {
        program.extend(checked(row));
    }
    program.push(statement(LOAD, NUMBER));
    let plain = rows.filter(|row| row.checks.is_empty()).map(|row| row.number);
    for number in plain.chain(besides) {
        answer(&mut program, number, libc::SECCOMP_RET_ALLOW);
    }
    program
}

fn refuse_the_rest(program: &mut Vec<libc::sock_filter>) {
    for row in REFUSED.iter().filter(|row| row.errno != libc::EPERM) {
        answer(program, row.number, fail_with(row.errno));
    }
    program.push(jump(IF_AT_LEAST, LAST_KNOWN as u32 + 1, 0, 1));
    program.push(statement(RETURN, fail_with(libc::ENOSYS)));
    program.push(statement(RETURN, fail_with(libc::EPERM)));
}

/// The calls of which a test does without what is said of them.
fn left_out() -> impl Iterator<Item = i64> {
    let refused = REFUSED.iter().filter(|row| is_left_out(row.name)).map(|row| row.number);
    refused.chain(ALLOWED.iter().filter(|row| is_left_out(row.name)).map(|row| row.number))
}

/// Whether a test does without what is said of this call. Memory that is code and data at once is the call's and the monitor's.
fn is_left_out(name: &str) -> bool {
    let name = name.trim_start_matches("SYS_");
    defences::left_out(name) || (matches!(name, "mmap" | "mprotect") && defences::left_out("wx"))
}

fn answer(program: &mut Vec<libc::sock_filter>, number: i64, with: u32) {
    program.push(jump(IF_EQUAL, number as u32, 0, 1));
    program.push(statement(RETURN, with));
}

/// Allows the call of one row if all its checks hold, and else goes on behind itself.
fn checked(row: &Allowed) -> Vec<libc::sock_filter> {
    // From the end, so that each step knows how far it is to what comes after the row.
    let mut tail = vec![statement(RETURN, libc::SECCOMP_RET_ALLOW)];
    for check in row.checks.iter().rev() {
        let mut steps = steps_of(*check, tail.len());
        steps.append(&mut tail);
        tail = steps;
    }
    let mut program = vec![statement(LOAD, NUMBER), jump(IF_EQUAL, row.number as u32, 0, tail.len() as u8)];
    program.append(&mut tail);
    program
}

/// One check; where it fails it jumps over itself and the `left` instructions of its row that follow.
fn steps_of(check: Check, left: usize) -> Vec<libc::sock_filter> {
    let left = left as u8;
    match check {
        Check::Bits { argument, mask, value } => vec![
            statement(LOAD, ARGUMENTS + 8 * argument),
            statement(AND, mask),
            jump(IF_EQUAL, value, 0, left),
        ],
        Check::Null { argument } => vec![
            statement(LOAD, ARGUMENTS + 8 * argument),
            jump(IF_EQUAL, 0, 0, left + 2),
            statement(LOAD, ARGUMENTS + 8 * argument + 4),
            jump(IF_EQUAL, 0, 0, left),
        ],
        Check::AnyOf { argument, mask, values } => {
            let mut steps = vec![statement(LOAD, ARGUMENTS + 8 * argument), statement(AND, mask)];
            for (position, &value) in values.iter().enumerate() {
                let others = (values.len() - position - 1) as u8;
                let otherwise = if others == 0 { left } else { 0 };
                steps.push(jump(IF_EQUAL, value, others, otherwise));
            }
            steps
        }
    }
}

/// Puts the calling thread, and those it starts, under `program`.
pub(crate) fn install(program: &[libc::sock_filter]) -> io::Result<()> {
    install_with(program, 0).map(drop)
}

/// The same. Returns the descriptor of its listener.
pub(crate) fn install_with_listener(program: &[libc::sock_filter]) -> io::Result<i32> {
    install_with(program, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER)
}

fn install_with(program: &[libc::sock_filter], flags: libc::c_ulong) -> io::Result<i32> {
    let filter = libc::sock_fprog { len: program.len() as u16, filter: program.as_ptr().cast_mut() };
    let mode = libc::SECCOMP_SET_MODE_FILTER;
    // SAFETY: the kernel copies the program during the call.
    let result = unsafe { libc::syscall(libc::SYS_seccomp, mode, flags, std::ptr::from_ref(&filter)) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result as i32) }
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
