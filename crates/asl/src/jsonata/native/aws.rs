//! What Step Functions adds.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html>, "JSONata functions provided by
//! Step Functions".

use super::{Arguments, Evaluator, Fault, Outcome};
use crate::digest::digest;
use crate::jsonata::error::quoted;
use crate::jsonata::number;
use crate::jsonata::value::{Array, Map, Object, Value};
use faastlane_payload::Payload;
use serde_json::Value as Json;

/// From 0 up to, but without, 1. With a seed, the first number of Java's generator with that seed, as on Step Functions.
pub(super) fn random<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    const UNIT: f64 = 1.0 / (1_u64 << 53) as f64;
    Ok(Value::number(match arguments.number(0)? {
        Some(seed) => java_double(seed as i64),
        None => (evaluator.random.bits() >> 11) as f64 * UNIT,
    }))
}

/// `new java.util.Random(seed).nextDouble()`. Source: its documentation, which fixes the generator.
fn java_double(seed: i64) -> f64 {
    const MULTIPLIER: u64 = 0x5_deec_e66d;
    const MASK: u64 = (1 << 48) - 1;
    let mut state = (seed as u64 ^ MULTIPLIER) & MASK;
    let mut next = |bits: u32| {
        state = state.wrapping_mul(MULTIPLIER).wrapping_add(0xb) & MASK;
        state >> (48 - bits)
    };
    let (high, low) = (next(26), next(27));
    ((high << 27) + low) as f64 / (1_u64 << 53) as f64
}

pub(super) fn uuid<'a>(evaluator: &mut Evaluator<'a, '_>, _: Arguments<'a>) -> Outcome<'a> {
    Ok(Value::text(evaluator.random.uuid()))
}

fn failed<'a>(message: String) -> Outcome<'a> {
    Err(Fault::message("D3137", message))
}

/// A whole number that may stand for a size or a step.
fn whole(number: f64) -> Option<f64> {
    (number.is_finite() && number.fract() == 0.0).then_some(number)
}

pub(super) fn partition<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let (array, size) = (arguments.array(0)?, arguments.number(1)?);
    let (Some(array), Some(size)) = (array, size) else { return Ok(Value::Undefined) };
    let Some(size) = whole(size).filter(|size| *size >= 1.0) else {
        return failed(format!(
            "The second argument of the partition function must be a positive integer, not {}",
            number::text(size)
        ));
    };
    evaluator.allow_items(array.len().saturating_mul(2))?;
    let items = array.into_items();
    let parts = items.chunks(size as usize).map(|part| Value::Array(Array::new(part.to_vec())));
    Ok(Value::Array(Array::new(parts.collect())))
}

/// Both ends are in it, the second one if a step lands on it.
pub(super) fn range<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let ends = arguments.number(0)?.zip(arguments.number(1)?);
    let Some(((start, end), step)) = ends.zip(arguments.number(2)?) else { return Ok(Value::Undefined) };
    if step == 0.0 || ![start, end, step].iter().all(|number| number.is_finite()) {
        return failed("The third argument of the range function must not be 0".to_owned());
    }
    let count = ((end - start) / step).floor() + 1.0;
    if count <= 0.0 {
        return Ok(Value::Array(Array::new(Vec::new())));
    }
    evaluator.allow_items(if count > 1e12 { usize::MAX } else { count as usize })?;
    let items = (0..count as usize).map(|index| Value::number(start + index as f64 * step));
    Ok(Value::Array(Array::new(items.collect())))
}

pub(super) fn hash<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let Some(text) = arguments.text(0)? else { return Ok(Value::Undefined) };
    let algorithm = arguments.text(1)?;
    evaluator.spend(text.len() / 32)?;
    let algorithm = algorithm.as_deref().unwrap_or("SHA-1");
    match digest(&text, algorithm) {
        Some(hashed) => Ok(Value::text(hashed)),
        None => failed(format!(
            "The second argument of the hash function must be MD5, SHA-1, SHA-256, SHA-384 or SHA-512, not {}",
            quoted(algorithm)
        )),
    }
}

/// JSON to a value: what Step Functions has in place of `$eval`.
pub(super) fn parse<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let Some(text) = arguments.text(0)? else { return Ok(Value::Undefined) };
    // A value takes more than its text.
    evaluator.allow_bytes(text.len().saturating_mul(4))?;
    match Payload::from_json(&text) {
        Ok(payload) => match payload.value() {
            Ok(json) => made(json, 0),
            Err(error) => failed(format!("The argument of the parse function is {error}")),
        },
        Err(error) => failed(format!("The argument of the parse function is {error}")),
    }
}

/// A value of its own.
fn made<'a>(json: &Json, depth: usize) -> Outcome<'a> {
    if depth > crate::jsonata::evaluate::MAX_DEPTH {
        return Err(Fault::Depth);
    }
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => {
            Value::number(number.as_f64().or_else(|| number.as_str().parse().ok()).unwrap_or(f64::NAN))
        }
        Json::String(text) => Value::text(text.as_str()),
        Json::Array(items) => {
            let mut made_items = Vec::with_capacity(items.len());
            for item in items {
                made_items.push(made(item, depth + 1)?);
            }
            Value::Array(Array::new(made_items))
        }
        Json::Object(members) => {
            let mut map = Map::with_capacity(members.len());
            for (key, value) in members {
                map.insert(crate::jsonata::value::Text::Made(key.as_str().into()), made(value, depth + 1)?);
            }
            Value::Object(Object::new(map))
        }
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn seeds_give_what_java_gives() {
        assert_eq!(super::java_double(42), 0.7275636800328681);
        assert_eq!(super::java_double(0), 0.730967787376657);
    }
}
