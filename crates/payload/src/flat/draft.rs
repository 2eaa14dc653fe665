//! A value that is put together from parts of others.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::Value;

use super::write::{fill_in_length, write, write_head, write_text};
use super::{View, tag};
use crate::Payload;

/// What a payload is to be made of ([`crate::Payload::from_draft`]). Parts of other payloads are copied as they lie,
/// without being decoded, and large ones not before somebody asks for the flat form.
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

/// A part of another payload that takes this many bytes is shared until the flat form is needed; below that a copy
/// is cheaper than keeping the other payload alive.
const SHARED: usize = 4 << 10;

/// A flat form that is not in one piece yet.
#[derive(Default)]
pub(crate) struct Pieces {
    own: Vec<u8>,
    /// Parts of other payloads, and before which of our own bytes they belong.
    shared: Vec<(usize, Payload, Range<usize>)>,
    shared_length: usize,
}

impl Pieces {
    pub(crate) fn length(&self) -> usize {
        self.own.len() + self.shared_length
    }

    pub(crate) fn is_one(&self) -> bool {
        self.shared.is_empty()
    }

    pub(crate) fn joined(self) -> Vec<u8> {
        if self.is_one() {
            return self.own;
        }
        let mut whole = Vec::with_capacity(self.length());
        let mut written = 0;
        for (before, payload, place) in &self.shared {
            whole.extend_from_slice(&self.own[written..*before]);
            whole.extend_from_slice(&payload.flat()[place.clone()]);
            written = *before;
        }
        whole.extend_from_slice(&self.own[written..]);
        whole
    }

    /// Adds a draft and returns a bound of how deep it nests.
    pub(crate) fn add(&mut self, draft: &Draft<'_>) -> usize {
        match draft {
            Draft::Part(view) => {
                if view.bytes().len() < SHARED {
                    self.own.extend_from_slice(view.bytes());
                } else {
                    self.shared.push((self.own.len(), view.payload().clone(), view.place()));
                    self.shared_length += view.bytes().len();
                }
                view.depth()
            }
            Draft::Value(value) => write(&mut self.own, value),
            Draft::Array(elements) => self.add_container(tag::ARRAY, elements.len(), |pieces| {
                elements.iter().map(|element| pieces.add(element)).max()
            }),
            Draft::Object(members) => self.add_container(tag::OBJECT, members.len(), |pieces| {
                let add = |(key, value): &(Cow<'_, str>, Draft<'_>)| {
                    write_text(&mut pieces.own, key);
                    pieces.add(value)
                };
                members.iter().map(add).max()
            }),
        }
    }

    fn add_container(
        &mut self,
        tag: u8,
        count: usize,
        add: impl FnOnce(&mut Pieces) -> Option<usize>,
    ) -> usize {
        let start = write_head(&mut self.own, tag, count);
        let shared_before = self.shared_length;
        let deepest = add(self).unwrap_or(0);
        fill_in_length(&mut self.own, start, self.shared_length - shared_before);
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
