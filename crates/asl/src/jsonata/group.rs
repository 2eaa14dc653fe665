//! Objects, the groups they are made of, and orders.

use super::ast::{Kind, Node, Pairs, Term};
use super::error::Fault;
use super::evaluate::{Evaluator, Outcome};
use super::operator::text_order;
use super::path::set;
use super::scope::Frame;
use super::value::{Array, Map, Object, Tuple, Value};
use indexmap::IndexMap;
use std::cmp::Ordering;
use std::rc::Rc;

/// What has the same key.
struct Group<'a> {
    items: Vec<Tuple<'a>>,
    /// Of the pair that gave the key.
    pair: usize,
}

impl<'a> Evaluator<'a, '_> {
    /// An object of one member for each key that the items give.
    pub(super) fn group(&mut self, pairs: &'a Pairs, input: Value<'a>, frame: &Frame<'a>) -> Outcome<'a> {
        let (mut items, with_bindings) = match input {
            Value::Tuples(tuples) => (Rc::unwrap_or_clone(tuples), true),
            Value::Array(array) => (array.into_items().into_iter().map(bare).collect(), false),
            other => (vec![bare(other)], false),
        };
        if items.is_empty() && !with_bindings {
            items.push(bare(Value::Undefined));
        }
        let mut groups: IndexMap<super::value::Text<'a>, Group<'a>> = IndexMap::new();
        for tuple in &items {
            let inner = if with_bindings { Frame::of_tuple(tuple, frame) } else { frame.clone() };
            for (pair, (key, _)) in pairs.iter().enumerate() {
                let key = match self.evaluate(key, &tuple.item, &inner)? {
                    Value::Text(key) => key,
                    Value::Undefined => continue,
                    other => return Err(Fault::value("T1003", self.shown(&other)?)),
                };
                self.allow_item(groups.len())?;
                let group = groups.entry(key.clone()).or_insert_with(|| Group { items: Vec::new(), pair });
                if group.pair != pair {
                    return Err(Fault::value("D1009", super::error::quoted(&key)));
                }
                group.items.push(tuple.clone());
            }
        }
        let mut map = Map::with_capacity(groups.len());
        for (key, group) in groups {
            let Some((_, value)) = pairs.get(group.pair) else { continue };
            let joined = joined(group.items);
            let inner = if with_bindings { Frame::of_tuple(&joined, frame) } else { frame.clone() };
            let value = self.evaluate(value, &joined.item, &inner)?;
            if !value.is_undefined() {
                map.insert(key, value);
            }
        }
        Ok(Value::Object(Object::new(map)))
    }

    /// The items in the order of a sort step.
    pub(super) fn sorted(&mut self, step: &'a Node, input: Value<'a>, frame: &Frame<'a>) -> Outcome<'a> {
        let Kind::Sort(terms) = &step.kind else { return Ok(input) };
        if let Value::Tuples(tuples) = input {
            let sorted =
                merge_sort(Rc::unwrap_or_clone(tuples), &mut |left: &Tuple<'a>, right: &Tuple<'a>| {
                    let (left_frame, right_frame) =
                        (Frame::of_tuple(left, frame), Frame::of_tuple(right, frame));
                    self.is_after(terms, (&left.item, &left_frame), (&right.item, &right_frame))
                })?;
            return Ok(Value::Tuples(Rc::new(sorted)));
        }
        let items = match input {
            Value::Array(array) => array.into_items(),
            other => vec![other],
        };
        let sorted = merge_sort(items, &mut |left: &Value<'a>, right: &Value<'a>| {
            self.is_after(terms, (left, frame), (right, frame))
        })?;
        Ok(Value::Array(Array::sequence(sorted)))
    }

    fn is_after(
        &mut self,
        terms: &'a [Term],
        (left, left_frame): (&Value<'a>, &Frame<'a>),
        (right, right_frame): (&Value<'a>, &Frame<'a>),
    ) -> Result<bool, Fault> {
        for term in terms {
            let left = self.evaluate(&term.expression, left, left_frame)?;
            let right = self.evaluate(&term.expression, right, right_frame)?;
            let order = match (&left, &right) {
                (Value::Undefined, Value::Undefined) => continue,
                (Value::Undefined, _) => return Ok(true),
                (_, Value::Undefined) => return Ok(false),
                (Value::Number(left), Value::Number(right)) => {
                    left.float.partial_cmp(&right.float).unwrap_or(Ordering::Equal)
                }
                (Value::Text(left), Value::Text(right)) => text_order(left, right),
                (Value::Number(_) | Value::Text(_), Value::Number(_) | Value::Text(_)) => {
                    return Err(Fault::value("T2007", self.shown(&left)?).and(self.shown(&right)?));
                }
                _ => return Err(Fault::new("T2008")),
            };
            let order = if term.descending { order.reverse() } else { order };
            if order.is_ne() {
                return Ok(order.is_gt());
            }
        }
        Ok(false)
    }
}

fn bare(item: Value<'_>) -> Tuple<'_> {
    Tuple { item, bindings: Vec::new() }
}

/// The items of a group, and for each variable all its values, each as one value if it is one.
fn joined(mut items: Vec<Tuple<'_>>) -> Tuple<'_> {
    if items.len() == 1
        && let Some(only) = items.pop()
    {
        return only;
    }
    let mut all = bare(Value::Undefined);
    for tuple in items {
        all.item = appended(std::mem::replace(&mut all.item, Value::Undefined), tuple.item);
        for (key, value) in tuple.bindings {
            let known = all.bindings.iter().position(|(known, _)| *known == key);
            let before = match known {
                Some(index) => std::mem::replace(&mut all.bindings[index].1, Value::Undefined),
                None => Value::Undefined,
            };
            set(&mut all.bindings, key, appended(before, value));
        }
    }
    all
}

/// Both as one array; nothing adds nothing.
pub(super) fn appended<'a>(left: Value<'a>, right: Value<'a>) -> Value<'a> {
    match (left, right) {
        (Value::Undefined, right) => right,
        (left, Value::Undefined) => left,
        (left, right) => {
            let left = match left {
                Value::Array(array) => array,
                other => Array::sequence(vec![other]),
            };
            // As in JavaScript, what was appended to is no sequence any more.
            let left = left.marked(false);
            Value::Array(match right {
                Value::Array(array) => left.extended(array.iter()),
                other => left.extended([other]),
            })
        }
    }
}

/// Stable; `is_after` may fail.
pub(super) fn merge_sort<T>(
    mut items: Vec<T>,
    is_after: &mut impl FnMut(&T, &T) -> Result<bool, Fault>,
) -> Result<Vec<T>, Fault> {
    if items.len() <= 1 {
        return Ok(items);
    }
    let right = items.split_off(items.len() / 2);
    let left = merge_sort(items, is_after)?;
    let right = merge_sort(right, is_after)?;
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(first), Some(second)) = (left.peek(), right.peek()) {
        let next = if is_after(first, second)? { right.next() } else { left.next() };
        merged.extend(next);
    }
    merged.extend(left);
    merged.extend(right);
    Ok(merged)
}
