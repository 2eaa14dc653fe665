//! What all benchmarks come to, in one form: contests, and in each the ways with their number. Tables, plots and promises are
//! made of sheets, whatever was measured.

use crate::apps::{AppsReport, Cost};
use crate::chain::ChainReport;
use crate::cold::ColdReport;
use crate::fanout::FanoutReport;
use crate::memory::{MemoryContestant, MemoryReport};
use crate::report::{Contestant, Heading, HopReport, MissingPeer};
use crate::statistics::{Interval, Summary};
use crate::throughput::ThroughputReport;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sheet {
    /// `hop`, `chain`, …; unique among the sheets of an evaluation.
    pub name: String,
    pub title: String,
    /// What is measured.
    pub metric: String,
    /// `µs`, `per second` or `bytes`.
    pub unit: String,
    /// What differs between contests of a group, such as `payload`.
    pub along: String,
    /// When, on what, with what, and how to do it again.
    pub caption: Vec<String>,
    /// What was not measured, and why.
    pub missing: Vec<String>,
    pub contests: Vec<SheetContest>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SheetContest {
    /// Unique in the sheet.
    pub name: String,
    /// Contests of one group are points of one line.
    pub group: String,
    /// Within the group.
    pub label: String,
    /// Ours first.
    pub entries: Vec<SheetEntry>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SheetEntry {
    pub name: String,
    pub ours: bool,
    pub keeps_apart: String,
    /// Where results are when something is lost; empty where that does not matter.
    #[serde(default)]
    pub durable: String,
    pub p50: f64,
    pub interval: Option<Interval>,
    pub p99: Option<f64>,
    pub too_noisy: bool,
    /// How many times as good as this the first entry is, whether it may be quoted or not.
    pub ratio: f64,
    pub ratio_interval: Option<Interval>,
    pub ratio_quoted: bool,
}

/// Of what sheets of one benchmark have in common.
fn sheet(name: &str, title: &str, along: &str, heading: &Heading, missing: Vec<String>) -> Sheet {
    Sheet {
        name: name.to_owned(),
        title: title.to_owned(),
        metric: heading.metric.to_owned(),
        unit: "µs".to_owned(),
        along: along.to_owned(),
        caption: heading.lines(),
        missing,
        contests: Vec::new(),
    }
}

fn contest(name: String, group: &str, label: String, entries: Vec<SheetEntry>) -> SheetContest {
    SheetContest { name, group: group.to_owned(), label, entries }
}

fn entries<'a>(contestants: impl IntoIterator<Item = &'a Contestant>) -> Vec<SheetEntry> {
    let mut contestants = contestants.into_iter().peekable();
    let first = contestants.peek().map_or(1.0, |first| first.summary.p50_us);
    let entry = |one: &Contestant| SheetEntry {
        ratio_interval: one.ratio_interval,
        ratio_quoted: one.ratio.is_some(),
        ..of_summary(one, &one.summary, first)
    };
    contestants.map(entry).collect()
}

fn of_summary(one: &Contestant, summary: &Summary, first: f64) -> SheetEntry {
    SheetEntry {
        name: one.name.clone(),
        ours: one.ours,
        keeps_apart: one.isolation.to_owned(),
        durable: one.durable.to_owned(),
        p50: summary.p50_us,
        interval: summary.p50_interval_us,
        p99: Some(summary.p99_us),
        too_noisy: summary.too_noisy,
        ratio: summary.p50_us / first,
        ratio_interval: None,
        ratio_quoted: !summary.too_noisy,
    }
}

/// Of a number that is found once.
fn without_spread(name: &str, ours: bool, number: f64, ratio: f64) -> SheetEntry {
    SheetEntry {
        name: name.to_owned(),
        ours,
        keeps_apart: String::new(),
        durable: String::new(),
        p50: number,
        interval: None,
        p99: None,
        too_noisy: false,
        ratio,
        ratio_interval: None,
        ratio_quoted: true,
    }
}

impl HopReport {
    pub fn sheet(&self) -> Sheet {
        let mut sheet =
            sheet("hop", "A hop, by payload", "payload", &self.heading, missing(&self.unavailable));
        sheet.missing.extend(missing_peers(&self.missing_peers));
        for event in &self.contests {
            // `1 MiB of bytes`
            let mut words = event.name.splitn(3, ' ');
            let label = [words.next(), words.next()].map(Option::unwrap_or_default).join(" ");
            let group = match words.next().unwrap_or_default() {
                "string" => "one string",
                "event" => "objects",
                "of bytes" => "bytes",
                other => other,
            };
            sheet.contests.push(contest(event.name.clone(), group, label, entries(&event.contestants)));
        }
        sheet
    }
}

impl ChainReport {
    pub fn sheet(&self) -> Sheet {
        let title = "A whole execution of a warm chain";
        let mut sheet = sheet("chain", title, "functions", &self.heading, missing(&self.unavailable));
        sheet.missing.extend(missing_peers(&self.missing_peers));
        for one in &self.contests {
            let name = format!("{} functions", one.functions);
            sheet.contests.push(contest(name, "", one.functions.to_string(), entries(&one.contestants)));
        }
        sheet
    }
}

impl ColdReport {
    pub fn sheet(&self) -> Sheet {
        let missing = [missing(&self.unavailable), missing_peers(&self.missing_peers)].concat();
        let title = format!("A new instance of {} functions", self.functions);
        let mut sheet = sheet("cold", &title, "", &self.heading, missing);
        for one in &self.contests {
            sheet.contests.push(contest(
                "new instance".to_owned(),
                "",
                String::new(),
                entries(&one.contestants),
            ));
        }
        sheet
    }
}

impl FanoutReport {
    pub fn sheet(&self) -> Sheet {
        let title = "A fan-out and its join";
        let mut sheet = sheet("fanout", title, "branches", &self.heading, missing(&self.unavailable));
        for one in &self.contests {
            let name = format!("{} {} branches", one.branches, one.work.name());
            let entries = entries(one.contestants.iter().map(|it| &it.contestant));
            sheet.contests.push(contest(name, one.work.name(), one.branches.to_string(), entries));
        }
        sheet
    }
}

impl ThroughputReport {
    pub fn sheet(&self) -> Sheet {
        let title = format!("Executions per second of a chain of {}", self.functions);
        let missing = [missing(&self.unavailable), missing_peers(&self.missing_peers)].concat();
        let mut sheet = sheet("throughput", &title, "clients", &self.heading, missing);
        "executions per second".clone_into(&mut sheet.metric);
        "per second".clone_into(&mut sheet.unit);
        for one in &self.contests {
            let entries = entries(&one.contestants).into_iter().map(per_second).collect();
            let name = format!("{} clients", one.clients);
            sheet.contests.push(contest(name, "", one.clients.to_string(), entries));
        }
        sheet
    }
}

/// A time for one as a number in a second; what a ratio says stays.
fn per_second(entry: SheetEntry) -> SheetEntry {
    let turned = |interval: Interval| Interval { low: 1e6 / interval.high, high: 1e6 / interval.low };
    SheetEntry { p50: 1e6 / entry.p50, interval: entry.interval.map(turned), p99: None, ..entry }
}

impl MemoryReport {
    pub fn sheet(&self) -> Sheet {
        let missing = [missing(&self.unavailable), missing_peers(&self.missing_peers)].concat();
        let mut sheet =
            sheet("memory", "Memory of the whole system, idle", "functions", &self.heading, missing);
        "bytes".clone_into(&mut sheet.unit);
        for one in &self.contests {
            let entry = |it: &MemoryContestant| SheetEntry {
                keeps_apart: it.isolation.to_owned(),
                ..without_spread(&it.name, it.ours, it.bytes as f64, it.ratio)
            };
            let entries = one.contestants.iter().map(entry).collect();
            let name = format!("{} functions", one.functions);
            sheet.contests.push(contest(name, "", one.functions.to_string(), entries));
        }
        sheet
    }
}

impl AppsReport {
    /// End to end, the interaction in it, and the cost.
    pub fn sheets(&self) -> [Sheet; 3] {
        let missing = [missing(&self.unavailable), missing_peers(&self.missing_apps)].concat();
        let mut whole =
            sheet("apps", "The applications, end to end", "application", &self.heading, missing.clone());
        let mut between =
            sheet("interaction", "Interaction in the applications", "application", &self.heading, missing);
        "from the first call of a function to the last return, when no function ran, in microseconds"
            .clone_into(&mut between.metric);
        let mut cost =
            sheet("cost", "What one execution is billed", "application", &self.heading, Vec::new());
        "memory that is billed, for as long as it is, AWS Lambda's rounding".clone_into(&mut cost.metric);
        "GB·ms".clone_into(&mut cost.unit);
        for one in &self.contests {
            let Cost { unit_gb_ms, apart_gb_ms } = one.cost;
            let of = |name: &str, ours, gb_ms| without_spread(name, ours, gb_ms, gb_ms / unit_gb_ms);
            let both =
                vec![of("as one unit", true, unit_gb_ms), of("every function apart", false, apart_gb_ms)];
            cost.contests.push(contest(one.app.clone(), "", one.app.clone(), both));
            let name = || one.app.clone();
            let contestants = one.contestants.iter();
            whole.contests.push(contest(
                name(),
                "",
                name(),
                entries(contestants.clone().map(|it| &it.contestant)),
            ));
            let first = one.contestants.first().map_or(1.0, |first| first.interaction.p50_us);
            let entries = contestants.map(|it| of_summary(&it.contestant, &it.interaction, first)).collect();
            between.contests.push(contest(name(), "", name(), entries));
        }
        [whole, between, cost]
    }
}

fn missing_peers(peers: &[MissingPeer]) -> Vec<String> {
    peers.iter().map(|peer| format!("{}: {}", peer.peer, peer.reason)).collect()
}

fn missing(unavailable: &[crate::report::Unavailable]) -> Vec<String> {
    unavailable.iter().map(|one| format!("isolation {}: {}", one.isolation, one.reason)).collect()
}

impl Heading {
    /// When, on what, with what, and how to do it again.
    pub fn lines(&self) -> Vec<String> {
        let machine = &self.machine;
        let processor =
            if machine.processor.is_empty() { "unnamed processor" } else { machine.processor.as_str() };
        let load = match machine.load {
            Some(load) if load > f64::from(machine.cpus) / 4.0 => {
                format!(", UNDER LOAD: {load:.1} at the start")
            }
            Some(load) => format!(", load {load:.1} at the start"),
            None => String::new(),
        };
        let commit = self.versions.commit.as_ref().map_or_else(String::new, |commit| format!(" ({commit})"));
        vec![
            format!(
                "{}: {processor}, {} CPUs, Linux {} on {}{load}",
                self.date, machine.cpus, machine.kernel, machine.architecture
            ),
            format!("faastlane {}{commit}, Python {}", self.versions.faastlane, self.versions.python),
            self.command_line.join(" "),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_for_one_becomes_a_number_in_a_second() {
        let entry = SheetEntry {
            name: String::new(),
            ours: true,
            keeps_apart: String::new(),
            durable: String::new(),
            p50: 100.0,
            interval: Some(Interval { low: 50.0, high: 200.0 }),
            p99: Some(300.0),
            too_noisy: false,
            ratio: 2.0,
            ratio_interval: None,
            ratio_quoted: true,
        };
        let turned = per_second(entry);
        assert_eq!((turned.p50, turned.p99, turned.ratio), (10_000.0, None, 2.0));
        assert_eq!(turned.interval, Some(Interval { low: 5000.0, high: 20_000.0 }));
    }
}
