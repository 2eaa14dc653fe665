//! One execution, followed from its start to its end through all the instances that it takes.

use crate::crowd::Visit;
use crate::ending::Ending;
use crate::instance::{Happened, Instance, InstanceError, Part, RunInput};
use crate::journal::Journal;
use crate::launcher::Launcher;
use crate::logs::{LogLine, Place};
use crate::loss::Loss;
use crate::memory::MemoryUse;
use crate::metering;
use crate::record::{Record, Status};
use crate::timeline::Timeline;
use crate::transfers::Transfers;
use faastlane_compose::Plan;
use faastlane_instance::{Command, EventReport, Report, RunRequest, TransferRequest};
use faastlane_machine::{EventKind, ISOLATION_VIOLATION};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How long an instance has to end an execution that was stopped.
const STOP: Duration = Duration::from_millis(500);

/// How many instances in a row may be lost through nobody's fault before anything went on. Whoever kills processes at random
/// hits those of one execution again while a function takes its time: that must not fail it.
const MOST_IN_VAIN: u32 = 10;

/// Where following an instance led.
pub(crate) enum Followed {
    Ended(Ending),
    /// The instance is lost, and has been ended. Another one can go on.
    Lost,
}

pub(crate) struct Execution<'a> {
    launcher: &'a Launcher,
    plan: &'a Plan,
    run: &'a RunInput<'a>,
    begin: Instant,
    journal: Journal,
    visit: Visit<'a>,
    timeline: Timeline,
    transfers: Transfers<'a>,
    stopped: Option<Instant>,
    violated: bool,
    instances: u32,
    /// How many instances were lost since the journal was this long, and nobody to blame.
    in_vain: (u32, usize),
    /// The most that one of its instances had in use.
    memory: Option<MemoryUse>,
    /// What starting instances for it took.
    pub(crate) started: Option<Duration>,
    /// Of the instances that were lost.
    pub(crate) logs: Vec<LogLine>,
}

impl<'a> Execution<'a> {
    pub(crate) fn new(launcher: &'a Launcher, run: &'a RunInput<'a>) -> Self {
        Self {
            launcher,
            plan: launcher.plan(),
            run,
            begin: Instant::now(),
            journal: Journal::default(),
            visit: launcher.crowd.enter(),
            timeline: Timeline::default(),
            transfers: Transfers::new(run.stores),
            stopped: None,
            violated: false,
            instances: 0,
            in_vain: (0, 0),
            memory: None,
            started: None,
            logs: Vec::new(),
        }
    }

    /// Begins or goes on in `instance`, until the execution ends or the instance is lost.
    pub(crate) fn follow(&mut self, instance: &mut Instance) -> Result<Followed, InstanceError> {
        if instance.wants_lanes() {
            // At the end of the last execution.
            instance.spread(&mut self.visit);
            instance.make_lanes(self.launcher);
        }
        instance.empty_scratch()?;
        instance.settle(&mut self.visit);
        self.instances += 1;
        let run = self.run;
        let request = RunRequest {
            execution_name: run.name.to_owned(),
            input: run.input.flat().to_vec(),
            seed: run.seed,
            time_scale: run.time_scale,
            history: run.history.is_some(),
        };
        self.journal.send(request, &mut |command| instance.command(command));
        loop {
            let loss = match instance.next() {
                Happened::Report(Report::Fault(fault)) => Loss::Fault(fault),
                Happened::Report(Report::Stuck) => Loss::Stuck,
                Happened::Ended(part, status) => Loss::Ended(part, status, instance.out_of_memory()),
                Happened::Report(report) => {
                    if let Some(ending) = self.take(report, Some(&mut *instance))? {
                        return Ok(Followed::Ended(ending));
                    }
                    match self.stop(instance) {
                        Some(ending) => return Ok(Followed::Ended(ending)),
                        None => continue,
                    }
                }
                Happened::Nothing => {
                    instance.spread(&mut self.visit);
                    match self.stop(instance) {
                        Some(ending) => return Ok(Followed::Ended(ending)),
                        None => continue,
                    }
                }
            };
            return self.lose(instance, loss);
        }
    }

    /// Takes in what an instance said; `instance` is `None` when that is lost. The end, if it was that.
    fn take(
        &mut self,
        report: Report,
        instance: Option<&mut Instance>,
    ) -> Result<Option<Ending>, InstanceError> {
        match report {
            Report::Begun(begun) => self.journal.begin(begun),
            Report::Journal(event) => self.journal.push(event),
            Report::Event(event) => {
                self.journal.told += 1;
                self.timeline.add(event, self.run.history);
            }
            Report::Call(call) => self.timeline.calls.push(call),
            Report::Mocked(mocked) => {
                self.journal.told += 1;
                self.timeline.mocked.push(mocked);
            }
            Report::Transfer { transfer, request } => {
                self.journal.told += 1;
                self.serve(transfer, request, instance);
            }
            Report::LogWanted { invocation, domain, lane, request_id } => {
                if let Some(instance) = instance {
                    let printed = instance.printed((domain, lane), &request_id);
                    instance.command(&Command::Log { invocation, printed });
                }
            }
            Report::LaneWanted { .. } => {
                if let Some(instance) = instance {
                    instance.spread(&mut self.visit);
                    instance.make_lanes(self.launcher);
                }
            }
            Report::LaneFailed { host, lane, domain, cause } => {
                let (name, error) = (&self.plan.domains[domain].name, in_short(&cause));
                self.launcher
                    .say_no_lane(format!("what `{name}` does after a restore failed there: {error}"));
                if let Some(instance) = instance {
                    instance.end_lane(Part { host, lane });
                }
            }
            Report::Finished(finish) => return Ok(Some(Ending::of(finish))),
            Report::SetUpFailed(failure) => return Err(InstanceError::SetUp(Box::new(failure))),
            // An instance makes an event of it.
            Report::Shelved { .. }
            | Report::Handed(_)
            | Report::Freed { .. }
            | Report::Stuck
            | Report::Fault(_)
            | Report::DomainUp { .. }
            | Report::Loaded(_)
            | Report::Ready => {}
        }
        Ok(None)
    }

    fn serve(&mut self, transfer: u64, request: TransferRequest, mut instance: Option<&mut Instance>) {
        // Threads are started for it.
        instance.iter_mut().for_each(|instance| instance.spread(&mut self.visit));
        if matches!(request, TransferRequest::Cancel) {
            self.journal.forget_answer(transfer);
        }
        if let Some(answer) = self.transfers.serve(transfer, request) {
            let answer = Command::Transfer { transfer, answer };
            instance.into_iter().for_each(|instance| instance.command(&answer));
            self.journal.keep_answer(transfer, answer);
        }
    }

    /// Passes on that the execution is to end. An instance that does not end it is ended itself.
    fn stop(&mut self, instance: &mut Instance) -> Option<Ending> {
        match self.stopped {
            None if (self.run.stop)() => {
                instance.command(&Command::Abort { error: None, cause: Some("interrupted".into()) });
                self.stopped = Some(Instant::now());
                None
            }
            Some(since) if since.elapsed() > STOP => {
                instance.end();
                Some(self.aborted())
            }
            _ => None,
        }
    }

    pub(crate) fn aborted(&self) -> Ending {
        Ending::aborted(self.begin.elapsed())
    }

    /// Ends an instance that cannot go on, takes in the rest of what it said, and fails the attempts that are to blame.
    fn lose(&mut self, instance: &mut Instance, first: Loss) -> Result<Followed, InstanceError> {
        self.weigh(instance);
        instance.end();
        let mut losses = vec![first];
        while let Some(report) = instance.next_report() {
            match report {
                Report::Fault(fault) => losses.push(Loss::Fault(fault)),
                report => {
                    if let Some(ending) = self.take(report, None)? {
                        return Ok(Followed::Ended(ending));
                    }
                }
            }
        }
        self.violated |= losses.iter().any(Loss::is_violation);
        if self.stopped.is_some() {
            return Ok(Followed::Ended(self.aborted()));
        }
        let went_on = self.journal.len() > self.in_vain.1;
        let mut blamed = false;
        for loss in &losses {
            let events = loss.blame(self.plan, instance.underway(), self.journal.now());
            if events.is_empty() && loss.is_violation() {
                // A thread that a function left behind: no attempt can fail of it, and it is not to go on.
                let (error, cause) = loss.error_and_cause(None);
                return Ok(Followed::Ended(self.fail(error, cause)));
            }
            blamed |= !events.is_empty();
            events.into_iter().for_each(|event| self.journal.push(event));
        }
        let in_vain = if went_on || blamed { 0 } else { self.in_vain.0 + 1 };
        self.in_vain = (in_vain, self.journal.len());
        if in_vain >= MOST_IN_VAIN {
            let (error, cause) = losses[0].error_and_cause(None);
            let cause = format!("{cause}; {in_vain} times in a row, before anything went on");
            return Ok(Followed::Ended(self.fail(error, cause)));
        }
        Ok(Followed::Lost)
    }

    /// Ends the execution where no instance can: with the event that the machine would have written.
    fn fail(&mut self, error: &str, cause: String) -> Ending {
        let last = self.timeline.events.last().map_or(0, |event| event.id);
        let event = EventReport {
            id: last + 1,
            previous_id: last,
            at_us: self.journal.now(),
            kind: EventKind::ExecutionFailed,
            execution: None,
            state: None,
            index: None,
            error: Some(error.to_owned()),
            cause: Some(cause.clone()),
            details: None,
        };
        self.timeline.add(event, self.run.history);
        Ending::failed(error, cause, self.begin.elapsed())
    }

    /// Where functions were called.
    pub(crate) fn places(&self) -> BTreeSet<Place> {
        self.timeline.calls.iter().map(|call| (call.domain, call.lane)).collect()
    }

    /// Takes in how much memory an instance has had in use.
    pub(crate) fn weigh(&mut self, instance: &mut Instance) {
        self.memory = Some(instance.memory_use().max(self.memory));
    }

    /// Tells an instance what kind of execution it had, of which there may be more.
    pub(crate) fn leave(&self, instance: &mut Instance) {
        instance.ran(self.begin.elapsed(), self.timeline.is_one_at_a_time());
    }

    /// What it was, with what functions printed last.
    pub(crate) fn record(self, ending: Ending, last_logs: Vec<LogLine>) -> Record {
        let states = self.timeline.state_records(self.plan);
        self.launcher.learn(&self.timeline.calls);
        let by_violation = ending.error.as_deref() == Some(ISOLATION_VIOLATION);
        let mut logs = self.logs;
        logs.extend(last_logs);
        Record {
            violation: self.violated && by_violation && ending.status == Status::Failed,
            status: ending.status,
            output: ending.output,
            error: ending.error,
            cause: ending.cause,
            isolation: self.plan.isolation,
            instances: self.instances,
            not_copied: self.launcher.not_copied(),
            no_lane: self.launcher.no_lane(),
            started: self.started,
            duration_us: ending.duration_ns / 1000,
            interaction_us: self.timeline.interaction_us(&states),
            billed_ms: ending.duration_ns.div_ceil(1_000_000),
            memory: self.memory,
            functions: metering::uses(self.plan, &self.timeline.calls),
            states,
            mocked: self.timeline.mocked_functions(),
            events: self.timeline.event_records(),
            logs,
        }
    }
}

/// An error object in one line.
fn in_short(error: &str) -> String {
    let object: serde_json::Value = serde_json::from_str(error).unwrap_or_default();
    match (object["errorType"].as_str(), object["errorMessage"].as_str()) {
        (Some(kind), Some(message)) => format!("{kind}: {message}"),
        _ => error.to_owned(),
    }
}
