//! `faastlane bench memory`: what the whole system has in memory while a warm chain of functions has nothing to do, beside others.

use crate::BenchError;
use crate::cold::{Containers, obstacle_to_containers};
use crate::line;
use crate::ours::execute;
use crate::outside::{Outside, kept_apart_by};
use crate::processes::{sizes, with_descendants};
use crate::report::{Heading, MissingPeer, Unavailable};
use faastlane_compose::{DEFAULT_MAX_PAYLOAD_BYTES, Isolation, PythonInstall, RequestedIsolation};
use faastlane_payload::Payload;
use faastlane_pool::{Launcher, Worker};
use serde::Serialize;
use serde_json::json;
use std::fs;
use std::io::{BufRead, BufReader};
use std::num::NonZeroUsize;
use std::process::{Command, Stdio};
use std::sync::Arc;

const METRIC: &str = "of all processes of the system, by Pss of /proc/PID/smaps_rollup, in bytes";

/// How much is measured.
#[derive(Clone, Debug)]
pub struct MemoryOptions {
    /// In the chain; one contest for each.
    pub functions: Vec<NonZeroUsize>,
}

/// A measurement and what it needs of the outside.
pub struct Memory<'a> {
    pub options: &'a MemoryOptions,
    pub outside: &'a Outside<'a>,
}

/// `faastlane bench memory --json`.
#[derive(Clone, Debug, Serialize)]
pub struct MemoryReport {
    #[serde(flatten)]
    pub heading: Heading,
    /// Of the contestant that the others are compared with.
    pub isolation: Isolation,
    /// What could not be measured here, and why.
    pub unavailable: Vec<Unavailable>,
    pub missing_peers: Vec<MissingPeer>,
    pub contests: Vec<MemoryContest>,
}

#[derive(Clone, Debug, Serialize)]
pub struct MemoryContest {
    pub functions: usize,
    /// Ours first, the strongest isolation before the others.
    pub contestants: Vec<MemoryContestant>,
}

#[derive(Clone, Debug, Serialize)]
pub struct MemoryContestant {
    pub name: String,
    pub ours: bool,
    /// What keeps a function from another's memory.
    pub isolation: &'static str,
    pub processes: usize,
    /// A page that several processes share counts in parts.
    pub bytes: u64,
    /// Over that of the first.
    pub ratio: f64,
}

impl Memory<'_> {
    /// Measures. `progress` is told what is being done.
    ///
    /// # Errors
    /// Functions or peers cannot be run, the kernel does not tell their memory, or [`Outside::stop`] said so.
    pub fn run(&self, progress: &mut dyn FnMut(&str)) -> Result<MemoryReport, BenchError> {
        let Memory { options, outside } = self;
        let begun = outside.begin();
        let (ways, unavailable) = outside.isolations()?;
        let (_, plan) =
            line::of_hops(1, line::Domains::Apart)?.compose(outside, ways[0], DEFAULT_MAX_PAYLOAD_BYTES)?;
        let python = &plan.pythons[0];
        let (mut contests, mut missing_peers) = (Vec::new(), Vec::new());
        let obstacle = obstacle_to_containers();
        if let Some(reason) = obstacle.clone() {
            missing_peers.push(MissingPeer { peer: Containers::NAME, reason });
        }
        for functions in options.functions.iter().map(|count| count.get()) {
            progress(&format!("memory of {functions} functions"));
            let mut contestants = Vec::new();
            for &way in &ways {
                contestants.push(ours(outside, way, functions)?);
            }
            contestants.push(one_process(python, functions)?);
            contestants.push(servers(Containers::without(python, line::FUNCTION, functions)?)?);
            if obstacle.is_none() {
                contestants.push(servers(Containers::new(python, line::FUNCTION, 1, functions)?)?);
            }
            contests.push(MemoryContest { functions, contestants: compared(contestants) });
        }
        Ok(MemoryReport {
            heading: begun.heading("memory", METRIC, python, outside),
            isolation: plan.isolation,
            unavailable,
            missing_peers,
            contests,
        })
    }
}

fn compared(mut contestants: Vec<MemoryContestant>) -> Vec<MemoryContestant> {
    let ours = contestants.first().map_or(1, |first| first.bytes.max(1));
    for contestant in &mut contestants {
        contestant.ratio = contestant.bytes as f64 / ours as f64;
    }
    contestants
}

/// This process, which supervises, the template and the instance; what this benchmark takes itself is not taken off.
fn ours(
    outside: &Outside<'_>,
    wanted: RequestedIsolation,
    functions: usize,
) -> Result<MemoryContestant, BenchError> {
    let bundle = line::of_functions(functions, line::FUNCTION)?;
    let (workflow, plan) = bundle.compose(outside, wanted, DEFAULT_MAX_PAYLOAD_BYTES)?;
    let isolation = plan.isolation;
    let launcher = Arc::new(Launcher::new(outside.executable.to_owned(), plan, workflow.definition));
    let (mut worker, _) = Worker::start(&launcher, outside.stop)?;
    execute(&mut worker, &Payload::from_value(json!({})), outside.stop)?;
    let processes = with_descendants(std::process::id());
    Ok(MemoryContestant {
        name: format!("faastlane, {}", isolation.name()),
        ours: true,
        isolation: kept_apart_by(isolation),
        processes: processes.len(),
        bytes: sizes(&processes, "smaps_rollup", "Pss")?,
        ratio: 1.0,
    })
}

/// All functions in one CPython.
fn one_process(python: &PythonInstall, functions: usize) -> Result<MemoryContestant, BenchError> {
    let name = "direct calls";
    let folder = tempfile::Builder::new().prefix("faastlane-peers-").tempdir()?;
    fs::write(folder.path().join("function.py"), line::FUNCTION)?;
    fs::write(folder.path().join("one_process.py"), include_str!("../peers/one_process.py"))?;
    let mut command = Command::new(&python.executable);
    command.arg(folder.path().join("one_process.py")).arg(functions.to_string());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.as_mut() {
        BufReader::new(stdout).read_line(&mut line)?;
    }
    let processes = with_descendants(child.id());
    let bytes = sizes(&processes, "smaps_rollup", "Pss");
    drop(child.stdin.take());
    child.wait()?;
    if line.trim_end() != "ready" {
        return Err(BenchError::Peer { peer: name, problem: "it did not get ready".to_owned() });
    }
    let processes = processes.len();
    Ok(MemoryContestant {
        name: name.to_owned(),
        ours: false,
        isolation: "nothing",
        processes,
        bytes: bytes?,
        ratio: 1.0,
    })
}

/// A server for each function; what calls them is not counted.
fn servers(servers: Containers) -> Result<MemoryContestant, BenchError> {
    let running = servers.start_all()?;
    let processes: Vec<u32> = running.iter().flat_map(|server| with_descendants(server.process())).collect();
    Ok(MemoryContestant {
        name: servers.title().to_owned(),
        ours: false,
        isolation: servers.keeps_apart(),
        processes: processes.len(),
        bytes: sizes(&processes, "smaps_rollup", "Pss")?,
        ratio: 1.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_compared_with_the_first() {
        let of = |bytes| MemoryContestant {
            name: String::new(),
            ours: false,
            isolation: "",
            processes: 1,
            bytes,
            ratio: 0.0,
        };
        let ratios: Vec<f64> = compared(vec![of(40), of(100), of(20)]).iter().map(|one| one.ratio).collect();
        assert_eq!(ratios, [1.0, 2.5, 0.5]);
    }
}
