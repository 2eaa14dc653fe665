//! Peers that run one execution after the other: how long each takes, and the hops in it.

use super::{Running, Subject, peers};
use crate::BenchError;
use crate::contest::Contender;
use crate::event::EventSpec;
use crate::line;
use crate::outside::Outside;
use crate::report::MissingPeer;
use faastlane_compose::PythonInstall;
use serde::Deserialize;
use std::path::PathBuf;

/// What a round measures.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Round {
    /// So many hops between two functions.
    Hops(usize),
    /// So many whole executions of a chain of so many functions, at least two.
    Executions { functions: usize, count: usize },
}

pub(crate) struct Timed {
    running: Running,
    round: Round,
    executions: usize,
}

/// What a program says of a round.
#[derive(Deserialize)]
struct Printed {
    execution_us: Vec<f64>,
    /// None where functions say nothing.
    hop_us: Option<Vec<f64>>,
}

impl Printed {
    /// What counts of it; `None` where it is not as much as was asked for. With two functions, an execution has one hop.
    fn samples(self, round: Round, executions: usize) -> Option<Vec<f64>> {
        let samples = match round {
            Round::Hops(_) => self.hop_us?,
            Round::Executions { .. } => self.execution_us,
        };
        (samples.len() == executions && executions > 0).then_some(samples)
    }
}

/// The peers, warm, and those that cannot take part. Their functions find `packages`. Those that have to be installed take part if they are `wanted`.
pub(crate) fn timed(
    outside: &Outside<'_>,
    python: &PythonInstall,
    packages: &[PathBuf],
    spec: EventSpec,
    round: Round,
    wanted: bool,
) -> Result<(Vec<Timed>, Vec<MissingPeer>), BenchError> {
    let (benchmark, functions, executions) = match round {
        Round::Hops(count) => ("hop", 2, count),
        Round::Executions { functions, count } => ("chain", functions, count),
    };
    let subject = Subject {
        benchmark,
        code: line::FUNCTION,
        event: (spec.kind_name(), spec.size),
        event_bytes: spec.make().to_string().len(),
        functions,
        clients: None,
        packages,
        executions,
    };
    let (running, missing) = peers(outside, python, &subject, wanted)?;
    let timed = running.into_iter().map(|running| Timed { running, round, executions: 0 });
    Ok((timed.collect(), missing))
}

impl Contender for Timed {
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
        let samples = printed.samples(self.round, executions);
        let samples =
            samples.ok_or_else(|| self.running.failed("it did not measure what it was asked to"))?;
        self.executions += executions;
        Ok(samples)
    }

    fn executions(&self) -> usize {
        self.executions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_is_as_much_as_was_asked_for() {
        let printed = || Printed { execution_us: vec![9.0, 3.0], hop_us: Some(vec![1.0, 2.0]) };
        assert_eq!(printed().samples(Round::Executions { functions: 2, count: 2 }, 2), Some(vec![9.0, 3.0]));
        assert_eq!(printed().samples(Round::Executions { functions: 2, count: 3 }, 3), None);
        assert_eq!(printed().samples(Round::Hops(2), 2), Some(vec![1.0, 2.0]));
        assert_eq!(printed().samples(Round::Hops(3), 3), None);
        let silent = Printed { execution_us: vec![1.0], hop_us: None };
        assert_eq!(silent.samples(Round::Hops(1), 1), None);
    }
}
