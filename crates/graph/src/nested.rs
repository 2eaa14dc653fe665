//! Writing what nests, a line at a time, without recursing.

use crate::model::FlowId;

/// What is still to be written.
pub(crate) enum Todo {
    Line(String),
    /// A flow, and how deep it stands.
    Flow(FlowId, usize),
}

/// Writes the outermost flow and all within it. `write_flow` says what a flow consists of, in order.
pub(crate) fn write_nested(text: &mut String, write_flow: impl Fn(FlowId, usize, &mut Vec<Todo>)) {
    let mut waiting = vec![Todo::Flow(0, 1)];
    while let Some(todo) = waiting.pop() {
        match todo {
            Todo::Line(line) => text.push_str(&line),
            Todo::Flow(flow, depth) => {
                let before = waiting.len();
                write_flow(flow, depth, &mut waiting);
                waiting[before..].reverse();
            }
        }
    }
}
