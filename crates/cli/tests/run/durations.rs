//! How long functions take: kept from one run to the next, told by the plan, and what is predicted from it.

use crate::workflow::{Workflow, faastlane, fed, parse, text};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

const WORK: &str = "import time\n\
                    def handler(event, context):\n    \
                        end = time.process_time() + 0.03\n    \
                        while time.process_time() < end: pass\n    \
                        return event\n";

/// A Map over the input, with a cache of its own beside it.
fn map() -> Workflow {
    let processor =
        json!({ "StartAt": "One", "States": { "One": { "Type": "Task", "Resource": "work", "End": true } } });
    Workflow::new(&json!({ "StartAt": "All", "States": {
        "All": { "Type": "Map", "End": true, "ItemProcessor": processor },
    } }))
    .functions(&[("work", WORK)])
}

fn with_own_cache(workflow: &Workflow, command: &str, flags: &[&str]) -> Command {
    let mut faastlane = faastlane();
    faastlane.arg(command).args(flags).arg(workflow.path(".")).env("XDG_CACHE_HOME", workflow.path("cache"));
    faastlane
}

fn kept(workflow: &Workflow) -> PathBuf {
    let folder = fs::read_dir(workflow.path("cache/faastlane/durations")).unwrap();
    let files: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

fn plan(workflow: &Workflow) -> Value {
    let output = with_own_cache(workflow, "plan", &["--json"]).output().unwrap();
    parse(&text(&output.stdout)).unwrap()["plan"].take()
}

fn run(workflow: &Workflow) {
    let output = fed(&mut with_own_cache(workflow, "run", &["--json", "--input", "-"]), b"[1, 2, 3, 4]");
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn they_are_kept_for_the_next_plan_and_damage_is_told_and_mended() {
    let workflow = map();
    assert_eq!(plan(&workflow)["functions"][0].get("usual"), None);
    run(&workflow);
    run(&workflow);
    let planned = plan(&workflow);
    let usual = &planned["functions"][0]["usual"];
    assert_eq!(usual["calls"], 8);
    // The function's clock counts what it uses, the domain's all that goes by.
    assert!(usual["ns"].as_u64().unwrap() >= 30_000_000, "{usual}");
    let reason = planned["states"][0]["reason"].as_str().unwrap();
    let lanes = planned["lanes"].as_u64().unwrap();
    assert_eq!(reason.contains("a call of work takes"), lanes > 1, "{reason}");

    fs::write(kept(&workflow), "{").unwrap();
    let planned = plan(&workflow);
    assert_eq!(planned["functions"][0].get("usual"), None);
    assert!(planned["notes"].to_string().contains("cannot be read"), "{}", planned["notes"]);
    run(&workflow);
    assert_eq!(plan(&workflow)["functions"][0]["usual"]["calls"], 4);

    // Another bundle has durations of its own.
    let workflow = workflow.functions(&[("work", "def handler(event, context): return event\n")]);
    assert_eq!(plan(&workflow)["functions"][0].get("usual"), None);
}

#[test]
fn a_cache_that_cannot_be_written_does_not_stop_a_run() {
    let workflow = map();
    let mut command = with_own_cache(&workflow, "run", &["--input", "-"]);
    let output = fed(command.env("XDG_CACHE_HOME", "/dev/null"), b"[1]");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stderr);
    assert_eq!(said.matches("note: how long functions took cannot be kept").count(), 1, "{said}");
}

#[test]
fn what_was_to_be_expected_stands_beside_what_was_measured() {
    let workflow = map();
    let analyze = || {
        let mut command = with_own_cache(&workflow, "plan", &["--analyze", "--json", "--input", "-"]);
        let output = fed(&mut command, b"[1, 2, 3, 4, 5, 6]");
        assert!(output.status.success(), "{}", text(&output.stderr));
        parse(&text(&output.stdout)).unwrap()
    };
    let first = analyze();
    assert_eq!(first["execution"]["output"], json!([1, 2, 3, 4, 5, 6]));
    let (function, state) = (&first["analysis"]["functions"][0], &first["analysis"]["wide_states"][0]);
    assert_eq!((&function["name"], &function["calls"]), (&json!("work"), &json!(6)));
    assert_eq!(function["predicted_us"], Value::Null);
    assert!(function["measured_us"].as_f64().unwrap() >= 30_000.0, "{function}");
    assert_eq!((&state["name"], &state["type"], &state["calls"]), (&json!("All"), &json!("Map"), &json!(6)));
    assert_eq!(first["analysis"]["predicted_us"], Value::Null);

    let second = analyze();
    let (function, state) = (&second["analysis"]["functions"][0], &second["analysis"]["wide_states"][0]);
    assert_eq!(function["known_calls"], 6);
    assert!(function["predicted_us"].as_f64().unwrap() >= 30_000.0, "{function}");
    let lanes = second["plan"]["lanes"].as_u64().unwrap();
    let predicted = state["predicted_lanes"].as_u64().unwrap();
    assert!((lanes.min(2)..=lanes).contains(&predicted), "150 ms in line are worth a lane: {state}");
    assert!((1..=lanes).contains(&state["lanes"].as_u64().unwrap()), "{state}");
    assert!(second["analysis"]["predicted_us"].as_u64().unwrap() >= 6 * 30_000 / lanes, "{second}");

    let output = fed(&mut with_own_cache(&workflow, "plan", &["--analyze", "--input", "-"]), b"[1, 2]");
    let said = text(&output.stdout);
    assert!(said.contains("FUNCTION  CALLS  PREDICTED  MEASURED") && said.contains(" predicted, "), "{said}");
}

#[test]
fn an_execution_that_fails_is_told_as_a_run_tells_it() {
    let workflow = Workflow::chain(&[("fails", "def handler(event, context): raise KeyError('x')\n")]);
    let output = with_own_cache(&workflow, "plan", &["--analyze"]).output().unwrap();
    assert_eq!(output.status.code(), Some(100), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("FUNCTION"), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("KeyError"), "{}", text(&output.stderr));
}
