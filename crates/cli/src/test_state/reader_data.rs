//! The items of a Map, from what its `ItemReader` would have read: the text of a file, in the reader's format.

use super::request::Request;
use super::{BAD_REQUEST, refuse};
use faastlane_asl::definition::{ItemReader, State, StateKind};
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_items::{Format, Item, Limits, ReaderConfig, items_in};
use faastlane_payload::Payload;
use serde_json::{Map, Value};
use std::io::Cursor;

/// `None` where no data was given.
pub(super) fn items(request: &Request, state: &State) -> Result<Option<Payload>, Box<Diagnostic>> {
    let Some(data) = &request.reader_data else { return Ok(None) };
    let reader = match &state.kind {
        StateKind::Map(map) => map.distributed.as_ref().and_then(|distributed| distributed.reader.as_ref()),
        _ => None,
    };
    let Some(reader) = reader else {
        let message = format!("the state `{}` has no ItemReader that could read items", state.name);
        return Err(refuse(BAD_REQUEST, message, "Leave the reader's data out."));
    };
    let items = read(reader, data).map_err(|problem| {
        let message = format!("the reader's data cannot be read: {problem}");
        refuse(
            BAD_REQUEST,
            message,
            "It is the text of the file that the reader would read, in its InputType.",
        )
    })?;
    Ok(Some(Payload::from_value(items)))
}

/// An array, or an object where the data is one.
fn read(reader: &ItemReader, data: &str) -> Result<Value, Box<dyn std::error::Error>> {
    let mut config = ReaderConfig::parse(&reader.config)?;
    // A listing of objects has no format of its own. Here it is an array.
    config.format.get_or_insert(Format::Json { pointer: String::new() });
    let bytes = Cursor::new(data.as_bytes().to_vec());
    let (mut elements, mut members) = (Vec::new(), Map::new());
    for item in items_in(bytes, &config, "the reader's data", Limits::default())? {
        let Item { value, key, .. } = item?;
        let value = value.value()?.clone();
        match key {
            Some(key) => drop(members.insert(key, value)),
            None => elements.push(value),
        }
    }
    Ok(if members.is_empty() { Value::Array(elements) } else { Value::Object(members) })
}
