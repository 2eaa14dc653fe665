//! Attempts that take their instance with them: only the attempt fails, and the execution goes on.
//!
//! What ran is counted in a folder that the functions may write to.

use crate::workflow::{Run, Workflow, parse, text};
use serde_json::{Value, json};
use std::fs;

/// With and without processes of their own: who did it is found out in another way each time.
const ISOLATIONS: [&str; 3] = ["auto", "process", "none"];

/// Ways for a function to end more than its own call, with part of what is said of it.
const CRASHES: [(&str, &str); 5] = [
    ("ctypes.string_at(0)", "SIGSEGV"),
    ("os._exit(3)", "exit status 3"),
    ("os.abort()", "crashed with"),
    ("os.kill(os.getpid(), 9)", ""),
    (
        "threading.stack_size(32768); t = threading.Thread(target=repr, args=(nest(600),)); t.start(); t.join()",
        "",
    ),
];

/// `begun` tells how often a function was called before this time.
const KIT: &str = "import ctypes, os, threading, time\n\
    def begun(name):\n    \
        with open(os.path.join(MARKS, name), 'a+') as mark:\n        \
            mark.write('x')\n        \
            return mark.tell() - 1\n\
    def is_marked(name): return os.path.exists(os.path.join(MARKS, name))\n\
    def nest(deep, value=1):\n    \
        for _ in range(deep): value = [value]\n    \
        return value\n\
    def handler(event, context):\n";

/// A workflow that may write into `marks`; each function is the body of a handler.
fn marking(definition: &Value, functions: &[(&str, &str)]) -> Workflow {
    let mut workflow = Workflow::new(definition).file("marks/.keep", "");
    let marks = workflow.path("marks");
    let mut config = String::new();
    for (name, body) in functions {
        let code = KIT.replace("MARKS", &format!("{:?}", marks.display().to_string()));
        workflow = workflow.file(&format!("functions/{name}.py"), format!("{code}    {body}\n"));
        config += &format!("[functions.{name}]\nwritable_files = [\"marks\"]\n");
    }
    workflow.config(&config)
}

/// All calls one behind the other: what is under way in another lane when a process is lost is made again.
fn in_one_lane(workflow: Workflow) -> Workflow {
    let config = fs::read_to_string(workflow.path("faastlane.toml")).unwrap();
    workflow.config(&(config + "[limits]\ninstance_cpus = 1\n"))
}

/// How often a function was called.
fn calls(workflow: &Workflow, name: &str) -> u64 {
    fs::metadata(workflow.path("marks").join(name)).map_or(0, |mark| mark.len())
}

fn forget_calls(workflow: &Workflow) {
    for mark in fs::read_dir(workflow.path("marks")).unwrap() {
        fs::remove_file(mark.unwrap().path()).unwrap();
    }
}

fn task(function: &str, next: &str) -> Value {
    match next {
        "" => json!({ "Type": "Task", "Resource": function, "End": true }),
        next => json!({ "Type": "Task", "Resource": function, "Next": next }),
    }
}

/// `First`, then `Break`, which `fields` are added to, then `Last`.
fn three(fields: &Value) -> Value {
    let mut machine = json!({ "StartAt": "First", "States": {
        "First": task("first", "Break"), "Break": task("break_it", "Last"), "Last": task("last", "") } });
    let broken = machine["States"]["Break"].as_object_mut().unwrap();
    broken.extend(fields.as_object().unwrap().clone());
    machine
}

fn retry(errors: &[&str]) -> Value {
    json!([{ "ErrorEquals": errors, "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 1 }])
}

const FIRST: (&str, &str) = ("first", "begun('first'); return 1");
const LAST: (&str, &str) = ("last", "begun('last'); return event");

fn fast(workflow: &Workflow, isolation: &str) -> Run {
    workflow.run_text(&["--isolation", isolation, "--time-scale", "0.01"], "{}")
}

/// Causes that the policy does not let happen everywhere (a function may not signal itself, say) are no crashes there.
fn crashed(run: &Run) -> bool {
    run.report["instances"] != 1
}

#[test]
fn a_crash_fails_one_attempt_and_another_can_succeed() {
    for (crash, _) in CRASHES {
        let body = format!("if begun('break_it') == 0: {crash}\n    return event + 1");
        let machine = three(&json!({ "Retry": retry(&["Runtime.ExitError", "PermissionError"]) }));
        let workflow = marking(&machine, &[FIRST, ("break_it", &body), LAST]);
        for isolation in ISOLATIONS {
            forget_calls(&workflow);
            let run = fast(&workflow, isolation);
            assert_eq!(run.output(), &json!(2), "{crash}, {isolation}");
            assert_eq!(calls(&workflow, "first"), 1, "{crash}, {isolation}: what is finished runs again");
            assert_eq!(
                (calls(&workflow, "break_it"), calls(&workflow, "last")),
                (2, 1),
                "{crash}, {isolation}"
            );
            if !crash.contains("kill") {
                assert_eq!(run.report["instances"], 2, "{crash}, {isolation}");
            }
        }
    }
}

#[test]
fn a_crash_can_be_caught() {
    for (crash, said) in CRASHES {
        let machine = three(&json!({ "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "Last" }] }));
        let body = format!("begun('break_it'); {crash}");
        let workflow = marking(&machine, &[FIRST, ("break_it", &body), LAST]);
        for isolation in ISOLATIONS {
            forget_calls(&workflow);
            let run = fast(&workflow, isolation);
            let output = run.output();
            if crashed(&run) {
                assert_eq!(output["Error"], "Runtime.ExitError", "{crash}, {isolation}");
            }
            assert!(output["Cause"].as_str().unwrap().contains(said), "{crash}, {isolation}: {output}");
            assert_eq!(
                (calls(&workflow, "first"), calls(&workflow, "break_it")),
                (1, 1),
                "{crash}, {isolation}"
            );
        }
    }
}

/// Step Functions' history of an execution whose second state crashed, was tried again, and crashed for good.
#[test]
fn the_history_is_neither_lost_nor_doubled() {
    let machine = three(&json!({
        "Retry": [{ "ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 1, "MaxAttempts": 1 }],
        "Catch": [{ "ErrorEquals": ["Runtime.ExitError"], "Next": "Last" }] }));
    let workflow = marking(&machine, &[FIRST, ("break_it", "os._exit(3)"), LAST]);
    let lambda = |last: &str| {
        ["Scheduled", "Started", last]
            .map(|part| format!("LambdaFunction{part}"))
            .into_iter()
            .collect::<Vec<_>>()
    };
    let mut expected = vec!["ExecutionStarted".to_owned()];
    for lambdas in
        [vec![lambda("Succeeded")], vec![lambda("Failed"), lambda("Failed")], vec![lambda("Succeeded")]]
    {
        expected.push("TaskStateEntered".into());
        expected.extend(lambdas.concat());
        expected.push("TaskStateExited".into());
    }
    expected.push("ExecutionSucceeded".into());
    for isolation in ISOLATIONS {
        let flags = ["--isolation", isolation, "--history", "--json", "--time-scale", "0.01"];
        let output = workflow.command().args(flags).output().unwrap();
        let events: Vec<Value> = text(&output.stdout).lines().map(|line| parse(line).unwrap()).collect();
        let events: Vec<&Value> = events.iter().filter(|event| event.get("type").is_some()).collect();
        let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, expected, "{isolation}: {}", text(&output.stderr));
        for (event, id) in events.iter().zip(1..) {
            // The first state follows nothing, as Step Functions has it.
            let previous = if id <= 2 { 0 } else { id - 1 };
            assert_eq!((&event["id"], &event["previousEventId"]), (&json!(id), &json!(previous)), "{event}");
        }
    }
}

#[test]
fn an_innocent_sibling_does_not_notice() {
    let branch = |function: &str, fields: Value| {
        let mut state = task(function, "");
        state.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!({ "StartAt": function.to_uppercase(), "States": { (function.to_uppercase()): state } })
    };
    let machine = json!({ "StartAt": "Both", "States": { "Both": { "Type": "Parallel", "End": true, "Branches": [
        branch("slow", json!({})),
        branch("break_it", json!({ "Retry": retry(&["Runtime.ExitError"]) })) ] } } });
    // Whether the sibling's call is under way when the other one crashes is up to the files that both look at.
    let slow = "n = begun('slow')\n    \
                while not is_marked('again'): time.sleep(0.01)\n    \
                return ['slow', context.aws_request_id]";
    let broken = "if begun('break_it') == 0:\n        \
                  while not is_marked('slow'): time.sleep(0.01)\n        \
                  os._exit(1)\n    \
                  begun('again')\n    \
                  return 'mended'";
    let workflow = marking(&machine, &[("slow", slow), ("break_it", broken)]);
    // In one process nobody can tell who did it, and both attempts fail.
    for isolation in ["auto", "process"] {
        forget_calls(&workflow);
        let run = fast(&workflow, isolation);
        let output = run.output();
        assert_eq!((&output[0][0], &output[1]), (&json!("slow"), &json!("mended")), "{isolation}");
        assert_eq!(calls(&workflow, "slow"), 2, "{isolation}: what was under way is called again");
        let failed =
            run.report["events"].as_array().unwrap().iter().filter(|kind| *kind == "LambdaFunctionFailed");
        assert_eq!(failed.count(), 1, "{isolation}: {run:#?}");
        let states = run.report["states"].as_array().unwrap();
        let of_slow = states.iter().find(|state| state["function"] == "slow").unwrap();
        assert_eq!(of_slow["calls"][0]["request_id"], output[0][1], "{isolation}");
    }
}

#[test]
fn some_items_of_a_map_may_crash() {
    let item = |fields: Value| {
        let mut state = task("break_it", "");
        state.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!({ "StartAt": "Item", "States": { "Item": state, "Caught": { "Type": "Pass", "Result": "caught", "End": true } } })
    };
    let caught = item(json!({ "Catch": [{ "ErrorEquals": ["Runtime.ExitError"], "Next": "Caught" }] }));
    let body = "begun('item' + str(event)); (os._exit(1) if event % 4 == 0 else None)\n    return event";
    let machine = json!({ "StartAt": "Map", "States": { "Map": {
        "Type": "Map", "ItemProcessor": caught, "MaxConcurrency": 3, "End": true } } });
    let workflow = in_one_lane(marking(&machine, &[("break_it", body)]));
    let items: Vec<u64> = (1..=20).collect();
    for isolation in ISOLATIONS {
        forget_calls(&workflow);
        let run = workflow.run_under(isolation, &json!(items));
        let expected: Vec<Value> =
            items.iter().map(|item| if item % 4 == 0 { json!("caught") } else { json!(item) }).collect();
        assert_eq!(run.output(), &json!(expected), "{isolation}");
        for item in &items {
            assert_eq!(calls(&workflow, &format!("item{item}")), 1, "{isolation}: item {item}");
        }
        assert_eq!(run.report["instances"], 6, "{isolation}");
    }

    let mut tolerant = machine.clone();
    tolerant["States"]["Map"]["ToleratedFailureCount"] = json!(5);
    tolerant["States"]["Map"]["ItemProcessor"] = item(json!({}));
    tolerant["States"]["Map"]["ItemProcessor"]["States"].as_object_mut().unwrap().remove("Caught");
    let workflow = marking(&tolerant, &[("break_it", body)]);
    let run = workflow.run_under("auto", &json!(items));
    assert_eq!((run.exit, &run.report["status"]), (Some(0), &json!("SUCCEEDED")), "{run:#?}");
}

/// A call in the numbers of another architecture: there is no attack that is no mistake, so the function ends there.
#[test]
fn a_violation_can_be_caught_but_not_retried() {
    const FOREIGN: &str = "begun('break_it'); ctypes.CDLL(None).syscall(0x40000027)";
    let retried = json!({ "Retry": retry(&["States.ALL"]) });
    let workflow = marking(&three(&retried), &[FIRST, ("break_it", FOREIGN), LAST]);
    let run = fast(&workflow, "process");
    assert_eq!((run.exit, run.error().0), (Some(105), "Faastlane.IsolationViolation"), "{run:#?}");
    assert_eq!((calls(&workflow, "break_it"), calls(&workflow, "last")), (1, 0));
    let end = [json!("LambdaFunctionFailed"), json!("ExecutionFailed")];
    assert!(run.report["events"].as_array().unwrap().ends_with(&end), "{run:#?}");

    let mut caught = retried;
    caught["Catch"] = json!([{ "ErrorEquals": ["States.ALL"], "Next": "Last" }]);
    let workflow = marking(&three(&caught), &[FIRST, ("break_it", FOREIGN), LAST]);
    let run = fast(&workflow, "process");
    assert_eq!(run.output()["Error"], "Faastlane.IsolationViolation");
    assert_eq!(["first", "break_it", "last"].map(|name| calls(&workflow, name)), [1, 1, 1]);
}

#[test]
fn a_call_that_never_returns_leaves_room_for_the_next_one() {
    let forever = "if begun('break_it') == 0:\n        while True: pass\n    return event + 1";
    let of_state = json!({ "TimeoutSeconds": 1, "Retry": retry(&["States.Timeout"]) });
    let of_function = json!({ "Retry": retry(&["Sandbox.Timedout"]) });
    for (fields, timeout) in [(of_state, ""), (of_function, "timeout = 1\n")] {
        let workflow = marking(&three(&fields), &[FIRST, ("break_it", forever), LAST]);
        let marked =
            |name: &str, more: &str| format!("[functions.{name}]\nwritable_files = [\"marks\"]\n{more}");
        let config = marked("break_it", timeout) + &marked("first", "") + &marked("last", "");
        let workflow = workflow.config(&config);
        for isolation in ISOLATIONS {
            forget_calls(&workflow);
            let run = fast(&workflow, isolation);
            assert_eq!(run.output(), &json!(2), "{fields}, {isolation}");
            assert_eq!((calls(&workflow, "first"), calls(&workflow, "last")), (1, 1), "{isolation}");
            // On a busy host the next call may take too long as well.
            assert!(calls(&workflow, "break_it") >= 2, "{isolation}");
        }
    }
}

#[test]
fn a_wait_ends_when_it_was_to_end_whatever_becomes_of_the_instance() {
    let machine = json!({ "StartAt": "First", "States": {
        "First": task("first", "Wait"),
        "Wait": { "Type": "Wait", "Seconds": 4, "Next": "Last" },
        "Last": task("last", "") } });
    let body = "begun('first'); threading.Timer(3, os._exit, [4]).start()\n    return 1";
    let workflow = marking(&machine, &[("first", body), LAST]);
    for isolation in ISOLATIONS {
        forget_calls(&workflow);
        let run = workflow.run_under(isolation, &json!({}));
        assert_eq!(run.output(), &json!(1), "{isolation}");
        assert_eq!((calls(&workflow, "first"), &run.report["instances"]), (1, &json!(2)), "{isolation}");
        let wait = &run.report["states"][1];
        let took = wait["exited_us"].as_u64().unwrap() - wait["entered_us"].as_u64().unwrap();
        // If it began again, it would take 7.
        assert!((4_000_000..7_000_000).contains(&took), "{isolation}: {took}");
    }
}

#[test]
fn an_instance_that_cannot_be_made_again_ends_the_execution_as_at_its_start() {
    let machine = three(&json!({ "Retry": retry(&["Runtime.ExitError"]) }));
    let workflow = marking(&machine, &[FIRST, ("break_it", "os._exit(1)"), LAST]);
    // What it does after a restore fails in the second instance.
    let code = fs::read_to_string(workflow.path("functions/last.py")).unwrap();
    let workflow =
        workflow.file("functions/last.py", code + "\nimport faastlane\n@faastlane.after_restore\ndef again():\n    if begun('restored') > 0: raise LookupError('again')\n");
    for isolation in ISOLATIONS {
        forget_calls(&workflow);
        let run = fast(&workflow, isolation);
        assert_eq!((run.exit, run.codes()), (Some(101), vec!["FL0310"]), "{isolation}: {run:#?}");
    }
}

/// Nobody can be blamed for what happens while no function runs, and so nothing would ever end it.
#[test]
fn an_execution_whose_instances_end_before_anything_goes_on_fails() {
    let machine = json!({ "StartAt": "Wait", "States": {
        "Wait": { "Type": "Wait", "Seconds": 600, "Next": "Last" }, "Last": task("last", "") } });
    let code = "import faastlane, os, threading\n\
                @faastlane.after_restore\n\
                def end(): threading.Timer(0.3, os._exit, [4]).start()\n\
                def handler(event, context): return 1\n";
    let workflow = Workflow::new(&machine).functions(&[("last", code)]);
    for isolation in ISOLATIONS {
        let run = workflow.run_under(isolation, &json!({}));
        let (error, cause) = run.failure();
        assert_eq!(error, "Runtime.ExitError", "{isolation}");
        assert!(
            cause.contains("exit status 4") && cause.contains("10 times in a row"),
            "{isolation}: {cause}"
        );
        let events = [json!("ExecutionStarted"), json!("WaitStateEntered"), json!("ExecutionFailed")];
        assert_eq!(run.report["events"], json!(events), "{isolation}");
    }
}

/// The reader of its items and the writer of its results are the supervisor's, which goes on.
#[test]
fn a_distributed_map_goes_on_reading_and_writing() {
    let machine = json!({ "StartAt": "Each", "States": { "Each": { "Type": "Map", "End": true, "MaxConcurrency": 2,
        "ItemReader": { "Resource": "arn:aws:states:::s3:getObject", "Parameters": { "Bucket": "data", "Key": "a.json" },
                        "ReaderConfig": { "InputType": "JSON" } },
        "ItemProcessor": { "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" }, "StartAt": "Item",
            "States": { "Item": { "Type": "Task", "Resource": "item", "End": true, "Retry": retry(&["Runtime.ExitError"]) } } },
        "ResultWriter": { "Resource": "arn:aws:states:::s3:putObject", "Parameters": { "Bucket": "data", "Prefix": "out" },
                          "WriterConfig": { "Transformation": "COMPACT", "OutputType": "JSON" } } } } });
    let body = "n = begun('item' + str(event)); (os._exit(1) if event % 100 == 0 and n == 0 else None)\n    return event";
    let items: Vec<u64> = (1..=300).collect();
    let workflow = marking(&machine, &[("item", body)]).file("data/a.json", json!(items).to_string());
    let config = fs::read_to_string(workflow.path("faastlane.toml")).unwrap();
    let workflow = in_one_lane(workflow.config(&(config + "[stores]\ndata = \"data\"\n")));
    for isolation in ISOLATIONS {
        forget_calls(&workflow);
        let run = fast(&workflow, isolation);
        let read = |key: &Value| -> Value {
            let text = fs::read_to_string(workflow.path("data").join(key.as_str().unwrap())).unwrap();
            parse(&text).unwrap()
        };
        let manifest = read(&run.output()["ResultWriterDetails"]["Key"]);
        let results = read(&manifest["ResultFiles"]["SUCCEEDED"][0]["Key"]);
        let mut results: Vec<u64> =
            results.as_array().unwrap().iter().map(|one| one.as_u64().unwrap()).collect();
        results.sort_unstable();
        assert_eq!(results, items, "{isolation}");
        for item in &items {
            let times = if item % 100 == 0 { 2 } else { 1 };
            assert_eq!(calls(&workflow, &format!("item{item}")), times, "{isolation}: item {item}");
        }
        assert_eq!(run.report["instances"], 4, "{isolation}");
    }
}

/// A stand-in that answers by attempt goes on counting, and is told of once.
#[test]
fn stand_ins_answer_as_if_nothing_had_happened() {
    let mut machine = three(&json!({ "Retry": retry(&["Runtime.ExitError"]) }));
    machine["States"]["First"]["Retry"] = retry(&["Busy"]);
    let body = "if begun('break_it') == 0: os._exit(1)\n    return event";
    let mocks = json!({
        "StateMachines": { "workflow": { "TestCases": { "Busy": { "First": "BusyOnce", "Last": "Late" } } } },
        "MockedResponses": {
            "BusyOnce": { "0": { "Throw": { "Error": "Busy", "Cause": "c" } }, "1": { "Return": 7 } },
            "Late": { "0": { "Return": "done" } } } });
    let workflow = marking(&machine, &[("break_it", body)]).file("mocks.json", mocks.to_string());
    let mocks = format!("{}#Busy", workflow.path("mocks.json").display());
    for isolation in ISOLATIONS {
        forget_calls(&workflow);
        let flags = ["--isolation", isolation, "--time-scale", "0.01", "--mock", &mocks];
        let run = workflow.run_text(&flags, "{}");
        assert_eq!(run.output(), "done", "{isolation}");
        assert_eq!((&run.report["mocked"], &run.report["instances"]), (&json!(["first", "last"]), &json!(2)));
        let scheduled =
            run.report["events"].as_array().unwrap().iter().filter(|kind| *kind == "LambdaFunctionScheduled");
        assert_eq!(scheduled.count(), 5, "{isolation}");
    }
}
