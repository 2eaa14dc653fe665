//! Why an instance did not come up, or went away, in words that name the function and the state that wanted it.

use faastlane_asl::diagnostic::{Diagnostic, Severity};
use faastlane_asl::source::Span;
use faastlane_compose::{Plan, Workflow, first_call_of};
use faastlane_pool::InstanceError;
use serde_json::Value;

/// The finding, and the function's traceback where it has one.
pub(crate) fn of_instance(error: &InstanceError, workflow: &Workflow, plan: &Plan) -> (Diagnostic, String) {
    let mut finding = Diagnostic {
        code: "FL0311",
        severity: Severity::Error,
        message: error.to_string(),
        label: None,
        hint: None,
        location: None,
        place: None,
    };
    match error {
        InstanceError::SetUp(failure) => {
            let function_error: Option<Value> =
                failure.function_error.as_ref().and_then(|text| serde_json::from_str(text).ok());
            let Some(function_error) = function_error else {
                finding.hint = Some("`faastlane doctor` shows what this host offers.".into());
                return (finding, String::new());
            };
            let functions = failure.domain.map_or(&[][..], |domain| &plan.domains[domain].functions);
            let name = |function: usize| plan.functions[function].name.as_str();
            let message = function_error["errorMessage"].as_str().unwrap_or("unknown error");
            let wanted = functions
                .iter()
                .map(|&function| name(function))
                .find(|name| function_error["function"].as_str().is_none_or(|function| function == *name))
                .unwrap_or("?");
            finding.code = "FL0310";
            finding.message = format!("function `{wanted}` cannot be loaded: {message}");
            finding.label = Some("this state calls it".into());
            finding.place = place_of(workflow, wanted);
            finding.hint = Some(hint(function_error["errorType"].as_str().unwrap_or_default()).into());
            (finding, traceback(&function_error))
        }
        InstanceError::Start(_) => {
            finding.hint = Some("`faastlane doctor` shows what this host offers.".into());
            (finding, String::new())
        }
        InstanceError::Died(_) | InstanceError::Interrupted => {
            finding.code = "FL0312";
            finding.hint = Some(
                "Nothing that a function did is known to have ended it: the system may have run out of memory, or \
                 someone killed it."
                    .into(),
            );
            (finding, String::new())
        }
    }
}

fn place_of(workflow: &Workflow, function: &str) -> Option<(faastlane_asl::source::Source, Span)> {
    Some((workflow.definition.clone(), first_call_of(workflow, function)?))
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
