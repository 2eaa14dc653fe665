//! Numbers as JavaScript writes them.

use serde_json::Number;

/// The shortest digits that read back: `7`, `0.1`, `1e+21`, `1e-7`. Infinities and NaN are words.
///
/// Source: ECMA-262, Number::toString.
pub(super) fn text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if number == 0.0 {
        return "0".to_owned();
    }
    let size = number.abs();
    if (1e-6..1e21).contains(&size) {
        return format!("{number}");
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let sign = if exponent.starts_with('-') { "" } else { "+" };
    format!("{digits}e{sign}{exponent}")
}

/// The number of a JSON document; none for infinities and NaN.
pub(super) fn json(number: f64) -> Option<Number> {
    if number.fract() == 0.0 && number.abs() < 9e15 {
        return Some(Number::from(number as i64));
    }
    if number.is_finite() { text(number).parse().ok() } else { None }
}

/// Rounded to as many digits as a string shows of it.
pub(super) fn to_precision_15(number: f64) -> f64 {
    if number.fract() == 0.0 { number } else { format!("{number:.14e}").parse().unwrap_or(number) }
}

/// `number` × 10^`places`, by its digits: no error of a multiplication.
fn shift(number: f64, places: f64) -> f64 {
    let written = text(number);
    let (digits, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let exponent = exponent.parse::<f64>().unwrap_or(0.0) + places;
    format!("{digits}e{exponent:.0}").parse().unwrap_or(f64::NAN)
}

/// To the nearest, halves to even, with so many decimal places (also negative ones).
pub(super) fn round(number: f64, places: f64) -> f64 {
    let places = places.clamp(-1000.0, 1000.0).trunc();
    let shifted = if places == 0.0 { number } else { shift(number, places) };
    let below = shifted.floor();
    let mut rounded = if shifted - below >= 0.5 { below + 1.0 } else { below };
    if (rounded - shifted).abs() == 0.5 && (rounded % 2.0).abs() == 1.0 {
        rounded -= 1.0;
    }
    if places != 0.0 {
        rounded = shift(rounded, -places);
    }
    if rounded == 0.0 { 0.0 } else { rounded }
}

/// A whole number with digits up to `z`.
pub(super) fn in_base(number: f64, radix: u32) -> String {
    if radix == 10 || !number.is_finite() {
        return text(number);
    }
    let mut rest = number.abs();
    let mut digits = Vec::new();
    while rest >= 1.0 {
        let digit = (rest % f64::from(radix)) as u32;
        digits.push(char::from_digit(digit, radix).unwrap_or('0'));
        rest = (rest / f64::from(radix)).floor();
    }
    if digits.is_empty() {
        digits.push('0');
    }
    if number < 0.0 {
        digits.push('-');
    }
    digits.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_look_as_in_javascript() {
        for (number, expected) in [
            (7.0, "7"),
            (-0.0, "0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.5e-7, "1.5e-7"),
            (0.000_001, "0.000001"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(text(number), expected);
        }
        assert_eq!(to_precision_15(0.1 + 0.2), 0.3);
    }

    #[test]
    fn halves_round_to_even() {
        for (number, places, expected) in [
            (0.5, 0.0, 0.0),
            (1.5, 0.0, 2.0),
            (-1.5, 0.0, -2.0),
            (4.525, 2.0, 4.52),
            (4.515, 2.0, 4.52),
            (12345.0, -2.0, 12300.0),
            (12450.0, -2.0, 12400.0),
            (6.022e-23, 24.0, 6e-23),
        ] {
            assert_eq!(round(number, places), expected, "{number} {places}");
        }
    }
}
