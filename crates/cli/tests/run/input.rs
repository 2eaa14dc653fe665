//! Inputs that cannot be used, and what `--json` says of them.

use crate::workflow::{Workflow, fed, text};
use serde_json::json;
use std::path::Path;

fn echo() -> Workflow {
    Workflow::chain(&[("echo", "def handler(event, context): return event")])
}

#[test]
fn no_input_is_an_empty_object() {
    let workflow = echo();
    let output = workflow.command().output().unwrap();
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(0), "{}\n"));
}

#[test]
fn an_input_can_be_a_file() {
    let workflow = echo().file("event.json", "{\"a\": [1, 2.50]}\n");
    let output = workflow.command().args(["--input", "event.json"]).output().unwrap();
    let stdout: String = text(&output.stdout).split_whitespace().collect();
    assert_eq!((output.status.code(), stdout.as_str()), (Some(0), "{\"a\":[1,2.5]}"));
}

#[test]
fn what_is_no_json_is_shown_where_it_ends_being_json() {
    let workflow = echo().file("event.json", "{\n  \"a\": 1,\n  \"b\": tru\n}\n");
    let output = workflow.command().args(["--input", "event.json"]).output().unwrap();
    let stderr = text(&output.stderr);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(2), ""), "{stderr}");
    for part in ["FL0302", "event.json:3:10]", "  \"b\": tru", "not a JSON value", "hint: "] {
        assert!(stderr.contains(part), "no {part:?} in {stderr}");
    }
}

#[test]
fn inputs_that_are_not_one_json_value() {
    let workflow = echo();
    for input in [
        "",
        " ",
        "nonsense",
        "{} {}",
        "[1,]",
        "{\"a\":1,}",
        "'a'",
        "NaN",
        "[Infinity]",
        "\"\\ud800\"",
        "01",
        "\u{feff}x",
        "\"a",
        "{\"a\"}",
        "[1",
        "\"\t\"",
        "é",
        "[\"é\" é]",
        "[\"é",
        "\"é\u{1}\"",
        "\n\n",
        "/* */ 1",
    ] {
        let run = workflow.run_text(&[], input);
        assert_eq!((run.exit, run.codes()), (Some(2), vec!["FL0302"]), "{input:?}");
    }
    for bytes in [&b"\xff\xfe"[..], b"\"\xc3\"", b"\"\xed\xa0\x80\""] {
        let output = fed(workflow.command().args(["--input", "-"]), bytes);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("FL0302") && stderr.contains("UTF-8"), "{stderr}");
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_input() {
    assert_eq!(echo().run_text(&[], "\u{feff}[1]").output(), &json!([1]));
}

#[test]
fn an_input_that_is_nested_too_deeply() {
    let workflow = echo();
    for levels in [1001, 10_000, 1_000_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let input = format!("{}1{}", open.repeat(levels), close.repeat(levels));
            let run = workflow.run_text(&[], &input);
            assert_eq!((run.exit, run.codes()), (Some(2), vec!["FL0302"]), "{levels}");
        }
    }
}

#[test]
fn the_last_of_duplicate_keys_counts() {
    assert_eq!(echo().run_text(&[], r#"{"a": 1, "b": 2, "a": 3}"#).output(), &json!({ "a": 3, "b": 2 }));
}

#[test]
fn a_missing_input_and_a_folder() {
    let workflow = echo();
    for input in ["missing.json", "functions"] {
        let output = workflow.command().args(["--json", "--input", input]).output().unwrap();
        let report = crate::workflow::parse(&text(&output.stdout)).unwrap();
        assert_eq!(output.status.code(), Some(2), "{report:#}");
        assert_eq!(report["diagnostics"][0]["code"], "FL0301", "{report:#}");
    }
}

#[test]
fn errors_of_workflow_and_input_come_together() {
    let workflow = Workflow::new(&json!({ "StartAt": "A", "States": {} }));
    let run = workflow.run_text(&[], "nonsense");
    assert_eq!(run.exit, Some(102), "{run:#?}");
    assert!(run.codes().contains(&"FL0302"), "{run:#?}");
}

#[test]
fn json_is_one_object_whatever_is_wrong() {
    let empty = tempfile::tempdir().unwrap();
    let missing = empty.path().join("missing");
    let folders: [&Path; 2] = [empty.path(), &missing];
    for folder in folders {
        let output = crate::workflow::faastlane().args(["run", "--json"]).arg(folder).output().unwrap();
        let report = crate::workflow::parse(&text(&output.stdout)).unwrap();
        assert!(report["diagnostics"][0]["code"].as_str().unwrap().starts_with("FL"), "{report:#}");
        assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(101), ""));
    }
}
