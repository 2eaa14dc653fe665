//! Between JSON and the values of `jsonata-core`.

use jsonata_core::value::JValue;
use serde_json::{Number, Value};

/// A function or a regular expression, which no field can hold.
pub(super) struct Unsupported;

/// Whole numbers up to here are exact as floats.
const EXACT: f64 = 9_007_199_254_740_992.0;

pub(super) fn to_jsonata(value: Value) -> JValue {
    JValue::from(value)
}

/// `None` is undefined. What is undefined inside of a list or an object is not there, as `JSON.stringify` has it.
pub(super) fn from_jsonata(value: &JValue) -> Result<Option<Value>, Unsupported> {
    Ok(Some(match value {
        JValue::Undefined => return Ok(None),
        JValue::Null => Value::Null,
        JValue::Bool(flag) => Value::Bool(*flag),
        JValue::Number(number) => number_of(*number),
        JValue::String(text) => Value::String(text.to_string()),
        JValue::Array(items) => {
            let mut array = Vec::with_capacity(items.len());
            for item in items.iter() {
                array.extend(from_jsonata(item)?);
            }
            Value::Array(array)
        }
        JValue::Object(members) => {
            let mut object = serde_json::Map::new();
            for (name, member) in members.iter() {
                if let Some(member) = from_jsonata(member)? {
                    object.insert(name.clone(), member);
                }
            }
            Value::Object(object)
        }
        JValue::Lambda(_) | JValue::Builtin { .. } | JValue::Regex { .. } => return Err(Unsupported),
    }))
}

/// As JavaScript writes it: a whole number has no fraction.
pub(super) fn number_of(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < EXACT {
        return Value::Number(Number::from(number as i64));
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}
