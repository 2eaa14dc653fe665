use crate::object::{Object, Python, Raised};

/// Strings of recent dict keys, so that the same few keys are not made and hashed anew for every event.
///
/// Interning would do that too, but from 3.12 on CPython never frees an interned string, and keys may be
/// data.
pub(crate) struct Keys<'a> {
    recent: [Option<Recent<'a>>; SLOTS],
    /// The last one that was too long to be kept.
    long: Option<Object<'a>>,
}

struct Recent<'a> {
    /// A copy, because asking the string costs a call.
    name: Name,
    string: Object<'a>,
}

/// A key of at most [`LONGEST`] bytes.
#[derive(Clone, Copy)]
struct Name {
    bytes: [u8; LONGEST],
    length: usize,
}

const SLOTS: usize = 256;
const LONGEST: usize = 32;

impl<'a> Keys<'a> {
    pub(crate) fn new() -> Keys<'a> {
        Keys { recent: [const { None }; SLOTS], long: None }
    }

    /// The string for `key`; raises when it is not UTF-8.
    pub(crate) fn get(&mut self, python: Python<'a>, key: &[u8]) -> Result<&Object<'a>, Raised> {
        if key.len() > LONGEST {
            return Ok(self.long.insert(python.text(key)?));
        }
        let slot = &mut self.recent[slot(key)];
        if slot.as_ref().is_none_or(|recent| recent.name.bytes() != key) {
            *slot = Some(Recent { name: Name::of(key), string: python.text(key)? });
        }
        match slot {
            Some(recent) => Ok(&recent.string),
            None => unreachable!("it has just been filled"),
        }
    }
}

impl Name {
    /// Of a key that is not too long.
    fn of(key: &[u8]) -> Self {
        let mut bytes = [0; LONGEST];
        bytes[..key.len()].copy_from_slice(key);
        Self { bytes, length: key.len() }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Where a key is kept. By its first and last eight bytes and its length: most keys are not longer, and those that differ in
/// the middle only take turns. Multiplies by the 64-bit golden ratio, whose high bits depend on all of the product's.
fn slot(key: &[u8]) -> usize {
    let (first, last) = ends(key);
    let mixed = [first, last].into_iter().fold(key.len() as u64, |hash, word| {
        (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    });
    (mixed >> 56) as usize
}

/// The first bytes of a key and its last, which overlap in a short one.
fn ends(key: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (key.first_chunk(), key.last_chunk()) {
        return (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (key.first_chunk(), key.last_chunk()) {
        return (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into());
    }
    (key.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0)
}

const _: () = assert!(SLOTS == 1 << 8, "as many as `slot` tells apart");

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn keys_of_all_lengths_are_spread() {
        let text = "abcdefghijklmnopqrstuvwxyz012345";
        let slots: BTreeSet<usize> = (0..=LONGEST).map(|length| slot(&text.as_bytes()[..length])).collect();
        assert!(slots.len() > 25, "only {} slots for 33 keys", slots.len());
        let slots: BTreeSet<usize> =
            (0..100).map(|number| slot(format!("key_{number}").as_bytes())).collect();
        assert!(slots.len() > 70, "only {} slots for 100 keys", slots.len());
    }

    #[test]
    fn a_name_is_its_bytes() {
        for key in ["", "\0", "a", "a\0", &"k".repeat(LONGEST)] {
            assert_eq!(Name::of(key.as_bytes()).bytes(), key.as_bytes());
        }
    }
}
