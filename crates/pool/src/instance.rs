//! An instance: the processes that run executions of one bundle.

use crate::limits::Held;
use crate::logs::{LogLine, LogReaders};
use crate::metering;
use crate::process::{HostProcess, Inheritance};
use crate::record::{EventRecord, Record, Status};
use crate::scratch::Scratch;
use crate::timeline::Timeline;
use crate::transfers::Transfers;
use faastlane_asl::source::Source;
use faastlane_compose::{Placement, Plan};
use faastlane_domain::{Doorbell, RING_LEN, RingWriter, shared_file, shared_len};
use faastlane_instance::{
    Assignment, Command, Descriptors, DomainSize, EventReport, FaultReport, FinishReport, Report, RunRequest,
    SetUpFailure,
};
use faastlane_items::Stores;
use faastlane_payload::Payload;
use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

/// How long the supervisor sleeps at most before it looks whether a process has died. Reports wake it earlier.
const LOOK: Duration = Duration::from_millis(10);
/// How long an instance has to end an execution that was stopped.
const STOP: Duration = Duration::from_millis(500);

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
///
/// To be started on a thread that lives as long as the instance is to: its processes end when that thread does.
pub struct Instance {
    plan: Plan,
    hosts: Vec<HostProcess>,
    /// After the processes, which it is for.
    held: Held,
    commands: RingWriter,
    doorbell: Doorbell,
    logs: LogReaders,
    scratch: Scratch,
    /// Reports that came while a command was written.
    early: VecDeque<Report>,
}

impl Instance {
    /// Starts the processes and waits until every function is loaded.
    pub fn start(
        executable: &Path,
        plan: &Plan,
        definition: &Source,
        stop: &dyn Fn() -> bool,
    ) -> Result<(Self, StartedUp), StartError> {
        let begin = Instant::now();
        let commands = shared_file(c"faastlane-commands", RING_LEN)?;
        let doorbell = shared_file(c"faastlane-doorbell", 4096)?;
        let scratch = Scratch::make(plan.domains.len())?;
        let held = Held::new(&plan.limits)?;
        let pipes: Vec<_> = plan.domains.iter().map(|_| io::pipe()).collect::<io::Result<_>>()?;
        let max_payload = usize::try_from(plan.limits.max_payload_bytes).unwrap_or(usize::MAX);
        let mailbox = |placement: Placement| match placement {
            Placement::Thread => Ok(None),
            _ => shared_file(c"faastlane-mailbox", shared_len(max_payload)).map(Some),
        };
        let mailboxes: Vec<Option<File>> =
            plan.domains.iter().map(|domain| mailbox(domain.placement)).collect::<io::Result<_>>()?;
        let mut hosts = Vec::new();
        for host in 0..plan.hosts() {
            let mut inheritance = Inheritance::default();
            let mut logs = vec![-1; plan.domains.len()];
            let mut boxes = vec![-1; plan.domains.len()];
            for (index, domain) in plan.domains.iter().enumerate() {
                if domain.host == host {
                    logs[index] = inheritance.add(pipes[index].1.as_fd().try_clone_to_owned()?);
                }
                if let Some(file) = mailboxes[index].as_ref().filter(|_| host == 0 || domain.host == host) {
                    boxes[index] = inheritance.add_copy(file)?;
                }
            }
            let descriptors = Descriptors {
                reports: -1,
                commands: if host == 0 { inheritance.add_copy(&commands)? } else { -1 },
                doorbell: inheritance.add_copy(&doorbell)?,
                logs,
                mailboxes: boxes,
            };
            let assignment = Assignment {
                plan: plan.clone(),
                definition_name: definition.name.to_string(),
                definition: definition.text.to_string(),
                host,
                scratch: scratch.folders().to_owned(),
                descriptors,
            };
            let process = HostProcess::start(executable, assignment, inheritance)?;
            held.add(process.id())?;
            hosts.push(process);
        }
        let mut instance = Self {
            plan: plan.clone(),
            hosts,
            held,
            commands: RingWriter::open(commands.as_fd())?,
            doorbell: Doorbell::shared(doorbell.as_fd())?,
            logs: LogReaders::start(pipes),
            scratch,
            early: VecDeque::new(),
        };
        let ready = instance.await_ready(stop).and_then(|domains| {
            instance.held.limit_each(instance.processes())?;
            Ok(domains)
        });
        match ready {
            Ok(domains) => Ok((instance, StartedUp { took: begin.elapsed(), domains })),
            Err(error) => Err(StartError { error, logs: instance.close() }),
        }
    }

    fn await_ready(&mut self, stop: &dyn Fn() -> bool) -> Result<Vec<DomainSize>, InstanceError> {
        let mut up = BTreeSet::new();
        loop {
            match self.next() {
                Happened::Report(Report::Ready(domains)) => return Ok(domains),
                Happened::Report(Report::SetUpFailed(failure)) => {
                    return Err(InstanceError::SetUp(Box::new(failure)));
                }
                Happened::Report(Report::Fault(fault)) => {
                    return Err(InstanceError::Faulted(Box::new(fault)));
                }
                Happened::Report(Report::DomainUp { domain, .. }) => drop(up.insert(domain)),
                Happened::Report(..) => {}
                Happened::Ended(host, status) => {
                    let domains = self.plan.domains.iter().enumerate();
                    let here = domains.filter(|(_, domain)| domain.host as usize == host);
                    let loading = here.map(|(index, _)| index).filter(|index| !up.contains(index)).collect();
                    return Err(InstanceError::Died { how: self.how(status), loading });
                }
                Happened::Nothing if stop() => return Err(InstanceError::Interrupted),
                Happened::Nothing => {}
            }
        }
    }

    fn processes(&self) -> impl Iterator<Item = u32> {
        self.hosts.iter().map(HostProcess::id)
    }

    /// How a process ended, and why where that is known.
    fn how(&self, status: ExitStatus) -> String {
        match self.held.out_of_memory() {
            Some(reason) => format!("{status}: {reason}"),
            None => status.to_string(),
        }
    }

    /// What happens next, or nothing within [`LOOK`].
    fn next(&mut self) -> Happened {
        let rings = self.hosts[0].reports().rings();
        for waited in [false, true] {
            if let Some(report) = self.next_report() {
                return report;
            }
            let ended = self.hosts.iter_mut().map(HostProcess::ended).enumerate();
            let ended: Option<(usize, ExitStatus)> =
                ended.filter_map(|(host, status)| Some((host, status?))).next();
            if let Some((host, status)) = ended {
                // What a process said is all there once it has ended.
                return self.next_report().unwrap_or(Happened::Ended(host, status));
            }
            if !waited {
                self.hosts[0].reports().wait(rings, LOOK);
            }
        }
        Happened::Nothing
    }

    fn next_report(&mut self) -> Option<Happened> {
        let early = self.early.pop_front();
        early.or_else(|| next_of(&mut self.hosts)).map(Happened::Report)
    }

    /// Writes a command. What the instance has to say meanwhile is taken in: it may not read before it got rid of that.
    fn command(&mut self, command: &Command) {
        let Self { commands, doorbell, hosts, early, .. } = self;
        let taken = RefCell::new((hosts, early));
        // A command is plain data, which always has a form.
        if let Ok(bytes) = postcard::to_stdvec(command) {
            commands.write_waking(&bytes, &|| {
                doorbell.ring();
                let (hosts, early) = &mut *taken.borrow_mut();
                early.extend(std::iter::from_fn(|| next_of(hosts)));
            });
            doorbell.ring();
        }
    }

    /// Runs one execution to its end.
    pub fn run(&mut self, run: &RunInput<'_>) -> Result<Record, InstanceError> {
        let begin = Instant::now();
        if !faastlane_sandbox::left_out("scratch") {
            self.scratch.empty().map_err(InstanceError::Scratch)?;
        }
        self.command(&Command::Run(RunRequest {
            execution_name: run.name.to_owned(),
            input: run.input.flat().to_vec(),
            seed: run.seed,
            time_scale: run.time_scale,
            history: run.history.is_some(),
        }));
        let mut timeline = Timeline::default();
        let mut transfers = Transfers::new(run.stores);
        let mut stopped: Option<Instant> = None;
        let ending = loop {
            match self.next() {
                Happened::Report(Report::Event(event)) => timeline.add(event, run.history),
                Happened::Report(Report::Call(call)) => timeline.calls.push(call),
                Happened::Report(Report::Mocked(mocked)) => timeline.mocked.push(mocked),
                Happened::Report(Report::Transfer { transfer, request }) => {
                    if let Some(answer) = transfers.serve(transfer, request) {
                        self.command(&Command::Transfer { transfer, answer });
                    }
                }
                Happened::Report(Report::LogWanted { invocation, domain, request_id }) => {
                    let printed = self.logs.tail(domain, &request_id);
                    self.command(&Command::Log { invocation, printed });
                }
                Happened::Report(Report::Finished(finish)) => break Ending::of(finish),
                Happened::Report(Report::Fault(fault)) => {
                    self.catch_up(&mut timeline, run.history);
                    break self.faulted(&fault, &timeline, begin)?;
                }
                Happened::Report(Report::SetUpFailed(failure)) => {
                    return Err(InstanceError::SetUp(Box::new(failure)));
                }
                Happened::Report(Report::DomainUp { .. } | Report::Ready(_)) => {}
                Happened::Ended(_, status) => {
                    self.catch_up(&mut timeline, run.history);
                    break exited(&self.how(status), &timeline, begin);
                }
                Happened::Nothing => {}
            }
            match stopped {
                None if (run.stop)() => {
                    let cause = Some("interrupted".into());
                    self.command(&Command::Abort { error: None, cause });
                    stopped = Some(Instant::now());
                }
                Some(since) if since.elapsed() > STOP => break Ending::aborted(begin.elapsed()),
                _ => {}
            }
        };
        Ok(self.record(ending, &timeline))
    }

    /// Reads what host 0 has said about an execution that another process ended by its own end.
    fn catch_up(&mut self, timeline: &mut Timeline, history: Option<&dyn Fn(&EventReport)>) {
        while let Some(report) = self.hosts[0].next_report() {
            match report {
                Report::Event(event) => timeline.add(event, history),
                Report::Call(call) => timeline.calls.push(call),
                Report::Mocked(mocked) => timeline.mocked.push(mocked),
                _ => {}
            }
        }
    }

    fn record(&mut self, ending: Ending, timeline: &Timeline) -> Record {
        let states = timeline.state_records(&self.plan);
        let duration_us = ending.duration_ns / 1000;
        let mut events = timeline.event_records();
        events.extend(ending.last_events(timeline, duration_us));
        Record {
            status: ending.status,
            output: ending.output,
            error: ending.error,
            cause: ending.cause,
            violation: ending.violation,
            isolation: self.plan.isolation,
            duration_us,
            interaction_us: timeline.interaction_us(&states),
            billed_ms: ending.duration_ns.div_ceil(1_000_000),
            memory: self.held.memory_use(self.processes()),
            functions: metering::uses(&self.plan, &timeline.calls),
            states,
            mocked: timeline.mocked_functions(),
            events,
            logs: self.logs.take(),
        }
    }

    /// Ends the processes; what functions printed and no record holds yet.
    pub fn close(mut self) -> Vec<LogLine> {
        self.hosts.iter_mut().for_each(HostProcess::end);
        self.logs.finish()
    }

    fn faulted(
        &self,
        fault: &FaultReport,
        timeline: &Timeline,
        begin: Instant,
    ) -> Result<Ending, InstanceError> {
        if fault.trusted {
            return Err(InstanceError::Died { how: fault.what.clone(), loading: Vec::new() });
        }
        let (error, cause) = match fault.violation {
            Some(_) => (faastlane_machine::ISOLATION_VIOLATION, fault.what.clone()),
            None => {
                ("Runtime.ExitError", format!("Runtime exited with error: {}: {}", fault.ending, fault.what))
            }
        };
        let functions = fault.domain.map_or(&[][..], |domain| &self.plan.domains[domain].functions);
        let of_domain = |state: &str| {
            let planned = self.plan.states.iter().find(|planned| planned.name == state);
            let function = planned.and_then(|planned| planned.function.as_deref());
            fault.domain.is_none()
                || functions.iter().any(|&index| function == Some(self.plan.functions[index].name.as_str()))
        };
        let mut ending = Ending::crashed(error, cause, timeline, begin.elapsed(), of_domain);
        ending.violation = fault.violation.is_some();
        Ok(ending)
    }
}

/// A process ended without a word: somebody killed it.
fn exited(status: &str, timeline: &Timeline, begin: Instant) -> Ending {
    let open: Vec<&str> =
        timeline.open_calls().into_iter().filter_map(|event| event.state.as_deref()).collect();
    let during =
        if open.is_empty() { String::new() } else { format!(" while running state {}", open.join(", ")) };
    let cause = format!("Runtime exited with error: {status}{during}");
    Ending::crashed("Runtime.ExitError", cause, timeline, begin.elapsed(), |_| true)
}

fn next_of(hosts: &mut [HostProcess]) -> Option<Report> {
    // The others first: host 0 goes on when one of them faults.
    hosts.iter_mut().rev().find_map(HostProcess::next_report)
}

enum Happened {
    Report(Report),
    /// Which host.
    Ended(usize, ExitStatus),
    Nothing,
}

/// How an execution ended.
struct Ending {
    status: Status,
    output: Option<Payload>,
    error: Option<String>,
    cause: Option<String>,
    violation: bool,
    duration_ns: u64,
    /// The call that the instance died in: the machine did not get to say how that ended.
    crashed_in: Option<u64>,
}

impl Ending {
    fn new(status: Status, duration_ns: u64) -> Self {
        Self {
            status,
            output: None,
            error: None,
            cause: None,
            violation: false,
            duration_ns,
            crashed_in: None,
        }
    }

    fn of(finish: FinishReport) -> Self {
        match finish {
            FinishReport::Succeeded { output, duration_ns } => {
                let output = Some(Payload::from_flat(Box::new(output)));
                Self { output, ..Self::new(Status::Succeeded, duration_ns) }
            }
            FinishReport::Failed { error, cause, duration_ns } => {
                Self { error, cause, ..Self::new(Status::Failed, duration_ns) }
            }
            FinishReport::TimedOut { duration_ns } => Self::new(Status::TimedOut, duration_ns),
            FinishReport::Aborted { error, cause, duration_ns } => {
                Self { error, cause, ..Self::new(Status::Aborted, duration_ns) }
            }
        }
    }

    fn aborted(after: Duration) -> Self {
        Self::new(Status::Aborted, after.as_nanos() as u64)
    }

    /// `in_state` tells whether it can have been a call of that state.
    fn crashed(
        error: &str,
        cause: String,
        timeline: &Timeline,
        after: Duration,
        in_state: impl Fn(&str) -> bool,
    ) -> Self {
        let mut open = timeline.open_calls().into_iter();
        Self {
            error: Some(error.to_owned()),
            cause: Some(cause),
            crashed_in: open
                .rfind(|event| event.state.as_deref().is_some_and(&in_state))
                .map(|event| event.id),
            ..Self::new(Status::Failed, after.as_nanos() as u64)
        }
    }

    /// The events with which the history of an execution ends whose instance died.
    fn last_events(&self, timeline: &Timeline, at_us: u64) -> Vec<EventRecord> {
        if self.status != Status::Failed
            || timeline.events.last().is_some_and(|last| last.kind == "ExecutionFailed")
        {
            return Vec::new();
        }
        let mut id = timeline.events.last().map_or(0, |event| event.id);
        let mut previous_id = id;
        let mut event = |kind: &str, state: Option<String>, previous: u64| {
            id += 1;
            let (error, cause) = (self.error.clone(), self.cause.clone());
            EventRecord { id, previous_id: previous, at_us, kind: kind.to_owned(), state, error, cause }
        };
        let mut events = Vec::new();
        let scheduled = timeline.events.iter().find(|event| Some(event.id) == self.crashed_in);
        if let Some(scheduled) = scheduled {
            let kind = scheduled.kind.replace("Scheduled", "Failed");
            let failed = event(&kind, scheduled.state.as_deref().map(str::to_owned), scheduled.id + 1);
            previous_id = failed.id;
            events.push(failed);
        }
        events.push(event("ExecutionFailed", None, previous_id));
        events
    }
}
