//! JSONata, variables and distributed Maps, as the developer guide describes them.

mod world;

use faastlane_machine::{Action, Event, Execution, ReadItem};
use faastlane_payload::Payload;
use serde_json::{Value, json};
use world::{echo, machine, run, start};

fn pass(fields: Value) -> Value {
    let mut state = json!({"Type": "Pass", "End": true});
    for (name, value) in fields.as_object().unwrap() {
        state[name] = value.clone();
    }
    json!({"QueryLanguage": "JSONata", "StartAt": "S", "States": {"S": state}})
}

#[test]
fn jsonata_makes_outputs() {
    let input = json!({"list": [1, 2, 3], "name": "x"});
    for (output, expected) in [
        (json!("{% $states.input.name %}"), json!("x")),
        (
            json!({"sum": "{% $sum($states.input.list) %}", "is": "literal"}),
            json!({"sum": 6, "is": "literal"}),
        ),
        (json!(["{% $states.context.State.Name %}", 1]), json!(["S", 1])),
        (json!(null), json!(null)),
    ] {
        let ended = run(&machine(&pass(json!({"Output": output}))), input.clone(), echo);
        assert_eq!(ended.output(), expected, "{output}");
    }
}

#[test]
fn an_expression_that_gives_nothing_is_told_with_its_place() {
    let ended = run(&machine(&pass(json!({"Output": {"a": ["{% $nothing %}"]}}))), json!({}), echo);
    let cause = "An error occurred while executing the state 'S' (entered at the event id #2). The JSONata expression \
                 '$nothing' specified for the field 'Output/a[0]' returned nothing (undefined).";
    assert_eq!(ended.failure(), ("States.QueryEvaluationError".to_owned(), cause.to_owned()));
    assert_eq!(
        ended.kinds(),
        ["ExecutionStarted", "PassStateEntered", "EvaluationFailed", "ExecutionFailed"]
    );
}

#[test]
fn tasks_have_arguments_results_and_errors_in_jsonata() {
    let definition = json!({"QueryLanguage": "JSONata", "StartAt": "T", "States": {
        "T": {"Type": "Task", "Resource": "f", "Arguments": {"n": "{% $states.input.n + 1 %}"}, "Assign": {"got": "{% $states.result.n %}"},
              "Output": {"doubled": "{% $states.result.n * 2 %}"}, "Next": "U"},
        "U": {"Type": "Task", "Resource": "g", "End": true,
              "Catch": [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput.Error & $string($got) %}", "Next": "V"}]},
        "V": {"Type": "Succeed"}}});
    let ended = run(&machine(&definition), json!({"n": 1}), |name, event, _| match name {
        "f" => Some(Ok(event.clone())),
        _ => Some(Err(("Oops".into(), "c".into()))),
    });
    assert_eq!(ended.calls[0].1, json!({"n": 2}));
    assert_eq!(ended.calls[1].1, json!({"doubled": 4}));
    assert_eq!(ended.output(), json!("Oops2"));
}

#[test]
fn variables_are_seen_inside_and_end_there() {
    let definition = json!({"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Assign": {"x": 1, "items": [10, 20]}, "Next": "M"},
        "M": {"Type": "Map", "ItemsPath": "$items", "MaxConcurrency": 1, "Next": "B", "ItemProcessor": {"StartAt": "I", "States": {
            "I": {"Type": "Pass", "Assign": {"y.$": "States.MathAdd($, $x)"}, "Next": "J"},
            "J": {"Type": "Pass", "Parameters": {"y.$": "$y"}, "End": true}}}},
        "B": {"Type": "Pass", "Assign": {"x": 2, "old.$": "$x"}, "Next": "C"},
        "C": {"Type": "Pass", "Parameters": {"x.$": "$x", "old.$": "$old", "all.$": "$"}, "End": true}}});
    let ended = run(&machine(&definition), json!({}), echo);
    assert_eq!(ended.output(), json!({"x": 2, "old": 1, "all": [{"y": 11}, {"y": 21}]}));
}

#[test]
fn a_rule_that_holds_sets_its_own_variables() {
    let definition = json!({"QueryLanguage": "JSONata", "StartAt": "C", "States": {
        "C": {"Type": "Choice", "Choices": [{"Condition": "{% $states.input > 5 %}", "Assign": {"size": "large"}, "Next": "E"}],
              "Assign": {"size": "small"}, "Default": "E"},
        "E": {"Type": "Pass", "Output": "{% $size %}", "End": true}}});
    for (input, size) in [(7, "large"), (3, "small")] {
        assert_eq!(run(&machine(&definition), json!(input), echo).output(), json!(size));
    }
}

fn distributed(fields: Value) -> Value {
    let mut map = json!({"Type": "Map", "End": true, "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "I", "States": {"I": {"Type": "Task", "Resource": "f", "End": true}}}});
    for (name, value) in fields.as_object().unwrap() {
        map[name] = value.clone();
    }
    json!({"StartAt": "M", "States": {"M": map}})
}

#[test]
fn child_executions_have_histories_of_their_own() {
    let ended = run(&machine(&distributed(json!({"MaxConcurrency": 1}))), json!([1, 2]), echo);
    assert_eq!(ended.output(), json!([1, 2]));
    let of = |child: bool| -> Vec<(u64, &str)> {
        let events = ended.history.iter().filter(|event| event.execution.is_some() == child);
        events.map(|event| (event.id, event.kind.as_str())).collect()
    };
    assert_eq!(
        of(false).iter().map(|(_, kind)| *kind).collect::<Vec<_>>(),
        [
            "ExecutionStarted",
            "MapStateEntered",
            "MapStateStarted",
            "MapRunStarted",
            "MapRunSucceeded",
            "MapStateSucceeded",
            "MapStateExited",
            "ExecutionSucceeded"
        ]
    );
    assert_eq!(of(true)[0], (1, "ExecutionStarted"));
    assert_eq!(of(true).iter().filter(|(_, kind)| *kind == "ExecutionSucceeded").count(), 2);
}

#[test]
fn one_failed_child_is_too_many_unless_it_is_tolerated() {
    let fail_second = |_: &str, event: &Value, _: usize| {
        Some(if *event == json!(2) { Err(("E".into(), "c".into())) } else { Ok(event.clone()) })
    };
    let ended = run(&machine(&distributed(json!({}))), json!([1, 2, 3]), fail_second);
    assert_eq!(ended.failure().0, "States.ExceedToleratedFailureThreshold");
    let tolerant = distributed(json!({"ToleratedFailurePercentage": 40}));
    assert_eq!(run(&machine(&tolerant), json!([1, 2, 3]), fail_second).output(), json!([1, 3]));
}

#[test]
fn items_come_in_batches() {
    let batcher =
        json!({"ItemBatcher": {"MaxItemsPerBatch": 2, "BatchInput": {"k": "v"}}, "MaxConcurrency": 1});
    let ended = run(&machine(&distributed(batcher)), json!([1, 2, 3]), echo);
    assert_eq!(
        ended.output(),
        json!([{"BatchInput": {"k": "v"}, "Items": [1, 2]}, {"BatchInput": {"k": "v"}, "Items": [3]}])
    );
}

/// However many items there are, no more than a chunk of them is in memory, and results go away as they come.
#[test]
fn items_are_asked_for_and_results_given_away_while_it_runs() {
    let mut definition = distributed(json!({
        "ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket": "b", "Key": "k"}},
        "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b", "Prefix": "p"}}
    }));
    definition["States"]["M"]["ItemProcessor"]["States"]["I"] = json!({"Type": "Pass", "End": true});
    let machine = machine(&definition);
    let (mut execution, mut actions) = Execution::start(&machine, start(json!({})));
    let (mut read, mut written, mut at) = (0_u64, 0_u64, world::START);
    while execution.outcome().is_none() {
        let mut events = Vec::new();
        for action in actions.drain(..) {
            match action {
                Action::ReadItems { transfer, at_most } => {
                    let item = |index: u64| ReadItem {
                        value: Payload::from_value(json!(read + index)),
                        key: None,
                        source: "s3://b/k".into(),
                    };
                    let items: Vec<ReadItem> = (0..u64::from(at_most)).map(item).collect();
                    read += items.len() as u64;
                    events.push(Event::ItemsRead { transfer, items, ended: read >= 20_000, at });
                }
                Action::WriteResult { .. } => written += 1,
                Action::CloseResults { transfer } => {
                    let result = Payload::from_value(json!({"done": written}));
                    events.push(Event::ResultsWritten { transfer, result, at });
                }
                Action::Yield => events.push(Event::Continue { at }),
                _ => {}
            }
        }
        assert!(read - written <= 2_000, "{read} items are read, and {written} done");
        at += 1;
        for event in events {
            execution.step(&machine, event, &mut actions);
        }
    }
    assert_eq!(written, 20_000);
}
