//! The answer for a person: what became of the state, then its data at each stage.

use super::answer::{Answer, Status, stage_name};
use super::work::value;
use crate::args::InspectionLevel;
use crate::terminal::Terminal;
use faastlane_machine::{Recovery, Stage};
use serde_json::Value;

const BOLD: &str = "1";
const DIM: &str = "2";
const GREEN: &str = "32;1";
const YELLOW: &str = "33;1";
const RED: &str = "31;1";

pub(super) fn text(answer: &Answer, terminal: Terminal) -> String {
    let color = match answer.status {
        Status::Succeeded => GREEN,
        Status::CaughtError | Status::Retriable => YELLOW,
        Status::Failed => RED,
    };
    let mut text = format!("{} {}", painted(terminal, color, answer.status.name()), answer.state);
    match (&answer.next, answer.status) {
        (Some(next), _) => text += &format!(" → {next}"),
        (None, Status::Succeeded | Status::CaughtError) => text += " → end",
        _ => {}
    }
    text.push('\n');
    if answer.error.is_some() || answer.cause.is_some() {
        let error = answer.error.as_deref().unwrap_or("an error without a name");
        text += &painted(terminal, BOLD, error);
        text += &answer.cause.as_ref().map_or(String::new(), |cause| format!(": {cause}"));
        text.push('\n');
    }
    text += &answer.recovery.map_or(String::new(), in_words);
    if answer.level != InspectionLevel::Info {
        let mut last = value(&answer.input);
        text += &section(terminal, "input", last);
        for (stage, content) in &answer.stages {
            let content = value(content);
            if is_flow(*stage) && content == last {
                let same = painted(terminal, DIM, "unchanged");
                text += &format!("\n{} {same}\n", painted(terminal, BOLD, stage_name(*stage)));
                continue;
            }
            text += &section(terminal, stage_name(*stage), content);
            if is_flow(*stage) {
                last = content;
            }
        }
    }
    if let Some(output) = &answer.output {
        text += &section(terminal, "output", value(output));
    }
    text
}

/// Whether a stage is the state's data on its way, and nothing beside it.
fn is_flow(stage: Stage) -> bool {
    !matches!(
        stage,
        Stage::MaxConcurrency
            | Stage::ToleratedFailureCount
            | Stage::ToleratedFailurePercentage
            | Stage::Variables
    )
}

fn in_words(recovery: Recovery) -> String {
    let exhausted = |retrier: Option<usize>| {
        retrier.map_or(String::new(), |retrier| format!("Retry[{retrier}] has had all its attempts\n"))
    };
    match recovery {
        Recovery::Retry { retrier, seconds } => format!("Retry[{retrier}] tries again after {seconds} s\n"),
        Recovery::Catch { catcher, exhausted: retrier } => {
            format!("{}Catch[{catcher}] takes it\n", exhausted(retrier))
        }
        Recovery::Nothing { exhausted: retrier } => exhausted(retrier),
    }
}

fn section(terminal: Terminal, title: &str, content: &Value) -> String {
    let indented: String = format!("{content:#}").lines().map(|line| format!("  {line}\n")).collect();
    format!("\n{}\n{indented}", painted(terminal, BOLD, title))
}

fn painted(terminal: Terminal, color: &str, text: &str) -> String {
    if terminal.color { format!("\u{1b}[{color}m{text}\u{1b}[0m") } else { text.to_owned() }
}
