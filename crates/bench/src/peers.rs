//! The other ways, each a Python program that says how long its hops and its executions took.

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

/// Of every peer that calls its functions over HTTP.
pub(crate) const HTTP_PROCESS: (&str, &str) = ("http_process.py", include_str!("../peers/http_process.py"));

const FILES: [(&str, &str); 5] = [
    HTTP_PROCESS,
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
    round: Round,
    /// Bytes of the event as JSON.
    event_bytes: usize,
    executions: usize,
}

/// What a round measures.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Round {
    /// So many hops between two functions.
    Hops(usize),
    /// So many whole executions of a chain of so many functions, at least two.
    Executions { functions: usize, count: usize },
}

impl Round {
    /// In a chain.
    fn functions(self) -> usize {
        match self {
            Self::Hops(_) => 2,
            Self::Executions { functions, .. } => functions,
        }
    }

    /// To measure, and to make before; a program counts nothing else.
    fn hops(self) -> (usize, usize) {
        match self {
            Self::Hops(hops) => (hops, hops.div_ceil(10)),
            Self::Executions { functions, count } => {
                ((functions - 1) * count, (functions - 1) * count.div_ceil(10))
            }
        }
    }
}

/// What a program prints.
#[derive(Deserialize)]
struct Printed {
    format_version: u32,
    /// How often the event went through and came out as it was.
    executions: usize,
    event_bytes: usize,
    hop_us: Vec<f64>,
    /// Those before the first that counts included.
    execution_us: Vec<f64>,
}

impl Printed {
    /// What counts of it; `None` where it is not as much as was asked for.
    fn samples(mut self, round: Round) -> Option<Vec<f64>> {
        match round {
            Round::Hops(hops) => (self.hop_us.len() == hops).then_some(self.hop_us),
            Round::Executions { count, .. } => {
                let before = self.execution_us.len().checked_sub(count)?;
                Some(self.execution_us.split_off(before))
            }
        }
    }
}

/// The peers, in a folder that goes with the last of them.
pub(crate) fn peers(python: &Path, spec: EventSpec, round: Round) -> io::Result<Vec<Peer>> {
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
        round,
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
        let (hops, warm_up) = self.round.hops();
        command.args(["--functions", &self.round.functions().to_string()]);
        command.args(["--hops", &hops.to_string(), "--warm-up", &warm_up.to_string()]);
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
        let right = printed.format_version == 1 && printed.event_bytes == self.event_bytes;
        let executions = printed.executions;
        let samples = if right { printed.samples(self.round) } else { None };
        let samples = samples.ok_or_else(|| self.failed("it did not measure what it was asked to"))?;
        self.executions += executions;
        Ok(samples)
    }

    fn executions(&self) -> usize {
        self.executions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executions_are_asked_for_in_hops() {
        let round = Round::Executions { functions: 5, count: 30 };
        assert_eq!((round.functions(), round.hops()), (5, (120, 12)));
        assert_eq!((Round::Hops(25).functions(), Round::Hops(25).hops()), (2, (25, 3)));
    }

    #[test]
    fn executions_that_warm_up_do_not_count() {
        let printed = || Printed {
            format_version: 1,
            executions: 3,
            event_bytes: 1,
            hop_us: vec![1.0, 2.0],
            execution_us: vec![9.0, 3.0, 4.0],
        };
        assert_eq!(printed().samples(Round::Executions { functions: 2, count: 2 }), Some(vec![3.0, 4.0]));
        assert_eq!(printed().samples(Round::Executions { functions: 2, count: 4 }), None);
        assert_eq!(printed().samples(Round::Hops(2)), Some(vec![1.0, 2.0]));
        assert_eq!(printed().samples(Round::Hops(3)), None);
    }
}
