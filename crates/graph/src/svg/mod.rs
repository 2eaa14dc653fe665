//! The drawing as SVG: one file, no script, nothing from outside.

mod style;

use crate::card::{Card, Chip, NAME_LINE, SMALL_LINE, TEXT_LEFT};
use crate::execution::{Mark, Outcome};
use crate::layout::{Dot, Layout, Line, Path, Rect, Step, layout};
use crate::model::{Edge, EdgeKind, Graph, Kind, Node};
use crate::text::{Font, fit, two_lines, width};
use crate::words::{counted, duration, visible};
use std::fmt::Write;

/// Around everything.
const MARGIN: f64 = 24.0;
const ICON: f64 = 24.0;
/// The title is at most this wide, or as wide as the drawing.
const TITLE_WIDTH: f64 = 420.0;

pub(crate) fn draw(graph: &Graph) -> String {
    let mut cards: Vec<Option<Card>> = graph.nodes.iter().map(|_| None).collect();
    for (_, node) in graph.shown() {
        cards[node] = Some(Card::new(&graph.nodes[node]));
    }
    let layout = layout(graph, &cards);
    Svg { graph, cards: &cards, layout: &layout, text: String::new() }.write()
}

struct Svg<'a> {
    graph: &'a Graph,
    cards: &'a [Option<Card>],
    layout: &'a Layout,
    text: String,
}

/// Adds a formatted line. Writing to a string cannot fail.
macro_rules! put {
    ($svg:expr, $($format:tt)*) => {{ let _ = writeln!($svg.text, $($format)*); }};
}

impl Svg<'_> {
    fn write(mut self) -> String {
        let headlines = self.headlines();
        let head = 28.0 + (headlines.len() - 1) as f64 * 18.0 + 12.0;
        let legend = self.legend();
        let title =
            headlines.iter().zip(HEAD_FONTS).map(|(line, font)| width(line, font)).fold(0.0, f64::max);
        let legend_width: f64 = legend.iter().map(|(_, words)| legend_step(words)).sum();
        let inner = self.layout.width.max(title).max(legend_width).ceil();
        let foot = if legend.is_empty() { 0.0 } else { 40.0 };
        let (full, high) = (inner + 2.0 * MARGIN, (self.layout.height + head + foot).ceil() + 2.0 * MARGIN);
        put!(
            self,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"{}\" role=\"img\" aria-labelledby=\"faastlane-title \
             faastlane-desc\" width=\"{full}\" height=\"{high}\" viewBox=\"0 0 {full} {high}\">",
            style::ROOT
        );
        put!(self, "<title id=\"faastlane-title\">{}</title>", escaped(&self.graph.name));
        put!(self, "<desc id=\"faastlane-desc\">{}</desc>", escaped(&self.description()));
        put!(self, "<style>\n{}</style>", style::style(self.graph.execution.is_some()));
        self.defs();
        put!(self, "<rect class=\"paper\" width=\"{full}\" height=\"{high}\" rx=\"10\"/>");
        let mut y = MARGIN + 16.0;
        for (index, line) in headlines.iter().enumerate() {
            let class = if index == 0 { " class=\"title\"" } else { "" };
            put!(self, "<text{class} x=\"{MARGIN}\" y=\"{y}\">{}</text>", escaped(line));
            y += if index == 0 { 22.0 } else { 18.0 };
        }
        let left = MARGIN + (inner - self.layout.width) / 2.0;
        put!(self, "<g transform=\"translate({} {})\">", short(left), short(MARGIN + head));
        self.states();
        self.lines();
        self.chips();
        put!(self, "</g>");
        self.put_legend(&legend, high - MARGIN - 8.0);
        put!(self, "</svg>");
        self.text
    }

    /// The name, the comment, what the execution came to.
    fn headlines(&self) -> Vec<String> {
        let most = TITLE_WIDTH.max(self.layout.width);
        let mut lines = vec![fit(&visible(&self.graph.name), Font::Title, most)];
        if let Some(execution) = &self.graph.execution {
            let line = format!("{} in {}", execution.status, duration(execution.duration_us));
            lines.push(fit(&visible(&line), Font::Small, most));
        } else if let Some(comment) = &self.graph.comment {
            lines.extend(two_lines(&visible(comment), Font::Small, most));
        }
        lines
    }

    fn description(&self) -> String {
        let start = &self.graph.nodes[self.graph.flows[0].start].name;
        let states = counted(self.graph.shown().count(), "state");
        let mut words = format!("State machine of {states}, starting at {start}.");
        if let Some(comment) = &self.graph.comment {
            let _ = write!(words, " {comment}");
        }
        words
    }

    fn defs(&mut self) {
        put!(self, "<defs>");
        for class in ["next", "catch"] {
            put!(
                self,
                "<marker id=\"faastlane-{class}\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"8\" \
                 markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"head {class}\" \
                 d=\"M0 .5 10 5 0 9.5z\"/></marker>"
            );
        }
        put!(self, "</defs>");
    }

    /// States from the outermost in, each followed by its branches' backgrounds.
    fn states(&mut self) {
        let mut lanes = self.layout.lanes.iter().peekable();
        for (node, rect) in &self.layout.states {
            self.state(&self.graph.nodes[*node], rect, self.cards[*node].as_ref());
            for _ in &self.graph.nodes[*node].flows {
                if let Some((_, lane)) = lanes.next() {
                    put!(self, "<rect class=\"lane\" {} rx=\"8\"/>", place(lane));
                }
            }
        }
        for (dot, x, y) in &self.layout.dots {
            let (x, y) = (short(*x), short(*y));
            match dot {
                Dot::Start => put!(self, "<circle class=\"dot\" cx=\"{x}\" cy=\"{y}\" r=\"7\"/>"),
                Dot::End => {
                    put!(self, "<circle class=\"ring\" cx=\"{x}\" cy=\"{y}\" r=\"7\"/>");
                    put!(self, "<circle class=\"dot\" cx=\"{x}\" cy=\"{y}\" r=\"3.5\"/>");
                }
            }
        }
    }

    fn state(&mut self, node: &Node, rect: &Rect, card: Option<&Card>) {
        let Some(card) = card else { return };
        let kind = node.kind.name().to_lowercase();
        let outcome = node.mark.as_ref().map(Mark::outcome);
        let state = match (outcome, &self.graph.execution) {
            (Some(outcome), _) => format!(" {}", outcome.word()),
            (None, Some(_)) => " unreached".to_owned(),
            (None, None) => String::new(),
        };
        put!(self, "<g class=\"{kind}{state}\">");
        put!(self, "<title>{}</title>", escaped(&full_words(node)));
        self.outline(node.kind, rect);
        let (left, top) = (rect.x + 11.0, rect.y + (card.height - ICON) / 2.0);
        let round = if matches!(node.kind, Kind::Wait | Kind::Succeed | Kind::Fail) { 12 } else { 6 };
        let (x, y) = (short(left), short(top));
        put!(self, "<rect class=\"icon\" x=\"{x}\" y=\"{y}\" width=\"24\" height=\"24\" rx=\"{round}\"/>");
        put!(
            self,
            "<path class=\"sign\" transform=\"translate({x} {y})\" d=\"{}\"/>",
            style::icon(node.kind)
        );
        let mut middle = rect.y + card.first_line();
        let x = short(rect.x + TEXT_LEFT);
        for line in &card.name {
            put!(
                self,
                "<text class=\"name\" x=\"{x}\" y=\"{}\">{}</text>",
                short(middle + 4.5),
                escaped(line)
            );
            middle += NAME_LINE;
        }
        middle -= (NAME_LINE - SMALL_LINE) / 2.0;
        for line in &card.small {
            put!(self, "<text x=\"{x}\" y=\"{}\">{}</text>", short(middle + 4.0), escaped(line));
            middle += SMALL_LINE;
        }
        if let Some(outcome) = outcome {
            self.badge(outcome, rect.x + rect.width - 2.0, rect.y + 2.0);
        }
        put!(self, "</g>");
    }

    /// A shape for each kind: a Choice has points, what ends the machine is round, what stands for several is a stack.
    fn outline(&mut self, kind: Kind, rect: &Rect) {
        if matches!(kind, Kind::Map | Kind::More) {
            let behind = Rect { x: rect.x + 5.0, y: rect.y + 5.0, ..*rect };
            put!(self, "<rect class=\"box\" {} rx=\"9\"/>", place(&behind));
        }
        match kind {
            Kind::Choice => {
                let (left, right, top) = (rect.x, rect.x + rect.width, rect.y);
                let (middle, bottom) = (rect.y + rect.height / 2.0, rect.y + rect.height);
                let inset = 9.0;
                put!(
                    self,
                    "<path class=\"box\" stroke-linejoin=\"round\" d=\"M{} {} L{} {} {} {} {} {} {} {} {} {}z\"/>",
                    short(left + inset),
                    short(top),
                    short(right - inset),
                    short(top),
                    short(right),
                    short(middle),
                    short(right - inset),
                    short(bottom),
                    short(left + inset),
                    short(bottom),
                    short(left),
                    short(middle)
                );
            }
            Kind::Succeed | Kind::Fail => {
                put!(self, "<rect class=\"box\" {} rx=\"{}\"/>", place(rect), short(rect.height / 2.0));
            }
            _ => put!(self, "<rect class=\"box\" {} rx=\"9\"/>", place(rect)),
        }
    }

    fn badge(&mut self, outcome: Outcome, x: f64, y: f64) {
        let (x, y) = (short(x), short(y));
        put!(self, "<circle class=\"badge\" cx=\"{x}\" cy=\"{y}\" r=\"8\"/>");
        put!(self, "<path class=\"sign\" transform=\"translate({x} {y})\" d=\"{}\"/>", style::badge(outcome));
    }

    fn lines(&mut self) {
        for line in &self.layout.lines {
            let edge = line.edge.map(|edge| &self.graph.flows[line.flow].edges[edge]);
            let class = class_of(edge);
            let faint =
                if self.graph.execution.is_some() && !self.was_taken(line, edge) { " faint" } else { "" };
            let arrow =
                if line.arrow { format!(" marker-end=\"url(#faastlane-{class})\"") } else { String::new() };
            put!(self, "<path class=\"line {class}{faint}\" d=\"{}\"{arrow}/>", strokes(&line.path));
        }
    }

    /// As far as can be told: both of its ends were reached.
    fn was_taken(&self, line: &Line, edge: Option<&Edge>) -> bool {
        let reached = |node: usize| self.graph.nodes[node].mark.is_some();
        let start = self.graph.flows[line.flow].start;
        match (line.from, edge) {
            (Some(from), Some(edge)) => reached(from) && reached(edge.to),
            (Some(from), None) => reached(from),
            (None, _) => reached(start),
        }
    }

    fn chips(&mut self) {
        for (flow, edge, rect) in &self.layout.labels {
            let edge = &self.graph.flows[*flow].edges[*edge];
            let Some(chip) = Chip::new(edge) else { continue };
            put!(self, "<g class=\"chip {}\">", class_of(Some(edge)));
            put!(self, "<title>{}</title>", escaped(&edge.labels.join("\n")));
            put!(self, "<rect {} rx=\"6\"/>", place(rect));
            let x = short(rect.x + rect.width / 2.0);
            for (index, line) in chip.lines.iter().enumerate() {
                let y = short(rect.y + 14.0 + index as f64 * 14.0);
                put!(self, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{}</text>", escaped(line));
            }
            put!(self, "</g>");
        }
        for (flow, edge, rect) in &self.layout.stubs {
            let edge = edge.map(|edge| &self.graph.flows[*flow].edges[edge]);
            let name = edge.map_or("end", |edge| &self.graph.nodes[edge.to].name);
            put!(self, "<g class=\"chip {}\">", class_of(edge));
            put!(self, "<title>goes on at {}</title>", escaped(name));
            put!(self, "<rect {} rx=\"12\"/>", place(rect));
            let (x, y) = (short(rect.x + rect.width / 2.0), short(rect.y + 16.0));
            let words = fit(&format!("→ {}", visible(name)), Font::Small, rect.width - 14.0);
            put!(self, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{}</text>", escaped(&words));
            put!(self, "</g>");
        }
    }

    /// The outcomes that there are.
    fn legend(&self) -> Vec<(Option<Outcome>, String)> {
        if self.graph.execution.is_none() {
            return Vec::new();
        }
        let mut states = [0_usize; 6];
        for (_, node) in self.graph.shown() {
            let node = &self.graph.nodes[node];
            let place = node.mark.as_ref().map_or(5, |mark| mark.outcome() as usize);
            states[place] += node.count;
        }
        let outcomes = Outcome::ALL.into_iter().map(Some).chain([None]);
        let words = |outcome: Option<Outcome>| outcome.map_or("not reached", Outcome::word);
        outcomes
            .zip(states)
            .filter(|(_, count)| *count > 0)
            .map(|(outcome, count)| (outcome, format!("{} ({count})", words(outcome))))
            .collect()
    }

    fn put_legend(&mut self, legend: &[(Option<Outcome>, String)], y: f64) {
        let mut x = MARGIN;
        for (outcome, words) in legend {
            let class = outcome.map_or("unreached", Outcome::word);
            put!(self, "<g class=\"{class}\">");
            let rect = Rect { x, y: y - 9.0, width: 26.0, height: 18.0 };
            put!(self, "<rect class=\"box\" {} rx=\"5\"/>", place(&rect));
            if let Some(outcome) = outcome {
                self.badge(*outcome, x + 13.0, y);
            }
            put!(self, "<text x=\"{}\" y=\"{}\">{words}</text>", short(x + 33.0), short(y + 4.0));
            put!(self, "</g>");
            x += legend_step(words);
        }
    }
}

const HEAD_FONTS: [Font; 3] = [Font::Title, Font::Small, Font::Small];

fn legend_step(words: &str) -> f64 {
    33.0 + width(words, Font::Small) + 22.0
}

fn class_of(edge: Option<&Edge>) -> &'static str {
    match edge {
        Some(Edge { kind: EdgeKind::Catch, .. }) => "catch",
        _ => "next",
    }
}

/// All that is known of a state, for who points at it.
fn full_words(node: &Node) -> String {
    let mut lines = vec![node.name.clone()];
    let what = node.detail.as_ref().map_or_else(String::new, |detail| format!(": {detail}"));
    if node.kind != Kind::More {
        lines.push(format!("{}{what}", node.kind.name()));
    }
    lines.extend(node.comment.clone());
    if node.retries > 0 {
        lines.push(format!(
            "tried again up to {}",
            counted(usize::try_from(node.retries).unwrap_or(usize::MAX), "time")
        ));
    }
    if let Some(mark) = &node.mark {
        lines.push(format!(
            "{}, {} in total, {} at most",
            counted(mark.count(), "visit"),
            duration(mark.total_us),
            duration(mark.longest_us)
        ));
    }
    lines.extend(node.stands_for.iter().cloned());
    lines.join("\n")
}

fn strokes(path: &Path) -> String {
    let mut strokes = format!("M{} {}", short(path.start.0), short(path.start.1));
    for step in &path.steps {
        let _ = match step {
            Step::Line(end) => write!(strokes, "L{} {}", short(end.0), short(end.1)),
            Step::Curve(first, second, end) => write!(
                strokes,
                "C{} {} {} {} {} {}",
                short(first.0),
                short(first.1),
                short(second.0),
                short(second.1),
                short(end.0),
                short(end.1)
            ),
        };
    }
    strokes
}

fn place(rect: &Rect) -> String {
    let (x, y, width, height) = (short(rect.x), short(rect.y), short(rect.width), short(rect.height));
    format!("x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"")
}

/// A coordinate with one decimal.
fn short(pixels: f64) -> f64 {
    let rounded = (pixels * 10.0).round() / 10.0;
    // No `-0`.
    if rounded == 0.0 { 0.0 } else { rounded }
}

/// Text as XML takes it. A line break stays one.
fn escaped(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            result.push('\n');
        }
        for letter in visible(line).chars() {
            match letter {
                '&' => result.push_str("&amp;"),
                '<' => result.push_str("&lt;"),
                '>' => result.push_str("&gt;"),
                '"' => result.push_str("&quot;"),
                letter => result.push(letter),
            }
        }
    }
    result
}
