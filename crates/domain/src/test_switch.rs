//! Defences that a test leaves out, to see that the attack it defends against is a real one. Release builds leave out none.

/// Does `FAASTLANE_TEST_WITHOUT` name `defence` in its list?
#[cfg(debug_assertions)]
pub(crate) fn without(defence: &str) -> bool {
    std::env::var("FAASTLANE_TEST_WITHOUT").is_ok_and(|list| list.split(',').any(|name| name == defence))
}

#[cfg(not(debug_assertions))]
pub(crate) const fn without(_defence: &str) -> bool {
    false
}
