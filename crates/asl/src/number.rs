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
}
