//! `faastlane graph` and `faastlane schema` from outside.

use insta::assert_snapshot;
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A folder with a workflow, whose functions are not there: a drawing needs none.
struct Folder(TempDir);

const DEFINITION: &str = r#"{
  "StartAt": "Fetch",
  "States": {
    "Fetch": {
      "Type": "Task",
      "Resource": "fetch",
      "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "Give up" }],
      "Next": "Each"
    },
    "Each": {
      "Type": "Map",
      "ItemProcessor": {
        "StartAt": "Work",
        "States": { "Work": { "Type": "Task", "Resource": "work", "End": true } }
      },
      "End": true
    },
    "Give up": { "Type": "Fail", "Error": "Stopped" }
  }
}
"#;

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::create_dir(folder.path("claims")).unwrap();
        fs::write(folder.path("claims/workflow.asl.json"), DEFINITION).unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Exit code, stdout and stderr.
    fn run(&self, arguments: &[&str], input: &str) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_faastlane"));
        command.args(arguments).current_dir(self.0.path()).env_clear().env("HOME", self.0.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn draw(&self, arguments: &[&str]) -> String {
        let arguments = [&["graph", "claims"], arguments].concat();
        let (exit, stdout, stderr) = self.run(&arguments, "");
        assert_eq!((exit, stderr.as_str()), (0, ""), "{arguments:?}");
        stdout
    }

    fn refused(&self, arguments: &[&str]) -> String {
        let arguments = [&["graph", "claims"], arguments].concat();
        let (exit, stdout, stderr) = self.run(&arguments, "");
        assert_eq!((exit, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
        stderr
    }
}

fn state(name: &str, state_type: &str, exited_us: Option<u64>, error: Option<&str>, calls: usize) -> Value {
    json!({
        "name": name, "type": state_type, "entered_us": 0, "exited_us": exited_us, "error": error,
        "calls": vec![json!({ "called_us": 0 }); calls], "placement": "thread",
    })
}

/// As `faastlane run --json` prints it.
fn report(states: &[Value]) -> String {
    json!({ "format_version": 1, "workflow": "claims", "status": "FAILED", "duration_us": 1_500, "states": states })
        .to_string()
}

#[test]
fn the_format_is_the_flag_or_the_ending_or_svg() {
    let folder = Folder::new();
    let svg = folder.draw(&[]);
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
    assert!(folder.draw(&["--format", "dot"]).starts_with("digraph \"claims\" {\n"));
    for (file, start) in
        [("a.svg", "<svg "), ("a.mmd", "flowchart TD\n"), ("a.dot", "digraph "), ("a.GV", "digraph ")]
    {
        assert_eq!(folder.draw(&["--output", file]), "");
        assert!(fs::read_to_string(folder.path(file)).unwrap().starts_with(start), "{file}");
    }
    folder.draw(&["--output", "b.svg", "--format", "mermaid"]);
    assert!(fs::read_to_string(folder.path("b.svg")).unwrap().starts_with("flowchart"));
    assert_snapshot!(folder.draw(&["--format", "mermaid"]));
}

#[test]
fn an_execution_colours_the_states() {
    let folder = Folder::new();
    let states = [
        state("Fetch", "Task", Some(900), None, 2),
        state("Each", "Map", None, Some("Boom"), 0),
        state("Work", "Task", Some(1_000), None, 1),
        state("Work", "Task", None, Some("Boom"), 1),
        state("Work", "Task", None, None, 1),
    ];
    fs::write(folder.path("report.json"), report(&states)).unwrap();
    let drawn = folder.draw(&["--format", "mermaid", "--execution", "report.json"]);
    assert_snapshot!(drawn);
    let caught =
        [state("Fetch", "Task", Some(900), Some("Boom"), 1), state("Give up", "Fail", None, None, 0)];
    let arguments = ["graph", "claims", "--format", "mermaid", "--execution", "-"];
    let (exit, from_stdin, _) = folder.run(&arguments, &report(&caught));
    assert_eq!(exit, 0);
    assert!(
        from_stdin.contains("900 µs · caught") && from_stdin.contains("1.50 ms · failed"),
        "{from_stdin}"
    );
}

#[test]
fn mistakes_say_what_to_do() {
    let folder = Folder::new();
    fs::write(folder.path("words.json"), "{ \"status\": ").unwrap();
    fs::write(folder.path("refused.json"), "{ \"format_version\": 1, \"diagnostics\": [] }").unwrap();
    fs::write(folder.path("other.json"), report(&[state("Zebra", "Task", None, None, 0)])).unwrap();
    let ending = folder.refused(&["--output", "claims.png"]);
    assert!(ending.contains("FL0320") && ending.contains("hint: End it in .svg"), "{ending}");
    assert!(folder.refused(&["--output", "nowhere/claims.svg"]).contains("FL0320"));
    for file in ["nothing.json", "words.json", "refused.json"] {
        let unreadable = folder.refused(&["--execution", file]);
        assert!(
            unreadable.contains("FL0321") && unreadable.contains("hint: `faastlane run --json"),
            "{unreadable}"
        );
    }
    let other = folder.refused(&["--execution", "other.json"]);
    assert!(other.contains("FL0322") && other.contains("`Zebra`") && other.contains("hint:"), "{other}");
    assert!(folder.refused(&["--format", "png"]).contains("possible values: svg, mermaid, dot"));
    let (exit, ..) = folder.run(&["graph", "nowhere"], "");
    assert_eq!(exit, 101);
    fs::write(folder.path("claims/workflow.asl.json"), "{ }").unwrap();
    let (exit, stdout, stderr) = folder.run(&["graph", "claims"], "");
    assert_eq!((exit, stdout.as_str()), (102, ""), "{stderr}");
}

#[test]
fn the_schema_is_printed() {
    let (exit, stdout, stderr) = Folder::new().run(&["schema"], "");
    assert_eq!((exit, stderr.as_str()), (0, ""));
    let schema: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    assert!(schema["definitions"]["Task"]["properties"]["Resource"]["description"].is_string());
}
