//! What executions used and would be billed, as one unit and with each function apart: in words, and as JSON.

use crate::waterfall::duration_us;
use faastlane_compose::Plan;
use faastlane_pool::{MemoryMeasure, MemoryUse, Metering, Rounding};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// For people: what the same calls would be billed apart, and memory. Nothing of what there was not.
pub(crate) fn lines(plan: &Plan, metering: &Metering) -> String {
    let mut text = String::new();
    let calls = metering.calls();
    if calls > 0 {
        let clouds: Vec<String> = Rounding::CLOUDS
            .iter()
            .zip(metering.apart_ms())
            .map(|(rounding, ms)| format!("{} {ms} ms", rounding.cloud))
            .collect();
        let _ = writeln!(
            text,
            "billed as one unit: {}, {} ms; a container for each function: {}, {}",
            requests(metering.executions),
            metering.billed_ms,
            requests(calls),
            clouds.join(", "),
        );
        let _ = writeln!(
            text,
            "GB-ms: {:.1} as one unit of {} MB ({}), {:.1} apart (each with its own memory)",
            metering.gb_ms(),
            metering.memory_mb,
            assumption(plan),
            metering.apart_gb_ms(),
        );
    }
    if let Some(MemoryUse { peak_bytes, measured }) = metering.memory.filter(|_| !plan.functions.is_empty()) {
        let how = match measured {
            MemoryMeasure::ControlGroup => "as its control group counts",
            MemoryMeasure::ResidentSizes => "its processes' resident sizes added up",
        };
        let _ = writeln!(text, "memory: at most {} MB in an instance ({how})", peak_bytes >> 20);
    }
    text
}

fn requests(count: u64) -> String {
    format!("{count} request{}", if count == 1 { "" } else { "s" })
}

/// Why a unit is billed with so much memory.
fn assumption(plan: &Plan) -> &'static str {
    match plan.limits.instance_memory_mb {
        Some(_) => "an instance's limit",
        None => "what its functions ask for together",
    }
}

/// How many starts there were, and what they took.
pub(crate) fn starts(metering: &Metering) -> String {
    let warm = metering.executions - metering.cold;
    let mut text = format!("{} cold, {warm} warm", metering.cold);
    if let Some(mean) = metering.cold_start.checked_div(u32::try_from(metering.cold).unwrap_or(u32::MAX)) {
        let took = duration_us(mean.as_micros() as u64);
        let share = metering.cold_start_share() * 100.0;
        let _ = write!(text, "; an instance took {took} to start, {share:.1} % of the time in all");
    }
    text
}

pub(crate) fn to_json(metering: &Metering) -> Value {
    let apart: Map<String, Value> = Rounding::CLOUDS
        .iter()
        .zip(metering.apart_ms())
        .map(|(rounding, ms)| (rounding.cloud.to_lowercase().replace(' ', "_"), json!(ms)))
        .collect();
    let functions = metering.functions.iter().map(|function| {
        json!({
            "name": function.name,
            "calls": function.calls,
            "busy_us": function.busy_ns / 1000,
            "billed_ms": function.billed_ms[0],
            "memory_mb": function.memory_mb,
            "gb_ms": function.gb_ms(),
        })
    });
    json!({
        "executions": metering.executions,
        "cold_starts": metering.cold,
        "cold_start_us": metering.cold_start.as_micros() as u64,
        "cold_start_share": metering.cold_start_share(),
        "interaction_us": metering.interaction_us,
        "interaction_share": metering.interaction_share(),
        "calls": metering.calls(),
        "peak_memory_bytes": metering.memory.map(|memory| memory.peak_bytes),
        "peak_memory_is": metering.memory.map(|memory| memory.measured),
        "one_unit": {
            "requests": metering.executions,
            "billed_ms": metering.billed_ms,
            "memory_mb": metering.memory_mb,
            "gb_ms": metering.gb_ms(),
        },
        "apart": { "requests": metering.calls(), "billed_ms": apart, "gb_ms": metering.apart_gb_ms() },
        "functions": functions.collect::<Vec<_>>(),
    })
}
