//! Operators.

use super::ast::{Node, Operator};
use super::equality::is_same;
use super::error::Fault;
use super::evaluate::{Evaluator, Outcome};
use super::scope::Frame;
use super::value::{Array, Value};
use std::cmp::Ordering;

/// Source: the reference implementation, `D2014`.
const LONGEST_RANGE: f64 = 1e7;

impl<'a> Evaluator<'a, '_> {
    pub(super) fn binary(
        &mut self,
        operator: Operator,
        left: &'a Node,
        right: &'a Node,
        input: &Value<'a>,
        frame: &Frame<'a>,
    ) -> Outcome<'a> {
        let left = self.evaluate(left, input, frame)?;
        match operator {
            Operator::And if !left.is_truthy() => return Ok(Value::Bool(false)),
            Operator::Or if left.is_truthy() => return Ok(Value::Bool(true)),
            _ => {}
        }
        let right = self.evaluate(right, input, frame)?;
        self.combine(operator, left, right).map_err(|fault| fault.of(operator.symbol()))
    }

    fn combine(&mut self, operator: Operator, left: Value<'a>, right: Value<'a>) -> Outcome<'a> {
        match operator {
            Operator::Add
            | Operator::Subtract
            | Operator::Multiply
            | Operator::Divide
            | Operator::Remainder => arithmetic(operator, &left, &right),
            Operator::Equal | Operator::NotEqual => {
                if left.is_undefined() || right.is_undefined() {
                    return Ok(Value::Bool(false));
                }
                Ok(Value::Bool(self.equal(&left, &right)? == (operator == Operator::Equal)))
            }
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                self.compare(operator, &left, &right)
            }
            Operator::Concatenate => self.concatenate(&left, &right),
            Operator::And | Operator::Or => Ok(Value::Bool(right.is_truthy())),
            Operator::In => self.includes(&left, &right),
            Operator::Range => self.range(&left, &right),
        }
    }

    /// Counts a walk through a value.
    pub(super) fn spend_on(&mut self, value: &Value<'a>) -> Result<(), Fault> {
        match value {
            Value::Array(array) => self.spend(array.len()),
            Value::Object(object) => self.spend(object.len()),
            Value::Text(text) => self.spend(text.len() / 64),
            _ => Ok(()),
        }
    }

    fn compare(&mut self, operator: Operator, left: &Value<'a>, right: &Value<'a>) -> Outcome<'a> {
        let comparable =
            |value: &Value<'a>| matches!(value, Value::Undefined | Value::Text(_) | Value::Number(_));
        if !comparable(left) || !comparable(right) {
            return Err(Fault::new("T2010"));
        }
        let order = match (left, right) {
            (Value::Undefined, _) | (_, Value::Undefined) => return Ok(Value::Undefined),
            (Value::Number(left), Value::Number(right)) => left.float.partial_cmp(&right.float),
            (Value::Text(left), Value::Text(right)) => Some(text_order(left, right)),
            _ => return Err(Fault::value("T2009", self.shown(left)?).and(self.shown(right)?)),
        };
        Ok(Value::Bool(order.is_some_and(|order| match operator {
            Operator::Less => order.is_lt(),
            Operator::LessOrEqual => order.is_le(),
            Operator::Greater => order.is_gt(),
            _ => order.is_ge(),
        })))
    }

    fn concatenate(&mut self, left: &Value<'a>, right: &Value<'a>) -> Outcome<'a> {
        let mut text = self.string(left, false)?.unwrap_or_default();
        let right = self.string(right, false)?.unwrap_or_default();
        self.allow_bytes(text.len() + right.len())?;
        text.push_str(&right);
        Ok(Value::text(text))
    }

    fn includes(&mut self, item: &Value<'a>, all: &Value<'a>) -> Outcome<'a> {
        self.spend_on(all)?;
        Ok(Value::Bool(match (item, all) {
            (Value::Undefined, _) | (_, Value::Undefined) => false,
            (item, Value::Array(array)) => array.iter().any(|other| is_same(item, &other)),
            (item, other) => is_same(item, other),
        }))
    }

    fn range(&mut self, left: &Value<'a>, right: &Value<'a>) -> Outcome<'a> {
        let whole = |value: &Value<'a>, code| match value {
            Value::Undefined => Ok(None),
            Value::Number(number) if number.float.is_finite() && number.float.fract() == 0.0 => {
                Ok(Some(number.float))
            }
            _ => Err(Fault::new(code)),
        };
        let (Some(start), Some(end)) = (whole(left, "T2003")?, whole(right, "T2004")?) else {
            return Ok(Value::Undefined);
        };
        if start > end {
            return Ok(Value::Undefined);
        }
        let size = end - start + 1.0;
        if size > LONGEST_RANGE {
            return Err(Fault::value("D2014", super::number::text(size)));
        }
        self.allow_items(size as usize)?;
        let items = (0..size as usize).map(|index| Value::number(start + index as f64)).collect();
        Ok(Value::Array(Array::sequence(items)))
    }
}

fn arithmetic<'a>(operator: Operator, left: &Value<'a>, right: &Value<'a>) -> Outcome<'a> {
    let left = operand(left, "T2001")?;
    let right = operand(right, "T2002")?;
    let (Some(left), Some(right)) = (left, right) else { return Ok(Value::Undefined) };
    Ok(Value::number(match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide => left / right,
        _ => left % right,
    }))
}

fn operand(value: &Value<'_>, code: &'static str) -> Result<Option<f64>, Fault> {
    match value {
        Value::Undefined => Ok(None),
        Value::Number(number) if number.float.is_infinite() => Err(Fault::value("D1001", "null".to_owned())),
        Value::Number(number) if !number.float.is_nan() => Ok(Some(number.float)),
        _ => Err(Fault::new(code)),
    }
}

/// As JavaScript compares: by UTF-16 units.
pub(super) fn text_order(left: &str, right: &str) -> Ordering {
    if left.is_ascii() && right.is_ascii() {
        left.cmp(right)
    } else {
        left.encode_utf16().cmp(right.encode_utf16())
    }
}
