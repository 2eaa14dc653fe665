//! The workflow that is run: five functions in a row, all retried, one of them caught.

use crate::bundle::Bundle;
use serde_json::{Map, Value, json};
use std::fs;
use std::io;
use std::path::Path;

pub(super) const STEPS: usize = 5;
/// How often each step is tried again.
pub(super) const RETRIES: [u32; STEPS] = [3, 3, 3, 1, 3];
/// The step whose failure is caught; the execution goes on with [`MEND`].
pub(super) const CAUGHT: usize = 3;
pub(super) const MEND: &str = "Mend";
/// Steps whose limit on time is their function's own; the others' is their state's. A second each.
const OWN_TIMEOUT: [usize; 2] = [1, 3];

pub(super) fn step_name(step: usize) -> String {
    format!("Step {step}")
}

/// Notes that it was called, then does what its event says for this attempt.
const CODE: &str = r#"import ctypes
import os


def handler(event, context):
    given, attempt = event["given"], event["attempt"]
    ledger = os.open("LEDGER", os.O_WRONLY | os.O_APPEND)
    os.write(ledger, f"{given['id']} STEP {attempt}\n".encode())
    os.close(ledger)
    faults = given["faults"].get("STEP", [])
    fault = faults[attempt] if attempt < len(faults) else None
    if fault == "crash":
        ctypes.string_at(0)
    while fault == "loop":
        pass
    return {**given, "trail": [*given["trail"], STEP]}
"#;

/// A folder with the workflow and its ledger.
pub(super) fn make() -> io::Result<Bundle> {
    let names: Vec<String> = (0..STEPS).map(|step| format!("step_{step}")).collect();
    let bundle = Bundle::make(std::iter::empty(), &definition())?;
    let folder = bundle.folder();
    let ledger = super::ledger_file(folder);
    let mut settings = String::new();
    for (step, name) in names.iter().enumerate() {
        let code = CODE.replace("LEDGER", &ledger.display().to_string()).replace("STEP", &step.to_string());
        fs::write(folder.join("functions").join(name).with_extension("py"), code)?;
        settings.push_str(&format!("[functions.{name}]\nwritable_files = [\"ledger\"]\n"));
        if OWN_TIMEOUT.contains(&step) {
            settings.push_str("timeout = 1\n");
        }
    }
    fs::write(folder.join("faastlane.toml"), settings)?;
    fs::create_dir(folder.join("ledger"))?;
    ledger_anew(folder)?;
    Ok(bundle)
}

pub(super) fn ledger_anew(folder: &Path) -> io::Result<()> {
    fs::write(super::ledger_file(folder), "")
}

fn definition() -> Value {
    let mut states = Map::new();
    for (step, retries) in RETRIES.into_iter().enumerate() {
        let mut state = json!({
            "Type": "Task",
            "Resource": format!("step_{step}"),
            "Arguments": { "given": "{% $states.input %}", "attempt": "{% $states.context.State.RetryCount %}" },
            "Retry": [{ "ErrorEquals": ["States.ALL"], "MaxAttempts": retries, "IntervalSeconds": 1, "BackoffRate": 1 }],
        });
        if !OWN_TIMEOUT.contains(&step) {
            state["TimeoutSeconds"] = json!(1);
        }
        if step == CAUGHT {
            state["Catch"] =
                json!([{ "ErrorEquals": ["States.ALL"], "Output": "{% $states.input %}", "Next": MEND }]);
        }
        match step + 1 {
            STEPS => state["End"] = json!(true),
            next => state["Next"] = json!(step_name(next)),
        }
        states.insert(step_name(step), state);
    }
    let mended = json!({
        "Type": "Pass",
        "Output": "{% $merge([$states.input, { 'mended': true }]) %}",
        "Next": step_name(CAUGHT + 1),
    });
    states.insert(MEND.to_owned(), mended);
    json!({ "QueryLanguage": "JSONata", "StartAt": step_name(0), "States": states })
}
