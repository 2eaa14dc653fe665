//! Benchmarks that compare: what is ours and its peers are measured in one run, in turns, so that a slow moment of the
//! machine hits all of them.
//!
//! May know `pool` and below: it starts instances as `faastlane run` does, and looks at nothing inside them. It prints
//! nothing; what comes out is a report. Nothing here fails because a number is bad.
//!
//! Start reading at `contest.rs`, then at the benchmark: each has a file of its name.
#![forbid(unsafe_code)]

mod bundle;
mod chain;
mod churn;
mod cold;
mod contest;
mod error;
mod event;
mod fanout;
mod hop;
mod machine;
mod ours;
mod outside;
mod peers;
mod processes;
mod report;
mod start_up;
mod statistics;
mod throughput;

pub use churn::{AttemptsKilled, Churn, ChurnOptions, ChurnReport, LeftOver};
pub use cold::{Cold, ColdOptions, ColdReport, Idle, IdleMemory, MissingPeer};
pub use error::BenchError;
pub use event::{EventKind, EventSpec};
pub use fanout::{BranchWork, Fanout, FanoutContest, FanoutContestant, FanoutOptions, FanoutReport};
pub use hop::{Hop, HopOptions};
pub use machine::Machine;
pub use outside::Outside;
pub use processes::CpuTime;
pub use report::{
    Contestant, DomainMemory, EventReport, Heading, HopReport, StartUp, Target, Unavailable, Versions,
};
pub use statistics::Summary;
pub use throughput::{Throughput, ThroughputContest, ThroughputOptions, ThroughputReport};
