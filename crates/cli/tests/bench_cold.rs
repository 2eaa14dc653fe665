//! `bench cold` from outside: that it measures everything it names, and says what it does not. Not how fast.

use serde_json::Value;
use std::process::{Command, Output};

fn bench(arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_faastlane"))
        .args(["bench", "cold"])
        .args(arguments.split_whitespace())
        .output()
        .expect("faastlane starts")
}

fn list<'a>(report: &'a Value, name: &str) -> &'a Vec<Value> {
    report[name].as_array().unwrap_or_else(|| panic!("{name} is a list: {report:#}"))
}

#[test]
fn every_way_to_start_is_measured_or_named() {
    let output = bench("--json --imports json,os.path --functions 2 --starts 6 --rounds 2 --idle 2");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("cold starts: round 2 of 2"), "{stderr}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("stdout is one JSON object");
    assert_eq!((&report["format_version"], &report["benchmark"]), (&1.into(), &"cold".into()));

    let isolation = report["isolation"].as_str().expect("an isolation");
    let contestants = list(&report["contests"][0], "contestants");
    let names: Vec<&str> = contestants.iter().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(names[0], format!("faastlane, {isolation}"));
    let copies = 3 - list(&report, "unavailable").len();
    let mut others = vec!["faastlane, loading everything", "a fresh process"];
    match list(&report, "missing_peers").first() {
        None => others.push("a container a function"),
        Some(missing) => assert_ne!(missing["reason"], "", "{report:#}"),
    }
    assert_eq!(names[copies..], others);
    for contestant in contestants {
        let name = contestant["name"].as_str().expect("a name");
        let slow = name.contains("everything") || name.contains("container");
        assert_eq!(contestant["ours"], name.starts_with("faastlane"));
        // What takes long has a fifth of the starts in each round, rounded up.
        let samples = if slow { 4 } else { 12 };
        assert_eq!(contestant["samples"], samples, "{contestant:#}");
        assert_eq!(contestant["executions_verified"], samples);
        assert_eq!(contestant["round_p50_us"].as_array().map(Vec::len), Some(2));
        let (p50, p99) = (contestant["p50_us"].as_f64(), contestant["p99_us"].as_f64());
        assert!(p50 > Some(0.0) && p99 >= p50, "{contestant:#}");
    }
    check_memory(&report["memory"]);
    assert_eq!(list(&report, "targets").len(), 0, "none is set for two functions: {report:#}");
}

/// A number where the kernel tells, a reason where it does not.
fn check_memory(memory: &Value) {
    if memory["measured"] == "unreadable" {
        assert!(memory["reason"].as_str().is_some_and(|reason| reason.contains("/proc/")), "{memory:#}");
        return;
    }
    assert_eq!((&memory["measured"], &memory["instances"]), (&"proportional_set_size".into(), &2.into()));
    let bytes = |name: &str| memory[name].as_u64().unwrap_or_else(|| panic!("{name}: {memory:#}"));
    assert!(bytes("ready_bytes") > 0 && bytes("page_table_bytes") > 0, "{memory:#}");
    assert!(bytes("template_bytes") > bytes("page_table_bytes"), "{memory:#}");
}

#[test]
fn targets_are_for_five_functions_and_named_with_their_isolation() {
    let output = bench("--starts 1 --rounds 1 --idle 1");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout.contains("5 functions that import json, datetime, decimal, rounds: 1"), "{stdout}");
    for target in
        ["median until the first line, isolation ", "99th percentile until the first line, isolation "]
    {
        assert!(stdout.lines().any(|line| line.starts_with(target)), "{target}: {stdout}");
    }
    assert!(stdout.contains("memory of one more instance"), "{stdout}");
}

#[test]
fn a_module_that_is_not_there_is_named() {
    let output = bench("--imports json,no_such_module_anywhere --starts 1 --rounds 1");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("No module named 'no_such_module_anywhere'"), "{stderr}");
    let output = bench("--imports x;import");
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
}
