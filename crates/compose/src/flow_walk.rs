//! Visiting every state of a machine, whatever Parallel or Map it sits in.

use faastlane_asl::definition::{Flow, Resource, State, StateKind};
use faastlane_asl::source::Span;
use std::sync::Arc;

/// Calls `visit` with each state and the names of the Parallel and Map states around it (outermost first), in the order
/// of the definition.
pub(crate) fn walk<'m>(flow: &'m Flow, visit: &mut impl FnMut(&'m State, &[&'m str])) {
    walk_within(flow, &mut Vec::new(), visit);
}

fn walk_within<'m>(flow: &'m Flow, within: &mut Vec<&'m str>, visit: &mut impl FnMut(&'m State, &[&'m str])) {
    for state in &flow.states {
        visit(state, within);
        within.push(&state.name);
        match &state.kind {
            StateKind::Parallel(parallel) => {
                for branch in &parallel.branches {
                    walk_within(branch, within, visit);
                }
            }
            StateKind::Map(map) => walk_within(&map.processor, within, visit),
            _ => {}
        }
        within.pop();
    }
}

/// A place in the definition that calls a function.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) state: Arc<str>,
    /// `None` where the state names it only when it runs.
    pub(crate) function: Option<Arc<str>>,
    /// Of the `Resource`.
    pub(crate) span: Span,
}

/// Every call, in the order of the definition.
pub(crate) fn calls(flow: &Flow) -> Vec<Call> {
    let mut calls = Vec::new();
    walk(flow, &mut |state, _| {
        if let StateKind::Task(task) = &state.kind {
            let function = match &task.resource {
                Resource::Function(name) => Some(Arc::clone(name)),
                Resource::LambdaInvoke { function } => function.clone(),
                Resource::Service { .. } | Resource::Activity(_) => return,
            };
            calls.push(Call { state: Arc::clone(&state.name), function, span: task.resource_span });
        }
    });
    calls
}

/// The first state that calls `function` by name, and its `Resource`.
pub fn first_call_of(workflow: &crate::Workflow, function: &str) -> Option<(Arc<str>, Span)> {
    calls(&workflow.machine.flow)
        .into_iter()
        .find(|call| call.function.as_deref() == Some(function))
        .map(|call| (call.state, call.span))
}
