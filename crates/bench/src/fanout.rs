//! `faastlane bench fanout`: how long a Map takes that calls one function on many items and joins the results in order, beside
//! pools that do the same.

mod ours;
mod peers;
mod report;
mod work;

pub use report::{FanoutContest, FanoutContestant, FanoutReport};
pub use work::BranchWork;

use crate::BenchError;
use crate::contest::{Entry, take_turns};
use crate::outside::Outside;
use faastlane_compose::{DEFAULT_MAX_PAYLOAD_BYTES, RequestedIsolation};
use ours::Mapped;
use peers::Peer;
use std::num::NonZeroUsize;
use std::path::Path;

const METRIC: &str = "from handing the items out to having all results in order, in microseconds";

/// Where branches take long there are fewer executions in a round: with this many branches together.
const LONG_BRANCHES: usize = 400;

/// How much is measured. Each number is at least 1.
#[derive(Clone, Debug)]
pub struct FanoutOptions {
    /// One contest for each, with each work.
    pub branches: Vec<NonZeroUsize>,
    pub work: Vec<BranchWork>,
    /// In a round, at most.
    pub executions: usize,
    pub rounds: usize,
}

/// A measurement and what it needs of the outside.
pub struct Fanout<'a> {
    pub options: &'a FanoutOptions,
    pub outside: &'a Outside<'a>,
}

/// What one contest is about.
#[derive(Clone, Copy, Debug)]
struct Subject {
    work: BranchWork,
    branches: usize,
    /// In a round.
    executions: usize,
}

impl Subject {
    /// In a round in which branches take long.
    fn fewer_executions(self) -> usize {
        self.executions.min((LONG_BRANCHES / self.branches).max(1))
    }
}

impl FanoutOptions {
    fn subject(&self, work: BranchWork, branches: usize) -> Subject {
        let subject = Subject { work, branches, executions: self.executions };
        match work {
            BranchWork::Trivial => subject,
            BranchWork::Cpu => Subject { executions: subject.fewer_executions(), ..subject },
        }
    }
}

impl Fanout<'_> {
    /// Measures. `progress` is told what is being done.
    ///
    /// # Errors
    /// Functions or peers cannot be run, what they return is wrong, or [`Outside::stop`] said so.
    pub fn run(&self, progress: &mut dyn FnMut(&str)) -> Result<FanoutReport, BenchError> {
        let Fanout { options, outside } = self;
        let begun = outside.begin();
        let (ways, unavailable) = outside.isolations()?;
        let bundle = ours::bundle(BranchWork::Trivial)?;
        let (_, plan) = bundle.compose(outside, ways[0], DEFAULT_MAX_PAYLOAD_BYTES)?;
        let python = &plan.pythons[0];
        let mut contests = Vec::new();
        for &work in &options.work {
            for &branches in &options.branches {
                let subject = options.subject(work, branches.get());
                let what = format!("{branches} {} branches", work.name());
                let entries = entries(outside, &ways, &python.executable, subject)?;
                let contestants = take_turns(&what, options.rounds, entries, outside, progress)?;
                contests.push(FanoutContest::new(subject, contestants));
            }
        }
        Ok(FanoutReport {
            heading: begun.heading("fanout", METRIC, python, outside),
            isolation: plan.isolation,
            unavailable,
            lanes: plan.lanes,
            rounds: options.rounds,
            targets: report::targets(outside.host.cpus, plan.isolation, &contests),
            contests,
        })
    }
}

/// Ours come first, and of them the strongest isolation, then the same with one lane.
fn entries(
    outside: &Outside<'_>,
    ways: &[RequestedIsolation],
    python: &Path,
    subject: Subject,
) -> Result<Vec<Entry>, BenchError> {
    let mut entries = vec![
        Entry::new(true, Mapped::start(outside, ways[0], subject, false)?),
        Entry::new(true, Mapped::start(outside, ways[0], subject, true)?),
    ];
    for &way in &ways[1..] {
        entries.push(Entry::new(true, Mapped::start(outside, way, subject, false)?));
    }
    for peer in Peer::all(python, subject)? {
        entries.push(Entry::new(false, peer));
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_branches_make_fewer_executions() {
        let options = FanoutOptions { branches: Vec::new(), work: Vec::new(), executions: 20, rounds: 1 };
        let executions = |work, branches| options.subject(work, branches).executions;
        assert_eq!([executions(BranchWork::Trivial, 200), executions(BranchWork::Trivial, 2)], [20, 20]);
        let long = [2, 50, 200, 1000].map(|branches| executions(BranchWork::Cpu, branches));
        assert_eq!(long, [20, 8, 2, 1]);
        assert_eq!(options.subject(BranchWork::Trivial, 200).fewer_executions(), 2);
    }
}
