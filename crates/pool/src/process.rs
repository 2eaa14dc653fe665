//! One process of an instance: how it is started, and how it is ended.

use crate::INSTANCE_ARGUMENT;
use crate::instance::Part;
use crate::testimony::{self, Stage};
use command_fds::{CommandFdExt, FdMapping};
use faastlane_compose::Plan;
use faastlane_domain::{LOADER_TUNABLES, RING_LEN, RingDamaged, RingReader, shared_file};
use faastlane_instance::{
    Assignment, CopyAnswer, CopyOrder, Descriptors, MOST_DESCRIPTORS, Order, OrderChannel, Report,
};
use faastlane_sandbox::{end_group, left_out};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitOptions, kill_process, waitid, waitpid};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The first descriptor number that is given to an instance.
const FIRST: i32 = 3;

/// Collects the descriptors that a process is to have.
#[derive(Default)]
pub(crate) struct Inheritance(Vec<OwnedFd>);

impl Inheritance {
    /// Its position among them.
    pub(crate) fn add(&mut self, descriptor: OwnedFd) -> i32 {
        self.0.push(descriptor);
        self.0.len() as i32 - 1
    }

    pub(crate) fn add_copy(&mut self, file: &File) -> io::Result<i32> {
        Ok(self.add(file.as_fd().try_clone_to_owned()?))
    }
}

/// Starts processes on a thread that lives as long as this value. They end when it does, whatever thread asked for them.
#[derive(Debug)]
pub(crate) struct Spawner(Sender<(Command, SyncSender<io::Result<Child>>)>);

impl Spawner {
    pub(crate) fn new() -> Self {
        let (sender, commands) = channel::<(Command, SyncSender<io::Result<Child>>)>();
        std::thread::spawn(move || {
            for (mut command, answer) in commands {
                // Whoever asked has gone only when it panicked.
                drop(answer.send(command.spawn()));
            }
        });
        Self(sender)
    }

    fn spawn(&self, command: Command) -> io::Result<Child> {
        let gone = || io::Error::other("the thread that starts processes is gone");
        let (answer, answered) = sync_channel(1);
        self.0.send((command, answer)).map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())?
    }
}

/// A process of an instance, or of a template. Ends with this value.
pub(crate) struct HostProcess {
    pub(crate) part: Part,
    pid: Pid,
    reports: RingReader,
    stage: Stage,
    /// It said what it may not say. Nothing more is heard of it.
    silenced: bool,
    status: Option<ExitStatus>,
    /// A function in it may start processes.
    pub(crate) has_children: bool,
}

impl HostProcess {
    /// Starts `executable` with `assignment`, whose descriptors are positions in `inheritance`. It inherits nothing else: no
    /// environment, no descriptors, no terminal's signals. Orders go through the channel.
    pub(crate) fn start(
        executable: &Path,
        spawner: &Spawner,
        mut assignment: Assignment,
        mut inheritance: Inheritance,
    ) -> io::Result<(Self, OrderChannel)> {
        let has_children = assignment.has_children();
        let reports = shared_file(c"faastlane-reports", RING_LEN)?;
        assignment.descriptors.reports = inheritance.add_copy(&reports)?;
        let (orders, theirs) = OrderChannel::pair()?;
        assignment.descriptors.orders = inheritance.add(theirs);
        assignment.descriptors = assignment.descriptors.renumbered(|position| FIRST + position);
        let mut file = shared_file(c"faastlane-assignment", 0)?;
        let number = FIRST + inheritance.add_copy(&file)?;
        file.write_all(&serde_json::to_vec(&assignment)?)?;
        let numbered = (FIRST..).zip(inheritance.0);
        let mappings = numbered.map(|(child_fd, parent_fd)| FdMapping { parent_fd, child_fd }).collect();
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
            .fd_mappings(mappings)
            .map_err(io::Error::other)?;
        #[cfg(debug_assertions)]
        command.envs(without.map(|list| ("FAASTLANE_TEST_WITHOUT", list)));
        let child = spawner.spawn(command)?;
        let part = Part { host: assignment.host, lane: 0 };
        let pid = Pid::from_child(&child);
        ours().insert(pid.as_raw_nonzero().get());
        let reports = open_reports(&reports, part)?;
        let (stage, silenced) = (Stage::Loading, false);
        let process = Self { part, pid, reports, stage, silenced, status: None, has_children };
        Ok((process, orders))
    }

    /// Has the template behind `orders` copied, for the lane `lane` of an instance. `descriptors` are positions in `inheritance`.
    pub(crate) fn copy<'a>(
        &self,
        orders: &'a OrderChannel,
        lane: u32,
        scratch: Vec<PathBuf>,
        mut descriptors: Descriptors,
        mut inheritance: Inheritance,
    ) -> Result<Copying<'a>, CopyError> {
        let reports = shared_file(c"faastlane-reports", RING_LEN)?;
        descriptors.reports = inheritance.add_copy(&reports)?;
        if inheritance.0.len() > MOST_DESCRIPTORS {
            return Err(CopyError::Refused(format!(
                "a process with {} mailboxes and logs is too large for it",
                inheritance.0.len()
            )));
        }
        let part = Part { lane, ..self.part };
        let reports = open_reports(&reports, part)?;
        orders.order(&Order::Copy(CopyOrder { lane, scratch, descriptors }), &inheritance.0)?;
        Ok(Copying { orders, part, reports, has_children: self.has_children })
    }

    /// The next thing it said, or that it said what it may not say.
    pub(crate) fn next_report(&mut self, plan: &Plan) -> Option<Report> {
        if self.silenced {
            return None;
        }
        let said: Option<Report> = match self.reports.read() {
            Ok(None) => return None,
            Ok(Some(bytes)) => postcard::from_bytes(bytes).ok(),
            Err(RingDamaged) => None,
        };
        let may_say = |report: &Report| left_out("reports") || self.part.may_say(plan, self.stage, report);
        let Some(report) = said.filter(may_say) else {
            self.silenced = true;
            return Some(Report::Fault(self.part.forged(plan)));
        };
        if matches!(report, Report::Loaded(_)) {
            self.stage = Stage::ComingUp;
        }
        Some(report)
    }

    /// It takes calls from now on.
    pub(crate) fn is_up(&mut self) {
        self.stage = Stage::Up;
    }

    /// How it ended, if it has. Everything it said before can still be read.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.wait(WaitOptions::NOHANG);
        }
        self.status
    }

    fn wait(&mut self, options: WaitOptions) {
        let waited = loop {
            match waitpid(Some(self.pid), options) {
                Err(Errno::INTR) => {}
                other => break other,
            }
        };
        match waited {
            Ok(Some((_, status))) => self.status = Some(ExitStatus::from_raw(status.as_raw())),
            Ok(None) => return,
            // It is no child of ours any more: as good as killed.
            Err(_) => self.status = Some(ExitStatus::from_raw(Signal::KILL.as_raw())),
        }
        ours().remove(&self.pid.as_raw_nonzero().get());
        self.end_children();
    }

    pub(crate) fn id(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    pub(crate) fn reports(&self) -> &RingReader {
        &self.reports
    }

    /// They cannot leave the group that the process began.
    fn end_children(&self) {
        if self.has_children {
            end_group(self.id());
        }
    }

    pub(crate) fn kill(&self) {
        if self.status.is_none() {
            // It fails only when the process has ended already.
            kill_process(self.pid, Signal::KILL).ok();
        }
    }

    pub(crate) fn end(&mut self) {
        self.kill();
        if self.status.is_none() {
            self.wait(WaitOptions::empty());
        }
    }
}

fn open_reports(file: &File, part: Part) -> io::Result<RingReader> {
    let longest = if part.has_orchestrator() { usize::MAX } else { testimony::LONGEST };
    RingReader::open(file.as_fd(), longest)
}

/// The numbers of the processes that have been started here and not been waited for.
fn ours() -> MutexGuard<'static, BTreeSet<i32>> {
    static OURS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());
    OURS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The process of this number, if it is a child of ours and none that is known. It is going to be killed: where functions have no keys,
/// one of them can have written the number.
fn new_child(number: i32) -> Option<Pid> {
    let pid = (number > 0).then(|| Pid::from_raw(number))??;
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let is_child = waitid(WaitId::Pid(pid), look).is_ok();
    (is_child && ours().insert(number)).then_some(pid)
}

/// A copy that has been ordered. It must be taken, also where it is not wanted any more: the next order has an answer too.
#[must_use]
pub(crate) struct Copying<'a> {
    orders: &'a OrderChannel,
    part: Part,
    reports: RingReader,
    has_children: bool,
}

impl Copying<'_> {
    pub(crate) fn take(self) -> Result<HostProcess, CopyError> {
        let pid = match self.orders.answered()? {
            Some(CopyAnswer::Made(number)) => new_child(number).ok_or(CopyError::Forged(self.part))?,
            Some(CopyAnswer::Refused(why)) => return Err(CopyError::Refused(why)),
            None => return Err(CopyError::Gone),
        };
        let Self { part, reports, has_children, .. } = self;
        let (stage, silenced) = (Stage::ComingUp, false);
        Ok(HostProcess { part, pid, reports, stage, silenced, status: None, has_children })
    }
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    #[error("the process cannot be copied: {0}")]
    Refused(String),
    #[error("the process has ended")]
    Gone,
    /// It named a process as its copy that is another one.
    #[error("a function made up what its process reports")]
    Forged(Part),
    #[error(transparent)]
    System(io::Error),
}

impl From<io::Error> for CopyError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // What a channel says whose other end has gone.
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => Self::Gone,
            _ => Self::System(error),
        }
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_a_child_that_nobody_knew() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let number = child.id() as i32;
        let others = [0, -1, 1, std::process::id() as i32, i32::MAX, i32::MIN];
        assert!(others.into_iter().all(|number| new_child(number).is_none()));
        assert_eq!(new_child(number), Some(Pid::from_child(&child)));
        assert_eq!(new_child(number), None, "another has it already");
        ours().remove(&number);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(new_child(number), None, "it has ended");
    }
}
