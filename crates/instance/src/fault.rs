//! A fault, in words: who did it, what it touched, and whose that was.

use crate::assignment::Assignment;
use crate::message::{FaultReport, Violation};
use faastlane_domain::{DomainIndex, Fault, FaultKind, Owners, is_same_domain};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// A domain of this process, by what the kernel tells of its threads.
pub(crate) struct Suspect {
    pub(crate) domain: DomainIndex,
    /// Its first thread.
    pub(crate) thread: i32,
    pub(crate) signal_stack: Range<usize>,
}

/// Whose thread has faulted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Culprit {
    Domain(DomainIndex),
    Trusted,
    Unknown,
}

impl Culprit {
    /// As the kernel says, not the registers of the thread, nor what a domain could write.
    fn of(fault: &Fault, suspects: &[Suspect], assignment: &Assignment) -> Self {
        match suspects {
            _ if assignment.uses_keys() => Self::by_kernel(fault, suspects),
            [only] => Self::Domain(only.domain),
            // Where nothing keeps memory apart, whoever faulted may have been made to.
            _ => {
                let first = suspects.iter().find(|suspect| suspect.thread == fault.thread);
                first.map_or(Self::Unknown, |suspect| Self::Domain(suspect.domain))
            }
        }
    }

    fn by_kernel(fault: &Fault, suspects: &[Suspect]) -> Self {
        if !fault.is_asleep() {
            return Self::Unknown;
        }
        // Of no domain are the trusted threads, this one among them.
        if is_same_domain(fault.thread, std::process::id() as i32).unwrap_or(false) {
            return Self::Trusted;
        }
        let mut gone = Vec::new();
        for suspect in suspects {
            match is_same_domain(fault.thread, suspect.thread) {
                Ok(true) => return Self::Domain(suspect.domain),
                Ok(false) => {}
                Err(_) => gone.push(suspect.domain),
            }
        }
        // A domain can end its first thread, and then no other domain's threads are compared with it.
        if let [only] = gone[..] { Self::Domain(only) } else { Self::Unknown }
    }
}

pub(crate) fn describe(
    fault: &Fault,
    owners: &Mutex<Owners>,
    suspects: &[Suspect],
    assignment: &Assignment,
) -> FaultReport {
    let owners = owners.lock().unwrap_or_else(PoisonError::into_inner);
    let name = |domain: usize| assignment.plan.domains[domain].name.as_str();
    let culprit = Culprit::of(fault, suspects, assignment);
    let domain = if let Culprit::Domain(domain) = culprit { Some(domain) } else { None };
    let trusted = culprit == Culprit::Trusted;
    // What is told of a domain's thread is in that domain's memory: else it is others' that would be told.
    let own = |at: &Range<usize>| {
        let on_signal_stack = |stack: &Range<usize>| stack.start <= at.start && at.end <= stack.end;
        let mine = |suspect: &&Suspect| Some(suspect.domain) == domain;
        let is_mine =
            |suspect: &Suspect| owners.owns(suspect.domain, at) || on_signal_stack(&suspect.signal_stack);
        suspects.iter().find(mine).is_some_and(is_mine)
    };
    let forged = assignment.uses_keys() && !trusted && !fault.told_at.iter().all(own);
    let who = match domain {
        Some(domain) => format!("function `{}`", name(domain)),
        None if trusted => "a trusted thread".into(),
        None => "a function".into(),
    };
    let verb = |write: bool| if write { "wrote to" } else { "read" };
    let ending = match fault.kind {
        FaultKind::Exit { status } => format!("exit status {status}"),
        _ => signal_name(fault.signal),
    };
    let (violation, what) = match fault.kind {
        _ if forged => (Some(Violation::Forged), format!("{who} made up what it is to be blamed for")),
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
        violation: violation.filter(|_| !trusted),
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
