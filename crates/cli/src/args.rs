//! The arguments of every command.

use crate::env_vars;
use crate::exit::Exit;
use clap::{Args, Parser, Subcommand};
use faastlane_compose::{Overrides, PythonRequest, RequestedIsolation, parse_size};
use std::path::{Path, PathBuf};

/// Runs workflows of Python functions, each function in a protection domain of its own
#[derive(Debug, Parser)]
#[command(name = "faastlane", version, max_term_width = 100, after_help = Exit::table())]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(InitArguments),
    Run(RunArguments),
    Plan(PlanArguments),
    Validate(ValidateArguments),
    Doctor(DoctorArguments),
    Explain(ExplainArguments),
}

/// Make a workflow that runs as it is
#[derive(Debug, Args)]
pub(crate) struct InitArguments {
    /// The folder to make
    pub(crate) name: PathBuf,
}

/// Run a workflow once: its output on stdout, what happened on stderr
#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) workflow: WorkflowArguments,
    /// A file with the input as JSON, or `-` for standard input; `{}` without
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// Print everything as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show where each state would run on this host, in which domain, and why
#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) workflow: WorkflowArguments,
    /// Print the plan as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Check a workflow without running it
#[derive(Debug, Args)]
pub(crate) struct ValidateArguments {
    /// A workflow folder or a definition file
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Print the findings as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show what this host offers, what is missing, and how to get it
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// The workflow folder whose virtual environment counts
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Print the findings as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Explain an error code
#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// A code such as FL0204
    pub(crate) code: String,
}

/// Which workflow, and the settings that win over its `faastlane.toml`.
#[derive(Debug, Args)]
pub(crate) struct WorkflowArguments {
    /// A workflow folder or a definition file
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// What keeps the functions apart: auto, mpk, process or none
    #[arg(long, env = env_vars::ISOLATION, value_name = "KIND")]
    isolation: Option<RequestedIsolation>,
    /// The Python to run functions with: a version, a command or a path
    #[arg(long, env = env_vars::PYTHON, value_parser = parse_python)]
    python: Option<PythonRequest>,
    /// The largest payload between states, such as 64MiB
    #[arg(long, env = env_vars::MAX_PAYLOAD, value_name = "SIZE", value_parser = parse_size)]
    max_payload: Option<u64>,
}

impl WorkflowArguments {
    pub(crate) fn overrides(&self) -> Overrides {
        Overrides {
            python: self.python.clone(),
            max_payload_bytes: self.max_payload,
            isolation: self.isolation,
        }
    }
}

fn parse_python(text: &str) -> Result<PythonRequest, String> {
    let working_directory = std::path::absolute(Path::new(".")).map_err(|problem| problem.to_string())?;
    PythonRequest::parse(text, &working_directory)
}
