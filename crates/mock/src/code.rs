//! The codes of what can be wrong with mocks. Each has a page, `docs/errors/CODE.md`.

/// The file cannot be read, or is neither JSON nor YAML.
pub const UNREADABLE: &str = "FL0501";
pub(crate) const WRONG_SHAPE: &str = "FL0502";
pub(crate) const UNKNOWN_KIND: &str = "FL0503";
pub(crate) const NO_SUCH_CASE: &str = "FL0504";
pub(crate) const NOTHING_TO_MOCK: &str = "FL0505";
pub(crate) const UNUSED_STAND_IN: &str = "FL0506";
/// A function that is called has neither a stand-in nor code. A warning: whoever plans the workflow says it.
pub const NO_STAND_IN: &str = "FL0507";
