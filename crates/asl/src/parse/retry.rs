//! `Retry` and `Catch`: which errors they match, and what they do then.

use super::data_flow::{jsonata_template, refuse_other_language, result_path};
use super::variables::assignments;
use super::{Dialect, MAX_SECONDS, Scope};
use crate::code;
use crate::definition::{Catcher, ResultPath, Retrier};
use crate::fields::{Fields, list, not_empty, string, wrong_type};
use crate::node::{At, Kind};
use crate::report::Report;
use crate::suggest::nearest;

/// Below a year of 366 days, as AWS has it.
const MAX_DELAY_SECONDS: u32 = 31_622_399;

/// The errors that Step Functions itself raises.
///
/// Source: the Step Functions developer guide, "Handling errors", and <https://states-language.net/spec.html#appendix-a>.
const RESERVED_ERRORS: [&str; 18] = [
    "States.ALL",
    "States.BranchFailed",
    "States.DataLimitExceeded",
    "States.ExceedToleratedFailureThreshold",
    "States.HeartbeatTimeout",
    "States.Http.Socket",
    "States.IntrinsicFailure",
    "States.ItemReaderFailed",
    "States.NoChoiceMatched",
    "States.ParameterPathFailure",
    "States.Permissions",
    "States.QueryEvaluationError",
    "States.ResultPathMatchFailure",
    "States.ResultWriterFailed",
    "States.Runtime",
    "States.TaskFailed",
    "States.Timeout",
    "States.JSONPathMatchFailure",
];

pub(super) fn retriers(fields: &mut Fields<'_>, report: &mut Report) -> Vec<Retrier> {
    let items = fields.list("Retry", report).unwrap_or_default();
    let count = items.len();
    let mut retriers = Vec::with_capacity(count);
    for (index, item) in items.into_iter().enumerate() {
        let owner = format!("retrier {} of {}", index + 1, fields.owner);
        let Some(mut fields) = Fields::of(item, owner, report) else { continue };
        retriers.extend(retrier(&mut fields, index + 1 == count, report));
        fields.finish(report);
    }
    retriers
}

fn retrier(fields: &mut Fields<'_>, last: bool, report: &mut Report) -> Option<Retrier> {
    fields.owned_string("Comment", report);
    let error_equals = error_equals(fields, last, report);
    let interval_seconds = fields.integer("IntervalSeconds", 1..=MAX_SECONDS, report).unwrap_or(1);
    let max_attempts = fields.integer("MaxAttempts", 0..=MAX_SECONDS, report).unwrap_or(3);
    let backoff_rate = backoff_rate(fields, report).unwrap_or(2.0);
    let max_delay_seconds = fields.integer("MaxDelaySeconds", 1..=MAX_DELAY_SECONDS, report);
    if let Some(most) = max_delay_seconds.filter(|most| *most <= interval_seconds)
        && let Some(at) = fields.get("MaxDelaySeconds")
    {
        report
            .warning(code::NO_EFFECT, at.spot(), "`MaxDelaySeconds` leaves no room for a longer delay")
            .label(format!("{most} is not more than `IntervalSeconds`, {interval_seconds}"))
            .hint("Make it greater than `IntervalSeconds`, or remove it.");
    }
    let full_jitter = match fields.get("JitterStrategy") {
        None => false,
        Some(at) => match string(&at, "`JitterStrategy`", report)? {
            "FULL" => true,
            "NONE" => false,
            other => {
                report
                    .error(code::UNKNOWN_VALUE, at.spot(), format!("there is no jitter strategy {other:?}"))
                    .hint("It is \"FULL\" or \"NONE\".");
                false
            }
        },
    };
    Some(Retrier {
        error_equals: error_equals?,
        interval_seconds,
        max_attempts,
        backoff_rate,
        max_delay_seconds,
        full_jitter,
    })
}

fn backoff_rate(fields: &mut Fields<'_>, report: &mut Report) -> Option<f64> {
    let at = fields.get("BackoffRate")?;
    let Kind::Number(number) = &at.node.kind else {
        wrong_type(&at, "`BackoffRate`", "a number", report);
        return None;
    };
    let rate = number.as_f64().filter(|rate| rate.is_finite() && *rate >= 1.0);
    if rate.is_none() {
        report
            .error(code::OUT_OF_RANGE, at.spot(), "`BackoffRate` must be at least 1")
            .label(format!("found {}", at.node.describe()));
    }
    rate
}

/// `None` where a catcher is wrong: unlike a retrier it has a transition that must lead somewhere.
pub(super) fn catchers<'a>(
    fields: &mut Fields<'a>,
    scope: &Scope<'a, '_>,
    report: &mut Report,
) -> Option<Vec<Catcher>> {
    let items = fields.list("Catch", report).unwrap_or_default();
    let count = items.len();
    let mut catchers = Vec::with_capacity(count);
    for (index, item) in items.into_iter().enumerate() {
        let owner = format!("catcher {} of {}", index + 1, fields.owner);
        let Some(mut fields) = Fields::of(item, owner, report) else { continue };
        catchers.push(catcher(&mut fields, scope, index + 1 == count, report));
        fields.finish(report);
    }
    catchers.into_iter().collect()
}

fn catcher<'a>(
    fields: &mut Fields<'a>,
    scope: &Scope<'a, '_>,
    last: bool,
    report: &mut Report,
) -> Option<Catcher> {
    fields.owned_string("Comment", report);
    let error_equals = error_equals(fields, last, report);
    let dialect = scope.dialect;
    let result_path = match dialect {
        Dialect::JsonPath => result_path(fields, report),
        Dialect::Jsonata => ResultPath::Replace,
    };
    let output = (dialect == Dialect::Jsonata).then(|| jsonata_template(fields, "Output", report)).flatten();
    let assign = assignments(fields, dialect, report);
    refuse_other_language(fields, dialect, report);
    let next = fields.require("Next", "Name the state that handles the error.", report);
    let next = next.and_then(|at| scope.resolve(&at, "`Next`", report));
    Some(Catcher { error_equals: error_equals?, result_path, output, assign, next: next? })
}

fn error_equals(fields: &mut Fields<'_>, last: bool, report: &mut Report) -> Option<Vec<String>> {
    let hint = "List the names of the errors, or [\"States.ALL\"].";
    let at = fields.require("ErrorEquals", hint, report)?;
    let items = list(&at, "`ErrorEquals`", report)?;
    if !not_empty(at.node, at.spot(), "`ErrorEquals`", "error name", report) {
        return None;
    }
    let count = items.len();
    let mut names = Vec::with_capacity(count);
    for item in items {
        let Some(name) = string(&item, "an error name", report) else { continue };
        if name == "States.ALL" && (count > 1 || !last) {
            let (message, label) = if count > 1 {
                ("`States.ALL` must stand alone", "it already matches the others")
            } else {
                ("`States.ALL` must stand last", "what comes after it is never asked")
            };
            report
                .error(code::STATES_ALL_MISPLACED, item.spot(), message)
                .label(label)
                .hint("Give it an entry of its own at the end of the list.");
        }
        warn_of_unknown(&item, name, report);
        names.push(name.to_owned());
    }
    Some(names)
}

fn warn_of_unknown(at: &At<'_>, name: &str, report: &mut Report) {
    if !name.starts_with("States.") || RESERVED_ERRORS.contains(&name) {
        return;
    }
    let hint = match nearest(name, RESERVED_ERRORS) {
        Some(known) => format!("Did you mean `{known}`?"),
        None => "Names that begin with `States.` are Step Functions' own; use another for yours.".into(),
    };
    report
        .warning(code::UNKNOWN_ERROR_NAME, at.spot(), format!("no error is called `{name}`"))
        .label("never matches")
        .hint(hint);
}
