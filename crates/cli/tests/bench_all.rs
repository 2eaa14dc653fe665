//! `bench all` from outside: what it makes of sheets that are there, and that a broken promise fails. Not how fast anything is.

use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn bench(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_faastlane"))
        .args(["bench", "all", "--again", "--out"])
        .arg(folder)
        .args(arguments)
        .output()
        .expect("faastlane starts")
}

fn sheets() -> Value {
    let entry = |name: &str, ours: bool, p50: f64| {
        let interval = json!({ "low": p50 / 10.0, "high": p50 / 5.0 });
        json!({
            "name": name, "ours": ours, "keeps_apart": "a process each", "durable": "no", "p50": p50, "interval": null, "p99": p50,
            "too_noisy": false, "ratio": p50 / 8.0, "ratio_interval": if ours { Value::Null } else { interval },
            "ratio_quoted": true,
        })
    };
    json!([{
        "name": "hop", "title": "A hop", "metric": "time", "unit": "µs", "along": "payload",
        "caption": ["a machine", "versions", "a command"], "missing": ["isolation mpk: no keys"],
        "contests": [{
            "name": "200 B event", "group": "objects", "label": "200 B",
            "entries": [entry("faastlane, process", true, 8.0), entry("HTTP server a function", false, 320.0)],
        }],
    }])
}

/// A folder with the sheets, and a file in it.
fn folder(name: &str, file: &str, text: &str) -> (PathBuf, String) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).expect("a folder can be made");
    fs::write(folder.join("sheets.json"), sheets().to_string()).expect("it can be written");
    let file = folder.join(file);
    fs::write(&file, text).expect("it can be written");
    (folder, file.display().to_string())
}

#[test]
fn tables_and_plots_go_where_the_document_wants_them() {
    let text = "# By hand\n\n<!-- evaluation: hop -->\nold\n<!-- /evaluation -->\n\nAlso by hand.\n";
    let (folder, file) = folder("bench-all-document", "EVALUATION.md", text);
    let output = bench(&["--document", &file], &folder);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let filled = fs::read_to_string(&file).expect("it is there");
    assert!(filled.starts_with("# By hand\n") && filled.ends_with("\nAlso by hand.\n"), "{filled}");
    assert!(
        filled.contains("| HTTP server a function | a process each | no | 320 µs (32.0–64.0×) |"),
        "{filled}"
    );
    assert!(filled.contains("![A hop](hop.svg)") && !filled.contains("old"), "{filled}");
    assert!(
        filled.contains("Not measured: isolation mpk: no keys.") && filled.contains("a command"),
        "{filled}"
    );
    let svg = fs::read_to_string(folder.join("hop.svg")).expect("there is a plot");
    assert!(
        svg.contains("a process each, durable: no: faastlane, process · HTTP server a function"),
        "{svg}"
    );
    assert!(svg.contains("a machine") && svg.contains("HTTP server a function"), "{svg}");
    assert!(fs::read(folder.join("hop.png")).expect("there is a picture").starts_with(b"\x89PNG"));
}

#[test]
fn a_promise_that_is_broken_fails() {
    let table = |at_least: u32, contest: &str| {
        format!(
            "| promise | benchmark | contest | beside | at least |\n|---|---|---|---|--:|\n\
             | fast | hop | {contest} | HTTP server a function | {at_least} |\n"
        )
    };
    for (name, text, code, verdict) in [
        ("kept", table(40, "200 B event"), 0, "| yes |"),
        ("noise", table(64, "200 B event"), 0, "| within the noise |"),
        ("broken", table(65, "200 B event"), 1, "| NO |"),
        ("missing", table(1, "1 B event"), 0, "| not measured |"),
    ] {
        let (folder, file) = folder(&format!("bench-all-{name}"), "SPECIFICATION.md", &text);
        let output = bench(&["--check", &file], &folder);
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(stdout.contains(verdict), "{name}: {stdout}");
    }
}

#[test]
fn what_the_project_promises_can_be_read() {
    let specification = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../SPECIFICATION.md");
    let (folder, _) = folder("bench-all-specification", "unused", "");
    let output = bench(&["--json", "--check", &specification.display().to_string()], &folder);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("stdout is one JSON object");
    assert_eq!((&report["format_version"], &report["sheets"]), (&1.into(), &sheets()));
}
