//! `run --mock` and `run --time-scale`: stand-ins answer, everything else is real.

use crate::workflow::{Run, Workflow, text};
use serde_json::{Value, json};

/// Runs it with mocks in a file.
fn run_with(workflow: Workflow, mocks: &Value, flags: &[&str], input: &Value) -> Run {
    let workflow = workflow.file("mocks.json", mocks.to_string());
    let file = workflow.path("mocks.json").display().to_string();
    let mut all = vec!["--mock", &file];
    all.extend(flags);
    workflow.run_text(&all, &input.to_string())
}

fn task(resource: &str, more: Value) -> Value {
    let mut state = json!({ "Type": "Task", "Resource": resource, "End": true });
    state.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "StartAt": "S", "States": { "S": state } })
}

const INVOKE: &str = "arn:aws:states:::lambda:invoke";

#[test]
fn stand_ins_need_no_code_and_what_has_code_runs() {
    let workflow = Workflow::new(&crate::workflow::chain(&["first", "real", "last"]))
        .functions(&[("real", "def handler(event, context):\n    return {'real': event}\n")]);
    let mocks =
        json!([{"function": "first", "kind": "return [1, None]"}, {"function": "last", "kind": "echo"}]);
    let run = run_with(workflow, &mocks, &[], &json!({}));
    assert_eq!(run.output(), &json!({ "real": [1, null] }));
    assert_eq!(run.report["mocked"], json!(["first", "last"]));
    let mocked: Vec<_> =
        run.report["states"].as_array().unwrap().iter().map(|state| &state["mocked"]).collect();
    assert_eq!(mocked, [&json!(true), &json!(false), &json!(true)]);
    assert_eq!(run.report["states"][1]["domain"], "real");
}

#[test]
fn without_any_function_there_is_nothing_to_isolate() {
    let workflow = Workflow::new(&task("f", json!({}))).file("mocks.yaml", "f: echo\n");
    let mut command = workflow.command();
    let output = command.arg("--mock").arg(workflow.path("mocks.yaml")).output().unwrap();
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert_eq!(text(&output.stdout), "{}\n");
    let row = stderr.lines().find(|line| line.starts_with("S ")).unwrap();
    assert_eq!(row.split_whitespace().nth(1), Some("mock"), "{stderr}");
    assert!(stderr.contains("isolation: nothing to isolate") && stderr.contains("mocked: f\n"), "{stderr}");
}

#[test]
fn a_stand_in_raises_as_a_function_does_and_retry_and_catch_are_real() {
    let recover = json!({
        "Retry": [{ "ErrorEquals": ["KeyError"], "MaxAttempts": 2, "IntervalSeconds": 40 }],
        "Catch": [{ "ErrorEquals": ["KeyError"], "Next": "Caught" }],
    });
    let mut definition = task(INVOKE, recover);
    definition["States"]["S"]["Parameters"] = json!({ "FunctionName.$": "$.name", "Payload.$": "$" });
    definition["States"]["Caught"] = json!({ "Type": "Pass", "End": true });
    let mocks = json!({ "f": "raise KeyError('missing')" });
    let input = json!({ "name": "arn:aws:lambda:us-east-1:111111111111:function:f" });
    // The delays before the retries are 40 and 80 seconds.
    let run = run_with(Workflow::new(&definition), &mocks, &["--time-scale", "0.0001"], &input);
    assert_eq!(run.output()["Error"], "KeyError");
    let cause: Value = serde_json::from_str(run.output()["Cause"].as_str().unwrap()).unwrap();
    assert_eq!((&cause["errorMessage"], &cause["errorType"]), (&json!("missing"), &json!("KeyError")));
    assert_eq!(cause["requestId"].as_str().map(str::len), Some(36));
    let events = run.report["events"].as_array().unwrap();
    assert_eq!(events.iter().filter(|event| *event == "TaskFailed").count(), 3);
    assert_eq!(run.report["mocked"], json!(["f"]));
    assert_eq!(run.report["states"][0]["function"], "f", "the name was known only when it ran");
}

#[test]
fn awss_format_answers_by_state_and_attempt_with_the_raw_result() {
    let responses = json!({
        "Late": {
            "0-1": { "Throw": { "Error": "Lambda.ServiceException", "Cause": "busy" } },
            "2": { "Return": { "StatusCode": 200, "Payload": { "paid": true } } },
        },
    });
    let mocks = json!({
        "StateMachines": { "orders": { "TestCases": { "Late": { "S": "Late" }, "None": {} } } },
        "MockedResponses": responses,
    });
    let retry =
        |attempts: u32| json!({ "Retry": [{ "ErrorEquals": ["States.ALL"], "MaxAttempts": attempts }] });
    let workflow = |attempts: u32| {
        let mut definition = task(INVOKE, retry(attempts));
        definition["States"]["S"]["Parameters"] = json!({ "FunctionName": "f", "Payload.$": "$" });
        let workflow = Workflow::new(&definition).file("mocks.json", mocks.to_string());
        let flags = ["--time-scale", "0.001", "--mock"];
        let case = |case: &str| format!("{}#{case}", workflow.path("mocks.json").display());
        [case("Late"), case("None"), case("Lat"), case("").trim_end_matches('#').to_owned()]
            .map(|mock| workflow.run_text(&[flags[0], flags[1], flags[2], &mock], "{}"))
    };
    let [late, none, misspelt, unnamed] = workflow(2);
    assert_eq!(late.output(), &json!({ "StatusCode": 200, "Payload": { "paid": true } }));
    assert_eq!(none.failure().0, "Lambda.ResourceNotFoundException");
    assert!(none.failure().1.starts_with("Function not found: arn:aws:lambda:"), "{none:?}");
    assert_eq!((misspelt.exit, misspelt.codes()), (Some(2), vec!["FL0504"]));
    assert_eq!((unnamed.exit, unnamed.codes()), (Some(2), vec!["FL0504"]));
    let [late, ..] = workflow(0);
    assert_eq!(late.failure(), ("Lambda.ServiceException", "busy"));
}

#[test]
fn an_attempt_that_the_mocks_do_not_know_aborts() {
    let definition = task("f", json!({ "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "S" }] }));
    let mocks = json!({
        "StateMachines": { "m": { "TestCases": { "c": { "S": "Once" } } } },
        "MockedResponses": { "Once": { "0": { "Throw": { "Error": "E", "Cause": "" } } } },
    });
    let run = run_with(Workflow::new(&definition), &mocks, &[], &json!({}));
    assert_eq!((run.exit, &run.report["status"]), (Some(104), &json!("ABORTED")));
    assert_eq!(run.error().0, "Faastlane.NoMockedResponse");
    assert!(run.error().1.contains("attempt 1 of the state 'S'"), "{run:?}");
}

#[test]
fn a_response_beyond_what_step_functions_takes() {
    let arn = "arn:aws:lambda:us-east-1:111111111111:function:f";
    let mocks = json!([{ "function": "f", "kind": "return 257 KiB bytes" }]);
    let run = run_with(Workflow::new(&task(arn, json!({}))), &mocks, &[], &json!({}));
    let (error, cause) = run.failure();
    assert_eq!(error, "States.DataLimitExceeded");
    assert!(cause.contains(&format!("'{arn}'")), "{cause}");
    let mut definition = task(INVOKE, json!({}));
    definition["States"]["S"]["Parameters"] = json!({ "FunctionName": "f" });
    let run = run_with(Workflow::new(&definition), &mocks, &[], &json!({}));
    assert!(run.failure().1.contains("'lambda'"), "{run:?}");
}

#[test]
fn time_is_scaled_for_waiting_and_not_for_limits() {
    let definition = json!({ "StartAt": "W", "States": {
        "W": { "Type": "Wait", "Seconds": 3600, "Next": "T" },
        "T": { "Type": "Wait", "Timestamp": "2999-01-01T00:00:00Z", "Next": "S" },
        "S": { "Type": "Task", "Resource": "f", "TimeoutSeconds": 20, "End": true },
    } });
    let mocks = json!({ "f": "sleep 3600 then return 'done'" });
    let run = run_with(Workflow::new(&definition), &mocks, &["--time-scale", "1e-12"], &json!({}));
    assert_eq!(run.output(), "done");
    // A limit is not scaled: at its real length the sleep of the stand-in is longer.
    let definition = task("f", json!({ "TimeoutSeconds": 1 }));
    let run = run_with(Workflow::new(&definition), &mocks, &["--time-scale", "0.1"], &json!({}));
    assert_eq!((run.exit, &run.report["error"]), (Some(100), &json!("States.Timeout")));
    for factor in ["0", "-1", "1001", "NaN", "fast"] {
        let output = Workflow::new(&definition).command().args(["--time-scale", factor]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{factor}");
    }
}

#[test]
fn mistakes_are_found_before_anything_runs() {
    let workflow = || Workflow::new(&task("f", json!({})));
    for (mocks, code) in [
        (json!([{ "function": "f", "kind": "ecko" }]), "FL0503"),
        (json!([{ "function": "f" }]), "FL0502"),
        (json!({ "StateMachines": {} }), "FL0502"),
        (
            json!({ "StateMachines": { "m": { "TestCases": { "c": { "X": "r" } } } }, "MockedResponses": { "r": {} } }),
            "FL0505",
        ),
    ] {
        let run = run_with(workflow(), &mocks, &[], &json!({}));
        assert_eq!((run.exit, run.codes()), (Some(2), vec![code]), "{mocks}");
        let finding = &run.report["diagnostics"][0];
        assert!(
            finding["line"].is_u64() && finding["file"].as_str().unwrap().ends_with("mocks.json"),
            "{finding}"
        );
    }
    let run = workflow().run_text(&["--mock", "nowhere.json"], "{}");
    assert_eq!((run.exit, run.codes()), (Some(2), vec!["FL0501"]));
}

#[test]
fn what_has_neither_a_stand_in_nor_code_is_warned_of() {
    let workflow = Workflow::new(&task("f", json!({}))).file("mocks.json", "[]");
    let output = workflow.command().arg("--mock").arg(workflow.path("mocks.json")).output().unwrap();
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(100), "{stderr}");
    assert!(stderr.contains("FL0507") && stderr.contains("neither a stand-in nor code"), "{stderr}");
    assert!(stderr.contains("error: Lambda.ResourceNotFoundException"), "{stderr}");
}
