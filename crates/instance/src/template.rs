//! A process in which the functions are loaded and parked. It becomes the instance, or is copied into instances.

use crate::assignment::Assignment;
use crate::duty::{self, Bound};
use crate::fault::Suspect;
use crate::host::{Host, LocalDomain};
use crate::invocation::error_and_cause;
use crate::message::{Report, Reporter, SetUpFailure};
use crate::order::{CopyAnswer, CopyOrder, Order, OrderChannel};
use crate::{FAULTED, SET_UP_FAILED, fault};
use faastlane_asl::definition::StateMachine;
use faastlane_domain::{Copied, DomainProcess, ProcessCopy, Reply, exit_now, monotonic_nanos, spawn_trusted};
use faastlane_sandbox::{Duty, close_others};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Arc, PoisonError};

/// The first thread, which sleeps for good, the watcher, and the one that takes orders.
const OTHER_THREADS: usize = 3;

/// Everything that an instance is made of, when its domains are parked.
pub(crate) struct Template {
    pub(crate) process: DomainProcess,
    pub(crate) assignment: Arc<Assignment>,
    pub(crate) host: Host,
    /// Host 0 only runs it.
    pub(crate) machine: Option<Arc<StateMachine>>,
    pub(crate) reporter: Reporter,
    pub(crate) orders: OrderChannel,
}

impl Template {
    /// The life of the thread that takes orders. When it returns, the process is an instance, and its domains go on.
    pub(crate) fn serve(mut self, bound: &Bound) -> Ready {
        let duty = duty::copier(&self.assignment);
        bound.enter(&duty, &self.assignment, &self.reporter);
        self.host.begin();
        self.await_parked();
        loop {
            match self.orders.next() {
                Ok(Some((Order::GoOn, _))) => {
                    Bound::alone().enter(&Duty::Sleep, &self.assignment, &self.reporter);
                    self.host.domains.iter().for_each(|domain| domain.started.go_on());
                    return self.ready();
                }
                Ok(Some((Order::Copy(order), descriptors))) => {
                    let copied = {
                        // No monitor is in the midst of a memory call then, whatever a domain does that only says it is parked.
                        let _still = self.host.owners.lock().unwrap_or_else(PoisonError::into_inner);
                        self.process.copy(self.host.threads(OTHER_THREADS))
                    };
                    let answer = match copied {
                        Ok(Copied::Copy(copy)) => return self.second_life(&copy, order, descriptors),
                        Ok(Copied::Original(pid)) => CopyAnswer::Made(pid),
                        Err(error) => CopyAnswer::Refused(error.to_string()),
                    };
                    // If the supervisor is gone, the next look at the channel shows it.
                    drop(self.orders.answer(&answer));
                }
                // Nobody is there to give orders.
                Ok(None) | Err(_) => exit_now(0),
            }
        }
    }

    fn ready(self) -> Ready {
        let Self { assignment, host, machine, reporter, .. } = self;
        Ready { assignment, host, machine, reporter }
    }

    /// Until every domain of this process is parked. Ends the process when one cannot be.
    fn await_parked(&mut self) {
        let begin = monotonic_nanos();
        for domain in &mut self.host.domains {
            if !domain.started.await_parked() {
                let error = match domain.mailbox.poll() {
                    Ok(Some(Reply::StartFailed(error))) => error,
                    _ => Box::default(),
                };
                let cause = "its code failed while it was imported";
                give_up(&self.assignment, &self.reporter, domain.index, cause, &error);
            }
            let since_start_us = (monotonic_nanos() - begin) / 1000;
            self.reporter.send(&Report::DomainUp { domain: domain.index, since_start_us });
        }
        self.reporter.send(&Report::Loaded(crate::footprint::of_domains(&self.assignment)));
        self.reporter.ring();
    }

    /// What a copy does to be the instance that `order` is about.
    fn second_life(self, copy: &ProcessCopy, order: CopyOrder, descriptors: Vec<OwnedFd>) -> Ready {
        let Self { assignment, mut host, machine, orders, reporter, .. } = self;
        // The original's. Before its number can be another's.
        drop((orders, reporter));
        let numbers: Vec<i32> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
        if close_others(&numbers).is_err() {
            exit_now(SET_UP_FAILED);
        }
        // They stay open for as long as the process lives.
        descriptors.into_iter().for_each(std::mem::forget);
        let number = |position: i32| numbers.get(position as usize).copied().unwrap_or(-1);
        let assignment = Arc::new(Assignment {
            lane: order.lane,
            scratch: order.scratch,
            descriptors: order.descriptors.renumbered(number),
            ..(*assignment).clone()
        });
        let Ok(reporter) = assignment.reporter() else { exit_now(SET_UP_FAILED) };
        // The watcher, and this thread.
        let bound = Bound::of(2);
        let revived = host.revive(copy, &assignment);
        let watched = revived.and_then(|()| {
            watch(&host, &assignment, &reporter, &bound)
                .map_err(|error| SetUpFailure::of_process("start the watcher", error.to_string()))
        });
        if let Err(failure) = watched {
            reporter.send(&Report::SetUpFailed(failure));
            reporter.ring();
            exit_now(SET_UP_FAILED);
        }
        bound.enter(&Duty::Sleep, &assignment, &reporter);
        host.begin();
        Ready { assignment, host, machine, reporter }
    }
}

/// An instance, or its part in this process: the domains come up and take calls.
pub(crate) struct Ready {
    pub(crate) assignment: Arc<Assignment>,
    pub(crate) host: Host,
    /// Host 0 only runs it.
    pub(crate) machine: Option<Arc<StateMachine>>,
    pub(crate) reporter: Reporter,
}

/// Lets a trusted thread wait for a fault, report it, and end the process.
pub(crate) fn watch(
    host: &Host,
    assignment: &Arc<Assignment>,
    reporter: &Reporter,
    bound: &Bound,
) -> std::io::Result<()> {
    let bound = bound.clone();
    let (owners, assignment, reporter) = (host.owners.clone(), assignment.clone(), reporter.clone());
    let suspects: Vec<Suspect> = host.domains.iter().map(LocalDomain::suspect).collect();
    spawn_trusted(move || {
        bound.enter(&Duty::Watch, &assignment, &reporter);
        let fault = faastlane_domain::watch_for_fault();
        reporter.send(&Report::Fault(fault::describe(&fault, &owners, &suspects, &assignment)));
        reporter.ring();
        exit_now(FAULTED)
    })
}

/// Says that a domain cannot serve, and ends the process.
pub(crate) fn give_up(
    assignment: &Assignment,
    reporter: &Reporter,
    domain: usize,
    cause: &str,
    error: &[u8],
) -> ! {
    let (_, text) = error_and_cause(error);
    reporter.flush();
    reporter.send(&Report::SetUpFailed(SetUpFailure {
        domain: Some(domain),
        what: format!("load `{}`", assignment.plan.domains[domain].name),
        cause: cause.into(),
        function_error: Some(text),
    }));
    reporter.ring();
    exit_now(SET_UP_FAILED)
}
