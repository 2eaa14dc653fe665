//! Instances, seen from outside: started, fed, supervised, and what they did collected into a record.
//!
//! The supervisor outlives whatever happens in an instance: it owns the memory that reports are written to, so it knows what
//! was under way when an instance dies, and everything that came before. Start reading at [`Pool`], then [`Worker`], then
//! `execution` (how one is followed, and goes on in another instance), then `instance`.
//!
//! Architecture Invariant: nothing a function does can end or block the supervisor.

#![forbid(unsafe_code)]

mod control_group;
mod crowd;
mod ending;
mod execution;
mod instance;
mod journal;
mod launcher;
mod limits;
mod logs;
mod loss;
mod memory;
mod metering;
mod pool;
mod pool_state;
mod process;
mod record;
mod scratch;
mod template;
mod testimony;
mod timeline;
mod transfers;
mod worker;

pub use faastlane_domain::{LOADER_TUNABLES, monotonic_nanos};
pub use faastlane_instance::EventReport;
pub use faastlane_items::Stores;
pub use instance::{InstanceError, RunInput, StartError, StartedUp};
pub use launcher::Launcher;
pub use limits::{cpu_limit_means, memory_limit_means};
pub use logs::LogLine;
pub use memory::{MemoryMeasure, MemoryUse};
pub use metering::{FunctionUse, Metering, Rounding};
pub use pool::{Completion, Follower, Pool, PoolCounts, PoolLimits, Submission, Ticket, TooManyRequests};
pub use record::{CallRecord, EventRecord, Record, StateRecord, Status};
pub use transfers::stores;
pub use worker::Worker;

/// The argument by which the executable knows that it is to be an instance; the next one says where its assignment is.
pub const INSTANCE_ARGUMENT: &str = "__instance";
