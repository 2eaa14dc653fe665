//! What all executions of one definition share.

use crate::action::{StatePath, Turn};
use faastlane_asl::definition::{Flow, State, StateKind, StateMachine};
use std::sync::Arc;

/// A definition and the limits that its executions keep.
#[derive(Clone, Debug)]
pub struct Machine {
    definition: Arc<StateMachine>,
    limits: Limits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the flat form of any state's input, result or output; beyond it comes `States.DataLimitExceeded`.
    pub payload_bytes: usize,
    /// After how many transitions a step returns with [`crate::Action::Yield`].
    pub transitions_per_step: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { payload_bytes: 64 << 20, transitions_per_step: 10_000 }
    }
}

impl Machine {
    pub fn new(definition: Arc<StateMachine>, limits: Limits) -> Machine {
        Machine { definition, limits }
    }

    pub fn definition(&self) -> &StateMachine {
        &self.definition
    }

    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The state that a path leads to.
    pub fn state(&self, path: &StatePath) -> &State {
        self.flow(&path.turns).state(path.state)
    }

    /// The states among which a branch that took these turns moves.
    pub(crate) fn flow(&self, turns: &[Turn]) -> &Flow {
        turns.iter().fold(&self.definition.flow, |flow, turn| match &flow.state(turn.state).kind {
            StateKind::Parallel(parallel) => &parallel.branches[turn.child as usize],
            StateKind::Map(map) => &map.processor,
            _ => unreachable!("a turn is only taken into a Parallel or a Map"),
        })
    }
}
