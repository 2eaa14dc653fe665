//! `bench throughput` from outside: that every way is measured, and every output checked. Not how fast.

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
        .args(["bench", "throughput"])
        .args(arguments.split_whitespace())
        .env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("nothing-installed"))
        .output()
        .expect("faastlane starts")
}

#[test]
fn every_way_runs_all_executions_with_all_clients() {
    let output = bench("--json --clients 1,3 --executions 12 --rounds 2 --functions 3 --work 50");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("3 at the same time: round 2 of 2"), "{stderr}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("stdout is one JSON object");
    assert_eq!((&report["format_version"], &report["benchmark"]), (&1.into(), &"throughput".into()));
    let contests = report["contests"].as_array().expect("there are contests");
    let clients: Vec<&Value> = contests.iter().map(|contest| &contest["clients"]).collect();
    assert_eq!(clients, [1, 3]);
    let ours = 3 - report["unavailable"].as_array().expect("it says what is missing").len();
    for contest in contests {
        let contestants = contest["contestants"].as_array().expect("there are contestants");
        let names: Vec<&str> = contestants.iter().filter_map(|it| it["name"].as_str()).collect();
        let refused =
            report["missing_peers"].as_array().expect("peers").iter().any(|it| it["peer"] == CONTAINER);
        let expected: Vec<&str> = PEERS.into_iter().chain((!refused).then_some(CONTAINER)).collect();
        assert_eq!(names[ours..], expected);
        for (position, contestant) in contestants.iter().enumerate() {
            assert_eq!(contestant["ours"], position < ours, "{contestant:#}");
            assert_eq!(contestant["executions_verified"], 24, "{contestant:#}");
            assert_eq!(contestant["samples"], 2, "one a round: {contestant:#}");
            let cpu = |name: &str| contestant["cpu"][name].as_f64().expect("it is a number");
            assert!(cpu("functions_us") > 0.0, "{contestant:#}");
            assert!(cpu("per_execution_us") > cpu("functions_us"), "{contestant:#}");
        }
    }
}

#[test]
fn people_get_a_table_a_contest() {
    let output = bench("--clients 2 --executions 4 --rounds 1 --work 10");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout.contains("2 at the same time, rounds: 1 of 4 executions"), "{stdout}");
    assert!(stdout.contains("NOT FUNCTIONS") && stdout.contains(" %"), "{stdout}");
    assert!(stdout.contains("DURABLE") && stdout.contains("\nnot measured: DBOS: not installed"), "{stdout}");
}
