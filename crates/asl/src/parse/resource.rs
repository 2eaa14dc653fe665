//! `Resource`: what a Task calls. A bare function name, a Lambda ARN, or the Lambda integration.

use crate::code;
use crate::definition::Resource;
use crate::fields::{Fields, string};
use crate::node::At;
use crate::report::Report;
use std::sync::Arc;

const PARTITIONS: [&str; 3] = ["aws", "aws-cn", "aws-us-gov"];

/// Characters of a Lambda function's name.
const LONGEST_NAME: usize = 140;

const SUPPORTED: &str = "Supported: a function's name (`resize`), a Lambda ARN (`arn:aws:lambda:REGION:ACCOUNT:function:NAME`), \
                         and `arn:aws:states:::lambda:invoke`.";

pub(super) fn read(at: &At<'_>, task: &mut Fields<'_>, report: &mut Report) -> Option<Resource> {
    let text = string(at, "`Resource`", report)?;
    if let Some(integration) = integration(text) {
        return match integration {
            "lambda:invoke" => lambda_invoke(task, report),
            "lambda:invoke.waitForTaskToken" => {
                report
                    .error(
                        code::NOT_SUPPORTED_YET,
                        at.spot(),
                        "waiting for a task token is not supported yet",
                    )
                    .label("`.waitForTaskToken`")
                    .hint("Use `arn:aws:states:::lambda:invoke`, which waits for the function's result.");
                None
            }
            _ => refuse(at, "a service integration other than Lambda's", report),
        };
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
        .error(code::BAD_RESOURCE, at.spot(), "`Resource` names nothing that can be run here")
        .label(label)
        .hint(SUPPORTED);
    None
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
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `arn:aws:states:::lambda:invoke`: which function is in `Parameters`.
fn lambda_invoke(task: &mut Fields<'_>, report: &mut Report) -> Option<Resource> {
    let hint =
        "Say which function: `\"Parameters\": { \"FunctionName\": \"resize\", \"Payload.$\": \"$\" }`.";
    let at = task.require("Parameters", hint, report)?;
    let owner = format!("the `Parameters` of {}", task.owner);
    let mut fields = Fields::of(at, owner, report)?;
    let resource = match fields.at_most_one(&["FunctionName", "FunctionName.$"], report) {
        Some("FunctionName") => {
            let at = fields.get("FunctionName")?;
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
        // The path is checked with the rest of the template.
        Some(_) => Some(Resource::LambdaInvoke { function: None }),
        None => {
            fields.report_missing(&["FunctionName"], hint, report);
            None
        }
    };
    check_invocation(&mut fields, report);
    fields.finish(report);
    resource
}

/// The other parameters of Lambda's Invoke.
///
/// Source: <https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html>.
fn check_invocation(fields: &mut Fields<'_>, report: &mut Report) {
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
    for name in ["LogType", "LogType.$", "Qualifier", "Qualifier.$"] {
        if fields.at.get(name).is_some()
            && let Some(at) = fields.get(name)
        {
            report
                .warning(code::NO_EFFECT, at.key_spot(), format!("`{name}` has no effect"))
                .label("ignored")
                .hint("There is one version of each function here, and its log is always kept.");
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
