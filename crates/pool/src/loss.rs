//! How an instance was lost, and whose fault that was.

use crate::instance::Part;
use faastlane_compose::Plan;
use faastlane_instance::{FaultReport, HandReport};
use faastlane_machine::{Event, ISOLATION_VIOLATION, Micros};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// Number of the signal with which processes are killed that use too much memory.
const SIGKILL: i32 = 9;

/// Why an instance cannot go on.
#[derive(Debug)]
pub(crate) enum Loss {
    /// A thread faulted, or ended its process.
    Fault(FaultReport),
    /// A process ended without a word: somebody killed it, or no handler could run. Which, and why where that is known.
    Ended(Part, ExitStatus, Option<String>),
    /// A call that nobody waits for keeps its domain from others. Nothing has failed that the machine does not know.
    Stuck,
}

impl Loss {
    pub(crate) fn is_violation(&self) -> bool {
        matches!(self, Self::Fault(fault) if fault.violation.is_some())
    }

    /// The error's name, and the cause for an attempt that ended in a state.
    pub(crate) fn error_and_cause(&self, state: Option<&str>) -> (&'static str, String) {
        let exited = "Runtime exited with error";
        match self {
            Self::Fault(fault) if fault.violation.is_some() => (ISOLATION_VIOLATION, fault.what.clone()),
            Self::Fault(fault) => {
                ("Runtime.ExitError", format!("{exited}: {}: {}", fault.ending, fault.what))
            }
            Self::Ended(_, status, why) => {
                let during = state.map(|state| format!(" while running state {state}")).unwrap_or_default();
                let why = why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
                ("Runtime.ExitError", format!("{exited}: {}{during}{why}", words(*status)))
            }
            Self::Stuck => ("Runtime.ExitError", "a call that was given up did not return".into()),
        }
    }

    /// What the machine is told: that the attempts have failed which may have done it. That is the one of the domain where that
    /// is known, else all of the process. Attempts of other processes are not concerned; they are made again.
    pub(crate) fn blame<'a>(
        &self,
        plan: &Plan,
        underway: impl Iterator<Item = &'a HandReport>,
        at: Micros,
    ) -> Vec<Event> {
        let part = |hand: &HandReport| Part { host: plan.domains[hand.domain].host, lane: hand.lane };
        let may_have_done_it = |hand: &HandReport| match self {
            Self::Fault(FaultReport { domain: Some(known), lane, .. }) => {
                (*known, *lane) == (hand.domain, hand.lane)
            }
            Self::Fault(fault) => part(hand) == Part { host: fault.host, lane: fault.lane },
            Self::Ended(ended, ..) => part(hand) == *ended,
            Self::Stuck => false,
        };
        let suspects = underway.filter(|hand| may_have_done_it(hand));
        suspects
            .map(|hand| {
                let (error, cause) = self.error_and_cause(Some(&hand.state));
                Event::InvocationFailed { invocation: hand.invocation, error: error.to_owned(), cause, at }
            })
            .collect()
    }
}

/// As AWS Lambda words it for a process that was killed, which is what becomes of one that uses too much memory.
fn words(status: ExitStatus) -> String {
    if status.signal() == Some(SIGKILL) { "signal: killed".into() } else { status.to_string() }
}
