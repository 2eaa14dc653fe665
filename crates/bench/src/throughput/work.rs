//! What the functions do, and whether they did it.

use crate::BenchError;
use crate::processes::CpuTime;
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug)]
pub(super) struct Work {
    pub(super) functions: usize,
    pub(super) squares: u32,
}

/// What goes in at the first function. The same as `peers/measurement.py` makes.
pub(super) fn input() -> Value {
    json!({ "total": 0, "calls": 0, "cpu_ns": 0 })
}

/// Says how long its thread ran.
const CODE: &str = "\
from time import thread_time_ns


def handler(event, context):
    begin = thread_time_ns()
    total = sum(number * number for number in range(SQUARES))
    return {
        \"total\": event[\"total\"] + total,
        \"calls\": event[\"calls\"] + 1,
        \"cpu_ns\": event[\"cpu_ns\"] + thread_time_ns() - begin,
    }
";

impl Work {
    pub(super) fn code(self) -> String {
        CODE.replace("SQUARES", &self.squares.to_string())
    }

    /// For how long the functions ran that an output came through, in nanoseconds.
    pub(super) fn check(self, output: &Value, contestant: &str) -> Result<u64, BenchError> {
        let squares = |count: u64| (0..count).map(|number| number * number).sum::<u64>();
        let expected = squares(self.squares.into()) * self.functions as u64;
        let number = |name: &str| output.get(name).and_then(Value::as_u64);
        match (number("total"), number("calls"), number("cpu_ns")) {
            (Some(total), Some(calls), Some(cpu_ns))
                if total == expected && calls == self.functions as u64 =>
            {
                Ok(cpu_ns)
            }
            _ => Err(BenchError::Changed { contestant: contestant.to_owned() }),
        }
    }
}

/// What was measured over all rounds.
#[derive(Default)]
pub(super) struct Totals {
    pub(super) executions: usize,
    pub(super) cpu_ns: u64,
    pub(super) functions_ns: u64,
}

impl Totals {
    pub(super) fn cpu(&self) -> Option<CpuTime> {
        let each = |ns: u64| ns as f64 / 1e3 / self.executions as f64;
        (self.executions > 0)
            .then(|| CpuTime { per_execution_us: each(self.cpu_ns), functions_us: each(self.functions_ns) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_has_to_be_what_all_functions_make() {
        let work = Work { functions: 2, squares: 4 };
        assert_eq!(work.check(&json!({ "total": 28, "calls": 2, "cpu_ns": 5 }), "x").unwrap(), 5);
        for wrong in [
            json!({ "total": 14, "calls": 2, "cpu_ns": 5 }),
            json!({ "total": 28, "calls": 1, "cpu_ns": 5 }),
            json!(1),
        ] {
            assert!(work.check(&wrong, "x").is_err(), "{wrong}");
        }
        assert!(work.code().contains("range(4)"));
    }
}
