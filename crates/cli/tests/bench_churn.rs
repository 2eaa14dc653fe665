//! `bench churn` from outside: that what it was to kill was killed, that all went as defined nevertheless, and that it would say
//! so if not. What it finds wrong is wrong with the project.

use serde_json::Value;
use std::process::{Command, Output};

fn bench(arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_faastlane"))
        .args(["bench", "churn"])
        .args(arguments.split_whitespace())
        .output()
        .expect("faastlane starts")
}

fn report(arguments: &str) -> Value {
    let output = bench(arguments);
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("no object: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(report["findings"], serde_json::json!([]), "{report:#}");
    assert_eq!((output.status.code(), &report["wrong"]), (Some(0), &0.into()), "{report:#}");
    assert_eq!((&report["format_version"], &report["benchmark"]), (&1.into(), &"churn".into()));
    report
}

fn number(report: &Value, pointer: &str) -> u64 {
    report.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("{pointer}: {report:#}"))
}

#[test]
fn executions_end_as_defined_whatever_is_killed() {
    let report = report("--json --executions 60 --concurrency 3 --killed 0.2 --seed 5");
    let of = |name: &str| number(&report, &format!("/{name}"));
    assert_eq!(of("executions"), 60);
    assert_eq!(of("succeeded") + of("failed"), 60);
    assert!(of("caught") > 0 && of("failed") > 0, "the seed has some of each: {report:#}");
    // Drawn from the seed, but for those that a signal came before.
    assert!(of("attempts_killed/by_crash") > 10 && of("attempts_killed/by_timeout") > 3, "{report:#}");
    assert!(of("signals") > 0 && of("instances_made") > 3, "{report:#}");
    let killed =
        of("attempts_killed/by_crash") + of("attempts_killed/by_timeout") + of("attempts_killed/by_signal");
    assert!(of("attempts") > killed && of("attempts") >= 60, "{report:#}");
    let left_over = report["left_over"].as_array().expect("a list");
    let names: Vec<&str> = left_over.iter().filter_map(|one| one["what"].as_str()).collect();
    let all = ["processes", "threads", "descriptors", "mappings", "shared memory", "scratch directories"];
    assert_eq!(names, all);
    assert!(left_over.iter().all(|one| one["within_bound"] == true), "{report:#}");
}

#[test]
fn where_nothing_is_killed_nothing_is_tried_again() {
    let report = report("--json --executions 20 --concurrency 2 --killed 0 --isolation none");
    assert_eq!((&report["isolation"], &report["succeeded"]), (&"none".into(), &20.into()));
    assert_eq!(number(&report, "/signals"), 0);
    // On a busy machine a second can be over before a function has done anything.
    let unplanned = number(&report, "/attempts_killed/timeouts_not_planned");
    assert!((2..=2 + unplanned).contains(&number(&report, "/instances_made")), "{report:#}");
    assert_eq!(number(&report, "/attempts"), 100 + unplanned, "{report:#}");
}

#[test]
fn people_are_told_in_words() {
    let output = bench("--executions 4 --concurrency 2 --killed 0");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{stdout}");
    assert!(stdout.contains("every execution ended as its definition says; nothing is wrong"), "{stdout}");
    let shared = stdout.lines().find(|line| line.starts_with("shared memory")).expect("a line for it");
    assert!(shared.contains("nothing left over"), "{stdout}");
    assert_eq!(bench("--killed 1.5").status.code(), Some(2));
}
