//! What a YAML scalar means in the core schema: YAML 1.2.2, section 10.3.2. Numbers keep their digits.

use crate::node::Kind;
use saphyr_parser::Tag;
use serde_json::Number;

/// What has no counterpart in JSON.
pub(super) struct Unrepresentable {
    pub(super) what: String,
    pub(super) hint: &'static str,
}

/// The value of a scalar without a tag. Only a plain one can be other than a string.
pub(super) fn resolve(text: &str, plain: bool) -> Result<Kind, Unrepresentable> {
    if !plain {
        return Ok(Kind::String(text.to_owned()));
    }
    if let Some(kind) = null(text).or_else(|| boolean(text)) {
        return Ok(kind);
    }
    if let Some(number) = integer(text).or_else(|| float(text)) {
        return Ok(Kind::Number(number));
    }
    match text.trim_start_matches(['+', '-']) {
        ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN" => Err(Unrepresentable {
            what: format!("`{text}` is a number that JSON does not have"),
            hint: "Put it in quotes if a string is meant.",
        }),
        _ => Ok(Kind::String(text.to_owned())),
    }
}

/// The value of a scalar with a tag such as `!!str`.
pub(super) fn resolve_tagged(text: &str, tag: &Tag) -> Result<Kind, Unrepresentable> {
    let non_specific = tag.handle.is_empty() && tag.suffix == "!";
    if !tag.is_yaml_core_schema() && !non_specific {
        return Err(unknown_tag(tag));
    }
    let kind = match tag.suffix.as_str() {
        "str" | "!" => Some(Kind::String(text.to_owned())),
        "null" => null(text),
        "bool" => boolean(text),
        "int" => integer(text).map(Kind::Number),
        "float" => integer(text).or_else(|| float(text)).map(Kind::Number),
        _ => return Err(unknown_tag(tag)),
    };
    kind.ok_or_else(|| Unrepresentable {
        what: format!("`{text}` is not what its tag `!!{}` says", tag.suffix),
        hint: "Remove the tag.",
    })
}

pub(super) fn unknown_tag(tag: &Tag) -> Unrepresentable {
    let name = if tag.is_yaml_core_schema() {
        format!("!!{}", tag.suffix)
    } else {
        format!("{}{}", tag.handle, tag.suffix)
    };
    Unrepresentable {
        what: format!("the tag `{name}`"),
        hint: "Write the value that it stands for; tags such as CloudFormation's `!Ref` and `!Sub` are not resolved here.",
    }
}

fn null(text: &str) -> Option<Kind> {
    matches!(text, "" | "~" | "null" | "Null" | "NULL").then_some(Kind::Null)
}

fn boolean(text: &str) -> Option<Kind> {
    match text {
        "true" | "True" | "TRUE" => Some(Kind::Bool(true)),
        "false" | "False" | "FALSE" => Some(Kind::Bool(false)),
        _ => None,
    }
}

fn integer(text: &str) -> Option<Number> {
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    let (sign, digits) = sign(text);
    is_digits(digits).then(|| written(sign, digits, "")).flatten()
}

fn radix(digits: &str, radix: u32) -> Option<Number> {
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    u128::from_str_radix(digits, radix).ok().and_then(|value| value.to_string().parse().ok())
}

/// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn float(text: &str) -> Option<Number> {
    let (sign, unsigned) = sign(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa_is_valid = match (whole, fraction) {
        ("", fraction) => mantissa.starts_with('.') && is_digits(fraction),
        (whole, fraction) => is_digits(whole) && (fraction.is_empty() || is_digits(fraction)),
    };
    let exponent_is_valid = exponent.is_none_or(|exponent| is_digits(self::sign(exponent).1));
    if !mantissa_is_valid || !exponent_is_valid {
        return None;
    }
    let fraction = if fraction.is_empty() { String::new() } else { format!(".{fraction}") };
    let exponent = exponent.map_or_else(String::new, |exponent| format!("e{exponent}"));
    written(sign, whole, &format!("{fraction}{exponent}"))
}

/// JSON's spelling: no plus, no leading zeros, a digit before the point.
fn written(sign: &str, whole: &str, rest: &str) -> Option<Number> {
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    format!("{sign}{whole}{rest}").parse().ok()
}

/// The sign as JSON writes it, and what follows.
fn sign(text: &str) -> (&'static str, &str) {
    match text.as_bytes().first() {
        Some(b'-') => ("-", &text[1..]),
        Some(b'+') => ("", &text[1..]),
        _ => ("", text),
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Option<String> {
        match resolve(text, true) {
            Ok(Kind::Number(number)) => Some(number.to_string()),
            _ => None,
        }
    }

    #[test]
    fn numbers_keep_their_value() {
        for (text, json) in [
            ("0", "0"),
            ("-19", "-19"),
            ("+12", "12"),
            ("007", "7"),
            ("0o14", "12"),
            ("0x3A", "58"),
            ("12345678901234567890123", "12345678901234567890123"),
            ("1.10", "1.10"),
            (".5", "0.5"),
            ("1.", "1"),
        ] {
            assert_eq!(number(text).as_deref(), Some(json), "{text}");
        }
        assert!(number("-2E+05").is_some());
    }

    #[test]
    fn what_only_looks_like_a_number_or_a_truth_is_a_string() {
        for text in [
            ".",
            "-",
            "+",
            "e5",
            "1e",
            "0x",
            "0o9",
            "1_000",
            "1.2.3",
            "12:30",
            "2024-01-01",
            "yes",
            "No",
            "on",
            "tRUE",
        ] {
            assert_eq!(resolve(text, true).ok(), Some(Kind::String(text.into())), "{text}");
        }
    }

    #[test]
    fn words_of_the_core_schema() {
        assert_eq!(resolve("~", true).ok(), Some(Kind::Null));
        assert_eq!(resolve("", true).ok(), Some(Kind::Null));
        assert_eq!(resolve("True", true).ok(), Some(Kind::Bool(true)));
        assert_eq!(resolve("true", false).ok(), Some(Kind::String("true".into())));
        assert!(resolve(".nan", true).is_err());
        assert!(resolve("-.inf", true).is_err());
    }
}
