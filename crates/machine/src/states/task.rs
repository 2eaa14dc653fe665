//! Task: calls a function and waits for its result, but not for ever.

use crate::action::{Action, StatePath, TimerPurpose};
use crate::branch::Activity;
use crate::clock::http_date;
use crate::data::Documents;
use crate::event::{HistoryLevel, InvocationId, Micros, TimerId};
use crate::failure::Failure;
use crate::history::{Detail, EventKind};
use crate::invocation_log::InvocationLog;
use crate::run::{Run, after_seconds};
use crate::trial::{Mock, Stage};
use faastlane_asl::definition::{Dynamic, Pattern, Resource, State, StateKind, Task};
use faastlane_payload::Payload;
use faastlane_payload::flat::{View, tag};
use serde_json::{Value, json};
use std::sync::Arc;

/// The events of one kind of task.
struct Kinds {
    scheduled: EventKind,
    /// An activity has started when a worker has taken it, which is nobody's here.
    started: Option<EventKind>,
    succeeded: EventKind,
    failed: EventKind,
    timed_out: EventKind,
}

const FUNCTION: Kinds = Kinds {
    scheduled: EventKind::LambdaFunctionScheduled,
    started: Some(EventKind::LambdaFunctionStarted),
    succeeded: EventKind::LambdaFunctionSucceeded,
    failed: EventKind::LambdaFunctionFailed,
    timed_out: EventKind::LambdaFunctionTimedOut,
};

const SERVICE: Kinds = Kinds {
    scheduled: EventKind::TaskScheduled,
    started: Some(EventKind::TaskStarted),
    succeeded: EventKind::TaskSucceeded,
    failed: EventKind::TaskFailed,
    timed_out: EventKind::TaskTimedOut,
};

const ACTIVITY: Kinds = Kinds {
    scheduled: EventKind::ActivityScheduled,
    started: None,
    succeeded: EventKind::ActivitySucceeded,
    failed: EventKind::ActivityFailed,
    timed_out: EventKind::ActivityTimedOut,
};

fn kinds(task: &Task) -> &'static Kinds {
    match task.resource {
        Resource::Function(_) => &FUNCTION,
        Resource::LambdaInvoke { .. } | Resource::Service { .. } => &SERVICE,
        Resource::Activity(_) => &ACTIVITY,
    }
}

/// A function to be called, or a service that only a stand-in can answer for.
struct Request {
    /// A bare name; `None` for a service.
    function: Option<Arc<str>>,
    /// The event, or the parameters of the service.
    payload: Payload,
    /// What the history shows as the parameters of an integration, where it is not the payload.
    parameters: Option<Payload>,
    /// The result shows the invocation's log.
    wants_log: bool,
}

/// Who answered for a Task.
pub(crate) enum Answer {
    /// The function, perhaps with its log: `lambda:invoke` wraps that.
    Function(Option<Box<InvocationLog>>),
    /// What stands in for the whole Task: its result is not to be wrapped any more.
    Task,
}

impl<'m> Run<'m, '_> {
    pub(crate) fn begin_task(&mut self, slot: u32, state: &'m State, task: &'m Task) -> Result<(), Failure> {
        let waits_for_token = matches!(&task.resource, Resource::Service { pattern: Pattern::TaskToken, .. });
        self.execution.branches[slot].task_token =
            waits_for_token.then(|| Arc::from(self.execution.random.uuid()));
        let selected = self.selected_input(slot)?;
        let request = self.request(slot, task, &selected)?;
        let mut seconds = |field, number: &'m Option<Dynamic<u32>>| {
            number.as_ref().map(|number| self.number(slot, field, number, &selected)).transpose()
        };
        let timeout = seconds("TimeoutSeconds", &task.timeout)?;
        // A function sends no heartbeats, so the first one that is missing ends it.
        let heartbeat = seconds("HeartbeatSeconds", &task.heartbeat)?;
        let limit = timeout.into_iter().chain(heartbeat).min();
        let credentials = match &task.credentials {
            Some(template) => {
                Some(self.fill_template(slot, "Credentials", template, &Documents::of(&selected))?)
            }
            None => None,
        };

        let kinds = kinds(task);
        let detail = Detail::Scheduled {
            resource: Arc::clone(&task.resource_text),
            input: request.parameters.unwrap_or_else(|| request.payload.clone()),
            timeout_seconds: timeout,
            heartbeat_seconds: heartbeat,
            credentials,
        };
        self.record(slot, kinds.scheduled, detail);
        if let Some(started) = kinds.started {
            self.record(slot, started, Detail::Nothing);
        }
        match self.mock() {
            Some(Mock::Result(result)) => {
                self.task_succeeded(slot, result, Answer::Task);
                return Ok(());
            }
            Some(Mock::Error { error, cause }) => {
                self.task_failed(slot, Failure { error, cause, in_state: false, evaluated: None });
                return Ok(());
            }
            None => {}
        }
        let timeout_at = limit.map(|seconds| after_seconds(self.execution.now, seconds));
        let timer = timeout_at.map(|at| {
            let timer = TimerId(self.execution.next_id(slot));
            self.actions.push(Action::SetTimer { timer, at, purpose: TimerPurpose::Timeout });
            timer
        });
        let invocation = InvocationId(self.execution.next_id(slot));
        let branch = &mut self.execution.branches[slot];
        branch.activity = Activity::Invoking { invocation, timer, heartbeat: limit != timeout };
        let attempt = branch.retries.iter().sum();
        let path = StatePath { turns: Arc::clone(&branch.turns), state: branch.state };
        self.actions.push(Action::Invoke {
            invocation,
            function: request.function,
            resource: Arc::clone(&task.resource_text),
            state: Arc::clone(&state.name),
            attempt,
            path,
            payload: request.payload,
            timeout_at,
            wants_log: request.wants_log,
        });
        Ok(())
    }

    /// What to call, and with what.
    fn request(&mut self, slot: u32, task: &'m Task, selected: &Payload) -> Result<Request, Failure> {
        match &task.resource {
            Resource::Function(name) => {
                let payload = self.arguments(slot, selected)?;
                Ok(Request { function: Some(Arc::clone(name)), payload, parameters: None, wants_log: false })
            }
            Resource::LambdaInvoke { function: Some(name) }
                if self.state(slot).passes_input() && !is_text_or_null(selected) =>
            {
                let parameters = match self.execution.history {
                    HistoryLevel::Full => Some(self.arguments(slot, selected)?),
                    HistoryLevel::Types => None,
                };
                Ok(Request {
                    function: Some(Arc::clone(name)),
                    payload: selected.clone(),
                    parameters,
                    wants_log: false,
                })
            }
            Resource::LambdaInvoke { function } => {
                let parameters = self.arguments(slot, selected)?;
                let request = parameters.view()?;
                let name = match (function, request.member("FunctionName").map(View::to_value)) {
                    (Some(name), _) => Arc::clone(name),
                    (None, Some(Value::String(text))) => Arc::from(bare_name(&text)),
                    _ => {
                        return Err(Failure::runtime(
                            "The field 'FunctionName' must be the name of a function.",
                        ));
                    }
                };
                let payload = event(request.member("Payload"))?;
                let wants_log = wants_log(request.member("LogType"))?;
                Ok(Request { function: Some(name), payload, parameters: Some(parameters), wants_log })
            }
            Resource::Service { .. } | Resource::Activity(_) => {
                let payload = self.arguments(slot, selected)?;
                Ok(Request { function: None, payload, parameters: None, wants_log: false })
            }
        }
    }

    pub(crate) fn task_succeeded(&mut self, slot: u32, output: Payload, answer: Answer) {
        let task = self.task(slot);
        if output.len() > self.machine.limits().payload_bytes {
            let subject = match &task.resource {
                Resource::LambdaInvoke { .. } => "lambda",
                _ => &task.resource_text,
            };
            self.task_failed(slot, Failure::data_limit(subject));
            return;
        }
        let invoked = matches!(task.resource, Resource::LambdaInvoke { .. });
        let (wrapped, raw) = match answer {
            Answer::Function(log)
                if invoked
                    && !self.state(slot).takes_payload_only(self.execution.history == HistoryLevel::Full) =>
            {
                (self.wrapped(&output, log.as_deref()).map(Some), false)
            }
            Answer::Function(_) => (Ok(None), false),
            Answer::Task => (Ok(None), true),
        };
        let result = wrapped.and_then(|wrapped| {
            let is_wrapped = wrapped.is_some();
            let result = wrapped.unwrap_or(output);
            self.record(slot, kinds(task).succeeded, Detail::Output(result.clone()));
            if invoked && !raw && !is_wrapped {
                self.leave(slot, result, None, task.transition);
                return Ok(());
            }
            self.inspect(Stage::Result, &result);
            self.complete(slot, result, task.transition)
        });
        self.settle(slot, result);
    }

    pub(crate) fn task_failed(&mut self, slot: u32, failure: Failure) {
        self.record_failure(slot, kinds(self.task(slot)).failed, &failure);
        self.fail_state(slot, failure);
    }

    pub(crate) fn task_timed_out(&mut self, slot: u32, failure: Failure) {
        self.record_failure(slot, kinds(self.task(slot)).timed_out, &failure);
        self.fail_state(slot, failure);
    }

    fn record_failure(&mut self, slot: u32, kind: EventKind, failure: &Failure) {
        let detail = Detail::Failure { error: failure.error.clone(), cause: failure.cause.clone() };
        self.record(slot, kind, detail);
    }

    fn task(&self, slot: u32) -> &'m Task {
        match &self.state(slot).kind {
            StateKind::Task(task) => task,
            _ => unreachable!("only a Task state has an invocation"),
        }
    }

    /// The result of `lambda:invoke`, in the shape that AWS's SDK gives it.
    fn wrapped(&mut self, output: &Payload, log: Option<&InvocationLog>) -> Result<Payload, Failure> {
        let uuid = self.execution.random.uuid();
        let trace_id = format!("Root={}", trace_id(self.execution.started_at, &uuid));
        let request_id = log.map_or(uuid, |log| log.request_id.clone());
        let mut headers = json!({
            "Connection": "keep-alive",
            "Content-Length": (output.to_json()?.len() + spaces(output.value()?)).to_string(),
            "Content-Type": "application/json",
            "Date": http_date(self.execution.now),
            "X-Amz-Executed-Version": "$LATEST",
            "X-Amzn-Trace-Id": trace_id,
            "x-amzn-Remapped-Content-Length": "0",
            "x-amzn-RequestId": request_id,
        });
        let mut result = json!({ "ExecutedVersion": "$LATEST" });
        if let Some(log) = log {
            let tail = log.tail();
            headers["X-Amz-Log-Result"] = json!(tail);
            result["LogResult"] = json!(tail);
        }
        let all_headers: Value = headers
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), json!([value])))
            .collect();
        result["Payload"] = output.value()?.clone();
        result["SdkHttpMetadata"] =
            json!({ "AllHttpHeaders": all_headers, "HttpHeaders": headers, "HttpStatusCode": 200 });
        result["SdkResponseMetadata"] = json!({ "RequestId": request_id });
        result["StatusCode"] = json!(200);
        Ok(Payload::from_value(result))
    }
}

/// What `lambda:invoke` makes of its `Payload`: a string is the event's JSON text.
fn event(payload: Option<View<'_>>) -> Result<Payload, Failure> {
    let Some(payload) = payload.filter(|payload| payload.tag() != tag::NULL) else {
        return Ok(Payload::from_value(json!({})));
    };
    if payload.tag() != tag::STRING {
        return Ok(Payload::from_draft(&payload.into()));
    }
    let text = payload.to_value();
    Payload::from_json(text.as_str().unwrap_or_default()).map_err(|error| {
        let cause = format!("Could not parse request body into json: {error}");
        Failure::new("Lambda.InvalidRequestContentException", cause)
    })
}

/// What `LogType` asks for. What Lambda refuses without a class of its own for it has its client's general one.
fn wants_log(log_type: Option<View<'_>>) -> Result<bool, Failure> {
    let Some(log_type) = log_type else { return Ok(false) };
    match log_type.to_value() {
        Value::String(text) => match text.as_str() {
            "Tail" => Ok(true),
            "None" => Ok(false),
            other => {
                let cause = format!(
                    "1 validation error detected: Value '{other}' at 'logType' failed to satisfy constraint: Member must \
                     satisfy enum value set: [None, Tail]"
                );
                Err(Failure::new("Lambda.AWSLambdaException", cause))
            }
        },
        _ => Err(Failure::runtime("The field 'LogType' must be \"None\" or \"Tail\".")),
    }
}

/// Seen from the flat form, so that nothing is decoded for it.
fn is_text_or_null(payload: &Payload) -> bool {
    matches!(payload.flat().first(), Some(&(tag::STRING | tag::NULL)))
}

/// Python's `json.dumps` puts a space behind each colon and comma.
fn spaces(value: &Value) -> usize {
    match value {
        Value::Array(elements) => {
            elements.iter().map(|value| 1 + spaces(value)).sum::<usize>().saturating_sub(1)
        }
        Value::Object(members) => {
            members.values().map(|value| 2 + spaces(value)).sum::<usize>().saturating_sub(1)
        }
        _ => 0,
    }
}

/// In X-Ray's form: version, seconds since 1970 and 96 bits, here those of a UUID's end.
fn trace_id(started_at: Micros, uuid: &str) -> String {
    let digits: String = uuid.chars().filter(|digit| *digit != '-').skip(8).collect();
    format!("1-{:08x}-{digits}", started_at / 1_000_000)
}

/// Of what `FunctionName` may be: a name, `name:alias`, an ARN, an account and a name.
fn bare_name(text: &str) -> &str {
    let name =
        text.split_once(":function:").or_else(|| text.split_once("function:")).map_or(text, |(_, name)| name);
    name.split(':').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::bare_name;

    #[test]
    fn functions_are_found_in_all_their_names() {
        for text in [
            "f",
            "f:prod",
            "function:f",
            "arn:aws:lambda:us-east-1:111111111111:function:f",
            "arn:aws:lambda:us-east-1:111111111111:function:f:$LATEST",
            "111111111111:function:f",
        ] {
            assert_eq!(bare_name(text), "f", "{text}");
        }
    }
}
