//! The policy of a domain thread, as data: what it may ask of the kernel, and why that does no harm.
//!
//! What no row allows fails with `EPERM`, or as `REFUSED` says, and the function goes on. *Trapped* is what ends the thread
//! there, so that the process learns who it was. *Asked* is what the monitor does on the domain's behalf.

use crate::check::{Check, any_of, bits, low, masked, null};

/// What `faastlane.toml` can grant to a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grant {
    Network,
    Subprocess,
    /// Child processes, where Landlock keeps signals to them.
    SignalChildren,
}

/// A system call that is allowed when all checks of the row hold. A call can have several rows: one that fits is enough.
pub(crate) struct Allowed {
    pub(crate) number: i64,
    /// As libc spells it: `SYS_read`.
    pub(crate) name: &'static str,
    pub(crate) checks: &'static [Check],
    /// Only for a function that has it.
    pub(crate) grant: Option<Grant>,
    #[expect(
        dead_code,
        reason = "the reason is for the reader, and stands where it cannot be separated from its call"
    )]
    pub(crate) reason: &'static str,
}

/// A system call that is worth a word on why it is refused.
pub(crate) struct Refused {
    pub(crate) number: i64,
    pub(crate) name: &'static str,
    pub(crate) errno: i32,
    #[expect(dead_code, reason = "as above")]
    pub(crate) reason: &'static str,
}

macro_rules! allow {
    ($name:ident, $reason:literal) => {
        allow!($name, None, &[], $reason)
    };
    ($name:ident, $checks:expr, $reason:literal) => {
        allow!($name, None, $checks, $reason)
    };
    ($name:ident, $grant:expr, $checks:expr, $reason:literal) => {
        $crate::policy::Allowed {
            number: libc::$name,
            name: stringify!($name),
            checks: $checks,
            grant: $grant,
            reason: $reason,
        }
    };
}

macro_rules! refuse {
    ($name:ident, $reason:literal) => {
        refuse!($name, libc::EPERM, $reason)
    };
    ($name:ident, $errno:expr, $reason:literal) => {
        Refused { number: libc::$name, name: stringify!($name), errno: $errno, reason: $reason }
    };
}

const NETWORK: Option<Grant> = Some(Grant::Network);
const SUBPROCESS: Option<Grant> = Some(Grant::Subprocess);
const SIGNAL_CHILDREN: Option<Grant> = Some(Grant::SignalChildren);

const WRITE: u32 = libc::PROT_WRITE as u32;
const EXECUTE: u32 = libc::PROT_EXEC as u32;
const ANONYMOUS: u32 = libc::MAP_ANONYMOUS as u32;

/// A thread of the same domain: all of these flags, ...
const THREAD_FLAGS: u32 =
    (libc::CLONE_VM | libc::CLONE_SIGHAND | libc::CLONE_THREAD | libc::CLONE_FILES | libc::CLONE_FS) as u32;
/// ... and of the others only those that say where the thread's own number and storage are.
const THREAD_EXTRAS: u32 = (libc::CLONE_SYSVSEM
    | libc::CLONE_SETTLS
    | libc::CLONE_PARENT_SETTID
    | libc::CLONE_CHILD_SETTID
    | libc::CLONE_CHILD_CLEARTID
    | libc::CLONE_DETACHED) as u32;
/// A child process: no namespaces, no tracing, and SIGCHLD when it ends.
const CHILD_EXTRAS: u32 = (libc::CLONE_VM
    | libc::CLONE_VFORK
    | libc::CLONE_PARENT_SETTID
    | libc::CLONE_CHILD_SETTID
    | libc::CLONE_CHILD_CLEARTID) as u32;
const CHILD: u32 = libc::SIGCHLD as u32;

const TERMINAL_AND_QUEUE: &[u32] = &[
    libc::TCGETS as u32,
    libc::TIOCGWINSZ as u32,
    libc::FIONREAD as u32,
    libc::FIONBIO as u32,
    libc::FIOCLEX as u32,
    libc::FIONCLEX as u32,
];
const INTERFACES: &[u32] = &[
    0x8910, // SIOCGIFNAME
    libc::SIOCGIFINDEX as u32,
    libc::SIOCGIFCONF as u32,
    libc::SIOCGIFADDR as u32,
    libc::SIOCGIFFLAGS as u32,
    libc::SIOCGIFMTU as u32,
];
const OWN_DESCRIPTOR: &[u32] = &[
    libc::F_DUPFD as u32,
    libc::F_DUPFD_CLOEXEC as u32,
    libc::F_GETFD as u32,
    libc::F_SETFD as u32,
    libc::F_GETFL as u32,
    libc::F_SETFL as u32,
    libc::F_GETLK as u32,
    libc::F_SETLK as u32,
    libc::F_SETLKW as u32,
    libc::F_OFD_GETLK as u32,
    libc::F_OFD_SETLK as u32,
    libc::F_OFD_SETLKW as u32,
    libc::F_GETPIPE_SZ as u32,
    libc::F_SETPIPE_SZ as u32,
    libc::F_GET_SEALS as u32,
];
/// Not those that attach a program to a socket.
const SOCKET_OPTIONS: &[u32] = &[
    libc::SO_REUSEADDR as u32,
    libc::SO_BROADCAST as u32,
    libc::SO_SNDBUF as u32,
    libc::SO_RCVBUF as u32,
    libc::SO_KEEPALIVE as u32,
    libc::SO_OOBINLINE as u32,
    libc::SO_PRIORITY as u32,
    libc::SO_LINGER as u32,
    libc::SO_REUSEPORT as u32,
    libc::SO_PASSCRED as u32,
    libc::SO_RCVLOWAT as u32,
    libc::SO_RCVTIMEO as u32,
    libc::SO_SNDTIMEO as u32,
    libc::SO_TIMESTAMP as u32,
];
const PROTOCOL_LEVELS: &[u32] =
    &[libc::IPPROTO_IP as u32, libc::IPPROTO_TCP as u32, libc::IPPROTO_UDP as u32, libc::IPPROTO_IPV6 as u32];
/// Bits of a socket's type that are its type; the others are flags of its descriptor.
const SOCKET_TYPE: u32 = 0xf;
const CONNECTED: &[u32] = &[libc::SOCK_STREAM as u32, libc::SOCK_SEQPACKET as u32];
const IP_TYPES: &[u32] = &[libc::SOCK_STREAM as u32, libc::SOCK_DGRAM as u32];
const IP_FAMILIES: &[u32] = &[libc::AF_INET as u32, libc::AF_INET6 as u32];
const NAME: &[u32] = &[libc::PR_SET_NAME as u32, libc::PR_GET_NAME as u32];
const SET_FS: &[u32] = &[0x1002];

/// In groups; those with checks come first within a filter, see `filter.rs`.
pub(crate) const ALLOWED: &[Allowed] = &[
    // Memory. In a process of several domains the monitor sees all of these first.
    allow!(SYS_mmap, &[bits(2, EXECUTE, 0)], "data of its own"),
    allow!(
        SYS_mmap,
        &[bits(2, EXECUTE | WRITE, EXECUTE), bits(3, ANONYMOUS, 0)],
        "code, from a file, never writable; ctypes' callbacks need a shared one"
    ),
    allow!(SYS_mprotect, &[bits(2, EXECUTE, 0)], "no memory becomes code"),
    allow!(SYS_munmap, "its own memory"),
    allow!(SYS_mremap, "its own memory, with the rights that it has"),
    allow!(SYS_madvise, "its own memory"),
    allow!(SYS_brk, "its own heap"),
    allow!(SYS_msync, "writes back its own mapping"),
    allow!(SYS_mincore, "asks about its own memory"),
    // Threads, and waiting.
    allow!(SYS_clone, &[bits(0, !THREAD_EXTRAS, THREAD_FLAGS)], "a thread, under this same policy"),
    allow!(SYS_exit, "ends the calling thread only"),
    allow!(SYS_futex, "locks; the kernel reads memory with the caller's rights"),
    allow!(SYS_futex_waitv, "as futex"),
    allow!(SYS_set_robust_list, "the caller's own list"),
    allow!(SYS_set_tid_address, "written with the caller's rights when it ends"),
    allow!(SYS_rt_sigprocmask, "the caller's own mask"),
    allow!(SYS_rt_sigpending, "asks about the caller"),
    allow!(SYS_rt_sigsuspend, "sleeps"),
    allow!(SYS_pause, "sleeps"),
    allow!(SYS_restart_syscall, "the kernel's own, after a stop"),
    allow!(SYS_sched_yield, "gives the CPU away"),
    allow!(SYS_sched_getaffinity, "asks"),
    allow!(SYS_sched_setaffinity, &[low(0, 0)], "which CPUs the caller itself runs on"),
    allow!(SYS_sched_getparam, "asks"),
    allow!(SYS_sched_getscheduler, "asks"),
    allow!(SYS_sched_getattr, "asks"),
    allow!(SYS_sched_get_priority_max, "asks"),
    allow!(SYS_sched_get_priority_min, "asks"),
    allow!(SYS_sched_rr_get_interval, "asks"),
    allow!(SYS_getpriority, "asks"),
    allow!(SYS_setpriority, &[low(0, libc::PRIO_PROCESS), low(1, 0)], "how urgent the caller itself is"),
    allow!(SYS_getcpu, "asks"),
    allow!(SYS_prctl, &[any_of(0, NAME)], "the caller's own name"),
    // Clocks.
    allow!(SYS_clock_gettime, "asks"),
    allow!(SYS_clock_getres, "asks"),
    allow!(SYS_clock_nanosleep, "sleeps"),
    allow!(SYS_nanosleep, "sleeps"),
    allow!(SYS_gettimeofday, "asks"),
    allow!(SYS_time, "asks"),
    allow!(SYS_times, "asks"),
    allow!(SYS_getitimer, "asks"),
    // Who and where it is.
    allow!(SYS_getpid, "asks"),
    allow!(SYS_gettid, "asks"),
    allow!(SYS_getppid, "asks"),
    allow!(SYS_getpgid, "asks"),
    allow!(SYS_getpgrp, "asks"),
    allow!(SYS_getsid, "asks"),
    allow!(SYS_getuid, "asks"),
    allow!(SYS_geteuid, "asks"),
    allow!(SYS_getgid, "asks"),
    allow!(SYS_getegid, "asks"),
    allow!(SYS_getresuid, "asks"),
    allow!(SYS_getresgid, "asks"),
    allow!(SYS_getgroups, "asks"),
    allow!(SYS_capget, "asks"),
    allow!(SYS_getrusage, "asks"),
    allow!(SYS_getrlimit, "asks"),
    allow!(SYS_prlimit64, &[low(0, 0), null(2)], "asks for its own limits"),
    allow!(SYS_uname, "asks"),
    allow!(SYS_sysinfo, "asks"),
    allow!(SYS_getrandom, "random bytes"),
    // Descriptors: its table is its own, and began with nothing but its log.
    allow!(SYS_read, "an own descriptor"),
    allow!(SYS_write, "an own descriptor"),
    allow!(SYS_readv, "an own descriptor"),
    allow!(SYS_writev, "an own descriptor"),
    allow!(SYS_pread64, "an own descriptor"),
    allow!(SYS_pwrite64, "an own descriptor"),
    allow!(SYS_preadv, "an own descriptor"),
    allow!(SYS_pwritev, "an own descriptor"),
    allow!(SYS_preadv2, "an own descriptor"),
    allow!(SYS_pwritev2, "an own descriptor"),
    allow!(SYS_lseek, "an own descriptor"),
    allow!(SYS_sendfile, "between own descriptors"),
    allow!(SYS_splice, "between own descriptors"),
    allow!(SYS_tee, "between own descriptors"),
    allow!(SYS_copy_file_range, "between own descriptors"),
    allow!(SYS_close, "its own table"),
    allow!(SYS_close_range, "its own table"),
    allow!(SYS_dup, "its own table"),
    allow!(SYS_dup2, "its own table"),
    allow!(SYS_dup3, "its own table"),
    allow!(SYS_fcntl, &[any_of(1, OWN_DESCRIPTOR)], "an own descriptor; none that sends signals"),
    allow!(SYS_ioctl, &[any_of(1, TERMINAL_AND_QUEUE)], "asks, or sets flags of an own descriptor"),
    allow!(SYS_pipe, "between its own threads"),
    allow!(SYS_pipe2, "between its own threads"),
    allow!(SYS_eventfd, "between its own threads"),
    allow!(SYS_eventfd2, "between its own threads"),
    allow!(SYS_timerfd_create, "a timer that signals nobody"),
    allow!(SYS_timerfd_settime, "a timer that signals nobody"),
    allow!(SYS_timerfd_gettime, "a timer that signals nobody"),
    allow!(SYS_poll, "waits for own descriptors"),
    allow!(SYS_ppoll, "waits for own descriptors"),
    allow!(SYS_select, "waits for own descriptors"),
    allow!(SYS_pselect6, "waits for own descriptors"),
    allow!(SYS_epoll_create, "waits for own descriptors"),
    allow!(SYS_epoll_create1, "waits for own descriptors"),
    allow!(SYS_epoll_ctl, "waits for own descriptors"),
    allow!(SYS_epoll_wait, "waits for own descriptors"),
    allow!(SYS_epoll_pwait, "waits for own descriptors"),
    allow!(SYS_epoll_pwait2, "waits for own descriptors"),
    // Files: Landlock says which (`files.rs`).
    allow!(SYS_open, "Landlock decides"),
    allow!(SYS_openat, "Landlock decides"),
    allow!(SYS_openat2, "Landlock decides"),
    allow!(SYS_creat, "Landlock decides"),
    allow!(SYS_mkdir, "Landlock decides"),
    allow!(SYS_mkdirat, "Landlock decides"),
    allow!(SYS_rmdir, "Landlock decides"),
    allow!(SYS_unlink, "Landlock decides"),
    allow!(SYS_unlinkat, "Landlock decides"),
    allow!(SYS_rename, "Landlock decides"),
    allow!(SYS_renameat, "Landlock decides"),
    allow!(SYS_renameat2, "Landlock decides"),
    allow!(SYS_link, "Landlock decides"),
    allow!(SYS_linkat, "Landlock decides"),
    allow!(SYS_symlink, "Landlock decides"),
    allow!(SYS_symlinkat, "Landlock decides"),
    allow!(SYS_getdents, "of a folder that it opened"),
    allow!(SYS_getdents64, "of a folder that it opened"),
    allow!(SYS_ftruncate, "of a file that it opened for writing"),
    allow!(SYS_fallocate, "of a file that it opened for writing"),
    allow!(SYS_fadvise64, "of a file that it opened"),
    allow!(SYS_readahead, "of a file that it opened"),
    allow!(SYS_flock, "of a file that it opened"),
    allow!(SYS_fsync, "of a file that it opened"),
    allow!(SYS_fdatasync, "of a file that it opened"),
    allow!(SYS_sync_file_range, "of a file that it opened"),
    allow!(SYS_stat, "tells size and dates, no content"),
    allow!(SYS_fstat, "tells size and dates, no content"),
    allow!(SYS_lstat, "tells size and dates, no content"),
    allow!(SYS_newfstatat, "tells size and dates, no content"),
    allow!(SYS_statx, "tells size and dates, no content"),
    allow!(SYS_access, "tells rights, no content"),
    allow!(SYS_faccessat, "tells rights, no content"),
    allow!(SYS_faccessat2, "tells rights, no content"),
    allow!(SYS_readlink, "tells where a link leads"),
    allow!(SYS_readlinkat, "tells where a link leads"),
    allow!(SYS_statfs, "tells about a file system"),
    allow!(SYS_fstatfs, "tells about a file system"),
    allow!(SYS_getxattr, "tells labels, no content"),
    allow!(SYS_lgetxattr, "tells labels, no content"),
    allow!(SYS_fgetxattr, "tells labels, no content"),
    allow!(SYS_listxattr, "tells labels, no content"),
    allow!(SYS_llistxattr, "tells labels, no content"),
    allow!(SYS_flistxattr, "tells labels, no content"),
    allow!(SYS_chmod, "without capabilities: of its user's files only"),
    allow!(SYS_fchmod, "without capabilities: of its user's files only"),
    allow!(SYS_fchmodat, "without capabilities: of its user's files only"),
    allow!(SYS_utime, "without capabilities: of its user's files only"),
    allow!(SYS_utimes, "without capabilities: of its user's files only"),
    allow!(SYS_futimesat, "without capabilities: of its user's files only"),
    allow!(SYS_utimensat, "without capabilities: of its user's files only"),
    allow!(SYS_getcwd, "its own working directory"),
    allow!(SYS_chdir, "its own working directory"),
    allow!(SYS_fchdir, "its own working directory"),
    allow!(SYS_umask, "its own mask"),
    // Sockets. A pair is connected for good, so that it reaches nobody else: no datagrams, which can be sent elsewhere.
    allow!(
        SYS_socketpair,
        &[low(0, libc::AF_UNIX as u32), masked(1, SOCKET_TYPE, CONNECTED)],
        "between its own threads"
    ),
    allow!(SYS_sendto, "an own socket"),
    allow!(SYS_recvfrom, "an own socket"),
    allow!(SYS_sendmsg, "an own socket"),
    allow!(SYS_recvmsg, "an own socket"),
    allow!(SYS_sendmmsg, "an own socket"),
    allow!(SYS_recvmmsg, "an own socket"),
    allow!(SYS_shutdown, "an own socket"),
    allow!(SYS_getsockname, "an own socket"),
    allow!(SYS_getpeername, "an own socket"),
    allow!(SYS_getsockopt, "an own socket"),
    allow!(
        SYS_setsockopt,
        &[low(1, libc::SOL_SOCKET as u32), any_of(2, SOCKET_OPTIONS)],
        "an own socket; no programs in the kernel"
    ),
    allow!(
        SYS_socket,
        NETWORK,
        &[any_of(0, IP_FAMILIES), masked(1, SOCKET_TYPE, IP_TYPES)],
        "the internet; not the machine's own services behind AF_UNIX"
    ),
    allow!(
        SYS_socket,
        NETWORK,
        &[low(0, libc::AF_NETLINK as u32), low(2, libc::NETLINK_ROUTE as u32)],
        "the resolver asks which addresses this machine has"
    ),
    allow!(SYS_setsockopt, NETWORK, &[any_of(1, PROTOCOL_LEVELS)], "an own socket"),
    allow!(SYS_connect, NETWORK, &[], "an own socket"),
    allow!(SYS_bind, NETWORK, &[], "an own socket"),
    allow!(SYS_listen, NETWORK, &[], "an own socket"),
    allow!(SYS_accept, NETWORK, &[], "an own socket"),
    allow!(SYS_accept4, NETWORK, &[], "an own socket"),
    allow!(SYS_ioctl, NETWORK, &[any_of(1, INTERFACES)], "asks"),
    // Programs. A function that may start them has a process of its own, with no keys, and these reach nobody else.
    allow!(SYS_clone, SUBPROCESS, &[bits(0, !CHILD_EXTRAS, CHILD)], "a child, under this same policy"),
    allow!(SYS_fork, SUBPROCESS, &[], "a child, under this same policy"),
    allow!(SYS_vfork, SUBPROCESS, &[], "a child, under this same policy"),
    allow!(SYS_execve, SUBPROCESS, &[], "a program, under this same policy; Landlock says which"),
    allow!(SYS_execveat, SUBPROCESS, &[], "a program, under this same policy; Landlock says which"),
    allow!(SYS_wait4, SUBPROCESS, &[], "its children"),
    allow!(SYS_waitid, SUBPROCESS, &[], "its children"),
    allow!(SYS_kill, SIGNAL_CHILDREN, &[], "Landlock decides: its own process, and those that it started"),
    allow!(SYS_exit_group, SUBPROCESS, &[], "how a program ends"),
    allow!(SYS_arch_prctl, SUBPROCESS, &[any_of(0, SET_FS)], "how a program sets its thread storage up"),
    allow!(SYS_rt_sigaction, SUBPROCESS, &[], "of its own process"),
    allow!(SYS_rt_sigreturn, SUBPROCESS, &[], "of its own process"),
    allow!(SYS_sigaltstack, SUBPROCESS, &[], "of its own process"),
];

/// What is refused in a special way, or is what an attack would try first.
pub(crate) const REFUSED: &[Refused] = &[
    // glibc tries `clone3` first, whose flags are in memory that can change after they were checked.
    refuse!(SYS_clone3, libc::ENOSYS, "flags that no filter can read"),
    refuse!(SYS_fchmodat2, libc::ENOSYS, "so that the C library takes fchmodat"),
    refuse!(SYS_socket, libc::EACCES, "no network granted: what a firewall would say"),
    refuse!(SYS_connect, libc::EACCES, "no network granted"),
    refuse!(SYS_bind, libc::EACCES, "no network granted"),
    refuse!(SYS_ioctl, libc::ENOTTY, "as for a file that does not know the request"),
    refuse!(SYS_pkey_alloc, "another key"),
    refuse!(SYS_pkey_free, "a key that others hold"),
    refuse!(SYS_pkey_mprotect, "memory with a key of the caller's choice"),
    refuse!(SYS_ptrace, "reads and writes any thread"),
    refuse!(SYS_process_vm_readv, "the kernel copies without looking at keys"),
    refuse!(SYS_process_vm_writev, "the kernel copies without looking at keys"),
    refuse!(SYS_process_madvise, "drops the pages of others"),
    refuse!(SYS_userfaultfd, "fills the pages of others"),
    refuse!(SYS_io_uring_setup, "system calls that no filter sees"),
    refuse!(SYS_io_uring_enter, "system calls that no filter sees"),
    refuse!(SYS_io_uring_register, "system calls that no filter sees"),
    refuse!(SYS_rt_sigaction, "a handler of the caller's in every thread"),
    refuse!(SYS_sigaltstack, "the kernel writes signal frames with all keys open"),
    refuse!(SYS_rt_sigreturn, "loads the rights register from memory"),
    refuse!(SYS_kill, "signals to trusted threads"),
    refuse!(SYS_tkill, "signals to trusted threads"),
    refuse!(SYS_tgkill, "signals to trusted threads"),
    refuse!(SYS_rt_sigqueueinfo, "signals to trusted threads"),
    refuse!(SYS_rt_tgsigqueueinfo, "signals to trusted threads"),
    refuse!(SYS_pidfd_send_signal, "signals to trusted threads"),
    refuse!(SYS_pidfd_getfd, "descriptors of others"),
    refuse!(SYS_pidfd_open, "handles on other processes"),
    refuse!(SYS_timer_create, "timers that signal"),
    refuse!(SYS_setitimer, "timers that signal"),
    refuse!(SYS_alarm, "timers that signal"),
    refuse!(SYS_signalfd4, "signals that are meant for others"),
    refuse!(SYS_rseq, "the kernel writes where it is told, and jumps"),
    refuse!(SYS_personality, "readable memory would become executable"),
    refuse!(SYS_arch_prctl, "segment bases and processor features"),
    refuse!(SYS_seccomp, "a filter that fakes success"),
    refuse!(SYS_memfd_create, "a file that is code and data at once"),
    refuse!(SYS_memfd_secret, "memory that the monitor cannot map"),
    refuse!(SYS_shmget, "memory that outlives the instance"),
    refuse!(SYS_shmat, "memory that the monitor did not map"),
    refuse!(SYS_remap_file_pages, "memory that the monitor did not map"),
    refuse!(SYS_execve, "another program; not granted"),
    refuse!(SYS_execveat, "another program; not granted"),
    refuse!(SYS_fork, "a copy of everyone's memory"),
    refuse!(SYS_vfork, "a copy of everyone's memory"),
    refuse!(SYS_unshare, "namespaces of the caller's own"),
    refuse!(SYS_setns, "namespaces of others"),
    refuse!(SYS_mount, "changes what others see"),
    refuse!(SYS_umount2, "changes what others see"),
    refuse!(SYS_pivot_root, "changes what others see"),
    refuse!(SYS_chroot, "changes what the caller may do"),
    refuse!(SYS_chown, "who a file belongs to"),
    refuse!(SYS_truncate, "Landlock does not see it before its third version"),
    refuse!(SYS_inotify_add_watch, "what others do with their files"),
    refuse!(SYS_bpf, "code in the kernel"),
    refuse!(SYS_perf_event_open, "observes other threads"),
    refuse!(SYS_setuid, "identity"),
    refuse!(SYS_setgid, "identity"),
    refuse!(SYS_capset, "identity"),
    refuse!(SYS_setrlimit, "limits of everyone in the process"),
    refuse!(SYS_sched_setscheduler, "a class that others wait behind"),
    refuse!(SYS_setpgid, "leaves the group that is ended together"),
    refuse!(SYS_setsid, "leaves the group that is ended together"),
];

/// Ends the process, others' calls with it: what was under way can still be told when it traps.
pub(crate) const TRAPPED: i64 = libc::SYS_exit_group;

/// Numbers above are of later kernels than this policy: a C library that tries one takes another way when it is not there.
pub(crate) const LAST_KNOWN: i64 = libc::SYS_mseal;

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
