use crate::object::{Object, Python, Raised};

/// Strings of recent dict keys, so that the same few keys are not made and hashed anew for every event.
///
/// Interning would do that too, but from 3.12 on CPython never frees an interned string, and keys may be
/// data.
pub(crate) struct Keys<'a> {
    recent: [Option<Object<'a>>; SLOTS],
}

const SLOTS: usize = 256;
const LONGEST: usize = 64;

impl<'a> Keys<'a> {
    pub(crate) fn new() -> Keys<'a> {
        Keys { recent: [const { None }; SLOTS] }
    }

    /// The string for `key`; raises when it is not UTF-8.
    pub(crate) fn get(&mut self, python: Python<'a>, key: &[u8]) -> Result<Object<'a>, Raised> {
        let Some(slot) = self.recent.get_mut(slot(key)).filter(|_| key.len() <= LONGEST) else {
            return python.text(key);
        };
        match slot {
            Some(recent) if recent.utf8()? == key => Ok(recent.clone()),
            _ => {
                let made = python.text(key)?;
                *slot = Some(made.clone());
                Ok(made)
            }
        }
    }
}

/// FNV-1a.
fn slot(key: &[u8]) -> usize {
    let hash = key
        .iter()
        .take(LONGEST)
        .fold(0x811c_9dc5_u32, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash ^ (hash >> 16)) as usize % SLOTS
}
