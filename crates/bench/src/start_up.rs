//! What `faastlane run` costs before the first function is called, and what a domain takes.

use crate::BenchError;
use crate::bundle::Bundle;
use crate::hop::Hop;
use crate::line;
use crate::ours::execute;
use crate::report::{DomainMemory, StartUp};
use crate::statistics::percentile;
use faastlane_compose::{DEFAULT_MAX_PAYLOAD_BYTES, Isolation, Plan, PythonInstall, RequestedIsolation};
use faastlane_payload::Payload;
use faastlane_pool::{Launcher, StartedUp, Worker};
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;

/// One start, in microseconds.
struct Start {
    compose_us: f64,
    instance_us: f64,
    first_call_us: f64,
}

/// What came of all starts.
pub(crate) struct Starts {
    pub(crate) start_up: StartUp,
    /// Of the last one.
    pub(crate) domains: Vec<DomainMemory>,
    /// Really in force.
    pub(crate) isolation: Isolation,
    pub(crate) python: PythonInstall,
}

/// Starts fresh instances of two functions, one after the other.
pub(crate) fn measure(hop: &Hop<'_>, isolation: RequestedIsolation) -> Result<Starts, BenchError> {
    let chain = line::of_hops(1, line::Domains::Apart)?;
    let (start, mut plan, mut domains) = start_once(hop, &chain, isolation)?;
    let mut starts = vec![start];
    while starts.len() < hop.options.starts {
        let start;
        (start, plan, domains) = start_once(hop, &chain, isolation)?;
        starts.push(start);
    }
    let p50 = |part: fn(&Start) -> f64| percentile(&starts.iter().map(part).collect::<Vec<_>>(), 50.0);
    let start_up = StartUp {
        starts: starts.len(),
        compose_us: p50(|start| start.compose_us),
        instance_us: p50(|start| start.instance_us),
        first_call_us: p50(|start| start.first_call_us),
        total_us: p50(|start| start.compose_us + start.instance_us + start.first_call_us),
    };
    Ok(Starts { start_up, domains, isolation: plan.isolation, python: plan.pythons.swap_remove(0) })
}

fn start_once(
    hop: &Hop<'_>,
    chain: &Bundle,
    isolation: RequestedIsolation,
) -> Result<(Start, Plan, Vec<DomainMemory>), BenchError> {
    let begin = Instant::now();
    let (workflow, plan) = chain.compose(hop.outside, isolation, DEFAULT_MAX_PAYLOAD_BYTES)?;
    let compose = begin.elapsed();
    let launcher = Launcher::new(hop.outside.executable.to_owned(), plan.clone(), workflow.definition);
    let (mut worker, started) = Worker::start(&Arc::new(launcher), hop.outside.stop)?;
    let record = execute(&mut worker, &Payload::from_value(json!({})), hop.outside.stop)?;
    let calls = record.states.iter().flat_map(|state| &state.calls);
    let first_call_ns = calls.map(|call| call.called_ns).min().unwrap_or(0);
    let start = Start {
        compose_us: compose.as_secs_f64() * 1e6,
        instance_us: started.took.as_secs_f64() * 1e6,
        first_call_us: first_call_ns as f64 / 1e3,
    };
    let domains = domains(&plan, &started);
    Ok((start, plan, domains))
}

fn domains(plan: &Plan, started: &StartedUp) -> Vec<DomainMemory> {
    let sizes = started.domains.iter();
    sizes
        .map(|size| DomainMemory { domain: plan.domains[size.domain].name.clone(), bytes: size.bytes })
        .collect()
}
