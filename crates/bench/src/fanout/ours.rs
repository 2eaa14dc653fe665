//! Our own way: a Map in a warm instance, with as many lanes as the plan has, or with one.

use super::Subject;
use super::work::{BranchWork, items};
use crate::BenchError;
use crate::bundle::Bundle;
use crate::contest::Contender;
use crate::ours::execute;
use crate::outside::{Outside, kept_apart_by};
use crate::peers::IN_SUPERVISOR;
use faastlane_compose::{DEFAULT_MAX_PAYLOAD_BYTES, Isolation, RequestedIsolation};
use faastlane_payload::Payload;
use faastlane_pool::{Launcher, Worker};
use serde_json::{Value, json};
use std::io;
use std::sync::Arc;

/// Executions until it is known how long branches take, and lanes are there.
const WARM_UP: usize = 3;

pub(super) fn bundle(work: BranchWork) -> io::Result<Bundle> {
    let definition = json!({
        "StartAt": "Fan out",
        "States": { "Fan out": {
            "Type": "Map",
            "ItemProcessor": {
                "ProcessorConfig": { "Mode": "INLINE" },
                "StartAt": "Branch",
                "States": { "Branch": { "Type": "Task", "Resource": "branch", "End": true } },
            },
            "End": true,
        }},
    });
    Bundle::make([("branch", &*work.code())], &definition)
}

pub(super) struct Mapped {
    name: String,
    isolation: Isolation,
    worker: Worker,
    items: Payload,
    results: Value,
    in_a_round: usize,
    verified: usize,
    /// More lanes still go to where their function is.
    _bundle: Bundle,
}

impl Mapped {
    pub(super) fn start(
        outside: &Outside<'_>,
        wanted: RequestedIsolation,
        subject: Subject,
        one_lane: bool,
    ) -> Result<Self, BenchError> {
        let bundle = bundle(subject.work)?;
        let (workflow, mut plan) = bundle.compose(outside, wanted, DEFAULT_MAX_PAYLOAD_BYTES)?;
        let isolation = plan.isolation;
        let mut name = format!("faastlane, {}", isolation.name());
        if one_lane {
            plan.lanes = 1;
            name.push_str(", one lane");
        }
        let launcher = Arc::new(Launcher::new(outside.executable.to_owned(), plan, workflow.definition));
        let (worker, _) = Worker::start(&launcher, outside.stop)?;
        let mut mapped = Self {
            name,
            isolation,
            worker,
            items: Payload::from_value(items(subject.branches)),
            results: subject.work.results(subject.branches),
            in_a_round: subject.executions,
            verified: 0,
            _bundle: bundle,
        };
        for _ in 0..WARM_UP {
            mapped.execute(outside)?;
        }
        Ok(mapped)
    }

    /// From the first event to the last, in microseconds.
    fn execute(&mut self, outside: &Outside<'_>) -> Result<f64, BenchError> {
        let record = execute(&mut self.worker, &self.items, outside.stop)?;
        let output = record.output.as_ref().and_then(|output| output.value().ok());
        if output != Some(&self.results) {
            return Err(BenchError::Changed { contestant: self.name.clone() });
        }
        Ok(record.duration_us as f64)
    }
}

impl Contender for Mapped {
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
        self.verified += self.in_a_round;
        (0..self.in_a_round).map(|_| self.execute(outside)).collect()
    }

    fn executions(&self) -> usize {
        self.verified
    }
}
