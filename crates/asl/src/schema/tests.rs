//! The JSON Schema: it is one, it takes what the parser takes, and it finds what is misspelt.

use super::schema;
use crate::report::Report;
use crate::source::Source;
use crate::tree;
use jsonschema::Validator;
use serde_json::{Value, json};
use std::path::Path;

fn validator() -> Validator {
    jsonschema::draft7::new(&schema()).expect("the schema compiles")
}

fn errors(definition: &Value) -> Vec<String> {
    let found = validator();
    found.iter_errors(definition).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn read(path: &Path) -> Value {
    let source = Source::new(path.display().to_string(), std::fs::read_to_string(path).unwrap());
    tree::read(&source, &mut Report::new(&source)).expect("JSON or YAML").to_value()
}

/// A machine whose only state is this one.
fn machine(state: Value) -> Value {
    json!({ "StartAt": "A", "States": { "A": state } })
}

#[test]
fn the_schema_is_valid() {
    jsonschema::draft7::meta::validate(&schema()).expect("draft-07");
}

#[test]
fn every_field_says_what_it_is() {
    for (name, definition) in schema()["definitions"].as_object().unwrap() {
        assert!(definition["description"].is_string(), "{name}");
        for (field, schema) in definition["properties"].as_object().unwrap() {
            let about = schema["description"].as_str().unwrap_or_default();
            assert!(about.ends_with('.') && about.len() > 10, "{name}.{field}: {about:?}");
        }
    }
}

#[test]
fn good_definitions_are_accepted() {
    let mut count = 0;
    let examples = std::fs::read_dir("../../examples").unwrap().map(|entry| entry.unwrap().path());
    for folder in examples.chain(["tests/definitions/good".into()]).filter(|path| path.is_dir()) {
        for file in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            if name.contains(".asl.") || file.starts_with("tests") {
                assert_eq!(errors(&read(&file)), Vec::<String>::new(), "{}", file.display());
                count += 1;
            }
        }
    }
    assert!(count >= 7, "only {count} definitions were found");
}

#[test]
fn jsonata_is_accepted() {
    let definition = json!({
        "QueryLanguage": "JSONata",
        "StartAt": "Each",
        "States": {
            "Each": {
                "Type": "Map",
                "Items": "{% $states.input.items %}",
                "ItemSelector": { "item": "{% $states.context.Map.Item.Value %}" },
                "ItemReader": {
                    "Resource": "arn:aws:states:::s3:getObject",
                    "Arguments": { "Bucket": "b", "Key": "k" },
                    "ReaderConfig": { "InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "MaxItems": 10 }
                },
                "ItemBatcher": { "MaxItemsPerBatch": "{% $n %}", "BatchInput": { "a": 1 } },
                "ResultWriter": { "Resource": "arn:aws:states:::s3:putObject", "WriterConfig": { "OutputType": "JSONL" } },
                "Label": "each",
                "ItemProcessor": {
                    "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS" },
                    "StartAt": "Call",
                    "States": {
                        "Call": {
                            "Type": "Task",
                            "Resource": "price",
                            "Arguments": "{% $states.input %}",
                            "TimeoutSeconds": "{% $limit %}",
                            "Output": { "price": "{% $states.result %}" },
                            "Assign": { "last": "{% $states.result %}" },
                            "Catch": [{ "ErrorEquals": ["States.ALL"], "Output": null, "Next": "Large" }],
                            "Next": "Large"
                        },
                        "Large": {
                            "Type": "Choice",
                            "Choices": [{ "Condition": "{% $last > 5 %}", "Next": "Pause", "Assign": { "large": true } }],
                            "Default": "Pause"
                        },
                        "Pause": { "Type": "Wait", "Timestamp": "{% $now() %}", "End": true }
                    }
                },
                "End": true
            }
        }
    });
    assert_eq!(errors(&definition), Vec::<String>::new());
}

#[test]
fn what_is_misspelt_or_does_not_go_together_is_found() {
    let states = [
        (json!({ "Type": "Taks", "Resource": "f", "End": true }), "an unknown type"),
        (json!({ "Type": "Task", "Resuorce": "f", "End": true }), "a misspelt field"),
        (json!({ "Type": "Pass", "Retry": [], "End": true }), "a field of another type"),
        (json!({ "Type": "Task", "Resource": "f" }), "neither Next nor End"),
        (json!({ "Type": "Task", "Resource": "f", "Next": "A", "End": true }), "both Next and End"),
        (json!({ "Type": "Wait", "Seconds": 1, "SecondsPath": "$.s", "End": true }), "two times"),
        (json!({ "Type": "Wait", "End": true }), "no time"),
        (json!({ "Type": "Wait", "Timestamp": "tomorrow", "End": true }), "no instant"),
        (json!({ "Type": "Fail", "Error": "E", "ErrorPath": "$.e" }), "two errors"),
        (json!({ "Type": "Succeed", "InputPath": "a.b" }), "no path"),
        (
            json!({ "Type": "Pass", "QueryLanguage": "JSONata", "ResultPath": "$.a", "End": true }),
            "JSONPath in JSONata",
        ),
        (json!({ "Type": "Choice", "Choices": [] }), "no rules"),
        (json!({ "Type": "Choice", "Choices": [{ "Variable": "$.x", "Next": "A" }] }), "no operator"),
        (
            json!({ "Type": "Choice", "Choices": [{ "Variable": "$.x", "IsNull": true, "IsString": true, "Next": "A" }] }),
            "two operators",
        ),
        (
            json!({ "Type": "Choice", "Choices": [{ "Variable": "$.x", "NumericGreater": 1, "Next": "A" }] }),
            "a misspelt operator",
        ),
        (
            json!({ "Type": "Choice", "Choices": [{ "Not": { "Variable": "$.x", "IsNull": true, "Next": "A" }, "Next": "A" }] }),
            "a Next within a condition",
        ),
        (
            json!({ "Type": "Task", "Resource": "f", "End": true, "Retry": [{ "ErrorEquals": ["E"], "JitterStrategy": "full" }] }),
            "an unknown value",
        ),
        (
            json!({ "Type": "Task", "Resource": "f", "End": true, "Retry": [{ "ErrorEquals": [], "BackoffRate": 0.5 }] }),
            "no errors, and a rate below one",
        ),
        (
            json!({ "Type": "Map", "ItemProcessor": { "StartAt": "B", "States": {} }, "End": true }),
            "no states",
        ),
        (
            json!({ "Type": "Parallel", "Branches": [{ "States": { "B": { "Type": "Succeed" } } }], "End": true }),
            "no start",
        ),
        (
            json!({ "Type": "Map", "Label": "a:b", "End": true,
                "ItemProcessor": { "StartAt": "B", "States": { "B": { "Type": "Succeed" } } } }),
            "a label with a colon",
        ),
    ];
    for (state, what) in states {
        assert_ne!(errors(&machine(state)), Vec::<String>::new(), "{what} is accepted");
    }
    for name in ["misspelt-fields", "unknown-fields", "unknown-values", "exclusive"] {
        let definition = read(Path::new(&format!("tests/definitions/bad/{name}.json")));
        assert_ne!(errors(&definition), Vec::<String>::new(), "{name}");
    }
}

/// A field that only the schema has would be a mistake in it.
#[test]
fn the_parser_knows_every_field_of_a_state() {
    let schema = schema();
    let refused = |state: &Value, field: &str| {
        let source = Source::new("a.asl.json", machine(state.clone()).to_string());
        let place = format!("/States/A/{field}");
        let findings = crate::parse(&source).err().unwrap_or_default();
        findings.into_iter().any(|found| found.code == "FL0112" && found.location.as_deref() == Some(&place))
    };
    assert!(refused(&json!({ "Type": "Pass", "Colour": 7 }), "Colour"));
    for state_type in ["Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map"] {
        for field in schema["definitions"][state_type]["properties"].as_object().unwrap().keys() {
            let mut state = json!({ "Type": state_type });
            if field != "Type" {
                state[field] = json!(7);
            }
            assert!(!refused(&state, field), "the parser does not know {field} of {state_type}");
        }
    }
}
