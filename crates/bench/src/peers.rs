//! The other ways, each a Python program that says how long its hops took.

use crate::BenchError;
use crate::contest::Contender;
use crate::event::EventSpec;
use crate::machine;
use crate::outside::Outside;
use serde::Deserialize;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use tempfile::TempDir;

const FILES: [(&str, &str); 4] = [
    ("measurement.py", include_str!("../peers/measurement.py")),
    ("floor.py", include_str!("../peers/floor.py")),
    ("threads.py", include_str!("../peers/threads.py")),
    ("http_functions.py", include_str!("../peers/http_functions.py")),
];

/// One of the other ways.
struct Way {
    name: &'static str,
    isolation: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    /// It has one interpreter with one lock, and so runs on one CPU, as a lane does: with more it is slower.
    one_cpu: bool,
}

/// The floor first. A thread for each call is what the original Faastlane does.
const WAYS: [Way; 4] = [
    Way { name: "direct calls", isolation: "nothing", program: "floor.py", arguments: &[], one_cpu: true },
    Way {
        name: "threads, kept",
        isolation: "nothing",
        program: "threads.py",
        arguments: &["--variant", "persistent"],
        one_cpu: true,
    },
    Way {
        name: "threads, one a call",
        isolation: "nothing",
        program: "threads.py",
        arguments: &["--variant", "new"],
        one_cpu: true,
    },
    Way {
        name: "HTTP server a function",
        isolation: "a process each",
        program: "http_functions.py",
        arguments: &[],
        one_cpu: false,
    },
];

pub(crate) struct Peer {
    way: &'static Way,
    python: PathBuf,
    /// Shared by all peers.
    programs: Rc<TempDir>,
    spec: EventSpec,
    /// In a round.
    hops: usize,
    /// Bytes of the event as JSON.
    event_bytes: usize,
    executions: usize,
}

/// What a program prints.
#[derive(Deserialize)]
struct Printed {
    format_version: u32,
    /// How often the event went through and came out as it was.
    executions: usize,
    event_bytes: usize,
    hop_us: Vec<f64>,
}

/// The peers, in a folder that goes with the last of them.
pub(crate) fn peers(python: &Path, spec: EventSpec, hops: usize) -> io::Result<Vec<Peer>> {
    let folder = tempfile::Builder::new().prefix("faastlane-peers-").tempdir()?;
    for (name, text) in FILES {
        fs::write(folder.path().join(name), text)?;
    }
    let programs = Rc::new(folder);
    let event_bytes = spec.make().to_string().len();
    let peer = |way| Peer {
        way,
        python: python.to_owned(),
        programs: programs.clone(),
        spec,
        hops,
        event_bytes,
        executions: 0,
    };
    Ok(WAYS.iter().map(peer).collect())
}

impl Peer {
    fn failed(&self, problem: impl Into<String>) -> BenchError {
        BenchError::Peer { peer: self.way.name, problem: problem.into() }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(self.programs.path().join(self.way.program)).args(self.way.arguments);
        command.args(["--payload", self.spec.kind_name(), "--size", &self.spec.size.to_string()]);
        let hops = self.hops;
        command.args(["--hops", &hops.to_string(), "--warm-up", &hops.div_ceil(10).to_string()]);
        if let Some(cpu) = machine::first_cpu().filter(|_| self.way.one_cpu) {
            command.args(["--cpus", &cpu.to_string()]);
        }
        command.stdin(Stdio::null());
        command
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
        let output = self.command().output().map_err(|error| self.failed(error.to_string()))?;
        if (outside.stop)() {
            return Err(BenchError::Interrupted);
        }
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(self.failed(format!("{}: {}", output.status, said.trim_end())));
        }
        let printed: Printed =
            serde_json::from_slice(&output.stdout).map_err(|error| self.failed(error.to_string()))?;
        if printed.format_version != 1
            || printed.hop_us.len() != self.hops
            || printed.event_bytes != self.event_bytes
        {
            return Err(self.failed("it did not measure what it was asked to"));
        }
        self.executions += printed.executions;
        Ok(printed.hop_us)
    }

    fn executions(&self) -> usize {
        self.executions
    }
}
