//! Arrays.

use super::{Arguments, Evaluator, Fault, Outcome};
use crate::jsonata::group::{appended, merge_sort};
use crate::jsonata::operator::text_order;
use crate::jsonata::value::{Array, Value};

pub(super) fn append<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let (left, right) = (arguments.take(0), arguments.take(1));
    let length = |value: &Value<'a>| if let Value::Array(array) = value { array.len() } else { 1 };
    evaluator.allow_items(length(&left).saturating_add(length(&right)))?;
    Ok(appended(left, right))
}

pub(super) fn reverse<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let Some(array) = arguments.array(0)? else { return Ok(Value::Undefined) };
    if array.len() <= 1 {
        return Ok(Value::Array(array));
    }
    evaluator.allow_items(array.len())?;
    let mut items = array.into_items();
    items.reverse();
    Ok(Value::Array(Array::new(items)))
}

/// Fisher and Yates, "inside out".
pub(super) fn shuffle<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let Some(array) = arguments.array(0)? else { return Ok(Value::Undefined) };
    if array.len() <= 1 {
        return Ok(Value::Array(array));
    }
    evaluator.allow_items(array.len())?;
    let mut items = array.into_items();
    for index in (1..items.len()).rev() {
        items.swap(index, evaluator.random.up_to(index as u64) as usize);
    }
    Ok(Value::Array(Array::new(items)))
}

pub(super) fn distinct<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let array = match arguments.take(0) {
        Value::Array(array) if array.len() > 1 => array,
        other => return Ok(other),
    };
    let sequence = array.sequence;
    let mut kept: Vec<Value<'a>> = Vec::new();
    'items: for item in array.iter() {
        for known in &kept {
            if evaluator.equal(known, &item)? {
                continue 'items;
            }
        }
        kept.push(item);
    }
    evaluator.allow_items(kept.len())?;
    Ok(Value::Array(Array::new(kept).marked(sequence)))
}

pub(super) fn zip<'a>(evaluator: &mut Evaluator<'a, '_>, arguments: Arguments<'a>) -> Outcome<'a> {
    let arrays: Vec<Array<'a>> = arguments
        .into_values()
        .into_iter()
        .map(|value| match value {
            Value::Array(array) => array,
            _ => Array::new(Vec::new()),
        })
        .collect();
    let length = arrays.iter().map(Array::len).min().unwrap_or(0);
    evaluator.allow_items(length.saturating_mul(arrays.len() + 1))?;
    let row = |index| Value::Array(Array::new(arrays.iter().filter_map(|array| array.get(index)).collect()));
    Ok(Value::Array(Array::new((0..length).map(row).collect())))
}

pub(super) fn sort<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let Some(array) = arguments.array(0)? else { return Ok(Value::Undefined) };
    if array.len() <= 1 {
        return Ok(Value::Array(array));
    }
    evaluator.allow_items(array.len())?;
    let items = array.into_items();
    let sorted = match arguments.function(1)? {
        Some(comparator) => merge_sort(items, &mut |left: &Value<'a>, right: &Value<'a>| {
            let answer = evaluator.apply(&comparator, vec![left.clone(), right.clone()], &Value::Null)?;
            Ok(answer.is_truthy())
        })?,
        None => {
            let all_numbers = items.iter().all(|item| matches!(item, Value::Number(_)));
            if !all_numbers && !items.iter().all(|item| matches!(item, Value::Text(_))) {
                return Err(Fault::new("D3070").at_argument(1));
            }
            merge_sort(items, &mut |left: &Value<'a>, right: &Value<'a>| {
                evaluator.spend(1)?;
                Ok(match (left, right) {
                    (Value::Number(left), Value::Number(right)) => left.float > right.float,
                    (Value::Text(left), Value::Text(right)) => text_order(left, right).is_gt(),
                    _ => false,
                })
            })?
        }
    };
    Ok(Value::Array(Array::new(sorted)))
}
