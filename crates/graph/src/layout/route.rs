//! Lines: straight down inside of layers, where nothing else is in that column, and bent only between layers. So no
//! line can cross a state.

use super::layered::{Layers, Size, Way};

/// Between two layers: at least, at most, and how much more for each pixel that a line moves to the side.
const LEAST_GAP: f64 = 26.0;
const MOST_GAP: f64 = 80.0;
const SLOPE: f64 = 0.09;
/// Of the corners of lines that go around.
const ROUND: f64 = 12.0;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    Line(Size),
    /// Two control points and the end.
    Curve(Size, Size, Size),
}

/// Where a line begins, and how it goes on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path {
    pub(crate) start: Size,
    pub(crate) steps: Vec<Step>,
}

impl Path {
    fn from(start: Size) -> Self {
        Self { start, steps: Vec::new() }
    }

    fn here(&self) -> Size {
        match self.steps.last() {
            Some(Step::Line(end) | Step::Curve(_, _, end)) => *end,
            None => self.start,
        }
    }

    fn line(&mut self, to: Size) {
        let here = self.here();
        if (here.0 - to.0).abs() + (here.1 - to.1).abs() > 0.01 {
            self.steps.push(Step::Line(to));
        }
    }

    /// From one column to another, upright at both ends.
    fn sway(&mut self, to: Size) {
        let here = self.here();
        if (here.0 - to.0).abs() < 0.5 {
            return self.line(to);
        }
        let middle = f64::midpoint(here.1, to.1);
        self.steps.push(Step::Curve((here.0, middle), (to.0, middle), to));
    }

    /// Around a corner to `to`.
    fn bend(&mut self, corner: Size, to: Size) {
        self.steps.push(Step::Curve(corner, corner, to));
    }

    /// On the right of a state, around a point beside it.
    pub(super) fn self_loop(right: f64, y: f64, reach: f64) -> Self {
        let mut path = Self::from((right, y - ROUND));
        path.line((right + reach - ROUND, y - ROUND));
        path.bend((right + reach, y - ROUND), (right + reach, y));
        path.bend((right + reach, y + ROUND), (right + reach - ROUND, y + ROUND));
        path.line((right, y + ROUND));
        path
    }

    pub(super) fn moved(mut self, x: f64, y: f64) -> Self {
        let moved = |point: Size| (point.0 + x, point.1 + y);
        self.start = moved(self.start);
        for step in &mut self.steps {
            *step = match *step {
                Step::Line(end) => Step::Line(moved(end)),
                Step::Curve(first, second, end) => Step::Curve(moved(first), moved(second), moved(end)),
            };
        }
        self
    }
}

/// The layers with their places.
pub(super) struct Grid<'a> {
    layers: &'a Layers,
    x: Vec<f64>,
    /// Of each layer: upper and lower edge.
    rows: Vec<Size>,
}

impl<'a> Grid<'a> {
    pub(super) fn new(layers: &'a Layers, x: Vec<f64>) -> Self {
        let mut rows: Vec<Size> = Vec::with_capacity(layers.layers.len());
        let mut y = 0.0;
        for layer in &layers.layers {
            let height = layer.iter().map(|&vertex| layers.sizes[vertex].1).fold(0.0, f64::max);
            rows.push((y, y + height));
            let steps =
                layer.iter().flat_map(|&upper| layers.down[upper].iter().map(move |&lower| (upper, lower)));
            let farthest = steps.map(|(upper, lower)| (x[upper] - x[lower]).abs()).fold(0.0, f64::max);
            y += height + (LEAST_GAP + farthest * SLOPE).min(MOST_GAP);
        }
        Self { layers, x, rows }
    }

    pub(super) fn width(&self) -> f64 {
        let rights = self.x.iter().zip(&self.layers.sizes).map(|(x, size)| x + size.0 / 2.0);
        rights.fold(0.0, f64::max)
    }

    pub(super) fn height(&self) -> f64 {
        self.rows.last().map_or(0.0, |row| row.1)
    }

    pub(super) fn centre(&self, vertex: usize) -> Size {
        let row = self.row(vertex);
        (self.x[vertex], f64::midpoint(row.0, row.1))
    }

    fn row(&self, vertex: usize) -> Size {
        self.rows[self.layers.layer_of[vertex]]
    }

    /// Upper or lower edge of a box in the middle of its layer.
    fn edge(&self, vertex: usize, side: f64) -> f64 {
        self.centre(vertex).1 + side * self.layers.sizes[vertex].1 / 2.0
    }

    pub(super) fn path(&self, way: &Way) -> Path {
        if way.reversed { self.upwards(way) } else { self.downwards(way) }
    }

    fn downwards(&self, way: &Way) -> Path {
        let first = way.vertices[0];
        let mut path = Path::from((self.x[first], self.edge(first, 1.0)));
        for pair in way.vertices.windows(2) {
            path.line((self.x[pair[0]], self.row(pair[0]).1));
            path.sway((self.x[pair[1]], self.row(pair[1]).0));
        }
        let last = way.vertices[way.vertices.len() - 1];
        if !way.joins {
            path.line((self.x[last], self.edge(last, -1.0)));
        }
        path
    }

    fn upwards(&self, way: &Way) -> Path {
        let (top, bottom) = (way.vertices[0], way.vertices[way.vertices.len() - 1]);
        let points = &way.vertices[1..way.vertices.len() - 1];
        let (Some(&first), Some(&last)) = (points.first(), points.last()) else {
            // Ways back have at least one point; without one there would be nowhere to go.
            return Path::from(self.centre(bottom));
        };
        let mut path = match self.side(bottom, self.x[last]) {
            Some(side) => {
                let y = self.centre(bottom).1;
                let mut path = Path::from((side, y));
                let x = self.x[last];
                path.line((x - ROUND * (x - side).signum(), y));
                path.bend((x, y), (x, y - ROUND));
                path.line((x, self.row(bottom).0));
                path
            }
            None => {
                let x = self.port(bottom, self.x[last]);
                let mut path = Path::from((x, self.edge(bottom, -1.0)));
                path.line((x, self.row(bottom).0));
                path
            }
        };
        for &point in points.iter().rev() {
            path.sway((self.x[point], self.row(point).1));
            path.line((self.x[point], self.row(point).0));
        }
        match self.side(top, self.x[first]) {
            Some(side) => {
                let (x, y) = (self.x[first], self.centre(top).1);
                path.line((x, self.row(top).1));
                path.line((x, y + ROUND));
                path.bend((x, y), (x - ROUND * (x - side).signum(), y));
                path.line((side, y));
            }
            None => {
                let x = self.port(top, self.x[first]);
                path.sway((x, self.row(top).1));
                path.line((x, self.edge(top, 1.0)));
            }
        }
        path
    }

    /// The edge of a box from which a line can go straight to the side until `x` and turn there, if no box is in its way.
    fn side(&self, vertex: usize, x: f64) -> Option<f64> {
        let half = self.layers.half_width(vertex);
        let centre = self.x[vertex];
        let side = if x > centre { centre + half } else { centre - half };
        if (x - centre).abs() < half + ROUND + 2.0 || self.layers.sizes[vertex].1 < 2.0 * ROUND {
            return None;
        }
        let (from, to) = (side.min(x) - 6.0, side.max(x) + 6.0);
        let mut others =
            self.layers.layers[self.layers.layer_of[vertex]].iter().filter(|other| **other != vertex);
        let free = others.all(|&other| {
            let half = self.layers.sizes[other].0 / 2.0;
            self.x[other] + half < from || self.x[other] - half > to
        });
        free.then_some(side)
    }

    /// Where on the upper or lower edge of a box a way back begins or ends: beside the middle, where the others are.
    fn port(&self, vertex: usize, x: f64) -> f64 {
        let half = self.layers.half_width(vertex);
        let centre = self.x[vertex];
        let nearest = x.clamp(centre - (half - ROUND).max(0.0), centre + (half - ROUND).max(0.0));
        if (nearest - centre).abs() >= ROUND { nearest } else { centre + half / 2.0 }
    }
}
