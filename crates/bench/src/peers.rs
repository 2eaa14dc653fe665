//! The other ways, each a program that says how long its hops and its executions took. Some have to be installed first.

mod environment;
mod program;

pub use environment::Environment;

use crate::BenchError;
use crate::contest::Contender;
use crate::event::EventSpec;
use crate::machine;
use crate::outside::Outside;
use crate::report::MissingPeer;
use faastlane_compose::PythonInstall;
use program::{Program, Silence};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;
use tempfile::TempDir;

/// Of every peer that calls its functions over HTTP.
pub(crate) const HTTP_PROCESS: (&str, &str) = ("http_process.py", include_str!("../peers/http_process.py"));

const FILES: [(&str, &str); 12] = [
    HTTP_PROCESS,
    ("measurement.py", include_str!("../peers/measurement.py")),
    ("floor.py", include_str!("../peers/floor.py")),
    ("threads.py", include_str!("../peers/threads.py")),
    ("pipes.py", include_str!("../peers/pipes.py")),
    ("local_bus.py", include_str!("../peers/local_bus.py")),
    ("http_functions.py", include_str!("../peers/http_functions.py")),
    ("object_store.py", include_str!("../peers/object_store.py")),
    ("ray_actors.py", include_str!("../peers/ray_actors.py")),
    ("dbos_steps.py", include_str!("../peers/dbos_steps.py")),
    ("restate_services.py", include_str!("../peers/restate_services.py")),
    ("moto_pass.py", include_str!("../peers/moto_pass.py")),
];
const NODE_FILES: [(&str, &str); 1] =
    [("local_stepfunctions.mjs", include_str!("../peers/local_stepfunctions.mjs"))];

/// How long a peer may take to come up, and for a round.
const PATIENCE: Duration = Duration::from_secs(180);

/// One of the other ways.
#[derive(Debug, Serialize)]
pub struct Way {
    pub name: &'static str,
    pub about: &'static str,
    /// What keeps a function from another's memory.
    pub isolation: &'static str,
    /// Where results are when something is lost.
    pub durable: &'static str,
    #[serde(skip)]
    program: &'static str,
    #[serde(skip)]
    arguments: &'static [&'static str],
    /// It has one interpreter with one lock, and so runs on one CPU, as a lane does: with more it is slower.
    #[serde(skip)]
    one_cpu: bool,
    /// It calls functions; else only whole executions can be measured.
    #[serde(skip)]
    has_hops: bool,
    /// So slow that a tenth of the executions have to do.
    #[serde(skip)]
    slow: bool,
    #[serde(skip)]
    needs: &'static [Environment],
    /// The kernel may refuse what it needs.
    #[serde(skip)]
    asks_kernel: bool,
}

const PLAIN: Way = Way {
    name: "",
    about: "",
    isolation: "nothing",
    durable: NOT_DURABLE,
    program: "",
    arguments: &[],
    one_cpu: false,
    has_hops: true,
    slow: false,
    needs: &[],
    asks_kernel: false,
};

/// Results are in memory only.
pub(crate) const NOT_DURABLE: &str = "no";
/// Ours: an execution goes on when its instance is lost, in another one.
pub(crate) const IN_SUPERVISOR: &str = "in the supervisor";
const ON_DISK: &str = "on disk";

/// The floor first.
pub const WAYS: &[Way] = &[
    Way {
        name: "direct calls",
        about: "functions called directly in one CPython: the floor",
        program: "floor.py",
        one_cpu: true,
        ..PLAIN
    },
    Way {
        name: "threads, kept",
        about: "the original Faastlane's design with threads that are kept: one CPython, by reference",
        program: "threads.py",
        arguments: &["--variant", "persistent"],
        one_cpu: true,
        ..PLAIN
    },
    Way {
        name: "threads, one a call",
        about: "the original Faastlane's design: a thread for each call in one CPython, by reference",
        program: "threads.py",
        arguments: &["--variant", "new"],
        one_cpu: true,
        ..PLAIN
    },
    Way {
        name: "processes, pipes",
        about: "the original Faastlane's design for parallel states: a process for each function, pickles in pipes",
        isolation: "a process each",
        program: "pipes.py",
        ..PLAIN
    },
    Way {
        name: "processes, local bus",
        about: "SAND's design: a process for each function, and a message bus on the host",
        isolation: "a process each",
        program: "local_bus.py",
        ..PLAIN
    },
    Way {
        name: "HTTP server a function",
        about: "an action server for each function, connections kept open",
        isolation: "a process each",
        program: "http_functions.py",
        ..PLAIN
    },
    Way {
        name: "container a function",
        about: "the same with namespaces for each: the least that OpenWhisk or Lambda do",
        isolation: "namespaces each",
        program: "http_functions.py",
        arguments: &["--namespaces"],
        asks_kernel: true,
        ..PLAIN
    },
    Way {
        name: "object store",
        about: "an action server for each function, state in an S3-compatible server (s3s-fs) on this machine",
        isolation: "a process each",
        durable: ON_DISK,
        program: "object_store.py",
        arguments: &["--server", "{cargo}/bin/s3s-fs"],
        slow: true,
        needs: &[Environment::Python, Environment::Cargo],
        ..PLAIN
    },
    Way {
        name: "Ray actors",
        about: "an actor for each function, results in Ray's object store",
        isolation: "a process each",
        program: "ray_actors.py",
        slow: true,
        needs: &[Environment::Python],
        ..PLAIN
    },
    Way {
        name: "Restate",
        about: "a durable service that calls each function, a service too, in one Python process",
        durable: ON_DISK,
        program: "restate_services.py",
        arguments: &[
            "--server",
            "{node}/node_modules/@restatedev/restate-server-linux-x64/bin/restate-server",
        ],
        slow: true,
        needs: &[Environment::Python, Environment::Node],
        ..PLAIN
    },
    Way {
        name: "DBOS",
        about: "a durable workflow whose functions are steps, in one Python process; its database is SQLite",
        durable: ON_DISK,
        program: "dbos_steps.py",
        slow: true,
        needs: &[Environment::Python],
        ..PLAIN
    },
    Way {
        name: "aws-local-stepfunctions",
        about: "an interpreter of the states language in Node; functions are JavaScript in the same process",
        program: "local_stepfunctions.mjs",
        arguments: &["--modules", "{node}"],
        needs: &[Environment::Node],
        ..PLAIN
    },
    Way {
        name: "moto, Pass states",
        about: "a mock of Step Functions; the states are Pass states, which call no function",
        program: "moto_pass.py",
        has_hops: false,
        slow: true,
        needs: &[Environment::Python],
        ..PLAIN
    },
];

impl Way {
    /// Why it cannot be run; none if it can.
    pub fn missing(&self, outside: &Outside<'_>, python: &PythonInstall) -> Option<String> {
        let folder = environment::folder(outside);
        self.needs.iter().find_map(|needed| needed.missing(&folder, python))
    }

    /// It is not on every host that it comes up.
    fn is_optional(&self) -> bool {
        self.asks_kernel || !self.needs.is_empty()
    }
}

/// Installs what peers need. `progress` is told what is being done; what cannot be installed comes back with why.
pub fn install(
    outside: &Outside<'_>,
    python: &PythonInstall,
    progress: &mut dyn FnMut(&str),
) -> Vec<(Environment, io::Error)> {
    let folder = environment::folder(outside);
    let mut failed = Vec::new();
    for one in Environment::ALL {
        progress(&format!("installing {} in {}", one.name(), folder.display()));
        if let Err(error) = one.install(&folder, python) {
            failed.push((one, error));
        }
    }
    failed
}

pub(crate) struct Peer {
    way: &'static Way,
    python: PathBuf,
    /// Where what it needs is installed.
    folder: PathBuf,
    /// Shared by all peers.
    programs: Rc<TempDir>,
    program: Option<Program>,
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

    /// Of the chain, with one hop less than functions in each.
    fn executions(self, way: &Way) -> usize {
        let (Self::Hops(count) | Self::Executions { count, .. }) = self;
        if way.slow { count.div_ceil(10) } else { count }
    }
}

/// What a program says first.
#[derive(Deserialize)]
struct Ready {
    format_version: u32,
    event_bytes: usize,
}

/// What a program says of a round.
#[derive(Deserialize)]
struct Printed {
    execution_us: Vec<f64>,
    /// None where functions say nothing.
    hop_us: Option<Vec<f64>>,
}

impl Printed {
    /// What counts of it; `None` where it is not as much as was asked for.
    fn samples(self, round: Round, executions: usize) -> Option<Vec<f64>> {
        let (samples, count) = match round {
            Round::Hops(_) => (self.hop_us?, executions * (round.functions() - 1)),
            Round::Executions { .. } => (self.execution_us, executions),
        };
        (samples.len() == count && count > 0).then_some(samples)
    }
}

/// The peers, warm, in a folder that goes with the last of them, and those that cannot take part. Those that have to be installed
/// take part if they are `wanted`.
pub(crate) fn peers(
    outside: &Outside<'_>,
    python: &PythonInstall,
    spec: EventSpec,
    round: Round,
    wanted: bool,
) -> Result<(Vec<Peer>, Vec<MissingPeer>), BenchError> {
    let folder = tempfile::Builder::new().prefix("faastlane-peers-").tempdir()?;
    for (name, text) in FILES.iter().chain(&NODE_FILES) {
        fs::write(folder.path().join(name), text)?;
    }
    let programs = Rc::new(folder);
    let event_bytes = spec.make().to_string().len();
    let (mut there, mut missing) = (Vec::new(), Vec::new());
    for way in WAYS {
        if !way.needs.is_empty() && !wanted {
            continue;
        }
        let why = match round {
            Round::Hops(_) if !way.has_hops => Some("its states call no functions".to_owned()),
            _ => way.missing(outside, python),
        };
        match why {
            Some(reason) => missing.push(MissingPeer { peer: way.name, reason }),
            None => {
                let mut peer = Peer {
                    way,
                    python: python.executable.clone(),
                    folder: environment::folder(outside),
                    programs: programs.clone(),
                    program: None,
                    spec,
                    round,
                    event_bytes,
                    executions: 0,
                };
                match peer.start(outside) {
                    Ok(program) => peer.program = Some(program),
                    Err(BenchError::Peer { peer, problem }) if way.is_optional() => {
                        missing.push(MissingPeer { peer, reason: format!("it does not come up: {problem}") });
                        continue;
                    }
                    Err(error) => return Err(error),
                }
                there.push(peer);
            }
        }
    }
    Ok((there, missing))
}

impl Peer {
    fn failed(&self, problem: impl Into<String>) -> BenchError {
        BenchError::Peer { peer: self.way.name, problem: problem.into() }
    }

    fn silent(&self, silence: Silence) -> BenchError {
        match silence {
            Silence::Interrupted => BenchError::Interrupted,
            Silence::Failed(why) => self.failed(why),
        }
    }

    fn interpreter(&self) -> PathBuf {
        if self.way.program.ends_with(".mjs") {
            PathBuf::from("node")
        } else if self.way.needs.contains(&Environment::Python) {
            Environment::Python.within(&self.folder).join("bin/python3")
        } else {
            self.python.clone()
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.interpreter());
        command.arg(self.programs.path().join(self.way.program));
        let place = |argument: &str, one: Environment| {
            argument.replace(&format!("{{{}}}", one.name()), &one.within(&self.folder).to_string_lossy())
        };
        for argument in self.way.arguments {
            command.arg(
                Environment::ALL.into_iter().fold((*argument).to_owned(), |text, one| place(&text, one)),
            );
        }
        command.args(["--payload", self.spec.kind_name(), "--size", &self.spec.size.to_string()]);
        command.args(["--functions", &self.round.functions().to_string()]);
        if let Some(cpu) = machine::first_cpu().filter(|_| self.way.one_cpu) {
            command.args(["--cpus", &cpu.to_string()]);
        }
        command
    }

    /// Starts it, and lets it warm up.
    fn start(&self, outside: &Outside<'_>) -> Result<Program, BenchError> {
        let complaints = self.programs.path().join(format!("{}.stderr", self.way.name));
        let mut program = Program::start(&mut self.command(), complaints, PATIENCE)
            .map_err(|error| self.failed(error.to_string()))?;
        let ready: Ready = program.answer(outside.stop).map_err(|silence| self.silent(silence))?;
        if (ready.format_version, ready.event_bytes) != (2, self.event_bytes) {
            return Err(self.failed("it has another event"));
        }
        program.ask(self.round.executions(self.way).div_ceil(10));
        let _: Printed = program.answer(outside.stop).map_err(|silence| self.silent(silence))?;
        Ok(program)
    }
}

impl Contender for Peer {
    fn name(&self) -> &str {
        self.way.name
    }

    fn isolation(&self) -> &'static str {
        self.way.isolation
    }

    fn durable(&self) -> &'static str {
        self.way.durable
    }

    fn round(&mut self, outside: &Outside<'_>) -> Result<Vec<f64>, BenchError> {
        // Without one after a round that failed.
        let Some(mut program) = self.program.take() else { return Err(self.failed("it has ended")) };
        let executions = self.round.executions(self.way);
        program.ask(executions);
        let printed: Printed = program.answer(outside.stop).map_err(|silence| self.silent(silence))?;
        self.program = Some(program);
        let samples = printed.samples(self.round, executions);
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
    fn what_counts_is_as_much_as_was_asked_for() {
        let printed = || Printed { execution_us: vec![9.0, 3.0], hop_us: Some(vec![1.0, 2.0]) };
        assert_eq!(printed().samples(Round::Executions { functions: 2, count: 2 }, 2), Some(vec![9.0, 3.0]));
        assert_eq!(printed().samples(Round::Executions { functions: 2, count: 3 }, 3), None);
        assert_eq!(printed().samples(Round::Hops(2), 2), Some(vec![1.0, 2.0]));
        assert_eq!(printed().samples(Round::Hops(3), 3), None);
        let silent = Printed { execution_us: vec![1.0], hop_us: None };
        assert_eq!(silent.samples(Round::Hops(1), 1), None);
    }

    #[test]
    fn ways_are_told_apart_and_slow_ones_do_less() {
        let names: std::collections::BTreeSet<&str> = WAYS.iter().map(|way| way.name).collect();
        assert_eq!(names.len(), WAYS.len());
        let programs: Vec<&str> = FILES.iter().chain(&NODE_FILES).map(|(name, _)| *name).collect();
        assert!(WAYS.iter().all(|way| programs.contains(&way.program)));
        let (slow, quick) = (Way { slow: true, ..PLAIN }, PLAIN);
        let round = Round::Executions { functions: 5, count: 30 };
        assert_eq!((round.executions(&slow), round.executions(&quick)), (3, 30));
    }
}
