//! JSONata: what expressions are evaluated with, and what goes wrong with them.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html>.

use crate::branch::Branch;
use crate::context;
use crate::data::Documents;
use crate::failure::Failure;
use crate::run::Run;
use faastlane_asl::jsonata::{
    Budget, Environment, Expression, QueryError, Scope, Template, Variable, type_name,
};
use faastlane_payload::Payload;
use serde_json::Value;
use std::borrow::Cow;

/// `$states`, and the variables of the workflow.
struct QueryScope<'a> {
    branch: &'a Branch,
    documents: &'a Documents<'a>,
    /// Made only for expressions that look at it.
    context: Option<Payload>,
}

impl Scope for QueryScope<'_> {
    fn variable(&self, name: &str) -> Option<Variable<'_>> {
        if name != "states" {
            return decoded(self.branch.variables.get(name)?).map(Variable::Value);
        }
        let members = [
            ("input", Some(&self.branch.input)),
            ("result", self.documents.result),
            ("errorOutput", self.documents.error_output),
            ("context", self.context.as_ref()),
        ];
        let present = members.into_iter().filter_map(|(name, payload)| Some((name, decoded(payload?)?)));
        Some(Variable::Members(present.collect()))
    }
}

/// What does not decode was written by a function that forged it; it is nothing.
fn decoded(payload: &Payload) -> Option<Cow<'_, Value>> {
    payload.value().ok().map(Cow::Borrowed)
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
        let reads = |members: &[&str]| template.may_read_states(members);
        let value = self.with_scope(slot, documents, reads, |scope, environment| {
            template.evaluate(field, scope, environment)
        })?;
        self.made(slot, value)
    }

    /// What an expression gives.
    pub(crate) fn expression(
        &mut self,
        slot: u32,
        field: &str,
        expression: &Expression,
        documents: &Documents<'_>,
    ) -> Result<Value, Failure> {
        let reads = |members: &[&str]| expression.may_read_states(members);
        let value = self.with_scope(slot, documents, reads, |scope, environment| {
            expression.evaluate(field, scope, environment)
        })?;
        Ok(value.value()?.clone())
    }

    fn with_scope(
        &mut self,
        slot: u32,
        documents: &Documents<'_>,
        reads: impl Fn(&[&str]) -> bool,
        evaluate: impl FnOnce(&QueryScope<'_>, &mut Environment<'_>) -> Result<Value, QueryError>,
    ) -> Result<Payload, Failure> {
        let branch = &self.execution.branches[slot];
        let context = if reads(&["context"]) {
            let item = documents.item.or(branch.item.as_ref());
            let reached = |members: &[&str]| {
                let way: Vec<&str> = std::iter::once("context").chain(members.iter().copied()).collect();
                reads(&way)
            };
            Some(context::build(self.execution, branch, self.state(slot), item, reached)?)
        } else {
            None
        };
        let mut random = self.execution.random.clone();
        let scope = QueryScope { branch, documents, context };
        let mut environment =
            Environment { random: &mut random, now: self.execution.now, budget: Budget::default() };
        // A payload at once: a value may nest deeper than it could be dropped.
        let value = Payload::from_value(evaluate(&scope, &mut environment)?);
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
        let found = type_name(value);
        let cause = format!(
            "The JSONata expression '{written}' specified for the field '{field}' returned an unexpected result \
             type. Expected '{expected}', but was '{found}' for value: {value}"
        );
        Failure::query(field, cause)
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        Failure::query(error.field(), error.to_string())
    }
}
