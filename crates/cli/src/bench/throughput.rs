//! `faastlane bench throughput`.

use super::rendering::{digits, duration, footing, missing_lines, table};
use crate::args::parse_python;
use crate::env_vars;
use crate::exit::Exit;
use clap::Args;
use faastlane_bench::{Contestant, Throughput, ThroughputOptions, ThroughputReport};
use faastlane_compose::PythonRequest;
use std::fmt::Write as _;
use std::num::{NonZeroU32, NonZeroUsize};

/// How many executions of a warm chain of functions run in a second, and what of the CPU is not the functions' own
#[derive(Debug, Args)]
pub(crate) struct ThroughputArguments {
    /// How many executions are under way at the same time; several with commas
    #[arg(long, value_name = "COUNT", value_delimiter = ',', default_value = "1,8")]
    clients: Vec<NonZeroUsize>,
    /// In the chain
    #[arg(long, value_name = "COUNT", default_value = "5")]
    functions: NonZeroUsize,
    /// How many squares a function adds up: what it does
    #[arg(long, value_name = "COUNT", default_value = "1000")]
    work: NonZeroU32,
    /// In a round
    #[arg(long, value_name = "COUNT", default_value = "500")]
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

pub(super) fn execute(arguments: &ThroughputArguments) -> anyhow::Result<Exit> {
    let options = ThroughputOptions {
        clients: arguments.clients.clone(),
        functions: arguments.functions.get(),
        work: arguments.work.get(),
        executions: arguments.executions.get(),
        rounds: arguments.rounds.get(),
        installed: arguments.clients.clone(),
    };
    super::measure(
        &arguments.python,
        arguments.json,
        render,
        |_| Exit::Succeeded,
        |outside, progress| Throughput { options: &options, outside }.run(progress),
    )
}

fn render(report: &ThroughputReport, width: usize) -> anyhow::Result<String> {
    let mut text = String::new();
    writeln!(
        text,
        "A chain of {} functions that each add up {} squares, warm. Time: {}.",
        report.functions,
        report.work,
        report.heading.metric.replace(", in microseconds", "")
    )?;
    let header = ["WAY", "KEEPS APART", "DURABLE", "PER SECOND", "TIME", "RATIO", "CPU", "NOT FUNCTIONS"];
    for contest in &report.contests {
        writeln!(
            text,
            "\n{} at the same time, rounds: {} of {} executions\n",
            contest.clients, report.rounds, report.executions_per_round
        )?;
        writeln!(text, "{}", table(&header, 3, contest.contestants.iter().map(row), width))?;
    }
    for missing in &report.unavailable {
        writeln!(text, "\nnot measured: isolation {}: {}", missing.isolation, missing.reason)?;
    }
    text.push_str(&missing_lines(&report.missing_peers));
    text.push_str(&footing(&report.heading, report.isolation.name()));
    Ok(text)
}

fn row(contestant: &Contestant) -> Vec<String> {
    let summary = &contestant.summary;
    let quoted = |text: String| if summary.too_noisy { "too noisy".to_owned() } else { text };
    let none = || "-".to_owned();
    vec![
        contestant.name.clone(),
        contestant.isolation.to_owned(),
        contestant.durable.to_owned(),
        quoted(digits(1e6 / summary.p50_us)),
        quoted(duration(summary.p50_us)),
        contestant.ratio.map_or_else(none, |ratio| format!("{}×", digits(ratio))),
        contestant.cpu.map_or_else(none, |cpu| duration(cpu.per_execution_us)),
        contestant.cpu.map_or_else(none, |cpu| format!("{:.0} %", 100.0 * cpu.other_share())),
    ]
}
