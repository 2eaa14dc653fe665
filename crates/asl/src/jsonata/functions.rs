//! The functions that Step Functions adds to JSONata, those that have to give the same again on a replay, and the one it
//! leaves out.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html#jsonata-functions-provided-by-sfn>.

use super::value::{from_jsonata, to_jsonata};
use crate::digest::digest;
use crate::random::SplitMix64;
use jsonata_core::evaluator::{Evaluator, EvaluatorError};
use jsonata_core::value::JValue;
use std::cell::RefCell;
use std::rc::Rc;

type Outcome = Result<JValue, EvaluatorError>;

/// Elements that `$range` makes at most, as `States.ArrayRange`.
const MAX_RANGE: f64 = 1_000.0;

pub(super) fn register(
    evaluator: &mut Evaluator,
    random: &Rc<RefCell<SplitMix64>>,
    now: u64,
) -> Result<(), EvaluatorError> {
    evaluator.register_fn("partition", partition)?;
    evaluator.register_fn("range", range)?;
    evaluator.register_fn("hash", hash)?;
    evaluator.register_fn("parse", parse)?;
    let source = Rc::clone(random);
    evaluator.register_fn("uuid", move |_: &[JValue]| Ok(JValue::from(source.borrow_mut().uuid())))?;
    let source = Rc::clone(random);
    evaluator.register_fn_override("random", move |arguments: &[JValue]| match arguments.first() {
        None | Some(JValue::Undefined) => Ok(JValue::Number(fraction(&mut source.borrow_mut()))),
        Some(seed) => {
            let seed = number(seed, "random", 1)?;
            Ok(JValue::Number(fraction(&mut SplitMix64::new(seed as i64 as u64))))
        }
    })?;
    evaluator.register_fn_override("millis", move |_: &[JValue]| Ok(JValue::Number((now / 1000) as f64)))?;
    evaluator.register_fn_override("pad", pad)?;
    evaluator.register_fn_override("eval", |_: &[JValue]| {
        Err(failed("T1006: Attempted to invoke a non-function: Step Functions has no $eval"))
    })?;
    register_now(evaluator, now)
}

/// `$now()`; with a picture it is `$fromMillis`.
fn register_now(evaluator: &mut Evaluator, now: u64) -> Result<(), EvaluatorError> {
    evaluator.register_fn_override("now", move |arguments: &[JValue]| {
        let mut inner = Evaluator::new();
        let names = ["millis", "picture", "zone"];
        let values = [JValue::Number((now / 1000) as f64)].into_iter().chain(arguments.iter().cloned());
        let mut call = String::from("$fromMillis(");
        let data: Vec<String> =
            names.iter().take(arguments.len() + 1).map(|name| (*name).to_owned()).collect();
        call.push_str(&data.join(", "));
        call.push(')');
        let object = data.into_iter().zip(values).collect::<indexmap::IndexMap<String, JValue>>();
        let syntax = jsonata_core::parser::parse(&call).map_err(|error| failed(error.to_string()))?;
        inner.evaluate(&syntax, &JValue::object(object))
    })
}

fn failed(message: impl Into<String>) -> EvaluatorError {
    EvaluatorError::EvaluationError(message.into())
}

fn wrong(function: &str, position: usize) -> EvaluatorError {
    failed(format!("T0410: Argument {position} of function \"{function}\" does not match function signature"))
}

/// In `0..1`.
fn fraction(random: &mut SplitMix64) -> f64 {
    (random.bits() >> 11) as f64 / (1_u64 << 53) as f64
}

fn number(value: &JValue, function: &str, position: usize) -> Result<f64, EvaluatorError> {
    value.as_f64().ok_or_else(|| wrong(function, position))
}

/// `$partition(array, size)`
fn partition(arguments: &[JValue]) -> Outcome {
    let [array, size, ..] = arguments else { return Err(wrong("partition", arguments.len() + 1)) };
    let size = number(size, "partition", 2)?.floor();
    if size < 1.0 {
        return Err(failed("D3137: the size of a part must be a positive number"));
    }
    let items: &[JValue] = match array {
        JValue::Undefined => return Ok(JValue::Undefined),
        array => array.as_array().ok_or_else(|| wrong("partition", 1))?,
    };
    Ok(JValue::array(items.chunks(size as usize).map(|part| JValue::array(part.to_vec())).collect()))
}

/// `$range(first, last, step)`, both ends included.
fn range(arguments: &[JValue]) -> Outcome {
    let [first, last, step, ..] = arguments else { return Err(wrong("range", arguments.len() + 1)) };
    let (first, last) = (number(first, "range", 1)?, number(last, "range", 2)?);
    let step = number(step, "range", 3)?;
    if step == 0.0 {
        return Err(failed("D3137: the step of a range cannot be 0"));
    }
    let count = ((last - first) / step).floor() + 1.0;
    if count > MAX_RANGE {
        return Err(failed(format!("D3137: a range has at most {MAX_RANGE} elements")));
    }
    let count = if count > 0.0 { count as u32 } else { 0 };
    Ok(JValue::array((0..count).map(|index| JValue::Number(first + f64::from(index) * step)).collect()))
}

/// Characters that `$pad` makes at most: the function of `jsonata-core` takes all the memory there is.
const MAX_PADDED: f64 = 10_000_000.0;

/// `$pad(text, width, with)`: on the right, or on the left where the width is negative.
fn pad(arguments: &[JValue]) -> Outcome {
    let text = match arguments.first() {
        None | Some(JValue::Undefined) => return Ok(JValue::Undefined),
        Some(text) => text.as_str().ok_or_else(|| wrong("pad", 1))?,
    };
    let width = arguments.get(1).and_then(JValue::as_f64).ok_or_else(|| wrong("pad", 2))?.trunc();
    let with = match arguments.get(2) {
        None | Some(JValue::Undefined) => " ",
        Some(with) => with.as_str().ok_or_else(|| wrong("pad", 3))?,
    };
    let with = if with.is_empty() { " " } else { with };
    if width.abs() > MAX_PADDED {
        return Err(failed(format!("D3137: a padded string has at most {MAX_PADDED} characters")));
    }
    let missing = (width.abs() as usize).saturating_sub(text.chars().count());
    let padding: String = with.chars().cycle().take(missing).collect();
    Ok(JValue::from(if width < 0.0 { format!("{padding}{text}") } else { format!("{text}{padding}") }))
}

/// `$hash(value, algorithm)`, SHA-1 without an algorithm.
fn hash(arguments: &[JValue]) -> Outcome {
    let algorithm = match arguments.get(1) {
        None | Some(JValue::Undefined) => "SHA-1",
        Some(name) => name.as_str().ok_or_else(|| wrong("hash", 2))?,
    };
    let data = match arguments.first() {
        None | Some(JValue::Undefined) => return Ok(JValue::Undefined),
        Some(JValue::String(text)) => text.to_string(),
        Some(other) => match from_jsonata(other) {
            Ok(Some(value)) => value.to_string(),
            _ => return Err(wrong("hash", 1)),
        },
    };
    let hashed = digest(&data, algorithm);
    hashed.map(JValue::from).ok_or_else(|| failed(format!("D3137: there is no hash algorithm {algorithm}")))
}

/// `$parse(text)`: JSON.
fn parse(arguments: &[JValue]) -> Outcome {
    match arguments.first() {
        None | Some(JValue::Undefined) => Ok(JValue::Undefined),
        Some(text) => {
            let text = text.as_str().ok_or_else(|| wrong("parse", 1))?;
            let parsed =
                serde_json::from_str(text).map_err(|error| failed(format!("D3137: no JSON: {error}")))?;
            Ok(to_jsonata(parsed))
        }
    }
}
