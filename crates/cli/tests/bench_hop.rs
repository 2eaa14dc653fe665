//! The benchmark from outside: that it measures everything it names, and that what it measured was right. Not how fast.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// Those that need no installation.
const PEERS: [&str; 6] = [
    "direct calls",
    "threads, kept",
    "threads, one a call",
    "processes, pipes",
    "processes, local bus",
    "HTTP server a function",
];
const CONTAINER: &str = "container a function";

fn bench(arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_faastlane"))
        .args(["bench", "hop"])
        .args(arguments.split_whitespace())
        .env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("nothing-installed"))
        .output()
        .expect("faastlane starts")
}

#[test]
fn every_way_is_measured_in_every_round_and_changes_nothing() {
    let output = bench("--json --payload records:200,text:20KiB,bytes:20KiB --rounds 2 --hops 6 --starts 2");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("20 KiB string: round 2 of 2"), "{stderr}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("stdout is one JSON object");

    assert_eq!((&report["format_version"], &report["benchmark"]), (&1.into(), &"hop".into()));
    assert!(report["date"].as_str().is_some_and(|date| date.ends_with('Z')), "{report:#}");
    assert!(report["machine"]["cpus"].as_u64().is_some_and(|cpus| cpus > 0), "{report:#}");
    assert!(report["versions"]["python"].as_str().is_some_and(|version| version.starts_with("3.")));
    let events = report["contests"].as_array().expect("there are events");
    assert_eq!(events.len(), 3);
    // In base64, with what is around it.
    assert_eq!((&events[2]["kind"], &events[2]["json_bytes"]), (&"bytes".into(), &27_349.into()));
    for event in events {
        check_contest(event, &report);
    }
    let start_up = &report["start_up"];
    assert_eq!(start_up["starts"], 2);
    let total = start_up["total_us"].as_f64().expect("it is a number");
    assert!(
        total > 0.0 && total >= start_up["instance_us"].as_f64().expect("it is a number"),
        "{start_up:#}"
    );
    let with_keys = report["isolation"] == "mpk";
    assert_eq!(report["domains"].as_array().map(Vec::len), Some(if with_keys { 2 } else { 0 }));
    let targets: Vec<&Value> =
        report["targets"].as_array().expect("targets").iter().map(|it| &it["at_most"]).collect();
    assert_eq!(targets, if with_keys { vec![15.0, 12.0] } else { vec![] }, "a 20 KiB string has no target");
}

fn check_contest(event: &Value, report: &Value) {
    let contestants = event["contestants"].as_array().expect("there are contestants");
    let names: Vec<&str> = contestants.iter().filter_map(|it| it["name"].as_str()).collect();
    let missing = report["unavailable"].as_array().expect("it says what is missing");
    // Three isolations with the functions apart, and the first of them with all in one trust group.
    let ours = 4 - missing.len();
    let refused = report["missing_peers"].as_array().expect("peers").iter().any(|it| it["peer"] == CONTAINER);
    let expected: Vec<&str> = PEERS.into_iter().chain((!refused).then_some(CONTAINER)).collect();
    assert_eq!(names[ours..], expected);
    assert_eq!(names[0], format!("faastlane, {}", report["isolation"].as_str().expect("an isolation")));
    for (position, contestant) in contestants.iter().enumerate() {
        assert_eq!(contestant["ours"], position < ours, "{contestant:#}");
        assert_eq!(contestant["samples"], 12, "two rounds of six hops: {contestant:#}");
        assert_eq!(contestant["round_p50_us"].as_array().map(Vec::len), Some(2));
        let (p50, p99) = (contestant["p50_us"].as_f64(), contestant["p99_us"].as_f64());
        assert!(p50 > Some(0.0) && p99 >= p50, "{contestant:#}");
        let verified = contestant["executions_verified"].as_u64().expect("it counts");
        // Ours goes through six hops in one execution, a peer through one.
        assert!(verified >= if position < ours { 2 } else { 12 }, "{contestant:#}");
        let bound = |name: &str| contestant["ratio_interval"][name].as_f64().expect("there were two rounds");
        assert_eq!(contestant["ratio"].is_null(), bound("high") > 2.0 * bound("low"), "{contestant:#}");
        let interval = &contestant["p50_interval_us"];
        assert!(interval["low"].as_f64() <= p50 && interval["high"].as_f64() >= p50, "{contestant:#}");
    }
}

#[test]
fn without_json_people_get_a_table_on_stdout() {
    let output = bench("--payload text:0 --rounds 1 --hops 2 --starts 1");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout.contains("0 B string (18 bytes of JSON), rounds: 1 of 2 hops"), "{stdout}");
    // Long names go on in the next line.
    for peer in ["direct calls", "threads", "processes", "HTTP server"] {
        assert!(stdout.lines().any(|line| line.starts_with(peer) && line.ends_with('×')), "{peer}: {stdout}");
    }
    assert!(
        stdout.contains("\nnot measured: Ray actors: not installed: faastlane bench peers --install"),
        "{stdout}"
    );
    assert!(stdout.contains("from the start of a run to its first function: "), "{stdout}");
}

#[test]
fn a_python_that_is_not_there_is_a_finding() {
    let output = bench("--json --python /nowhere/python3");
    let report: Value = serde_json::from_slice(&output.stdout).expect("stdout is one JSON object");
    assert_eq!(report["format_version"], 1);
    assert!(
        report["diagnostics"][0]["code"].as_str().is_some_and(|code| code.starts_with("FL02")),
        "{report:#}"
    );
    assert_eq!(output.status.code(), Some(101));
}
