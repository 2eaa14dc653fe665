//! The work of a Task that has no mock: a stand-in's answer, or the real function, run as `faastlane run` runs it in a
//! workflow of this one Task.

use crate::interrupt::Interrupt;
use crate::run_failure::of_instance;
use crate::{host, progress, run};
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_asl::source::Source;
use faastlane_compose::{DEFAULT_MAX_PAYLOAD_BYTES, Plan, Surroundings, load_with};
use faastlane_machine::InvocationLog;
use faastlane_mock::{Mocks, Outcome};
use faastlane_payload::Payload;
use faastlane_pool::{LogLine, Record, Status};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

pub(super) struct Work<'a> {
    /// Where the functions are.
    pub(super) path: &'a Path,
    pub(super) surroundings: Surroundings,
    pub(super) mocks: Option<Mocks>,
}

/// What the machine wants to be done.
pub(super) struct Call {
    /// A bare name.
    pub(super) function: Option<Arc<str>>,
    pub(super) resource: Arc<str>,
    pub(super) state: Arc<str>,
    pub(super) attempt: u32,
    /// The event.
    pub(super) payload: Payload,
    /// Until the machine gives up on it.
    pub(super) seconds: Option<u64>,
}

pub(super) enum Worked {
    /// A function's response, and its log.
    Returned {
        output: Payload,
        log: Option<InvocationLog>,
    },
    /// The Task's whole raw result.
    Result(Payload),
    Failed {
        error: String,
        cause: String,
    },
    TimedOut,
}

impl Work<'_> {
    /// Bytes of the largest payload.
    pub(super) fn max_payload(&self) -> usize {
        let bytes = self.surroundings.overrides.max_payload_bytes.unwrap_or(DEFAULT_MAX_PAYLOAD_BYTES);
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    /// # Errors
    /// What keeps the function from being called.
    pub(super) fn call(&mut self, call: &Call) -> Result<Worked, Vec<Diagnostic>> {
        if let Some(worked) = self.stand_in(call) {
            return Ok(worked);
        }
        match &call.function {
            Some(function) => self.function(call, function),
            None => Ok(Worked::Failed {
                error: "States.Runtime".to_owned(),
                cause: format!("Nothing here answers for {} but a mock.", call.resource),
            }),
        }
    }

    fn stand_in(&self, call: &Call) -> Option<Worked> {
        let mocked = faastlane_mock::Call {
            state: &call.state,
            attempt: call.attempt,
            function: call.function.as_ref().unwrap_or(&call.resource),
            event: &call.payload,
            request_id: "00000000-0000-0000-0000-000000000000",
        };
        let answer = self.mocks.as_ref()?.answer(&mocked)?;
        if call.seconds.is_some_and(|seconds| answer.after_us > seconds.saturating_mul(1_000_000)) {
            return Some(Worked::TimedOut);
        }
        Some(match answer.outcome {
            Outcome::Returned(output) => {
                let log = Some(InvocationLog::of_stand_in(mocked.request_id.to_owned(), answer.after_us));
                Worked::Returned { output, log }
            }
            Outcome::TaskResult(result) => Worked::Result(result),
            Outcome::Failed { error, cause } => Worked::Failed { error, cause },
            Outcome::TooLarge => Worked::Failed {
                error: "States.DataLimitExceeded".to_owned(),
                cause: format!(
                    "The state/task '{}' returned a result with a size exceeding the maximum number of bytes service limit.",
                    call.resource
                ),
            },
            Outcome::Unforeseen(cause) => Worked::Failed { error: "States.Runtime".to_owned(), cause },
        })
    }

    fn function(&self, call: &Call, function: &str) -> Result<Worked, Vec<Diagnostic>> {
        let begin = Instant::now();
        let mut task = json!({ "Type": "Task", "Resource": function, "End": true });
        if let Some(seconds) = call.seconds {
            task["TimeoutSeconds"] = json!(seconds.max(1));
        }
        let definition = json!({ "StartAt": &*call.state, "States": { &*call.state: task } }).to_string();
        let surroundings = Surroundings { mocks: None, ..self.surroundings.clone() };
        // What is found wrong is about the function: this definition is nobody's.
        let without_place = |findings: Vec<Diagnostic>| -> Vec<Diagnostic> {
            findings
                .into_iter()
                .map(|finding| Diagnostic { place: None, location: None, ..finding })
                .collect()
        };
        let workflow = load_with(self.path, Source::new("state.json", definition), &surroundings)
            .map_err(without_place)?;
        let plan =
            faastlane_compose::plan(&workflow, &host::probe(), &mut progress::show).map_err(without_place)?;
        let unexpected = |problem: io::Error| vec![Diagnostic::error("FL0312", problem.to_string())];
        let interrupt = Interrupt::listen().map_err(unexpected)?;
        let ran =
            run::run(&workflow, &plan, &call.payload, 1.0, None, &interrupt, begin).map_err(|failure| {
                let (finding, traceback) = of_instance(&failure.error, &workflow, &plan);
                // Where stderr is gone too, the finding has to do.
                let _ = io::stderr().write_all(traceback.as_bytes());
                without_place(vec![finding])
            })?;
        crate::waterfall::print_lines(&plan, &ran.logs).map_err(unexpected)?;
        if interrupt.came() {
            return Err(vec![Diagnostic::error("FL0314", "interrupted while the function ran")]);
        }
        let record = ran.record;
        let log = invocation_log(&record, &ran.logs, &plan);
        Ok(match (record.status, record.output) {
            (Status::Succeeded, Some(output)) => Worked::Returned { output, log },
            (Status::TimedOut, _) => Worked::TimedOut,
            _ if record.error.as_deref() == Some("States.Timeout") => Worked::TimedOut,
            _ => Worked::Failed {
                error: record.error.unwrap_or_default(),
                cause: record.cause.unwrap_or_default(),
            },
        })
    }
}

/// Of the one call in the record.
fn invocation_log(record: &Record, lines: &[LogLine], plan: &Plan) -> Option<InvocationLog> {
    let call = record.states.first()?.calls.first()?;
    let lines = lines.iter().filter(|line| line.request_id == call.request_id);
    Some(InvocationLog {
        request_id: call.request_id.clone(),
        printed: lines.flat_map(|line| [line.text.as_str(), "\n"]).collect(),
        duration_us: call.returned_ns.saturating_sub(call.called_ns) / 1000,
        memory_mb: plan.functions.first()?.memory_mb,
    })
}

/// A value for people and programs; what does not decode was written by a function that forged it, and is nothing.
pub(super) fn value(payload: &Payload) -> &Value {
    payload.value().unwrap_or(&Value::Null)
}
