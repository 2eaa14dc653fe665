//! Putting a thread into its jail, step by step.

use crate::defences::left_out;
use crate::files::{self, Files};
use crate::filter::{self, Grants};
use crate::privileges;
use crate::temporary;
use std::ffi::CString;
use std::io;

/// What a domain thread is confined to.
#[derive(Clone, Debug, Default)]
pub struct Confinement {
    /// Becomes its standard output and error; every other descriptor is closed for it.
    pub log: i32,
    /// Becomes its working directory, and nobody else's.
    pub directory: CString,
    /// Whether the monitor answers its memory calls (it shares its process with other domains).
    pub monitored: bool,
    pub grants: Grants,
    /// What it may read and write besides the system's libraries. Seen from where `temporary` is at `/tmp`.
    pub files: Files,
    /// The folder that it has in the place of `/tmp`.
    pub temporary: Option<CString>,
}

/// A step that the kernel did not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnterError {
    pub step: &'static str,
    pub errno: i32,
}

pub(crate) fn step<T>(step: &'static str, result: io::Result<T>) -> Result<T, EnterError> {
    result.map_err(|error| EnterError { step, errno: error.raw_os_error().unwrap_or(0) })
}

fn check(result: libc::c_long) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

impl Confinement {
    /// Confines the calling thread and all it starts from now on, but for the last filter, which it returns: under that the thread
    /// makes no call any more that a domain may not make. There is no way back.
    ///
    /// Where memory calls are monitored, `hand_over` is given the listener's descriptor and must return only when somebody
    /// serves it: the next memory call of this thread waits for an answer.
    pub fn enter(&self, hand_over: impl FnOnce(i32)) -> Result<Vec<libc::sock_filter>, EnterError> {
        if self.monitored {
            // Before the descriptor tables part, so that the monitor has the listener too.
            let listener = filter::install_with_listener(&filter::memory_filter());
            hand_over(step("a filter with a listener (seccomp)", listener)?);
        }
        // SAFETY: the calls change this thread's own tables; the strings are C strings.
        unsafe {
            let directories = if left_out("directory") { 0 } else { libc::CLONE_FS };
            let descriptors = if left_out("descriptors") { 0 } else { libc::CLONE_FILES };
            let apart = libc::unshare(directories | descriptors);
            step("its own descriptors (unshare)", check(apart.into()))?;
            if descriptors != 0 {
                self.own_streams()?;
            }
            if let Some(folder) = &self.temporary {
                step("its /tmp (unshare, mount)", temporary::stand_in(folder))?;
            }
            let directory = libc::chdir(self.directory.as_ptr());
            step("its working directory (chdir)", check(directory.into()))?;
        }
        // Without Landlock the composer has said so in the plan.
        if !left_out("landlock") {
            files::restrict(&self.files, self.grants.subprocess)
                .map_err(|_| EnterError { step: "its files (Landlock)", errno: libc::EPERM })?;
        }
        if !left_out("capabilities") {
            step("its capabilities (capset)", privileges::drop_capabilities())?;
        }
        Ok(filter::policy_filter(self.grants))
    }

    /// Nothing in its table but `/dev/null` and its log.
    fn own_streams(&self) -> Result<(), EnterError> {
        // SAFETY: the calls change this thread's own table; the string is a C string.
        unsafe {
            let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDONLY);
            step("/dev/null", check(null.into()))?;
            // The log first: it may be in the way of the numbers it goes to.
            let log = libc::fcntl(self.log, libc::F_DUPFD, 3);
            step("its log", check(log.into()))?;
            for (from, to) in [(null, 0), (log, 1), (log, 2)] {
                step("its standard streams (dup2)", check(libc::dup2(from, to).into()))?;
            }
            let closed = libc::syscall(libc::SYS_close_range, 3u32, u32::MAX, 0u32);
            step("closing the others' descriptors (close_range)", check(closed))
        }
    }
}
