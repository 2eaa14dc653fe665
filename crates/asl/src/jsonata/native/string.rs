//! Strings.

use super::{Arguments, Evaluator, Fault, Outcome};
use crate::jsonata::value::{Text, Value};

pub(super) fn string<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let (value, pretty) = (arguments.take(0), arguments.take(1).is_truthy());
    Ok(match value {
        Value::Text(_) => value,
        Value::Array(array) if array.outer => {
            let inner = array.get(0).unwrap_or(Value::Undefined);
            evaluator.string(&inner, pretty)?.map_or(Value::Undefined, Value::text)
        }
        other => evaluator.string(&other, pretty)?.map_or(Value::Undefined, Value::text),
    })
}

/// Applies to a text what changes nothing but its length, to what it was at most threefold.
fn changed<'a>(
    evaluator: &mut Evaluator<'a, '_>,
    mut arguments: Arguments<'a>,
    change: impl FnOnce(&str) -> String,
) -> Outcome<'a> {
    let Some(text) = arguments.text(0)? else { return Ok(Value::Undefined) };
    evaluator.allow_bytes(text.len())?;
    Ok(Value::text(change(&text)))
}

pub(super) fn lowercase<'a>(evaluator: &mut Evaluator<'a, '_>, arguments: Arguments<'a>) -> Outcome<'a> {
    changed(evaluator, arguments, str::to_lowercase)
}

pub(super) fn uppercase<'a>(evaluator: &mut Evaluator<'a, '_>, arguments: Arguments<'a>) -> Outcome<'a> {
    changed(evaluator, arguments, str::to_uppercase)
}

pub(super) fn trim<'a>(evaluator: &mut Evaluator<'a, '_>, arguments: Arguments<'a>) -> Outcome<'a> {
    changed(evaluator, arguments, |text| {
        let words = text.split([' ', '\t', '\n', '\r']).filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join(" ")
    })
}

pub(super) fn length<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let Some(text) = arguments.text(0)? else { return Ok(Value::Undefined) };
    evaluator.spend(text.len() / 64)?;
    Ok(Value::number(text.chars().count() as f64))
}

/// Where the character of this number starts.
fn place(text: &str, character: usize) -> usize {
    text.char_indices().nth(character).map_or(text.len(), |(at, _)| at)
}

pub(super) fn substring<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let Some(text) = arguments.text(0)? else { return Ok(Value::Undefined) };
    evaluator.allow_bytes(text.len())?;
    let count = text.chars().count() as f64;
    let mut start = arguments.number(1)?.unwrap_or(0.0);
    if count + start < 0.0 {
        start = 0.0;
    }
    let length = arguments.number(2)?;
    if length.is_some_and(|length| length <= 0.0) {
        return Ok(Value::text(""));
    }
    let end = match length {
        Some(length) if start >= 0.0 => start + length,
        Some(length) => count + start + length,
        None => count,
    };
    let index = |place: f64| {
        let place = place.trunc();
        (if place < 0.0 { place + count } else { place }).clamp(0.0, count) as usize
    };
    let (start, end) = (index(start), index(end));
    if start >= end {
        return Ok(Value::text(""));
    }
    Ok(Value::text(&text[place(&text, start)..place(&text, end)]))
}

pub(super) fn substring_before<'a>(
    evaluator: &mut Evaluator<'a, '_>,
    mut arguments: Arguments<'a>,
) -> Outcome<'a> {
    let (text, separator) = (arguments.text(0)?, arguments.text(1)?);
    let Some(text) = text else { return Ok(Value::Undefined) };
    evaluator.allow_bytes(text.len())?;
    Ok(match text.find(separator.as_deref().unwrap_or("undefined")) {
        Some(at) => Value::text(&text[..at]),
        None => Value::Text(text),
    })
}

pub(super) fn substring_after<'a>(
    evaluator: &mut Evaluator<'a, '_>,
    mut arguments: Arguments<'a>,
) -> Outcome<'a> {
    let (text, separator) = (arguments.text(0)?, arguments.text(1)?);
    let Some(text) = text else { return Ok(Value::Undefined) };
    evaluator.allow_bytes(text.len())?;
    let separator = separator.as_deref().unwrap_or("undefined");
    Ok(match text.find(separator) {
        Some(at) => Value::text(&text[at + separator.len()..]),
        None => Value::Text(text),
    })
}

pub(super) fn pad<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let Some(text) = arguments.text(0)? else { return Ok(Value::Undefined) };
    let width = arguments.number(1)?.unwrap_or(0.0).trunc();
    let padding = arguments.text(2)?.filter(|padding| !padding.is_empty()).unwrap_or(Text::Borrowed(" "));
    evaluator.spend(text.len() / 64)?;
    let missing = width.abs() - text.chars().count() as f64;
    if missing.is_nan() || missing <= 0.0 {
        return Ok(Value::Text(text));
    }
    // Four bytes are the longest character.
    let most = if missing > 1e12 { usize::MAX } else { missing as usize * 4 };
    evaluator.allow_bytes(most.saturating_add(text.len()))?;
    let padding: String = padding.chars().cycle().take(missing as usize).collect();
    Ok(Value::text(if width > 0.0 { format!("{}{padding}", &*text) } else { format!("{padding}{}", &*text) }))
}

pub(super) fn join<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let Some(array) = arguments.array(0)? else { return Ok(Value::Undefined) };
    let separator = arguments.text(1)?.unwrap_or(Text::Borrowed(""));
    let mut joined = String::new();
    for (index, item) in array.iter().enumerate() {
        let Value::Text(text) = item else {
            return Err(Fault::new("T0412").at_argument(1).and("\"strings\"".to_owned()));
        };
        if index > 0 {
            joined.push_str(&separator);
        }
        joined.push_str(&text);
        evaluator.spend(1 + (text.len() + separator.len()) / 32)?;
        evaluator.allow_text(&joined)?;
    }
    Ok(Value::text(joined))
}
