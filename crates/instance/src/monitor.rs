//! The monitor: answers the memory calls of the domains of this process.

use crate::lane::Threads;
use faastlane_domain::{DomainIndex, Key, MemoryCall, Owners, perform_memory_call, spawn_trusted};
use faastlane_sandbox::Listener;
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
}

/// Serves `listener` on a trusted thread of its own, for as long as the process lives.
///
/// A thread for each domain, so that one that makes many memory calls does not hold the others up; what they share is the
/// book of owners.
pub(crate) fn serve(listener: Listener, watched: Watched) -> io::Result<()> {
    spawn_trusted(move || {
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
                    drop(owners);
                    listener.answer(&call, result);
                }
                Ok(None) => {}
                // Its last thread has ended: the domain is gone.
                Err(_) => return,
            }
        }
    })
}
