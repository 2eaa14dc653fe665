//! Calls that need nothing between them: the function of one Task gets the result of the Task before it just as it came.
//!
//! `whole_history` says whether all of the events' details are wanted. What AWS shows of `lambda:invoke` is put together for them,
//! so its results and its parameters do not pass as they come.

use crate::definition::{
    DataFlow, Dynamic, Flow, Resource, ResultPath, Selection, State, StateIndex, StateKind, Task, Transition,
};
use std::sync::Arc;

/// A Task that takes its input as it comes.
#[derive(Clone, Debug)]
pub struct DirectCall<'m> {
    pub state: &'m State,
    pub function: &'m Arc<str>,
    /// Whether it also takes text and null so.
    pub takes_text: bool,
    /// How long the state waits, if it does not wait for good.
    pub timeout_seconds: Option<u32>,
}

impl Flow {
    /// What is called behind a Task of this flow with that one's result, if nothing is computed between the two.
    pub fn direct_call_behind(&self, state: &State, whole_history: bool) -> Option<DirectCall<'_>> {
        let next = self.state(state.hands_result_on(whole_history)?);
        let StateKind::Task(task) = &next.kind else { return None };
        let (function, takes_text) = next.takes_input(task, whole_history)?;
        Some(DirectCall { state: next, function, takes_text, timeout_seconds: limit(task)? })
    }
}

impl State {
    /// The state that gets the function's result as this one's output, as it came.
    fn hands_result_on(&self, whole_history: bool) -> Option<StateIndex> {
        let StateKind::Task(task) = &self.kind else { return None };
        let hands_on = match (&task.resource, &self.data) {
            (Resource::Function(_), DataFlow::JsonPath(flow)) => {
                flow.result_selector.is_none()
                    && flow.result_path == ResultPath::Replace
                    && flow.output_path == Selection::Whole
            }
            (Resource::Function(_), DataFlow::Jsonata(flow)) => flow.output.is_none(),
            (Resource::LambdaInvoke { .. }, _) => self.takes_payload_only(whole_history),
            _ => false,
        };
        match task.transition {
            Transition::Next(next) if hands_on && self.assign.is_none() => Some(next),
            _ => None,
        }
    }

    /// The function that gets the state's input as it came, and whether it also gets text.
    fn takes_input<'m>(&self, task: &'m Task, whole_history: bool) -> Option<(&'m Arc<str>, bool)> {
        if task.credentials.is_some() {
            return None;
        }
        match (&task.resource, &self.data) {
            (Resource::Function(name), DataFlow::JsonPath(flow)) => {
                (flow.input_path == Selection::Whole && flow.parameters.is_none()).then_some((name, true))
            }
            (Resource::Function(name), DataFlow::Jsonata(flow)) => {
                flow.arguments.is_none().then_some((name, true))
            }
            (Resource::LambdaInvoke { function: Some(name) }, DataFlow::JsonPath(flow)) => {
                let takes = !whole_history && flow.input_path == Selection::Whole && self.passes_input();
                takes.then_some((name, false))
            }
            _ => None,
        }
    }

    /// Whether `lambda:invoke` hands the input on as the event, so that nothing has to be put together. `LogType` has to be
    /// looked at.
    pub fn passes_input(&self) -> bool {
        match &self.data {
            DataFlow::JsonPath(flow) => flow.parameters.as_ref().is_some_and(|template| {
                template.passes_input_as("Payload") && !template.has_member("LogType")
            }),
            DataFlow::Jsonata(_) => false,
        }
    }

    /// Whether `OutputPath: "$.Payload"` would take the wrapping off again at once, and nobody sees it before.
    pub fn takes_payload_only(&self, whole_history: bool) -> bool {
        !whole_history
            && self.assign.is_none()
            && matches!(&self.data, DataFlow::JsonPath(flow) if flow.result_selector.is_none()
                && flow.result_path == ResultPath::Replace
                && matches!(&flow.output_path, Selection::Path(path) if path.as_str() == "$.Payload"))
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
