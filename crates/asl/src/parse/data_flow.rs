//! The fields that move data, in the query language of the state, and what of the other language stands in a state by
//! mistake.

use super::{Dialect, MAX_SECONDS, literals};
use crate::code;
use crate::definition::{
    DataFlow, Dynamic, JsonataFlow, PathFlow, PayloadTemplate, ResultPath, Selection, StringSource, Timestamp,
};
use crate::fields::{Fields, path, string, wrong_type};
use crate::jsonata;
use crate::node::{At, Kind};
use crate::report::Report;
use std::ops::RangeInclusive;

/// Which of the data fields a type of state has.
#[derive(Clone, Copy)]
pub(super) struct Has {
    /// `Parameters` or `Arguments`.
    pub(super) arguments: bool,
    /// `ResultSelector`
    pub(super) selector: bool,
    /// `ResultPath`
    pub(super) result: bool,
}

impl Has {
    pub(super) const ALL: Has = Has { arguments: true, selector: true, result: true };
    /// `InputPath` and `OutputPath`, or `Output`.
    pub(super) const ENDS: Has = Has { arguments: false, selector: false, result: false };
    /// A Map's, whose `Parameters` mean something else.
    pub(super) const MAP: Has = Has { arguments: false, selector: true, result: true };
    /// A Pass state's. JSONata has no `Arguments` for it.
    pub(super) const PASS: Has = Has { arguments: true, selector: false, result: true };
}

pub(super) fn data_flow(
    fields: &mut Fields<'_>,
    dialect: Dialect,
    has: Has,
    is_pass: bool,
    report: &mut Report,
) -> DataFlow {
    match dialect {
        Dialect::JsonPath => DataFlow::JsonPath(Box::new(PathFlow {
            input_path: selection(fields, "InputPath", report),
            parameters: has.arguments.then(|| path_template(fields, "Parameters", report)).flatten(),
            result_selector: has.selector.then(|| path_template(fields, "ResultSelector", report)).flatten(),
            result_path: if has.result { result_path(fields, report) } else { ResultPath::Replace },
            output_path: selection(fields, "OutputPath", report),
        })),
        Dialect::Jsonata => DataFlow::Jsonata(JsonataFlow {
            arguments: (has.arguments && !is_pass)
                .then(|| jsonata_template(fields, "Arguments", report))
                .flatten(),
            output: jsonata_template(fields, "Output", report),
        }),
    }
}

/// The data flow of a state that has no data fields.
pub(super) fn no_data_flow(dialect: Dialect) -> DataFlow {
    match dialect {
        Dialect::JsonPath => DataFlow::JsonPath(Box::new(PathFlow {
            input_path: Selection::Whole,
            parameters: None,
            result_selector: None,
            result_path: ResultPath::Replace,
            output_path: Selection::Whole,
        })),
        Dialect::Jsonata => DataFlow::Jsonata(JsonataFlow { arguments: None, output: None }),
    }
}

/// The fields that only one of the languages has, and what stands for them in the other.
const OF_JSONPATH: [(&str, &str); 15] = [
    ("InputPath", "In JSONata the whole input is there: `$states.input`."),
    ("Parameters", "In JSONata it is `Arguments`."),
    ("ResultSelector", "In JSONata it is `Output`, with `$states.result`."),
    ("ResultPath", "In JSONata it is `Output`, with `$states.result`."),
    ("OutputPath", "In JSONata it is `Output`."),
    ("Result", "In JSONata it is `Output`."),
    ("ItemsPath", "In JSONata it is `Items`."),
    ("MaxConcurrencyPath", "In JSONata an expression stands in `MaxConcurrency` itself."),
    ("ToleratedFailureCountPath", "In JSONata an expression stands in `ToleratedFailureCount` itself."),
    (
        "ToleratedFailurePercentagePath",
        "In JSONata an expression stands in `ToleratedFailurePercentage` itself.",
    ),
    ("TimeoutSecondsPath", "In JSONata an expression stands in `TimeoutSeconds` itself."),
    ("HeartbeatSecondsPath", "In JSONata an expression stands in `HeartbeatSeconds` itself."),
    ("SecondsPath", "In JSONata an expression stands in `Seconds` itself."),
    ("TimestampPath", "In JSONata an expression stands in `Timestamp` itself."),
    ("ErrorPath", "In JSONata an expression stands in `Error` itself."),
];

const OF_JSONATA: [(&str, &str); 4] = [
    ("Arguments", "In JSONPath it is `Parameters`; or set `\"QueryLanguage\": \"JSONata\"`."),
    (
        "Output",
        "In JSONPath they are `ResultSelector`, `ResultPath` and `OutputPath`; or set `\"QueryLanguage\": \"JSONata\"`.",
    ),
    ("Items", "In JSONPath it is `ItemsPath`; or set `\"QueryLanguage\": \"JSONata\"`."),
    (
        "Condition",
        "In JSONPath a rule has `Variable` and a test such as `StringEquals`; or set `\"QueryLanguage\": \"JSONata\"`.",
    ),
];

/// Reports the fields that belong to the other query language.
pub(super) fn refuse_other_language(fields: &mut Fields<'_>, dialect: Dialect, report: &mut Report) {
    let (others, language): (&[(&'static str, &str)], _) = match dialect {
        Dialect::JsonPath => (&OF_JSONATA, "JSONata"),
        Dialect::Jsonata => (&OF_JSONPATH, "JSONPath"),
    };
    for (name, hint) in others {
        fields.refuse_of_language(name, language, hint, report);
    }
    if dialect == Dialect::Jsonata {
        let hint = "In JSONata an expression stands in `Cause` itself.";
        fields.refuse_of_language("CausePath", language, hint, report);
    }
}

pub(super) fn path_template(
    fields: &mut Fields<'_>,
    name: &'static str,
    report: &mut Report,
) -> Option<crate::template::Template> {
    let at = fields.get(name)?;
    let error = match crate::template::Template::parse(&at.node.to_value()) {
        Ok(template) => {
            literals::check_template(&at, report);
            return Some(template);
        }
        Err(error) => error,
    };
    let at = at.descend(&error.pointer).unwrap_or(at);
    report
        .error(code::BAD_TEMPLATE, at.spot(), format!("`{name}` has a field that cannot be evaluated"))
        .label(error.message)
        .hint("A field whose name ends in `.$` holds a path such as `$.name`, or a call such as `States.UUID()`.");
    None
}

pub(super) fn jsonata_template(
    fields: &mut Fields<'_>,
    name: &'static str,
    report: &mut Report,
) -> Option<jsonata::Template> {
    let at = fields.get(name)?;
    refuse_unclosed(&at, report);
    let error = match jsonata::Template::parse(&at.node.to_value()) {
        Ok(template) => return Some(template),
        Err(error) => error,
    };
    let at = at.descend(&error.pointer).unwrap_or(at);
    let spot = match at.as_str() {
        Some(text) => report.inside(at.spot(), text, error.offset),
        None => at.spot(),
    };
    report
        .error(code::BAD_EXPRESSION, spot, format!("`{name}` holds an expression that is not JSONata"))
        .aws(error.message.clone())
        .label(error.message)
        .hint(EXPRESSION_HINT);
    None
}

/// A string that begins as an expression and does not end as one.
fn refuse_unclosed(at: &At<'_>, report: &mut Report) {
    if at.as_str().is_some_and(|text| text.starts_with("{%") && !text.ends_with("%}")) {
        report
            .error(code::BAD_EXPRESSION, at.spot(), "an expression begins with `{%` and ends with `%}`")
            .label("it does not end")
            .hint(EXPRESSION_HINT)
            .aws_code("SCHEMA_VALIDATION_FAILED")
            .aws("JSONata string must start with {% and end with %}");
    }
    at.members().into_iter().flatten().for_each(|(_, member)| refuse_unclosed(&member, report));
    at.items().into_iter().flatten().for_each(|item| refuse_unclosed(&item, report));
}

const EXPRESSION_HINT: &str = "Such as `{% $states.input.name %}`; `faastlane eval --jsonata` tries one out.";

/// A template in the language of the state.
pub(super) fn payload_template(
    fields: &mut Fields<'_>,
    name: &'static str,
    dialect: Dialect,
    report: &mut Report,
) -> Option<PayloadTemplate> {
    match dialect {
        Dialect::JsonPath => path_template(fields, name, report).map(PayloadTemplate::JsonPath),
        Dialect::Jsonata => jsonata_template(fields, name, report).map(PayloadTemplate::Jsonata),
    }
}

/// The expression of a field that takes one in place of its value; reports one that is wrong.
pub(super) fn expression(at: &At<'_>, what: &str, report: &mut Report) -> Option<jsonata::Expression> {
    let text = at.as_str()?;
    let error = match jsonata::Expression::parse(jsonata::expression_in(text)?) {
        Ok(expression) => return Some(expression),
        Err(error) => error,
    };
    let spot = report.inside(at.spot(), text, "{%".len() + error.offset);
    report
        .error(code::BAD_EXPRESSION, spot, format!("{what} holds an expression that is not JSONata"))
        .aws(error.message.clone())
        .label(error.message)
        .hint(EXPRESSION_HINT);
    None
}

/// Whether a field holds an expression in place of its value.
pub(super) fn is_expression(at: &At<'_>, dialect: Dialect) -> bool {
    dialect == Dialect::Jsonata && at.as_str().is_some_and(|text| jsonata::expression_in(text).is_some())
}

/// `InputPath`, `OutputPath`, `ItemsPath`.
pub(super) fn selection(fields: &mut Fields<'_>, name: &'static str, report: &mut Report) -> Selection {
    match fields.get(name) {
        None => Selection::Whole,
        Some(at) if at.node.kind == Kind::Null => Selection::Empty,
        Some(at) if at.as_str() == Some("$") => Selection::Whole,
        Some(at) => path(&at, &format!("`{name}`"), report).map_or(Selection::Whole, Selection::Path),
    }
}

pub(super) fn result_path(fields: &mut Fields<'_>, report: &mut Report) -> ResultPath {
    match fields.get("ResultPath") {
        None => ResultPath::Replace,
        Some(at) if at.node.kind == Kind::Null => ResultPath::Discard,
        Some(at) if at.as_str() == Some("$") => ResultPath::Replace,
        Some(at) => {
            let Some(path) = fields.reference_path("ResultPath", report) else { return ResultPath::Replace };
            let label = if path.reads_context() {
                "the context object cannot be changed"
            } else if path.path().variable().is_some() {
                "variables are set by `Assign`"
            } else {
                return ResultPath::At(path);
            };
            report
                .error(code::BAD_PATH, at.spot(), "`ResultPath` is not a path that can be written to")
                .label(label)
                .hint("Put the result into the input: `$.result`.");
            ResultPath::At(path)
        }
    }
}

/// A number: fixed, by a path in the field `by_path`, or by an expression.
pub(super) fn dynamic_number(
    fields: &mut Fields<'_>,
    (fixed, by_path): (&'static str, &'static str),
    range: RangeInclusive<u32>,
    dialect: Dialect,
    report: &mut Report,
) -> Option<Dynamic<u32>> {
    dynamic(fields, (fixed, by_path), dialect, report, |fields, report| fields.integer(fixed, range, report))
}

pub(super) fn dynamic_percentage(
    fields: &mut Fields<'_>,
    (fixed, by_path): (&'static str, &'static str),
    dialect: Dialect,
    report: &mut Report,
) -> Option<Dynamic<f64>> {
    dynamic(fields, (fixed, by_path), dialect, report, |fields, report| {
        let at = fields.get(fixed)?;
        let Kind::Number(number) = &at.node.kind else {
            wrong_type(&at, format_args!("`{fixed}`"), "a number", report);
            return None;
        };
        let value = number.as_f64().filter(|value| (0.0..=100.0).contains(value));
        if value.is_none() {
            report
                .error(code::OUT_OF_RANGE, at.spot(), format!("`{fixed}` must be a number from 0 to 100"))
                .label(format!("found {}", at.node.describe()));
        }
        value
    })
}

fn dynamic<'a, T>(
    fields: &mut Fields<'a>,
    (fixed, by_path): (&'static str, &'static str),
    dialect: Dialect,
    report: &mut Report,
    read: impl FnOnce(&mut Fields<'a>, &mut Report) -> Option<T>,
) -> Option<Dynamic<T>> {
    if dialect == Dialect::JsonPath && fields.at_most_one(&[fixed, by_path], report)? == by_path {
        return fields.reference_path(by_path, report).map(Dynamic::Path);
    }
    let at = fields.get(fixed)?;
    if is_expression(&at, dialect) {
        return expression(&at, &format!("`{fixed}`"), report).map(Dynamic::Expression);
    }
    read(fields, report).map(Dynamic::Fixed)
}

pub(super) fn seconds(
    fields: &mut Fields<'_>,
    names: (&'static str, &'static str),
    dialect: Dialect,
    report: &mut Report,
) -> Option<Dynamic<u32>> {
    dynamic_number(fields, names, 1..=MAX_SECONDS, dialect, report)
}

pub(super) fn dynamic_timestamp(
    fields: &mut Fields<'_>,
    dialect: Dialect,
    report: &mut Report,
) -> Option<Dynamic<Timestamp>> {
    dynamic(fields, ("Timestamp", "TimestampPath"), dialect, report, |fields, report| {
        timestamp(&fields.get("Timestamp")?, "`Timestamp`", report)
    })
}

/// `Error` and `Cause` of a Fail state.
pub(super) fn string_source(
    fields: &mut Fields<'_>,
    (fixed, by_path): (&'static str, &'static str),
    dialect: Dialect,
    report: &mut Report,
) -> Option<StringSource> {
    if dialect == Dialect::JsonPath && fields.at_most_one(&[fixed, by_path], report)? == by_path {
        return fields.path_or_call(by_path, report);
    }
    literals::check_field(fields, (fixed, by_path), dialect, report);
    let at = fields.get(fixed)?;
    if is_expression(&at, dialect) {
        return expression(&at, &format!("`{fixed}`"), report).map(StringSource::Expression);
    }
    fields.owned_string(fixed, report).map(StringSource::Fixed)
}

pub(super) fn timestamp(at: &At<'_>, what: &str, report: &mut Report) -> Option<Timestamp> {
    let text = string(at, what, report)?;
    let parsed = Timestamp::parse(text);
    if parsed.is_none() {
        report
            .error(code::BAD_TIMESTAMP, at.spot(), format!("{what} is not a timestamp"))
            .label("not an RFC 3339 instant")
            .hint("Write it as 2016-03-14T01:59:00Z, with a capital T, and Z or an offset such as +01:00.");
    }
    parsed
}
