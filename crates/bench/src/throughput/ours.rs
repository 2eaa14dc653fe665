//! Our own way: a pool that may have an instance for each client.

use super::work::{Totals, Work, input};
use crate::BenchError;
use crate::bundle::Bundle;
use crate::contest::Contender;
use crate::line;
use crate::outside::{Outside, kept_apart_by};
use crate::peers::IN_SUPERVISOR;
use crate::processes::{CpuTime, children, of_processes};
use faastlane_compose::{DEFAULT_MAX_PAYLOAD_BYTES, Isolation, RequestedIsolation};
use faastlane_payload::Payload;
use faastlane_pool::{Completion, Launcher, Pool, PoolLimits, Status, Stores, Submission};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How often it is looked whether the user has had enough.
const LOOK: Duration = Duration::from_millis(100);

pub(super) struct Pooled {
    name: String,
    isolation: Isolation,
    pool: Arc<Pool>,
    stopped: Arc<AtomicBool>,
    clients: usize,
    executions: usize,
    work: Work,
    totals: Totals,
    /// Instances still go to where their functions are.
    _bundle: Bundle,
}

impl Pooled {
    /// Makes the pool, and an instance for each client.
    pub(super) fn start(
        outside: &Outside<'_>,
        wanted: RequestedIsolation,
        work: Work,
        clients: NonZeroUsize,
        executions: usize,
    ) -> Result<Self, BenchError> {
        let bundle = line::of_functions(work.functions, &work.code())?;
        let (workflow, plan) = bundle.compose(outside, wanted, DEFAULT_MAX_PAYLOAD_BYTES)?;
        let isolation = plan.isolation;
        let launcher = Launcher::new(outside.executable.to_owned(), plan, workflow.definition);
        let stopped = Arc::new(AtomicBool::new(false));
        let limits = PoolLimits { most: clients, queue: clients.get(), keep_warm: Duration::MAX };
        let flag = stopped.clone();
        let pool = Arc::new(Pool::new(Arc::new(launcher), limits, move || flag.load(Ordering::Relaxed)));
        let pooled = Self {
            name: format!("faastlane, {}", isolation.name()),
            isolation,
            pool,
            stopped,
            clients: clients.get(),
            executions,
            work,
            totals: Totals::default(),
            _bundle: bundle,
        };
        pooled.execute(2 * clients.get(), outside)?;
        Ok(pooled)
    }

    /// Runs so many executions, each client's next one as soon as its last is over. How long the functions ran, in nanoseconds.
    fn execute(&self, executions: usize, outside: &Outside<'_>) -> Result<u64, BenchError> {
        let (over, is_over) = channel();
        let round = Arc::new(Round {
            pool: Arc::downgrade(&self.pool),
            executions,
            begun: AtomicUsize::new(0),
            ended: Mutex::default(),
            over: Mutex::new(Some(over)),
        });
        (0..self.clients).for_each(|_| round.next());
        while is_over.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
            if (outside.stop)() {
                self.stopped.store(true, Ordering::Relaxed);
                return Err(BenchError::Interrupted);
            }
        }
        let ended = std::mem::take(&mut *round.ended.lock().unwrap_or_else(PoisonError::into_inner));
        ended.into_iter().map(|completion| self.check(completion?)).sum()
    }

    fn check(&self, completion: Completion) -> Result<u64, BenchError> {
        let record = completion.outcome?;
        match (&record.status, record.output.as_ref().and_then(|output| output.value().ok())) {
            (Status::Succeeded, Some(output)) => self.work.check(output, &self.name),
            (status, _) => Err(BenchError::Execution { status: *status, cause: record.cause }),
        }
    }
}

/// What the clients of a round share.
struct Round {
    pool: Weak<Pool>,
    executions: usize,
    begun: AtomicUsize,
    ended: Mutex<Vec<Result<Completion, BenchError>>>,
    /// Dropped with the last execution.
    over: Mutex<Option<Sender<()>>>,
}

impl Round {
    /// A client's next execution, if there is to be one more: it says so itself when that is over, on the pool's thread.
    fn next(self: &Arc<Self>) {
        let Some(pool) = self.pool.upgrade() else { return };
        if self.begun.fetch_add(1, Ordering::Relaxed) >= self.executions {
            return;
        }
        let submission = Submission {
            name: "bench".to_owned(),
            input: Payload::from_value(input()),
            seed: 0,
            time_scale: 1.0,
            history: None,
            stores: Arc::new(Stores::default()),
        };
        let round = Arc::clone(self);
        let then = move |completion| {
            round.end(Ok(completion));
            round.next();
        };
        if let Err(refused) = pool.submit_then(submission, then) {
            self.end(Err(BenchError::Refused(refused.to_string())));
        }
    }

    fn end(&self, result: Result<Completion, BenchError>) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.push(result);
        if ended.len() == self.executions {
            self.over.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }
}

impl Contender for Pooled {
    fn name(&self) -> &str {
        &self.name
    }

    fn isolation(&self) -> &'static str {
        kept_apart_by(self.isolation)
    }

    fn durable(&self) -> &'static str {
        IN_SUPERVISOR
    }

    /// The instances of the other pools have nothing to do meanwhile.
    fn round(&mut self, outside: &Outside<'_>) -> Result<Vec<f64>, BenchError> {
        let processes = [children(), vec![std::process::id()]].concat();
        let before = of_processes(&processes)?;
        let begin = Instant::now();
        let functions_ns = self.execute(self.executions, outside)?;
        let took = begin.elapsed();
        self.totals.cpu_ns += of_processes(&processes)?.saturating_sub(before);
        self.totals.functions_ns += functions_ns;
        self.totals.executions += self.executions;
        Ok(vec![took.as_secs_f64() * 1e6 / self.executions as f64])
    }

    fn executions(&self) -> usize {
        self.totals.executions
    }

    fn cpu(&self) -> Option<CpuTime> {
        self.totals.cpu()
    }
}
