//! `faastlane eval` from outside.

use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use tempfile::TempDir;

struct Outcome {
    exit: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Outcome {
    fn value(&self) -> Value {
        assert_eq!(self.exit, Some(0), "{}", self.stderr);
        assert_eq!(self.stderr, "");
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// The line of the expression, with the carets below it, without what is drawn around them.
    fn caret(&self) -> (String, String) {
        let mut lines = self.stderr.lines().skip_while(|line| !line.contains("1 │ "));
        let line = lines.next().unwrap_or_default();
        let below = lines.next().unwrap_or_default();
        let part = |line: &str| line.chars().skip(5).collect::<String>();
        (part(line), part(below))
    }
}

/// Evaluates with files of these contents, and the input on standard input.
fn eval(arguments: &[&str], input: &str, files: &[(&str, &str)]) -> Outcome {
    let home = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(home.path().join(name), text).unwrap();
    }
    let mut child = Command::new(env!("CARGO_BIN_EXE_faastlane"))
        .arg("eval")
        .args(arguments)
        .args(["--input", "-"])
        .current_dir(home.path())
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Wrong arguments end the command before it reads.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Outcome { exit: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

const ORDER: &str = r#"{"order": {"total": 7, "items": [{"price": 3}, {"price": 4}], "müll": null}}"#;

#[test]
fn paths_and_calls_give_json() {
    for (expression, expected) in [
        ("$.order.total", json!(7)),
        ("$.order.items[*].price", json!([3, 4])),
        ("$.order.items[?(@.price > 3)]", json!([{"price": 4}])),
        ("$.nothing[*]", json!([])),
        ("$$.State.Name", json!("Pay")),
        ("$limits.max", json!(10)),
        ("States.Format('{} of {}', $.order.total, $limits.max)", json!("7 of 10")),
    ] {
        let files = [("c.json", r#"{"State": {"Name": "Pay"}}"#), ("v.json", r#"{"limits": {"max": 10}}"#)];
        let arguments = ["--jsonpath", expression, "--context", "c.json", "--variables", "v.json"];
        assert_eq!(eval(&arguments, ORDER, &files).value(), expected, "{expression}");
    }
}

#[test]
fn what_is_not_there_is_shown_with_what_is() {
    for (expression, column, hint) in [
        ("$.order.totl", 7, "hint: Did you mean `total`?"),
        ("$.order.items[2]", 13, "hint: `$.order.items` is an array of 2 elements."),
        ("$['order'].müll.x", 15, "hint: `$['order'].müll` is null."),
        ("$orders.id", 0, "--variables FILE"),
        ("States.Array($.a)", 14, "hint: `$` has `order`."),
        ("States.ArrayGetItem($.order.items, 2)", 0, "States.IntrinsicFailure"),
    ] {
        let outcome = eval(&["--jsonpath", expression], ORDER, &[]);
        assert_eq!((outcome.exit, &*outcome.stdout), (Some(100), ""), "{expression}");
        assert!(outcome.stderr.starts_with("FL0331"), "{}", outcome.stderr);
        let (line, below) = outcome.caret();
        assert_eq!(line, expression);
        assert_eq!(below.find(['─', '┬']), Some(column), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(hint), "{}", outcome.stderr);
    }
}

#[test]
fn jsonata_reads_the_same_files() {
    for (expression, expected) in [
        ("$states.input.order.items[price > 3]", json!({"price": 4})),
        ("{% $sum($states.input.order.items.price) + $limits.max %}", json!(17)),
        ("$states.context.State.Name & '!'", json!("Pay!")),
    ] {
        let files = [("c.json", r#"{"State": {"Name": "Pay"}}"#), ("v.json", r#"{"limits": {"max": 10}}"#)];
        let arguments = ["--jsonata", expression, "--context", "c.json", "--variables", "v.json"];
        assert_eq!(eval(&arguments, ORDER, &files).value(), expected, "{expression}");
    }
    for (expression, column, said, hint) in [
        ("$states.input.order.totl", 19, "returned nothing", "hint: Did you mean `total`?"),
        ("{% $limits.max %}", 3, "returned nothing", "--variables"),
        ("$sum('x')", 0, "T0412", "$states.input"),
    ] {
        let outcome = eval(&["--jsonata", expression], ORDER, &[]);
        assert_eq!((outcome.exit, &*outcome.stdout), (Some(100), ""), "{expression}");
        assert_eq!(outcome.caret().1.find(['─', '┬']), Some(column), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(said) && outcome.stderr.contains(hint), "{}", outcome.stderr);
    }
}

#[test]
fn what_cannot_be_read_is_a_mistake_of_the_caller() {
    for (arguments, said) in [
        (["--jsonpath", "$.order["], "expected a quoted name"),
        (["--jsonpath", "order"], "a path starts with `$`"),
        (["--jsonpath", "$states.input"], "is for JSONata"),
        (["--jsonpath", "States.Nothing()"], "no intrinsic function"),
        (["--jsonata", "1 +"], "the expression is not JSONata"),
    ] {
        let outcome = eval(&arguments, ORDER, &[]);
        assert_eq!((outcome.exit, &*outcome.stdout), (Some(2), ""), "{arguments:?}");
        assert!(outcome.stderr.starts_with("FL0330"), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
    }
    let behind = eval(&["--jsonpath", "$.order["], ORDER, &[]).caret().1;
    assert_eq!(behind.find('┬'), Some("$.order[".len()), "{behind}");
}

#[test]
fn what_it_is_evaluated_with_must_be_json() {
    for (arguments, file, code) in [
        (["--jsonpath", "$", "--context", "f.json"], "{", "FL0302"),
        (["--jsonpath", "$", "--context", "none.json"], "", "FL0301"),
        (["--jsonpath", "$", "--variables", "f.json"], "[1]", "FL0304"),
        (["--jsonpath", "$", "--variables", "f.json"], r#"{"a-b": 1}"#, "FL0304"),
        (["--jsonpath", "$", "--variables", "f.json"], r#"{"states": 1}"#, "FL0304"),
    ] {
        let outcome = eval(&arguments, "{}", &[("f.json", file)]);
        assert_eq!((outcome.exit, &*outcome.stdout), (Some(2), ""), "{arguments:?} {file}");
        assert!(outcome.stderr.starts_with(code), "{}", outcome.stderr);
    }
    let outcome = eval(&["--jsonpath", "$", "--variables", "f.json"], "{}", &[("f.json", "{]")]);
    assert!(outcome.stderr.contains("the variables f.json is not JSON"), "{}", outcome.stderr);
    for arguments in [&["--context", "c.json"][..], &["--jsonpath", "$", "--jsonata", "1"]] {
        assert_eq!(eval(arguments, "{}", &[]).exit, Some(2), "{arguments:?}");
    }
}

#[test]
fn programs_get_one_object() {
    let report = eval(&["--jsonpath", "$.order.total", "--json"], ORDER, &[]).value();
    assert_eq!(report, json!({"format_version": 1, "succeeded": true, "result": 7, "diagnostics": []}));
    let outcome = eval(&["--jsonpath", "$.order.totl", "--json"], ORDER, &[]);
    assert_eq!((outcome.exit, &*outcome.stderr), (Some(100), ""));
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(report["succeeded"], json!(false));
    assert_eq!(report["diagnostics"][0]["code"], json!("FL0331"));
    assert_eq!(report["diagnostics"][0]["column"], json!(8));
}

#[test]
fn what_would_not_end_is_given_up() {
    let deep = format!("{}{}", "[".repeat(60), "]".repeat(60));
    let outcome = eval(&["--jsonpath", "$..*..*..*..*..*..*..*..*..*"], &deep, &[]);
    assert_eq!(outcome.exit, Some(100));
    assert!(outcome.stderr.contains("10000000 steps"), "{}", outcome.stderr);
}
