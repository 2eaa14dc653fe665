//! JSON Lines: one value a line. Lines without a value are passed over.

use std::io::{BufRead, BufReader, Read};

use faastlane_payload::Payload;

use crate::error::ItemsError;
use crate::json_items::CHUNK_BYTES;

/// The lines of a file, none longer than a limit.
pub(crate) struct Lines<R> {
    bytes: BufReader<R>,
    line: Vec<u8>,
    /// Counts from 1.
    number: u64,
    max_line_bytes: u64,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(bytes: R, max_line_bytes: u64) -> Self {
        Self {
            bytes: BufReader::with_capacity(CHUNK_BYTES, bytes),
            line: Vec::new(),
            number: 0,
            max_line_bytes,
        }
    }

    /// The next line that has more than white space, and its number.
    pub(crate) fn next_line(&mut self) -> Result<Option<(&str, u64)>, ItemsError> {
        loop {
            self.line.clear();
            self.number += 1;
            let mut limited = (&mut self.bytes).take(self.max_line_bytes.saturating_add(1));
            let length = limited.read_until(b'\n', &mut self.line).map_err(|error| {
                ItemsError::reader(format!("The file could not be read in line {}: {error}.", self.number))
            })?;
            if length == 0 {
                return Ok(None);
            }
            if !self.line.ends_with(b"\n") && length as u64 > self.max_line_bytes {
                return Err(ItemsError::too_large(&format!("Line {}", self.number), self.max_line_bytes));
            }
            if !self.line.iter().all(u8::is_ascii_whitespace) {
                break;
            }
        }
        match std::str::from_utf8(&self.line) {
            Ok(line) => Ok(Some((line.trim(), self.number))),
            Err(_) => Err(ItemsError::reader(format!("The file is not UTF-8 in line {}.", self.number))),
        }
    }
}

pub(crate) struct JsonLines<R>(Lines<R>);

impl<R: Read> JsonLines<R> {
    pub(crate) fn new(bytes: R, max_item_bytes: u64) -> Self {
        Self(Lines::new(bytes, max_item_bytes))
    }

    fn value(&mut self) -> Result<Option<Payload>, ItemsError> {
        let Some((line, number)) = self.0.next_line()? else { return Ok(None) };
        Payload::from_json(line)
            .map(Some)
            .map_err(|error| ItemsError::reader(format!("Line {number} of the JSON Lines file: {error}.")))
    }
}

impl<R: Read> Iterator for JsonLines<R> {
    type Item = Result<Payload, ItemsError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.value().transpose()
    }
}
