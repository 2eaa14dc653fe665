//! A payload's flat form as the bytes of a serialised field: `#[serde(with = "faastlane_payload::as_flat_bytes")]`.

use crate::Payload;
use serde::{Deserializer, Serializer};

/// Writes the flat form, which is made if there is none.
///
/// # Errors
/// What `serializer` makes of it.
pub fn serialize<S: Serializer>(payload: &Payload, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(payload.flat())
}

/// A payload of the bytes, which are not looked at: see [`Payload::from_flat`].
///
/// # Errors
/// What `deserializer` makes of it.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Payload, D::Error> {
    let bytes: Vec<u8> = serde_bytes::deserialize(deserializer)?;
    Ok(Payload::from_flat(Box::new(bytes)))
}
