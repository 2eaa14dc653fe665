//! `faastlane bench fanout`.

use super::rendering::{digits, duration, footing, table, target_lines};
use crate::args::parse_python;
use crate::env_vars;
use crate::exit::Exit;
use clap::Args;
use faastlane_bench::{BranchWork, Fanout, FanoutContestant, FanoutOptions, FanoutReport};
use faastlane_compose::PythonRequest;
use std::fmt::Write as _;
use std::num::NonZeroUsize;

/// How long a Map takes over many items, trivial ones and CPU-bound ones
#[derive(Debug, Args)]
pub(crate) struct FanoutArguments {
    /// Items of the Map; several with commas
    #[arg(long, value_name = "COUNT", value_delimiter = ',', default_value = "2,10,50,200")]
    branches: Vec<NonZeroUsize>,
    /// What a branch does: trivial (returns its event) or cpu (about 5 ms of Python); both with a comma
    #[arg(long, value_name = "WORK", value_delimiter = ',', default_value = "trivial,cpu")]
    work: Vec<BranchWork>,
    /// In a round; fewer where branches are many and long
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

pub(super) fn execute(arguments: &FanoutArguments) -> anyhow::Result<Exit> {
    let options = FanoutOptions {
        branches: arguments.branches.clone(),
        work: arguments.work.clone(),
        executions: arguments.executions.get(),
        rounds: arguments.rounds.get(),
    };
    super::measure(
        &arguments.python,
        arguments.json,
        render,
        |_| Exit::Succeeded,
        |outside, progress| Fanout { options: &options, outside }.run(progress),
    )
}

fn render(report: &FanoutReport, width: usize) -> anyhow::Result<String> {
    let mut text = String::new();
    let metric = report.heading.metric.replace(", in microseconds", "");
    writeln!(text, "A Map: {metric}. Ours may have {} lanes, one of them has one.", report.lanes)?;
    let header = ["WAY", "KEEPS APART", "DURABLE", "P50", "P99", "A BRANCH", "SPEED-UP", "RATIO"];
    for contest in &report.contests {
        writeln!(
            text,
            "\n{} {} branches, rounds: {} of {} executions\n",
            contest.branches,
            contest.work.name(),
            report.rounds,
            contest.executions_per_round
        )?;
        writeln!(text, "{}", table(&header, 3, contest.contestants.iter().map(row), width))?;
    }
    for missing in &report.unavailable {
        writeln!(text, "\nnot measured: isolation {}: {}", missing.isolation, missing.reason)?;
    }
    writeln!(text)?;
    text.push_str(&target_lines(&report.targets));
    text.push_str(&footing(&report.heading, report.isolation.name()));
    Ok(text)
}

fn row(one: &FanoutContestant) -> Vec<String> {
    let summary = &one.contestant.summary;
    let quoted = |us: f64| if summary.too_noisy { "too noisy".to_owned() } else { duration(us) };
    let times = |number: Option<f64>| number.map_or_else(|| "-".to_owned(), |it| format!("{}×", digits(it)));
    vec![
        one.contestant.name.clone(),
        one.contestant.isolation.to_owned(),
        one.contestant.durable.to_owned(),
        quoted(summary.p50_us),
        quoted(summary.p99_us),
        quoted(one.branch_us),
        times(one.speed_up),
        times(one.contestant.ratio),
    ]
}
