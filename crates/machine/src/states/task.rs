//! Task: calls a function and waits for its result, but not for ever.

use crate::action::{Action, StatePath, TimerPurpose};
use crate::branch::Activity;
use crate::clock::http_date;
use crate::data::Exit;
use crate::event::{InvocationId, Micros, TimerId};
use crate::failure::Failure;
use crate::history::{Detail, EventKind};
use crate::run::{Run, after_seconds};
use faastlane_asl::definition::{Resource, ResultPath, Selection, State, StateKind, Task};
use faastlane_payload::Payload;
use faastlane_payload::flat::{View, tag};
use serde_json::{Value, json};
use std::sync::Arc;

/// The events of one kind of task.
struct Kinds {
    scheduled: EventKind,
    started: EventKind,
    succeeded: EventKind,
    failed: EventKind,
    timed_out: EventKind,
}

const FUNCTION: Kinds = Kinds {
    scheduled: EventKind::LambdaFunctionScheduled,
    started: EventKind::LambdaFunctionStarted,
    succeeded: EventKind::LambdaFunctionSucceeded,
    failed: EventKind::LambdaFunctionFailed,
    timed_out: EventKind::LambdaFunctionTimedOut,
};

const SERVICE: Kinds = Kinds {
    scheduled: EventKind::TaskScheduled,
    started: EventKind::TaskStarted,
    succeeded: EventKind::TaskSucceeded,
    failed: EventKind::TaskFailed,
    timed_out: EventKind::TaskTimedOut,
};

fn kinds(task: &Task) -> &'static Kinds {
    match task.resource {
        Resource::Function(_) => &FUNCTION,
        Resource::LambdaInvoke { .. } => &SERVICE,
    }
}

impl<'m> Run<'m, '_> {
    pub(crate) fn begin_task(&mut self, slot: u32, state: &'m State, task: &'m Task) -> Result<(), Failure> {
        let selected = self.selected_input(slot, &task.input_path)?;
        let (function, payload) = self.call(slot, task, &selected)?;
        let seconds = |field, number: &Option<_>| {
            number.as_ref().map(|number| self.number(slot, field, number, &selected)).transpose()
        };
        let timeout = seconds("TimeoutSeconds", &task.timeout)?;
        // A function sends no heartbeats, so the first one that is missing ends it.
        let heartbeat = seconds("HeartbeatSeconds", &task.heartbeat)?;
        let limit = timeout.into_iter().chain(heartbeat).min();

        let kinds = kinds(task);
        let detail = Detail::Scheduled {
            function: Arc::clone(&function),
            input: payload.clone(),
            timeout_seconds: timeout,
        };
        self.record(slot, kinds.scheduled, detail);
        self.record(slot, kinds.started, Detail::Nothing);
        let timeout_at = limit.map(|seconds| after_seconds(self.execution.now, seconds));
        let timer = timeout_at.map(|at| {
            let timer = TimerId(self.execution.next_id(slot));
            self.actions.push(Action::SetTimer { timer, at, purpose: TimerPurpose::Timeout });
            timer
        });
        let invocation = InvocationId(self.execution.next_id(slot));
        let branch = &mut self.execution.branches[slot];
        branch.activity = Activity::Invoking { invocation, timer, heartbeat: limit != timeout };
        let path = StatePath { turns: Arc::clone(&branch.turns), state: branch.state };
        let state = Arc::clone(&state.name);
        self.actions.push(Action::Invoke { invocation, function, state, path, payload, timeout_at });
        Ok(())
    }

    /// Which function to call, and with what.
    fn call(&mut self, slot: u32, task: &Task, selected: &Payload) -> Result<(Arc<str>, Payload), Failure> {
        match (&task.resource, &task.parameters) {
            (Resource::Function(name), Some(template)) => {
                Ok((Arc::clone(name), self.fill(slot, template, selected)?))
            }
            (Resource::Function(name), None) => Ok((Arc::clone(name), selected.clone())),
            (Resource::LambdaInvoke { function: Some(name) }, Some(template))
                if template.passes_input_as("Payload") && !is_text_or_null(selected) =>
            {
                Ok((Arc::clone(name), selected.clone()))
            }
            (Resource::LambdaInvoke { function }, parameters) => {
                let request = match parameters {
                    Some(template) => self.fill(slot, template, selected)?,
                    None => selected.clone(),
                };
                let request = request.view()?;
                let name = match (function, request.member("FunctionName").map(View::to_value)) {
                    (Some(name), _) => Arc::clone(name),
                    (None, Some(Value::String(text))) => Arc::from(bare_name(&text)),
                    _ => {
                        return Err(Failure::runtime(
                            "The field 'FunctionName' must be the name of a function.",
                        ));
                    }
                };
                Ok((name, event(request.member("Payload"))?))
            }
        }
    }

    /// `raw` says that `output` is the Task's whole result, not yet to be wrapped.
    pub(crate) fn task_succeeded(&mut self, slot: u32, output: Payload, raw: bool) {
        let task = self.task(slot);
        if output.len() > self.machine.limits().payload_bytes {
            let subject = match &task.resource {
                Resource::Function(_) => &task.resource_text,
                Resource::LambdaInvoke { .. } => "lambda",
            };
            self.task_failed(slot, Failure::data_limit(subject));
            return;
        }
        self.record(slot, kinds(task).succeeded, Detail::Output(output.clone()));
        let exit = Exit {
            result_selector: task.result_selector.as_ref(),
            result_path: &task.result_path,
            output_path: &task.output_path,
            transition: task.transition,
        };
        let result = match task.resource {
            _ if raw => self.complete(slot, output, exit),
            Resource::Function(_) => self.complete(slot, output, exit),
            Resource::LambdaInvoke { .. } if takes_payload_only(task) => {
                self.complete(slot, output, Exit { output_path: &Selection::Whole, ..exit })
            }
            Resource::LambdaInvoke { .. } => {
                self.wrapped(&output).and_then(|wrapped| self.complete(slot, wrapped, exit))
            }
        };
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
    fn wrapped(&mut self, output: &Payload) -> Result<Payload, Failure> {
        let request_id = self.execution.random.uuid();
        let headers = json!({
            "Connection": "keep-alive",
            "Content-Length": (output.to_json()?.len() + spaces(output.value()?)).to_string(),
            "Content-Type": "application/json",
            "Date": http_date(self.execution.now),
            "X-Amz-Executed-Version": "$LATEST",
            "X-Amzn-Trace-Id": format!("Root={}", trace_id(self.execution.started_at, &request_id)),
            "x-amzn-Remapped-Content-Length": "0",
            "x-amzn-RequestId": request_id,
        });
        let all_headers: Value = headers
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), json!([value])))
            .collect();
        Ok(Payload::from_value(json!({
            "ExecutedVersion": "$LATEST",
            "Payload": output.value()?,
            "SdkHttpMetadata": { "AllHttpHeaders": all_headers, "HttpHeaders": headers, "HttpStatusCode": 200 },
            "SdkResponseMetadata": { "RequestId": request_id },
            "StatusCode": 200,
        })))
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

/// Seen from the flat form, so that nothing is decoded for it.
fn is_text_or_null(payload: &Payload) -> bool {
    matches!(payload.flat().first(), Some(&(tag::STRING | tag::NULL)))
}

/// The wrapping that `OutputPath: "$.Payload"` would take off again at once.
fn takes_payload_only(task: &Task) -> bool {
    task.result_selector.is_none()
        && task.result_path == ResultPath::Replace
        && matches!(&task.output_path, Selection::Path(path) if path.as_str() == "$.Payload")
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
