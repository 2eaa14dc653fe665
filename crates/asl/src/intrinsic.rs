//! Intrinsic functions: `States.Format('{} items', $.count)` in place of a path.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html>.

mod function;
mod java;
mod parser;

use crate::path::{Budget, FindError, Path, PathError, Scope};
use crate::random::SplitMix64;
use function::Function;
use serde_json::Value;
use std::collections::BTreeSet;

/// A call of an intrinsic function, with its arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// As it was written.
    text: String,
    function: Function,
    arguments: Vec<Argument>,
}

#[derive(Clone, Debug, PartialEq)]
enum Argument {
    Path(Path),
    /// Between the quotes, with its backslashes: `States.Format` reads them in its own way.
    Text(String),
    /// A number, `true`, `false` or `null`.
    Literal(Value),
    Call(Call),
}

/// Why a call gives no value.
#[derive(Clone, Debug, PartialEq)]
pub enum CallError {
    /// An argument's path points at nothing, or starts at a variable without a value.
    Missing(Path),
    /// An argument's path cannot be followed to its end, or with it the call takes more than
    /// [`MAX_STEPS`](crate::path::MAX_STEPS).
    Unfollowed { path: Path, error: FindError },
    /// `States.IntrinsicFailure`
    Failed { call: String, message: String },
}

impl Call {
    /// # Errors
    /// It is no call, of no function there is, or with another number of arguments than the function takes.
    pub fn parse(text: &str) -> Result<Call, PathError> {
        parser::call(text)
    }

    /// The call as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether any path of it fulfils a condition.
    pub fn any_path<'a>(&'a self, wanted: &mut impl FnMut(&'a Path) -> bool) -> bool {
        self.arguments.iter().any(|argument| match argument {
            Argument::Path(path) => wanted(path),
            Argument::Call(call) => call.any_path(wanted),
            Argument::Text(_) | Argument::Literal(_) => false,
        })
    }

    /// The names of the variables that its paths start at.
    pub fn variables(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.any_path(&mut |path| {
            names.extend(path.variable());
            false
        });
        names
    }

    /// `random` is for `States.MathRandom` and `States.UUID`.
    ///
    /// # Errors
    /// A path of an argument points at nothing, or the function cannot compute what it is asked to.
    pub fn evaluate(&self, scope: &impl Scope, random: &mut SplitMix64) -> Result<Value, CallError> {
        self.evaluate_within(scope, random, &mut Budget::new())
    }

    fn evaluate_within(
        &self,
        scope: &impl Scope,
        random: &mut SplitMix64,
        budget: &mut Budget,
    ) -> Result<Value, CallError> {
        let mut values = Vec::with_capacity(self.arguments.len());
        for argument in &self.arguments {
            values.push(match argument {
                Argument::Path(path) => found(path, scope, budget)?,
                Argument::Text(text) if self.function == Function::Format => Value::String(text.clone()),
                Argument::Text(text) => match unescaped(text) {
                    Ok(plain) => Value::String(plain),
                    Err(message) => return Err(CallError::Failed { call: self.text.clone(), message }),
                },
                Argument::Literal(value) => value.clone(),
                Argument::Call(call) => call.evaluate_within(scope, random, budget)?,
            });
        }
        let failed = |message| CallError::Failed { call: self.text.clone(), message };
        self.function.apply(values, random).map_err(failed)
    }
}

fn found(path: &Path, scope: &impl Scope, budget: &mut Budget) -> Result<Value, CallError> {
    let missing = || CallError::Missing(path.clone());
    let unfollowed = |error| CallError::Unfollowed { path: path.clone(), error };
    let document = path.document(scope).ok_or_else(missing)?;
    let selected = path.find_within(document, budget).map_err(unfollowed)?;
    let value = selected.ok_or_else(missing)?.into_value();
    budget.spend_on(&value).map_err(unfollowed)?;
    Ok(value)
}

fn unescaped(text: &str) -> Result<String, String> {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        plain.push(if character == '\\' { escaped(characters.next())? } else { character });
    }
    Ok(plain)
}

/// What stands behind a backslash. Step Functions finds out as late.
fn escaped(next: Option<char>) -> Result<char, String> {
    next.filter(|next| "'{}\\".contains(*next)).ok_or_else(|| {
        let found = next.map_or_else(|| "the end".to_owned(), |next| format!("`{next}`"));
        format!("a backslash stands before `'`, `{{`, `}}` or another backslash, not before {found}")
    })
}

#[cfg(test)]
mod tests;
