//! `faastlane bench hop`.

use super::rendering::{contestants, duration, footing, missing_lines, target_lines};
use crate::args::HopArguments;
use crate::exit::Exit;
use faastlane_bench::{Hop, HopOptions, HopReport, StartUp};
use std::fmt::Write as _;

/// What is to be said of peers where JSON cannot hold what is sent.
const IN_BASE64: &str =
    "the local bus, HTTP servers, containers, the object store and Restate hand on JSON, and so base64";

pub(super) fn execute(arguments: &HopArguments) -> anyhow::Result<Exit> {
    let options = HopOptions {
        events: arguments.payload.clone(),
        rounds: arguments.rounds.get(),
        hops: arguments.hops.get(),
        installed: arguments.payload.clone(),
        starts: arguments.starts.get(),
    };
    super::measure(
        &arguments.python,
        arguments.json,
        render,
        |_| Exit::Succeeded,
        |outside, progress| Hop { options: &options, outside }.run(progress),
    )
}

fn render(report: &HopReport, width: usize) -> anyhow::Result<String> {
    let mut text = String::new();
    writeln!(text, "A hop: {}.", report.heading.metric.replace(", in microseconds", ""))?;
    for event in &report.contests {
        writeln!(
            text,
            "\n{} ({} bytes of JSON), rounds: {} of {} hops\n",
            event.name, event.json_bytes, report.rounds, event.hops_per_round
        )?;
        writeln!(text, "{}", contestants(&event.contestants, width))?;
        if event.kind.is_binary() {
            writeln!(text, "{IN_BASE64}")?;
        }
    }
    for missing in &report.unavailable {
        writeln!(text, "\nnot measured: isolation {}: {}", missing.isolation, missing.reason)?;
    }
    text.push_str(&missing_lines(&report.missing_peers));
    let isolation = report.isolation.name();
    writeln!(text, "\n{}", start_up_line(&report.start_up, isolation))?;
    for domain in &report.domains {
        let megabytes = domain.bytes as f64 / 1e6;
        writeln!(text, "memory of domain {}: {megabytes:.1} MB, anonymous and private", domain.domain)?;
    }
    writeln!(text)?;
    text.push_str(&target_lines(&report.targets));
    text.push_str(&footing(&report.heading, isolation));
    Ok(text)
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
