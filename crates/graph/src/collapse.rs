//! Many that are alike become a few and a card that counts the others: nobody reads 200 equal branches.

use crate::execution::{Mark, Outcome};
use crate::model::{Edge, EdgeKind, Flow, FlowId, Graph, Kind, Node, NodeId};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

/// As many as this are all shown.
const MOST: usize = 8;
/// Of more, the first few, and a card after them.
const SHOWN: usize = 3;
/// Names that a card keeps.
const NAMES: usize = 40;

/// What two branches have in common that look the same: a number for each shape seen.
type Shape = usize;
/// Kind, outcome, and the shapes within.
type NodeShape = (Kind, Option<Outcome>, Vec<Shape>);
/// States, edges by position, start and ends.
type FlowShape = (Vec<NodeShape>, Vec<(usize, usize, EdgeKind)>, usize, Vec<usize>);

impl Graph {
    /// Shows a few of more than 8 branches of the same shape and outcome, and of states that lead from the same states
    /// to the same states; a card counts the others.
    pub fn collapse(&mut self) {
        let shapes = self.flow_shapes();
        for flow in 0..shapes.len() {
            self.collapse_siblings(flow, &shapes);
        }
        for node in 0..self.nodes.len() {
            self.collapse_branches(node, &shapes);
        }
    }

    /// The shape of each flow. Inner flows come after the ones around them, so that going backwards finds them done.
    fn flow_shapes(&self) -> Vec<Shape> {
        let mut known: HashMap<FlowShape, Shape> = HashMap::new();
        let mut shapes = vec![0; self.flows.len()];
        for (id, flow) in self.flows.iter().enumerate().rev() {
            let position: HashMap<NodeId, usize> =
                flow.nodes.iter().enumerate().map(|(position, &node)| (node, position)).collect();
            let states = flow.nodes.iter().map(|&node| self.node_shape(node, &shapes)).collect();
            let edges =
                flow.edges.iter().map(|edge| (position[&edge.from], position[&edge.to], edge.kind)).collect();
            let ends = flow.ends.iter().map(|end| position[end]).collect();
            let shape = (states, edges, position[&flow.start], ends);
            let next = known.len();
            shapes[id] = *known.entry(shape).or_insert(next);
        }
        shapes
    }

    fn node_shape(&self, node: NodeId, shapes: &[Shape]) -> NodeShape {
        let node = &self.nodes[node];
        let inner = node.flows.iter().map(|&flow| shapes[flow]).collect();
        (node.kind, node.mark.as_ref().map(Mark::outcome), inner)
    }

    fn collapse_branches(&mut self, node: NodeId, shapes: &[Shape]) {
        let flows = self.nodes[node].flows.clone();
        let groups = grouped(flows.iter().map(|&flow| shapes[flow]));
        if groups.iter().all(|group| group.len() <= MOST) {
            return;
        }
        let mut shown = Vec::new();
        for group in groups {
            let (kept, hidden) = group.split_at(if group.len() > MOST { SHOWN } else { group.len() });
            shown.extend(kept.iter().map(|&position| flows[position]));
            if !hidden.is_empty() {
                let starts: Vec<NodeId> =
                    hidden.iter().map(|&position| self.flows[flows[position]].start).collect();
                let card = self.add_card(&starts);
                let flow = Flow { start: card, nodes: vec![card], edges: Vec::new(), ends: Vec::new() };
                shown.push(self.flows.len());
                self.flows.push(flow);
            }
        }
        self.nodes[node].flows = shown;
    }

    fn collapse_siblings(&mut self, flow_id: FlowId, shapes: &[Shape]) {
        let flow = &self.flows[flow_id];
        let mut ways: HashMap<NodeId, Vec<(bool, NodeId, EdgeKind)>> = HashMap::new();
        for edge in &flow.edges {
            ways.entry(edge.from).or_default().push((true, edge.to, edge.kind));
            ways.entry(edge.to).or_default().push((false, edge.from, edge.kind));
        }
        ways.values_mut().for_each(|ways| ways.sort_unstable());
        let ends: HashSet<NodeId> = flow.ends.iter().copied().collect();
        let key = |&node: &NodeId| {
            let alone = (node == flow.start).then_some(node);
            (alone, self.node_shape(node, shapes), ends.contains(&node), ways.get(&node))
        };
        let groups = grouped(flow.nodes.iter().map(key));
        let mut card_of: HashMap<NodeId, NodeId> = HashMap::new();
        for group in groups.into_iter().filter(|group| group.len() > MOST) {
            let hidden: Vec<NodeId> =
                group[SHOWN..].iter().map(|&position| self.flows[flow_id].nodes[position]).collect();
            let card = self.add_card(&hidden);
            card_of.extend(hidden.into_iter().map(|node| (node, card)));
        }
        if !card_of.is_empty() {
            replace(&mut self.flows[flow_id], &card_of);
        }
    }

    fn add_card(&mut self, hidden: &[NodeId]) -> NodeId {
        let mut mark: Option<Mark> = None;
        for other in hidden.iter().filter_map(|&node| self.nodes[node].mark.clone()) {
            match &mut mark {
                Some(mark) => mark.merge(&other),
                None => mark = Some(other),
            }
        }
        self.nodes.push(Node {
            name: format!("… {} more like these", hidden.len()),
            kind: Kind::More,
            detail: None,
            comment: None,
            retries: 0,
            flows: Vec::new(),
            stands_for: hidden.iter().take(NAMES).map(|&node| self.nodes[node].name.clone()).collect(),
            count: hidden.len(),
            mark,
        });
        self.nodes.len() - 1
    }
}

/// Positions with the same key, groups and members in the order of their first.
fn grouped<K: std::hash::Hash + Eq>(keys: impl Iterator<Item = K>) -> Vec<Vec<usize>> {
    let mut group_of: HashMap<K, usize> = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (position, key) in keys.enumerate() {
        match group_of.entry(key) {
            Entry::Occupied(group) => groups[*group.get()].push(position),
            Entry::Vacant(vacant) => {
                vacant.insert(groups.len());
                groups.push(vec![position]);
            }
        }
    }
    groups
}

/// Puts cards in the place of what they stand for; the edges of those become one each.
fn replace(flow: &mut Flow, card_of: &HashMap<NodeId, NodeId>) {
    let shown = |node: NodeId| card_of.get(&node).copied().unwrap_or(node);
    let mut seen = HashSet::new();
    flow.nodes = flow.nodes.iter().map(|&node| shown(node)).filter(|node| seen.insert(*node)).collect();
    seen.clear();
    flow.ends = flow.ends.iter().map(|&node| shown(node)).filter(|node| seen.insert(*node)).collect();
    let mut position: HashMap<(NodeId, NodeId, EdgeKind), usize> = HashMap::new();
    let mut edges: Vec<Edge> = Vec::new();
    for edge in std::mem::take(&mut flow.edges) {
        let edge = Edge { from: shown(edge.from), to: shown(edge.to), ..edge };
        match position.entry((edge.from, edge.to, edge.kind)) {
            Entry::Occupied(first) => edges[*first.get()].labels.extend(edge.labels),
            Entry::Vacant(vacant) => {
                vacant.insert(edges.len());
                edges.push(edge);
            }
        }
    }
    flow.edges = edges;
}
