//! The monitor: answers the memory calls of the domains of this process.

use crate::assignment::Assignment;
use crate::lane::Threads;
use faastlane_domain::{DomainIndex, Key, MemoryCall, Owners, perform_memory_call, spawn_trusted};
use faastlane_sandbox::{Listener, write_log};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Number of `clone` on x86-64.
const CLONE: i64 = 56;

/// One domain, as the monitor knows it.
pub(crate) struct Watched {
    pub(crate) domain: DomainIndex,
    pub(crate) key: Key,
    pub(crate) owners: Arc<Mutex<Owners>>,
    pub(crate) threads: Threads,
    pub(crate) assignment: Arc<Assignment>,
}

/// How many refusals are told of: a function could make them without end.
const MOST_TOLD: u32 = 20;

/// Serves `listener` on a trusted thread of its own, for as long as the process lives.
///
/// A thread for each domain, so that one that makes many memory calls does not hold the others up; what they share is the
/// book of owners.
pub(crate) fn serve(listener: Listener, watched: Watched) -> io::Result<()> {
    spawn_trusted(move || {
        let mut told = 0;
        loop {
            match listener.receive() {
                Ok(Some(call)) if call.number == CLONE => {
                    watched.threads.let_go(call.thread);
                    listener.let_through(&call);
                }
                Ok(Some(call)) => {
                    let mut owners = watched.owners.lock().unwrap_or_else(PoisonError::into_inner);
                    let wanted =
                        MemoryCall { number: call.number, arguments: call.arguments, thread: call.thread };
                    let result = perform_memory_call(&wanted, watched.domain, watched.key, &mut owners);
                    let refused = match result {
                        Err(EPERM | EACCES) if told < MOST_TOLD => Some(watched.why_not(&wanted, &owners)),
                        _ => None,
                    };
                    drop(owners);
                    if let Some(line) = refused {
                        told += 1;
                        watched.tell(&line);
                    }
                    listener.answer(&call, result);
                }
                Ok(None) => {}
                // Its last thread has ended: the domain is gone.
                Err(_) => return,
            }
        }
    })
}

const EPERM: i32 = 1;
const EACCES: i32 = 13;
const MMAP: i64 = 9;
const MPROTECT: i64 = 10;
/// `PROT_EXEC`, and `MAP_FIXED`.
const EXECUTE: u64 = 4;
const FIXED: u64 = 0x10;

impl Watched {
    /// What was refused, and why: the function itself gets a number.
    fn why_not(&self, call: &MemoryCall, owners: &Owners) -> String {
        let name = match call.number {
            MMAP => "mmap",
            MPROTECT => "mprotect",
            11 => "munmap",
            25 => "mremap",
            28 => "madvise",
            _ => "brk",
        };
        let [address, len, access, flags, ..] = call.arguments;
        let range = address as usize..(address as usize).saturating_add(len as usize);
        let at_an_address = call.number != MMAP || flags & FIXED != 0;
        let why = if at_an_address && !owners.owns(self.domain, &range) {
            let names = &self.assignment.plan.domains;
            match owners.owner_of(range.start) {
                Some(owner) if owner == self.domain => "it reaches beyond what is the function's own".into(),
                Some(owner) => format!("it belongs to function `{}`", names[owner].name),
                None => "it belongs to no function".into(),
            }
        } else if [MMAP, MPROTECT].contains(&call.number) && access & EXECUTE != 0 {
            "code comes from files, privately, is never writable, and holds nothing that changes rights"
                .into()
        } else {
            "no function may do that with memory".into()
        };
        format!("faastlane: refused {name} of {len} bytes at {address:#x}: {why}\n")
    }

    /// Where the function prints. What cannot be told is lost, as what a function prints is.
    fn tell(&self, line: &str) {
        drop(write_log(self.assignment.log(self.domain), line.as_bytes()));
    }
}
