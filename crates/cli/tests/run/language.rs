//! The states language, end to end.

use crate::workflow::Workflow;
use serde_json::{Value, json};

const ECHO: &str = "def handler(event, context): return event";

/// Fails until it was called `event['fails']` times.
const FLAKY: &str = "calls = 0\n\
    class Busy(Exception): pass\n\
    def handler(event, context):\n    \
        global calls\n    \
        calls += 1\n    \
        if calls <= event['fails']:\n        \
            raise Busy(f'call {calls}')\n    \
        return calls\n";

const SLEEPS: &str = "import time\ndef handler(event, context):\n    time.sleep(event)\n    return event\n";

fn one(state: Value) -> Value {
    json!({ "StartAt": "One", "States": { "One": state } })
}

#[test]
fn retry_calls_again_until_it_succeeds_or_gives_up() {
    let workflow = Workflow::new(&one(json!({ "Type": "Task", "Resource": "flaky", "End": true,
        "Retry": [{ "ErrorEquals": ["Busy"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 1.0,
                    "MaxDelaySeconds": 1 }] })))
    .functions(&[("flaky", FLAKY)]);
    // Two retries of one second: the only test here that waits for the language's smallest interval twice.
    let run = workflow.run(&json!({ "fails": 2 }));
    assert_eq!(run.output(), &json!(3));
    assert_eq!(run.report["states"][0]["calls"].as_array().unwrap().len(), 3);
    let (error, cause) = (workflow.run(&json!({ "fails": 3 })), "call 3");
    let (error, found) = error.function_error();
    assert_eq!((error, &found["errorMessage"]), ("Busy", &json!(cause)));
}

#[test]
fn catch_takes_the_error_on() {
    let mut machine = one(json!({ "Type": "Task", "Resource": "flaky", "End": true,
        "Catch": [{ "ErrorEquals": ["Other"], "Next": "Wrong" },
                  { "ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Caught" }] }));
    machine["States"]["Wrong"] = json!({ "Type": "Fail" });
    machine["States"]["Caught"] = json!({ "Type": "Task", "Resource": "echo", "End": true });
    let workflow = Workflow::new(&machine).functions(&[("flaky", FLAKY), ("echo", ECHO)]);
    let run = workflow.run(&json!({ "fails": 1 }));
    let output = run.output();
    assert_eq!((&output["fails"], &output["failure"]["Error"]), (&json!(1), &json!("Busy")));
    let cause: Value = serde_json::from_str(output["failure"]["Cause"].as_str().unwrap()).unwrap();
    assert_eq!(cause["errorMessage"], "call 1");
}

#[test]
fn choice_wait_pass_succeed_and_fail() {
    let workflow = Workflow::new(&json!({ "StartAt": "Wait", "States": {
        "Wait": { "Type": "Wait", "SecondsPath": "$.seconds", "Next": "Which" },
        "Which": { "Type": "Choice", "Default": "Bad", "Choices": [
            { "And": [{ "Variable": "$.size", "IsPresent": true }, { "Variable": "$.size", "NumericLessThan": 10 }],
              "Next": "Small" },
            { "Variable": "$.kind", "StringMatches": "l*ge", "Next": "Done" }] },
        "Small": { "Type": "Pass", "Result": { "is": "small" }, "ResultPath": "$.found", "Next": "Echo" },
        "Echo": { "Type": "Task", "Resource": "echo", "InputPath": "$.found", "OutputPath": "$.is", "End": true },
        "Done": { "Type": "Succeed", "OutputPath": "$.kind" },
        "Bad": { "Type": "Fail", "Error": "Bad.Size", "Cause": "neither small nor large" } } }))
    .functions(&[("echo", ECHO)]);
    assert_eq!(workflow.run(&json!({ "seconds": 1, "size": 3 })).output(), "small");
    assert_eq!(workflow.run(&json!({ "seconds": 0, "kind": "large" })).output(), "large");
    let run = workflow.run(&json!({ "seconds": 0, "kind": "odd" }));
    assert_eq!(run.failure(), ("Bad.Size", "neither small nor large"));
}

#[test]
fn filters_shape_what_a_function_gets_and_gives() {
    let workflow = Workflow::new(&one(json!({ "Type": "Task", "Resource": "echo", "End": true,
        "InputPath": "$.order",
        "Parameters": { "first.$": "$.items[0]", "execution.$": "$$.Execution.Name", "fixed": 1 },
        "ResultSelector": { "got.$": "$.first", "named.$": "$.execution" },
        "ResultPath": "$.result", "OutputPath": "$.result" })))
    .functions(&[("echo", ECHO)]);
    let run = workflow.run(&json!({ "order": { "items": ["tea", "pot"] } }));
    assert_eq!(run.output(), &json!({ "got": "tea", "named": run.report["execution"] }));
}

#[test]
fn parallel_branches_give_their_outputs_in_order() {
    let sleepy = |seconds: f64, name: &str| {
        let (set, sleep) = (format!("Set {seconds}"), format!("Sleep {seconds}"));
        json!({ "StartAt": set, "States": { &set: { "Type": "Pass", "Result": seconds, "Next": sleep },
                &sleep: { "Type": "Task", "Resource": name, "End": true } } })
    };
    let workflow = Workflow::new(&one(json!({ "Type": "Parallel", "End": true,
        "Branches": [sleepy(0.4, "a"), sleepy(0.2, "b"), sleepy(0.0, "c"), sleepy(0.3, "a")] })))
    .functions(&[("a", SLEEPS), ("b", SLEEPS), ("c", SLEEPS)]);
    for isolation in ["auto", "process", "none"] {
        let run = workflow.run_under(isolation, &json!({}));
        assert_eq!(run.output(), &json!([0.4, 0.2, 0.0, 0.3]), "{isolation}");
        // Different functions sleep at the same time.
        let spans = |function: &str| {
            let states = run.report["states"].as_array().unwrap().iter();
            let of = states
                .filter(|state| state["function"] == function)
                .flat_map(|state| state["calls"].as_array().unwrap());
            of.map(|call| (call["called_us"].as_u64().unwrap(), call["returned_us"].as_u64().unwrap()))
                .collect::<Vec<_>>()
        };
        let (a, b) = (spans("a"), spans("b"));
        assert!(b[0].0 < a[0].1 && a[0].0 < b[0].1, "{isolation}: a {a:?}, b {b:?}");
    }
}

#[test]
fn a_failing_branch_ends_the_others() {
    let workflow = Workflow::new(&one(json!({ "Type": "Parallel", "End": true, "Branches": [
        { "StartAt": "Sleep", "States": { "Sleep": { "Type": "Task", "Resource": "sleep", "End": true } } },
        { "StartAt": "Wait", "States": { "Wait": { "Type": "Wait", "Seconds": 600, "End": true } } },
        { "StartAt": "Fail", "States": { "Fail": { "Type": "Fail", "Error": "Broken" } } }] })))
    .functions(&[("sleep", "import time\ndef handler(event, context): time.sleep(600)")]);
    let run = workflow.run(&json!({}));
    assert_eq!((run.exit, &run.report["error"]), (Some(100), &json!("Broken")), "{run:#?}");
}

#[test]
fn map_keeps_order_and_concurrency() {
    let map = |concurrency: u32| {
        one(json!({ "Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": concurrency, "End": true,
            "ItemSelector": { "item.$": "$$.Map.Item.Value", "index.$": "$$.Map.Item.Index" },
            "ItemProcessor": { "StartAt": "Square", "States": {
                "Square": { "Type": "Task", "Resource": "square", "End": true } } } }))
    };
    let code = "def handler(event, context): return event['item'] ** 2 + event['index'] * 1000";
    let items: Vec<u32> = (0..50).collect();
    let expected: Vec<u32> = items.iter().map(|item| item * item + item * 1000).collect();
    for concurrency in [0, 1, 7] {
        let workflow = Workflow::new(&map(concurrency)).functions(&[("square", code)]);
        let run = workflow.run(&json!({ "items": items }));
        assert_eq!(run.output(), &json!(expected), "{concurrency}");
        let empty = workflow.run(&json!({ "items": [] }));
        assert_eq!(empty.output(), &json!([]), "{concurrency}");
    }
}

#[test]
fn a_task_that_takes_too_long_can_be_caught() {
    let mut machine = one(json!({ "Type": "Task", "Resource": "sleep", "TimeoutSeconds": 1, "End": true,
        "Catch": [{ "ErrorEquals": ["States.Timeout"], "Next": "Late" }] }));
    machine["States"]["Late"] = json!({ "Type": "Task", "Resource": "echo", "End": true });
    let sleep = "import time\ndef handler(event, context): time.sleep(600)";
    let workflow = Workflow::new(&machine).functions(&[("sleep", sleep), ("echo", ECHO)]);
    for isolation in ["auto", "process", "none"] {
        let run = workflow.run_under(isolation, &json!({}));
        assert_eq!(run.output()["Error"], "States.Timeout", "{isolation}");
    }
}

#[test]
fn a_function_that_outlives_its_own_timeout_can_be_retried_and_caught() {
    let mut machine = one(json!({ "Type": "Task", "Resource": "sleep", "End": true,
        "Retry": [{ "ErrorEquals": ["Sandbox.Timedout"], "IntervalSeconds": 1, "MaxAttempts": 1 }],
        "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "Late" }] }));
    machine["States"]["Late"] = json!({ "Type": "Task", "Resource": "echo", "End": true });
    let sleep = "import time\ndef handler(event, context): time.sleep(600)";
    let workflow = Workflow::new(&machine)
        .functions(&[("sleep", sleep), ("echo", ECHO)])
        .config("[functions.sleep]\ntimeout = 1\n");
    for isolation in ["auto", "process", "none"] {
        let run = workflow.run_under(isolation, &json!({}));
        let output = run.output();
        assert_eq!(output["Error"], "Sandbox.Timedout", "{isolation}");
        assert!(output["Cause"].as_str().unwrap().contains("Task timed out after 1.00 seconds"), "{output}");
    }
}

#[test]
fn a_function_that_never_yields_can_time_out() {
    for code in ["while True: pass", "import ctypes; ctypes.PyDLL(None).pause()", "sum(range(10**15))"] {
        let state = json!({ "Type": "Task", "Resource": "spin", "TimeoutSeconds": 1, "End": true });
        let spin = format!("def handler(event, context):\n    {code}\n");
        let run = Workflow::new(&one(state)).functions(&[("spin", &spin)]).run(&json!({}));
        assert_eq!((run.exit, &run.report["error"]), (Some(100), &json!("States.Timeout")), "{run:#?}");
    }
}

#[test]
fn an_execution_that_takes_too_long_times_out() {
    let mut machine = one(json!({ "Type": "Task", "Resource": "sleep", "End": true }));
    machine["TimeoutSeconds"] = json!(1);
    let sleep = "import time\ndef handler(event, context):\n    print('asleep')\n    time.sleep(600)";
    let run = Workflow::new(&machine).functions(&[("sleep", sleep)]).run(&json!({}));
    assert_eq!((run.exit, &run.report["status"]), (Some(103), &json!("TIMED_OUT")), "{run:#?}");
    assert_eq!(run.lines(), [("sleep", "asleep")]);
}

#[test]
fn resources_can_be_arns_and_the_lambda_integration() {
    let workflow = Workflow::new(&json!({ "StartAt": "Arn", "States": {
        "Arn": { "Type": "Task", "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:add:prod", "Next": "Invoke" },
        "Invoke": { "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true,
            "Parameters": { "FunctionName": "add", "Payload.$": "$" },
            "ResultSelector": { "payload.$": "$.Payload", "status.$": "$.StatusCode" } } } }))
    .functions(&[("add", "def handler(event, context): return event + 1")]);
    assert_eq!(workflow.run(&json!(1)).output(), &json!({ "payload": 3, "status": 200 }));
}

#[test]
fn a_definition_can_be_yaml() {
    let workflow = Workflow::chain(&[("add", "def handler(event, context): return event + 1")]);
    std::fs::remove_file(workflow.path("workflow.asl.json")).unwrap();
    let workflow = workflow.file(
        "workflow.asl.yaml",
        "StartAt: Add\nStates:\n  Add:\n    Type: Task\n    Resource: add\n    End: true\n",
    );
    assert_eq!(workflow.run(&json!(1)).output(), &json!(2));
}

#[test]
fn a_path_that_finds_nothing_fails_the_execution() {
    let state = json!({ "Type": "Task", "Resource": "echo", "InputPath": "$.missing", "End": true });
    let run = Workflow::new(&one(state)).functions(&[("echo", ECHO)]).run(&json!({}));
    assert_eq!(run.exit, Some(100), "{run:#?}");
    assert!(run.report["cause"].as_str().unwrap().contains("$.missing"), "{run:#?}");
}

#[test]
fn events_are_named_as_step_functions_does() {
    let run = Workflow::chain(&[("echo", ECHO)]).run(&json!({}));
    assert_eq!(
        run.report["events"],
        json!([
            "ExecutionStarted",
            "TaskStateEntered",
            "LambdaFunctionScheduled",
            "LambdaFunctionStarted",
            "LambdaFunctionSucceeded",
            "TaskStateExited",
            "ExecutionSucceeded"
        ])
    );
}
