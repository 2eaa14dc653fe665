//! Numbers by value: `1`, `1.0` and `1e0` are the same, whatever text they were written in.

use serde_json::{Number, Value};
use std::cmp::Ordering;

/// Exact for 64-bit integers; what no integer type holds compares as 64-bit floats.
pub fn compare(left: &Number, right: &Number) -> Ordering {
    if let (Some(left), Some(right)) = (left.as_i128(), right.as_i128()) {
        return left.cmp(&right);
    }
    float(left).partial_cmp(&float(right)).unwrap_or(Ordering::Equal)
}

/// Infinite for what is beyond every float, so that it stays larger than all of them.
fn float(number: &Number) -> f64 {
    number.as_f64().or_else(|| number.as_str().parse().ok()).unwrap_or(f64::NAN)
}

/// Equality that compares numbers by value, however deep they sit.
pub fn same_value(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => compare(left, right).is_eq(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same_value(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, left)| right.get(key).is_some_and(|right| same_value(left, right)))
        }
        _ => left == right,
    }
}

/// A text that values have in common if and only if they are the same: [`same_value`] for many of them at once. It tells
/// integers beyond 2^53 from the floats that they would be rounded to.
pub fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Number(number) => match (number.as_i128(), float(number)) {
            (Some(integer), _) => text.push_str(&integer.to_string()),
            (None, float) if float.fract() == 0.0 && float.abs() < 2f64.powi(53) => {
                text.push_str(&(float as i64).to_string());
            }
            (None, float) => text.push_str(&format!("{float:e}")),
        },
        Value::Array(array) => {
            text.push('[');
            for element in array {
                write_canonical(element, text);
                text.push(',');
            }
            text.push(']');
        }
        Value::Object(object) => {
            let mut members: Vec<(&String, &Value)> = object.iter().collect();
            members.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (key, value) in members {
                text.push_str(&format!("{key:?}:"));
                write_canonical(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::String(string) => text.push_str(&format!("{string:?}")),
        Value::Null => text.push_str("null"),
        Value::Bool(truth) => text.push_str(&truth.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value() {
        for (left, right, expected) in [
            ("1", "1.0", Ordering::Equal),
            ("1e2", "100", Ordering::Equal),
            ("-0.0", "0", Ordering::Equal),
            ("9007199254740993", "9007199254740992", Ordering::Greater),
            ("18446744073709551616", "18446744073709551615", Ordering::Greater),
            ("0.1", "0.2", Ordering::Less),
            ("1e400", "1e308", Ordering::Greater),
        ] {
            let number = |text: &str| serde_json::from_str::<Number>(text).unwrap();
            assert_eq!(compare(&number(left), &number(right)), expected, "{left} and {right}");
        }
    }

    #[test]
    fn what_is_the_same_has_one_canonical_text() {
        let values = [
            "1",
            "1.0",
            "10e-1",
            "0",
            "-0.0",
            "\"1\"",
            "1e300",
            "[1, 2]",
            "[1.0, 2]",
            "[[1], 2]",
            "[\"1,\", 2]",
            "{\"a\": 1, \"b\": [null, true]}",
            "{\"b\": [null, true], \"a\": 1.0}",
            "{\"a\": \"1,b:2\"}",
            "{\"a\": 1, \"b\": 2}",
            "{}",
            "[]",
            "null",
            "false",
        ];
        let values: Vec<Value> = values.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        for left in &values {
            for right in &values {
                let same = canonical(left) == canonical(right);
                assert_eq!(same, same_value(left, right), "{left} and {right}");
            }
        }
    }
}
