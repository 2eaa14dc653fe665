//! `faastlane bench`: measures, beside peers, and shows the numbers.

use crate::args::{BenchArguments, Benchmark, HopArguments};
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::surroundings::surroundings;
use crate::terminal::Terminal;
use crate::{host, render_diagnostic};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use faastlane_bench::{BenchError, Contestant, EventReport, Hop, HopOptions, HopReport, StartUp, Target};
use faastlane_compose::Overrides;
use serde_json::json;
use std::fmt::Write as _;
use std::io::{self, Write as _};

pub(crate) fn execute(arguments: &BenchArguments) -> anyhow::Result<Exit> {
    match &arguments.benchmark {
        Benchmark::Hop(arguments) => hop(arguments),
    }
}

fn hop(arguments: &HopArguments) -> anyhow::Result<Exit> {
    let interrupt = Interrupt::listen()?;
    let options = HopOptions {
        events: arguments.payload.clone(),
        rounds: arguments.rounds.get(),
        hops: arguments.hops.get(),
        starts: arguments.starts.get(),
    };
    let benchmark = Hop {
        options: &options,
        executable: &std::env::current_exe()?,
        command_line: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
        surroundings: &surroundings(Overrides { python: arguments.python.clone(), ..Overrides::default() }),
        host: &host::probe(),
        stop: &|| interrupt.came(),
    };
    let report = match benchmark.run(&mut show_progress) {
        Ok(report) => report,
        Err(BenchError::Interrupted) => return Ok(Exit::Interrupted),
        Err(BenchError::Compose(findings)) if arguments.json => {
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
    if arguments.json {
        writeln!(io::stdout(), "{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        io::stdout().write_all(render(&report, Terminal::stdout().width)?.as_bytes())?;
    }
    Ok(Exit::Succeeded)
}

/// A stderr that is gone stops nothing.
fn show_progress(what: &str) {
    let _ = writeln!(io::stderr(), "{what}");
}

fn render(report: &HopReport, width: usize) -> anyhow::Result<String> {
    let mut text = String::new();
    writeln!(text, "A hop: {}.", report.metric.replace(", in microseconds", ""))?;
    for event in &report.events {
        writeln!(
            text,
            "\n{} ({} bytes of JSON), rounds: {} of {} hops\n",
            event.name, event.json_bytes, report.rounds, event.hops_per_round
        )?;
        writeln!(text, "{}", table(event, width))?;
    }
    for missing in &report.unavailable {
        writeln!(text, "\nnot measured: isolation {}: {}", missing.isolation, missing.reason)?;
    }
    let isolation = report.isolation.name();
    writeln!(text, "\n{}", start_up_line(&report.start_up, isolation))?;
    for domain in &report.domains {
        let megabytes = domain.bytes as f64 / 1e6;
        writeln!(text, "memory of domain {}: {megabytes:.1} MB, anonymous and private", domain.domain)?;
    }
    writeln!(text)?;
    for target in &report.targets {
        writeln!(text, "{}", target_line(target))?;
    }
    let machine = &report.machine;
    writeln!(
        text,
        "\n{}\n{}, {} CPUs, Linux {} on {}{}\nfaastlane {}, isolation {isolation}; Python {}\n{}",
        report.date,
        if machine.processor.is_empty() { "unnamed processor" } else { &machine.processor },
        machine.cpus,
        machine.kernel,
        machine.architecture,
        machine.load.map_or_else(String::new, |load| format!(", load {load:.1} at the start")),
        report.versions.faastlane,
        report.versions.python,
        report.command_line.join(" "),
    )?;
    Ok(text)
}

fn table(event: &EventReport, width: usize) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    table.set_header(["WAY", "KEEPS APART", "P50", "P99", "P50 OF ROUNDS", "RATIO"]);
    for contestant in &event.contestants {
        table.add_row(row(contestant));
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if index >= 2 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

fn row(contestant: &Contestant) -> [String; 6] {
    let summary = &contestant.summary;
    let (lowest, highest) = summary.spread_us();
    let quoted = |us: f64| if summary.too_noisy { "too noisy".to_owned() } else { duration(us) };
    [
        contestant.name.clone(),
        contestant.isolation.to_owned(),
        quoted(summary.p50_us),
        quoted(summary.p99_us),
        format!("{} – {}", duration(lowest), duration(highest)),
        contestant.ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{}×", digits(ratio))),
    ]
}

fn start_up_line(start: &StartUp, isolation: &str) -> String {
    format!(
        "from the start of a run to its first function: {} (composing {}, two domains with isolation {isolation} {}, \
         first call {}; medians of {})",
        duration(start.total_us),
        duration(start.compose_us),
        duration(start.instance_us),
        duration(start.first_call_us),
        start.starts,
    )
}

fn target_line(target: &Target) -> String {
    let Target { what, unit, at_most, measured, met } = target;
    let verdict = match met {
        Some(true) => "met",
        Some(false) => "missed",
        None => return format!("{what}: at most {at_most} {unit}; too noisy to say"),
    };
    format!("{what}: at most {at_most} {unit}; {verdict} with {} {unit}", digits(*measured))
}

fn duration(us: f64) -> String {
    match us {
        us if us < 1e3 => format!("{} µs", digits(us)),
        us if us < 1e6 => format!("{} ms", digits(us / 1e3)),
        us => format!("{} s", digits(us / 1e6)),
    }
}

/// Three digits that count, or two.
fn digits(number: f64) -> String {
    let decimals = match number {
        number if number < 0.001 => return format!("{number:.1e}"),
        number if number < 0.1 => 4,
        number if number < 10.0 => 2,
        number if number < 100.0 => 1,
        _ => 0,
    };
    format!("{number:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits() {
        for (us, shown) in [
            (0.161, "0.16 µs"),
            (12.34, "12.3 µs"),
            (0.0123, "0.0123 µs"),
            (0.000_001_23, "1.2e-6 µs"),
            (487.2, "487 µs"),
            (19_008.0, "19.0 ms"),
        ] {
            assert_eq!(duration(us), shown);
        }
    }

    #[test]
    fn a_target_says_whether_it_was_met() {
        let target = |met| Target { what: "hop".into(), unit: "µs", at_most: 15.0, measured: 9.87, met };
        assert_eq!(target_line(&target(Some(true))), "hop: at most 15 µs; met with 9.87 µs");
        assert_eq!(target_line(&target(Some(false))), "hop: at most 15 µs; missed with 9.87 µs");
        assert_eq!(target_line(&target(None)), "hop: at most 15 µs; too noisy to say");
    }
}
