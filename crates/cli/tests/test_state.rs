//! `faastlane test-state` from outside: the request of AWS's TestState, and the options in its place.

use serde_json::{Value, json};
use std::fs;
use std::process::Command;
use tempfile::TempDir;

struct Outcome {
    exit: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Outcome {
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("{}{}", self.stdout, self.stderr))
    }

    /// The code of the one finding.
    fn code(&self) -> String {
        self.json()["diagnostics"][0]["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// Runs the command among files of these contents.
fn test_state(arguments: &[&str], files: &[(&str, &str)]) -> Outcome {
    let home = TempDir::new().unwrap();
    for (name, text) in files {
        let file = home.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_faastlane"))
        .arg("test-state")
        .args(arguments)
        .current_dir(home.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.path())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Outcome { exit: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Asks in AWS's form: `request` has all but the definition.
fn ask(definition: &Value, request: Value) -> Outcome {
    let mut request = request;
    request["definition"] = json!(definition.to_string());
    test_state(&["--request", "request.json", "--json"], &[("request.json", &request.to_string())])
}

fn text(value: Value) -> Value {
    json!(value.to_string())
}

/// The texts of JSON in an answer, read.
fn read(text: &Value) -> Value {
    serde_json::from_str(text.as_str().unwrap()).unwrap()
}

fn parallel() -> Value {
    let branch = |name: &str| json!({ "StartAt": name, "States": { name: { "Type": "Pass", "End": true } } });
    json!({ "Type": "Parallel", "InputPath": "$.a", "Branches": [branch("A"), branch("B")], "End": true })
}

#[test]
fn the_levels_tell_more_and_more() {
    let state = json!({ "Type": "Pass", "InputPath": "$.payload", "Parameters": {"data": 1},
                        "ResultPath": "$.result", "OutputPath": "$.result.data", "Next": "Another" });
    let input = text(json!({"payload": {"foo": "bar"}}));
    let info = ask(&state, json!({ "input": input }));
    assert_eq!(info.exit, Some(0), "{}", info.stderr);
    assert_eq!(info.json(), json!({ "status": "SUCCEEDED", "output": "1", "nextState": "Another" }));
    let answer = ask(&state, json!({ "input": input, "inspectionLevel": "DEBUG" })).json();
    let data = &answer["inspectionData"];
    assert_eq!(read(&data["input"]), json!({"payload": {"foo": "bar"}}));
    assert_eq!(read(&data["afterInputPath"]), json!({"foo": "bar"}));
    assert_eq!(read(&data["afterParameters"]), json!({"data": 1}));
    assert_eq!(read(&data["afterResultSelector"]), json!({"data": 1}));
    assert_eq!(read(&data["afterResultPath"]), json!({"payload": {"foo": "bar"}, "result": {"data": 1}}));
    assert_eq!(data.as_object().unwrap().len(), 5);
}

#[test]
fn a_choice_says_where_it_leads() {
    let state = json!({ "Type": "Choice", "Default": "Few",
                        "Choices": [{ "Variable": "$.n", "NumericGreaterThan": 5, "Next": "Many" }] });
    for (n, next) in [(1, "Few"), (7, "Many")] {
        let answer = ask(&state, json!({ "input": text(json!({"n": n})) })).json();
        assert_eq!(answer["nextState"], json!(next));
        assert_eq!(read(&answer["output"]), json!({"n": n}));
    }
    let answer = ask(&state, json!({ "input": "{}" }));
    assert_eq!((answer.exit, &answer.json()["status"]), (Some(100), &json!("FAILED")));
}

#[test]
fn a_wait_is_not_waited_for() {
    let state = json!({ "Type": "Wait", "Seconds": 99_999_999, "Next": "Later" });
    let answer = ask(&state, json!({ "input": "[1]" })).json();
    assert_eq!(answer, json!({ "status": "SUCCEEDED", "output": "[1]", "nextState": "Later" }));
}

#[test]
fn variables_are_those_after_the_state() {
    let state = json!({ "Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $before + 1 %}",
                        "Assign": { "after": "{% $before * 2 %}" }, "End": true });
    let request = json!({ "variables": text(json!({"before": 4})), "inspectionLevel": "TRACE" });
    let answer = ask(&state, request).json();
    assert_eq!(answer["output"], json!("5"));
    assert_eq!(read(&answer["inspectionData"]["variables"]), json!({"before": 4, "after": 8}));
}

#[test]
fn errors_are_retried_then_caught() {
    let state = json!({ "Type": "Task", "Resource": "f", "End": true,
        "Retry": [{ "ErrorEquals": ["Busy"], "IntervalSeconds": 2, "BackoffRate": 3, "MaxAttempts": 2 }],
        "Catch": [{ "ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Handle" }] });
    let ask = |error: &str, retries: u32| {
        let mock = json!({ "errorOutput": { "error": error, "cause": "why" } });
        let configuration = json!({ "retrierRetryCount": retries });
        let request = json!({ "input": "{}", "inspectionLevel": "DEBUG", "mock": mock,
                              "stateConfiguration": configuration });
        ask(&state, request)
    };
    let retriable = ask("Busy", 1);
    assert_eq!(retriable.exit, Some(100));
    let answer = retriable.json();
    assert_eq!(answer["status"], json!("RETRIABLE"));
    assert_eq!((&answer["error"], &answer["cause"]), (&json!("Busy"), &json!("why")));
    let details = &answer["inspectionData"]["errorDetails"];
    assert_eq!(details, &json!({ "retryIndex": 0, "retryBackoffIntervalSeconds": 6 }));
    let caught = ask("Other", 0);
    assert_eq!(caught.exit, Some(0));
    let answer = caught.json();
    assert_eq!(answer["status"], json!("CAUGHT_ERROR"));
    assert_eq!(answer["nextState"], json!("Handle"));
    assert_eq!(read(&answer["output"]), json!({ "error": { "Error": "Other", "Cause": "why" } }));
    assert_eq!(answer["inspectionData"]["errorDetails"], json!({ "catchIndex": 0 }));
    assert_eq!(ask("Busy", 2).json()["status"], json!("CAUGHT_ERROR"));
}

#[test]
fn a_reader_has_the_items_of_its_file() {
    let state = json!({ "Type": "Map", "QueryLanguage": "JSONata", "End": true,
        "ItemReader": { "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": { "InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW" },
            "Arguments": { "Bucket": "b", "Key": "k" } },
        "ItemSelector": { "name": "{% $states.context.Map.Item.Value.name %}" },
        "ItemProcessor": { "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" },
            "StartAt": "I", "States": { "I": { "Type": "Pass", "End": true } } } });
    let request = json!({ "input": "{}", "inspectionLevel": "DEBUG", "mock": { "result": "[1, 2]" },
                          "stateConfiguration": { "mapItemReaderData": "name,age\nAnn,3\nBo,4\n" } });
    let answer = ask(&state, request).json();
    let selected = &answer["inspectionData"]["afterItemSelector"];
    assert_eq!(read(selected), json!([{"name": "Ann"}, {"name": "Bo"}]), "{answer}");
    assert_eq!(answer["inspectionData"]["maxConcurrency"], json!(0));
}

#[test]
fn a_reader_has_the_members_of_an_object() {
    let state = json!({ "Type": "Map", "End": true,
        "ItemReader": { "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": { "InputType": "JSON", "ItemsPointer": "/stock" },
            "Parameters": { "Bucket": "b", "Key": "k" } },
        "ItemSelector": { "item.$": "$$.Map.Item" },
        "ResultWriter": { "WriterConfig": { "Transformation": "FLATTEN" } },
        "ItemProcessor": { "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" },
            "StartAt": "I", "States": { "I": { "Type": "Pass", "End": true } } } });
    let request = json!({ "input": "{}", "inspectionLevel": "DEBUG", "mock": { "result": "[1]" },
                          "stateConfiguration": { "mapItemReaderData": "{\"stock\":{\"nut\":7}}" } });
    let answer = ask(&state, request).json();
    let data = &answer["inspectionData"];
    let item = json!({ "Index": 0, "Key": "nut", "Source": "s3://b/k", "Value": 7 });
    assert_eq!(read(&data["afterItemSelector"]), json!([{ "item": item }]), "{answer}");
    assert_eq!(read(&data["afterItemsPointer"]), json!({ "nut": 7 }));
    assert_eq!(read(&answer["output"]), json!([1]), "nothing is exported, so the result is an array");
}

#[test]
fn what_goes_into_branches_is_not_told() {
    let request = json!({ "input": text(json!({"a": 1})), "inspectionLevel": "TRACE",
                          "mock": { "result": "[1, 2]" } });
    let answer = ask(&parallel(), request).json();
    let data = answer["inspectionData"].as_object().unwrap();
    let shown: Vec<&str> = data.keys().map(String::as_str).collect();
    assert_eq!(shown, ["input", "afterResultSelector", "afterResultPath"]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let pass = json!({ "Type": "Pass", "End": true });
    let task = json!({ "Type": "Task", "Resource": "f", "End": true });
    let job = json!({ "Type": "Task", "Resource": "arn:aws:states:::batch:submitJob.sync", "End": true });
    let result = |text: &str| json!({ "mock": { "result": text } });
    let both = json!({ "mock": { "result": "1", "errorOutput": { "error": "E" } } });
    let configured =
        |configuration: Value| json!({ "mock": { "result": "[1, 2]" }, "stateConfiguration": configuration });
    for (state, request, code) in [
        (&pass, json!({ "input": "{" }), "FL0340"),
        (&pass, json!({ "inputs": "{}" }), "FL0340"),
        (&pass, json!({ "variables": "[]" }), "FL0340"),
        (&pass, json!({ "context": text(json!({"Map": {}})) }), "FL0340"),
        (&task, both, "FL0340"),
        (&task, result("{"), "FL0340"),
        (&task, json!({ "mock": { "result": "1" }, "revealSecrets": true }), "FL0340"),
        (&parallel(), configured(json!({ "errorCausedByState": "C" })), "FL0340"),
        (&parallel(), configured(json!({ "mapIterationFailureCount": 3 })), "FL0340"),
        (&parallel(), configured(json!({ "mapItemReaderData": "[]" })), "FL0340"),
        (&parallel(), json!({}), "FL0342"),
        (&job, json!({}), "FL0342"),
        (&pass, result("1"), "FL0343"),
        (&parallel(), result("{}"), "FL0343"),
        (&parallel(), result("[1]"), "FL0343"),
    ] {
        let outcome = ask(state, request.clone());
        assert_eq!((outcome.exit, outcome.code().as_str()), (Some(2), code), "{request}");
    }
    let invalid = ask(&json!({ "Type": "Pass" }), json!({}));
    assert_eq!((invalid.exit, invalid.code().as_str()), (Some(102), "FL0111"));
}

const WORKFLOW: &str = r#"{ "StartAt": "Both", "States": {
    "Both": { "Type": "Parallel", "Next": "Double", "Branches": [
        { "StartAt": "Inner", "States": { "Inner": { "Type": "Pass", "Result": 5, "End": true } } }] },
    "Double": { "Type": "Task", "Resource": "double", "End": true } } }"#;

#[test]
fn states_of_a_workflow_are_tested_by_name() {
    let files = [("workflow.asl.json", WORKFLOW)];
    let inner = test_state(&["--state", "Inner", "--json", "--inspection-level", "info"], &files);
    assert_eq!(inner.json(), json!({ "status": "SUCCEEDED", "output": "5" }));
    let both = test_state(&["--state", "Both", "--mock-result", "[1]", "--json"], &files);
    assert_eq!(both.json()["nextState"], json!("Double"));
    for arguments in [&["--json"][..], &["--json", "--state", "Duoble"]] {
        let outcome = test_state(arguments, &files);
        assert_eq!((outcome.exit, outcome.code().as_str()), (Some(2), "FL0341"));
    }
}

#[test]
fn a_task_calls_its_function_or_its_stand_in() {
    let function = "def handler(event, context):\n    return event['n'] * 2\n";
    let files = [
        ("workflow.asl.json", WORKFLOW),
        ("functions/double.py", function),
        ("input.json", r#"{"n": 21}"#),
        ("mocks.json", r#"[{"function": "double", "kind": "return 'mocked'"}]"#),
    ];
    let arguments = ["--state", "Double", "--input", "input.json", "--isolation", "none", "--json"];
    let real = test_state(&arguments, &files);
    assert_eq!(real.exit, Some(0), "{}{}", real.stdout, real.stderr);
    assert_eq!(real.json()["output"], json!("42"));
    assert_eq!(real.json()["inspectionData"]["result"], json!("42"));
    let without = [files[0], files[2]];
    let missing = test_state(&arguments, &without);
    assert_eq!(missing.exit, Some(101), "{}", missing.stdout);
    let stand_in =
        test_state(&["--state", "Double", "--mock", "mocks.json", "--json"], &[files[0], files[3]]);
    assert_eq!(stand_in.json()["output"], json!("\"mocked\""), "{}", stand_in.stdout);
    let failing = test_state(&["--state", "Double", "--mock-error", "Busy:try later", "--json"], &without);
    assert_eq!((failing.exit, &failing.json()["cause"]), (Some(100), &json!("try later")));
}

#[test]
fn the_log_of_the_function_is_in_the_result_of_lambda_invoke() {
    let state = json!({
        "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true,
        "Parameters": { "FunctionName": "f", "LogType": "Tail" },
        "ResultSelector": { "log.$": "States.Base64Decode($.LogResult)" },
    });
    let definition = json!({ "StartAt": "S", "States": { "S": state } }).to_string();
    let files = [
        ("workflow.asl.json", definition.as_str()),
        ("functions/f.py", "def handler(event, context):\n    print('here')\n"),
        ("mocks.json", r#"[{"function": "f", "kind": "echo"}]"#),
    ];
    for (options, printed) in [(["--isolation", "none"], "here\n"), (["--mock", "mocks.json"], "")] {
        let outcome = test_state(&["--state", "S", options[0], options[1], "--json"], &files);
        let output = read(&outcome.json()["output"]);
        let lines = format!(" Version: $LATEST\n{printed}END RequestId: ");
        assert!(output["log"].as_str().unwrap().contains(&lines), "{output}");
    }
}

#[test]
fn people_see_the_way_of_the_data() {
    let state = r#"{"Type": "Pass", "Parameters": {"b.$": "$.a"}, "Next": "Then"}"#;
    let files = [("state.json", state), ("input.json", r#"{"a": 1}"#)];
    let outcome = test_state(&["state.json", "--input", "input.json"], &files);
    assert_eq!(outcome.exit, Some(0), "{}", outcome.stderr);
    let expected = "SUCCEEDED State → Then\n\ninput\n  {\n    \"a\": 1\n  }\n\nafterInputPath unchanged\n\n\
                    afterParameters\n  {\n    \"b\": 1\n  }\n\nafterResultSelector unchanged\n\n\
                    afterResultPath unchanged\n\noutput\n  {\n    \"b\": 1\n  }\n";
    assert_eq!(outcome.stdout, expected);
}
