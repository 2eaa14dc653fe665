//! What an instance takes that has nothing to do.

use super::Cold;
use crate::BenchError;
use crate::bundle::Bundle;
use crate::ours::execute;
use crate::processes::sizes;
use faastlane_compose::{DEFAULT_MAX_PAYLOAD_BYTES, RequestedIsolation};
use faastlane_payload::Payload;
use faastlane_pool::{Launcher, Worker};
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;

/// What instances add to the memory of the host, one more each time.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "measured", rename_all = "snake_case")]
pub enum IdleMemory {
    /// By `Pss` of `/proc/PID/smaps_rollup`: a page that several processes share counts in parts.
    ProportionalSetSize(Idle),
    /// The kernel does not tell this user.
    Unreadable { reason: String },
}

#[derive(Clone, Debug, Serialize)]
pub struct Idle {
    /// How many were started and kept, before the memory that they added was divided by their number.
    pub instances: usize,
    /// Of one instance.
    pub processes: usize,
    /// Each instance added so much when it was ready.
    pub ready_bytes: u64,
    /// And so much once it had run one execution.
    pub used_bytes: u64,
    /// What the kernel keeps for the addresses of one instance's processes, which is not part of the others.
    pub page_table_bytes: u64,
    /// What the template had before there was an instance.
    pub template_bytes: u64,
}

pub(super) fn measure(
    cold: &Cold<'_>,
    bundle: &Bundle,
    wanted: RequestedIsolation,
) -> Result<IdleMemory, BenchError> {
    let Cold { options, outside } = cold;
    let (workflow, plan) = bundle.compose(outside, wanted, DEFAULT_MAX_PAYLOAD_BYTES)?;
    let launcher = Arc::new(Launcher::new(outside.executable.to_owned(), plan, workflow.definition));
    let (first, _) = Worker::start(&launcher, outside.stop)?;
    drop(first.close());
    let template = launcher.template_processes();
    let template_bytes = match sizes(&template, "smaps_rollup", "Pss") {
        Ok(bytes) => bytes,
        Err(error) => return Ok(IdleMemory::Unreadable { reason: error.to_string() }),
    };
    let mut workers = Vec::new();
    for _ in 0..options.idle {
        workers.push(Worker::start(&launcher, outside.stop)?.0);
    }
    let instances: Vec<u32> = workers.iter().flat_map(Worker::processes).collect();
    let all = [template, instances.clone()].concat();
    let ready = sizes(&all, "smaps_rollup", "Pss")?;
    let page_tables = sizes(&instances, "status", "VmPTE")?;
    let input = Payload::from_value(json!({}));
    for worker in &mut workers {
        execute(worker, &input, outside.stop)?;
    }
    let used = sizes(&all, "smaps_rollup", "Pss")?;
    let count = options.idle as u64;
    Ok(IdleMemory::ProportionalSetSize(Idle {
        instances: options.idle,
        processes: instances.len() / options.idle,
        ready_bytes: ready.saturating_sub(template_bytes) / count,
        used_bytes: used.saturating_sub(template_bytes) / count,
        page_table_bytes: page_tables / count,
        template_bytes,
    }))
}
