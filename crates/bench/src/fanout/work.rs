//! What a branch does, and whether all of them did it.

use serde::Serialize;
use serde_json::{Value, json};
use std::str::FromStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BranchWork {
    /// Returns its event.
    Trivial,
    /// A fixed number of steps of a generator of numbers, in Python: about 5 ms.
    Cpu,
}

const STEPS: u64 = 30_000;

const TRIVIAL: &str = "def handler(event, context):\n    return event\n";
const CPU: &str = "\
def handler(event, context):
    value = event[\"index\"]
    for _ in range(STEPS):
        value = (value * 1103515245 + 12345) % 2147483648
    return {\"index\": event[\"index\"], \"value\": value}
";

impl BranchWork {
    pub fn name(self) -> &'static str {
        match self {
            Self::Trivial => "trivial",
            Self::Cpu => "CPU-bound",
        }
    }

    pub(super) fn code(self) -> String {
        match self {
            Self::Trivial => TRIVIAL.to_owned(),
            Self::Cpu => CPU.replace("STEPS", &STEPS.to_string()),
        }
    }

    /// What so many branches result in. The items are the same as in `peers/fanout.py`.
    pub(super) fn results(self, branches: usize) -> Value {
        let result = |index: u64| match self {
            Self::Trivial => json!({ "index": index }),
            Self::Cpu => {
                let value =
                    (0..STEPS).fold(index, |value, _| (value * 1_103_515_245 + 12_345) % 2_147_483_648);
                json!({ "index": index, "value": value })
            }
        };
        (0..branches as u64).map(result).collect()
    }
}

pub(super) fn items(branches: usize) -> Value {
    (0..branches).map(|index| json!({ "index": index })).collect()
}

impl FromStr for BranchWork {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "trivial" => Ok(Self::Trivial),
            "cpu" => Ok(Self::Cpu),
            _ => Err("expected trivial or cpu".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_branch_has_a_result_of_its_own() {
        assert_eq!(BranchWork::Trivial.results(2), items(2));
        let results = BranchWork::Cpu.results(2);
        assert_ne!(results[0]["value"], results[1]["value"]);
        assert!(BranchWork::Cpu.code().contains("range(30000)"));
        assert_eq!(("cpu".parse(), "trivial".parse()), (Ok(BranchWork::Cpu), Ok(BranchWork::Trivial)));
        assert!("CPU".parse::<BranchWork>().is_err());
    }
}
