//! What an execution did, laid over the states.

use crate::model::{Graph, NodeId};
use std::collections::{BTreeSet, HashMap};

/// An execution that is over, as far as a drawing needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Execution {
    /// In Step Functions' words: `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED`.
    pub status: String,
    /// From the first event to the last, in microseconds.
    pub duration_us: u64,
    /// In any order.
    pub visits: Vec<Visit>,
}

/// One visit of a state. Times are microseconds since the execution started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    pub state: String,
    pub entered_us: u64,
    /// `None` for one that was never left.
    pub exited_us: Option<u64>,
    pub outcome: Outcome,
}

/// How a visit ended. The later in this list, the more it stands out among several visits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    Succeeded,
    /// After at least one try that failed.
    Retried,
    /// Failed, and a catcher took over.
    Caught,
    /// Not over when the execution ended.
    Stopped,
    Failed,
}

impl Outcome {
    pub(crate) const ALL: [Self; 5] =
        [Self::Succeeded, Self::Retried, Self::Caught, Self::Stopped, Self::Failed];

    /// One word, also a class of the drawing.
    pub fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Retried => "retried",
            Self::Caught => "caught",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }
}

/// All visits of one state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// By outcome, in the order of [`Outcome`].
    pub visits: [usize; 5],
    /// The sum over all visits, in microseconds, also where they were at the same time.
    pub total_us: u64,
    /// The longest visit, in microseconds.
    pub longest_us: u64,
}

impl Mark {
    /// What stands out most. A mark has at least one visit.
    pub fn outcome(&self) -> Outcome {
        let worst = Outcome::ALL.into_iter().rev().find(|outcome| self.visits[*outcome as usize] > 0);
        worst.unwrap_or(Outcome::Succeeded)
    }

    pub fn count(&self) -> usize {
        self.visits.iter().sum()
    }

    fn add(&mut self, outcome: Outcome, took_us: u64) {
        self.visits[outcome as usize] += 1;
        self.total_us += took_us;
        self.longest_us = self.longest_us.max(took_us);
    }

    /// Together with what became of another state.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (here, there) in self.visits.iter_mut().zip(other.visits) {
            *here += there;
        }
        self.total_us += other.total_us;
        self.longest_us = self.longest_us.max(other.longest_us);
    }
}

impl Graph {
    /// Lays an execution over the drawing. Call it before [`Graph::collapse`], which keeps apart what went differently.
    ///
    /// # Errors
    /// The names of states that the execution was in and this machine does not have, sorted: it ran another definition.
    pub fn mark(&mut self, execution: Execution) -> Result<(), Vec<String>> {
        let mut by_name: HashMap<&str, Vec<NodeId>> = HashMap::new();
        for (id, node) in self.nodes.iter().enumerate() {
            by_name.entry(&node.name).or_default().push(id);
        }
        let around = Around::new(self, &execution);
        let mut unknown = BTreeSet::new();
        let mut marks: Vec<Option<Mark>> = vec![None; self.nodes.len()];
        for visit in &execution.visits {
            let Some(nodes) = by_name.get(visit.state.as_str()) else {
                unknown.insert(visit.state.clone());
                continue;
            };
            for &node in nodes {
                let left = visit.exited_us.or_else(|| around.left_us(node, visit.entered_us));
                let left = left.unwrap_or(execution.duration_us);
                let mark = marks[node].get_or_insert_default();
                mark.add(visit.outcome, left.saturating_sub(visit.entered_us));
            }
        }
        if !unknown.is_empty() {
            return Err(unknown.into_iter().collect());
        }
        for (node, mark) in self.nodes.iter_mut().zip(marks) {
            node.mark = mark;
        }
        self.execution = Some(execution);
        Ok(())
    }
}

/// When the states around a state were left: nothing in them went on after that.
struct Around<'a> {
    /// Of each state, the one that it is in.
    outer: Vec<Option<NodeId>>,
    names: Vec<&'a str>,
    /// When visits ended that did.
    exits: HashMap<&'a str, Vec<u64>>,
}

impl<'a> Around<'a> {
    fn new(graph: &'a Graph, execution: &'a Execution) -> Self {
        let mut outer = vec![None; graph.nodes.len()];
        for (id, node) in graph.nodes.iter().enumerate() {
            for &inner in node.flows.iter().flat_map(|&flow| &graph.flows[flow].nodes) {
                outer[inner] = Some(id);
            }
        }
        let mut exits: HashMap<&str, Vec<u64>> = HashMap::new();
        for visit in &execution.visits {
            exits.entry(&visit.state).or_default().extend(visit.exited_us);
        }
        exits.values_mut().for_each(|exits| exits.sort_unstable());
        Self { outer, names: graph.nodes.iter().map(|node| node.name.as_str()).collect(), exits }
    }

    /// The first moment after `entered_us` at which a state around was left.
    fn left_us(&self, node: NodeId, entered_us: u64) -> Option<u64> {
        let mut around = self.outer[node];
        let mut first = None;
        while let Some(outer) = around {
            let exits = self.exits.get(self.names[outer]).map_or(&[][..], Vec::as_slice);
            let exit = exits.get(exits.partition_point(|exit| *exit < entered_us)).copied();
            first = first.into_iter().chain(exit).min();
            around = self.outer[outer];
        }
        first
    }
}
