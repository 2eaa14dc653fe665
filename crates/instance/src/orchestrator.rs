//! The orchestrator: folds the machine over what happens, and carries payloads between domains.
//!
//! One thread. It sleeps on the doorbell, which domains and supervisor ring, until the next timer at most.

use crate::assignment::Assignment;
use crate::call_runs::LOOK_AGAIN;
use crate::calls::Wanted;
use crate::host::Host;
use crate::invocation::request_id;
use crate::lane::Lane;
use crate::log_tails::LogTails;
use crate::message::{
    BeginReport, Command, EventReport, FinishReport, MockReport, Report, Reporter, RunRequest, SetUpFailure,
};
use crate::queue::Queue;
use crate::stand_ins::{StandIns, scaled};
use crate::template::{Ready, give_up};
use crate::timers::{Due, Timers};
use crate::transfer;
use faastlane_asl::definition::StateMachine;
use faastlane_domain::{Doorbell, Mailbox, Reply, RingDamaged, RingReader, Shelf, exit_now, monotonic_nanos};
use faastlane_machine::{
    Action, Detail, Event, Execution, HistoryEvent, HistoryLevel, InvocationId, Limits, Machine, Micros,
    Outcome, Start, StatePath, TimerPurpose,
};
use faastlane_payload::Payload;
use std::collections::HashMap;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A failure to set up, in words.
pub(crate) type SetUpError = Box<dyn std::error::Error>;

pub(crate) struct Orchestrator {
    pub(crate) assignment: Arc<Assignment>,
    pub(crate) machine: Machine,
    /// By the function's name: its position in the plan.
    pub(crate) functions: HashMap<Arc<str>, usize>,
    /// By position in the plan: its domain, and its place among the domain's functions.
    pub(crate) places: Vec<(usize, u32)>,
    /// By position in the plan.
    pub(crate) queues: Vec<Queue>,
    pub(crate) doorbell: Doorbell,
    pub(crate) commands: RingReader,
    pub(crate) reporter: Reporter,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) lane: Lane,
    pub(crate) timers: Timers,
    pub(crate) stand_ins: StandIns,
    pub(crate) log_tails: LogTails,
    /// How many lanes each host may have, its own among them.
    pub(crate) most_lanes: Vec<u32>,
    /// Microseconds of the epoch when the monotonic clock was zero.
    pub(crate) epoch_us: i64,
    pub(crate) running: Option<Running>,
    /// Kept for its room.
    pub(crate) actions: Vec<Action>,
}

/// The execution under way.
pub(crate) struct Running {
    pub(crate) execution: Execution,
    pub(crate) seed: u64,
    pub(crate) started_ns: u64,
    pub(crate) yielded: bool,
    pub(crate) last_scheduled: u64,
    pub(crate) time_scale: f64,
    /// The supervisor wants all details, and the histories of child executions.
    history: bool,
    /// When what the machine does now happened: also in a replay, where that was in another instance.
    pub(crate) at: Micros,
    /// `Some` while the journal of another instance is folded again: how many more of the reports that are made of actions the
    /// supervisor has already.
    pub(crate) replaying: Option<u64>,
}

/// The life of the thread that runs executions in the process that has the orchestrator.
pub(crate) fn live(ready: Ready) {
    let Ready { assignment, host, machine, reporter } = ready;
    let Some(machine) = machine else { return };
    match Orchestrator::new(&assignment, host, machine, reporter.clone()) {
        Ok(orchestrator) => orchestrator.run(),
        Err(error) => {
            let failure = SetUpFailure::of_process("set the orchestrator up", error.to_string());
            reporter.send(&Report::SetUpFailed(failure));
            reporter.ring();
            exit_now(crate::SET_UP_FAILED);
        }
    }
}

impl Orchestrator {
    fn new(
        assignment: &Arc<Assignment>,
        host: Host,
        machine: Arc<StateMachine>,
        reporter: Reporter,
    ) -> Result<Self, SetUpError> {
        let limits = Limits { payload_bytes: assignment.max_payload(), ..Limits::default() };
        let plan = &assignment.plan;
        let pin = assignment.uses_keys();
        let mut mailboxes: HashMap<usize, (Mailbox, _)> = host
            .domains
            .into_iter()
            .map(|domain| (domain.index, (domain.mailbox, Some(domain.threads))))
            .collect();
        let mut queues = Vec::with_capacity(plan.domains.len());
        let mut threads = Vec::with_capacity(plan.domains.len());
        let shelf = assignment.shelf()?;
        for domain in 0..plan.domains.len() {
            let (mut mailbox, thread) = match mailboxes.remove(&domain) {
                Some(local) => local,
                None => {
                    let file = assignment.mailbox_file(domain)?;
                    (Mailbox::shared(file.as_fd(), 0, assignment.max_payload(), None)?, None)
                }
            };
            // Where several share a domain, the first that is known has to do until the next call comes back.
            let usual =
                plan.domains[domain].functions.iter().find_map(|&function| plan.functions[function].usual);
            mailbox.use_shelf(&shelf);
            queues.push(Queue::new(mailbox, usual));
            threads.push(thread);
        }
        let place = |function: usize| {
            let domain = plan.functions[function].domain;
            let position = plan.domains[domain].functions.iter().position(|&other| other == function);
            (domain, position.unwrap_or(0) as u32)
        };
        Ok(Self {
            machine: Machine::new(machine, limits),
            functions: plan.functions.iter().enumerate().map(|(i, f)| (f.name.as_str().into(), i)).collect(),
            places: (0..plan.functions.len()).map(place).collect(),
            queues,
            doorbell: host.doorbell,
            commands: assignment.commands()?,
            reporter,
            shelf,
            lane: Lane::new(host.cpus, threads, pin),
            timers: Timers::default(),
            stand_ins: StandIns::new(plan.mocks.clone()),
            log_tails: LogTails::default(),
            most_lanes: vec![plan.lanes; plan.hosts() as usize],
            epoch_us: epoch_us()?,
            running: None,
            actions: Vec::new(),
            assignment: assignment.clone(),
        })
    }

    fn run(mut self) {
        self.await_domains();
        loop {
            let rings = self.doorbell.rings();
            let worked = self.read_commands()
                | self.collect_replies()
                | self.welcome_lanes()
                | self.fire_timers()
                | self.go_on();
            if worked {
                continue;
            }
            if self.reporter.flush() {
                continue;
            }
            // A domain on this CPU that is quick has answered by the time this thread has its turn again, and neither of them
            // has slept: a third off a hop.
            std::thread::yield_now();
            if self.doorbell.rings() != rings {
                continue;
            }
            self.tidy();
            let now = self.now();
            let next = self.timers.next().filter(|_| !self.replays());
            let until_due = next.map(|at| Duration::from_micros(at.saturating_sub(now)));
            let look_again = self.queues.iter().any(Queue::has_run).then_some(LOOK_AGAIN);
            let timeout = until_due.into_iter().chain(look_again).min();
            self.doorbell.wait(rings, timeout, self.mailboxes());
        }
    }

    fn mailboxes(&self) -> impl Iterator<Item = &Mailbox> {
        self.queues.iter().flat_map(|queue| &queue.seats).map(|seat| &seat.mailbox)
    }

    /// Wipes what calls have left in mailboxes, once none is under way: it takes time that the next hand-over would wait for.
    fn tidy(&mut self) {
        if !self.queues.iter().any(Queue::is_busy) {
            self.queues.iter_mut().flat_map(|queue| &mut queue.seats).for_each(|seat| seat.mailbox.tidy());
        }
    }

    pub(crate) fn now(&self) -> Micros {
        self.micros(monotonic_nanos())
    }

    pub(crate) fn micros(&self, monotonic_ns: u64) -> Micros {
        (self.epoch_us + (monotonic_ns / 1000) as i64) as Micros
    }

    /// Until every domain takes calls. Ends the process when one cannot.
    fn await_domains(&mut self) {
        while let Some(waiting) = self.queues.iter().position(|queue| !queue.seats[0].up) {
            let rings = self.doorbell.rings();
            let mut worked = false;
            for domain in waiting..self.queues.len() {
                let reply = match self.queues[domain].seats[0].mailbox.poll() {
                    Ok(Some(reply)) => reply,
                    _ => continue,
                };
                worked = true;
                match reply {
                    Reply::StartFailed(error) => {
                        let cause = "what it does after a restore failed";
                        give_up(&self.assignment, &self.reporter, domain, cause, &error);
                    }
                    Reply::Started | Reply::HandedOn(_) | Reply::Returned(_) => {
                        self.queues[domain].seats[0].up = true
                    }
                }
            }
            if !worked {
                self.doorbell.wait(rings, None, self.mailboxes());
            }
        }
        self.reporter.send(&Report::Ready);
        self.reporter.ring();
    }

    fn read_commands(&mut self) -> bool {
        let bytes = match self.commands.read() {
            Ok(None) => return false,
            Ok(Some(bytes)) => bytes,
            // Only the supervisor writes there.
            Err(RingDamaged) => exit_now(crate::SET_UP_FAILED),
        };
        match postcard::from_bytes(bytes) {
            Ok(Command::Run(request)) => self.begin(request),
            Ok(Command::Resume(request)) => self.resume(request),
            Ok(Command::Replay(event)) => self.replay(event),
            Ok(Command::GoOn) => self.resumed(),
            Ok(Command::Abort { error, cause }) => {
                self.end_runs();
                let at = self.now();
                self.step(Event::Aborted { error, cause, at });
            }
            Ok(Command::Transfer { transfer, answer }) => {
                let event = transfer::event(transfer, answer, self.now());
                self.step(event);
            }
            Ok(Command::NoLane { host, lane }) => self.no_lane(host, lane),
            Ok(Command::Log { invocation, printed }) => {
                let event = self.log_tails.answer(invocation, printed, self.now());
                event.into_iter().for_each(|event| self.step(event));
            }
            // The supervisor is this same executable; it does not send anything else.
            Err(_) => exit_now(crate::SET_UP_FAILED),
        }
        true
    }

    fn begin(&mut self, request: RunRequest) {
        let monotonic_ns = monotonic_nanos();
        let begun = BeginReport { at_us: self.micros(monotonic_ns), monotonic_ns };
        self.reporter.later(Report::Begun(begun));
        self.start(request, begun, None);
    }

    /// Starts the execution, or starts it again as it once began.
    pub(crate) fn start(&mut self, request: RunRequest, begun: BeginReport, replaying: Option<u64>) {
        let identity = request.identity(&self.assignment.plan.workflow);
        let start = Start {
            input: Payload::from_flat(Box::new(request.input)),
            at: begun.at_us,
            seed: request.seed,
            identity: Arc::new(identity),
            history: if request.history { HistoryLevel::Full } else { HistoryLevel::Types },
        };
        let (execution, mut actions) = Execution::start(&self.machine, start);
        self.running = Some(Running {
            execution,
            seed: request.seed,
            started_ns: begun.monotonic_ns,
            yielded: false,
            last_scheduled: 0,
            time_scale: request.time_scale,
            history: request.history,
            at: begun.at_us,
            replaying,
        });
        self.act(&mut actions);
    }

    /// Tells the machine what happened, and the supervisor before.
    pub(crate) fn step(&mut self, event: Event) {
        if self.running.is_some() {
            self.journal(&event);
            self.fold(event);
        }
    }

    /// To be called for each event that is not replayed, and before anything comes of it.
    pub(crate) fn journal(&self, event: &Event) {
        self.reporter.send(&Report::Journal(event.clone()));
    }

    pub(crate) fn fold(&mut self, event: Event) {
        let Some(running) = &mut self.running else { return };
        running.at = running.at.max(event.at());
        let mut actions = std::mem::take(&mut self.actions);
        running.execution.step(&self.machine, event, &mut actions);
        self.act(&mut actions);
        self.actions = actions;
    }

    fn act(&mut self, actions: &mut Vec<Action>) {
        for action in actions.drain(..) {
            match action {
                Action::Record(event) => self.record(event),
                Action::Invoke {
                    invocation,
                    function,
                    resource,
                    state,
                    path,
                    payload,
                    timeout_at,
                    wants_log,
                    ..
                } => {
                    let called = function.as_ref().unwrap_or(&resource);
                    if self.ask_stand_in(invocation, called, &path, &payload, wants_log) {
                        continue;
                    }
                    let wanted = Wanted { state, state_deadline: timeout_at, wants_log, path };
                    match function {
                        Some(function) => self.invoke(invocation, &function, payload, wanted),
                        None => self.refuse_service(invocation, &resource),
                    }
                }
                Action::Cancel { invocation } => self.forget(invocation),
                Action::SetTimer { timer, at, purpose } => {
                    let at = self.when(at, purpose);
                    self.timers.set(Due::Machine(timer), at);
                }
                Action::CancelTimer { timer } => self.timers.cancel(Due::Machine(timer)),
                Action::Yield => {
                    if let Some(running) = &mut self.running {
                        running.yielded = true;
                    }
                }
                Action::Finished(outcome) => self.finish(outcome),
                // Only of trials, and none is run here.
                Action::Inspected(_) => {}
                other => self.transfer(other),
            }
        }
    }

    /// Remembers an event for the supervisor: without its payloads, which are the machine's to hand on, unless somebody
    /// wants the whole history.
    fn record(&mut self, event: HistoryEvent) {
        let Some(running) = &mut self.running else { return };
        if matches!(event.detail, Detail::Scheduled { .. }) {
            // The calls of child executions belong to none of the execution's own events.
            running.last_scheduled = if event.execution.is_none() { event.id } else { 0 };
        }
        if event.execution.is_some() && !running.history {
            return;
        }
        let details = if running.history { event.details().map(|details| details.to_string()) } else { None };
        let history = running.history;
        if let Some(reporter) = self.telling() {
            reporter.later(Report::Event(EventReport::of(event, details)));
            // A large history must not wait in memory until the execution waits for something.
            if history {
                reporter.flush();
            }
        }
    }

    /// For a report that is made of an action: `None` if the supervisor has it from an instance that died.
    fn telling(&mut self) -> Option<&Reporter> {
        match self.running.as_mut().and_then(|running| running.replaying.as_mut()) {
            Some(told @ 1..) => {
                *told -= 1;
                None
            }
            Some(0) | None => Some(&self.reporter),
        }
    }

    /// When a timer of the machine's is really due: waiting on purpose can be shortened, limits cannot.
    fn when(&self, at: Micros, purpose: TimerPurpose) -> Micros {
        match (purpose, &self.running) {
            (TimerPurpose::Wait | TimerPurpose::Retry, Some(running)) => {
                running.at.saturating_add(scaled(at.saturating_sub(running.at), running.time_scale))
            }
            _ => at,
        }
    }

    /// Whether a stand-in takes the invocation.
    fn ask_stand_in(
        &mut self,
        id: InvocationId,
        function: &Arc<str>,
        path: &StatePath,
        payload: &Payload,
        wants_log: bool,
    ) -> bool {
        let Some(running) = &self.running else { return false };
        let request_id = request_id(running.seed, id);
        let task = self.machine.state(path);
        let Some(after_us) = self.stand_ins.ask(id, function, task, payload, &request_id, wants_log) else {
            return false;
        };
        let scheduled_id = running.last_scheduled;
        let at = running.at.saturating_add(scaled(after_us, running.time_scale));
        self.timers.set(Due::StandIn(id), at);
        if let Some(reporter) = self.telling() {
            reporter.later(Report::Mocked(MockReport { scheduled_id, function: Arc::clone(function) }));
        }
        true
    }

    /// Asks the supervisor for what a distributed Map wants of its items and results.
    fn transfer(&mut self, action: Action) {
        let Some((transfer, request)) = transfer::request(action) else { return };
        if let Some(reporter) = self.telling() {
            reporter.send(&Report::Transfer { transfer, request });
            reporter.ring();
        }
    }

    fn fire_timers(&mut self) -> bool {
        if self.timers.is_empty() || self.replays() {
            return false;
        }
        let at = self.now();
        if self.timers.next().is_none_or(|next| next > at) {
            return false;
        }
        self.end_runs();
        let Some(due) = self.timers.take_due(at) else { return false };
        let event = match due {
            Due::Machine(timer) => Event::TimerFired { timer, at },
            Due::Grace(invocation) => {
                self.ask_for_another_instance(invocation);
                return true;
            }
            Due::Lane(domain) => {
                self.consider_lane_again(domain);
                return true;
            }
            Due::StandIn(invocation) => match self.stand_ins.answer(invocation, at) {
                Some(event) => event,
                None => return true,
            },
            Due::Failure(invocation, error, cause) => {
                Event::InvocationFailed { invocation, error, cause, at }
            }
            Due::Function(invocation) => {
                let seconds = self.abandon(invocation);
                // What AWS Lambda reports when a function outlives its own timeout.
                let error = "Sandbox.Timedout";
                let message = format!("Task timed out after {seconds}.00 seconds");
                let cause = serde_json::json!({ "errorType": error, "errorMessage": message }).to_string();
                Event::InvocationFailed { invocation, error: error.into(), cause, at }
            }
        };
        self.step(event);
        true
    }

    /// Continues an execution that stopped at its limit of transitions, so that everything else had its turn.
    fn go_on(&mut self) -> bool {
        match &mut self.running {
            Some(running) if running.yielded && running.replaying.is_none() => running.yielded = false,
            _ => return false,
        }
        let at = self.now();
        self.step(Event::Continue { at });
        true
    }

    fn finish(&mut self, outcome: Outcome) {
        let Some(running) = self.running.take() else { return };
        let duration_ns = monotonic_nanos() - running.started_ns;
        self.timers.clear();
        self.stand_ins.clear();
        self.log_tails.clear();
        let now = self.now();
        self.queues.iter_mut().for_each(|queue| queue.abandon_all(now));
        let finished = Report::Finished(match outcome {
            Outcome::Succeeded(output) => {
                FinishReport::Succeeded { output: output.flat().to_vec(), duration_ns }
            }
            Outcome::Failed { error, cause } => FinishReport::Failed { error, cause, duration_ns },
            Outcome::TimedOut => FinishReport::TimedOut { duration_ns },
            Outcome::Aborted { error, cause } => FinishReport::Aborted { error, cause, duration_ns },
        });
        self.reporter.send(&finished);
        self.reporter.ring();
    }
}

fn epoch_us() -> Result<i64, SetUpError> {
    let epoch = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros() as i64;
    Ok(epoch - (monotonic_nanos() / 1000) as i64)
}
