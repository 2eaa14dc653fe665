//! Our own way: a warm instance that runs the chain, under one isolation.

use crate::BenchError;
use crate::bundle::packages;
use crate::contest::Contender;
use crate::event::EventSpec;
use crate::hop::{Hop, hops_per_round};
use crate::line::{self, Domains};
use crate::outside::{Outside, kept_apart_by};
use crate::peers::IN_SUPERVISOR;
use faastlane_compose::{DEFAULT_MAX_PAYLOAD_BYTES, Isolation, RequestedIsolation};
use faastlane_payload::Payload;
use faastlane_pool::{Launcher, Record, RunInput, Status, Stores, Worker};
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) struct Ours {
    name: String,
    isolation: Isolation,
    domains: Domains,
    worker: Worker,
    packages: Vec<PathBuf>,
    event: Payload,
    executions: usize,
}

impl Ours {
    /// Starts an instance whose chain is as long as a round.
    pub(crate) fn start(
        hop: &Hop<'_>,
        wanted: RequestedIsolation,
        spec: EventSpec,
        domains: Domains,
    ) -> Result<Self, BenchError> {
        let bundle = line::of_hops(hops_per_round(hop.options, spec), domains)?;
        bundle.carry(spec.kind)?;
        let limit = spec.limit(DEFAULT_MAX_PAYLOAD_BYTES);
        let (workflow, plan) = bundle.compose(hop.outside, wanted, limit)?;
        let isolation = plan.isolation;
        let packages = packages(&plan);
        let launcher = Arc::new(Launcher::new(hop.outside.executable.to_owned(), plan, workflow.definition));
        let (worker, _) = Worker::start(&launcher, hop.outside.stop)?;
        let mut ours = Self {
            name: match domains {
                Domains::Apart => format!("faastlane, {}", isolation.name()),
                Domains::Shared => format!("faastlane, trust group, {}", isolation.name()),
            },
            isolation,
            domains,
            worker,
            packages,
            event: Payload::from_value(spec.make()),
            executions: 0,
        };
        ours.round(hop.outside)?;
        Ok(ours)
    }

    /// Where what its functions require is installed.
    pub(crate) fn packages(&self) -> &[PathBuf] {
        &self.packages
    }
}

impl Contender for Ours {
    fn name(&self) -> &str {
        &self.name
    }

    fn isolation(&self) -> &'static str {
        kept_apart_by(self.isolation)
    }

    fn durable(&self) -> &'static str {
        match self.domains {
            Domains::Apart => IN_SUPERVISOR,
            Domains::Shared => "in the supervisor, behind a run of calls",
        }
    }

    fn round(&mut self, outside: &Outside<'_>) -> Result<Vec<f64>, BenchError> {
        let record = execute(&mut self.worker, &self.event, outside.stop)?;
        if record.output.as_ref() != Some(&self.event) {
            return Err(BenchError::Changed { contestant: self.name.clone() });
        }
        self.executions += 1;
        Ok(hops_us(&record))
    }

    fn executions(&self) -> usize {
        self.executions
    }
}

/// Runs the chain once, to success.
pub(crate) fn execute(
    worker: &mut Worker,
    event: &Payload,
    stop: &dyn Fn() -> bool,
) -> Result<Record, BenchError> {
    // Nothing in the chain is random.
    let record = worker.run(&RunInput {
        name: "bench",
        input: event,
        seed: 0,
        time_scale: 1.0,
        history: None,
        stores: &Stores::default(),
        stop,
    })?;
    match record.status {
        Status::Succeeded => Ok(record),
        Status::Aborted if stop() => Err(BenchError::Interrupted),
        status => Err(BenchError::Execution { status, cause: record.cause }),
    }
}

/// From each return of a handler to the next call of one.
fn hops_us(record: &Record) -> Vec<f64> {
    let calls: Vec<_> = record.states.iter().flat_map(|state| &state.calls).collect();
    let hop = |pair: &[&faastlane_pool::CallRecord]| pair[1].called_ns.saturating_sub(pair[0].returned_ns);
    calls.windows(2).map(|pair| hop(pair) as f64 / 1e3).collect()
}
