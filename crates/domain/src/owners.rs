//! Which domain owns which range of addresses. The monitor's book, and what names the owner when a domain touches what is
//! not its own.

use std::collections::BTreeMap;
use std::ops::Range;

/// A domain of this process, by position.
pub type DomainIndex = usize;

/// What a range holds, as far as it matters to what its owner may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    Memory,
    /// A private mapping of a file.
    File,
    /// Instructions that were scanned where they are.
    Code,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Owned {
    end: usize,
    owner: DomainIndex,
    holds: Holds,
}

/// Disjoint ranges, each with its owner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owners {
    by_start: BTreeMap<usize, Owned>,
}

impl Owners {
    /// Who owns `address`.
    pub fn owner_of(&self, address: usize) -> Option<DomainIndex> {
        let (_, owned) = self.by_start.range(..=address).next_back()?;
        (address < owned.end).then_some(owned.owner)
    }

    /// Does `owner` own every byte of `range`?
    pub fn owns(&self, owner: DomainIndex, range: &Range<usize>) -> bool {
        self.covers(range, |owned| owned.owner == owner)
    }

    /// Is every byte of `range` a private mapping of a file of `owner`?
    pub(crate) fn is_file(&self, owner: DomainIndex, range: &Range<usize>) -> bool {
        self.covers(range, |owned| owned.owner == owner && owned.holds != Holds::Memory)
    }

    /// Is any byte of `range` code?
    pub(crate) fn has_code(&self, range: &Range<usize>) -> bool {
        self.by_start
            .range(..range.end)
            .rev()
            .take_while(|(_, owned)| owned.end > range.start)
            .any(|(_, owned)| owned.holds == Holds::Code)
    }

    fn covers(&self, range: &Range<usize>, accept: impl Fn(&Owned) -> bool) -> bool {
        let mut at = range.start;
        while at < range.end {
            match self.by_start.range(..=at).next_back() {
                Some((_, owned)) if owned.end > at && accept(owned) => at = owned.end,
                _ => return false,
            }
        }
        true
    }

    /// Enters `range`, whatever was known of it before.
    pub fn give(&mut self, range: Range<usize>, owner: DomainIndex, file: bool) {
        self.enter(range, owner, if file { Holds::File } else { Holds::Memory });
    }

    pub(crate) fn enter(&mut self, range: Range<usize>, owner: DomainIndex, holds: Holds) {
        self.remove(range.clone());
        if range.start < range.end {
            self.by_start.insert(range.start, Owned { end: range.end, owner, holds });
        }
    }

    /// Forgets `range`.
    pub fn remove(&mut self, range: Range<usize>) {
        if range.start >= range.end {
            return;
        }
        let touched: Vec<usize> = self
            .by_start
            .range(..range.end)
            .rev()
            .take_while(|(_, owned)| owned.end > range.start)
            .map(|(&start, _)| start)
            .collect();
        for start in touched {
            let Some(owned) = self.by_start.remove(&start) else { continue };
            if start < range.start {
                self.by_start.insert(start, Owned { end: range.start, ..owned });
            }
            if owned.end > range.end {
                self.by_start.insert(range.end, owned);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_in_the_middle_leaves_both_ends() {
        let mut owners = Owners::default();
        owners.give(10..20, 1, false);
        owners.remove(13..15);
        assert_eq!(owners.owner_of(12), Some(1));
        assert_eq!(owners.owner_of(13), None);
        assert_eq!(owners.owner_of(15), Some(1));
        assert!(!owners.owns(1, &(10..20)));
        assert!(owners.owns(1, &(15..20)));
    }

    #[test]
    fn neighbours_of_one_owner_are_one_range_to_ask_for() {
        let mut owners = Owners::default();
        owners.give(10..20, 1, false);
        owners.give(20..30, 1, true);
        owners.give(30..40, 2, false);
        assert!(owners.owns(1, &(12..28)));
        assert!(!owners.owns(1, &(12..31)));
        assert!(owners.is_file(1, &(20..30)) && !owners.is_file(1, &(19..30)));
    }

    #[test]
    fn code_is_found_wherever_it_overlaps() {
        let mut owners = Owners::default();
        owners.give(10..20, 1, true);
        owners.enter(20..30, 1, Holds::Code);
        assert!(owners.is_file(1, &(10..30)));
        assert!(!owners.has_code(&(10..20)) && !owners.has_code(&(30..40)));
        assert!(owners.has_code(&(10..21)) && owners.has_code(&(29..40)) && owners.has_code(&(0..40)));
    }

    #[test]
    fn giving_replaces_what_was_there() {
        let mut owners = Owners::default();
        owners.give(10..40, 1, false);
        owners.give(20..30, 2, false);
        assert_eq!([15, 25, 35].map(|at| owners.owner_of(at)), [Some(1), Some(2), Some(1)]);
    }
}
