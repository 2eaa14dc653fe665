//! `LogType` of `lambda:invoke`: the end of the function's log in the result.

use crate::workflow::Workflow;
use serde_json::{Value, json};

/// Calls `function` with the input, which is the event too; the output is what its log says.
fn state(function: &str) -> Value {
    json!({ "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true,
            "Parameters": { "FunctionName": function, "Payload.$": "$", "LogType": "Tail" },
            "ResultSelector": { "log.$": "States.Base64Decode($.LogResult)", "result.$": "$.Payload",
                                "header.$": "States.Base64Decode($.SdkHttpMetadata.HttpHeaders['X-Amz-Log-Result'])",
                                "id.$": "$.SdkHttpMetadata.HttpHeaders['x-amzn-RequestId']" } })
}

fn machine(state: Value) -> Value {
    json!({ "StartAt": "S", "States": { "S": state } })
}

/// Checks Lambda's own lines, and gives what the function printed between them.
#[track_caller]
fn printed(output: &Value) -> &str {
    let (log, id) = (output["log"].as_str().unwrap(), output["id"].as_str().unwrap());
    assert_eq!(output["header"], output["log"]);
    let rest = log.strip_prefix(&format!("START RequestId: {id} Version: $LATEST\n")).expect(log);
    let (printed, report) =
        rest.rsplit_once(&format!("END RequestId: {id}\nREPORT RequestId: {id}\t")).expect(log);
    assert!(report.starts_with("Duration: ") && report.ends_with(" ms\tMemory Size: 256 MB\t\n"), "{report}");
    printed
}

const PRINTS: &str = "import os\n\
                      print('loading')\n\
                      def handler(event, context):\n    \
                          for line in event['lines']: print(line)\n    \
                          os.write(1, event.get('native', '').encode())\n    \
                          print(event.get('open', ''), end='')\n    \
                          return context.aws_request_id\n";

#[test]
fn what_a_function_printed_is_in_its_result() {
    let workflow = Workflow::new(&machine(state("prints")))
        .functions(&[("prints", PRINTS)])
        .config("[functions.prints]\nmemory = 256\n");
    for isolation in ["auto", "process", "none"] {
        let run = workflow.run_under(
            isolation,
            &json!({ "lines": ["one", "", "zwei ä"], "native": "three\n", "open": "four" }),
        );
        assert_eq!(printed(run.output()), "one\n\nzwei ä\nthree\nfour\n");
        assert_eq!(run.output()["result"], run.output()["id"]);
        assert_eq!(run.printed("prints"), ["loading", "one", "", "zwei ä", "three", "four"]);
    }
    let run = workflow.run(&json!({ "lines": [] }));
    assert_eq!(
        printed(run.output()),
        "",
        "what is printed while a function is loaded belongs to no invocation"
    );
}

#[test]
fn each_invocation_has_its_own_log() {
    let iterations = machine(state("prints"));
    let definition = json!({ "StartAt": "M", "States": { "M": {
        "Type": "Map", "ItemsPath": "$.items", "ItemProcessor": iterations, "End": true
    } } });
    let workflow = Workflow::new(&definition)
        .functions(&[("prints", PRINTS)])
        .config("[functions.prints]\nmemory = 256\n");
    let items: Vec<Value> =
        (0..20).map(|n| json!({ "lines": [format!("line {n}")], "open": "open" })).collect();
    let run = workflow.run(&json!({ "items": items }));
    for (n, output) in run.output().as_array().unwrap().iter().enumerate() {
        assert_eq!(printed(output), format!("line {n}\nopen\n"));
    }
    let lines = run.printed("prints");
    assert_eq!(lines.len(), 41, "{lines:?}");
}

#[test]
fn only_the_last_four_kilobytes_are_shown() {
    let workflow = Workflow::new(&machine(state("prints"))).functions(&[("prints", PRINTS)]);
    let run = workflow.run(&json!({ "lines": (0..2000).map(|n| format!("line {n}")).collect::<Vec<_>>() }));
    let log = run.output()["log"].as_str().unwrap();
    assert_eq!(log.len(), 4096);
    assert!(log.contains("line 1998\nline 1999\nEND RequestId: ") && !log.contains("START"), "{log}");
    assert_eq!(run.printed("prints").len(), 2001);
}

#[test]
fn a_stand_in_prints_nothing() {
    let workflow = Workflow::new(&machine(state("f")))
        .file("mocks.json", json!([{ "function": "f", "kind": "sleep 3 then return 1" }]).to_string());
    let mocks = workflow.path("mocks.json").display().to_string();
    let run = workflow.run_text(&["--time-scale", "0.001", "--mock", &mocks], "{}");
    let (log, id) = (run.output()["log"].as_str().unwrap(), run.output()["id"].as_str().unwrap());
    let expected = format!(
        "START RequestId: {id} Version: $LATEST\nEND RequestId: {id}\n\
         REPORT RequestId: {id}\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB\t\n"
    );
    assert_eq!(log, expected);
}
