//! From samples to the few numbers that are quoted.

use serde::Serialize;

/// The medians of the rounds of one contestant may lie this far apart; beyond, the machine was not quiet enough to quote.
const QUIET: f64 = 2.0;

/// What a contestant's rounds came to. Microseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// How many samples.
    pub samples: usize,
    /// Over all rounds.
    pub p50_us: f64,
    pub p99_us: f64,
    /// The median of each round, in order.
    pub round_p50_us: Vec<f64>,
    /// The rounds differ too much to quote the numbers above.
    pub too_noisy: bool,
}

impl Summary {
    /// Of rounds of samples, none of them empty, in microseconds.
    pub(crate) fn of(rounds: &[Vec<f64>]) -> Self {
        let round_p50_us: Vec<f64> = rounds.iter().map(|round| percentile(round, 50.0)).collect();
        let all = rounds.concat();
        let (lowest, highest) = range(&round_p50_us);
        Self {
            samples: all.len(),
            p50_us: percentile(&all, 50.0),
            p99_us: percentile(&all, 99.0),
            too_noisy: highest > QUIET * lowest,
            round_p50_us,
        }
    }

    /// The lowest and the highest median of a round.
    pub fn spread_us(&self) -> (f64, f64) {
        range(&self.round_p50_us)
    }
}

/// The smallest sample that `percent` of all are not above (the nearest rank); 0 of no samples.
pub(crate) fn percentile(samples: &[f64], percent: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

fn range(values: &[f64]) -> (f64, f64) {
    let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
    (lowest, values.iter().copied().fold(0.0, f64::max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples_at_the_nearest_rank() {
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(percentile(&hundred, 50.0), 50.0);
        assert_eq!(percentile(&hundred, 99.0), 99.0);
        assert_eq!(percentile(&hundred, 100.0), 100.0);
        assert_eq!(percentile(&[3.0, 1.0, 2.0], 50.0), 2.0);
        assert_eq!(percentile(&[3.0, 1.0, 2.0], 99.0), 3.0);
        assert_eq!(percentile(&[7.0], 50.0), 7.0);
        assert_eq!(percentile(&[], 50.0), 0.0);
    }

    #[test]
    fn a_summary_takes_all_rounds_and_keeps_their_medians() {
        let summary = Summary::of(&[vec![1.0, 2.0, 3.0], vec![3.0, 4.0, 5.0], vec![2.0, 3.0, 90.0]]);
        assert_eq!((summary.samples, summary.p50_us, summary.p99_us), (9, 3.0, 90.0));
        assert_eq!(summary.round_p50_us, [2.0, 4.0, 3.0]);
        assert_eq!(summary.spread_us(), (2.0, 4.0));
        assert!(!summary.too_noisy, "twice is still quiet");
    }

    #[test]
    fn rounds_that_differ_by_more_than_twice_are_not_quoted() {
        assert!(Summary::of(&[vec![1.0], vec![2.1], vec![1.5]]).too_noisy);
        assert!(!Summary::of(&[vec![5.0, 500.0, 5.0]]).too_noisy, "a tail is no noise between rounds");
    }
}
