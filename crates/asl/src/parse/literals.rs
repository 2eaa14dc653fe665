//! Text that looks as if it were evaluated, and is passed on as it stands: AWS's warnings `NO_DOLLAR`, `NO_PATH` and
//! `PASS_RESULT_IS_STATIC`.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinitionDiagnostic.html>.

use super::Dialect;
use crate::code;
use crate::fields::Fields;
use crate::intrinsic::Call;
use crate::jsonata;
use crate::node::{At, Kind};
use crate::path::Path;
use crate::report::Report;

/// Reports what looks evaluated in the template of a JSONPath state, in a field whose name does not end in `.$`.
pub(super) fn check_template(at: &At<'_>, report: &mut Report) {
    let may_look =
        |text: &str| text.starts_with('$') || text.starts_with("States.") || text.starts_with("{%");
    if !at.node.any_string(&may_look) {
        return;
    }
    for (name, member) in at.members().into_iter().flatten() {
        if let Some(text) = member.as_str().filter(|_| !name.ends_with(".$")) {
            if looks_evaluated(text) {
                report
                    .warning(code::LITERAL, member.spot(), format!("`{name}` holds the text of a path, not what is there"))
                    .label("passed on as it stands")
                    .hint(format!("Call the field `{name}.$` to have it evaluated."))
                    .aws_code("NO_DOLLAR")
                    .aws(format!(
                        "The value of '{name}' looks like a JSONPath or intrinsic function. Use '{name}.$' to evaluate it at runtime."
                    ));
            } else {
                check_expression(&member, report);
            }
        }
        check_template(&member, report);
    }
    for item in at.items().into_iter().flatten() {
        check_template(&item, report);
    }
}

/// Reports what looks evaluated in the `Result` of a Pass state, where nothing is.
pub(super) fn check_result(at: &At<'_>, report: &mut Report) {
    let mut open = vec![(None, at.clone())];
    while let Some((name, at)) = open.pop() {
        let text = at.as_str();
        if name.is_some_and(|name: &str| name.ends_with(".$")) || text.is_some_and(looks_evaluated) {
            report
                .warning(code::LITERAL, at.spot(), "`Result` is passed on as it stands")
                .label("not evaluated")
                .hint("Use `Parameters`, in which the fields that end in `.$` are.")
                .aws_code("PASS_RESULT_IS_STATIC");
        } else {
            check_expression(&at, report);
        }
        open.extend(at.members().into_iter().flatten().map(|(name, at)| (Some(name), at)));
        open.extend(at.items().into_iter().flatten().map(|at| (None, at)));
    }
}

/// Reports a field with a literal where a path would be in the field `by_path`.
pub(super) fn check_field(
    fields: &mut Fields<'_>,
    (fixed, by_path): (&'static str, &'static str),
    dialect: Dialect,
    report: &mut Report,
) {
    let Some(at) = fields.get(fixed).filter(|_| dialect == Dialect::JsonPath) else { return };
    if at.as_str().is_some_and(looks_evaluated) {
        report
            .warning(
                code::LITERAL,
                at.spot(),
                format!("`{fixed}` holds the text of a path, not what is there"),
            )
            .label("taken as it stands")
            .hint(format!("Call the field `{by_path}`."))
            .aws_code("NO_PATH");
    } else {
        check_expression(&at, report);
    }
}

/// Reports an expression that stands where nothing is JSONata.
fn check_expression(at: &At<'_>, report: &mut Report) {
    if let Kind::String(text) = &at.node.kind
        && jsonata::expression_in(text).is_some()
    {
        report
            .warning(code::LITERAL, at.spot(), "an expression in a state that is not in JSONata is only text")
            .label("passed on as it stands")
            .hint("Set `\"QueryLanguage\": \"JSONata\"` for the state, or write a path.");
    }
}

/// A path, or a call of an intrinsic function.
fn looks_evaluated(text: &str) -> bool {
    let path = text == "$" || ["$.", "$[", "$$."].iter().any(|start| text.starts_with(start));
    path && Path::parse(text).is_ok() || text.starts_with("States.") && Call::parse(text).is_ok()
}
