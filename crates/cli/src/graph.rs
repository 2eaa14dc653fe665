//! `faastlane graph`: the state machine as a drawing, on request with what an execution did.

use crate::args::{GraphArguments, GraphFormat};
use crate::exit::Exit;
use crate::render_diagnostic;
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_compose::load_definition;
use faastlane_graph::{Execution, Format, Graph, Outcome, Visit};
use serde::Deserialize;
use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

pub(crate) fn execute(arguments: &GraphArguments) -> anyhow::Result<Exit> {
    let drawn = draw(arguments).and_then(|drawing| match &arguments.output {
        Some(file) => write_file(file, &drawing).map(|()| None),
        None => Ok(Some(drawing)),
    });
    match drawn {
        Ok(None) => Ok(Exit::Succeeded),
        Ok(Some(drawing)) => {
            io::stdout().write_all(drawing.as_bytes())?;
            Ok(Exit::Succeeded)
        }
        Err(findings) => {
            render_diagnostic::print(&findings)?;
            Ok(Exit::for_findings(&findings))
        }
    }
}

fn draw(arguments: &GraphArguments) -> Result<String, Vec<Diagnostic>> {
    let format = format(arguments).map_err(|finding| vec![*finding])?;
    let definition = load_definition(&arguments.path)?;
    let mut graph = Graph::read(&definition.name, &definition.machine);
    if let Some(file) = &arguments.execution {
        let execution = read_execution(file).map_err(|finding| vec![*finding])?;
        let shown = name_of(file);
        graph.mark(execution).map_err(|unknown| vec![of_another_workflow(&shown, &graph.name, &unknown)])?;
    }
    if !arguments.expand {
        graph.collapse();
    }
    Ok(graph.draw(format))
}

/// What was asked for, else what the file's ending says, else SVG.
fn format(arguments: &GraphArguments) -> Result<Format, Box<Diagnostic>> {
    let format = match (arguments.format, &arguments.output) {
        (Some(format), _) => format,
        (None, None) => GraphFormat::Svg,
        (None, Some(file)) => {
            let ending = file.extension().map(|ending| ending.to_string_lossy().to_lowercase());
            match ending.as_deref() {
                Some("svg") => GraphFormat::Svg,
                Some("mmd" | "mermaid") => GraphFormat::Mermaid,
                Some("dot" | "gv") => GraphFormat::Dot,
                _ => {
                    let message = format!("the ending of {} names no format", file.display());
                    let hint =
                        "End it in .svg, .mmd, .mermaid, .dot or .gv, or say `--format svg|mermaid|dot`.";
                    return Err(finding("FL0320", message, hint));
                }
            }
        }
    };
    Ok(match format {
        GraphFormat::Svg => Format::Svg,
        GraphFormat::Mermaid => Format::Mermaid,
        GraphFormat::Dot => Format::Dot,
    })
}

fn write_file(file: &Path, drawing: &str) -> Result<(), Vec<Diagnostic>> {
    fs::write(file, drawing).map_err(|problem| {
        let message = format!("cannot write {}: {problem}", file.display());
        vec![*finding("FL0320", message, "Name a file in a folder that exists and may be written to.")]
    })
}

/// As far as it is needed, what `faastlane run --json` prints. Other fields may come and go.
#[derive(Deserialize)]
struct Report {
    format_version: u32,
    status: String,
    duration_us: u64,
    states: Vec<StateReport>,
}

#[derive(Deserialize)]
struct StateReport {
    name: String,
    #[serde(rename = "type")]
    state_type: String,
    entered_us: u64,
    exited_us: Option<u64>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    calls: Vec<serde::de::IgnoredAny>,
}

fn read_execution(file: &Path) -> Result<Execution, Box<Diagnostic>> {
    let name = name_of(file);
    let text = if file == Path::new("-") {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(file)
    };
    let text = text.map_err(|problem| {
        finding("FL0321", format!("cannot read the execution {name}: {problem}"), EXECUTION_HINT)
    })?;
    let report: Report = serde_json::from_str(&text).map_err(|problem| {
        let message = format!("{name} is not the report of an execution: {problem}");
        finding("FL0321", message, EXECUTION_HINT)
    })?;
    if report.format_version != 1 {
        let message = format!("{name} has the format version {}, and only 1 is known", report.format_version);
        return Err(finding("FL0321", message, EXECUTION_HINT));
    }
    Ok(Execution {
        status: report.status,
        duration_us: report.duration_us,
        visits: report.states.into_iter().map(visit).collect(),
    })
}

const EXECUTION_HINT: &str = "`faastlane run --json > FILE` writes one.";

fn visit(state: StateReport) -> Visit {
    let outcome = match (state.exited_us, &state.error) {
        (Some(_), Some(_)) => Outcome::Caught,
        (Some(_), None) if state.calls.len() > 1 => Outcome::Retried,
        (Some(_), None) => Outcome::Succeeded,
        (None, Some(_)) => Outcome::Failed,
        // Nobody leaves a Fail.
        (None, None) if state.state_type == "Fail" => Outcome::Failed,
        (None, None) => Outcome::Stopped,
    };
    Visit { state: state.name, entered_us: state.entered_us, exited_us: state.exited_us, outcome }
}

fn of_another_workflow(file: &str, workflow: &str, unknown: &[String]) -> Diagnostic {
    const MOST: usize = 5;
    let mut names: Vec<String> = unknown.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    if unknown.len() > MOST {
        names.push(format!("{} more", unknown.len() - MOST));
    }
    let last = names.pop().unwrap_or_default();
    let names = if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) };
    let message = format!("{file} is the execution of another workflow: {workflow} has no {names}");
    *finding(
        "FL0322",
        message,
        "Give the definition that it ran, as it was then; the report names its workflow.",
    )
}

fn name_of(file: &Path) -> String {
    if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() }
}

fn finding(code: &'static str, message: String, hint: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(code, message).hint(hint))
}
