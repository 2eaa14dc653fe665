//! What `faastlane bench fanout` found: plain data, as `--json` prints it.

use super::{BranchWork, Subject};
use crate::report::{Contestant, Heading, Target, Unavailable};
use faastlane_compose::Isolation;
use serde::Serialize;

/// `faastlane bench fanout --json`.
#[derive(Clone, Debug, Serialize)]
pub struct FanoutReport {
    #[serde(flatten)]
    pub heading: Heading,
    /// Of the contestant that the others are compared with.
    pub isolation: Isolation,
    /// What could not be measured here, and why.
    pub unavailable: Vec<Unavailable>,
    /// How many ours may have, but for the one that has one.
    pub lanes: u32,
    pub rounds: usize,
    pub contests: Vec<FanoutContest>,
    pub targets: Vec<Target>,
}

#[derive(Clone, Debug, Serialize)]
pub struct FanoutContest {
    pub work: BranchWork,
    pub branches: usize,
    pub executions_per_round: usize,
    /// Ours first: the strongest isolation, then the same with one lane.
    pub contestants: Vec<FanoutContestant>,
}

#[derive(Clone, Debug, Serialize)]
pub struct FanoutContestant {
    #[serde(flatten)]
    pub contestant: Contestant,
    /// The median of all branches together, divided by their number.
    pub branch_us: f64,
    /// The median of one lane over its own; `None` where either is too noisy.
    pub speed_up: Option<f64>,
}

/// By position among the contestants.
const OURS: usize = 0;
const ONE_LANE: usize = 1;

impl FanoutContest {
    pub(super) fn new(subject: Subject, contestants: Vec<Contestant>) -> Self {
        let one_lane = contestants.get(ONE_LANE).map(|one| one.summary.clone());
        let with_branches = |contestant: Contestant| {
            let quiet = one_lane.as_ref().filter(|one| !one.too_noisy && !contestant.summary.too_noisy);
            FanoutContestant {
                branch_us: contestant.summary.p50_us / subject.branches as f64,
                speed_up: quiet.map(|one| one.p50_us / contestant.summary.p50_us),
                contestant,
            }
        };
        Self {
            work: subject.work,
            branches: subject.branches,
            executions_per_round: subject.executions,
            contestants: contestants.into_iter().map(with_branches).collect(),
        }
    }
}

/// Of how many branches, and CPUs, targets are set for.
const BRANCHES: usize = 200;
const CPUS: u32 = 2;
/// CPU-bound branches are to be at least 1.85 times as fast as in one lane.
const CPU_OVER_ONE_LANE: f64 = 0.54;
/// Trivial ones no slower, but for what two measurements differ by anyway.
const TRIVIAL_OVER_ONE_LANE: f64 = 1.1;
const TRIVIAL_BRANCH_US: f64 = 20.0;

pub(super) fn targets(cpus: u32, isolation: Isolation, contests: &[FanoutContest]) -> Vec<Target> {
    let of_contest = |contest: &FanoutContest| {
        let ours = &contest.contestants[OURS];
        let name = contest.work.name();
        let over_one_lane = |at_most: f64| Target {
            what: format!(
                "{BRANCHES} {name} branches: time over that of one lane, isolation {}",
                isolation.name()
            ),
            unit: "×",
            at_most,
            measured: contest.contestants[OURS].contestant.summary.p50_us
                / contest.contestants[ONE_LANE].contestant.summary.p50_us,
            met: ours.speed_up.map(|speed_up| 1.0 / speed_up <= at_most),
        };
        let branch = || Target {
            what: format!("{BRANCHES} {name} branches: a branch, isolation {}", isolation.name()),
            unit: "µs",
            at_most: TRIVIAL_BRANCH_US,
            measured: ours.branch_us,
            met: (!ours.contestant.summary.too_noisy).then_some(ours.branch_us <= TRIVIAL_BRANCH_US),
        };
        match contest.work {
            BranchWork::Trivial => vec![over_one_lane(TRIVIAL_OVER_ONE_LANE), branch()],
            BranchWork::Cpu => vec![over_one_lane(CPU_OVER_ONE_LANE)],
        }
    };
    let set = contests.iter().filter(|contest| contest.branches == BRANCHES && cpus >= CPUS);
    set.flat_map(of_contest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Summary;

    fn contest(work: BranchWork, branches: usize, us: [f64; 2]) -> FanoutContest {
        let contestant = |us: f64| Contestant {
            name: String::new(),
            ours: true,
            isolation: "",
            durable: "",
            executions_verified: 1,
            summary: Summary::of(&[vec![us]]),
            ratio: None,
            ratio_interval: None,
            cpu: None,
        };
        let subject = Subject { work, branches, executions: 1 };
        FanoutContest::new(subject, us.map(contestant).to_vec())
    }

    fn met(cpus: u32, contest: FanoutContest) -> Vec<Option<bool>> {
        let targets = targets(cpus, Isolation::Process, &[contest]);
        targets.iter().map(|target| target.met).collect()
    }

    #[test]
    fn speed_ups_are_over_one_lane() {
        let contest = contest(BranchWork::Cpu, 10, [50.0, 100.0]);
        assert_eq!(contest.contestants[0].speed_up, Some(2.0));
        assert_eq!((contest.contestants[1].speed_up, contest.contestants[1].branch_us), (Some(1.0), 10.0));
    }

    #[test]
    fn targets_are_for_two_hundred_branches_on_two_cpus() {
        assert_eq!(met(2, contest(BranchWork::Cpu, 200, [54.0, 100.0])), [Some(true)]);
        assert_eq!(met(2, contest(BranchWork::Cpu, 200, [55.0, 100.0])), [Some(false)]);
        assert_eq!(met(2, contest(BranchWork::Trivial, 200, [4000.0, 3800.0])), [Some(true), Some(true)]);
        assert_eq!(met(2, contest(BranchWork::Trivial, 200, [4001.0, 3000.0])), [Some(false), Some(false)]);
        assert!(met(1, contest(BranchWork::Cpu, 200, [1.0, 1.0])).is_empty());
        assert!(met(2, contest(BranchWork::Cpu, 50, [1.0, 1.0])).is_empty());
    }
}
