//! `faastlane bench chain`: how long a whole execution of a warm chain of functions takes, from handing its input over to having
//! its output, beside other ways to call the same functions one after the other.

use crate::BenchError;
use crate::bundle::packages;
use crate::contest::{Contender, Entry, take_turns};
use crate::event::EventSpec;
use crate::line;
use crate::ours::execute;
use crate::outside::{Outside, kept_apart_by};
use crate::peers::{self, IN_SUPERVISOR, Round};
use crate::report::{Contestant, Heading, MissingPeer, Unavailable};
use faastlane_compose::{DEFAULT_MAX_PAYLOAD_BYTES, Isolation, RequestedIsolation};
use faastlane_payload::Payload;
use faastlane_pool::{Launcher, Worker};
use serde::Serialize;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

const METRIC: &str = "from handing the input over to having the output, in microseconds";

/// Executions before the first that counts.
const WARM_UP: usize = 20;

/// How much is measured. Each number is at least 1.
#[derive(Clone, Debug)]
pub struct ChainOptions {
    /// In the chain; one contest for each, with at least [`ChainOptions::FEWEST`].
    pub functions: Vec<NonZeroUsize>,
    /// What is handed on.
    pub event: EventSpec,
    /// In a round.
    pub executions: usize,
    pub rounds: usize,
    /// Those of the chains for which peers that have to be installed have their turns, too.
    pub installed: Vec<NonZeroUsize>,
}

impl ChainOptions {
    /// Of less than two, nothing is handed on.
    pub const FEWEST: usize = 2;
    /// The peers make no more.
    pub const MOST: usize = 64;
}

/// A measurement and what it needs of the outside.
pub struct Chain<'a> {
    pub options: &'a ChainOptions,
    pub outside: &'a Outside<'a>,
}

/// `faastlane bench chain --json`.
#[derive(Clone, Debug, Serialize)]
pub struct ChainReport {
    #[serde(flatten)]
    pub heading: Heading,
    /// Of the contestant that the others are compared with.
    pub isolation: Isolation,
    /// What could not be measured here, and why.
    pub unavailable: Vec<Unavailable>,
    pub missing_peers: Vec<MissingPeer>,
    pub rounds: usize,
    pub executions_per_round: usize,
    pub contests: Vec<ChainContest>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ChainContest {
    pub functions: usize,
    /// Ours first, the strongest isolation before the others.
    pub contestants: Vec<Contestant>,
}

impl Chain<'_> {
    /// Measures. `progress` is told what is being done.
    ///
    /// # Errors
    /// Functions or peers cannot be run, one of them changed the event, or [`Outside::stop`] said so.
    pub fn run(&self, progress: &mut dyn FnMut(&str)) -> Result<ChainReport, BenchError> {
        let Chain { options, outside } = self;
        let begun = outside.begin();
        let (ways, unavailable) = outside.isolations()?;
        let bundle = line::of_hops(1, line::Domains::Apart)?;
        let (_, plan) = bundle.compose(outside, ways[0], DEFAULT_MAX_PAYLOAD_BYTES)?;
        let python = &plan.pythons[0];
        let (mut contests, mut missing_peers) = (Vec::new(), Vec::new());
        for &count in &options.functions {
            let functions = count.get();
            let (mut entries, packages) = self.ours(&ways, functions)?;
            let round = Round::Executions { functions, count: options.executions };
            let wanted = options.installed.contains(&count);
            let (peers, missing) = peers::timed(outside, python, &packages, options.event, round, wanted)?;
            entries.extend(peers.into_iter().map(|peer| Entry::new(false, peer)));
            peers::note(&mut missing_peers, missing);
            let what = name(count);
            let contestants = take_turns(&what, options.rounds, entries, outside, progress)?;
            contests.push(ChainContest { functions, contestants });
        }
        let names = |counts: &[NonZeroUsize]| counts.iter().copied().map(name).collect::<Vec<_>>();
        peers::note(
            &mut missing_peers,
            peers::unwanted(&names(&options.functions), &names(&options.installed)),
        );
        Ok(ChainReport {
            heading: begun.heading("chain", METRIC, python, outside),
            isolation: plan.isolation,
            unavailable,
            missing_peers,
            rounds: options.rounds,
            executions_per_round: options.executions,
            contests,
        })
    }

    /// And where what the functions require is installed.
    fn ours(
        &self,
        ways: &[RequestedIsolation],
        functions: usize,
    ) -> Result<(Vec<Entry>, Vec<PathBuf>), BenchError> {
        let Chain { options, outside } = self;
        let (mut entries, mut installed) = (Vec::new(), Vec::new());
        for &way in ways {
            let (warm, packages) = Warm::start(outside, way, functions, options)?;
            entries.push(Entry::new(true, warm));
            installed = packages;
        }
        Ok((entries, installed))
    }
}

/// Of the contest over so many.
fn name(functions: NonZeroUsize) -> String {
    format!("{functions} functions")
}

/// Our own way: a warm instance, asked by the process that supervises it.
struct Warm {
    name: String,
    isolation: Isolation,
    worker: Worker,
    event: Payload,
    in_a_round: usize,
    executions: usize,
}

impl Warm {
    fn start(
        outside: &Outside<'_>,
        wanted: RequestedIsolation,
        functions: usize,
        options: &ChainOptions,
    ) -> Result<(Self, Vec<PathBuf>), BenchError> {
        let bundle = line::of_functions(functions, line::FUNCTION)?;
        bundle.carry(options.event.kind)?;
        let limit = options.event.limit(DEFAULT_MAX_PAYLOAD_BYTES);
        let (workflow, plan) = bundle.compose(outside, wanted, limit)?;
        let isolation = plan.isolation;
        let packages = packages(&plan);
        let launcher = Arc::new(Launcher::new(outside.executable.to_owned(), plan, workflow.definition));
        let (mut worker, _) = Worker::start(&launcher, outside.stop)?;
        worker.take_thread();
        let mut warm = Self {
            name: format!("faastlane, {}", isolation.name()),
            isolation,
            worker,
            event: Payload::from_value(options.event.make()),
            in_a_round: options.executions,
            executions: 0,
        };
        let warmed = (0..WARM_UP).try_for_each(|_| warm.execute(outside).map(drop));
        warm.worker.free_thread();
        warmed.map(|()| (warm, packages))
    }

    /// In microseconds.
    fn execute(&mut self, outside: &Outside<'_>) -> Result<f64, BenchError> {
        let begin = Instant::now();
        let record = execute(&mut self.worker, &self.event, outside.stop)?;
        let took = begin.elapsed();
        if record.output.as_ref() != Some(&self.event) {
            return Err(BenchError::Changed { contestant: self.name.clone() });
        }
        Ok(took.as_secs_f64() * 1e6)
    }
}

impl Contender for Warm {
    fn name(&self) -> &str {
        &self.name
    }

    fn isolation(&self) -> &'static str {
        kept_apart_by(self.isolation)
    }

    fn durable(&self) -> &'static str {
        IN_SUPERVISOR
    }

    fn round(&mut self, outside: &Outside<'_>) -> Result<Vec<f64>, BenchError> {
        self.executions += self.in_a_round;
        let took = (0..self.in_a_round).map(|_| self.execute(outside)).collect();
        // The others' turn is next, on any CPU.
        self.worker.free_thread();
        took
    }

    fn executions(&self) -> usize {
        self.executions
    }
}
