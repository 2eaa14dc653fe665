//! Benchmarks that compare: what is ours and its peers are measured in one run, in turns, so that a slow moment of the
//! machine hits all of them.
//!
//! May know `pool` and below: it starts instances as `faastlane run` does, and looks at nothing inside them. It prints
//! nothing; what comes out is a report. Nothing here fails because a number is bad.
//!
//! Start reading at `contest.rs`, then at the benchmark: each has a file of its name.
#![forbid(unsafe_code)]

mod apps;
mod bundle;
mod chain;
mod churn;
mod cold;
mod contest;
mod error;
mod event;
mod fanout;
mod hop;
mod line;
mod machine;
mod memory;
mod ours;
mod outside;
mod peers;
mod plot;
mod processes;
mod promise;
mod report;
mod sheet;
mod start_up;
mod statistics;
mod throughput;

pub use apps::{APPLICATIONS, AppContest, AppContestant, Apps, AppsOptions, AppsReport, Cost};
pub use chain::{Chain, ChainContest, ChainOptions, ChainReport};
pub use churn::{AttemptsKilled, Churn, ChurnOptions, ChurnReport, LeftOver};
pub use cold::{Cold, ColdContest, ColdOptions, ColdReport, Idle, IdleMemory};
pub use error::BenchError;
pub use event::{EventKind, EventSpec};
pub use fanout::{BranchWork, Fanout, FanoutContest, FanoutContestant, FanoutOptions, FanoutReport};
pub use hop::{Hop, HopOptions};
pub use line::python;
pub use machine::Machine;
pub use memory::{Memory, MemoryContest, MemoryContestant, MemoryOptions, MemoryReport};
pub use outside::Outside;
pub use peers::{Environment, WAYS, Way, install};
pub use plot::{Plot, png, quantity};
pub use processes::CpuTime;
pub use promise::{Kept, Promise, Verdict, promises};
pub use report::{
    Contestant, DomainMemory, EventReport, Heading, HopReport, MissingPeer, StartUp, Target, Unavailable,
    Versions,
};
pub use sheet::{Sheet, SheetContest, SheetEntry};
pub use statistics::{Interval, Summary};
pub use throughput::{Throughput, ThroughputContest, ThroughputOptions, ThroughputReport};
