//! What the benchmarks' reports have in common, for people.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use faastlane_bench::{Contestant, Heading, Interval, MissingPeer, Target};
use std::fmt::Write as _;

/// The contestants, ours first.
pub(super) fn contestants(contestants: &[Contestant], width: usize) -> String {
    let header = ["WAY", "KEEPS APART", "DURABLE", "P50", "95 % OF P50", "P99", "95 % OF RATIO", "RATIO"];
    table(&header, 3, contestants.iter().map(|contestant| row(contestant).to_vec()), width)
}

/// `words` columns of words, then columns of numbers.
pub(super) fn table(
    header: &[&str],
    words: usize,
    rows: impl Iterator<Item = Vec<String>>,
    width: usize,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    table.set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if index >= words {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

fn row(contestant: &Contestant) -> [String; 8] {
    let summary = &contestant.summary;
    let quoted = |us: f64| if summary.too_noisy { "too noisy".to_owned() } else { duration(us) };
    let none = || "-".to_owned();
    let times = |ratio: f64| format!("{}×", digits(ratio));
    let between = |interval: Interval, shown: fn(f64) -> String| {
        format!("{} – {}", shown(interval.low), shown(interval.high))
    };
    [
        contestant.name.clone(),
        contestant.isolation.to_owned(),
        contestant.durable.to_owned(),
        quoted(summary.p50_us),
        summary.p50_interval_us.map_or_else(none, |interval| between(interval, duration)),
        quoted(summary.p99_us),
        contestant.ratio_interval.map_or_else(none, |interval| between(interval, digits)),
        contestant.ratio.map_or_else(|| "too noisy".to_owned(), times),
    ]
}

/// Peers that have not had their turns, and why.
pub(super) fn missing_lines(peers: &[MissingPeer]) -> String {
    peers.iter().map(|missing| format!("\nnot measured: {}: {}\n", missing.peer, missing.reason)).collect()
}

/// When, on what, with what, and how to do it again.
pub(super) fn footing(heading: &Heading, isolation: &str) -> String {
    format!("\n{}\nisolation {isolation}\n", heading.lines().join("\n"))
}

pub(super) fn target_lines(targets: &[Target]) -> String {
    targets.iter().fold(String::new(), |mut lines, target| {
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "{}", target_line(target));
        lines
    })
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

pub(super) fn duration(us: f64) -> String {
    match us {
        us if us < 1e3 => format!("{} µs", digits(us)),
        us if us < 1e6 => format!("{} ms", digits(us / 1e3)),
        us => format!("{} s", digits(us / 1e6)),
    }
}

/// Three digits that count, or two.
pub(super) fn digits(number: f64) -> String {
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
