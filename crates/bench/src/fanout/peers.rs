//! The other ways: a Python program that says how long each of its executions took.

use super::Subject;
use crate::BenchError;
use crate::contest::Contender;
use crate::outside::Outside;
use crate::peers::HTTP_PROCESS;
use serde::Deserialize;
use serde_json::Value;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use tempfile::TempDir;

struct Way {
    name: &'static str,
    isolation: &'static str,
    /// The program's name for it.
    way: &'static str,
    /// Many branches take so long that they are executed less often.
    slow: bool,
}

/// A process for each branch is what the original Faastlane makes of parallel states.
const WAYS: [Way; 4] = [
    Way { name: "pool of threads", isolation: "nothing", way: "threads", slow: false },
    Way { name: "pool of processes", isolation: "a process a worker", way: "processes", slow: false },
    Way { name: "process a branch, pipes", isolation: "a process a branch", way: "branches", slow: true },
    Way { name: "HTTP server a function", isolation: "a process each", way: "http", slow: false },
];

pub(super) struct Peer {
    way: &'static Way,
    python: PathBuf,
    /// Shared by all peers.
    programs: Rc<TempDir>,
    subject: Subject,
    results: Value,
    verified: usize,
}

/// What the program prints.
#[derive(Deserialize)]
struct Printed {
    format_version: u32,
    took_us: Vec<f64>,
    /// Of the first execution; that of each other one was compared with it.
    output: Value,
}

impl Peer {
    pub(super) fn all(python: &Path, subject: Subject) -> io::Result<Vec<Self>> {
        let folder = tempfile::Builder::new().prefix("faastlane-peers-").tempdir()?;
        fs::write(folder.path().join("function.py"), subject.work.code())?;
        fs::write(folder.path().join("fanout.py"), include_str!("../../peers/fanout.py"))?;
        fs::write(folder.path().join(HTTP_PROCESS.0), HTTP_PROCESS.1)?;
        let programs = Rc::new(folder);
        let results = subject.work.results(subject.branches);
        let peer = |way| Self {
            way,
            python: python.to_owned(),
            programs: programs.clone(),
            subject,
            results: results.clone(),
            verified: 0,
        };
        Ok(WAYS.iter().map(peer).collect())
    }

    fn executions_a_round(&self) -> usize {
        if self.way.slow { self.subject.fewer_executions() } else { self.subject.executions }
    }
}

impl Contender for Peer {
    fn name(&self) -> &str {
        self.way.name
    }

    fn isolation(&self) -> &'static str {
        self.way.isolation
    }

    fn round(&mut self, outside: &Outside<'_>) -> Result<Vec<f64>, BenchError> {
        let failed = |problem: String| BenchError::Peer { peer: self.way.name, problem };
        let mut command = Command::new(&self.python);
        command.arg(self.programs.path().join("fanout.py")).args(["--way", self.way.way]);
        command.args(["--branches", &self.subject.branches.to_string()]);
        command.args(["--executions", &self.executions_a_round().to_string()]).stdin(Stdio::null());
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
        if printed.format_version != 1 || printed.took_us.len() != self.executions_a_round() {
            return Err(failed("it did not measure what it was asked to".to_owned()));
        }
        if printed.output != self.results {
            return Err(BenchError::Changed { contestant: self.way.name.to_owned() });
        }
        self.verified += printed.took_us.len();
        Ok(printed.took_us)
    }

    fn executions(&self) -> usize {
        self.verified
    }
}
