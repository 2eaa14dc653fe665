//! What is written on a state and on an arrow, and how much room it takes.

use crate::model::{Edge, Graph, Kind, Node};
use crate::text::{Font, fit, two_lines, width};
use crate::words::{duration, visible};

/// From the left edge of a state to its text; the icon is before it.
pub(crate) const TEXT_LEFT: f64 = 44.0;
const TEXT_RIGHT: f64 = 14.0;
const PAD: f64 = 9.0;
pub(crate) const NAME_LINE: f64 = 17.0;
pub(crate) const SMALL_LINE: f64 = 15.0;
/// Of the text, in pixels.
const WIDEST: f64 = 180.0;
const NARROWEST: f64 = 66.0;

/// The text of a state; of one with others inside, of its head.
pub(crate) struct Card {
    /// One line or two.
    pub(crate) name: Vec<String>,
    /// Type, function, tries; and below it what an execution did.
    pub(crate) small: Vec<String>,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Card {
    pub(crate) fn new(node: &Node) -> Self {
        let container = !node.flows.is_empty();
        let name = visible(&node.name);
        let name = if container {
            vec![fit(&name, Font::Name, WIDEST * 1.5)]
        } else {
            two_lines(&name, Font::Name, WIDEST)
        };
        let small: Vec<String> = [what(node), mark_words(node)]
            .into_iter()
            .flatten()
            .map(|line| fit(&visible(&line), Font::Small, WIDEST * 1.1))
            .collect();
        let names = name.iter().map(|line| width(line, Font::Name));
        let text = names.chain(small.iter().map(|line| width(line, Font::Small))).fold(NARROWEST, f64::max);
        let height = 2.0 * PAD + name.len() as f64 * NAME_LINE + small.len() as f64 * SMALL_LINE;
        Self { name, small, width: (TEXT_LEFT + text + TEXT_RIGHT).ceil(), height: height.max(42.0) }
    }

    /// From the upper edge to the middle of the first line.
    pub(crate) fn first_line(&self) -> f64 {
        let lines = self.name.len() as f64 * NAME_LINE + self.small.len() as f64 * SMALL_LINE;
        (self.height - lines) / 2.0 + NAME_LINE / 2.0
    }
}

/// `Task · fetch_portfolio · ↻ 3`
fn what(node: &Node) -> Option<String> {
    let mut words = match node.kind {
        Kind::More => return None,
        kind => vec![kind.name().to_owned()],
    };
    words.extend(node.detail.clone());
    if node.retries > 0 {
        words.push(format!("↻ {}", node.retries));
    }
    Some(words.join(" · "))
}

/// `×50 · 1.20 ms total · 2 failed`
fn mark_words(node: &Node) -> Option<String> {
    let mark = node.mark.as_ref()?;
    let mut words = Vec::new();
    if mark.count() > 1 {
        words.push(format!("×{}", mark.count()));
        words.push(format!("{} total", duration(mark.total_us)));
    } else {
        words.push(duration(mark.total_us));
    }
    let unusual =
        crate::Outcome::ALL.into_iter().skip(1).filter(|outcome| mark.visits[*outcome as usize] > 0);
    words.extend(unusual.map(|outcome| match mark.visits[outcome as usize] {
        count if count == mark.count() => outcome.word().to_owned(),
        count => format!("{count} {}", outcome.word()),
    }));
    Some(words.join(" · "))
}

/// Lines of an arrow's label; as many as this.
const MOST_LINES: usize = 4;
const WIDEST_LINE: f64 = 190.0;
/// A condition wider than this is broken at its `and`s and `or`s.
const LONG_CONDITION: f64 = 150.0;

/// The text on an arrow.
pub(crate) struct Chip {
    pub(crate) lines: Vec<String>,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Chip {
    /// `None` for an arrow that says nothing.
    pub(crate) fn new(edge: &Edge) -> Option<Self> {
        let mut lines: Vec<String> = Vec::new();
        for (count, label) in edge.labels.iter().enumerate() {
            let broken = broken(&visible(label));
            let left = edge.labels.len() - count;
            if lines.len() + broken.len() + usize::from(left > 1) > MOST_LINES && count > 0 {
                lines.push(format!("… {left} more"));
                break;
            }
            lines.extend(broken);
        }
        if lines.len() > MOST_LINES {
            lines.truncate(MOST_LINES - 1);
            lines.push("…".to_owned());
        }
        let lines: Vec<String> = lines.iter().map(|line| fit(line, Font::Small, WIDEST_LINE)).collect();
        let text = lines.iter().map(|line| width(line, Font::Small)).reduce(f64::max)?;
        Some(Self { width: text.ceil() + 14.0, height: lines.len() as f64 * 14.0 + 6.0, lines })
    }
}

fn broken(label: &str) -> Vec<String> {
    if width(label, Font::Small) <= LONG_CONDITION {
        return vec![label.to_owned()];
    }
    let mut lines = Vec::new();
    let mut from = 0;
    let seams = label.match_indices(" and ").chain(label.match_indices(" or "));
    let mut seams: Vec<usize> = seams.map(|(at, _)| at).collect();
    seams.sort_unstable();
    for seam in seams {
        lines.push(label[from..seam].to_owned());
        from = seam + 1;
    }
    lines.push(label[from..].to_owned());
    lines
}

impl Graph {
    /// The words of a state that has no room for them, for the formats that have no `title`.
    pub(crate) fn lines_of(&self, node: usize) -> Vec<String> {
        let node = &self.nodes[node];
        [Some(node.name.clone()), what(node), mark_words(node)].into_iter().flatten().collect()
    }
}
