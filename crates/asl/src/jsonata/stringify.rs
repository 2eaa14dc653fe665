//! Values as strings: `$string` and what errors show.

use super::error::{Fault, quoted};
use super::evaluate::Evaluator;
use super::number;
use super::value::Value;

impl<'a> Evaluator<'a, '_> {
    /// Text as it is, anything else as JSON; `None` for nothing.
    pub(super) fn string(&mut self, value: &Value<'a>, pretty: bool) -> Result<Option<String>, Fault> {
        let mut out = String::new();
        match value {
            Value::Undefined => return Ok(None),
            Value::Text(text) => {
                self.allow_bytes(text.len())?;
                out.push_str(text);
            }
            Value::Function(_) => {}
            Value::Number(number) if !number.float.is_finite() => {
                return Err(Fault::value("D3001", "null".to_owned()));
            }
            other => self.write(other, pretty.then_some(0), &mut out)?,
        }
        Ok(Some(out))
    }

    /// As an error shows it: JSON.
    pub(super) fn shown(&mut self, value: &Value<'a>) -> Result<String, Fault> {
        Ok(match value {
            Value::Text(text) => quoted(text),
            Value::Undefined | Value::Function(_) => "undefined".to_owned(),
            Value::Number(number) if !number.float.is_finite() => "null".to_owned(),
            Value::Number(number) => number::text(number.float),
            other => self.string(other, false)?.unwrap_or_default(),
        })
    }

    /// As JSON. `level` counts the levels around it where lines are indented.
    fn write(&mut self, value: &Value<'a>, level: Option<usize>, out: &mut String) -> Result<(), Fault> {
        self.spend(1)?;
        match value {
            Value::Undefined | Value::Null => out.push_str("null"),
            Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Value::Number(number) if !number.float.is_finite() => {
                return Err(Fault::value("D1001", "null".to_owned()));
            }
            Value::Number(number) => out.push_str(&number::text(number::to_precision_15(number.float))),
            Value::Text(text) => out.push_str(&quoted(text)),
            Value::Function(_) | Value::Tuples(_) => out.push_str("\"\""),
            Value::Array(array) => {
                out.push('[');
                for (index, item) in array.iter().enumerate() {
                    separate(index == 0, level, out);
                    self.within(|evaluator| evaluator.write(&item, level.map(|level| level + 1), out))?;
                }
                end(array.len() == 0, level, out);
                out.push(']');
            }
            Value::Object(object) => {
                out.push('{');
                let mut is_first = true;
                for (key, member) in object.iter().filter(|(_, member)| !member.is_undefined()) {
                    separate(is_first, level, out);
                    is_first = false;
                    out.push_str(&quoted(&key));
                    out.push_str(if level.is_some() { ": " } else { ":" });
                    self.within(|evaluator| evaluator.write(&member, level.map(|level| level + 1), out))?;
                }
                end(is_first, level, out);
                out.push('}');
            }
        }
        self.allow_text(out)
    }

    /// To be asked while a text grows.
    pub(super) fn allow_text(&mut self, text: &str) -> Result<(), Fault> {
        if text.len() > self.longest_text() { Err(Fault::Bytes) } else { Ok(()) }
    }
}

fn indent(level: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", level));
}

fn separate(is_first: bool, level: Option<usize>, out: &mut String) {
    if !is_first {
        out.push(',');
    }
    if let Some(level) = level {
        indent(level + 1, out);
    }
}

fn end(is_empty: bool, level: Option<usize>, out: &mut String) {
    if let Some(level) = level.filter(|_| !is_empty) {
        indent(level, out);
    }
}
