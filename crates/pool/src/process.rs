//! One process of an instance: how it is started, and how it is ended.

use crate::INSTANCE_ARGUMENT;
use command_fds::{CommandFdExt, FdMapping};
use faastlane_domain::{LOADER_TUNABLES, RING_LEN, RingReader, shared_file};
use faastlane_instance::{Assignment, Report};
use faastlane_sandbox::end_group;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

/// The first descriptor number that is given to an instance.
const FIRST: i32 = 3;

/// Collects what a process is to inherit, and numbers it.
#[derive(Default)]
pub(crate) struct Inheritance(Vec<FdMapping>);

impl Inheritance {
    /// The number that `descriptor` will have there.
    pub(crate) fn add(&mut self, descriptor: OwnedFd) -> i32 {
        let child_fd = FIRST + self.0.len() as i32;
        self.0.push(FdMapping { parent_fd: descriptor, child_fd });
        child_fd
    }

    pub(crate) fn add_copy(&mut self, file: &File) -> io::Result<i32> {
        Ok(self.add(file.as_fd().try_clone_to_owned()?))
    }
}

/// A process of an instance. Ends with this value.
pub(crate) struct HostProcess {
    child: Child,
    reports: RingReader,
    status: Option<ExitStatus>,
    /// A function in it may start processes.
    has_children: bool,
}

impl HostProcess {
    /// Starts `executable` with `assignment`, whose descriptors `inheritance` numbered. It inherits nothing else: no
    /// environment, no descriptors, no terminal's signals.
    pub(crate) fn start(
        executable: &Path,
        mut assignment: Assignment,
        mut inheritance: Inheritance,
    ) -> io::Result<Self> {
        let has_children = assignment.has_children();
        let reports = shared_file(c"faastlane-reports", RING_LEN)?;
        assignment.descriptors.reports = inheritance.add_copy(&reports)?;
        let mut file = shared_file(c"faastlane-assignment", 0)?;
        let number = inheritance.add_copy(&file)?;
        file.write_all(&serde_json::to_vec(&assignment)?)?;
        let mut command = Command::new(executable);
        // The switch with which tests see that an attack is real: see `faastlane_sandbox::left_out`.
        #[cfg(debug_assertions)]
        let without = std::env::var_os("FAASTLANE_TEST_WITHOUT");
        command
            .arg(INSTANCE_ARGUMENT)
            .arg(format!("/proc/self/fd/{number}"))
            .env_clear()
            .env(LOADER_TUNABLES.0, LOADER_TUNABLES.1)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .process_group(0)
            .fd_mappings(inheritance.0)
            .map_err(io::Error::other)?;
        #[cfg(debug_assertions)]
        command.envs(without.map(|list| ("FAASTLANE_TEST_WITHOUT", list)));
        let child = command.spawn()?;
        Ok(Self { child, reports: RingReader::open(reports.as_fd())?, status: None, has_children })
    }

    /// The next thing it said.
    pub(crate) fn next_report(&mut self) -> Option<Report> {
        let bytes = self.reports.read()?;
        // Both sides are this same executable.
        postcard::from_bytes(&bytes).ok()
    }

    /// How it ended, if it has. Everything it said before can still be read.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.child.try_wait().ok().flatten();
            if self.status.is_some() {
                self.end_children();
            }
        }
        self.status
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn reports(&self) -> &RingReader {
        &self.reports
    }

    /// They cannot leave the group that the process began.
    fn end_children(&self) {
        if self.has_children {
            end_group(self.child.id());
        }
    }

    pub(crate) fn end(&mut self) {
        if self.status.is_none() {
            // It fails only when the process has ended already.
            drop(self.child.kill());
            self.end_children();
            self.status = self.child.wait().ok();
        }
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        self.end();
    }
}
