//! Functions that call functions.

use super::{Arguments, Evaluator, Fault, Outcome};
use crate::jsonata::apply::Function;
use crate::jsonata::value::{Array, Map, Object, Value};
use std::rc::Rc;

impl<'a> Evaluator<'a, '_> {
    /// Passes as many arguments as the function has names for.
    fn call_with(
        &mut self,
        function: &Rc<Function<'a>>,
        value: Value<'a>,
        place: impl FnOnce() -> Value<'a>,
        whole: impl FnOnce() -> Value<'a>,
    ) -> Outcome<'a> {
        let arity = function.arity();
        let mut arguments = vec![value];
        if arity >= 2 {
            arguments.push(place());
        }
        if arity >= 3 {
            arguments.push(whole());
        }
        self.apply(function, arguments, &Value::Null)
    }

    fn call_for_item(
        &mut self,
        function: &Rc<Function<'a>>,
        array: &Array<'a>,
        item: Value<'a>,
        index: usize,
    ) -> Outcome<'a> {
        self.call_with(function, item, || Value::number(index as f64), || Value::Array(array.clone()))
    }
}

type Sources<'a> = Option<(Array<'a>, Rc<Function<'a>>)>;

fn array_and_function<'a>(arguments: &mut Arguments<'a>) -> Result<Sources<'a>, Fault> {
    Ok(arguments.array(0)?.zip(arguments.function(1)?))
}

pub(super) fn map<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let Some((array, function)) = array_and_function(&mut arguments)? else { return Ok(Value::Undefined) };
    let mut results = Vec::new();
    for (index, item) in array.iter().enumerate() {
        let result = evaluator.call_for_item(&function, &array, item, index)?;
        if !result.is_undefined() {
            results.push(result);
            evaluator.allow_item(results.len())?;
        }
    }
    Ok(Value::Array(Array::sequence(results)))
}

pub(super) fn filter<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let Some((array, function)) = array_and_function(&mut arguments)? else { return Ok(Value::Undefined) };
    let mut kept = Vec::new();
    for (index, item) in array.iter().enumerate() {
        if evaluator.call_for_item(&function, &array, item.clone(), index)?.is_truthy() {
            kept.push(item);
            evaluator.allow_item(kept.len())?;
        }
    }
    Ok(Value::Array(Array::sequence(kept)))
}

pub(super) fn single<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let Some(array) = arguments.array(0)? else { return Ok(Value::Undefined) };
    let function = arguments.function(1)?;
    let mut only = None;
    for (index, item) in array.iter().enumerate() {
        let matches = match &function {
            Some(function) => evaluator.call_for_item(function, &array, item.clone(), index)?.is_truthy(),
            None => true,
        };
        if matches && only.replace(item).is_some() {
            return Err(Fault::new("D3138"));
        }
    }
    only.ok_or_else(|| Fault::new("D3139"))
}

pub(super) fn reduce<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let Some((array, function)) = array_and_function(&mut arguments)? else { return Ok(Value::Undefined) };
    let arity = function.arity();
    if arity < 2 {
        return Err(Fault::new("D3050").at_argument(1));
    }
    let mut items = array.iter().enumerate();
    let mut result = match arguments.take(2) {
        Value::Undefined => items.next().map_or(Value::Undefined, |(_, first)| first),
        start => start,
    };
    for (index, item) in items {
        let mut arguments = vec![result, item];
        if arity >= 3 {
            arguments.push(Value::number(index as f64));
        }
        if arity >= 4 {
            arguments.push(Value::Array(array.clone()));
        }
        result = evaluator.apply(&function, arguments, &Value::Null)?;
    }
    Ok(result)
}

pub(super) fn each<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let sources = arguments.object(0)?.zip(arguments.function(1)?);
    let Some((object, function)) = sources else { return Ok(Value::Undefined) };
    let mut results = Vec::new();
    for (key, value) in object.iter() {
        let whole = || Value::Object(object.clone());
        let result = evaluator.call_with(&function, value, || Value::Text(key), whole)?;
        if !result.is_undefined() {
            results.push(result);
            evaluator.allow_item(results.len())?;
        }
    }
    Ok(Value::Array(Array::sequence(results)))
}

pub(super) fn sift<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let sources = arguments.object(0)?.zip(arguments.function(1)?);
    let Some((object, function)) = sources else { return Ok(Value::Undefined) };
    let mut kept = Map::new();
    for (key, value) in object.iter() {
        let whole = || Value::Object(object.clone());
        let place = || Value::Text(key.clone());
        if evaluator.call_with(&function, value.clone(), place, whole)?.is_truthy() {
            kept.insert(key, value);
            evaluator.allow_item(kept.len())?;
        }
    }
    Ok(if kept.is_empty() { Value::Undefined } else { Value::Object(Object::new(kept)) })
}
