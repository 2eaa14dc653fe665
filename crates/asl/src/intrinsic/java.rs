//! Values as Java writes them: by `toString`, which is what `States.Format` shows (`{name=x, list=[1, 2]}`), and as
//! JSON. Both differ from what others write in their numbers: `1.0E10`.

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};
use serde_json::{Number, Value};
use std::fmt;
use std::io;

pub(super) struct Shown<'v>(pub(super) &'v Value);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separated = |formatter: &mut fmt::Formatter<'_>, position| match position {
            0 => Ok(()),
            _ => formatter.write_str(", "),
        };
        match self.0 {
            Value::String(text) => formatter.write_str(text),
            Value::Array(elements) => {
                formatter.write_str("[")?;
                for (position, element) in elements.iter().enumerate() {
                    separated(formatter, position)?;
                    Shown(element).fmt(formatter)?;
                }
                formatter.write_str("]")
            }
            Value::Object(members) => {
                formatter.write_str("{")?;
                for (position, (name, value)) in members.iter().enumerate() {
                    separated(formatter, position)?;
                    write!(formatter, "{name}={}", Shown(value))?;
                }
                formatter.write_str("}")
            }
            Value::Number(found) => formatter.write_str(&number(found.as_str())),
            other => other.fmt(formatter),
        }
    }
}

/// JSON text in one line.
pub(super) fn json(value: &Value) -> String {
    let mut text = Vec::new();
    // Neither a value nor a vector can refuse.
    let written = value.serialize(&mut Serializer::with_formatter(&mut text, Jackson));
    debug_assert!(written.is_ok(), "{written:?}");
    String::from_utf8_lossy(&text).into_owned()
}

/// As the JSON library of Step Functions writes it.
struct Jackson;

impl Formatter for Jackson {
    fn write_number_str<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: &str) -> io::Result<()> {
        writer.write_all(number(value).as_bytes())
    }

    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        let short = match escape {
            CharEscape::AsciiControl(byte) => return write!(writer, "\\u{byte:04X}"),
            CharEscape::Quote => "\\\"",
            CharEscape::ReverseSolidus => "\\\\",
            CharEscape::Solidus => "/",
            CharEscape::Backspace => "\\b",
            CharEscape::FormFeed => "\\f",
            CharEscape::LineFeed => "\\n",
            CharEscape::CarriageReturn => "\\r",
            CharEscape::Tab => "\\t",
        };
        writer.write_all(short.as_bytes())
    }
}

/// Integers as they are; anything else as `Double.toString` writes it, but for what no `double` holds.
fn number(text: &str) -> String {
    if !text.contains(['.', 'e', 'E']) {
        return if text == "-0" { "0".to_owned() } else { text.to_owned() };
    }
    match text.parse::<Number>().ok().and_then(|number| number.as_f64()) {
        Some(number) if number.is_finite() => double(number),
        _ => text.to_owned(),
    }
}

/// Source: the documentation of `java.lang.Double.toString`.
fn double(number: f64) -> String {
    let magnitude = number.abs();
    if number == 0.0 || (1e-3..1e7).contains(&magnitude) {
        return format!("{number:?}");
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    format!("{digits}{point}E{exponent}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_java_does() {
        for (text, expected) in [
            ("0", "0"),
            ("-0", "0"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("1.10", "1.1"),
            ("1.0", "1.0"),
            ("-0.0", "-0.0"),
            ("1e2", "100.0"),
            ("0.001", "0.001"),
            ("0.00012", "1.2E-4"),
            ("1e-5", "1.0E-5"),
            ("9999999.5", "9999999.5"),
            ("10000000.0", "1.0E7"),
            ("-12345678.9", "-1.23456789E7"),
            ("1e400", "1e400"),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
    }

    #[test]
    fn json_is_written_as_jackson_does() {
        let value: Value = serde_json::from_str(r#"{"a": [1e10, "\u001f/\n\"\\\u00e9"], "b": {}}"#).unwrap();
        assert_eq!(json(&value), "{\"a\":[1.0E10,\"\\u001F/\\n\\\"\\\\\u{e9}\"],\"b\":{}}");
    }
}
