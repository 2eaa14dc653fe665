//! Protection domains: what keeps the functions of one process apart.
//!
//! An island of `unsafe`: keys, link namespaces, protected memory, mailboxes, and the report of a fault. It knows nothing of
//! Python, workflows or system-call policy; those come in through [`Guest`].
//!
//! Start reading at [`DomainProcess`] (what a process must do first), then [`Launch`] (how a domain comes up), then
//! [`Mailbox`] (how payloads enter and leave it).
//!
//! Architecture Invariant: a domain thread touches key 0 and its own key. Code of this crate that runs on one (all of
//! [`Guest`] but `confine`, and the domain's side of the mailbox) never allocates from the executable's heap.

mod affinity;
mod call_run;
mod descriptor;
mod elf_functions;
mod executable;
mod fault;
mod gate;
mod heap;
mod keys;
mod link_map;
mod mailbox;
mod mapping;
mod maps;
mod memory;
mod namespace;
mod owners;
mod pkru;
mod process;
mod region;
mod rights_repair;
mod rights_scan;
mod ring;
mod second_life;
mod shelf;
mod snapshot;
mod sys;
mod test_switch;
mod thread;
mod thread_lists;

pub use affinity::Cpus;
pub use call_run::{Ahead, BEHIND_ALL, MOST_AHEAD};
pub use fault::{Fault, FaultKind, is_same_domain, sleep_for_good, watch as watch_for_fault};
pub use gate::{ConfineError, Gate, Progress};
pub use heap::TrustedHeap;
pub use keys::{Key, Keys, KeysUnavailable, probe as probe_keys};
pub use mailbox::{
    Answer, Call, CallHeader, Doorbell, Mailbox, Outcome, Outgoing, Received, Reply, Returned, SMALL,
    Written, shared_len,
};
pub use memory::{MemoryCall, perform as perform_memory_call};
pub use namespace::{Namespace, NamespaceError};
pub use owners::{DomainIndex, Owners};
pub use pkru::StartUpPage;
pub use process::{
    Copied, DomainProcess, LOADER_TUNABLES, PrepareError, ProcessCopy, die_with_parent, exit_now,
};
pub use region::{Region, RegionPool};
pub use ring::{RING_LEN, RingDamaged, RingReader, RingWriter, shared_file};
pub use shelf::{SHELF_LEN, Shelf, ShelfPlace, ShelfReader, Shelved};
pub use snapshot::Woken;
pub use sys::monotonic_nanos;
pub use thread::{Confine, Guest, Launch, Started, spawn_trusted};
