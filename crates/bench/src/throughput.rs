//! `faastlane bench throughput`: how many executions of a chain of functions a warm host runs in a second, with so many clients
//! that each wait for theirs, beside other ways to run the same functions; and what of the CPU was not the functions' own.

mod ours;
mod peers;
mod work;

use crate::BenchError;
use crate::contest::{Entry, take_turns};
use crate::line;
use crate::outside::Outside;
use crate::peers::{note, unwanted};
use crate::report::{Contestant, Heading, MissingPeer, Unavailable};
use faastlane_compose::{DEFAULT_MAX_PAYLOAD_BYTES, Isolation, PythonInstall, RequestedIsolation};
use ours::Pooled;
use peers::together;
use serde::Serialize;
use std::num::NonZeroUsize;
use work::Work;

const METRIC: &str =
    "from the first execution of a round to the last, divided by their number, in microseconds";

/// How much is measured. Each number is at least 1.
#[derive(Clone, Debug)]
pub struct ThroughputOptions {
    /// How many at the same time; one contest for each.
    pub clients: Vec<NonZeroUsize>,
    pub functions: usize,
    /// What a function does: it adds up so many squares.
    pub work: u32,
    /// In a round.
    pub executions: usize,
    pub rounds: usize,
    /// Those of the numbers of clients for which peers that have to be installed have their turns, too.
    pub installed: Vec<NonZeroUsize>,
}

/// A measurement and what it needs of the outside.
pub struct Throughput<'a> {
    pub options: &'a ThroughputOptions,
    pub outside: &'a Outside<'a>,
}

/// `faastlane bench throughput --json`.
#[derive(Clone, Debug, Serialize)]
pub struct ThroughputReport {
    #[serde(flatten)]
    pub heading: Heading,
    /// Of the contestant that the others are compared with.
    pub isolation: Isolation,
    /// What could not be measured here, and why.
    pub unavailable: Vec<Unavailable>,
    pub missing_peers: Vec<MissingPeer>,
    pub functions: usize,
    pub work: u32,
    pub rounds: usize,
    pub executions_per_round: usize,
    pub contests: Vec<ThroughputContest>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ThroughputContest {
    pub clients: usize,
    /// Ours first, the strongest isolation before the others. One sample a round.
    pub contestants: Vec<Contestant>,
}

impl Throughput<'_> {
    /// Measures. `progress` is told what is being done.
    ///
    /// # Errors
    /// Functions or peers cannot be run, what they return is wrong, or [`Outside::stop`] said so.
    pub fn run(&self, progress: &mut dyn FnMut(&str)) -> Result<ThroughputReport, BenchError> {
        let Throughput { options, outside } = self;
        let begun = outside.begin();
        let (ways, unavailable) = outside.isolations()?;
        let work = Work { functions: options.functions, squares: options.work };
        let bundle = line::of_functions(options.functions, &work.code())?;
        let (_, plan) = bundle.compose(outside, ways[0], DEFAULT_MAX_PAYLOAD_BYTES)?;
        let python = &plan.pythons[0];
        let (mut contests, mut missing_peers) = (Vec::new(), Vec::new());
        for &clients in &options.clients {
            let what = format!("{clients} at the same time");
            let (entries, missing) = self.entries(&ways, work, python, clients)?;
            note(&mut missing_peers, missing);
            let contestants = take_turns(&what, options.rounds, entries, outside, progress)?;
            contests.push(ThroughputContest { clients: clients.get(), contestants });
        }
        let names = |counts: &[NonZeroUsize]| {
            counts.iter().map(|count| format!("{count} clients")).collect::<Vec<_>>()
        };
        note(&mut missing_peers, unwanted(&names(&options.clients), &names(&options.installed)));
        Ok(ThroughputReport {
            heading: begun.heading("throughput", METRIC, python, outside),
            isolation: plan.isolation,
            unavailable,
            missing_peers,
            functions: options.functions,
            work: options.work,
            rounds: options.rounds,
            executions_per_round: options.executions,
            contests,
        })
    }

    fn entries(
        &self,
        ways: &[RequestedIsolation],
        work: Work,
        python: &PythonInstall,
        clients: NonZeroUsize,
    ) -> Result<(Vec<Entry>, Vec<MissingPeer>), BenchError> {
        let executions = self.options.executions;
        let mut entries = Vec::new();
        for &way in ways {
            entries.push(Entry::new(true, Pooled::start(self.outside, way, work, clients, executions)?));
        }
        let wanted = self.options.installed.contains(&clients);
        let (peers, missing) = together(self.outside, python, work, clients, executions, wanted)?;
        entries.extend(peers.into_iter().map(|peer| Entry::new(false, peer)));
        Ok((entries, missing))
    }
}
