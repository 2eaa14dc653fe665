//! The order within the layers, with few crossings: each vertex goes to the middle of its neighbours, over and over.
//!
//! Source: the barycentre method of Sugiyama et al.; crossings are counted as Barth, Jünger and Mutzel do ("Simple and
//! efficient bilayer cross counting", 2002).

use super::layered::Layers;

/// Rounds down and up; fewer where there is much.
const ROUNDS: usize = 12;
const MUCH: usize = 5_000;

/// Orders each layer, and the neighbours of each vertex along with it.
pub(super) fn order(grid: &mut Layers) {
    let mut position = positions(grid);
    let mut fewest = crossings(grid, &position);
    let mut best = grid.layers.clone();
    let rounds = if grid.sizes.len() > MUCH { 3 } else { ROUNDS };
    for round in 0..rounds {
        if fewest == 0 {
            break;
        }
        let downwards = round % 2 == 0;
        for step in 1..grid.layers.len() {
            let layer = if downwards { step } else { grid.layers.len() - 1 - step };
            let neighbours = if downwards { &grid.up } else { &grid.down };
            let mut keyed: Vec<(f64, usize)> = grid.layers[layer]
                .iter()
                .map(|&vertex| (middle(&neighbours[vertex], &position, position[vertex]), vertex))
                .collect();
            keyed.sort_by(|(left, _), (right, _)| left.total_cmp(right));
            for (place, &(_, vertex)) in keyed.iter().enumerate() {
                position[vertex] = place;
            }
            grid.layers[layer] = keyed.into_iter().map(|(_, vertex)| vertex).collect();
        }
        let now = crossings(grid, &position);
        if now < fewest {
            fewest = now;
            best = grid.layers.clone();
        }
    }
    grid.layers = best;
    let position = positions(grid);
    for neighbours in grid.up.iter_mut().chain(&mut grid.down) {
        neighbours.sort_by_key(|&vertex| position[vertex]);
    }
}

/// Where each vertex is in its layer.
pub(super) fn positions(grid: &Layers) -> Vec<usize> {
    let mut position = vec![0; grid.sizes.len()];
    for layer in &grid.layers {
        for (place, &vertex) in layer.iter().enumerate() {
            position[vertex] = place;
        }
    }
    position
}

/// One without neighbours stays where it is.
fn middle(neighbours: &[usize], position: &[usize], own: usize) -> f64 {
    if neighbours.is_empty() {
        return own as f64;
    }
    let sum: usize = neighbours.iter().map(|&vertex| position[vertex]).sum();
    sum as f64 / neighbours.len() as f64
}

fn crossings(grid: &Layers, position: &[usize]) -> usize {
    (1..grid.layers.len()).map(|lower| crossings_above(grid, lower, position)).sum()
}

/// Between a layer and the one above it.
fn crossings_above(grid: &Layers, lower: usize, position: &[usize]) -> usize {
    let mut ends: Vec<(usize, usize)> = Vec::new();
    for &vertex in &grid.layers[lower - 1] {
        ends.extend(grid.down[vertex].iter().map(|&below| (position[vertex], position[below])));
    }
    ends.sort_unstable();
    // A tree over the lower positions that counts how many of them have been met so far.
    let mut met = vec![0_usize; grid.layers[lower].len() + 1];
    let mut crossings = 0;
    for (before, &(_, end)) in ends.iter().enumerate() {
        let (mut at, mut not_after) = (end + 1, 0);
        while at > 0 {
            not_after += met[at];
            at &= at - 1;
        }
        crossings += before - not_after;
        let mut at = end + 1;
        while at < met.len() {
            met[at] += 1;
            at += at & at.wrapping_neg();
        }
    }
    crossings
}
