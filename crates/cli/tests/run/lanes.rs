//! Calls that come at the same time, spread over copies of the process that they are for.

use crate::processes::may_mark;
use crate::workflow::{Run, Workflow, faastlane, mpk, parse, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A Map over the items of the input, whose function works for as long as it says and returns what `expression` gives.
fn map(expression: &str, task: &Value) -> Workflow {
    let code = format!(
        "import os, time\n\
         def handler(event, context):\n    \
             end = time.process_time() + 0.02\n    \
             while time.process_time() < end: pass\n    \
             print('did', event)\n    \
             return {expression}\n"
    );
    let mut states = json!({ "One": { "Type": "Task", "Resource": "work", "End": true } });
    states["One"].as_object_mut().unwrap().extend(task.as_object().unwrap().clone());
    if task.get("Catch").is_some() {
        states["Failed"] = json!({ "Type": "Pass", "Parameters": { "failed.$": "$.Error" }, "End": true });
    }
    Workflow::new(&json!({ "StartAt": "All", "States": { "All": {
        "Type": "Map", "End": true, "ItemProcessor": { "StartAt": "One", "States": states },
    } } }))
    .functions(&[("work", &code)])
}

fn lanes_planned(workflow: &Workflow) -> u64 {
    let output = faastlane().args(["plan", "--json"]).arg(workflow.path(".")).output().unwrap();
    parse(&text(&output.stdout)).unwrap()["plan"]["lanes"].as_u64().unwrap()
}

fn items(count: usize) -> Value {
    (0..count).collect()
}

#[test]
fn work_is_spread_and_comes_back_in_order() {
    let workflow = map("[event, os.getpid()]", &json!({}));
    let run = workflow.run(&items(40));
    let results = run.output().as_array().unwrap();
    let order: Vec<Value> = results.iter().map(|result| result[0].clone()).collect();
    assert_eq!(order, (0..40).map(Value::from).collect::<Vec<_>>());
    let processes: BTreeSet<u64> = results.iter().map(|result| result[1].as_u64().unwrap()).collect();
    let lanes = lanes_planned(&workflow);
    assert!(processes.len() as u64 <= lanes, "{processes:?}");
    // 0.8 s of work: worth a lane wherever there is a CPU for it.
    assert!(lanes == 1 || processes.len() > 1, "{lanes} lanes, and all in {processes:?}");
    let printed: BTreeSet<String> = run.printed("work").into_iter().map(str::to_owned).collect();
    assert_eq!(printed.len(), 40, "{printed:?}");
}

#[test]
fn a_crash_in_a_lane_fails_its_call_and_no_other() {
    let crash = "os._exit(3) if event % 10 == 7 else event";
    let catch = json!([{ "ErrorEquals": ["Runtime.ExitError"], "Next": "Failed" }]);
    for isolation in ["process", "none"].into_iter().chain(mpk().then_some("mpk")) {
        let workflow = map(crash, &json!({ "Catch": catch }));
        let run = workflow.run_under(isolation, &items(40));
        let expected: Vec<Value> = (0..40)
            .map(|item| if item % 10 == 7 { json!({ "failed": "Runtime.ExitError" }) } else { json!(item) })
            .collect();
        assert_eq!(run.output().as_array().unwrap(), &expected, "{isolation}");
        assert_eq!(run.report["instances"], 5, "{isolation}");
    }
}

#[test]
fn what_a_call_printed_in_a_lane_is_in_its_result() {
    let task = json!({
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": { "FunctionName": "work", "LogType": "Tail", "Payload.$": "$" },
        "ResultSelector": { "log.$": "States.Base64Decode($.LogResult)" },
    });
    let run: Run = map("event", &task).run(&items(20));
    for (item, result) in run.output().as_array().unwrap().iter().enumerate() {
        let log = result["log"].as_str().unwrap();
        assert!(log.contains(&format!("\ndid {item}\n")), "{item}: {log}");
    }
}

#[test]
fn without_the_lane_that_it_wants_an_execution_goes_on_and_says_so() {
    // The instance itself gets the name first.
    let hook = "import faastlane\n\
                @faastlane.after_restore\n\
                def again(): open('../marks/restored', 'x').close()\n";
    let workflow = map("[event, os.getpid()]", &json!({}));
    let code = std::fs::read_to_string(workflow.path("functions/work.py")).unwrap() + hook;
    let workflow = may_mark(workflow.functions(&[("work", &code)]), "work");
    let run = workflow.run(&items(30));
    let processes: BTreeSet<u64> =
        run.output().as_array().unwrap().iter().map(|result| result[1].as_u64().unwrap()).collect();
    assert_eq!(processes.len(), 1, "{run:#?}");
    let why = run.report["no_lane"].as_str().unwrap_or_default();
    assert_eq!(lanes_planned(&workflow) > 1, why.contains("FileExistsError"), "{run:#?}");
}

#[test]
fn one_at_a_time_needs_no_lane() {
    let workflow = Workflow::chain(&[("one", "def handler(event, context): return 1")]);
    assert_eq!(lanes_planned(&workflow), 1);
}
