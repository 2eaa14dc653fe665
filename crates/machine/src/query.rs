//! JSONata: what expressions are evaluated with, and what goes wrong with them.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html>.

use crate::branch::Branch;
use crate::context;
use crate::data::Documents;
use crate::execution::Execution;
use crate::failure::Failure;
use crate::run::Run;
use faastlane_asl::definition::State;
use faastlane_asl::jsonata::{Budget, Environment, Expression, QueryError, Scope, Template};
use faastlane_payload::Payload;
use serde_json::Value;

/// `$states`, and the variables of the workflow. Each is made when an expression looks at it.
struct QueryScope<'a> {
    execution: &'a Execution,
    branch: &'a Branch,
    state: &'a State,
    documents: &'a Documents<'a>,
}

impl Scope for QueryScope<'_> {
    fn variable(&self, name: &str) -> Option<Value> {
        decoded(self.branch.variables.get(name)?)
    }

    fn state(&self, member: &str) -> Option<Value> {
        match member {
            "input" => decoded(&self.branch.input),
            "result" => decoded(self.documents.result?),
            "errorOutput" => decoded(self.documents.error_output?),
            "context" => {
                let item = self.documents.item.or(self.branch.item.as_ref());
                decoded(&context::build(self.execution, self.branch, self.state, item, |_| true).ok()?)
            }
            _ => None,
        }
    }
}

/// What does not decode was written by a function that forged it; it is nothing.
fn decoded(payload: &Payload) -> Option<Value> {
    payload.value().ok().cloned()
}

impl<'m> Run<'m, '_> {
    /// What a template gives. `field` is the name of the field it stands in, for the error.
    pub(crate) fn query(
        &mut self,
        slot: u32,
        field: &str,
        template: &Template,
        documents: &Documents<'_>,
    ) -> Result<Payload, Failure> {
        let value = self
            .with_scope(slot, documents, |scope, environment| template.evaluate(field, scope, environment))?;
        self.made(slot, Payload::from_value(value))
    }

    /// What an expression gives.
    pub(crate) fn expression(
        &mut self,
        slot: u32,
        field: &str,
        expression: &Expression,
        documents: &Documents<'_>,
    ) -> Result<Value, Failure> {
        self.with_scope(slot, documents, |scope, environment| expression.evaluate(field, scope, environment))
    }

    fn with_scope(
        &mut self,
        slot: u32,
        documents: &Documents<'_>,
        evaluate: impl FnOnce(&QueryScope<'_>, &mut Environment<'_>) -> Result<Value, QueryError>,
    ) -> Result<Value, Failure> {
        let mut random = self.execution.random.clone();
        let scope = QueryScope {
            execution: self.execution,
            branch: &self.execution.branches[slot],
            state: self.state(slot),
            documents,
        };
        let mut environment =
            Environment { random: &mut random, now: self.execution.now, budget: Budget::default() };
        let value = evaluate(&scope, &mut environment)?;
        self.execution.random = random;
        Ok(value)
    }
}

impl Failure {
    /// An expression gave a value of another type than its field takes.
    pub(crate) fn unexpected(field: &str, expression: &Expression, expected: &str, value: &Value) -> Failure {
        Failure::unexpected_value(field, expression.as_str(), expected, value)
    }

    pub(crate) fn unexpected_value(field: &str, written: &str, expected: &str, value: &Value) -> Failure {
        let found = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let cause = format!(
            "The JSONata expression '{written}' specified for the field '{field}' returned an unexpected result \
             type. Expected '{expected}', but was '{found}' for value: {value}"
        );
        Failure::query(field, cause)
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        Failure::query(error.field, error.message)
    }
}
