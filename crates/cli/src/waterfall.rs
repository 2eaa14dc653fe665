//! What a person sees of an execution: each state with its place and time, what functions printed, what it came to.

use crate::metering;
use crate::refusal;
use crate::run::Ran;
use crate::run_failure::traceback;
use crate::terminal::Terminal;
use faastlane_compose::{Isolation, Plan};
use faastlane_pool::{LogLine, Record, StateRecord, Status};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Duration;

pub(crate) struct Run<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) ran: &'a Ran,
    /// Until the plan was made.
    pub(crate) composed: Duration,
}

/// Visits of one state beyond this many are shown as one row.
const SHOWN_VISITS: usize = 3;
/// Lines of output beyond this many are counted, not shown, for one row.
const SHOWN_LINES: usize = 20;
const BAR: usize = 24;

pub(crate) fn print(run: &Run<'_>) -> io::Result<()> {
    io::stderr().lock().write_all(render(run, Terminal::stderr()).as_bytes())
}

/// What functions printed of which nothing else is to be shown.
pub(crate) fn print_lines(plan: &Plan, lines: &[LogLine]) -> io::Result<()> {
    let mut text = String::new();
    let terminal = Terminal::stderr();
    write_lines(&mut text, plan, lines.iter(), "", &|part| dimmed(terminal, part));
    io::stderr().lock().write_all(text.as_bytes())
}

fn write_lines<'l>(
    text: &mut String,
    plan: &Plan,
    lines: impl Iterator<Item = &'l LogLine>,
    indent: &str,
    dim: &impl Fn(&str) -> String,
) {
    for line in lines {
        let _ = writeln!(text, "{indent}{} {}", dim(&format!("{} |", function_of(plan, line))), line.text);
    }
}

fn dimmed(terminal: Terminal, part: &str) -> String {
    if terminal.color { format!("\x1b[2m{part}\x1b[0m") } else { part.to_owned() }
}

/// One row: a visit, or all visits of a state that has many.
struct Row<'a> {
    first: &'a StateRecord,
    visits: usize,
    entered_us: u64,
    left_us: u64,
    between_ns: Option<u64>,
    request_ids: Vec<&'a str>,
}

fn rows(record: &Record) -> Vec<Row<'_>> {
    let mut visits: HashMap<&str, usize> = HashMap::new();
    for state in &record.states {
        *visits.entry(&state.name).or_default() += 1;
    }
    let mut rows: Vec<Row<'_>> = Vec::new();
    for state in &record.states {
        let left_us = state.exited_us.unwrap_or(record.duration_us).max(state.entered_us);
        let between = state.calls.iter().filter_map(|call| call.between_ns).max();
        let ids = state.calls.iter().map(|call| call.request_id.as_str());
        let together = visits[state.name.as_str()] > SHOWN_VISITS;
        match rows.iter_mut().find(|row| together && row.first.name == state.name) {
            Some(row) => {
                row.visits += 1;
                row.left_us = row.left_us.max(left_us);
                row.between_ns = row.between_ns.max(between);
                row.request_ids.extend(ids);
            }
            None => rows.push(Row {
                first: state,
                visits: 1,
                entered_us: state.entered_us,
                left_us,
                between_ns: between,
                request_ids: ids.collect(),
            }),
        }
    }
    rows
}

/// What was printed in each row. What was printed by a call that never came back, and so is in no record, belongs to the last
/// row with its function.
fn lines_of_rows<'r>(run: &Run<'r>, rows: &[Row<'_>]) -> Vec<Vec<&'r LogLine>> {
    let mut row_of: HashMap<&str, usize> = HashMap::new();
    for (index, row) in rows.iter().enumerate() {
        row_of.extend(row.request_ids.iter().map(|id| (*id, index)));
    }
    let mut lines = vec![Vec::new(); rows.len()];
    for line in run.ran.logs.iter().filter(|line| !line.request_id.is_empty()) {
        let last = || {
            let name = function_of(run.plan, line);
            rows.iter().rposition(|row| row.first.function.as_deref() == Some(name))
        };
        let row = row_of.get(line.request_id.as_str()).copied().or_else(last);
        if let Some(row) = row.or(rows.len().checked_sub(1)) {
            lines[row].push(line);
        }
    }
    lines
}

fn render(run: &Run<'_>, terminal: Terminal) -> String {
    let record = &run.ran.record;
    let rows = rows(record);
    let mut text = String::new();
    let label = |row: &Row<'_>| {
        let times = if row.visits > 1 { format!(" ×{}", row.visits) } else { String::new() };
        format!("{}{}{times}", "  ".repeat(row.first.depth), row.first.name)
    };
    let name_width = rows.iter().map(|row| label(row).chars().count()).max().unwrap_or(0).max(5);
    let place_width = rows.iter().map(|row| place(row.first).chars().count()).max().unwrap_or(0).max(6);
    let dim = |part: &str| dimmed(terminal, part);
    // Printed while the function was loaded.
    let loading = run.ran.logs.iter().filter(|line| line.request_id.is_empty());
    write_lines(&mut text, run.plan, loading, "", &dim);
    let _ = writeln!(
        text,
        "{}",
        dim(&format!(
            "{:name_width$}  {:place_width$}  {:>9}  {:>9}  {:>9}",
            "STATE", "WHERE", "START", "TIME", "BETWEEN"
        ))
    );
    let lines_of_rows = lines_of_rows(run, &rows);
    for (row, lines) in rows.iter().zip(&lines_of_rows) {
        let bar = bar(row, record.duration_us);
        // Of many visits, the longest.
        let at_most = if row.visits > 1 { "≤ " } else { "" };
        let between = row.between_ns.map_or_else(String::new, |ns| format!("{at_most}{}", duration_ns(ns)));
        let _ = writeln!(
            text,
            "{:name_width$}  {:place_width$}  {:>9}  {:>9}  {between:>9}  {}",
            label(row),
            place(row.first),
            duration_us(row.entered_us),
            duration_us(row.left_us - row.entered_us),
            dim(&bar),
        );
        print_logs(&mut text, run.plan, row, lines, &dim);
    }
    summary(&mut text, run, terminal);
    text
}

fn print_logs(
    text: &mut String,
    plan: &Plan,
    row: &Row<'_>,
    lines: &[&LogLine],
    dim: &impl Fn(&str) -> String,
) {
    let indent = "  ".repeat(row.first.depth + 1);
    write_lines(text, plan, lines.iter().take(SHOWN_LINES).copied(), &indent, dim);
    if let Some(more) = lines.len().checked_sub(SHOWN_LINES).filter(|more| *more > 0) {
        let _ = writeln!(text, "{indent}{}", dim(&format!("… {more} more lines; --json has them all")));
    }
}

fn place(state: &StateRecord) -> String {
    match (state.placement, &state.domain) {
        _ if state.mocked => "mock".to_owned(),
        (Some(placement), Some(domain)) => format!("{} {domain}", placement.name()),
        _ => "orchestrator".to_owned(),
    }
}

fn bar(row: &Row<'_>, total_us: u64) -> String {
    let scale = |us: u64| (us * BAR as u64).checked_div(total_us).unwrap_or(0).min(BAR as u64) as usize;
    let start = scale(row.entered_us).min(BAR - 1);
    let len = (scale(row.left_us) - start.min(scale(row.left_us))).max(1);
    format!("{}{}", " ".repeat(start), "█".repeat(len))
}

fn summary(text: &mut String, run: &Run<'_>, terminal: Terminal) {
    let record = &run.ran.record;
    let color = |code: &str, part: &str| {
        if terminal.color { format!("\x1b[{code}m{part}\x1b[0m") } else { part.to_owned() }
    };
    let status = match record.status {
        Status::Succeeded => color("32", "SUCCEEDED"),
        Status::Failed => color("31", "FAILED"),
        Status::TimedOut => color("31", "TIMED_OUT"),
        Status::Aborted => color("33", "ABORTED"),
    };
    let _ = writeln!(
        text,
        "\n{} {status} in {}, of which {} between functions; billed {} ms",
        run.plan.workflow,
        duration_us(record.duration_us),
        duration_us(record.interaction_us),
        record.billed_ms,
    );
    text.push_str(&metering::lines(run.plan, &run.ran.metering));
    let _ = writeln!(text, "isolation: {}", isolation(run.plan));
    if !record.mocked.is_empty() {
        let _ = writeln!(text, "mocked: {}", record.mocked.join(", "));
    }
    if let Some(first) = run.ran.to_first_call {
        let _ = writeln!(
            text,
            "start-up: {} to the first function, {} of them composing",
            duration_us(first.as_micros() as u64),
            duration_us(run.composed.as_micros() as u64)
        );
    }
    for note in &run.plan.notes {
        let _ = writeln!(text, "note: {note}");
    }
    if let Some(why) = &record.not_copied {
        let _ = writeln!(text, "note: each instance loads its functions itself: {why}");
    }
    if let Some(why) = &record.no_lane {
        let _ = writeln!(text, "note: calls that waited got no other lane: {why}");
    }
    if let Some(error) = &record.error {
        let _ = writeln!(text, "error: {error}");
    }
    if let Some(cause) = &record.cause {
        text.push_str(&cause_text(cause));
    }
    if let Some(hint) = refusal::hint(run.plan, record) {
        let _ = writeln!(text, "hint: {hint}");
    }
}

/// What a function raised, as Python prints it; any other cause as it is.
fn cause_text(cause: &str) -> String {
    let parsed: Option<serde_json::Value> = serde_json::from_str(cause).ok();
    match parsed.filter(|error| error.get("errorType").is_some()) {
        Some(error) => {
            let trace = traceback(&error);
            if trace.is_empty() {
                format!("cause: {}\n", error["errorMessage"].as_str().unwrap_or(cause))
            } else {
                trace
            }
        }
        None => format!("cause: {cause}\n"),
    }
}

pub(crate) fn isolation(plan: &Plan) -> String {
    let domains = match plan.domains.len() {
        0 if plan.mocks.is_some() => return plan.isolation_reason.clone(),
        1 => "1 domain".to_owned(),
        several => format!("{several} domains"),
    };
    let what = match plan.isolation {
        Isolation::Mpk => format!("mpk ({domains}, each with a protection key of its own)"),
        Isolation::Process => format!("process ({domains}, each in a process of its own)"),
        Isolation::None => "none (functions share a process, and nothing keeps them apart)".to_owned(),
    };
    format!("{what}; {}", plan.isolation_reason)
}

/// The name of the function that printed a line.
pub(crate) fn function_of<'p>(plan: &'p Plan, line: &LogLine) -> &'p str {
    let domain = &plan.domains[line.domain];
    domain.functions.get(line.function).map_or(&domain.name, |&function| &plan.functions[function].name)
}

fn duration_ns(ns: u64) -> String {
    if ns < 10_000 { format!("{:.1} µs", ns as f64 / 1e3) } else { duration_us(ns / 1000) }
}

pub(crate) fn duration_us(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{:.2} ms", us as f64 / 1e3),
        _ => format!("{:.3} s", us as f64 / 1e6),
    }
}
