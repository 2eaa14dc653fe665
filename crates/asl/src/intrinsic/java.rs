//! Values as Java's `toString` writes them, which is what `States.Format` shows: `{name=x, list=[1, 2]}`.

use serde_json::Value;
use std::fmt;

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
            other => other.fmt(formatter),
        }
    }
}
