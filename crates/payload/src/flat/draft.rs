//! A value that is put together from parts of others.

use std::borrow::Cow;

use serde_json::Value;

use super::view::HEAD;
use super::write::{fill_in_length, write, write_head, write_text};
use super::{View, tag};

/// What a payload is to be made of ([`crate::Payload::from_draft`]). Parts of other payloads are copied as they lie,
/// without being decoded.
#[derive(Debug)]
pub enum Draft<'a> {
    /// A part of another payload.
    Part(View<'a>),
    /// A value that was computed.
    Value(Value),
    Array(Vec<Draft<'a>>),
    /// Members with their keys, none of which comes twice.
    Object(Vec<(Cow<'a, str>, Draft<'a>)>),
}

impl Draft<'_> {
    /// The flat form, and a bound of how deep it nests.
    pub(crate) fn encode(&self) -> (Vec<u8>, usize) {
        let mut out = Vec::with_capacity(self.least_length());
        let depth = self.write(&mut out);
        (out, depth)
    }

    /// Without what values take that are not in the flat form yet.
    fn least_length(&self) -> usize {
        match self {
            Draft::Part(view) => view.bytes().len(),
            Draft::Value(_) => 0,
            Draft::Array(elements) => HEAD + elements.iter().map(Draft::least_length).sum::<usize>(),
            Draft::Object(members) => {
                let length = |(key, value): &(Cow<'_, str>, Draft<'_>)| 4 + key.len() + value.least_length();
                HEAD + members.iter().map(length).sum::<usize>()
            }
        }
    }

    fn write(&self, out: &mut Vec<u8>) -> usize {
        let mut deepest = 0;
        let start = match self {
            Draft::Part(view) => {
                out.extend_from_slice(view.bytes());
                return view.depth();
            }
            Draft::Value(value) => return write(out, value),
            Draft::Array(elements) => {
                let start = write_head(out, tag::ARRAY, elements.len());
                for element in elements {
                    deepest = deepest.max(element.write(out));
                }
                start
            }
            Draft::Object(members) => {
                let start = write_head(out, tag::OBJECT, members.len());
                for (key, value) in members {
                    write_text(out, key);
                    deepest = deepest.max(value.write(out));
                }
                start
            }
        };
        fill_in_length(out, start);
        1 + deepest
    }
}

impl<'a> From<View<'a>> for Draft<'a> {
    fn from(part: View<'a>) -> Self {
        Draft::Part(part)
    }
}

impl From<Value> for Draft<'_> {
    fn from(value: Value) -> Self {
        Draft::Value(value)
    }
}
