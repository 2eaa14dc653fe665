//! The other ways, each a program that says how long its hops and its executions took. Some have to be installed first.

mod environment;
mod program;
mod timed;
mod ways;

pub use environment::Environment;
pub(crate) use timed::{Round, timed};
pub(crate) use ways::{IN_SUPERVISOR, NOT_DURABLE};
pub use ways::{WAYS, Way};

use crate::BenchError;
use crate::machine;
use crate::outside::Outside;
use crate::report::MissingPeer;
use faastlane_compose::PythonInstall;
use program::{Program, Silence};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
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

/// Of what programs print.
const FORMAT_VERSION: u32 = 3;

/// How long a peer may take to come up, and for a round.
const PATIENCE: Duration = Duration::from_secs(180);

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

/// What programs are to run.
pub(crate) struct Subject<'a> {
    pub(crate) benchmark: &'static str,
    /// Of every function.
    pub(crate) code: &'a str,
    /// The name that `peers/measurement.py` has for what goes in, and its size there.
    pub(crate) event: (&'static str, u64),
    /// As JSON.
    pub(crate) event_bytes: usize,
    /// In the chain.
    pub(crate) functions: usize,
    /// That each wait for their execution; without, there is one execution after the other.
    pub(crate) clients: Option<usize>,
    /// Where what functions require is installed.
    pub(crate) packages: &'a [PathBuf],
    /// In a round, of those that are not slow.
    pub(crate) executions: usize,
}

/// A peer that is warm.
pub(crate) struct Running {
    /// None after a round that failed.
    program: Option<Program>,
    way: &'static Way,
    /// In a round.
    executions: usize,
    /// Shared by all peers.
    _programs: Rc<TempDir>,
}

/// What a program says first.
#[derive(Deserialize)]
struct Ready {
    format_version: u32,
    event_bytes: usize,
}

/// The peers, warm, in a folder that goes with the last of them, and those that cannot take part. Those that have to be installed
/// take part if they are `wanted`.
pub(crate) fn peers(
    outside: &Outside<'_>,
    python: &PythonInstall,
    subject: &Subject<'_>,
    wanted: bool,
) -> Result<(Vec<Running>, Vec<MissingPeer>), BenchError> {
    let folder = tempfile::Builder::new().prefix("faastlane-peers-").tempdir()?;
    for (name, text) in FILES.into_iter().chain(NODE_FILES).chain([("function.py", subject.code)]) {
        fs::write(folder.path().join(name), text)?;
    }
    let programs = Rc::new(folder);
    let (mut there, mut missing) = (Vec::new(), Vec::new());
    for (number, way) in WAYS.iter().enumerate().filter(|(_, way)| wanted || way.needs.is_empty()) {
        let left_out = way.left_out_of(subject.benchmark).or_else(|| way.left_out_of(subject.event.0));
        let left_out = left_out.map(ToOwned::to_owned);
        if let Some(reason) = left_out.or_else(|| way.missing(outside, python)) {
            missing.push(MissingPeer { peer: way.name, reason });
            continue;
        }
        match start(way, number, outside, python, subject, &programs) {
            Ok(running) => there.push(running),
            Err(BenchError::Peer { peer, problem }) if way.is_optional() => {
                missing.push(MissingPeer { peer, reason: format!("it does not come up: {problem}") });
            }
            Err(error) => return Err(error),
        }
    }
    Ok((there, missing))
}

/// Starts it, and lets it warm up.
fn start(
    way: &'static Way,
    number: usize,
    outside: &Outside<'_>,
    python: &PythonInstall,
    subject: &Subject<'_>,
    programs: &Rc<TempDir>,
) -> Result<Running, BenchError> {
    let mut command = command(way, &environment::folder(outside), python, programs.path());
    command.args(["--payload", subject.event.0, "--size", &subject.event.1.to_string()]);
    command.args(["--functions", &subject.functions.to_string()]);
    if let Some(clients) = subject.clients {
        command.args(["--clients", &clients.to_string()]);
    }
    if !subject.packages.is_empty() {
        let packages =
            std::env::join_paths(subject.packages).map_err(|error| failed(way, error.to_string()))?;
        command.env("PYTHONPATH", packages);
    }
    // Short, as the paths of sockets may not be long.
    let program = Program::start(&mut command, programs.path().join(number.to_string()), PATIENCE);
    let mut program = program.map_err(|error| failed(way, error.to_string()))?;
    let ready: Ready = program.answer(outside.stop).map_err(|silence| silent(way, silence))?;
    if (ready.format_version, ready.event_bytes) != (FORMAT_VERSION, subject.event_bytes) {
        return Err(failed(way, "it has another event"));
    }
    let executions = if way.slow { subject.executions.div_ceil(10) } else { subject.executions };
    program.ask(executions.div_ceil(10).max(subject.clients.unwrap_or(1)));
    let _: IgnoredAny = program.answer(outside.stop).map_err(|silence| silent(way, silence))?;
    Ok(Running { program: Some(program), way, executions, _programs: programs.clone() })
}

/// How it is called; what it is to run comes after that.
fn command(way: &Way, installed: &Path, python: &PythonInstall, programs: &Path) -> Command {
    let interpreter = if way.program.ends_with(".mjs") {
        PathBuf::from("node")
    } else if way.needs.contains(&Environment::Python) {
        Environment::Python.within(installed).join("bin/python3")
    } else {
        python.executable.clone()
    };
    let mut command = Command::new(interpreter);
    command.arg(programs.join(way.program));
    let place = |argument: String, one: Environment| {
        argument.replace(&format!("{{{}}}", one.name()), &one.within(installed).to_string_lossy())
    };
    for argument in way.arguments {
        command.arg(Environment::ALL.into_iter().fold((*argument).to_owned(), place));
    }
    if let Some(cpu) = machine::first_cpu().filter(|_| way.one_cpu) {
        command.args(["--cpus", &cpu.to_string()]);
    }
    command
}

fn failed(way: &Way, problem: impl Into<String>) -> BenchError {
    BenchError::Peer { peer: way.name, problem: problem.into() }
}

fn silent(way: &Way, silence: Silence) -> BenchError {
    match silence {
        Silence::Interrupted => BenchError::Interrupted,
        Silence::Failed(why) => failed(way, why),
    }
}

impl Running {
    pub(crate) fn way(&self) -> &'static Way {
        self.way
    }

    /// In a round.
    pub(crate) fn executions(&self) -> usize {
        self.executions
    }

    pub(crate) fn failed(&self, problem: impl Into<String>) -> BenchError {
        failed(self.way, problem)
    }

    pub(crate) fn round<T: DeserializeOwned>(&mut self, outside: &Outside<'_>) -> Result<T, BenchError> {
        let Some(mut program) = self.program.take() else { return Err(self.failed("it has ended")) };
        program.ask(self.executions);
        let printed = program.answer(outside.stop).map_err(|silence| silent(self.way, silence))?;
        self.program = Some(program);
        Ok(printed)
    }
}

/// Adds what is not there yet: a peer is missing once, in however many contests.
pub(crate) fn note(missing: &mut Vec<MissingPeer>, more: Vec<MissingPeer>) {
    for one in more {
        if !missing.iter().any(|noted| noted.peer == one.peer) {
            missing.push(one);
        }
    }
}

/// What is to be said where peers that have to be installed are not `wanted` in each of the contests.
pub(crate) fn unwanted(contests: &[String], wanted: &[String]) -> Vec<MissingPeer> {
    let installed = WAYS.iter().filter(|way| !way.needs.is_empty());
    if wanted.is_empty() {
        let reason = "left out: this run compares with what needs no installation alone";
        return installed.map(|way| MissingPeer { peer: way.name, reason: reason.to_owned() }).collect();
    }
    if contests.iter().all(|contest| wanted.contains(contest)) {
        return Vec::new();
    }
    let reason = format!("they take long, and were measured with {} alone", wanted.join(", "));
    vec![MissingPeer { peer: "other numbers of peers that have to be installed", reason }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_has_a_name_a_program_and_benchmarks() {
        let names: std::collections::BTreeSet<&str> = WAYS.iter().map(|way| way.name).collect();
        assert_eq!(names.len(), WAYS.len());
        let programs: Vec<&str> = FILES.iter().chain(&NODE_FILES).map(|(name, _)| *name).collect();
        assert!(WAYS.iter().all(|way| programs.contains(&way.program)));
        let left_out = WAYS.iter().flat_map(|way| way.left_out);
        assert!(left_out.into_iter().all(|(benchmark, why)| {
            ["hop", "chain", "throughput", "bytes", "array"].contains(benchmark) && !why.is_empty()
        }));
    }

    #[test]
    fn who_is_not_wanted_everywhere_is_named() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let contests = names(&["5 functions", "50 functions"]);
        assert!(unwanted(&contests, &contests).is_empty());
        let some = unwanted(&contests, &names(&["5 functions"]));
        assert!(some.len() == 1 && some[0].reason.contains("with 5 functions alone"), "{some:?}");
        let none = unwanted(&contests, &[]);
        assert!(none.iter().any(|one| one.peer == "Ray actors") && none.len() > 1, "{none:?}");
        let mut noted = none.clone();
        note(&mut noted, none.clone());
        assert_eq!(noted.len(), none.len());
    }
}
