//! The other ways: a Python program that says how long its executions took.

use super::work::{Totals, Work};
use crate::BenchError;
use crate::contest::Contender;
use crate::outside::Outside;
use crate::peers::HTTP_PROCESS;
use crate::processes::CpuTime;
use serde::Deserialize;
use serde_json::Value;
use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use tempfile::TempDir;

/// Names, and those that the program has for them.
const WAYS: [(&str, &str); 2] = [("process a function, pipes", "pipes"), ("HTTP server a function", "http")];

pub(super) struct Peer {
    name: &'static str,
    way: &'static str,
    python: PathBuf,
    /// Shared by all peers.
    programs: Rc<TempDir>,
    work: Work,
    clients: usize,
    executions: usize,
    totals: Totals,
}

/// What the program prints.
#[derive(Deserialize)]
struct Printed {
    format_version: u32,
    took_ns: u64,
    cpu_ns: u64,
    outputs: Vec<Value>,
}

impl Peer {
    pub(super) fn all(
        python: &Path,
        work: Work,
        clients: NonZeroUsize,
        executions: usize,
    ) -> io::Result<Vec<Self>> {
        let folder = tempfile::Builder::new().prefix("faastlane-peers-").tempdir()?;
        fs::write(folder.path().join("function.py"), work.code())?;
        fs::write(folder.path().join("throughput.py"), include_str!("../../peers/throughput.py"))?;
        fs::write(folder.path().join(HTTP_PROCESS.0), HTTP_PROCESS.1)?;
        let programs = Rc::new(folder);
        let peer = |(name, way)| Self {
            name,
            way,
            python: python.to_owned(),
            programs: programs.clone(),
            work,
            clients: clients.get(),
            executions,
            totals: Totals::default(),
        };
        Ok(WAYS.into_iter().map(peer).collect())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(self.programs.path().join("throughput.py")).args(["--way", self.way]);
        for (option, number) in [
            ("--functions", self.work.functions),
            ("--clients", self.clients),
            ("--executions", self.executions),
        ] {
            command.args([option, &number.to_string()]);
        }
        command.stdin(Stdio::null());
        command
    }
}

impl Contender for Peer {
    fn name(&self) -> &str {
        self.name
    }

    fn isolation(&self) -> &'static str {
        "a process each"
    }

    fn round(&mut self, outside: &Outside<'_>) -> Result<Vec<f64>, BenchError> {
        let failed = |problem: String| BenchError::Peer { peer: self.name, problem };
        let output = self.command().output().map_err(|error| failed(error.to_string()))?;
        if (outside.stop)() {
            return Err(BenchError::Interrupted);
        }
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(failed(format!("{}: {}", output.status, said.trim_end())));
        }
        let printed: Printed =
            serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))?;
        if printed.format_version != 1 || printed.outputs.len() != self.executions {
            return Err(failed("it did not measure what it was asked to".to_owned()));
        }
        for output in &printed.outputs {
            self.totals.functions_ns += self.work.check(output, self.name)?;
        }
        self.totals.cpu_ns += printed.cpu_ns;
        self.totals.executions += self.executions;
        Ok(vec![printed.took_ns as f64 / 1e3 / self.executions as f64])
    }

    fn executions(&self) -> usize {
        self.totals.executions
    }

    fn cpu(&self) -> Option<CpuTime> {
        self.totals.cpu()
    }
}
