//! What a benchmark found: plain data, as `--json` prints it.

use crate::event::{EventKind, EventSpec};
use crate::machine::Machine;
use crate::processes::CpuTime;
use crate::statistics::{Interval, Summary};
use faastlane_compose::Isolation;
use serde::Serialize;

/// What every report begins with.
#[derive(Clone, Debug, Serialize)]
pub struct Heading {
    pub format_version: u32,
    pub benchmark: &'static str,
    /// What is measured.
    pub metric: &'static str,
    pub command_line: Vec<String>,
    /// When it began: RFC 3339, in UTC.
    pub date: String,
    pub machine: Machine,
    pub versions: Versions,
}

/// `faastlane bench hop --json`.
#[derive(Clone, Debug, Serialize)]
pub struct HopReport {
    #[serde(flatten)]
    pub heading: Heading,
    /// Of the contestant that the others are compared with.
    pub isolation: Isolation,
    /// What could not be measured here, and why.
    pub unavailable: Vec<Unavailable>,
    pub missing_peers: Vec<MissingPeer>,
    pub rounds: usize,
    pub contests: Vec<EventReport>,
    /// Of each domain, anonymous and private, when its function is loaded. Empty where domains carry no keys.
    pub domains: Vec<DomainMemory>,
    pub start_up: StartUp,
    pub targets: Vec<Target>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Versions {
    pub faastlane: &'static str,
    /// Of the checkout that the executable lies in; `None` where it lies in none, or git cannot say.
    pub commit: Option<String>,
    /// Ours and the peers'.
    pub python: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Unavailable {
    pub isolation: &'static str,
    pub reason: String,
}

/// Something to compare with that this host does not let run.
#[derive(Clone, Debug, Serialize)]
pub struct MissingPeer {
    pub peer: &'static str,
    pub reason: String,
}

/// The contest over one event.
#[derive(Clone, Debug, Serialize)]
pub struct EventReport {
    /// For people.
    pub name: String,
    pub kind: EventKind,
    pub size: u64,
    /// Bytes of the event as JSON.
    pub json_bytes: usize,
    pub hops_per_round: usize,
    /// Ours first, the strongest isolation before the others.
    pub contestants: Vec<Contestant>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Contestant {
    pub name: String,
    pub ours: bool,
    /// What keeps a function from another's memory.
    pub isolation: &'static str,
    /// Where results are when something is lost.
    pub durable: &'static str,
    /// Times that the event went through all functions; each time it was compared with what went in.
    pub executions_verified: usize,
    #[serde(flatten)]
    pub summary: Summary,
    /// Its median over that of the first contestant; `None` where that varies too much to be quoted.
    pub ratio: Option<f64>,
    /// `None` where there were not two rounds.
    pub ratio_interval: Option<Interval>,
    /// Where that is measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<CpuTime>,
}

#[derive(Clone, Debug, Serialize)]
pub struct DomainMemory {
    pub domain: String,
    pub bytes: u64,
}

/// From the start of a run to the call of its first function, two functions, nothing but the standard library: medians, in
/// microseconds.
#[derive(Clone, Debug, Serialize)]
pub struct StartUp {
    pub starts: usize,
    /// Reading and planning the workflow.
    pub compose_us: f64,
    /// Processes, namespaces, interpreters, imports.
    pub instance_us: f64,
    /// From the execution's start to the first call.
    pub first_call_us: f64,
    pub total_us: f64,
}

/// A number that the project means to reach on an idle machine with two CPUs.
#[derive(Clone, Debug, Serialize)]
pub struct Target {
    pub what: String,
    pub unit: &'static str,
    pub at_most: f64,
    pub measured: f64,
    /// `None` where the measurement is too noisy to say.
    pub met: Option<bool>,
}

/// The largest median hop, in microseconds.
fn hop_target(spec: (EventKind, u64)) -> Option<f64> {
    match spec {
        (EventKind::Records, 200) => Some(15.0),
        (EventKind::Text, 0x10_0000) => Some(400.0),
        (EventKind::Bytes | EventKind::Array, 0x10_0000) => Some(40.0),
        _ => None,
    }
}

const DOMAIN_TARGET_MB: f64 = 12.0;

/// What is promised of domains with keys.
pub(crate) fn targets(isolation: Isolation, events: &[EventReport], domains: &[DomainMemory]) -> Vec<Target> {
    if isolation != Isolation::Mpk {
        return Vec::new();
    }
    let hop = |event: &EventReport| {
        let at_most = hop_target((event.kind, event.size))?;
        let ours = &event.contestants.first()?.summary;
        Some(Target {
            what: format!("median hop, {}", event.name),
            unit: "µs",
            at_most,
            measured: ours.p50_us,
            met: (!ours.too_noisy).then_some(ours.p50_us <= at_most),
        })
    };
    let largest = domains.iter().map(|domain| domain.bytes).max();
    let memory = largest.map(|bytes| bytes as f64 / 1e6).map(|measured| Target {
        what: "memory of a domain".to_owned(),
        unit: "MB",
        at_most: DOMAIN_TARGET_MB,
        measured,
        met: Some(measured <= DOMAIN_TARGET_MB),
    });
    events.iter().filter_map(hop).chain(memory).collect()
}

impl EventReport {
    pub(crate) fn new(spec: EventSpec, hops_per_round: usize, contestants: Vec<Contestant>) -> Self {
        Self {
            name: spec.to_string(),
            kind: spec.kind,
            size: spec.size,
            json_bytes: spec.make().to_string().len(),
            hops_per_round,
            contestants,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contest::compared;

    fn contestant(rounds: &[Vec<f64>]) -> Contestant {
        Contestant {
            name: String::new(),
            ours: false,
            isolation: "",
            durable: "",
            executions_verified: 1,
            summary: Summary::of(rounds),
            ratio: None,
            ratio_interval: None,
            cpu: None,
        }
    }

    fn event(spec: &str, ours: f64, rounds: usize) -> EventReport {
        contest(spec, &vec![vec![ours]; rounds], &vec![vec![30.0]; rounds])
    }

    fn contest(spec: &str, ours: &[Vec<f64>], peer: &[Vec<f64>]) -> EventReport {
        let contestants = compared(vec![contestant(ours), contestant(peer)], &[ours, peer]);
        EventReport::new(spec.parse().unwrap(), 1, contestants)
    }

    #[test]
    fn ratios_are_to_the_first() {
        let report = event("records:200", 10.0, 2);
        assert_eq!(report.contestants[0].ratio, Some(1.0));
        assert_eq!(report.contestants[1].ratio, Some(3.0));
        assert_eq!(report.contestants[1].ratio_interval, Some(Interval { low: 3.0, high: 3.0 }));
    }

    #[test]
    fn what_is_too_noisy_is_not_compared() {
        let report = contest("text:1MiB", &[vec![1.0], vec![3.0]], &[vec![3.0], vec![1.0]]);
        assert!(report.contestants[1].ratio.is_none());
        let target = targets(Isolation::Mpk, &[report], &[]).remove(0);
        assert_eq!((target.at_most, target.met), (400.0, None));
    }

    #[test]
    fn targets_are_met_or_missed_and_hold_for_keys_alone() {
        let events = [event("records:200", 15.0, 1), event("text:1MiB", 401.0, 1), event("text:5", 1.0, 1)];
        let domains = [9_000_000, 12_000_001].map(|bytes| DomainMemory { domain: String::new(), bytes });
        let met: Vec<_> =
            targets(Isolation::Mpk, &events, &domains).iter().map(|target| target.met).collect();
        assert_eq!(met, [Some(true), Some(false), Some(false)]);
        assert!(targets(Isolation::Process, &events, &domains).is_empty());
    }
}
