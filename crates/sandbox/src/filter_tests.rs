//! The filter, run as the kernel runs it.

use super::*;

/// What the program answers to a call.
fn run(program: &[libc::sock_filter], number: i64, arguments: [u64; 6]) -> u32 {
    let mut data = [0u8; 64];
    data[..4].copy_from_slice(&(number as u32).to_ne_bytes());
    data[4..8].copy_from_slice(&AUDIT_ARCH_X86_64.to_ne_bytes());
    for (index, argument) in arguments.iter().enumerate() {
        data[16 + 8 * index..24 + 8 * index].copy_from_slice(&argument.to_ne_bytes());
    }
    let (mut at, mut value) = (0, 0u32);
    loop {
        let step = program[at];
        at += 1;
        let branch = |taken: bool| usize::from(if taken { step.jt } else { step.jf });
        match step.code {
            LOAD => {
                let offset = step.k as usize;
                value = u32::from_ne_bytes(data[offset..offset + 4].try_into().unwrap());
            }
            AND => value &= step.k,
            IF_EQUAL => at += branch(value == step.k),
            IF_AT_LEAST => at += branch(value >= step.k),
            RETURN => return step.k,
            other => panic!("unknown instruction {other:#x}"),
        }
    }
}

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;

fn answers(grants: Grants, number: i64, arguments: &[u64]) -> u32 {
    let mut all = [0; 6];
    all[..arguments.len()].copy_from_slice(arguments);
    run(&policy_filter(grants), number, all)
}

fn refuses(number: i64, arguments: &[u64]) -> i32 {
    let answer = answers(Grants::default(), number, arguments);
    assert_eq!(answer & 0xffff_0000, libc::SECCOMP_RET_ERRNO, "{number} {arguments:x?} is allowed");
    (answer & libc::SECCOMP_RET_DATA) as i32
}

#[track_caller]
fn allows(number: i64, arguments: &[u64]) {
    assert_eq!(answers(Grants::default(), number, arguments), ALLOW, "{number} {arguments:x?}");
}

#[test]
fn what_is_not_listed_is_refused() {
    let filter = policy_filter(Grants::default());
    for number in 0..LAST_KNOWN {
        let listed = ALLOWED.iter().any(|row| row.number == number && row.grant.is_none());
        let allowed = run(&filter, number, [0; 6]) == ALLOW;
        assert!(listed || !allowed, "{number} is allowed by no row");
    }
    assert_eq!(refuses(libc::SYS_ptrace, &[]), libc::EPERM);
    assert_eq!(refuses(LAST_KNOWN + 1, &[]), libc::ENOSYS);
    assert_eq!(refuses(libc::SYS_clone3, &[]), libc::ENOSYS);
    assert_eq!(answers(Grants::default(), TRAPPED, &[]), libc::SECCOMP_RET_TRAP);
    assert_eq!(answers(Grants::default(), i64::from(X32), &[]), libc::SECCOMP_RET_TRAP);
}

#[test]
fn nothing_is_both_allowed_to_everyone_and_refused() {
    for row in ALLOWED.iter().filter(|row| row.grant.is_none() && row.checks.is_empty()) {
        assert!(REFUSED.iter().all(|refused| refused.number != row.number), "{}", row.name);
    }
}

#[test]
fn memory_is_data_or_code() {
    let (read, write, execute) = (1, 2, 4);
    let (shared, private, anonymous) = (1, 2, 0x20);
    allows(libc::SYS_mmap, &[0, 4096, read | write, private | anonymous]);
    allows(libc::SYS_mmap, &[0, 4096, read | write, shared]);
    allows(libc::SYS_mmap, &[0, 4096, read | execute, private | 0x800]);
    for (rights, sharing) in
        [(read | write | execute, private), (read | write | execute, shared), (execute, private | anonymous)]
    {
        assert_eq!(refuses(libc::SYS_mmap, &[0, 4096, rights, sharing]), libc::EPERM);
    }
    allows(libc::SYS_mprotect, &[0, 4096, read | write]);
    assert_eq!(refuses(libc::SYS_mprotect, &[0, 4096, read | execute]), libc::EPERM);
}

#[test]
fn only_threads_are_cloned() {
    let thread = 0x3d_0f00;
    allows(libc::SYS_clone, &[thread]);
    for flags in [0x11, 0x4111, 0x0120_0011, thread | 0x1000_0000, thread | 0x2000, thread & !0x400] {
        assert_eq!(refuses(libc::SYS_clone, &[flags]), libc::EPERM, "{flags:#x}");
    }
    let granted = Grants { subprocess: true, network: false };
    for flags in [0x11, 0x4111, 0x0120_0011, thread] {
        assert_eq!(answers(granted, libc::SYS_clone, &[flags]), ALLOW, "{flags:#x}");
    }
    assert_ne!(answers(granted, libc::SYS_clone, &[0x1000_0011]), ALLOW);
    assert_eq!(answers(granted, TRAPPED, &[]), ALLOW);
}

#[test]
fn a_process_reads_its_own_limits_only() {
    allows(libc::SYS_prlimit64, &[0, 7, 0, 1]);
    for arguments in [[0, 7, 1, 1], [0, 7, 1 << 40, 1], [1, 7, 0, 1]] {
        assert_eq!(refuses(libc::SYS_prlimit64, &arguments), libc::EPERM);
    }
}

#[test]
fn sockets_need_a_grant() {
    let (unix, inet, netlink, packet) = (1, 2, 16, 17);
    let (stream, datagram, raw, close_on_exec) = (1, 2, 3, 0x80000);
    allows(libc::SYS_socketpair, &[unix, stream | close_on_exec]);
    assert_eq!(refuses(libc::SYS_socketpair, &[unix, datagram]), libc::EPERM);
    assert_eq!(refuses(libc::SYS_socket, &[inet, stream]), libc::EACCES);
    assert_eq!(refuses(libc::SYS_socket, &[unix, stream]), libc::EACCES);
    assert_eq!(refuses(libc::SYS_connect, &[3]), libc::EACCES);
    let granted = Grants { network: true, subprocess: false };
    for arguments in [[inet, stream | close_on_exec, 6], [10, datagram, 0], [netlink, raw, 0]] {
        assert_eq!(answers(granted, libc::SYS_socket, &arguments), ALLOW, "{arguments:?}");
    }
    for arguments in [[unix, stream, 0], [inet, raw, 1], [packet, raw, 0], [netlink, raw, 9]] {
        assert_ne!(answers(granted, libc::SYS_socket, &arguments), ALLOW, "{arguments:?}");
    }
    assert_eq!(answers(granted, libc::SYS_connect, &[3]), ALLOW);
}

#[test]
fn requests_to_devices_are_harmless() {
    allows(libc::SYS_ioctl, &[0, 0x5401]);
    assert_eq!(refuses(libc::SYS_ioctl, &[0, 0x5412]), libc::ENOTTY, "TIOCSTI");
    allows(libc::SYS_fcntl, &[0, 1030]);
    assert_eq!(refuses(libc::SYS_fcntl, &[0, 8]), libc::EPERM, "F_SETOWN");
}
