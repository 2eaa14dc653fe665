//! When values are equal.

use super::error::Fault;
use super::evaluate::Evaluator;
use super::value::Value;
use std::rc::Rc;

impl<'a> Evaluator<'a, '_> {
    /// Equal however deep; numbers by value, members in any order.
    pub(super) fn equal(&mut self, left: &Value<'a>, right: &Value<'a>) -> Result<bool, Fault> {
        self.spend(1)?;
        match (left, right) {
            (Value::Array(left), Value::Array(right)) => {
                if left.len() != right.len() {
                    return Ok(false);
                }
                for (left, right) in left.iter().zip(right.iter()) {
                    if !self.within(|evaluator| evaluator.equal(&left, &right))? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Value::Object(left), Value::Object(right)) => {
                if left.len() != right.len() {
                    return Ok(false);
                }
                for (key, left) in left.iter() {
                    let Some(right) = right.get(&key) else { return Ok(false) };
                    if !self.within(|evaluator| evaluator.equal(&left, &right))? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Value::Text(left), Value::Text(right)) => {
                self.spend(left.len().min(right.len()) / 64)?;
                Ok(left == right)
            }
            _ => Ok(is_same(left, right)),
        }
    }
}

/// The same scalar, or the very same container.
pub(super) fn is_same<'a>(left: &Value<'a>, right: &Value<'a>) -> bool {
    match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Number(left), Value::Number(right)) => left.float == right.float,
        (Value::Text(left), Value::Text(right)) => left == right,
        (Value::Function(left), Value::Function(right)) => Rc::ptr_eq(left, right),
        (Value::Array(left), Value::Array(right)) => left.identity() == right.identity(),
        (Value::Object(left), Value::Object(right)) => left.identity() == right.identity(),
        _ => false,
    }
}
