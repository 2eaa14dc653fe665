//! Whether every state of a flow can be reached, and whether the flow can end.
//!
//! Works on the tree, so that a mistake inside of one state does not make others look lost.

use crate::code;
use crate::node::{At, Kind};
use crate::report::Report;
use crate::suggest::nearest;
use std::collections::HashMap;

/// Says nothing where a transition is missing or leads nowhere anyone can guess: that has been reported, and what it
/// should reach is not lost.
pub(super) fn check(start: Option<&str>, states: &[(&str, At<'_>)], report: &mut Report) {
    if report.is_full() {
        return;
    }
    let indices: HashMap<&str, usize> =
        states.iter().enumerate().map(|(index, (name, _))| (*name, index)).collect();
    let resolve = |name: &str| {
        let known = indices.get(name).copied();
        known.or_else(|| nearest(name, states.iter().map(|(known, _)| *known)).map(|near| indices[near]))
    };
    let Some(start) = start.and_then(resolve) else { return };
    let mut ends = false;
    let mut outgoing = Vec::with_capacity(states.len());
    for (_, state) in states {
        let Some(exits) = exits(state) else { return };
        // Where a transition leads to a name that is only guessed, the flow may well end behind it.
        ends |= exits.ends || exits.targets.iter().any(|target| !indices.contains_key(target));
        let Some(targets) = exits.targets.into_iter().map(resolve).collect::<Option<Vec<usize>>>() else {
            return;
        };
        outgoing.push(targets);
    }

    let mut reached = vec![false; states.len()];
    mark(start, &outgoing, &mut reached);
    // Of a chain that is lost only its head is reported; of a circle its first state.
    let mut follows_a_lost_one = vec![false; states.len()];
    for (from, targets) in outgoing.iter().enumerate().filter(|(from, _)| !reached[*from]) {
        targets.iter().filter(|to| **to != from).for_each(|to| follows_a_lost_one[*to] = true);
    }
    let heads: Vec<usize> = (0..states.len()).filter(|&index| !follows_a_lost_one[index]).collect();
    for index in heads.into_iter().chain(0..states.len()) {
        if !reached[index] {
            report_unreachable(&states[index], report);
            mark(index, &outgoing, &mut reached);
        }
    }
    // Where a target had to be guessed, it may be the end that is missing.
    let all_known = states.iter().filter_map(|(_, state)| exits(state)).flat_map(|exits| exits.targets);
    if !ends && all_known.into_iter().all(|target| indices.contains_key(target)) {
        let (name, state) = &states[start];
        report
            .error(
                code::NO_TERMINAL_STATE,
                state.key_spot(),
                format!("what starts at `{name}` can never end"),
            )
            .aws("Workflow has no terminal state")
            .label("no state after it ends")
            .hint("Give one of the states `\"End\": true`, or add a Succeed or Fail state.");
    }
}

fn report_unreachable((name, state): &(&str, At<'_>), report: &mut Report) {
    report
        .error(code::UNREACHABLE_STATE, state.key_spot(), format!("the state `{name}` is unreachable"))
        .aws(format!("State \"{name}\" is not reachable."))
        .label("nothing leads here")
        .hint("Let a state's `Next` lead here, or remove it.");
}

fn mark(start: usize, outgoing: &[Vec<usize>], reached: &mut [bool]) {
    let mut open = vec![start];
    while let Some(index) = open.pop() {
        if !std::mem::replace(&mut reached[index], true) {
            open.extend(&outgoing[index]);
        }
    }
}

struct Exits<'a> {
    targets: Vec<&'a str>,
    ends: bool,
}

/// `None` where the state does not say, which is a mistake that has been reported.
fn exits<'a>(state: &At<'a>) -> Option<Exits<'a>> {
    let kind = state.get("Type")?;
    let targets_of = |list: &str| {
        let entries: Vec<At<'a>> =
            state.get(list).and_then(|at| Some(at.items()?.collect())).unwrap_or_default();
        entries.into_iter().map(|entry| entry.get("Next").and_then(|next| next.as_str()))
    };
    match kind.as_str()? {
        "Succeed" | "Fail" => Some(Exits { targets: Vec::new(), ends: true }),
        "Choice" => {
            let default = state.get("Default").map(|at| at.as_str());
            let targets: Option<Vec<&str>> = targets_of("Choices").chain(default).collect();
            // A Choice ends too where nothing matches, but not in success.
            Some(Exits { targets: targets?, ends: false })
        }
        _ => {
            let next = state.get("Next").map(|at| at.as_str());
            let ends = state.get("End").is_some_and(|at| at.node.kind == Kind::Bool(true));
            if next.is_none() && !ends {
                return None;
            }
            let targets: Option<Vec<&str>> = targets_of("Catch").chain(next).collect();
            Some(Exits { targets: targets?, ends })
        }
    }
}
