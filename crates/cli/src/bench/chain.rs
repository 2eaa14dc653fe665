//! `faastlane bench chain`.

use super::rendering::{contestants, footing, missing_lines};
use crate::args::parse_python;
use crate::env_vars;
use crate::exit::Exit;
use clap::Args;
use faastlane_bench::{Chain, ChainOptions, ChainReport, EventSpec};
use faastlane_compose::PythonRequest;
use std::fmt::Write as _;
use std::num::NonZeroUsize;

/// How long a whole execution of a warm chain of functions takes
#[derive(Debug, Args)]
pub(crate) struct ChainArguments {
    /// In the chain, 2 to 64; several with commas
    #[arg(long, value_name = "COUNT", value_delimiter = ',', default_value = "5,15,50", value_parser = parse_functions)]
    functions: Vec<NonZeroUsize>,
    /// What the functions hand on: one string, `text:SIZE`, small objects, `records:SIZE`, bytes, `bytes:SIZE`, or an array of
    /// numpy's, `array:SIZE`
    #[arg(long, value_name = "KIND:SIZE", default_value = "records:200")]
    payload: EventSpec,
    /// In a round
    #[arg(long, value_name = "COUNT", default_value = "50")]
    executions: NonZeroUsize,
    /// How often each way has its turn
    #[arg(long, value_name = "COUNT", default_value = "5")]
    rounds: NonZeroUsize,
    /// The Python for all ways: a version, a command or a path
    #[arg(long, env = env_vars::PYTHON, value_parser = parse_python)]
    python: Option<PythonRequest>,
    /// Print the numbers as one JSON object
    #[arg(long)]
    json: bool,
}

fn parse_functions(text: &str) -> Result<NonZeroUsize, String> {
    let count: NonZeroUsize = text.parse().map_err(|_| "expected a number".to_owned())?;
    let (fewest, most) = (ChainOptions::FEWEST, ChainOptions::MOST);
    if (fewest..=most).contains(&count.get()) {
        Ok(count)
    } else {
        Err(format!("expected {fewest} to {most}"))
    }
}

pub(super) fn execute(arguments: &ChainArguments) -> anyhow::Result<Exit> {
    let options = ChainOptions {
        functions: arguments.functions.clone(),
        event: arguments.payload,
        executions: arguments.executions.get(),
        rounds: arguments.rounds.get(),
        installed: arguments.functions.clone(),
    };
    super::measure(
        &arguments.python,
        arguments.json,
        render,
        |_| Exit::Succeeded,
        |outside, progress| Chain { options: &options, outside }.run(progress),
    )
}

fn render(report: &ChainReport, width: usize) -> anyhow::Result<String> {
    let mut text = String::new();
    writeln!(text, "A whole execution: {}.", report.heading.metric.replace(", in microseconds", ""))?;
    for contest in &report.contests {
        let (functions, rounds, executions) = (contest.functions, report.rounds, report.executions_per_round);
        writeln!(text, "\n{functions} functions, rounds: {rounds} of {executions} executions\n")?;
        writeln!(text, "{}", contestants(&contest.contestants, width))?;
    }
    for missing in &report.unavailable {
        writeln!(text, "\nnot measured: isolation {}: {}", missing.isolation, missing.reason)?;
    }
    text.push_str(&missing_lines(&report.missing_peers));
    text.push_str(&footing(&report.heading, report.isolation.name()));
    Ok(text)
}
