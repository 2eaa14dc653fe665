//! One state, of each of the eight types. Map is in [`map`], Choice in [`choice`].

use super::data_flow::{
    Has, data_flow, dynamic_number, dynamic_timestamp, no_data_flow, payload_template, refuse_other_language,
    seconds, string_source,
};
use super::variables::assignments;
use super::{Dialect, MAX_SECONDS, Scope, choice, dialect, express, flow, literals, map, resource, retry};
use crate::code;
use crate::definition::{
    Dynamic, ExecutionType, Fail, Flow, Parallel, Pass, PayloadTemplate, Resource, State, StateKind, Task,
    Transition, Wait, WaitUntil,
};
use crate::fields::{Fields, not_empty, string};
use crate::node::At;
use crate::report::Report;
use crate::suggest::nearest;
use faastlane_payload::Payload;
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
    let dialect = dialect(&mut fields, scope.dialect, scope.machine, report);
    let scope = &scope.speaking(dialect);
    let data = match type_name {
        "Fail" => no_data_flow(dialect),
        "Pass" => data_flow(&mut fields, dialect, Has::PASS, true, report),
        "Map" => data_flow(&mut fields, dialect, Has::MAP, false, report),
        "Task" | "Parallel" => data_flow(&mut fields, dialect, Has::ALL, false, report),
        _ => data_flow(&mut fields, dialect, Has::ENDS, false, report),
    };
    let assign = read_assign(&mut fields, type_name, dialect, report);
    let kind = match type_name {
        "Task" => task(&mut fields, scope, report).map(|task| StateKind::Task(Box::new(task))),
        "Pass" => pass(&mut fields, scope, report).map(StateKind::Pass),
        "Choice" => choice::read(&mut fields, scope, report).map(StateKind::Choice),
        "Wait" => wait(&mut fields, scope, report).map(StateKind::Wait),
        "Succeed" => {
            refuse_transition(&mut fields, "A Succeed state always ends its branch; remove it.", report);
            Some(StateKind::Succeed)
        }
        "Fail" => Some(StateKind::Fail(fail(&mut fields, dialect, report))),
        "Parallel" => parallel(&mut fields, scope, report).map(StateKind::Parallel),
        _ => map::read(&mut fields, scope, report).map(|map| StateKind::Map(Box::new(map))),
    };
    refuse_other_language(&mut fields, dialect, report);
    fields.finish(report);
    Some(State { name: Arc::from(name), comment, span: at.key_spot().span, data, assign, kind: kind? })
}

/// States that end their branch have nobody to set variables for.
fn read_assign(
    fields: &mut Fields<'_>,
    type_name: &str,
    dialect: Dialect,
    report: &mut Report,
) -> Option<PayloadTemplate> {
    if ["Succeed", "Fail"].contains(&type_name) {
        fields.refuse(
            "Assign",
            "Nothing comes after this state that could read a variable; remove it.",
            report,
        );
        return None;
    }
    assignments(fields, dialect, report)
}

fn task<'a>(fields: &mut Fields<'a>, scope: &Scope<'a, '_>, report: &mut Report) -> Option<Task> {
    let dialect = scope.dialect;
    let hint = "Name the function to call, as in `\"Resource\": \"resize\"`.";
    let resource_at = fields.require("Resource", hint, report);
    let resource = resource_at.as_ref().and_then(|at| resource::read(at, fields, dialect, report));
    if let (Some(resource), Some(at)) = (&resource, &resource_at)
        && scope.execution_type == ExecutionType::Express
    {
        express::check_resource(resource, at, report);
    }
    let timeout = seconds(fields, ("TimeoutSeconds", "TimeoutSecondsPath"), dialect, report);
    let heartbeat = seconds(fields, ("HeartbeatSeconds", "HeartbeatSecondsPath"), dialect, report);
    if let (Some(Dynamic::Fixed(timeout)), Some(Dynamic::Fixed(heartbeat)), Some(at)) =
        (&timeout, &heartbeat, fields.get("HeartbeatSeconds"))
        && heartbeat >= timeout
    {
        report
            .error(code::OUT_OF_RANGE, at.spot(), "`HeartbeatSeconds` must be less than `TimeoutSeconds`")
            .label(format!("{heartbeat} is not less than {timeout}"));
    }
    let credentials = payload_template(fields, "Credentials", dialect, report);
    check_credentials(fields, resource.as_ref(), dialect, report);
    let retry = retry::retriers(fields, report);
    let catch = retry::catchers(fields, scope, report);
    let transition = transition(fields, scope, report);
    Some(Task {
        resource: resource?,
        resource_text: Arc::from(resource_at.as_ref()?.as_str()?),
        resource_span: resource_at?.node.span,
        credentials,
        timeout,
        heartbeat,
        retry,
        catch: catch?,
        transition: transition?,
    })
}

/// A task that is done in another account says in which role.
///
/// Source: <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-access-cross-acct-resources.html>.
fn check_credentials(
    fields: &mut Fields<'_>,
    resource: Option<&Resource>,
    dialect: Dialect,
    report: &mut Report,
) {
    let Some(at) = fields.get("Credentials").filter(|at| at.members().is_some()) else { return };
    if matches!(resource, Some(Resource::Activity(_))) {
        report
            .error(code::UNKNOWN_FIELD, at.key_spot(), "an activity has no `Credentials`")
            .label("not known here")
            .hint("Its worker has credentials of its own; remove it.")
            .aws("The field 'Credentials' is not supported for activities");
    } else if at.get("RoleArn").is_none() && (dialect == Dialect::Jsonata || at.get("RoleArn.$").is_none()) {
        report
            .error(
                code::MISSING_FIELD,
                at.key_spot(),
                format!("the `Credentials` of {} have no `RoleArn`", fields.owner),
            )
            .label("`RoleArn` is missing here")
            .hint("Name the role: `\"Credentials\": { \"RoleArn\": \"arn:aws:iam::ACCOUNT:role/NAME\" }`.")
            .aws("The field 'RoleArn' is required but was missing");
    }
}

fn pass<'a>(fields: &mut Fields<'a>, scope: &Scope<'a, '_>, report: &mut Report) -> Option<Pass> {
    let result = match scope.dialect {
        Dialect::JsonPath => fields.get("Result").map(|at| {
            literals::check_result(&at, report);
            Payload::from_value(at.node.to_value())
        }),
        Dialect::Jsonata => None,
    };
    let transition = transition(fields, scope, report)?;
    Some(Pass { result, transition })
}

fn wait<'a>(fields: &mut Fields<'a>, scope: &Scope<'a, '_>, report: &mut Report) -> Option<Wait> {
    let dialect = scope.dialect;
    let names: &[&'static str] = match dialect {
        Dialect::JsonPath => &["Seconds", "SecondsPath", "Timestamp", "TimestampPath"],
        Dialect::Jsonata => &["Seconds", "Timestamp"],
    };
    let until = match fields.at_most_one(names, report) {
        Some("Seconds" | "SecondsPath") => {
            dynamic_number(fields, ("Seconds", "SecondsPath"), 0..=MAX_SECONDS, dialect, report)
                .map(WaitUntil::Seconds)
        }
        Some(_) => dynamic_timestamp(fields, dialect, report).map(WaitUntil::Timestamp),
        None => {
            let hint = "Say how long, or until when: `\"Seconds\": 10`.";
            fields.report_missing(names, hint, report);
            None
        }
    };
    let transition = transition(fields, scope, report);
    Some(Wait { until: until?, transition: transition? })
}

fn fail(fields: &mut Fields<'_>, dialect: Dialect, report: &mut Report) -> Fail {
    refuse_transition(fields, "A Fail state always ends the execution; remove it.", report);
    Fail {
        error: string_source(fields, ("Error", "ErrorPath"), dialect, report),
        cause: string_source(fields, ("Cause", "CausePath"), dialect, report),
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
            branches.push(
                Fields::of(item, owner, report)
                    .and_then(|fields| inner_flow(fields, scope, scope.execution_type, report)),
            );
        }
        branches.into_iter().collect::<Option<Vec<Flow>>>()
    });
    let retry = retry::retriers(fields, report);
    let catch = retry::catchers(fields, scope, report);
    let transition = transition(fields, scope, report);
    Some(Parallel { branches: branches?, retry, catch: catch?, transition: transition? })
}

/// The states of a branch or a processor, whose other fields have been read.
pub(super) fn inner_flow<'a>(
    mut fields: Fields<'a>,
    scope: &Scope<'a, '_>,
    execution_type: ExecutionType,
    report: &mut Report,
) -> Option<Flow> {
    fields.owned_string("Comment", report);
    let flow = flow(&mut fields, (scope.machine, execution_type), scope.everywhere, report);
    fields.finish(report);
    flow
}

pub(super) fn transition<'a>(
    fields: &mut Fields<'a>,
    scope: &Scope<'a, '_>,
    report: &mut Report,
) -> Option<Transition> {
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
