//! JSONata. Expressions are refused until there is an evaluator; templates without any work.
#![allow(missing_docs, reason = "to be replaced")]
use crate::random::SplitMix64;
use serde_json::Value;
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    text: String,
}
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    value: Value,
}
pub struct ExpressionError {
    pub message: String,
    pub offset: usize,
}
pub struct TemplateError {
    pub pointer: String,
    pub message: String,
    pub offset: usize,
}
pub struct Inner<'a> {
    pub text: &'a str,
    pub offset: usize,
}
pub fn delimited(text: &str) -> Option<Inner<'_>> {
    let t = text.strip_prefix("{%")?.strip_suffix("%}")?;
    Some(Inner { text: t.trim(), offset: 2 + t.len() - t.trim_start().len() })
}
pub trait Scope {
    fn variable(&self, name: &str) -> Option<Value>;
}
pub struct Environment<'a> {
    pub random: &'a mut SplitMix64,
    pub now: u64,
}
pub struct QueryError {
    pub field: String,
    pub message: String,
}
impl Expression {
    pub fn parse(_text: &str) -> Result<Self, ExpressionError> {
        Err(ExpressionError { message: "JSONata is not supported yet".into(), offset: 0 })
    }
    pub fn as_str(&self) -> &str {
        &self.text
    }
    pub fn evaluate(
        &self,
        _field: &str,
        _scope: &impl Scope,
        _environment: &mut Environment<'_>,
    ) -> Result<Value, QueryError> {
        Ok(Value::Null)
    }
}
impl Template {
    pub fn parse(value: &Value) -> Result<Self, TemplateError> {
        Ok(Self { value: value.clone() })
    }
    pub fn literal(&self, member: &str) -> Option<&Value> {
        self.value.get(member)
    }
    pub fn expression(&self) -> Option<&Expression> {
        None
    }
    pub fn evaluate(
        &self,
        _field: &str,
        _scope: &impl Scope,
        _environment: &mut Environment<'_>,
    ) -> Result<Value, QueryError> {
        Ok(self.value.clone())
    }
}
