//! Names of variables.
//!
//! Source: the Step Functions developer guide, "Passing data between states with variables", and the Unicode Standard
//! Annex #31, on which it builds.

/// Unicode characters that a name has at most.
const MAX_LENGTH: usize = 80;

/// What Step Functions keeps for itself in JSONata.
pub(super) const RESERVED: &str = "states";

/// Whether a variable may have this name, which is written without its `$`.
pub fn is_variable_name(name: &str) -> bool {
    !name.is_empty()
        && name_length(name) == name.len()
        && name.chars().count() <= MAX_LENGTH
        && name != RESERVED
}

/// How many bytes of a text belong to the name at its beginning; 0 if there is none.
pub(super) fn name_length(text: &str) -> usize {
    let starts = |first: char| first == '_' || unicode_ident::is_xid_start(first);
    if !text.starts_with(starts) {
        return 0;
    }
    text.find(|next: char| !unicode_ident::is_xid_continue(next)).unwrap_or(text.len())
}
