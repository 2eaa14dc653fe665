//! `faastlane run --repeat`: many executions of a workflow, so many at a time, and what they came to.

use crate::args::RunArguments;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::repeat_report::{self, Summary};
use crate::run::{self, Ran, exit_of, refuse, say};
use crate::run_failure::of_instance;
use crate::terminal::Terminal;
use crate::watch::{self, Watch};
use crate::waterfall::{self, Run};
use faastlane_compose::{Plan, Workflow};
use faastlane_payload::Payload;
use faastlane_pool::{Completion, Metering, Pool, PoolLimits, StartError, Status, Stores};
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// How often the line that tells the progress changes at most.
const LIVE: Duration = Duration::from_millis(100);

pub(crate) fn execute(
    arguments: &RunArguments,
    times: NonZeroUsize,
    workflow: &Workflow,
    plan: &Plan,
    input: &Payload,
    interrupt: &Interrupt,
) -> anyhow::Result<Exit> {
    let most = arguments.concurrency.min(times);
    // Never more are submitted than there may be instances, but one may be about to be replaced.
    let limits = PoolLimits { most, queue: most.get(), keep_warm: Duration::MAX };
    let pool = run::pool(workflow, plan, limits, interrupt)?;
    let stores = run::stores(workflow);
    let repetition =
        Repetition { times: times.get(), arguments, stores, input, interrupt, plan, pool: &pool };
    let mut tally = Tally::new(plan);
    repetition.run(&mut tally)?;
    let counts = pool.counts();
    run::keep_durations(workflow, &pool);
    drop(pool.close());

    let exit = tally.exit(interrupt);
    if let Some(StartError { error, logs }) = tally.not_started.as_ref().filter(|_| tally.ended() == 0) {
        let (finding, traceback) = of_instance(error, workflow, plan);
        if !arguments.json {
            waterfall::print_lines(plan, logs)?;
            io::stderr().write_all(traceback.as_bytes())?;
        }
        return refuse(arguments, &[finding]);
    }
    let not_started = tally.not_started.as_ref().map(|failure| of_instance(&failure.error, workflow, plan).0);
    let summary = Summary { plan, tally: &tally, counts, times: times.get(), concurrency: most.get() };
    if arguments.json {
        say(&repeat_report::to_json(&summary, not_started.as_ref()))?;
        return Ok(exit);
    }
    if let Some(ran) = &tally.first_failure {
        waterfall::print(&Run { plan, ran, composed: Duration::ZERO })?;
        io::stderr().write_all(b"\n")?;
    }
    if let Some(finding) = not_started {
        crate::render_diagnostic::print(&[finding])?;
    }
    io::stderr().write_all(repeat_report::render(&summary).as_bytes())?;
    Ok(exit)
}

/// What is known of all executions that are over.
pub(crate) struct Tally {
    pub(crate) metering: Metering,
    /// By [`Status`]: succeeded, failed, timed out, aborted.
    pub(crate) by_status: [usize; 4],
    /// From the machine's first event to its last.
    pub(crate) durations_us: Vec<u64>,
    /// From when it was submitted until it was over: with the start of its instance.
    pub(crate) latencies_us: Vec<u64>,
    /// The first execution that ended in another way than by success.
    pub(crate) first_failure: Option<Ran>,
    first_output: Option<Payload>,
    /// How many outputs are unlike the first.
    pub(crate) differing: usize,
    /// Executions whose instance did not come up, and why the first did not.
    pub(crate) without_instance: usize,
    pub(crate) not_started: Option<StartError>,
    pub(crate) took: Duration,
}

struct Over {
    name: String,
    latency: Duration,
    completion: Completion,
}

impl Tally {
    fn new(plan: &Plan) -> Self {
        Self {
            metering: Metering::new(plan),
            by_status: [0; 4],
            durations_us: Vec::new(),
            latencies_us: Vec::new(),
            first_failure: None,
            first_output: None,
            differing: 0,
            without_instance: 0,
            not_started: None,
            took: Duration::ZERO,
        }
    }

    fn add(&mut self, over: Over, plan: &Plan) {
        let Completion { outcome, cold_start, .. } = over.completion;
        let mut record = match outcome {
            Ok(record) => record,
            Err(error) => {
                self.without_instance += 1;
                self.not_started.get_or_insert(error);
                return;
            }
        };
        self.metering.add(&record, cold_start);
        self.by_status[record.status as usize] += 1;
        self.durations_us.push(record.duration_us);
        self.latencies_us.push(over.latency.as_micros() as u64);
        if record.status == Status::Succeeded {
            let first = self.first_output.get_or_insert_with(|| record.output.clone().unwrap_or_else(null));
            self.differing += usize::from(record.output.as_ref() != Some(first));
        } else if self.first_failure.is_none() {
            let logs = std::mem::take(&mut record.logs);
            let mut metering = Metering::new(plan);
            metering.add(&record, cold_start);
            self.first_failure =
                Some(Ran { execution: over.name, record, to_first_call: None, logs, metering });
        }
    }

    pub(crate) fn ended(&self) -> usize {
        self.latencies_us.len()
    }

    fn exit(&self, interrupt: &Interrupt) -> Exit {
        match (&self.first_failure, &self.not_started) {
            _ if interrupt.came() => Exit::Interrupted,
            (Some(ran), _) => exit_of(&ran.record, interrupt),
            (None, Some(_)) => Exit::Unexpected,
            (None, None) => Exit::Succeeded,
        }
    }
}

fn null() -> Payload {
    Payload::from_value(serde_json::Value::Null)
}

struct Repetition<'a> {
    times: usize,
    arguments: &'a RunArguments,
    stores: Arc<Stores>,
    input: &'a Payload,
    interrupt: &'a Interrupt,
    plan: &'a Plan,
    pool: &'a Pool,
}

impl Repetition<'_> {
    /// Keeps as many executions under way as was asked for, until all have been.
    fn run(&self, tally: &mut Tally) -> io::Result<()> {
        let (send, over) = channel();
        let begin = Instant::now();
        let mut live = Live::new();
        let mut submitted = 0;
        while submitted < self.arguments.concurrency.get().min(self.times) {
            self.submit(&send)?;
            submitted += 1;
        }
        let mut under_way = submitted;
        let mut watch = self.arguments.watch.then(|| Watch::new(self.arguments, self.pool));
        while under_way > 0 {
            let next = match &mut watch {
                Some(watch) => {
                    watch.look()?;
                    over.recv_timeout(watch::LOOK)
                }
                None => over.recv().map_err(RecvTimeoutError::from),
            };
            let next = match next {
                Ok(next) => next,
                Err(RecvTimeoutError::Timeout) => continue,
                // One sender is here.
                Err(RecvTimeoutError::Disconnected) => break,
            };
            under_way -= 1;
            tally.add(next, self.plan);
            live.show(tally, self, begin)?;
            // Where no instance ever came up, none will.
            let hopeless = tally.ended() == 0 && tally.not_started.is_some();
            if submitted < self.times && !hopeless && !self.interrupt.came() {
                self.submit(&send)?;
                submitted += 1;
                under_way += 1;
            }
        }
        tally.took = begin.elapsed();
        live.clear()
    }

    fn submit(&self, send: &Sender<Over>) -> io::Result<()> {
        let submission = run::submission(Arc::clone(&self.stores), self.input, self.arguments.time_scale);
        let (send, name, begin) = (send.clone(), submission.name.clone(), Instant::now());
        let answer = move |completion| {
            let latency = begin.elapsed();
            // Nobody listens any more when what was said could not be written.
            drop(send.send(Over { name, latency, completion }));
        };
        self.pool.submit_then(submission, answer).map_err(io::Error::other)
    }
}

/// The line that tells the progress, where somebody looks at it.
struct Live {
    terminal: Terminal,
    shown: Option<Instant>,
}

impl Live {
    fn new() -> Self {
        Self { terminal: Terminal::stderr(), shown: None }
    }

    fn show(&mut self, tally: &Tally, repetition: &Repetition<'_>, begin: Instant) -> io::Result<()> {
        if !self.terminal.live || self.shown.is_some_and(|shown| shown.elapsed() < LIVE) {
            return Ok(());
        }
        self.shown = Some(Instant::now());
        let (ended, counts) = (tally.ended(), repetition.pool.counts());
        let failed = ended - tally.by_status[Status::Succeeded as usize];
        let rate = ended as f64 / begin.elapsed().as_secs_f64();
        let line = format!(
            "{ended} of {} executions, {failed} failed, {} instances, {rate:.0} per second",
            repetition.times, counts.instances
        );
        write!(io::stderr(), "\r\x1b[K{line}")
    }

    fn clear(&self) -> io::Result<()> {
        match self.shown {
            Some(_) => write!(io::stderr(), "\r\x1b[K"),
            None => Ok(()),
        }
    }
}
