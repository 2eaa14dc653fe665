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

/// A key of at most [`LONGEST`] bytes, so that two of them compare and hash in a few instructions.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Name {
    words: [u64; LONGEST / 8],
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
        let Some(name) = Name::of(key) else {
            return Ok(self.long.insert(python.text(key)?));
        };
        let slot = &mut self.recent[name.slot()];
        if slot.as_ref().is_none_or(|recent| recent.name != name) {
            *slot = Some(Recent { name, string: python.text(key)? });
        }
        match slot {
            Some(recent) => Ok(&recent.string),
            None => unreachable!("it has just been filled"),
        }
    }
}

impl Name {
    /// `None` for a longer one.
    fn of(key: &[u8]) -> Option<Self> {
        if key.len() > LONGEST {
            return None;
        }
        let mut words = [0; LONGEST / 8];
        let (whole, rest) = key.as_chunks::<8>();
        for (word, bytes) in words.iter_mut().zip(whole) {
            *word = u64::from_le_bytes(*bytes);
        }
        if let Some(word) = words.get_mut(whole.len()) {
            *word = rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        }
        Some(Self { words, length: key.len() })
    }

    /// Multiplies by the 64-bit golden ratio, whose high bits depend on all of the product's.
    fn slot(&self) -> usize {
        let mixed = self.words.iter().fold(self.length as u64, |hash, word| {
            (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        });
        (mixed >> 56) as usize
    }
}

const _: () = assert!(SLOTS == 1 << 8, "as many as `Name::slot` tells apart");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_when_their_bytes_do() {
        let name = |text: &str| Name::of(text.as_bytes());
        let texts =
            ["", "\0", "a", "a\0", "ticker", "tickers", "12345678", "123456781", "x1234567y1234567z1234567"];
        for (at, text) in texts.iter().enumerate() {
            for (other_at, other) in texts.iter().enumerate() {
                assert_eq!(name(text) == name(other), at == other_at, "{text:?} {other:?}");
            }
        }
        assert!(name(&"k".repeat(LONGEST)).is_some() && name(&"k".repeat(LONGEST + 1)).is_none());
        let slots: std::collections::BTreeSet<usize> =
            (0..100).filter_map(|number| Some(name(&format!("key_{number}"))?.slot())).collect();
        assert!(slots.len() > 70, "only {} slots for 100 names", slots.len());
    }
}
