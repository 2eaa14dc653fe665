//! Paths: steps, filters and the order of what they find.

use super::ast::{Kind, Node, Stage};
use super::error::Fault;
use super::evaluate::{Evaluator, Outcome};
use super::scope::Frame;
use super::value::{Array, Key, Object, Tuple, Value};
use std::rc::Rc;

impl<'a> Evaluator<'a, '_> {
    pub(super) fn path(
        &mut self,
        node: &'a Node,
        steps: &'a [Node],
        keep_singleton: bool,
        input: &Value<'a>,
        frame: &Frame<'a>,
    ) -> Outcome<'a> {
        let starts_with_variable = matches!(steps.first().map(|step| &step.kind), Some(Kind::Variable(_)));
        let (mut current, mut done) = match input {
            Value::Array(array) if !starts_with_variable => (Value::Array(array.clone()), 0),
            single => match self.single_steps(steps, single.clone(), frame)? {
                (Reached::One(value), done) if done == steps.len() => {
                    if !keep_singleton && !node.keep_array && node.group.is_none() {
                        return Ok(value);
                    }
                    (Value::Array(Array::sequence(vec![value])), done)
                }
                (Reached::One(value), done) => (Value::Array(Array::sequence(vec![value])), done),
                (Reached::Many(array), done) => (Value::Array(array), done),
            },
        };
        if matches!(&current, Value::Array(array) if array.len() == 0 && done > 0) {
            done = steps.len();
        }
        let mut tuples: Option<Vec<Tuple<'a>>> = None;
        for (index, step) in steps.iter().enumerate().skip(done) {
            if step.tuple || tuples.is_some() {
                let given = match tuples.take() {
                    Some(tuples) => Given::Tuples(tuples),
                    None => Given::Items(items(current)),
                };
                tuples = Some(self.tuple_step(step, given, frame)?);
                current = Value::Undefined;
                continue;
            }
            current = if index == 0 && step.cons_array {
                self.evaluate(step, &current, frame)?
            } else {
                self.step(step, current, frame, index + 1 == steps.len())?
            };
            let is_empty = match &current {
                Value::Undefined => true,
                Value::Array(array) => array.len() == 0,
                _ => false,
            };
            if is_empty {
                break;
            }
        }
        self.finish(node, current, tuples, keep_singleton, frame)
    }

    /// The steps as long as each finds one value: most do, and need no array then. Says how many steps were done.
    fn single_steps(
        &mut self,
        steps: &'a [Node],
        mut value: Value<'a>,
        frame: &Frame<'a>,
    ) -> Result<(Reached<'a>, usize), Fault> {
        for (index, step) in steps.iter().enumerate() {
            if step.tuple || matches!(step.kind, Kind::Sort(_)) || (index == 0 && step.cons_array) {
                return Ok((Reached::One(value), index));
            }
            let is_last = index + 1 == steps.len();
            match self.found_by(step, &value, frame)? {
                Value::Undefined => return Ok((Reached::Many(Array::sequence(Vec::new())), index + 1)),
                Value::Array(array) if is_last && !array.sequence => {
                    return Ok((Reached::Many(array), index + 1));
                }
                Value::Array(array) if !array.cons => {
                    return Ok((Reached::Many(array.marked(true)), index + 1));
                }
                other => value = other,
            }
        }
        Ok((Reached::One(value), steps.len()))
    }

    /// What a step finds in one value, behind its filters.
    fn found_by(&mut self, step: &'a Node, item: &Value<'a>, frame: &Frame<'a>) -> Outcome<'a> {
        let mut value = self.evaluate(step, item, frame)?;
        for stage in &step.stages {
            if let Stage::Filter(filter) = stage {
                value = self.filter(filter, value, frame)?;
            }
        }
        Ok(value)
    }

    fn finish(
        &mut self,
        node: &'a Node,
        mut value: Value<'a>,
        tuples: Option<Vec<Tuple<'a>>>,
        keep_singleton: bool,
        frame: &Frame<'a>,
    ) -> Outcome<'a> {
        if let Some(tuples) = tuples {
            if node.tuple || node.group.is_some() {
                value = Value::Tuples(Rc::new(tuples));
            } else {
                value = Value::Array(Array::sequence(tuples.into_iter().map(|tuple| tuple.item).collect()));
            }
        }
        if keep_singleton && let Value::Array(array) = &mut value {
            if array.cons && !array.sequence {
                *array = Array::sequence(vec![Value::Array(array.clone())]);
            }
            array.keep = true;
        }
        match &node.group {
            Some(pairs) => self.group(pairs, value, frame),
            None => Ok(value),
        }
    }

    fn step(&mut self, step: &'a Node, input: Value<'a>, frame: &Frame<'a>, is_last: bool) -> Outcome<'a> {
        if let Kind::Sort(_) = step.kind {
            let sorted = self.sorted(step, input, frame)?;
            return self.stages(step, sorted, frame);
        }
        // A filtered array constructor gives what is no array: as in the reference implementation, no step finds anything in it.
        let Value::Array(input) = input else { return Ok(Value::Undefined) };
        let mut found = Vec::with_capacity(input.len().min(16));
        for item in input.iter() {
            let value = self.found_by(step, &item, frame)?;
            if !value.is_undefined() {
                found.push(value);
                self.allow_item(found.len())?;
            }
        }
        if found.len() == 1 {
            // What is found alone needs no copy.
            return Ok(match found.pop() {
                Some(Value::Array(array)) if is_last && !array.sequence => Value::Array(array),
                Some(Value::Array(array)) if !array.cons => Value::Array(array.marked(true)),
                Some(other) => Value::Array(Array::sequence(vec![other])),
                None => Value::Undefined,
            });
        }
        self.flattened(found).map(Value::Array)
    }

    /// One level of arrays becomes items, except those of an array constructor.
    fn flattened(&mut self, found: Vec<Value<'a>>) -> Result<Array<'a>, Fault> {
        let mut all = Vec::with_capacity(found.len());
        for value in found {
            match value {
                Value::Array(array) if !array.cons => {
                    self.allow_items(all.len() + array.len())?;
                    all.extend(array.iter());
                }
                other => all.push(other),
            }
        }
        Ok(Array::sequence(all))
    }

    fn stages(&mut self, step: &'a Node, mut value: Value<'a>, frame: &Frame<'a>) -> Outcome<'a> {
        for stage in &step.stages {
            value = match stage {
                Stage::Filter(filter) => self.filter(filter, value, frame)?,
                Stage::Index(name) => match value {
                    Value::Tuples(tuples) => {
                        let mut tuples = Rc::unwrap_or_clone(tuples);
                        for (index, tuple) in tuples.iter_mut().enumerate() {
                            set(&mut tuple.bindings, Key::Name(name), Value::number(index as f64));
                        }
                        Value::Tuples(Rc::new(tuples))
                    }
                    other => other,
                },
            };
        }
        Ok(value)
    }

    fn tuple_step(
        &mut self,
        step: &'a Node,
        given: Given<'a>,
        frame: &Frame<'a>,
    ) -> Result<Vec<Tuple<'a>>, Fault> {
        let found = if let Kind::Sort(_) = step.kind {
            match given {
                Given::Tuples(tuples) => self.sorted(step, Value::Tuples(Rc::new(tuples)), frame)?,
                Given::Items(items) => {
                    let sorted = self.sorted(step, Value::Array(Array::sequence(items)), frame)?;
                    let numbered = items_of(sorted).into_iter().enumerate().map(|(index, item)| {
                        let index =
                            step.index.as_ref().map(|name| (Key::Name(name), Value::number(index as f64)));
                        Tuple { item, bindings: index.into_iter().collect() }
                    });
                    Value::Tuples(Rc::new(numbered.collect()))
                }
            }
        } else {
            Value::Tuples(Rc::new(self.stepped(step, given, frame)?))
        };
        match self.stages(step, found, frame)? {
            Value::Tuples(tuples) => Ok(Rc::unwrap_or_clone(tuples)),
            _ => Ok(Vec::new()),
        }
    }

    fn stepped(
        &mut self,
        step: &'a Node,
        given: Given<'a>,
        frame: &Frame<'a>,
    ) -> Result<Vec<Tuple<'a>>, Fault> {
        let tuples = match given {
            Given::Tuples(tuples) => tuples,
            Given::Items(items) => {
                items.into_iter().map(|item| Tuple { item, bindings: Vec::new() }).collect()
            }
        };
        let mut found = Vec::new();
        for tuple in &tuples {
            let inner = Frame::of_tuple(tuple, frame);
            let value = self.evaluate(step, &tuple.item, &inner)?;
            if let Value::Tuples(more) = &value {
                for more in more.iter() {
                    let mut joined = Tuple { item: more.item.clone(), bindings: tuple.bindings.clone() };
                    for (key, value) in &more.bindings {
                        set(&mut joined.bindings, *key, value.clone());
                    }
                    found.push(joined);
                    self.allow_tuple(&found)?;
                }
                continue;
            }
            for (index, item) in items_of(value).into_iter().enumerate() {
                found.push(self.tuple(step, tuple, item, index));
                self.allow_tuple(&found)?;
            }
        }
        Ok(found)
    }

    fn allow_tuple(&mut self, found: &[Tuple<'a>]) -> Result<(), Fault> {
        let each = found.last().map_or(0, |tuple| tuple.bindings.len());
        self.spend(each)?;
        self.allow_item(found.len().saturating_mul(each + 2))
    }

    fn tuple(&self, step: &'a Node, from: &Tuple<'a>, item: Value<'a>, index: usize) -> Tuple<'a> {
        let mut tuple = from.clone();
        match &step.focus {
            Some(name) => set(&mut tuple.bindings, Key::Name(name), item),
            None => tuple.item = item,
        }
        if let Some(name) = &step.index {
            set(&mut tuple.bindings, Key::Name(name), Value::number(index as f64));
        }
        if let Some(slot) = step.ancestor {
            set(&mut tuple.bindings, Key::Parent(self.label(slot)), from.item.clone());
        }
        tuple
    }

    /// What remains behind `[…]`: an item by its number, or the items for which it is true.
    pub(super) fn filter(&mut self, filter: &'a Node, input: Value<'a>, frame: &Frame<'a>) -> Outcome<'a> {
        if let Value::Tuples(tuples) = input {
            let mut kept = Vec::new();
            for (index, tuple) in tuples.iter().enumerate() {
                let times = match &filter.kind {
                    Kind::Number(number) => usize::from(position(*number, tuples.len()) == Some(index)),
                    _ => {
                        let inner = Frame::of_tuple(tuple, frame);
                        self.times(filter, &tuple.item, index, tuples.len(), &inner)?
                    }
                };
                kept.extend(std::iter::repeat_n(tuple, times).cloned());
                self.allow_tuple(&kept)?;
            }
            return Ok(Value::Tuples(Rc::new(kept)));
        }
        let input = match input {
            Value::Array(array) => array,
            other => Array::sequence(vec![other]),
        };
        if let Kind::Number(number) = filter.kind {
            let item = position(number, input.len()).and_then(|index| input.get(index));
            return Ok(match item {
                None | Some(Value::Undefined) => Value::Array(Array::sequence(Vec::new())),
                Some(Value::Array(array)) => Value::Array(array),
                Some(other) => Value::Array(Array::sequence(vec![other])),
            });
        }
        let mut kept = Vec::new();
        for (index, item) in input.iter().enumerate() {
            let times = self.times(filter, &item, index, input.len(), frame)?;
            kept.extend(std::iter::repeat_n(item, times));
            self.allow_item(kept.len())?;
        }
        Ok(Value::Array(Array::sequence(kept)))
    }

    /// How often an item remains: numbers name items, and may name one more than once.
    fn times(
        &mut self,
        filter: &'a Node,
        item: &Value<'a>,
        index: usize,
        length: usize,
        frame: &Frame<'a>,
    ) -> Result<usize, Fault> {
        let value = self.evaluate(filter, item, frame)?;
        let named = |value: &Value<'a>| match value {
            Value::Number(number) => Some(position(number.float, length) == Some(index)),
            _ => None,
        };
        Ok(match &value {
            Value::Number(_) => usize::from(named(&value) == Some(true)),
            Value::Array(array) => {
                self.spend(array.len())?;
                let hits: Option<Vec<bool>> = array.iter().map(|value| named(&value)).collect();
                match hits {
                    Some(hits) => hits.into_iter().filter(|hit| *hit).count(),
                    None => usize::from(value.is_truthy()),
                }
            }
            other => usize::from(other.is_truthy()),
        })
    }

    /// A member of an object, or of each object in an array.
    pub(super) fn lookup(&mut self, input: &Value<'a>, name: &str) -> Outcome<'a> {
        match input {
            Value::Object(object) => Ok(object.get(name).unwrap_or(Value::Undefined)),
            Value::Array(array) => {
                let mut all = Vec::new();
                self.collect(array, name, &mut all)?;
                Ok(Value::Array(Array::sequence(all)))
            }
            _ => Ok(Value::Undefined),
        }
    }

    fn collect(&mut self, array: &Array<'a>, name: &str, all: &mut Vec<Value<'a>>) -> Result<(), Fault> {
        for item in array.iter() {
            self.allow_item(all.len())?;
            match &item {
                Value::Array(inner) => self.within(|evaluator| evaluator.collect(inner, name, all))?,
                Value::Object(object) => match object.get(name) {
                    Some(Value::Array(more)) => {
                        self.allow_items(all.len() + more.len())?;
                        all.extend(more.iter());
                    }
                    Some(Value::Undefined) | None => {}
                    Some(value) => all.push(value),
                },
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn wildcard(&mut self, input: &Value<'a>) -> Outcome<'a> {
        let mut all = Vec::new();
        let values: Vec<Value<'a>> = match input {
            Value::Object(object) => object.iter().map(|(_, value)| value).collect(),
            Value::Array(array) if array.outer => match array.get(0) {
                Some(first) => return self.wildcard(&first),
                None => Vec::new(),
            },
            Value::Array(array) => array.iter().collect(),
            _ => Vec::new(),
        };
        for value in values {
            match value {
                Value::Array(array) => self.leaves(&array, &mut all)?,
                other => all.push(other),
            }
            self.allow_item(all.len())?;
        }
        Ok(Value::Array(Array::sequence(all)))
    }

    fn leaves(&mut self, array: &Array<'a>, all: &mut Vec<Value<'a>>) -> Result<(), Fault> {
        for item in array.iter() {
            self.allow_item(all.len())?;
            match item {
                Value::Array(inner) => self.within(|evaluator| evaluator.leaves(&inner, all))?,
                other => all.push(other),
            }
        }
        Ok(())
    }

    pub(super) fn descendants(&mut self, input: &Value<'a>) -> Outcome<'a> {
        let mut all = Vec::new();
        if !input.is_undefined() {
            self.descend(input, &mut all)?;
        }
        Ok(Value::Array(Array::sequence(all)))
    }

    fn descend(&mut self, value: &Value<'a>, all: &mut Vec<Value<'a>>) -> Result<(), Fault> {
        self.allow_item(all.len())?;
        match value {
            Value::Array(array) => {
                for item in array.iter() {
                    self.within(|evaluator| evaluator.descend(&item, all))?;
                }
                Ok(())
            }
            Value::Object(object) => {
                all.push(value.clone());
                self.descend_members(object, all)
            }
            other => {
                all.push(other.clone());
                Ok(())
            }
        }
    }

    fn descend_members(&mut self, object: &Object<'a>, all: &mut Vec<Value<'a>>) -> Result<(), Fault> {
        for (_, value) in object.iter() {
            self.within(|evaluator| evaluator.descend(&value, all))?;
        }
        Ok(())
    }
}

/// What steps come to.
enum Reached<'a> {
    One(Value<'a>),
    Many(Array<'a>),
}

/// What a step that binds variables starts from.
enum Given<'a> {
    Items(Vec<Value<'a>>),
    Tuples(Vec<Tuple<'a>>),
}

fn items(value: Value<'_>) -> Vec<Value<'_>> {
    match value {
        Value::Array(array) => array.into_items(),
        other => vec![other],
    }
}

/// The same, where nothing is no item.
fn items_of(value: Value<'_>) -> Vec<Value<'_>> {
    if value.is_undefined() { Vec::new() } else { items(value) }
}

pub(super) fn set<'a>(bindings: &mut Vec<(Key<'a>, Value<'a>)>, key: Key<'a>, value: Value<'a>) {
    match bindings.iter_mut().find(|(known, _)| *known == key) {
        Some((_, known)) => *known = value,
        None => bindings.push((key, value)),
    }
}

/// The index that a number names; negative ones count from the end.
fn position(number: f64, length: usize) -> Option<usize> {
    let index = number.floor();
    let index = if index < 0.0 { index + length as f64 } else { index };
    (index >= 0.0 && index < length as f64).then_some(index as usize)
}
