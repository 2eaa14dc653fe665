//! `faastlane test-state`: one state alone, as AWS's TestState runs it.
//!
//! `request` reads what is asked, `subject` finds the state, `checks` says what does not fit it, `drive` runs it on the
//! machine, `work` calls the real function, `answer` is what AWS would answer and `render` says it to a person.

mod answer;
mod checks;
mod drive;
mod reader_data;
mod render;
mod request;
mod subject;
mod work;

use crate::args::TestStateArguments;
use crate::exit::Exit;
use crate::render_diagnostic;
use crate::run::say;
use crate::surroundings::surroundings;
use crate::{mock_file, terminal::Terminal};
use answer::{Answer, Status};
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_machine::ISOLATION_VIOLATION;
use request::Request;
use serde_json::json;
use std::io::{self, Write};
use subject::Subject;
use work::Work;

/// What was asked cannot be used.
const BAD_REQUEST: &str = "FL0340";
/// No state, or none of that name.
const NO_STATE: &str = "FL0341";
/// The state cannot be run without a mock.
const NEEDS_MOCK: &str = "FL0342";
/// The mock does not fit the state.
const WRONG_MOCK: &str = "FL0343";

pub(crate) fn execute(arguments: &TestStateArguments) -> anyhow::Result<Exit> {
    let mut warnings = Vec::new();
    let answer = match test(arguments, &mut warnings) {
        Ok(answer) => answer,
        Err(findings) => {
            if arguments.json {
                let diagnostics = render_diagnostic::to_json(&findings);
                say(&json!({ "format_version": 1, "diagnostics": diagnostics }))?;
            } else {
                render_diagnostic::print(&findings)?;
            }
            return Ok(Exit::for_findings(&findings));
        }
    };
    if arguments.json {
        say(&answer.to_json())?;
    } else {
        render_diagnostic::print(&warnings)?;
        io::stdout().lock().write_all(render::text(&answer, Terminal::stdout()).as_bytes())?;
    }
    Ok(match answer.status {
        Status::Succeeded | Status::CaughtError => Exit::Succeeded,
        Status::Failed if answer.error.as_deref() == Some(ISOLATION_VIOLATION) => Exit::IsolationViolation,
        Status::Failed | Status::Retriable => Exit::ExecutionFailed,
    })
}

fn test(arguments: &TestStateArguments, warnings: &mut Vec<Diagnostic>) -> Result<Answer, Vec<Diagnostic>> {
    let request = Request::read(arguments).map_err(|finding| vec![*finding])?;
    let subject = Subject::of(&request, warnings)?;
    let mut surroundings = surroundings(arguments.settings.overrides());
    surroundings.mocks = arguments.mock.as_deref().map(mock_file::read).transpose()?;
    let mocks = faastlane_compose::mocks_for(&surroundings, &subject.workflow, &subject.whole, warnings)?;
    let trial = checks::trial(&request, &subject, mocks.as_ref()).map_err(|finding| vec![*finding])?;
    let mut work = Work { path: &arguments.path, surroundings, mocks };
    let shown = drive::drive(&subject, &request, trial, &mut work)?;
    Ok(Answer::of(&subject, &request, shown))
}

fn refuse(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(code, message).hint(hint))
}
