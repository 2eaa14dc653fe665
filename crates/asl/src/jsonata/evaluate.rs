//! The evaluator: nodes to values, within a budget.
//!
//! Source: <https://docs.jsonata.org>, and where that says nothing, the reference implementation
//! <https://github.com/jsonata-js/jsonata>, version 2.0.6 (MIT).

use super::Budget;
use super::apply::Function;
use super::ast::{Kind, Node, Stage};
use super::error::Fault;
use super::native::Native;
use super::scope::{Frame, Knot};
use super::value::{Array, Key, Value};
use crate::random::SplitMix64;
use std::rc::Rc;

pub(super) type Outcome<'a> = Result<Value<'a>, Fault>;

/// How deep values may nest that are made here, and documents that functions walk through. It bounds every recursion over
/// values. A document that is only passed on may nest deeper.
pub(super) const MAX_DEPTH: usize = 250;

/// So many bytes of a value that is made take one step.
const BYTES_A_STEP: usize = 32;

pub(super) struct Evaluator<'a, 'e> {
    pub(super) random: &'e mut SplitMix64,
    /// Since 1970.
    pub(super) now_millis: u64,
    labels: &'a [usize],
    budget: Budget,
    depth: usize,
    /// How deep the walk through a value is in it.
    walk: usize,
    steps_left: u64,
    knots: Vec<Knot<'a>>,
}

impl<'a, 'e> Evaluator<'a, 'e> {
    pub(super) fn new(
        labels: &'a [usize],
        random: &'e mut SplitMix64,
        now_millis: u64,
        budget: Budget,
    ) -> Evaluator<'a, 'e> {
        Evaluator {
            random,
            now_millis,
            labels,
            budget,
            depth: 0,
            walk: 0,
            steps_left: budget.steps,
            knots: Vec::new(),
        }
    }

    /// Counts work that is done.
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), Fault> {
        self.steps_left = self.steps_left.checked_sub(steps as u64).ok_or(Fault::Steps)?;
        Ok(())
    }

    /// To be asked before a text of so many bytes is made.
    pub(super) fn allow_bytes(&mut self, bytes: usize) -> Result<(), Fault> {
        if bytes > self.budget.bytes {
            return Err(Fault::Bytes);
        }
        self.spend(bytes / BYTES_A_STEP)
    }

    /// To be asked before an array of so many items is made.
    pub(super) fn allow_items(&mut self, items: usize) -> Result<(), Fault> {
        self.allow_bytes(items.saturating_mul(size_of::<Value<'a>>()))
    }

    /// To be asked for each item of an array that grows.
    pub(super) fn allow_item(&mut self, held: usize) -> Result<(), Fault> {
        if held.saturating_mul(size_of::<Value<'a>>()) > self.budget.bytes {
            return Err(Fault::Bytes);
        }
        self.spend(1)
    }

    pub(super) fn longest_text(&self) -> usize {
        self.budget.bytes
    }

    pub(super) fn enter(&mut self) -> Result<(), Fault> {
        self.spend(1)?;
        if self.depth >= self.budget.depth {
            return Err(Fault::Depth);
        }
        self.depth += 1;
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Walks into a value.
    pub(super) fn within<T>(&mut self, walk: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.walk >= MAX_DEPTH {
            return Err(Fault::Depth);
        }
        self.walk += 1;
        let result = walk(self);
        self.walk -= 1;
        result
    }

    pub(super) fn evaluate(&mut self, node: &'a Node, input: &Value<'a>, frame: &Frame<'a>) -> Outcome<'a> {
        self.enter()?;
        let mut value = self.kind(node, input, frame)?;
        if !node.predicates.is_empty() || node.group.is_some() {
            value = self.refine(node, value, frame)?;
        }
        self.leave();
        if value.depth() > MAX_DEPTH {
            return Err(Fault::Depth);
        }
        Ok(match value {
            Value::Array(array) if array.sequence => settled(array, node.keep_array),
            other => other,
        })
    }

    fn kind(&mut self, node: &'a Node, input: &Value<'a>, frame: &Frame<'a>) -> Outcome<'a> {
        match &node.kind {
            Kind::Path { steps, keep_singleton } => self.path(node, steps, *keep_singleton, input, frame),
            Kind::Name(name) => self.lookup(input, name),
            Kind::Variable(name) => Ok(self.variable(name, input, frame)),
            Kind::Text(text) => Ok(Value::Text(super::value::Text::Borrowed(text))),
            Kind::Number(number) => Ok(Value::number(*number)),
            Kind::Constant(constant) => Ok(constant.map_or(Value::Null, Value::Bool)),
            Kind::Binary(operator, left, right) => self.binary(*operator, left, right, input, frame),
            Kind::Negate(operand) => self.negate(operand, input, frame),
            Kind::Array(items) => self.array(node, items, input, frame),
            Kind::Object(pairs) => self.group(pairs, input.clone(), frame),
            Kind::Block(parts) => self.block(parts, input, frame),
            Kind::Bind(name, value) => self.bind(name, value, input, frame),
            Kind::Condition { condition, then, otherwise } => {
                let chosen = if self.evaluate(condition, input, frame)?.is_truthy() {
                    Some(then)
                } else {
                    otherwise.as_ref()
                };
                chosen.map_or(Ok(Value::Undefined), |chosen| self.evaluate(chosen, input, frame))
            }
            Kind::Call { procedure, arguments } => self.call(procedure, arguments, None, input, frame),
            Kind::Apply(left, right) => self.chain(left, right, input, frame),
            Kind::Partial { procedure, arguments } => self.partial(procedure, arguments, input, frame),
            Kind::Wildcard => self.wildcard(input),
            Kind::Descendants => self.descendants(input),
            Kind::Parent(slot) => Ok(frame.find(Key::Parent(self.label(*slot))).unwrap_or(Value::Undefined)),
            Kind::Lambda(_) | Kind::Tail(_) | Kind::Transform { .. } | Kind::Pattern(_) => {
                Ok(closure(node, input, frame))
            }
            Kind::Sort(_) | Kind::Raw(_) => Ok(Value::Undefined),
        }
    }

    pub(super) fn label(&self, slot: usize) -> usize {
        self.labels.get(slot).copied().unwrap_or(slot)
    }

    fn refine(&mut self, node: &'a Node, mut value: Value<'a>, frame: &Frame<'a>) -> Outcome<'a> {
        for stage in &node.predicates {
            if let Stage::Filter(filter) = stage {
                value = self.filter(filter, value, frame)?;
            }
        }
        match (&node.group, &node.kind) {
            (None, _) | (_, Kind::Path { .. }) => Ok(value),
            (Some(pairs), _) => self.group(pairs, value, frame),
        }
    }

    fn variable(&self, name: &'a str, input: &Value<'a>, frame: &Frame<'a>) -> Value<'a> {
        if name.is_empty() {
            return match input {
                Value::Array(array) if array.outer => array.get(0).unwrap_or(Value::Undefined),
                other => other.clone(),
            };
        }
        frame.find(Key::Name(name)).or_else(|| Native::find(name)).unwrap_or(Value::Undefined)
    }

    fn block(&mut self, parts: &'a [Node], input: &Value<'a>, frame: &Frame<'a>) -> Outcome<'a> {
        let inner = Frame::new(Vec::new(), Some(frame));
        let mut value = Value::Undefined;
        for part in parts {
            value = self.evaluate(part, input, &inner)?;
        }
        Ok(value)
    }

    fn bind(&mut self, name: &'a str, value: &'a Node, input: &Value<'a>, frame: &Frame<'a>) -> Outcome<'a> {
        let value = self.evaluate(value, input, frame)?;
        frame.bind(Key::Name(name), value.clone());
        if value.holds_function() {
            self.knots.push(frame.knot());
        }
        Ok(value)
    }

    fn negate(&mut self, operand: &'a Node, input: &Value<'a>, frame: &Frame<'a>) -> Outcome<'a> {
        match self.evaluate(operand, input, frame)? {
            Value::Undefined => Ok(Value::Undefined),
            Value::Number(number) => Ok(Value::number(-number.float)),
            other => Err(Fault::value("D1002", self.shown(&other)?).of("-")),
        }
    }

    fn array(&mut self, node: &Node, items: &'a [Node], input: &Value<'a>, frame: &Frame<'a>) -> Outcome<'a> {
        let mut all = Vec::with_capacity(items.len());
        for item in items {
            match self.evaluate(item, input, frame)? {
                Value::Undefined => {}
                Value::Array(array) if !matches!(item.kind, Kind::Array(_)) => {
                    self.allow_items(all.len() + array.len())?;
                    if all.is_empty() {
                        all = array.into_items();
                    } else {
                        all.extend(array.iter());
                    }
                }
                other => all.push(other),
            }
        }
        let mut array = Array::new(all);
        array.cons = node.cons_array;
        Ok(Value::Array(array))
    }
}

impl Drop for Evaluator<'_, '_> {
    fn drop(&mut self) {
        self.knots.iter().for_each(Knot::untie);
    }
}

/// A sequence as a value: one item stands for itself, none for nothing.
fn settled(mut array: Array<'_>, keep_array: bool) -> Value<'_> {
    array.keep |= keep_array;
    match array.len() {
        0 => Value::Undefined,
        1 if !array.keep => array.get(0).unwrap_or(Value::Undefined),
        _ => Value::Array(array),
    }
}

fn closure<'a>(node: &'a Node, input: &Value<'a>, frame: &Frame<'a>) -> Value<'a> {
    let (input, frame) = (input.clone(), frame.clone());
    Value::Function(Rc::new(match &node.kind {
        Kind::Lambda(lambda) => Function::Lambda { lambda, input, frame },
        Kind::Tail(call) => Function::Tail { call, input, frame },
        Kind::Pattern(pattern) => Function::Pattern(pattern),
        _ => Function::Transform { node, frame },
    }))
}
