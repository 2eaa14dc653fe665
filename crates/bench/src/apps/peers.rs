//! The other way: a Python program that has the four applications written out, and a server for each function.

use super::Interactions;
use crate::BenchError;
use crate::contest::Contender;
use crate::outside::Outside;
use crate::peers::HTTP_PROCESS;
use faastlane_compose::Plan;
use serde::Deserialize;
use serde_json::{Value, json};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

pub(super) const NAME: &str = "HTTP server a function";

pub(super) struct Served {
    app: &'static str,
    python: PathBuf,
    /// The program, its functions, and what they write.
    folder: TempDir,
    event: PathBuf,
    /// What ours made of the same event.
    output: Value,
    in_a_round: usize,
    executions: usize,
    pub(super) interactions: Interactions,
}

/// What the program prints.
#[derive(Deserialize)]
struct Printed {
    format_version: u32,
    took_us: Vec<f64>,
    interaction_us: Vec<f64>,
    /// Of each execution.
    output: Value,
}

impl Served {
    pub(super) fn new(
        app: &'static str,
        plan: &Plan,
        event: &Path,
        output: Value,
        in_a_round: usize,
    ) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("faastlane-peers-").tempdir()?;
        fs::write(folder.path().join("apps.py"), include_str!("../../peers/apps.py"))?;
        fs::write(folder.path().join(HTTP_PROCESS.0), HTTP_PROCESS.1)?;
        fs::write(folder.path().join("functions.json"), functions(plan).to_string())?;
        let python = plan.pythons[0].executable.clone();
        let event = event.canonicalize()?;
        let interactions = Interactions::default();
        Ok(Self { app, python, folder, event, output, in_a_round, executions: 0, interactions })
    }
}

/// How to load each, and whether a Map calls it.
fn functions(plan: &Plan) -> Value {
    let maps: Vec<&String> =
        plan.states.iter().filter(|state| state.state_type == "Map").map(|state| &state.name).collect();
    let mapped = |name: &String| {
        let mut its_states = plan.states.iter().filter(|state| state.function.as_ref() == Some(name));
        its_states.any(|state| state.within.iter().any(|around| maps.contains(&around)))
    };
    plan.functions
        .iter()
        .map(|function| {
            json!({
                "name": function.name,
                "module": function.module,
                "handler": function.handler,
                "directory": function.directory,
                "sys_path": function.sys_path,
                "mapped": mapped(&function.name),
            })
        })
        .collect()
}

impl Contender for Served {
    fn name(&self) -> &str {
        NAME
    }

    fn isolation(&self) -> &'static str {
        "a process each"
    }

    fn round(&mut self, outside: &Outside<'_>) -> Result<Vec<f64>, BenchError> {
        let failed = |problem: String| BenchError::Peer { peer: NAME, problem };
        let folder = self.folder.path();
        let mut command = Command::new(&self.python);
        command.arg(folder.join("apps.py")).args(["--app", self.app]).arg("--functions");
        command.arg(folder.join("functions.json")).arg("--event").arg(&self.event);
        command.args(["--executions", &self.in_a_round.to_string()]);
        // What functions write that no event places.
        command.env("TMPDIR", folder).stdin(Stdio::null());
        let output = command.output().map_err(|error| failed(error.to_string()))?;
        if (outside.stop)() {
            return Err(BenchError::Interrupted);
        }
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(failed(format!("{}: {}", output.status, said.trim_end())));
        }
        let printed: Printed =
            serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))?;
        let counts = [printed.took_us.len(), printed.interaction_us.len()];
        if printed.format_version != 1 || counts != [self.in_a_round; 2] {
            return Err(failed("it did not measure what it was asked to".to_owned()));
        }
        if printed.output != self.output {
            return Err(BenchError::Changed { contestant: format!("{NAME}, {}", self.app) });
        }
        self.executions += self.in_a_round;
        self.interactions.borrow_mut().push(printed.interaction_us);
        Ok(printed.took_us)
    }

    fn executions(&self) -> usize {
        self.executions
    }
}
