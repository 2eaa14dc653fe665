//! Functions that are called one after the other.

use crate::BenchError;
use crate::bundle::Bundle;
use crate::outside::Outside;
use faastlane_compose::{DEFAULT_MAX_PAYLOAD_BYTES, PythonInstall};
use serde_json::{Map, Value, json};
use std::io;

/// It changes nothing.
pub(crate) const FUNCTION: &str = "def handler(event, context):\n    return event\n";
const FUNCTIONS: [&str; 2] = ["step_a", "step_b"];

/// How the functions of a line are kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Domains {
    /// Each from the other.
    Apart,
    /// They are one trust group.
    Shared,
}

/// A workflow that goes back and forth between two functions `hops` times. No state filters, as most do not.
pub(crate) fn of_hops(hops: usize, domains: Domains) -> io::Result<Bundle> {
    let calls: Vec<&str> = (0..=hops).map(|call| FUNCTIONS[call % FUNCTIONS.len()]).collect();
    let bundle = Bundle::make(FUNCTIONS.map(|name| (name, FUNCTION)), &definition(&calls))?;
    if domains == Domains::Shared {
        std::fs::write(bundle.folder().join("faastlane.toml"), format!("[trust]\nline = {FUNCTIONS:?}\n"))?;
    }
    Ok(bundle)
}

/// A workflow of so many functions with the same code, each called once.
pub(crate) fn of_functions(count: usize, code: &str) -> io::Result<Bundle> {
    let names: Vec<String> = (0..count).map(|number| format!("step_{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Bundle::make(names.iter().map(|name| (*name, code)), &definition(&names))
}

/// The Python that functions of benchmarks run with: the one that the user wants, or the first that can be used.
///
/// # Errors
/// There is none, or no isolation for it.
pub fn python(outside: &Outside<'_>) -> Result<PythonInstall, BenchError> {
    let (ways, _) = outside.isolations()?;
    let (_, mut plan) = of_hops(1, Domains::Apart)?.compose(outside, ways[0], DEFAULT_MAX_PAYLOAD_BYTES)?;
    Ok(plan.pythons.swap_remove(0))
}

fn definition(calls: &[&str]) -> Value {
    let name = |call: usize| format!("Call {call}");
    let mut states = Map::new();
    for (call, function) in calls.iter().enumerate() {
        let mut state = json!({ "Type": "Task", "Resource": function });
        if call + 1 < calls.len() {
            state["Next"] = json!(name(call + 1));
        } else {
            state["End"] = json!(true);
        }
        states.insert(name(call), state);
    }
    json!({ "StartAt": name(0), "States": states })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_calls_in_order() {
        assert_eq!(
            definition(&["step_a", "step_b", "step_a"]),
            json!({ "StartAt": "Call 0", "States": {
                "Call 0": { "Type": "Task", "Resource": "step_a", "Next": "Call 1" },
                "Call 1": { "Type": "Task", "Resource": "step_b", "Next": "Call 2" },
                "Call 2": { "Type": "Task", "Resource": "step_a", "End": true },
            }})
        );
    }

    #[test]
    fn back_and_forth_takes_two_functions() {
        let bundle = of_hops(3, Domains::Apart).unwrap();
        assert_eq!(bundle.folder().join("functions").read_dir().unwrap().count(), 2);
    }
}
