//! `$formatNumber`: decimal numbers by a picture.
//!
//! Source: <https://www.w3.org/TR/xpath-functions-31/#formatting-numbers>.

use super::integer::regular;
use super::{Arguments, Evaluator, Fault, Outcome};
use crate::jsonata::number;
use crate::jsonata::value::{Object, Value};

/// What JavaScript's `toFixed` takes.
const MOST_PLACES: usize = 100;

struct Symbols {
    decimal: char,
    grouping: char,
    exponent: char,
    minus: String,
    percent: String,
    per_mille: String,
    zero: char,
    digit: char,
    pattern: char,
}

impl Symbols {
    fn of(options: Option<&Object<'_>>) -> Result<Symbols, Fault> {
        let text = |name: &str, default: &str| match options.and_then(|options| options.get(name)) {
            Some(Value::Text(text)) => text.to_string(),
            _ => default.to_owned(),
        };
        let letter = |name: &str, default: &str| {
            text(name, default).chars().next().ok_or_else(|| Fault::new("T0410").at_argument(3))
        };
        Ok(Symbols {
            decimal: letter("decimal-separator", ".")?,
            grouping: letter("grouping-separator", ",")?,
            exponent: letter("exponent-separator", "e")?,
            minus: text("minus-sign", "-"),
            percent: text("percent", "%"),
            per_mille: text("per-mille", "\u{2030}"),
            zero: letter("zero-digit", "0")?,
            digit: letter("digit", "#")?,
            pattern: letter("pattern-separator", ";")?,
        })
    }

    fn is_mandatory(&self, letter: char) -> bool {
        let zero = self.zero as u32;
        (zero..zero.saturating_add(10)).contains(&(letter as u32))
    }

    fn is_digit(&self, letter: char) -> bool {
        self.is_mandatory(letter) || letter == self.digit
    }

    fn is_active(&self, letter: char) -> bool {
        self.is_digit(letter) || [self.decimal, self.exponent, self.grouping, self.pattern].contains(&letter)
    }

    /// In the family of the zero digit.
    fn digits(&self, text: &str) -> String {
        let shifted = |digit: char| match digit.to_digit(10) {
            Some(value) => char::from_u32(self.zero as u32 + value).unwrap_or(digit),
            None => digit,
        };
        text.chars().map(shifted).collect()
    }
}

/// A half of a picture, taken apart.
struct Parts {
    whole: String,
    prefix: String,
    suffix: String,
    active: Vec<char>,
    mantissa: Vec<char>,
    integer: Vec<char>,
    fraction: Vec<char>,
    exponent: Option<Vec<char>>,
}

fn split(picture: &str, symbols: &Symbols) -> Parts {
    let letters: Vec<char> = picture.chars().collect();
    let counts = |letter: &char| symbols.is_active(*letter) && *letter != symbols.exponent;
    let start = letters.iter().position(counts).unwrap_or(0);
    let end = letters.iter().rposition(counts).map_or(letters.len(), |last| last + 1);
    let active = letters[start..end.max(start)].to_vec();
    let exponent = active.iter().position(|letter| *letter == symbols.exponent);
    let (mantissa, exponent) = match exponent {
        Some(at) => (active[..at].to_vec(), Some(active[at + 1..].to_vec())),
        None => (active.clone(), None),
    };
    let (integer, fraction) = match mantissa.iter().position(|letter| *letter == symbols.decimal) {
        Some(at) => (mantissa[..at].to_vec(), mantissa[at + 1..].to_vec()),
        None => (mantissa.clone(), letters[end..].to_vec()),
    };
    Parts {
        whole: picture.to_owned(),
        prefix: letters[..start].iter().collect(),
        suffix: letters[end..].iter().collect(),
        active,
        mantissa,
        integer,
        fraction,
        exponent,
    }
}

/// The last rule that is broken, as in the reference implementation.
fn check(parts: &Parts, symbols: &Symbols) -> Result<(), Fault> {
    let whole: Vec<char> = parts.whole.chars().collect();
    let count = |text: &str| parts.whole.matches(text).count();
    let decimal = whole.iter().position(|letter| *letter == symbols.decimal);
    let is_grouping = |at: Option<usize>| at.and_then(|at| whole.get(at)) == Some(&symbols.grouping);
    let optional = |part: &[char]| part.iter().position(|letter| *letter == symbols.digit);
    let mandatory = |part: &[char]| part.iter().any(|letter| symbols.is_mandatory(*letter));
    let per = count(&symbols.percent) + count(&symbols.per_mille) > 0;
    let last_optional = parts.fraction.iter().rposition(|letter| *letter == symbols.digit);
    let rules = [
        ("D3081", whole.iter().filter(|letter| **letter == symbols.decimal).count() > 1),
        ("D3082", count(&symbols.percent) > 1),
        ("D3083", count(&symbols.per_mille) > 1),
        ("D3084", count(&symbols.percent) > 0 && count(&symbols.per_mille) > 0),
        ("D3085", !parts.mantissa.iter().any(|letter| symbols.is_digit(*letter))),
        ("D3086", parts.active.iter().any(|letter| !symbols.is_active(*letter))),
        ("D3087", decimal.is_some_and(|at| is_grouping(at.checked_sub(1)) || is_grouping(Some(at + 1)))),
        ("D3088", decimal.is_none() && parts.integer.last() == Some(&symbols.grouping)),
        ("D3089", whole.windows(2).any(|pair| pair == [symbols.grouping; 2])),
        ("D3090", optional(&parts.integer).is_some_and(|at| mandatory(&parts.integer[..at]))),
        ("D3091", last_optional.is_some_and(|at| mandatory(&parts.fraction[at..]))),
        ("D3092", parts.exponent.as_ref().is_some_and(|exponent| !exponent.is_empty() && per)),
        (
            "D3093",
            parts.exponent.as_ref().is_some_and(|exponent| {
                exponent.is_empty() || exponent.iter().any(|letter| !symbols.is_mandatory(*letter))
            }),
        ),
    ];
    match rules.iter().rev().find(|(_, broken)| *broken) {
        Some((code, _)) => Err(Fault::new(code)),
        None => Ok(()),
    }
}

/// What a half of a picture asks for.
struct Sizes {
    least_integer: usize,
    least_fraction: usize,
    most_fraction: usize,
    least_exponent: usize,
    scale: usize,
}

fn sizes(parts: &Parts, symbols: &Symbols) -> Sizes {
    let mandatory = |part: &[char]| part.iter().filter(|letter| symbols.is_mandatory(**letter)).count();
    let all = |part: &[char]| part.iter().filter(|letter| symbols.is_digit(**letter)).count();
    let scale = mandatory(&parts.integer);
    let mut sizes = Sizes {
        least_integer: scale,
        least_fraction: mandatory(&parts.fraction),
        most_fraction: all(&parts.fraction),
        least_exponent: parts.exponent.as_deref().map_or(0, mandatory),
        scale,
    };
    let has_exponent = parts.exponent.is_some();
    if sizes.least_integer == 0 && sizes.most_fraction == 0 {
        if has_exponent {
            (sizes.least_fraction, sizes.most_fraction) = (1, 1);
        } else {
            sizes.least_integer = 1;
        }
    }
    if has_exponent && sizes.least_integer == 0 && parts.integer.contains(&symbols.digit) {
        sizes.least_integer = 1;
    }
    if sizes.least_integer == 0 && sizes.least_fraction == 0 {
        sizes.least_fraction = 1;
    }
    sizes
}

pub(super) fn format_number<'a>(
    evaluator: &mut Evaluator<'a, '_>,
    mut arguments: Arguments<'a>,
) -> Outcome<'a> {
    let (value, picture) = (arguments.number(0)?, arguments.text(1)?);
    let (Some(value), Some(picture)) = (value, picture) else { return Ok(Value::Undefined) };
    if !value.is_finite() {
        return Err(Fault::value("D1001", "null".to_owned()));
    }
    evaluator.allow_bytes(picture.len().saturating_mul(64))?;
    let symbols = Symbols::of(arguments.object(2)?.as_ref())?;
    let halves: Vec<&str> = picture.split(symbols.pattern).collect();
    if halves.len() > 2 {
        return Err(Fault::new("D3080"));
    }
    let mut parts: Vec<Parts> = halves.into_iter().map(|half| split(half, &symbols)).collect();
    parts.iter().try_for_each(|half| check(half, &symbols))?;
    let negative = parts.len() > 1 && value < 0.0;
    let mut half = parts.swap_remove(usize::from(negative));
    if value < 0.0 && !negative {
        half.prefix.insert_str(0, &symbols.minus);
    }
    let text = formatted(value, &half, &symbols)?;
    Ok(Value::text(format!("{}{text}{}", half.prefix, half.suffix)))
}

fn formatted(value: f64, half: &Parts, symbols: &Symbols) -> Result<String, Fault> {
    let sizes = sizes(half, symbols);
    if sizes.most_fraction > MOST_PLACES {
        return Err(Fault::Bytes);
    }
    let factor = if half.whole.contains(&symbols.percent) {
        100.0
    } else if half.whole.contains(&symbols.per_mille) {
        1_000.0
    } else {
        1.0
    };
    let (mantissa, exponent) = scaled(value * factor, &sizes);
    let rounded = number::round(mantissa, sizes.most_fraction as f64).abs();
    let digits = format!("{rounded:.*}", sizes.most_fraction);
    let (integer, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let integer = padded(integer.trim_start_matches('0'), sizes.least_integer, false);
    let fraction = padded(fraction.trim_end_matches('0'), sizes.least_fraction, true);
    let mut text = grouped_integer(&symbols.digits(&integer), &half.integer, symbols);
    if half.whole.contains(symbols.decimal) && !fraction.is_empty() {
        text.push(symbols.decimal);
        text += &grouped_fraction(&symbols.digits(&fraction), &half.fraction, symbols);
    }
    if let Some(exponent) = exponent {
        let size = padded(&number::text(f64::from(exponent).abs()), sizes.least_exponent, false);
        text.push(symbols.exponent);
        text += if exponent < 0 { &symbols.minus } else { "" };
        text += &symbols.digits(&size);
    }
    Ok(text)
}

/// The mantissa and, where the picture has one, the exponent.
fn scaled(value: f64, sizes: &Sizes) -> (f64, Option<i32>) {
    if sizes.least_exponent == 0 {
        return (value, None);
    }
    let scale = i32::try_from(sizes.scale).unwrap_or(300).min(300);
    let (most, least) = (10_f64.powi(scale), 10_f64.powi(scale - 1));
    let (mut mantissa, mut exponent) = (value, 0);
    while mantissa != 0.0 && mantissa.abs() < least {
        mantissa *= 10.0;
        exponent -= 1;
    }
    while mantissa.abs() > most && mantissa.is_finite() {
        mantissa /= 10.0;
        exponent += 1;
    }
    (mantissa, Some(exponent))
}

fn padded(digits: &str, least: usize, at_end: bool) -> String {
    let zeros = "0".repeat(least.saturating_sub(digits.len()));
    if at_end { format!("{digits}{zeros}") } else { format!("{zeros}{digits}") }
}

fn grouped_integer(digits: &str, picture: &[char], symbols: &Symbols) -> String {
    let is_separator = |letter: &char| *letter == symbols.grouping;
    let count = |part: &[char]| part.iter().filter(|letter| symbols.is_digit(**letter)).count();
    let places: Vec<usize> =
        (0..picture.len()).filter(|at| is_separator(&picture[*at])).map(|at| count(&picture[at..])).collect();
    let every = regular(&places);
    let digits: Vec<char> = digits.chars().collect();
    let mut text = String::new();
    for (index, digit) in digits.iter().enumerate() {
        let left = digits.len() - index;
        let separates = if every > 0 { left.is_multiple_of(every) } else { places.contains(&left) };
        if separates && index > 0 {
            text.push(symbols.grouping);
        }
        text.push(*digit);
    }
    text
}

fn grouped_fraction(digits: &str, picture: &[char], symbols: &Symbols) -> String {
    let count = |part: &[char]| part.iter().filter(|letter| symbols.is_digit(**letter)).count();
    let separators = (0..picture.len()).filter(|at| picture[*at] == symbols.grouping);
    let places: Vec<usize> = separators.map(|at| count(&picture[..at])).collect();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if places.contains(&index) {
            text.push(symbols.grouping);
        }
        text.push(digit);
    }
    text
}
