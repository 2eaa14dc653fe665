//! The backslashes of a text delimited file.
//!
//! In Step Functions a backslash, in quotes or not, escapes a backslash, a double quotation mark and the delimiter,
//! and before anything else it vanishes. The crate `csv` knows escapes in quotes only. So they are resolved before it
//! sees the bytes: what is escaped becomes a byte that no UTF-8 text contains, and is turned back in the fields.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const BACKSLASH: u8 = 0xF8;
const QUOTE: u8 = 0xF9;
const DELIMITER: u8 = 0xFA;
/// From here on no byte is part of UTF-8.
const FIRST_FOREIGN: u8 = 0xF8;
const NEVER: u8 = 0xFF;

/// What a file may still hand out before a record has to end: a quote that is never closed would otherwise make
/// the rest of the file one field.
#[derive(Clone)]
pub(crate) struct Allowance(Arc<AtomicU64>);

impl Allowance {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    pub(crate) fn renew(&self, bytes: u64) {
        self.0.store(bytes, Ordering::Relaxed);
    }

    fn is_spent(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    fn spend(&self, bytes: usize) {
        let left = self.0.load(Ordering::Relaxed);
        self.0.store(left.saturating_sub(bytes as u64), Ordering::Relaxed);
    }
}

/// A file's bytes with its escapes resolved.
pub(crate) struct Unescaped<R> {
    bytes: R,
    delimiter: u8,
    allowance: Allowance,
    after_backslash: bool,
}

/// The text of a record is longer than was allowed.
#[derive(Debug, thiserror::Error)]
#[error("the record does not end")]
pub(crate) struct RecordTooLong;

impl<R: Read> Unescaped<R> {
    pub(crate) fn new(bytes: R, delimiter: u8, allowance: Allowance) -> Self {
        Self { bytes, delimiter, allowance, after_backslash: false }
    }

    /// Resolves in place; the result is never longer.
    fn resolve(&mut self, buffer: &mut [u8], length: usize) -> usize {
        let mut written = 0;
        for at in 0..length {
            let byte = buffer[at];
            if !self.after_backslash && byte == b'\\' {
                self.after_backslash = true;
                continue;
            }
            buffer[written] = match byte {
                // One that came with the file must not read as one of ours, and is found out with its field.
                FIRST_FOREIGN.. => NEVER,
                b'\\' if self.after_backslash => BACKSLASH,
                b'"' if self.after_backslash => QUOTE,
                _ if self.after_backslash && byte == self.delimiter => DELIMITER,
                _ => byte,
            };
            self.after_backslash = false;
            written += 1;
        }
        written
    }
}

impl<R: Read> Read for Unescaped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.allowance.is_spent() {
            return Err(io::Error::other(RecordTooLong));
        }
        loop {
            let length = self.bytes.read(buffer)?;
            self.allowance.spend(length);
            let written = self.resolve(buffer, length);
            // Nothing but a backslash is not the end.
            if written > 0 || length == 0 {
                return Ok(written);
            }
        }
    }
}

/// A field's text; `None` if it is not UTF-8.
pub(crate) fn text_of(field: &[u8], delimiter: u8) -> Option<String> {
    let bytes = field.iter().map(|&byte| match byte {
        BACKSLASH => b'\\',
        QUOTE => b'"',
        DELIMITER => delimiter,
        _ => byte,
    });
    String::from_utf8(bytes.collect()).ok()
}
