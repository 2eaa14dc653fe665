//! Distributed Maps, from the file with the items to the file with the results, and the histories of what happened.

use crate::workflow::Workflow;
use serde_json::{Value, json};
use std::fs;

fn orders() -> Workflow {
    let definition = json!({ "StartAt": "Each", "States": { "Each": { "Type": "Map", "End": true,
        "ItemReader": { "Resource": "arn:aws:states:::s3:getObject", "Parameters": { "Bucket": "orders", "Key": "may.csv" },
                        "ReaderConfig": { "InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW" } },
        "ItemProcessor": { "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" }, "StartAt": "Price",
                           "States": { "Price": { "Type": "Task", "Resource": "price", "End": true } } },
        "ResultWriter": { "Resource": "arn:aws:states:::s3:putObject", "Parameters": { "Bucket": "done", "Prefix": "may" },
                          "WriterConfig": { "Transformation": "COMPACT", "OutputType": "JSON" } } } } });
    Workflow::new(&definition)
        .functions(&[("price", "def handler(event, context): return int(event['count']) * 3\n")])
        .config("[stores]\norders = \"orders\"\ndone = \"done\"\n")
        .file("orders/may.csv", "name,count\nnut,1\nbolt,20\n")
        .file("done/.keep", "")
}

#[test]
fn items_are_read_from_a_store_and_results_written_to_one() {
    let workflow = orders();
    let run = workflow.run(&json!({}));
    let key = run.output()["ResultWriterDetails"]["Key"].as_str().unwrap();
    let manifest = fs::read_to_string(workflow.path("done").join(key)).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let file = manifest["ResultFiles"]["SUCCEEDED"][0]["Key"].as_str().unwrap();
    let results = fs::read_to_string(workflow.path("done").join(file)).unwrap();
    let mut results: Vec<i64> = serde_json::from_str(&results).unwrap();
    results.sort_unstable();
    assert_eq!(results, [3, 60]);
}

/// A Map over the members of an object in a file, whose functions return two values each, or fail.
fn stock(writer: &Value) -> Workflow {
    let definition = json!({ "StartAt": "Each", "States": { "Each": { "Type": "Map", "End": true, "MaxConcurrency": 1,
        "ItemReader": { "Resource": "arn:aws:states:::s3:getObject", "Parameters": { "Bucket": "stock", "Key": "a.json" },
                        "ReaderConfig": { "InputType": "JSON", "ItemsPointer": "/parts" } },
        "ItemSelector": { "key.$": "$$.Map.Item.Key", "count.$": "$$.Map.Item.Value", "from.$": "$$.Map.Item.Source" },
        "ItemProcessor": { "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" }, "StartAt": "Count",
                           "States": { "Count": { "Type": "Task", "Resource": "count", "End": true } } },
        "ToleratedFailureCount": 1,
        "ResultWriter": writer } } });
    let code = "def handler(event, context):\n    if event['count'] < 0: raise ValueError(event['key'])\n    \
                return [event['key'] * event['count'], event['from']]\n";
    Workflow::new(&definition)
        .functions(&[("count", code)])
        .config("[stores]\nstock = \"stock\"\n")
        .file("stock/a.json", r#"{"at": "noon", "parts": {"ab": 2, "lost": -1, "c": 3}}"#)
}

#[test]
fn results_are_told_in_a_form_without_being_exported() {
    let run = stock(&json!({ "WriterConfig": { "Transformation": "FLATTEN" } })).run(&json!({}));
    let output = run.output().as_array().unwrap();
    let source = output[1].as_str().unwrap();
    assert!(source.ends_with("/a.json"), "{source}");
    assert_eq!(json!([output[0], output[3], output[4]]), json!(["abab", "ccc", source]));
    assert_eq!((output.len(), &output[2]["Status"]), (5, &json!("FAILED")));
    assert_eq!(output[2]["Error"], "ValueError");
    let told = stock(&json!({ "WriterConfig": { "Transformation": "NONE" } })).run(&json!({}));
    let first = &told.output()[0];
    let output: Value = serde_json::from_str(first["Output"].as_str().unwrap()).unwrap();
    assert_eq!((&output[0], &first["Status"]), (&json!("abab"), &json!("SUCCEEDED")));
}

#[test]
fn everything_is_written_of_a_child_where_nothing_else_is_asked_for() {
    let writer = json!({ "Resource": "arn:aws:states:::s3:putObject", "Parameters": { "Bucket": "stock", "Prefix": "out" } });
    let workflow = stock(&writer);
    let run = workflow.run(&json!({}));
    let file = |key: &Value| -> Value {
        let text = fs::read_to_string(workflow.path("stock").join(key.as_str().unwrap())).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let files = &file(&run.output()["ResultWriterDetails"]["Key"])["ResultFiles"];
    let (succeeded, failed) = (file(&files["SUCCEEDED"][0]["Key"]), file(&files["FAILED"][0]["Key"]));
    assert_eq!((succeeded.as_array().map(Vec::len), failed.as_array().map(Vec::len)), (Some(2), Some(1)));
    assert_eq!((&failed[0]["Error"], &succeeded[0]["Status"]), (&json!("ValueError"), &json!("SUCCEEDED")));
}

#[test]
fn a_file_that_is_not_there_fails_the_map() {
    let workflow = orders();
    fs::remove_file(workflow.path("orders/may.csv")).unwrap();
    let run = workflow.run(&json!({}));
    assert_eq!(run.report["error"], "States.ItemReaderFailed");
    assert!(run.report["cause"].as_str().unwrap().contains("may.csv"), "{}", run.report);
}

#[test]
fn the_history_is_told_as_step_functions_tells_it() {
    let workflow = orders();
    let output = workflow.command().args(["--history", "--json"]).output().unwrap();
    let events: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let own: Vec<&Value> = events.iter().filter(|event| event["executionName"].is_null()).collect();
    let types: Vec<&str> = own.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types[..4], ["ExecutionStarted", "MapStateEntered", "MapStateStarted", "MapRunStarted"]);
    assert_eq!(own[1]["stateEnteredEventDetails"]["name"], "Each");
    assert_eq!(own[1]["stateEnteredEventDetails"]["input"], "{}");
    assert_eq!((&own[1]["id"], &own[1]["previousEventId"]), (&json!(2), &json!(0)));
    let scheduled: Vec<&Value> =
        events.iter().filter(|event| event["type"] == "LambdaFunctionScheduled").collect();
    assert_eq!(scheduled.len(), 2);
    assert!(scheduled[0]["lambdaFunctionScheduledEventDetails"]["input"].as_str().unwrap().contains("nut"));
    let table = workflow.command().arg("--history").output().unwrap();
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("MapRunStarted") && table.contains("2 child executions"), "{table}");
}
