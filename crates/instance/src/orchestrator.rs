//! The orchestrator: folds the machine over what happens, and carries payloads between domains.
//!
//! One thread. It sleeps on the doorbell, which domains and supervisor ring, until the next timer at most.

use crate::assignment::Assignment;
use crate::host::Host;
use crate::invocation::{Answer, Delivery, Invocation, answer_of, not_found, request_id, too_large};
use crate::lane::Lane;
use crate::log_tails::LogTails;
use crate::message::{
    CallReport, Command, EventReport, FinishReport, MockReport, Report, Reporter, RunRequest, SetUpFailure,
};
use crate::queue::{Queue, Underway};
use crate::stand_ins::{StandIns, scaled};
use crate::template::{Ready, give_up};
use crate::timers::{Due, Timers};
use crate::transfer;
use faastlane_asl::definition::StateMachine;
use faastlane_domain::{
    CallHeader, Doorbell, Mailbox, Reply, Returned, RingReader, exit_now, monotonic_nanos,
};
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
    assignment: Arc<Assignment>,
    machine: Machine,
    /// By the function's name: its position in the plan.
    functions: HashMap<Arc<str>, usize>,
    /// By position in the plan: its domain, and its place among the domain's functions.
    places: Vec<(usize, u32)>,
    /// By position in the plan.
    queues: Vec<Queue>,
    doorbell: Doorbell,
    commands: RingReader,
    reporter: Reporter,
    lane: Lane,
    timers: Timers,
    stand_ins: StandIns,
    log_tails: LogTails,
    /// Microseconds of the epoch when the monotonic clock was zero.
    epoch_us: i64,
    running: Option<Running>,
    /// Kept for its room.
    actions: Vec<Action>,
}

/// The execution under way.
struct Running {
    execution: Execution,
    seed: u64,
    started_ns: u64,
    yielded: bool,
    last_scheduled: u64,
    time_scale: f64,
    /// The supervisor wants all details, and the histories of child executions.
    history: bool,
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
        for domain in 0..plan.domains.len() {
            let (mailbox, thread) = match mailboxes.remove(&domain) {
                Some(local) => local,
                None => {
                    let file = assignment.mailbox_file(domain)?;
                    (Mailbox::shared(file.as_fd(), assignment.max_payload(), None)?, None)
                }
            };
            queues.push(Queue::new(mailbox));
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
            lane: Lane::new(host.cpus, threads, pin),
            timers: Timers::default(),
            stand_ins: StandIns::new(plan.mocks.clone()),
            log_tails: LogTails::default(),
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
            let worked = self.read_commands() | self.collect_replies() | self.fire_timers() | self.go_on();
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
            let now = self.now();
            let timeout = self.timers.next().map(|at| Duration::from_micros(at.saturating_sub(now)));
            self.doorbell.wait(rings, timeout);
        }
    }

    fn now(&self) -> Micros {
        self.micros(monotonic_nanos())
    }

    fn micros(&self, monotonic_ns: u64) -> Micros {
        (self.epoch_us + (monotonic_ns / 1000) as i64) as Micros
    }

    /// Until every domain takes calls. Ends the process when one cannot.
    fn await_domains(&mut self) {
        while let Some(waiting) = self.queues.iter().position(|queue| !queue.up) {
            let rings = self.doorbell.rings();
            let mut worked = false;
            for domain in waiting..self.queues.len() {
                let reply = match self.queues[domain].mailbox.poll() {
                    Ok(Some(reply)) => reply,
                    _ => continue,
                };
                worked = true;
                match reply {
                    Reply::StartFailed(error) => {
                        let cause = "what it does after a restore failed";
                        give_up(&self.assignment, &self.reporter, domain, cause, &error);
                    }
                    Reply::Started | Reply::Returned(_) => self.queues[domain].up = true,
                }
            }
            if !worked {
                self.doorbell.wait(rings, None);
            }
        }
        self.reporter.send(&Report::Ready);
        self.reporter.ring();
    }

    fn read_commands(&mut self) -> bool {
        let Some(bytes) = self.commands.read() else { return false };
        match postcard::from_bytes(&bytes) {
            Ok(Command::Run(request)) => self.begin(request),
            Ok(Command::Abort { error, cause }) => {
                let at = self.now();
                self.step(Event::Aborted { error, cause, at });
            }
            Ok(Command::Transfer { transfer, answer }) => {
                let event = transfer::event(transfer, answer, self.now());
                self.step(event);
            }
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
        let started_ns = monotonic_nanos();
        let identity = request.identity(&self.assignment.plan.workflow);
        let start = Start {
            input: Payload::from_flat(Box::new(request.input)),
            at: self.micros(started_ns),
            seed: request.seed,
            identity: Arc::new(identity),
            history: if request.history { HistoryLevel::Full } else { HistoryLevel::Types },
        };
        let (execution, mut actions) = Execution::start(&self.machine, start);
        self.running = Some(Running {
            execution,
            seed: request.seed,
            started_ns,
            yielded: false,
            last_scheduled: 0,
            time_scale: request.time_scale,
            history: request.history,
        });
        self.act(&mut actions);
    }

    fn step(&mut self, event: Event) {
        let Some(running) = &mut self.running else { return };
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
                    match function {
                        Some(function) => self.invoke(invocation, &function, payload, timeout_at, wants_log),
                        None => self.refuse_service(invocation, &resource),
                    }
                }
                Action::Cancel { invocation } => {
                    self.log_tails.forget(invocation);
                    self.timers.cancel(Due::Function(invocation));
                    if self.stand_ins.forget(invocation) {
                        self.timers.cancel(Due::StandIn(invocation));
                    }
                    let domain = self.queues.iter_mut().position(|queue| queue.cancel(invocation));
                    domain.into_iter().for_each(|domain| self.bound_waiting(domain));
                }
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
        self.reporter.later(Report::Event(EventReport::of(event, details)));
        // A large history must not wait in memory until the execution waits for something.
        if running.history {
            self.reporter.flush();
        }
    }

    /// When a timer of the machine's is really due: waiting on purpose can be shortened, limits cannot.
    fn when(&self, at: Micros, purpose: TimerPurpose) -> Micros {
        match (purpose, &self.running) {
            (TimerPurpose::Wait | TimerPurpose::Retry, Some(running)) => {
                let now = self.now();
                now.saturating_add(scaled(at.saturating_sub(now), running.time_scale))
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
        let at = self.now().saturating_add(scaled(after_us, running.time_scale));
        self.timers.set(Due::StandIn(id), at);
        self.reporter.later(Report::Mocked(MockReport { scheduled_id, function: Arc::clone(function) }));
        true
    }

    /// Asks the supervisor for what a distributed Map wants of its items and results.
    fn transfer(&mut self, action: Action) {
        if let Some((transfer, request)) = transfer::request(action) {
            self.reporter.send(&Report::Transfer { transfer, request });
            self.reporter.ring();
        }
    }

    /// A Task that calls no function, and has no stand-in.
    fn refuse_service(&mut self, invocation: InvocationId, resource: &str) {
        let cause = format!("Nothing here answers for {resource} but a stand-in: run with --mock.");
        self.timers.set(Due::Failure(invocation, "States.Runtime".into(), cause), self.now());
    }

    fn invoke(
        &mut self,
        id: InvocationId,
        name: &Arc<str>,
        payload: Payload,
        state_deadline: Option<Micros>,
        wants_log: bool,
    ) {
        let Some(running) = &self.running else { return };
        let Some(&function) = self.functions.get(name) else {
            let cause = not_found(name, &request_id(running.seed, id));
            self.timers.set(Due::Failure(id, "Lambda.ResourceNotFoundException".into(), cause), self.now());
            return;
        };
        let invocation = Invocation {
            id,
            function,
            scheduled_id: running.last_scheduled,
            state_deadline,
            request_id: request_id(running.seed, id),
            wants_log,
        };
        let (domain, _) = self.places[function];
        self.queues[domain].push(invocation, payload);
        self.dispatch(domain);
        self.bound_waiting(domain);
    }

    /// Lets the timeouts of calls run that wait behind one that was given up: it may never make room.
    fn bound_waiting(&mut self, domain: usize) {
        let now = self.now();
        for invocation in self.queues[domain].held_up() {
            let due = Due::Function(invocation.id);
            let timeout = self.assignment.plan.functions[invocation.function].timeout_seconds;
            if let Some(seconds) = timeout.filter(|_| !self.timers.is_set(&due)) {
                self.timers.set(due, now + Micros::from(seconds) * 1_000_000);
            }
        }
    }

    /// Calls the first in line, if the domain is free.
    fn dispatch(&mut self, domain: usize) {
        let Some((invocation, payload)) = self.queues[domain].pop() else { return };
        let underway = |queue: &Queue| queue.underway.is_some();
        let alone = !self.queues.iter().any(underway);
        if !alone {
            let others =
                self.queues.iter().enumerate().filter(|(_, queue)| underway(queue)).map(|(at, _)| at);
            self.lane.widen(others);
        }
        self.lane.before_call(domain, alone);
        let function = &self.assignment.plan.functions[invocation.function];
        let handed_ns = monotonic_nanos();
        let now = self.micros(handed_ns);
        let own_deadline = function.timeout_seconds.map(|seconds| now + Micros::from(seconds) * 1_000_000);
        let deadline = [own_deadline, invocation.state_deadline].into_iter().flatten().min();
        let mut delivery = Delivery::of(payload);
        let event_bytes = delivery.len() as u64;
        let header = CallHeader {
            function: self.places[invocation.function].1,
            request_id: &invocation.request_id,
            deadline_ms: deadline.map_or(0, |at| at / 1000),
        };
        let id = invocation.id;
        // Before the function has its turn: it may be the last thing that this process sees.
        self.reporter.flush();
        let called = self.queues[domain].mailbox.call(header, delivery.outgoing());
        if let Err(error) = called {
            let answer = match error.kind() {
                std::io::ErrorKind::FileTooLarge => too_large(&function.name),
                _ => Answer::Failed {
                    error: "Lambda.Unknown".into(),
                    cause: format!("cannot hand the event over: {error}"),
                },
            };
            if let Answer::Failed { error, cause } = answer {
                self.timers.set(Due::Failure(id, error, cause), now);
            }
            return;
        }
        if let Some(at) = own_deadline {
            self.timers.cancel(Due::Function(id));
            self.timers.set(Due::Function(id), at);
        }
        self.queues[domain].underway =
            Some(Underway { invocation, abandoned: false, handed_ns, event_bytes });
    }

    fn collect_replies(&mut self) -> bool {
        let mut worked = false;
        for domain in 0..self.queues.len() {
            if self.queues[domain].underway.is_none() {
                continue;
            }
            match self.queues[domain].mailbox.poll() {
                Ok(Some(Reply::Returned(returned))) => {
                    worked = true;
                    self.take_back(domain, returned);
                }
                Ok(_) => {}
                // Its pages cannot be taken back from it, so nothing here can go on.
                Err(_) => exit_now(crate::FAULTED),
            }
        }
        worked
    }

    fn take_back(&mut self, domain: usize, returned: Returned) {
        let Some(underway) = self.queues[domain].underway.take() else { return };
        let received_ns = monotonic_nanos();
        let memory_mb = self.assignment.plan.functions[underway.invocation.function].memory_mb;
        let log = underway.invocation.log(&returned, memory_mb);
        let Invocation { id: invocation, function, scheduled_id, request_id, .. } = underway.invocation;
        self.timers.cancel(Due::Function(invocation));
        let answer = answer_of(returned.outcome, &self.assignment.plan.functions[function].name);
        let Some(running) = &self.running else { return };
        let since = |ns: u64| ns.clamp(underway.handed_ns, received_ns) - running.started_ns;
        if !underway.abandoned {
            self.reporter.later(Report::Call(CallReport {
                scheduled_id,
                function,
                domain,
                request_id,
                handed_ns: since(underway.handed_ns),
                called_ns: since(returned.called_ns),
                returned_ns: since(returned.returned_ns),
                received_ns: since(received_ns),
                event_bytes: underway.event_bytes,
                result_bytes: match &answer {
                    Answer::Succeeded(payload) => payload.len() as u64,
                    Answer::Failed { cause, .. } => cause.len() as u64,
                },
            }));
        }
        self.dispatch(domain);
        if underway.abandoned {
            return;
        }
        let at = self.micros(received_ns);
        let event = match (answer, log) {
            (Answer::Succeeded(output), None) => {
                Event::InvocationSucceeded { invocation, output, log: None, at }
            }
            (Answer::Succeeded(output), Some(log)) => {
                self.reporter.send(&self.log_tails.ask(invocation, domain, output, log));
                return self.reporter.ring();
            }
            (Answer::Failed { error, cause }, _) => Event::InvocationFailed { invocation, error, cause, at },
        };
        self.step(event);
    }

    fn fire_timers(&mut self) -> bool {
        if self.timers.is_empty() {
            return false;
        }
        let at = self.now();
        let Some(due) = self.timers.take_due(at) else { return false };
        let event = match due {
            Due::Machine(timer) => Event::TimerFired { timer, at },
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

    /// Gives up on an invocation; returns the timeout of its function, in seconds.
    fn abandon(&mut self, id: InvocationId) -> u32 {
        for domain in 0..self.queues.len() {
            if let Some(function) = self.queues[domain].function_of(id) {
                self.queues[domain].cancel(id);
                self.bound_waiting(domain);
                return self.assignment.plan.functions[function].timeout_seconds.unwrap_or(0);
            }
        }
        0
    }

    /// Continues an execution that stopped at its limit of transitions, so that everything else had its turn.
    fn go_on(&mut self) -> bool {
        match &mut self.running {
            Some(running) if running.yielded => running.yielded = false,
            _ => return false,
        }
        self.reporter.flush();
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
        self.queues.iter_mut().for_each(Queue::abandon_all);
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
