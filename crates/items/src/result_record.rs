//! What is written of a child execution.

use faastlane_payload::{Payload, PayloadError};
use serde_json::{Map, Value, json};

use crate::writer_spec::Transformation;

/// The Map Run whose results are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapRun {
    /// `arn:aws:states:region:account:mapRun:machine/label:id`; what follows the last colon names the results' folder.
    pub arn: String,
    /// Of the child executions: `arn:aws:states:region:account:stateMachine:machine/label`.
    pub state_machine_arn: String,
}

impl MapRun {
    pub(crate) fn id(&self) -> &str {
        self.arn.rsplit_once(':').map_or(self.arn.as_str(), |(_, id)| id)
    }
}

/// How a child execution ended. The status decides in which file it is found.
#[derive(Clone, Debug, PartialEq)]
pub enum ChildStatus {
    Succeeded {
        output: Payload,
    },
    Failed {
        error: Option<String>,
        cause: Option<String>,
    },
    TimedOut {
        error: Option<String>,
        cause: Option<String>,
    },
    Aborted,
    /// It was never started, because the Map Run failed or was aborted before.
    Pending,
}

/// One child execution.
#[derive(Clone, Debug, PartialEq)]
pub struct ChildResult {
    /// Neither is there for one that was never started.
    pub execution_arn: Option<String>,
    pub name: Option<String>,
    pub input: Payload,
    pub status: ChildStatus,
    /// As the context object writes times: `2025-02-04T01:49:50.099Z`.
    pub start_date: Option<String>,
    pub stop_date: Option<String>,
}

impl ChildResult {
    /// The values that a result file, or the state's result, has for this child execution.
    ///
    /// # Errors
    /// The input or the output is damaged.
    pub fn records(&self, run: &MapRun, transformation: Transformation) -> Result<Vec<Value>, PayloadError> {
        let ChildStatus::Succeeded { output } = &self.status else {
            return Ok(vec![self.full_record(run)?]);
        };
        Ok(match (transformation, output.value()?) {
            (Transformation::None, _) => vec![self.full_record(run)?],
            (Transformation::Flatten, Value::Array(elements)) => elements.clone(),
            (Transformation::Compact | Transformation::Flatten, output) => vec![output.clone()],
        })
    }

    /// Members in the order of their names, as Step Functions writes them. Input and output are JSON in a string.
    fn full_record(&self, run: &MapRun) -> Result<Value, PayloadError> {
        let text = |text: &Option<String>| text.clone().map(Value::String);
        let (mut cause, mut error, mut output) = (None, None, None);
        match &self.status {
            ChildStatus::Succeeded { output: payload } => output = Some(Value::String(payload.to_json()?)),
            ChildStatus::Failed { error: name, cause: why }
            | ChildStatus::TimedOut { error: name, cause: why } => {
                (error, cause) = (text(name), text(why));
            }
            ChildStatus::Aborted | ChildStatus::Pending => {}
        }
        let started = !matches!(self.status, ChildStatus::Pending);
        let included = json!({ "Included": true });
        // What cannot be redriven says why; what can has nothing to say.
        let redrive = match &self.status {
            ChildStatus::Succeeded { .. } => {
                Some(("NOT_REDRIVABLE", Some("Execution is SUCCEEDED and cannot be redriven")))
            }
            ChildStatus::Pending => None,
            _ => Some(("REDRIVABLE", None)),
        };
        let members = [
            ("Cause", cause),
            ("Error", error),
            ("ExecutionArn", text(&self.execution_arn)),
            ("Input", Some(Value::String(self.input.to_json()?))),
            ("InputDetails", Some(included.clone())),
            ("Name", text(&self.name)),
            ("Output", output),
            ("OutputDetails", started.then_some(included)),
            ("RedriveCount", started.then(|| json!(0))),
            ("RedriveStatus", redrive.map(|(status, _)| json!(status))),
            ("RedriveStatusReason", redrive.and_then(|(_, reason)| reason).map(|reason| json!(reason))),
            ("StartDate", text(&self.start_date)),
            ("StateMachineArn", started.then(|| json!(run.state_machine_arn))),
            ("Status", Some(json!(self.status.name()))),
            ("StopDate", text(&self.stop_date)),
        ];
        let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Ok(Value::Object(members.collect::<Map<_, _>>()))
    }
}

impl ChildStatus {
    fn name(&self) -> &'static str {
        match self {
            ChildStatus::Succeeded { .. } => "SUCCEEDED",
            ChildStatus::Failed { .. } => "FAILED",
            ChildStatus::TimedOut { .. } => "TIMED_OUT",
            ChildStatus::Aborted => "ABORTED",
            ChildStatus::Pending => "PENDING",
        }
    }
}
