//! The other ways: programs that say how long all executions of a round took together.

use super::work::{Totals, Work, input};
use crate::BenchError;
use crate::contest::Contender;
use crate::outside::Outside;
use crate::peers::{Running, Subject, peers};
use crate::processes::CpuTime;
use crate::report::MissingPeer;
use faastlane_compose::PythonInstall;
use serde::Deserialize;
use serde_json::Value;
use std::num::NonZeroUsize;

pub(super) struct Together {
    running: Running,
    work: Work,
    totals: Totals,
}

/// What a program says of a round.
#[derive(Deserialize)]
struct Printed {
    took_ns: u64,
    cpu_ns: u64,
    outputs: Vec<Value>,
}

/// The peers, warm, and those that cannot take part. Those that have to be installed take part if they are `wanted`.
pub(super) fn together(
    outside: &Outside<'_>,
    python: &PythonInstall,
    work: Work,
    clients: NonZeroUsize,
    executions: usize,
    wanted: bool,
) -> Result<(Vec<Together>, Vec<MissingPeer>), BenchError> {
    let subject = Subject {
        benchmark: "throughput",
        code: &work.code(),
        event: ("sums", 0),
        event_bytes: input().to_string().len(),
        functions: work.functions,
        packages: &[],
        clients: Some(clients.get()),
        executions,
    };
    let (running, missing) = peers(outside, python, &subject, wanted)?;
    let together = running.into_iter().map(|running| Together { running, work, totals: Totals::default() });
    Ok((together.collect(), missing))
}

impl Contender for Together {
    fn name(&self) -> &str {
        self.running.way().name
    }

    fn isolation(&self) -> &'static str {
        self.running.way().isolation
    }

    fn durable(&self) -> &'static str {
        self.running.way().durable
    }

    fn round(&mut self, outside: &Outside<'_>) -> Result<Vec<f64>, BenchError> {
        let printed: Printed = self.running.round(outside)?;
        let executions = self.running.executions();
        if printed.outputs.len() != executions {
            return Err(self.running.failed("it did not measure what it was asked to"));
        }
        for output in &printed.outputs {
            self.totals.functions_ns += self.work.check(output, self.running.way().name)?;
        }
        self.totals.cpu_ns += printed.cpu_ns;
        self.totals.executions += executions;
        Ok(vec![printed.took_ns as f64 / 1e3 / executions as f64])
    }

    fn executions(&self) -> usize {
        self.totals.executions
    }

    fn cpu(&self) -> Option<CpuTime> {
        self.totals.cpu()
    }
}
