//! The workflow that is measured: two functions that hand one event back and forth.

use crate::BenchError;
use faastlane_compose::{Host, Plan, RequestedIsolation, Surroundings, Workflow, load, plan};
use serde_json::{Map, Value, json};
use std::fs;
use std::io;
use tempfile::TempDir;

/// The same as `step` in `peers/measurement.py`.
const FUNCTION: &str = "def handler(event, context):\n    return event\n";
const FUNCTIONS: [&str; 2] = ["step_a", "step_b"];

/// A folder with the functions and a definition, gone with this value.
pub(crate) struct Chain {
    folder: TempDir,
}

impl Chain {
    /// A workflow that goes from function to function `hops` times. No state filters, as most do not.
    pub(crate) fn make(hops: usize) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("faastlane-hop-").tempdir()?;
        fs::create_dir(folder.path().join("functions"))?;
        for name in FUNCTIONS {
            fs::write(folder.path().join("functions").join(name).with_extension("py"), FUNCTION)?;
        }
        fs::write(folder.path().join("workflow.asl.json"), definition(hops).to_string())?;
        Ok(Self { folder })
    }

    pub(crate) fn compose(
        &self,
        surroundings: &Surroundings,
        host: &Host,
        isolation: RequestedIsolation,
        max_payload_bytes: u64,
    ) -> Result<(Workflow, Plan), BenchError> {
        let mut surroundings = surroundings.clone();
        surroundings.overrides.isolation = Some(isolation);
        surroundings.overrides.max_payload_bytes = Some(max_payload_bytes);
        let workflow = load(self.folder.path(), &surroundings).map_err(BenchError::Compose)?;
        // The functions require nothing, so there is no progress to tell.
        let plan = plan(&workflow, host, &mut |_| ()).map_err(BenchError::Compose)?;
        Ok((workflow, plan))
    }
}

fn definition(hops: usize) -> Value {
    let name = |call: usize| format!("Call {call}");
    let mut states = Map::new();
    for call in 0..=hops {
        let mut state = json!({ "Type": "Task", "Resource": FUNCTIONS[call % FUNCTIONS.len()] });
        if call < hops {
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
    fn a_chain_goes_back_and_forth() {
        assert_eq!(
            definition(2),
            json!({ "StartAt": "Call 0", "States": {
                "Call 0": { "Type": "Task", "Resource": "step_a", "Next": "Call 1" },
                "Call 1": { "Type": "Task", "Resource": "step_b", "Next": "Call 2" },
                "Call 2": { "Type": "Task", "Resource": "step_a", "End": true },
            }})
        );
    }
}
