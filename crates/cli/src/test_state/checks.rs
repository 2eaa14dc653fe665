//! Whether what is given fits the state, in the way that AWS refuses what does not.

use super::request::Request;
use super::subject::{Subject, inner_names};
use super::{BAD_REQUEST, NEEDS_MOCK, WRONG_MOCK, refuse};
use faastlane_asl::definition::{
    Map, OutputType, Parallel, Pattern, Resource, ResultWriter, State, StateKind, Task,
};
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_machine::{Mock, Trial};
use faastlane_mock::Mocks;
use faastlane_payload::Payload;
use serde_json::Value;

/// What the context object may hold. The item of a Map comes from the Map.
///
/// Source: <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html>.
const CONTEXT_FIELDS: [&str; 4] = ["Execution", "State", "StateMachine", "Task"];

/// The trial that a request asks for.
pub(super) fn trial(
    request: &Request,
    subject: &Subject,
    mocks: Option<&Mocks>,
) -> Result<Trial, Box<Diagnostic>> {
    let state = subject.state();
    match &request.mock {
        Some(mock) => check_mock(mock, state)?,
        None => check_without_mock(state, mocks)?,
    }
    check_context(request.context.as_ref())?;
    check_failures(request)?;
    if let Some(name) = request.error_caused_by.as_deref()
        && !inner_names(state).contains(&name)
    {
        let message = format!("no state `{name}` is inside of the state `{}`", state.name);
        let hint = "An error is caused by a state inside of the Map or Parallel that is tested.";
        return Err(refuse(BAD_REQUEST, message, hint));
    }
    Ok(Trial {
        mock: request.mock.clone(),
        retries: request.retries,
        failed_iterations: request.failed_iterations.unwrap_or(0),
        items: super::reader_data::items(request, state)?,
        variables: request.variables.clone(),
        context: request.context.clone(),
    })
}

fn type_name(kind: &StateKind) -> &'static str {
    match kind {
        StateKind::Task(_) => "Task",
        StateKind::Pass(_) => "Pass",
        StateKind::Choice(_) => "Choice",
        StateKind::Wait(_) => "Wait",
        StateKind::Succeed => "Succeed",
        StateKind::Fail(_) => "Fail",
        StateKind::Parallel(_) => "Parallel",
        StateKind::Map(_) => "Map",
    }
}

fn check_mock(mock: &Mock, state: &State) -> Result<(), Box<Diagnostic>> {
    match (&state.kind, mock) {
        (StateKind::Task(_), _) | (StateKind::Map(_) | StateKind::Parallel(_), Mock::Error { .. }) => Ok(()),
        (StateKind::Map(map), Mock::Result(result)) => check_map_result(map, result),
        (StateKind::Parallel(parallel), Mock::Result(result)) => check_parallel_result(parallel, result),
        (kind, _) => {
            let message = format!("a {} state takes no mock", type_name(kind));
            Err(refuse(WRONG_MOCK, message, "Only Task, Map and Parallel states have work to stand in for."))
        }
    }
}

fn check_map_result(map: &Map, result: &Payload) -> Result<(), Box<Diagnostic>> {
    let writer = map.distributed.as_ref().and_then(|distributed| distributed.writer.as_ref());
    let value = result.value().unwrap_or(&Value::Null);
    let (fits, expected, hint) = match writer {
        Some(ResultWriter { resource: Some(_), .. }) => (
            value.is_object(),
            "the mocked result of a Map that exports its results must be an object",
            "It is what the writer answers: `{\"MapRunArn\": …, \"ResultWriterDetails\": …}`.",
        ),
        Some(ResultWriter { config: Some(config), .. }) if config.output_type == OutputType::JsonLines => (
            value.is_string(),
            "the mocked result of a Map whose results are lines must be a string",
            "It holds the results of all iterations, one a line.",
        ),
        _ => (
            value.is_array(),
            "the mocked result of a Map must be an array",
            "It holds the result of each iteration.",
        ),
    };
    if fits { Ok(()) } else { Err(refuse(WRONG_MOCK, expected, hint)) }
}

fn check_parallel_result(parallel: &Parallel, result: &Payload) -> Result<(), Box<Diagnostic>> {
    let branches = parallel.branches.len();
    match result.value() {
        Ok(Value::Array(results)) if results.len() == branches => Ok(()),
        Ok(Value::Array(results)) => Err(refuse(
            WRONG_MOCK,
            format!(
                "the mocked result is of length {}, and the Parallel has {branches} branches",
                results.len()
            ),
            "Give the result of each branch.",
        )),
        _ => Err(refuse(
            WRONG_MOCK,
            "the mocked result of a Parallel must be an array",
            "It holds the result of each branch.",
        )),
    }
}

fn check_without_mock(state: &State, mocks: Option<&Mocks>) -> Result<(), Box<Diagnostic>> {
    let stands_in =
        |task: &Task| mocks.is_some_and(|mocks| mocks.stands_in(&state.name, &task.resource_text));
    let what = match &state.kind {
        StateKind::Map(_) | StateKind::Parallel(_) => {
            let message = format!("a {} state is only tested with a mock", type_name(&state.kind));
            let hint = "What is inside of it is not run: give `--mock-result` or `--mock-error` (`mock`), or test a \
                        state inside of it with `--state`.";
            return Err(refuse(NEEDS_MOCK, message, hint));
        }
        StateKind::Task(task) if !stands_in(task) => match &task.resource {
            Resource::Activity(_) => "an activity",
            Resource::Service { pattern: Pattern::Sync, .. } => "a job that is waited for",
            Resource::Service { pattern: Pattern::TaskToken, .. } => "a task whose token is waited for",
            Resource::Service { .. } => "a service",
            Resource::Function(_) | Resource::LambdaInvoke { .. } => return Ok(()),
        },
        _ => return Ok(()),
    };
    let message = format!("the state `{}` calls {what}, which is only tested with a mock", state.name);
    Err(refuse(NEEDS_MOCK, message, "Give `--mock-result` or `--mock-error` (`mock`)."))
}

fn check_context(context: Option<&Payload>) -> Result<(), Box<Diagnostic>> {
    let Some(context) = context else { return Ok(()) };
    let Ok(Value::Object(members)) = context.value() else {
        return Err(refuse(BAD_REQUEST, "the context is no JSON object", "Such as `{\"Execution\": {…}}`."));
    };
    match members.keys().find(|name| !CONTEXT_FIELDS.contains(&name.as_str())) {
        Some(name) => {
            let hint = format!("It may have {}.", CONTEXT_FIELDS.join(", "));
            Err(refuse(BAD_REQUEST, format!("the context has a field `{name}` that it cannot have"), hint))
        }
        None => Ok(()),
    }
}

fn check_failures(request: &Request) -> Result<(), Box<Diagnostic>> {
    let Some(failures) = request.failed_iterations else { return Ok(()) };
    let results = match &request.mock {
        None => {
            let hint = "No iteration of a Map is run: give `--mock-result` or `--mock-error` (`mock`).";
            return Err(refuse(BAD_REQUEST, "failed iterations are given, but no mock", hint));
        }
        Some(Mock::Result(result)) => result.value().ok().and_then(Value::as_array),
        Some(Mock::Error { .. }) => None,
    };
    match results {
        Some(results) if failures as usize > results.len() => Err(refuse(
            BAD_REQUEST,
            format!("{failures} iterations failed, and the mocked result is of {}", results.len()),
            "There cannot be more failed iterations than iterations.",
        )),
        _ => Ok(()),
    }
}
