//! The details of events, as Step Functions' `GetExecutionHistory` gives them.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html>.

use crate::history::{Detail, EventKind, HistoryEvent};
use faastlane_payload::Payload;
use serde_json::{Map, Value, json};

/// Where services are, in the details that name a region.
const REGION: &str = "us-east-1";

impl HistoryEvent {
    /// An object with one member, `stateEnteredEventDetails` say; `None` for an event without details.
    pub fn details(&self) -> Option<Value> {
        let name = self.details_name()?;
        let mut details = Map::new();
        if let (Some(state), true) =
            (&self.state, name.starts_with("state") || name.starts_with("mapIteration"))
        {
            details.insert("name".to_owned(), json!(&**state));
        }
        self.add_detail(&mut details);
        if let Some(resource) = &self.resource {
            let (service, action) = service_and_action(resource);
            details.insert("resource".to_owned(), json!(action));
            details.insert("resourceType".to_owned(), json!(service));
        }
        Some(json!({ name: details }))
    }

    /// `stateEnteredEventDetails` for all kinds of states, else by the event's type.
    fn details_name(&self) -> Option<String> {
        let kind = self.kind.as_str();
        if kind.ends_with("StateEntered") {
            return Some("stateEnteredEventDetails".to_owned());
        }
        if kind.ends_with("StateExited") {
            return Some("stateExitedEventDetails".to_owned());
        }
        let has_none = matches!(
            self.kind,
            EventKind::LambdaFunctionStarted
                | EventKind::ParallelStateStarted
                | EventKind::ParallelStateSucceeded
                | EventKind::ParallelStateFailed
                | EventKind::MapStateSucceeded
                | EventKind::MapStateFailed
                | EventKind::MapRunSucceeded
        ) || kind.ends_with("StateAborted")
            || kind == "MapRunAborted";
        if has_none {
            return None;
        }
        let (first, rest) = kind.split_at(1);
        Some(format!("{}{rest}EventDetails", first.to_lowercase()))
    }

    fn add_detail(&self, details: &mut Map<String, Value>) {
        match &self.detail {
            Detail::Nothing => {}
            Detail::Input(input) => add_payload(details, "input", input),
            Detail::Output(output) => add_payload(details, "output", output),
            Detail::Exited { output, assigned } => {
                add_payload(details, "output", output);
                if let Some(Value::Object(variables)) =
                    assigned.as_ref().and_then(|assigned| assigned.value().ok())
                {
                    let texts =
                        variables.iter().map(|(name, value)| (name.clone(), json!(value.to_string())));
                    details.insert("assignedVariables".to_owned(), Value::Object(texts.collect()));
                    details.insert("assignedVariablesDetails".to_owned(), json!({ "truncated": false }));
                }
            }
            Detail::Failure { error, cause } => {
                for (name, text) in [("error", error), ("cause", cause)] {
                    if let Some(text) = text {
                        details.insert(name.to_owned(), json!(text));
                    }
                }
            }
            Detail::Evaluation { error, cause, location } => {
                details.insert("error".to_owned(), json!(error));
                details.insert("cause".to_owned(), json!(cause));
                details.insert("location".to_owned(), json!(location));
                details.insert("state".to_owned(), json!(self.state.as_deref()));
            }
            Detail::Scheduled { resource, input, timeout_seconds, heartbeat_seconds, credentials } => {
                if self.resource.is_some() {
                    details.insert("parameters".to_owned(), json!(text(input)));
                    details.insert("region".to_owned(), json!(REGION));
                } else {
                    details.insert("resource".to_owned(), json!(&**resource));
                    add_payload(details, "input", input);
                }
                for (name, seconds) in
                    [("timeoutInSeconds", timeout_seconds), ("heartbeatInSeconds", heartbeat_seconds)]
                {
                    if let Some(seconds) = seconds {
                        details.insert(name.to_owned(), json!(seconds));
                    }
                }
                if let Some(Ok(credentials)) = credentials.as_ref().map(Payload::value) {
                    details.insert("taskCredentials".to_owned(), role_only(credentials));
                }
            }
            Detail::MapRun(arn) => drop(details.insert("mapRunArn".to_owned(), json!(&**arn))),
            Detail::Length(length) => drop(details.insert("length".to_owned(), json!(length))),
            Detail::Iteration(index) => drop(details.insert("index".to_owned(), json!(index))),
        }
    }
}

/// What does not decode was written by a function that forged it.
fn text(payload: &Payload) -> String {
    payload.value().map_or_else(|_| "null".to_owned(), Value::to_string)
}

fn add_payload(details: &mut Map<String, Value>, name: &str, payload: &Payload) {
    details.insert(name.to_owned(), json!(text(payload)));
    details.insert(format!("{name}Details"), json!({ "truncated": false }));
}

fn role_only(credentials: &Value) -> Value {
    json!({ "roleArn": credentials.get("RoleArn").cloned().unwrap_or(Value::Null) })
}

/// `lambda` and `invoke` of `arn:aws:states:::lambda:invoke`; `aws-sdk:s3` and `getObject`.
fn service_and_action(resource: &str) -> (&str, &str) {
    let integration = resource.rsplit_once(":::").map_or(resource, |(_, integration)| integration);
    // `.sync:2` has a colon of its own.
    let end = integration.find('.').unwrap_or(integration.len());
    match integration[..end].rfind(':') {
        Some(colon) => (&integration[..colon], &integration[colon + 1..]),
        None => (integration, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::service_and_action;

    #[test]
    fn services_and_actions_are_told_apart() {
        for (resource, service, action) in [
            ("arn:aws:states:::lambda:invoke", "lambda", "invoke"),
            ("arn:aws:states:::sqs:sendMessage.waitForTaskToken", "sqs", "sendMessage.waitForTaskToken"),
            ("arn:aws:states:::aws-sdk:s3:getObject", "aws-sdk:s3", "getObject"),
            ("arn:aws:states:::states:startExecution.sync:2", "states", "startExecution.sync:2"),
        ] {
            assert_eq!(service_and_action(resource), (service, action));
        }
    }
}
