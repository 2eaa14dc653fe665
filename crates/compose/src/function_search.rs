//! Finding the code of every function that a workflow calls.

use crate::code;
use crate::flow_walk::Call;
use crate::functions::FunctionSource;
use crate::sam::Around;
use faastlane_asl::diagnostic::{Diagnostic, Severity};
use faastlane_asl::source::Source;
use faastlane_mock::{Mocks, NO_STAND_IN};
use std::collections::BTreeSet;

pub(crate) fn find_functions(
    around: &Around<'_>,
    definition: &Source,
    calls: &[Call],
    mocks: Option<&Mocks>,
    findings: &mut Vec<Diagnostic>,
) -> Vec<FunctionSource> {
    let folders = around.folders;
    let mut functions = Vec::new();
    let has_stand_in = |name: &str| mocks.is_some_and(|mocks| mocks.answers_for_function(name));
    let of_mocked_state = |call: &Call| mocks.is_some_and(|mocks| mocks.answers_for_state(&call.state));
    let mut seen = BTreeSet::new();
    let real = |call: &&Call| !of_mocked_state(call) && !call.function.as_deref().is_some_and(has_stand_in);
    for call in calls.iter().filter(real) {
        let Some(name) = call.function.as_deref().filter(|name| seen.insert((*name).to_owned())) else {
            continue;
        };
        if let Some((function, found)) = declared(around, name) {
            functions.extend(function);
            add_new(findings, found);
            continue;
        }
        match folders.find(name) {
            Ok(function) => functions.push(function),
            Err(finding) if mocks.is_some() && finding.code == code::NO_FUNCTION => {
                findings.push(place_at_call(without_stand_in(finding, name), definition, call, calls));
            }
            Err(finding) => findings.push(place_at_call(finding, definition, call, calls)),
        }
        if let Some((taken, left)) = folders.rivals(name) {
            let message = format!("the function `{name}` is in two places");
            let hint = format!("{} is taken, {} is left: remove one.", taken.display(), left.display());
            findings.push(
                Diagnostic::warning(code::AMBIGUOUS_FUNCTION, message).at(definition, call.span).hint(hint),
            );
        }
    }
    if let Some(call) = calls.iter().find(|call| call.function.is_none() && !of_mocked_state(call)) {
        let mut candidates = folders.all_names();
        candidates.retain(|name| !has_stand_in(name));
        if candidates.is_empty() && functions.is_empty() && mocks.is_none() {
            let message =
                format!("`{}` names its function when it runs, but there is none to name", call.state);
            findings.push(
                Diagnostic::error(code::NO_CANDIDATES, message)
                    .at(definition, call.span)
                    .hint("Put the functions that it may call into functions/."),
            );
        }
        for name in candidates.into_iter().filter(|name| seen.insert(name.clone())) {
            match declared(around, &name) {
                Some((function, found)) => {
                    functions.extend(function);
                    // A template has functions for other things too. Whether this one is called, nobody knows yet.
                    let warn = |finding| Diagnostic { severity: Severity::Warning, ..finding };
                    add_new(findings, found.into_iter().map(warn).collect());
                }
                None => match folders.find(&name) {
                    Ok(function) => functions.push(function),
                    Err(finding) => findings.push(place_at_call(finding, definition, call, calls)),
                },
            }
        }
    }
    functions
}

/// What is wrong with the globals of a template is wrong with every function: it is said once.
fn add_new(findings: &mut Vec<Diagnostic>, found: Vec<Diagnostic>) {
    for finding in found {
        let is_known = |known: &Diagnostic| {
            known.place.is_some() && known.code == finding.code && known.place == finding.place
        };
        if !findings.iter().any(is_known) {
            findings.push(finding);
        }
    }
}

/// The function that the workflow's template declares under this name.
fn declared(around: &Around<'_>, name: &str) -> Option<(Option<FunctionSource>, Vec<Diagnostic>)> {
    around.folders.project?.function(name, around)
}

/// Under mocks a function may be missing: not every state has to be reached.
fn without_stand_in(finding: Diagnostic, name: &str) -> Diagnostic {
    let message = format!("the function `{name}` has neither a stand-in nor code");
    let hint = finding.hint.map_or_else(String::new, |hint| format!(" {hint}"));
    let hint = format!("Calling it fails with Lambda.ResourceNotFoundException.{hint}");
    Diagnostic { place: finding.place, ..Diagnostic::warning(NO_STAND_IN, message).hint(hint) }
}

/// Gives a finding that has no place the place of the call, and names the other states that make the same call.
fn place_at_call(finding: Diagnostic, definition: &Source, call: &Call, calls: &[Call]) -> Diagnostic {
    if finding.place.is_some() {
        return finding;
    }
    let others =
        calls.iter().filter(|other| other.function == call.function && other.state != call.state).count();
    let label = match others {
        0 => format!("called by `{}`", call.state),
        1 => format!("called by `{}` and one more state", call.state),
        _ => format!("called by `{}` and {others} more states", call.state),
    };
    finding.at(definition, call.span).label(label)
}
