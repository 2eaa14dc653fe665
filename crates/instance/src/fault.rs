//! A fault, in words: who did it, what it touched, and whose that was.

use crate::assignment::Assignment;
use crate::message::{FaultReport, Violation};
use faastlane_domain::{Fault, FaultKind, Owners};
use std::sync::{Mutex, PoisonError};

pub(crate) fn describe(fault: &Fault, owners: &Mutex<Owners>, assignment: &Assignment) -> FaultReport {
    let owners = owners.lock().unwrap_or_else(PoisonError::into_inner);
    let name = |domain: usize| assignment.plan.domains[domain].name.as_str();
    let mut domain = owners.owner_of(fault.stack_pointer);
    // Without a monitor nobody knows the stacks of the threads that functions start.
    if let ([only], false) = (assignment.local_domains().as_slice(), assignment.uses_keys()) {
        domain = Some(*only);
    }
    let trusted = domain.is_none() && assignment.uses_keys();
    let who = match domain {
        Some(domain) => format!("function `{}`", name(domain)),
        None if trusted => "a trusted thread".into(),
        None => "a thread that a function started".into(),
    };
    let verb = |write: bool| if write { "wrote to" } else { "read" };
    let ending = match fault.kind {
        FaultKind::Exit { status } => format!("exit status {status}"),
        _ => signal_name(fault.signal),
    };
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
        FaultKind::Exit { .. } => (None, format!("{who} ended its process")),
        FaultKind::Rights => (
            Some(Violation::Rights),
            format!("{who} tried to change its rights to protection keys (pkey_set)"),
        ),
        FaultKind::SystemCall { number } => (
            Some(Violation::SystemCall { number }),
            format!("{who} made a system call (number {number}) that its policy does not allow"),
        ),
        FaultKind::BadAddress { address, write } => {
            (None, format!("{who} crashed with {ending}: it {} address {address:#x}", verb(write)))
        }
        FaultKind::Other => {
            (None, format!("{who} crashed with {ending} at instruction {:#x}", fault.instruction_pointer))
        }
    };
    // A trusted thread that faults is our mistake, not a function's attack.
    let host = assignment.host;
    FaultReport {
        lane: assignment.lane,
        host,
        domain,
        trusted,
        violation: violation.filter(|_| domain.is_some()),
        ending,
        what,
    }
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
