//! Objects, types, and what is asked of any value.

use super::{Arguments, Evaluator, Fault, Outcome};
use crate::jsonata::group::appended;
use crate::jsonata::value::{Array, Map, Object, Text, Value};
use indexmap::IndexSet;

pub(super) fn boolean<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let value = arguments.take(0);
    evaluator.spend_on(&value)?;
    Ok(if value.is_undefined() { value } else { Value::Bool(value.is_truthy()) })
}

pub(super) fn not<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let value = arguments.take(0);
    evaluator.spend_on(&value)?;
    Ok(if value.is_undefined() { value } else { Value::Bool(!value.is_truthy()) })
}

pub(super) fn exists<'a>(_: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    Ok(Value::Bool(!arguments.take(0).is_undefined()))
}

pub(super) fn type_of<'a>(_: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    Ok(Value::text(match arguments.take(0) {
        Value::Undefined => return Ok(Value::Undefined),
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::Text(_) => "string",
        Value::Array(_) | Value::Tuples(_) => "array",
        Value::Object(_) => "object",
        Value::Function(_) => "function",
    }))
}

pub(super) fn keys<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let mut all = IndexSet::new();
    collect_keys(evaluator, &arguments.take(0), &mut all)?;
    Ok(Value::Array(Array::sequence(all.into_iter().map(Value::Text).collect())))
}

fn collect_keys<'a>(
    evaluator: &mut Evaluator<'a, '_>,
    value: &Value<'a>,
    all: &mut IndexSet<Text<'a>>,
) -> Result<(), Fault> {
    evaluator.allow_item(all.len())?;
    match value {
        Value::Object(object) => {
            evaluator.spend(object.len())?;
            all.extend(object.iter().map(|(key, _)| key));
            Ok(())
        }
        Value::Array(array) => {
            for item in array.iter() {
                evaluator.within(|evaluator| collect_keys(evaluator, &item, all))?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

pub(super) fn lookup<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let (value, key) = (arguments.take(0), arguments.text(1)?);
    evaluator.lookup(&value, key.as_deref().unwrap_or("undefined"))
}

pub(super) fn spread<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    spread_value(evaluator, arguments.take(0))
}

fn spread_value<'a>(evaluator: &mut Evaluator<'a, '_>, value: Value<'a>) -> Outcome<'a> {
    match value {
        Value::Array(array) => {
            let mut all = Value::Array(Array::sequence(Vec::new()));
            for item in array.iter() {
                evaluator.spend(1)?;
                all = appended(all, evaluator.within(|evaluator| spread_value(evaluator, item))?);
            }
            Ok(match all {
                Value::Array(array) => Value::Array(array.marked(true)),
                other => other,
            })
        }
        Value::Object(object) => {
            evaluator.allow_items(object.len())?;
            let single = |(key, value)| Value::Object(Object::new(Map::from_iter([(key, value)])));
            Ok(Value::Array(Array::sequence(object.iter().map(single).collect())))
        }
        other => Ok(other),
    }
}

pub(super) fn merge<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let Some(array) = arguments.array(0)? else { return Ok(Value::Undefined) };
    let mut map = Map::new();
    for item in array.iter() {
        if let Value::Object(object) = item {
            evaluator.spend(object.len())?;
            map.extend(object.iter());
            evaluator.allow_item(map.len())?;
        }
    }
    Ok(Value::Object(Object::new(map)))
}

pub(super) fn clone<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    evaluator.copied(&arguments.take(0))
}

pub(super) fn error<'a>(_: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let message = arguments.text(0)?.filter(|message| !message.is_empty());
    let message = message.as_deref().unwrap_or("$error() function evaluated").to_owned();
    Err(Fault::message("D3137", message))
}

pub(super) fn assert<'a>(_: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    if arguments.take(0).is_truthy() {
        return Ok(Value::Undefined);
    }
    let message = arguments.text(1)?.filter(|message| !message.is_empty());
    let message = message.as_deref().unwrap_or("$assert() statement failed").to_owned();
    Err(Fault::message("D3141", message))
}
