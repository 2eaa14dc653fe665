//! From samples to the few numbers that are quoted, each with an interval.
//!
//! What is measured in one round lies closer together than what is measured in two: the machine is in one mood. So the rounds,
//! not the samples, are what an interval is drawn from: a bootstrap that draws whole rounds, with replacement, and takes the
//! 2.5th and the 97.5th percentile of what comes out (Davison and Hinkley, *Bootstrap Methods and their Application*, 1997,
//! 3.8; for benchmarks: Kalibera and Jones, *Rigorous Benchmarking in Reasonable Time*, ISMM 2013). A ratio draws the same
//! rounds of both contestants, which took turns in them, so that what slowed both does not count.

use serde::{Deserialize, Serialize};

/// The medians of the rounds of one contestant, or the bounds of a ratio, may lie this far apart; beyond, the machine was not
/// quiet enough to quote.
const QUIET: f64 = 2.0;
/// How often rounds are drawn.
const DRAWS: usize = 1000;
/// Outside of the interval, at each end, in percent.
const TAIL: f64 = 2.5;

/// Where the true value lies with 95 % confidence. Of few rounds it is too narrow rather than too wide.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

impl Interval {
    fn of(values: &[f64]) -> Self {
        Self { low: percentile(values, TAIL), high: percentile(values, 100.0 - TAIL) }
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.high <= QUIET * self.low
    }
}

/// What a contestant's rounds came to. Microseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// How many samples.
    pub samples: usize,
    /// Over all rounds.
    pub p50_us: f64,
    pub p99_us: f64,
    /// `None` of a single round.
    pub p50_interval_us: Option<Interval>,
    pub p99_interval_us: Option<Interval>,
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
        let pool = Pool::of(rounds);
        let interval = |percent| {
            let drawn: Vec<f64> =
                draws(rounds.len()).map(|counts| pool.percentile(&counts, percent)).collect();
            (!drawn.is_empty()).then(|| Interval::of(&drawn))
        };
        Self {
            samples: all.len(),
            p50_us: percentile(&all, 50.0),
            p99_us: percentile(&all, 99.0),
            p50_interval_us: interval(50.0),
            p99_interval_us: interval(99.0),
            too_noisy: highest > QUIET * lowest,
            round_p50_us,
        }
    }

    /// The lowest and the highest median of a round.
    pub fn spread_us(&self) -> (f64, f64) {
        range(&self.round_p50_us)
    }
}

/// How many times `over` is as long as `under`, median by median; `None` where there are not two rounds of both, in turns.
pub(crate) fn ratio_interval(over: &[Vec<f64>], under: &[Vec<f64>]) -> Option<Interval> {
    let turns = if over.len() == under.len() { over.len() } else { 0 };
    let (over, under) = (Pool::of(over), Pool::of(under));
    let ratio = |counts: Vec<usize>| over.percentile(&counts, 50.0) / under.percentile(&counts, 50.0);
    let drawn: Vec<f64> = draws(turns).map(ratio).collect();
    (!drawn.is_empty()).then(|| Interval::of(&drawn))
}

/// All samples of all rounds, in order of size, each with its round.
struct Pool {
    sorted: Vec<(f64, usize)>,
    /// Samples of each round.
    sizes: Vec<usize>,
}

impl Pool {
    fn of(rounds: &[Vec<f64>]) -> Self {
        let with_round = |(round, samples): (usize, &Vec<f64>)| {
            samples.iter().map(|&sample| (sample, round)).collect::<Vec<_>>()
        };
        let mut sorted: Vec<(f64, usize)> = rounds.iter().enumerate().flat_map(with_round).collect();
        sorted.sort_by(|one, other| one.0.total_cmp(&other.0));
        Self { sorted, sizes: rounds.iter().map(Vec::len).collect() }
    }

    /// As if round `n` had been there `counts[n]` times.
    fn percentile(&self, counts: &[usize], percent: f64) -> f64 {
        let all: usize = self.sizes.iter().zip(counts).map(|(size, count)| size * count).sum();
        let rank = (percent / 100.0 * all as f64).ceil() as usize;
        let mut passed = 0;
        let reaches = |&&(_, round): &&(f64, usize)| {
            passed += counts[round];
            passed >= rank.max(1)
        };
        self.sorted.iter().find(reaches).map_or(0.0, |&(sample, _)| sample)
    }
}

/// How often each of the rounds was drawn, many times; the same ones in each run. None of fewer than two rounds.
fn draws(rounds: usize) -> impl Iterator<Item = Vec<usize>> {
    let mut state = 0_u64;
    let draws = if rounds < 2 { 0 } else { DRAWS };
    (0..draws).map(move |_| {
        let mut counts = vec![0; rounds];
        for _ in 0..rounds {
            counts[(next_random(&mut state) % rounds as u64) as usize] += 1;
        }
        counts
    })
}

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
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

    #[test]
    fn a_draw_is_worth_what_it_repeats() {
        let rounds = [vec![1.0, 5.0], vec![2.0], vec![3.0, 4.0, 9.0]];
        let pool = Pool::of(&rounds);
        for counts in [[1, 1, 1], [0, 2, 1], [3, 0, 0]] {
            let repeated = |(round, &count): (&Vec<f64>, &usize)| vec![round.clone(); count].concat();
            let all: Vec<f64> = rounds.iter().zip(&counts).flat_map(repeated).collect();
            for percent in [50.0, 99.0] {
                assert_eq!(pool.percentile(&counts, percent), percentile(&all, percent), "{counts:?}");
            }
        }
        assert!(draws(5).all(|counts| counts.iter().sum::<usize>() == 5));
        assert_eq!((draws(5).count(), draws(1).count()), (DRAWS, 0));
    }

    /// Uniform between `from` and `from + 1`, which has its median in the middle.
    fn uniform(state: &mut u64, from: f64) -> f64 {
        from + next_random(state) as f64 / u64::MAX as f64
    }

    #[test]
    fn intervals_hold_the_true_median_as_often_as_they_say() {
        let mut state = 7;
        let mut held = 0;
        for _ in 0..100 {
            // Each round has a mood of its own: it lies up to a half higher or lower.
            let rounds: Vec<Vec<f64>> = (0..20)
                .map(|_| {
                    let mood = uniform(&mut state, -0.5);
                    (0..20).map(|_| uniform(&mut state, 9.5) + mood).collect()
                })
                .collect();
            let interval = Summary::of(&rounds).p50_interval_us.unwrap();
            held += usize::from(interval.low <= 10.0 && 10.0 <= interval.high);
        }
        assert!((90..=99).contains(&held), "held {held} times of 100");
    }

    #[test]
    fn what_slows_both_does_not_count_for_a_ratio() {
        let drifting: Vec<Vec<f64>> = (1..=6).map(|round| vec![f64::from(round); 5]).collect();
        let threefold: Vec<Vec<f64>> =
            drifting.iter().map(|round| round.iter().map(|us| 3.0 * us).collect()).collect();
        assert!(Summary::of(&drifting).too_noisy);
        assert_eq!(ratio_interval(&threefold, &drifting), Some(Interval { low: 3.0, high: 3.0 }));
        assert_eq!(ratio_interval(&threefold[..5], &drifting), None, "they did not take turns");
        assert_eq!(ratio_interval(&threefold[..1], &drifting[..1]), None);
    }
}
