//! Runs every shipped example on its events, and compares with the output that it ships.
//!
//! `ml-prediction` and `sentiment` install packages from PyPI on their first run, so they need a network or a filled cache.

use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const SUCCEEDED: (&str, i32) = ("SUCCEEDED", 0);
const FAILED: (&str, i32) = ("FAILED", 100);
const COMPOSE_FAILED: i32 = 101;
const ISOLATION_VIOLATION: i32 = 105;
const ISOLATION_UNAVAILABLE: i32 = 106;

#[test]
fn finra() {
    check("finra", &[("default", SUCCEEDED), ("rules-200", SUCCEEDED), ("unknown-portfolio", FAILED)]);
}

#[test]
fn healthcare() {
    check("healthcare", &[("default", SUCCEEDED), ("ward", SUCCEEDED), ("empty-ward", SUCCEEDED)]);
}

#[test]
fn ml_prediction() {
    check("ml-prediction", &[("default", SUCCEEDED), ("upload", SUCCEEDED), ("not-an-image", FAILED)]);
}

/// How a picture is encoded differs between builds of Pillow, so the output does not ship.
#[test]
fn ml_prediction_returns_the_picture() {
    let report = report(&run("ml-prediction", &event_file("ml-prediction", "with-png"), &[]));
    assert_eq!(report["output"]["label"], json!(9), "{report:#}");
    let picture = report["output"]["picture"]["png_base64"].as_str().unwrap_or_default();
    assert!(picture.starts_with("iVBORw0KGgo"), "not a PNG: {report:#}");
}

#[test]
fn sentiment() {
    check("sentiment", &[("default", SUCCEEDED), ("one-subject", SUCCEEDED), ("own-reviews", SUCCEEDED)]);
}

/// The template asks for a Python that this host may not have; the flag wins over it.
#[test]
fn stock_trader() {
    let events = [("default", SUCCEEDED), ("sell", SUCCEEDED), ("unknown-stock", FAILED)];
    check_with("stock-trader", &events, &["--python", "python3"]);
    check_with("stock-trader/template.yaml#StockTradingStateMachine", &events[..1], &["--python", "python3"]);
}

#[test]
fn sentiment_writes_where_the_event_says() {
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sentiment");
    if copy.exists() {
        fs::remove_dir_all(&copy).expect("the last run's directory goes");
    }
    // A copy, so that the example stays as it is. Its configuration grants this folder.
    let copied = Command::new("cp").arg("-r").arg(example("sentiment")).arg(&copy).status();
    assert!(copied.expect("cp is there").success(), "the example is copied");
    let directory = copy.join("reviews");
    let event = json!({ "subject": "kettle", "directory": directory });

    let report = report(&run_with_stdin(&copy.to_string_lossy(), &event.to_string()));

    assert_eq!(report["status"], "SUCCEEDED", "{report:#}");
    let database = fs::read(directory.join("reviews.db")).expect("the database is there");
    assert!(database.starts_with(b"SQLite format 3\0"));
    let notification = fs::read_to_string(directory.join("R002.txt")).expect("the notification is there");
    assert!(notification.starts_with("To: product-team@example.com\n"), "{notification}");
    assert!(!directory.join("R001.txt").exists(), "R001 is a good review");
}

/// The attack is real: where nothing isolates, the same definition gives the first patient's record away.
#[test]
fn the_leaking_variant_reads_the_record_without_isolation() {
    let records = fs::read_to_string(example("healthcare").join("functions/fetch_notes/notes.jsonl"))
        .expect("the example ships its notes");

    let report = report(&run_leak("none"));

    assert_eq!(report["output"]["stolen"].as_str(), records.lines().next(), "{report:#}");
}

#[test]
fn the_leaking_variant_is_stopped_by_its_key() {
    let output = run_leak("mpk");
    if output.status.code() == Some(ISOLATION_UNAVAILABLE) {
        let required = std::env::var_os("FAASTLANE_REQUIRE_MPK").is_some_and(|value| value == "1");
        assert!(!required, "FAASTLANE_REQUIRE_MPK=1, but this host has no protection keys");
        return;
    }
    assert_eq!(output.status.code(), Some(ISOLATION_VIOLATION), "{}", shown(&output));
    let report = report(&output);
    assert_eq!(report["error"], "Faastlane.IsolationViolation", "{report:#}");
    assert!(
        report["cause"].to_string().contains("analyse_leaky"),
        "it does not name the function: {report:#}"
    );
    assert!(report.get("output").is_none_or(Value::is_null), "{report:#}");
}

/// Runs an example on each event; the expected file holds the output, or `error` and `cause`.
fn check(name: &str, events: &[(&str, (&str, i32))]) {
    check_with(name, events, &[]);
}

fn check_with(workflow: &str, events: &[(&str, (&str, i32))], flags: &[&str]) {
    let name = workflow.split('/').next().unwrap_or_default();
    for &(event, (status, code)) in events {
        let output = run(workflow, &event_file(name, event), flags);
        let expected = example(name).join("expected").join(event).with_extension("json");
        let expected: Value =
            serde_json::from_str(&fs::read_to_string(&expected).expect("the expected output ships"))
                .expect("the expected output is JSON");

        assert_eq!(output.status.code(), Some(code), "{name}, {event}: {}", shown(&output));
        let report = report(&output);
        assert_eq!(report["status"], status, "{name}, {event}: {report:#}");
        if status == "SUCCEEDED" {
            assert_eq!(report["output"], expected, "{name}, {event}");
        } else {
            let failure = json!({ "error": report["error"], "cause": report["cause"] });
            assert_eq!(failure, expected, "{name}, {event}");
        }
    }
}

fn run_leak(isolation: &str) -> Output {
    let event = event_file("healthcare", "default");
    run("healthcare/workflow-leak.asl.json", &event, &["--isolation", isolation])
}

fn run(workflow: &str, event: &Path, flags: &[&str]) -> Output {
    let output =
        faastlane(workflow).arg("--input").arg(event).args(flags).output().expect("faastlane starts");
    assert_composed(workflow, &output);
    output
}

fn run_with_stdin(workflow: &str, event: &str) -> Output {
    let mut child = faastlane(workflow)
        .args(["--input", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("faastlane starts");
    child.stdin.take().expect("it is piped").write_all(event.as_bytes()).expect("faastlane reads its input");
    let output = child.wait_with_output().expect("faastlane ends");
    assert_composed(workflow, &output);
    output
}

fn faastlane(workflow: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_faastlane"));
    command.arg("run").arg(example(workflow)).arg("--json");
    command
}

fn assert_composed(workflow: &str, output: &Output) {
    let needs_packages = ["ml-prediction", "sentiment"].contains(&workflow);
    let hint = if needs_packages {
        "; its requirements come from PyPI: is there a network, or a cache that holds them?"
    } else {
        ""
    };
    let composed = output.status.code() != Some(COMPOSE_FAILED);
    assert!(composed, "{workflow} could not be composed{hint}\n{}", shown(output));
}

fn report(output: &Output) -> Value {
    match serde_json::from_slice(&output.stdout) {
        Ok(report) => report,
        Err(error) => panic!("--json printed no JSON ({error}): {}", shown(output)),
    }
}

fn shown(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\nstdout: {}\nstderr: {}", output.status, text(&output.stdout), text(&output.stderr))
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name)
}

fn event_file(name: &str, event: &str) -> PathBuf {
    example(name).join("events").join(event).with_extension("json")
}
