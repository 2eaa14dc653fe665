//! The flat form, checked while it is read.

use serde_json::{Map, Number, Value};

use super::binary::{BYTES_DEPTH, NDARRAY_DEPTH, bytes_to_json, ndarray_to_json};
use super::{Ndarray, tag};
use crate::text::settle;
use crate::{MAX_DEPTH, PayloadError};

/// Checks that `bytes` are one value in the flat form and returns how deep it nests.
pub(crate) fn check(bytes: &[u8]) -> Result<usize, PayloadError> {
    walk(bytes, &mut Nothing)
}

/// Makes the value whose flat form `bytes` are.
pub(crate) fn decode(bytes: &[u8]) -> Result<Value, PayloadError> {
    let mut decoder = Decoder { open: Vec::new(), whole: Value::Null };
    walk(bytes, &mut decoder)?;
    Ok(decoder.whole)
}

/// What is made of a value while it is read.
trait Visitor<'a> {
    fn scalar(&mut self, scalar: Scalar<'a>);
    fn open(&mut self, is_object: bool);
    /// The key of the member that comes next.
    fn key(&mut self, key: &'a str);
    fn close(&mut self);
}

enum Scalar<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Number(Number),
    Text(&'a str),
    Bytes(&'a [u8]),
    Ndarray(Ndarray<'a>),
}

/// Reads one value that fills `bytes` and returns how deep it nests.
fn walk<'a>(bytes: &'a [u8], visitor: &mut impl Visitor<'a>) -> Result<usize, PayloadError> {
    let mut reader = Reader { bytes, at: 0, end: bytes.len(), deepest: 0 };
    let mut open: Vec<Container> = Vec::new();
    loop {
        if let Some(container) = reader.value(visitor, open.len())? {
            open.push(container);
        }
        loop {
            let Some(innermost) = open.last_mut() else {
                return if reader.at < bytes.len() {
                    reader.damaged("bytes after the value")
                } else {
                    Ok(reader.deepest)
                };
            };
            if innermost.missing > 0 {
                innermost.missing -= 1;
                if innermost.is_object {
                    visitor.key(reader.text()?);
                }
                break;
            }
            if reader.at < reader.end {
                return reader.damaged("bytes after the last element");
            }
            reader.end = innermost.outer_end;
            open.pop();
            visitor.close();
        }
    }
}

/// A container whose elements are being read.
struct Container {
    is_object: bool,
    /// How many elements are still to come.
    missing: u32,
    /// Where the container around it ends.
    outer_end: usize,
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the innermost container ends: nothing in it reaches further.
    end: usize,
    /// How many levels have been found at most.
    deepest: usize,
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

    /// What has a length in 64 bits.
    fn long(&mut self) -> Result<&'a [u8], PayloadError> {
        let length = u64::from_le_bytes(self.array()?);
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// There is a value of so many levels, those around it counted.
    fn reach(&mut self, levels: usize) -> Result<(), PayloadError> {
        self.deepest = self.deepest.max(levels);
        if levels > MAX_DEPTH { Err(PayloadError::TooDeep) } else { Ok(()) }
    }

    /// Reads one value, or the head of a container, which it returns. `depth` containers are open.
    fn value(
        &mut self,
        visitor: &mut impl Visitor<'a>,
        depth: usize,
    ) -> Result<Option<Container>, PayloadError> {
        let [tag] = self.array()?;
        visitor.scalar(match tag {
            tag::NULL => Scalar::Null,
            tag::FALSE => Scalar::Bool(false),
            tag::TRUE => Scalar::Bool(true),
            tag::INTEGER => Scalar::Integer(i64::from_le_bytes(self.array()?)),
            tag::FLOAT => match f64::from_le_bytes(self.array()?) {
                float if float.is_finite() => Scalar::Float(float),
                _ => return self.damaged("a float that is not finite"),
            },
            // Parsed before it is settled, so that only what JSON calls a number passes.
            tag::NUMBER => {
                match self.text()?.parse::<Number>().ok().and_then(|number| settle(number.as_str())) {
                    Some(number) => Scalar::Number(number),
                    None => return self.damaged("a number that is none"),
                }
            }
            tag::STRING => Scalar::Text(self.text()?),
            tag::BYTES => {
                self.reach(depth + BYTES_DEPTH)?;
                Scalar::Bytes(self.long()?)
            }
            tag::NDARRAY => {
                self.reach(depth + NDARRAY_DEPTH)?;
                match Ndarray::read(self.long()?) {
                    Some(array) => Scalar::Ndarray(array),
                    None => return self.damaged("an array that is not what it claims"),
                }
            }
            tag::ARRAY | tag::OBJECT => {
                let container = self.container(tag == tag::OBJECT, depth)?;
                visitor.open(container.is_object);
                return Ok(Some(container));
            }
            _ => return self.damaged("an unknown tag"),
        });
        Ok(None)
    }

    fn container(&mut self, is_object: bool, depth: usize) -> Result<Container, PayloadError> {
        self.reach(depth + 1)?;
        let missing = u32::from_le_bytes(self.array()?);
        let length = u64::from_le_bytes(self.array()?);
        let outer_end = self.end;
        match usize::try_from(length).ok().and_then(|length| self.at.checked_add(length)) {
            Some(end) if end <= outer_end => self.end = end,
            _ => return self.damaged("a length that reaches beyond the end"),
        }
        Ok(Container { is_object, missing, outer_end })
    }
}

/// Only checks.
struct Nothing;

impl Visitor<'_> for Nothing {
    fn scalar(&mut self, _: Scalar<'_>) {}
    fn open(&mut self, _: bool) {}
    fn key(&mut self, _: &str) {}
    fn close(&mut self) {}
}

struct Decoder {
    open: Vec<Content>,
    /// Once all is read.
    whole: Value,
}

enum Content {
    Elements(Vec<Value>),
    /// The members, and the key of the one being read.
    Members(Map<String, Value>, String),
}

impl Decoder {
    fn add(&mut self, value: Value) {
        match self.open.last_mut() {
            Some(Content::Elements(elements)) => elements.push(value),
            Some(Content::Members(members, key)) => drop(members.insert(std::mem::take(key), value)),
            None => self.whole = value,
        }
    }
}

impl<'a> Visitor<'a> for Decoder {
    fn scalar(&mut self, scalar: Scalar<'a>) {
        self.add(match scalar {
            Scalar::Null => Value::Null,
            Scalar::Bool(bool) => Value::Bool(bool),
            Scalar::Integer(integer) => Value::from(integer),
            Scalar::Float(float) => Value::from(float),
            Scalar::Number(number) => Value::Number(number),
            Scalar::Text(text) => Value::String(text.to_owned()),
            Scalar::Bytes(bytes) => bytes_to_json(bytes),
            Scalar::Ndarray(array) => ndarray_to_json(array),
        });
    }

    fn open(&mut self, is_object: bool) {
        self.open.push(match is_object {
            true => Content::Members(Map::new(), String::new()),
            false => Content::Elements(Vec::new()),
        });
    }

    fn key(&mut self, key: &'a str) {
        if let Some(Content::Members(_, next)) = self.open.last_mut() {
            *next = key.to_owned();
        }
    }

    fn close(&mut self) {
        if let Some(whole) = self.open.pop() {
            self.add(match whole {
                Content::Elements(elements) => Value::Array(elements),
                Content::Members(members, _) => Value::Object(members),
            });
        }
    }
}
