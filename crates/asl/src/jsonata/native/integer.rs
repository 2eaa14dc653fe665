//! Whole numbers by a picture: `$formatInteger`, `$parseInteger`, and the numbers in dates.
//!
//! Source: <https://www.w3.org/TR/xpath-functions-31/#formatting-integers>.

use super::{Arguments, Evaluator, Fault, Outcome, words};
use crate::jsonata::error::quoted;
use crate::jsonata::number;
use crate::jsonata::value::Value;

/// Where the ten digits of a script start.
const DIGITS: [u32; 37] = [
    0x30, 0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66,
    0x0de6, 0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50,
    0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
];
/// No number has more digits than a picture may ask for.
const MOST_DIGITS: usize = 1_000;

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Case {
    Upper,
    Lower,
    Title,
}

#[derive(Clone)]
pub(super) struct Format {
    pub(super) primary: Primary,
    case: Case,
    ordinal: bool,
    /// How many digits are read where another number follows at once.
    pub(super) parse_width: Option<usize>,
}

#[derive(Clone)]
pub(super) enum Primary {
    Letters,
    Roman,
    Words,
    Decimal {
        zero: u32,
        mandatory: usize,
        optional: usize,
        grouping: Grouping,
    },
    /// What this implementation does not know.
    Sequence(String),
}

#[derive(Clone)]
pub(super) enum Grouping {
    Every(usize, char),
    /// How many digits from the end.
    At(Vec<(usize, char)>),
}

impl Format {
    pub(super) fn parse(picture: &str) -> Result<Format, Fault> {
        let (primary, modifier) = picture.rsplit_once(';').unwrap_or((picture, ""));
        let (form, case) = match primary {
            "A" => (Primary::Letters, Case::Upper),
            "a" => (Primary::Letters, Case::Lower),
            "I" => (Primary::Roman, Case::Upper),
            "i" => (Primary::Roman, Case::Lower),
            "W" => (Primary::Words, Case::Upper),
            "Ww" => (Primary::Words, Case::Title),
            "w" => (Primary::Words, Case::Lower),
            digits => (decimal(digits)?, Case::Lower),
        };
        Ok(Format { primary: form, case, ordinal: modifier.starts_with('o'), parse_width: None })
    }

    pub(super) fn mandatory_digits(&mut self) -> Option<&mut usize> {
        if let Primary::Decimal { mandatory, .. } = &mut self.primary { Some(mandatory) } else { None }
    }

    pub(super) fn format(&self, number: f64) -> Result<String, Fault> {
        if !number.is_finite() {
            return Err(Fault::value("D1001", "null".to_owned()));
        }
        let size = number.abs();
        let mut text = match &self.primary {
            Primary::Letters => words::to_letters(size, if self.case == Case::Upper { 'A' } else { 'a' }),
            // A numeral for each thousand: what nobody could read is not written.
            Primary::Roman if size > 1e6 => return Err(Fault::Bytes),
            Primary::Roman => words::to_roman(size),
            Primary::Words => words::to_words(size, self.ordinal),
            Primary::Decimal { zero, mandatory, grouping, .. } => {
                self.decimal(size, *zero, *mandatory, grouping)?
            }
            Primary::Sequence(token) => return Err(Fault::value("D3130", quoted(token))),
        };
        match (&self.primary, self.case) {
            (Primary::Roman | Primary::Words, Case::Upper) => text = text.to_uppercase(),
            (Primary::Words, Case::Lower) => text = text.to_lowercase(),
            _ => {}
        }
        Ok(if number < 0.0 { format!("-{text}") } else { text })
    }

    fn decimal(&self, size: f64, zero: u32, mandatory: usize, grouping: &Grouping) -> Result<String, Fault> {
        if mandatory > MOST_DIGITS {
            return Err(Fault::Bytes);
        }
        let plain = number::text(size);
        let missing = mandatory.saturating_sub(plain.len());
        let digits = std::iter::repeat_n('0', missing).chain(plain.chars());
        let digits: Vec<char> = digits.map(|digit| shifted(digit, 0x30, zero)).collect();
        let separator = |left: usize| match grouping {
            Grouping::Every(size, separator) if left.is_multiple_of(*size) => Some(*separator),
            Grouping::Every(..) => None,
            Grouping::At(places) => {
                places.iter().find(|(place, _)| *place == left).map(|(_, separator)| *separator)
            }
        };
        let mut text = String::new();
        for (index, digit) in digits.iter().enumerate() {
            text.extend(separator(digits.len() - index).filter(|_| index > 0));
            text.push(*digit);
        }
        if self.ordinal {
            let tens = digits.len().checked_sub(2).map(|index| digits[index]);
            text += match digits.last() {
                _ if tens == Some('1') => "th",
                Some('1') => "st",
                Some('2') => "nd",
                Some('3') => "rd",
                _ => "th",
            };
        }
        Ok(text)
    }

    /// What a regular expression matches it with.
    pub(super) fn pattern(&self) -> Result<String, Fault> {
        let is_upper = self.case == Case::Upper;
        Ok(match &self.primary {
            Primary::Letters => if is_upper { "[A-Z]+" } else { "[a-z]+" }.to_owned(),
            Primary::Roman => if is_upper { "[MDCLXVI]+" } else { "[mdclxvi]+" }.to_owned(),
            Primary::Words => format!("(?:{}|and|[\\-, ])+", words::vocabulary().join("|")),
            Primary::Decimal { .. } => {
                let digits = match self.parse_width {
                    Some(width) if width > MOST_DIGITS => return Err(Fault::Bytes),
                    Some(width) => format!("[0-9]{{{width}}}"),
                    None => "[0-9]+".to_owned(),
                };
                digits + if self.ordinal { "(?:th|st|nd|rd)" } else { "" }
            }
            Primary::Sequence(token) => return Err(Fault::value("D3130", quoted(token))),
        })
    }

    /// NaN for what is no number.
    pub(super) fn read(&self, text: &str) -> Result<f64, Fault> {
        let is_upper = self.case == Case::Upper;
        Ok(match &self.primary {
            Primary::Letters => words::of_letters(text, if is_upper { 'A' } else { 'a' }),
            Primary::Roman if is_upper => words::of_roman(text),
            Primary::Roman => words::of_roman(&text.to_uppercase()),
            Primary::Words => words::of_words(text),
            Primary::Decimal { zero, grouping, .. } => {
                let end = text.char_indices().rev().nth(1).map_or(0, |(at, _)| at);
                let text = if self.ordinal { &text[..end] } else { text };
                let separates = |letter: char| match grouping {
                    Grouping::Every(..) => letter == ',',
                    Grouping::At(places) => places.iter().any(|(_, separator)| *separator == letter),
                };
                let digits = text.chars().filter(|letter| !separates(*letter));
                let digits: String = digits.map(|digit| shifted(digit, *zero, 0x30)).collect();
                leading_integer(&digits)
            }
            Primary::Sequence(token) => return Err(Fault::value("D3130", quoted(token))),
        })
    }
}

/// As JavaScript's `parseInt`: what follows the digits does not count.
pub(super) fn leading_integer(text: &str) -> f64 {
    let text = text.trim_start();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse::<f64>().map_or(f64::NAN, |number| sign * number)
}

fn shifted(digit: char, from: u32, to: u32) -> char {
    let code = digit as u32;
    if from == to || !(from..from + 10).contains(&code) {
        return digit;
    }
    char::from_u32(code - from + to).unwrap_or(digit)
}

fn decimal(picture: &str) -> Result<Primary, Fault> {
    let mut zero = None;
    let (mut mandatory, mut optional) = (0, 0);
    let mut separators = Vec::new();
    for letter in picture.chars().rev() {
        let code = letter as u32;
        if let Some(&group) = DIGITS.iter().find(|group| (**group..**group + 10).contains(&code)) {
            if zero.is_some_and(|zero| zero != group) {
                return Err(Fault::new("D3131"));
            }
            zero = Some(group);
            mandatory += 1;
        } else if letter == '#' {
            optional += 1;
        } else {
            separators.push((mandatory + optional, letter));
        }
    }
    Ok(match zero {
        Some(zero) => Primary::Decimal { zero, mandatory, optional, grouping: grouping(separators) },
        None => Primary::Sequence(picture.to_owned()),
    })
}

/// Separators that repeat go on repeating.
fn grouping(separators: Vec<(usize, char)>) -> Grouping {
    let places: Vec<usize> = separators.iter().map(|(place, _)| *place).collect();
    match (separators.first(), regular(&places)) {
        (Some(&(_, letter)), every) if every > 0 && separators.iter().all(|(_, other)| *other == letter) => {
            Grouping::Every(every, letter)
        }
        _ => Grouping::At(separators),
    }
}

/// The distance of places that are all its multiples, from the first on; 0 if they are not.
pub(super) fn regular(places: &[usize]) -> usize {
    fn common(left: usize, right: usize) -> usize {
        if right == 0 { left } else { common(right, left % right) }
    }
    let Some(factor) = places.iter().copied().reduce(common) else { return 0 };
    let all = (1..=places.len()).all(|index| places.contains(&(index * factor)));
    if all { factor } else { 0 }
}

pub(super) fn format_integer<'a>(_: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let (number, picture) = (arguments.number(0)?, arguments.text(1)?);
    let (Some(number), Some(picture)) = (number, picture) else { return Ok(Value::Undefined) };
    Ok(Value::text(Format::parse(&picture)?.format(number.floor())?))
}

pub(super) fn parse_integer<'a>(
    evaluator: &mut Evaluator<'a, '_>,
    mut arguments: Arguments<'a>,
) -> Outcome<'a> {
    let (text, picture) = (arguments.text(0)?, arguments.text(1)?);
    let (Some(text), Some(picture)) = (text, picture) else { return Ok(Value::Undefined) };
    evaluator.allow_bytes(text.len())?;
    Ok(Value::number(Format::parse(&picture)?.read(&text)?))
}
