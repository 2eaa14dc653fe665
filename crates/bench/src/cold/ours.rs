//! Our own ways: a copy of a template that is there, and an instance whose functions are loaded for it.

use super::ColdOptions;
use super::first_line::until_first_line;
use crate::BenchError;
use crate::bundle::Bundle;
use crate::contest::Contender;
use crate::ours::execute;
use crate::outside::{Outside, kept_apart_by};
use crate::peers::IN_SUPERVISOR;
use faastlane_compose::{DEFAULT_MAX_PAYLOAD_BYTES, Isolation, RequestedIsolation};
use faastlane_payload::Payload;
use faastlane_pool::{Launcher, Worker, monotonic_nanos};
use serde_json::json;
use std::sync::Arc;

/// Starts an instance, runs the workflow in it, and ends it. Until the first line, in microseconds.
fn start_once(
    launcher: impl FnOnce() -> Arc<Launcher>,
    functions: usize,
    name: &str,
    outside: &Outside<'_>,
) -> Result<f64, BenchError> {
    let input = Payload::from_value(json!({}));
    let since = monotonic_nanos();
    let launcher = launcher();
    let (mut worker, _) = Worker::start(&launcher, outside.stop)?;
    let record = execute(&mut worker, &input, outside.stop)?;
    let answer = record.output.as_ref().and_then(|output| output.to_json().ok()).unwrap_or_default();
    until_first_line(answer.as_bytes(), since, functions, name)
}

pub(super) struct FromTemplate {
    name: String,
    isolation: Isolation,
    launcher: Arc<Launcher>,
    /// Copies still go to where their functions are.
    _bundle: Bundle,
    starts: usize,
    functions: usize,
    executions: usize,
}

impl FromTemplate {
    /// Makes the template, and one instance of it.
    pub(super) fn new(
        outside: &Outside<'_>,
        bundle: Bundle,
        wanted: RequestedIsolation,
        options: &ColdOptions,
    ) -> Result<Self, BenchError> {
        let (workflow, plan) = bundle.compose(outside, wanted, DEFAULT_MAX_PAYLOAD_BYTES)?;
        let isolation = plan.isolation;
        let launcher = Arc::new(Launcher::new(outside.executable.to_owned(), plan, workflow.definition));
        let name = format!("faastlane, {}", isolation.name());
        let functions = options.functions;
        start_once(|| launcher.clone(), functions, &name, outside)?;
        if let Some(reason) = launcher.not_copied() {
            return Err(BenchError::NotCopied(reason));
        }
        Ok(Self {
            name,
            isolation,
            launcher,
            _bundle: bundle,
            starts: options.starts,
            functions,
            executions: 0,
        })
    }
}

impl Contender for FromTemplate {
    fn name(&self) -> &str {
        &self.name
    }

    fn isolation(&self) -> &'static str {
        kept_apart_by(self.isolation)
    }

    fn durable(&self) -> &'static str {
        IN_SUPERVISOR
    }

    fn round(&mut self, outside: &Outside<'_>) -> Result<Vec<f64>, BenchError> {
        self.executions += self.starts;
        let launcher = || self.launcher.clone();
        (0..self.starts).map(|_| start_once(launcher, self.functions, &self.name, outside)).collect()
    }

    fn executions(&self) -> usize {
        self.executions
    }
}

pub(super) struct WithoutTemplate {
    name: String,
    isolation: Isolation,
    bundle: Bundle,
    wanted: RequestedIsolation,
    starts: usize,
    functions: usize,
    executions: usize,
}

impl WithoutTemplate {
    pub(super) fn new(
        outside: &Outside<'_>,
        bundle: Bundle,
        wanted: RequestedIsolation,
        starts: usize,
        functions: usize,
    ) -> Result<Self, BenchError> {
        let isolation = bundle.compose(outside, wanted, DEFAULT_MAX_PAYLOAD_BYTES)?.1.isolation;
        let name = "faastlane, loading everything".to_owned();
        Ok(Self { name, isolation, bundle, wanted, starts, functions, executions: 0 })
    }
}

impl Contender for WithoutTemplate {
    fn name(&self) -> &str {
        &self.name
    }

    fn isolation(&self) -> &'static str {
        kept_apart_by(self.isolation)
    }

    fn durable(&self) -> &'static str {
        IN_SUPERVISOR
    }

    /// Composing is not part of it.
    fn round(&mut self, outside: &Outside<'_>) -> Result<Vec<f64>, BenchError> {
        let (workflow, plan) = self.bundle.compose(outside, self.wanted, DEFAULT_MAX_PAYLOAD_BYTES)?;
        self.executions += self.starts;
        let launcher = || {
            let executable = outside.executable.to_owned();
            Arc::new(Launcher::new(executable, plan.clone(), workflow.definition.clone()))
        };
        (0..self.starts).map(|_| start_once(launcher, self.functions, &self.name, outside)).collect()
    }

    fn executions(&self) -> usize {
        self.executions
    }
}
