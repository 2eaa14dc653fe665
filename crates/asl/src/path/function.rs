//! Functions that end a path: `$.items.length()`.

use super::Found;
use serde_json::{Number, Value};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Length,
    Min,
    Max,
    Sum,
    Avg,
}

impl Function {
    pub(super) fn named(name: &str) -> Option<Function> {
        Some(match name {
            "length" => Function::Length,
            "min" => Function::Min,
            "max" => Function::Max,
            "sum" => Function::Sum,
            "avg" => Function::Avg,
            _ => return None,
        })
    }

    /// Of nothing, or of what it does not apply to, it is nothing.
    pub(super) fn apply<'a>(self, found: Found<'a>) -> Found<'a> {
        let result = match &found {
            Found::Nothing => None,
            Found::One(value) => self.of_value(value),
            Found::Made(value) => self.of_value(value),
            Found::Many(values) => self.of(values.len(), values.iter().copied()),
        };
        result.map_or(Found::Nothing, |number| Found::Made(Value::Number(number)))
    }

    fn of_value(self, value: &Value) -> Option<Number> {
        match value {
            Value::Array(array) => self.of(array.len(), array.iter()),
            Value::Object(object) if self == Function::Length => Some(object.len().into()),
            Value::String(text) if self == Function::Length => Some(text.chars().count().into()),
            _ => None,
        }
    }

    fn of<'v>(self, count: usize, values: impl Iterator<Item = &'v Value>) -> Option<Number> {
        if self == Function::Length {
            return Some(count.into());
        }
        let numbers: Vec<f64> = values.filter_map(Value::as_f64).collect();
        let total: f64 = numbers.iter().sum();
        let result = match self {
            Function::Sum => total,
            Function::Avg => total / numbers.len() as f64,
            Function::Min => numbers.iter().copied().fold(f64::INFINITY, f64::min),
            _ => numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        };
        (!numbers.is_empty()).then(|| Number::from_f64(result)).flatten()
    }
}
