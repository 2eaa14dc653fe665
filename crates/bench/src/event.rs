//! The events that are sent along. `peers/measurement.py` makes the same ones.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use faastlane_compose::parse_size;
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt;
use std::str::FromStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// One string.
    Text,
    /// Many small objects.
    Records,
    /// Bytes, which JSON cannot hold but in base64.
    Bytes,
    /// An array of numpy's, of floats.
    Array,
}

impl EventKind {
    /// Whether it is sent where a workflow lets bytes and arrays be sent as they are.
    pub fn is_binary(self) -> bool {
        matches!(self, Self::Bytes | Self::Array)
    }
}

/// What to send: `text:1MiB`, `records:200`, `bytes:1MiB`, `array:1MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventSpec {
    pub kind: EventKind,
    /// Of its payload, about as many bytes of JSON; of bytes and of an array's elements, so many. At most [`EventSpec::LARGEST`].
    pub size: u64,
}

/// Each element of the array.
const FLOAT: [u8; 8] = 1.5_f64.to_le_bytes();

/// Bytes of one of the records as JSON.
const RECORD: u64 = 60;

impl EventSpec {
    /// Room for what is around the payload included, a length in the flat form has 32 bits.
    pub const LARGEST: u64 = 2 << 30;

    /// Bytes and arrays in Extended JSON, as which they enter a workflow.
    pub(crate) fn make(self) -> Value {
        match self.kind {
            EventKind::Text => json!({ "id": 7, "blob": "x".repeat(self.size as usize) }),
            EventKind::Records => {
                let record = json!({ "name": "sensor-0042", "valid": true, "values": [1, 2.5, -3, null] });
                let count = ((self.size + RECORD / 2) / RECORD).max(1);
                json!({ "id": 7, "records": vec![record; count as usize] })
            }
            EventKind::Bytes => {
                let base64 = STANDARD.encode(vec![b'x'; self.size as usize]);
                json!({ "id": 7, "blob": { "$binary": { "base64": base64 } } })
            }
            EventKind::Array => {
                let count = self.size / FLOAT.len() as u64;
                let base64 = STANDARD.encode(FLOAT.repeat(count as usize));
                let array = json!({ "dtype": "<f8", "shape": [count], "base64": base64 });
                json!({ "id": 7, "blob": { "$ndarray": array } })
            }
        }
    }

    /// The limit on payloads under which it can be sent, where that is more than `default`.
    pub(crate) fn limit(self, default: u64) -> u64 {
        // A record takes up to twice its JSON in the flat form.
        default.max(2 * self.size + 4096)
    }

    /// The name that `peers/measurement.py` has for the kind.
    pub(crate) fn kind_name(self) -> &'static str {
        match self.kind {
            EventKind::Text => "text",
            EventKind::Records => "records",
            EventKind::Bytes => "bytes",
            EventKind::Array => "array",
        }
    }
}

impl fmt::Display for EventSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = match self.size {
            size if size >= 1 << 20 && size % (1 << 20) == 0 => (size >> 20, "MiB"),
            size if size >= 1 << 10 && size % (1 << 10) == 0 => (size >> 10, "KiB"),
            size => (size, "B"),
        };
        let what = match self.kind {
            EventKind::Text => "string",
            EventKind::Records => "event",
            EventKind::Bytes => "of bytes",
            EventKind::Array => "numpy array",
        };
        write!(f, "{number} {unit} {what}")
    }
}

impl FromStr for EventSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            format!(
                "expected text:SIZE, records:SIZE, bytes:SIZE or array:SIZE, such as text:1MiB, not `{text}`"
            )
        };
        let (kind, size) = text.split_once(':').ok_or_else(expected)?;
        let kind = match kind {
            "text" => EventKind::Text,
            "records" => EventKind::Records,
            "bytes" => EventKind::Bytes,
            "array" => EventKind::Array,
            _ => return Err(expected()),
        };
        let size = if size == "0" { 0 } else { parse_size(size)? };
        if size > Self::LARGEST {
            return Err("expected at most 2GiB".to_owned());
        }
        Ok(Self { kind, size })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specifications_are_read_and_shown() {
        for (text, shown) in [
            ("text:1MiB", "1 MiB string"),
            ("records:200", "200 B event"),
            ("text:0", "0 B string"),
            ("records:1.5KiB", "1536 B event"),
            ("bytes:1MiB", "1 MiB of bytes"),
            ("array:1MiB", "1 MiB numpy array"),
        ] {
            assert_eq!(
                text.parse::<EventSpec>().map(|spec| spec.to_string()).as_deref(),
                Ok(shown),
                "{text}"
            );
        }
        for text in ["", "text", "1MiB", "blob:1", "text:", "text:3GiB", "text:-1"] {
            assert!(text.parse::<EventSpec>().is_err(), "{text}");
        }
    }

    #[test]
    fn events_are_about_as_large_as_asked_for() {
        for (text, bytes) in [("records:200", 203), ("text:200", 218), ("text:0", 18), ("records:0", 81)] {
            let spec: EventSpec = text.parse().unwrap();
            assert_eq!(spec.make().to_string().len(), bytes, "{text}");
        }
    }
}
