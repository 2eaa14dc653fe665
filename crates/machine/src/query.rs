//! JSONata: what expressions are evaluated with, and what goes wrong with them.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html>.

use crate::data::Documents;
use crate::failure::Failure;
use crate::run::Run;
use faastlane_asl::jsonata::{Environment, Expression, QueryError, Scope, Template};
use faastlane_payload::Payload;
use serde_json::{Map, Value};

/// `$states`, and the variables of the workflow.
struct QueryScope<'a> {
    states: Value,
    variables: &'a crate::variables::Variables,
}

impl Scope for QueryScope<'_> {
    fn variable(&self, name: &str) -> Option<Value> {
        if name == "states" {
            return Some(self.states.clone());
        }
        self.variables.get(name).and_then(|payload| payload.value().ok().cloned())
    }
}

impl Run<'_, '_> {
    /// What a template gives. `field` is the name of the field it stands in, for the error.
    pub(crate) fn query(
        &mut self,
        slot: u32,
        field: &str,
        template: &Template,
        documents: &Documents<'_>,
    ) -> Result<Payload, Failure> {
        let mut random = self.execution.random.clone();
        let scope = self.query_scope(slot, documents)?;
        let mut environment = Environment { random: &mut random, now: self.execution.now };
        let value = template.evaluate(field, &scope, &mut environment)?;
        self.execution.random = random;
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
        let mut random = self.execution.random.clone();
        let scope = self.query_scope(slot, documents)?;
        let mut environment = Environment { random: &mut random, now: self.execution.now };
        let value = expression.evaluate(field, &scope, &mut environment)?;
        self.execution.random = random;
        Ok(value)
    }

    fn query_scope(&self, slot: u32, documents: &Documents<'_>) -> Result<QueryScope<'_>, Failure> {
        let branch = &self.execution.branches[slot];
        let mut states = Map::new();
        states.insert("input".to_owned(), branch.input.value()?.clone());
        states.insert("context".to_owned(), self.context(slot, documents.item, |_| true)?.value()?.clone());
        for (name, payload) in [("result", documents.result), ("errorOutput", documents.error_output)] {
            if let Some(payload) = payload {
                states.insert(name.to_owned(), payload.value()?.clone());
            }
        }
        Ok(QueryScope { states: Value::Object(states), variables: &branch.variables })
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
