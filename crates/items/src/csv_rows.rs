//! A text delimited file: each row is an object of strings.
//!
//! Fewer fields than the header: the missing are empty. More: they are skipped. Empty lines are no rows.

use std::collections::BTreeSet;
use std::io::{self, Chain, Cursor, Read};

use csv::{ByteRecord, Reader, ReaderBuilder};
use faastlane_payload::Payload;
use serde_json::{Map, Value};

use crate::csv_escape::{Allowance, RecordTooLong, Unescaped, text_of};
use crate::error::ItemsError;
use crate::reader_spec::CsvHeader;

/// Step Functions' limit on the header, in bytes.
const MAX_HEADER_BYTES: usize = 10 << 10;
/// How far the crate `csv` reads ahead, in bytes.
const CHUNK_BYTES: usize = 16 << 10;

/// A byte order mark of UTF-8 and a byte after it.
const FIRST_READ_BYTES: u64 = 4;

pub(crate) struct CsvRows<R> {
    rows: Reader<Unescaped<Chain<Cursor<Vec<u8>>, R>>>,
    allowance: Allowance,
    delimiter: u8,
    columns: Vec<String>,
    record: ByteRecord,
    max_item_bytes: u64,
}

impl<R: Read> CsvRows<R> {
    /// # Errors
    /// The file cannot be read, or its header is missing, too long, not UTF-8, or names a column twice.
    pub(crate) fn new(
        mut bytes: R,
        delimiter: u8,
        header: &CsvHeader,
        max_item_bytes: u64,
    ) -> Result<Self, ItemsError> {
        // `csv` knows a byte order mark only if its first read brings the whole of it, and takes nothing after it
        // for the end of the file.
        let mut start = Vec::new();
        bytes
            .by_ref()
            .take(FIRST_READ_BYTES)
            .read_to_end(&mut start)
            .map_err(|error| ItemsError::reader(format!("The CSV file could not be read: {error}.")))?;
        let allowance = Allowance::new();
        let rows = ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(CHUNK_BYTES)
            .from_reader(Unescaped::new(Cursor::new(start).chain(bytes), delimiter, allowance.clone()));
        let mut this = Self {
            rows,
            allowance,
            delimiter,
            columns: Vec::new(),
            record: ByteRecord::new(),
            max_item_bytes,
        };
        this.columns = match header {
            CsvHeader::Given(columns) => columns.clone(),
            CsvHeader::FirstRow => match this.next_record()? {
                Some(columns) => columns,
                None => return Err(ItemsError::reader("The CSV file has no header: it is empty.")),
            },
        };
        if this.columns.iter().map(String::len).sum::<usize>() > MAX_HEADER_BYTES {
            let cause = format!("The CSV header is larger than the limit of {MAX_HEADER_BYTES} bytes.");
            return Err(ItemsError::reader(cause));
        }
        if this.columns.iter().collect::<BTreeSet<_>>().len() < this.columns.len() {
            return Err(ItemsError::reader("CSV headers cannot contain duplicates."));
        }
        Ok(this)
    }

    fn next_record(&mut self) -> Result<Option<Vec<String>>, ItemsError> {
        // What has been read ahead counts for the record that it was read for.
        self.allowance.renew(self.max_item_bytes.saturating_add(CHUNK_BYTES as u64));
        match self.rows.read_byte_record(&mut self.record) {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => return Err(self.explain(&error)),
        }
        let line = self.record.position().map_or(0, csv::Position::line);
        let mut fields = Vec::with_capacity(self.record.len());
        for field in &self.record {
            match text_of(field, self.delimiter) {
                Some(text) => fields.push(text),
                None => return Err(ItemsError::reader(format!("The CSV file is not UTF-8 in line {line}."))),
            }
        }
        Ok(Some(fields))
    }

    fn explain(&self, error: &csv::Error) -> ItemsError {
        let line = self.rows.position().line();
        let inner = match error.kind() {
            csv::ErrorKind::Io(error) => Some(error),
            _ => None,
        };
        if inner.and_then(io::Error::get_ref).is_some_and(|inner| inner.is::<RecordTooLong>()) {
            return ItemsError::too_large(
                &format!("The CSV row that starts in line {line}"),
                self.max_item_bytes,
            );
        }
        let reason = inner.map_or_else(|| error.to_string(), io::Error::to_string);
        ItemsError::reader(format!("The CSV file could not be read after line {line}: {reason}."))
    }

    fn row(&mut self) -> Result<Option<Payload>, ItemsError> {
        let Some(fields) = self.next_record()? else { return Ok(None) };
        if self.record.as_slice().len() as u64 > self.max_item_bytes {
            let line = self.record.position().map_or(0, csv::Position::line);
            return Err(ItemsError::too_large(&format!("The CSV row in line {line}"), self.max_item_bytes));
        }
        let mut fields = fields.into_iter();
        let row: Map<String, Value> = self
            .columns
            .iter()
            .map(|column| (column.clone(), Value::String(fields.next().unwrap_or_default())))
            .collect();
        Ok(Some(Payload::from_value(Value::Object(row))))
    }
}

impl<R: Read> Iterator for CsvRows<R> {
    type Item = Result<Payload, ItemsError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.row().transpose()
    }
}
