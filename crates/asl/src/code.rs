//! The codes of what can be wrong with a definition. Each has a page, `docs/errors/CODE.md`.

pub(crate) const NOT_JSON: &str = "FL0101";
pub(crate) const NOT_YAML: &str = "FL0102";
pub(crate) const TOO_DEEP: &str = "FL0103";
pub(crate) const NOT_A_JSON_VALUE: &str = "FL0104";
pub(crate) const DUPLICATE_MEMBER: &str = "FL0105";
pub(crate) const NOT_A_STATE_MACHINE: &str = "FL0106";

pub(crate) const WRONG_TYPE: &str = "FL0110";
pub(crate) const MISSING_FIELD: &str = "FL0111";
pub(crate) const UNKNOWN_FIELD: &str = "FL0112";
pub(crate) const NOT_SUPPORTED_YET: &str = "FL0113";
pub(crate) const EXCLUSIVE_FIELDS: &str = "FL0114";
pub(crate) const EMPTY: &str = "FL0115";
pub(crate) const OUT_OF_RANGE: &str = "FL0116";
pub(crate) const UNKNOWN_VALUE: &str = "FL0117";

pub(crate) const UNKNOWN_STATE: &str = "FL0120";
pub(crate) const UNREACHABLE_STATE: &str = "FL0121";
pub(crate) const NO_TERMINAL_STATE: &str = "FL0122";
pub(crate) const BAD_STATE_NAME: &str = "FL0123";
pub(crate) const DUPLICATE_STATE: &str = "FL0124";
pub(crate) const NEXT_AND_END: &str = "FL0125";
pub(crate) const STATE_OUT_OF_SCOPE: &str = "FL0126";

pub(crate) const BAD_PATH: &str = "FL0130";
pub(crate) const BAD_TEMPLATE: &str = "FL0131";
pub(crate) const BAD_TIMESTAMP: &str = "FL0132";
pub(crate) const BAD_RESOURCE: &str = "FL0133";
pub(crate) const STATES_ALL_MISPLACED: &str = "FL0134";
pub(crate) const UNKNOWN_ERROR_NAME: &str = "FL0135";
pub(crate) const NO_EFFECT: &str = "FL0136";
pub(crate) const BAD_EXPRESSION: &str = "FL0137";
pub(crate) const OTHER_LANGUAGE: &str = "FL0138";
pub(crate) const BAD_VARIABLE: &str = "FL0139";

pub(crate) const NOT_IN_EXPRESS: &str = "FL0140";
pub(crate) const BAD_LABEL: &str = "FL0141";
pub(crate) const NOT_ON_AWS: &str = "FL0142";
pub(crate) const OUTER_VARIABLE: &str = "FL0143";
pub(crate) const NOT_THERE: &str = "FL0144";
pub(crate) const UNASSIGNED_VARIABLE: &str = "FL0145";
pub(crate) const UNUSED_VARIABLE: &str = "FL0146";
pub(crate) const LITERAL: &str = "FL0147";
pub(crate) const NEVER_MATCHES: &str = "FL0148";
