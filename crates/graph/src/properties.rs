//! What holds for every machine, whatever its shape and its names.

use crate::card::Card;
use crate::execution::Mark;
use crate::layout::{Layout, Rect, Step, layout};
use crate::model::{EdgeKind, Flow, Graph, Kind, Node};
use proptest::prelude::*;
use std::collections::HashSet;

/// A state: name, kind, where it leads to (in its flow, by a number of any size), and the flow that it is in.
type Draft = (String, u8, Vec<(usize, u8)>, usize);

const KINDS: [Kind; 6] = [Kind::Task, Kind::Pass, Kind::Choice, Kind::Wait, Kind::Succeed, Kind::Fail];

fn drafts() -> impl Strategy<Value = Vec<Draft>> {
    let name = prop_oneof![".{0,80}", "[A-Za-z]{1,12}", "[<>&\"'\\\\\\n\\t#;{}\\[\\]|-]{0,9}"];
    let edges = prop::collection::vec((any::<usize>(), any::<u8>()), 0..4);
    prop::collection::vec((name, any::<u8>(), edges, 0_usize..6), 1..40)
}

/// Puts the states into six flows; a flow that has states is inside of a state of the flow before it.
fn build(drafts: Vec<Draft>) -> Graph {
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); 6];
    for (id, draft) in drafts.iter().enumerate() {
        members[if id == 0 { 0 } else { draft.3 }].push(id);
    }
    members.retain(|members| !members.is_empty());
    let mut nodes: Vec<Node> = drafts
        .iter()
        .map(|(name, kind, ..)| Node {
            name: name.clone(),
            kind: KINDS[usize::from(*kind) % KINDS.len()],
            detail: (kind % 3 == 0).then(|| name.clone()),
            comment: (kind % 5 == 0).then(|| name.clone()),
            retries: u64::from(kind % 2),
            flows: Vec::new(),
            stands_for: Vec::new(),
            count: 1,
            mark: (kind % 7 == 0).then_some(Mark {
                visits: [1, 0, 0, 2, 0],
                total_us: 1_234,
                longest_us: 1_000,
            }),
        })
        .collect();
    for inner in 1..members.len() {
        let around = members[inner - 1][inner % members[inner - 1].len()];
        nodes[around].flows.push(inner);
        nodes[around].kind = if inner % 2 == 0 { Kind::Map } else { Kind::Parallel };
    }
    let flows = members.iter().map(|members| flow(members, &drafts)).collect();
    Graph { name: drafts[0].0.clone(), comment: Some(drafts[0].0.clone()), flows, nodes, execution: None }
}

fn flow(members: &[usize], drafts: &[Draft]) -> Flow {
    let mut flow = Flow { start: members[0], nodes: members.to_vec(), edges: Vec::new(), ends: Vec::new() };
    for &from in members {
        for (to, kind) in &drafts[from].2 {
            let kinds = [EdgeKind::Next, EdgeKind::Rule, EdgeKind::Catch];
            let kind = kinds[usize::from(*kind) % 3];
            let label = (kind != EdgeKind::Next).then(|| drafts[from].0.clone());
            flow.connect(from, members[to % members.len()], kind, label);
        }
        if drafts[from].2.is_empty() {
            flow.ends.push(from);
        }
    }
    flow
}

fn placed(graph: &Graph) -> Layout {
    let cards: Vec<Option<Card>> = graph.nodes.iter().map(|node| Some(Card::new(node))).collect();
    layout(graph, &cards)
}

fn overlap(a: &Rect, b: &Rect) -> bool {
    a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

fn holds(outer: &Rect, inner: &Rect) -> bool {
    outer.x <= inner.x + 0.01
        && outer.y <= inner.y + 0.01
        && outer.x + outer.width + 0.01 >= inner.x + inner.width
        && outer.y + outer.height + 0.01 >= inner.y + inner.height
}

/// Points along a line, a few for each step.
fn points(line: &crate::layout::Path) -> Vec<(f64, f64)> {
    let mut here = line.start;
    let mut points = vec![here];
    for step in &line.steps {
        let (first, second, end) = match *step {
            Step::Line(end) => (here, end, end),
            Step::Curve(first, second, end) => (first, second, end),
        };
        for part in 1..=8 {
            let t = f64::from(part) / 8.0;
            let u = 1.0 - t;
            let at = |a: f64, b: f64, c: f64, d: f64| {
                u * u * u * a + 3.0 * u * u * t * b + 3.0 * u * t * t * c + t * t * t * d
            };
            points.push((at(here.0, first.0, second.0, end.0), at(here.1, first.1, second.1, end.1)));
        }
        here = end;
    }
    points
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn states_of_a_flow_do_not_overlap(drafts in drafts()) {
        let graph = build(drafts);
        let layout = placed(&graph);
        prop_assert_eq!(layout.states.len(), graph.nodes.len());
        let mut rects = vec![Rect::default(); graph.nodes.len()];
        let whole = Rect { x: 0.0, y: 0.0, width: layout.width, height: layout.height };
        for (node, rect) in &layout.states {
            prop_assert!(holds(&whole, rect), "{:?} is outside of {:?}", rect, whole);
            rects[*node] = *rect;
        }
        for flow in &graph.flows {
            for (at, &first) in flow.nodes.iter().enumerate() {
                for &second in &flow.nodes[at + 1..] {
                    prop_assert!(!overlap(&rects[first], &rects[second]));
                }
            }
        }
        for (lane, rect) in &layout.lanes {
            for &node in &graph.flows[*lane].nodes {
                prop_assert!(holds(rect, &rects[node]), "a state leaves its branch");
            }
        }
    }

    #[test]
    fn no_label_lies_on_a_state_and_no_line_crosses_one(drafts in drafts()) {
        let graph = build(drafts);
        let layout = placed(&graph);
        let graph = &graph;
        let of_flow = |flow: usize| {
            layout.states.iter().filter(move |(node, _)| graph.flows[flow].nodes.contains(node))
        };
        for (flow, _, label) in &layout.labels {
            for (_, state) in of_flow(*flow) {
                prop_assert!(!overlap(label, state));
            }
        }
        for line in &layout.lines {
            for (_, state) in of_flow(line.flow) {
                let inner = Rect { x: state.x + 1.0, y: state.y + 1.0, width: state.width - 2.0, height: state.height - 2.0 };
                for (x, y) in points(&line.path) {
                    prop_assert!(!overlap(&inner, &Rect { x, y, width: 0.0, height: 0.0 }), "at {x}, {y}");
                }
            }
        }
    }

    #[test]
    fn svg_is_xml_and_has_every_state(drafts in drafts()) {
        let graph = build(drafts);
        let text = crate::svg::draw(&graph);
        let document = roxmltree::Document::parse(&text).expect("XML");
        let titles: HashSet<&str> = document
            .descendants()
            .filter(|element| element.has_tag_name("title"))
            .filter_map(|title| title.text())
            .collect();
        for node in &graph.nodes {
            let name: Vec<String> = node.name.split('\n').map(crate::words::visible).collect();
            let wanted = name.join("\n");
            prop_assert!(titles.iter().any(|title| title.starts_with(&*wanted)), "{:?} is missing", wanted);
        }
        let scripts = document.descendants().filter(|element| element.has_tag_name("script"));
        prop_assert_eq!(scripts.count(), 0);
    }

    #[test]
    fn text_formats_keep_names_inside_of_their_quotes(drafts in drafts()) {
        let graph = build(drafts);
        for line in crate::mermaid::draw(&graph).lines() {
            prop_assert!(line.matches('"').count() % 2 == 0 && !line.contains('\u{0}'), "{}", line);
        }
        for line in crate::dot::draw(&graph).lines() {
            let quotes = line.replace("\\\\", "").replace("\\\"", "");
            prop_assert!(quotes.matches('"').count() % 2 == 0, "{}", line);
        }
    }

    #[test]
    fn collapsing_loses_no_state(drafts in drafts()) {
        let mut graph = build(drafts);
        let flows_before = graph.shown().count();
        graph.collapse();
        let shown: usize = graph.shown().map(|(_, node)| graph.nodes[node].count).sum();
        // Cards stand for branches where those hold several states.
        prop_assert!(shown <= flows_before && placed(&graph).states.len() == graph.shown().count());
    }
}
