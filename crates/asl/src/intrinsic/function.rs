//! What each intrinsic function computes.

use super::escaped;
use super::java::{self, Shown};
use crate::digest::digest;
use crate::number::{canonical, same_value};
use crate::random::SplitMix64;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use faastlane_payload::Payload;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Array,
    ArrayContains,
    ArrayGetItem,
    ArrayLength,
    ArrayPartition,
    ArrayRange,
    ArrayUnique,
    Base64Decode,
    Base64Encode,
    Format,
    Hash,
    JsonMerge,
    JsonToString,
    MathAdd,
    MathRandom,
    StringSplit,
    StringToJson,
    Uuid,
}

/// Name, function, and the least and most arguments.
const FUNCTIONS: [(&str, Function, usize, usize); 18] = [
    ("States.Array", Function::Array, 0, usize::MAX),
    ("States.ArrayContains", Function::ArrayContains, 2, 2),
    ("States.ArrayGetItem", Function::ArrayGetItem, 2, 2),
    ("States.ArrayLength", Function::ArrayLength, 1, 1),
    ("States.ArrayPartition", Function::ArrayPartition, 2, 2),
    ("States.ArrayRange", Function::ArrayRange, 3, 3),
    ("States.ArrayUnique", Function::ArrayUnique, 1, 1),
    ("States.Base64Decode", Function::Base64Decode, 1, 1),
    ("States.Base64Encode", Function::Base64Encode, 1, 1),
    ("States.Format", Function::Format, 1, usize::MAX),
    ("States.Hash", Function::Hash, 2, 2),
    ("States.JsonMerge", Function::JsonMerge, 3, 3),
    ("States.JsonToString", Function::JsonToString, 1, 1),
    ("States.MathAdd", Function::MathAdd, 2, 2),
    ("States.MathRandom", Function::MathRandom, 2, 3),
    ("States.StringSplit", Function::StringSplit, 2, 2),
    ("States.StringToJson", Function::StringToJson, 1, 1),
    ("States.UUID", Function::Uuid, 0, 0),
];

/// Characters that Step Functions hashes, encodes and decodes at most.
const MAX_TEXT: usize = 10_000;

/// Elements that `States.ArrayRange` makes at most.
const MAX_RANGE: i128 = 1_000;

type Outcome = Result<Value, String>;

impl Function {
    pub(super) fn named(name: &str) -> Option<Function> {
        FUNCTIONS.iter().find(|entry| entry.0 == name).map(|entry| entry.1)
    }

    /// What it takes, in words, if not this many arguments.
    pub(super) fn takes(self, count: usize) -> Result<(), String> {
        let (least, most) =
            FUNCTIONS.iter().find(|entry| entry.1 == self).map_or((0, 0), |entry| (entry.2, entry.3));
        let plural = if least == 1 { "argument" } else { "arguments" };
        match (least..=most).contains(&count) {
            true => Ok(()),
            false if most == usize::MAX => Err(format!("{least} {plural} or more")),
            false if least < most => Err(format!("{least} to {most} arguments")),
            false => Err(format!("{least} {plural}")),
        }
    }

    /// `arguments` are as many as it takes.
    pub(super) fn apply(self, arguments: Vec<Value>, random: &mut SplitMix64) -> Outcome {
        match (self, &arguments[..]) {
            (Function::Array, _) => Ok(Value::Array(arguments)),
            (Function::ArrayContains, [array, wanted]) => {
                Ok(Value::Bool(list(array)?.iter().any(|element| same_value(element, wanted))))
            }
            (Function::ArrayGetItem, [array, index]) => {
                let position = usize::try_from(integer(index)?).ok();
                let element = position.and_then(|position| list(array).ok()?.get(position));
                list(array)?;
                element.cloned().ok_or_else(|| format!("the array has no element {}", Shown(index)))
            }
            (Function::ArrayLength, [array]) => Ok(json!(list(array)?.len())),
            (Function::ArrayPartition, [array, size]) => {
                let size = usize::try_from(integer(size)?).ok().filter(|size| *size > 0);
                let size = size.ok_or("the size of a part must be positive")?;
                Ok(list(array)?.chunks(size).map(|part| Value::Array(part.to_vec())).collect())
            }
            (Function::ArrayRange, [first, last, step]) => {
                range(integer(first)?, integer(last)?, integer(step)?)
            }
            (Function::ArrayUnique, [array]) => Ok(unique(list(array)?)),
            (Function::Base64Decode, [data]) => decoded(text(data)?),
            (Function::Base64Encode, [data]) => Ok(Value::String(BASE64.encode(bounded(text(data)?)?))),
            (Function::Format, [template, values @ ..]) => formatted(text(template)?, values),
            (Function::Hash, [data, algorithm]) => hash(data, text(algorithm)?),
            (Function::JsonMerge, [left, right, deep]) => merged(left, right, deep),
            (Function::JsonToString, [value]) => Ok(Value::String(java::json(value))),
            (Function::MathAdd, [left, right]) => whole(rounded(left)? + rounded(right)?),
            (Function::MathRandom, [start, end]) => drawn(start, end, random),
            (Function::MathRandom, [start, end, seed]) => {
                drawn(start, end, &mut SplitMix64::new(integer(seed)? as u64))
            }
            (Function::StringSplit, [data, separators]) => split(text(data)?, text(separators)?),
            (Function::StringToJson, [data]) => parsed(text(data)?),
            (Function::Uuid, []) => Ok(Value::String(random.uuid())),
            _ => unreachable!("the number of arguments is checked when the call is read"),
        }
    }
}

fn list(value: &Value) -> Result<&Vec<Value>, String> {
    value.as_array().ok_or_else(|| format!("expected an array, got {}", Shown(value)))
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("expected a string, got {}", Shown(value)))
}

fn bounded(text: &str) -> Result<&str, String> {
    match text.chars().nth(MAX_TEXT) {
        None => Ok(text),
        Some(_) => Err(format!("the data has more than {MAX_TEXT} characters")),
    }
}

/// Halves go up, as `Math.round` has it in Java.
fn rounded(value: &Value) -> Result<i128, String> {
    let number = value.as_number().ok_or_else(|| format!("expected a number, got {}", Shown(value)))?;
    match number.as_i128() {
        Some(integer) => Ok(integer),
        None => Ok((number.as_f64().unwrap_or(f64::NAN) + 0.5).floor() as i128),
    }
}

fn integer(value: &Value) -> Result<i64, String> {
    i64::try_from(rounded(value)?).map_err(|_| format!("{} is too large", Shown(value)))
}

fn whole(number: i128) -> Outcome {
    i64::try_from(number).map(Value::from).map_err(|_| "the result is too large".to_owned())
}

fn range(first: i64, last: i64, step: i64) -> Outcome {
    if step == 0 {
        return Err("the step of a range cannot be 0".to_owned());
    }
    let (first, last, step) = (i128::from(first), i128::from(last), i128::from(step));
    let length = ((last - first) / step + 1).max(0) * i128::from((last - first).signum() != -step.signum());
    if length > MAX_RANGE {
        return Err(format!("a range has at most {MAX_RANGE} elements"));
    }
    (0..length).map(|position| whole(first + position * step)).collect()
}

fn unique(array: &[Value]) -> Value {
    let mut met = HashSet::with_capacity(array.len());
    array.iter().filter(|element| met.insert(canonical(element))).cloned().collect()
}

fn decoded(data: &str) -> Outcome {
    let bytes = BASE64.decode(bounded(data)?).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map(Value::String).map_err(|_| "the decoded data is no text".to_owned())
}

/// `{}` takes the next value; a backslash takes the character behind it literally.
fn formatted(template: &str, values: &[Value]) -> Outcome {
    let mut out = String::with_capacity(template.len());
    let mut left = values.iter();
    let mut characters = template.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => out.push(escaped(characters.next())?),
            '{' if characters.next_if_eq(&'}').is_some() => {
                let value = left.next().ok_or("there are more {} than values for them")?;
                out.push_str(&Shown(value).to_string());
            }
            other => out.push(other),
        }
    }
    match left.next() {
        None => Ok(Value::String(out)),
        Some(_) => Err("there are fewer {} than values for them".to_owned()),
    }
}

fn hash(data: &Value, algorithm: &str) -> Outcome {
    let data = match data {
        Value::String(text) => bounded(text)?.to_owned(),
        other => bounded(&java::json(other))?.to_owned(),
    };
    digest(&data, algorithm)
        .map(Value::String)
        .ok_or_else(|| format!("there is no hash algorithm {algorithm}"))
}

fn merged(left: &Value, right: &Value, deep: &Value) -> Outcome {
    if deep != &Value::Bool(false) {
        return Err("only shallow merging is supported: the third argument must be false".to_owned());
    }
    let object = |value: &Value| -> Result<Map<String, Value>, String> {
        value.as_object().cloned().ok_or_else(|| format!("expected an object, got {}", Shown(value)))
    };
    let mut merged = object(left)?;
    merged.extend(object(right)?);
    Ok(Value::Object(merged))
}

/// The start can be drawn, the end cannot.
fn drawn(start: &Value, end: &Value, random: &mut SplitMix64) -> Outcome {
    let (start, end) = (integer(start)?, integer(end)?);
    match end.checked_sub(start) {
        Some(1..) => Ok(json!(start + random.up_to((end - start - 1) as u64) as i64)),
        _ => Err("the end must be larger than the start".to_owned()),
    }
}

fn parsed(text: &str) -> Outcome {
    let payload = Payload::from_json(text).map_err(|error| error.to_string())?;
    payload.value().cloned().map_err(|error| error.to_string())
}

/// At each of the separating characters; nothing comes of nothing between two of them.
fn split(data: &str, separators: &str) -> Outcome {
    let separators: HashSet<char> = separators.chars().collect();
    let parts = data.split(|character| separators.contains(&character));
    Ok(parts.filter(|part| !part.is_empty()).map(Value::from).collect())
}
