//! One state on its own, as TestState takes it: it may lead to states that are not there.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/test-state-isolation.html>.

use super::data_flow::no_data_flow;
use super::{Dialect, Parsed, Scope, collect_names, state};
use crate::code;
use crate::definition::{ExecutionType, Flow, State, StateIndex, StateKind, StateMachine};
use crate::diagnostic::Diagnostic;
use crate::node::At;
use crate::report::Report;
use crate::source::Source;
use crate::tree;
use std::collections::HashMap;
use std::sync::Arc;

/// Whether a text describes one state and no state machine. What cannot be read at all describes none.
pub fn is_single_state(source: &Source) -> bool {
    let mut report = Report::new(source);
    let root = tree::read(source, &mut report);
    root.is_some_and(|root| {
        let root = At::root(&root);
        root.get("Type").is_some() && root.get("States").is_none() && root.get("StartAt").is_none()
    })
}

/// Reads one state, `{"Type": "Pass", …}`, as a state machine that starts at it. The states that it leads to are
/// Succeed states of the names that it gives them.
///
/// # Errors
/// What is wrong with it, warnings included, as [`crate::parse`] says it.
pub fn parse_state(source: &Source, name: &str) -> Result<Parsed, Vec<Diagnostic>> {
    let mut report = Report::new(source);
    let root = tree::read(source, &mut report);
    let machine = root.as_ref().and_then(|root| alone(name, &At::root(root), &mut report));
    let failed = report.has_errors();
    let findings = report.finish();
    match machine {
        Some(machine) if !failed => Ok(Parsed { machine, warnings: findings }),
        _ => Err(findings),
    }
}

fn alone(name: &str, root: &At<'_>, report: &mut Report) -> Option<StateMachine> {
    if root.members().is_none() {
        report
            .error(
                code::NOT_A_STATE_MACHINE,
                root.spot(),
                "the definition is neither a state machine nor a state",
            )
            .label(format!("found {}", root.node.describe()))
            .hint("A state is an object with a `Type`, a state machine one with `StartAt` and `States`.");
        return None;
    }
    let targets = targets(root);
    // The state itself comes first. What it calls `Next` is another one, even of the same name.
    let states: HashMap<&str, StateIndex> =
        targets.iter().zip(1..).map(|(target, index)| (*target, StateIndex(index))).collect();
    let mut everywhere = HashMap::new();
    for branch in root.get("Branches").iter().filter_map(At::items).flatten() {
        collect_names(&branch, &mut everywhere, report);
    }
    for processor in ["ItemProcessor", "Iterator"].iter().filter_map(|field| root.get(field)) {
        collect_names(&processor, &mut everywhere, report);
    }
    let dialect = Dialect::JsonPath;
    let execution_type = ExecutionType::Standard;
    let scope = Scope { dialect, machine: dialect, execution_type, states: &states, everywhere: &everywhere };
    let tested = state::read(name, root, &scope, report)?;
    let stubs = targets.iter().map(|target| State {
        name: Arc::from(*target),
        comment: None,
        span: tested.span,
        data: no_data_flow(dialect),
        assign: None,
        kind: StateKind::Succeed,
    });
    let states = std::iter::once(tested.clone()).chain(stubs).collect();
    let flow = Flow { start_at: StateIndex(0), states };
    Some(StateMachine { comment: None, version: None, timeout_seconds: None, flow })
}

/// The names that the state's own transitions give, each once.
fn targets<'a>(state: &At<'a>) -> Vec<&'a str> {
    let of_entries = ["Choices", "Catch"]
        .into_iter()
        .filter_map(|list| state.get(list)?.items().map(Iterator::collect::<Vec<_>>))
        .flatten()
        .filter_map(|entry| entry.get("Next"));
    let own = ["Next", "Default"].into_iter().filter_map(|field| state.get(field));
    let mut names = Vec::new();
    for name in own.chain(of_entries).filter_map(|at| at.as_str()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

impl StateMachine {
    /// The flow that a state is in, at whatever depth, as a machine that starts at the state. `None` where there is no
    /// state of that name.
    pub fn starting_at(&self, name: &str) -> Option<StateMachine> {
        let flow = find(&self.flow, name)?;
        Some(StateMachine { comment: None, version: None, timeout_seconds: None, flow })
    }
}

fn find(flow: &Flow, name: &str) -> Option<Flow> {
    if let Some(position) = flow.states.iter().position(|state| &*state.name == name) {
        return Some(Flow { start_at: StateIndex(position as u32), states: flow.states.clone() });
    }
    flow.states.iter().find_map(|state| match &state.kind {
        StateKind::Parallel(parallel) => parallel.branches.iter().find_map(|branch| find(branch, name)),
        StateKind::Map(map) => find(&map.processor, name),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::new("state.json", text)
    }

    #[test]
    fn one_state_may_lead_anywhere() {
        let text = r#"{"Type": "Choice", "Default": "C",
            "Choices": [{"Variable": "$.a", "IsNull": true, "Next": "A"},
                        {"Variable": "$.b", "IsNull": true, "Next": "C"}]}"#;
        assert!(is_single_state(&source(text)));
        let machine = parse_state(&source(text), "Tested").unwrap().machine;
        let names: Vec<&str> = machine.flow.states.iter().map(|state| &*state.name).collect();
        assert_eq!(names, ["Tested", "C", "A"]);
        assert_eq!(machine.flow.start_at.get(), 0);
    }

    #[test]
    fn its_mistakes_are_found_all_the_same() {
        let found = parse_state(&source(r#"{"Type": "Pass", "Naxt": "A"}"#), "Tested").unwrap_err();
        assert_eq!(found[0].code, code::UNKNOWN_FIELD);
        let found = parse_state(&source("[]"), "Tested").unwrap_err();
        assert_eq!(found[0].code, code::NOT_A_STATE_MACHINE);
    }

    #[test]
    fn states_are_found_at_any_depth() {
        let text = r#"{"StartAt": "P", "States": {"P": {"Type": "Parallel", "End": true, "Branches": [
            {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Succeed"}}}]}}}"#;
        assert!(!is_single_state(&source(text)));
        let machine = crate::parse(&source(text)).unwrap().machine;
        let inner = machine.starting_at("B").unwrap();
        assert_eq!(&*inner.flow.state(inner.flow.start_at).name, "B");
        assert_eq!(machine.starting_at("C"), None);
    }
}
