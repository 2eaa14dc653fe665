//! `Assign`: the variables that a state, a rule or a catcher sets.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html>.

use super::Dialect;
use super::data_flow::payload_template;
use crate::code;
use crate::definition::PayloadTemplate;
use crate::fields::{Fields, wrong_type};
use crate::node::At;
use crate::path::is_variable_name;
use crate::report::Report;

/// Characters of a variable's name.
const LONGEST_NAME: usize = 80;

const INVALID: &str = "INVALID_VARIABLE_NAME";

/// The variable that holds what JSONata expressions are about.
pub(super) const RESERVED: &str = "states";

pub(super) fn assignments(
    fields: &mut Fields<'_>,
    dialect: Dialect,
    report: &mut Report,
) -> Option<PayloadTemplate> {
    let at = fields.get("Assign")?;
    let Some(members) = at.members() else {
        wrong_type(&at, "`Assign`", "an object", report);
        return None;
    };
    for (key, value) in members {
        let name = match dialect {
            Dialect::JsonPath => key.strip_suffix(".$").unwrap_or(key),
            Dialect::Jsonata => key,
        };
        check_name(name, &value, report);
    }
    payload_template(fields, "Assign", dialect, report)
}

fn check_name(name: &str, at: &At<'_>, report: &mut Report) {
    let (label, aws_code, aws) = if name == RESERVED {
        let aws = "Cannot assign to reserved variable '$states'.".to_owned();
        ("`states` is reserved", "RESERVED_VARIABLE_NAME", aws)
    } else if name.chars().count() > LONGEST_NAME {
        ("longer than 80 characters", INVALID, format!("Invalid variable name '{name}'"))
    } else if !is_variable_name(name) {
        let aws = format!("Invalid variable name '{name}': the variable name contains invalid characters.");
        ("a name has letters, digits and `_`, and begins with no digit", INVALID, aws)
    } else {
        return;
    };
    report
        .error(code::BAD_VARIABLE, at.key_spot(), format!("{name:?} cannot be the name of a variable"))
        .label(label)
        .aws_code(aws_code)
        .aws(aws)
        .hint("Such as `\"Assign\": { \"total\": 0 }`, read as `$total`.");
}
