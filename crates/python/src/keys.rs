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
    utf8: [u8; LONGEST],
    length: usize,
    string: Object<'a>,
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
        let recent = match slot.take().filter(|recent| recent.utf8[..recent.length] == *key) {
            Some(recent) => recent,
            None => {
                let mut utf8 = [0; LONGEST];
                utf8[..key.len()].copy_from_slice(key);
                Recent { utf8, length: key.len(), string: python.text(key)? }
            }
        };
        Ok(&slot.insert(recent).string)
    }
}

/// FNV-1a.
fn slot(key: &[u8]) -> usize {
    let hash =
        key.iter().fold(0x811c_9dc5_u32, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash ^ (hash >> 16)) as usize % SLOTS
}
