//! Contestants that have their turns: A B C, A B C, … so that drift of the machine cancels out.

use crate::BenchError;
use crate::outside::Outside;
use crate::processes::CpuTime;
use crate::report::Contestant;
use crate::statistics::Summary;

/// A way to do what is measured.
pub(crate) trait Contender {
    fn name(&self) -> &str;
    /// What keeps a function from another's memory.
    fn isolation(&self) -> &'static str;
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
            executions_verified: self.contender.executions(),
            summary: Summary::of(&self.rounds),
            ratio: None,
            cpu: self.contender.cpu(),
        }
    }
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
    Ok(compared(entries.iter().map(Entry::contestant).collect()))
}

/// Works out the ratios.
pub(crate) fn compared(mut contestants: Vec<Contestant>) -> Vec<Contestant> {
    let ours = contestants.first().map(|first| first.summary.clone());
    for contestant in &mut contestants {
        let quiet = ours.as_ref().filter(|ours| !ours.too_noisy && !contestant.summary.too_noisy);
        contestant.ratio = quiet.map(|ours| contestant.summary.p50_us / ours.p50_us);
    }
    contestants
}
