//! The items of a Map, from what its `ItemReader` would have read.

use super::request::Request;
use super::{BAD_REQUEST, refuse};
use faastlane_asl::definition::{State, StateKind};
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_payload::Payload;
use serde_json::Value;

/// `None` where no data was given.
pub(super) fn items(request: &Request, state: &State) -> Result<Option<Payload>, Box<Diagnostic>> {
    let Some(data) = &request.reader_data else { return Ok(None) };
    let reader = match &state.kind {
        StateKind::Map(map) => map.distributed.as_ref().and_then(|distributed| distributed.reader.as_ref()),
        _ => None,
    };
    if reader.is_none() {
        let message = format!("the state `{}` has no ItemReader that could read items", state.name);
        return Err(refuse(BAD_REQUEST, message, "Leave the reader's data out."));
    }
    let value: Value = serde_json::from_str(data).map_err(|problem| {
        refuse(
            BAD_REQUEST,
            format!("the reader's data is not JSON: {problem}"),
            "Give the items as one JSON array, whatever the format of the source is.",
        )
    })?;
    if !value.is_array() {
        let hint = "Give the items as one JSON array, whatever the format of the source is.";
        return Err(refuse(BAD_REQUEST, "the reader's data is no array of items", hint));
    }
    Ok(Some(Payload::from_value(value)))
}
