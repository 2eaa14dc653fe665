//! `Resource`: what a Task calls. A bare function name, a Lambda ARN, a service integration, or an activity.

use super::Dialect;
use super::data_flow::is_expression;
use crate::code;
use crate::definition::{Pattern, Resource};
use crate::fields::{Fields, string};
use crate::node::At;
use crate::report::Report;
use std::sync::Arc;

const PARTITIONS: [&str; 3] = ["aws", "aws-cn", "aws-us-gov"];

/// Characters of a Lambda function's name.
const LONGEST_NAME: usize = 140;

const KNOWN: &str = "It is a function's name (`resize`), a Lambda ARN (`arn:aws:lambda:REGION:ACCOUNT:function:NAME`), \
                     an integration (`arn:aws:states:::SERVICE:ACTION`), or an activity's ARN.";

pub(super) fn read(
    at: &At<'_>,
    task: &mut Fields<'_>,
    dialect: Dialect,
    report: &mut Report,
) -> Option<Resource> {
    let text = string(at, "`Resource`", report)?;
    if let Some(integration) = integration(text) {
        return match integration {
            "lambda:invoke" => lambda_invoke(task, dialect, report),
            _ => service(at, integration, report),
        };
    }
    if is_activity(text) {
        return Some(Resource::Activity(Arc::from(text)));
    }
    match function_name(text) {
        Some(name) => Some(Resource::Function(Arc::from(name))),
        None if text.starts_with("arn:") => refuse(at, "not the ARN of a Lambda function", report),
        None if text.contains("${") => refuse(at, "a placeholder that nobody has replaced", report),
        None => refuse(at, "a function's name has letters, digits, `-` and `_`", report),
    }
}

fn refuse(at: &At<'_>, label: &str, report: &mut Report) -> Option<Resource> {
    report
        .error(code::BAD_RESOURCE, at.spot(), "`Resource` names nothing that a state can call")
        .label(label)
        .hint(KNOWN);
    None
}

/// `SERVICE:ACTION` or `aws-sdk:SERVICE:ACTION`, and how it answers.
fn service(at: &At<'_>, integration: &str, report: &mut Report) -> Option<Resource> {
    let patterns =
        [(".waitForTaskToken", Pattern::TaskToken), (".sync:2", Pattern::Sync), (".sync", Pattern::Sync)];
    let found =
        patterns.iter().find_map(|(suffix, pattern)| Some((integration.strip_suffix(suffix)?, *pattern)));
    let (api, pattern) = found.unwrap_or((integration, Pattern::RequestResponse));
    let parts: Vec<&str> = api.split(':').collect();
    let is_word = |text: &&str| {
        !text.is_empty()
            && text.chars().all(|character| character.is_ascii_alphanumeric() || character == '-')
    };
    let well_formed = match parts.as_slice() {
        ["aws-sdk", service, action] => is_word(service) && is_word(action),
        [service, action] => is_word(service) && is_word(action),
        _ => false,
    };
    if !well_formed {
        return refuse(
            at,
            "an integration is `SERVICE:ACTION`, with `.sync` or `.waitForTaskToken` behind it",
            report,
        );
    }
    Some(Resource::Service { api: Arc::from(api), pattern })
}

fn is_activity(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    matches!(parts.as_slice(), ["arn", partition, "states", region, account, "activity", name]
        if PARTITIONS.contains(partition) && !region.is_empty() && is_account(account) && !name.is_empty())
}

/// What follows `arn:aws:states:::`.
fn integration(text: &str) -> Option<&str> {
    let (partition, rest) = text.strip_prefix("arn:")?.split_once(':')?;
    rest.strip_prefix("states:::").filter(|_| PARTITIONS.contains(&partition))
}

/// The bare name in all that Lambda takes for one: `NAME`, `NAME:ALIAS`, `ACCOUNT:function:NAME`, a whole ARN.
fn function_name(text: &str) -> Option<&str> {
    let parts: Vec<&str> = text.split(':').collect();
    let (name, qualifier) = match parts.as_slice() {
        ["arn", partition, "lambda", region, account, "function", rest @ ..]
            if PARTITIONS.contains(partition) && !region.is_empty() && is_account(account) =>
        {
            named(rest)?
        }
        ["arn", ..] => return None,
        [account, "function", rest @ ..] if is_account(account) => named(rest)?,
        rest => named(rest)?,
    };
    let is_valid = |text: &str, more: &[char]| {
        !text.is_empty()
            && text.len() <= LONGEST_NAME
            && text.chars().all(|character| character.is_ascii_alphanumeric() || more.contains(&character))
    };
    (is_valid(name, &['-', '_']) && qualifier.is_none_or(|qualifier| is_valid(qualifier, &['-', '_', '$'])))
        .then_some(name)
}

fn named<'a>(rest: &[&'a str]) -> Option<(&'a str, Option<&'a str>)> {
    match rest {
        [name] => Some((name, None)),
        [name, qualifier] => Some((name, Some(qualifier))),
        _ => None,
    }
}

fn is_account(text: &str) -> bool {
    let digits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    // What stands for an account in a definition that is not deployed: `ACCOUNT_ID`, `your-account-id`.
    let placeholder = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|character| character.is_ascii_alphanumeric() || "-_".contains(character));
    digits || placeholder
}

/// `arn:aws:states:::lambda:invoke`: which function is in `Parameters` or `Arguments`.
fn lambda_invoke(task: &mut Fields<'_>, dialect: Dialect, report: &mut Report) -> Option<Resource> {
    let (name, hint) = match dialect {
        Dialect::JsonPath => (
            "Parameters",
            "Say which function: `\"Parameters\": { \"FunctionName\": \"resize\", \"Payload.$\": \"$\" }`.",
        ),
        Dialect::Jsonata => (
            "Arguments",
            "Say which function: `\"Arguments\": { \"FunctionName\": \"resize\", \"Payload\": \"{% $states.input %}\" }`.",
        ),
    };
    let at = task.require(name, hint, report)?;
    if is_expression(&at, dialect) {
        return Some(Resource::LambdaInvoke { function: None });
    }
    let owner = format!("the `{name}` of {}", task.owner);
    let mut fields = Fields::of(at, owner, report)?;
    let names: &[&str] = match dialect {
        Dialect::JsonPath => &["FunctionName", "FunctionName.$"],
        Dialect::Jsonata => &["FunctionName"],
    };
    let resource = match fields.at_most_one(names, report).and_then(|name| Some((name, fields.get(name)?))) {
        Some(("FunctionName", at)) if !is_expression(&at, dialect) => {
            let written = string(&at, "`FunctionName`", report)?;
            match function_name(written) {
                Some(name) => Some(Resource::LambdaInvoke { function: Some(Arc::from(name)) }),
                None => {
                    report
                        .error(code::BAD_RESOURCE, at.spot(), "`FunctionName` names no function")
                        .label("a function's name has letters, digits, `-` and `_`")
                        .hint("Give its name, or its Lambda ARN.");
                    None
                }
            }
        }
        // The path or expression is checked with the rest of the template.
        Some(_) => Some(Resource::LambdaInvoke { function: None }),
        None => {
            fields.report_missing(&["FunctionName"], hint, report);
            None
        }
    };
    check_invocation(&mut fields, dialect, report);
    fields.finish(report);
    resource
}

/// The other parameters of Lambda's Invoke.
///
/// Source: <https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html>.
fn check_invocation(fields: &mut Fields<'_>, dialect: Dialect, report: &mut Report) {
    fields.at_most_one(&["Payload", "Payload.$"], report);
    if let Some(at) = fields.get("InvocationType")
        && at.as_str() != Some("RequestResponse")
    {
        report
            .error(
                code::NOT_SUPPORTED_YET,
                at.spot(),
                "only the invocation type \"RequestResponse\" is supported",
            )
            .label(format!("found {}", at.node.describe()))
            .hint("Remove it: the state waits for the function's result.");
    }
    for name in ["ClientContext", "ClientContext.$", "InvocationType.$"] {
        if fields.at.get(name).is_some() {
            fields.not_yet(
                name,
                "a parameter of Lambda",
                "Remove it; put what the function needs into `Payload`.",
                report,
            );
        }
    }
    fields.at_most_one(&["LogType", "LogType.$"], report);
    if let Some(at) = fields.get("LogType")
        && !is_expression(&at, dialect)
        && let Some(written) = string(&at, "`LogType`", report)
        && !["None", "Tail"].contains(&written)
    {
        report
            .error(code::UNKNOWN_VALUE, at.spot(), format!("there is no `LogType` {written:?}"))
            .hint("It is \"Tail\", for the end of the function's log in `LogResult`, or \"None\".");
    }
    for name in ["Qualifier", "Qualifier.$"] {
        if fields.at.get(name).is_some()
            && let Some(at) = fields.get(name)
        {
            report
                .warning(code::NO_EFFECT, at.key_spot(), format!("`{name}` has no effect"))
                .label("ignored")
                .hint("There is one version of each function here.");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_by_each_of_its_names() {
        for (text, name) in [
            ("resize", Some("resize")),
            ("resize-2_b", Some("resize-2_b")),
            ("resize:live", Some("resize")),
            ("resize:$LATEST", Some("resize")),
            ("123456789012:function:resize", Some("resize")),
            ("arn:aws:lambda:eu-west-1:123456789012:function:resize", Some("resize")),
            ("arn:aws-cn:lambda:cn-north-1:123456789012:function:resize:7", Some("resize")),
            ("arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:resize:live", Some("resize")),
            ("arn:aws:lambda:REGION:ACCOUNT_ID:function:resize", Some("resize")),
            ("arn:aws:lambda:eu-west-1:1234:function:resize", None),
            ("arn:aws:lambda::123456789012:function:resize", None),
            ("arn:other:lambda:eu-west-1:123456789012:function:resize", None),
            ("arn:aws:states:eu-west-1:123456789012:activity:resize", None),
            ("arn:aws:lambda:eu-west-1:123456789012:function:", None),
            ("arn:aws:lambda:eu-west-1:123456789012:function:resize:a:b", None),
            ("../resize", None),
            ("${Resize.Arn}", None),
            ("", None),
        ] {
            assert_eq!(function_name(text), name, "{text}");
        }
    }
}
