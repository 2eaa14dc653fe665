//! `faastlane plan --analyze`: what was to be expected of an execution, beside what became of it.
//!
//! The prediction is simple on purpose, so that a difference says something about the workflow: every call has its domain for as
//! long as it usually has, as measured in earlier runs; calls within a Parallel or Map divide evenly over their lanes, and all lanes
//! over the CPUs. How many calls there are is taken from the execution itself.

use crate::args::PlanArguments;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::run::{self, exit_of, prepare, refuse_findings, say};
use crate::run_failure::of_instance;
use crate::surroundings::surroundings;
use crate::terminal::Terminal;
use crate::waterfall::{self, Run, duration_us};
use crate::{host, plan, render_diagnostic, run_input, table};
use faastlane_compose::{Plan, WORTH_A_LANE_NS};
use faastlane_pool::{StartError, StateRecord, Status};
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::thread::available_parallelism;
use std::time::Instant;

#[derive(Serialize)]
struct Analysis {
    functions: Vec<FunctionAnalysis>,
    /// Parallel and Map states that are in no other one, as often as they were visited.
    wide_states: Vec<WideAnalysis>,
    /// Of all states but Wait; `null` where a function had not been measured.
    predicted_us: Option<u64>,
    measured_us: u64,
}

#[derive(Serialize)]
struct FunctionAnalysis {
    name: String,
    calls: usize,
    /// Measured before.
    known_calls: u64,
    /// For each call.
    predicted_us: Option<f64>,
    /// Median of the calls.
    measured_us: Option<f64>,
}

#[derive(Serialize)]
struct WideAnalysis {
    name: String,
    #[serde(rename = "type")]
    state_type: String,
    calls: usize,
    /// The most of one domain.
    predicted_lanes: Option<u32>,
    lanes: u32,
    predicted_us: Option<u64>,
    measured_us: Option<u64>,
}

pub(crate) fn execute(arguments: &PlanArguments) -> anyhow::Result<Exit> {
    let begin = Instant::now();
    let mut findings = Vec::new();
    let input = run_input::read(arguments.input.as_deref());
    let surroundings = surroundings(arguments.workflow.overrides());
    let ready = prepare(&arguments.workflow.path, &surroundings, input, &host::probe(), &mut findings);
    let (workflow, plan, input) = match ready {
        Ok(ready) => ready,
        Err(errors) => return refuse_findings(arguments.json, &errors),
    };
    if !arguments.json {
        render_diagnostic::print(&findings)?;
    }
    let interrupt = Interrupt::listen()?;
    let composed = begin.elapsed();
    let ran = match run::run(&workflow, &plan, &input, 1.0, None, &interrupt, begin) {
        Ok(ran) => ran,
        Err(StartError { error, logs }) => {
            let (finding, traceback) = of_instance(&error, &workflow, &plan);
            if !arguments.json {
                waterfall::print_lines(&plan, &logs)?;
                io::stderr().write_all(traceback.as_bytes())?;
            }
            return refuse_findings(arguments.json, &[finding]);
        }
    };
    let cpus = available_parallelism().map_or(1, |cpus| cpus.get() as u64);
    let analysis = analyze(&plan, &ran.record.states, ran.record.duration_us, cpus);
    if arguments.json {
        say(&json!({
            "format_version": 1,
            "plan": plan,
            "analysis": analysis,
            "execution": run::report(&plan, &ran),
            "diagnostics": render_diagnostic::to_json(&findings),
        }))?;
    } else {
        let width = Terminal::stdout().width;
        let text = format!("{}\n{}", plan::render(&plan, width)?, render(&analysis, width)?);
        io::stdout().write_all(text.as_bytes())?;
        if ran.record.status != Status::Succeeded {
            waterfall::print(&Run { plan: &plan, ran: &ran, composed })?;
        }
    }
    Ok(exit_of(&ran.record, &interrupt))
}

fn analyze(plan: &Plan, states: &[StateRecord], duration_us: u64, cpus: u64) -> Analysis {
    let (mut wide_states, mut predicted_ns, mut waited_us) = (Vec::new(), Some(0), 0);
    for group in states.chunk_by(|_, next| next.depth > 0) {
        let [state, within @ ..] = group else { continue };
        let took_us = state.exited_us.map(|exited| exited - state.entered_us);
        let predicted = match state.state_type {
            "Parallel" | "Map" => {
                let predicted = predict(plan, within, cpus);
                let calls = within.iter().flat_map(|state| &state.calls);
                let lanes: BTreeSet<(&Option<String>, u32)> = within
                    .iter()
                    .flat_map(|state| state.calls.iter().map(|call| (&state.domain, call.lane)))
                    .collect();
                let most =
                    lanes.iter().map(|(domain, _)| lanes.iter().filter(|(other, _)| other == domain).count());
                wide_states.push(WideAnalysis {
                    name: state.name.clone(),
                    state_type: state.state_type.to_owned(),
                    calls: calls.count(),
                    predicted_lanes: predicted.map(|predicted| predicted.lanes),
                    lanes: most.max().unwrap_or(0) as u32,
                    predicted_us: predicted.map(|predicted| predicted.ns / 1000),
                    measured_us: took_us,
                });
                predicted.map(|predicted| predicted.ns)
            }
            "Wait" => {
                waited_us += took_us.unwrap_or(0);
                Some(0)
            }
            _ => busy_ns(plan, state).map(|usual| state.calls.len() as u64 * usual),
        };
        predicted_ns = predicted_ns.zip(predicted).map(|(sum, more)| sum + more);
    }
    Analysis {
        functions: plan
            .functions
            .iter()
            .map(|function| of_function(&function.name, function.usual, states))
            .collect(),
        wide_states,
        predicted_us: predicted_ns.map(|ns| ns / 1000),
        measured_us: duration_us.saturating_sub(waited_us),
    }
}

fn of_function(
    name: &str,
    usual: Option<faastlane_compose::Usual>,
    states: &[StateRecord],
) -> FunctionAnalysis {
    let of_it = states.iter().filter(|state| state.function.as_deref() == Some(name));
    let mut took: Vec<u64> = of_it
        .flat_map(|state| &state.calls)
        .map(|call| call.returned_ns.saturating_sub(call.called_ns))
        .collect();
    took.sort_unstable();
    FunctionAnalysis {
        name: name.to_owned(),
        calls: took.len(),
        known_calls: usual.map_or(0, |usual| usual.calls),
        predicted_us: usual.map(|usual| usual.ns as f64 / 1e3),
        measured_us: took.get(took.len() / 2).map(|ns| *ns as f64 / 1e3),
    }
}

/// 0 for a state that calls nothing; `None` where its function has not been measured.
fn busy_ns(plan: &Plan, state: &StateRecord) -> Option<u64> {
    if state.calls.is_empty() {
        return Some(0);
    }
    let (_, function) = plan.function(state.function.as_deref()?)?;
    function.usual.map(|usual| usual.busy_ns)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Predicted {
    lanes: u32,
    ns: u64,
}

/// Of the states within a Parallel or Map.
fn predict(plan: &Plan, within: &[StateRecord], cpus: u64) -> Option<Predicted> {
    // By domain: calls, and how long they take one after the other.
    let mut work: BTreeMap<&Option<String>, (u64, u64)> = BTreeMap::new();
    for state in within {
        let (calls, ns) = work.entry(&state.domain).or_default();
        *calls += state.calls.len() as u64;
        *ns += state.calls.len() as u64 * busy_ns(plan, state)?;
    }
    let (mut lanes, mut longest, mut all_ns) = (0, 0, 0);
    for (calls, ns) in work.into_values().filter(|(calls, _)| *calls > 0) {
        let in_line = ns - ns / calls;
        let more = (1..plan.lanes).take_while(|seats| in_line / u64::from(*seats) > WORTH_A_LANE_NS).count();
        let here = 1 + more as u32;
        lanes = lanes.max(here);
        longest = longest.max(ns / u64::from(here));
        all_ns += ns;
    }
    Some(Predicted { lanes, ns: longest.max(all_ns / cpus) })
}

fn render(analysis: &Analysis, width: usize) -> anyhow::Result<String> {
    let mut text = String::new();
    let time = |us: Option<f64>| us.map_or_else(|| "-".to_owned(), |us| duration_us(us.round() as u64));
    let mut functions = table::with_header(&["FUNCTION", "CALLS", "PREDICTED", "MEASURED"], width);
    for function in &analysis.functions {
        functions.add_row([
            function.name.clone(),
            function.calls.to_string(),
            time(function.predicted_us),
            time(function.measured_us),
        ]);
    }
    writeln!(text, "{}", table::trimmed(&functions))?;
    if !analysis.wide_states.is_empty() {
        let header = ["STATE", "TYPE", "CALLS", "LANES PREDICTED", "LANES", "PREDICTED", "MEASURED"];
        let mut wide = table::with_header(&header, width);
        for state in &analysis.wide_states {
            wide.add_row([
                state.name.clone(),
                state.state_type.clone(),
                state.calls.to_string(),
                state.predicted_lanes.map_or_else(|| "-".to_owned(), |lanes| lanes.to_string()),
                state.lanes.to_string(),
                time(state.predicted_us.map(|us| us as f64)),
                time(state.measured_us.map(|us| us as f64)),
            ]);
        }
        writeln!(text, "\n{}", table::trimmed(&wide))?;
    }
    let measured = duration_us(analysis.measured_us);
    match analysis.predicted_us {
        Some(predicted) => writeln!(
            text,
            "\nthe execution, without Wait states: {} predicted, {measured} measured",
            duration_us(predicted)
        )?,
        None => writeln!(
            text,
            "\nthe execution, without Wait states: {measured} measured. Some functions had never been measured before; their \
             durations are known now: run it again for a prediction"
        )?,
    }
    Ok(text)
}
