//! Runs of calls: which invocations follow one without anything to be computed or decided in between, as long as they succeed.
//!
//! Architecture Invariant: what is foretold here is what the execution wants once it has been told of the calls before, down to
//! the invocations' ids. Where that is not certain, nothing is foretold.

use crate::action::StatePath;
use crate::event::{HistoryLevel, InvocationId};
use crate::execution::Execution;
use crate::machine::Machine;
use std::sync::Arc;

/// An invocation that will be wanted when the one before it has succeeded, with that one's output as its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextCall {
    pub invocation: InvocationId,
    pub function: Arc<str>,
    pub state: Arc<str>,
    /// What the state gives it.
    pub timeout_seconds: Option<u32>,
    /// If the output is a string or null, something else is wanted.
    pub takes_text: bool,
}

impl Execution {
    /// The invocations that follow the one that was wanted last, which is of the state at `path`.
    pub fn calls_ahead<'m>(
        &self,
        machine: &'m Machine,
        invocation: InvocationId,
        path: &StatePath,
    ) -> impl Iterator<Item = NextCall> + 'm {
        // Other branches take ids in between.
        let alone = path.turns.is_empty();
        let whole_history = self.history == HistoryLevel::Full;
        let (slot, mut serial) = (invocation.0 >> 32 << 32, invocation.0 as u32);
        let mut at = alone.then(|| machine.state(path));
        std::iter::from_fn(move || {
            let next = machine.definition().flow.direct_call_behind(at.take()?, whole_history)?;
            // The timer's comes first.
            serial = serial.wrapping_add(1 + u32::from(next.timeout_seconds.is_some()));
            at = Some(next.state);
            Some(NextCall {
                invocation: InvocationId(slot | u64::from(serial)),
                function: Arc::clone(next.function),
                state: Arc::clone(&next.state.name),
                timeout_seconds: next.timeout_seconds,
                takes_text: next.takes_text,
            })
        })
    }
}
