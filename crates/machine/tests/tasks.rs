//! Task states: invocations, Retry, Catch, timeouts, `lambda:invoke`.

mod world;

use faastlane_machine::{Action, Event, Execution, Outcome};
use faastlane_payload::Payload;
use serde_json::{Value, json};
use world::{Answer, SECOND, START, echo, machine, run, start};

const INVOKE: &str = "arn:aws:states:::lambda:invoke";

fn fails(error: &str) -> Answer {
    Some(Err((error.to_owned(), "because".to_owned())))
}

/// One task with these fields besides, and a state that takes what it catches.
fn task(fields: Value) -> Value {
    let mut state = json!({"Type": "Task", "Resource": "f", "End": true});
    for (name, value) in fields.as_object().unwrap() {
        state[name] = value.clone();
    }
    let mut states = json!({ "S": state });
    if fields.get("Catch").is_some() {
        states["C"] = json!({"Type": "Pass", "End": true});
    }
    json!({"StartAt": "S", "States": states})
}

#[test]
fn a_function_gets_the_effective_input_and_gives_the_result() {
    let definition = task(json!({
        "InputPath": "$.in", "Parameters": {"x.$": "$.a"}, "ResultSelector": {"got.$": "$.x"}, "ResultPath": "$.out"
    }));
    let ended = run(&machine(&definition), json!({"in": {"a": 1}}), echo);
    assert_eq!(ended.calls, [("f".to_owned(), json!({"x": 1}), START)]);
    assert_eq!(ended.output(), json!({"in": {"a": 1}, "out": {"got": 1}}));
    assert_eq!(
        ended.kinds(),
        [
            "ExecutionStarted",
            "TaskStateEntered",
            "LambdaFunctionScheduled",
            "LambdaFunctionStarted",
            "LambdaFunctionSucceeded",
            "TaskStateExited",
            "ExecutionSucceeded"
        ]
    );
    assert!(
        ended
            .history
            .iter()
            .zip(1..)
            .all(|(event, id)| event.id == id && event.previous_id == if id == 2 { 0 } else { id - 1 })
    );
}

#[test]
fn lambda_invoke_wraps_its_result() {
    let parameters = json!({"FunctionName.$": "$.name", "Payload": {"x.$": "$.x"}});
    let ended = run(
        &machine(&task(json!({"Resource": INVOKE, "Parameters": parameters}))),
        json!({"name": "arn:aws:lambda:eu-west-1:123456789012:function:g:live", "x": 1}),
        echo,
    );
    assert_eq!(ended.calls[0].0, "g");
    let output = ended.output();
    assert_eq!(output["Payload"], json!({"x": 1}));
    assert_eq!((&output["StatusCode"], &output["ExecutedVersion"]), (&json!(200), &json!("$LATEST")));
    assert_eq!(output["SdkHttpMetadata"]["HttpHeaders"]["Content-Length"], json!("8"));
    assert_eq!(ended.kinds()[2..5], ["TaskScheduled", "TaskStarted", "TaskSucceeded"]);
}

#[test]
fn lambda_invoke_takes_strings_as_json_text() {
    let fields = json!({
        "Resource": INVOKE, "Parameters": {"FunctionName": "f", "Payload.$": "$"}, "OutputPath": "$.Payload"
    });
    for (input, event) in [
        (json!({"a": 1}), json!({"a": 1})),
        (json!("{\"a\": 1}"), json!({"a": 1})),
        (json!("\"text\""), json!("text")),
        (json!(null), json!({})),
        (json!(3), json!(3)),
    ] {
        let ended = run(&machine(&task(fields.clone())), input, echo);
        assert_eq!(ended.calls[0].1, event);
        assert_eq!(ended.output(), event);
    }
    let ended = run(&machine(&task(fields)), json!("no json"), echo);
    assert_eq!(ended.failure().0, "Lambda.InvalidRequestContentException");
}

#[test]
fn the_end_of_the_log_is_in_the_result_of_those_who_ask() {
    let literal = json!({"FunctionName": "f", "Payload.$": "$", "LogType": "Tail"});
    let found = json!({"FunctionName": "f", "Payload.$": "$", "LogType.$": "$.log"});
    let computed =
        json!({"FunctionName": "f", "Payload": "{% $states.input %}", "LogType": "{% $states.input.log %}"});
    for fields in [
        json!({"Resource": INVOKE, "Parameters": literal}),
        json!({"Resource": INVOKE, "Parameters": found}),
        json!({"Resource": INVOKE, "QueryLanguage": "JSONata", "Arguments": computed}),
    ] {
        let output = run(&machine(&task(fields)), json!({"log": "Tail"}), echo).output();
        let names: Vec<&String> = output.as_object().unwrap().keys().collect();
        assert_eq!(names[..3], ["ExecutedVersion", "LogResult", "Payload"]);
        let log = &output["LogResult"];
        // `START RequestId: request Version: $LATEST\nprinted\nEND`
        let start = "U1RBUlQgUmVxdWVzdElkOiByZXF1ZXN0IFZlcnNpb246ICRMQVRFU1QKcHJpbnRlZApFTkQg";
        assert!(log.as_str().unwrap().starts_with(start), "{log}");
        let metadata = &output["SdkHttpMetadata"];
        assert_eq!(metadata["HttpHeaders"]["X-Amz-Log-Result"], *log);
        assert_eq!(metadata["AllHttpHeaders"]["X-Amz-Log-Result"], json!([log]));
        assert_eq!(metadata["HttpHeaders"]["x-amzn-RequestId"], "request");
    }
}

#[test]
fn who_asks_for_no_log_gets_none_and_who_asks_for_something_else_an_error() {
    let parameters = json!({"FunctionName": "f", "Payload": {}, "LogType.$": "$"});
    let machine = machine(&task(json!({"Resource": INVOKE, "Parameters": parameters})));
    let output = run(&machine, json!("None"), |_, _, _| Some(Ok(json!(1)))).output();
    assert_eq!((&output["Payload"], output.get("LogResult")), (&json!(1), None));
    assert_eq!(output["SdkHttpMetadata"]["HttpHeaders"].get("X-Amz-Log-Result"), None);
    for (log_type, error, cause) in [
        (
            json!("tail"),
            "Lambda.AWSLambdaException",
            "Value 'tail' at 'logType' failed to satisfy constraint",
        ),
        (json!(true), "States.Runtime", "The field 'LogType' must be"),
    ] {
        let ended = run(&machine, log_type, echo);
        assert!(ended.calls.is_empty());
        let failure = ended.failure();
        assert_eq!(failure.0, error);
        assert!(failure.1.contains(cause), "{}", failure.1);
    }
}

#[test]
fn retriers_count_on_their_own_and_back_off() {
    let definition = task(json!({"Retry": [
        {"ErrorEquals": ["A"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 3.0},
        {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 10, "MaxAttempts": 1}
    ]}));
    let errors = ["A", "B", "A", "A"];
    let ended = run(&machine(&definition), json!(null), |_, _, calls| fails(errors[calls]));
    let times: Vec<u64> = ended.calls.iter().map(|(_, _, at)| (at - START) / SECOND).collect();
    assert_eq!(times, [0, 1, 11, 14]);
    assert_eq!(ended.failure(), ("A".to_owned(), "because".to_owned()));
    assert_eq!(ended.kinds().iter().filter(|kind| **kind == "TaskStateEntered").count(), 1);
    assert_eq!(ended.kinds().iter().filter(|kind| **kind == "LambdaFunctionScheduled").count(), 4);
}

#[test]
fn the_retry_count_is_in_the_context_and_starts_again_with_the_state() {
    let definition = json!({"StartAt": "S", "States": {
        "S": {"Type": "Task", "Resource": "f", "Parameters": {"n.$": "$$.State.RetryCount"},
              "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 2}], "Catch": [{"ErrorEquals": ["E"], "Next": "S"}],
              "End": true}
    }});
    let ended =
        run(
            &machine(&definition),
            json!({}),
            |_, _, calls| if calls < 5 { fails("E") } else { Some(Ok(json!(0))) },
        );
    let counts: Vec<Value> = ended.calls.iter().map(|(_, event, _)| event["n"].clone()).collect();
    assert_eq!(counts, [0, 1, 2, 0, 1, 2]);
}

#[test]
fn isolation_violations_are_caught_but_not_retried() {
    let all = json!(["States.ALL"]);
    let definition =
        task(json!({"Retry": [{"ErrorEquals": all}], "Catch": [{"ErrorEquals": all, "Next": "C"}]}));
    let ended =
        run(&machine(&definition), json!(null), |_, _, _| fails(faastlane_machine::ISOLATION_VIOLATION));
    assert_eq!(ended.calls.len(), 1);
    assert_eq!(ended.output(), json!({"Error": "Faastlane.IsolationViolation", "Cause": "because"}));
}

#[test]
fn catchers_get_the_error_where_they_want_it() {
    for (result_path, expected) in [
        (json!("$"), json!({"Error": "E", "Cause": "because"})),
        (json!("$.error"), json!({"in": 1, "error": {"Error": "E", "Cause": "because"}})),
        (json!(null), json!({"in": 1})),
    ] {
        let catch = json!([
            {"ErrorEquals": ["F"], "Next": "S"},
            {"ErrorEquals": ["States.TaskFailed"], "ResultPath": result_path, "Next": "C"}
        ]);
        let definition = task(json!({ "InputPath": "$.in", "OutputPath": "$.no", "Catch": catch }));
        let ended = run(&machine(&definition), json!({"in": 1}), |_, _, _| fails("E"));
        assert_eq!(ended.output(), expected);
        assert_eq!(ended.kinds()[4..6], ["LambdaFunctionFailed", "TaskStateExited"]);
    }
}

#[test]
fn a_task_that_takes_too_long_is_cancelled() {
    for (fields, seconds, error) in [
        (json!({"TimeoutSeconds": 5}), 5, "States.Timeout"),
        (json!({"TimeoutSeconds": 9, "HeartbeatSeconds": 2}), 2, "States.HeartbeatTimeout"),
        (json!({"TimeoutSecondsPath": "$.limit"}), 7, "States.Timeout"),
    ] {
        let ended = run(&machine(&task(fields)), json!({"limit": 7}), |_, _, _| None);
        assert_eq!(ended.failure().0, error);
        assert_eq!(ended.ended_at - START, seconds * SECOND);
        assert_eq!(ended.cancelled, 1);
        assert_eq!(ended.kinds()[4], "LambdaFunctionTimedOut");
    }
}

#[test]
fn the_machine_times_out_with_all_that_goes_on_in_it() {
    let branch = |name: &str| json!({"StartAt": name, "States": {name: {"Type": "Task", "Resource": "f", "End": true}}});
    let definition = json!({"TimeoutSeconds": 60, "StartAt": "P", "States": {
        "P": {"Type": "Parallel", "Branches": [branch("A"), branch("B")], "End": true}
    }});
    let ended = run(&machine(&definition), json!(null), |_, _, _| None);
    assert_eq!(ended.outcome, Some(Outcome::TimedOut));
    assert_eq!((ended.cancelled, ended.ended_at - START), (2, 60 * SECOND));
    let kinds = ended.kinds();
    assert_eq!(
        kinds[kinds.len() - 4..],
        ["TaskStateAborted", "TaskStateAborted", "ParallelStateAborted", "ExecutionTimedOut"]
    );
}

#[test]
fn answers_that_nobody_waits_for_change_nothing() {
    let definition = task(json!({"TimeoutSeconds": 5, "Retry": [{"ErrorEquals": ["States.Timeout"]}]}));
    let machine = machine(&definition);
    let (mut execution, actions) = Execution::start(&machine, start(json!(null)));
    let [Action::SetTimer { timer, .. }, Action::Invoke { invocation, timeout_at, .. }] = &actions[4..]
    else {
        panic!("{actions:?}")
    };
    assert_eq!(*timeout_at, Some(START + 5 * SECOND));
    let mut actions = Vec::new();
    execution.step(&machine, Event::TimerFired { timer: *timer, at: START + 5 * SECOND }, &mut actions);
    let waiting = execution.clone();
    actions.clear();
    let at = START + 5 * SECOND;
    let output = Payload::from_value(json!(1));
    execution.step(
        &machine,
        Event::InvocationSucceeded { invocation: *invocation, output, log: None, at },
        &mut actions,
    );
    execution.step(&machine, Event::TimerFired { timer: *timer, at }, &mut actions);
    let unknown = faastlane_machine::InvocationId(u64::MAX);
    execution.step(
        &machine,
        Event::InvocationFailed { invocation: unknown, error: "E".into(), cause: String::new(), at },
        &mut actions,
    );
    assert_eq!(execution, waiting);
    assert!(actions.is_empty());
}
