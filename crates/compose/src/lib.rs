//! The composer: a workflow folder and a host in, a [`Plan`] out.
//!
//! [`load`] reads what the user wrote (definition, `faastlane.toml`, functions) and finds every mistake that needs no
//! host; [`plan()`] finds the interpreter, installs requirements once, and decides which domain each function has and
//! where the domain runs. Both say what is wrong as [`faastlane_asl::diagnostic::Diagnostic`]s.
//!
//! May know: `asl` and `payload`. It runs the Python interpreter and pip as child processes, but probes no hardware:
//! what the host offers comes in as [`Host`], and what the environment says as [`Surroundings`].
//!
//! Start reading at `workflow.rs`, then `planner.rs`; `plan.rs` is what comes out.
#![forbid(unsafe_code)]
#![allow(clippy::result_large_err, reason = "a diagnostic ends the work: moving its 168 bytes costs nothing")]

mod bundle;
mod code;
mod config;
mod config_check;
mod definition_search;
mod durations;
mod finding;
mod flow_walk;
mod function_search;
mod functions;
mod host;
mod isolation;
mod plan;
mod planner;
mod progress;
mod python_probe;
mod python_search;
mod requirement_list;
mod requirements;
mod sam;
mod settings;
mod store_config;
mod text_file;
mod toml_reader;
mod tree_digest;
mod workflow;

pub use bundle::bundle_digest;
pub use config::{Config, FunctionConfig, InstanceLimits, Preferences, TrustGroup};
pub use definition_search::{Definition, holds_workflow, load_definition, read_definition};
pub use durations::{Durations, Usual};
pub use flow_walk::first_call_of;
pub use functions::FunctionSource;
pub use host::{Host, Keys, LimitMeans};
pub use isolation::decide_isolation;
pub use plan::{
    DomainPlan, FunctionPlan, Grants, Isolation, Limits, Placement, Plan, PythonInstall, StatePlan,
    WORTH_A_LANE_NS,
};
pub use planner::plan;
pub use progress::Progress;
pub use python_search::{PassedOver, PythonCandidate, survey};
pub use settings::{
    DEFAULT_MAX_PAYLOAD_BYTES, Origin, Overrides, PythonRequest, RequestedIsolation, Setting, Settings,
    Surroundings, parse_size,
};
pub use store_config::{StoreConfig, StoreTarget};
pub use toml_reader::Located;
pub use workflow::{Workflow, load, load_with, mocks_for};
