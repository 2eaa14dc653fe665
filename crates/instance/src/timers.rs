//! What is due when.

use faastlane_machine::{InvocationId, Micros, TimerId};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// A timer of the machine's.
    Machine(TimerId),
    /// A function has used up its own timeout.
    Function(InvocationId),
    /// A call that nobody waits for has had its time to give its domain back.
    Grace(InvocationId),
    /// The first call of a domain has taken so long that more lanes may be worth it.
    Lane(usize),
    /// The stand-in that took an invocation answers.
    StandIn(InvocationId),
    /// An invocation that could not even begin, with error and cause. Due at once; it waits its turn so that the machine is
    /// never entered twice.
    Failure(InvocationId, String, String),
}

#[derive(Debug, Default)]
pub(crate) struct Timers {
    /// The number keeps those of one moment in the order they were set.
    by_time: BTreeMap<(Micros, u64), Due>,
    set: u64,
}

impl Timers {
    pub(crate) fn set(&mut self, due: Due, at: Micros) {
        self.set += 1;
        self.by_time.insert((at, self.set), due);
    }

    pub(crate) fn is_set(&self, due: &Due) -> bool {
        self.by_time.values().any(|other| other == due)
    }

    pub(crate) fn cancel(&mut self, due: Due) {
        if !self.by_time.is_empty() {
            self.by_time.retain(|_, other| *other != due);
        }
    }

    /// Nothing of an invocation is to come any more.
    pub(crate) fn forget(&mut self, invocation: InvocationId) {
        let is_of = |due: &Due| match due {
            Due::Function(id) | Due::StandIn(id) | Due::Failure(id, ..) => *id == invocation,
            Due::Machine(_) | Due::Grace(_) | Due::Lane(_) => false,
        };
        if !self.by_time.is_empty() {
            self.by_time.retain(|_, due| !is_of(due));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_time.is_empty()
    }

    /// When the next one is due.
    pub(crate) fn next(&self) -> Option<Micros> {
        self.by_time.first_key_value().map(|((at, _), _)| *at)
    }

    pub(crate) fn take_due(&mut self, now: Micros) -> Option<Due> {
        let entry = self.by_time.first_entry()?;
        if entry.key().0 <= now { Some(entry.remove()) } else { None }
    }

    pub(crate) fn clear(&mut self) {
        self.by_time.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_first_and_those_of_one_moment_in_order() {
        let mut timers = Timers::default();
        for (id, at) in [(1, 30), (2, 10), (3, 10), (4, 20)] {
            timers.set(Due::Machine(TimerId(id)), at);
        }
        timers.cancel(Due::Machine(TimerId(4)));
        assert_eq!(timers.next(), Some(10));
        assert_eq!(timers.take_due(9), None);
        let due: Vec<Due> = std::iter::from_fn(|| timers.take_due(100)).collect();
        assert_eq!(due, [2, 3, 1].map(|id| Due::Machine(TimerId(id))));
    }
}
