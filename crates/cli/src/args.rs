//! The arguments of every command.

use crate::env_vars;
use crate::exit::Exit;
use clap::{Args, Parser, Subcommand};
use faastlane_bench::EventSpec;
use faastlane_compose::{Overrides, PythonRequest, RequestedIsolation, parse_size};
use std::num::NonZeroUsize;
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
    Bench(BenchArguments),
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
    /// A workflow folder, a definition file or an AWS SAM template; `template.yaml#ID` is one of its state machines
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Print the findings as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Measure this host, beside other ways to do the same
#[derive(Debug, Args)]
pub(crate) struct BenchArguments {
    #[command(subcommand)]
    pub(crate) benchmark: Benchmark,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Benchmark {
    Hop(HopArguments),
}

/// How long it takes from one function to the next
#[derive(Debug, Args)]
pub(crate) struct HopArguments {
    /// What the functions hand on: one string, `text:SIZE`, or small objects, `records:SIZE`; several with commas
    #[arg(long, value_name = "KIND:SIZE", value_delimiter = ',', default_value = "records:200,text:1MiB")]
    pub(crate) payload: Vec<EventSpec>,
    /// How often each way has its turn
    #[arg(long, value_name = "COUNT", default_value = "5")]
    pub(crate) rounds: NonZeroUsize,
    /// Hops in a round; fewer where payloads are large
    #[arg(long, value_name = "COUNT", default_value = "1000")]
    pub(crate) hops: NonZeroUsize,
    /// Fresh starts
    #[arg(long, value_name = "COUNT", default_value = "5")]
    pub(crate) starts: NonZeroUsize,
    /// The Python for all ways: a version, a command or a path
    #[arg(long, env = env_vars::PYTHON, value_parser = parse_python)]
    pub(crate) python: Option<PythonRequest>,
    /// Print the numbers as one JSON object
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
    /// A workflow folder, a definition file or an AWS SAM template; `template.yaml#ID` is one of its state machines
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
