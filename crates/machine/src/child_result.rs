//! What is told of a child execution that has ended: in the Map's result, or to a writer.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html>.

use crate::branch::ChildExecution;
use crate::clock::rfc3339;
use crate::event::Micros;
use faastlane_asl::definition::{OutputType, Transformation};
use faastlane_payload::flat::{Draft, View};
use faastlane_payload::{Payload, PayloadError};
use serde_json::{Map, Value, json};

/// What becomes of the results of a Map run's children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Results {
    /// The outputs are the Map's result. Failures that are tolerated are left out of it.
    Plain,
    /// They are the Map's result in another form, in which tolerated failures are told of: a writer without a place to
    /// write to.
    Formed(Transformation, OutputType),
    /// They go to a writer as they come.
    Written(Transformation),
}

/// How a child execution ended.
pub(crate) enum Ended<'a> {
    Succeeded(&'a Payload),
    Failed { error: Option<&'a str>, cause: Option<&'a str> },
}

/// The values that the results of all children are put together from, in the order of the children.
pub(crate) fn values<'a>(
    results: impl Iterator<Item = &'a Payload>,
    transformation: Transformation,
) -> Result<Vec<View<'a>>, PayloadError> {
    let mut values = Vec::new();
    for result in results {
        let view = result.view()?;
        match view.elements().filter(|_| transformation == Transformation::Flatten) {
            Some(elements) => values.extend(elements),
            None => values.push(view),
        }
    }
    Ok(values)
}

/// All values as one: an array; as lines a string, since nothing else in JSON can hold those. What Step Functions makes
/// of lines that are not exported is not documented.
pub(crate) fn put_together(values: Vec<View<'_>>, output_type: OutputType) -> Payload {
    match output_type {
        OutputType::Json => Payload::from_draft(&Draft::Array(values.into_iter().map(Draft::Part).collect())),
        OutputType::JsonLines => {
            let lines: String = values.into_iter().map(|value| format!("{}\n", value.to_value())).collect();
            Payload::from_value(Value::String(lines))
        }
    }
}

/// What there is to tell of a child execution. Members in the order of their names, as Step Functions writes them; input
/// and output are JSON in a string.
///
/// # Errors
/// The input or the output is damaged.
pub(crate) fn full_record(
    child: &ChildExecution,
    ended: &Ended<'_>,
    ended_at: Micros,
    state_machine: &str,
) -> Result<Payload, PayloadError> {
    let included = || Some(json!({ "Included": true }));
    let (mut cause_and_error, mut output) = ((None, None), None);
    // What cannot be redriven says why; what can has nothing to say.
    let (status, redrive, reason) = match ended {
        Ended::Succeeded(payload) => {
            output = Some(json!(payload.to_json()?));
            let reason = "Execution is SUCCEEDED and cannot be redriven";
            ("SUCCEEDED", "NOT_REDRIVABLE", Some(json!(reason)))
        }
        Ended::Failed { error, cause } => {
            cause_and_error = (cause.map(|cause| json!(cause)), error.map(|error| json!(error)));
            ("FAILED", "REDRIVABLE", None)
        }
    };
    let (cause, error) = cause_and_error;
    let members = [
        ("Cause", cause),
        ("Error", error),
        ("ExecutionArn", Some(json!(&*child.id))),
        ("Input", Some(json!(child.input.to_json()?))),
        ("InputDetails", included()),
        ("Name", Some(json!(&*child.name))),
        ("Output", output),
        ("OutputDetails", included()),
        ("RedriveCount", Some(json!(0))),
        ("RedriveStatus", Some(json!(redrive))),
        ("RedriveStatusReason", reason),
        ("StartDate", Some(json!(rfc3339(child.started_at)))),
        ("StateMachineArn", Some(json!(state_machine))),
        ("Status", Some(json!(status))),
        ("StopDate", Some(json!(rfc3339(ended_at)))),
    ];
    let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Ok(Payload::from_value(Value::Object(members.collect::<Map<_, _>>())))
}
