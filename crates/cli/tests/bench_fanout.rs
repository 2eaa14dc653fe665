//! `bench fanout` from outside: that every way is measured, and every result is in its place. Not how fast.

use serde_json::Value;
use std::process::{Command, Output};

const PEERS: [&str; 4] =
    ["pool of threads", "pool of processes", "process a branch, pipes", "HTTP server a function"];

fn bench(arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_faastlane"))
        .args(["bench", "fanout"])
        .args(arguments.split_whitespace())
        .output()
        .expect("faastlane starts")
}

#[test]
fn every_way_fans_out_in_every_round() {
    let output = bench("--json --branches 2,7 --executions 3 --rounds 2");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("7 CPU-bound branches: round 2 of 2"), "{stderr}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("stdout is one JSON object");
    assert_eq!((&report["format_version"], &report["benchmark"]), (&1.into(), &"fanout".into()));
    assert!(report["lanes"].as_u64().is_some_and(|lanes| lanes > 0), "{report:#}");
    let contests = report["contests"].as_array().expect("there are contests");
    let subjects: Vec<_> = contests.iter().map(|it| (it["work"].as_str(), it["branches"].as_u64())).collect();
    let (trivial, cpu) = (Some("trivial"), Some("cpu"));
    assert_eq!(subjects, [(trivial, Some(2)), (trivial, Some(7)), (cpu, Some(2)), (cpu, Some(7))]);
    let isolation = report["isolation"].as_str().expect("an isolation");
    let ours = 4 - report["unavailable"].as_array().expect("it says what is missing").len();
    for contest in contests {
        let contestants = contest["contestants"].as_array().expect("there are contestants");
        let names: Vec<&str> = contestants.iter().filter_map(|it| it["name"].as_str()).collect();
        assert_eq!(names[0], format!("faastlane, {isolation}"));
        assert_eq!(names[1], format!("faastlane, {isolation}, one lane"));
        assert_eq!(names[ours..], PEERS);
        for contestant in contestants {
            assert_eq!(contestant["samples"], 6, "{contestant:#}");
            assert!(contestant["executions_verified"].as_u64() >= Some(6), "{contestant:#}");
            assert!(contestant["branch_us"].as_f64() > Some(0.0), "{contestant:#}");
            let noisy = contestant["too_noisy"] == true || contestants[1]["too_noisy"] == true;
            assert_eq!(contestant["speed_up"].is_null(), noisy, "{contestant:#}");
        }
    }
    assert_eq!(report["targets"], serde_json::json!([]), "none is set for so few branches");
}

#[test]
fn people_are_told_of_the_targets() {
    let output = bench("--branches 200 --work trivial --executions 1 --rounds 1");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout.contains("200 trivial branches, rounds: 1 of 1 executions"), "{stdout}");
    let several = std::thread::available_parallelism().is_ok_and(|cpus| cpus.get() > 1);
    assert_eq!(stdout.contains("200 trivial branches: a branch, isolation "), several, "{stdout}");
    assert_eq!(bench("--work large").status.code(), Some(2));
}
