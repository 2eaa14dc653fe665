//! The composer: a workflow folder and a host in, a [`Plan`] out.
//!
//! `load` reads what the user wrote (definition, `faastlane.toml`, functions) and finds every mistake that needs no
//! host; `plan` finds the interpreter, installs requirements once, and decides which domain each function has and
//! where the domain runs. Both say what is wrong as `Diagnostic`s.
//!
//! May know: `asl` and `payload`. It runs the Python interpreter and pip as child processes, but probes no hardware:
//! what the host offers comes in as [`Host`].
//!
//! Start reading at `workflow.rs`, then `planner.rs`; `plan.rs` is what comes out.
#![forbid(unsafe_code)]

mod host;
mod plan;

pub use host::{Host, Keys};
pub use plan::{DomainPlan, FunctionPlan, Isolation, Limits, Placement, Plan, PythonInstall, StatePlan};
