//! The pool: as many instances of one bundle as there is work for, up to a limit.

use crate::instance::{InstanceError, RunInput, StartError};
use crate::launcher::Launcher;
use crate::logs::LogLine;
use crate::pool_state::{Desk, State, Taken};
use crate::record::Record;
use crate::worker::Worker;
use faastlane_compose::{Durations, Plan};
use faastlane_instance::EventReport;
use faastlane_items::Stores;
use faastlane_payload::Payload;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How far a pool goes.
#[derive(Clone, Copy, Debug)]
pub struct PoolLimits {
    /// Instances at the same time.
    pub most: NonZeroUsize,
    /// Executions at the same time that wait for an instance to be free. Those that one is being started for do not count.
    pub queue: usize,
    /// How long an instance is kept that has nothing to do.
    pub keep_warm: Duration,
}

/// Called with every event as it happens: see [`RunInput::history`].
pub type Follower = Box<dyn Fn(&EventReport) + Send>;

/// One execution to be run, as [`RunInput`] has it.
pub struct Submission {
    pub name: String,
    pub input: Payload,
    pub seed: u64,
    pub time_scale: f64,
    pub history: Option<Follower>,
    pub stores: Arc<Stores>,
}

/// What became of an submission.
#[derive(Debug)]
pub struct Completion {
    /// An error where there was no execution: its instance did not come up, or the pool was closed or interrupted first.
    pub outcome: Result<Record, StartError>,
    /// What making its instance took, where one had to be made; and another one, where that was lost.
    pub cold_start: Option<Duration>,
    /// When it was handed to its instance, or given up.
    pub begun: Instant,
    /// Until then, since it was submitted.
    pub waited: Duration,
}

/// More than the pool takes. The caller may try again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many requests: {running} executions run, and {waiting} wait for an instance, which is the most")]
pub struct TooManyRequests {
    pub running: usize,
    pub waiting: usize,
}

/// What a pool has done, and what it is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolCounts {
    /// Executions that were the first of an instance, and those that found one.
    pub cold: u64,
    pub warm: u64,
    /// Executions that the pool did not take.
    pub refused: u64,
    /// Instances that did not come up.
    pub failed_starts: u64,
    /// Executions now.
    pub running: usize,
    pub waiting: usize,
    /// Instances now, those that are being started among them, and the most there were.
    pub instances: usize,
    pub peak_instances: usize,
}

/// An execution that was taken.
#[derive(Debug)]
pub struct Ticket(Receiver<Completion>);

impl Ticket {
    /// Waits until the execution is over.
    pub fn wait(self) -> Completion {
        self.0.recv().unwrap_or_else(|_| given_up(Instant::now()))
    }
}

/// An execution with whoever waits for it.
pub(crate) struct Request {
    submission: Submission,
    submitted: Instant,
    answer: Box<dyn FnOnce(Completion) + Send>,
}

impl Request {
    /// The execution does not happen.
    pub(crate) fn give_up(self, error: StartError) {
        let given_up = given_up(self.submitted);
        (self.answer)(Completion { outcome: Err(error), ..given_up });
    }
}

fn given_up(submitted: Instant) -> Completion {
    Completion {
        outcome: Err(StartError::from(InstanceError::Interrupted)),
        cold_start: None,
        begun: Instant::now(),
        waited: submitted.elapsed(),
    }
}

/// Runs executions of one bundle side by side. Ends with this value: see [`Pool::close`].
///
/// Each instance belongs to a thread. The one that ran last is given work first, so that those that are not needed cool down
/// and end.
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    /// Changed only with the state locked, which counts the changes.
    launcher: Mutex<Arc<Launcher>>,
    limits: PoolLimits,
    interrupted: Box<dyn Fn() -> bool + Send + Sync>,
    closing: AtomicBool,
    state: Mutex<State>,
    /// Those that have not been seen to have ended.
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Pool {
    /// No instance is started before there is work. `interrupted` is asked from time to time while executions run, from
    /// their threads: once it says true they end as aborted, and those that wait are given up.
    pub fn new(
        launcher: Arc<Launcher>,
        limits: PoolLimits,
        interrupted: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        let shared = Shared {
            launcher: Mutex::new(launcher),
            limits,
            interrupted: Box::new(interrupted),
            closing: AtomicBool::new(false),
            state: Mutex::default(),
            threads: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Takes an execution, or refuses it at once.
    ///
    /// # Errors
    /// [`TooManyRequests`] when as many wait as may.
    pub fn submit(&self, submission: Submission) -> Result<Ticket, TooManyRequests> {
        let (send, receive) = channel();
        // Whoever dropped the ticket does not want to know.
        self.submit_then(submission, move |completion| drop(send.send(completion)))?;
        Ok(Ticket(receive))
    }

    /// As [`Pool::submit`]. `then` is called once, on a thread of the pool; its instance is free again by then, but runs nothing
    /// before `then` returns, and the pool cannot be closed from within it.
    ///
    /// # Errors
    /// [`TooManyRequests`] when as many wait as may.
    pub fn submit_then(
        &self,
        submission: Submission,
        then: impl FnOnce(Completion) + Send + 'static,
    ) -> Result<(), TooManyRequests> {
        let request = Request { submission, submitted: Instant::now(), answer: Box::new(then) };
        if self.shared.state().take(request, &self.shared.limits)? == Taken::NeedsInstance {
            let shared = Arc::clone(&self.shared);
            let thread = std::thread::Builder::new().name("faastlane-pool".to_owned());
            match thread.spawn(move || shared.work()) {
                Ok(thread) => self.shared.keep(thread),
                Err(error) => {
                    let request = self.shared.state().start_failed();
                    self.shared.state().thread_ended();
                    if let Some(request) = request {
                        request.give_up(StartError::from(error));
                    }
                }
            }
        }
        Ok(())
    }

    pub fn plan(&self) -> Arc<Plan> {
        Arc::clone(self.shared.launcher().plan())
    }

    /// From now on instances come from `launcher`, once that has loaded its functions. Executions that run go on in the instances
    /// they have, which end with them; those that wait run what is new.
    ///
    /// # Errors
    /// The functions of `launcher` cannot be loaded: everything stays as it was.
    pub fn replace(&self, launcher: Arc<Launcher>) -> Result<(), StartError> {
        launcher.prepare(&|| self.shared.stops())?;
        let mut state = self.shared.state();
        *self.shared.launcher.lock().unwrap_or_else(PoisonError::into_inner) = launcher;
        state.retire_all();
        Ok(())
    }

    pub fn counts(&self) -> PoolCounts {
        self.shared.state().counts()
    }

    /// See [`Launcher::durations`].
    pub fn durations(&self) -> Durations {
        self.shared.launcher().durations()
    }

    /// Ends all instances: what runs is aborted, what waits is given up. Returns what functions printed and no record holds.
    pub fn close(self) -> Vec<LogLine> {
        self.shared.close()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in it is ever half done when a thread could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn launcher(&self) -> Arc<Launcher> {
        Arc::clone(&self.launcher.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn stops(&self) -> bool {
        self.closing.load(Ordering::Relaxed) || (self.interrupted)()
    }

    /// A thread's life: one instance, and another one in its place if it went away with work left.
    fn work(&self) {
        let ends = EndsWith(self);
        loop {
            let (launcher, age) = {
                let state = self.state();
                (self.launcher(), state.age())
            };
            match Worker::start(&launcher, &|| self.stops()) {
                Ok((worker, started)) => self.serve(worker, started.took, age),
                Err(error) => {
                    let request = self.state().start_failed();
                    // None waits any more when another instance took it meanwhile.
                    if let Some(request) = request {
                        request.give_up(error);
                    }
                }
            }
            if self.stops() {
                return self.give_up_waiting();
            }
            if !self.state().needs_another() {
                // It is counted as ended already, with the same look at what waits: who comes now starts a thread.
                std::mem::forget(ends);
                return;
            }
        }
    }

    /// Gives an instance work for as long as it is wanted.
    fn serve(&self, mut worker: Worker, took: Duration, age: u64) {
        worker.take_thread();
        let (desk, mut next) = self.state().started(age);
        let mut cold_start = Some(took);
        while let Some(request) = next.take().or_else(|| self.await_job(&desk)) {
            if self.stops() {
                next = self.state().finished(&desk, None);
                request.give_up(StartError::from(InstanceError::Interrupted));
                continue;
            }
            let Request { submission, submitted, answer } = request;
            let (begun, cold_start) = (Instant::now(), cold_start.take());
            let outcome = self.run(&mut worker, submission);
            let lost = outcome.is_err();
            let again = outcome.as_ref().ok().and_then(|record| record.started);
            let cold_start = [cold_start, again].into_iter().flatten().reduce(|first, more| first + more);
            let completion = Completion { outcome, cold_start, begun, waited: begun - submitted };
            if lost {
                self.state().lost(cold_start.is_some());
                answer(completion);
                break;
            }
            // Before the answer: who has it and comes back at once finds the instance free.
            next = self.state().finished(&desk, Some(cold_start.is_some()));
            answer(completion);
        }
        let lines = worker.close();
        self.state().leftover.extend(lines);
    }

    fn run(&self, worker: &mut Worker, submission: Submission) -> Result<Record, StartError> {
        let record = worker.run(&RunInput {
            name: &submission.name,
            input: &submission.input,
            seed: submission.seed,
            time_scale: submission.time_scale,
            history: submission.history.as_ref().map(|follow| &**follow as &dyn Fn(&EventReport)),
            stores: &submission.stores,
            stop: &|| self.stops(),
        })?;
        Ok(record)
    }

    /// Sleeps until there is work; `None` when there was none for too long, others have taken its place, or the pool closes.
    fn await_job(&self, desk: &Desk) -> Option<Request> {
        let since = Instant::now();
        let mut state = self.state();
        loop {
            if let Some(request) = state.handed(desk) {
                return Some(request);
            }
            let left = self.limits.keep_warm.saturating_sub(since.elapsed());
            if left.is_zero() || state.is_retired(desk) || self.closing.load(Ordering::Relaxed) {
                state.leave(desk);
                return None;
            }
            let woken = desk.bell.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn give_up_waiting(&self) {
        let waiting = self.state().all_waiting();
        for request in waiting {
            request.give_up(StartError::from(InstanceError::Interrupted));
        }
    }

    fn close(&self) -> Vec<LogLine> {
        self.closing.store(true, Ordering::Relaxed);
        self.state().wake_all();
        self.give_up_waiting();
        // Once they are joined nothing of theirs is left, and the launcher ends with the pool.
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // One that panicked has ended too.
            drop(thread.join());
        }
        std::mem::take(&mut self.state().leftover)
    }

    fn keep(&self, thread: JoinHandle<()>) {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
    }
}

/// However a thread of the pool ends, the pool knows.
struct EndsWith<'a>(&'a Shared);

impl Drop for EndsWith<'_> {
    fn drop(&mut self) {
        self.0.state().thread_ended();
    }
}
