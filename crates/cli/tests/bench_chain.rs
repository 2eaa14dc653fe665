//! `bench chain` and `bench memory` from outside: that every way is measured, and every output checked. Not how fast.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn bench(arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_faastlane"))
        .arg("bench")
        .args(arguments.split_whitespace())
        .env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("nothing-installed"))
        .output()
        .expect("faastlane starts")
}

fn report(arguments: &str) -> Value {
    let output = bench(arguments);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("stdout is one JSON object")
}

#[test]
fn every_way_runs_every_chain_in_every_round() {
    let report = report("chain --json --functions 2,4 --executions 3 --rounds 2");
    assert_eq!((&report["format_version"], &report["benchmark"]), (&1.into(), &"chain".into()));
    let contests = report["contests"].as_array().expect("there are contests");
    assert_eq!(contests.iter().map(|contest| &contest["functions"]).collect::<Vec<_>>(), [2, 4]);
    for contest in contests {
        let contestants = contest["contestants"].as_array().expect("there are contestants");
        assert!(contestants[0]["name"].as_str().is_some_and(|name| name.starts_with("faastlane, ")));
        assert!(contestants.iter().any(|it| it["name"] == "HTTP server a function"), "{contest:#}");
        for contestant in contestants {
            assert_eq!(contestant["samples"], 6, "{contestant:#}");
            assert!(contestant["executions_verified"].as_u64() >= Some(6), "{contestant:#}");
            assert!(contestant["ratio_interval"]["low"].as_f64() > Some(0.0), "{contestant:#}");
        }
    }
    assert_eq!(bench("chain --functions 1").status.code(), Some(2));
    assert_eq!(bench("chain --functions 65").status.code(), Some(2));
}

#[test]
fn memory_is_that_of_all_processes() {
    let report = report("memory --json --functions 2");
    assert_eq!((&report["format_version"], &report["benchmark"]), (&1.into(), &"memory".into()));
    let contestants = report["contests"][0]["contestants"].as_array().expect("there are contestants");
    let processes = |name: &str| {
        let found = contestants.iter().find(|it| it["name"] == name);
        found.unwrap_or_else(|| panic!("{name} is missing: {report:#}"))["processes"].as_u64()
    };
    assert_eq!((processes("direct calls"), processes("HTTP server a function")), (Some(1), Some(2)));
    assert_eq!(contestants[0]["ratio"], 1.0);
    for contestant in contestants {
        assert!(contestant["bytes"].as_u64() > Some(1 << 20), "{contestant:#}");
    }
}
