//! Parallel and Map: order, concurrency, failures, tolerance.

mod world;

use serde_json::{Value, json};
use world::{Answer, SECOND, START, echo, machine, run};

fn fails(error: &str) -> Answer {
    Some(Err((error.to_owned(), "because".to_owned())))
}

fn task(name: &str, function: &str) -> Value {
    json!({"StartAt": name, "States": {name: {"Type": "Task", "Resource": function, "End": true}}})
}

fn only(state: Value) -> Value {
    let mut definition = json!({"StartAt": "S", "States": {"S": state, "C": {"Type": "Pass", "End": true}}});
    definition["States"]["S"]["Next"] = json!("C");
    definition
}

fn map(fields: Value) -> Value {
    let mut state = json!({"Type": "Map", "ItemProcessor": task("T", "f")});
    for (name, value) in fields.as_object().unwrap() {
        state[name] = value.clone();
    }
    only(state)
}

#[test]
fn parallel_gives_results_in_the_order_of_its_branches() {
    let slow = json!({"StartAt": "W", "States": {
        "W": {"Type": "Wait", "Seconds": 9, "Next": "X"}, "X": {"Type": "Pass", "Result": "slow", "End": true}
    }});
    let state = json!({"Type": "Parallel", "Branches": [slow, task("A", "a"), task("B", "b")], "Parameters": {"p": 1},
                       "ResultSelector": {"all.$": "$"}, "ResultPath": "$.out"});
    let ended =
        run(&machine(&only(state)), json!({"in": 1}), |name, event, _| Some(Ok(json!([name, event]))));
    assert_eq!(ended.output(), json!({"in": 1, "out": {"all": ["slow", ["a", {"p": 1}], ["b", {"p": 1}]]}}));
    assert_eq!(ended.ended_at - START, 9 * SECOND);
    assert_eq!(ended.kinds()[1..3], ["ParallelStateEntered", "ParallelStateStarted"]);
    assert!(ended.kinds().ends_with(&[
        "ParallelStateSucceeded",
        "ParallelStateExited",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded"
    ]));
}

#[test]
fn the_first_branch_that_fails_ends_the_others() {
    let inner = json!({"StartAt": "I", "States": {
        "I": {"Type": "Map", "ItemProcessor": task("T", "never"), "End": true}
    }});
    let waiting = json!({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 9, "End": true}}});
    let branches = json!([inner, waiting, task("A", "fails"), task("B", "never")]);
    let state = json!({"Type": "Parallel", "Branches": branches,
                       "Catch": [{"ErrorEquals": ["E"], "ResultPath": "$[0]", "Next": "C"}]});
    let ended = run(
        &machine(&only(state)),
        json!([1, 2]),
        |name, _, _| if name == "fails" { fails("E") } else { None },
    );
    assert_eq!(ended.output(), json!([{"Error": "E", "Cause": "because"}, 2]));
    assert_eq!(ended.cancelled, 3, "two iterations and a branch");
    let after: Vec<&str> =
        ended.kinds().into_iter().skip_while(|kind| *kind != "LambdaFunctionFailed").collect();
    assert_eq!(
        after[1..],
        [
            "TaskStateAborted",
            "MapIterationAborted",
            "TaskStateAborted",
            "MapIterationAborted",
            "MapStateAborted",
            "WaitStateAborted",
            "TaskStateAborted",
            "ParallelStateFailed",
            "ParallelStateExited",
            "PassStateEntered",
            "PassStateExited",
            "ExecutionSucceeded"
        ]
    );
}

#[test]
fn groups_are_retried_as_a_whole() {
    let state = json!({"Type": "Parallel", "Branches": [task("A", "a"), task("B", "b")],
                       "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 1}]});
    let ended = run(&machine(&only(state)), json!(1), |name, event, calls| match (name, calls) {
        ("b", 0..2) => fails("E"),
        _ => Some(Ok(event.clone())),
    });
    assert_eq!(ended.output(), json!([1, 1]));
    assert_eq!(ended.calls.len(), 4);
    assert!(!ended.kinds().contains(&"ParallelStateFailed"));
}

#[test]
fn map_gives_every_item_to_its_states() {
    for (fields, input, expected) in [
        (json!({}), json!([1, 2]), json!([1, 2])),
        (json!({}), json!([]), json!([])),
        (json!({"ItemsPath": "$.list"}), json!({"list": ["a"]}), json!(["a"])),
        (json!({"ItemsPath": "$.list[*].x"}), json!({"list": [{"x": 1}, {"x": 2}]}), json!([1, 2])),
        (
            json!({"InputPath": "$.in", "ItemsPath": "$.list", "ItemSelector": {
                "index.$": "$$.Map.Item.Index", "value.$": "$$.Map.Item.Value.x", "all.$": "$.k", "c": 1}}),
            json!({"in": {"list": [{"x": 1}, {"x": 2}], "k": true}}),
            json!([{"index": 0, "value": 1, "all": true, "c": 1}, {"index": 1, "value": 2, "all": true, "c": 1}]),
        ),
        (
            json!({"ItemProcessor": {"StartAt": "T", "States": {
                "T": {"Type": "Pass", "Parameters": {"i.$": "$$.Map.Item.Index"}, "End": true}}}}),
            json!(["a", "b"]),
            json!([{"i": 0}, {"i": 1}]),
        ),
        (json!({"ResultPath": "$[1]"}), json!([1, 2]), json!([1, [1, 2]])),
    ] {
        let ended = run(&machine(&map(fields.clone())), input, echo);
        assert_eq!(ended.output(), expected, "{fields}");
    }
}

#[test]
fn no_more_iterations_run_than_allowed() {
    for (limit, at_once) in [(json!(0), 10), (json!(3), 3), (json!(1), 1), (json!(20), 10)] {
        let items: Vec<usize> = (0..10).collect();
        let ended = run(&machine(&map(json!({ "MaxConcurrency": limit }))), json!(items), echo);
        assert_eq!(ended.most_at_once, at_once);
        assert_eq!(ended.output(), json!(items));
    }
}

#[test]
fn failures_are_tolerated_up_to_the_threshold() {
    let odd_fail = |_: &str, event: &Value, _: usize| match event.as_u64() {
        Some(number) if number % 2 == 1 => fails("Odd"),
        _ => Some(Ok(event.clone())),
    };
    for (fields, expected) in [
        (json!({"ToleratedFailureCount": 2}), Ok(json!([0, 2]))),
        (json!({"ToleratedFailurePercentage": 50}), Ok(json!([0, 2]))),
        (json!({"ToleratedFailureCount": 1}), Err("States.ExceedToleratedFailureThreshold")),
        (json!({"ToleratedFailurePercentage": 49}), Err("States.ExceedToleratedFailureThreshold")),
        (
            json!({"ToleratedFailureCount": 9, "ToleratedFailurePercentage": 1}),
            Err("States.ExceedToleratedFailureThreshold"),
        ),
        (json!({}), Err("Odd")),
    ] {
        let ended = run(&machine(&map(fields.clone())), json!([0, 1, 2, 3]), odd_fail);
        match expected {
            Ok(output) => assert_eq!(ended.output(), output, "{fields}"),
            Err(error) => {
                assert_eq!(ended.failure().0, error, "{fields}");
                let kinds = ended.kinds();
                assert_eq!(kinds[kinds.len() - 2..], ["MapStateFailed", "ExecutionFailed"]);
            }
        }
    }
}

#[test]
fn numbers_from_paths_are_checked() {
    let place = "An error occurred while executing the state 'S' (entered at the event id #2). ";
    let fields = json!({"ItemsPath": "$.items", "ToleratedFailureCountPath": "$.count"});
    for (count, cause) in [
        (json!(-1), "ToleratedFailureCount cannot be negative."),
        (
            json!({}),
            "The ToleratedFailureCountPath field refers to value \"{}\" which is not a valid integer: $.count",
        ),
    ] {
        let ended = run(&machine(&map(fields.clone())), json!({"items": [], "count": count}), echo);
        assert_eq!(ended.failure(), ("States.Runtime".to_owned(), format!("{place}{cause}")));
        assert_eq!(
            ended.kinds(),
            ["ExecutionStarted", "MapStateEntered", "MapStateStarted", "ExecutionFailed"]
        );
    }
}

#[test]
fn iterations_that_never_wait_need_no_room() {
    let pass = json!({"StartAt": "T", "States": {"T": {"Type": "Pass", "End": true}}});
    let ended = run(&machine(&map(json!({ "ItemProcessor": pass }))), json!(vec![7; 50_000]), echo);
    assert_eq!(ended.output().as_array().map(Vec::len), Some(50_000));
    let (mut open, mut most) = (0, 0);
    for kind in ended.kinds() {
        match kind {
            "MapIterationStarted" => open += 1,
            "MapIterationSucceeded" => open -= 1,
            _ => {}
        }
        most = most.max(open);
    }
    // At each limit of transitions, the iteration that is at work steps back behind the others.
    assert!(most < 30, "{most} iterations were open at a time");
}
