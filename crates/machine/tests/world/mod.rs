//! A world for executions: functions that answer at once, and a clock that jumps to the next timer.

#![allow(dead_code, reason = "each test program uses a part of it")]

use faastlane_asl::source::Source;
use faastlane_machine::{
    Action, Event, Execution, HistoryEvent, HistoryLevel, Identity, InvocationId, InvocationLog, Limits,
    Machine, Micros, Outcome, Start, TimerId,
};
use faastlane_payload::Payload;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::Arc;

/// 2023-11-14T22:13:20Z
pub(crate) const START: Micros = 1_700_000_000_000_000;

pub(crate) const SECOND: Micros = 1_000_000;

/// What a function answers; `None` is never.
pub(crate) type Answer = Option<Answered>;

/// A result, or an error and its cause.
pub(crate) type Answered = Result<Value, (String, String)>;

/// How an execution went.
#[derive(Debug)]
pub(crate) struct Run {
    /// `None` when it waits for what never comes.
    pub(crate) outcome: Option<Outcome>,
    pub(crate) history: Vec<HistoryEvent>,
    /// Function, payload and time of each invocation.
    pub(crate) calls: Vec<(String, Value, Micros)>,
    pub(crate) cancelled: usize,
    /// The most invocations that waited for an answer at the same time.
    pub(crate) most_at_once: usize,
    pub(crate) ended_at: Micros,
}

pub(crate) fn machine(definition: &Value) -> Machine {
    machine_with(definition, Limits::default())
}

pub(crate) fn machine_with(definition: &Value, limits: Limits) -> Machine {
    let source = Source::new("test.asl.json", definition.to_string());
    let parsed =
        faastlane_asl::parse(&source).unwrap_or_else(|findings| panic!("{definition}: {findings:#?}"));
    Machine::new(Arc::new(parsed.machine), limits)
}

pub(crate) fn start(input: Value) -> Start {
    let identity = Arc::new(Identity {
        execution_id: "arn:execution".into(),
        execution_name: "execution".into(),
        role: Some("arn:role".into()),
        state_machine_id: "arn:machine".into(),
        state_machine_name: "machine".into(),
    });
    Start { input: Payload::from_value(input), at: START, seed: 42, identity, history: HistoryLevel::Full }
}

/// Runs to the end. `function` gets the name, the payload and how many calls went before.
pub(crate) fn run(
    machine: &Machine,
    input: Value,
    mut function: impl FnMut(&str, &Value, usize) -> Answer,
) -> Run {
    let (mut execution, mut actions) = Execution::start(machine, start(input));
    let mut run = Run {
        outcome: None,
        history: Vec::new(),
        calls: Vec::new(),
        cancelled: 0,
        most_at_once: 0,
        ended_at: START,
    };
    let mut answers: VecDeque<(InvocationId, bool, Answered)> = VecDeque::new();
    let mut timers: Vec<(Micros, TimerId)> = Vec::new();
    let mut now = START;
    loop {
        let mut yielded = false;
        for action in actions.drain(..) {
            match action {
                Action::Invoke { invocation, function: called, resource, payload, wants_log, .. } => {
                    let name = called.unwrap_or(resource);
                    let event = payload.value().expect("the payload is sound").clone();
                    let answer = function(&name, &event, run.calls.len());
                    run.calls.push((name.to_string(), event, now));
                    answers.extend(answer.map(|answer| (invocation, wants_log, answer)));
                }
                Action::Cancel { invocation } => {
                    run.cancelled += 1;
                    answers.retain(|(waiting, ..)| *waiting != invocation);
                }
                Action::SetTimer { timer, at, .. } => timers.push((at, timer)),
                Action::CancelTimer { timer } => timers.retain(|(_, set)| *set != timer),
                Action::Record(event) => run.history.push(event),
                Action::OpenItems { .. } | Action::ReadItems { .. } | Action::CancelTransfer { .. } => {}
                Action::Inspected(_) => {}
                Action::OpenResults { .. } | Action::WriteResult { .. } | Action::CloseResults { .. } => {}
                Action::Yield => yielded = true,
                Action::Finished(outcome) => run.outcome = Some(outcome),
            }
        }
        run.most_at_once = run.most_at_once.max(answers.len());
        run.ended_at = now;
        let event = if run.outcome.is_some() {
            return run;
        } else if yielded {
            Event::Continue { at: now }
        } else if let Some((invocation, wants_log, answer)) = answers.pop_front() {
            match answer {
                Ok(output) => Event::InvocationSucceeded {
                    invocation,
                    output: Payload::from_value(output),
                    log: wants_log.then(|| Box::new(log())),
                    at: now,
                },
                Err((error, cause)) => Event::InvocationFailed { invocation, error, cause, at: now },
            }
        } else if let Some(next) = timers.iter().min().copied() {
            timers.retain(|timer| *timer != next);
            now = now.max(next.0);
            Event::TimerFired { timer: next.1, at: now }
        } else {
            return run;
        };
        execution.step(machine, event, &mut actions);
    }
}

/// Of every invocation whose log is wanted.
fn log() -> InvocationLog {
    InvocationLog {
        request_id: "request".to_owned(),
        printed: "printed\n".to_owned(),
        duration_us: 0,
        memory_mb: 128,
    }
}

/// Functions that return their event.
pub(crate) fn echo(_: &str, event: &Value, _: usize) -> Answer {
    Some(Ok(event.clone()))
}

impl Run {
    pub(crate) fn output(&self) -> Value {
        match &self.outcome {
            Some(Outcome::Succeeded(output)) => output.value().expect("the output is sound").clone(),
            other => panic!("it did not succeed: {other:?}"),
        }
    }

    /// Error and cause, empty where there is none.
    pub(crate) fn failure(&self) -> (String, String) {
        match &self.outcome {
            Some(Outcome::Failed { error, cause }) => {
                (error.clone().unwrap_or_default(), cause.clone().unwrap_or_default())
            }
            other => panic!("it did not fail: {other:?}"),
        }
    }

    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        self.history.iter().map(|event| event.kind.as_str()).collect()
    }
}
