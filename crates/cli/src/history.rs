//! `faastlane run --history`: what happened, event by event, as Step Functions writes it.

use crate::table;
use crate::terminal::Terminal;
use faastlane_machine::rfc3339;
use faastlane_pool::EventReport;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{self, BufWriter, Stdout, Write};
use std::sync::{Mutex, PoisonError};

/// Prints events as they come, or keeps them for a table. They come from the thread that the execution runs on.
pub(crate) struct HistoryPrinter(Mutex<Sink>);

enum Sink {
    /// A line each. The first error is kept: nobody reads any more.
    Lines {
        out: BufWriter<Stdout>,
        problem: Option<io::Error>,
    },
    Table {
        rows: Vec<[String; 5]>,
        first_us: Option<u64>,
        children: BTreeSet<String>,
    },
}

/// Characters of an event's details in the table.
const SHOWN: usize = 160;

impl HistoryPrinter {
    pub(crate) fn new(json: bool) -> Self {
        Self(Mutex::new(if json {
            Sink::Lines { out: BufWriter::new(io::stdout()), problem: None }
        } else {
            Sink::Table { rows: Vec::new(), first_us: None, children: BTreeSet::new() }
        }))
    }

    pub(crate) fn show(&self, event: &EventReport) {
        match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Sink::Lines { out, problem } => {
                if problem.is_none() {
                    *problem = writeln!(out, "{}", object(event)).err();
                }
            }
            Sink::Table { children, .. } if event.execution.is_some() => {
                children.extend(event.execution.as_deref().map(str::to_owned));
            }
            Sink::Table { rows, first_us, .. } => {
                let first = *first_us.get_or_insert(event.at_us);
                rows.push([
                    event.id.to_string(),
                    event.previous_id.to_string(),
                    format!("{:.3} ms", event.at_us.saturating_sub(first) as f64 / 1000.0),
                    event.kind.to_string(),
                    shown(event),
                ]);
            }
        }
    }

    /// Once no event comes any more.
    pub(crate) fn finish(&self) -> io::Result<()> {
        match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Sink::Lines { problem: problem @ Some(_), .. } => problem.take().map_or(Ok(()), Err),
            Sink::Lines { out, .. } => out.flush(),
            Sink::Table { rows, children, .. } => {
                let header = ["ID", "AFTER", "AT", "TYPE", "DETAILS"];
                let mut table = table::with_header(&header, Terminal::stdout().width);
                table.add_rows(std::mem::take(rows));
                let mut stdout = io::stdout().lock();
                writeln!(stdout, "{}", table::trimmed(&table))?;
                if !children.is_empty() {
                    let count = children.len();
                    writeln!(
                        stdout,
                        "{count} child executions have histories of their own: see them with --json"
                    )?;
                }
                Ok(())
            }
        }
    }
}

/// With the fields of `GetExecutionHistory`; events of a child execution name it besides.
fn object(event: &EventReport) -> Value {
    let mut object = json!({
        "timestamp": rfc3339(event.at_us),
        "type": event.kind,
        "id": event.id,
        "previousEventId": event.previous_id,
    });
    if let Some(execution) = &event.execution {
        object["executionName"] = json!(&**execution);
    }
    if let Some(Value::Object(details)) = details(event) {
        for (name, value) in details {
            object[name] = value;
        }
    }
    object
}

fn details(event: &EventReport) -> Option<Value> {
    serde_json::from_str(event.details.as_deref()?).ok()
}

/// `name: value` of the details, in one line.
fn shown(event: &EventReport) -> String {
    let Some(Value::Object(details)) = details(event) else { return String::new() };
    let members = details.into_iter().filter_map(|(_, value)| match value {
        Value::Object(members) => Some(members),
        _ => None,
    });
    let parts: Vec<String> = members
        .flatten()
        .filter(|(name, _)| !name.ends_with("Details"))
        .map(|(name, value)| match value {
            Value::String(text) => format!("{name}: {text}"),
            other => format!("{name}: {other}"),
        })
        .collect();
    let line = parts.join("  ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
