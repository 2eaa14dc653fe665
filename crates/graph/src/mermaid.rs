//! The drawing as a Mermaid flowchart: of Mermaid's kinds of diagram the one that draws states within states, arrows
//! with text, and any text.
//!
//! Source: <https://mermaid.js.org/syntax/flowchart.html>.

use crate::model::{EdgeKind, FlowId, Graph, Kind, NodeId};
use crate::nested::{Todo, write_nested};
use crate::words::{shortened, visible};
use std::fmt::Write;

pub(crate) fn draw(graph: &Graph) -> String {
    let mut text = String::from("flowchart TD\n");
    write_nested(&mut text, |flow, depth, todo| write_flow(graph, flow, depth, todo));
    for flow in graph.shown_flows() {
        write_edges(graph, flow, &mut text);
    }
    write_classes(graph, &mut text);
    text
}

fn write_flow(graph: &Graph, flow: FlowId, depth: usize, todo: &mut Vec<Todo>) {
    let indent = "  ".repeat(depth.min(20));
    let dots = has_dots(graph, flow);
    if dots {
        todo.push(Todo::Line(format!("{indent}start{flow}((\" \"))\n")));
    }
    for &node in &graph.flows[flow].nodes {
        let inner = &graph.nodes[node].flows;
        if inner.is_empty() {
            todo.push(Todo::Line(format!("{indent}{}\n", shape(graph, node))));
            continue;
        }
        todo.push(Todo::Line(format!("{indent}subgraph s{node}[\"{}\"]\n", label(graph, node))));
        for &lane in inner {
            let own_frame = inner.len() > 1 && graph.flows[lane].nodes.len() > 1;
            if own_frame {
                todo.push(Todo::Line(format!("{indent}  subgraph lane{lane}[\" \"]\n")));
            }
            todo.push(Todo::Flow(lane, depth + 1 + usize::from(own_frame)));
            if own_frame {
                todo.push(Todo::Line(format!("{indent}  end\n")));
            }
        }
        todo.push(Todo::Line(format!("{indent}end\n")));
    }
    if dots && !graph.flows[flow].ends.is_empty() {
        todo.push(Todo::Line(format!("{indent}end{flow}(((\" \")))\n")));
    }
}

/// A flow of one state needs no start and end.
fn has_dots(graph: &Graph, flow: FlowId) -> bool {
    flow == 0 || graph.flows[flow].nodes.len() > 1
}

fn shape(graph: &Graph, node: NodeId) -> String {
    let text = label(graph, node);
    match graph.nodes[node].kind {
        Kind::Choice => format!("s{node}{{{{\"{text}\"}}}}"),
        Kind::Succeed | Kind::Fail => format!("s{node}([\"{text}\"])"),
        Kind::Wait => format!("s{node}(\"{text}\")"),
        Kind::Pass => format!("s{node}>\"{text}\"]"),
        _ => format!("s{node}[\"{text}\"]"),
    }
}

fn label(graph: &Graph, node: NodeId) -> String {
    let lines: Vec<String> = graph.lines_of(node).iter().map(|line| escaped(line, 80)).collect();
    lines.join("<br>")
}

fn write_edges(graph: &Graph, flow: FlowId, text: &mut String) {
    let states = &graph.flows[flow];
    // Writing to a string cannot fail.
    if has_dots(graph, flow) {
        let _ = writeln!(text, "  start{flow} --> s{}", states.start);
    }
    for edge in &states.edges {
        let arrow = if edge.kind == EdgeKind::Catch { "-.->" } else { "-->" };
        let words: Vec<String> =
            edge.labels.iter().take(MOST_LABELS).map(|label| escaped(label, 60)).collect();
        let mut words = words.join("<br>");
        if let Some(more) = edge.labels.len().checked_sub(MOST_LABELS).filter(|more| *more > 0) {
            let _ = write!(words, "<br>… {more} more");
        }
        let words = if words.is_empty() { words } else { format!("|\"{words}\"|") };
        let _ = writeln!(text, "  s{} {arrow}{words} s{}", edge.from, edge.to);
    }
    if has_dots(graph, flow) {
        for end in &states.ends {
            let _ = writeln!(text, "  s{end} --> end{flow}");
        }
    }
}

const MOST_LABELS: usize = 3;

/// Colours for the kinds, or for the outcomes where there is an execution. Readable on light and dark.
const CLASSES: [(&str, &str); 15] = [
    ("Task", "fill:#dbe7ff,stroke:#2563eb,color:#0f172a"),
    ("Pass", "fill:#e8edf3,stroke:#64748b,color:#0f172a"),
    ("Choice", "fill:#fdecc8,stroke:#d97706,color:#0f172a"),
    ("Wait", "fill:#e9dffd,stroke:#7c3aed,color:#0f172a"),
    ("Succeed", "fill:#d6f5e0,stroke:#16a34a,color:#0f172a"),
    ("Fail", "fill:#fddada,stroke:#dc2626,color:#0f172a"),
    ("Parallel", "fill:none,stroke:#0d9488"),
    ("Map", "fill:none,stroke:#c026a3"),
    ("More", "fill:#e8edf3,stroke:#64748b,color:#0f172a,stroke-dasharray:4 3"),
    ("succeeded", "fill:#d6f5e0,stroke:#16a34a,color:#0f172a"),
    ("retried", "fill:#d6eefb,stroke:#0284c7,color:#0f172a"),
    ("caught", "fill:#fdecc8,stroke:#d97706,color:#0f172a"),
    ("stopped", "fill:#dfe5ec,stroke:#64748b,color:#0f172a"),
    ("failed", "fill:#fddada,stroke:#dc2626,color:#0f172a"),
    ("unreached", "fill:none,stroke:#94a3b8,stroke-dasharray:3 3"),
];

fn write_classes(graph: &Graph, text: &mut String) {
    let class_of = |node: NodeId| {
        let node = &graph.nodes[node];
        match (&node.mark, &graph.execution) {
            (Some(mark), _) => mark.outcome().word(),
            (None, Some(_)) => "unreached",
            (None, None) => node.kind.name(),
        }
    };
    for (class, style) in CLASSES {
        let of_class = graph.shown().map(|(_, node)| node).filter(|&node| class_of(node) == class);
        let names: Vec<String> = of_class.map(|node| format!("s{node}")).collect();
        if !names.is_empty() {
            let _ = writeln!(text, "  classDef {class} {style}\n  class {} {class}", names.join(","));
        }
    }
}

/// Text between quotes: what Mermaid or HTML would read is written as its number.
fn escaped(text: &str, most: usize) -> String {
    let mut result = String::new();
    for letter in visible(&shortened(text, most)).chars() {
        if letter.is_alphanumeric() || " .,_-+=:$()/…·×↻≤≥µ".contains(letter) || !letter.is_ascii()
        {
            result.push(letter);
        } else {
            let _ = write!(result, "#{};", letter as u32);
        }
    }
    result
}
