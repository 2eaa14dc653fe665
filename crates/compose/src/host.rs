//! The host as the composer sees it. Probing takes system calls, so the facts come in from outside.

/// What the host offers to a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// CPUs that this process may run on.
    pub cpus: u32,
    pub memory_bytes: u64,
    /// `uname -r`
    pub kernel: String,
    /// As Rust names it: `x86_64`, `aarch64`.
    pub architecture: String,
    pub keys: Keys,
    /// Major and minor version of the C library; `None` where it is not glibc, and so has no link namespaces.
    pub glibc: Option<(u32, u32)>,
    /// The version of Landlock that the kernel has, which keeps functions away from `/proc`.
    pub landlock: Option<u32>,
    /// With what an instance can be held to its limits.
    pub memory_limits: LimitMeans,
    pub cpu_limits: LimitMeans,
}

/// What can be done about a limit of an instance. All are parts of a sentence, without a full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LimitMeans {
    /// Of the instance as a whole: `a control group (version 2)`.
    Whole(String),
    /// Only of each process alone.
    EachProcess { means: String, reason: String },
    /// Nothing keeps it.
    Unavailable { reason: String },
}

/// The protection keys that a process can get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keys {
    /// How many `pkey_alloc` gives a fresh process: 15 on x86-64, where key 0 is everybody's.
    Available(u32),
    /// Both are sentences without a full stop.
    Unavailable { reason: String, remedy: String },
}
