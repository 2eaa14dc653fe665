//! From a definition to a [`Graph`]. The only file that knows the definition's types.

use crate::model::{EdgeKind, Flow, FlowId, Graph, Kind, Node, NodeId};
use faastlane_asl::definition::{
    self, Catcher, Choice, Comparison, Condition, Dynamic, Operand, Resource, Retrier, State, StateKind,
    StateMachine, StringSource, Task, Test, Timestamp, Transition, WaitUntil,
};
use std::collections::VecDeque;

/// Conditions deeper than this are cut short; nobody reads them on an arrow.
const DEEPEST_CONDITION: usize = 6;

impl Graph {
    /// Reads a definition. `name` is the workflow's.
    pub fn read(name: &str, machine: &StateMachine) -> Self {
        let mut graph = Self {
            name: name.to_owned(),
            comment: machine.comment.clone(),
            flows: Vec::new(),
            nodes: Vec::new(),
            execution: None,
        };
        let mut waiting = VecDeque::from([(&machine.flow, None)]);
        while let Some((flow, around)) = waiting.pop_front() {
            let id = graph.add_flow(flow);
            if let Some(around) = around {
                let around: &mut Node = &mut graph.nodes[around];
                around.flows.push(id);
            }
            let nodes = graph.flows[id].nodes.clone();
            for (state, node) in flow.states.iter().zip(nodes) {
                waiting.extend(inner_flows(state).into_iter().map(|inner| (inner, Some(node))));
            }
        }
        graph
    }

    fn add_flow(&mut self, flow: &definition::Flow) -> FlowId {
        let first = self.nodes.len();
        self.nodes.extend(flow.states.iter().map(node));
        let mut drawn = Flow {
            start: first + flow.start_at.get(),
            nodes: (first..self.nodes.len()).collect(),
            edges: Vec::new(),
            ends: Vec::new(),
        };
        for (state, from) in flow.states.iter().zip(first..) {
            add_edges(&mut drawn, first, from, state);
        }
        self.flows.push(drawn);
        self.flows.len() - 1
    }
}

fn inner_flows(state: &State) -> Vec<&definition::Flow> {
    match &state.kind {
        StateKind::Parallel(parallel) => parallel.branches.iter().collect(),
        StateKind::Map(map) => vec![&map.processor],
        _ => Vec::new(),
    }
}

fn node(state: &State) -> Node {
    let (kind, detail, retry): (Kind, Option<String>, &[Retrier]) = match &state.kind {
        StateKind::Task(task) => (Kind::Task, Some(function(task)), &task.retry),
        StateKind::Pass(_) => (Kind::Pass, None, &[]),
        StateKind::Choice(_) => (Kind::Choice, None, &[]),
        StateKind::Wait(wait) => (Kind::Wait, Some(wait_words(&wait.until)), &[]),
        StateKind::Succeed => (Kind::Succeed, None, &[]),
        StateKind::Fail(fail) => (Kind::Fail, fail.error.as_ref().map(string_words), &[]),
        StateKind::Parallel(parallel) => {
            let branches = match parallel.branches.len() {
                1 => "1 branch".to_owned(),
                several => format!("{several} branches"),
            };
            (Kind::Parallel, Some(branches), &parallel.retry)
        }
        StateKind::Map(map) => {
            let most = map.max_concurrency.as_ref().and_then(|most| match most {
                Dynamic::Fixed(0) => None,
                most => Some(format!("{} at once", dynamic_words(most, u32::to_string))),
            });
            (Kind::Map, most, &map.retry)
        }
    };
    Node {
        name: state.name.to_string(),
        kind,
        detail,
        comment: state.comment.clone(),
        retries: retry.iter().map(|retrier| u64::from(retrier.max_attempts)).sum(),
        flows: Vec::new(),
        stands_for: Vec::new(),
        count: 1,
        mark: None,
    }
}

/// `first` is the node of the flow's first state.
fn add_edges(flow: &mut Flow, first: NodeId, from: NodeId, state: &State) {
    let (transition, catch): (Option<Transition>, &[Catcher]) = match &state.kind {
        StateKind::Task(task) => (Some(task.transition), &task.catch),
        StateKind::Pass(pass) => (Some(pass.transition), &[]),
        StateKind::Wait(wait) => (Some(wait.transition), &[]),
        StateKind::Parallel(parallel) => (Some(parallel.transition), &parallel.catch),
        StateKind::Map(map) => (Some(map.transition), &map.catch),
        StateKind::Choice(choice) => {
            add_rules(flow, first, from, choice);
            (None, &[])
        }
        StateKind::Succeed => (Some(Transition::End), &[]),
        StateKind::Fail(_) => (None, &[]),
    };
    match transition {
        Some(Transition::Next(to)) => flow.connect(from, first + to.get(), EdgeKind::Next, None),
        Some(Transition::End) => flow.ends.push(from),
        None => {}
    }
    for catcher in catch {
        for error in &catcher.error_equals {
            let words = if error == "States.ALL" { "any error" } else { error };
            flow.connect(from, first + catcher.next.get(), EdgeKind::Catch, Some(words.to_owned()));
        }
    }
}

fn add_rules(flow: &mut Flow, first: NodeId, from: NodeId, choice: &Choice) {
    for rule in &choice.rules {
        let words = condition_words(&rule.condition, 0);
        flow.connect(from, first + rule.next.get(), EdgeKind::Rule, Some(words));
    }
    if let Some(default) = choice.default {
        flow.connect(from, first + default.get(), EdgeKind::Rule, Some("default".to_owned()));
    }
}

/// The function's name where it is known, else the last part of the `Resource`.
fn function(task: &Task) -> String {
    if let Resource::Function(name) | Resource::LambdaInvoke { function: Some(name) } = &task.resource {
        return name.to_string();
    }
    let resource = &*task.resource_text;
    resource.rsplit(":::").next().unwrap_or(resource).to_owned()
}

fn wait_words(until: &WaitUntil) -> String {
    match until {
        WaitUntil::Seconds(seconds) => format!("{} s", dynamic_words(seconds, u32::to_string)),
        WaitUntil::Timestamp(timestamp) => format!("until {}", dynamic_words(timestamp, timestamp_words)),
    }
}

fn dynamic_words<T>(value: &Dynamic<T>, fixed: impl Fn(&T) -> String) -> String {
    match value {
        Dynamic::Fixed(value) => fixed(value),
        Dynamic::Path(path) => path.as_str().to_owned(),
        Dynamic::Expression(expression) => expression.as_str().to_owned(),
    }
}

fn string_words(string: &StringSource) -> String {
    match string {
        StringSource::Fixed(text) => text.clone(),
        StringSource::Path(path) => path.as_str().to_owned(),
        StringSource::Call(call) => call.as_str().to_owned(),
        StringSource::Expression(expression) => expression.as_str().to_owned(),
    }
}

fn timestamp_words(timestamp: &Timestamp) -> String {
    match jiff::Timestamp::from_nanosecond(timestamp.nanos) {
        Ok(instant) => instant.to_string(),
        // Years that the calendar does not have.
        Err(_) => format!("{} s after 1970", timestamp.nanos / 1_000_000_000),
    }
}

fn condition_words(condition: &Condition, depth: usize) -> String {
    if depth >= DEEPEST_CONDITION {
        return "…".to_owned();
    }
    let joined = |conditions: &[Condition], word: &str| {
        let parts: Vec<String> = conditions.iter().map(|part| condition_words(part, depth + 1)).collect();
        let words = parts.join(&format!(" {word} "));
        if depth > 0 && parts.len() > 1 { format!("({words})") } else { words }
    };
    match condition {
        Condition::And(conditions) => joined(conditions, "and"),
        Condition::Or(conditions) => joined(conditions, "or"),
        Condition::Not(negated) => format!("not {}", condition_words(negated, depth + 1)),
        Condition::Expression(expression) => expression.as_str().to_owned(),
        Condition::Literal(always) => always.to_string(),
        Condition::Test { variable, test } => test_words(variable.as_str(), test),
    }
}

fn test_words(variable: &str, test: &Test) -> String {
    let is = |yes: bool, what: &str| format!("{variable} is {}{what}", if yes { "" } else { "not " });
    let compared = |comparison: Comparison, other: String| {
        let sign = match comparison {
            Comparison::Equals => "=",
            Comparison::LessThan => "<",
            Comparison::LessThanEquals => "≤",
            Comparison::GreaterThan => ">",
            Comparison::GreaterThanEquals => "≥",
        };
        format!("{variable} {sign} {other}")
    };
    match test {
        Test::IsNull(yes) => is(*yes, "null"),
        Test::IsPresent(yes) => is(*yes, "present"),
        Test::IsNumeric(yes) => is(*yes, "a number"),
        Test::IsString(yes) => is(*yes, "a string"),
        Test::IsBoolean(yes) => is(*yes, "a boolean"),
        Test::IsTimestamp(yes) => is(*yes, "a timestamp"),
        Test::StringMatches(pattern) => format!("{variable} matches \"{pattern}\""),
        Test::BooleanEquals(other) => compared(Comparison::Equals, operand_words(other, bool::to_string)),
        Test::StringCompare(how, other) => compared(*how, operand_words(other, |text| format!("\"{text}\""))),
        Test::NumericCompare(how, other) => compared(*how, operand_words(other, ToString::to_string)),
        Test::TimestampCompare(how, other) => compared(*how, operand_words(other, timestamp_words)),
    }
}

fn operand_words<T>(operand: &Operand<T>, literal: impl Fn(&T) -> String) -> String {
    match operand {
        Operand::Literal(value) => literal(value),
        Operand::Path(path) => path.as_str().to_owned(),
    }
}
