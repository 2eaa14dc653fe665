//! One state, of each of the eight types.

use super::{Dialect, MAX_SECONDS, Scope, choice, dialect, flow, resource, retry};
use crate::code;
use crate::definition::{
    Fail, Flow, Map, NumberOrPath, Parallel, Pass, ResultPath, Selection, State, StateKind, StringOrPath,
    Succeed, Task, Timestamp, Transition, Wait, WaitUntil,
};
use crate::fields::{Fields, not_empty, path, string};
use crate::node::{At, Kind};
use crate::report::Report;
use crate::suggest::nearest;
use std::ops::RangeInclusive;
use std::sync::Arc;

const TYPES: [&str; 8] = ["Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map"];

/// `None` where something is wrong, which has been reported.
pub(super) fn read<'a>(name: &str, at: &At<'a>, scope: &Scope<'a, '_>, report: &mut Report) -> Option<State> {
    let mut fields = Fields::of(at.clone(), format!("the state `{name}`"), report)?;
    let known = "It is one of Task, Pass, Choice, Wait, Succeed, Fail, Parallel, Map.";
    let type_at = fields.require("Type", known, report)?;
    let written = string(&type_at, "`Type`", report)?;
    let Some(type_name) = TYPES.into_iter().find(|known| *known == written) else {
        let hint =
            nearest(written, TYPES).map_or(known.to_owned(), |near| format!("Did you mean \"{near}\"?"));
        report
            .error(code::UNKNOWN_VALUE, type_at.spot(), format!("there is no type of state {written:?}"))
            .hint(hint);
        return None;
    };
    fields.owner = format!("the {type_name} state `{name}`");
    let comment = fields.owned_string("Comment", report);
    if dialect(&mut fields, scope.dialect, report) == Dialect::JsonAta {
        return None;
    }
    let kind = match type_name {
        "Task" => task(&mut fields, scope, report).map(StateKind::Task),
        "Pass" => pass(&mut fields, scope, report).map(StateKind::Pass),
        "Choice" => choice::read(&mut fields, scope, report).map(StateKind::Choice),
        "Wait" => wait(&mut fields, scope, report).map(StateKind::Wait),
        "Succeed" => Some(StateKind::Succeed(succeed(&mut fields, report))),
        "Fail" => Some(StateKind::Fail(fail(&mut fields, report))),
        "Parallel" => parallel(&mut fields, scope, report).map(StateKind::Parallel),
        _ => map(&mut fields, scope, report).map(StateKind::Map),
    };
    report_other_dialect(&mut fields, report);
    fields.finish(report);
    Some(State { name: Arc::from(name), comment, span: at.key_spot().span, kind: kind? })
}

/// Fields that come with JSONata and variables.
fn report_other_dialect(fields: &mut Fields<'_>, report: &mut Report) {
    let later = [
        ("Assign", "variables", "Keep the value in the state's data: `ResultPath` puts it there."),
        ("Arguments", "a field of JSONata", "In JSONPath it is `Parameters`."),
        (
            "Output",
            "a field of JSONata",
            "In JSONPath they are `ResultSelector`, `ResultPath` and `OutputPath`.",
        ),
    ];
    for (name, what, hint) in later {
        fields.not_yet(name, what, hint, report);
    }
}

fn task<'a>(fields: &mut Fields<'a>, scope: &Scope<'a, '_>, report: &mut Report) -> Option<Task> {
    let hint = "Name the function to call, as in `\"Resource\": \"resize\"`.";
    let resource_at = fields.require("Resource", hint, report);
    let resource = resource_at.as_ref().and_then(|at| resource::read(at, fields, report));
    let input_path = selection(fields, "InputPath", report);
    let parameters = fields.template("Parameters", report);
    let (result_selector, result_path, output_path) = result_fields(fields, report);
    let timeout = number_or_path(fields, "TimeoutSeconds", "TimeoutSecondsPath", 1..=MAX_SECONDS, report);
    let heartbeat =
        number_or_path(fields, "HeartbeatSeconds", "HeartbeatSecondsPath", 1..=MAX_SECONDS, report);
    if let (Some(NumberOrPath::Fixed(timeout)), Some(NumberOrPath::Fixed(heartbeat)), Some(at)) =
        (&timeout, &heartbeat, fields.get("HeartbeatSeconds"))
        && heartbeat >= timeout
    {
        report
            .error(code::OUT_OF_RANGE, at.spot(), "`HeartbeatSeconds` must be less than `TimeoutSeconds`")
            .label(format!("{heartbeat} is not less than {timeout}"));
    }
    let hint = "Functions run with the rights of the workflow; remove it.";
    fields.not_yet("Credentials", "an IAM role", hint, report);
    let retry = retry::retriers(fields, report);
    let catch = retry::catchers(fields, scope, report);
    let transition = transition(fields, scope, report);
    Some(Task {
        resource: resource?,
        resource_text: Arc::from(resource_at.as_ref()?.as_str()?),
        resource_span: resource_at?.node.span,
        input_path,
        parameters,
        result_selector,
        result_path,
        output_path,
        timeout,
        heartbeat,
        retry,
        catch: catch?,
        transition: transition?,
    })
}

fn pass<'a>(fields: &mut Fields<'a>, scope: &Scope<'a, '_>, report: &mut Report) -> Option<Pass> {
    let input_path = selection(fields, "InputPath", report);
    let parameters = fields.template("Parameters", report);
    let result = fields.get("Result").map(|at| at.node.to_value());
    let result_path = result_path(fields, report);
    let output_path = selection(fields, "OutputPath", report);
    let transition = transition(fields, scope, report)?;
    Some(Pass { input_path, parameters, result, result_path, output_path, transition })
}

fn wait<'a>(fields: &mut Fields<'a>, scope: &Scope<'a, '_>, report: &mut Report) -> Option<Wait> {
    let input_path = selection(fields, "InputPath", report);
    let output_path = selection(fields, "OutputPath", report);
    let names = ["Seconds", "SecondsPath", "Timestamp", "TimestampPath"];
    let until = match fields.at_most_one(&names, report) {
        Some("Seconds") => fields.integer("Seconds", 0..=MAX_SECONDS, report).map(WaitUntil::Seconds),
        Some("SecondsPath") => fields.reference_path("SecondsPath", report).map(WaitUntil::SecondsPath),
        Some("Timestamp") => {
            let at = fields.get("Timestamp")?;
            timestamp(&at, "`Timestamp`", report).map(WaitUntil::Timestamp)
        }
        Some(_) => fields.reference_path("TimestampPath", report).map(WaitUntil::TimestampPath),
        None => {
            let hint = "Say how long, or until when: `\"Seconds\": 10`.";
            fields.report_missing(&names, hint, report);
            None
        }
    };
    let transition = transition(fields, scope, report);
    Some(Wait { input_path, output_path, until: until?, transition: transition? })
}

fn succeed(fields: &mut Fields<'_>, report: &mut Report) -> Succeed {
    refuse_transition(fields, "A Succeed state always ends its branch; remove it.", report);
    Succeed {
        input_path: selection(fields, "InputPath", report),
        output_path: selection(fields, "OutputPath", report),
    }
}

fn fail(fields: &mut Fields<'_>, report: &mut Report) -> Fail {
    refuse_transition(fields, "A Fail state always ends the execution; remove it.", report);
    Fail {
        error: string_or_path(fields, "Error", "ErrorPath", report),
        cause: string_or_path(fields, "Cause", "CausePath", report),
    }
}

fn parallel<'a>(fields: &mut Fields<'a>, scope: &Scope<'a, '_>, report: &mut Report) -> Option<Parallel> {
    let hint = "List the branches, each with `StartAt` and `States`.";
    let branches_at = fields.require("Branches", hint, report);
    let branches = branches_at.and_then(|at| {
        let items = crate::fields::list(&at, "`Branches`", report)?;
        if !not_empty(at.node, at.spot(), "`Branches`", "branch", report) {
            return None;
        }
        let mut branches = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let owner = format!("branch {} of {}", index + 1, fields.owner);
            branches
                .push(Fields::of(item, owner, report).and_then(|fields| inner_flow(fields, scope, report)));
        }
        branches.into_iter().collect::<Option<Vec<Flow>>>()
    });
    let input_path = selection(fields, "InputPath", report);
    let parameters = fields.template("Parameters", report);
    let (result_selector, result_path, output_path) = result_fields(fields, report);
    let retry = retry::retriers(fields, report);
    let catch = retry::catchers(fields, scope, report);
    let transition = transition(fields, scope, report);
    Some(Parallel {
        branches: branches?,
        input_path,
        parameters,
        result_selector,
        result_path,
        output_path,
        retry,
        catch: catch?,
        transition: transition?,
    })
}

fn map<'a>(fields: &mut Fields<'a>, scope: &Scope<'a, '_>, report: &mut Report) -> Option<Map> {
    let processor = match fields.at_most_one(&["ItemProcessor", "Iterator"], report) {
        Some(name) => fields.get(name).and_then(|at| processor(at, name, fields, scope, report)),
        None => {
            let hint = "Say what is done with each item: an object with `StartAt` and `States`.";
            fields.report_missing(&["ItemProcessor"], hint, report);
            None
        }
    };
    let selector = fields.at_most_one(&["ItemSelector", "Parameters"], report);
    let item_selector = selector.and_then(|name| fields.template(name, report));
    let items_path = selection(fields, "ItemsPath", report);
    let max_concurrency =
        number_or_path(fields, "MaxConcurrency", "MaxConcurrencyPath", 0..=u32::MAX, report);
    let tolerated_failure_count =
        number_or_path(fields, "ToleratedFailureCount", "ToleratedFailureCountPath", 0..=u32::MAX, report);
    let tolerated_failure_percentage = number_or_path(
        fields,
        "ToleratedFailurePercentage",
        "ToleratedFailurePercentagePath",
        0..=100,
        report,
    );
    report_unsupported_map_fields(fields, report);
    let input_path = selection(fields, "InputPath", report);
    let (result_selector, result_path, output_path) = result_fields(fields, report);
    let retry = retry::retriers(fields, report);
    let catch = retry::catchers(fields, scope, report);
    let transition = transition(fields, scope, report);
    Some(Map {
        processor: processor?,
        items_path,
        item_selector,
        max_concurrency,
        tolerated_failure_count,
        tolerated_failure_percentage,
        input_path,
        result_selector,
        result_path,
        output_path,
        retry,
        catch: catch?,
        transition: transition?,
    })
}

fn report_unsupported_map_fields(fields: &mut Fields<'_>, report: &mut Report) {
    // A distributed map is reported as a whole.
    let distributed = is_distributed(fields);
    for name in ["ItemReader", "ItemBatcher", "ResultWriter", "Label"] {
        if distributed {
            fields.get(name);
        } else {
            let hint = "Remove it, and give the items with `ItemsPath`.";
            fields.not_yet(name, "a field of distributed maps", hint, report);
        }
    }
    fields.not_yet("Items", "a field of JSONata", "In JSONPath it is `ItemsPath`.", report);
}

fn processor<'a>(
    at: At<'a>,
    name: &str,
    map: &Fields<'a>,
    scope: &Scope<'a, '_>,
    report: &mut Report,
) -> Option<Flow> {
    let mut fields = Fields::of(at, format!("the `{name}` of {}", map.owner), report)?;
    if let Some(at) = fields.get("ProcessorConfig") {
        processor_config(at, report);
    }
    inner_flow(fields, scope, report)
}

/// The states of a branch or a processor, whose other fields have been read.
fn inner_flow<'a>(mut fields: Fields<'a>, scope: &Scope<'a, '_>, report: &mut Report) -> Option<Flow> {
    fields.owned_string("Comment", report);
    let flow = flow(&mut fields, scope.dialect, scope.everywhere, report);
    fields.finish(report);
    flow
}

/// Whether the items of a map would run as executions of their own.
fn is_distributed(map: &Fields<'_>) -> bool {
    let mode = ["/ItemProcessor/ProcessorConfig/Mode", "/Iterator/ProcessorConfig/Mode"];
    mode.iter().filter_map(|pointer| map.at.descend(pointer)).any(|mode| mode.as_str() == Some("DISTRIBUTED"))
}

fn processor_config(at: At<'_>, report: &mut Report) {
    let Some(mut fields) = Fields::of(at, "`ProcessorConfig`", report) else { return };
    let Some(mode_at) = fields.get("Mode") else { return fields.finish(report) };
    match string(&mode_at, "`Mode`", report) {
        Some("DISTRIBUTED") => {
            report
                .error(code::NOT_SUPPORTED_YET, mode_at.spot(), "distributed maps are not supported yet")
                .label("this mode")
                .hint("Use \"INLINE\", which runs the items within this execution.");
            // It has fields of its own, which would be reported as unknown.
            return;
        }
        Some("INLINE") | None => {}
        Some(other) => {
            report
                .error(code::UNKNOWN_VALUE, mode_at.spot(), format!("there is no processor mode {other:?}"))
                .hint("It is \"INLINE\"; \"DISTRIBUTED\" is not supported yet.");
        }
    }
    fields.finish(report);
}

fn transition<'a>(fields: &mut Fields<'a>, scope: &Scope<'a, '_>, report: &mut Report) -> Option<Transition> {
    let next = fields.get("Next");
    let has_end = fields.get("End").is_some();
    let end = fields.boolean("End", report);
    let target = next.as_ref().and_then(|at| scope.resolve(at, "`Next`", report));
    match (next, end) {
        (Some(_), Some(true)) => {
            let spot = fields.get("End")?.key_spot();
            report
                .error(code::NEXT_AND_END, spot, format!("{} has both `Next` and `End`", fields.owner))
                .label("`Next` leads on, `End` ends")
                .hint("Keep one of the two.");
            None
        }
        (Some(_), _) => target.map(Transition::Next),
        (None, Some(true)) => Some(Transition::End),
        (None, Some(false)) => {
            let spot = fields.get("End")?.spot();
            report
                .error(code::NEXT_AND_END, spot, format!("{} neither ends nor leads on", fields.owner))
                .label("not an end")
                .hint("Add `Next`, or make it `\"End\": true`.");
            None
        }
        (None, None) => {
            if !has_end {
                fields.report_missing(&["Next", "End"], "Add `\"Next\": \"…\"`, or `\"End\": true`.", report);
            }
            None
        }
    }
}

/// `Next` and `End` in a state that does not take them.
pub(super) fn refuse_transition(fields: &mut Fields<'_>, hint: &str, report: &mut Report) {
    fields.refuse("Next", hint, report);
    fields.refuse("End", hint, report);
}

fn result_fields(
    fields: &mut Fields<'_>,
    report: &mut Report,
) -> (Option<crate::template::Template>, ResultPath, Selection) {
    (
        fields.template("ResultSelector", report),
        result_path(fields, report),
        selection(fields, "OutputPath", report),
    )
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
            let refused = match path.variable() {
                _ if path.reads_context() => Some("the context object cannot be changed"),
                Some(_) => Some("variables are set by `Assign`"),
                None => None,
            };
            if let Some(why) = refused {
                report
                    .error(code::BAD_PATH, at.spot(), "`ResultPath` is not a path that can be written to")
                    .label(why)
                    .hint("Put the result into the input: `$.result`.");
            }
            ResultPath::At(path)
        }
    }
}

fn number_or_path(
    fields: &mut Fields<'_>,
    fixed: &'static str,
    by_path: &'static str,
    range: RangeInclusive<u32>,
    report: &mut Report,
) -> Option<NumberOrPath> {
    let name = fields.at_most_one(&[fixed, by_path], report)?;
    if name == fixed {
        fields.integer(fixed, range, report).map(NumberOrPath::Fixed)
    } else {
        fields.reference_path(by_path, report).map(NumberOrPath::Path)
    }
}

fn string_or_path(
    fields: &mut Fields<'_>,
    fixed: &'static str,
    by_path: &'static str,
    report: &mut Report,
) -> Option<StringOrPath> {
    let name = fields.at_most_one(&[fixed, by_path], report)?;
    if name == fixed {
        fields.owned_string(fixed, report).map(StringOrPath::Fixed)
    } else {
        fields.path_or_call(by_path, report)
    }
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
