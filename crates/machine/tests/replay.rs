//! Random machines under random events: they never panic, end once, leave nothing behind, and replay to the same.

mod world;

use faastlane_machine::{Action, Event, Execution, InvocationId, Limits, Machine, Micros, TimerId};
use faastlane_payload::Payload;
use proptest::prelude::*;
use serde_json::{Value, json};
use world::{START, machine_with, start};

/// States of one flow, each going on to the next one.
#[derive(Clone, Debug)]
enum Kind {
    Task { retries: bool, timeout: bool, caught_by: Option<usize> },
    Pass,
    Broken,
    Wait(u8),
    Choice(usize),
    Fail,
    Parallel { branches: Vec<Vec<Kind>>, retries: bool, caught_by: Option<usize> },
    Map { states: Vec<Kind>, concurrency: u8, tolerated: u8, caught_by: Option<usize> },
}

fn kind() -> impl Strategy<Value = Kind> {
    let catcher = || prop::option::of(0usize..5);
    let leaf = prop_oneof![
        4 => (any::<bool>(), any::<bool>(), catcher())
            .prop_map(|(retries, timeout, caught_by)| Kind::Task { retries, timeout, caught_by }),
        2 => Just(Kind::Pass),
        1 => Just(Kind::Broken),
        1 => (0u8..3).prop_map(Kind::Wait),
        1 => (0usize..5).prop_map(Kind::Choice),
        1 => Just(Kind::Fail),
    ];
    leaf.prop_recursive(2, 16, 4, move |inner| {
        let states = prop::collection::vec(inner, 1..4);
        prop_oneof![
            (prop::collection::vec(states.clone(), 1..4), any::<bool>(), catcher())
                .prop_map(|(branches, retries, caught_by)| Kind::Parallel { branches, retries, caught_by }),
            (states, 0u8..3, 0u8..3, catcher()).prop_map(|(states, concurrency, tolerated, caught_by)| {
                Kind::Map { states, concurrency, tolerated, caught_by }
            }),
        ]
    })
}

/// The last state is a Succeed, so that everything can end; names are counted through the whole machine.
fn flow(kinds: &[Kind], named: &mut usize) -> Value {
    let names: Vec<String> = (0..=kinds.len()).map(|position| format!("s{}", *named + position)).collect();
    *named += names.len();
    let mut states = serde_json::Map::new();
    for (position, kind) in kinds.iter().enumerate() {
        let mut state = state(kind, &names, named);
        match kind {
            // The rule that never holds keeps what follows reachable.
            Kind::Fail => {
                let rule = json!({"Variable": "$.never", "IsPresent": true, "Next": names[position + 1]});
                let failing = format!("{}f", names[position]);
                states.insert(
                    names[position].clone(),
                    json!({"Type": "Choice", "Choices": [rule], "Default": failing}),
                );
                states.insert(failing, state);
                continue;
            }
            Kind::Choice(_) => state["Default"] = json!(names[position + 1]),
            _ => state["Next"] = json!(names[position + 1]),
        }
        states.insert(names[position].clone(), state);
    }
    states.insert(names[kinds.len()].clone(), json!({"Type": "Succeed"}));
    json!({ "StartAt": names[0], "States": states })
}

fn state(kind: &Kind, names: &[String], named: &mut usize) -> Value {
    let retry = json!([{"ErrorEquals": ["E", "States.Timeout"], "MaxAttempts": 2, "JitterStrategy": "FULL"}]);
    let with = |mut state: Value, retries: bool, caught_by: &Option<usize>| {
        if retries {
            state["Retry"] = retry.clone();
        }
        if let Some(next) = caught_by {
            let next = &names[next % names.len()];
            state["Catch"] = json!([{"ErrorEquals": ["States.ALL"], "ResultPath": null, "Next": next}]);
        }
        state
    };
    match kind {
        Kind::Task { retries, timeout, caught_by } => {
            let mut state = json!({"Type": "Task", "Resource": "f"});
            if *timeout {
                state["TimeoutSeconds"] = json!(2);
            }
            with(state, *retries, caught_by)
        }
        Kind::Pass => {
            json!({"Type": "Pass", "Parameters": {"items": [1, 2, 3], "from.$": "$$.State.EnteredTime"}})
        }
        Kind::Broken => json!({"Type": "Pass", "InputPath": "$.from"}),
        Kind::Wait(seconds) => json!({"Type": "Wait", "Seconds": seconds}),
        Kind::Choice(next) => {
            let next = &names[next % names.len()];
            json!({"Type": "Choice", "Choices": [{"Variable": "$.from", "IsPresent": true, "Next": next}]})
        }
        Kind::Fail => json!({"Type": "Fail", "Error": "E"}),
        Kind::Parallel { branches, retries, caught_by } => {
            let branches: Vec<Value> = branches.iter().map(|states| flow(states, named)).collect();
            with(json!({"Type": "Parallel", "Branches": branches, "ResultPath": null}), *retries, caught_by)
        }
        Kind::Map { states, concurrency, tolerated, caught_by } => {
            let mut state = json!({
                "Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": concurrency, "ResultPath": null,
                "ItemSelector": {"items": [4, 5], "value.$": "$$.Map.Item.Value"},
                "ItemProcessor": flow(states, named),
            });
            if *tolerated > 0 {
                state["ToleratedFailureCount"] = json!(tolerated);
            }
            with(state, false, caught_by)
        }
    }
}

/// What waits for an answer.
#[derive(Default)]
struct Outstanding {
    invocations: Vec<InvocationId>,
    timers: Vec<(TimerId, Micros)>,
    yielded: bool,
    finished: usize,
}

impl Outstanding {
    fn follow(&mut self, actions: &[Action]) {
        for action in actions {
            assert_eq!(self.finished, 0, "nothing comes behind the end: {action:?}");
            match action {
                Action::Invoke { invocation, .. } => self.invocations.push(*invocation),
                Action::Cancel { invocation } => {
                    let before = self.invocations.len();
                    self.invocations.retain(|waiting| waiting != invocation);
                    assert_eq!(self.invocations.len() + 1, before, "what is cancelled was running");
                }
                Action::SetTimer { timer, at, .. } => self.timers.push((*timer, *at)),
                Action::CancelTimer { timer } => {
                    let before = self.timers.len();
                    self.timers.retain(|(set, _)| set != timer);
                    assert_eq!(self.timers.len() + 1, before, "a timer that is cancelled was set");
                }
                Action::Record(_)
                | Action::Inspected(_)
                | Action::OpenItems { .. }
                | Action::ReadItems { .. }
                | Action::OpenResults { .. }
                | Action::WriteResult { .. }
                | Action::CloseResults { .. }
                | Action::CancelTransfer { .. } => {}
                Action::Yield => self.yielded = true,
                Action::Finished(_) => self.finished += 1,
            }
        }
    }

    /// The next event, as `choice` and `pick` say.
    fn event(&mut self, choice: u8, pick: usize, at: Micros) -> Event {
        match choice {
            0..=5 if !self.invocations.is_empty() => {
                let invocation = self.invocations.remove(pick % self.invocations.len());
                if choice < 4 {
                    let output = Payload::from_value(json!({"items": [pick % 7], "from": "f"}));
                    Event::InvocationSucceeded { invocation, output, log: None, at }
                } else {
                    let error = if pick.is_multiple_of(2) { "E" } else { "Faastlane.IsolationViolation" };
                    Event::InvocationFailed { invocation, error: error.to_owned(), cause: String::new(), at }
                }
            }
            0..=7 if !self.timers.is_empty() => {
                let (timer, set_for) = self.timers.remove(pick % self.timers.len());
                Event::TimerFired { timer, at: at.max(set_for) }
            }
            8 => Event::TimerFired { timer: TimerId(pick as u64), at },
            9 => Event::InvocationFailed {
                invocation: InvocationId(pick as u64),
                error: "E".to_owned(),
                cause: String::new(),
                at,
            },
            _ => {
                self.yielded = false;
                Event::Continue { at }
            }
        }
    }
}

/// What is answered already is not waited for, though it may well come again.
fn is_stale(event: &Event, outstanding: &Outstanding) -> bool {
    match event {
        Event::InvocationFailed { invocation, .. } => !outstanding.invocations.contains(invocation),
        Event::TimerFired { timer, .. } => outstanding.timers.iter().all(|(set, _)| set != timer),
        _ => false,
    }
}

fn drive(machine: &Machine, choices: &[(u8, usize)]) -> (Execution, Vec<Event>, Vec<Action>) {
    let (mut execution, mut all) = Execution::start(machine, start(json!({"items": [1, 2]})));
    let (mut outstanding, mut events) = (Outstanding::default(), Vec::new());
    outstanding.follow(&all);
    let abort = Event::Aborted { error: None, cause: None, at: START };
    let mut at = START;
    for (choice, pick) in choices {
        at += 100_000;
        let event = outstanding.event(*choice, *pick, at);
        at = at.max(event.at());
        let mut actions = Vec::new();
        let before = (*choice >= 8 && is_stale(&event, &outstanding)).then(|| execution.clone());
        execution.step(machine, event.clone(), &mut actions);
        if let Some(before) = before.filter(|before| before.outcome().is_some()) {
            assert_eq!((&before, actions.len()), (&execution, 0), "after the end nothing happens");
        }
        // An answer takes its timer with it only if there is one; the machine says so itself.
        outstanding.follow(&actions);
        all.extend(actions);
        events.push(event);
    }
    let mut actions = Vec::new();
    execution.step(machine, abort.clone(), &mut actions);
    outstanding.follow(&actions);
    all.extend(actions);
    events.push(abort);
    assert_eq!(outstanding.finished, 1);
    assert!(outstanding.invocations.is_empty(), "nobody is left to work for nobody");
    assert!(outstanding.timers.is_empty());
    (execution, events, all)
}

/// Events that were written down and read again.
fn journal(events: &[Event]) -> Vec<Event> {
    let written = |event| postcard::to_stdvec(event).unwrap();
    events.iter().map(written).map(|bytes| postcard::from_bytes(&bytes).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn executions_are_the_fold_of_their_events(
        kinds in prop::collection::vec(kind(), 1..5),
        deadline in any::<bool>(),
        choices in prop::collection::vec((0u8..11, any::<usize>()), 0..60),
    ) {
        let mut definition = flow(&kinds, &mut 0);
        if deadline {
            definition["TimeoutSeconds"] = json!(30);
        }
        let limits = Limits { transitions_per_step: 50, ..Limits::default() };
        let machine = machine_with(&definition, limits);
        let (execution, events, actions) = drive(&machine, &choices);

        let (mut again, mut actions_again) = Execution::start(&machine, start(json!({"items": [1, 2]})));
        // What it is after each event, and how many actions there were.
        let mut before = vec![(again.clone(), actions_again.len())];
        for event in &events {
            again.step(&machine, event.clone(), &mut actions_again);
            before.push((again.clone(), actions_again.len()));
        }
        prop_assert_eq!(&again, &execution);
        prop_assert_eq!(&actions_again, &actions);

        // Whoever has any beginning of the journal, as it was written down, goes on from there with the same rest.
        let mut resumed = Execution::start(&machine, start(json!({"items": [1, 2]}))).0;
        for (event, (was, told)) in journal(&events).into_iter().zip(before) {
            prop_assert_eq!(&resumed, &was);
            let mut rest = Vec::new();
            resumed.step(&machine, event, &mut rest);
            prop_assert!(actions[told..].starts_with(&rest));
        }
        prop_assert_eq!(&resumed, &execution);

        let history: Vec<_> = actions.iter().filter_map(|action| match action {
            Action::Record(event) => Some(event),
            _ => None,
        }).collect();
        for (event, id) in history.iter().zip(1u64..) {
            prop_assert_eq!(event.id, id);
            prop_assert!(event.previous_id < id);
        }
    }
}
