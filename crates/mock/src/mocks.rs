//! The mocks of one workflow, and what they answer.

use faastlane_payload::Payload;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The stand-ins of one workflow. Plain data: it travels with the plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mocks {
    /// By the function's bare name.
    functions: BTreeMap<String, StandIn>,
    /// By the state's name. They win over those of functions.
    states: BTreeMap<String, StateMock>,
}

/// What answers for a function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StandIn {
    /// Before it answers, in microseconds.
    pub(crate) sleep_us: u64,
    pub(crate) behaviour: Behaviour,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Behaviour {
    Echo,
    Raise {
        class: String,
        message: String,
        written: String,
    },
    Return(Value),
    /// A response of so many bytes.
    Bytes(u64),
}

/// What answers for a state: one of AWS's mocked responses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct StateMock {
    /// Its name.
    pub(crate) response: String,
    pub(crate) answers: Vec<Attempts>,
}

/// What is answered from one attempt to another, both included, counted from 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Attempts {
    pub(crate) first: u32,
    pub(crate) last: u32,
    pub(crate) reply: Reply,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Reply {
    Return(Value),
    Throw { error: String, cause: String },
}

/// A call that a stand-in may take.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    pub state: &'a str,
    /// How often the execution has called from this state before.
    pub attempt: u32,
    /// A bare name.
    pub function: &'a str,
    pub event: &'a Payload,
    pub request_id: &'a str,
}

/// What a stand-in says, and how long it takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Microseconds.
    pub after_us: u64,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// What the function returned.
    Returned(Payload),
    /// The Task's whole result, in the shape that the service gives it.
    TaskResult(Payload),
    Failed {
        error: String,
        cause: String,
    },
    /// A response of more bytes than Step Functions takes from a Task.
    TooLarge,
    /// The mocks do not say what happens: a sentence about it.
    Unforeseen(String),
}

/// Bytes of a Task's result that Step Functions takes.
///
/// Source: <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>.
const LARGEST_RESULT: u64 = 262_144;

impl Mocks {
    pub(crate) fn of_functions(functions: impl Iterator<Item = (String, StandIn)>) -> Self {
        Self { functions: functions.collect(), states: BTreeMap::new() }
    }

    pub(crate) fn of_states(states: impl Iterator<Item = (String, StateMock)>) -> Self {
        Self { functions: BTreeMap::new(), states: states.collect() }
    }

    /// Whether a call of `function` from `state` finds a stand-in.
    pub fn stands_in(&self, state: &str, function: &str) -> bool {
        self.answers_for_state(state) || self.answers_for_function(function)
    }

    /// Whether there is one for whatever this state calls.
    pub fn answers_for_state(&self, state: &str) -> bool {
        self.states.contains_key(state)
    }

    /// Whether there is one for this function, whoever calls it.
    pub fn answers_for_function(&self, function: &str) -> bool {
        self.functions.contains_key(function)
    }

    /// What the stand-in for a call answers; `None` where there is none.
    pub fn answer(&self, call: &Call<'_>) -> Option<Answer> {
        match self.states.get(call.state) {
            Some(mock) => Some(Answer { after_us: 0, outcome: mock.outcome(call) }),
            None => self.functions.get(call.function).map(|stand_in| stand_in.answer(call)),
        }
    }
}

impl StateMock {
    fn outcome(&self, call: &Call<'_>) -> Outcome {
        let attempt = call.attempt;
        let found = self.answers.iter().find(|answer| (answer.first..=answer.last).contains(&attempt));
        match found.map(|answer| &answer.reply) {
            Some(Reply::Return(value)) => Outcome::TaskResult(Payload::from_value(value.clone())),
            Some(Reply::Throw { error, cause }) => {
                Outcome::Failed { error: error.clone(), cause: cause.clone() }
            }
            None => Outcome::Unforeseen(format!(
                "The mocked response '{}' does not say what attempt {attempt} of the state '{}' answers.",
                self.response, call.state
            )),
        }
    }
}

impl StandIn {
    fn answer(&self, call: &Call<'_>) -> Answer {
        let outcome = match &self.behaviour {
            Behaviour::Echo => Outcome::Returned(call.event.clone()),
            Behaviour::Return(value) => Outcome::Returned(Payload::from_value(value.clone())),
            Behaviour::Raise { class, message, written } => {
                Outcome::Failed { error: class.clone(), cause: cause(call, class, message, written) }
            }
            Behaviour::Bytes(count) if *count > LARGEST_RESULT => Outcome::TooLarge,
            Behaviour::Bytes(count) => {
                // The response is a JSON text, two of whose bytes are quotes.
                let text = "x".repeat(usize::try_from(count.saturating_sub(2)).unwrap_or(0));
                Outcome::Returned(Payload::from_value(Value::String(text)))
            }
        };
        Answer { after_us: self.sleep_us, outcome }
    }
}

/// The error object of AWS Lambda's Python runtime. Its trace names the stand-in: there is no other code.
fn cause(call: &Call<'_>, class: &str, message: &str, written: &str) -> String {
    let frame = format!("  File \"<stand-in for {}>\", line 1, in handler\n    {written}\n", call.function);
    json!({
        "errorMessage": message,
        "errorType": class,
        "requestId": call.request_id,
        "stackTrace": [frame],
    })
    .to_string()
}
