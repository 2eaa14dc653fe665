//! JSON text in and out, and the one way in which numbers are classified.

use std::io;

use serde::de::Deserialize;
use serde::ser::Serialize;
use serde_json::ser::Formatter;
use serde_json::{Deserializer, Number, Serializer, Value};

use crate::{MAX_DEPTH, PayloadError};

/// How deep a text may nest to be parsed on the caller's stack: serde_json's own limit.
const SHALLOW: usize = 128;
/// Enough for [`MAX_DEPTH`] levels of serde_json, which takes 4 KiB a level when it is not optimised.
const DEEP_STACK_BYTES: usize = 16 << 20;

/// Parses one JSON text.
pub(crate) fn parse(json: &str) -> Result<Value, PayloadError> {
    if depth(json)? <= SHALLOW {
        return parse_here(json);
    }
    std::thread::scope(|scope| {
        let parser = std::thread::Builder::new().stack_size(DEEP_STACK_BYTES);
        // A host that gives no thread is no reason to risk this one's stack.
        let Ok(parser) = parser.spawn_scoped(scope, || parse_here(json)) else {
            return Err(PayloadError::TooDeep);
        };
        parser.join().unwrap_or(Err(PayloadError::TooDeep))
    })
}

fn parse_here(json: &str) -> Result<Value, PayloadError> {
    let mut reader = Deserializer::from_str(json);
    reader.disable_recursion_limit(); // ours has been checked
    let value = Value::deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    let mut value = value.map_err(|error| {
        let text = error.to_string();
        let message = text.split(" at line ").next().unwrap_or_default().to_owned();
        PayloadError::NotJson { message, line: error.line(), column: error.column() }
    })?;
    settle_numbers(&mut value);
    Ok(value)
}

/// How deep a text nests, before anything is built that would have to be taken down again.
fn depth(json: &str) -> Result<usize, PayloadError> {
    let mut deepest = 0;
    let mut depth = 0_usize;
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'"' => break,
                        b'\\' => drop(bytes.next()),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        deepest = deepest.max(depth);
        if depth > MAX_DEPTH {
            return Err(PayloadError::TooDeep);
        }
    }
    Ok(deepest)
}

fn settle_numbers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(settled) = settle(number.as_str()) {
                *number = settled;
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(settle_numbers),
        Value::Object(members) => members.values_mut().for_each(settle_numbers),
        _ => {}
    }
}

/// What a JSON number's text stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Class {
    Integer(i64),
    Float(f64),
    /// An integer beyond `i64`, or a decimal beyond the finite `f64`.
    Text,
}

/// Classifies the text of a JSON number.
pub(crate) fn classify(number: &str) -> Class {
    if number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        return number.parse().map_or(Class::Text, Class::Integer);
    }
    match number.parse::<f64>() {
        Ok(float) if float.is_finite() => Class::Float(float),
        _ => Class::Text,
    }
}

/// The number that every text of the same value becomes, so that a value equals itself after any trip.
pub(crate) fn settle(number: &str) -> Option<Number> {
    match classify(number) {
        Class::Integer(integer) => Some(Number::from(integer)),
        Class::Float(float) => Number::from_f64(float),
        Class::Text => number.parse().ok(),
    }
}

/// Writes one JSON text in one line.
pub(crate) fn write(value: &Value) -> Result<String, PayloadError> {
    if !nests_within(value, MAX_DEPTH) {
        return Err(PayloadError::TooDeep);
    }
    let mut out = Vec::with_capacity(128);
    let written = value.serialize(&mut Serializer::with_formatter(&mut out, PythonNumbers));
    debug_assert!(written.is_ok(), "a value into memory: {written:?}");
    Ok(String::from_utf8(out).unwrap_or_default())
}

fn nests_within(value: &Value, levels: usize) -> bool {
    let below = |value| levels > 0 && nests_within(value, levels - 1);
    match value {
        Value::Array(elements) => levels > 0 && elements.iter().all(below),
        Value::Object(members) => levels > 0 && members.values().all(below),
        _ => true,
    }
}

/// serde_json's compact form, with floats as Python's `repr` writes them.
struct PythonNumbers;

impl Formatter for PythonNumbers {
    fn write_number_str<W: ?Sized + io::Write>(&mut self, writer: &mut W, number: &str) -> io::Result<()> {
        match classify(number) {
            Class::Integer(integer) => write!(writer, "{integer}"),
            Class::Float(float) => write_float(writer, float),
            Class::Text => writer.write_all(number.as_bytes()),
        }
    }
}

/// Python's `float.__repr__`: shortest digits that read back, an exponent below 1e-4 and from 1e16 on.
fn write_float<W: ?Sized + io::Write>(writer: &mut W, float: f64) -> io::Result<()> {
    let shortest = format!("{float:e}");
    let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    match exponent.parse::<i32>().unwrap_or(0) {
        exponent @ -4..16 if exponent < 0 || float.fract() != 0.0 => write!(writer, "{float}"),
        -4..16 => write!(writer, "{float:.1}"),
        exponent => {
            let sign = if exponent < 0 { '-' } else { '+' };
            write!(writer, "{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
    }
}
