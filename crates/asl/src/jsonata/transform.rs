//! The transform operator: `| pattern | update, delete |`.

use super::ast::{Kind, Node};
use super::error::Fault;
use super::evaluate::{Evaluator, Outcome};
use super::number;
use super::scope::Frame;
use super::value::{Array, Map, Object, Text, Value};
use std::collections::HashMap;

/// The objects of a copy that were changed, by where they lie in it.
type Changed<'a> = HashMap<*const (), Object<'a>>;

impl<'a> Evaluator<'a, '_> {
    pub(super) fn transform(&mut self, node: &'a Node, input: Value<'a>, frame: &Frame<'a>) -> Outcome<'a> {
        let Kind::Transform { pattern, update, delete } = &node.kind else { return Ok(Value::Undefined) };
        match input {
            Value::Undefined => return Ok(Value::Undefined),
            Value::Object(_) | Value::Array(_) => {}
            _ => return Err(Fault::new("T0410").at_argument(1)),
        }
        let copy = self.copied(&input)?;
        let matches = match self.evaluate(pattern, &copy, frame)? {
            Value::Undefined => Vec::new(),
            Value::Array(array) => array.into_items(),
            other => vec![other],
        };
        let mut changed = Changed::new();
        for found in &matches {
            let Value::Object(place) = found else {
                // Nothing to change in it, but the clauses have to be sound.
                self.update(update, found, frame)?;
                self.deletions(delete.as_deref(), found, frame)?;
                continue;
            };
            // What is in it keeps its place, so that it can still be changed.
            let mut map: Map<'a> = changed.get(&place.identity()).unwrap_or(place).iter().collect();
            self.spend(map.len())?;
            let before = self.current(found, &changed)?;
            if let Some(update) = self.update(update, &before, frame)? {
                map.extend(update.iter());
                changed.insert(place.identity(), Object::new(map.clone()));
            }
            let after = self.current(found, &changed)?;
            for name in self.deletions(delete.as_deref(), &after, frame)? {
                self.spend(1 + map.len() / 64)?;
                map.shift_remove(&*name);
            }
            changed.insert(place.identity(), Object::new(map));
        }
        self.current(&copy, &changed)
    }

    fn update(
        &mut self,
        update: &'a Node,
        found: &Value<'a>,
        frame: &Frame<'a>,
    ) -> Result<Option<Object<'a>>, Fault> {
        match self.evaluate(update, found, frame)? {
            Value::Undefined => Ok(None),
            Value::Object(update) => Ok(Some(update)),
            other => Err(Fault::value("T2011", self.shown(&other)?)),
        }
    }

    fn deletions(
        &mut self,
        delete: Option<&'a Node>,
        found: &Value<'a>,
        frame: &Frame<'a>,
    ) -> Result<Vec<Text<'a>>, Fault> {
        let Some(delete) = delete else { return Ok(Vec::new()) };
        let deletions = self.evaluate(delete, found, frame)?;
        let names = match &deletions {
            Value::Undefined => return Ok(Vec::new()),
            Value::Array(array) => array.iter().collect(),
            other => vec![other.clone()],
        };
        let mut texts = Vec::with_capacity(names.len());
        for name in names {
            match name {
                Value::Text(name) => texts.push(name),
                _ => return Err(Fault::value("T2012", self.shown(&deletions)?)),
            }
        }
        Ok(texts)
    }

    /// A copy in which each object lies in a place of its own. Numbers are rounded as in a string.
    pub(super) fn copied(&mut self, value: &Value<'a>) -> Outcome<'a> {
        self.spend(1)?;
        Ok(match value {
            Value::Array(array) => {
                self.allow_items(array.len())?;
                let mut items = Vec::with_capacity(array.len());
                for item in array.iter() {
                    items.push(self.within(|evaluator| evaluator.copied(&item))?);
                }
                Value::Array(Array::new(items))
            }
            Value::Object(object) => {
                let mut map = Map::with_capacity(object.len());
                for (key, value) in object.iter() {
                    if !value.is_undefined() {
                        map.insert(key, self.within(|evaluator| evaluator.copied(&value))?);
                    }
                }
                Value::Object(Object::new(map))
            }
            Value::Number(number) if number.float.fract() != 0.0 => {
                Value::number(number::to_precision_15(number.float))
            }
            Value::Function(_) => Value::text(""),
            other => other.clone(),
        })
    }

    /// A value with the changes in it.
    fn current(&mut self, value: &Value<'a>, changed: &Changed<'a>) -> Outcome<'a> {
        self.spend(1)?;
        Ok(match value {
            Value::Array(array) => {
                let mut items = Vec::with_capacity(array.len());
                for item in array.iter() {
                    items.push(self.within(|evaluator| evaluator.current(&item, changed))?);
                }
                Value::Array(Array::new(items))
            }
            Value::Object(object) => {
                let object = changed.get(&object.identity()).unwrap_or(object);
                let mut map = Map::with_capacity(object.len());
                for (key, value) in object.iter() {
                    map.insert(key, self.within(|evaluator| evaluator.current(&value, changed))?);
                }
                Value::Object(Object::new(map))
            }
            other => other.clone(),
        })
    }
}
