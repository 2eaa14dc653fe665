//! The x of every vertex: long links straight, everything near the middle of its neighbours, nothing too near.
//!
//! Source: Brandes, Köpf, "Fast and simple horizontal coordinate assignment" (2001), with the compaction over a graph of
//! blocks that dagre uses.

use super::layered::Layers;
use super::order::positions;
use std::collections::HashSet;

/// Between boxes, and between a link and what is beside it.
const GAP: f64 = 30.0;
const POINT_GAP: f64 = 18.0;

/// The centres, from 0 at the left edge of the leftmost.
pub(super) fn columns(grid: &Layers) -> Vec<f64> {
    let position = positions(grid);
    let conflicts = conflicts(grid, &position);
    let mut layouts: Vec<Vec<f64>> = Vec::with_capacity(4);
    for from_below in [false, true] {
        for from_right in [false, true] {
            let view = View { grid, position: &position, conflicts: &conflicts, from_below, from_right };
            layouts.push(view.layout());
        }
    }
    align_to_narrowest(grid, &mut layouts);
    let centre = |vertex: usize| {
        let mut places: Vec<f64> = layouts.iter().map(|layout| layout[vertex]).collect();
        places.sort_by(f64::total_cmp);
        f64::midpoint(places[1], places[2])
    };
    let mut centres: Vec<f64> = (0..grid.sizes.len()).map(centre).collect();
    let left = extent(grid, &centres).0;
    centres.iter_mut().for_each(|centre| *centre -= left);
    centres
}

/// The left and the right edge of everything.
fn extent(grid: &Layers, centres: &[f64]) -> (f64, f64) {
    let edges =
        centres.iter().zip(&grid.sizes).map(|(centre, size)| (centre - size.0 / 2.0, centre + size.0 / 2.0));
    edges
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(left, right), (from, to)| (left.min(from), right.max(to)))
}

/// How far the centres of two neighbours have to be apart.
fn separation(grid: &Layers, left: usize, right: usize) -> f64 {
    let gap = if grid.is_point(left) || grid.is_point(right) { POINT_GAP } else { GAP };
    f64::midpoint(grid.sizes[left].0, grid.sizes[right].0) + gap
}

/// Steps (upper, lower) that cross a step of a long link, and so must not be made straight.
fn conflicts(grid: &Layers, position: &[usize]) -> HashSet<(usize, usize)> {
    let mut found = HashSet::new();
    for layer in 1..grid.layers.len() {
        let lower = &grid.layers[layer];
        // Points above the lower point met last, or the whole width.
        let (mut from, mut waiting) = (0, 0);
        for (place, &vertex) in lower.iter().enumerate() {
            let above = inner_neighbour(grid, vertex);
            if above.is_none() && place + 1 < lower.len() {
                continue;
            }
            let to = above.map_or(grid.layers[layer - 1].len(), |above| position[above]);
            for &passed in &lower[waiting..=place] {
                for &upper in &grid.up[passed] {
                    let at = position[upper];
                    let inner = grid.is_point(upper) && grid.is_point(passed);
                    if (at < from || at > to) && !inner {
                        found.insert((upper, passed));
                    }
                }
            }
            waiting = place + 1;
            from = to;
        }
    }
    found
}

/// The point above a point.
fn inner_neighbour(grid: &Layers, vertex: usize) -> Option<usize> {
    if !grid.is_point(vertex) {
        return None;
    }
    grid.up[vertex].iter().copied().find(|&above| grid.is_point(above))
}

/// The grid as seen from one of its four corners.
struct View<'a> {
    grid: &'a Layers,
    position: &'a [usize],
    conflicts: &'a HashSet<(usize, usize)>,
    from_below: bool,
    from_right: bool,
}

impl View<'_> {
    /// The vertices of the layers in this view's order.
    fn layers(&self) -> Vec<Vec<usize>> {
        let mut layers = self.grid.layers.clone();
        if self.from_below {
            layers.reverse();
        }
        if self.from_right {
            layers.iter_mut().for_each(|layer| layer.reverse());
        }
        layers
    }

    /// Counted from this view's left.
    fn place(&self, vertex: usize) -> usize {
        let place = self.position[vertex];
        if self.from_right { self.grid.layers[self.grid.layer_of[vertex]].len() - 1 - place } else { place }
    }

    fn conflict(&self, before: usize, vertex: usize) -> bool {
        let step = if self.from_below { (vertex, before) } else { (before, vertex) };
        self.conflicts.contains(&step)
    }

    fn layout(&self) -> Vec<f64> {
        let layers = self.layers();
        let roots = self.blocks(&layers);
        let mut centres = self.compact(&layers, &roots);
        if self.from_right {
            centres.iter_mut().for_each(|centre| *centre = -*centre);
        }
        centres
    }

    /// Of each vertex, the first of the block that it is in: vertices one above the other with the same x.
    fn blocks(&self, layers: &[Vec<usize>]) -> Vec<usize> {
        let mut roots: Vec<usize> = (0..self.grid.sizes.len()).collect();
        // Whether a vertex has been continued by one of the next layer.
        for layer in layers.iter().skip(1) {
            let mut free_from = 0;
            for &vertex in layer {
                let neighbours =
                    if self.from_below { &self.grid.down[vertex] } else { &self.grid.up[vertex] };
                let Some(last) = neighbours.len().checked_sub(1) else { continue };
                let middles = [last / 2, last.div_ceil(2)];
                let middles = if self.from_right { [last - middles[0], last - middles[1]] } else { middles };
                for middle in middles {
                    let before = neighbours[middle];
                    let place = self.place(before);
                    if place >= free_from && !self.conflict(before, vertex) {
                        roots[vertex] = roots[before];
                        free_from = place + 1;
                        break;
                    }
                }
            }
        }
        roots
    }

    /// Puts the blocks side by side, as far left as they go, then those that can move nearer to their right neighbours.
    fn compact(&self, layers: &[Vec<usize>], roots: &[usize]) -> Vec<f64> {
        let count = self.grid.sizes.len();
        let mut right_of: Vec<Vec<(usize, f64)>> = vec![Vec::new(); count];
        let mut unplaced = vec![0_usize; count];
        for layer in layers {
            for pair in layer.windows(2) {
                let apart = separation(self.grid, pair[0], pair[1]);
                right_of[roots[pair[0]]].push((roots[pair[1]], apart));
                unplaced[roots[pair[1]]] += 1;
            }
        }
        let mut centres = vec![0.0_f64; count];
        let mut order: Vec<usize> =
            (0..count).filter(|&vertex| roots[vertex] == vertex && unplaced[vertex] == 0).collect();
        let mut done = 0;
        while let Some(&block) = order.get(done) {
            done += 1;
            for &(right, apart) in &right_of[block] {
                centres[right] = centres[right].max(centres[block] + apart);
                unplaced[right] -= 1;
                if unplaced[right] == 0 {
                    order.push(right);
                }
            }
        }
        for &block in order.iter().rev() {
            let limits = right_of[block].iter().map(|&(right, apart)| centres[right] - apart);
            let limit = limits.fold(f64::INFINITY, f64::min);
            if limit.is_finite() {
                centres[block] = centres[block].max(limit);
            }
        }
        (0..count).map(|vertex| centres[roots[vertex]]).collect()
    }
}

/// Moves the four layouts (left, right, left, right) over the narrowest of them.
fn align_to_narrowest(grid: &Layers, layouts: &mut [Vec<f64>]) {
    let extents: Vec<(f64, f64)> = layouts.iter().map(|layout| extent(grid, layout)).collect();
    let narrowest = extents.iter().copied().min_by(|a, b| (a.1 - a.0).total_cmp(&(b.1 - b.0)));
    let Some((left, right)) = narrowest else { return };
    for (index, layout) in layouts.iter_mut().enumerate() {
        let shift = if index % 2 == 0 { left - extents[index].0 } else { right - extents[index].1 };
        layout.iter_mut().for_each(|centre| *centre += shift);
    }
}
