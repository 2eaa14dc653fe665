//! The order within the layers, with few crossings: each vertex goes to the middle of its neighbours, over and over.
//!
//! Source: the barycentre method of Sugiyama et al.; crossings are counted as Barth, Jünger and Mutzel do ("Simple and
//! efficient bilayer cross counting", 2002).

use super::layered::Layers;

/// Rounds down and up; fewer where there is much.
const ROUNDS: usize = 12;
const MUCH: usize = 5_000;
const SWAP_ROUNDS: usize = 4;
const MOST_PAIRS: usize = 10_000;

/// Orders each layer, and the neighbours of each vertex along with it.
pub(super) fn order(grid: &mut Layers) {
    let mut position = positions(grid);
    let mut fewest = crossings(grid, &position);
    let mut best = grid.layers.clone();
    let much = grid.sizes.len() > MUCH;
    let mut keep_best = |grid: &Layers, position: &[usize]| {
        let now = crossings(grid, position);
        if now < fewest {
            fewest = now;
            best.clone_from(&grid.layers);
        }
        fewest == 0
    };
    if !much {
        swap_neighbours(grid, &mut position);
    }
    let mut done = keep_best(grid, &position);
    for round in 0..if much { 3 } else { ROUNDS } {
        if done {
            break;
        }
        sweep(grid, &mut position, round % 2 == 0);
        if !much {
            swap_neighbours(grid, &mut position);
        }
        done = keep_best(grid, &position);
    }
    grid.layers = best;
    let position = positions(grid);
    for neighbours in grid.up.iter_mut().chain(&mut grid.down) {
        neighbours.sort_by_key(|&vertex| position[vertex]);
    }
}

/// Goes through the layers once, and orders each by the one before it.
fn sweep(grid: &mut Layers, position: &mut [usize], downwards: bool) {
    for step in 1..grid.layers.len() {
        let layer = if downwards { step } else { grid.layers.len() - 1 - step };
        let neighbours = if downwards { &grid.up } else { &grid.down };
        let mut keyed: Vec<(f64, usize)> = grid.layers[layer]
            .iter()
            .map(|&vertex| (middle(&neighbours[vertex], position, position[vertex]), vertex))
            .collect();
        keyed.sort_by(|(left, _), (right, _)| left.total_cmp(right));
        for (place, &(_, vertex)) in keyed.iter().enumerate() {
            position[vertex] = place;
        }
        grid.layers[layer] = keyed.into_iter().map(|(_, vertex)| vertex).collect();
    }
}

/// Swaps vertices that are side by side wherever that leaves fewer crossings.
fn swap_neighbours(grid: &mut Layers, position: &mut [usize]) {
    for _ in 0..SWAP_ROUNDS {
        let mut better = false;
        for layer in 0..grid.layers.len() {
            for place in 1..grid.layers[layer].len() {
                let (left, right) = (grid.layers[layer][place - 1], grid.layers[layer][place]);
                let crossed = |left: usize, right: usize| {
                    crossed(grid, &grid.up, left, right, position)
                        + crossed(grid, &grid.down, left, right, position)
                };
                if crossed(right, left) < crossed(left, right) {
                    grid.layers[layer].swap(place - 1, place);
                    position.swap(left, right);
                    better = true;
                }
            }
        }
        if !better {
            break;
        }
    }
}

/// What the crossings of the steps of two vertices cost, if the first is on the left.
fn crossed(grid: &Layers, ends: &[Vec<usize>], left: usize, right: usize, position: &[usize]) -> usize {
    let (of_left, of_right) = (&ends[left], &ends[right]);
    // Of two that lead to very many, the order is the sweep's.
    if of_left.len() * of_right.len() > MOST_PAIRS {
        return 0;
    }
    let beyond = |end: usize| {
        let others = of_right.iter().filter(|other| position[**other] < position[end]);
        others.map(|&other| grid.weight(other, right)).sum::<usize>() * grid.weight(end, left)
    };
    of_left.iter().map(|&end| beyond(end)).sum()
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
    let mut ends: Vec<(usize, usize, usize)> = Vec::new();
    for &vertex in &grid.layers[lower - 1] {
        let step = |&below: &usize| (position[vertex], position[below], grid.weight(vertex, below));
        ends.extend(grid.down[vertex].iter().map(step));
    }
    ends.sort_unstable();
    // A tree over the lower positions that sums the weights of those that have been met so far.
    let mut met = vec![0_usize; grid.layers[lower].len() + 1];
    let (mut crossings, mut before) = (0, 0);
    for &(_, end, weight) in &ends {
        let (mut at, mut not_after) = (end + 1, 0);
        while at > 0 {
            not_after += met[at];
            at &= at - 1;
        }
        crossings += weight * (before - not_after);
        before += weight;
        let mut at = end + 1;
        while at < met.len() {
            met[at] += weight;
            at += at & at.wrapping_neg();
        }
    }
    crossings
}
