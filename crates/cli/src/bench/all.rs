//! `faastlane bench all`: everything that the evaluation needs, in one go; and whether what was promised is kept.

use super::document;
use crate::args::parse_python;
use crate::env_vars;
use crate::exit::Exit;
use anyhow::Context as _;
use clap::Args;
use faastlane_bench::{
    Apps, AppsOptions, BenchError, BranchWork, Chain, ChainOptions, Cold, ColdOptions, EventKind, EventSpec,
    Fanout, FanoutOptions, Hop, HopOptions, Kept, Memory, MemoryOptions, Outside, Plot, Sheet, Throughput,
    ThroughputOptions, Verdict, png, promises,
};
use faastlane_compose::PythonRequest;
use serde::Serialize;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// All benchmarks for the evaluation, as JSON, tables and plots in a folder
#[derive(Debug, Args)]
pub(crate) struct AllArguments {
    /// Where `sheets.json` and, for each benchmark, an SVG and a PNG go
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Only what promises are about, in a minute or two
    #[arg(long)]
    short: bool,
    /// Measure nothing: take `sheets.json` as it lies in the folder
    #[arg(long)]
    again: bool,
    /// These alone; what the folder holds of the others stays as it is. Several with commas
    #[arg(long, value_name = "BENCHMARK", value_delimiter = ',', value_parser = BENCHMARKS)]
    only: Vec<String>,
    /// Say which of the promises in this file are kept, and fail when one is broken by more than the noise
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
    /// Put the tables and plots into this file, between its markers
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
    /// The folder with finra, ml-prediction, healthcare and sentiment
    #[arg(long, value_name = "DIR", default_value = "examples")]
    examples: PathBuf,
    /// The Python for all ways: a version, a command or a path
    #[arg(long, env = env_vars::PYTHON, value_parser = parse_python)]
    python: Option<PythonRequest>,
    /// Print the numbers as one JSON object
    #[arg(long)]
    json: bool,
}

/// In the order in which they run: memory before others have had any.
const BENCHMARKS: [&str; 7] = ["memory", "hop", "chain", "cold", "fanout", "throughput", "apps"];

#[derive(Debug, Serialize)]
struct Evaluation {
    format_version: u32,
    benchmark: &'static str,
    sheets: Vec<Sheet>,
    /// Benchmarks that failed, and why.
    failed: Vec<String>,
}

pub(super) fn execute(arguments: &AllArguments) -> anyhow::Result<Exit> {
    let promised = match &arguments.check {
        Some(file) => {
            promises(&read(file)?).map_err(|problem| anyhow::anyhow!("{}: {problem}", file.display()))?
        }
        None => Vec::new(),
    };
    fs::create_dir_all(&arguments.out).with_context(|| format!("cannot make {}", arguments.out.display()))?;
    let some_are_kept = !arguments.only.is_empty() && arguments.out.join("sheets.json").exists();
    let kept = if arguments.again || some_are_kept { kept_sheets(&arguments.out)? } else { Vec::new() };
    let verdicts = |evaluation: &Evaluation| -> Vec<Verdict> {
        promised.iter().map(|promise| promise.check(&evaluation.sheets)).collect()
    };
    super::measure(
        &arguments.python,
        arguments.json,
        |evaluation: &Evaluation, _| Ok(document::promises(&verdicts(evaluation))),
        |evaluation| {
            let broken = verdicts(evaluation).iter().any(|verdict| verdict.kept == Kept::No);
            if broken || !evaluation.failed.is_empty() { Exit::Unexpected } else { Exit::Succeeded }
        },
        |outside, progress| {
            let (mut sheets, failed) = if arguments.again {
                (Vec::new(), Vec::new())
            } else {
                measure(arguments, outside, progress)?
            };
            let more = kept.into_iter().filter(|one| sheets.iter().all(|it: &Sheet| it.name != one.name));
            let more: Vec<Sheet> = more.collect();
            sheets.extend(more);
            let evaluation = Evaluation { format_version: 1, benchmark: "all", sheets, failed };
            write(arguments, &evaluation.sheets, &verdicts(&evaluation))
                .map_err(|error| BenchError::Report(format!("{error:#}")))?;
            Ok(evaluation)
        },
    )
}

fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

fn kept_sheets(folder: &Path) -> anyhow::Result<Vec<Sheet>> {
    let file = folder.join("sheets.json");
    serde_json::from_str(&read(&file)?).with_context(|| format!("{} holds no sheets", file.display()))
}

/// How much is measured of everything.
struct Amount {
    payloads: &'static [&'static str],
    chains: &'static [usize],
    trivial: &'static [usize],
    cpu: &'static [usize],
    clients: &'static [usize],
    /// Of the payloads, the chains and the clients, those with all peers that are installed.
    with_installed: (&'static [&'static str], &'static [usize], &'static [usize]),
    memory: &'static [usize],
    rounds: usize,
    /// Hops in a round; other samples are so many times fewer.
    hops: usize,
}

const FULL: Amount = Amount {
    payloads: &[
        "text:0",
        "text:200",
        "text:4KiB",
        "text:64KiB",
        "text:1MiB",
        "text:16MiB",
        "text:64MiB",
        "records:200",
        "records:4KiB",
        "records:64KiB",
        "records:1MiB",
        "bytes:4KiB",
        "bytes:64KiB",
        "bytes:1MiB",
        "array:4KiB",
        "array:64KiB",
        "array:1MiB",
    ],
    chains: &[5, 15, 50],
    with_installed: (&["records:200", "text:1MiB", "array:1MiB"], &[5], &[8]),
    trivial: &[2, 10, 50, 200, 1000],
    cpu: &[2, 10, 50, 200],
    clients: &[1, 2, 4, 8, 16, 32, 64],
    memory: &[5, 15],
    rounds: 5,
    hops: 500,
};

const SHORT: Amount = Amount {
    payloads: &["records:200", "text:1MiB"],
    chains: &[5],
    with_installed: (&[], &[], &[]),
    trivial: &[50],
    cpu: &[50],
    clients: &[8],
    memory: &[5],
    rounds: 5,
    hops: 100,
};

fn counts(numbers: &[usize]) -> Vec<NonZeroUsize> {
    numbers.iter().filter_map(|&number| NonZeroUsize::new(number)).collect()
}

/// The sheets, and what could not be measured: one benchmark that fails does not take the others with it.
fn measure(
    arguments: &AllArguments,
    outside: &Outside<'_>,
    progress: &mut dyn FnMut(&str),
) -> Result<(Vec<Sheet>, Vec<String>), BenchError> {
    let amount = if arguments.short { SHORT } else { FULL };
    let wanted = |name: &&str| match arguments.only.as_slice() {
        [] => !(arguments.short && *name == "apps"),
        only => only.iter().any(|wanted| wanted == name),
    };
    let (mut sheets, mut failed) = (Vec::new(), Vec::new());
    for name in BENCHMARKS.into_iter().filter(wanted) {
        match one(name, &amount, &arguments.examples, outside, progress) {
            Ok(more) => sheets.extend(more),
            Err(BenchError::Interrupted) => return Err(BenchError::Interrupted),
            Err(error @ BenchError::Compose(_)) if sheets.is_empty() => return Err(error),
            Err(error) => {
                progress(&format!("{name} FAILED: {error}"));
                failed.push(format!("{name}: {error}"));
            }
        }
    }
    Ok((sheets, failed))
}

fn one(
    name: &str,
    amount: &Amount,
    examples: &Path,
    outside: &Outside<'_>,
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<Sheet>, BenchError> {
    let (rounds, hops) = (amount.rounds, amount.hops);
    let events = |texts: &[&str]| texts.iter().filter_map(|text| text.parse().ok()).collect();
    let (with_all_peers, chains_with_all_peers, clients_with_all_peers) = amount.with_installed;
    let event = EventSpec { kind: EventKind::Records, size: 200 };
    Ok(match name {
        "hop" => {
            let options = HopOptions {
                events: events(amount.payloads),
                rounds,
                hops,
                installed: events(with_all_peers),
                starts: 1,
            };
            vec![Hop { options: &options, outside }.run(progress)?.sheet()]
        }
        "chain" => {
            let functions = counts(amount.chains);
            let options = ChainOptions {
                functions,
                event,
                executions: hops / 5,
                rounds,
                installed: counts(chains_with_all_peers),
            };
            vec![Chain { options: &options, outside }.run(progress)?.sheet()]
        }
        "cold" => {
            let options =
                ColdOptions { imports: Vec::new(), functions: 5, starts: hops / 50, rounds, idle: 1 };
            vec![Cold { options: &options, outside }.run(progress)?.sheet()]
        }
        "fanout" => vec![fanouts(amount, outside, progress)?],
        "throughput" => {
            let clients = counts(amount.clients);
            let installed = counts(clients_with_all_peers);
            let options =
                ThroughputOptions { clients, functions: 5, work: 1, executions: hops, rounds, installed };
            vec![Throughput { options: &options, outside }.run(progress)?.sheet()]
        }
        "memory" => {
            let options = MemoryOptions { functions: counts(amount.memory) };
            vec![Memory { options: &options, outside }.run(progress)?.sheet()]
        }
        _ => {
            let examples = examples.to_owned();
            let options = AppsOptions { examples, executions: hops / 50, rounds };
            Apps { options: &options, outside }.run(progress)?.sheets().to_vec()
        }
    })
}

/// Many long branches would take too long, so both kinds have numbers of their own.
fn fanouts(
    amount: &Amount,
    outside: &Outside<'_>,
    progress: &mut dyn FnMut(&str),
) -> Result<Sheet, BenchError> {
    let mut run = |branches: &[usize], work| {
        let (branches, executions, rounds) = (counts(branches), amount.hops / 25, amount.rounds);
        let options = FanoutOptions { branches, work: vec![work], executions, rounds };
        Ok::<Sheet, BenchError>(Fanout { options: &options, outside }.run(progress)?.sheet())
    };
    let mut sheet = run(amount.trivial, BranchWork::Trivial)?;
    sheet.contests.extend(run(amount.cpu, BranchWork::Cpu)?.contests);
    Ok(sheet)
}

fn write(arguments: &AllArguments, sheets: &[Sheet], verdicts: &[Verdict]) -> anyhow::Result<()> {
    let out = &arguments.out;
    let put = |name: &str, bytes: &[u8]| {
        let file = out.join(name);
        fs::write(&file, bytes).with_context(|| format!("cannot write {}", file.display()))
    };
    put("sheets.json", &serde_json::to_vec_pretty(sheets)?)?;
    for sheet in sheets {
        let svg = Plot::of(sheet).svg();
        put(&format!("{}.svg", sheet.name), svg.as_bytes())?;
        put(&format!("{}.png", sheet.name), &png(&svg).map_err(anyhow::Error::msg)?)?;
    }
    let Some(file) = &arguments.document else { return Ok(()) };
    // A picture is named as it lies from the document, where it lies below it.
    let folder = file.parent().unwrap_or_else(|| Path::new(""));
    let pictures = out.strip_prefix(folder).unwrap_or(out);
    let text = document::filled(&read(file)?, |name| match name {
        "paper" => Some(document::paper(sheets)),
        "promises" => (!verdicts.is_empty()).then(|| document::promises(verdicts)),
        name => {
            let sheet = sheets.iter().find(|sheet| sheet.name == name)?;
            let picture = pictures.join(format!("{name}.svg")).display().to_string();
            Some(document::section(sheet, &picture))
        }
    })?;
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_can_be_asked_for() {
        for amount in [FULL, SHORT] {
            assert!(amount.payloads.iter().all(|text| text.parse::<EventSpec>().is_ok()));
            for numbers in [amount.chains, amount.trivial, amount.cpu, amount.clients, amount.memory] {
                assert_eq!(counts(numbers).len(), numbers.len());
            }
            assert!(amount.chains.iter().all(|it| (ChainOptions::FEWEST..=ChainOptions::MOST).contains(it)));
            assert!(amount.hops / 50 > 0);
        }
    }
}
