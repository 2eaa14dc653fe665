//! What is to go wrong in an execution: drawn from a seed, so that it can be drawn again.

use super::workflow::{CAUGHT, RETRIES, STEPS};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Numbers that follow from a seed (SplitMix64: <https://prng.di.unimi.it/splitmix64.c>).
pub(super) struct Random(u64);

impl Random {
    /// Another sequence for each `number`.
    pub(super) fn of(seed: u64, number: u64) -> Self {
        let mut random = Self(seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        random.next();
        random
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// 0 to 1, without 1.
    pub(super) fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Less than `end`, which is not 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// What a function does in an attempt, if it gets to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Fault {
    /// Reads an address where there is nothing.
    Crash,
    /// Never returns.
    Loop,
}

/// Of the attempts that are to be killed: by a signal, by themselves, by a limit on time. The last takes a second each.
pub(super) const SIGNALS: f64 = 0.4;
const CRASHES: f64 = 0.4;
const LOOPS: f64 = 0.2;
/// One in so many faults is repeated until there is no retry left.
const HOPELESS: usize = 20;

/// One execution, and what its functions are to do in their first attempts.
#[derive(Clone, Debug)]
pub(super) struct Fate {
    pub(super) id: u64,
    pub(super) faults: BTreeMap<usize, Vec<Fault>>,
}

impl Fate {
    pub(super) fn draw(random: &mut Random, id: u64, killed: f64) -> Self {
        let mut faults = BTreeMap::new();
        for (step, retries) in RETRIES.into_iter().enumerate().take(STEPS) {
            let drawn = random.part();
            let fault = match drawn {
                drawn if drawn < killed * CRASHES => Fault::Crash,
                drawn if drawn < killed * (CRASHES + LOOPS) => Fault::Loop,
                _ => continue,
            };
            // What is caught is so more often: the way through the Catch is one to be seen.
            let hopeless = random.below(if step == CAUGHT { 2 } else { HOPELESS }) == 0;
            faults.insert(step, vec![fault; if hopeless { retries as usize + 1 } else { 1 }]);
        }
        Self { id, faults }
    }

    pub(super) fn input(&self) -> Value {
        let faults: BTreeMap<String, &Vec<Fault>> =
            self.faults.iter().map(|(step, faults)| (step.to_string(), faults)).collect();
        json!({ "id": self.id, "faults": faults, "trail": [] })
    }

    pub(super) fn planned(&self, step: usize, attempt: usize) -> Option<Fault> {
        self.faults.get(&step)?.get(attempt).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fate_follows_from_its_seed() {
        let draw = |seed, id| Fate::draw(&mut Random::of(seed, id), id, 0.5).input();
        assert_eq!(draw(7, 3), draw(7, 3));
        assert!((0..20).any(|id| draw(7, id)["faults"] != draw(8, id)["faults"]));
    }

    #[test]
    fn as_many_go_wrong_as_are_asked_for() {
        let faulty = |killed: f64| -> usize {
            (0..2000).map(|id| Fate::draw(&mut Random::of(1, id), id, killed).faults.len()).sum()
        };
        assert_eq!(faulty(0.0), 0);
        // Of 10,000 steps a tenth, less what signals are for.
        let tenth = faulty(0.1);
        assert!((500..700).contains(&tenth), "{tenth}");
    }

    #[test]
    fn some_are_hopeless_and_some_are_not() {
        let all = (0..500).map(|id| Fate::draw(&mut Random::of(1, id), id, 1.0));
        let lengths: Vec<usize> = all.flat_map(|fate| fate.faults.get(&0).map(Vec::len)).collect();
        assert!(lengths.contains(&1) && lengths.contains(&(RETRIES[0] as usize + 1)), "{lengths:?}");
    }
}
