//! What an execution used and would be billed for: as one unit, and with every function in a container of its own.

use crate::memory::MemoryUse;
use crate::record::Record;
use faastlane_compose::Plan;
use faastlane_instance::CallReport;
use std::time::Duration;

/// How a cloud rounds what it bills for one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounding {
    pub cloud: &'static str,
    /// Up to a multiple of so many milliseconds.
    pub step_ms: u64,
    /// And at least so many.
    pub least_ms: u64,
}

impl Rounding {
    /// The first is what this project counts with wherever it gives one number.
    ///
    /// - AWS Lambda: "rounded up to the nearest 1 ms" (<https://aws.amazon.com/lambda/pricing/>).
    /// - Azure Functions, consumption plan: up to the nearest millisecond, at least 100 ms
    ///   (<https://azure.microsoft.com/pricing/details/functions/>).
    /// - Google Cloud Functions: up to the nearest 100 ms (<https://cloud.google.com/functions/pricing>).
    pub const CLOUDS: [Self; 3] = [
        Self { cloud: "AWS Lambda", step_ms: 1, least_ms: 1 },
        Self { cloud: "Azure Functions", step_ms: 1, least_ms: 100 },
        Self { cloud: "Google Cloud Functions", step_ms: 100, least_ms: 100 },
    ];

    pub fn billed_ms(self, ns: u64) -> u64 {
        ns.div_ceil(1_000_000).next_multiple_of(self.step_ms).max(self.least_ms)
    }
}

/// What the calls of one function in one execution came to, those in child executions included. A call that never came back,
/// because its instance ended, is not among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionUse {
    pub name: String,
    /// What it asks for.
    pub memory_mb: u32,
    pub calls: u64,
    /// In its handler, by its domain's own clock.
    pub busy_ns: u64,
    /// Each call billed alone, by position in [`Rounding::CLOUDS`].
    pub billed_ms: [u64; Rounding::CLOUDS.len()],
}

impl FunctionUse {
    fn none(name: &str, memory_mb: u32) -> Self {
        Self { name: name.to_owned(), memory_mb, calls: 0, busy_ns: 0, billed_ms: Default::default() }
    }

    fn add(&mut self, ns: u64) {
        self.calls += 1;
        self.busy_ns += ns;
        for (billed, rounding) in self.billed_ms.iter_mut().zip(Rounding::CLOUDS) {
            *billed += rounding.billed_ms(ns);
        }
    }

    /// As AWS Lambda would bill it alone.
    pub fn gb_ms(&self) -> f64 {
        gb_ms(self.memory_mb, self.billed_ms[0])
    }
}

/// All functions of the plan, in its order, with what their calls came to.
pub(crate) fn uses(plan: &Plan, calls: &[CallReport]) -> Vec<FunctionUse> {
    let functions = plan.functions.iter();
    let mut uses: Vec<_> =
        functions.map(|function| FunctionUse::none(&function.name, function.memory_mb)).collect();
    for call in calls {
        if let Some(function) = uses.get_mut(call.function) {
            function.add(call.returned_ns.saturating_sub(call.called_ns));
        }
    }
    uses
}

/// Memory times time, as clouds bill it: 1024 MB for one millisecond are one.
fn gb_ms(memory_mb: u32, ms: u64) -> f64 {
    f64::from(memory_mb) / 1024.0 * ms as f64
}

/// What one execution, or many of the same workflow, came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metering {
    pub executions: u64,
    /// How many of them had to make an instance.
    pub cold: u64,
    /// What making those instances took.
    pub cold_start: Duration,
    pub duration_us: u64,
    /// The part of it in which neither a function ran nor anything waited on purpose.
    pub interaction_us: u64,
    /// As one unit, each execution rounded up to a millisecond.
    pub billed_ms: u64,
    /// What the unit is billed with: the instance's limit, else the sum of what its functions ask for, since all of them are
    /// loaded at the same time.
    pub memory_mb: u32,
    /// The most that an instance had in use.
    pub memory: Option<MemoryUse>,
    /// In the order of the plan.
    pub functions: Vec<FunctionUse>,
}

impl Metering {
    /// Of nothing yet.
    pub fn new(plan: &Plan) -> Self {
        let functions = plan.functions.iter();
        let asked_for = plan.functions.iter().map(|function| function.memory_mb).fold(0, u32::saturating_add);
        Self {
            memory_mb: plan.limits.instance_memory_mb.unwrap_or(asked_for),
            functions: functions
                .map(|function| FunctionUse::none(&function.name, function.memory_mb))
                .collect(),
            ..Self::default()
        }
    }

    /// Adds an execution; `cold_start` is what making its instance took, where it had to.
    pub fn add(&mut self, record: &Record, cold_start: Option<Duration>) {
        self.executions += 1;
        self.cold += u64::from(cold_start.is_some());
        self.cold_start += cold_start.unwrap_or_default();
        self.duration_us += record.duration_us;
        self.interaction_us += record.interaction_us;
        self.billed_ms += record.billed_ms;
        self.memory = record.memory.map(|memory| memory.max(self.memory)).or(self.memory);
        for (sum, one) in self.functions.iter_mut().zip(&record.functions) {
            sum.calls += one.calls;
            sum.busy_ns += one.busy_ns;
            for (billed, more) in sum.billed_ms.iter_mut().zip(one.billed_ms) {
                *billed += more;
            }
        }
    }

    pub fn gb_ms(&self) -> f64 {
        gb_ms(self.memory_mb, self.billed_ms)
    }

    /// With every function in a container of its own, by position in [`Rounding::CLOUDS`].
    pub fn apart_ms(&self) -> [u64; Rounding::CLOUDS.len()] {
        std::array::from_fn(|cloud| self.functions.iter().map(|function| function.billed_ms[cloud]).sum())
    }

    /// As AWS Lambda would bill the functions, each with its own memory.
    pub fn apart_gb_ms(&self) -> f64 {
        self.functions.iter().map(FunctionUse::gb_ms).sum()
    }

    pub fn calls(&self) -> u64 {
        self.functions.iter().map(|function| function.calls).sum()
    }

    /// What part of the executions' time went into interaction, 0 to 1.
    pub fn interaction_share(&self) -> f64 {
        share(self.interaction_us as f64, self.duration_us as f64)
    }

    /// What part of the time of starts and executions together went into starts, 0 to 1.
    pub fn cold_start_share(&self) -> f64 {
        let started = self.cold_start.as_secs_f64() * 1e6;
        share(started, started + self.duration_us as f64)
    }
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cloud_rounds_in_its_own_way() {
        let table = [
            (0, [1, 100, 100]),
            (1, [1, 100, 100]),
            (1_000_000, [1, 100, 100]),
            (1_000_001, [2, 100, 100]),
            (100_000_000, [100, 100, 100]),
            (100_000_001, [101, 101, 200]),
            (234_500_000, [235, 235, 300]),
        ];
        for (ns, expected) in table {
            assert_eq!(Rounding::CLOUDS.map(|rounding| rounding.billed_ms(ns)), expected, "{ns} ns");
        }
    }

    #[test]
    fn calls_are_rounded_one_by_one() {
        let mut function = FunctionUse::none("f", 512);
        [100_000, 1_200_000, 120_000_000].into_iter().for_each(|ns| function.add(ns));
        assert_eq!((function.calls, function.busy_ns), (3, 121_300_000));
        assert_eq!(function.billed_ms, [123, 320, 400]);
        assert_eq!(function.gb_ms(), 61.5);
    }

    #[test]
    fn shares_of_nothing_are_nothing() {
        let metering = Metering::default();
        assert_eq!((metering.interaction_share(), metering.cold_start_share()), (0.0, 0.0));
        let metering = Metering {
            cold_start: Duration::from_millis(30),
            duration_us: 10_000,
            interaction_us: 2500,
            ..metering
        };
        assert_eq!((metering.interaction_share(), metering.cold_start_share()), (0.25, 0.75));
    }
}
