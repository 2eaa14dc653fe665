//! Ranks of the states of one flow, and the grid of layers that the rest of the layout works on.
//!
//! Source: Sugiyama, Tagawa, Toda, "Methods for visual understanding of hierarchical system structures" (1981). Edges
//! that lead back are turned around; long ones become chains of points, one in each layer; several long ways to one
//! state share their chain.

use std::collections::HashMap;

/// Width and height, in pixels.
pub(super) type Size = (f64, f64);

/// What to lay out: boxes, and links between different ones.
pub(super) struct Input {
    pub(super) sizes: Vec<Size>,
    /// What is to be left free on both sides of each, for a line that leads back to itself.
    pub(super) margins: Vec<f64>,
    pub(super) links: Vec<Link>,
    /// The box that everything starts at.
    pub(super) first: usize,
}

#[derive(Clone, Copy)]
pub(super) struct Link {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) label: Option<Size>,
    /// Links to one box may share their way if this is the same.
    pub(super) class: Class,
}

/// How near to the middle a way belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Class {
    Main,
    Back,
    Catch,
}

/// Points of long links may be this many beyond four for each box; links for which there is no room end in a stub.
const ROOM: usize = 30_000;
/// What a stub takes: the name of the state that it leads to.
pub(super) const STUB: Size = (150.0, 24.0);
/// How wide a point of a long link is.
const POINT: f64 = 10.0;

/// The grid. The first vertices are the boxes, by their numbers.
pub(super) struct Layers {
    /// From left to right, once ordered.
    pub(super) layers: Vec<Vec<usize>>,
    pub(super) layer_of: Vec<usize>,
    /// With their margins.
    pub(super) sizes: Vec<Size>,
    margins: Vec<f64>,
    /// Of points and labels, the class of their link; boxes are on the main way.
    classes: Vec<Class>,
    /// Neighbours one layer up, and one down.
    pub(super) up: Vec<Vec<usize>>,
    pub(super) down: Vec<Vec<usize>>,
    pub(super) boxes: usize,
    /// Of each link, in the order of the input.
    pub(super) ways: Vec<Way>,
}

impl Layers {
    /// Half of the width of a box itself, or of a point.
    pub(super) fn half_width(&self, vertex: usize) -> f64 {
        self.sizes[vertex].0 / 2.0 - self.margins.get(vertex).copied().unwrap_or(0.0)
    }

    /// A point of a link, a label or a stub, not a box.
    pub(super) fn is_point(&self, vertex: usize) -> bool {
        vertex >= self.boxes
    }
}

/// How a link runs.
#[derive(Clone, Default)]
pub(super) struct Way {
    /// From top to bottom, both ends included. Ends early where another link's way goes on.
    pub(super) vertices: Vec<usize>,
    /// It leads up: it ends at the first vertex.
    pub(super) reversed: bool,
    /// The vertex that the label is on.
    pub(super) label: Option<usize>,
    /// The last vertex stands for the state that it leads to.
    pub(super) stub: bool,
    /// The last vertex is on the way of another link, which has the arrow.
    pub(super) joins: bool,
}

impl Layers {
    pub(super) fn new(input: &Input) -> Self {
        let reversed = links_that_lead_back(input);
        let (ranks, stubs) = ranks_and_stubs(input, &reversed);
        let boxes = input.sizes.len();
        let mut grid = Self {
            layers: Vec::new(),
            layer_of: ranks,
            sizes: input
                .sizes
                .iter()
                .zip(&input.margins)
                .map(|(size, margin)| (size.0 + 2.0 * margin, size.1))
                .collect(),
            margins: input.margins.clone(),
            classes: vec![Class::Main; boxes],
            up: vec![Vec::new(); boxes],
            down: vec![Vec::new(); boxes],
            boxes,
            ways: vec![Way::default(); input.links.len()],
        };
        // Those that begin highest make the chain, the others join it.
        let mut order: Vec<usize> = (0..input.links.len()).collect();
        order.sort_by_key(|&link| grid.layer_of[input.links[link].from]);
        let mut chains = HashMap::new();
        for link in order {
            let way = match (stubs[link], reversed[link]) {
                (true, _) => grid.stub(&input.links[link]),
                (false, true) => grid.way_back(&input.links[link]),
                (false, false) => grid.way_down(&input.links[link], &mut chains),
            };
            grid.ways[link] = way;
        }
        grid.fill_layers(input.first);
        grid
    }

    /// What a crossing of two steps of this weight costs is the product of their weights.
    pub(super) fn weight(&self, upper: usize, lower: usize) -> usize {
        let main = self.classes[upper] == Class::Main && self.classes[lower] == Class::Main;
        if main { 3 } else { 1 }
    }

    fn add(&mut self, size: Size, layer: usize, class: Class) -> usize {
        self.sizes.push(size);
        self.classes.push(class);
        self.layer_of.push(layer);
        self.up.push(Vec::new());
        self.down.push(Vec::new());
        self.sizes.len() - 1
    }

    fn connect(&mut self, upper: usize, lower: usize) {
        self.down[upper].push(lower);
        self.up[lower].push(upper);
    }

    fn stub(&mut self, link: &Link) -> Way {
        let mut vertices = vec![link.from];
        let mut layer = self.layer_of[link.from];
        let mut label = None;
        for size in link.label.into_iter().chain([STUB]) {
            layer += 1;
            let vertex = self.add(size, layer, link.class);
            self.connect(vertices[vertices.len() - 1], vertex);
            vertices.push(vertex);
            if vertices.len() == 2 && link.label.is_some() {
                label = Some(vertex);
            }
        }
        Way { vertices, label, stub: true, ..Way::default() }
    }

    /// Its label is beside the state that it comes from, the lower one.
    fn way_back(&mut self, link: &Link) -> Way {
        let (top, bottom) = (self.layer_of[link.to], self.layer_of[link.from]);
        let mut way = Way { vertices: vec![link.to], reversed: true, ..Way::default() };
        for layer in top + 1..bottom {
            let labelled = link.label.filter(|_| layer + 1 == bottom);
            let vertex = self.add(labelled.unwrap_or((POINT, 0.0)), layer, Class::Back);
            way.label = labelled.map(|_| vertex);
            self.connect(way.vertices[way.vertices.len() - 1], vertex);
            way.vertices.push(vertex);
        }
        self.connect(way.vertices[way.vertices.len() - 1], link.from);
        way.vertices.push(link.from);
        way
    }

    fn way_down(&mut self, link: &Link, chains: &mut HashMap<(usize, Class, usize), usize>) -> Way {
        let (top, bottom) = (self.layer_of[link.from], self.layer_of[link.to]);
        let mut way = Way { vertices: vec![link.from], ..Way::default() };
        for layer in top + 1..bottom {
            let last = way.vertices[way.vertices.len() - 1];
            let labelled = link.label.filter(|_| layer == top + 1);
            let key = (link.to, link.class, layer);
            if labelled.is_none()
                && let Some(&there) = chains.get(&key)
            {
                self.connect(last, there);
                way.vertices.push(there);
                way.joins = true;
                return way;
            }
            let vertex = self.add(labelled.unwrap_or((POINT, 0.0)), layer, link.class);
            if labelled.is_some() {
                way.label = Some(vertex);
            } else {
                chains.insert(key, vertex);
            }
            self.connect(last, vertex);
            way.vertices.push(vertex);
        }
        self.connect(way.vertices[way.vertices.len() - 1], link.to);
        way.vertices.push(link.to);
        way
    }

    /// A first order: as they are met, going down from the start, the main way first.
    fn fill_layers(&mut self, first: usize) {
        let depth = self.layer_of.iter().max().map_or(0, |deepest| deepest + 1);
        self.layers = vec![Vec::new(); depth];
        for below in &mut self.down {
            below.sort_by_key(|&vertex| self.classes[vertex]);
        }
        let mut seen = vec![false; self.sizes.len()];
        for root in std::iter::once(first).chain(0..self.sizes.len()) {
            let mut waiting = vec![root];
            while let Some(vertex) = waiting.pop() {
                if !std::mem::replace(&mut seen[vertex], true) {
                    self.layers[self.layer_of[vertex]].push(vertex);
                    waiting.extend(self.down[vertex].iter().rev().filter(|below| !seen[**below]));
                }
            }
        }
    }
}

/// Of each link, whether it closes a circle.
fn links_that_lead_back(input: &Input) -> Vec<bool> {
    let outgoing = by_source(input);
    let (mut open, mut done) = (vec![false; input.sizes.len()], vec![false; input.sizes.len()]);
    let mut back = vec![false; input.links.len()];
    for root in std::iter::once(input.first).chain(0..input.sizes.len()) {
        if done[root] {
            continue;
        }
        // A box, and which of its links is next.
        let mut path = vec![(root, 0)];
        open[root] = true;
        while let Some((at, next)) = path.last_mut() {
            let Some(&link) = outgoing[*at].get(*next) else {
                open[*at] = false;
                done[*at] = true;
                path.pop();
                continue;
            };
            *next += 1;
            let to = input.links[link].to;
            if open[to] {
                back[link] = true;
            } else if !done[to] {
                open[to] = true;
                path.push((to, 0));
            }
        }
    }
    back
}

fn by_source(input: &Input) -> Vec<Vec<usize>> {
    let mut outgoing = vec![Vec::new(); input.sizes.len()];
    for (index, link) in input.links.iter().enumerate() {
        outgoing[link.from].push(index);
    }
    outgoing
}

/// The layer of each box, and which links are to be cut short.
fn ranks_and_stubs(input: &Input, reversed: &[bool]) -> (Vec<usize>, Vec<bool>) {
    // A label has a layer to itself, and a way back needs one to pass in.
    let least = |link: usize| if input.links[link].label.is_some() || reversed[link] { 2 } else { 1 };
    let ends = |link: usize| {
        let Link { from, to, .. } = input.links[link];
        if reversed[link] { (to, from) } else { (from, to) }
    };
    let mut below = vec![Vec::new(); input.sizes.len()];
    let mut above = vec![0_usize; input.sizes.len()];
    for link in 0..input.links.len() {
        let (upper, lower) = ends(link);
        below[upper].push(link);
        above[lower] += 1;
    }
    let mut ranks = vec![0; input.sizes.len()];
    let mut ready: Vec<usize> = (0..input.sizes.len()).filter(|&vertex| above[vertex] == 0).collect();
    while let Some(vertex) = ready.pop() {
        for &link in &below[vertex] {
            let lower = ends(link).1;
            ranks[lower] = ranks[lower].max(ranks[vertex] + least(link));
            above[lower] -= 1;
            if above[lower] == 0 {
                ready.push(lower);
            }
        }
    }
    let span = |link: usize| ranks[ends(link).1] - ranks[ends(link).0];
    let mut longest: Vec<usize> = (0..input.links.len()).collect();
    longest.sort_by_key(|&link| span(link));
    let room = ROOM + 4 * input.sizes.len();
    let mut used = 0;
    let mut stubs = vec![false; input.links.len()];
    for link in longest {
        used += span(link);
        stubs[link] = used > room && span(link) > 3;
    }
    (ranks, stubs)
}
