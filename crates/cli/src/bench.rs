//! `faastlane bench`: measures, beside peers, and shows the numbers. Each benchmark has a file of its name.

pub(crate) mod all;
pub(crate) mod apps;
pub(crate) mod chain;
pub(crate) mod churn;
pub(crate) mod cold;
mod document;
pub(crate) mod fanout;
mod hop;
pub(crate) mod memory;
pub(crate) mod peers;
mod rendering;
pub(crate) mod throughput;

use crate::args::{BenchArguments, Benchmark};
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::surroundings::surroundings;
use crate::terminal::Terminal;
use crate::{host, render_diagnostic};
use faastlane_bench::{BenchError, Outside};
use faastlane_compose::{Overrides, PythonRequest};
use serde::Serialize;
use serde_json::json;
use std::cell::OnceCell;
use std::io::{self, Write as _};

pub(crate) fn execute(arguments: &BenchArguments) -> anyhow::Result<Exit> {
    match &arguments.benchmark {
        Benchmark::Hop(arguments) => hop::execute(arguments),
        Benchmark::Cold(arguments) => cold::execute(arguments),
        Benchmark::Churn(arguments) => churn::execute(arguments),
        Benchmark::Fanout(arguments) => fanout::execute(arguments),
        Benchmark::Throughput(arguments) => throughput::execute(arguments),
        Benchmark::Chain(arguments) => chain::execute(arguments),
        Benchmark::Apps(arguments) => apps::execute(arguments),
        Benchmark::Memory(arguments) => memory::execute(arguments),
        Benchmark::Peers(arguments) => peers::execute(arguments),
        Benchmark::All(arguments) => all::execute(arguments),
    }
}

/// Runs a benchmark, and prints its report: as one object, or as `render` makes it for people.
/// `exit` is what the report comes to.
fn measure<R: Serialize>(
    python: &Option<PythonRequest>,
    json: bool,
    render: impl FnOnce(&R, usize) -> anyhow::Result<String>,
    exit: impl FnOnce(&R) -> Exit,
    run: impl FnOnce(&Outside<'_>, &mut dyn FnMut(&str)) -> Result<R, BenchError>,
) -> anyhow::Result<Exit> {
    let interrupt = Interrupt::listen()?;
    let outside = Outside {
        executable: &std::env::current_exe()?,
        command_line: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
        surroundings: &surroundings(Overrides { python: python.clone(), ..Overrides::default() }),
        host: &host::probe(),
        stop: &|| interrupt.came(),
        machine: OnceCell::new(),
    };
    let report = match run(&outside, &mut show_progress) {
        Ok(report) => report,
        Err(BenchError::Interrupted) => return Ok(Exit::Interrupted),
        Err(BenchError::Compose(findings)) if json => {
            let report = json!({ "format_version": 1, "diagnostics": render_diagnostic::to_json(&findings) });
            writeln!(io::stdout(), "{report:#}")?;
            return Ok(Exit::for_findings(&findings));
        }
        Err(BenchError::Compose(findings)) => {
            render_diagnostic::print(&findings)?;
            return Ok(Exit::for_findings(&findings));
        }
        Err(_) if interrupt.came() => return Ok(Exit::Interrupted),
        Err(error) => return Err(error.into()),
    };
    if json {
        writeln!(io::stdout(), "{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        io::stdout().write_all(render(&report, Terminal::stdout().width)?.as_bytes())?;
    }
    Ok(exit(&report))
}

/// A stderr that is gone stops nothing.
fn show_progress(what: &str) {
    let _ = writeln!(io::stderr(), "{what}");
}
