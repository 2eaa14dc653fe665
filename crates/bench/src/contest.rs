//! Contestants that have their turns: A B C, A B C, … so that drift of the machine cancels out.

use crate::BenchError;
use crate::outside::Outside;
use crate::peers::NOT_DURABLE;
use crate::processes::CpuTime;
use crate::report::Contestant;
use crate::statistics::{Summary, ratio_interval};

/// A way to do what is measured.
pub(crate) trait Contender {
    fn name(&self) -> &str;
    /// What keeps a function from another's memory.
    fn isolation(&self) -> &'static str;
    /// Where results are when something is lost.
    fn durable(&self) -> &'static str {
        NOT_DURABLE
    }
    /// Measures one round; at least one sample, in microseconds.
    fn round(&mut self, outside: &Outside<'_>) -> Result<Vec<f64>, BenchError>;
    /// How often all functions have run, and what came out was checked.
    fn executions(&self) -> usize;
    /// What all rounds took of the CPUs, where that is measured.
    fn cpu(&self) -> Option<CpuTime> {
        None
    }
}

/// A contender and what it has measured.
pub(crate) struct Entry {
    ours: bool,
    contender: Box<dyn Contender>,
    rounds: Vec<Vec<f64>>,
}

impl Entry {
    pub(crate) fn new(ours: bool, contender: impl Contender + 'static) -> Self {
        Self { ours, contender: Box::new(contender), rounds: Vec::new() }
    }

    fn contestant(&self) -> Contestant {
        Contestant {
            name: self.contender.name().to_owned(),
            ours: self.ours,
            isolation: self.contender.isolation(),
            durable: self.contender.durable(),
            executions_verified: self.contender.executions(),
            summary: Summary::of(&self.rounds),
            ratio: None,
            ratio_interval: None,
            cpu: self.contender.cpu(),
        }
    }
}

/// So many samples, until the user has had enough.
pub(crate) fn repeat(
    samples: usize,
    outside: &Outside<'_>,
    mut sample: impl FnMut() -> Result<f64, BenchError>,
) -> Result<Vec<f64>, BenchError> {
    (0..samples).map(|_| if (outside.stop)() { Err(BenchError::Interrupted) } else { sample() }).collect()
}

/// All rounds; the first entry is the one that the others are compared with. `progress` is told of each round of `what`.
pub(crate) fn take_turns(
    what: &str,
    rounds: usize,
    mut entries: Vec<Entry>,
    outside: &Outside<'_>,
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<Contestant>, BenchError> {
    for round in 1..=rounds {
        progress(&format!("{what}: round {round} of {rounds}"));
        for entry in &mut entries {
            if (outside.stop)() {
                return Err(BenchError::Interrupted);
            }
            entry.rounds.push(entry.contender.round(outside)?);
        }
    }
    Ok(compared(entries.iter().map(Entry::contestant).collect(), &rounds_of(&entries)))
}

fn rounds_of(entries: &[Entry]) -> Vec<&[Vec<f64>]> {
    entries.iter().map(|entry| entry.rounds.as_slice()).collect()
}

/// Works out the ratios to the first: `rounds` are those of each contestant. A ratio is quoted when it varies little itself,
/// or, where there was but one round, when both medians can be.
pub(crate) fn compared(mut contestants: Vec<Contestant>, rounds: &[&[Vec<f64>]]) -> Vec<Contestant> {
    let Some(ours) = contestants.first().map(|first| first.summary.clone()) else { return contestants };
    for (contestant, its_rounds) in contestants.iter_mut().zip(rounds) {
        let interval = ratio_interval(its_rounds, rounds[0]);
        let quiet = match &interval {
            Some(interval) => interval.is_quiet(),
            None => !ours.too_noisy && !contestant.summary.too_noisy,
        };
        contestant.ratio = quiet.then(|| contestant.summary.p50_us / ours.p50_us);
        contestant.ratio_interval = interval;
    }
    contestants
}
