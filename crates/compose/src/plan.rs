//! The plan: where each state of a workflow runs on this host, and why.
//!
//! It is plain data. The supervisor sends it to the instance as JSON, `faastlane plan` prints it, and nothing in it
//! refers to the composer any more.

use crate::durations::Usual;
use faastlane_mock::Mocks;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where everything of one workflow runs on one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The workflow's name.
    pub workflow: String,
    /// SHA-256, in hex, of what the workflow is made of: definition, functions, requirements, configuration. Equal
    /// bundles behave alike, so an instance of one can serve the other.
    pub bundle: String,
    /// What will really be in force, never just what was asked for.
    pub isolation: Isolation,
    pub isolation_reason: String,
    /// At least one; domains refer to them by position.
    pub pythons: Vec<PythonInstall>,
    /// In order of first use in the definition.
    pub domains: Vec<DomainPlan>,
    /// In order of first use in the definition.
    pub functions: Vec<FunctionPlan>,
    /// In the order of the definition; a Parallel or Map comes before the states in it.
    pub states: Vec<StatePlan>,
    pub limits: Limits,
    /// Whether functions may send each other bytes and numpy's arrays.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub binary: bool,
    /// How many processes of a kind an instance may have, its own among them, when calls come at the same time. 1: never more.
    pub lanes: u32,
    /// What answers instead of functions, which are then not among `functions`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mocks: Option<Mocks>,
    /// What the reader of the plan should know besides, one sentence each.
    pub notes: Vec<String>,
}

/// How long calls must wait in line, in nanoseconds, to be worth another lane: twice what it takes to make one.
pub const WORTH_A_LANE_NS: u64 = 20_000_000;

impl Plan {
    /// How many processes hold domains, the instance's own included: hosts are numbered from 0 without a gap.
    pub fn hosts(&self) -> u32 {
        self.domains.iter().map(|domain| domain.host + 1).max().unwrap_or(1)
    }

    /// What the process `host` gets to know of it: the environments of functions that live elsewhere, which may hold secrets, are
    /// not for the native code there.
    pub fn seen_by(&self, host: u32) -> Self {
        let mut plan = self.clone();
        for function in &mut plan.functions {
            if self.domains[function.domain].host != host {
                function.env.clear();
            }
        }
        plan
    }

    /// The function of this name, with its position.
    pub fn function(&self, name: &str) -> Option<(usize, &FunctionPlan)> {
        self.functions.iter().enumerate().find(|(_, function)| function.name == name)
    }
}

/// What keeps the domains of a workflow apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// Protection keys: domains share a process, each with a key of its own.
    Mpk,
    /// Every domain has a process of its own.
    Process,
    /// Domains share a process, and nothing but good manners keeps them apart.
    None,
}

impl Isolation {
    pub fn name(self) -> &'static str {
        match self {
            Self::Mpk => "mpk",
            Self::Process => "process",
            Self::None => "none",
        }
    }
}

/// What a function runs in, seen from the instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Placement {
    /// A thread of the instance's own process.
    Thread,
    /// A further process on the same host.
    Process,
    /// Another container.
    Container,
}

impl Placement {
    pub fn name(self) -> &'static str {
        match self {
            Self::Thread => "thread",
            Self::Process => "process",
            Self::Container => "container",
        }
    }
}

/// One protection domain: of one function, or of a trust group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainPlan {
    /// The function's name, or the trust group's.
    pub name: String,
    pub placement: Placement,
    /// The process that holds it: 0 is the instance's own, 1 and up are further ones. Under `mpk` a process can hold
    /// several domains, each with a key; under `process` it holds one.
    pub host: u32,
    /// Positions in [`Plan::functions`]; at least one.
    pub functions: Vec<usize>,
    /// Position in [`Plan::pythons`].
    pub python: usize,
    pub reason: String,
}

/// How to load and call one function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionPlan {
    pub name: String,
    /// The module's name, as `importlib` takes it once `sys_path` is in force. May not be an identifier (`resize-image`).
    pub module: String,
    /// The module's file, absolute.
    pub file: PathBuf,
    /// The callable in the module; `None` leaves the choice to the loader: `handler`, `lambda_handler` or `main`.
    pub handler: Option<String>,
    /// Absolute; the function's working directory, so that it opens its data files by relative path.
    pub directory: PathBuf,
    /// Whether `directory` is this function's package; if not, it holds files of other functions too.
    pub own_folder: bool,
    /// The whole of `sys.path`: the function's directory, its layers, its requirements, then the
    /// interpreter's own.
    pub sys_path: Vec<PathBuf>,
    /// Set for this function besides what the instance hands on.
    pub env: BTreeMap<String, String>,
    /// `None`: only the state's and the machine's limits apply.
    pub timeout_seconds: Option<u32>,
    /// What `context.memory_limit_in_mb` says.
    pub memory_mb: u32,
    #[serde(default, skip_serializing_if = "Grants::is_empty")]
    pub grants: Grants,
    /// Position in [`Plan::domains`].
    pub domain: usize,
    /// How long its calls take, where some have been measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual: Option<Usual>,
}

/// What `faastlane.toml` allows a function besides its own code, its libraries and its scratch directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// Sockets of the internet.
    pub network: bool,
    /// Child processes and other programs, under the same policy.
    pub subprocess: bool,
    /// Files and folders to be read, absolute.
    pub files: Vec<PathBuf>,
    /// Files and folders to be read and written, absolute.
    pub writable_files: Vec<PathBuf>,
}

impl Grants {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Where one state runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatePlan {
    /// Unique in the whole machine.
    pub name: String,
    /// `Task`, `Choice`, … as the definition spells it.
    pub state_type: String,
    /// The Parallel and Map states around it, outermost first.
    pub within: Vec<String>,
    /// The function it calls; `None` where it calls none, or names it only when it runs.
    pub function: Option<String>,
    /// Position in [`Plan::domains`]; present with `function`, unless something else answers for it.
    pub domain: Option<usize>,
    /// `None` where the orchestrator evaluates the state itself, and where the function is named only when it runs.
    pub placement: Option<Placement>,
    pub reason: String,
    /// The Tasks before it in its own domain whose results it may get themselves in place of a copy, without leaving the interpreter.
    pub by_reference_from: Vec<String>,
}

/// What an execution may use at most.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of a payload's flat form; beyond it comes `States.DataLimitExceeded`.
    pub max_payload_bytes: u64,
    /// Of all processes of an instance together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_memory_mb: Option<u32>,
    /// CPU time in a time, of all processes of an instance together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_cpus: Option<f64>,
}

/// A CPython that can be loaded into a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PythonInstall {
    /// `sys.executable`: the virtual environment's own where there is one.
    pub executable: PathBuf,
    pub version: (u8, u8, u8),
    /// The shared library, a file that exists.
    pub libpython: PathBuf,
    /// `sys.prefix`; differs from `base_prefix` in a virtual environment.
    pub prefix: PathBuf,
    pub base_prefix: PathBuf,
    /// The interpreter's own `sys.path`, without the working directory.
    pub sys_path: Vec<PathBuf>,
    /// Built without the global interpreter lock (`3.13t`).
    pub free_threaded: bool,
}

impl PythonInstall {
    /// `3.12.1`
    pub fn version_text(&self) -> String {
        let (major, minor, micro) = self.version;
        format!("{major}.{minor}.{micro}")
    }
}
