//! The process that runs executions of one workflow.
//!
//! It has no HTTP, no async runtime and no credentials. Its supervisor starts it with an [`Assignment`] and shared memory;
//! from then on they speak [`Command`]s and [`Report`]s through rings. Start reading at [`run`], then `host` (how the domains
//! come up), `template` (how a process becomes an instance, or several), and `orchestrator` (how an execution runs).
//!
//! Architecture Invariant: what a domain wrote is bytes until it has been checked. Nothing here follows a pointer or believes
//! a length of a domain's.

#![forbid(unsafe_code)]

mod assignment;
mod call_runs;
mod calls;
mod duty;
mod fault;
mod footprint;
mod host;
mod invocation;
mod lane;
mod log_tails;
mod message;
mod monitor;
mod names;
mod orchestrator;
mod order;
mod queue;
mod reach;
mod recruit;
mod resume;
mod stand_ins;
mod template;
mod timers;
mod transfer;

pub use assignment::{Assignment, Descriptors};
pub use message::{
    BeginReport, CallReport, Command, DomainSize, EventReport, FaultReport, FinishReport, FlatPayload,
    HandReport, ItemReport, MockReport, Report, ResumeRequest, RunRequest, SetUpFailure, TransferAnswer,
    TransferRequest, Violation,
};
pub use order::{CopyAnswer, CopyOrder, MOST_DESCRIPTORS, Order, OrderChannel};

use faastlane_asl::definition::StateMachine;
use faastlane_asl::source::Source;
use faastlane_domain::{DomainProcess, exit_now, sleep_for_good, spawn_trusted};
use faastlane_sandbox::Duty;
use std::sync::Arc;

/// How an instance ends when it was not told to.
const SET_UP_FAILED: i32 = 70;
const FAULTED: i32 = 71;

/// The life of an instance: brings its domains up, runs what it is told to, and never returns.
///
/// `assignment_at` is the path under which the supervisor left the assignment. To be called first thing in `main`, while the
/// process has one thread.
pub fn run(assignment_at: &str) -> ! {
    let status = match start(assignment_at) {
        Ok(never) => match never {},
        // Without a channel there is nobody to tell; the supervisor sees the status.
        Err(None) => SET_UP_FAILED,
        Err(Some((reporter, failure))) => {
            reporter.send(&Report::SetUpFailed(failure));
            reporter.ring();
            SET_UP_FAILED
        }
    };
    exit_now(status)
}

type StartError = Option<(message::Reporter, SetUpFailure)>;

fn start(assignment_at: &str) -> Result<std::convert::Infallible, StartError> {
    faastlane_domain::die_with_parent().map_err(|_| None)?;
    let assignment = Assignment::read(assignment_at).map_err(|_| None)?;
    let process = match DomainProcess::prepare(assignment.uses_keys()) {
        Ok(process) => process,
        Err(error) => {
            let failure = SetUpFailure::of_process("prepare the process", error.to_string());
            return Err(Some((assignment.reporter().map_err(|_| None)?, failure)));
        }
    };
    // Not before there is a trusted key for its memory to be on.
    let reporter = assignment.reporter().map_err(|_| None)?;
    let fail = |what: &str, error: &dyn std::fmt::Display| {
        Some((reporter.clone(), SetUpFailure::of_process(what, error.to_string())))
    };
    let assignment = Arc::new(assignment);
    let host = match host::Host::bring_up(&process, &assignment) {
        Ok(host) => host,
        Err(failure) => return Err(Some((reporter, failure))),
    };
    // The watcher, the thread that takes orders, and this one.
    let bound = duty::Bound::of(3);
    template::watch(&host, &assignment, &reporter, &bound)
        .map_err(|error| fail("start the watcher", &error))?;
    let machine = match assignment.host {
        0 => Some(machine(&assignment).map_err(|error| fail("read the definition", &error))?),
        _ => None,
    };
    let orders = assignment.orders().map_err(|error| fail("open the channel for orders", &error))?;
    let (keeper, kept, first) = (reporter.clone(), assignment.clone(), bound.clone());
    let template = template::Template { process, assignment, host, machine, reporter, orders };
    let live = move || {
        let ready = template.serve(&bound);
        if ready.assignment.has_orchestrator() {
            orchestrator::live(ready);
        }
        sleep_for_good()
    };
    spawn_trusted(live).map_err(|error| {
        let what = "start the thread that takes orders";
        Some((keeper.clone(), SetUpFailure::of_process(what, error.to_string())))
    })?;
    first.enter(&Duty::Sleep, &kept, &keeper);
    sleep_for_good()
}

fn machine(assignment: &Assignment) -> Result<Arc<StateMachine>, &'static str> {
    let source = Source::new(assignment.definition_name.as_str(), assignment.definition.as_str());
    let parsed = faastlane_asl::parse(&source).map_err(|_| "it is not valid any more")?;
    Ok(Arc::new(parsed.machine))
}
