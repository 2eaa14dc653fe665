//! `faastlane bench hop`: what it costs to get from one function to the next, beside other ways to do it.
//!
//! A hop is the time from the return of one function's handler to the call of the next one's. All contestants run the same
//! functions on the same events with the same Python, in rounds that take turns: A B C, A B C, … so that drift of the machine
//! cancels out.

use crate::BenchError;
use crate::event::EventSpec;
use crate::machine::Machine;
use crate::ours::Ours;
use crate::peers;
use crate::report::{Contestant, EventReport, HopReport, Unavailable, Versions, targets};
use crate::start_up::{self, Starts};
use crate::statistics::Summary;
use faastlane_compose::{Host, Isolation, PythonInstall, RequestedIsolation, Surroundings, decide_isolation};
use std::path::Path;

/// How much is measured.
#[derive(Clone, Debug)]
pub struct HopOptions {
    /// At least one.
    pub events: Vec<EventSpec>,
    /// How often each contestant has its turn; at least 1.
    pub rounds: usize,
    /// In one round, at most; fewer where events are large. At least 1.
    pub hops: usize,
    /// Fresh starts; at least 1.
    pub starts: usize,
}

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
    /// Of the `faastlane` command.
    pub executable: &'a Path,
    pub command_line: Vec<String>,
    pub surroundings: &'a Surroundings,
    pub host: &'a Host,
    /// Asked from time to time; true ends the measurement.
    pub stop: &'a dyn Fn() -> bool,
}

/// A way from function to function.
pub(crate) trait Contender {
    fn name(&self) -> &str;
    /// What keeps a function from another's memory.
    fn isolation(&self) -> &'static str;
    /// Measures one round of hops, in microseconds.
    fn round(&mut self, hop: &Hop<'_>) -> Result<Vec<f64>, BenchError>;
    /// How often the event has gone through all functions, and was checked after.
    fn executions(&self) -> usize;
}

impl Hop<'_> {
    /// Measures. `progress` is told what is being done.
    ///
    /// # Errors
    /// Functions or peers cannot be run, one of them changed the event, or [`Hop::stop`] said so.
    pub fn run(&self, progress: &mut dyn FnMut(&str)) -> Result<HopReport, BenchError> {
        let date = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let machine = Machine::of(self.host);
        let (ways, unavailable) = self.isolations()?;
        progress("starting instances");
        let Starts { start_up, domains, isolation, python } = start_up::measure(self, ways[0])?;
        let mut events = Vec::new();
        for &spec in &self.options.events {
            events.push(self.contest(spec, &ways, &python, progress)?);
        }
        Ok(HopReport {
            format_version: 1,
            benchmark: "hop",
            metric: "from the return of one function's handler to the call of the next one's, in microseconds",
            command_line: self.command_line.clone(),
            date,
            machine,
            versions: Versions { faastlane: env!("CARGO_PKG_VERSION"), python: python.version_text() },
            isolation,
            unavailable,
            rounds: self.options.rounds,
            targets: targets(isolation, &events, &domains),
            events,
            domains,
            start_up,
        })
    }

    /// What this host has, the strongest first and at least one, and what it does not have.
    fn isolations(&self) -> Result<(Vec<RequestedIsolation>, Vec<Unavailable>), BenchError> {
        let mut available = Vec::new();
        let (mut unavailable, mut findings) = (Vec::new(), Vec::new());
        let all = [
            (RequestedIsolation::Mpk, Isolation::Mpk),
            (RequestedIsolation::Process, Isolation::Process),
            (RequestedIsolation::None, Isolation::None),
        ];
        for (wanted, isolation) in all {
            match decide_isolation(wanted, self.host) {
                Ok(_) => available.push(wanted),
                Err(finding) => {
                    unavailable
                        .push(Unavailable { isolation: isolation.name(), reason: finding.message.clone() });
                    findings.push(finding);
                }
            }
        }
        if available.is_empty() { Err(BenchError::Compose(findings)) } else { Ok((available, unavailable)) }
    }

    /// All rounds over one event.
    fn contest(
        &self,
        spec: EventSpec,
        ways: &[RequestedIsolation],
        python: &PythonInstall,
        progress: &mut dyn FnMut(&str),
    ) -> Result<EventReport, BenchError> {
        let mut entries = Vec::new();
        for &way in ways {
            entries.push(Entry::new(true, Ours::start(self, way, spec)?));
        }
        for peer in peers::peers(&python.executable, spec)? {
            entries.push(Entry::new(false, peer));
        }
        for round in 1..=self.options.rounds {
            progress(&format!("{spec}: round {round} of {}", self.options.rounds));
            for entry in &mut entries {
                if (self.stop)() {
                    return Err(BenchError::Interrupted);
                }
                entry.rounds.push(entry.contender.round(self)?);
            }
        }
        let contestants = entries.iter().map(Entry::contestant).collect();
        Ok(EventReport::new(spec, hops_per_round(self.options, spec), contestants))
    }
}

/// A contender and what it has measured.
struct Entry {
    ours: bool,
    contender: Box<dyn Contender>,
    rounds: Vec<Vec<f64>>,
}

impl Entry {
    fn new(ours: bool, contender: impl Contender + 'static) -> Self {
        Self { ours, contender: Box::new(contender), rounds: Vec::new() }
    }

    fn contestant(&self) -> Contestant {
        Contestant {
            name: self.contender.name().to_owned(),
            ours: self.ours,
            isolation: self.contender.isolation(),
            executions_verified: self.contender.executions(),
            summary: Summary::of(&self.rounds),
            ratio: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_of_large_events_are_shorter() {
        let options = HopOptions { events: Vec::new(), rounds: 5, hops: 1000, starts: 1 };
        let hops = |spec: &str| hops_per_round(&options, spec.parse().unwrap());
        assert_eq!(
            [hops("text:0"), hops("text:200"), hops("text:1MiB"), hops("text:64MiB")],
            [1000, 1000, 64, 10]
        );
        let few = HopOptions { hops: 3, ..options };
        assert_eq!(hops_per_round(&few, "text:64MiB".parse().unwrap()), 3);
    }
}
