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

/// Ways to take the process away from under everybody.
const CRASHES: [(&str, &str); 5] = [
    ("exit", "import os\ndef handler(event, context): os._exit(3)"),
    ("null", "import ctypes\ndef handler(event, context): return ctypes.string_at(0)"),
    ("write", "import ctypes\ndef handler(event, context): return ctypes.memset(8, 0, 1)"),
    ("abort", "import os\ndef handler(event, context): os.abort()"),
    (
        "deep",
        "import sys\nsys.setrecursionlimit(10**9)\ndef dig(depth): return repr(Deep())\n\
              class Deep:\n    def __repr__(self): return repr(Deep())\n\
              def handler(event, context): return dig(0)",
    ),
];

#[test]
fn a_crash_fails_the_execution_and_names_the_function() {
    for (name, code) in CRASHES {
        let ok = "def handler(event, context):\n    print('before')\n    return 1";
        let workflow = Workflow::chain(&[("before", ok), (name, code), ("after", ok)]);
        for isolation in ["auto", "process", "none"] {
            let run = workflow.run_under(isolation, &json!({}));
            let (error, cause) = run.failure();
            assert_eq!(error, "Runtime.ExitError", "{name}, {isolation}: {cause}");
            let named = cause.contains(&format!("`{name}`")) || cause.contains(&name.to_uppercase());
            assert!(named, "{name}, {isolation}: {cause}");
            assert_eq!(run.lines(), [("before", "before")], "{name}, {isolation}");
            let events: Vec<&str> =
                run.report["events"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            assert_eq!(events.last(), Some(&"ExecutionFailed"), "{name}, {isolation}");
        }
    }
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
