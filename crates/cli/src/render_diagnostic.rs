//! Diagnostics for people (file, line, caret, hint) and for programs (JSON).

use crate::terminal::Terminal;
use faastlane_asl::aws;
use faastlane_asl::diagnostic::{Diagnostic, Severity};
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode, SourceSpan};
use serde_json::{Value, json};
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

/// Writes findings to stderr, and below them how many there were.
pub(crate) fn print(findings: &[Diagnostic]) -> io::Result<()> {
    io::stderr().lock().write_all(render(findings, Terminal::stderr()).as_bytes())
}

/// Findings as an array of objects.
pub(crate) fn to_json(findings: &[Diagnostic]) -> Value {
    findings.iter().map(one_to_json).collect()
}

fn one_to_json(finding: &Diagnostic) -> Value {
    let place = finding.place.as_ref().map(|(source, span)| (source, source.line_column(span.start)));
    json!({
        "code": finding.code,
        "severity": severity_name(finding.severity),
        "message": finding.message,
        "label": finding.label,
        "hint": finding.hint,
        "location": finding.location,
        "file": place.map(|(source, _)| &*source.name),
        "line": place.map(|(_, (line, _))| line),
        "column": place.map(|(_, (_, column))| column),
    })
}

/// Findings as AWS's ValidateStateMachineDefinition lists them, each with what we say besides: our code is `fl_code`, our
/// words are `fl_message`.
pub(crate) fn to_aws_json(findings: &[Diagnostic]) -> Value {
    let as_aws = |finding: &Diagnostic| {
        let mut object = one_to_json(finding);
        object["fl_code"] = object["code"].take();
        object["fl_message"] = object["message"].take();
        object["code"] = json!(aws::code(finding));
        object["message"] = json!(aws::message(finding));
        object["location"] = json!(aws::location(finding));
        object["severity"] = json!(severity_name(finding.severity).to_ascii_uppercase());
        object
    };
    findings.iter().map(as_aws).collect()
}

fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

pub(crate) fn render(findings: &[Diagnostic], terminal: Terminal) -> String {
    let theme = if terminal.color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(terminal.width).with_context_lines(1);
    let mut text = String::new();
    for finding in findings {
        // Writing to a string cannot fail; a message that cannot be laid out is still shown.
        if handler.render_report(&mut text, &Rendered::new(finding)).is_err() {
            text.push_str(&format!("{}: {}\n", finding.code, finding.message));
        }
        if let Some(hint) = &finding.hint {
            text.push_str(&indent(hint, terminal.width));
        }
        text.push('\n');
    }
    text.push_str(&summary(findings));
    text
}

/// A hint, wrapped and aligned; its own line breaks are kept.
fn indent(hint: &str, width: usize) -> String {
    let first = textwrap::Options::new(width)
        .initial_indent("  hint: ")
        .subsequent_indent("        ")
        .break_words(false);
    let later = first.clone().initial_indent("        ");
    let lines = hint
        .lines()
        .enumerate()
        .flat_map(|(number, line)| textwrap::wrap(line, if number == 0 { &first } else { &later }));
    lines.map(|line| format!("{line}\n")).collect()
}

/// `2 errors, 1 warning; faastlane explain FL0204 says more`
fn summary(findings: &[Diagnostic]) -> String {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let parts: Vec<String> = [(count(Severity::Error), "error"), (count(Severity::Warning), "warning")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| format!("{count} {noun}{}", if count == 1 { "" } else { "s" }))
        .collect();
    let worst = findings.iter().min_by_key(|finding| finding.severity);
    match worst {
        Some(finding) => format!("{}; `faastlane explain {}` says more\n", parts.join(", "), finding.code),
        None => String::new(),
    }
}

/// A finding as miette takes it.
#[derive(Debug)]
struct Rendered<'a> {
    finding: &'a Diagnostic,
    source: Option<NamedSource<Arc<str>>>,
}

impl<'a> Rendered<'a> {
    fn new(finding: &'a Diagnostic) -> Self {
        let source = finding
            .place
            .as_ref()
            .map(|(source, _)| NamedSource::new(&source.name, Arc::clone(&source.text)));
        Self { finding, source }
    }
}

impl fmt::Display for Rendered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.finding.message)
    }
}

impl std::error::Error for Rendered<'_> {}

impl miette::Diagnostic for Rendered<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.finding.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.finding.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let (source, span) = self.finding.place.as_ref()?;
        let start = span.start.min(source.text.len());
        let place = SourceSpan::from((start, span.end.clamp(start, source.text.len()) - start));
        let label = LabeledSpan::new_with_span(
            Some(self.finding.label.clone().unwrap_or_else(|| "here".to_owned())),
            place,
        );
        Some(Box::new(std::iter::once(label)))
    }
}
