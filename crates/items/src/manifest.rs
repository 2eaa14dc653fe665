//! Manifests: files that list the files in which the items are.

use std::io::Read;

use serde_json::Value;

use crate::error::ItemsError;
use crate::json_lines::Lines;
use crate::reader_spec::{CsvDelimiter, CsvHeader, Format};

/// An inventory of a billion objects has a manifest of a few megabytes.
const MAX_INVENTORY_BYTES: u64 = 64 << 20;
/// Longer than an object's address can be.
const MAX_ADDRESS_BYTES: u64 = 16 << 10;

/// The manifest of an S3 inventory: the keys of its files, which lie in the manifest's own bucket, and their format.
///
/// # Errors
/// It is not JSON or has not the members of an inventory's manifest; or the inventory is not CSV.
pub(crate) fn inventory(
    bytes: impl Read,
    delimiter: CsvDelimiter,
) -> Result<(Vec<String>, Format), ItemsError> {
    let mut text = String::new();
    let limited = bytes.take(MAX_INVENTORY_BYTES + 1).read_to_string(&mut text);
    limited.map_err(|error| ItemsError::reader(format!("The manifest could not be read: {error}.")))?;
    if text.len() as u64 > MAX_INVENTORY_BYTES {
        return Err(ItemsError::too_large("The manifest", MAX_INVENTORY_BYTES));
    }
    let manifest: Value = serde_json::from_str(&text)
        .map_err(|error| ItemsError::reader(format!("The manifest is not JSON: {error}.")))?;
    let text_of = |name: &str| {
        let cause = || ItemsError::reader(format!("The inventory's manifest has no text `{name}`."));
        manifest.get(name).and_then(Value::as_str).ok_or_else(cause)
    };
    let format = text_of("fileFormat")?;
    if !format.eq_ignore_ascii_case("CSV") {
        return Err(ItemsError::reader(format!(
            "The inventory's format is {format}; only CSV is supported."
        )));
    }
    let columns = text_of("fileSchema")?.split(',').map(|column| column.trim().to_owned()).collect();
    let no_files =
        || ItemsError::reader("The inventory's manifest has no array `files` of objects with a `key`.");
    let keys = manifest.get("files").and_then(Value::as_array).ok_or_else(no_files)?;
    let keys = keys.iter().map(|file| file.get("key").and_then(Value::as_str).map(str::to_owned));
    let keys = keys.collect::<Option<Vec<_>>>().ok_or_else(no_files)?;
    Ok((keys, Format::Csv { delimiter, header: CsvHeader::Given(columns) }))
}

/// The lines of the manifest that Athena's `UNLOAD` writes: `s3://bucket/key` each.
pub(crate) struct AthenaFiles<R>(Lines<R>);

impl<R: Read> AthenaFiles<R> {
    pub(crate) fn new(bytes: R) -> Self {
        Self(Lines::new(bytes, MAX_ADDRESS_BYTES))
    }
}

impl<R: Read> Iterator for AthenaFiles<R> {
    /// Bucket and key.
    type Item = Result<(String, String), ItemsError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (line, number) = match self.0.next_line() {
            Ok(line) => line?,
            Err(error) => return Some(Err(error)),
        };
        let address =
            line.trim_matches('"').strip_prefix("s3://").and_then(|address| address.split_once('/'));
        Some(match address {
            Some((bucket, key)) => Ok((bucket.to_owned(), key.to_owned())),
            None => {
                let cause = format!("Line {number} of the manifest is not `s3://bucket/key`: {line}");
                Err(ItemsError::reader(cause))
            }
        })
    }
}
