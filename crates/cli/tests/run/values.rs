//! What functions return, and what the next one gets.

use crate::workflow::{Workflow, fed, text};
use serde_json::json;

/// Returns what the event says, as Python.
const EVALUATES: &str = "import collections, decimal, datetime, enum\n\
    def handler(event, context):\n    \
        scope = {}\n    \
        exec(event, globals(), scope)\n    \
        return scope['result']\n";

#[test]
fn what_json_cannot_say_is_a_marshal_error() {
    let workflow = Workflow::chain(&[("evaluate", EVALUATES)]);
    for (code, message) in [
        ("result = {1, 2}", "Object of type set is not JSON serializable"),
        ("result = [b'1']", "Object of type bytes is not JSON serializable"),
        ("result = bytearray(b'1')", "Object of type bytearray is not JSON serializable"),
        ("result = b'bytes'", "the bytes that the function returned cannot be read as JSON: Expecting value"),
        ("result = b''", "the bytes that the function returned cannot be read as JSON"),
        (
            "result = b'\"\\xff\"'",
            "the bytes that the function returned cannot be read as JSON: 'utf-8' codec",
        ),
        ("result = b'[NaN]'", "Out of range float values are not JSON compliant"),
        ("result = float('nan')", "Out of range float values are not JSON compliant"),
        ("result = [1.0, float('-inf')]", "Out of range float values are not JSON compliant"),
        ("result = {(1, 2): 3}", "keys must be str, int, float, bool or None, not tuple"),
        ("result = []\nresult.append(result)", "Circular reference detected"),
        ("result = datetime.date(2020, 1, 1)", "Object of type date is not JSON serializable"),
        ("result = 1j", "Object of type complex is not JSON serializable"),
        ("result = 1\nfor _ in range(10_000): result = [result]", "recursion"),
        ("result = 1\nfor _ in range(10_000): result = {'a': result}", "recursion"),
    ] {
        let run = workflow.run(&json!(code));
        let (error, cause) = run.function_error();
        assert_eq!(error, "Runtime.MarshalError", "{code}");
        let found = cause["errorMessage"].as_str().unwrap();
        assert!(found.starts_with("Unable to marshal response: "), "{code}: {found}");
        assert!(found.contains(message), "{code}: {found}");
    }
}

#[test]
fn values_arrive_as_json_would_bring_them() {
    let described = "def handler(event, context): return repr(event)";
    let workflow = Workflow::chain(&[("evaluate", EVALUATES), ("describe", described)]);
    for (code, expected) in [
        ("result = (1, [], {}, '', None, True)", "[1, [], {}, '', None, True]"),
        ("result = {1: 'a', 2.5: 'b', None: 'c', True: 'd'}", "{'1': 'd', '2.5': 'b', 'null': 'c'}"),
        ("result = 2**64", "18446744073709551616"),
        (
            "result = [-(2**63), -(2**63) - 1, 2**63 - 1, 2**63]",
            "[-9223372036854775808, -9223372036854775809, 9223372036854775807, 9223372036854775808]",
        ),
        ("result = [0.1, 1e308, 5e-324, -0.0, 1e16, 3.0]", "[0.1, 1e+308, 5e-324, -0.0, 1e+16, 3.0]"),
        ("result = 'a\\0b\\n\\u00e9\\U0001f600\\u2028'", "'a\\x00b\\né😀\\u2028'"),
        ("result = {'': {'': []}}", "{'': {'': []}}"),
        ("result = b'\"HelloWorld!\"'", "'HelloWorld!'"),
        ("result = b' {\"a\": [1, 2.5, null]} '", "{'a': [1, 2.5, None]}"),
        ("result = '\"é\"'.encode()", "'é'"),
        ("result = type('Text', (bytes,), {})(b'1')", "1"),
        ("result = collections.OrderedDict(b=1, a=2)", "{'b': 1, 'a': 2}"),
        ("result = enum.IntEnum('Colour', 'RED')(1)", "1"),
        ("result = 10**4299", &format!("1{}", "0".repeat(4299))),
    ] {
        let run = workflow.run(&json!(code));
        assert_eq!(run.output(), &json!(expected), "{code}");
    }
}

#[test]
fn numbers_stay_exact_through_many_functions() {
    let pass = "def handler(event, context): return event";
    let workflow = Workflow::chain(&[("one", pass), ("two", pass), ("three", pass)]);
    let numbers = "[123456789012345678901234567890,-170141183460469231731687303715884105729,0.1,-0.0,1e300,\
                   9007199254740993,1e16,100.0]";
    let output = fed(workflow.command().args(["--json", "--input", "-"]), numbers.as_bytes());
    let stdout: String = text(&output.stdout).split_whitespace().collect();
    let expected = "\"output\":[123456789012345678901234567890,-170141183460469231731687303715884105729,0.1,-0.0,\
                    1e+300,9007199254740993,1e+16,100.0]";
    assert!(stdout.contains(expected), "{stdout}");
}

#[test]
fn lone_surrogates_cannot_leave_a_function() {
    let workflow = Workflow::chain(&[("evaluate", EVALUATES)]);
    for code in ["result = 'a\\ud800'", "result = {'\\udfff': 1}"] {
        let run = workflow.run(&json!(code));
        assert_eq!(run.failure().0, "Runtime.MarshalError", "{code}");
    }
    // A pair, as UTF-16 has it, is one character in JSON's own escapes.
    let run = workflow.run_text(&[], r#""result = '\ud83d\ude00'""#);
    assert_eq!(run.output(), "😀");
}

#[test]
fn the_deepest_nesting_passes_and_one_more_does_not() {
    let pass = "def handler(event, context): return event";
    let workflow = Workflow::chain(&[("one", pass), ("two", pass)]);
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    // As text: to build such a value takes more stack than a test's thread has.
    let output = fed(workflow.command().args(["--input", "-"]), nested(1000).as_bytes());
    let stdout: String = text(&output.stdout).split_whitespace().collect();
    assert_eq!((output.status.code(), stdout), (Some(0), nested(1000)), "{}", text(&output.stderr));
    assert_eq!(workflow.run_text(&[], &nested(1001)).codes(), ["FL0302"]);
}
