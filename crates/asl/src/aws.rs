//! A finding as AWS's ValidateStateMachineDefinition would put it: its code, its words where they are known, and its way to
//! write a place. For programs that read what AWS says; people get ours.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinitionDiagnostic.html>.

use crate::code;
use crate::diagnostic::Diagnostic;
use std::borrow::Cow;

/// Our codes, and AWS's where it is not [`SCHEMA`].
const CODES: [(&str, &str); 15] = [
    (code::NOT_JSON, "INVALID_JSON_DESCRIPTION"),
    (code::NOT_YAML, "INVALID_JSON_DESCRIPTION"),
    (code::NOT_A_JSON_VALUE, "INVALID_JSON_DESCRIPTION"),
    (code::TOO_DEEP, "TOO_DEEPLY_NESTED"),
    (code::UNKNOWN_STATE, "MISSING_TRANSITION_TARGET"),
    (code::STATE_OUT_OF_SCOPE, "MISSING_TRANSITION_TARGET"),
    (code::UNREACHABLE_STATE, "MISSING_TRANSITION_TARGET"),
    (code::NO_TERMINAL_STATE, "MISSING_END_STATE"),
    (code::BAD_STATE_NAME, "INVALID_STATE_NAME"),
    (code::DUPLICATE_STATE, "DUPLICATE_STATE_NAME"),
    (code::BAD_EXPRESSION, "INVALID_JSONATA_EXPRESSION"),
    (code::OUTER_VARIABLE, "DUPLICATE_VARIABLE_NAME"),
    (code::NOT_THERE, "UNSUPPORTED_JSONATA_EXPRESSION"),
    (code::UNASSIGNED_VARIABLE, "POSSIBLY_UNDEFINED_VARIABLE"),
    (code::BAD_LABEL, "INVALID_LABEL_NAME"),
];

/// AWS's code for everything that its schema says.
const SCHEMA: &str = "SCHEMA_VALIDATION_FAILED";

/// Members that are lists, whose items AWS writes as `Branches[0]`.
const LISTS: [&str; 7] = ["Choices", "And", "Or", "Branches", "Retry", "Catch", "ErrorEquals"];

/// AWS's code. Of what is not about the definition (a function that is not there) AWS says nothing: that keeps its own.
pub fn code(finding: &Diagnostic) -> &'static str {
    if let Some(code) = finding.aws.code {
        return code;
    }
    if !finding.code.starts_with("FL01") {
        return finding.code;
    }
    CODES.iter().find(|(ours, _)| *ours == finding.code).map_or(SCHEMA, |(_, aws)| aws)
}

/// AWS's words where they are known, else ours.
pub fn message(finding: &Diagnostic) -> &str {
    finding.aws.message.as_deref().unwrap_or(&finding.message)
}

/// Where it is, as AWS writes it: `/States/Split/Branches[0]/StartAt`, `/` for the whole definition. `None` where there
/// is nothing that has parts.
pub fn location(finding: &Diagnostic) -> Option<Cow<'_, str>> {
    if let Some(location) = &finding.aws.location {
        return Some(location.into());
    }
    let pointer = finding.location.as_deref()?;
    if finding.code == code::NOT_A_STATE_MACHINE {
        return None;
    }
    if pointer.is_empty() {
        return Some("/".into());
    }
    let mut written = String::with_capacity(pointer.len());
    let mut list = false;
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        if list && token.bytes().all(|byte| byte.is_ascii_digit()) {
            written.push_str(&format!("[{token}]"));
        } else {
            written.push_str(&format!("/{token}"));
        }
        list = LISTS.contains(&token.as_str());
    }
    Some(written.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location_of(pointer: &str) -> String {
        let finding =
            Diagnostic { location: Some(pointer.to_owned()), ..Diagnostic::error(code::WRONG_TYPE, "") };
        location(&finding).unwrap().into_owned()
    }

    #[test]
    fn a_place_as_aws_writes_it() {
        assert_eq!(location_of(""), "/");
        assert_eq!(location_of("/States/A~1B/Next"), "/States/A/B/Next");
        assert_eq!(location_of("/States/P/Branches/1/States/0/End"), "/States/P/Branches[1]/States/0/End");
        assert_eq!(location_of("/States/C/Choices/0/And/2/Variable"), "/States/C/Choices[0]/And[2]/Variable");
    }

    #[test]
    fn what_aws_does_not_look_at_keeps_its_code() {
        assert_eq!(code(&Diagnostic::error("FL0210", "")), "FL0210");
        assert_eq!(code(&Diagnostic::error(code::WRONG_TYPE, "")), SCHEMA);
        assert_eq!(code(&Diagnostic::error(code::UNKNOWN_STATE, "")), "MISSING_TRANSITION_TARGET");
    }
}
