//! One flow, laid out by itself from its own corner.

use super::columns::columns;
use super::layered::{Class, Input, Layers, Link, STUB, Size};
use super::order::order;
use super::route::{Grid, Path};
use super::{Frame, Layout, Line, Rect};
use crate::card::Chip;
use crate::model::{EdgeKind, FlowId, Graph, NodeId};

/// Where a flow starts, and where it ends well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dot {
    Start,
    End,
}

const DOT: f64 = 16.0;
/// Beside a state that leads to itself, for the loop.
const LOOP: f64 = 30.0;

/// A flow with its places.
pub(super) struct Local {
    pub(super) width: f64,
    pub(super) height: f64,
    /// Centres of the states, then of the dots.
    centres: Vec<Size>,
    sizes: Vec<Size>,
    dots: Vec<Dot>,
    lines: Vec<LocalLine>,
    labels: Vec<(usize, Rect)>,
    stubs: Vec<(Option<usize>, Rect)>,
}

struct LocalLine {
    edge: Option<usize>,
    from: Option<NodeId>,
    path: Path,
    arrow: bool,
}

/// What a link stands for.
struct Meaning {
    edge: Option<usize>,
    from: Option<NodeId>,
}

/// A state that leads to itself: its place in the flow, the edge, and the label's size.
type SelfLoop = (usize, usize, Size);

impl Local {
    pub(super) fn new(graph: &Graph, flow: FlowId, frames: &[Option<Frame>]) -> Self {
        let states = &graph.flows[flow];
        let frame_size =
            |&node: &NodeId| frames[node].as_ref().map_or((0.0, 0.0), |frame| (frame.width, frame.height));
        let sizes: Vec<Size> = states.nodes.iter().map(frame_size).collect();
        let mut position = std::collections::HashMap::new();
        position.extend(states.nodes.iter().enumerate().map(|(place, &node)| (node, place)));
        let mut loops: Vec<SelfLoop> = Vec::new();
        let mut links = Vec::new();
        let mut meanings = Vec::new();
        for (index, edge) in states.edges.iter().enumerate() {
            let label = Chip::new(edge).map(|chip| (chip.width, chip.height));
            let (from, to) = (position[&edge.from], position[&edge.to]);
            if from == to {
                loops.push((from, index, label.unwrap_or((0.0, 0.0))));
            } else {
                links.push(Link {
                    from,
                    to,
                    label,
                    class: if edge.kind == EdgeKind::Catch { Class::Catch } else { Class::Main },
                });
                meanings.push(Meaning { edge: Some(index), from: Some(edge.from) });
            }
        }
        let margins = vec![0.0; sizes.len()];
        let mut input = Input { sizes, margins, links, first: position[&states.start] };
        // The loop is on the right; as much is left free on the left, so that the state stays in the middle.
        for &(place, _, label) in &loops {
            input.margins[place] = input.margins[place].max(LOOP + label.0);
        }
        let mut dots = Vec::new();
        if flow == 0 || states.nodes.len() > 1 {
            input.add_dot();
            dots.push(Dot::Start);
            let first = input.first;
            input.first = input.sizes.len() - 1;
            input.links.push(Link { from: input.first, to: first, label: None, class: Class::Main });
            meanings.push(Meaning { edge: None, from: None });
            if !states.ends.is_empty() {
                input.add_dot();
                dots.push(Dot::End);
                let to = input.sizes.len() - 1;
                for end in &states.ends {
                    input.links.push(Link { from: position[end], to, label: None, class: Class::Main });
                    meanings.push(Meaning { edge: None, from: Some(*end) });
                }
            }
        }
        let mut local = Self::arrange(&input, &meanings, dots);
        for self_loop in &loops {
            local.add_loop(self_loop, states.nodes[self_loop.0]);
        }
        local
    }

    fn arrange(input: &Input, meanings: &[Meaning], dots: Vec<Dot>) -> Self {
        let mut layers = Layers::new(input);
        order(&mut layers);
        let x = columns(&layers);
        let grid = Grid::new(&layers, x);
        let mut local = Self {
            width: grid.width(),
            height: grid.height(),
            centres: (0..input.sizes.len()).map(|vertex| grid.centre(vertex)).collect(),
            sizes: input.sizes.clone(),
            dots,
            lines: Vec::new(),
            labels: Vec::new(),
            stubs: Vec::new(),
        };
        for (way, meaning) in layers.ways.iter().zip(meanings) {
            let path = grid.path(way);
            local.lines.push(LocalLine { edge: meaning.edge, from: meaning.from, path, arrow: !way.joins });
            if let (Some(vertex), Some(edge)) = (way.label, meaning.edge) {
                local.labels.push((edge, around(grid.centre(vertex), layers.sizes[vertex])));
            }
            if let Some(&last) = way.vertices.last().filter(|_| way.stub) {
                local.stubs.push((meaning.edge, around(grid.centre(last), STUB)));
            }
        }
        local
    }

    fn add_loop(&mut self, &(place, edge, label): &SelfLoop, node: NodeId) {
        let ((x, y), (width, _)) = (self.centres[place], self.sizes[place]);
        let right = x + width / 2.0;
        self.lines.push(LocalLine {
            edge: Some(edge),
            from: Some(node),
            path: Path::self_loop(right, y, LOOP - 8.0),
            arrow: true,
        });
        if label.0 > 0.0 {
            self.labels.push((edge, around((right + LOOP - 8.0 + label.0 / 2.0, y), label)));
        }
    }

    /// Adds everything to the drawing with the corner at `x`, `y`; returns where the states are.
    pub(super) fn place(
        self,
        x: f64,
        y: f64,
        graph: &Graph,
        flow: FlowId,
        to: &mut Layout,
    ) -> Vec<(NodeId, Rect)> {
        let moved = |rect: Rect| Rect { x: rect.x + x, y: rect.y + y, ..rect };
        let nodes = &graph.flows[flow].nodes;
        let rects = self.centres.iter().zip(&self.sizes).map(|(&centre, &size)| moved(around(centre, size)));
        let states: Vec<(NodeId, Rect)> = nodes.iter().copied().zip(rects).collect();
        to.states.extend(&states);
        let dots = self.dots.iter().zip(&self.centres[nodes.len()..]);
        to.dots.extend(dots.map(|(&dot, centre)| (dot, centre.0 + x, centre.1 + y)));
        to.labels.extend(self.labels.into_iter().map(|(edge, rect)| (flow, edge, moved(rect))));
        to.stubs.extend(self.stubs.into_iter().map(|(edge, rect)| (flow, edge, moved(rect))));
        to.lines.extend(self.lines.into_iter().map(|line| Line {
            flow,
            edge: line.edge,
            from: line.from,
            path: line.path.moved(x, y),
            arrow: line.arrow,
        }));
        states
    }
}

impl Input {
    fn add_dot(&mut self) {
        self.sizes.push((DOT, DOT));
        self.margins.push(0.0);
    }
}

fn around((x, y): Size, (width, height): Size) -> Rect {
    Rect { x: x - width / 2.0, y: y - height / 2.0, width, height }
}
