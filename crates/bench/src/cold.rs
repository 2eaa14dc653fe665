//! `faastlane bench cold`: how long it takes until the first line of a workflow's first function runs, where nothing of the
//! workflow runs yet, beside other ways to get there; and the memory that an instance takes which has nothing to do.
//!
//! All contestants load the same functions with the same Python. The first line of each reads CLOCK_MONOTONIC, which is one
//! for all processes of a host, and returns it.

mod containers;
mod first_line;
mod fresh_process;
mod memory;
mod ours;
mod report;

pub use memory::{Idle, IdleMemory};
pub use report::{ColdContest, ColdReport};

use crate::BenchError;
use crate::contest::{Entry, take_turns};
use crate::line;
use crate::outside::Outside;
use crate::report::MissingPeer;
pub(crate) use containers::{Containers, obstacle as obstacle_to_containers};
use faastlane_compose::{DEFAULT_MAX_PAYLOAD_BYTES, PythonInstall, RequestedIsolation};
use first_line::function_code;
use fresh_process::FreshProcess;
use ours::{FromTemplate, WithoutTemplate};
use std::process::{Command, Stdio};

const METRIC: &str =
    "from asking for a new instance to the first line of its first function, in microseconds";

/// Contestants that take long have one start in a round for so many of the others.
const SLOW: usize = 5;

/// How much is measured. Each number is at least 1.
#[derive(Clone, Debug)]
pub struct ColdOptions {
    /// Modules that each function imports.
    pub imports: Vec<String>,
    pub functions: usize,
    /// In a round, of contestants that do not take long.
    pub starts: usize,
    pub rounds: usize,
    /// How many instances are started to see what one takes that has nothing to do.
    pub idle: usize,
}

/// A measurement and what it needs of the outside.
pub struct Cold<'a> {
    pub options: &'a ColdOptions,
    pub outside: &'a Outside<'a>,
}

impl Cold<'_> {
    /// Measures. `progress` is told what is being done.
    ///
    /// # Errors
    /// Functions or peers cannot be run, what they return is wrong, or [`Outside::stop`] said so.
    pub fn run(&self, progress: &mut dyn FnMut(&str)) -> Result<ColdReport, BenchError> {
        let begun = self.outside.begin();
        let (ways, unavailable) = self.outside.isolations()?;
        let code = function_code(&self.options.imports);
        let bundle = line::of_functions(self.options.functions, &code)?;
        let (_, plan) = bundle.compose(self.outside, ways[0], DEFAULT_MAX_PAYLOAD_BYTES)?;
        let (isolation, python) = (plan.isolation, &plan.pythons[0]);
        let not_with_python = self.check_imports(python)?;
        progress("instances that have nothing to do");
        let memory = memory::measure(self, &bundle, ways[0])?;
        progress("templates");
        let (entries, missing_peers) = self.entries(&ways, &code, python)?;
        let contestants = take_turns("cold starts", self.options.rounds, entries, self.outside, progress)?;
        let targets = report::targets(self.options, isolation, &not_with_python, &contestants, &memory);
        Ok(ColdReport {
            heading: begun.heading("cold", METRIC, python, self.outside),
            isolation,
            unavailable,
            missing_peers,
            imports: self.options.imports.clone(),
            functions: self.options.functions,
            rounds: self.options.rounds,
            contests: vec![ColdContest { contestants }],
            memory,
            targets,
        })
    }

    fn entries(
        &self,
        ways: &[RequestedIsolation],
        code: &str,
        python: &PythonInstall,
    ) -> Result<(Vec<Entry>, Vec<MissingPeer>), BenchError> {
        let Cold { options, outside } = self;
        let few = options.starts.div_ceil(SLOW);
        let mut entries = Vec::new();
        for &way in ways {
            let bundle = line::of_functions(options.functions, code)?;
            entries.push(Entry::new(true, FromTemplate::new(outside, bundle, way, options)?));
        }
        let bundle = line::of_functions(options.functions, code)?;
        entries
            .push(Entry::new(true, WithoutTemplate::new(outside, bundle, ways[0], few, options.functions)?));
        entries.push(Entry::new(false, FreshProcess::new(python, code, options.starts)?));
        let mut missing = Vec::new();
        match obstacle_to_containers() {
            None => entries.push(Entry::new(false, Containers::new(python, code, few, options.functions)?)),
            Some(reason) => missing.push(MissingPeer { peer: Containers::NAME, reason }),
        }
        Ok((entries, missing))
    }

    /// Which of the imports do not come with Python.
    fn check_imports(&self, python: &PythonInstall) -> Result<Vec<String>, BenchError> {
        let program = include_str!("../peers/check_imports.py");
        let mut command = Command::new(&python.executable);
        let output =
            command.args(["-c", program]).args(&self.options.imports).stdin(Stdio::null()).output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.trim_end().lines().last().unwrap_or_default().to_owned();
            let python = python.executable.display().to_string();
            return Err(BenchError::Imports { python, problem: last });
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| BenchError::Peer { peer: "check of imports", problem: error.to_string() })
    }
}
