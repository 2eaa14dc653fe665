//! What `faastlane.toml` says about functions, held against the functions that there are.

use crate::code;
use crate::config::{Config, TrustGroup};
use crate::finding::did_you_mean;
use crate::flow_walk::Call;
use crate::functions::{FunctionFolders, FunctionSource};
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_asl::source::Source;
use std::collections::BTreeSet;

pub(crate) fn check_config(
    config: &Config,
    folders: &FunctionFolders<'_>,
    calls: &[Call],
    functions: &[FunctionSource],
) -> Vec<Diagnostic> {
    let Some(source) = &config.source else { return Vec::new() };
    // A function that is called but missing counts as known: the call has been reported.
    let known: BTreeSet<&str> = functions
        .iter()
        .map(|function| function.name.as_str())
        .chain(calls.iter().filter_map(|call| call.function.as_deref()))
        .collect();
    let mut findings = Vec::new();
    for function in config.functions.iter().filter(|function| !known.contains(function.name.value.as_str())) {
        let name = &function.name.value;
        let finding =
            Diagnostic::warning(code::UNUSED_FUNCTION, format!("no state calls the function `{name}`"))
                .at(source, function.name.span)
                .label("has settings");
        findings.push(match did_you_mean(name, known.iter().copied()) {
            Some(question) => finding.hint(question),
            None => finding,
        });
    }
    let mut members = BTreeSet::new();
    for group in &config.trust {
        if group.functions.is_empty() {
            let message = format!("the trust group `{}` has no functions", group.name.value);
            findings.push(Diagnostic::error(code::BAD_TRUST_GROUP, message).at(source, group.name.span));
        }
        for member in &group.functions {
            let name = member.value.as_str();
            if !members.insert(name) {
                let message = format!("`{name}` is in a trust group already");
                let finding = Diagnostic::error(code::BAD_TRUST_GROUP, message).at(source, member.span);
                findings
                    .push(finding.hint("A function has one domain: join the groups, or take it out of one."));
            } else if !known.contains(name) {
                let message =
                    format!("the trust group `{}` has an unknown function `{name}`", group.name.value);
                let finding = Diagnostic::error(code::BAD_TRUST_GROUP, message).at(source, member.span);
                findings.push(match did_you_mean(name, known.iter().copied()) {
                    _ if folders.all_names().contains(name) => {
                        finding.hint("No state calls it: take it out.")
                    }
                    Some(question) => finding.hint(question),
                    None => finding.label("no state calls a function of this name"),
                });
            }
        }
        if functions.iter().any(|function| function.name == group.name.value) {
            let message = format!("the trust group `{}` is called like a function", group.name.value);
            let finding = Diagnostic::error(code::BAD_TRUST_GROUP, message).at(source, group.name.span);
            findings
                .push(finding.hint("A domain is named after its group or its function: rename the group."));
        }
        findings.extend(mixed_pythons(source, group, functions));
        findings.extend(mixed_grants(source, group, functions));
    }
    findings
}

/// One domain holds one interpreter.
fn mixed_pythons(source: &Source, group: &TrustGroup, functions: &[FunctionSource]) -> Option<Diagnostic> {
    let mut pythons = group.functions.iter().filter_map(|member| {
        let function = functions.iter().find(|function| function.name == member.value)?;
        Some((member, function.python.as_ref().map(|python| &python.value)))
    });
    let (_, first) = pythons.next()?;
    let (member, _) = pythons.find(|(_, python)| *python != first)?;
    let message = format!("the trust group `{}` mixes versions of Python", group.name.value);
    Some(
        Diagnostic::error(code::BAD_TRUST_GROUP, message)
            .at(source, member.span)
            .label("asks for another Python than the first of the group")
            .hint("Functions of one group share one interpreter: give them the same `python`."),
    )
}

/// What one member may do, all of its domain can.
fn mixed_grants(source: &Source, group: &TrustGroup, functions: &[FunctionSource]) -> Option<Diagnostic> {
    let mut grants = group.functions.iter().filter_map(|member| {
        let function = functions.iter().find(|function| function.name == member.value)?;
        Some((member, &function.grants))
    });
    let (_, first) = grants.next()?;
    let (member, _) = grants.find(|(_, grants)| *grants != first)?;
    let message = format!("the trust group `{}` mixes functions with different grants", group.name.value);
    Some(
        Diagnostic::error(code::BAD_TRUST_GROUP, message)
            .at(source, member.span)
            .label("is granted something else than the first of the group")
            .hint("Functions of one group can do what any of them can: grant all of them the same, or take it out."),
    )
}
