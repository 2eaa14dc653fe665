//! A state machine as far as a drawing needs it: states, what they hold, and what leads where.
//!
//! Flat lists with numbers for references, so that no nesting can be too deep for anything that walks over it.

use crate::execution::{Execution, Mark};

/// A state machine to draw.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    /// The workflow's name.
    pub name: String,
    pub comment: Option<String>,
    /// The machine itself comes first, every other one after the one around it.
    pub flows: Vec<Flow>,
    /// In no order that means anything; those of a flow are named by the flow.
    pub nodes: Vec<Node>,
    /// What [`Graph::mark`] was given.
    pub(crate) execution: Option<Execution>,
}

/// A flow, by its position in [`Graph::flows`].
pub type FlowId = usize;
/// A state, by its position in [`Graph::nodes`].
pub type NodeId = usize;

/// States that start at one of them: the machine, a branch of a Parallel, the processor of a Map.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    pub start: NodeId,
    /// In the order of the definition.
    pub nodes: Vec<NodeId>,
    pub edges: Vec<Edge>,
    /// States after which the flow is over and has succeeded.
    pub ends: Vec<NodeId>,
}

/// A state, or a card that stands for several.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub name: String,
    pub kind: Kind,
    /// What it does, in a few words: the function's name, the seconds to wait.
    pub detail: Option<String>,
    pub comment: Option<String>,
    /// How often it is tried again at most, by all its retriers; 0 without.
    pub retries: u64,
    /// Branches, or the processor.
    pub flows: Vec<FlowId>,
    /// The names of the states or branches that a card stands for, the first of them if there are many.
    pub stands_for: Vec<String>,
    /// How many states or branches a card stands for; 1 for a state.
    pub count: usize,
    /// What became of it in the execution; `None` where it was not reached, and without an execution.
    pub mark: Option<Mark>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Task,
    Pass,
    Choice,
    Wait,
    Succeed,
    Fail,
    Parallel,
    Map,
    /// `… 180 more like these`
    More,
}

impl Kind {
    /// As the definition's `Type` has it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Task => "Task",
            Kind::Pass => "Pass",
            Kind::Choice => "Choice",
            Kind::Wait => "Wait",
            Kind::Succeed => "Succeed",
            Kind::Fail => "Fail",
            Kind::Parallel => "Parallel",
            Kind::Map => "Map",
            Kind::More => "More",
        }
    }
}

/// A way from one state to another of the same flow.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    pub from: NodeId,
    pub to: NodeId,
    pub kind: EdgeKind,
    /// Conditions or error names, any one of which leads here. In full.
    pub labels: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EdgeKind {
    Next,
    /// Of a Choice, its default included.
    Rule,
    Catch,
}

impl Flow {
    /// Adds a way; one more reason to go where the state can go already becomes a label of that edge.
    pub(crate) fn connect(&mut self, from: NodeId, to: NodeId, kind: EdgeKind, label: Option<String>) {
        // The edges of a state are added one after the other.
        let of_state = self.edges.iter_mut().rev().take_while(|edge| edge.from == from).take(SEARCHED);
        let same = of_state.into_iter().find(|edge| edge.to == to && edge.kind == kind);
        match same {
            Some(edge) => edge.labels.extend(label),
            None => self.edges.push(Edge { from, to, kind, labels: label.into_iter().collect() }),
        }
    }
}

/// Edges of one state that are looked through for one with the same target.
const SEARCHED: usize = 400;

impl Graph {
    /// Every state that is drawn, with its flow.
    pub fn shown(&self) -> impl Iterator<Item = (FlowId, NodeId)> + '_ {
        let flows = self.shown_flows();
        flows.into_iter().flat_map(|flow| self.flows[flow].nodes.iter().map(move |&node| (flow, node)))
    }

    /// The flows that are drawn, each after the one around it.
    pub(crate) fn shown_flows(&self) -> Vec<FlowId> {
        let mut flows = vec![0];
        let mut at = 0;
        while let Some(&flow) = flows.get(at) {
            flows.extend(self.flows[flow].nodes.iter().flat_map(|&node| &self.nodes[node].flows));
            at += 1;
        }
        flows
    }
}
