//! Our own way: the example as it ships, in a warm instance.

use super::Interactions;
use crate::BenchError;
use crate::contest::Contender;
use crate::ours::execute;
use crate::outside::{Outside, kept_apart_by};
use crate::peers::IN_SUPERVISOR;
use faastlane_compose::{Isolation, Plan, RequestedIsolation, load, plan};
use faastlane_payload::Payload;
use faastlane_pool::{Launcher, Metering, Worker};
use serde_json::Value;
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// Executions until lanes are there.
const WARM_UP: usize = 3;

pub(super) struct App {
    name: String,
    isolation: Isolation,
    worker: Worker,
    input: Payload,
    in_a_round: usize,
    executions: usize,
    pub(super) plan: Plan,
    /// Of each execution.
    pub(super) output: Value,
    pub(super) interactions: Interactions,
    /// Of those that count.
    pub(super) metering: Rc<RefCell<Metering>>,
}

impl App {
    pub(super) fn start(
        outside: &Outside<'_>,
        folder: &Path,
        wanted: RequestedIsolation,
        input: &Value,
        in_a_round: usize,
    ) -> Result<Self, BenchError> {
        let mut surroundings = outside.surroundings.clone();
        surroundings.overrides.isolation = Some(wanted);
        let workflow = load(folder, &surroundings).map_err(BenchError::Compose)?;
        let plan = plan(&workflow, outside.host, &mut |_| ()).map_err(BenchError::Compose)?;
        let isolation = plan.isolation;
        let launcher = Launcher::new(outside.executable.to_owned(), plan.clone(), workflow.definition);
        let (worker, _) = Worker::start(&Arc::new(launcher), outside.stop)?;
        let metering = Rc::new(RefCell::new(Metering::new(&plan)));
        let mut app = Self {
            name: format!("faastlane, {}", isolation.name()),
            isolation,
            worker,
            input: Payload::from_value(input.clone()),
            in_a_round,
            executions: 0,
            plan,
            output: Value::Null,
            interactions: Interactions::default(),
            metering,
        };
        let first = execute(&mut app.worker, &app.input, outside.stop)?;
        app.output =
            first.output.as_ref().and_then(|output| output.value().ok()).cloned().unwrap_or_default();
        for _ in 0..WARM_UP {
            app.execute(outside)?;
        }
        app.metering.replace(Metering::new(&app.plan));
        Ok(app)
    }

    /// The whole and the interaction, in microseconds.
    fn execute(&mut self, outside: &Outside<'_>) -> Result<(f64, f64), BenchError> {
        let begin = Instant::now();
        let record = execute(&mut self.worker, &self.input, outside.stop)?;
        let took = begin.elapsed();
        if record.output.as_ref().and_then(|output| output.value().ok()) != Some(&self.output) {
            return Err(BenchError::Changed { contestant: self.name.clone() });
        }
        self.metering.borrow_mut().add(&record, None);
        Ok((took.as_secs_f64() * 1e6, record.interaction_us as f64))
    }
}

impl Contender for App {
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
        self.executions += self.in_a_round;
        let executions: Result<Vec<(f64, f64)>, BenchError> =
            (0..self.in_a_round).map(|_| self.execute(outside)).collect();
        let (took, interaction) = executions?.into_iter().unzip();
        self.interactions.borrow_mut().push(interaction);
        Ok(took)
    }

    fn executions(&self) -> usize {
        self.executions
    }
}
