//! The drawing in Graphviz's language. A state that holds others is a cluster; lines to and from it are tied to
//! something inside, as Graphviz wants it, and cut off at the cluster's edge.
//!
//! Source: <https://graphviz.org/doc/info/lang.html>.

use crate::model::{EdgeKind, FlowId, Graph, Kind, NodeId};
use crate::nested::{Todo, write_nested};
use crate::words::{shortened, visible};
use std::fmt::Write;

pub(crate) fn draw(graph: &Graph) -> String {
    let mut text = format!("digraph {} {{\n{HEAD}", quoted(&graph.name, usize::MAX));
    write_nested(&mut text, |flow, depth, todo| write_flow(graph, flow, depth, todo));
    let ties = ties(graph);
    for flow in graph.shown_flows() {
        write_edges(graph, flow, &ties, &mut text);
    }
    text.push_str("}\n");
    text
}

const HEAD: &str = "  graph [compound=true, fontname=\"Helvetica,Arial,sans-serif\", fontsize=11, nodesep=0.35, ranksep=0.45];
  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica,Arial,sans-serif\", fontsize=11, margin=\"0.15,0.08\"];
  edge [color=\"#7b8aa0\", fontname=\"Helvetica,Arial,sans-serif\", fontsize=9, arrowsize=0.7];
";

fn write_flow(graph: &Graph, flow: FlowId, depth: usize, todo: &mut Vec<Todo>) {
    let indent = "  ".repeat(depth.min(20));
    if has_dots(graph, flow) {
        let style = "[shape=circle, label=\"\", width=0.15, fillcolor=\"#334155\"]";
        todo.push(Todo::Line(format!("{indent}start{flow} {style};\n")));
        if !graph.flows[flow].ends.is_empty() {
            let style = "[shape=doublecircle, label=\"\", width=0.1, fillcolor=\"#334155\"]";
            todo.push(Todo::Line(format!("{indent}end{flow} {style};\n")));
        }
    }
    for &node in &graph.flows[flow].nodes {
        let label = label(graph, node);
        let (fill, border) = colours(graph, node);
        let inner = &graph.nodes[node].flows;
        if inner.is_empty() {
            let shape = match graph.nodes[node].kind {
                Kind::Choice => "shape=hexagon, style=filled, ",
                Kind::More => "style=\"rounded,filled,dashed\", ",
                _ => "",
            };
            let style = format!("{shape}fillcolor=\"{fill}\", color=\"{border}\"");
            todo.push(Todo::Line(format!("{indent}s{node} [label={label}, {style}];\n")));
            continue;
        }
        let style = format!("label={label}; style=rounded; color=\"{border}\"; labeljust=l;");
        todo.push(Todo::Line(format!("{indent}subgraph cluster_s{node} {{ {style}\n")));
        for &lane in inner {
            let style = "label=\"\"; style=\"rounded,dashed\"; color=\"#c3cedb\";";
            todo.push(Todo::Line(format!("{indent}  subgraph cluster_lane{lane} {{ {style}\n")));
            todo.push(Todo::Flow(lane, depth + 2));
            todo.push(Todo::Line(format!("{indent}  }}\n")));
        }
        todo.push(Todo::Line(format!("{indent}}}\n")));
    }
}

fn has_dots(graph: &Graph, flow: FlowId) -> bool {
    flow == 0 || graph.flows[flow].nodes.len() > 1
}

/// Of each state, what lines to and from it are tied to: itself, or for a cluster where its first flow starts and ends.
fn ties(graph: &Graph) -> Vec<(String, String)> {
    let mut ties: Vec<(String, String)> =
        (0..graph.nodes.len()).map(|node| (format!("s{node}"), format!("s{node}"))).collect();
    // Inner states first.
    for &outer in graph.shown_flows().iter().rev() {
        for &node in &graph.flows[outer].nodes {
            let Some(&first) = graph.nodes[node].flows.first() else { continue };
            let flow = &graph.flows[first];
            let dots = has_dots(graph, first);
            let head = if dots { format!("start{first}") } else { ties[flow.start].0.clone() };
            let tail = match flow.ends.last() {
                Some(_) if dots => format!("end{first}"),
                Some(&last) => ties[last].1.clone(),
                None => ties[flow.start].1.clone(),
            };
            ties[node] = (head, tail);
        }
    }
    ties
}

fn write_edges(graph: &Graph, flow: FlowId, ties: &[(String, String)], text: &mut String) {
    let states = &graph.flows[flow];
    let cluster = |node: NodeId| !graph.nodes[node].flows.is_empty();
    // Writing to a string cannot fail.
    let mut put = |from: &str, to: &str, attributes: &[String]| {
        let _ = writeln!(text, "  {from} -> {to} [{}];", attributes.join(", "));
    };
    let tail = |node: NodeId| cluster(node).then(|| format!("ltail=cluster_s{node}"));
    let head = |node: NodeId| cluster(node).then(|| format!("lhead=cluster_s{node}"));
    if has_dots(graph, flow) {
        let attributes: Vec<String> = head(states.start).into_iter().collect();
        put(&format!("start{flow}"), &ties[states.start].0, &attributes);
    }
    for edge in &states.edges {
        let mut attributes: Vec<String> = tail(edge.from).into_iter().chain(head(edge.to)).collect();
        if !edge.labels.is_empty() {
            let mut lines: Vec<String> =
                edge.labels.iter().take(MOST_LABELS).map(|label| shortened(label, 60)).collect();
            if edge.labels.len() > MOST_LABELS {
                lines.push(format!("… {} more", edge.labels.len() - MOST_LABELS));
            }
            attributes.push(format!("label={}", quoted_lines(&lines)));
        }
        if edge.kind == EdgeKind::Catch {
            attributes.push("style=dashed, color=\"#d9534f\", fontcolor=\"#b3322e\"".to_owned());
        }
        put(&ties[edge.from].1, &ties[edge.to].0, &attributes);
    }
    if has_dots(graph, flow) {
        for &end in &states.ends {
            let attributes: Vec<String> = tail(end).into_iter().collect();
            put(&ties[end].1, &format!("end{flow}"), &attributes);
        }
    }
}

const MOST_LABELS: usize = 3;

fn label(graph: &Graph, node: NodeId) -> String {
    quoted_lines(&graph.lines_of(node).iter().map(|line| shortened(line, 80)).collect::<Vec<_>>())
}

/// Fill and border, by the outcome where there is an execution.
fn colours(graph: &Graph, node: NodeId) -> (&'static str, &'static str) {
    let node = &graph.nodes[node];
    let what = match (&node.mark, &graph.execution) {
        (Some(mark), _) => mark.outcome().word(),
        (None, Some(_)) => return ("#ffffff", "#c3cedb"),
        (None, None) => node.kind.name(),
    };
    match what {
        "Task" => ("#f3f7ff", "#2563eb"),
        "Choice" => ("#fffaf0", "#d97706"),
        "Wait" => ("#f9f6ff", "#7c3aed"),
        "Succeed" | "succeeded" => ("#ecfaf0", "#16a34a"),
        "Fail" | "failed" => ("#ffefef", "#dc2626"),
        "Parallel" => ("#f2fbfa", "#0d9488"),
        "Map" => ("#fdf5fb", "#c026a3"),
        "retried" => ("#eaf7fe", "#0284c7"),
        "caught" => ("#fff6e5", "#d97706"),
        _ => ("#f1f5f9", "#64748b"),
    }
}

fn quoted_lines(lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| escaped(line)).collect();
    format!("\"{}\"", lines.join("\\n"))
}

fn quoted(text: &str, most: usize) -> String {
    format!("\"{}\"", escaped(&shortened(text, most)))
}

/// Text between quotes. Graphviz reads `\N` and HTML entities there too.
fn escaped(text: &str) -> String {
    visible(text).replace('\\', "\\\\").replace('"', "\\\"").replace('&', "&amp;")
}
