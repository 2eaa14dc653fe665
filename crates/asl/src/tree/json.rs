//! JSON, strictly RFC 8259: no comments, no trailing commas.

use super::{jackson, report_empty, report_too_deep};
use crate::code;
use crate::node::{Kind, MAX_DEPTH, Member, Node};
use crate::report::{Report, Spot};
use crate::source::Span;
use jsonc_parser::ast::Value;
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::errors::{ParseError, ParseErrorKind};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Number;

/// Reads `text`, which starts at byte `base` of the source.
pub(super) fn read(text: &str, base: usize, report: &mut Report) -> Option<Node> {
    let strict = ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let value = match parse_to_ast(text, &CollectOptions::default(), &strict) {
        Ok(parsed) => parsed.value,
        Err(error) => {
            report_syntax(&error, base, report);
            return None;
        }
    };
    let Some(value) = value else {
        report_empty(base, report);
        return None;
    };
    let mut builder = Builder { base, too_deep: None };
    let root = builder.node(&value, 1);
    if let Some(span) = builder.too_deep {
        report_too_deep(span, report);
        return None;
    }
    check_strictly(text, base, report)?;
    root
}

fn report_syntax(error: &ParseError, base: usize, report: &mut Report) {
    let span = shifted(error.range(), base);
    if matches!(error.kind(), ParseErrorKind::NestingDepthExceeded) {
        return report_too_deep(span, report);
    }
    let hint = match error.kind() {
        ParseErrorKind::CommentsNotAllowed => {
            "JSON has no comments; use the field `Comment`, or write the definition in YAML."
        }
        ParseErrorKind::TrailingCommasNotAllowed => "Remove the comma after the last item.",
        ParseErrorKind::ExpectedComma => "Put a comma between the two.",
        ParseErrorKind::SingleQuotedStringsNotAllowed | ParseErrorKind::ExpectedStringObjectProperty => {
            "Put the name in double quotes."
        }
        ParseErrorKind::UnterminatedObject => "Close the object with `}`.",
        ParseErrorKind::UnterminatedArray => "Close the list with `]`.",
        ParseErrorKind::MultipleRootJsonValues => "Remove what comes after the definition.",
        _ => "Definitions are JSON, or YAML in a file whose name ends in `.yaml` or `.yml`.",
    };
    let message = format!("the {} is not JSON", report.subject);
    let wording = jackson::wording(report.source(), span);
    let noted = report
        .error(code::NOT_JSON, Spot::of_text(span), message)
        .label(uncapitalized(&error.kind().to_string()))
        .hint(hint)
        .aws_location(wording.location);
    if let Some(message) = wording.message {
        noted.aws(message);
    }
}

/// What `jsonc_parser` lets pass even so: control characters in strings, leading zeros, white space beyond JSON's.
fn check_strictly(text: &str, base: usize, report: &mut Report) -> Option<()> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    deserializer.disable_recursion_limit();
    let error = IgnoredAny::deserialize(&mut deserializer).and_then(|_| deserializer.end()).err();
    let Some(error) = error else { return Some(()) };
    let line_start: usize =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let mut start = (line_start + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let end = start + text[start..].chars().next().map_or(0, char::len_utf8);
    let span = Span { start: base + start, end: base + end };
    let reason = error.to_string();
    let label = reason.split(" at line ").next().unwrap_or_default();
    let message = format!("the {} is not JSON", report.subject);
    report
        .error(code::NOT_JSON, Spot::of_text(span), message)
        .label(label)
        .hint("Definitions are JSON, or YAML in a file whose name ends in `.yaml` or `.yml`.");
    None
}

struct Builder {
    base: usize,
    too_deep: Option<Span>,
}

impl Builder {
    /// `None` where the tree is too deep, or for a number that is none, which the strict check names.
    fn node(&mut self, value: &Value<'_>, level: usize) -> Option<Node> {
        let span = shifted(value.range(), self.base);
        let kind = match value {
            Value::NullKeyword(_) => Kind::Null,
            Value::BooleanLit(literal) => Kind::Bool(literal.value),
            Value::NumberLit(literal) => Kind::Number(literal.value.parse::<Number>().ok()?),
            Value::StringLit(literal) => Kind::String(literal.value.to_string()),
            Value::Array(_) | Value::Object(_) if level > MAX_DEPTH => {
                self.too_deep.get_or_insert(Span { start: span.start, end: span.start + 1 });
                return None;
            }
            Value::Array(array) => Kind::Array(
                array.elements.iter().map(|item| self.node(item, level + 1)).collect::<Option<_>>()?,
            ),
            Value::Object(object) => {
                let mut members = Vec::with_capacity(object.properties.len());
                for property in &object.properties {
                    members.push(Member {
                        key: property.name.as_str().to_owned(),
                        key_span: shifted(property.name.range(), self.base),
                        value: self.node(&property.value, level + 1)?,
                    });
                }
                Kind::Object(members)
            }
        };
        Some(Node { span, kind })
    }
}

fn shifted(range: Range, base: usize) -> Span {
    Span { start: base + range.start, end: base + range.end }
}

fn uncapitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
