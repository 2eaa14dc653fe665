//! Values while an expression is evaluated: JSON where it lies, what was made of it, and functions.

use super::apply::Function;
use super::{copy, number};
use indexmap::IndexMap;
use serde_json::Value as Json;
use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::rc::Rc;

/// `'a` is how long the expression and the documents it reads live.
#[derive(Clone)]
pub(super) enum Value<'a> {
    /// Nothing: what a path yields that finds nothing.
    Undefined,
    Null,
    Bool(bool),
    Number(Number<'a>),
    Text(Text<'a>),
    Array(Array<'a>),
    Object(Object<'a>),
    Function(Rc<Function<'a>>),
    /// Values with the variables that belong to them, inside a path.
    Tuples(Rc<Vec<Tuple<'a>>>),
}

/// A number, and what it was in the document, so that one that nobody calculates with stays exact.
#[derive(Clone, Copy)]
pub(super) struct Number<'a> {
    pub(super) float: f64,
    source: Option<&'a serde_json::Number>,
}

#[derive(Clone)]
pub(super) enum Text<'a> {
    Borrowed(&'a str),
    Made(Rc<str>),
}

/// Items, and what a path has to know of them.
#[derive(Clone)]
pub(super) struct Array<'a> {
    items: Items<'a>,
    /// Made by a path: one item stands for itself, and none for nothing.
    pub(super) sequence: bool,
    /// One item stays an array all the same.
    pub(super) keep: bool,
    /// Made by an array constructor at an end of a path: not flattened.
    pub(super) cons: bool,
    /// Around an array that is the input as a whole: a path starts from it as from one value.
    pub(super) outer: bool,
}

#[derive(Clone)]
enum Items<'a> {
    Json(&'a [Json]),
    Made(Rc<List<'a>>),
}

#[derive(Clone)]
pub(super) enum Object<'a> {
    Json(&'a serde_json::Map<String, Json>),
    Made(Rc<Members<'a>>),
}

pub(super) type Map<'a> = IndexMap<Text<'a>, Value<'a>>;

pub(super) struct List<'a> {
    items: Vec<Value<'a>>,
    depth: usize,
    holds_function: bool,
}

pub(super) struct Members<'a> {
    map: Map<'a>,
    depth: usize,
    holds_function: bool,
}

/// A value of a path, and the variables that its steps bound.
#[derive(Clone)]
pub(super) struct Tuple<'a> {
    pub(super) item: Value<'a>,
    pub(super) bindings: Vec<(Key<'a>, Value<'a>)>,
}

/// What a variable is found by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Key<'a> {
    Name(&'a str),
    /// A `%`.
    Parent(usize),
}

impl<'a> Value<'a> {
    pub(super) fn of_json(json: &'a Json) -> Value<'a> {
        match json {
            Json::Null => Value::Null,
            Json::Bool(truth) => Value::Bool(*truth),
            Json::Number(number) => Value::Number(Number::of_json(number)),
            Json::String(text) => Value::Text(Text::Borrowed(text)),
            Json::Array(items) => Value::Array(Array::of_items(Items::Json(items))),
            Json::Object(members) => Value::Object(Object::Json(members)),
        }
    }

    pub(super) fn number(float: f64) -> Value<'a> {
        Value::Number(Number { float, source: None })
    }

    pub(super) fn text(text: impl Into<Rc<str>>) -> Value<'a> {
        Value::Text(Text::Made(text.into()))
    }

    pub(super) fn is_undefined(&self) -> bool {
        matches!(self, Value::Undefined)
    }

    /// How deep what was made here nests; documents do not count.
    pub(super) fn depth(&self) -> usize {
        match self {
            Value::Array(Array { items: Items::Made(list), .. }) => list.depth,
            Value::Object(Object::Made(members)) => members.depth,
            _ => 0,
        }
    }

    /// Whether it is a function or has one in it.
    pub(super) fn holds_function(&self) -> bool {
        match self {
            Value::Array(Array { items: Items::Made(list), .. }) => list.holds_function,
            Value::Object(Object::Made(members)) => members.holds_function,
            Value::Function(_) => true,
            _ => false,
        }
    }

    fn is_compound(&self) -> bool {
        matches!(self, Value::Array(_) | Value::Object(_) | Value::Function(_) | Value::Tuples(_))
    }

    /// Does this count as true? Nothing counts as false.
    pub(super) fn is_truthy(&self) -> bool {
        match self {
            Value::Bool(truth) => *truth,
            Value::Number(number) => number.float != 0.0 && !number.float.is_nan(),
            Value::Text(text) => !text.is_empty(),
            Value::Array(array) => array.holds_truth(),
            Value::Object(object) => object.len() > 0,
            Value::Undefined | Value::Null | Value::Function(_) | Value::Tuples(_) => false,
        }
    }

    /// As a result: JSON. Nothing in an array becomes `null`; a member without value is left out. Infinities are words,
    /// as on Step Functions.
    ///
    /// # Errors
    /// There is a function in it.
    pub(super) fn to_json(&self) -> Result<Option<Json>, HoldsFunction> {
        // Before anything is built that would have to be taken down again.
        if self.holds_function() {
            return Err(HoldsFunction);
        }
        Ok(Some(match self {
            Value::Undefined => return Ok(None),
            Value::Null => Json::Null,
            Value::Bool(truth) => Json::Bool(*truth),
            Value::Number(number) => number.to_json(),
            Value::Text(text) => Json::String(text.to_string()),
            Value::Array(Array { items: Items::Json(items), .. }) => copy::array(items),
            Value::Object(Object::Json(members)) => copy::object(members),
            Value::Array(array) => {
                let mut items = Vec::with_capacity(array.len());
                for item in array.iter() {
                    items.push(item.to_json()?.unwrap_or(Json::Null));
                }
                Json::Array(items)
            }
            Value::Object(object) => {
                let mut members = serde_json::Map::with_capacity(object.len());
                for (key, value) in object.iter() {
                    if let Some(value) = value.to_json()? {
                        members.insert(key.to_string(), value);
                    }
                }
                Json::Object(members)
            }
            Value::Function(_) | Value::Tuples(_) => return Err(HoldsFunction),
        }))
    }
}

/// A result that is no JSON.
#[derive(Debug, PartialEq)]
pub(super) struct HoldsFunction;

impl<'a> Number<'a> {
    fn of_json(source: &'a serde_json::Number) -> Number<'a> {
        let float = source.as_f64().or_else(|| source.as_str().parse().ok()).unwrap_or(f64::NAN);
        Number { float, source: Some(source) }
    }

    fn to_json(self) -> Json {
        match (self.source, number::json(self.float)) {
            (Some(source), _) => Json::Number(source.clone()),
            (None, Some(number)) => Json::Number(number),
            (None, None) => Json::String(number::text(self.float)),
        }
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Text::Borrowed(text) => text,
            Text::Made(text) => text,
        }
    }
}

impl Borrow<str> for Text<'_> {
    fn borrow(&self) -> &str {
        self
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text<'_> {}

impl Hash for Text<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl<'a> Array<'a> {
    fn of_items(items: Items<'a>) -> Array<'a> {
        Array { items, sequence: false, keep: false, cons: false, outer: false }
    }

    pub(super) fn new(items: Vec<Value<'a>>) -> Array<'a> {
        let depth = 1 + items.iter().map(Value::depth).max().unwrap_or(0);
        let holds_function = items.iter().any(Value::holds_function);
        Array::of_items(Items::Made(Rc::new(List { items, depth, holds_function })))
    }

    pub(super) fn sequence(items: Vec<Value<'a>>) -> Array<'a> {
        Array { sequence: true, ..Array::new(items) }
    }

    /// The same items, a sequence or not, and nothing else.
    pub(super) fn marked(self, sequence: bool) -> Array<'a> {
        Array { sequence, ..Array::of_items(self.items) }
    }

    pub(super) fn outer(input: Value<'a>) -> Array<'a> {
        Array { outer: true, ..Array::sequence(vec![input]) }
    }

    pub(super) fn len(&self) -> usize {
        match &self.items {
            Items::Json(items) => items.len(),
            Items::Made(list) => list.items.len(),
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<Value<'a>> {
        match &self.items {
            Items::Json(items) => items.get(index).map(Value::of_json),
            Items::Made(list) => list.items.get(index).cloned(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Value<'a>> + '_ {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// The items, without a copy where nobody else has them.
    pub(super) fn into_items(self) -> Vec<Value<'a>> {
        match self.items {
            Items::Json(items) => items.iter().map(Value::of_json).collect(),
            Items::Made(mut list) => match Rc::get_mut(&mut list) {
                Some(list) => std::mem::take(&mut list.items),
                None => list.items.clone(),
            },
        }
    }

    /// The same with more items behind it.
    pub(super) fn extended(self, more: impl IntoIterator<Item = Value<'a>>) -> Array<'a> {
        let (sequence, keep, cons) = (self.sequence, self.keep, self.cons);
        let mut items = self.into_items();
        items.extend(more);
        Array { sequence, keep, cons, ..Array::new(items) }
    }

    /// Whether an item counts as true, in it or in an array in it, however deep.
    fn holds_truth(&self) -> bool {
        let mut arrays = vec![self.clone()];
        while let Some(array) = arrays.pop() {
            for item in array.iter() {
                match item {
                    Value::Array(inner) => arrays.push(inner),
                    other if other.is_truthy() => return true,
                    _ => {}
                }
            }
        }
        false
    }

    pub(super) fn identity(&self) -> *const () {
        match &self.items {
            Items::Json(items) => items.as_ptr().cast(),
            Items::Made(list) => Rc::as_ptr(list).cast(),
        }
    }
}

impl<'a> Object<'a> {
    pub(super) fn new(map: Map<'a>) -> Object<'a> {
        let depth = 1 + map.values().map(Value::depth).max().unwrap_or(0);
        let holds_function = map.values().any(Value::holds_function);
        Object::Made(Rc::new(Members { map, depth, holds_function }))
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Object::Json(members) => members.len(),
            Object::Made(members) => members.map.len(),
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<Value<'a>> {
        match self {
            Object::Json(members) => members.get(key).map(Value::of_json),
            Object::Made(members) => members.map.get(key).cloned(),
        }
    }

    pub(super) fn iter(&self) -> Box<dyn Iterator<Item = (Text<'a>, Value<'a>)> + '_> {
        match self {
            Object::Json(members) => {
                let members: &'a serde_json::Map<String, Json> = members;
                Box::new(members.iter().map(|(key, value)| (Text::Borrowed(key), Value::of_json(value))))
            }
            Object::Made(members) => {
                Box::new(members.map.iter().map(|(key, value)| (key.clone(), value.clone())))
            }
        }
    }

    /// Where it lies: the same for the same object only.
    pub(super) fn identity(&self) -> *const () {
        match self {
            Object::Json(members) => std::ptr::from_ref(*members).cast(),
            Object::Made(members) => Rc::as_ptr(members).cast(),
        }
    }
}

impl Drop for List<'_> {
    fn drop(&mut self) {
        if self.depth > 1 || self.items.iter().any(Value::is_compound) {
            bury(std::mem::take(&mut self.items));
        }
    }
}

impl Drop for Members<'_> {
    fn drop(&mut self) {
        if self.map.values().any(Value::is_compound) {
            bury(std::mem::take(&mut self.map).into_values().collect());
        }
    }
}

/// Drops values level by level: the compiler's own drop would recurse as deep as they nest.
pub(super) fn bury(mut values: Vec<Value<'_>>) {
    while let Some(value) = values.pop() {
        match value {
            Value::Array(Array { items: Items::Made(mut list), .. }) => {
                if let Some(list) = Rc::get_mut(&mut list) {
                    values.append(&mut list.items);
                }
            }
            Value::Object(Object::Made(mut members)) => {
                if let Some(members) = Rc::get_mut(&mut members) {
                    values.extend(std::mem::take(&mut members.map).into_values());
                }
            }
            Value::Function(mut function) => {
                if let Some(function) = Rc::get_mut(&mut function) {
                    function.empty_into(&mut values);
                }
            }
            _ => {}
        }
    }
}
