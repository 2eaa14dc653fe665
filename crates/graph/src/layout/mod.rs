//! Where everything is: each flow in layers from top to bottom, flows inside of a state side by side below its head.

mod columns;
mod flow;
mod layered;
mod order;
mod route;

use crate::card::Card;
use crate::model::{FlowId, Graph, NodeId};
pub(crate) use flow::Dot;
use flow::Local;
pub(crate) use route::{Path, Step};

/// Inside of a state that holds others, around them.
const PAD: f64 = 14.0;
/// Inside of a branch, around its states.
const LANE_PAD: f64 = 12.0;
const LANE_GAP: f64 = 12.0;
/// Branches go on in a next row beyond this width.
const WIDE: f64 = 1_000.0;
/// Of many branches, how much wider than high they may be together.
const ASPECT: f64 = 1.8;

/// In pixels; `x` and `y` are the upper left corner.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Rect {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// A line from state to state, or from the start, or to the end.
pub(crate) struct Line {
    pub(crate) flow: FlowId,
    /// Of the flow; `None` from the start and to the end.
    pub(crate) edge: Option<usize>,
    /// The state it comes from; `None` from the start.
    pub(crate) from: Option<NodeId>,
    pub(crate) path: Path,
    pub(crate) arrow: bool,
}

/// The whole drawing.
#[derive(Default)]
pub(crate) struct Layout {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// States, outer ones first.
    pub(crate) states: Vec<(NodeId, Rect)>,
    /// Branches and processors.
    pub(crate) lanes: Vec<(FlowId, Rect)>,
    /// Where flows start and end.
    pub(crate) dots: Vec<(Dot, f64, f64)>,
    pub(crate) lines: Vec<Line>,
    /// What is written on lines: flow, edge, and where.
    pub(crate) labels: Vec<(FlowId, usize, Rect)>,
    /// Lines that would be too long end in the name of the state they lead to: flow, edge (`None` to the end), and where.
    pub(crate) stubs: Vec<(FlowId, Option<usize>, Rect)>,
}

/// The size of a state, and where its flows are in it.
pub(crate) struct Frame {
    width: f64,
    height: f64,
    lanes: Vec<(FlowId, Rect)>,
}

/// Finds the places of all that is shown.
pub(crate) fn layout(graph: &Graph, cards: &[Option<Card>]) -> Layout {
    let order = graph.shown_flows();
    let mut locals: Vec<Option<Local>> = graph.flows.iter().map(|_| None).collect();
    let mut frames: Vec<Option<Frame>> = graph.nodes.iter().map(|_| None).collect();
    // Inner flows first: the states around them are as large as they make them.
    for &flow in order.iter().rev() {
        for &node in &graph.flows[flow].nodes {
            frames[node] = cards[node].as_ref().map(|card| frame(graph, node, card, &locals));
        }
        locals[flow] = Some(Local::new(graph, flow, &frames));
    }
    let mut result = Layout::default();
    let mut origins = vec![(0.0, 0.0); graph.flows.len()];
    for &flow in &order {
        let Some(local) = locals[flow].take() else { continue };
        let (x, y) = origins[flow];
        if flow == 0 {
            (result.width, result.height) = (local.width, local.height);
        }
        for (node, rect) in local.place(x, y, graph, flow, &mut result) {
            for (inner, lane) in frames[node].iter().flat_map(|frame| &frame.lanes) {
                let lane = Rect { x: lane.x + rect.x, y: lane.y + rect.y, ..*lane };
                let inner_width = locals[*inner].as_ref().map_or(0.0, |local| local.width);
                origins[*inner] = (lane.x + (lane.width - inner_width) / 2.0, lane.y + LANE_PAD);
                result.lanes.push((*inner, lane));
            }
        }
    }
    result
}

fn frame(graph: &Graph, node: NodeId, card: &Card, locals: &[Option<Local>]) -> Frame {
    let flows = &graph.nodes[node].flows;
    if flows.is_empty() {
        return Frame { width: card.width, height: card.height, lanes: Vec::new() };
    }
    let sizes: Vec<(f64, f64)> = flows
        .iter()
        .filter_map(|&flow| locals[flow].as_ref())
        .map(|local| (local.width + 2.0 * LANE_PAD, local.height + 2.0 * LANE_PAD))
        .collect();
    let area: f64 = sizes.iter().map(|size| (size.0 + LANE_GAP) * (size.1 + LANE_GAP)).sum();
    let most = (area * ASPECT).sqrt().max(WIDE);
    let (mut x, mut y, mut row_height, mut row_start) = (PAD, card.height, 0.0_f64, 0);
    let (mut right, mut lanes) = (0.0_f64, Vec::<(FlowId, Rect)>::new());
    let mut rows = Vec::new();
    for (&flow, &(width, height)) in flows.iter().zip(&sizes) {
        if x > PAD && x + width > most {
            rows.push((row_start..lanes.len(), row_height));
            (x, y, row_height, row_start) = (PAD, y + row_height + LANE_GAP, 0.0, lanes.len());
        }
        lanes.push((flow, Rect { x, y, width, height }));
        x += width + LANE_GAP;
        row_height = row_height.max(height);
        right = right.max(x - LANE_GAP);
    }
    rows.push((row_start..lanes.len(), row_height));
    let inner = right.max(card.width - PAD);
    for (row, height) in rows {
        // Lanes of a row are equally high, and fill the width together if it is the only row.
        let last = lanes[row.end - 1].1;
        let spare = if y == card.height { (inner - last.x - last.width) / row.len() as f64 } else { 0.0 };
        for (index, (_, lane)) in lanes[row].iter_mut().enumerate() {
            lane.height = height;
            lane.x += spare * index as f64;
            lane.width += spare;
        }
    }
    Frame { width: inner + PAD, height: y + row_height + PAD, lanes }
}
