//! A workflow in a folder of its own, and what the command made of it.

use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// A workflow folder that goes with this value.
pub(crate) struct Workflow(TempDir);

impl Workflow {
    pub(crate) fn new(definition: &Value) -> Self {
        let workflow = Self(tempfile::tempdir().unwrap());
        workflow.file("workflow.asl.json", format!("{definition:#}"))
    }

    /// Functions that are called one after the other, each on what the one before it returned.
    pub(crate) fn chain(functions: &[(&str, &str)]) -> Self {
        let names: Vec<&str> = functions.iter().map(|(name, _)| *name).collect();
        Self::new(&chain(&names)).functions(functions)
    }

    pub(crate) fn functions(self, functions: &[(&str, &str)]) -> Self {
        functions
            .iter()
            .fold(self, |workflow, (name, code)| workflow.file(&format!("functions/{name}.py"), code))
    }

    pub(crate) fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    pub(crate) fn config(self, text: &str) -> Self {
        self.file("faastlane.toml", text)
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    /// `faastlane run` on this workflow, for people.
    pub(crate) fn command(&self) -> Command {
        let mut command = faastlane();
        command.arg("run").arg(self.0.path()).current_dir(self.0.path());
        command
    }

    /// Runs it on `event`, for programs.
    pub(crate) fn run(&self, event: &Value) -> Run {
        self.run_under("auto", event)
    }

    pub(crate) fn run_under(&self, isolation: &str, event: &Value) -> Run {
        self.run_text(&["--isolation", isolation], &event.to_string())
    }

    /// Runs it on the text of an input.
    pub(crate) fn run_text(&self, flags: &[&str], input: &str) -> Run {
        let mut command = self.command();
        command.args(["--json", "--input", "-"]).args(flags);
        Run::of(fed(&mut command, input.as_bytes()))
    }
}

/// A machine of Task states in a row, one for each function, with the function's name in capitals.
pub(crate) fn chain(functions: &[&str]) -> Value {
    let states: serde_json::Map<String, Value> = functions
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let state = match functions.get(index + 1) {
                Some(next) => json!({ "Type": "Task", "Resource": name, "Next": next.to_uppercase() }),
                None => json!({ "Type": "Task", "Resource": name, "End": true }),
            };
            (name.to_uppercase(), state)
        })
        .collect();
    json!({ "StartAt": functions[0].to_uppercase(), "States": states })
}

/// The command, with nothing of this user's settings but `FAASTLANE_PYTHON`, and with one cache for all tests.
pub(crate) fn faastlane() -> Command {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_faastlane"));
    for variable in ["FAASTLANE_ISOLATION", "FAASTLANE_MAX_PAYLOAD"] {
        command.env_remove(variable);
    }
    command
        .env("XDG_CACHE_HOME", directory.join("cache"))
        .env("XDG_CONFIG_HOME", directory.join("no-settings"))
        .env("NO_COLOR", "1");
    command
}

/// Starts a command with its streams piped.
pub(crate) fn piped(command: &mut Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What a command says to an input.
pub(crate) fn fed(command: &mut Command, input: &[u8]) -> Output {
    let mut child = piped(command);
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // Large inputs do not fit into the pipe; a command that refuses one may not read it to its end.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().unwrap()
    })
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What `run --json` said.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) exit: Option<i32>,
    pub(crate) report: Value,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn of(output: Output) -> Self {
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        let report = parse(&stdout)
            .unwrap_or_else(|error| panic!("{error} in {stdout}\nstderr: {stderr}\n{}", output.status));
        assert!(report.is_object(), "{report}");
        assert_eq!(report["format_version"], 1);
        Self { exit: output.status.code(), report, stderr }
    }

    /// The output of an execution that succeeded.
    #[track_caller]
    pub(crate) fn output(&self) -> &Value {
        assert_eq!((self.exit, &self.report["status"]), (Some(0), &json!("SUCCEEDED")), "{self:#?}");
        &self.report["output"]
    }

    /// Error and cause of an execution that failed.
    #[track_caller]
    pub(crate) fn failure(&self) -> (&str, &str) {
        assert_eq!((self.exit, &self.report["status"]), (Some(100), &json!("FAILED")), "{self:#?}");
        self.error()
    }

    #[track_caller]
    pub(crate) fn error(&self) -> (&str, &str) {
        let part = |name: &str| self.report[name].as_str().unwrap_or_else(|| panic!("no {name}: {self:#?}"));
        (part("error"), part("cause"))
    }

    /// The error that a function raised, and the object that AWS Lambda makes of it.
    #[track_caller]
    pub(crate) fn function_error(&self) -> (&str, Value) {
        let (error, cause) = self.failure();
        (error, serde_json::from_str(cause).unwrap_or_else(|_| panic!("no JSON: {cause}")))
    }

    /// The codes of what stood in the way of an execution.
    #[track_caller]
    pub(crate) fn codes(&self) -> Vec<&str> {
        let findings = self.report["diagnostics"].as_array().unwrap_or_else(|| panic!("{self:#?}"));
        findings.iter().map(|finding| finding["code"].as_str().unwrap()).collect()
    }

    /// What functions printed, with their names.
    pub(crate) fn lines(&self) -> Vec<(&str, &str)> {
        let lines = self.report["logs"].as_array().unwrap();
        lines
            .iter()
            .map(|line| (line["function"].as_str().unwrap(), line["text"].as_str().unwrap()))
            .collect()
    }

    /// What one function printed.
    pub(crate) fn printed(&self, function: &str) -> Vec<&str> {
        self.lines().into_iter().filter(|(name, _)| *name == function).map(|(_, text)| text).collect()
    }
}

/// Reads JSON of any depth.
pub(crate) fn parse(text: &str) -> serde_json::Result<Value> {
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.disable_recursion_limit();
    let value = serde::Deserialize::deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Whether this host has protection keys. Says so where it has none, and fails where they are required.
pub(crate) fn mpk() -> bool {
    let output = faastlane().args(["doctor", "--json"]).output().unwrap();
    let report = parse(&text(&output.stdout)).unwrap();
    let found = report["isolation"] == "mpk";
    if !found {
        let required = std::env::var_os("FAASTLANE_REQUIRE_MPK").is_some_and(|value| value == "1");
        assert!(!required, "FAASTLANE_REQUIRE_MPK=1, but this host has no protection keys: {report:#}");
        let mut stderr = std::io::stderr().lock();
        writeln!(stderr, "SKIPPED: this host has no protection keys").unwrap();
    }
    found
}
