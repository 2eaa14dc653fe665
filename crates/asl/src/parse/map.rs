//! The Map state: its processor, its items, and what a distributed one has besides.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/state-map.html>.

use super::data_flow::{dynamic_number, dynamic_percentage, jsonata_template, payload_template, selection};
use super::state::{inner_flow, transition};
use super::{Dialect, Scope, express, retry};
use crate::code;
use crate::definition::{
    Distributed, ExecutionType, Flow, ItemBatcher, ItemReader, ItemSource, Map, OutputType, ResultWriter,
    Transformation, WriterConfig,
};
use crate::fields::{Fields, string, wrong_type};
use crate::node::{At, Kind};
use crate::report::Report;
use crate::suggest::nearest;
use serde_json::{Value, json};
use std::sync::Arc;

/// Characters of a `Label`.
const LONGEST_LABEL: usize = 40;

/// Characters that a `Label` cannot have, besides white space and control characters: they would break the names of the
/// child executions.
const NOT_IN_LABELS: &str = "?*<>{}[]:;,\\|^~$#%&`\"";

/// Items that one Map reads at most.
const MAX_READ_ITEMS: u32 = 100_000_000;

/// Bytes of a batch at most.
const MAX_BATCH_BYTES: u32 = 262_144;

pub(super) fn read<'a>(fields: &mut Fields<'a>, scope: &Scope<'a, '_>, report: &mut Report) -> Option<Map> {
    let dialect = scope.dialect;
    let processor = match fields.at_most_one(&["ItemProcessor", "Iterator"], report) {
        Some(name) => fields.get(name).and_then(|at| processor(at, name, fields, scope, report)),
        None => {
            let hint = "Say what is done with each item: an object with `StartAt` and `States`.";
            fields.report_missing(&["ItemProcessor"], hint, report);
            None
        }
    };
    let selector = match dialect {
        Dialect::JsonPath => fields.at_most_one(&["ItemSelector", "Parameters"], report),
        Dialect::Jsonata => fields.get("ItemSelector").map(|_| "ItemSelector"),
    };
    let item_selector = selector.and_then(|name| payload_template(fields, name, dialect, report));
    let items = items(fields, dialect, report);
    let number = |fields: &mut Fields<'a>, names, report: &mut Report| {
        dynamic_number(fields, names, 0..=u32::MAX, dialect, report)
    };
    let max_concurrency = number(fields, ("MaxConcurrency", "MaxConcurrencyPath"), report);
    let tolerated_failure_count =
        number(fields, ("ToleratedFailureCount", "ToleratedFailureCountPath"), report);
    let percentage = ("ToleratedFailurePercentage", "ToleratedFailurePercentagePath");
    let tolerated_failure_percentage = dynamic_percentage(fields, percentage, dialect, report);
    let mode = processor.as_ref().map(|(_, mode)| *mode);
    let distributed = distributed(fields, mode, dialect, report);
    let retry = retry::retriers(fields, report);
    let catch = retry::catchers(fields, scope, report);
    let transition = transition(fields, scope, report);
    Some(Map {
        processor: processor?.0,
        distributed,
        items,
        item_selector,
        max_concurrency,
        tolerated_failure_count,
        tolerated_failure_percentage,
        retry,
        catch: catch?,
        transition: transition?,
    })
}

fn items(fields: &mut Fields<'_>, dialect: Dialect, report: &mut Report) -> ItemSource {
    if dialect == Dialect::JsonPath {
        return ItemSource::Path(selection(fields, "ItemsPath", report));
    }
    if let Some(at) = fields.get("Items")
        && !matches!(at.node.kind, Kind::Array(_) | Kind::Object(_))
        && at.as_str().is_none_or(|text| crate::jsonata::expression_in(text).is_none())
    {
        wrong_type(&at, "`Items`", "a list, an object or an expression", report);
        return ItemSource::Items(None);
    }
    ItemSource::Items(jsonata_template(fields, "Items", report))
}

/// How the items run: within this execution, or each as one of its own.
type Mode = Option<ExecutionType>;

fn processor<'a>(
    at: At<'a>,
    name: &str,
    map: &Fields<'a>,
    scope: &Scope<'a, '_>,
    report: &mut Report,
) -> Option<(Flow, Mode)> {
    let mut fields = Fields::of(at, format!("the `{name}` of {}", map.owner), report)?;
    let mode = fields.get("ProcessorConfig").and_then(|at| processor_config(at, scope, report));
    let execution_type = mode.unwrap_or(scope.execution_type);
    Some((inner_flow(fields, scope, execution_type, report)?, mode))
}

fn processor_config(at: At<'_>, scope: &Scope<'_, '_>, report: &mut Report) -> Mode {
    let mut fields = Fields::of(at, "`ProcessorConfig`", report)?;
    let mode = one_of(&mut fields, "Mode", &["INLINE", "DISTRIBUTED"], report);
    if let (Some("DISTRIBUTED"), Some(at)) = (mode, fields.get("Mode"))
        && scope.execution_type == ExecutionType::Express
    {
        express::refuse_distributed(&at, report);
    }
    let execution_type = if mode == Some("DISTRIBUTED") {
        let written = one_of(&mut fields, "ExecutionType", &["STANDARD", "EXPRESS"], report);
        if fields.at.get("ExecutionType").is_none() {
            let hint = "Say which kind the child executions are: \"STANDARD\" or \"EXPRESS\".";
            fields.report_missing(&["ExecutionType"], hint, report);
        }
        Some(if written == Some("EXPRESS") { ExecutionType::Express } else { ExecutionType::Standard })
    } else {
        fields.refuse("ExecutionType", "It is for the mode \"DISTRIBUTED\".", report);
        None
    };
    fields.finish(report);
    execution_type
}

/// A string that must be one of a few.
fn one_of(
    fields: &mut Fields<'_>,
    name: &'static str,
    known: &[&'static str],
    report: &mut Report,
) -> Option<&'static str> {
    let at = fields.get(name)?;
    let written = string(&at, format_args!("`{name}`"), report)?;
    let found = known.iter().copied().find(|value| *value == written);
    if found.is_none() {
        let hint = match nearest(written, known.iter().copied()) {
            Some(near) => format!("Did you mean \"{near}\"?"),
            None => format!("It is one of {}.", known.join(", ")),
        };
        report.error(code::UNKNOWN_VALUE, at.spot(), format!("there is no `{name}` {written:?}")).hint(hint);
    }
    found
}

/// The fields of distributed Maps. In others they are reported.
fn distributed(
    fields: &mut Fields<'_>,
    mode: Option<Mode>,
    dialect: Dialect,
    report: &mut Report,
) -> Option<Distributed> {
    let Some(execution_type) = mode.flatten() else {
        for name in ["ItemReader", "ItemBatcher", "ResultWriter", "Label"] {
            if mode.is_none() {
                // The processor could not be read, so it is not known.
                fields.get(name);
            } else {
                let hint = "It needs `\"ProcessorConfig\": { \"Mode\": \"DISTRIBUTED\", \"ExecutionType\": \"STANDARD\" }`.";
                fields.refuse(name, hint, report);
            }
        }
        return None;
    };
    Some(Distributed {
        execution_type,
        label: label(fields, report),
        reader: fields.get("ItemReader").and_then(|at| item_reader(at, dialect, report)),
        batcher: fields.get("ItemBatcher").and_then(|at| item_batcher(at, dialect, report)),
        writer: fields.get("ResultWriter").and_then(|at| result_writer(at, dialect, report)),
    })
}

fn label(fields: &mut Fields<'_>, report: &mut Report) -> Option<Arc<str>> {
    let at = fields.get("Label")?;
    let text = string(&at, "`Label`", report)?;
    let wrong = |character: &char| {
        character.is_whitespace() || character.is_control() || NOT_IN_LABELS.contains(*character)
    };
    let length = text.chars().count();
    let trouble = if let Some(character) = text.chars().find(wrong) {
        let aws = format!("Label contains invalid character: '{character}'");
        Some((format!("{character:?} cannot stand in it"), aws))
    } else if length > LONGEST_LABEL {
        Some((format!("{length} characters"), format!("Label cannot exceed {LONGEST_LABEL} characters")))
    } else if length == 0 {
        Some(("no character".to_owned(), "Value cannot be empty".to_owned()))
    } else {
        None
    };
    if let Some((trouble, aws)) = trouble {
        report
            .error(code::BAD_LABEL, at.spot(), "`Label` must have 1 to 40 characters that names can have")
            .label(trouble)
            .hint("Letters, digits, `-`, `_` and `.` always can.")
            .aws(aws);
    }
    Some(Arc::from(text))
}

/// `Parameters` or `Arguments`, by the language.
fn arguments_name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::JsonPath => "Parameters",
        Dialect::Jsonata => "Arguments",
    }
}

fn item_reader(at: At<'_>, dialect: Dialect, report: &mut Report) -> Option<ItemReader> {
    let mut fields = Fields::of(at, "`ItemReader`", report)?;
    let hint = "Such as `arn:aws:states:::s3:getObject`.";
    let resource = fields.require("Resource", hint, report);
    let resource = resource.and_then(|at| {
        let text = string(&at, "`Resource`", report)?;
        let known = ["s3:getObject", "s3:listObjectsV2"];
        if !known.iter().any(|api| {
            text.strip_prefix("arn:").is_some_and(|rest| rest.ends_with(&format!(":states:::{api}")))
        }) {
            report
                .error(code::BAD_RESOURCE, at.spot(), "`Resource` names no source of items")
                .label("not known here")
                .hint("It is `arn:aws:states:::s3:getObject` or `arn:aws:states:::s3:listObjectsV2`.");
        }
        Some(Arc::from(text))
    });
    let hint = "Say where the items are: `\"Bucket\"` and `\"Key\"`, or `\"Prefix\"`.";
    fields.require(arguments_name(dialect), hint, report);
    let arguments = payload_template(&mut fields, arguments_name(dialect), dialect, report);
    let (config, max_items) = match fields.get("ReaderConfig") {
        Some(at) => reader_config(at, dialect, report)?,
        None => (json!({}), None),
    };
    fields.finish(report);
    Some(ItemReader { resource: resource?, arguments, config, max_items })
}

fn reader_config(
    at: At<'_>,
    dialect: Dialect,
    report: &mut Report,
) -> Option<(Value, Option<crate::definition::Dynamic<u32>>)> {
    let mut config = at.node.to_value();
    let mut fields = Fields::of(at, "`ReaderConfig`", report)?;
    let input_type =
        one_of(&mut fields, "InputType", &["CSV", "JSON", "JSONL", "MANIFEST", "PARQUET"], report);
    one_of(&mut fields, "CSVDelimiter", &["COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"], report);
    one_of(&mut fields, "Transformation", &["NONE", "LOAD_AND_FLATTEN"], report);
    one_of(&mut fields, "ManifestType", &["ATHENA_DATA", "S3_INVENTORY"], report);
    let header = one_of(&mut fields, "CSVHeaderLocation", &["FIRST_ROW", "GIVEN"], report);
    let headers = fields.list("CSVHeaders", report);
    for header in headers.iter().flatten() {
        string(header, "a header", report);
    }
    if input_type == Some("CSV") && fields.get("CSVHeaderLocation").is_none() {
        let hint = "\"FIRST_ROW\" where the file names its columns, \"GIVEN\" where `CSVHeaders` does.";
        fields.report_missing(&["CSVHeaderLocation"], hint, report);
    }
    if input_type.is_some_and(|kind| ["JSON", "JSONL", "PARQUET"].contains(&kind)) {
        for name in ["CSVHeaderLocation", "CSVHeaders", "CSVDelimiter"] {
            fields.refuse(name, "It is for the input type \"CSV\".", report);
        }
    }
    if header == Some("GIVEN") && headers.is_none() {
        fields.report_missing(&["CSVHeaders"], "List the names of the columns.", report);
    }
    fields.string("ItemsPointer", report);
    let max_items =
        dynamic_number(&mut fields, ("MaxItems", "MaxItemsPath"), 0..=MAX_READ_ITEMS, dialect, report);
    fields.finish(report);
    if let Value::Object(config) = &mut config {
        config.retain(|name, _| !["MaxItems", "MaxItemsPath"].contains(&name.as_str()));
    }
    Some((config, max_items))
}

fn item_batcher(at: At<'_>, dialect: Dialect, report: &mut Report) -> Option<ItemBatcher> {
    let mut fields = Fields::of(at, "`ItemBatcher`", report)?;
    let batch_input = payload_template(&mut fields, "BatchInput", dialect, report);
    let items = ("MaxItemsPerBatch", "MaxItemsPerBatchPath");
    let bytes = ("MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath");
    let max_items = dynamic_number(&mut fields, items, 1..=u32::MAX, dialect, report);
    let max_input_bytes = dynamic_number(&mut fields, bytes, 1..=MAX_BATCH_BYTES, dialect, report);
    let names = [items.0, items.1, bytes.0, bytes.1];
    if names.iter().all(|name| fields.at.get(name).is_none()) {
        fields.report_missing(&[items.0, bytes.0], "Say how large a batch may be.", report);
    }
    fields.finish(report);
    Some(ItemBatcher { batch_input, max_items, max_input_bytes })
}

fn result_writer(at: At<'_>, dialect: Dialect, report: &mut Report) -> Option<ResultWriter> {
    let mut fields = Fields::of(at, "`ResultWriter`", report)?;
    let resource = fields.get("Resource").and_then(|at| {
        let text = string(&at, "`Resource`", report)?;
        if !text.ends_with(":states:::s3:putObject") {
            report
                .error(code::BAD_RESOURCE, at.spot(), "`Resource` names no place for results")
                .label("not known here")
                .hint("It is `arn:aws:states:::s3:putObject`.");
        }
        Some(Arc::from(text))
    });
    let arguments = payload_template(&mut fields, arguments_name(dialect), dialect, report);
    let config = fields.get("WriterConfig").and_then(|at| writer_config(at, report));
    warn_of_parts(&mut fields, arguments_name(dialect), report);
    fields.finish(report);
    Some(ResultWriter { resource, arguments, config })
}

/// What a `ResultWriter` must have together. Step Functions takes one with less, and fails when it runs.
fn warn_of_parts(fields: &mut Fields<'_>, arguments: &'static str, report: &mut Report) {
    let spot = fields.at.key_spot();
    let [resource, given, config] = ["Resource", arguments, "WriterConfig"].map(|name| fields.at.get(name));
    match (resource, given) {
        (Some(_), None) => {
            report
                .warning(code::MISSING_FIELD, spot, format!("`ResultWriter` has no `{arguments}`"))
                .label("the execution fails here")
                .hint("Say where the results are written to: `\"Bucket\"` and `\"Prefix\"`.");
        }
        (None, Some(at)) if config.is_some() => {
            report
                .warning(code::NO_EFFECT, at.key_spot(), format!("`{arguments}` has no effect"))
                .label("nothing is written anywhere")
                .hint("Without a `Resource`, such as `arn:aws:states:::s3:putObject`, the results stay in the Map's output.");
        }
        (None, _) if config.is_none() => {
            report
                .warning(
                    code::MISSING_FIELD,
                    spot,
                    "`ResultWriter` has neither `Resource` nor `WriterConfig`",
                )
                .label("the execution fails here")
                .hint("Leave it out, or say where results are written to, or in which form they are told.");
        }
        _ => {}
    }
}

fn writer_config(at: At<'_>, report: &mut Report) -> Option<WriterConfig> {
    let mut fields = Fields::of(at, "`WriterConfig`", report)?;
    let transformation = match one_of(&mut fields, "Transformation", &["NONE", "COMPACT", "FLATTEN"], report)
    {
        Some("NONE") => Some(Transformation::None),
        Some("COMPACT") => Some(Transformation::Compact),
        Some(_) => Some(Transformation::Flatten),
        None => None,
    };
    let output_type = match one_of(&mut fields, "OutputType", &["JSON", "JSONL"], report) {
        Some("JSONL") => OutputType::JsonLines,
        _ => OutputType::Json,
    };
    fields.finish(report);
    Some(WriterConfig { transformation, output_type })
}
