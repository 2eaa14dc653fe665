//! Functions that fail, crash, or cannot be loaded.

use crate::workflow::{Workflow, fed, text};
use serde_json::{Value, json};

#[test]
fn an_exception_is_the_error_and_its_trace_shows_the_users_lines() {
    let workflow = Workflow::chain(&[("shop", "import stock\ndef handler(event, context):\n    return stock.take(event)\n")])
        .file("functions/stock.py", "class OutOfStock(Exception):\n    pass\n\ndef take(item):\n    raise OutOfStock(f'no {item} left — sorry')\n");
    let run = workflow.run(&json!("tea"));
    let (error, cause) = run.function_error();
    assert_eq!(error, "OutOfStock");
    assert_eq!(cause["errorType"], "OutOfStock");
    assert_eq!(cause["errorMessage"], "no tea left — sorry");
    let trace: Vec<&str> = cause["stackTrace"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let line = |file: &str, number: u32, function: &str, code: &str| {
        let path = workflow.path("functions").join(file).canonicalize().unwrap();
        format!("  File \"{}\", line {number}, in {function}\n    {code}\n", path.display())
    };
    assert_eq!(
        trace,
        [
            line("shop.py", 3, "handler", "return stock.take(event)"),
            line("stock.py", 5, "take", "raise OutOfStock(f'no {item} left — sorry')"),
        ]
    );
}

#[test]
fn a_failing_import_in_a_handler_shows_no_lines_of_the_importer() {
    let workflow = Workflow::chain(&[("load", "def handler(event, context):\n    import part\n")])
        .file("functions/part.py", "raise LookupError('part')");
    let run = workflow.run(&json!({}));
    let (error, cause) = run.function_error();
    let trace = cause["stackTrace"].as_array().unwrap();
    assert_eq!((error, trace.len()), ("LookupError", 2), "{cause:#}");
    assert!(trace[0].as_str().unwrap().contains("load.py\", line 2, in handler"), "{cause:#}");
    assert!(trace[1].as_str().unwrap().contains("part.py\", line 1, in <module>"), "{cause:#}");
}

#[test]
fn people_see_an_exception_as_python_prints_it() {
    let workflow = Workflow::chain(&[("divide", "def handler(event, context):\n    return 1 / event\n")]);
    let output = fed(workflow.command().args(["--input", "-"]), b"0");
    let stderr = text(&output.stderr);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(100), ""), "{stderr}");
    assert!(stderr.contains("divide FAILED in") || stderr.contains(" FAILED in "), "{stderr}");
    assert!(stderr.contains("error: ZeroDivisionError\nTraceback (most recent call last):\n"), "{stderr}");
    assert!(stderr.contains("    return 1 / event\n"), "{stderr}");
    assert!(stderr.ends_with("ZeroDivisionError: division by zero\n"), "{stderr}");
}

#[test]
fn leaving_is_a_failure_of_the_function() {
    for (code, message) in [
        ("import sys\ndef handler(event, context): sys.exit(3)", "exit status 3"),
        ("import sys\ndef handler(event, context): sys.exit('no licence')", "no licence"),
        ("def handler(event, context): raise SystemExit", "without providing a reason"),
    ] {
        let run = Workflow::chain(&[("leave", code)]).run(&json!({}));
        let (error, cause) = run.failure();
        assert_eq!(error, "Runtime.ExitError", "{code}");
        assert!(cause.contains(message), "{code}: {cause}");
    }
}

/// What a drawing needs to tell one from the other.
#[test]
fn the_report_says_which_states_failed_and_which_errors_were_caught() {
    let states = |first: Value| {
        json!({ "StartAt": "Both", "States": {
            "Both": { "Type": "Parallel", "End": true, "Branches": [first,
                { "StartAt": "Again", "States": { "Again": {
                    "Type": "Task", "Resource": "again", "End": true,
                    "Retry": [{ "ErrorEquals": ["ValueError"], "IntervalSeconds": 1, "MaxAttempts": 1 }] } } }] } } })
    };
    let catching = json!({ "StartAt": "Break", "States": {
        "Break": { "Type": "Task", "Resource": "broken", "Catch": [{ "ErrorEquals": ["KeyError"], "Next": "Mend" }], "End": true },
        "Mend": { "Type": "Pass", "End": true } } });
    let functions = [
        ("broken", "def handler(event, context): raise KeyError('k')\n"),
        (
            "again",
            "tries = []\ndef handler(event, context):\n    tries.append(1)\n    if len(tries) == 1: raise ValueError\n",
        ),
    ];
    let run = Workflow::new(&states(catching)).functions(&functions).run(&json!({}));
    let errors = |run: &Value| -> Vec<(String, bool, Value)> {
        let of = |state: &Value| {
            (state["name"].as_str().unwrap().to_owned(), state["exited_us"].is_null(), state["error"].clone())
        };
        let mut errors: Vec<_> = run["states"].as_array().unwrap().iter().map(of).collect();
        errors.sort_by(|left, right| left.0.cmp(&right.0));
        errors
    };
    let no_error = |name: &str| (name.to_owned(), false, Value::Null);
    assert_eq!(run.exit, Some(0), "{}", run.stderr);
    assert_eq!(
        errors(&run.report),
        [
            no_error("Again"),
            no_error("Both"),
            ("Break".to_owned(), false, json!("KeyError")),
            no_error("Mend")
        ]
    );

    let failing = json!({ "StartAt": "Break", "States": { "Break": { "Type": "Task", "Resource": "broken", "End": true } } });
    let run = Workflow::new(&states(failing)).functions(&functions).run(&json!({}));
    assert_eq!(run.exit, Some(100), "{}", run.stderr);
    let errors = errors(&run.report);
    assert_eq!(errors[1], ("Both".to_owned(), true, json!("KeyError")));
    assert_eq!(errors[2], ("Break".to_owned(), true, json!("KeyError")));
}

/// Ways to take the process away from under everybody.
const CRASHES: [(&str, &str); 4] = [
    ("exit", "os._exit(3)"),
    ("null", "ctypes.string_at(0)"),
    ("write", "ctypes.memset(8, 0, 1)"),
    ("abort", "os.abort()"),
];

#[test]
fn a_crash_fails_the_execution_and_names_the_function() {
    let ok = "def handler(event, context): return 1";
    for (name, crash) in CRASHES {
        let code = format!(
            "import ctypes, os\n\
             def handler(event, context):\n    print('begun')\n    {crash}\n"
        );
        // As the first function and as a later one, since what was not reported yet is reported then.
        for functions in [&[(name, code.as_str()), ("after", ok)][..], &[("before", ok), (name, &code)]] {
            let workflow = Workflow::chain(functions);
            for isolation in ["auto", "process", "none"] {
                let run = workflow.run_under(isolation, &json!({}));
                let (error, cause) = run.failure();
                assert_eq!(error, "Runtime.ExitError", "{name}, {isolation}: {cause}");
                assert!(cause.contains(&format!("function `{name}` ")), "{name}, {isolation}: {cause}");
                assert_eq!(run.lines(), [(name, "begun")], "{name}, {isolation}");
                let last_state = run.report["states"].as_array().unwrap().last();
                assert_eq!(last_state.unwrap()["function"], name, "{name}, {isolation}");
                let events = run.report["events"].as_array().unwrap();
                let end =
                    [json!("LambdaFunctionStarted"), json!("LambdaFunctionFailed"), json!("ExecutionFailed")];
                assert!(events.ends_with(&end), "{name}, {isolation}: {events:?}");
            }
        }
    }
}

#[test]
fn a_stack_that_overflows_fails_the_execution_and_names_the_state() {
    // A thread's own small stack, on which not even a signal can be handled.
    let code = "import threading\n\
                def handler(event, context):\n    \
                    nested = 1\n    \
                    for _ in range(600): nested = [nested]\n    \
                    print('begun')\n    \
                    threading.stack_size(32768)\n    \
                    thread = threading.Thread(target=lambda: repr(nested))\n    \
                    thread.start()\n    \
                    thread.join()\n";
    let workflow = Workflow::chain(&[("deep", code)]);
    for isolation in ["auto", "process", "none"] {
        let run = workflow.run_under(isolation, &json!({}));
        let (error, cause) = run.failure();
        assert_eq!(error, "Runtime.ExitError", "{isolation}: {cause}");
        assert!(cause.contains("SIGSEGV") && cause.contains("DEEP"), "{isolation}: {cause}");
        assert_eq!(run.lines(), [("deep", "begun")], "{isolation}");
    }
}

#[test]
fn people_see_what_a_function_printed_before_it_crashed() {
    let code = "import os\ndef handler(event, context):\n    print('begun')\n    os._exit(3)\n";
    let output = Workflow::chain(&[("crash", code)]).command().output().unwrap();
    let stderr = text(&output.stderr);
    assert!(stderr.contains("\n  crash | begun\n"), "{stderr}");
    assert!(
        stderr.ends_with(
            "cause: Runtime exited with error: exit status 3: function `crash` ended its process\n"
        )
    );
}

#[test]
fn a_crash_while_loading_names_the_function() {
    for code in ["print('here')\nimport os\nos._exit(3)", "print('here')\nimport ctypes\nctypes.string_at(0)"]
    {
        let ok = "def handler(event, context): return 1";
        let workflow = Workflow::chain(&[("fine", ok), ("crashes", code)]);
        for isolation in ["auto", "process", "none"] {
            let run = workflow.run_under(isolation, &json!({}));
            assert_eq!(run.exit, Some(101), "{isolation}: {code}: {run:#?}");
            let finding = &run.report["diagnostics"][0];
            assert!(finding.to_string().contains("`crashes`"), "{isolation}: {code}: {finding:#}");
            let output = workflow.command().args(["--isolation", isolation]).output().unwrap();
            assert!(text(&output.stderr).starts_with("crashes | here\n"), "{}", text(&output.stderr));
        }
    }
}

#[test]
fn what_cannot_be_loaded_is_said_with_traceback_and_state() {
    for (code, parts) in [
        (
            "import missing_package\ndef handler(event, context): pass",
            &["Traceback", "import missing_package", "No module named 'missing_package'"][..],
        ),
        ("def handler(event, context):\n    return 1 +\n", &["function.py", "return 1 +", "Syntax error"]),
        (
            "LIMITS = {}\nLIMIT = LIMITS['x']\ndef handler(event, context): pass",
            &["Traceback", "LIMIT = LIMITS['x']", "KeyError: 'x'"],
        ),
        ("def handle(event, context): pass", &["Handler missing on module 'function'"]),
        ("handler = 3", &["is not callable"]),
        ("raise SystemExit('no licence')", &["no licence"]),
    ] {
        let workflow = Workflow::chain(&[("function", code)]);
        let output = workflow.command().output().unwrap();
        let stderr = text(&output.stderr);
        assert_eq!(
            (output.status.code(), text(&output.stdout).as_str()),
            (Some(101), ""),
            "{code}: {stderr}"
        );
        for part in parts.iter().chain(&[
            "FL0310",
            "function `function` cannot be loaded",
            "state `FUNCTION` calls it",
            "workflow.asl.json:",
        ]) {
            assert!(stderr.contains(part), "{code}: no {part:?} in {stderr}");
        }
        let run = workflow.run(&json!({}));
        assert_eq!((run.exit, run.codes()), (Some(101), vec!["FL0310"]), "{code}");
    }
}

#[test]
fn any_of_many_functions_that_cannot_be_loaded_is_named() {
    let ok = "def handler(event, context): return 1";
    let workflow = Workflow::chain(&[("one", ok), ("two", "import nowhere"), ("three", ok)]);
    for isolation in ["auto", "process", "none"] {
        let run = workflow.run_under(isolation, &json!({}));
        assert_eq!(run.codes(), ["FL0310"], "{isolation}");
        assert!(run.report.to_string().contains("function `two` cannot be loaded"), "{isolation}: {run:#?}");
    }
}
