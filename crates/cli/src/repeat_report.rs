//! What many executions came to: a table, or JSON.

use crate::repeat::Tally;
use crate::table;
use crate::terminal::Terminal;
use crate::waterfall::{duration_us, isolation};
use crate::{metering, render_diagnostic, run};
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_compose::Plan;
use faastlane_pool::PoolCounts;
use serde_json::{Value, json};
use std::fmt::Write as _;

pub(crate) struct Summary<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) tally: &'a Tally,
    pub(crate) counts: PoolCounts,
    /// What was asked for.
    pub(crate) times: usize,
    pub(crate) concurrency: usize,
}

impl Summary<'_> {
    /// An interrupt, or instances that do not come up, ended it before.
    fn not_run(&self) -> usize {
        self.times - self.tally.ended() - self.tally.without_instance
    }

    fn per_second(&self) -> f64 {
        let seconds = self.tally.took.as_secs_f64();
        if seconds > 0.0 { self.tally.ended() as f64 / seconds } else { 0.0 }
    }
}

const STATUSES: [&str; 4] = ["succeeded", "failed", "timed out", "aborted"];

pub(crate) fn render(summary: &Summary<'_>) -> String {
    let (tally, terminal) = (summary.tally, Terminal::stderr());
    let mut parts: Vec<String> = STATUSES
        .iter()
        .zip(tally.by_status)
        .enumerate()
        .filter(|(index, (_, count))| *index == 0 || *count > 0)
        .map(|(_, (status, count))| format!("{count} {status}"))
        .collect();
    for (count, what) in [(tally.without_instance, "without an instance"), (summary.not_run(), "not run")] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} ×{}, {} at a time: {} in {}, {:.1} per second",
        summary.plan.workflow,
        summary.times,
        summary.concurrency,
        parts.join(", "),
        duration_us(tally.took.as_micros() as u64),
        summary.per_second(),
    );
    if tally.ended() > 0 {
        let mut table = table::with_header(&["", "p50", "p90", "p99", "max"], terminal.width);
        for (name, times) in [("execution", &tally.durations_us), ("with its start", &tally.latencies_us)] {
            let row = Percentiles::of(times).0.map(duration_us);
            table.add_row(std::iter::once(name.to_owned()).chain(row));
        }
        let _ = writeln!(text, "\n{}\n", table::trimmed(&table));
    }
    let metering = &tally.metering;
    let _ = writeln!(
        text,
        "starts: {}; at most {} at the same time",
        metering::starts(metering),
        summary.counts.peak_instances
    );
    let _ = writeln!(
        text,
        "between functions: {} in all, {:.1} % of the executions' time",
        duration_us(metering.interaction_us),
        metering.interaction_share() * 100.0,
    );
    text.push_str(&metering::lines(summary.plan, metering));
    let _ = writeln!(text, "isolation: {}", isolation(summary.plan));
    for note in &summary.plan.notes {
        let _ = writeln!(text, "note: {note}");
    }
    if tally.differing > 0 {
        let outputs = tally.by_status[0];
        let _ = writeln!(text, "{} of {outputs} outputs differ from the first", tally.differing);
    }
    text
}

/// `run --repeat --json`.
pub(crate) fn to_json(summary: &Summary<'_>, not_started: Option<&Diagnostic>) -> Value {
    let tally = summary.tally;
    let [succeeded, failed, timed_out, aborted] = tally.by_status;
    let mut report = json!({
        "format_version": 1,
        "workflow": summary.plan.workflow,
        "isolation": summary.plan.isolation.name(),
        "isolation_reason": summary.plan.isolation_reason,
        "executions": summary.times,
        "concurrency": summary.concurrency,
        "succeeded": succeeded,
        "failed": failed,
        "timed_out": timed_out,
        "aborted": aborted,
        "without_instance": tally.without_instance,
        "not_run": summary.not_run(),
        "cold_starts": tally.metering.cold,
        "warm_starts": tally.metering.executions - tally.metering.cold,
        "peak_instances": summary.counts.peak_instances,
        "took_us": tally.took.as_micros() as u64,
        "executions_per_second": summary.per_second(),
        "duration_us": Percentiles::of(&tally.durations_us).to_json(),
        "latency_us": Percentiles::of(&tally.latencies_us).to_json(),
        "differing_outputs": tally.differing,
        "metering": metering::to_json(&tally.metering),
    });
    if let Some(ran) = &tally.first_failure {
        report["first_failure"] = run::report(summary.plan, ran);
    }
    if let Some(finding) = not_started {
        report["diagnostics"] = render_diagnostic::to_json(std::slice::from_ref(finding));
    }
    report
}

/// The 50th, 90th and 99th by nearest rank, and the largest; zeros of nothing.
struct Percentiles([u64; 4]);

impl Percentiles {
    fn of(times: &[u64]) -> Self {
        let mut sorted = times.to_vec();
        sorted.sort_unstable();
        let rank = |percent: usize| (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        Self([50, 90, 99, 100].map(|percent| sorted.get(rank(percent)).copied().unwrap_or(0)))
    }

    fn to_json(&self) -> Value {
        let [p50, p90, p99, max] = self.0;
        json!({ "p50": p50, "p90": p90, "p99": p99, "max": max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let hundred: Vec<u64> = (1..=100).rev().collect();
        assert_eq!(Percentiles::of(&hundred).0, [50, 90, 99, 100]);
        assert_eq!(Percentiles::of(&[7]).0, [7; 4]);
        assert_eq!(Percentiles::of(&[1, 2, 3]).0, [2, 3, 3, 3]);
        assert_eq!(Percentiles::of(&[]).0, [0; 4]);
    }
}
