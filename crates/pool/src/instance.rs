//! An instance: the processes that run executions of one bundle.

use crate::crowd::{Home, Visit};
use crate::launcher::Launcher;
use crate::limits::Held;
use crate::logs::{LogLine, LogReaders, Place};
use crate::memory::MemoryUse;
use crate::process::{HostProcess, Inheritance};
use crate::scratch::Scratch;
use crate::template::Shared;
use faastlane_compose::Plan;
use faastlane_domain::{Doorbell, RingWriter, ShelfPlace, ShelfReader};
use faastlane_instance::{
    CallReport, Command, Descriptors, DomainSize, EventReport, FaultReport, HandReport, Report, SetUpFailure,
};
use faastlane_items::Stores;
use faastlane_machine::Event;
use faastlane_payload::Payload;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::io::{self, PipeReader};
use std::os::fd::AsFd;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the supervisor sleeps at most before it looks whether a process has died. Reports wake it earlier.
const LOOK: Duration = Duration::from_millis(10);
/// How long calls that nobody waits for have to come back before the next execution. As long as within one.
const GRACE: Duration = Duration::from_millis(50);

/// How old what is said of an instance's memory may be: asking costs as much as a short execution, and in that time no process
/// can come to use much more.
const FRESH: Duration = Duration::from_millis(20);

#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    #[error("cannot start an instance: {0}")]
    Start(#[from] io::Error),
    #[error("cannot {}: {}", .0.what, .0.cause)]
    SetUp(Box<SetUpFailure>),
    /// A thread crashed, or touched what is not its own, before any function was called.
    #[error("an instance ended while its functions were loaded: {}", .0.what)]
    Faulted(Box<FaultReport>),
    /// Without a word. `loading` are the domains that were being loaded there, by position in the plan.
    #[error("an instance ended on its own ({how})")]
    Died { how: String, loading: Vec<usize> },
    /// What an earlier execution left is still there, and the next one must not see it.
    #[error("cannot empty the scratch directories: {0}")]
    Scratch(io::Error),
    /// [`RunInput::stop`] said so while the instance was being set up.
    #[error("interrupted")]
    Interrupted,
}

/// An instance did not come up.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct StartError {
    pub error: InstanceError,
    /// What functions printed while they were loaded.
    pub logs: Vec<LogLine>,
}

impl<E: Into<InstanceError>> From<E> for StartError {
    fn from(error: E) -> Self {
        Self { error: error.into(), logs: Vec::new() }
    }
}

/// How long it took until an instance was ready, and what it takes.
#[derive(Clone, Debug)]
pub struct StartedUp {
    pub took: Duration,
    pub domains: Vec<DomainSize>,
}

/// One execution to be run.
pub struct RunInput<'a> {
    pub name: &'a str,
    pub input: &'a Payload,
    /// Of everything random in the execution.
    pub seed: u64,
    /// By how much Wait states, delays before retries and stand-ins that sleep are shortened (0.01: a hundred times) or
    /// lengthened. Limits on time are as they are. 1 is real time.
    pub time_scale: f64,
    /// Gets every event as it happens, with details, and those of child executions too, which no record holds.
    pub history: Option<&'a dyn Fn(&EventReport)>,
    /// Where distributed Maps find their items and put their results.
    pub stores: &'a Stores,
    /// Asked from time to time; true ends the execution as aborted.
    pub stop: &'a dyn Fn() -> bool,
}

/// Which process of an instance: a host of the plan, in a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) host: u32,
    pub(crate) lane: u32,
}

/// The processes that run executions of one bundle, one execution at a time. They end with this value.
pub(crate) struct Instance {
    plan: Arc<Plan>,
    hosts: Vec<HostProcess>,
    /// After the processes, which it is for.
    held: Held,
    commands: RingWriter,
    doorbell: Doorbell,
    shelf: ShelfReader,
    logs: LogReaders,
    scratch: Scratch,
    /// Reports that came while a command was written.
    early: VecDeque<Report>,
    underway: BTreeMap<Place, HandReport>,
    /// What lanes share with the instance that they are for.
    doorbell_file: File,
    mailboxes: Vec<Option<File>>,
    lane_scratch: Vec<Scratch>,
    lanes_wanted: Vec<Part>,
    /// When it was looked last whether a process has ended.
    looked: Instant,
    weighed: Option<(Instant, MemoryUse)>,
    home: Home,
}

impl Instance {
    /// Of processes that come up.
    pub(crate) fn of(
        plan: Arc<Plan>,
        shared: Shared,
        hosts: Vec<HostProcess>,
        printed: Vec<LogLine>,
    ) -> io::Result<Self> {
        hosts.iter().try_for_each(|host| shared.held.add(host.id()))?;
        Ok(Self {
            plan,
            hosts,
            held: shared.held,
            commands: RingWriter::open(shared.commands.as_fd())?,
            doorbell: Doorbell::shared(shared.doorbell.as_fd())?,
            shelf: ShelfReader::open(shared.shelf.as_fd())?,
            logs: LogReaders::start(shared.pipes.into_iter().map(|(reader, _)| reader).collect(), printed)?,
            scratch: shared.scratch,
            early: VecDeque::new(),
            underway: BTreeMap::new(),
            doorbell_file: shared.doorbell,
            mailboxes: shared.mailboxes,
            lane_scratch: Vec::new(),
            lanes_wanted: Vec::new(),
            looked: Instant::now(),
            weighed: None,
            home: Home::default(),
        })
    }

    /// Until the functions are loaded.
    pub(crate) fn await_loaded(&mut self, stop: &dyn Fn() -> bool) -> Result<Vec<DomainSize>, InstanceError> {
        let mut sizes = Vec::new();
        let mut missing = self.hosts.len();
        self.follow_start(stop, |report| {
            if let Report::Loaded(domains) = report {
                sizes.extend(domains);
                missing -= 1;
            }
            missing == 0
        })?;
        Ok(sizes)
    }

    /// Until executions can be run.
    pub(crate) fn await_ready(&mut self, stop: &dyn Fn() -> bool) -> Result<(), InstanceError> {
        self.follow_start(stop, |report| matches!(report, Report::Ready))?;
        self.hosts.iter_mut().for_each(HostProcess::is_up);
        Ok(self.held.limit_each(self.processes())?)
    }

    /// Reads reports until `done` is satisfied with one, or the instance turns out not to come up.
    fn follow_start(
        &mut self,
        stop: &dyn Fn() -> bool,
        mut done: impl FnMut(Report) -> bool,
    ) -> Result<(), InstanceError> {
        let mut up = BTreeSet::new();
        loop {
            match self.next() {
                Happened::Report(Report::SetUpFailed(failure)) => {
                    return Err(InstanceError::SetUp(Box::new(failure)));
                }
                Happened::Report(Report::Fault(fault)) => {
                    return Err(InstanceError::Faulted(Box::new(fault)));
                }
                Happened::Report(Report::DomainUp { domain, .. }) => drop(up.insert(domain)),
                Happened::Report(report) => {
                    if done(report) {
                        return Ok(());
                    }
                }
                Happened::Ended(part, status) => {
                    let domains = self.plan.domains.iter().enumerate();
                    let here = domains.filter(|(_, domain)| domain.host == part.host);
                    let loading = here.map(|(index, _)| index).filter(|index| !up.contains(index)).collect();
                    let how = match self.out_of_memory() {
                        Some(why) => format!("{status}: {why}"),
                        None => status.to_string(),
                    };
                    return Err(InstanceError::Died { how, loading });
                }
                Happened::Nothing if stop() => return Err(InstanceError::Interrupted),
                Happened::Nothing => {}
            }
        }
    }

    pub(crate) fn processes(&self) -> impl Iterator<Item = u32> {
        self.hosts.iter().map(HostProcess::id)
    }

    /// Finds it a CPU among the executions that are under way.
    pub(crate) fn settle(&mut self, visit: &mut Visit<'_>) {
        visit.settle(&mut self.home, placed(&self.hosts));
    }

    /// The calling thread follows its executions, and is for nothing else.
    pub(crate) fn take_thread(&mut self) {
        self.home.has_thread = true;
    }

    /// What an execution was that has ended in it.
    pub(crate) fn ran(&mut self, took: Duration, one_at_a_time: bool) {
        self.home.ran(took, one_at_a_time);
    }

    /// Whether lanes were asked for that it does not have.
    pub(crate) fn wants_lanes(&self) -> bool {
        !self.lanes_wanted.is_empty()
    }

    /// Lets it use all CPUs.
    pub(crate) fn spread(&mut self, visit: &mut Visit<'_>) {
        visit.spread(&mut self.home, placed(&self.hosts));
    }

    /// The most it has had in use, not more than [`FRESH`] ago.
    pub(crate) fn memory_use(&mut self) -> MemoryUse {
        match self.weighed {
            Some((at, weighed)) if at.elapsed() < FRESH => weighed,
            _ => {
                let weighs = self.held.memory_use(self.processes());
                self.weighed = Some((Instant::now(), weighs));
                weighs
            }
        }
    }

    /// That it needed more memory than it may have, if a process of it was ended for that.
    pub(crate) fn out_of_memory(&self) -> Option<String> {
        self.held.out_of_memory()
    }

    /// What happens next, or nothing within [`LOOK`].
    pub(crate) fn next(&mut self) -> Happened {
        let rings = self.hosts[0].reports().rings();
        for waited in [false, true] {
            if let Some(report) = self.next_report() {
                return Happened::Report(report);
            }
            if let Some((part, status)) = self.ended(waited) {
                // What a process said is all there once it has ended.
                return self.next_report().map_or(Happened::Ended(part, status), Happened::Report);
            }
            if !waited {
                self.hosts[0].reports().wait(rings, LOOK);
            }
        }
        Happened::Nothing
    }

    /// Whether one of its processes has ended. Each look takes a system call for each of them: one in [`LOOK`] is enough, unless
    /// there is nothing else to do `now`.
    fn ended(&mut self, now: bool) -> Option<(Part, ExitStatus)> {
        if !now && self.looked.elapsed() < LOOK {
            return None;
        }
        self.looked = Instant::now();
        self.hosts.iter_mut().find_map(|host| Some((host.part, host.ended()?)))
    }

    /// The next thing that it said, if there is one.
    pub(crate) fn next_report(&mut self) -> Option<Report> {
        let early = self.early.pop_front();
        let report = early.or_else(|| next_of(&mut self.hosts, &self.plan))?;
        match &report {
            Report::Handed(hand) => drop(self.underway.insert((hand.domain, hand.lane), hand.clone())),
            Report::Freed { domain, lane } | Report::Call(CallReport { domain, lane, .. }) => {
                self.underway.remove(&(*domain, *lane));
            }
            Report::LaneWanted { host, lane } => self.lanes_wanted.push(Part { host: *host, lane: *lane }),
            &Report::Shelved { invocation, slot, len, at } => {
                // Nothing but an instance that went wrong names a place that is none: then there is no value there either.
                let output = self.shelf.read(ShelfPlace { slot, len }).unwrap_or_default();
                let output = Payload::from_flat(Box::new(output));
                let event = Event::InvocationSucceeded { invocation, output, log: None, at };
                return Some(Report::Journal(event));
            }
            _ => {}
        }
        Some(report)
    }

    /// Writes a command. What the instance has to say meanwhile is taken in: it may not read before it got rid of that. To one
    /// that has ended nothing is said.
    pub(crate) fn command(&mut self, command: &Command) {
        let Self { commands, doorbell, hosts, early, plan, .. } = self;
        let taken = RefCell::new((hosts, early));
        // A command is plain data, which always has a form.
        if let Ok(bytes) = postcard::to_stdvec(command) {
            commands.write_waking(&bytes, &|| {
                doorbell.ring();
                let (hosts, early) = &mut *taken.borrow_mut();
                early.extend(std::iter::from_fn(|| next_of(hosts, plan)));
                !hosts.iter_mut().any(|host| host.ended().is_some())
            });
            doorbell.ring();
        }
    }

    /// # Errors
    /// What an earlier execution left is still there.
    pub(crate) fn empty_scratch(&self) -> Result<(), InstanceError> {
        if faastlane_sandbox::left_out("scratch") {
            return Ok(());
        }
        let mut all = [&self.scratch].into_iter().chain(&self.lane_scratch);
        all.try_for_each(Scratch::empty).map_err(InstanceError::Scratch)
    }

    /// What is under way and where, as far as the instance has said.
    pub(crate) fn underway(&self) -> impl Iterator<Item = &HandReport> {
        self.underway.values()
    }

    /// Makes the lanes that were asked for, as copies of the template's processes.
    pub(crate) fn make_lanes(&mut self, launcher: &Launcher) {
        for part in std::mem::take(&mut self.lanes_wanted) {
            if let Err(error) = launcher.make_lane(self, part) {
                let Part { host, lane } = part;
                launcher.say_no_lane(error.to_string());
                self.command(&Command::NoLane { host, lane });
            }
        }
    }

    /// What the lane `part` gets of it, and the pipe of each of its domains.
    pub(crate) fn lane_part(&self, part: Part) -> io::Result<(Inheritance, Descriptors, Vec<LanePipe>)> {
        let mut inheritance = Inheritance::default();
        let mut descriptors = Descriptors {
            reports: -1,
            orders: -1,
            commands: -1,
            doorbell: inheritance.add_copy(&self.doorbell_file)?,
            shelf: -1,
            logs: vec![-1; self.plan.domains.len()],
            mailboxes: vec![-1; self.plan.domains.len()],
        };
        let mut pipes = Vec::new();
        for (index, domain) in self.plan.domains.iter().enumerate() {
            if let Some(file) = self.mailboxes[index].as_ref().filter(|_| domain.host == part.host) {
                descriptors.mailboxes[index] = inheritance.add_copy(file)?;
                let (reader, writer) = io::pipe()?;
                descriptors.logs[index] = inheritance.add(writer.into());
                pipes.push(((index, part.lane), reader));
            }
        }
        Ok((inheritance, descriptors, pipes))
    }

    /// Takes a lane's process in.
    pub(crate) fn add_lane(
        &mut self,
        process: HostProcess,
        scratch: Scratch,
        pipes: Vec<LanePipe>,
    ) -> io::Result<()> {
        self.held.add(process.id())?;
        self.held.limit_each(std::iter::once(process.id()))?;
        pipes.into_iter().for_each(|(place, pipe)| self.logs.add(place, pipe));
        self.lane_scratch.push(scratch);
        self.hosts.push(process);
        Ok(())
    }

    /// Ends the process of a lane that is of no use.
    pub(crate) fn end_lane(&mut self, part: Part) {
        self.hosts.retain(|host| host.part != part);
    }

    pub(crate) fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    pub(crate) fn hosts(&self) -> &[HostProcess] {
        &self.hosts
    }

    pub(crate) fn put_back_logs(&mut self, lines: Vec<LogLine>) {
        self.logs.put_back(lines);
    }

    /// Whether it can run another execution. Calls that nobody waits for any more have a short while to come back.
    pub(crate) fn is_fit(&mut self) -> bool {
        let since = Instant::now();
        loop {
            match self.next_report() {
                Some(Report::Fault(_) | Report::SetUpFailed(_)) => return false,
                Some(_) => continue,
                None if self.ended(false).is_some() => return false,
                None if self.underway.is_empty() => return true,
                None if since.elapsed() > GRACE => return false,
                None => {}
            }
            let rings = self.hosts[0].reports().rings();
            self.hosts[0].reports().wait(rings, LOOK);
        }
    }

    /// What a function printed last in an invocation that has come back.
    pub(crate) fn printed(&mut self, place: Place, request_id: &str) -> String {
        self.logs.tail(place, request_id)
    }

    /// What functions printed since the last call, to the last line where they are at one of these places.
    pub(crate) fn take_logs(&mut self, places: impl Iterator<Item = Place>) -> Vec<LogLine> {
        self.logs.take_all(places)
    }

    /// Takes over what was printed in an instance that this one is in place of.
    pub(crate) fn put_back(&mut self, printed: Vec<LogLine>) {
        self.logs.put_back(printed);
    }

    /// Ends the processes. What they said can still be read.
    pub(crate) fn end(&mut self) {
        // All before any is waited for: one that traces another is to let go of it.
        self.hosts.iter().for_each(HostProcess::kill);
        self.hosts.iter_mut().for_each(HostProcess::end);
    }

    /// Ends the processes; what functions printed and no record holds yet.
    pub(crate) fn close(mut self) -> Vec<LogLine> {
        self.end();
        self.logs.finish()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.end();
    }
}

/// Processes that may be kept to one CPU. The children of others would be kept to it, too, and for good.
fn placed(hosts: &[HostProcess]) -> impl Iterator<Item = u32> {
    hosts.iter().filter(|host| !host.has_children).map(HostProcess::id)
}

fn next_of(hosts: &mut [HostProcess], plan: &Plan) -> Option<Report> {
    // The others first: host 0 goes on when one of them faults.
    hosts.iter_mut().rev().find_map(|host| host.next_report(plan))
}

/// A pipe for what functions print in a lane.
pub(crate) type LanePipe = (Place, PipeReader);

pub(crate) enum Happened {
    Report(Report),
    Ended(Part, ExitStatus),
    Nothing,
}
