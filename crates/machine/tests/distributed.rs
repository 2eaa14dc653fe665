//! Distributed Maps: items that are an object's members or were read, and the forms that results can have.

mod world;

use faastlane_machine::{Action, Event, Execution, Limits, ReadItem};
use faastlane_payload::Payload;
use serde_json::{Value, json};
use world::{Run, echo, machine, machine_with, run, start};

fn map(language: &str, mode: Value, fields: Value) -> Value {
    let mut state = json!({"Type": "Map", "MaxConcurrency": 1, "End": true, "ItemProcessor": {
        "ProcessorConfig": mode, "StartAt": "I", "States": {"I": {"Type": "Task", "Resource": "f", "End": true}}}});
    for (name, value) in fields.as_object().unwrap() {
        state[name] = value.clone();
    }
    json!({"QueryLanguage": language, "StartAt": "M", "States": {"M": state}})
}

fn distributed(fields: Value) -> Value {
    map("JSONPath", json!({"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}), fields)
}

fn in_jsonata(fields: Value) -> Value {
    map("JSONata", json!({"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}), fields)
}

fn shop() -> Value {
    json!({"stock": {"nut": 7, "bolt": {"size": 3}}, "name": "x"})
}

#[test]
fn the_members_of_an_object_are_items() {
    let pairs = json!([{"Key": "nut", "Value": 7}, {"Key": "bolt", "Value": {"size": 3}}]);
    for definition in [
        distributed(json!({"ItemsPath": "$.stock"})),
        distributed(json!({"InputPath": "$.stock"})),
        in_jsonata(json!({"Items": "{% $states.input.stock %}"})),
        in_jsonata(json!({"Items": {"nut": 7, "bolt": "{% $states.input.stock.bolt %}"}})),
    ] {
        let ended = run(&machine(&definition), shop(), echo);
        assert_eq!(ended.output(), pairs, "{definition}");
    }
    let whole = run(&machine(&in_jsonata(json!({}))), json!({"a": 1}), echo);
    assert_eq!(whole.output(), json!([{"Key": "a", "Value": 1}]));
    assert_eq!(run(&machine(&in_jsonata(json!({}))), json!({}), echo).output(), json!([]));
}

#[test]
fn the_context_tells_an_item_s_key_and_source() {
    let told = |key: &str, value: &Value, index: u32| json!({"key": key, "value": value, "index": index, "source": "STATE_DATA", "name": "x"});
    let expected = json!([told("nut", &json!(7), 0), told("bolt", &json!({"size": 3}), 1)]);
    let paths = distributed(json!({"ItemsPath": "$.stock", "ItemSelector": {
        "key.$": "$$.Map.Item.Key", "value.$": "$$.Map.Item.Value", "index.$": "$$.Map.Item.Index",
        "source.$": "$$.Map.Item.Source", "name.$": "$.name"}}));
    assert_eq!(run(&machine(&paths), shop(), echo).output(), expected);
    let expressions = in_jsonata(json!({"Items": "{% $states.input.stock %}", "ItemSelector": {
        "key": "{% $states.context.Map.Item.Key %}", "value": "{% $states.context.Map.Item.Value %}",
        "index": "{% $states.context.Map.Item.Index %}", "source": "{% $states.context.Map.Item.Source %}",
        "name": "{% $states.input.name %}"}}));
    assert_eq!(run(&machine(&expressions), shop(), echo).output(), expected);
}

#[test]
fn only_an_object_s_items_have_keys() {
    let selector = json!({"ItemSelector": {"item.$": "$$.Map.Item"}});
    for definition in [distributed(selector.clone()), map("JSONPath", json!({"Mode": "INLINE"}), selector)] {
        let ended = run(&machine(&definition), json!(["a"]), echo);
        assert_eq!(ended.output(), json!([{"item": {"Index": 0, "Source": "STATE_DATA", "Value": "a"}}]));
    }
}

#[test]
fn an_object_s_items_come_in_batches() {
    let batcher = json!({"ItemBatcher": {"MaxItemsPerBatch": 2}});
    let ended = run(&machine(&distributed(batcher)), json!({"a": 1, "b": 2, "c": 3}), echo);
    let pair = |key: &str, value: u32| json!({"Key": key, "Value": value});
    let expected = json!([{"Items": [pair("a", 1), pair("b", 2)]}, {"Items": [pair("c", 3)]}]);
    assert_eq!(ended.output(), expected);
}

#[test]
fn an_inline_map_takes_no_object() {
    let inline = |language, fields| map(language, json!({"Mode": "INLINE"}), fields);
    let ended = run(&machine(&inline("JSONPath", json!({"ItemsPath": "$.stock"}))), shop(), echo);
    let (error, cause) = ended.failure();
    assert_eq!(error, "States.Runtime");
    assert!(cause.contains("Reference path \"$.stock\" must point to array."), "{cause}");
    let items = json!({"Items": "{% $states.input.stock %}"});
    let (error, cause) = run(&machine(&inline("JSONata", items)), shop(), echo).failure();
    assert_eq!(error, "States.QueryEvaluationError");
    assert!(cause.contains("Expected 'array', but was 'object'"), "{cause}");
}

#[test]
fn neither_an_array_nor_an_object_is_no_list_of_items() {
    let ended = run(&machine(&distributed(json!({"ItemsPath": "$.name"}))), shop(), echo);
    assert_eq!(ended.failure().0, "States.Runtime");
    let ended = run(&machine(&in_jsonata(json!({"Items": "{% $states.input.name %}"}))), shop(), echo);
    assert_eq!(ended.failure().0, "States.QueryEvaluationError");
}

/// Runs a Map whose children pass on what they get, with these items read and with a writer that answers nothing. What
/// comes back is the output, and what was to be written: whether of a success, and the records.
fn with_transfers(definition: &Value, items: &[ReadItem]) -> (Value, Vec<(bool, Vec<Value>)>) {
    let mut definition = definition.clone();
    let fails = json!({"Type": "Fail", "Error": "Oops", "Cause": "it broke"});
    let passes = json!({"Type": "Pass", "End": true});
    let choice = json!({"Type": "Choice", "Default": "P",
        "Choices": [{"Variable": "$", "StringEquals": "bad", "Next": "F"}]});
    definition["States"]["M"]["ItemProcessor"]["States"] = json!({"I": choice, "P": passes, "F": fails});
    let machine = machine(&definition);
    let (mut execution, mut actions) = Execution::start(&machine, start(json!({})));
    let mut written = Vec::new();
    while execution.outcome().is_none() {
        let mut event = None;
        for action in actions.drain(..) {
            event = match action {
                Action::ReadItems { transfer, .. } => {
                    Some(Event::ItemsRead { transfer, items: items.to_vec(), ended: true, at: world::START })
                }
                Action::WriteResult { succeeded, records, .. } => {
                    let records = records.iter().map(|record| record.value().unwrap().clone());
                    written.push((succeeded, records.collect()));
                    continue;
                }
                Action::CloseResults { transfer } => {
                    let result = Payload::from_value(json!("written"));
                    Some(Event::ResultsWritten { transfer, result, at: world::START })
                }
                Action::Yield => Some(Event::Continue { at: world::START }),
                _ => continue,
            };
        }
        execution.step(&machine, event.expect("it waits for a transfer only"), &mut actions);
    }
    let output = match execution.outcome() {
        Some(faastlane_machine::Outcome::Succeeded(output)) => output.value().unwrap().clone(),
        other => panic!("it did not succeed: {other:?}"),
    };
    (output, written)
}

fn read_item(value: Value, key: Option<&str>, source: &str) -> ReadItem {
    ReadItem { value: Payload::from_value(value), key: key.map(Into::into), source: source.into() }
}

fn reader() -> Value {
    json!({"Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket": "b", "Key": "k"}})
}

#[test]
fn items_that_were_read_have_keys_and_sources_too() {
    let items = [read_item(json!(1), Some("a"), "s3://b/k"), read_item(json!(2), None, "s3://b/l")];
    let (output, _) = with_transfers(&distributed(json!({"ItemReader": reader()})), &items);
    assert_eq!(output, json!([{"Key": "a", "Value": 1}, 2]));
    let selector = json!({"ItemReader": reader(), "ItemSelector": {"item.$": "$$.Map.Item"}});
    let (output, _) = with_transfers(&distributed(selector), &items);
    let expected = json!([{"item": {"Index": 0, "Key": "a", "Source": "s3://b/k", "Value": 1}},
                          {"item": {"Index": 1, "Source": "s3://b/l", "Value": 2}}]);
    assert_eq!(output, expected);
}

#[test]
fn what_is_written_has_the_form_that_is_asked_for() {
    let items = [json!([1, 2]), json!("bad"), json!("plain")].map(|item| read_item(item, None, "s3://b/k"));
    for (config, expected) in [
        (json!({"Transformation": "COMPACT"}), json!([[[1, 2]], ["plain"]])),
        (json!({"Transformation": "FLATTEN"}), json!([[1, 2], ["plain"]])),
    ] {
        let writer = json!({"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b"},
                            "WriterConfig": config});
        let fields = json!({"ItemReader": reader(), "ResultWriter": writer, "ToleratedFailureCount": 1});
        let (output, written) = with_transfers(&distributed(fields), &items);
        assert_eq!(output, json!("written"));
        let of = |success: bool| -> Vec<&Vec<Value>> {
            let of_kind = written.iter().filter(|(succeeded, _)| *succeeded == success);
            of_kind.map(|(_, records)| records).collect()
        };
        assert_eq!(json!(of(true)), expected);
        assert_eq!((of(false).len(), &of(false)[0][0]["Error"]), (1, &json!("Oops")));
    }
    let writer = json!({"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b"}});
    let (_, written) =
        with_transfers(&distributed(json!({"ItemReader": reader(), "ResultWriter": writer})), &items[..1]);
    assert_eq!(written[0].1[0]["Output"], "[1,2]", "everything, where nothing else is asked for");
}

/// Three items: an array, one that fails, and a string.
fn formed(writer: Value) -> Run {
    let fields = json!({"ToleratedFailureCount": 1, "ResultWriter": writer});
    let items = json!([[1, 2], "bad", "plain"]);
    run(&machine(&distributed(fields)), items, |_, event, _| {
        Some(if *event == json!("bad") { Err(("Oops".into(), "it broke".into())) } else { Ok(event.clone()) })
    })
}

#[test]
fn results_that_are_not_exported_have_a_form() {
    for (config, before, after) in [
        (json!({"Transformation": "COMPACT"}), json!([[1, 2]]), json!(["plain"])),
        (json!({"Transformation": "FLATTEN"}), json!([1, 2]), json!(["plain"])),
        (json!({"OutputType": "JSON"}), json!([[1, 2]]), json!(["plain"])),
    ] {
        let output = formed(json!({"WriterConfig": config})).output();
        let output = output.as_array().unwrap();
        let failed = output.iter().position(|result| result["Status"] == "FAILED").unwrap();
        assert_eq!(json!(output[..failed]), before, "{config}");
        assert_eq!(json!(output[failed + 1..]), after, "{config}");
    }
}

#[test]
fn everything_can_be_told_of_a_child() {
    let output = formed(json!({"WriterConfig": {"Transformation": "NONE"}})).output();
    let name = output[0]["Name"].as_str().unwrap();
    assert_eq!(name.len(), 36, "an identifier: {name}");
    let expected = json!({
        "ExecutionArn": output[0]["ExecutionArn"],
        "Input": "[1,2]",
        "InputDetails": {"Included": true},
        "Name": name,
        "Output": "[1,2]",
        "OutputDetails": {"Included": true},
        "RedriveCount": 0,
        "RedriveStatus": "NOT_REDRIVABLE",
        "RedriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
        "StartDate": "2023-11-14T22:13:20.000Z",
        "StateMachineArn": "arn:machine/M",
        "Status": "SUCCEEDED",
        "StopDate": "2023-11-14T22:13:20.000Z",
    });
    assert_eq!(output[0], expected);
    assert!(output[0]["ExecutionArn"].as_str().unwrap().ends_with(name));
    let names: Vec<&String> = output[0].as_object().unwrap().keys().collect();
    assert!(names.is_sorted(), "{names:?}");
    let failed = &output[1];
    assert_eq!((&failed["Error"], &failed["Cause"]), (&json!("Oops"), &json!("it broke")));
    assert_eq!((&failed["Status"], &failed["RedriveStatus"]), (&json!("FAILED"), &json!("REDRIVABLE")));
    assert_eq!((failed.get("Output"), failed.get("RedriveStatusReason")), (None, None));
    assert_eq!(output[2]["Output"], "\"plain\"");
}

#[test]
fn results_that_are_not_exported_can_be_lines() {
    let writer =
        json!({"ResultWriter": {"WriterConfig": {"Transformation": "FLATTEN", "OutputType": "JSONL"}}});
    let machine = machine(&distributed(writer));
    let output = run(&machine, json!([[1, {"a": "b"}], "plain"]), echo).output();
    assert_eq!(output, json!("1\n{\"a\":\"b\"}\n\"plain\"\n"));
    assert_eq!(run(&machine, json!([]), echo).output(), json!(""));
}

#[test]
fn what_is_told_counts_for_the_size_of_the_result() {
    let definition = |transformation: &str| {
        distributed(json!({"ResultWriter": {"WriterConfig": {"Transformation": transformation}}}))
    };
    let limits = Limits { payload_bytes: 2_000, ..Limits::default() };
    let items: Vec<u32> = (0..50).collect();
    let compact = run(&machine_with(&definition("COMPACT"), limits), json!(items), echo);
    assert_eq!(compact.output(), json!(items));
    let told = run(&machine_with(&definition("NONE"), limits), json!(items), echo);
    assert_eq!(told.failure().0, "States.DataLimitExceeded");
    assert!(told.calls.len() < 10, "the rest is not run: {}", told.calls.len());
}

#[test]
fn a_writer_that_asks_for_nothing_fails() {
    let (error, cause) = formed(json!({})).failure();
    assert_eq!(error, "States.Runtime");
    assert!(cause.contains("neither a WriterConfig nor a Resource"), "{cause}");
}
