//! What `faastlane bench cold` found: plain data, as `--json` prints it.

use super::{ColdOptions, IdleMemory};
use crate::report::{Contestant, Heading, MissingPeer, Target, Unavailable};
use faastlane_compose::Isolation;
use serde::Serialize;

/// `faastlane bench cold --json`.
#[derive(Clone, Debug, Serialize)]
pub struct ColdReport {
    #[serde(flatten)]
    pub heading: Heading,
    /// Of the contestant that the others are compared with, and of the memory.
    pub isolation: Isolation,
    /// What could not be measured here, and why.
    pub unavailable: Vec<Unavailable>,
    pub missing_peers: Vec<MissingPeer>,
    pub imports: Vec<String>,
    pub functions: usize,
    pub rounds: usize,
    /// One: all begin in the same way.
    pub contests: Vec<ColdContest>,
    pub memory: IdleMemory,
    pub targets: Vec<Target>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ColdContest {
    /// Ours first, the strongest isolation before the others.
    pub contestants: Vec<Contestant>,
}

/// Of how many functions the workflow is that targets are set for.
const FUNCTIONS: usize = 5;
/// With what comes with Python.
const P50_MS: f64 = 10.0;
const P99_MS: f64 = 25.0;
const IDLE_MB: f64 = 4.0;
/// With these among the imports.
const LARGE: [&str; 2] = ["numpy", "pandas"];
const LARGE_P50_MS: f64 = 50.0;

/// Of workflows that targets are set for: five functions, which import what comes with Python, or numpy and pandas.
pub(super) fn targets(
    options: &ColdOptions,
    isolation: Isolation,
    not_with_python: &[String],
    contestants: &[Contestant],
    memory: &IdleMemory,
) -> Vec<Target> {
    let Some(ours) = contestants.first().filter(|_| options.functions == FUNCTIONS) else {
        return Vec::new();
    };
    let time = |which: &str, us: f64, at_most: f64| Target {
        what: format!("{which} until the first line, isolation {}", isolation.name()),
        unit: "ms",
        at_most,
        measured: us / 1e3,
        met: (!ours.summary.too_noisy).then_some(us / 1e3 <= at_most),
    };
    if LARGE.iter().all(|module| not_with_python.iter().any(|name| name == module)) {
        return vec![time("median", ours.summary.p50_us, LARGE_P50_MS)];
    }
    if !not_with_python.is_empty() {
        return Vec::new();
    }
    let mut targets = vec![
        time("median", ours.summary.p50_us, P50_MS),
        time("99th percentile", ours.summary.p99_us, P99_MS),
    ];
    if let IdleMemory::ProportionalSetSize(idle) = memory {
        let measured = idle.used_bytes as f64 / 1e6;
        targets.push(Target {
            what: format!("memory of one more instance, isolation {}", isolation.name()),
            unit: "MB",
            at_most: IDLE_MB,
            measured,
            met: Some(measured <= IDLE_MB),
        });
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::super::Idle;
    use super::*;
    use crate::statistics::Summary;

    fn found(functions: usize, not_with_python: &[&str], used_bytes: u64) -> Vec<(f64, Option<bool>)> {
        let names: Vec<String> = not_with_python.iter().map(|name| (*name).to_owned()).collect();
        let options = ColdOptions { imports: names.clone(), functions, starts: 1, rounds: 1, idle: 1 };
        let ours = Contestant {
            name: String::new(),
            ours: true,
            isolation: "",
            durable: "",
            executions_verified: 1,
            summary: Summary::of(&[vec![9000.0, 9000.0, 26_000.0]]),
            ratio: None,
            ratio_interval: None,
            cpu: None,
        };
        let idle = Idle {
            instances: 1,
            processes: 1,
            ready_bytes: 1,
            used_bytes,
            page_table_bytes: 1,
            template_bytes: 1,
        };
        let memory = IdleMemory::ProportionalSetSize(idle);
        let targets = targets(&options, Isolation::Process, &names, &[ours], &memory);
        targets.iter().map(|target| (target.at_most, target.met)).collect()
    }

    #[test]
    fn targets_are_set_for_what_was_promised_alone() {
        let standard = [(10.0, Some(true)), (25.0, Some(false)), (4.0, Some(true))];
        assert_eq!(found(5, &[], 4_000_000), standard);
        assert_eq!(found(5, &[], 4_000_001)[2], (4.0, Some(false)));
        assert_eq!(found(5, &["pandas", "numpy"], 1), [(50.0, Some(true))]);
        assert_eq!(found(5, &["requests"], 1), []);
        assert_eq!(found(4, &[], 1), []);
    }
}
