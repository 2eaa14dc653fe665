//! `faastlane bench churn`.

use super::rendering::{digits, footing, table};
use crate::args::parse_python;
use crate::env_vars;
use crate::exit::Exit;
use clap::Args;
use faastlane_bench::{AttemptsKilled, Churn, ChurnOptions, ChurnReport};
use faastlane_compose::{PythonRequest, RequestedIsolation};
use std::fmt::Write as _;
use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

/// Whether many executions all end as their definition says while attempts are killed, and nothing is left over
#[derive(Debug, Args)]
pub(crate) struct ChurnArguments {
    /// Of a workflow of five functions
    #[arg(long, value_name = "COUNT", default_value = "100000")]
    executions: NonZeroUsize,
    /// What part of the attempts is killed: by signals, native crashes and timeouts
    #[arg(long, value_name = "PART", default_value = "0.01", value_parser = parse_part)]
    killed: f64,
    /// How many executions are under way at the same time
    #[arg(long, value_name = "COUNT", default_value = "8")]
    concurrency: NonZeroUsize,
    /// Of what goes wrong where
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    seed: u64,
    /// Begin no execution after so many seconds
    #[arg(long, value_name = "COUNT")]
    seconds: Option<NonZeroU64>,
    /// What keeps the functions apart: auto, mpk, process or none
    #[arg(long, env = env_vars::ISOLATION, value_name = "KIND", default_value = "auto")]
    isolation: RequestedIsolation,
    /// The Python to run functions with: a version, a command or a path
    #[arg(long, env = env_vars::PYTHON, value_parser = parse_python)]
    python: Option<PythonRequest>,
    /// Print the numbers as one JSON object
    #[arg(long)]
    json: bool,
}

fn parse_part(text: &str) -> Result<f64, String> {
    let part = text.parse().ok().filter(|part: &f64| (0.0..=1.0).contains(part));
    part.ok_or_else(|| "expected a number from 0 to 1, such as 0.01".to_owned())
}

pub(super) fn execute(arguments: &ChurnArguments) -> anyhow::Result<Exit> {
    let options = ChurnOptions {
        executions: arguments.executions.get(),
        killed: arguments.killed,
        concurrency: arguments.concurrency,
        seed: arguments.seed,
        at_most: arguments.seconds.map(|seconds| Duration::from_secs(seconds.get())),
        isolation: arguments.isolation,
    };
    let exit = |report: &ChurnReport| if report.wrong == 0 { Exit::Succeeded } else { Exit::Unexpected };
    super::measure(&arguments.python, arguments.json, render, exit, |outside, progress| {
        Churn { options: &options, outside }.run(progress)
    })
}

fn render(report: &ChurnReport, width: usize) -> anyhow::Result<String> {
    let mut text = String::new();
    let AttemptsKilled { by_signal, by_crash, by_timeout, timeouts_not_planned } = report.attempts_killed;
    writeln!(
        text,
        "{} executions of five functions, {} at the same time: {} succeeded, {} of them through a Catch; {} failed, as they had to",
        report.executions, report.concurrency, report.succeeded, report.caught, report.failed
    )?;
    writeln!(
        text,
        "{} attempts, of which were killed: {by_signal} by signals, {by_crash} by native crashes, {by_timeout} by timeouts \
         ({timeouts_not_planned} of them not planned)",
        report.attempts
    )?;
    writeln!(
        text,
        "{} signals reached processes of instances, {} of the template; {} instances were made",
        report.signals, report.template_signals, report.instances_made
    )?;
    let rate = digits(report.executions_per_second);
    writeln!(text, "{rate} executions per second, in {} s\n", digits(report.seconds))?;
    let rows = report.left_over.iter().map(|one| {
        let verdict = if one.within_bound { "nothing left over" } else { "LEFT OVER" };
        let numbers = [one.before, one.after, one.more_allowed].map(|number| number.to_string());
        [&[one.what.to_owned(), verdict.to_owned()], &numbers[..]].concat()
    });
    let header = ["OF THIS PROCESS", "", "BEFORE", "AFTER", "MORE ALLOWED"];
    writeln!(text, "{}\n", table(&header, 2, rows, width))?;
    match report.wrong {
        0 => writeln!(text, "every execution ended as its definition says; nothing is wrong")?,
        wrong => writeln!(text, "{wrong} findings:")?,
    }
    for finding in &report.findings {
        writeln!(text, "  {finding}")?;
    }
    if report.findings.len() < report.wrong {
        writeln!(text, "  and {} more", report.wrong - report.findings.len())?;
    }
    text.push_str(&footing(&report.heading, report.isolation.name()));
    Ok(text)
}
