//! A value where it lies in a payload's flat form.

use std::fmt;
use std::ops::Range;

use serde_json::Value;

use super::{decode, tag};
use crate::Payload;

/// A value in flat bytes that have been checked as a whole ([`crate::Payload::view`] is where views come from), so
/// that its parts can be found by stepping over what lies between, and copied as they are.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// Whose flat form it lies in, and where.
    payload: &'a Payload,
    start: usize,
    bytes: &'a [u8],
    /// It nests no deeper than this.
    depth: usize,
}

/// Length in bytes of a container's head: tag, count, length.
pub(super) const HEAD: usize = 13;

impl<'a> View<'a> {
    /// The payload has been found sound, a value of it lies at `place`, and that nests no deeper than `depth`.
    pub(crate) fn new(payload: &'a Payload, place: Range<usize>, depth: usize) -> View<'a> {
        View { payload, start: place.start, bytes: &payload.flat()[place], depth }
    }

    pub(super) fn payload(self) -> &'a Payload {
        self.payload
    }

    pub(super) fn place(self) -> Range<usize> {
        self.start..self.start + self.bytes.len()
    }

    /// The value's flat form.
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// One of [`tag`].
    pub fn tag(self) -> u8 {
        self.bytes[0]
    }

    /// A bound of how deep it nests: exact for a payload that came from outside, perhaps too high for its parts.
    pub(crate) fn depth(self) -> usize {
        self.depth
    }

    /// How many elements or members it has; `None` where it can have none.
    pub fn count(self) -> Option<usize> {
        matches!(self.tag(), tag::ARRAY | tag::OBJECT).then(|| length_at(self.bytes, 1))
    }

    /// An object's member. As everywhere, the last of duplicate keys wins.
    pub fn member(self, name: &str) -> Option<View<'a>> {
        self.raw_members()?.filter(|(key, _)| *key == name.as_bytes()).last().map(|(_, value)| value)
    }

    /// An array's element, by stepping over those before it.
    pub fn element(self, position: usize) -> Option<View<'a>> {
        self.elements()?.nth(position)
    }

    /// An array's elements, in order.
    pub fn elements(self) -> Option<impl Iterator<Item = View<'a>>> {
        let mut rest = self.body(tag::ARRAY)?;
        Some(std::iter::from_fn(move || self.take(&mut rest)))
    }

    /// An object's members, in order, duplicates included.
    pub fn members(self) -> Option<impl Iterator<Item = (&'a str, View<'a>)>> {
        Some(self.raw_members()?.map(|(key, value)| {
            (std::str::from_utf8(key).expect("a key has been checked with the rest"), value)
        }))
    }

    /// With their keys in bytes, which need no second look when they are only compared.
    fn raw_members(self) -> Option<impl Iterator<Item = (&'a [u8], View<'a>)>> {
        let mut rest = self.body(tag::OBJECT)?;
        Some(std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let (key, value) = rest[4..].split_at(length_at(rest, 0));
            rest = value;
            Some((key, self.take(&mut rest)?))
        }))
    }

    /// The value, decoded.
    pub fn to_value(self) -> Value {
        decode(self.bytes).expect("what a view shows has been checked")
    }

    fn body(self, tag: u8) -> Option<&'a [u8]> {
        (self.tag() == tag).then(|| &self.bytes[HEAD..])
    }

    /// Takes the value at the beginning of what is left of this container.
    fn take(self, rest: &mut &'a [u8]) -> Option<View<'a>> {
        let length = match *rest.first()? {
            tag::NULL | tag::FALSE | tag::TRUE => 1,
            tag::INTEGER | tag::FLOAT => 9,
            tag::NUMBER | tag::STRING => 5 + length_at(rest, 1),
            tag::BYTES | tag::NDARRAY => 9 + long_length_at(rest, 1),
            _ => HEAD + long_length_at(rest, 5),
        };
        let start = self.place().end - rest.len();
        let (bytes, behind) = rest.split_at(length);
        *rest = behind;
        Some(View { payload: self.payload, start, bytes, depth: self.depth.saturating_sub(1) })
    }
}

/// The value.
impl fmt::Debug for View<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_value().fmt(formatter)
    }
}

fn long_length_at(bytes: &[u8], at: usize) -> usize {
    let (length, _) = bytes[at..].split_first_chunk().expect("a length was found there when it was checked");
    u64::from_le_bytes(*length) as usize
}

fn length_at(bytes: &[u8], at: usize) -> usize {
    let (length, _) = bytes[at..].split_first_chunk().expect("a length was found there when it was checked");
    u32::from_le_bytes(*length) as usize
}
