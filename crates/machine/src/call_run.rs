//! Runs of calls: which invocations follow one without anything to be computed or decided in between, as long as they succeed.
//!
//! Architecture Invariant: what is foretold here is what the execution wants once it has been told of the calls before, down to
//! the invocations' ids. Where that is not certain, nothing is foretold.

use crate::action::StatePath;
use crate::event::{HistoryLevel, InvocationId};
use crate::execution::Execution;
use crate::machine::Machine;
use faastlane_asl::definition::{
    DataFlow, Dynamic, Resource, ResultPath, Selection, State, StateKind, Task, Transition,
};
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
        let history = self.history;
        let (slot, mut serial) = (invocation.0 >> 32 << 32, invocation.0 as u32);
        let mut at = alone.then(|| machine.state(path));
        std::iter::from_fn(move || {
            let next = following(machine, at.take()?, history)?;
            let StateKind::Task(task) = &next.kind else { return None };
            let (function, takes_text) = takes_input(next, task, history)?;
            let timeout_seconds = limit(task)?;
            // The timer's comes first.
            serial = serial.wrapping_add(1 + u32::from(timeout_seconds.is_some()));
            at = Some(next);
            Some(NextCall {
                invocation: InvocationId(slot | u64::from(serial)),
                function: Arc::clone(function),
                state: Arc::clone(&next.name),
                timeout_seconds,
                takes_text,
            })
        })
    }
}

/// The state behind a Task whose output is its function's result as it came.
fn following<'m>(machine: &'m Machine, state: &State, history: HistoryLevel) -> Option<&'m State> {
    let StateKind::Task(task) = &state.kind else { return None };
    let hands_on = match (&task.resource, &state.data) {
        (Resource::Function(_), DataFlow::JsonPath(flow)) => {
            flow.result_selector.is_none()
                && flow.result_path == ResultPath::Replace
                && flow.output_path == Selection::Whole
        }
        (Resource::Function(_), DataFlow::Jsonata(flow)) => flow.output.is_none(),
        (Resource::LambdaInvoke { .. }, _) => state.takes_payload_only(history),
        _ => false,
    };
    match task.transition {
        Transition::Next(next) if hands_on && state.assign.is_none() => {
            Some(machine.definition().flow.state(next))
        }
        _ => None,
    }
}

/// The function that gets the state's input as it came, and whether it also gets text.
fn takes_input<'m>(state: &State, task: &'m Task, history: HistoryLevel) -> Option<(&'m Arc<str>, bool)> {
    if task.credentials.is_some() {
        return None;
    }
    match (&task.resource, &state.data) {
        (Resource::Function(name), DataFlow::JsonPath(flow)) => {
            (flow.input_path == Selection::Whole && flow.parameters.is_none()).then_some((name, true))
        }
        (Resource::Function(name), DataFlow::Jsonata(flow)) => {
            flow.arguments.is_none().then_some((name, true))
        }
        // Its parameters are put together for the whole history.
        (Resource::LambdaInvoke { function: Some(name) }, DataFlow::JsonPath(flow)) => {
            let takes =
                history == HistoryLevel::Types && flow.input_path == Selection::Whole && state.passes_input();
            takes.then_some((name, false))
        }
        _ => None,
    }
}

/// How long the state waits, if that is known.
fn limit(task: &Task) -> Option<Option<u32>> {
    let mut least: Option<u32> = None;
    for number in [&task.timeout, &task.heartbeat].into_iter().flatten() {
        let Dynamic::Fixed(seconds) = number else { return None };
        least = Some(least.map_or(*seconds, |least| least.min(*seconds)));
    }
    Some(least)
}

/// What [`Run`](crate::run::Run) asks of a state as well.
pub(crate) trait PassesOn {
    fn passes_input(&self) -> bool;
    fn takes_payload_only(&self, history: HistoryLevel) -> bool;
}

impl PassesOn for State {
    /// Whether `lambda:invoke` hands the input on as the event, so that nothing has to be put together. `LogType` has to be
    /// looked at.
    fn passes_input(&self) -> bool {
        match &self.data {
            DataFlow::JsonPath(flow) => flow.parameters.as_ref().is_some_and(|template| {
                template.passes_input_as("Payload") && !template.has_member("LogType")
            }),
            DataFlow::Jsonata(_) => false,
        }
    }

    /// Whether `OutputPath: "$.Payload"` would take the wrapping off again at once, and nobody sees it before.
    fn takes_payload_only(&self, history: HistoryLevel) -> bool {
        history == HistoryLevel::Types
            && self.assign.is_none()
            && matches!(&self.data, DataFlow::JsonPath(flow) if flow.result_selector.is_none()
                && flow.result_path == ResultPath::Replace
                && matches!(&flow.output_path, Selection::Path(path) if path.as_str() == "$.Payload"))
    }
}
