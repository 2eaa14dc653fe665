//! Protection keys: which there are, and who has which.
//!
//! Intel's and AMD's processors tag each page with one of 16 keys; a register of each thread (PKRU) says which keys its
//! loads and stores may touch. Key 0 tags everything that nobody tagged otherwise.

use crate::sys;
use std::io;
use std::sync::OnceLock;

/// A key that this process holds, 1 to 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key(u8);

impl Key {
    pub fn number(self) -> u8 {
        self.0
    }

    /// The PKRU of a thread that may touch this key and key 0, and nothing else. Two bits a key: access and write disabled.
    pub(crate) fn constant_pkru(self) -> u32 {
        !(0b11 | 0b11 << (2 * u32::from(self.0)))
    }
}

/// Key 0, the kernel's default.
pub(crate) const DEFAULT: Key = Key(0);

/// Why there are no keys to be had.
#[derive(Debug, thiserror::Error)]
pub enum KeysUnavailable {
    #[error("this processor has no protection keys, or the system masks them")]
    NotSupported,
    #[error(
        "the kernel refuses pkey_alloc ({0}); a container's system-call filter does so, Docker's before version 23"
    )]
    Refused(io::Error),
}

/// All keys of this process: one for the trusted threads, the rest for domains, so that none can be had later.
#[derive(Debug)]
pub struct Keys {
    pub trusted: Key,
    /// At most 14, in the order they are to be given out.
    pub domains: Vec<Key>,
}

static TRUSTED: OnceLock<Key> = OnceLock::new();

/// The key of the trusted threads, once [`Keys::take`] was called.
pub(crate) fn trusted() -> Option<Key> {
    TRUSTED.get().copied()
}

impl Keys {
    /// Takes every key that the kernel gives. The calling thread, and threads it starts from now on, may touch all of them.
    pub fn take() -> Result<Self, KeysUnavailable> {
        let first = sys::pkey_alloc().map_err(unavailable)?;
        let mut domains = Vec::new();
        while let Ok(key) = sys::pkey_alloc() {
            domains.push(Key(key as u8));
        }
        let trusted = *TRUSTED.get_or_init(|| Key(first as u8));
        Ok(Self { trusted, domains })
    }
}

fn unavailable(error: io::Error) -> KeysUnavailable {
    match error.raw_os_error() {
        Some(libc::ENOSYS | libc::EINVAL | libc::ENOSPC) => KeysUnavailable::NotSupported,
        _ => KeysUnavailable::Refused(error),
    }
}

/// How many keys this process could take now. Gives them back.
pub fn probe() -> Result<u32, KeysUnavailable> {
    let mut held = vec![sys::pkey_alloc().map_err(unavailable)?];
    while let Ok(key) = sys::pkey_alloc() {
        held.push(key);
    }
    for &key in &held {
        sys::pkey_free(key).map_err(unavailable)?;
    }
    Ok(held.len() as u32)
}
