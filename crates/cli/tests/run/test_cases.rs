//! `faastlane test`: which cases are found, what comes of them, and what `--update` writes.

use crate::workflow::{Workflow, faastlane, parse, text};
use serde_json::{Value, json};
use std::fs;

fn echo() -> Workflow {
    Workflow::new(
        &json!({ "StartAt": "S", "States": { "S": { "Type": "Task", "Resource": "f", "End": true } } }),
    )
}

fn case(workflow: Workflow, path: &str, case: &Value) -> Workflow {
    workflow.file(path, format!("{case:#}"))
}

/// Exit, report and stderr.
fn test(workflow: &Workflow, flags: &[&str]) -> (Option<i32>, Value, String) {
    let output = faastlane().arg("test").arg(workflow.path("")).args(flags).output().unwrap();
    let report = if flags.contains(&"--json") { parse(&text(&output.stdout)).unwrap() } else { Value::Null };
    (output.status.code(), report, text(&output.stderr))
}

fn results(report: &Value) -> Vec<(&str, &str)> {
    let tests = report["tests"].as_array().unwrap_or_else(|| panic!("{report:#}"));
    tests.iter().map(|test| (test["name"].as_str().unwrap(), test["result"].as_str().unwrap())).collect()
}

#[test]
fn cases_pass_and_fail_each_for_itself() {
    let workflow =
        echo().file("tests/in.json", "[1, 2.0]").file("tests/deep/own/mocks.json", r#"{"f": "echo"}"#);
    let workflow = case(
        workflow,
        "tests/a.test.json",
        &json!({
            "input_file": "in.json", "mock": { "f": "echo" }, "expect": { "output": [1.0, 2], "events": [
                "ExecutionStarted", "TaskStateEntered", "LambdaFunctionScheduled", "LambdaFunctionStarted",
                "LambdaFunctionSucceeded", "TaskStateExited", "ExecutionSucceeded",
            ] },
        }),
    );
    let workflow = case(
        workflow,
        "tests/b.test.json",
        &json!({
            "mock": [{ "function": "f", "kind": "raise E('no')" }],
            "expect": { "error": "E", "cause": {
                "errorMessage": "no", "errorType": "E", "requestId": { "$any": true }, "stackTrace": { "$any": true },
            } },
        }),
    );
    let workflow =
        case(workflow, "tests/deep/own/test.json", &json!({ "input": 7, "expect": { "output": 8 } }));
    let workflow = case(workflow, "tests/skipped.test.json", &json!({ "skip": "later", "expect": {} }))
        .file("tests/y.test.yaml", "mock: {f: return None}\nexpect: {output: null}\n");
    let (exit, report, _) = test(&workflow, &["--json"]);
    let expected =
        [("a", "passed"), ("b", "passed"), ("deep/own", "failed"), ("skipped", "skipped"), ("y", "passed")];
    assert_eq!((exit, results(&report)), (Some(100), expected.to_vec()), "{report:#}");
    assert_eq!(report["tests"][2]["expected"]["output"], 8);
    assert_eq!(report["tests"][2]["actual"]["output"], 7);
    assert_eq!((&report["summary"]["run"], &report["summary"]["failed"]), (&json!(4), &json!(1)));

    let (exit, _, stderr) = test(&workflow, &["--jobs", "1"]);
    assert_eq!(exit, Some(100));
    for said in [
        "    PASS [",
        "] a\n",
        "    FAIL [",
        "] deep/own\n",
        "-  \"output\": 8",
        "+  \"output\": 7",
        "] skipped: later",
    ] {
        assert!(stderr.contains(said), "{said}: {stderr}");
    }
    assert!(stderr.contains("] 4 tests run: 3 passed, 1 failed, 1 skipped\n"), "{stderr}");

    let (exit, report, _) = test(&workflow, &["--json", "-k", "y", "-k", "deep", "--jobs", "3"]);
    assert_eq!((exit, results(&report)), (Some(100), vec![("deep/own", "failed"), ("y", "passed")]));
    assert_eq!(test(&workflow, &["-k", "y"]).0, Some(0));
    let (exit, report, _) = test(&workflow, &["--json", "-k", "nothing"]);
    assert_eq!((exit, &report["diagnostics"][0]["code"]), (Some(2), &json!("FL0511")));
}

#[test]
fn a_case_that_cannot_be_run_does_not_stop_the_others() {
    let workflow = case(echo(), "tests/good.test.json", &json!({ "mock": { "f": "echo" }, "expect": {} }));
    let bad = [
        json!({ "exepct": {} }),
        json!({ "expect": { "status": "DONE" } }),
        json!({ "expect": { "output": 1, "error": "E" } }),
        json!({ "expect": { "events": "x" } }),
        json!({ "expect": {}, "input": 1, "input_file": "x" }),
        json!({ "expect": {}, "time_scale": 0 }),
        json!({ "mock": { "f": "echo" } }),
        json!([]),
    ];
    let workflow = bad
        .iter()
        .enumerate()
        .fold(workflow, |workflow, (index, bad)| case(workflow, &format!("tests/bad{index}.test.json"), bad));
    let workflow = case(workflow, "tests/mock.test.json", &json!({ "mock": { "f": "ecko" }, "expect": {} }));
    let (exit, report, _) = test(&workflow, &["--json"]);
    assert_eq!(exit, Some(2));
    for test in report["tests"].as_array().unwrap() {
        let name = test["name"].as_str().unwrap();
        let code = match name {
            "good" => continue,
            "mock" => "FL0503",
            _ => "FL0510",
        };
        assert_eq!(test["diagnostics"][0]["code"], code, "{test:#}");
        assert!(test["diagnostics"][0]["line"].is_u64(), "{test:#}");
    }
    assert!(results(&report).contains(&("good", "passed")));
    assert_eq!(report["summary"]["failed"], 9);

    // What is wrong with the workflow is no mistake of the suite.
    let workflow = case(echo(), "tests/real.test.json", &json!({ "expect": {} }));
    let (exit, report, _) = test(&workflow, &["--json"]);
    assert_eq!((exit, &report["tests"][0]["diagnostics"][0]["code"]), (Some(100), &json!("FL0204")));
    assert_eq!(test(&echo(), &[]).0, Some(2), "there is no case");
}

#[test]
fn real_functions_run_and_what_they_print_is_shown_where_it_helps() {
    let workflow = echo().functions(&[(
        "f",
        "def handler(event, context):\n    print('heard', event)\n    return event + 1\n",
    )]);
    let workflow = case(workflow, "tests/one.test.json", &json!({ "input": 1, "expect": { "output": 2 } }));
    let workflow = case(workflow, "tests/two.test.json", &json!({ "input": 2, "expect": { "output": 2 } }));
    let (exit, _, stderr) = test(&workflow, &[]);
    assert_eq!(exit, Some(100), "{stderr}");
    assert!(stderr.contains("f | heard 2") && !stderr.contains("heard 1"), "{stderr}");
}

#[test]
fn an_update_writes_what_came_out_and_nothing_else() {
    let workflow = echo()
        .file("tests/new.test.json", "{\n  \"input\": {\"n\": 1},\n  \"mock\": {\"f\": \"echo\"}\n}\n")
        .file("tests/old.test.json", "{\"expect\": {\"output\": {\"id\": {\"$any\": true}, \"n\": 0}},\n \"input\": {\"id\": 5, \"n\": 1}, \"mock\": {\"f\": \"echo\"}}")
        .file("tests/yaml.test.yaml", "# kept\nmock: {f: raise E('x')}\nexpect:\n  output: 1\n")
        .file("tests/fine.test.json", "{\"mock\":{\"f\":\"echo\"},   \"expect\":{\"output\":{}}}");
    let (exit, report, _) = test(&workflow, &["--json", "--update"]);
    let expected = [("fine", "passed"), ("new", "updated"), ("old", "updated"), ("yaml", "updated")];
    assert_eq!((exit, results(&report)), (Some(0), expected.to_vec()), "{report:#}");
    let file = |path: &str| fs::read_to_string(workflow.path(path)).unwrap();
    assert_eq!(file("tests/fine.test.json"), "{\"mock\":{\"f\":\"echo\"},   \"expect\":{\"output\":{}}}");
    let new = file("tests/new.test.json");
    assert!(
        new.starts_with(
            "{\n  \"input\": {\"n\": 1},\n  \"mock\": {\"f\": \"echo\"},\n  \"expect\": {\n    \"status\""
        ),
        "{new}"
    );
    let old = parse(&file("tests/old.test.json")).unwrap();
    assert_eq!(old["expect"]["output"], json!({ "id": { "$any": true }, "n": 1 }));
    assert!(file("tests/yaml.test.yaml").starts_with("# kept\nmock: {f: raise E('x')}\nexpect:"));
    // The id of a request, which is another one each time, is left open.
    let (exit, report, _) = test(&workflow, &["--json"]);
    assert_eq!(exit, Some(0), "{report:#}");
}

#[test]
fn cases_may_name_a_workflow_and_a_test_case_of_awss_format() {
    let mocks = json!({
        "StateMachines": { "m": { "TestCases": { "A": { "S": "One" }, "B": { "S": "Fails" } } } },
        "MockedResponses": {
            "One": { "0": { "Return": 1 } },
            "Fails": { "0": { "Throw": { "Error": "Custom", "Cause": "it does" } } },
        },
    });
    let workflow = echo().file("suite/mocks.json", mocks.to_string());
    let of = |mock: &str, expect: Value| json!({ "workflow": "../workflow.asl.json", "mock": mock, "expect": expect });
    let workflow = case(workflow, "suite/a.test.json", &of("mocks.json#A", json!({ "output": 1 })));
    let workflow = case(
        workflow,
        "suite/b.test.json",
        &of("mocks.json#B", json!({ "error": "Custom", "cause": "it does" })),
    );
    let output = faastlane().args(["test", "suite"]).current_dir(workflow.path("")).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "");
}
