//! Values into the flat form.

use serde_json::Value;

use super::tag;
use crate::text::{Class, classify};

/// The flat form of `value`, however deep it nests: readers refuse what is too deep.
///
/// # Panics
/// When a string, or a number of elements, does not fit into 32 bits.
pub(crate) fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    write(&mut out, value);
    out
}

/// Appends a value and returns how deep it nests.
pub(super) fn write(out: &mut Vec<u8>, value: &Value) -> usize {
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut deepest = 0;
    let mut next = Some(value);
    loop {
        if let Some(value) = next.take() {
            write_value(out, value, &mut open);
            deepest = deepest.max(open.len());
        }
        let Some(innermost) = open.last_mut() else { return deepest };
        match &mut innermost.rest {
            Rest::Elements(elements) => next = elements.next(),
            Rest::Members(members) => {
                next = members.next().map(|(key, value)| {
                    write_text(out, key);
                    value
                });
            }
        }
        if next.is_none() {
            fill_in_length(out, innermost.start, 0);
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

/// Returns where the first element lies.
pub(super) fn write_head(out: &mut Vec<u8>, tag: u8, count: usize) -> usize {
    out.push(tag);
    out.extend_from_slice(&in_32_bits(count).to_le_bytes());
    out.extend_from_slice(&[0; 8]); // the length, filled in when it is known
    out.len()
}

/// Of a container whose first element lies at `start` and whose last one has been written, where `elsewhere` bytes
/// of it are not in `out`.
pub(super) fn fill_in_length(out: &mut [u8], start: usize, elsewhere: usize) {
    let length = (out.len() - start + elsewhere) as u64;
    out[start - 8..start].copy_from_slice(&length.to_le_bytes());
}

pub(super) fn write_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&in_32_bits(text.len()).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn in_32_bits(length: usize) -> u32 {
    u32::try_from(length)
        .expect("no string or array of a payload outgrows 32 bits: its size limit is far below")
}
