//! JSONata: the expressions between `{%` and `%}` of states whose `QueryLanguage` is JSONata.
//!
//! Start at [`Expression`] for one expression and at [`Template`] for a value that has expressions in it. `token` and
//! `parse` make nodes (`ast`) of a text, `resolve` makes paths of them, `evaluate` and the files that extend it compute
//! their `value`s, and `native` are the functions. The language is that of JSONata 2.0.6, which Step Functions runs:
//! without `$eval`, with Step Functions' own functions, and without the operators `?:` and `??` of later versions.
//!
//! The interpreter is our own because nothing else keeps what an orchestrator needs, which runs expressions of strangers on
//! its own small stack, between other executions: a budget of steps instead of a clock, so that an expression that
//! never ends does so at the same place on every replay; a bound on the stack without switching to another one; time and
//! randomness from outside; documents read where they lie; numbers and the order of members kept.
//!
//! Architecture Invariant: no text makes this crate panic, overflow its stack or run for long. Every recursion is bounded: over
//! nodes when they are parsed, over values when they are made, over both by [`Budget`].
//!
//! Source: <https://docs.jsonata.org> and
//! <https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html>.

mod apply;
mod ast;
mod copy;
mod equality;
mod error;
mod evaluate;
mod group;
mod native;
mod number;
mod operator;
mod parse;
mod path;
mod pattern;
mod reads;
mod resolve;
mod scope;
mod signature;
mod stringify;
mod template;
mod token;
mod transform;
mod value;

pub use error::{EvaluationError, ExpressionError};
pub use template::{QueryError, Template, TemplateError, expression_in, type_name};

use crate::random::SplitMix64;
use evaluate::Evaluator;
use parse::Ast;
use reads::Reads;
use serde_json::Value as Json;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use value::{Array, HoldsFunction, Key, Map, Object, Text, Value};

/// A parsed expression. Cloning shares it.
#[derive(Clone)]
pub struct Expression(Arc<Parsed>);

struct Parsed {
    text: String,
    ast: Ast,
    reads: Reads,
}

/// What one evaluation may take. Whatever goes beyond ends it with the error that Step Functions has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Nodes that are evaluated, and as much work inside functions. A million take some 50 ms.
    pub steps: u64,
    /// How deep evaluations may nest. A level takes up to 8 KiB of the caller's stack, where nothing is optimised; the
    /// default fits a stack of 1.5 MiB.
    pub depth: usize,
    /// The size of one text or array that is made, in bytes of memory. What all of them take is bounded by `steps`: a
    /// step for each 32 bytes.
    pub bytes: usize,
}

/// Ten million steps, 128 levels, 64 MiB. Step Functions allows less: some 100 levels and 7 MB.
impl Default for Budget {
    fn default() -> Self {
        Budget { steps: 10_000_000, depth: 128, bytes: 64 << 20 }
    }
}

/// What an evaluation needs besides variables.
pub struct Environment<'e> {
    /// For `$random`, `$shuffle` and `$uuid`.
    pub random: &'e mut SplitMix64,
    /// For `$now` and `$millis`: microseconds since 1970.
    pub now: u64,
    pub budget: Budget,
}

/// Where variables get their values.
pub trait Scope {
    /// The value of `$name`. It is asked once for each name that an expression reads, also for names of functions.
    fn variable(&self, name: &str) -> Option<Variable<'_>>;
}

/// A variable's value.
#[derive(Clone, Debug)]
pub enum Variable<'a> {
    Value(Cow<'a, Json>),
    /// An object that is put together for this evaluation: `$states`.
    Members(Vec<(&'a str, Cow<'a, Json>)>),
}

/// A result, before anything is asked of it.
enum Computed {
    Nothing,
    Value(Json),
    Function,
}

impl Expression {
    /// Parses the text between `{%` and `%}`; blanks around it do not count.
    ///
    /// # Errors
    /// It is no expression. The message is the one that Step Functions gives.
    pub fn parse(text: &str) -> Result<Expression, ExpressionError> {
        let trimmed = text.trim();
        let leading = text.len() - text.trim_start().len();
        let ast = parse::parse(trimmed)
            .map_err(|error| ExpressionError { offset: error.offset + leading, ..error })?;
        let reads = Reads::of(&ast.root);
        Ok(Expression(Arc::new(Parsed { text: trimmed.to_owned(), ast, reads })))
    }

    /// The text, without the blanks around it.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The names of the variables it reads, without `$`, each once: `states` and those that `Assign` makes. Functions of
    /// the language and variables of its own are not among them.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.0.reads.variables.iter().map(String::as_str).filter(|name| !native::Native::is_known(name))
    }

    /// Whether it may read this part of `$states`: `&["context", "Execution", "Input"]`. With `&[]`: any.
    pub fn may_read_states(&self, members: &[&str]) -> bool {
        self.0.reads.may_read_states(members)
    }

    /// The member of `$states` that is all of the expression, as `input` is of `$states.input`: its value needs no
    /// evaluation.
    pub fn as_states_member(&self) -> Option<&str> {
        let name = self.0.text.strip_prefix("$states.")?;
        let is_name = matches!(name, "input" | "result" | "errorOutput" | "context");
        is_name.then_some(name)
    }

    /// References to an input that there is none of, each with its place in bytes: names that no step comes before, `$`
    /// outside of a step, and `$$`. Step Functions refuses them: "Reference to 'name' at the top level is not supported."
    pub fn top_level_references(&self) -> &[(String, usize)] {
        &self.0.reads.top_level
    }

    /// The value. `field` is what errors call the place of the expression: `Output/list[0]`.
    ///
    /// # Errors
    /// `States.QueryEvaluationError`: it gives nothing, a function, or an error.
    pub fn evaluate(
        &self,
        field: &str,
        scope: &impl Scope,
        environment: &mut Environment<'_>,
    ) -> Result<Json, QueryError> {
        let place = || (self.0.text.clone(), field.to_owned());
        match self.compute(None, scope, environment) {
            Ok(Computed::Value(value)) => Ok(value),
            Ok(Computed::Nothing) => {
                let (expression, field) = place();
                Err(QueryError::Undefined { expression, field })
            }
            Ok(Computed::Function) => {
                let (expression, field) = place();
                Err(QueryError::Unsupported { expression, field })
            }
            Err(error) => {
                let (expression, field) = place();
                Err(QueryError::Failed { expression, field, error })
            }
        }
    }

    /// `input` is what names outside of a step are members of; Step Functions has none.
    fn compute(
        &self,
        input: Option<&Json>,
        scope: &impl Scope,
        environment: &mut Environment<'_>,
    ) -> Result<Computed, EvaluationError> {
        let Parsed { ast, reads, .. } = &*self.0;
        let names = reads.variables.iter();
        let held: Vec<(&str, Variable<'_>)> =
            names.filter_map(|name| Some((name.as_str(), scope.variable(name)?))).collect();
        let mut bindings: Vec<(Key<'_>, Value<'_>)> =
            held.iter().map(|(name, variable)| (Key::Name(name), variable.value())).collect();
        let input = match input {
            None => Value::Undefined,
            Some(json @ Json::Array(_)) => Value::Array(Array::outer(Value::of_json(json))),
            Some(json) => Value::of_json(json),
        };
        bindings.push((Key::Name("$"), input.clone()));
        let frame = scope::Frame::new(bindings, None);
        let mut evaluator =
            Evaluator::new(&ast.labels, environment.random, environment.now / 1_000, environment.budget);
        let value = evaluator.evaluate(&ast.root, &input, &frame).map_err(EvaluationError)?;
        match value.to_json() {
            Ok(None) => Ok(Computed::Nothing),
            Ok(Some(value)) => Ok(Computed::Value(value)),
            Err(HoldsFunction) => Ok(Computed::Function),
        }
    }
}

impl Variable<'_> {
    fn value(&self) -> Value<'_> {
        match self {
            Variable::Value(value) => Value::of_json(value),
            Variable::Members(members) => {
                let members =
                    members.iter().map(|(name, value)| (Text::Borrowed(name), Value::of_json(value)));
                Value::Object(Object::new(Map::from_iter(members)))
            }
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({:?})", self.0.text)
    }
}

/// Equal texts.
impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

#[cfg(test)]
mod suite;
#[cfg(test)]
mod tests;
