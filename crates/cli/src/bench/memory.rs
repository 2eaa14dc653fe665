//! `faastlane bench memory`.

use super::rendering::{digits, footing, missing_lines, table};
use crate::args::parse_python;
use crate::env_vars;
use crate::exit::Exit;
use clap::Args;
use faastlane_bench::{Memory, MemoryContestant, MemoryOptions, MemoryReport};
use faastlane_compose::PythonRequest;
use std::fmt::Write as _;
use std::num::NonZeroUsize;

/// What the whole system has in memory while a warm chain of functions has nothing to do
#[derive(Debug, Args)]
pub(crate) struct MemoryArguments {
    /// In the chain; several with commas
    #[arg(long, value_name = "COUNT", value_delimiter = ',', default_value = "5")]
    functions: Vec<NonZeroUsize>,
    /// The Python for all ways: a version, a command or a path
    #[arg(long, env = env_vars::PYTHON, value_parser = parse_python)]
    python: Option<PythonRequest>,
    /// Print the numbers as one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(arguments: &MemoryArguments) -> anyhow::Result<Exit> {
    let options = MemoryOptions { functions: arguments.functions.clone() };
    super::measure(
        &arguments.python,
        arguments.json,
        render,
        |_| Exit::Succeeded,
        |outside, progress| Memory { options: &options, outside }.run(progress),
    )
}

fn render(report: &MemoryReport, width: usize) -> anyhow::Result<String> {
    let mut text = String::new();
    writeln!(text, "Memory {}.", report.heading.metric.replace(", in bytes", ""))?;
    for contest in &report.contests {
        writeln!(text, "\n{} functions, each called once\n", contest.functions)?;
        let header = ["WAY", "KEEPS APART", "PROCESSES", "MEMORY", "RATIO"];
        writeln!(text, "{}", table(&header, 2, contest.contestants.iter().map(row), width))?;
    }
    text.push_str(&missing_lines(&report.missing_peers));
    for missing in &report.unavailable {
        writeln!(text, "\nnot measured: isolation {}: {}", missing.isolation, missing.reason)?;
    }
    text.push_str(&footing(&report.heading, report.isolation.name()));
    Ok(text)
}

fn row(one: &MemoryContestant) -> Vec<String> {
    vec![
        one.name.clone(),
        one.isolation.to_owned(),
        one.processes.to_string(),
        format!("{} MB", digits(one.bytes as f64 / 1e6)),
        format!("{}×", digits(one.ratio)),
    ]
}
