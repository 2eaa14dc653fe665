//! A peer: a fresh Python process that imports the same, and calls the first function.

use super::first_line::until_first_line;
use crate::BenchError;
use crate::contest::{Contender, repeat};
use crate::outside::Outside;
use faastlane_compose::PythonInstall;
use faastlane_pool::monotonic_nanos;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

const NAME: &str = "a fresh process";

pub(super) struct FreshProcess {
    python: PathBuf,
    folder: TempDir,
    starts: usize,
    executions: usize,
}

impl FreshProcess {
    pub(super) fn new(python: &PythonInstall, code: &str, starts: usize) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("faastlane-peers-").tempdir()?;
        fs::write(folder.path().join("function.py"), code)?;
        fs::write(folder.path().join("first_line.py"), include_str!("../../peers/first_line.py"))?;
        Ok(Self { python: python.executable.clone(), folder, starts, executions: 0 })
    }

    fn start_once(&self) -> Result<f64, BenchError> {
        let failed = |problem: String| BenchError::Peer { peer: NAME, problem };
        let mut command = Command::new(&self.python);
        command.arg(self.folder.path().join("first_line.py")).stdin(Stdio::null());
        let since = monotonic_nanos();
        let output = command.output().map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(failed(format!("{}: {}", output.status, said.trim_end())));
        }
        until_first_line(&output.stdout, since, 1, NAME)
    }
}

impl Contender for FreshProcess {
    fn name(&self) -> &str {
        NAME
    }

    fn isolation(&self) -> &'static str {
        "nothing"
    }

    fn round(&mut self, outside: &Outside<'_>) -> Result<Vec<f64>, BenchError> {
        self.executions += self.starts;
        repeat(self.starts, outside, || self.start_once())
    }

    fn executions(&self) -> usize {
        self.executions
    }
}
