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
