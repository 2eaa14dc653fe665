//! One state on trial: what it shows, and how it ends.

mod world;

use faastlane_asl::source::Source;
use faastlane_machine::{
    Action, Event, Execution, Inspection, Limits, Machine, Mock, Outcome, Recovery, Stage, Trial,
};
use faastlane_payload::Payload;
use serde_json::{Value, json};
use std::sync::Arc;

/// What was shown, and the outcome if there is one.
struct Shown {
    stages: Vec<(Stage, Value)>,
    failure: Option<(Option<String>, Recovery)>,
    next: Option<String>,
    outcome: Option<Outcome>,
}

fn collect(actions: Vec<Action>, shown: &mut Shown) {
    for action in actions {
        match action {
            Action::Inspected(Inspection::Stage(stage, value)) => {
                shown.stages.push((stage, value.value().unwrap().clone()));
            }
            Action::Inspected(Inspection::Failed { error, recovery, .. }) => {
                shown.failure = Some((error, recovery));
            }
            Action::Inspected(Inspection::Left { next }) => shown.next = next.map(|next| next.to_string()),
            Action::Finished(outcome) => shown.outcome = Some(outcome),
            _ => {}
        }
    }
}

fn try_state(state: &Value, input: Value, trial: Trial) -> Shown {
    let source = Source::new("state.json", state.to_string());
    let parsed = faastlane_asl::parse_state(&source, "S").unwrap_or_else(|found| panic!("{found:#?}"));
    try_in(&Machine::new(Arc::new(parsed.machine), Limits::default()), input, trial)
}

fn try_in(machine: &Machine, input: Value, trial: Trial) -> Shown {
    let (mut execution, actions) = Execution::start_trial(machine, world::start(input), trial);
    let invoked = actions.iter().find_map(|action| match action {
        Action::Invoke { invocation, .. } => Some(*invocation),
        _ => None,
    });
    let mut shown = Shown { stages: Vec::new(), failure: None, next: None, outcome: None };
    collect(actions, &mut shown);
    if let Some(invocation) = invoked {
        let output = Payload::from_value(json!({"answer": 42}));
        let mut actions = Vec::new();
        execution.step(
            machine,
            Event::InvocationSucceeded { invocation, output, log: None, at: world::START },
            &mut actions,
        );
        collect(actions, &mut shown);
    }
    shown
}

fn result(value: Value) -> Trial {
    Trial { mock: Some(Mock::Result(Payload::from_value(value))), ..Trial::default() }
}

fn error(name: &str) -> Trial {
    let mock = Mock::Error { error: Some(name.to_owned()), cause: Some("because".to_owned()) };
    Trial { mock: Some(mock), ..Trial::default() }
}

fn output(shown: &Shown) -> Value {
    match &shown.outcome {
        Some(Outcome::Succeeded(output)) => output.value().unwrap().clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_pass_shows_each_stage_of_its_data() {
    let state = json!({ "Type": "Pass", "InputPath": "$.a", "Parameters": {"b": 1}, "ResultPath": "$.c",
                        "OutputPath": "$.c.b", "Next": "T" });
    let shown = try_state(&state, json!({"a": {"x": 1}}), Trial::default());
    let expected = [
        (Stage::AfterInputPath, json!({"x": 1})),
        (Stage::AfterParameters, json!({"b": 1})),
        (Stage::AfterResultSelector, json!({"b": 1})),
        (Stage::AfterResultPath, json!({"a": {"x": 1}, "c": {"b": 1}})),
    ];
    assert_eq!(shown.stages, expected);
    assert_eq!(output(&shown), json!(1));
    assert_eq!(shown.next.as_deref(), Some("T"));
}

#[test]
fn an_execution_that_is_no_trial_shows_nothing() {
    let definition = json!({ "StartAt": "S", "States": { "S": { "Type": "Pass", "End": true } } });
    let (_, actions) = Execution::start(&world::machine(&definition), world::start(json!({})));
    assert!(!actions.iter().any(|action| matches!(action, Action::Inspected(_))));
}

#[test]
fn a_task_calls_its_function_where_there_is_no_mock() {
    let state =
        json!({ "Type": "Task", "Resource": "f", "ResultSelector": {"a.$": "$.answer"}, "End": true });
    let shown = try_state(&state, json!({"x": 1}), Trial::default());
    assert_eq!(shown.stages[2], (Stage::Result, json!({"answer": 42})));
    assert_eq!(output(&shown), json!({"a": 42}));
    let mocked = try_state(&state, json!({"x": 1}), result(json!({"answer": 7})));
    assert_eq!(output(&mocked), json!({"a": 7}));
}

#[test]
fn jsonata_shows_its_arguments() {
    let state = json!({ "Type": "Task", "QueryLanguage": "JSONata", "Resource": "f",
        "Arguments": "{% $states.input.x + $y %}", "Assign": {"z": "{% $states.result %}"},
        "Output": "{% $states.context.Execution.Name %}", "End": true });
    let trial = Trial {
        variables: [("y".into(), Payload::from_value(json!(2)))].into(),
        context: Some(Payload::from_value(json!({"Execution": {"Name": "given"}}))),
        ..result(json!(9))
    };
    let shown = try_state(&state, json!({"x": 1}), trial);
    let expected = [
        (Stage::AfterArguments, json!(3)),
        (Stage::Result, json!(9)),
        (Stage::Variables, json!({"y": 2, "z": 9})),
    ];
    assert_eq!(shown.stages, expected);
    assert_eq!(output(&shown), json!("given"));
}

#[test]
fn retries_count_on_from_those_before() {
    let state = json!({ "Type": "Task", "Resource": "f", "End": true,
        "Retry": [{"ErrorEquals": ["Other"]},
                  {"ErrorEquals": ["E"], "IntervalSeconds": 3, "BackoffRate": 2, "MaxAttempts": 2,
                   "JitterStrategy": "FULL"}],
        "Catch": [{"ErrorEquals": ["F"], "Next": "U"}, {"ErrorEquals": ["States.ALL"], "Next": "T"}] });
    let first = try_state(&state, json!({}), error("E"));
    assert_eq!(first.failure, Some((Some("E".into()), Recovery::Retry { retrier: 1, seconds: 3 })));
    assert_eq!(first.outcome, None);
    let second = try_state(&state, json!({}), Trial { retries: 1, ..error("E") });
    assert_eq!(second.failure, Some((Some("E".into()), Recovery::Retry { retrier: 1, seconds: 6 })));
    let third = try_state(&state, json!({}), Trial { retries: 2, ..error("E") });
    assert_eq!(third.failure, Some((Some("E".into()), Recovery::Catch { catcher: 1, exhausted: Some(1) })));
    assert_eq!(third.next.as_deref(), Some("T"));
    assert_eq!(output(&third), json!({"Error": "E", "Cause": "because"}));
    let caught = try_state(&state, json!({}), error("F"));
    assert_eq!(caught.failure, Some((Some("F".into()), Recovery::Catch { catcher: 0, exhausted: None })));
}

#[test]
fn a_failure_is_told_without_a_place_in_a_history() {
    let state = json!({ "Type": "Pass", "InputPath": "$.none", "End": true });
    let shown = try_state(&state, json!({}), Trial::default());
    assert_eq!(shown.failure, Some((Some("States.Runtime".into()), Recovery::Nothing { exhausted: None })));
    match shown.outcome {
        Some(Outcome::Failed { cause: Some(cause), .. }) => assert!(!cause.contains("entered at"), "{cause}"),
        other => panic!("{other:?}"),
    }
}

fn map(more: Value) -> Value {
    let mut state = json!({ "Type": "Map", "ItemsPath": "$.items", "End": true, "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "I", "States": {"I": {"Type": "Pass", "End": true}} } });
    state.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    state
}

#[test]
fn a_map_shows_what_its_iterations_would_get() {
    let state = map(json!({
        "MaxConcurrency": 5, "ToleratedFailurePercentage": 50,
        "ItemSelector": {"at.$": "$$.Map.Item.Index", "item.$": "$$.Map.Item.Value"},
        "ItemBatcher": {"MaxItemsPerBatch": 2},
    }));
    let shown = try_state(&state, json!({"items": ["a", "b", "c"]}), result(json!([1, 2])));
    let item = |at: u32, item: &str| json!({"at": at, "item": item});
    let expected = [
        (Stage::AfterInputPath, json!({"items": ["a", "b", "c"]})),
        (Stage::AfterItemsPath, json!(["a", "b", "c"])),
        (Stage::MaxConcurrency, json!(5)),
        (Stage::ToleratedFailurePercentage, json!(50.0)),
        (Stage::AfterItemSelector, json!([item(0, "a"), item(1, "b"), item(2, "c")])),
        (
            Stage::AfterItemBatcher,
            json!([{"Items": [item(0, "a"), item(1, "b")]}, {"Items": [item(2, "c")]}]),
        ),
        (Stage::AfterResultSelector, json!([1, 2])),
        (Stage::AfterResultPath, json!([1, 2])),
    ];
    assert_eq!(shown.stages, expected);
}

#[test]
fn a_map_stands_as_many_failures_as_it_tolerates() {
    let input = json!({"items": [1, 2, 3, 4]});
    for (tolerance, failed, exceeded) in [
        (json!({}), 0, false),
        (json!({}), 1, true),
        (json!({"ToleratedFailureCount": 2}), 2, false),
        (json!({"ToleratedFailureCount": 2}), 3, true),
        (json!({"ToleratedFailurePercentage": 50}), 2, false),
        (json!({"ToleratedFailurePercentage": 50}), 3, true),
    ] {
        let trial = Trial { failed_iterations: failed, ..result(json!([1, 2, 3, 4])) };
        let shown = try_state(&map(tolerance.clone()), input.clone(), trial);
        let error = shown.failure.and_then(|(error, _)| error);
        let expected = exceeded.then_some("States.ExceedToleratedFailureThreshold");
        assert_eq!(error.as_deref(), expected, "{tolerance} and {failed}");
    }
    // An error that is mocked is the Map's own.
    let trial = Trial { failed_iterations: 4, ..error("E") };
    let shown = try_state(&map(json!({})), input, trial);
    assert_eq!(shown.failure.and_then(|(error, _)| error).as_deref(), Some("E"));
}

#[test]
fn items_are_given_in_place_of_a_reader() {
    let mut state = map(json!({
        "ItemReader": { "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON", "MaxItems": 2},
            "Parameters": {"Bucket": "b", "Key.$": "$.key"} },
        "ItemSelector": {"item.$": "$$.Map.Item.Value"},
    }));
    state.as_object_mut().unwrap().remove("ItemsPath");
    let trial = || Trial { items: Some(Payload::from_value(json!([7, 8, 9]))), ..result(json!([])) };
    let shown = try_state(&state, json!({"key": "k"}), trial());
    assert!(shown.stages.contains(&(Stage::AfterItemSelector, json!([{"item": 7}, {"item": 8}]))));
    // Or an object's members.
    state["ItemSelector"] = json!({"item.$": "$$.Map.Item"});
    let of_object = Trial { items: Some(Payload::from_value(json!({"a": 7, "b": 8, "c": 9}))), ..trial() };
    let shown = try_state(&state, json!({"key": "k"}), of_object);
    let item = |index: u32, key: &str, value: u32| json!({"item": {"Index": index, "Key": key, "Source": "s3://b/k", "Value": value}});
    assert!(shown.stages.contains(&(Stage::AfterItemSelector, json!([item(0, "a", 7), item(1, "b", 8)]))));
    // What the reader is asked must be there all the same.
    let shown = try_state(&state, json!({}), trial());
    assert_eq!(shown.failure.and_then(|(error, _)| error).as_deref(), Some("States.Runtime"));
}

#[test]
fn a_parallel_ends_with_its_mock() {
    let branch = json!({ "StartAt": "B", "States": {"B": {"Type": "Fail"}} });
    let state = json!({ "Type": "Parallel", "Branches": [branch], "ResultPath": "$.r", "End": true });
    assert_eq!(output(&try_state(&state, json!({"x": 1}), result(json!([2])))), json!({"x": 1, "r": [2]}));
}

#[test]
fn a_state_of_a_whole_machine_is_tried_alone() {
    let definition = json!({ "StartAt": "A", "TimeoutSeconds": 5, "States": {
        "A": { "Type": "Pass", "Result": 1, "Next": "B" },
        "B": { "Type": "Pass", "Result": 2, "Next": "C" },
        "C": { "Type": "Fail" },
    }});
    let source = Source::new("machine.json", definition.to_string());
    let whole = faastlane_asl::parse(&source).unwrap().machine;
    let machine = Machine::new(Arc::new(whole.starting_at("B").unwrap()), Limits::default());
    let shown = try_in(&machine, json!({}), Trial::default());
    assert_eq!(output(&shown), json!(2));
    assert_eq!(shown.next.as_deref(), Some("C"));
}
