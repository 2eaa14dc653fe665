//! A fault, in words: who did it, what it touched, and whose that was.

use crate::assignment::Assignment;
use crate::message::{FaultReport, Violation};
use faastlane_domain::{Fault, FaultKind, Owners};
use std::sync::{Mutex, PoisonError};

pub(crate) fn describe(fault: &Fault, owners: &Mutex<Owners>, assignment: &Assignment) -> FaultReport {
    let owners = owners.lock().unwrap_or_else(PoisonError::into_inner);
    let name = |domain: usize| assignment.plan.domains[domain].name.as_str();
    let domain = owners.owner_of(fault.stack_pointer);
    let who =
        domain.map_or_else(|| "a trusted thread".into(), |domain| format!("function `{}`", name(domain)));
    let verb = |write: bool| if write { "wrote to" } else { "read" };
    let signal = signal_name(fault.signal);
    let (violation, what) = match fault.kind {
        FaultKind::ForeignKey { address, write, .. } => {
            let owner = owners.owner_of(address);
            let whose = owner.map_or_else(
                || "belongs to the trusted threads".into(),
                |owner| format!("belongs to function `{}`", name(owner)),
            );
            let violation = Violation::Memory { address: address as u64, write, owner };
            (Some(violation), format!("{who} {} address {address:#x}, which {whose}", verb(write)))
        }
        FaultKind::SystemCall { number } => (
            Some(Violation::SystemCall { number }),
            format!("{who} made a system call (number {number}) that its policy does not allow"),
        ),
        FaultKind::BadAddress { address, write } => {
            (None, format!("{who} crashed with {signal}: it {} address {address:#x}", verb(write)))
        }
        FaultKind::Other => {
            (None, format!("{who} crashed with {signal} at instruction {:#x}", fault.instruction_pointer))
        }
    };
    // A trusted thread that faults is our mistake, not a function's attack.
    FaultReport { domain, violation: violation.filter(|_| domain.is_some()), signal, what }
}

fn signal_name(signal: i32) -> String {
    match signal {
        4 => "SIGILL".into(),
        6 => "SIGABRT".into(),
        7 => "SIGBUS".into(),
        8 => "SIGFPE".into(),
        11 => "SIGSEGV".into(),
        31 => "SIGSYS".into(),
        other => format!("signal {other}"),
    }
}
