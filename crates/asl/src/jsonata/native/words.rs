//! Whole numbers as words, Roman numerals and letters.

const FEW: [&str; 20] = [
    "Zero",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
    "Thirteen",
    "Fourteen",
    "Fifteen",
    "Sixteen",
    "Seventeen",
    "Eighteen",
    "Nineteen",
];
const ORDINALS: [&str; 20] = [
    "Zeroth",
    "First",
    "Second",
    "Third",
    "Fourth",
    "Fifth",
    "Sixth",
    "Seventh",
    "Eighth",
    "Ninth",
    "Tenth",
    "Eleventh",
    "Twelfth",
    "Thirteenth",
    "Fourteenth",
    "Fifteenth",
    "Sixteenth",
    "Seventeenth",
    "Eighteenth",
    "Nineteenth",
];
const DECADES: [&str; 8] = ["Twenty", "Thirty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety"];
const MAGNITUDES: [&str; 4] = ["Thousand", "Million", "Billion", "Trillion"];
const ROMAN: [(f64, &str); 13] = [
    (1000.0, "m"),
    (900.0, "cm"),
    (500.0, "d"),
    (400.0, "cd"),
    (100.0, "c"),
    (90.0, "xc"),
    (50.0, "l"),
    (40.0, "xl"),
    (10.0, "x"),
    (9.0, "ix"),
    (5.0, "v"),
    (4.0, "iv"),
    (1.0, "i"),
];

/// `number` is whole, finite and not negative. Largest word: `Trillion`.
pub(super) fn to_words(number: f64, ordinal: bool) -> String {
    words(number, false, ordinal)
}

fn words(number: f64, follows: bool, ordinal: bool) -> String {
    if number < 20.0 {
        let word = if ordinal { ORDINALS } else { FEW }[number as usize];
        return format!("{}{word}", if follows { " and " } else { "" });
    }
    if number < 100.0 {
        let decade = DECADES[(number / 10.0) as usize - 2];
        let mut text = format!("{}{decade}", if follows { " and " } else { "" });
        if number % 10.0 > 0.0 {
            text += "-";
            text += &words(number % 10.0, false, ordinal);
        } else if ordinal {
            text.pop();
            text += "ieth";
        }
        return text;
    }
    let (factor, name) = if number < 1000.0 {
        (100.0, "Hundred")
    } else {
        let magnitude = ((number.log10() / 3.0) as usize).clamp(1, MAGNITUDES.len());
        (10_f64.powi(3 * magnitude as i32), MAGNITUDES[magnitude - 1])
    };
    let many = (number / factor).floor();
    let rest = number - many * factor;
    let mut text = format!("{}{} {name}", if follows { ", " } else { "" }, words(many, false, false));
    if rest > 0.0 {
        text += &words(rest, true, ordinal);
    } else if ordinal {
        text += "th";
    }
    text
}

fn value(word: &str) -> Option<f64> {
    let is = |known: &&str| known.eq_ignore_ascii_case(word);
    if let Some(index) = FEW.iter().position(is).or_else(|| ORDINALS.iter().position(is)) {
        return Some(index as f64);
    }
    let stem = word.strip_suffix("ieth").map(|stem| format!("{stem}y"));
    let stem = stem.as_deref().unwrap_or(word);
    if let Some(index) = DECADES.iter().position(|known| known.eq_ignore_ascii_case(stem)) {
        return Some((index as f64 + 2.0) * 10.0);
    }
    let stem = word.strip_suffix("th").unwrap_or(word);
    if stem.eq_ignore_ascii_case("hundred") {
        return Some(100.0);
    }
    let magnitude = MAGNITUDES.iter().position(|known| known.eq_ignore_ascii_case(stem))?;
    Some(10_f64.powi(3 * (magnitude as i32 + 1)))
}

/// Every word that a number may consist of, in lower case.
pub(super) fn vocabulary() -> Vec<String> {
    let mut all: Vec<String> = FEW.iter().chain(&ORDINALS).map(|word| word.to_lowercase()).collect();
    for decade in DECADES.map(str::to_lowercase) {
        all.push(format!("{}ieth", &decade[..decade.len() - 1]));
        all.push(decade);
    }
    for magnitude in ["hundred"].into_iter().chain(MAGNITUDES).map(str::to_lowercase) {
        all.push(format!("{magnitude}th"));
        all.push(magnitude);
    }
    // The longer of two words that start alike comes first.
    all.sort_by_key(|word| std::cmp::Reverse(word.len()));
    all
}

/// NaN for what is no number.
pub(super) fn of_words(text: &str) -> f64 {
    let text = text.to_lowercase().replace(", ", " ").replace(" and ", " ");
    let mut segments = vec![0.0];
    for word in text.split([' ', '-']) {
        let Some(value) = value(word) else { return f64::NAN };
        let top = segments.pop().unwrap_or(0.0);
        if value >= 100.0 {
            segments.push(top * value);
        } else if top >= 1000.0 {
            segments.extend([top, value]);
        } else {
            segments.push(top + value);
        }
    }
    segments.iter().sum()
}

/// In lower case. Its length grows with the number.
pub(super) fn to_roman(mut number: f64) -> String {
    let mut text = String::new();
    for (value, numeral) in ROMAN {
        while number >= value {
            text += numeral;
            number -= value;
        }
    }
    text
}

/// From upper case; NaN for what is no number.
pub(super) fn of_roman(text: &str) -> f64 {
    let (mut number, mut most) = (0.0, 1.0);
    for letter in text.chars().rev() {
        let value = match letter {
            'M' => 1000.0,
            'D' => 500.0,
            'C' => 100.0,
            'L' => 50.0,
            'X' => 10.0,
            'V' => 5.0,
            'I' => 1.0,
            _ => return f64::NAN,
        };
        if value < most {
            number -= value;
        } else {
            most = value;
            number += value;
        }
    }
    number
}

/// `1` is the first letter, as in the columns of a spreadsheet.
pub(super) fn to_letters(mut number: f64, first: char) -> String {
    let mut letters = Vec::new();
    while number > 0.0 {
        letters.push(char::from(first as u8 + ((number - 1.0) % 26.0) as u8));
        number = ((number - 1.0) / 26.0).floor();
    }
    letters.iter().rev().collect()
}

pub(super) fn of_letters(text: &str, first: char) -> f64 {
    text.chars()
        .fold(0.0, |number, letter| number * 26.0 + f64::from(letter as u32) - f64::from(first as u32) + 1.0)
}
