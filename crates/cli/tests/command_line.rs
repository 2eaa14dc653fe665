//! The command from outside: what it prints where, and what it exits with. No Python runs and no instance starts here.

use insta::assert_snapshot;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A home folder of its own, with a Python that says of itself what the tests know.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        let prefix = home.path("python");
        fs::create_dir_all(prefix.join("bin")).unwrap();
        fs::create_dir_all(prefix.join("lib")).unwrap();
        fs::write(prefix.join("lib/libpython3.12.so.1.0"), "").unwrap();
        let report = serde_json::json!({
            "implementation": "cpython", "version": [3, 12, 1], "executable": prefix.join("bin/python3"), "prefix": prefix,
            "base_prefix": prefix, "path": [], "shared": true, "library_names": [], "library_folder": null,
            "build_folder": null, "multiarch": null, "free_threaded": false, "platform": "linux-x86_64", "has_pip": true,
        });
        home.script("python/bin/python3", &format!("echo '{report}'"));
        home
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    /// Makes an executable. A shell writes it, so that no other test's child can hold it open for writing.
    fn script(&self, path: &str, body: &str) {
        let mut shell = Command::new("sh")
            .args(["-c", "cat > \"$0\" && chmod +x \"$0\""])
            .arg(self.path(path))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        write!(shell.stdin.take().unwrap(), "#!/bin/sh\n{body}\n").unwrap();
        assert!(shell.wait().unwrap().success());
    }

    fn write(&self, path: &str, text: &str) {
        let file = self.path(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_faastlane"));
        command.args(arguments).current_dir(self.0.path()).env_clear();
        command.env("HOME", self.0.path()).env("PATH", self.path("python/bin"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        self.outcome(self.command(arguments).output().unwrap())
    }

    fn outcome(&self, output: Output) -> Outcome {
        let text = |bytes: Vec<u8>| {
            String::from_utf8(bytes).unwrap().replace(self.0.path().to_str().unwrap(), "[home]")
        };
        Outcome { exit: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

struct Outcome {
    exit: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Outcome {
    fn json(&self) -> Value {
        let value: Value =
            serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("no JSON: {}", self.stdout));
        assert_eq!(value["format_version"], 1);
        value
    }
}

/// A home with a workflow in which much is wrong.
fn home_with_mistakes() -> Home {
    let home = Home::new();
    home.run(&["init", "hello"]);
    fs::rename(home.path("hello/functions/price.py"), home.path("hello/functions/prise.py")).unwrap();
    home.write(
        "hello/faastlane.toml",
        "[workflow]\nmax_paylod = \"1MiB\"\n\n[functions.receit]\ntimeout = 3\n",
    );
    home
}

#[test]
fn init_makes_a_workflow_that_is_valid_and_writes_over_nothing() {
    let home = Home::new();
    let made = home.run(&["init", "hello"]);
    assert_eq!((made.exit, made.stdout.as_str()), (Some(0), ""));
    assert_snapshot!(made.stderr, @r"
    made hello: a workflow with three functions
    next: faastlane run hello --input hello/events/default.json
    ");
    assert!(fs::read_to_string(home.path("hello/README.md")).unwrap().starts_with("# hello\n"));
    let valid = home.run(&["validate", "hello"]);
    assert_eq!((valid.exit, valid.stderr.as_str()), (Some(0), ""));
    assert_snapshot!(valid.stdout, @"hello is valid: 4 states, 3 functions");

    let again = home.run(&["init", "hello"]);
    assert_eq!(again.exit, Some(2));
    assert_snapshot!(again.stderr);
    fs::create_dir(home.path("empty")).unwrap();
    assert_eq!(home.run(&["init", "empty"]).exit, Some(0));
    assert_eq!(home.run(&["init", "hello/README.md"]).exit, Some(2));
}

#[test]
fn validate_says_all_at_once() {
    let found = home_with_mistakes().run(&["validate", "hello"]);
    assert_eq!((found.exit, found.stdout.as_str()), (Some(102), ""));
    assert_snapshot!(found.stderr);
}

#[test]
fn validate_says_it_to_programs() {
    let found = home_with_mistakes().run(&["validate", "hello", "--json"]);
    assert_eq!((found.exit, found.stderr.as_str()), (Some(102), ""));
    let report = found.json();
    assert_eq!(report["valid"], false);
    let places: Vec<String> = report["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            let [code, aws, severity] = ["fl_code", "code", "severity"].map(|member| &finding[member]);
            format!("{code} {aws} {severity} {}:{}", finding["file"], finding["line"])
        })
        .collect();
    assert_snapshot!(places.join("\n"), @r#"
    "FL0211" "FL0211" "ERROR" "hello/faastlane.toml":2
    "FL0204" "FL0204" "ERROR" "hello/workflow.asl.json":7
    "FL0214" "FL0214" "WARNING" "hello/faastlane.toml":4
    "#);
    let home = Home::new();
    home.run(&["init", "hello"]);
    assert_eq!(home.run(&["validate", "hello", "--json"]).json()["valid"], true);
}

#[test]
fn validate_answers_as_aws_does() {
    let home = Home::new();
    let definition = |text: &str| fs::write(home.path("it.asl.json"), text).unwrap();
    let found = |arguments: &[&str]| {
        let report = home.run(&[&["validate", "it.asl.json", "--json"], arguments].concat()).json();
        let finding = &report["diagnostics"][0];
        let [code, message, location] = ["code", "message", "location"].map(|member| &finding[member]);
        format!("{} {code} {message} {location}", report["result"])
    };
    definition(
        r#"{"StartAt":"A","States":{"A":{"Type":"Task","End":true,"Resource":"arn:aws:states:eu-west-1:123456789012:activity:a"}}}"#,
    );
    assert_eq!(found(&[]), "\"OK\" null null null");
    assert_snapshot!(found(&["--type", "EXPRESS"]), @r#""FAIL" "SCHEMA_VALIDATION_FAILED" "Express state machine does not support Activity ARN" "/States/A/Resource""#);
    definition(r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"}}}"#);
    assert_snapshot!(found(&[]), @r#""FAIL" "MISSING_TRANSITION_TARGET" "Missing 'Next' target: B" "/States/A/Next""#);
    definition("nothing");
    assert_snapshot!(found(&[]), @r#""FAIL" "INVALID_JSON_DESCRIPTION" "Unrecognized token 'nothing': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n at [Source: (String)\"nothing\"; line: 1, column: 8]" "[Source: (String)\"nothing\"; line: 1, column: 8]""#);
}

#[test]
fn plan_shows_where_and_why() {
    let home = Home::new();
    home.run(&["init", "hello"]);
    let shown = home.run(&["plan", "hello", "--isolation", "process"]);
    assert_eq!((shown.exit, shown.stderr.as_str()), (Some(0), ""));
    assert_snapshot!(shown.stdout);

    let plan = &home.run(&["plan", "hello", "--isolation", "process", "--json"]).json()["plan"];
    assert_eq!(plan["isolation"], "process");
    assert_eq!(plan["domains"].as_array().unwrap().len(), 3);
    assert_eq!(plan["functions"][1]["env"]["DISCOUNT_PERCENT"], "10");
    assert_eq!(
        plan["functions"][2]["directory"],
        home.path("hello/functions").to_str().unwrap().replace(home.0.path().to_str().unwrap(), "[home]")
    );
}

#[test]
fn plan_without_a_python_lists_what_was_passed_over() {
    let home = Home::new();
    home.run(&["init", "hello"]);
    fs::remove_file(home.path("python/lib/libpython3.12.so.1.0")).unwrap();
    let refused = home.run(&["plan", "hello", "--isolation", "process"]);
    assert_eq!((refused.exit, refused.stdout.as_str()), (Some(101), ""));
    let words: Vec<&str> = refused.stderr.split_whitespace().collect();
    let expected = "[home]/python/bin/python3 (3.12.1) has no shared libpython. To mend it:";
    assert!(words.join(" ").contains(expected), "{}", refused.stderr);

    let report = home.run(&["plan", "hello", "--isolation", "process", "--json"]);
    assert_eq!(report.exit, Some(101));
    assert_eq!(report.json()["diagnostics"][0]["code"], "FL0220");
    assert_eq!(report.json()["plan"], Value::Null);
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_files() {
    let home = Home::new();
    home.run(&["init", "hello"]);
    home.write(".config/faastlane/config.toml", "max_payload = '2MiB'\nisolation = 'process'\n");
    let limit = |variable: Option<&str>, flags: &[&str]| {
        let mut arguments = vec!["plan", "hello", "--json"];
        arguments.extend(flags);
        let mut command = home.command(&arguments);
        command.envs(variable.map(|value| ("FAASTLANE_MAX_PAYLOAD", value)));
        home.outcome(command.output().unwrap()).json()["plan"]["limits"]["max_payload_bytes"]
            .as_u64()
            .unwrap()
            >> 20
    };
    assert_eq!(limit(None, &[]), 2);
    home.write("hello/faastlane.toml", "[workflow]\nmax_payload = '3MiB'\n");
    assert_eq!(limit(None, &[]), 3);
    assert_eq!(limit(Some("4MiB"), &[]), 4);
    assert_eq!(limit(Some("4MiB"), &["--max-payload", "5MiB"]), 5);
}

#[test]
fn wrong_arguments_exit_with_2() {
    let home = Home::new();
    for arguments in [&["plan", "--isolation", "mkp"][..], &["plan", "--max-payload", "0"], &["fly"], &[]] {
        let refused = home.run(arguments);
        assert_eq!(refused.exit, Some(2), "{arguments:?}");
        assert_eq!(refused.stdout, "", "{arguments:?}");
    }
    assert_snapshot!(home.run(&["plan", "--isolation", "mkp"]).stderr);
    assert_eq!(home.run(&["plan", "nowhere"]).exit, Some(101));
}

#[test]
fn an_invalid_definition_exits_with_102() {
    let home = Home::new();
    home.write("broken/workflow.asl.json", "{ \"StartAt\": \"A\", \"States\": { ");
    assert_eq!(home.run(&["plan", "broken"]).exit, Some(102));
    assert_eq!(home.run(&["validate", "broken"]).exit, Some(102));
}

#[test]
fn explain_prints_the_page() {
    let home = Home::new();
    let page = home.run(&["explain", "fl0204"]);
    assert_eq!((page.exit, page.stderr.as_str()), (Some(0), ""));
    assert!(page.stdout.starts_with("# FL0204: a function is missing\n"), "{}", page.stdout);
    let unknown = home.run(&["explain", "FL0294"]);
    assert_eq!((unknown.exit, unknown.stdout.as_str()), (Some(2), ""));
    assert!(unknown.stderr.contains("Did you mean `FL0204`?"), "{}", unknown.stderr);
}

#[test]
fn doctor_lists_what_there_is() {
    let home = Home::new();
    let shown = home.run(&["doctor"]);
    assert_eq!(shown.exit, Some(0), "{}", shown.stderr);
    for name in [
        "protection keys",
        "kernel",
        "seccomp notifications",
        "Landlock",
        "CPUs",
        "memory limits",
        "CPU limits",
        "capabilities",
        "/tmp",
    ] {
        assert!(shown.stdout.contains(name), "{name} is missing in:\n{}", shown.stdout);
    }
    assert!(shown.stdout.contains("3.12.1 at [home]/python/bin/python3"), "{}", shown.stdout);
    let report = home.run(&["doctor", "--json"]).json();
    assert_eq!(report["ready"], true);

    fs::remove_file(home.path("python/lib/libpython3.12.so.1.0")).unwrap();
    let report = home.run(&["doctor", "--json"]);
    assert_eq!((report.exit, report.json()["ready"].as_bool()), (Some(101), Some(false)));
}

#[test]
fn colors_follow_the_conventions() {
    let home = home_with_mistakes();
    let colored = |variables: &[(&str, &str)]| {
        let output = home.command(&["validate", "hello"]).envs(variables.iter().copied()).output().unwrap();
        String::from_utf8(output.stderr).unwrap().contains('\x1b')
    };
    assert!(!colored(&[]));
    assert!(colored(&[("CLICOLOR_FORCE", "1")]));
    assert!(!colored(&[("CLICOLOR_FORCE", "0")]));
    assert!(!colored(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let home = Home::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = home.command(&["explain", "FL0204"]).stdout(writer).output().unwrap();
    let outcome = home.outcome(output);
    assert_eq!((outcome.exit, outcome.stderr.as_str()), (Some(0), ""));
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pages: BTreeSet<String> = fs::read_dir(root.join("docs/errors"))
        .unwrap()
        .map(|page| page.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let mut codes = BTreeSet::new();
    for krate in fs::read_dir(root.join("crates")).unwrap() {
        collect_codes(&krate.unwrap().path().join("src"), &mut codes);
    }
    assert!(codes.len() > 40, "{codes:?}");
    assert_eq!(codes, pages);
}

/// Every string literal in the sources of a folder that is a code.
fn collect_codes(folder: &Path, codes: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_codes(&path, codes);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(path).unwrap();
            for (start, _) in text.match_indices("\"FL") {
                let literal = text[start + 1..].split('"').next().unwrap();
                if literal.len() == 6 && literal[2..].bytes().all(|byte| byte.is_ascii_digit()) {
                    codes.insert(literal.to_owned());
                }
            }
        }
    }
}
