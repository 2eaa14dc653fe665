//! Numbers.

use super::{Arguments, Evaluator, Fault, Outcome};
use crate::jsonata::number as digits;
use crate::jsonata::value::{Array, Value};

/// The numbers of an array; `None` where there is nothing to compute with.
fn numbers<'a>(
    evaluator: &mut Evaluator<'a, '_>,
    arguments: &mut Arguments<'a>,
) -> Result<Option<Vec<f64>>, Fault> {
    let Some(array) = arguments.array(0)? else { return Ok(None) };
    evaluator.spend(array.len() / 4)?;
    let number = |value: Value<'a>| {
        if let Value::Number(number) = value { Ok(number.float) } else { Err(Fault::new("T0412")) }
    };
    array.iter().map(number).collect::<Result<_, _>>().map(Some)
}

fn result<'a>(number: Option<f64>) -> Outcome<'a> {
    Ok(number.map_or(Value::Undefined, Value::number))
}

pub(super) fn sum<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    result(
        numbers(evaluator, &mut arguments)?
            .map(|numbers| numbers.iter().fold(0.0, |sum, number| sum + number)),
    )
}

pub(super) fn count<'a>(_: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    Ok(Value::number(arguments.array(0)?.map_or(0, |array: Array<'a>| array.len()) as f64))
}

pub(super) fn max<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    result(numbers(evaluator, &mut arguments)?.and_then(|numbers| numbers.into_iter().reduce(f64::max)))
}

pub(super) fn min<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    result(numbers(evaluator, &mut arguments)?.and_then(|numbers| numbers.into_iter().reduce(f64::min)))
}

pub(super) fn average<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let numbers = numbers(evaluator, &mut arguments)?.filter(|numbers| !numbers.is_empty());
    result(numbers.map(|numbers| numbers.iter().fold(0.0, |sum, number| sum + number) / numbers.len() as f64))
}

pub(super) fn number<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let value = arguments.take(0);
    let number = match &value {
        Value::Undefined | Value::Number(_) => return Ok(value),
        Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
        Value::Text(text) => decimal(text).or_else(|| with_prefix(text)),
        _ => None,
    };
    match number {
        Some(number) => Ok(Value::number(number)),
        None => Err(Fault::value("D3030", evaluator.shown(&value)?).at_argument(1)),
    }
}

fn decimal(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let well_formed = match mantissa.split_once('.') {
        Some((whole, fraction)) => is_digits(whole) && is_digits(fraction),
        None => is_digits(mantissa),
    } && exponent
        .is_none_or(|exponent| is_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)));
    if well_formed { text.parse::<f64>().ok().filter(|number| number.is_finite()) } else { None }
}

fn with_prefix(text: &str) -> Option<f64> {
    let radix = match text.get(..2)? {
        "0x" | "0X" => 16,
        "0o" | "0O" => 8,
        "0b" | "0B" => 2,
        _ => return None,
    };
    let digits = &text[2..];
    let value =
        |number: f64, letter: char| Some(number * f64::from(radix) + f64::from(letter.to_digit(radix)?));
    if digits.is_empty() { None } else { digits.chars().try_fold(0.0, value) }
}

pub(super) fn floor<'a>(_: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    result(arguments.number(0)?.map(f64::floor))
}

pub(super) fn ceil<'a>(_: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    result(arguments.number(0)?.map(f64::ceil))
}

pub(super) fn abs<'a>(_: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    result(arguments.number(0)?.map(f64::abs))
}

pub(super) fn round<'a>(_: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let places = arguments.number(1)?.unwrap_or(0.0);
    result(arguments.number(0)?.map(|number| digits::round(number, places)))
}

pub(super) fn sqrt<'a>(_: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    match arguments.number(0)? {
        Some(number) if number < 0.0 => Err(Fault::value("D3060", digits::text(number)).at_argument(1)),
        number => result(number.map(f64::sqrt)),
    }
}

pub(super) fn power<'a>(_: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let (Some(base), Some(exponent)) = (arguments.number(0)?, arguments.number(1)?) else {
        return Ok(Value::Undefined);
    };
    let power = base.powf(exponent);
    if power.is_finite() {
        return Ok(Value::number(power));
    }
    Err(Fault::value("D3061", digits::text(base)).and(digits::text(exponent)).at_argument(1))
}

pub(super) fn format_base<'a>(_: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let Some(number) = arguments.number(0)? else { return Ok(Value::Undefined) };
    let radix = digits::round(arguments.number(1)?.unwrap_or(10.0), 0.0);
    if !(2.0..=36.0).contains(&radix) {
        return Err(Fault::value("D3100", digits::text(radix)));
    }
    Ok(Value::text(digits::in_base(digits::round(number, 0.0), radix as u32)))
}
