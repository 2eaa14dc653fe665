//! `faastlane bench hop`: what it costs to get from one function to the next, beside other ways to do it.
//!
//! A hop is the time from the return of one function's handler to the call of the next one's. All contestants run the same
//! functions on the same events with the same Python, in rounds that take turns: A B C, A B C, … so that drift of the machine
//! cancels out.

use crate::BenchError;
use crate::contest::{Entry, take_turns};
use crate::event::EventSpec;
use crate::line::Domains;
use crate::ours::Ours;
use crate::outside::Outside;
use crate::peers::{self, Round};
use crate::report::{EventReport, HopReport, MissingPeer, targets};
use crate::start_up::{self, Starts};
use faastlane_compose::{PythonInstall, RequestedIsolation};

/// How much is measured.
#[derive(Clone, Debug)]
pub struct HopOptions {
    /// At least one.
    pub events: Vec<EventSpec>,
    /// How often each contestant has its turn; at least 1.
    pub rounds: usize,
    /// In one round, at most; fewer where events are large. At least 1.
    pub hops: usize,
    /// Those of the events for which peers that have to be installed have their turns, too.
    pub installed: Vec<EventSpec>,
    /// Fresh starts; at least 1.
    pub starts: usize,
}

const METRIC: &str =
    "from the return of one function's handler to the call of the next one's, in microseconds";

/// Events of a round hold this many bytes together, at most.
const BYTES_PER_ROUND: u64 = 64 << 20;
/// Whatever the size of the event.
const FEWEST_HOPS: usize = 10;

pub(crate) fn hops_per_round(options: &HopOptions, spec: EventSpec) -> usize {
    let affordable = usize::try_from(BYTES_PER_ROUND / spec.size.max(1)).unwrap_or(usize::MAX);
    options.hops.min(affordable.max(FEWEST_HOPS))
}

/// A measurement and what it needs of the outside.
pub struct Hop<'a> {
    pub options: &'a HopOptions,
    pub outside: &'a Outside<'a>,
}

impl Hop<'_> {
    /// Measures. `progress` is told what is being done.
    ///
    /// # Errors
    /// Functions or peers cannot be run, one of them changed the event, or [`Outside::stop`] said so.
    pub fn run(&self, progress: &mut dyn FnMut(&str)) -> Result<HopReport, BenchError> {
        let begun = self.outside.begin();
        let (ways, unavailable) = self.outside.isolations()?;
        progress("starting instances");
        let Starts { start_up, domains, isolation, python } = start_up::measure(self, ways[0])?;
        let (mut contests, mut missing_peers) = (Vec::new(), Vec::new());
        for &spec in &self.options.events {
            let (contest, missing) = self.contest(spec, &ways, &python, progress)?;
            contests.push(contest);
            peers::note(&mut missing_peers, missing);
        }
        let names = |events: &[EventSpec]| events.iter().map(ToString::to_string).collect::<Vec<_>>();
        let unwanted = peers::unwanted(&names(&self.options.events), &names(&self.options.installed));
        peers::note(&mut missing_peers, unwanted);
        Ok(HopReport {
            heading: begun.heading("hop", METRIC, &python, self.outside),
            isolation,
            unavailable,
            missing_peers,
            rounds: self.options.rounds,
            targets: targets(isolation, &contests, &domains),
            contests,
            domains,
            start_up,
        })
    }

    /// All rounds over one event.
    fn contest(
        &self,
        spec: EventSpec,
        ways: &[RequestedIsolation],
        python: &PythonInstall,
        progress: &mut dyn FnMut(&str),
    ) -> Result<(EventReport, Vec<MissingPeer>), BenchError> {
        let mut entries = Vec::new();
        for &way in ways {
            entries.push(Entry::new(true, Ours::start(self, way, spec, Domains::Apart)?));
        }
        let shared = Ours::start(self, ways[0], spec, Domains::Shared)?;
        let packages = shared.packages().to_owned();
        entries.push(Entry::new(true, shared));
        let round = Round::Hops(hops_per_round(self.options, spec));
        let wanted = self.options.installed.contains(&spec);
        let (peers, missing) = peers::timed(self.outside, python, &packages, spec, round, wanted)?;
        entries.extend(peers.into_iter().map(|peer| Entry::new(false, peer)));
        let what = spec.to_string();
        let contestants = take_turns(&what, self.options.rounds, entries, self.outside, progress)?;
        Ok((EventReport::new(spec, hops_per_round(self.options, spec), contestants), missing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_of_large_events_are_shorter() {
        let options =
            HopOptions { events: Vec::new(), rounds: 5, hops: 1000, installed: Vec::new(), starts: 1 };
        let hops = |spec: &str| hops_per_round(&options, spec.parse().unwrap());
        assert_eq!(
            [hops("text:0"), hops("text:200"), hops("text:1MiB"), hops("text:64MiB")],
            [1000, 1000, 64, 10]
        );
        let few = HopOptions { hops: 3, ..options };
        assert_eq!(hops_per_round(&few, "text:64MiB".parse().unwrap()), 3);
    }
}
