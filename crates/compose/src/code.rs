//! The codes of what can be wrong with a workflow folder, its functions, or what the host has for them. Each has a
//! page, `docs/errors/CODE.md`.

pub(crate) const NO_WORKFLOW: &str = "FL0201";
pub(crate) const NO_DEFINITION: &str = "FL0202";
pub(crate) const UNREADABLE: &str = "FL0203";
pub(crate) const NO_FUNCTION: &str = "FL0204";
pub(crate) const NO_ENTRY_MODULE: &str = "FL0205";
pub(crate) const NO_CANDIDATES: &str = "FL0206";
pub(crate) const AMBIGUOUS_FUNCTION: &str = "FL0207";

pub(crate) const NOT_TOML: &str = "FL0210";
pub(crate) const UNKNOWN_KEY: &str = "FL0211";
pub(crate) const BAD_VALUE: &str = "FL0212";
pub(crate) const BAD_TRUST_GROUP: &str = "FL0213";
pub(crate) const UNUSED_FUNCTION: &str = "FL0214";

pub(crate) const NO_PYTHON: &str = "FL0220";
pub(crate) const PYTHON_NOT_AS_ASKED: &str = "FL0221";

pub(crate) const NO_PIP: &str = "FL0230";
pub(crate) const REQUIREMENTS_FAILED: &str = "FL0231";
pub(crate) const CACHE_UNUSABLE: &str = "FL0232";

pub(crate) const NO_KEYS: &str = "FL0401";
pub(crate) const NO_NAMESPACES: &str = "FL0402";

pub(crate) const NO_STATE_MACHINE: &str = "FL0250";
pub(crate) const BAD_TEMPLATE: &str = "FL0251";
pub(crate) const UNKNOWN_REFERENCE: &str = "FL0252";
pub(crate) const DEFINITION_NOT_HERE: &str = "FL0253";
pub(crate) const NOT_REPLACED: &str = "FL0254";
pub(crate) const KNOWN_ONCE_DEPLOYED: &str = "FL0255";
pub(crate) const FUNCTION_NOT_RUNNABLE: &str = "FL0256";
pub(crate) const LAYER_LEFT_OUT: &str = "FL0257";
