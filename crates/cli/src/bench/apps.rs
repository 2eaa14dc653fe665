//! `faastlane bench apps`.

use super::rendering::{digits, duration, footing, missing_lines, table};
use crate::args::parse_python;
use crate::env_vars;
use crate::exit::Exit;
use clap::Args;
use faastlane_bench::{AppContestant, Apps, AppsOptions, AppsReport};
use faastlane_compose::PythonRequest;
use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// The paper's four applications end to end, what part of it is interaction, and what they are billed
#[derive(Debug, Args)]
pub(crate) struct AppsArguments {
    /// The folder with finra, ml-prediction, healthcare and sentiment
    #[arg(long, value_name = "DIR", default_value = "examples")]
    examples: PathBuf,
    /// In a round
    #[arg(long, value_name = "COUNT", default_value = "10")]
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

pub(super) fn execute(arguments: &AppsArguments) -> anyhow::Result<Exit> {
    let options = AppsOptions {
        examples: arguments.examples.clone(),
        executions: arguments.executions.get(),
        rounds: arguments.rounds.get(),
    };
    super::measure(
        &arguments.python,
        arguments.json,
        render,
        |_| Exit::Succeeded,
        |outside, progress| Apps { options: &options, outside }.run(progress),
    )
}

fn render(report: &AppsReport, width: usize) -> anyhow::Result<String> {
    let mut text = String::new();
    writeln!(text, "An application: {}.", report.heading.metric.replace(", in microseconds", ""))?;
    let header = ["WAY", "KEEPS APART", "P50", "P99", "RATIO", "INTERACTION", "SHARE", "RATIO"];
    for contest in &report.contests {
        writeln!(text, "\n{}: {} calls of functions\n", contest.app, contest.calls)?;
        writeln!(text, "{}", table(&header, 2, contest.contestants.iter().map(row), width))?;
        let cost = &contest.cost;
        writeln!(
            text,
            "\nbilled: {} GB-ms as one unit, {} with every function apart",
            digits(cost.unit_gb_ms),
            digits(cost.apart_gb_ms)
        )?;
    }
    text.push_str(&missing_lines(&report.missing_apps));
    for missing in &report.unavailable {
        writeln!(text, "\nnot measured: isolation {}: {}", missing.isolation, missing.reason)?;
    }
    text.push_str(&footing(&report.heading, report.isolation.name()));
    Ok(text)
}

fn row(one: &AppContestant) -> Vec<String> {
    let AppContestant { contestant, interaction, interaction_share, interaction_ratio } = one;
    let quoted = |noisy: bool, text: String| if noisy { "too noisy".to_owned() } else { text };
    let times =
        |ratio: Option<f64>| ratio.map_or_else(|| "too noisy".to_owned(), |it| format!("{}×", digits(it)));
    let summary = &contestant.summary;
    vec![
        contestant.name.clone(),
        contestant.isolation.to_owned(),
        quoted(summary.too_noisy, duration(summary.p50_us)),
        quoted(summary.too_noisy, duration(summary.p99_us)),
        times(contestant.ratio),
        quoted(interaction.too_noisy, duration(interaction.p50_us)),
        format!("{:.1} %", 100.0 * interaction_share),
        times(*interaction_ratio),
    ]
}
