//! `bench peers` from outside, and what benchmarks do with peers that are not installed, die or answer wrongly. Nothing is installed.

use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const REQUIREMENTS: &str = include_str!("../../bench/peers/requirements.txt");

fn bench(arguments: &str, cache: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_faastlane"))
        .arg("bench")
        .args(arguments.split_whitespace())
        .env("XDG_CACHE_HOME", cache)
        .output()
        .expect("faastlane starts")
}

fn report(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("stdout is one JSON object")
}

/// An empty cache.
fn cache(name: &str) -> PathBuf {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if cache.exists() {
        fs::remove_dir_all(&cache).expect("it can be removed");
    }
    fs::create_dir_all(&cache).expect("it can be made");
    cache
}

/// A cache in which the Python of peers is this script.
fn with_python(name: &str, script: &str) -> PathBuf {
    let cache = cache(name);
    let empty = report(&bench("hop --json --payload text:0 --rounds 1 --hops 1 --starts 1", &cache));
    let version = empty["versions"]["python"].as_str().expect("there is one").to_owned();
    let python = cache.join("faastlane/peers/python");
    fs::create_dir_all(python.join("bin")).expect("it can be made");
    fs::write(python.join("installed"), format!("{version}\n{REQUIREMENTS}")).expect("it can be written");
    let executable = python.join("bin/python3");
    fs::write(&executable, format!("#!/bin/sh\n{script}\n")).expect("it can be written");
    fs::set_permissions(&executable, fs::Permissions::from_mode(0o755)).expect("it can be changed");
    cache
}

#[test]
fn each_peer_is_listed_with_its_guarantees_and_whether_it_is_there() {
    let cache = cache("peers-listed");
    let listed = report(&bench("peers --json", &cache));
    let peers = listed["peers"].as_array().expect("there are peers");
    let peer = |name: &str| peers.iter().find(|it| it["name"] == name).unwrap_or_else(|| panic!("no {name}"));
    for name in
        ["Ray actors", "Restate", "DBOS", "object store", "aws-local-stepfunctions", "moto, Pass states"]
    {
        let missing = peer(name)["missing"].as_str().expect("nothing is installed");
        assert_eq!(missing, "not installed: faastlane bench peers --install", "{name}");
    }
    for name in ["direct calls", "processes, pipes", "processes, local bus", "HTTP server a function"] {
        assert!(peer(name)["missing"].is_null(), "{name} needs nothing");
    }
    assert_eq!(
        (&peer("DBOS")["durable"], &peer("DBOS")["isolation"]),
        (&"on disk".into(), &"nothing".into())
    );
    assert_eq!(peer("Ray actors")["isolation"], "a process each");
    assert_eq!(peer("Ray actors")["durable"], "no");
    assert!(peers.iter().all(|it| it["about"].as_str().is_some_and(|about| about.len() > 10)));
    let text = bench("peers", &cache);
    let text = String::from_utf8_lossy(&text.stdout);
    assert!(text.contains("KEEPS APART") && text.contains("DURABLE") && text.contains("ready"), "{text}");
}

#[test]
fn other_versions_than_the_pinned_ones_are_not_used() {
    let cache = with_python("peers-other-versions", "exit 1");
    let installed = cache.join("faastlane/peers/python/installed");
    fs::write(installed, "3.11.7\nray==1.0.0\n").expect("it can be written");
    let listed = report(&bench("peers --json", &cache));
    let ray = listed["peers"].as_array().expect("peers").iter().find(|it| it["name"] == "Ray actors");
    let missing = ray.expect("it is listed")["missing"].as_str().expect("it is of no use");
    assert_eq!(missing, "other versions are installed: faastlane bench peers --install");
}

#[test]
fn a_peer_that_does_not_come_up_is_named_and_the_others_are_measured() {
    let cache = with_python("peers-dead", "echo 'no such module' >&2; exit 3");
    let report = report(&bench("chain --json --functions 2 --executions 2 --rounds 1", &cache));
    let missing = report["missing_peers"].as_array().expect("peers");
    let ray = missing.iter().find(|it| it["peer"] == "Ray actors").expect("it is missing");
    assert_eq!(ray["reason"], "it does not come up: exit status: 3: no such module");
    let contestants = report["contests"][0]["contestants"].as_array().expect("contestants");
    assert!(contestants.iter().any(|it| it["name"] == "HTTP server a function"), "{report:#}");
    assert!(!contestants.iter().any(|it| it["name"] == "Ray actors"), "{report:#}");
}

/// What a program says first, to a chain with 18 bytes of JSON.
const READY: &str = r#"echo '{"format_version":3,"event_bytes":18}'; read line; echo '{}'; read line"#;

#[test]
fn a_peer_that_dies_in_a_round_ends_the_benchmark_with_its_name() {
    let script = format!("{READY}; echo 'out of luck' >&2; exit 4");
    let cache = with_python("peers-dying", &script);
    let output = bench("chain --functions 2 --payload text:0 --executions 10 --rounds 1", &cache);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("the peer Ray actors failed: exit status: 4: out of luck"), "{stderr}");
}

#[test]
fn a_peer_that_measures_something_else_ends_the_benchmark_with_its_name() {
    let wrong = r#"echo '{"execution_us":[1.0,2.0],"hop_us":null}'; read line"#;
    let cache = with_python("peers-wrong", &format!("{READY}; {wrong}"));
    let output = bench("chain --functions 2 --payload text:0 --executions 10 --rounds 1", &cache);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("the peer Ray actors failed: it did not measure what it was asked to"),
        "{stderr}"
    );
}

#[test]
fn a_peer_whose_results_are_wrong_ends_the_benchmark_with_its_name() {
    let ready = READY.replace("18", "32");
    let wrong = r#"echo '{"took_ns":1,"cpu_ns":1,"outputs":[{"total":1,"calls":2,"cpu_ns":0}]}'; read line"#;
    let cache = with_python("peers-results", &format!("{ready}; {wrong}"));
    let output = bench("throughput --clients 1 --functions 2 --executions 10 --rounds 1", &cache);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("Ray actors changed the event on its way"), "{stderr}");
}
