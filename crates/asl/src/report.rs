//! Collects what was found while a definition is read, so that all of it can be said at once.

use crate::diagnostic::{AwsWording, Diagnostic, Severity};
use crate::node::{Way, position_in_string};
use crate::source::{Source, Span};

/// A place in the text and in the tree.
#[derive(Clone, Debug)]
pub(crate) struct Spot<'a> {
    pub(crate) span: Span,
    pub(crate) way: Way<'a>,
}

impl Spot<'_> {
    /// A place that is nowhere in the tree: what could not be read.
    pub(crate) fn of_text(span: Span) -> Self {
        Self { span, way: Way::default() }
    }
}

/// The most findings of one severity that are kept. Nobody reads more, and to find them all in a hostile definition
/// would take for ever.
const MOST: usize = 200;

pub(crate) struct Report {
    source: Source,
    /// What messages call the text as a whole.
    pub(crate) subject: &'static str,
    findings: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
}

impl Report {
    pub(crate) fn new(source: &Source) -> Self {
        Self::on(source, "definition")
    }

    /// A report on a text that is no definition.
    pub(crate) fn on(source: &Source, subject: &'static str) -> Self {
        Report { source: source.clone(), subject, findings: Vec::new(), errors: 0, warnings: 0 }
    }

    pub(crate) fn error(
        &mut self,
        code: &'static str,
        spot: Spot<'_>,
        message: impl Into<String>,
    ) -> Noted<'_> {
        self.note(Severity::Error, code, spot, message.into())
    }

    pub(crate) fn warning(
        &mut self,
        code: &'static str,
        spot: Spot<'_>,
        message: impl Into<String>,
    ) -> Noted<'_> {
        self.note(Severity::Warning, code, spot, message.into())
    }

    fn note(&mut self, severity: Severity, code: &'static str, spot: Spot<'_>, message: String) -> Noted<'_> {
        let count = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        *count += 1;
        if *count > MOST {
            return Noted(None);
        }
        let (source, span) = self.source.written(spot.span);
        let span = on_one_line(&source, span);
        self.findings.push(Diagnostic {
            code,
            severity,
            message,
            label: None,
            hint: None,
            location: Some(spot.way.pointer()),
            place: Some((source, span)),
            aws: AwsWording::default(),
        });
        Noted(self.findings.last_mut())
    }

    /// The whole text.
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// `line 3, column 5`, for a second place that a message names.
    pub(crate) fn in_words(&self, span: Span) -> String {
        if self.is_full() {
            return String::new();
        }
        let (source, span) = self.source.written(span);
        let (line, column) = source.line_column(span.start);
        format!("line {line}, column {column}")
    }

    /// Where byte `offset` of the string `decoded` stands, whose literal is at `spot`.
    pub(crate) fn inside<'s>(&self, spot: Spot<'s>, decoded: &str, offset: usize) -> Spot<'s> {
        Spot { span: position_in_string(&self.source.text, spot.span, decoded, offset), ..spot }
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Whether another error would not be kept, so that its hint need not be looked for.
    pub(crate) fn is_full(&self) -> bool {
        self.errors >= MOST
    }

    /// All findings in the order of the text. What an alias makes the reader find again is said once.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        let start = |finding: &Diagnostic| finding.place.as_ref().map_or(0, |(_, span)| span.start);
        self.findings.sort_by_key(start);
        self.findings.dedup_by(|later, earlier| {
            later.code == earlier.code && later.place == earlier.place && later.message == earlier.message
        });
        self.findings
    }
}

/// A caret under a whole object hides what it means: an object is shown by its first line.
fn on_one_line(source: &Source, span: Span) -> Span {
    let written = source.text.get(span.start..span.end).unwrap_or_default();
    let line = written.split(['\n', '\r']).next().unwrap_or_default();
    Span { start: span.start, end: span.start + line.trim_end().len() }
}

/// A finding just noted, to be completed; `None` where there are too many.
pub(crate) struct Noted<'a>(Option<&'a mut Diagnostic>);

impl Noted<'_> {
    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        if let Some(finding) = &mut self.0 {
            finding.label = Some(label.into());
        }
        self
    }

    /// AWS's words for it.
    pub(crate) fn aws(mut self, message: impl Into<String>) -> Self {
        if let Some(finding) = &mut self.0 {
            finding.aws.message = Some(message.into());
        }
        self
    }

    /// AWS's code, where it is not the one of the finding's own code.
    pub(crate) fn aws_code(mut self, code: &'static str) -> Self {
        if let Some(finding) = &mut self.0 {
            finding.aws.code = Some(code);
        }
        self
    }

    /// Where AWS says it is, where that is no path of the definition.
    pub(crate) fn aws_location(mut self, location: impl Into<String>) -> Self {
        if let Some(finding) = &mut self.0 {
            finding.aws.location = Some(location.into());
        }
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Some(finding) = &mut self.0 {
            finding.hint = Some(hint.into());
        }
        self
    }
}
