//! How much work the evaluation of a path may be.

use super::FindError;
use serde_json::Value;

/// Steps that a path, or a call with all its paths, may take. A step is one value looked at, compared or copied, or 64
/// bytes of text. Paths that look at each value once stay far below it; a few times `..` in one path on a large document
/// would not end in a lifetime.
pub const MAX_STEPS: usize = 10_000_000;

/// Bytes of text that are one step.
const TEXT_STEP: usize = 64;

pub(crate) struct Budget {
    left: usize,
}

impl Budget {
    pub(crate) fn new() -> Budget {
        Budget::of(MAX_STEPS)
    }

    pub(crate) fn of(steps: usize) -> Budget {
        Budget { left: steps }
    }

    pub(crate) fn spend(&mut self, steps: usize) -> Result<(), FindError> {
        self.left = self.left.checked_sub(steps).ok_or(FindError::TooCostly)?;
        Ok(())
    }

    pub(crate) fn spend_on_text(&mut self, text: &str) -> Result<(), FindError> {
        self.spend(1 + text.len() / TEXT_STEP)
    }

    /// For a value that is about to be copied or compared, with all that is in it.
    pub(crate) fn spend_on(&mut self, value: &Value) -> Result<(), FindError> {
        let mut waiting = vec![value];
        while let Some(value) = waiting.pop() {
            match value {
                Value::String(text) => self.spend_on_text(text)?,
                Value::Array(elements) => {
                    self.spend(1 + elements.len())?;
                    waiting.extend(elements);
                }
                Value::Object(members) => {
                    self.spend(1 + members.len())?;
                    waiting.extend(members.values());
                }
                Value::Null | Value::Bool(_) | Value::Number(_) => self.spend(1)?,
            }
        }
        Ok(())
    }
}
