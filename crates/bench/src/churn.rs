//! `faastlane bench churn`: many executions, of which some attempts are killed at random moments, and whether each of them still
//! ends as its definition says and nothing is left over. It is there to find what is wrong, not to be fast.
//!
//! What is to go wrong in an execution is drawn from the seed (`fate`), and travels in its input: a function crashes, or loops,
//! in this and that attempt. Signals come from outside meanwhile (`killer`). What happened is held against the definition
//! (`verdict`), and against what the functions noted themselves (`ledger`).

mod fate;
mod killer;
mod ledger;
mod leftovers;
mod report;
mod verdict;
mod workflow;

pub use report::{AttemptsKilled, ChurnReport, LeftOver};

use crate::BenchError;
use crate::bundle::Bundle;
use crate::outside::Outside;
use faastlane_compose::{DEFAULT_MAX_PAYLOAD_BYTES, Plan, RequestedIsolation, Workflow};
use faastlane_payload::Payload;
use faastlane_pool::{Completion, Launcher, Pool, PoolLimits, Stores, Submission};
use fate::{Fate, Random};
use killer::Killer;
use leftovers::Possessions;
use report::Tally;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const METRIC: &str =
    "executions that end as their definition says, while attempts are killed, and what is left over";

/// Delays before retries are of no interest here: a second becomes a millisecond.
const TIME_SCALE: f64 = 0.001;
/// How often it is looked whether the user has had enough.
const LOOK: Duration = Duration::from_millis(100);
const PROGRESS: Duration = Duration::from_secs(5);

/// How much is done.
#[derive(Clone, Debug)]
pub struct ChurnOptions {
    /// At least 1.
    pub executions: usize,
    /// What part of the attempts is to be killed, 0 to 1.
    pub killed: f64,
    /// Executions at the same time.
    pub concurrency: NonZeroUsize,
    /// Of everything that is drawn.
    pub seed: u64,
    /// No execution begins later.
    pub at_most: Option<Duration>,
    pub isolation: RequestedIsolation,
}

/// A measurement and what it needs of the outside.
pub struct Churn<'a> {
    pub options: &'a ChurnOptions,
    pub outside: &'a Outside<'a>,
}

/// An execution that is over.
struct Over {
    fate: Fate,
    completion: Completion,
    /// The numbers of the events that were told while it ran.
    told: Vec<u64>,
}

/// Everything of the workflow that is run.
struct Bundled {
    workflow: Workflow,
    plan: Plan,
    bundle: Bundle,
}

impl Churn<'_> {
    /// Runs the executions. `progress` is told what is being done. What turned out to be wrong is in the report.
    ///
    /// # Errors
    /// The workflow cannot be composed, or [`Outside::stop`] said so.
    pub fn run(&self, progress: &mut dyn FnMut(&str)) -> Result<ChurnReport, BenchError> {
        let begun = self.outside.begin();
        let bundle = workflow::make()?;
        let (workflow, plan) =
            bundle.compose(self.outside, self.options.isolation, DEFAULT_MAX_PAYLOAD_BYTES)?;
        let bundled = Bundled { workflow, plan, bundle };
        let scratch = leftovers::own_scratch()?;
        progress("warming up");
        let at_first = Possessions::now(scratch.path())?;
        let quiet = ChurnOptions {
            executions: 2 * self.options.concurrency.get(),
            killed: 0.0,
            ..self.options.clone()
        };
        let warm_up = self.execute(&quiet, &bundled, &mut |_| ())?;
        let mut problems = warm_up.problems;
        // Once everything is let go, what is kept for good is there: stacks of threads, the allocator's stretches.
        let more = at_first.compare(scratch.path(), usize::MAX)?;
        problems.extend(more.iter().filter_map(LeftOver::finding));
        workflow::ledger_anew(bundled.bundle.folder())?;
        let before = Possessions::now(scratch.path())?;
        let mut tally = self.execute(self.options, &bundled, progress)?;
        progress("looking for what is left over");
        ledger::check(bundled.bundle.folder(), &mut tally)?;
        let left_over = before.compare(scratch.path(), leftovers::MAPPINGS)?;
        tally.problems.splice(0..0, problems.into_iter().map(|problem| format!("warming up: {problem}")));
        let (isolation, python) = (bundled.plan.isolation, &bundled.plan.pythons[0]);
        let heading = begun.heading("churn", METRIC, python, self.outside);
        Ok(ChurnReport::new(heading, isolation, self.options, tally, left_over))
    }

    /// One pool's life.
    fn execute(
        &self,
        options: &ChurnOptions,
        bundled: &Bundled,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Tally, BenchError> {
        let executable = self.outside.executable.to_owned();
        let definition = bundled.workflow.definition.clone();
        let launcher = Arc::new(Launcher::new(executable, bundled.plan.clone(), definition));
        let stopped = Arc::new(AtomicBool::new(false));
        let limits = PoolLimits {
            most: options.concurrency,
            queue: options.concurrency.get(),
            keep_warm: Duration::MAX,
        };
        let flag = stopped.clone();
        let pool = Pool::new(launcher.clone(), limits, move || flag.load(Ordering::Relaxed));
        let mut killer = Killer::start(launcher.clone(), options);
        let mut tally = Tally::new(options.executions);
        let run = Run { options, outside: self.outside, pool: &pool, stopped: &stopped };
        let begin = Instant::now();
        let ran = run.all(&mut tally, &mut killer, progress);
        tally.took = begin.elapsed();
        (tally.signals, tally.template_signals) = killer.end();
        tally.instances_made = launcher.launched();
        drop(pool.close());
        ran.map(|()| tally)
    }
}

struct Run<'a> {
    options: &'a ChurnOptions,
    outside: &'a Outside<'a>,
    pool: &'a Pool,
    /// What the pool asks.
    stopped: &'a AtomicBool,
}

impl Run<'_> {
    fn all(
        &self,
        tally: &mut Tally,
        killer: &mut Killer,
        progress: &mut dyn FnMut(&str),
    ) -> Result<(), BenchError> {
        let (send, over) = channel();
        let (begin, mut shown) = (Instant::now(), Instant::now());
        let (mut submitted, mut under_way) = (0, 0);
        loop {
            let late = self.options.at_most.is_some_and(|most| begin.elapsed() > most);
            while under_way < self.options.concurrency.get() && submitted < self.options.executions && !late {
                self.submit(submitted as u64, &send)?;
                submitted += 1;
                under_way += 1;
            }
            if under_way == 0 {
                return Ok(());
            }
            if (self.outside.stop)() {
                self.stopped.store(true, Ordering::Relaxed);
                return Err(BenchError::Interrupted);
            }
            match over.recv_timeout(LOOK) {
                Ok(one) => {
                    under_way -= 1;
                    killer.one_is_over();
                    tally.add(one.fate, one.completion, &one.told);
                }
                Err(RecvTimeoutError::Timeout) => {}
                // One sender is here.
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            if shown.elapsed() > PROGRESS {
                shown = Instant::now();
                progress(&tally.line(self.options.executions));
            }
        }
    }

    fn submit(&self, id: u64, send: &Sender<Over>) -> Result<(), BenchError> {
        let fate = Fate::draw(&mut Random::of(self.options.seed, id), id, self.options.killed);
        let told = Arc::new(Mutex::new(Vec::new()));
        let telling = told.clone();
        let submission = Submission {
            name: format!("churn-{id}"),
            input: Payload::from_value(fate.input()),
            seed: id,
            time_scale: TIME_SCALE,
            history: Some(Box::new(move |event| {
                telling.lock().unwrap_or_else(PoisonError::into_inner).push(event.id);
            })),
            stores: Arc::new(Stores::default()),
        };
        let send = send.clone();
        let then = move |completion| {
            let told = std::mem::take(&mut *told.lock().unwrap_or_else(PoisonError::into_inner));
            // Nobody listens any more when it was interrupted.
            drop(send.send(Over { fate, completion, told }));
        };
        // Never more are under way than there may be instances.
        self.pool.submit_then(submission, then).map_err(|refused| BenchError::Refused(refused.to_string()))
    }
}

/// Lines `id step attempt`, one for each call that began.
fn ledger_file(folder: &Path) -> std::path::PathBuf {
    folder.join("ledger").join("begun")
}
