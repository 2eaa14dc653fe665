//! What is foretold of the calls ahead is what the execution wants then.

mod world;

use faastlane_machine::{Action, Event, Execution, HistoryLevel, NextCall, Start};
use faastlane_payload::Payload;
use proptest::prelude::*;
use serde_json::{Value, json};
use world::{SECOND, START, machine, start};

fn invoke() -> impl Strategy<Value = Value> {
    let whole = json!({ "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": { "FunctionName": "f", "Payload.$": "$" }, "OutputPath": "$.Payload" });
    let wrapped = json!({ "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": { "FunctionName": "f", "Payload.$": "$" } });
    let tail = json!({ "Resource": "arn:aws:states:::lambda:invoke", "OutputPath": "$.Payload",
        "Parameters": { "FunctionName": "f", "Payload.$": "$", "LogType": "None" } });
    prop_oneof![3 => Just(whole), 1 => Just(wrapped), 1 => Just(tail)]
}

fn state() -> impl Strategy<Value = Value> {
    let fields = |fields: Value| Just(fields);
    let task = prop_oneof![
        6 => fields(json!({ "Resource": "f" })),
        2 => fields(json!({ "Resource": "g", "TimeoutSeconds": 5 })),
        1 => fields(json!({ "Resource": "g", "TimeoutSeconds": 9, "HeartbeatSeconds": 3 })),
        1 => fields(json!({ "Resource": "g", "TimeoutSecondsPath": "$.n" })),
        1 => fields(json!({ "Resource": "f", "InputPath": "$.in" })),
        1 => fields(json!({ "Resource": "f", "ResultPath": "$.out" })),
        1 => fields(json!({ "Resource": "f", "OutputPath": "$.in" })),
        1 => fields(json!({ "Resource": "f", "Parameters": { "in": {}, "n": 4 } })),
        1 => fields(json!({ "Resource": "f", "ResultSelector": { "in": {}, "n": 4 } })),
        1 => fields(json!({ "Resource": "f", "Assign": { "x": 1 } })),
        1 => fields(json!({ "Resource": "f", "Retry": [{ "ErrorEquals": ["States.ALL"] }] })),
        1 => fields(json!({ "Resource": "f", "QueryLanguage": "JSONata" })),
        1 => fields(json!({ "Resource": "f", "QueryLanguage": "JSONata", "Output": "{% $states.result %}" })),
        1 => fields(json!({ "Resource": "f", "QueryLanguage": "JSONata", "Arguments": { "n": 4 } })),
        3 => invoke(),
    ];
    let task = task.prop_map(|mut fields| {
        fields["Type"] = json!("Task");
        fields
    });
    prop_oneof![8 => task, 1 => Just(json!({ "Type": "Pass" }))]
}

fn chain(states: &[Value]) -> Value {
    let last = states.len() - 1;
    let name = |at: usize| format!("S{at}");
    let all = states.iter().enumerate().map(|(at, state)| {
        let mut state = state.clone();
        match at == last {
            true => state["End"] = json!(true),
            false => state["Next"] = json!(name(at + 1)),
        }
        (name(at), state)
    });
    json!({ "StartAt": name(0), "States": all.collect::<serde_json::Map<_, _>>() })
}

proptest! {
    #[test]
    fn what_is_foretold_comes(
        states in prop::collection::vec(state(), 1..8),
        full in any::<bool>(),
        text in any::<bool>(),
    ) {
        let machine = machine(&chain(&states));
        let result = Payload::from_value(if text { json!("7") } else { json!({ "in": {}, "n": 4, "Payload": {} }) });
        let history = if full { HistoryLevel::Full } else { HistoryLevel::Types };
        let begin = Start { history, ..start(json!({ "in": {}, "n": 4 })) };
        let (mut execution, mut actions) = Execution::start(&machine, begin);
        let mut foretold: Vec<NextCall> = Vec::new();
        let mut at = START;
        loop {
            let wanted = actions.drain(..).find_map(|action| match action {
                Action::Invoke { invocation, function, state, path, payload, timeout_at, wants_log, .. } => {
                    Some((invocation, function, state, path, payload, timeout_at, wants_log))
                }
                _ => None,
            });
            let Some((invocation, function, state, path, payload, timeout_at, wants_log)) = wanted else {
                prop_assert!(foretold.is_empty(), "{foretold:?} never came");
                break;
            };
            if !foretold.is_empty() {
                let next = foretold.remove(0);
                prop_assert_eq!(next.invocation, invocation);
                prop_assert_eq!(Some(next.function), function);
                prop_assert_eq!(next.state, state);
                prop_assert_eq!(next.timeout_seconds.map(|seconds| at + u64::from(seconds) * SECOND), timeout_at);
                prop_assert!(!wants_log);
                prop_assert_eq!(payload.flat(), result.flat());
            } else {
                foretold = execution.calls_ahead(&machine, invocation, &path).collect();
            }
            // The domain ends the run there.
            if text && foretold.first().is_some_and(|next| !next.takes_text) {
                foretold.clear();
            }
            at += 10;
            let event = Event::InvocationSucceeded { invocation, output: result.clone(), log: None, at };
            execution.step(&machine, event, &mut actions);
        }
    }
}
