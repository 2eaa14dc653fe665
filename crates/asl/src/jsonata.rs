//! JSONata as Step Functions runs it: expressions `{% … %}`, and values that hold some.
//!
//! Start at [`Template`], which is what a field of a state holds, or at [`Expression`], one of them. The language itself is
//! `jsonata-core`; here is what Step Functions adds and takes away (`functions`), the bridge between its values and ours
//! (`value`), and what an evaluation may use at most ([`Budget`]).
//!
//! `jsonata-core` computes with 64-bit floats, as JSONata does. What an expression only passes on (`$states.input.id`) is
//! found without it and stays exact.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html>, <https://docs.jsonata.org>.

mod functions;
mod reference;
mod template;
mod value;

use crate::random::SplitMix64;
use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::{Context, Evaluator, EvaluatorOptions};
use jsonata_core::parser::{self, ParserError};
use reference::Reference;
use serde_json::Value;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
pub use template::{Template, TemplateError};

/// What expressions read.
pub trait Scope {
    /// `$name`, without its `$`; `None` if it has no value.
    fn variable(&self, name: &str) -> Option<Value>;
    /// A member of `$states`: `input`, `result`, `errorOutput` or `context`; `None` where there is none.
    fn state(&self, member: &str) -> Option<Value>;
}

/// The members of `$states`, in the order in which they are shown.
pub const STATES: [&str; 4] = ["input", "result", "errorOutput", "context"];

/// What an evaluation uses besides its scope. The same gives the same result.
pub struct Environment<'a> {
    /// For `$random` and `$uuid`.
    pub random: &'a mut SplitMix64,
    /// For `$now` and `$millis`: microseconds since 1970-01-01T00:00:00Z.
    pub now: u64,
    pub budget: Budget,
}

/// What one evaluation may use at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    pub milliseconds: u64,
    /// Calls and nested parts of the expression.
    pub depth: usize,
    /// Elements of any sequence that is computed.
    pub elements: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { milliseconds: 1_000, depth: 1_000, elements: 1_000_000 }
    }
}

/// Why a text is no expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExpressionError {
    /// A lower-case sentence, or JSONata's own code and words.
    pub message: String,
    /// Bytes from the beginning of the expression.
    pub offset: usize,
}

/// Why an expression gives no value: `States.QueryEvaluationError`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// The field it stands in, with the way inside of it: `Output/total`.
    pub field: String,
    /// As Step Functions words it.
    pub message: String,
}

/// The inside of `{% … %}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delimited<'a> {
    /// Without the blanks around it.
    pub text: &'a str,
    /// Where that begins, in bytes from the beginning of the string.
    pub offset: usize,
}

/// The expression that a string is, if it is one: it begins with `{%` and ends with `%}`.
pub fn delimited(text: &str) -> Option<Delimited<'_>> {
    let inner = text.strip_prefix("{%")?.strip_suffix("%}")?;
    let blanks = inner.len() - inner.trim_start().len();
    Some(Delimited { text: inner.trim(), offset: 2 + blanks })
}

/// A parsed expression.
#[derive(Clone, Debug)]
pub struct Expression {
    text: Arc<str>,
    syntax: Arc<AstNode>,
    /// Where it only passes something on.
    reference: Option<Reference>,
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// Brackets that may be open at once in an expression; beyond it the parser's own recursion would be in danger.
const MAX_NESTING: usize = 200;

impl Expression {
    /// # Errors
    /// The text is no JSONata.
    pub fn parse(text: &str) -> Result<Expression, ExpressionError> {
        let text = text.trim();
        if let Some(offset) = too_deep(text) {
            let message = format!("more than {MAX_NESTING} brackets are open");
            return Err(ExpressionError { message, offset });
        }
        let syntax = parser::parse(text).map_err(|error| ExpressionError {
            // The parser does not say where, unless it is at the end.
            offset: if matches!(error, ParserError::UnexpectedEnd) { text.len() } else { 0 },
            message: error.to_string(),
        })?;
        Ok(Expression { text: text.into(), syntax: Arc::new(syntax), reference: Reference::of(text) })
    }

    /// Without the delimiters.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it may look at this variable.
    pub fn may_read(&self, name: &str) -> bool {
        self.text.match_indices('$').any(|(at, _)| self.text[at + 1..].starts_with(name))
    }

    /// Whether it may look at this member of `$states`.
    pub fn may_read_state(&self, member: &str) -> bool {
        const STATES: &str = "$states";
        self.text.match_indices(STATES).any(|(at, _)| {
            let rest = &self.text[at + STATES.len()..];
            match rest.strip_prefix('.') {
                Some(rest) if self::STATES.iter().any(|known| rest.starts_with(known)) => {
                    rest.starts_with(member)
                }
                _ => true,
            }
        })
    }

    /// What it gives; `field` is where it stands, for the error.
    ///
    /// # Errors
    /// It fails, it gives nothing or a function, or it takes more than its budget.
    pub fn evaluate(
        &self,
        field: &str,
        scope: &impl Scope,
        environment: &mut Environment<'_>,
    ) -> Result<Value, QueryError> {
        let said = |what: &str| QueryError {
            field: field.to_owned(),
            message: format!(
                "The JSONata expression '{}' specified for the field '{field}' {what}",
                self.text
            ),
        };
        if let Some(found) = self.reference.as_ref().and_then(|reference| reference.find(scope)) {
            return found.ok_or_else(|| said("returned nothing (undefined)."));
        }
        let computed = self.compute(scope, environment);
        let computed =
            computed.map_err(|message| said(&format!("threw an error during evaluation. {message}")))?;
        match value::from_jsonata(&computed) {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(said("returned nothing (undefined).")),
            Err(value::Unsupported) => Err(said("returned an unsupported result type.")),
        }
    }

    fn compute(
        &self,
        scope: &impl Scope,
        environment: &mut Environment<'_>,
    ) -> Result<jsonata_core::value::JValue, String> {
        let mut context = Context::new();
        for name in self.names() {
            let bound = if name == "states" { Some(self.states(scope)) } else { scope.variable(name) };
            if let Some(bound) = bound {
                context.bind(name.to_owned(), value::to_jsonata(bound));
            }
        }
        let Budget { milliseconds, depth, elements } = environment.budget;
        let options = EvaluatorOptions {
            timeout_ms: Some(milliseconds),
            max_stack_depth: Some(depth),
            max_sequence_length: Some(elements),
            ..EvaluatorOptions::default()
        };
        let mut evaluator = Evaluator::with_options(context, options);
        let random = Rc::new(RefCell::new(environment.random.clone()));
        functions::register(&mut evaluator, &random, environment.now)
            .map_err(|error| error.message().to_owned())?;
        let computed = evaluator.evaluate(&self.syntax, &jsonata_core::value::JValue::Undefined);
        drop(evaluator);
        environment.random.clone_from(&random.borrow());
        computed.map_err(|error| error.message().to_owned())
    }

    fn states(&self, scope: &impl Scope) -> Value {
        let read = STATES.into_iter().filter(|member| self.may_read_state(member));
        read.filter_map(|member| Some((member.to_owned(), scope.state(member)?))).collect()
    }

    /// What follows each `$` and may be the name of a variable, once each.
    fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (at, _) in self.text.match_indices('$') {
            let rest = &self.text[at + 1..];
            let end = rest.find(|character: char| !character.is_alphanumeric() && character != '_');
            let name = &rest[..end.unwrap_or(rest.len())];
            if !name.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

/// Where too many brackets are open. Those in strings and comments are counted as well: an expression that is refused
/// for them is one that nobody writes.
fn too_deep(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    for (offset, byte) in text.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        if open > MAX_NESTING {
            return Some(offset);
        }
    }
    None
}

#[cfg(test)]
mod tests;
