//! What is asked: the options of the command, or a request in AWS's form.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/apireference/API_TestState.html>.

use super::{BAD_REQUEST, refuse};
use crate::args::{InspectionLevel, TestStateArguments};
use crate::run_input::{Given, INPUT};
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_asl::path::is_variable_name;
use faastlane_asl::source::Source;
use faastlane_machine::Mock;
use faastlane_payload::{Payload, PayloadError};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const VARIABLES: Given = Given { name: "the variables", option: "--variables" };
const CONTEXT: Given = Given { name: "the context", option: "--context" };
const REQUEST: Given = Given { name: "the request", option: "--request" };

pub(super) struct Request {
    pub(super) definition: DefinitionAt,
    pub(super) state: Option<String>,
    pub(super) input: Payload,
    pub(super) variables: BTreeMap<Arc<str>, Payload>,
    pub(super) context: Option<Payload>,
    pub(super) mock: Option<Mock>,
    pub(super) retries: u32,
    pub(super) failed_iterations: Option<u32>,
    pub(super) error_caused_by: Option<String>,
    /// As it stands in its source.
    pub(super) reader_data: Option<String>,
    pub(super) level: InspectionLevel,
}

pub(super) enum DefinitionAt {
    Path(PathBuf),
    Text(Source),
}

impl Request {
    pub(super) fn read(arguments: &TestStateArguments) -> Result<Request, Box<Diagnostic>> {
        match &arguments.request {
            Some(file) => Wire::read(file)?.into_request(),
            None => Request::of_options(arguments),
        }
    }

    fn of_options(arguments: &TestStateArguments) -> Result<Request, Box<Diagnostic>> {
        let given = |given: Given, file: &Option<PathBuf>| {
            file.as_deref().map(|file| given.read(Some(file))).transpose()
        };
        let mock = match (&arguments.mock_result, &arguments.mock_error) {
            (Some(written), _) => Some(Mock::Result(mock_result(written)?)),
            (None, Some(written)) => {
                let (error, cause) = match written.split_once(':') {
                    Some((error, cause)) => (error, Some(cause.trim_start().to_owned())),
                    None => (written.as_str(), None),
                };
                Some(Mock::Error { error: Some(error.to_owned()), cause })
            }
            (None, None) => None,
        };
        let reader_data = arguments.reader_data.as_deref().map(|file| {
            fs::read_to_string(file).map_err(|problem| {
                let message = format!("cannot read the reader's data {}: {problem}", file.display());
                refuse(BAD_REQUEST, message, "Name a file with what the ItemReader would read.")
            })
        });
        Ok(Request {
            definition: DefinitionAt::Path(arguments.path.clone()),
            state: arguments.state.clone(),
            input: INPUT.read(arguments.input.as_deref())?,
            variables: variables(given(VARIABLES, &arguments.variables)?)?,
            context: given(CONTEXT, &arguments.context)?,
            mock,
            retries: arguments.retry_count,
            failed_iterations: arguments.map_failures,
            error_caused_by: arguments.error_caused_by.clone(),
            reader_data: reader_data.transpose()?,
            level: arguments.inspection_level.unwrap_or(InspectionLevel::Debug),
        })
    }
}

/// JSON, or the name of a file with JSON in it.
fn mock_result(written: &str) -> Result<Payload, Box<Diagnostic>> {
    if Path::new(written).is_file() {
        return Given { name: "the mocked result", option: "--mock-result" }.read(Some(Path::new(written)));
    }
    json_text("the mocked result", written)
}

fn json_text(what: &str, text: &str) -> Result<Payload, Box<Diagnostic>> {
    Payload::from_json(text).map_err(|problem| {
        let place = match &problem {
            PayloadError::NotJson { message, line, column } => {
                format!("{message}, at line {line}, column {column} of it")
            }
            other => other.to_string(),
        };
        refuse(BAD_REQUEST, format!("{what} is not JSON: {place}"), "It is the text of one JSON value.")
    })
}

fn variables(given: Option<Payload>) -> Result<BTreeMap<Arc<str>, Payload>, Box<Diagnostic>> {
    let Some(given) = given else { return Ok(BTreeMap::new()) };
    let hint = "Write one JSON object: `{\"order\": {\"id\": 7}}` is what `$order` stands for.";
    let Ok(Value::Object(members)) = given.value() else {
        return Err(refuse(BAD_REQUEST, "the variables are no JSON object", hint));
    };
    if let Some(name) = members.keys().find(|name| !is_variable_name(name)) {
        return Err(refuse(BAD_REQUEST, format!("no variable can have the name `{name}`"), hint));
    }
    Ok(members
        .iter()
        .map(|(name, value)| (Arc::from(name.as_str()), Payload::from_value(value.clone())))
        .collect())
}

/// AWS's form of it. What concerns accounts and secrets has no meaning here, and is taken all the same.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    definition: String,
    state_name: Option<String>,
    input: Option<String>,
    variables: Option<String>,
    context: Option<String>,
    inspection_level: Option<InspectionLevel>,
    mock: Option<WireMock>,
    state_configuration: Option<WireConfiguration>,
    #[serde(rename = "roleArn")]
    _role_arn: Option<String>,
    reveal_secrets: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireMock {
    result: Option<String>,
    error_output: Option<WireError>,
    #[serde(rename = "fieldValidationMode")]
    _field_validation_mode: Option<ValidationMode>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireError {
    error: Option<String>,
    cause: Option<String>,
}

/// How strictly AWS compares a mocked result with what the service answers. The shapes of the services are not known here,
/// so that each of them is `NONE`.
#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum ValidationMode {
    Strict,
    Present,
    None,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireConfiguration {
    #[serde(default)]
    retrier_retry_count: u32,
    error_caused_by_state: Option<String>,
    map_iteration_failure_count: Option<u32>,
    map_item_reader_data: Option<String>,
}

impl Wire {
    fn read(file: &Path) -> Result<Wire, Box<Diagnostic>> {
        let payload = REQUEST.read(Some(file))?;
        let value = payload.value().cloned().unwrap_or_default();
        Wire::deserialize(value).map_err(|problem| {
            let message = format!("{} is no request of TestState: {problem}", file.display());
            let hint = "It is an object with `definition`, and what the TestState API takes besides.";
            refuse(BAD_REQUEST, message, hint)
        })
    }

    fn into_request(self) -> Result<Request, Box<Diagnostic>> {
        let payload = |what: &str, text: Option<String>| {
            text.map(|text| json_text(&format!("`{what}`"), &text)).transpose()
        };
        let configuration = self.state_configuration.unwrap_or_default();
        if self.mock.is_some() && self.reveal_secrets == Some(true) {
            let message = "`revealSecrets` and `mock` exclude each other";
            return Err(refuse(BAD_REQUEST, message, "Nothing secret is sent where a mock answers."));
        }
        Ok(Request {
            definition: DefinitionAt::Text(Source::new("definition", self.definition)),
            state: self.state_name,
            input: payload("input", self.input)?
                .unwrap_or_else(|| Payload::from_value(Value::Object(Default::default()))),
            variables: variables(payload("variables", self.variables)?)?,
            context: payload("context", self.context)?,
            mock: self.mock.map(WireMock::into_mock).transpose()?,
            retries: configuration.retrier_retry_count,
            failed_iterations: configuration.map_iteration_failure_count,
            error_caused_by: configuration.error_caused_by_state,
            reader_data: configuration.map_item_reader_data,
            level: self.inspection_level.unwrap_or(InspectionLevel::Info),
        })
    }
}

impl WireMock {
    fn into_mock(self) -> Result<Mock, Box<Diagnostic>> {
        match (self.result, self.error_output) {
            (Some(result), None) => Ok(Mock::Result(json_text("`mock.result`", &result)?)),
            (None, Some(WireError { error, cause })) => Ok(Mock::Error { error, cause }),
            _ => Err(refuse(
                BAD_REQUEST,
                "the mock must have one of `result` and `errorOutput`",
                "A state's work either results in something or fails.",
            )),
        }
    }
}
