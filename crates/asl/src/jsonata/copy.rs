//! Copies of parts of documents, which may nest deeper than a small stack holds: level by level, without recursion.

use serde_json::{Map, Value, map};
use std::slice;

/// A container that is being copied.
enum Open<'d> {
    Array(slice::Iter<'d, Value>, Vec<Value>),
    /// With the key of the member that is being copied.
    Object(map::Iter<'d>, Map<String, Value>, String),
}

pub(super) fn array(items: &[Value]) -> Value {
    fill(Open::Array(items.iter(), Vec::with_capacity(items.len())))
}

pub(super) fn object(members: &Map<String, Value>) -> Value {
    fill(Open::Object(members.iter(), Map::with_capacity(members.len()), String::new()))
}

fn fill(outermost: Open<'_>) -> Value {
    let mut around = Vec::new();
    let mut open = outermost;
    loop {
        let next = match &mut open {
            Open::Array(items, _) => items.next(),
            Open::Object(members, _, key) => members.next().map(|(name, value)| {
                key.clone_from(name);
                value
            }),
        };
        match next {
            Some(Value::Array(items)) => {
                let inner = Open::Array(items.iter(), Vec::with_capacity(items.len()));
                around.push(std::mem::replace(&mut open, inner));
            }
            Some(Value::Object(members)) => {
                let inner = Open::Object(members.iter(), Map::with_capacity(members.len()), String::new());
                around.push(std::mem::replace(&mut open, inner));
            }
            Some(scalar) => open.add(scalar.clone()),
            None => {
                let Some(outer) = around.pop() else { return open.into_value() };
                let full = std::mem::replace(&mut open, outer).into_value();
                open.add(full);
            }
        }
    }
}

impl Open<'_> {
    fn add(&mut self, value: Value) {
        match self {
            Open::Array(_, items) => items.push(value),
            Open::Object(_, members, key) => {
                members.insert(std::mem::take(key), value);
            }
        }
    }

    fn into_value(self) -> Value {
        match self {
            Open::Array(_, items) => Value::Array(items),
            Open::Object(_, members, _) => Value::Object(members),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    #[test]
    fn copies_are_the_same() {
        let value = json!([1, [], {}, {"a": [{"b": null}, "c"], "d": {"e": [[2], 3]}}, [[]]]);
        assert_eq!(super::array(value.as_array().unwrap()), value);
        let value = json!({"z": {"y": [1]}, "a": 2.5});
        assert_eq!(super::object(value.as_object().unwrap()), value);
        assert_eq!(super::object(value.as_object().unwrap()).to_string(), value.to_string());
    }

    #[test]
    fn depth_takes_no_stack() {
        let mut deep = Value::Null;
        for _ in 0..1_000 {
            deep = Value::Array(vec![deep]);
        }
        let copied = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(64 << 10);
            thread.spawn_scoped(scope, || super::array(deep.as_array().unwrap())).unwrap().join().unwrap()
        });
        assert_eq!(copied, deep);
    }
}
