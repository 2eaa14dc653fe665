//! `faastlane eval`: what a path, a call of an intrinsic function, or a JSONata expression gives.

mod jsonata;
mod jsonpath;

use crate::args::EvalArguments;
use crate::exit::Exit;
use crate::render_diagnostic;
use crate::run_input::{Given, INPUT};
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_asl::nearest;
use faastlane_asl::path::is_variable_name;
use faastlane_asl::random::SplitMix64;
use faastlane_asl::source::{Source, Span};
use faastlane_payload::Payload;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

const BAD_VARIABLES: &str = "FL0304";
const BAD_EXPRESSION: &str = "FL0330";
const NO_VALUE: &str = "FL0331";

const CONTEXT: Given = Given { name: "the context", option: "--context" };
const VARIABLES: Given = Given { name: "the variables", option: "--variables" };

/// How many names of an object a hint lists.
const LISTED: usize = 10;

/// What an expression is evaluated with.
struct Documents {
    input: Payload,
    context: Payload,
    /// By name, without the `$`.
    variables: BTreeMap<String, Payload>,
}

/// An expression, and the option that it came with, which stands for the file in findings.
#[derive(Clone, Copy)]
struct Written<'a> {
    option: &'static str,
    text: &'a str,
}

pub(crate) fn execute(arguments: &EvalArguments) -> anyhow::Result<Exit> {
    let outcome = evaluate(arguments);
    let exit = match &outcome {
        Ok(_) => Exit::Succeeded,
        Err(finding) => Exit::for_findings(std::slice::from_ref(finding)),
    };
    let mut stdout = io::stdout().lock();
    match outcome {
        Ok(value) if arguments.json => {
            let report = json!({"format_version": 1, "succeeded": true, "result": value, "diagnostics": []});
            writeln!(stdout, "{report:#}")?;
        }
        Ok(value) => writeln!(stdout, "{value:#}")?,
        Err(finding) if arguments.json => {
            let diagnostics = render_diagnostic::to_json(&[*finding]);
            let report = json!({"format_version": 1, "succeeded": false, "diagnostics": diagnostics});
            writeln!(stdout, "{report:#}")?;
        }
        Err(finding) => render_diagnostic::print(&[*finding])?,
    }
    Ok(exit)
}

fn evaluate(arguments: &EvalArguments) -> Result<Value, Box<Diagnostic>> {
    let documents = Documents {
        input: INPUT.read(arguments.input.as_deref())?,
        context: CONTEXT.read(arguments.context.as_deref())?,
        variables: variables(arguments.variables.as_deref())?,
    };
    let mut random = SplitMix64::new(RandomState::new().hash_one(SystemTime::now()));
    match (&arguments.jsonpath, &arguments.jsonata) {
        (Some(text), _) => {
            jsonpath::evaluate(Written { option: "--jsonpath", text }, &documents, &mut random)
        }
        (None, Some(text)) => {
            jsonata::evaluate(Written { option: "--jsonata", text }, &documents, &mut random)
        }
        (None, None) => unreachable!("the arguments ask for one of the two"),
    }
}

fn variables(path: Option<&Path>) -> Result<BTreeMap<String, Payload>, Box<Diagnostic>> {
    let payload = VARIABLES.read(path)?;
    let refuse = |message: String| {
        let hint = "Write one JSON object: `{\"order\": {\"id\": 7}}` is what `$order` stands for.";
        Box::new(Diagnostic::error(BAD_VARIABLES, message).hint(hint))
    };
    let Ok(Value::Object(members)) = payload.value() else {
        return Err(refuse("the variables are no JSON object".to_owned()));
    };
    if let Some(name) = members.keys().find(|name| !is_variable_name(name)) {
        return Err(refuse(format!("no variable can have the name `{name}`")));
    }
    Ok(members.iter().map(|(name, value)| (name.clone(), Payload::from_value(value.clone()))).collect())
}

impl Written<'_> {
    /// A finding at the character that begins at a byte.
    fn finding(self, code: &'static str, message: impl Into<String>, at: usize) -> Diagnostic {
        let end = at + self.text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        self.finding_over(code, message, Span { start: at, end })
    }

    fn finding_over(self, code: &'static str, message: impl Into<String>, span: Span) -> Diagnostic {
        // A caret behind the last character needs one to stand under.
        let space = if span.end > self.text.len() { " " } else { "" };
        Diagnostic::error(code, message).at(&Source::new(self.option, format!("{}{space}", self.text)), span)
    }

    /// Where a part of the expression stands.
    fn place_of(self, part: &str) -> Span {
        let start = self.text.find(part).unwrap_or(0);
        Span { start, end: (start + part.len()).min(self.text.len()) }
    }
}

/// What is found as far as an expression goes, for one that asks it for something it does not have.
fn described(path: &str, found: &Value, asked: &str) -> String {
    match found {
        Value::Object(members) if members.is_empty() => format!("`{path}` is an empty object."),
        Value::Object(members) => match nearest(asked, members.keys().map(String::as_str)) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => {
                let names: Vec<String> =
                    members.keys().take(LISTED).map(|name| format!("`{name}`")).collect();
                let more = if members.len() > LISTED { ", …" } else { "" };
                format!("`{path}` has {}{more}.", names.join(", "))
            }
        },
        Value::Array(elements) if elements.len() == 1 => format!("`{path}` is an array of 1 element."),
        Value::Array(elements) => format!("`{path}` is an array of {} elements.", elements.len()),
        Value::String(_) => format!("`{path}` is a string."),
        Value::Null | Value::Bool(_) | Value::Number(_) => format!("`{path}` is {found}."),
    }
}
