//! What AWS's TestState answers.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/apireference/API_InspectionData.html>.

use super::drive::Shown;
use super::request::Request;
use super::subject::Subject;
use super::work::value;
use crate::args::InspectionLevel;
use faastlane_asl::definition::StateKind;
use faastlane_machine::{Outcome, Recovery, Stage};
use faastlane_payload::Payload;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use serde_json::{Map, Value, json};
use std::io;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Succeeded,
    Failed,
    Retriable,
    CaughtError,
}

pub(super) struct Answer {
    pub(super) state: String,
    pub(super) status: Status,
    pub(super) input: Payload,
    pub(super) output: Option<Payload>,
    pub(super) error: Option<String>,
    pub(super) cause: Option<String>,
    pub(super) next: Option<String>,
    /// In order.
    pub(super) stages: Vec<(Stage, Payload)>,
    pub(super) recovery: Option<Recovery>,
    pub(super) level: InspectionLevel,
}

impl Answer {
    pub(super) fn of(subject: &Subject, request: &Request, mut shown: Shown) -> Answer {
        if shown.stage(Stage::Variables).is_none() && !request.variables.is_empty() {
            // A state that failed has left them as they were.
            let variables = request.variables.iter();
            let variables: Map<String, Value> =
                variables.map(|(name, given)| (name.to_string(), value(given).clone())).collect();
            shown.stages.push((Stage::Variables, Payload::from_value(Value::Object(variables))));
        }
        let kind = &subject.state().kind;
        shown.stages.retain(|(stage, _)| is_shown(*stage, kind));
        shown.stages.sort_by_key(|(stage, _)| *stage);
        let recovery = shown.failure.as_ref().map(|failure| failure.recovery);
        let (error, cause) = match shown.failure {
            Some(failure) => (failure.error, failure.cause),
            None => (None, None),
        };
        let (status, output, error, cause) = match shown.outcome {
            None => (Status::Retriable, None, error, cause),
            Some(Outcome::Succeeded(output)) if recovery.is_some() => {
                (Status::CaughtError, Some(output), error, cause)
            }
            Some(Outcome::Succeeded(output)) => (Status::Succeeded, Some(output), None, None),
            Some(Outcome::Failed { error, cause } | Outcome::Aborted { error, cause }) => {
                (Status::Failed, None, error, cause)
            }
            Some(Outcome::TimedOut) => (Status::Failed, None, Some("States.Timeout".to_owned()), None),
        };
        Answer {
            state: subject.state().name.to_string(),
            status,
            input: request.input.clone(),
            output,
            error,
            cause,
            next: shown.next.map(|next| next.to_string()),
            stages: shown.stages,
            recovery,
            level: request.level,
        }
    }

    /// The response of the API.
    pub(super) fn to_json(&self) -> Value {
        let mut answer = Map::new();
        answer.insert("status".into(), json!(self.status.name()));
        let output = self.output.as_ref().map(text);
        let fields =
            [("output", &output), ("error", &self.error), ("cause", &self.cause), ("nextState", &self.next)];
        for (field, content) in fields {
            if let Some(content) = content {
                answer.insert(field.into(), json!(content));
            }
        }
        if self.level != InspectionLevel::Info {
            answer.insert("inspectionData".into(), self.inspection_data());
        }
        Value::Object(answer)
    }

    fn inspection_data(&self) -> Value {
        let mut data = Map::new();
        data.insert("input".into(), json!(text(&self.input)));
        for (stage, content) in &self.stages {
            let content = match stage {
                Stage::MaxConcurrency | Stage::ToleratedFailureCount | Stage::ToleratedFailurePercentage => {
                    value(content).clone()
                }
                _ => json!(text(content)),
            };
            data.insert(stage_name(*stage).into(), content);
        }
        if let Some(details) = self.recovery.and_then(error_details) {
            data.insert("errorDetails".into(), details);
        }
        Value::Object(data)
    }
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Status::Succeeded => "SUCCEEDED",
            Status::Failed => "FAILED",
            Status::Retriable => "RETRIABLE",
            Status::CaughtError => "CAUGHT_ERROR",
        }
    }
}

/// AWS says nothing of what goes into the branches of a Parallel, nor of what a Pass with a `Result` ignores.
fn is_shown(stage: Stage, kind: &StateKind) -> bool {
    match kind {
        StateKind::Parallel(_) => {
            !matches!(stage, Stage::AfterInputPath | Stage::AfterParameters | Stage::AfterArguments)
        }
        StateKind::Pass(pass) if pass.result.is_some() => {
            !matches!(stage, Stage::AfterInputPath | Stage::AfterParameters)
        }
        _ => true,
    }
}

/// As `inspectionData` has it.
pub(super) fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::AfterInputPath => "afterInputPath",
        Stage::AfterParameters => "afterParameters",
        Stage::AfterArguments => "afterArguments",
        Stage::AfterItemsPath => "afterItemsPath",
        Stage::AfterItemsPointer => "afterItemsPointer",
        Stage::MaxConcurrency => "maxConcurrency",
        Stage::ToleratedFailureCount => "toleratedFailureCount",
        Stage::ToleratedFailurePercentage => "toleratedFailurePercentage",
        Stage::AfterItemSelector => "afterItemSelector",
        Stage::AfterItemBatcher => "afterItemBatcher",
        Stage::Result => "result",
        Stage::AfterResultSelector => "afterResultSelector",
        Stage::AfterResultPath => "afterResultPath",
        Stage::Variables => "variables",
    }
}

/// A retrier that is used up is named as well: it is the one that the error belongs to.
fn error_details(recovery: Recovery) -> Option<Value> {
    let (retry, seconds, catch) = match recovery {
        Recovery::Retry { retrier, seconds } => (Some(retrier), Some(seconds), None),
        Recovery::Catch { catcher, exhausted } => (exhausted, None, Some(catcher)),
        Recovery::Nothing { exhausted } => (exhausted, None, None),
    };
    let mut details = Map::new();
    let numbers = [
        ("catchIndex", catch.map(|index| index as u64)),
        ("retryIndex", retry.map(|index| index as u64)),
        ("retryBackoffIntervalSeconds", seconds),
    ];
    for (field, number) in numbers {
        if let Some(number) = number {
            details.insert(field.into(), json!(number));
        }
    }
    (!details.is_empty()).then_some(Value::Object(details))
}

/// The text of a value, with a space behind each comma and colon, as requests are mostly written.
fn text(payload: &Payload) -> String {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, Spaced);
    match value(payload).serialize(&mut serializer) {
        Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => value(payload).to_string(),
    }
}

struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}
