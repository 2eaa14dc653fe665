//! Why an instance did not come up, or went away, in words that name the function and the state that wanted it.

use faastlane_asl::diagnostic::Diagnostic;
use faastlane_compose::{Plan, Workflow, first_call_of};
use faastlane_pool::InstanceError;
use serde_json::Value;

/// The finding, and the function's traceback where it has one.
pub(crate) fn of_instance(error: &InstanceError, workflow: &Workflow, plan: &Plan) -> (Diagnostic, String) {
    let finding =
        |code: &'static str, message: String, hint: &str| Diagnostic::error(code, message).hint(hint);
    let with_state = |finding: Diagnostic, function: &str| match first_call_of(workflow, function) {
        Some((state, span)) => {
            finding.at(&workflow.definition, span).label(format!("state `{state}` calls it"))
        }
        None => finding,
    };
    let finding = match error {
        InstanceError::SetUp(failure) => {
            let function_error: Option<Value> =
                failure.function_error.as_ref().and_then(|text| serde_json::from_str(text).ok());
            let Some(function_error) = function_error else {
                return (finding("FL0311", error.to_string(), SEE_DOCTOR), String::new());
            };
            let functions = failure.domain.map_or(Vec::new(), |domain| function_names(plan, &[domain]));
            let wanted = functions
                .into_iter()
                .find(|name| function_error["function"].as_str().is_none_or(|function| function == *name))
                .unwrap_or("?");
            let message = function_error["errorMessage"].as_str().unwrap_or("unknown error");
            let message = format!("function `{wanted}` cannot be loaded: {message}");
            let hint = hint(function_error["errorType"].as_str().unwrap_or_default());
            return (with_state(finding("FL0310", message, hint), wanted), traceback(&function_error));
        }
        InstanceError::Start(_) | InstanceError::Scratch(_) => {
            finding("FL0311", error.to_string(), SEE_DOCTOR)
        }
        InstanceError::Faulted(fault) => {
            let functions = fault.domain.map_or(Vec::new(), |domain| function_names(plan, &[domain]));
            match (functions.first(), &fault.violation) {
                (None, _) if fault.trusted => finding("FL0312", error.to_string(), REPORT),
                (None, _) => finding("FL0310", error.to_string(), ENDS_AT_IMPORT),
                (Some(first), Some(_)) => {
                    let message = format!("{} while it was imported", fault.what);
                    let hint = "Nothing was executed. No function may reach another's memory.";
                    with_state(finding("FL0313", message, hint), first)
                }
                (Some(first), None) => {
                    let message = format!("function `{first}` cannot be loaded: {}", fault.what);
                    with_state(finding("FL0310", message, ENDS_AT_IMPORT), first)
                }
            }
        }
        InstanceError::Died { how, loading } => match function_names(plan, loading).as_slice() {
            [] => finding(
                "FL0312",
                error.to_string(),
                "Nothing that a function did is known to have ended it: the system may have run out of memory, or \
                 someone killed it.",
            ),
            functions @ [first, others @ ..] => {
                let which = match others {
                    [] => format!("function `{first}`"),
                    _ => format!("one of the functions `{}`", functions.join("`, `")),
                };
                let message = format!("{which} cannot be loaded: its process ended ({how})");
                with_state(finding("FL0310", message, ENDS_AT_IMPORT), first)
            }
        },
        InstanceError::Interrupted => {
            let hint = "No function was called. What is imported once for all calls is in the functions' own modules.";
            finding("FL0314", "interrupted while the functions were loaded".into(), hint)
        }
    };
    (finding, String::new())
}

const SEE_DOCTOR: &str = "`faastlane doctor` shows what this host offers.";

const REPORT: &str = "This is a mistake in Faastlane: please report what you ran.";
const ENDS_AT_IMPORT: &str = "Its code, or a library that it imports, ends the process while it is imported.";

fn function_names<'p>(plan: &'p Plan, domains: &[usize]) -> Vec<&'p str> {
    let functions = domains.iter().flat_map(|&domain| &plan.domains[domain].functions);
    functions.map(|&function| plan.functions[function].name.as_str()).collect()
}

fn hint(error_type: &str) -> &'static str {
    match error_type {
        "Runtime.ImportModuleError" => {
            "Put missing packages into the function's `requirements.txt`; its own modules belong beside its file."
        }
        "Runtime.HandlerNotFound" => {
            "Define `def handler(event, context)` or `def main(event)`, or name it in `faastlane.toml`: \
             `[functions.NAME] handler = \"module.function\"`."
        }
        "Runtime.UserCodeSyntaxError" => "The traceback above shows the line.",
        _ => "The traceback above shows where it failed.",
    }
}

/// As Python prints it.
pub(crate) fn traceback(error: &Value) -> String {
    let lines: Vec<&str> =
        error["stackTrace"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if lines.is_empty() {
        return String::new();
    }
    let mut text = String::from("Traceback (most recent call last):\n");
    for line in lines {
        text.push_str(line.trim_end_matches('\n'));
        text.push('\n');
    }
    let (kind, message) = (error["errorType"].as_str(), error["errorMessage"].as_str());
    text.push_str(&format!("{}: {}\n", kind.unwrap_or("Error"), message.unwrap_or_default()));
    text
}
