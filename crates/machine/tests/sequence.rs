//! States one after another: data flow, Choice, Wait, Fail, the context object, limits.

mod world;

use faastlane_machine::{Action, Event, Execution, HistoryLevel, Limits, Outcome};
use faastlane_payload::Payload;
use serde_json::{Value, json};
use world::{SECOND, START, echo, machine, machine_with, run, start};

/// A machine of one state that ends it.
fn only(mut state: Value) -> Value {
    if !["Choice", "Succeed", "Fail"].contains(&state["Type"].as_str().unwrap()) {
        state["End"] = json!(true);
    }
    let is_choice = state["Type"] == "Choice";
    let mut states = json!({ "S": state });
    if is_choice {
        states["T"] = json!({"Type": "Succeed"});
    }
    json!({ "StartAt": "S", "States": states })
}

#[test]
fn pass_moves_data() {
    let input = json!({"a": {"b": 1}, "list": [1, 2], "keep": true});
    for (state, expected) in [
        (json!({}), input.clone()),
        (json!({"InputPath": "$.a"}), json!({"b": 1})),
        (json!({"InputPath": null}), json!({})),
        (json!({"OutputPath": "$.list"}), json!([1, 2])),
        (json!({"OutputPath": null}), json!({})),
        (json!({"OutputPath": "$.list[*]"}), json!([1, 2])),
        (json!({"Result": 7}), json!(7)),
        (json!({"Result": {"x.$": "$.a"}}), json!({"x.$": "$.a"})),
        (json!({"Parameters": {"x.$": "$.a.b", "y": [2]}}), json!({"x": 1, "y": [2]})),
        (json!({"InputPath": "$.a", "Parameters": {"x.$": "$.b"}}), json!({"x": 1})),
        (
            json!({"InputPath": "$.a", "ResultPath": "$.new"}),
            json!({"a": {"b": 1}, "list": [1, 2], "keep": true, "new": {"b": 1}}),
        ),
        (json!({"Result": 7, "ResultPath": null}), input.clone()),
        (json!({"Result": 7, "ResultPath": "$.a.c.d", "OutputPath": "$.a"}), json!({"b": 1, "c": {"d": 7}})),
        (json!({"Result": 7, "ResultPath": "$.list[0]", "OutputPath": "$.list"}), json!([7, 2])),
    ] {
        let mut definition = only(json!({"Type": "Pass"}));
        for (name, value) in state.as_object().unwrap() {
            definition["States"]["S"][name] = value.clone();
        }
        assert_eq!(run(&machine(&definition), input.clone(), echo).output(), expected, "{state}");
    }
}

#[test]
fn what_does_not_fit_fails_as_step_functions_words_it() {
    let place = "An error occurred while executing the state 'S' (entered at the event id #2). ";
    for (state, error, cause) in [
        (
            json!({"Type": "Pass", "Parameters": {"v.$": "$.no"}}),
            "States.Runtime",
            "The JSONPath '$.no' specified for the field 'v.$' could not be found in the input '{\"a\":1}'",
        ),
        (
            json!({"Type": "Pass", "ResultPath": "$.a.b"}),
            "States.ResultPathMatchFailure",
            "Unable to apply ReferencePath $.a.b to input {\"a\":1}",
        ),
        (
            json!({"Type": "Pass", "InputPath": "$.no"}),
            "States.Runtime",
            "Invalid path '$.no' : No results for path: $['no']",
        ),
        (
            json!({"Type": "Succeed", "OutputPath": "$.no"}),
            "States.Runtime",
            "Invalid path '$.no' : No results for path: $['no']",
        ),
        (
            json!({"Type": "Wait", "SecondsPath": "$.list"}),
            "States.Runtime",
            "The JSONPath '$.list' specified for the field 'SecondsPath' could not be found in the input '{\"a\":1}'",
        ),
        (
            json!({"Type": "Wait", "TimestampPath": "$.a"}),
            "States.Runtime",
            "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format \
             string: $.a == 1",
        ),
        (
            json!({"Type": "Choice", "Choices": [{"Variable": "$.no", "NumericEquals": 1, "Next": "T"}]}),
            "States.Runtime",
            "Invalid path '$.no': The choice state's condition path references an invalid value.",
        ),
        (
            json!({"Type": "Choice", "Choices": [{"Variable": "$.a", "NumericEquals": 2, "Next": "T"}]}),
            "States.NoChoiceMatched",
            "Failed to transition out of the state. The state does not point to a next state.",
        ),
        (
            json!({"Type": "Map", "ItemProcessor": {"StartAt": "T", "States": {"T": {"Type": "Succeed"}}}}),
            "States.Runtime",
            "Reference path \"$\" must point to array.",
        ),
        (
            json!({"Type": "Fail", "ErrorPath": "$.a"}),
            "States.Runtime",
            "The ErrorPath field '$.a' must refer to a string.",
        ),
    ] {
        let ended = run(&machine(&only(state.clone())), json!({"a": 1}), echo);
        assert_eq!(ended.failure(), (error.to_owned(), format!("{place}{cause}")), "{state}");
    }
}

#[test]
fn fail_says_what_it_is_told() {
    for (state, expected) in [
        (json!({"Type": "Fail"}), (None, None)),
        (json!({"Type": "Fail", "Error": "E", "Cause": "c"}), (Some("E"), Some("c"))),
        (json!({"Type": "Fail", "ErrorPath": "$.e", "CausePath": "$$.State.Name"}), (Some("X"), Some("S"))),
        (json!({"Type": "Fail", "CausePath": "States.Format('{}!', $.e)"}), (None, Some("X!"))),
    ] {
        let ended = run(&machine(&only(state)), json!({"e": "X"}), echo);
        let (error, cause) = (expected.0.map(str::to_owned), expected.1.map(str::to_owned));
        assert_eq!(ended.outcome, Some(Outcome::Failed { error, cause }));
        assert_eq!(ended.kinds(), ["ExecutionStarted", "FailStateEntered", "ExecutionFailed"]);
    }
}

#[test]
fn choice_takes_the_first_rule_that_holds() {
    let input = json!({
        "n": 5, "f": 5.0, "s": "abc", "b": true, "null": null, "t": "2024-01-01T00:00:00Z", "later": "2024-01-01T02:00:00+01:00",
        "limit": 7, "text": "a*c", "list": []
    });
    for (test, expected) in [
        (json!({"Variable": "$.n", "NumericEquals": 5.0}), true),
        (json!({"Variable": "$.f", "NumericEquals": 5}), true),
        (json!({"Variable": "$.n", "NumericLessThanPath": "$.limit"}), true),
        (json!({"Variable": "$.n", "NumericGreaterThanEqualsPath": "$.f"}), true),
        (json!({"Variable": "$.s", "NumericEquals": 5}), false),
        (json!({"Variable": "$.s", "StringEquals": "abc"}), true),
        (json!({"Variable": "$.s", "StringLessThan": "abd"}), true),
        (json!({"Variable": "$.s", "StringGreaterThanPath": "$.text"}), true),
        (json!({"Variable": "$.s", "StringMatches": "a*"}), true),
        (json!({"Variable": "$.text", "StringMatches": "a\\*c"}), true),
        (json!({"Variable": "$.s", "StringMatches": "a\\*c"}), false),
        (json!({"Variable": "$.n", "StringMatches": "*"}), false),
        (json!({"Variable": "$.b", "BooleanEquals": true}), true),
        (json!({"Variable": "$.b", "BooleanEqualsPath": "$.n"}), false),
        (json!({"Variable": "$.t", "TimestampEquals": "2024-01-01T01:00:00+01:00"}), true),
        (json!({"Variable": "$.t", "TimestampLessThanPath": "$.later"}), true),
        (json!({"Variable": "$.s", "TimestampLessThan": "2024-01-01T00:00:00Z"}), false),
        (json!({"Variable": "$.null", "IsNull": true}), true),
        (json!({"Variable": "$.n", "IsNull": false}), true),
        (json!({"Variable": "$.no", "IsPresent": false}), true),
        (json!({"Variable": "$.null", "IsPresent": true}), true),
        (json!({"Variable": "$.n", "IsNumeric": true}), true),
        (json!({"Variable": "$.s", "IsString": true}), true),
        (json!({"Variable": "$.n", "IsBoolean": false}), true),
        (json!({"Variable": "$.t", "IsTimestamp": true}), true),
        (json!({"Variable": "$.s", "IsTimestamp": true}), false),
        (json!({"Variable": "$$.State.Name", "StringEquals": "S"}), true),
        (json!({"Not": {"Variable": "$.n", "NumericEquals": 5}}), false),
        (
            json!({"And": [{"Variable": "$.no", "IsPresent": true}, {"Variable": "$.no", "IsNull": true}]}),
            false,
        ),
        (json!({"Or": [{"Variable": "$.n", "IsNumeric": true}, {"Variable": "$.no", "IsNull": true}]}), true),
    ] {
        let mut rule = test.clone();
        rule["Next"] = json!("Yes");
        let definition = json!({"StartAt": "S", "States": {
            "S": {"Type": "Choice", "Choices": [rule], "Default": "No"},
            "Yes": {"Type": "Pass", "Result": true, "End": true},
            "No": {"Type": "Pass", "Result": false, "End": true}
        }});
        assert_eq!(run(&machine(&definition), input.clone(), echo).output(), json!(expected), "{test}");
    }
}

#[test]
fn wait_lasts_as_long_as_it_is_told() {
    let input = json!({"seconds": 90, "until": "2023-11-14T22:13:25.5Z", "past": "1969-12-31T00:00:00Z"});
    for (field, value, waited) in [
        ("Seconds", json!(3), 3 * SECOND),
        ("SecondsPath", json!("$.seconds"), 90 * SECOND),
        ("Timestamp", json!("2023-11-14T22:13:20.000001Z"), 1),
        ("TimestampPath", json!("$.until"), 5_500_000),
        ("TimestampPath", json!("$.past"), 0),
    ] {
        let ended = run(&machine(&only(json!({"Type": "Wait", field: value}))), input.clone(), echo);
        assert_eq!(ended.ended_at - START, waited, "{field}");
        assert_eq!(ended.output(), input);
        assert_eq!(ended.kinds()[1..3], ["WaitStateEntered", "WaitStateExited"]);
    }
}

#[test]
fn the_context_object_shows_where_the_state_is() {
    let definition = json!({"StartAt": "S", "States": {
        "S": {"Type": "Wait", "Seconds": 1, "Next": "T"},
        "T": {"Type": "Pass", "OutputPath": "$$", "End": true}
    }});
    assert_eq!(
        run(&machine(&definition), json!([1]), echo).output(),
        json!({
            "Execution": {
                "Id": "arn:execution", "Name": "execution", "RoleArn": "arn:role", "Input": [1],
                "StartTime": "2023-11-14T22:13:20.000Z", "RedriveCount": 0
            },
            "State": {"EnteredTime": "2023-11-14T22:13:21.000Z", "Name": "T"},
            "StateMachine": {"Id": "arn:machine", "Name": "machine"}
        })
    );
}

/// Bytes that count as a payload as long as nobody decodes them.
struct Sealed(Vec<u8>);

impl AsRef<[u8]> for Sealed {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl faastlane_payload::Backing for Sealed {}

#[test]
fn states_without_filters_pass_payloads_on_unparsed() {
    let invoke = "arn:aws:states:::lambda:invoke";
    let flow =
        json!({"StartAt": "Inner", "States": {"Inner": {"Type": "Task", "Resource": "g", "End": true}}});
    let definition = json!({"StartAt": "A", "States": {
        "A": {"Type": "Task", "Resource": "f", "Next": "B"},
        "B": {"Type": "Pass", "Next": "C"},
        "C": {"Type": "Wait", "Seconds": 1, "Next": "D"},
        "D": {"Type": "Task", "Resource": "f", "ResultPath": null, "Next": "E"},
        "E": {"Type": "Task", "Resource": invoke, "Parameters": {"FunctionName": "f", "Payload.$": "$"},
              "OutputPath": "$.Payload", "Next": "F"},
        "F": {"Type": "Parallel", "Branches": [flow], "Catch": [{"ErrorEquals": ["E"], "ResultPath": null, "Next": "G"}],
              "Next": "G"},
        "G": {"Type": "Succeed"}
    }});
    let machine = machine(&definition);
    let sealed = Payload::from_flat(Box::new(Sealed(vec![0xff; 100])));
    let (mut execution, mut actions) = Execution::start(
        &machine,
        faastlane_machine::Start {
            input: sealed.clone(),
            history: HistoryLevel::Types,
            ..start(json!(null))
        },
    );
    let mut functions = Vec::new();
    loop {
        let mut event = None;
        for action in actions.drain(..) {
            match action {
                Action::Invoke { invocation, function: Some(function), payload, .. } => {
                    assert!(std::ptr::eq(payload.flat(), sealed.flat()), "{function} gets the same bytes");
                    let at = START;
                    event = Some(match &*function {
                        "f" => Event::InvocationSucceeded { invocation, output: payload, log: None, at },
                        _ => Event::InvocationFailed {
                            invocation,
                            error: "E".into(),
                            cause: String::new(),
                            at,
                        },
                    });
                    functions.push(function);
                }
                Action::SetTimer { timer, at, .. } => event = Some(Event::TimerFired { timer, at }),
                Action::Finished(outcome) => {
                    let Outcome::Succeeded(output) = outcome else { panic!("{outcome:?}") };
                    assert!(std::ptr::eq(output.flat(), sealed.flat()));
                }
                _ => {}
            }
        }
        let Some(event) = event else { break };
        execution.step(&machine, event, &mut actions);
    }
    assert_eq!(functions.iter().map(|name| &**name).collect::<Vec<_>>(), ["f", "f", "f", "g"]);
    assert!(!sealed.is_decoded());
    assert!(execution.outcome().is_some());
}

#[test]
fn damaged_payloads_fail_the_state_that_reads_them() {
    let machine = machine(&only(json!({"Type": "Pass", "InputPath": "$.x"})));
    let input = Payload::from_flat(Box::new(vec![0xff; 3]));
    let (execution, _) = Execution::start(&machine, faastlane_machine::Start { input, ..start(json!(null)) });
    let Some(Outcome::Failed { error, cause }) = execution.outcome() else { panic!("{execution:?}") };
    assert_eq!(error.as_deref(), Some("States.Runtime"));
    assert!(cause.as_ref().unwrap().contains("The payload cannot be read"), "{cause:?}");
}

#[test]
fn data_over_the_limit_fails_the_state() {
    let limits = Limits { payload_bytes: 1_000, ..Limits::default() };
    let many = json!(vec![1; 80]);
    let growing = json!({"Type": "Pass", "Parameters": {"a.$": "$", "b.$": "$"}});
    let ended = run(&machine_with(&only(growing), limits), many, echo);
    assert_eq!(ended.failure().0, "States.DataLimitExceeded");

    let task = json!({"StartAt": "S", "States": {
        "S": {"Type": "Task", "Resource": "f", "End": true,
              "Retry": [{"ErrorEquals": ["States.ALL"]}], "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "C"}]},
        "C": {"Type": "Pass", "End": true}
    }});
    let ended = run(&machine_with(&task, limits), json!(null), |_, _, _| Some(Ok(json!(vec![1; 1_000]))));
    assert_eq!(
        ended.output(),
        json!({
            "Error": "States.DataLimitExceeded",
            "Cause": "The state/task 'f' returned a result with a size exceeding the maximum number of bytes service limit."
        })
    );
    assert_eq!(ended.calls.len(), 1, "it is not retried");

    let ended = run(&machine_with(&task, limits), json!(vec![1; 1_000]), echo);
    assert_eq!(ended.failure().0, "States.DataLimitExceeded");
    assert_eq!(ended.kinds(), ["ExecutionStarted", "ExecutionFailed"]);
}

#[test]
fn loops_neither_grow_nor_hang() {
    let forever = json!({"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Next": "B"},
        "B": {"Type": "Choice", "Choices": [{"Variable": "$.stop", "IsPresent": true, "Next": "C"}], "Default": "A"},
        "C": {"Type": "Succeed"}
    }});
    let machine = machine(&forever);
    let (mut execution, mut actions) = Execution::start(&machine, start(json!({})));
    let size = |execution: &Execution| format!("{execution:?}").len();
    let first = size(&execution);
    for _ in 0..20 {
        assert_eq!(actions.pop(), Some(Action::Yield));
        actions.clear();
        execution.step(&machine, Event::Continue { at: START }, &mut actions);
    }
    assert!(size(&execution) < first + 30, "200,000 transitions later only its numbers have more digits");
    actions.clear();
    execution.step(&machine, Event::Aborted { error: None, cause: None, at: START }, &mut actions);
    assert_eq!(actions.last(), Some(&Action::Finished(Outcome::Aborted { error: None, cause: None })));
}

const STACK: usize = 16 << 20;

#[test]
fn nesting_beyond_the_limit_fails_the_state() {
    let nesting = json!({"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Parameters": {"a.$": "$"}, "Next": "B"},
        "B": {"Type": "Choice", "Choices": [{"Variable": "$.stop", "IsPresent": true, "Next": "C"}], "Default": "A"},
        "C": {"Type": "Succeed"}
    }});
    // Unoptimised, copying the deepest value takes more than the stack of a test's thread.
    let ended = std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || run(&machine(&nesting), json!(null), echo))
        .map(|thread| thread.join().expect("it does not overflow"));
    assert!(ended.expect("a thread").failure().1.ends_with("The data nests deeper than 1000 levels."));
}

/// A hundred thousand transitions leave an execution as it was, but for the number of its last event.
#[test]
fn an_execution_does_not_grow_with_its_transitions() {
    let machine = machine_with(
        &json!({ "StartAt": "Go", "States": {
            "Go": { "Type": "Pass", "Parameters": { "n.$": "$.n", "list.$": "$.list" }, "Next": "Again" },
            "Again": { "Type": "Choice", "Default": "End", "Choices": [
                { "Variable": "$.n", "NumericLessThan": 10, "Next": "Go" } ] },
            "End": { "Type": "Succeed" } } }),
        Limits { transitions_per_step: 10_000, ..Limits::default() },
    );
    let (mut execution, mut actions) =
        Execution::start(&machine, start(json!({ "n": 1, "list": [1, 2, 3] })));
    let size = |execution: &Execution| format!("{execution:?}").len();
    let early = size(&execution);
    for _ in 1..10 {
        assert!(matches!(actions.last(), Some(Action::Yield)));
        actions.clear();
        execution.step(&machine, Event::Continue { at: START }, &mut actions);
    }
    assert_eq!(actions.iter().filter(|action| matches!(action, Action::Record(_))).count(), 20_000);
    // 20,001 events have become 200,001: a digit more wherever an event is named.
    let late = size(&execution);
    assert!((early..early + 8).contains(&late), "{early} bytes have become {late}");
}
