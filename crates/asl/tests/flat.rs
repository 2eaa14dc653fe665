//! Paths, templates and `ResultPath` on flat payloads give what the same does to decoded values.

use faastlane_asl::path::{Path, ReferencePath, Scope, Selected};
use faastlane_asl::random::SplitMix64;
use faastlane_asl::template::{EvaluationError, Template};
use faastlane_payload::Payload;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

struct Documents {
    input: Payload,
    context: Payload,
}

impl Scope for Documents {
    fn input(&self) -> &Payload {
        &self.input
    }
    fn context(&self) -> &Payload {
        &self.context
    }
    fn variable(&self, name: &str) -> Option<&Payload> {
        unreachable!("no path here starts at ${name}")
    }
}

/// Of few names, so that paths find something.
fn documents() -> impl Strategy<Value = Value> {
    let leaves = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter_map("finite", |float| serde_json::Number::from_f64(float).map(Value::Number)),
        Just(serde_json::from_str("123456789012345678901234567890").unwrap()),
        "[a-c\u{e9}]{0,3}".prop_map(Value::String),
    ];
    leaves.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::vec(("[a-c\u{e9}]", inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn paths() -> impl Strategy<Value = String> {
    let segments = prop::sample::select(vec![".a", ".b", ".c", ".\u{e9}", "[0]", "[1]", "[2]"]);
    let other = prop::sample::select(vec![
        "",
        "",
        "",
        "",
        "",
        "",
        "[-1]",
        "[-2]",
        "['a','b']",
        "[0,1]",
        "[1:]",
        "[*]",
        ".*",
        "..a",
        ".length()",
        "[?(@.a)]",
        "[?(@ == $.a)]",
    ]);
    (prop::sample::select(vec!["$", "$", "$$"]), prop::collection::vec(segments, 0..4), other)
        .prop_map(|(root, segments, other)| format!("{root}{}{other}", segments.concat()))
}

fn reference_paths() -> impl Strategy<Value = String> {
    let segments = prop::sample::select(vec![".a", ".b", ".\u{e9}", ".new", "[0]", "[1]"]);
    prop::collection::vec(segments, 0..5).prop_map(|segments| format!("${}", segments.concat()))
}

fn templates() -> impl Strategy<Value = Value> {
    let leaves = prop_oneof![documents(), paths().prop_map(|path| json!({ "found.$": path }))];
    leaves.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec(("[a-c]", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// What a template means, on decoded values. `Err` is the path that finds nothing.
fn filled(template: &Value, input: &Value, context: &Value) -> Result<Value, String> {
    Ok(match template {
        Value::Object(members) => {
            let mut object = Map::new();
            for (key, value) in members {
                match key.strip_suffix(".$") {
                    Some(name) => {
                        let path = Path::parse(value.as_str().unwrap()).unwrap();
                        let document = if path.reads_context() { context } else { input };
                        let found = path.find_in_value(document).unwrap().into_value().map(Cow::into_owned);
                        object.insert(name.to_owned(), found.ok_or_else(|| path.as_str().to_owned())?);
                    }
                    None => drop(object.insert(key.clone(), filled(value, input, context)?)),
                }
            }
            Value::Object(object)
        }
        Value::Array(elements) => {
            let values = elements.iter().map(|value| filled(value, input, context));
            Value::Array(values.collect::<Result<_, _>>()?)
        }
        scalar => scalar.clone(),
    })
}

/// Puts `new` where the segments of a reference path lead; `None` where they do not fit.
fn placed(at: Option<&Value>, segments: &[&str], new: &Value) -> Option<Value> {
    let [segment, rest @ ..] = segments else { return Some(new.clone()) };
    let mut whole = at.cloned().unwrap_or_else(|| json!({}));
    match segment.strip_suffix(']') {
        Some(index) => {
            at?;
            let element = whole.as_array_mut()?.get_mut(index.parse::<usize>().unwrap())?;
            *element = placed(Some(element), rest, new)?;
        }
        None => {
            let object = whole.as_object_mut()?;
            let inner = placed(object.get(*segment), rest, new)?;
            object.insert((*segment).to_owned(), inner);
        }
    }
    Some(whole)
}

/// As a domain hands it over.
fn arrived(value: &Value) -> Payload {
    Payload::from_flat(Box::new(Payload::from_value(value.clone()).flat().to_vec()))
}

/// The payload of a value, member by member: splicing must leave sound bytes, not only bytes that decode equally.
fn assert_sound(payload: &Payload, expected: &Value) {
    let again = Payload::from_flat(Box::new(payload.flat().to_vec()));
    assert_eq!(again.value(), Ok(expected));
    assert_eq!(payload.flat(), Payload::from_value(expected.clone()).flat());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn paths_select_the_same(document in documents(), path in paths()) {
        let parsed = Path::parse(&path).unwrap();
        let payload = arrived(&document);
        let selected = parsed.find_in(&payload).unwrap().map(Selected::into_value);
        prop_assert_eq!(selected, parsed.find_in_value(&document).unwrap().into_value().map(Cow::into_owned));
    }

    #[test]
    fn templates_are_filled_in_the_same(input in documents(), context in documents(), template in templates()) {
        let scope = Documents { input: arrived(&input), context: arrived(&context) };
        let made = Template::parse(&template).unwrap().evaluate(&scope, &mut SplitMix64::new(0));
        match (made, filled(&template, &input, &context)) {
            (Ok(payload), Ok(expected)) => assert_sound(&payload, &expected),
            (Err(EvaluationError::Missing { path, .. }), Err(expected)) => prop_assert_eq!(path, expected),
            (made, expected) => prop_assert!(false, "{:?} instead of {:?}", made, expected),
        }
    }

    #[test]
    fn results_are_placed_the_same(document in documents(), result in documents(), path in reference_paths()) {
        let reference = ReferencePath::parse(&path).unwrap();
        let (document, result) = (json!({ "a": document, "b": [1, {}] }), arrived(&result));
        let split = path.replace('[', ".");
        let segments: Vec<&str> = split.split('.').skip(1).collect();
        let payload = arrived(&document);
        let made = reference.place(&payload, result.view().unwrap().into());
        match (made, placed(Some(&document), &segments, result.value().unwrap())) {
            (Ok(draft), Some(expected)) => assert_sound(&Payload::from_draft(&draft), &expected),
            (Err(_), None) => {}
            (made, expected) => prop_assert!(false, "{:?} instead of {:?}", made, expected),
        }
    }
}

#[test]
fn of_duplicate_keys_one_is_left_where_a_result_is_placed() {
    let mut bytes = arrived(&json!({ "a": 1, "b": [], "x": {} })).flat().to_vec();
    let last = bytes.iter().rposition(|byte| *byte == b'x').unwrap();
    bytes[last] = b'a';
    let payload = Payload::from_flat(Box::new(bytes));
    let found = Path::parse("$.a").unwrap().find_in(&payload).unwrap().map(Selected::into_value);
    assert_eq!(found, Some(json!({})), "the last one counts");
    let path = ReferencePath::parse("$.a.new").unwrap();
    let after = Payload::from_draft(&path.place(&payload, json!(2).into()).unwrap());
    assert_sound(&after, &json!({ "a": { "new": 2 }, "b": [] }));
}

#[test]
fn what_would_be_too_deep_is_refused() {
    let path = format!("${}", ".a".repeat(100_000));
    let document = Payload::from_value(json!({}));
    let error = ReferencePath::parse(&path).unwrap().place(&document, json!(1).into()).unwrap_err();
    assert!(error.to_string().contains("deeper than 1000 levels"), "{error}");
}
