//! The arguments of every command.

use crate::bench::all::AllArguments;
use crate::bench::apps::AppsArguments;
use crate::bench::chain::ChainArguments;
use crate::bench::churn::ChurnArguments;
use crate::bench::cold::ColdArguments;
use crate::bench::fanout::FanoutArguments;
use crate::bench::memory::MemoryArguments;
use crate::bench::peers::PeersArguments;
use crate::bench::throughput::ThroughputArguments;
use crate::env_vars;
use crate::exit::Exit;
use clap::{ArgGroup, Args, Parser, Subcommand};
use faastlane_asl::definition::ExecutionType;
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
    Test(TestArguments),
    TestState(Box<TestStateArguments>),
    Plan(PlanArguments),
    Validate(ValidateArguments),
    Graph(GraphArguments),
    /// Print a JSON Schema of the states language, for editors
    Schema,
    Bench(BenchArguments),
    Doctor(DoctorArguments),
    Explain(ExplainArguments),
    Eval(EvalArguments),
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
    /// A file with stand-ins that answer instead of functions: AWS's mock configuration (with a test case behind `#`), or
    /// a list of functions and what each does
    #[arg(long, value_name = "FILE[#CASE]")]
    pub(crate) mock: Option<String>,
    /// Shorten Wait states, delays before retries and the sleep of stand-ins: 0.01 makes a second 10 ms
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = parse_time_scale)]
    pub(crate) time_scale: f64,
    /// Print everything as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Print the history as Step Functions writes it: a table, or with --json a JSON object a line
    #[arg(long, conflicts_with = "repeat")]
    pub(crate) history: bool,
    /// Run it so often, and print how long executions took and what they would be billed, in place of the output
    #[arg(long, value_name = "COUNT")]
    pub(crate) repeat: Option<NonZeroUsize>,
    /// With --repeat: how many executions are under way at the same time, each in an instance of its own
    #[arg(long, value_name = "COUNT", default_value = "1", requires = "repeat")]
    pub(crate) concurrency: NonZeroUsize,
    /// With --repeat: take up changes of the workflow while executions of it run
    #[arg(long, requires = "repeat")]
    pub(crate) watch: bool,
}

/// Run the test cases of a workflow, and compare what comes out with what is expected
#[derive(Debug, Args)]
pub(crate) struct TestArguments {
    /// A folder with test cases, or a workflow folder with a `tests` folder in it
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Only cases whose name holds this text; may be given several times
    #[arg(short = 'k', long, value_name = "TEXT")]
    pub(crate) filter: Vec<String>,
    /// How many cases run at the same time; as many as there are CPUs without
    #[arg(short, long, value_name = "COUNT")]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Write what came out into the cases as what is expected
    #[arg(long)]
    pub(crate) update: bool,
    #[command(flatten)]
    pub(crate) settings: SettingArguments,
    /// Print everything as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Run one state alone, and show what its data goes through: AWS's TestState
#[derive(Debug, Args)]
pub(crate) struct TestStateArguments {
    /// A workflow folder, a definition, or a file with a single state; with --request where the functions are
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// The state, at whatever depth; needless where the file holds a single one
    #[arg(long, value_name = "NAME")]
    pub(crate) state: Option<String>,
    /// A file with the input as JSON, or `-` for standard input; `{}` without
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// A file with the variables as one JSON object; none without
    #[arg(long, value_name = "FILE")]
    pub(crate) variables: Option<PathBuf>,
    /// A file with the context object as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) context: Option<PathBuf>,
    /// What the state's work results in: JSON, or a file with it
    #[arg(long, value_name = "JSON|FILE", conflicts_with = "mock_error")]
    pub(crate) mock_result: Option<String>,
    /// What the state's work fails with
    #[arg(long, value_name = "NAME[:CAUSE]")]
    pub(crate) mock_error: Option<String>,
    /// A file with stand-ins that answer instead of functions, as for `faastlane run`
    #[arg(long, value_name = "FILE[#CASE]")]
    pub(crate) mock: Option<String>,
    /// How often the error was retried before
    #[arg(long, value_name = "COUNT", default_value = "0")]
    pub(crate) retry_count: u32,
    /// How many iterations of a Map failed
    #[arg(long, value_name = "COUNT")]
    pub(crate) map_failures: Option<u32>,
    /// The state inside of a Map or Parallel that the mocked error comes from
    #[arg(long, value_name = "STATE")]
    pub(crate) error_caused_by: Option<String>,
    /// A file with what the ItemReader of a Map reads
    #[arg(long, value_name = "FILE")]
    pub(crate) reader_data: Option<PathBuf>,
    /// How much to show: only the outcome, or also what the data goes through
    #[arg(long, value_name = "LEVEL", ignore_case = true)]
    pub(crate) inspection_level: Option<InspectionLevel>,
    /// A file with a request of AWS's TestState as JSON, in place of the options above
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "state", "input", "variables", "context", "mock_result", "mock_error", "retry_count", "map_failures",
        "error_caused_by", "reader_data", "inspection_level",
    ])]
    pub(crate) request: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: SettingArguments,
    /// Print the answer as TestState gives it
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[value(rename_all = "UPPER")]
pub(crate) enum InspectionLevel {
    Info,
    Debug,
    Trace,
}

/// Show where each state would run on this host, in which domain, and why
#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) workflow: WorkflowArguments,
    /// Run the workflow as well, and print what was to be expected of its functions beside what they did
    #[arg(long)]
    pub(crate) analyze: bool,
    /// With --analyze: a file with the input as JSON, or `-` for standard input; `{}` without
    #[arg(long, value_name = "FILE", requires = "analyze")]
    pub(crate) input: Option<PathBuf>,
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
    /// The type of the state machine: STANDARD, or EXPRESS, which has no tasks that wait for jobs, tokens or activities
    #[arg(long = "type", value_name = "TYPE", value_parser = parse_execution_type)]
    pub(crate) execution_type: Option<ExecutionType>,
    /// Print the findings as one JSON object, as AWS's ValidateStateMachineDefinition does
    #[arg(long)]
    pub(crate) json: bool,
}

/// Draw the state machine of a workflow, or what an execution of it did
#[derive(Debug, Args)]
pub(crate) struct GraphArguments {
    /// A workflow folder or a definition file
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// What to write; without, what the ending of the output says, or svg
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<GraphFormat>,
    /// The file to write to; without, standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Colour the states by what happened to them: a file with what `faastlane run --json` printed, or `-`
    #[arg(long, value_name = "FILE")]
    pub(crate) execution: Option<PathBuf>,
    /// Draw every branch and state, also where many are alike
    #[arg(long)]
    pub(crate) expand: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum GraphFormat {
    Svg,
    Mermaid,
    Dot,
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
    Cold(ColdArguments),
    Churn(ChurnArguments),
    Fanout(FanoutArguments),
    Throughput(ThroughputArguments),
    Chain(ChainArguments),
    Apps(AppsArguments),
    Memory(MemoryArguments),
    Peers(PeersArguments),
    All(AllArguments),
}

/// How long it takes from one function to the next
#[derive(Debug, Args)]
pub(crate) struct HopArguments {
    /// What the functions hand on: one string, `text:SIZE`, small objects, `records:SIZE`, bytes, `bytes:SIZE`, or an array of
    /// numpy's, `array:SIZE`; several with commas
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

/// Try an expression out: what it gives as JSON on stdout
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("expression").required(true))]
pub(crate) struct EvalArguments {
    /// A path such as '$.items[0]', or a call such as 'States.UUID()'
    #[arg(long, value_name = "PATH", group = "expression")]
    pub(crate) jsonpath: Option<String>,
    /// An expression such as '$states.input.total', with `{% … %}` or without
    #[arg(long, value_name = "EXPRESSION", group = "expression")]
    pub(crate) jsonata: Option<String>,
    /// A file with the input as JSON (`$`, `$states.input`), or `-` for standard input; `{}` without
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// A file with the context object as JSON (`$$`, `$states.context`); `{}` without
    #[arg(long, value_name = "FILE")]
    pub(crate) context: Option<PathBuf>,
    /// A file with the variables as one JSON object (`$name`); none without
    #[arg(long, value_name = "FILE")]
    pub(crate) variables: Option<PathBuf>,
    /// Print everything as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which workflow, and the settings that win over its `faastlane.toml`.
#[derive(Debug, Args)]
pub(crate) struct WorkflowArguments {
    /// A workflow folder, a definition file or an AWS SAM template; `template.yaml#ID` is one of its state machines
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    #[command(flatten)]
    settings: SettingArguments,
}

/// Settings that win over those of a `faastlane.toml`.
#[derive(Debug, Args)]
pub(crate) struct SettingArguments {
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
        self.settings.overrides()
    }
}

impl SettingArguments {
    pub(crate) fn overrides(&self) -> Overrides {
        Overrides {
            python: self.python.clone(),
            max_payload_bytes: self.max_payload,
            isolation: self.isolation,
            execution_type: None,
        }
    }
}

/// More than 0, and at most 1000.
pub(crate) fn parse_time_scale(text: &str) -> Result<f64, String> {
    let factor = text.parse().ok().filter(|factor: &f64| *factor > 0.0 && *factor <= 1000.0);
    factor.ok_or_else(|| "expected a number above 0 and up to 1000, such as 0.01".to_owned())
}

fn parse_execution_type(text: &str) -> Result<ExecutionType, String> {
    match text.to_ascii_uppercase().as_str() {
        "STANDARD" => Ok(ExecutionType::Standard),
        "EXPRESS" => Ok(ExecutionType::Express),
        _ => Err("expected STANDARD or EXPRESS".to_owned()),
    }
}

pub(crate) fn parse_python(text: &str) -> Result<PythonRequest, String> {
    let working_directory = std::path::absolute(Path::new(".")).map_err(|problem| problem.to_string())?;
    PythonRequest::parse(text, &working_directory)
}
