//! Our own way: a pool that may have an instance for each client.

use super::work::{Totals, Work, input};
use crate::BenchError;
use crate::bundle::Bundle;
use crate::contest::Contender;
use crate::line;
use crate::outside::{Outside, kept_apart_by};
use crate::processes::{CpuTime, children, of_processes};
use faastlane_compose::{DEFAULT_MAX_PAYLOAD_BYTES, Isolation, RequestedIsolation};
use faastlane_payload::Payload;
use faastlane_pool::{Completion, Launcher, Pool, PoolLimits, Status, Stores, Submission};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// How often it is looked whether the user has had enough.
const LOOK: Duration = Duration::from_millis(100);

pub(super) struct Pooled {
    name: String,
    isolation: Isolation,
    pool: Pool,
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
        let pool = Pool::new(Arc::new(launcher), limits, move || flag.load(Ordering::Relaxed));
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
        let (send, over) = channel();
        let (mut submitted, mut under_way, mut functions_ns) = (0, 0, 0);
        while submitted < executions || under_way > 0 {
            while under_way < self.clients && submitted < executions {
                self.submit(&send)?;
                submitted += 1;
                under_way += 1;
            }
            match over.recv_timeout(LOOK) {
                Ok(completion) => {
                    under_way -= 1;
                    functions_ns += self.check(completion)?;
                }
                Err(RecvTimeoutError::Timeout) if !(outside.stop)() => {}
                Err(_) => {
                    self.stopped.store(true, Ordering::Relaxed);
                    return Err(BenchError::Interrupted);
                }
            }
        }
        Ok(functions_ns)
    }

    fn submit(&self, send: &Sender<Completion>) -> Result<(), BenchError> {
        let submission = Submission {
            name: "bench".to_owned(),
            input: Payload::from_value(input()),
            seed: 0,
            time_scale: 1.0,
            history: None,
            stores: Arc::new(Stores::default()),
        };
        let send = send.clone();
        // Nobody listens any more when something went wrong.
        let then = move |completion| drop(send.send(completion));
        self.pool.submit_then(submission, then).map_err(|refused| BenchError::Refused(refused.to_string()))
    }

    fn check(&self, completion: Completion) -> Result<u64, BenchError> {
        let record = completion.outcome?;
        match (&record.status, record.output.as_ref().and_then(|output| output.value().ok())) {
            (Status::Succeeded, Some(output)) => self.work.check(output, &self.name),
            (status, _) => Err(BenchError::Execution { status: *status, cause: record.cause }),
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
