//! Functions of one trust group that call each other by reference: what comes of it is what comes of them apart.

use crate::workflow::{Run, Workflow, fed, parse, text};
use serde_json::{Value, json};

/// A chain of `A`, `B` and `C`, with `more` fields for the states.
fn definition(more: Value) -> Value {
    let mut states = json!({
        "A": { "Type": "Task", "Resource": "a", "Next": "B" },
        "B": { "Type": "Task", "Resource": "b", "Next": "C" },
        "C": { "Type": "Task", "Resource": "c", "End": true },
    });
    if more.get("D").is_none() && more.to_string().contains("\"D\"") {
        states["D"] = json!({ "Type": "Pass", "End": true });
    }
    for (state, fields) in more.as_object().unwrap() {
        for (name, value) in fields.as_object().unwrap() {
            states[state][name] = value.clone();
        }
    }
    json!({ "StartAt": "A", "States": states })
}

const TRUST: &str = "[trust]\ngroup = [\"a\", \"b\", \"c\"]\n";
const PASS: &str = "def handler(event, context):\n    return event\n";

/// The history without times, ids of requests and line numbers of the runtime's own.
fn history(workflow: &Workflow, event: &Value) -> Vec<Value> {
    let mut command = workflow.command();
    command.args(["--json", "--history", "--time-scale", "0.01", "--input", "-"]);
    command.args(["--isolation", "process"]);
    let output = fed(&mut command, event.to_string().as_bytes());
    let mut events: Vec<Value> = text(&output.stdout).lines().map(|line| parse(line).unwrap()).collect();
    assert!(!events.is_empty(), "{}", text(&output.stderr));
    for event in &mut events {
        event.as_object_mut().unwrap().remove("timestamp");
        for details in event.as_object_mut().unwrap().values_mut().filter_map(Value::as_object_mut) {
            let cause = details.get("cause").and_then(Value::as_str).and_then(|cause| parse(cause).ok());
            if let Some(mut cause) = cause {
                cause.as_object_mut().unwrap().remove("requestId");
                cause.as_object_mut().unwrap().remove("stackTrace");
                details.insert("cause".into(), cause);
            }
        }
    }
    events
}

#[track_caller]
fn same(more: Value, a: &str, b: &str, event: Value) -> Vec<Value> {
    let functions = [("a", a), ("b", b), ("c", PASS)];
    let apart = history(&Workflow::new(&definition(more.clone())).functions(&functions), &event);
    let together = history(&Workflow::new(&definition(more)).functions(&functions).config(TRUST), &event);
    assert_eq!(apart, together);
    together
}

fn ended(history: &[Value]) -> &Value {
    &history.last().unwrap()["type"]
}

#[test]
fn results_of_every_kind_are_the_same() {
    for result in [
        "{'n': 1, 'f': -0.0, 't': True, 'z': None, 's': 'ü', 'l': [1, [2, {}]], 'big': 2**80}",
        "(1, (2, 3))",
        "{1: 'a', None: 'b', 'c': (1,)}",
        "__import__('collections').OrderedDict(a=1)",
        "'text'",
        "None",
        "7",
        "type('Text', (str,), {})('x')",
    ] {
        let a = format!("def handler(event, context):\n    return {result}\n");
        let b = "def handler(event, context):\n    return [type(event).__name__, repr(event)]\n";
        assert_eq!(ended(&same(json!({}), &a, b, json!({}))), "ExecutionSucceeded", "{result}");
    }
}

#[test]
fn what_is_no_json_fails_in_its_own_state() {
    for result in ["{1, 2}", "float('nan')", "object()"] {
        let a = format!("def handler(event, context):\n    return {result}\n");
        assert_eq!(ended(&same(json!({}), &a, PASS, json!({}))), "ExecutionFailed", "{result}");
    }
}

#[test]
fn the_history_shows_what_was_returned_though_it_is_changed_behind() {
    let a = "def handler(event, context):\n    return {'list': [1]}\n";
    let b = "def handler(event, context):\n    event['list'].append(2)\n    return event\n";
    same(json!({}), a, b, json!({}));
}

#[test]
fn what_somebody_else_has_a_hold_of_is_copied() {
    let a = "KEPT = {'list': [1]}\ndef handler(event, context):\n    return KEPT\n";
    let b = "def handler(event, context):\n    event['list'].append(2)\n    return event\n";
    // The second A sees whether the first one's was changed.
    let again = json!({ "B": { "Next": "D" }, "D": { "Type": "Task", "Resource": "a", "Next": "C" } });
    same(again, a, b, json!({}));
    // The same container in two places is two containers.
    let a = "def handler(event, context):\n    x = []\n    return {'x': x, 'y': x}\n";
    let b = "def handler(event, context):\n    event['x'].append(1)\n    return event\n";
    same(json!({}), a, b, json!({}));
}

#[test]
fn errors_are_caught_and_retried_where_they_happen() {
    let b = "TRIES = []\ndef handler(event, context):\n    TRIES.append(1)\n    if len(TRIES) < event['tries']:\n        \
             raise KeyError('no')\n    return {'tries': len(TRIES)}\n";
    let a = "def handler(event, context):\n    return {'tries': event['tries']}\n";
    let all = json!(["States.ALL"]);
    let retry = json!({ "B": { "Retry": [{ "ErrorEquals": all, "MaxAttempts": 3 }] } });
    assert_eq!(ended(&same(retry.clone(), a, b, json!({ "tries": 3 }))), "ExecutionSucceeded");
    assert_eq!(ended(&same(retry, a, b, json!({ "tries": 9 }))), "ExecutionFailed");
    // The cause names a request.
    let caught = json!({ "B": { "Catch": [{ "ErrorEquals": all, "ResultPath": null, "Next": "C" }] } });
    assert_eq!(ended(&same(caught, a, b, json!({ "tries": 9 }))), "ExecutionSucceeded");
}

#[test]
fn time_is_up_in_the_state_that_takes_it() {
    let b = "import time\ndef handler(event, context):\n    time.sleep(event['sleep'])\n    return event\n";
    let all = json!(["States.ALL"]);
    for limit in ["TimeoutSeconds", "HeartbeatSeconds"] {
        let more = json!({ "B": { limit: 1, "Catch": [{ "ErrorEquals": all, "Next": "D" }] } });
        let history = same(more, PASS, b, json!({ "sleep": 3 }));
        let kinds: Vec<&str> = history.iter().map(|event| event["type"].as_str().unwrap()).collect();
        assert!(kinds.contains(&"LambdaFunctionTimedOut"), "{kinds:?}");
    }
    // The time of the first one is not the second one's.
    let more = json!({ "A": { "TimeoutSeconds": 1 }, "B": { "TimeoutSeconds": 9 } });
    assert_eq!(ended(&same(more, PASS, b, json!({ "sleep": 2 }))), "ExecutionSucceeded");
}

#[test]
fn the_result_itself_is_handed_on() {
    let a = "def handler(event, context):\n    result = {'n': 1}\n    result['id'] = id(result)\n    return result\n";
    let b = "def handler(event, context):\n    return [event['id'] == id(event), context.aws_request_id, \
             context.get_remaining_time_in_millis()]\n";
    let more = json!({ "B": { "TimeoutSeconds": 60 } });
    let workflow = Workflow::new(&definition(more));
    let workflow = workflow.functions(&[("a", a), ("b", b), ("c", PASS)]).config(TRUST);
    let run: Run = workflow.run_under("process", &json!({}));
    let output = run.output();
    assert_eq!(output[0], true, "{output}");
    let left = output[2].as_i64().unwrap();
    assert!((1..=60_000).contains(&left), "{left}");
}
