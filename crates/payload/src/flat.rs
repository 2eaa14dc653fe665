//! The flat form: `docs/ARCHITECTURE.md`, "The flat form", is its specification.

use serde_json::{Map, Number, Value};

use crate::text::{Class, classify, settle};
use crate::{MAX_DEPTH, PayloadError};

/// The first byte of a value.
pub mod tag {
    pub const NULL: u8 = 0;
    pub const FALSE: u8 = 1;
    pub const TRUE: u8 = 2;
    /// An `i64` follows.
    pub const INTEGER: u8 = 3;
    /// A finite `f64` follows.
    pub const FLOAT: u8 = 4;
    /// A `u32` length and the text of a JSON number follow.
    pub const NUMBER: u8 = 5;
    /// A `u32` length and UTF-8 follow.
    pub const STRING: u8 = 6;
    /// A `u32` count, a `u64` length in bytes and the elements follow.
    pub const ARRAY: u8 = 7;
    /// A `u32` count, a `u64` length in bytes and the members (`u32` length, UTF-8 key, value) follow.
    pub const OBJECT: u8 = 8;
}

/// Writes `value`, however deep it nests: readers refuse what is too deep.
///
/// # Panics
/// When a string, or a number of elements, does not fit into 32 bits.
pub(crate) fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut next = Some(value);
    loop {
        if let Some(value) = next.take() {
            write_value(&mut out, value, &mut open);
        }
        let Some(innermost) = open.last_mut() else { return out };
        match &mut innermost.rest {
            Rest::Elements(elements) => next = elements.next(),
            Rest::Members(members) => {
                next = members.next().map(|(key, value)| {
                    write_text(&mut out, key);
                    value
                });
            }
        }
        if next.is_none() {
            let length = (out.len() - innermost.start) as u64;
            out[innermost.start - 8..innermost.start].copy_from_slice(&length.to_le_bytes());
            open.pop();
        }
    }
}

/// A container whose elements are being written.
struct Open<'a> {
    /// Where its first element lies; its length in bytes lies before that.
    start: usize,
    rest: Rest<'a>,
}

enum Rest<'a> {
    Elements(std::slice::Iter<'a, Value>),
    Members(serde_json::map::Iter<'a>),
}

fn write_value<'a>(out: &mut Vec<u8>, value: &'a Value, open: &mut Vec<Open<'a>>) {
    match value {
        Value::Null => out.push(tag::NULL),
        Value::Bool(false) => out.push(tag::FALSE),
        Value::Bool(true) => out.push(tag::TRUE),
        Value::Number(number) => write_number(out, number.as_str()),
        Value::String(string) => {
            out.push(tag::STRING);
            write_text(out, string);
        }
        Value::Array(elements) => {
            let start = write_head(out, tag::ARRAY, elements.len());
            open.push(Open { start, rest: Rest::Elements(elements.iter()) });
        }
        Value::Object(members) => {
            let start = write_head(out, tag::OBJECT, members.len());
            open.push(Open { start, rest: Rest::Members(members.iter()) });
        }
    }
}

fn write_number(out: &mut Vec<u8>, number: &str) {
    match classify(number) {
        Class::Integer(integer) => {
            out.push(tag::INTEGER);
            out.extend_from_slice(&integer.to_le_bytes());
        }
        Class::Float(float) => {
            out.push(tag::FLOAT);
            out.extend_from_slice(&float.to_le_bytes());
        }
        Class::Text => {
            out.push(tag::NUMBER);
            write_text(out, number);
        }
    }
}

fn write_head(out: &mut Vec<u8>, tag: u8, count: usize) -> usize {
    out.push(tag);
    out.extend_from_slice(&in_32_bits(count).to_le_bytes());
    out.extend_from_slice(&[0; 8]); // the length, filled in when it is known
    out.len()
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&in_32_bits(text.len()).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn in_32_bits(length: usize) -> u32 {
    u32::try_from(length)
        .expect("no string or array of a payload outgrows 32 bits: its size limit is far below")
}

/// Reads one value that fills `bytes`.
pub(crate) fn decode(bytes: &[u8]) -> Result<Value, PayloadError> {
    let mut reader = Reader { bytes, at: 0, end: bytes.len() };
    let mut open: Vec<Container> = Vec::new();
    let mut done = reader.value(&mut open)?;
    loop {
        if let Some(value) = done.take() {
            match open.last_mut() {
                Some(innermost) => innermost.add(value),
                None if reader.at < bytes.len() => return reader.damaged("bytes after the value"),
                None => return Ok(value),
            }
        }
        let Some(innermost) = open.last_mut() else { return reader.damaged("no value") };
        if innermost.missing > 0 {
            innermost.missing -= 1;
            if let Content::Members(_, key) = &mut innermost.content {
                *key = reader.text()?.to_owned();
            }
            done = reader.value(&mut open)?;
        } else if reader.at < reader.end {
            return reader.damaged("bytes after the last element");
        } else if let Some(whole) = open.pop() {
            reader.end = whole.outer_end;
            done = Some(match whole.content {
                Content::Elements(elements) => Value::Array(elements),
                Content::Members(members, _) => Value::Object(members),
            });
        }
    }
}

/// A container whose elements are being read.
struct Container {
    content: Content,
    /// How many elements are still to come.
    missing: u32,
    /// Where the container around it ends.
    outer_end: usize,
}

enum Content {
    Elements(Vec<Value>),
    /// The members, and the key of the one being read.
    Members(Map<String, Value>, String),
}

impl Container {
    fn add(&mut self, value: Value) {
        match &mut self.content {
            Content::Elements(elements) => elements.push(value),
            Content::Members(members, key) => drop(members.insert(std::mem::take(key), value)),
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the innermost container ends: nothing in it reaches further.
    end: usize,
}

impl<'a> Reader<'a> {
    fn damaged<T>(&self, what: &'static str) -> Result<T, PayloadError> {
        Err(PayloadError::Damaged { what, at: self.at })
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], PayloadError> {
        match self.bytes[..self.end].get(self.at..).and_then(|rest| rest.get(..length)) {
            Some(taken) => {
                self.at += length;
                Ok(taken)
            }
            None => self.damaged("a length that reaches beyond the end"),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], PayloadError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn text(&mut self) -> Result<&'a str, PayloadError> {
        let length = u32::from_le_bytes(self.array()?) as usize;
        let text = self.take(length)?;
        std::str::from_utf8(text).or_else(|_| self.damaged("text that is not UTF-8"))
    }

    /// Reads one value, or the head of a container, which it adds to `open`.
    fn value(&mut self, open: &mut Vec<Container>) -> Result<Option<Value>, PayloadError> {
        let [tag] = self.array()?;
        Ok(Some(match tag {
            tag::NULL => Value::Null,
            tag::FALSE => Value::Bool(false),
            tag::TRUE => Value::Bool(true),
            tag::INTEGER => Value::from(i64::from_le_bytes(self.array()?)),
            tag::FLOAT => match Number::from_f64(f64::from_le_bytes(self.array()?)) {
                Some(float) => Value::Number(float),
                None => return self.damaged("a float that is not finite"),
            },
            // Parsed before it is settled, so that only what JSON calls a number passes.
            tag::NUMBER => {
                match self.text()?.parse::<Number>().ok().and_then(|number| settle(number.as_str())) {
                    Some(number) => Value::Number(number),
                    None => return self.damaged("a number that is none"),
                }
            }
            tag::STRING => Value::String(self.text()?.to_owned()),
            tag::ARRAY => return self.open(Content::Elements(Vec::new()), open),
            tag::OBJECT => return self.open(Content::Members(Map::new(), String::new()), open),
            _ => return self.damaged("an unknown tag"),
        }))
    }

    fn open(&mut self, content: Content, open: &mut Vec<Container>) -> Result<Option<Value>, PayloadError> {
        if open.len() == MAX_DEPTH {
            return Err(PayloadError::TooDeep);
        }
        let missing = u32::from_le_bytes(self.array()?);
        let length = u64::from_le_bytes(self.array()?);
        let outer_end = self.end;
        match usize::try_from(length).ok().and_then(|length| self.at.checked_add(length)) {
            Some(end) if end <= outer_end => self.end = end,
            _ => return self.damaged("a length that reaches beyond the end"),
        }
        open.push(Container { content, missing, outer_end });
        Ok(None)
    }
}
