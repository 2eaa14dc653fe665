//! A JSON Schema of the language, for editors that complete and check a definition while it is written.
//!
//! What the schema says is in its tables, one line for each field. It covers the language, not what of it is supported:
//! the parser says that, and what no schema can, such as that a state exists.

mod table;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};
use table::{Field, JSONPATH_ONLY, OBJECTS, Object, Rule, STATE_TYPES, Takes};

/// The schema: draft-07, which the editors know best.
pub fn schema() -> Value {
    let mut definitions = Map::new();
    definitions.insert("state".to_owned(), state());
    for object in OBJECTS {
        definitions.insert(object.name.to_owned(), object_schema(object));
    }
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Amazon States Language",
        "$ref": "#/definitions/stateMachine",
        "definitions": definitions,
    })
}

/// Of any type. By the type it is one of the others, so that an editor speaks of that one alone.
fn state() -> Value {
    let by_type = |name: &&str| {
        json!({
            "if": { "properties": { "Type": { "const": name } }, "required": ["Type"] },
            "then": reference(name),
        })
    };
    let refused: Map<String, Value> =
        JSONPATH_ONLY.iter().map(|name| ((*name).to_owned(), json!(false))).collect();
    let in_jsonata = json!({
        "if": { "properties": { "QueryLanguage": { "const": "JSONata" } }, "required": ["QueryLanguage"] },
        "then": { "properties": refused },
    });
    let cases: Vec<Value> = STATE_TYPES.iter().map(by_type).chain([in_jsonata]).collect();
    json!({
        "description": "A state.",
        "type": "object",
        "required": ["Type"],
        "properties": { "Type": { "enum": STATE_TYPES, "description": "What kind of state this is." } },
        "allOf": cases,
    })
}

fn object_schema(object: &Object) -> Value {
    let fields = object.fields.iter().copied().flatten();
    let properties: Map<String, Value> =
        fields.map(|field| (field.0.to_owned(), field_schema(field))).collect();
    let mut needed = Vec::new();
    let mut rules = Vec::new();
    for rule in object.rules {
        match rule {
            Rule::Needs(name) => needed.push(*name),
            Rule::ExactlyOne(names) => rules.push(exactly_one(names.iter().copied())),
            Rule::AtMostOne(names) => {
                let pairs = names.iter().enumerate().flat_map(|(at, first)| {
                    names[at + 1..]
                        .iter()
                        .map(move |second| json!({ "not": { "required": [first, second] } }))
                });
                rules.extend(pairs);
            }
            Rule::With(name, fields) => rules.push(json!({
                "if": { "required": [name] },
                "then": exactly_one(fields.iter().map(|field| field.0)),
            })),
        }
    }
    let mut schema = json!({
        "description": object.about,
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !needed.is_empty() {
        schema["required"] = json!(needed);
    }
    if !rules.is_empty() {
        schema["allOf"] = json!(rules);
    }
    schema
}

fn exactly_one(names: impl Iterator<Item = &'static str>) -> Value {
    json!({ "oneOf": names.map(|name| json!({ "required": [name] })).collect::<Vec<_>>() })
}

fn field_schema(&(_, takes, about): &Field) -> Value {
    let mut schema = takes_schema(takes);
    // Beside `$ref`, draft-07 reads nothing.
    if schema.get("$ref").is_some() {
        schema = json!({ "allOf": [schema] });
    }
    schema["description"] = json!(about);
    schema
}

fn takes_schema(takes: Takes) -> Value {
    let or_expression = |schema: Value| json!({ "anyOf": [schema, expression()] });
    match takes {
        Takes::Anything => json!({}),
        Takes::Object => json!({ "type": "object" }),
        Takes::Text => json!({ "type": "string" }),
        Takes::Flag => json!({ "type": "boolean" }),
        Takes::Whole(least, most) => whole(least, most),
        Takes::WholeOrExpression(least, most) => or_expression(whole(least, most)),
        Takes::Number(least) if least.is_finite() => json!({ "type": "number", "minimum": least }),
        Takes::Number(_) => json!({ "type": "number" }),
        Takes::Path => path(),
        Takes::PathOrNull => json!({ "anyOf": [path(), { "type": "null" }] }),
        Takes::PathOrCall => json!({ "type": "string", "pattern": r"^(\$|States\.)" }),
        Takes::FlagOrExpression => or_expression(json!({ "type": "boolean" })),
        Takes::ListOrExpression => or_expression(json!({ "type": "array" })),
        Takes::ObjectOrExpression => or_expression(json!({ "type": "object" })),
        Takes::Timestamp => timestamp(),
        Takes::TimestampOrExpression => or_expression(timestamp()),
        Takes::OneOf(values) => json!({ "enum": values }),
        Takes::Texts => json!({ "type": "array", "items": { "type": "string" }, "minItems": 1 }),
        Takes::A(name) => reference(name),
        Takes::ListOf(name) => {
            json!({ "type": "array", "items": reference(name), "minItems": least_of(name) })
        }
        // The characters that the parser refuses, too.
        Takes::Label => json!({
            "type": "string",
            "pattern": r#"^[^\s\u0000-\u001f\u007f-\u009f?*<>{}\[\]:;,\\|^~$#%&`"]{1,40}$"#,
        }),
        Takes::States => json!({
            "type": "object",
            "minProperties": 1,
            "propertyNames": { "maxLength": 80 },
            "additionalProperties": reference("state"),
        }),
    }
}

/// A list without retriers or catchers has no effect; one without branches, rules or conditions is wrong.
fn least_of(name: &str) -> u32 {
    u32::from(!["retrier", "catcher"].contains(&name))
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{name}") })
}

fn whole(least: u32, most: u32) -> Value {
    json!({ "type": "integer", "minimum": least, "maximum": most })
}

fn path() -> Value {
    json!({ "type": "string", "pattern": r"^\$" })
}

fn expression() -> Value {
    json!({ "type": "string", "pattern": r"^\{%[\s\S]*%\}$" })
}

fn timestamp() -> Value {
    json!({ "type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$" })
}
