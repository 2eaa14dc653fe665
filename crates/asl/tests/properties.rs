//! What holds for any text: no panic, and findings that point into it.

use faastlane_asl::definition::StateKind;
use faastlane_asl::diagnostic::Severity;
use faastlane_asl::parse;
use faastlane_asl::source::Source;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Number, Value, json};

const NAMES: [&str; 3] = ["definition.json", "definition.yaml", "definition"];

/// Reads `text` as each format; checks what is promised of the outcome.
fn check(text: &str) {
    for name in NAMES {
        let source = Source::new(name, text);
        let findings = match parse(&source) {
            Ok(parsed) => {
                assert!(parsed.warnings.iter().all(|finding| finding.severity == Severity::Warning));
                parsed.warnings
            }
            Err(findings) => {
                assert!(findings.iter().any(|finding| finding.severity == Severity::Error));
                findings
            }
        };
        let mut last = 0;
        for finding in findings {
            let (_, span) = finding.place.expect("a definition has text");
            assert!(text.get(span.start..span.end).is_some(), "{span:?} is not in the text");
            assert!(span.start >= last, "out of order");
            last = span.start;
        }
    }
}

fn good_definitions() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(include_str!("definitions/good/everything.json").to_owned()),
        Just(include_str!("definitions/good/everything.yaml").to_owned()),
    ]
}

/// One edit: a piece of the text is replaced by another piece, or by something that matters to the formats.
fn edits() -> impl Strategy<Value = (prop::sample::Index, usize, String)> {
    let insertion = prop_oneof![
        3 => prop::sample::select(vec![
            "", "{", "}", "[", "]", ",", ":", "\"", "'", "\\", "\n", "\t", " ", "  ", "- ", "? ", "&a ", "*a", "!", "!!str ", "|\n",
            ">", "---\n", "...\n", "%", "#", "<<: ", "null", "true", "-1", "1e400", "0", "\"Next\"", "\"End\": true,", "\"Type\"",
            "é", "\u{feff}", "\u{0}", "\u{85}", "\u{2028}", "\\ud800", "$", "$.[", "[]", "{}",
        ]).prop_map(str::to_owned),
        1 => ".{0,8}",
    ];
    (any::<prop::sample::Index>(), 0usize..60, insertion)
}

fn boundary(text: &str, mut position: usize) -> usize {
    while !text.is_char_boundary(position) {
        position -= 1;
    }
    position
}

fn json_values() -> impl Strategy<Value = Value> {
    let numbers = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(|number| format!("{number:?}")),
        "-?[1-9][0-9]{20,40}(\\.[0-9]{1,30})?",
    ];
    let leaves = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        numbers.prop_map(|text| Value::Number(text.parse::<Number>().unwrap())),
        any::<String>().prop_map(Value::String),
        "[a-z~<: -]{0,6}".prop_map(Value::String),
    ];
    leaves.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn result_of_pass(name: &str, text: &str) -> Value {
    let parsed = parse(&Source::new(name, text)).unwrap_or_else(|findings| panic!("{text}\n{findings:#?}"));
    match parsed.machine.flow.states.into_iter().next().unwrap().kind {
        StateKind::Pass(pass) => pass.result.unwrap().value().unwrap().clone(),
        other => panic!("{other:?}"),
    }
}

fn is_json(text: &str) -> bool {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Value::deserialize(&mut deserializer).is_ok() && deserializer.end().is_ok()
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn text_of_the_formats_signs_is_read_or_refused(text in r#"([{}\[\],:"'\\ \n\t&*!|>#%?-]|[a-c0-9.]|null|true|StartAt|States|\$|é){0,60}"#) {
        check(&text);
    }

    #[test]
    fn definitions_with_mistakes_are_read_or_refused(
        good in good_definitions(),
        edits in prop::collection::vec(edits(), 1..4),
    ) {
        let mut text = good;
        for (at, length, insertion) in edits {
            let start = boundary(&text, at.index(text.len() + 1));
            let end = boundary(&text, (start + length).min(text.len()));
            text.replace_range(start..end, &insertion);
        }
        check(&text);
    }

    #[test]
    fn what_is_json_is_what_the_standard_says(text in r#"[ \n]{0,2}([{}\[\],:]|"[a-c\\"/un0-9\t]{0,6}"|-?[0-9]{1,3}([.eE+-][0-9]{0,2}){0,2}|null|true|false|[ \u{a0}\u{c}]){0,12}"#) {
        let refused = match parse(&Source::new("text.json", text.as_str())) {
            Ok(_) => false,
            Err(findings) => findings.iter().any(|finding| finding.code == "FL0101" || finding.message.contains("empty")),
        };
        prop_assert_eq!(refused, !is_json(&text));
    }

    #[test]
    fn values_arrive_as_they_were_written(value in json_values()) {
        let definition = json!({ "StartAt": "P", "States": { "P": { "Type": "Pass", "Result": value, "End": true } } });
        let compact = definition.to_string();
        let pretty = serde_json::to_string_pretty(&definition).unwrap();
        for text in [compact, pretty] {
            prop_assert_eq!(&result_of_pass("definition.json", &text), &value);
            prop_assert_eq!(&result_of_pass("definition.yaml", &text), &value);
        }
    }
}
