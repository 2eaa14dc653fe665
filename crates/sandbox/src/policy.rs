//! The policy of a domain thread, as data: what it may not ask of the kernel, and why.
//!
//! Four kinds of answer. *Refused*: the call fails with the errno given, and the function goes on. *Trapped*: the function's
//! thread stops there, and the process learns who it was. *Asked*: the monitor makes the call on the domain's behalf, if the
//! arguments allow it. Everything else is allowed.

/// A system call that fails.
pub(crate) struct Refused {
    pub(crate) number: i64,
    pub(crate) errno: i32,
    #[expect(
        dead_code,
        reason = "the reason is for the reader, and stands where it cannot be separated from its call"
    )]
    pub(crate) reason: &'static str,
}

const fn refused(number: i64, reason: &'static str) -> Refused {
    Refused { number, errno: libc::EPERM, reason }
}

pub(crate) const REFUSED: &[Refused] = &[
    refused(libc::SYS_pkey_alloc, "another key"),
    refused(libc::SYS_pkey_free, "a key that others hold"),
    refused(libc::SYS_pkey_mprotect, "memory with a key of the caller's choice"),
    refused(libc::SYS_ptrace, "reads and writes any thread"),
    refused(libc::SYS_process_vm_readv, "the kernel copies without looking at keys"),
    refused(libc::SYS_process_vm_writev, "the kernel copies without looking at keys"),
    refused(libc::SYS_process_madvise, "drops the pages of others"),
    refused(libc::SYS_userfaultfd, "fills the pages of others"),
    refused(libc::SYS_io_uring_setup, "system calls that no filter sees"),
    refused(libc::SYS_io_uring_enter, "system calls that no filter sees"),
    refused(libc::SYS_io_uring_register, "system calls that no filter sees"),
    refused(libc::SYS_rt_sigaction, "a handler of the caller's in every thread"),
    refused(libc::SYS_sigaltstack, "the kernel writes signal frames with all keys open"),
    refused(libc::SYS_rt_sigreturn, "loads the rights register from memory"),
    refused(libc::SYS_kill, "signals to trusted threads"),
    refused(libc::SYS_tkill, "signals to trusted threads"),
    refused(libc::SYS_tgkill, "signals to trusted threads"),
    refused(libc::SYS_rt_sigqueueinfo, "signals to trusted threads"),
    refused(libc::SYS_rt_tgsigqueueinfo, "signals to trusted threads"),
    refused(libc::SYS_pidfd_send_signal, "signals to trusted threads"),
    refused(libc::SYS_pidfd_getfd, "descriptors of others"),
    refused(libc::SYS_pidfd_open, "handles on other processes"),
    refused(libc::SYS_timer_create, "timers that signal"),
    refused(libc::SYS_setitimer, "timers that signal"),
    refused(libc::SYS_alarm, "timers that signal"),
    refused(libc::SYS_rseq, "the kernel writes where it is told, and jumps"),
    refused(libc::SYS_personality, "readable memory would become executable"),
    refused(libc::SYS_prctl, "attributes of the process, its filters and its death among them"),
    refused(libc::SYS_arch_prctl, "segment bases and processor features"),
    refused(libc::SYS_seccomp, "a filter that fakes success"),
    refused(libc::SYS_memfd_create, "a file that is code and data at once"),
    refused(libc::SYS_memfd_secret, "memory that the monitor cannot map"),
    refused(libc::SYS_shmat, "memory that the monitor did not map"),
    refused(libc::SYS_remap_file_pages, "memory that the monitor did not map"),
    refused(libc::SYS_execve, "another program; not granted"),
    refused(libc::SYS_execveat, "another program; not granted"),
    refused(libc::SYS_fork, "a copy of everyone's memory"),
    refused(libc::SYS_vfork, "a copy of everyone's memory"),
    refused(libc::SYS_unshare, "namespaces of the caller's own"),
    refused(libc::SYS_setns, "namespaces of others"),
    refused(libc::SYS_mount, "changes what others see"),
    refused(libc::SYS_umount2, "changes what others see"),
    refused(libc::SYS_pivot_root, "changes what others see"),
    refused(libc::SYS_chroot, "changes what the caller may do"),
    refused(libc::SYS_bpf, "code in the kernel"),
    refused(libc::SYS_perf_event_open, "observes other threads"),
    refused(libc::SYS_init_module, "code in the kernel"),
    refused(libc::SYS_finit_module, "code in the kernel"),
    refused(libc::SYS_kexec_load, "another kernel"),
    refused(libc::SYS_reboot, "the host"),
    refused(libc::SYS_setuid, "identity"),
    refused(libc::SYS_setgid, "identity"),
    refused(libc::SYS_setreuid, "identity"),
    refused(libc::SYS_setregid, "identity"),
    refused(libc::SYS_setresuid, "identity"),
    refused(libc::SYS_setresgid, "identity"),
    refused(libc::SYS_setgroups, "identity"),
    refused(libc::SYS_capset, "identity"),
    refused(libc::SYS_setrlimit, "limits of everyone in the process"),
    refused(libc::SYS_sched_setscheduler, "a class that others wait behind"),
    refused(libc::SYS_sched_setparam, "a class that others wait behind"),
    refused(libc::SYS_sched_setattr, "a class that others wait behind"),
    refused(libc::SYS_setpgid, "leaves the group that is ended together"),
    refused(libc::SYS_setsid, "leaves the group that is ended together"),
    // glibc tries `clone3` first, whose flags are in memory that can change after they were checked.
    Refused { number: libc::SYS_clone3, errno: libc::ENOSYS, reason: "flags that no filter can read" },
];

/// Ends the process, others' calls with it: what was under way can still be told when it traps.
pub(crate) const TRAPPED: i64 = libc::SYS_exit_group;

/// Asks for the limits of everyone in the process, and sets them unless its third argument is null.
pub(crate) const LIMITS: i64 = libc::SYS_prlimit64;

/// A thread of the same domain is the only thing `clone` may make: with all of these flags.
pub(crate) const THREAD_FLAGS: u32 =
    (libc::CLONE_VM | libc::CLONE_SIGHAND | libc::CLONE_THREAD | libc::CLONE_FILES | libc::CLONE_FS) as u32;

/// What the monitor does for a domain that shares its process with others. It lets `clone` through; it only wants to know, for
/// a new thread would be pinned to the CPU of the lane that its parent is on.
pub(crate) const ASKED: &[i64] = &[
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_clone,
];
