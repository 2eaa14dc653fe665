//! An instance: the processes that run executions of one bundle.

use crate::limits::Held;
use crate::logs::{LogLine, LogReaders};
use crate::memory::MemoryUse;
use crate::process::{CopyError, HostProcess, Inheritance, Spawner};
use crate::scratch::Scratch;
use faastlane_asl::source::Source;
use faastlane_compose::{Placement, Plan};
use faastlane_domain::{Doorbell, RING_LEN, RingWriter, shared_file, shared_len};
use faastlane_instance::{
    Assignment, CallReport, Command, Descriptors, DomainSize, EventReport, FaultReport, HandReport, Order,
    OrderChannel, Report, SetUpFailure,
};
use faastlane_items::Stores;
use faastlane_payload::Payload;
use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the supervisor sleeps at most before it looks whether a process has died. Reports wake it earlier.
const LOOK: Duration = Duration::from_millis(10);
/// How long calls that nobody waits for have to come back before the next execution. As long as within one.
const GRACE: Duration = Duration::from_millis(50);

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

/// The processes that run executions of one bundle, one execution at a time. They end with this value.
pub(crate) struct Instance {
    plan: Arc<Plan>,
    hosts: Vec<HostProcess>,
    /// After the processes, which it is for.
    held: Held,
    commands: RingWriter,
    doorbell: Doorbell,
    logs: LogReaders,
    scratch: Scratch,
    /// Reports that came while a command was written.
    early: VecDeque<Report>,
    /// By position in the plan.
    underway: Vec<Option<HandReport>>,
}

/// What the processes of one instance share with each other and with the supervisor.
struct Shared {
    commands: File,
    doorbell: File,
    /// Those of the domains in processes of their own.
    mailboxes: Vec<Option<File>>,
    pipes: Vec<(PipeReader, PipeWriter)>,
    scratch: Scratch,
    held: Held,
}

impl Shared {
    fn make(plan: &Plan) -> io::Result<Self> {
        let max_payload = usize::try_from(plan.limits.max_payload_bytes).unwrap_or(usize::MAX);
        let mailbox = |placement: Placement| match placement {
            Placement::Thread => Ok(None),
            _ => shared_file(c"faastlane-mailbox", shared_len(max_payload)).map(Some),
        };
        Ok(Self {
            commands: shared_file(c"faastlane-commands", RING_LEN)?,
            doorbell: shared_file(c"faastlane-doorbell", 4096)?,
            mailboxes: plan
                .domains
                .iter()
                .map(|domain| mailbox(domain.placement))
                .collect::<io::Result<_>>()?,
            pipes: plan.domains.iter().map(|_| io::pipe()).collect::<io::Result<_>>()?,
            scratch: Scratch::make(plan.domains.len())?,
            held: Held::new(&plan.limits)?,
        })
    }

    /// What one of the processes gets of it.
    fn part(&self, plan: &Plan, host: u32) -> io::Result<(Inheritance, Descriptors)> {
        let mut inheritance = Inheritance::default();
        let mut logs = vec![-1; plan.domains.len()];
        let mut mailboxes = vec![-1; plan.domains.len()];
        for (index, domain) in plan.domains.iter().enumerate() {
            if domain.host == host {
                logs[index] = inheritance.add(self.pipes[index].1.as_fd().try_clone_to_owned()?);
            }
            if let Some(file) = self.mailboxes[index].as_ref().filter(|_| host == 0 || domain.host == host) {
                mailboxes[index] = inheritance.add_copy(file)?;
            }
        }
        let descriptors = Descriptors {
            reports: -1,
            orders: -1,
            commands: if host == 0 { inheritance.add_copy(&self.commands)? } else { -1 },
            doorbell: inheritance.add_copy(&self.doorbell)?,
            logs,
            mailboxes,
        };
        Ok((inheritance, descriptors))
    }

    fn instance(
        self,
        plan: Arc<Plan>,
        hosts: Vec<HostProcess>,
        printed: Vec<LogLine>,
    ) -> io::Result<Instance> {
        hosts.iter().try_for_each(|host| self.held.add(host.id()))?;
        Ok(Instance {
            underway: vec![None; plan.domains.len()],
            plan,
            hosts,
            held: self.held,
            commands: RingWriter::open(self.commands.as_fd())?,
            doorbell: Doorbell::shared(self.doorbell.as_fd())?,
            logs: LogReaders::start(self.pipes, printed),
            scratch: self.scratch,
            early: VecDeque::new(),
        })
    }
}

/// The processes of a bundle with its functions loaded and parked: they can be copied, or go on as an instance themselves.
pub(crate) struct Template {
    instance: Instance,
    /// Of each process.
    orders: Vec<OrderChannel>,
    /// What functions printed while they were loaded, until an instance has it.
    printed: Vec<LogLine>,
    domains: Vec<DomainSize>,
}

impl Template {
    /// Starts the processes and waits until every function is loaded.
    pub(crate) fn start(
        executable: &Path,
        spawner: &Spawner,
        plan: &Arc<Plan>,
        definition: &Source,
        stop: &dyn Fn() -> bool,
    ) -> Result<Self, StartError> {
        let shared = Shared::make(plan)?;
        let (mut hosts, mut orders) = (Vec::new(), Vec::new());
        for host in 0..plan.hosts() {
            let (inheritance, descriptors) = shared.part(plan, host)?;
            let assignment = Assignment {
                plan: (**plan).clone(),
                definition_name: definition.name.to_string(),
                definition: definition.text.to_string(),
                host,
                scratch: shared.scratch.folders().to_owned(),
                descriptors,
            };
            let (process, channel) = HostProcess::start(executable, spawner, assignment, inheritance)?;
            hosts.push(process);
            orders.push(channel);
        }
        let mut instance = shared.instance(plan.clone(), hosts, Vec::new())?;
        match instance.await_loaded(stop) {
            Ok(domains) => {
                let printed = instance.logs.take_all(0..plan.domains.len());
                Ok(Self { instance, orders, printed, domains })
            }
            Err(error) => Err(StartError { error, logs: instance.close() }),
        }
    }

    /// How much memory each domain takes.
    pub(crate) fn domains(&self) -> &[DomainSize] {
        &self.domains
    }

    /// Another instance, which is not ready yet. What functions printed while they were loaded is the first one's.
    pub(crate) fn copy(&mut self) -> Result<Instance, CopyError> {
        let plan = &self.instance.plan;
        let shared = Shared::make(plan)?;
        let mut hosts = Vec::new();
        for (host, (process, orders)) in self.instance.hosts.iter().zip(&self.orders).enumerate() {
            let (inheritance, descriptors) = shared.part(plan, host as u32)?;
            let scratch = shared.scratch.folders().to_owned();
            hosts.push(process.copy(orders, scratch, descriptors, inheritance)?);
        }
        Ok(shared.instance(plan.clone(), hosts, std::mem::take(&mut self.printed))?)
    }

    /// Lets the processes be an instance themselves, which is not ready yet.
    pub(crate) fn into_instance(mut self) -> io::Result<Instance> {
        self.instance.logs.put_back(self.printed);
        self.orders.iter().try_for_each(|orders| orders.order(&Order::GoOn, &[]))?;
        Ok(self.instance)
    }
}

impl Instance {
    /// Until the functions are loaded.
    fn await_loaded(&mut self, stop: &dyn Fn() -> bool) -> Result<Vec<DomainSize>, InstanceError> {
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
                Happened::Ended(host, status) => {
                    let domains = self.plan.domains.iter().enumerate();
                    let here = domains.filter(|(_, domain)| domain.host as usize == host);
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

    fn processes(&self) -> impl Iterator<Item = u32> {
        self.hosts.iter().map(HostProcess::id)
    }

    /// The most it has had in use.
    pub(crate) fn memory_use(&self) -> MemoryUse {
        self.held.memory_use(self.processes())
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
            let ended = self.hosts.iter_mut().map(HostProcess::ended).enumerate();
            let ended: Option<(usize, ExitStatus)> =
                ended.filter_map(|(host, status)| Some((host, status?))).next();
            if let Some((host, status)) = ended {
                // What a process said is all there once it has ended.
                return self.next_report().map_or(Happened::Ended(host, status), Happened::Report);
            }
            if !waited {
                self.hosts[0].reports().wait(rings, LOOK);
            }
        }
        Happened::Nothing
    }

    /// The next thing that it said, if there is one.
    pub(crate) fn next_report(&mut self) -> Option<Report> {
        let early = self.early.pop_front();
        let report = early.or_else(|| next_of(&mut self.hosts))?;
        match &report {
            Report::Handed(hand) => self.underway[hand.domain] = Some(hand.clone()),
            Report::Freed { domain } | Report::Call(CallReport { domain, .. }) => {
                self.underway[*domain] = None;
            }
            _ => {}
        }
        Some(report)
    }

    /// Writes a command. What the instance has to say meanwhile is taken in: it may not read before it got rid of that. To one
    /// that has ended nothing is said.
    pub(crate) fn command(&mut self, command: &Command) {
        let Self { commands, doorbell, hosts, early, .. } = self;
        let taken = RefCell::new((hosts, early));
        // A command is plain data, which always has a form.
        if let Ok(bytes) = postcard::to_stdvec(command) {
            commands.write_waking(&bytes, &|| {
                doorbell.ring();
                let (hosts, early) = &mut *taken.borrow_mut();
                early.extend(std::iter::from_fn(|| next_of(hosts)));
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
        self.scratch.empty().map_err(InstanceError::Scratch)
    }

    /// Who has each domain, by position in the plan, as far as the instance has said.
    pub(crate) fn underway(&self) -> &[Option<HandReport>] {
        &self.underway
    }

    /// Whether it can run another execution. Calls that nobody waits for any more have a short while to come back.
    pub(crate) fn is_fit(&mut self) -> bool {
        let since = Instant::now();
        loop {
            match self.next_report() {
                Some(Report::Fault(_) | Report::SetUpFailed(_)) => return false,
                Some(_) => continue,
                None if self.hosts.iter_mut().any(|host| host.ended().is_some()) => return false,
                None if self.underway.iter().all(Option::is_none) => return true,
                None if since.elapsed() > GRACE => return false,
                None => {}
            }
            let rings = self.hosts[0].reports().rings();
            self.hosts[0].reports().wait(rings, LOOK);
        }
    }

    /// What a function printed last in an invocation that has come back.
    pub(crate) fn printed(&mut self, domain: usize, request_id: &str) -> String {
        self.logs.tail(domain, request_id)
    }

    /// What functions printed since the last call, to the last line where they are in one of these domains.
    pub(crate) fn take_logs(&mut self, domains: impl Iterator<Item = usize>) -> Vec<LogLine> {
        self.logs.take_all(domains)
    }

    /// Ends the processes. What they said can still be read.
    pub(crate) fn end(&mut self) {
        self.hosts.iter_mut().for_each(HostProcess::end);
    }

    /// Ends the processes; what functions printed and no record holds yet.
    pub(crate) fn close(mut self) -> Vec<LogLine> {
        self.end();
        self.logs.finish()
    }
}

fn next_of(hosts: &mut [HostProcess]) -> Option<Report> {
    // The others first: host 0 goes on when one of them faults.
    hosts.iter_mut().rev().find_map(HostProcess::next_report)
}

pub(crate) enum Happened {
    Report(Report),
    /// Which host.
    Ended(usize, ExitStatus),
    Nothing,
}
