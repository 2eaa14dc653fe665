//! Which state is tested.

use super::request::{DefinitionAt, Request};
use super::{NO_STATE, refuse};
use faastlane_asl::definition::{Flow, State, StateKind, StateMachine};
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_asl::nearest;
use faastlane_asl::source::Source;
use std::sync::Arc;

/// What a state is called that has no name.
const NAMELESS: &str = "State";

pub(super) struct Subject {
    /// The name of the workflow.
    pub(super) workflow: String,
    /// Starts at the state.
    pub(super) machine: Arc<StateMachine>,
    /// What the definition describes.
    pub(super) whole: StateMachine,
}

impl Subject {
    pub(super) fn of(request: &Request, warnings: &mut Vec<Diagnostic>) -> Result<Subject, Vec<Diagnostic>> {
        let (workflow, source) = match &request.definition {
            DefinitionAt::Path(path) => faastlane_compose::read_definition(path)?,
            DefinitionAt::Text(source) => ("test-state".to_owned(), source.clone()),
        };
        let name = request.state.as_deref();
        if faastlane_asl::is_single_state(&source) {
            let parsed = faastlane_asl::parse_state(&source, name.unwrap_or(NAMELESS))?;
            warnings.extend(parsed.warnings);
            return Ok(Subject {
                workflow,
                machine: Arc::new(parsed.machine.clone()),
                whole: parsed.machine,
            });
        }
        let parsed = faastlane_asl::parse(&source)?;
        warnings.extend(parsed.warnings);
        let whole = parsed.machine;
        let machine = match name {
            Some(name) => whole.starting_at(name).ok_or_else(|| vec![*unknown(name, &whole, &source)])?,
            None => return Err(vec![*unnamed(&whole)]),
        };
        Ok(Subject { workflow, machine: Arc::new(machine), whole })
    }

    pub(super) fn state(&self) -> &State {
        self.machine.flow.state(self.machine.flow.start_at)
    }
}

/// All states of a flow, those inside of others included.
pub(super) fn names(flow: &Flow) -> Vec<&str> {
    let mut found = Vec::new();
    for state in &flow.states {
        found.push(&*state.name);
        found.extend(inner_names(state));
    }
    found
}

/// The states inside of a Parallel or a Map.
pub(super) fn inner_names(state: &State) -> Vec<&str> {
    match &state.kind {
        StateKind::Parallel(parallel) => parallel.branches.iter().flat_map(names).collect(),
        StateKind::Map(map) => names(&map.processor),
        _ => Vec::new(),
    }
}

fn unknown(name: &str, whole: &StateMachine, source: &Source) -> Box<Diagnostic> {
    let states = names(&whole.flow);
    let hint = match nearest(name, states.iter().copied()) {
        Some(known) => format!("Did you mean `{known}`?"),
        None => format!("There are {}.", listed(&states)),
    };
    refuse(NO_STATE, format!("{} has no state `{name}`", source.name), hint)
}

fn unnamed(whole: &StateMachine) -> Box<Diagnostic> {
    let hint = format!("Name one with `--state` (`stateName`): {}.", listed(&names(&whole.flow)));
    refuse(NO_STATE, "which state of the state machine is to be tested?", hint)
}

fn listed(states: &[&str]) -> String {
    const MANY: usize = 10;
    let first = states.iter().take(MANY).copied().collect::<Vec<_>>().join(", ");
    if states.len() > MANY { format!("{first}, and others") } else { first }
}
