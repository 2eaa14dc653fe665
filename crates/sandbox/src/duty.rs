//! The threads of ours that share their memory with a function, in a process without keys: they start, watch and copy it. Native
//! code of the function can take one over, so each is bound to what its duty needs, and then has no more than that.

use crate::check::{any_of, bits, low};
use crate::confine::{EnterError, step};
use crate::defences::left_out;
use crate::files::{self, Files};
use crate::filter::{self, Grants};
use crate::policy::Allowed;
use crate::privileges;
use landlock::RulesetError;

/// What such a thread is there for.
#[derive(Clone, Debug)]
pub enum Duty {
    /// It keeps the process alive, and has nothing else to do.
    Sleep,
    /// It reports a fault, and ends the process.
    Watch,
    /// It takes orders to copy the process, and puts what it starts in a copy under the function's policy. So it may do at least what
    /// the function may do, and reach the files of all copies; `None` where it must mount for them, for then Landlock, which
    /// allows no mounting, cannot bind it.
    Copy { grants: Grants, files: Option<Files> },
}

const EXECUTE: u32 = libc::PROT_EXEC as u32;
const ANONYMOUS: u32 = libc::MAP_ANONYMOUS as u32;
const COPY: u32 =
    (libc::CLONE_PARENT | libc::CLONE_CHILD_SETTID | libc::CLONE_CHILD_CLEARTID | libc::SIGCHLD) as u32;
const APART: &[u32] = &[
    (libc::CLONE_FS | libc::CLONE_FILES) as u32,
    libc::CLONE_FS as u32,
    libc::CLONE_FILES as u32,
    libc::CLONE_NEWNS as u32,
    0,
];
const ATTRIBUTES: &[u32] = &[
    libc::PR_SET_PDEATHSIG as u32,
    libc::PR_SET_NO_NEW_PRIVS as u32,
    libc::PR_CAPBSET_DROP as u32,
    libc::PR_CAP_AMBIENT as u32,
];
const SET_FS: u32 = 0x1002;

const SLEEP: &[Allowed] = &[
    allow!(SYS_pause, "sleeps"),
    allow!(SYS_restart_syscall, "the kernel's own, after a stop"),
    allow!(SYS_gettid, "of the handler of faults"),
    allow!(SYS_futex, "of the handler of faults"),
    allow!(SYS_poll, "of the handler of faults"),
    allow!(SYS_exit_group, "there is nothing left to do"),
];

/// Besides those of [`SLEEP`].
const WATCH: &[Allowed] = &[
    allow!(SYS_mmap, &[bits(2, EXECUTE, 0), bits(3, ANONYMOUS, ANONYMOUS)], "memory for the report"),
    allow!(SYS_mprotect, &[bits(2, EXECUTE, 0)], "memory for the report"),
    allow!(SYS_munmap, "memory for the report"),
    allow!(SYS_brk, "memory for the report"),
    allow!(SYS_pipe2, "reads what may not be there"),
    allow!(SYS_write, "reads what may not be there"),
    allow!(SYS_read, "reads what may not be there"),
    allow!(SYS_close, "reads what may not be there"),
    allow!(SYS_clock_gettime, "asks"),
    allow!(SYS_sched_yield, "waits for a lock"),
];

/// Besides what the function itself may do.
const MAKE_COPIES: &[Allowed] = &[
    allow!(SYS_exit_group, "ends a copy that cannot be an instance"),
    allow!(SYS_clone, &[low(0, COPY)], "a copy of the process"),
    allow!(SYS_setpgid, &[low(0, 0), low(1, 0)], "a copy is the first of a group"),
    allow!(SYS_prctl, &[any_of(0, ATTRIBUTES)], "gives up capabilities, and dies with its parent"),
    allow!(SYS_capset, "gives up capabilities"),
    allow!(SYS_unshare, &[any_of(0, APART)], "descriptors, a working directory and a /tmp of a thread's own"),
    allow!(SYS_landlock_create_ruleset, "less than it has"),
    allow!(SYS_landlock_add_rule, "less than it has"),
    allow!(SYS_landlock_restrict_self, "less than it has"),
    allow!(SYS_seccomp, &[low(0, libc::SECCOMP_SET_MODE_FILTER), low(1, 0)], "less than it has"),
    allow!(SYS_sigaltstack, "where the kernel tells of a fault"),
    allow!(SYS_arch_prctl, &[low(0, SET_FS)], "thread storage of the thread that is made again"),
];

/// Besides, where it has a `/tmp` to stand in for.
const MOUNT: &[Allowed] = &[allow!(SYS_mount, "a function's own /tmp")];

/// Binds the calling thread, and those it starts from now on. There is no way back.
pub fn bind(duty: &Duty) -> Result<(), EnterError> {
    if left_out("duty") {
        return Ok(());
    }
    let program = match duty {
        Duty::Sleep => {
            close_files(files::restrict_to_none)?;
            filter::of_rows(SLEEP.iter())
        }
        Duty::Watch => {
            close_files(files::restrict_to_none)?;
            filter::of_rows(SLEEP.iter().chain(WATCH))
        }
        Duty::Copy { grants, files: Some(files) } => {
            close_files(|| files::restrict(files, grants.subprocess))?;
            filter::with_more(*grants, MAKE_COPIES.iter())
        }
        Duty::Copy { grants, files: None } => filter::with_more(*grants, MAKE_COPIES.iter().chain(MOUNT)),
    };
    step("its system calls (seccomp)", filter::install(&program))
}

fn close_files(restrict: impl FnOnce() -> Result<bool, RulesetError>) -> Result<(), EnterError> {
    if !left_out("landlock") {
        restrict().map_err(|_| EnterError { step: "its files (Landlock)", errno: libc::EPERM })?;
    }
    if left_out("capabilities") {
        return Ok(());
    }
    step("its capabilities (capset)", privileges::drop_capabilities())
}
