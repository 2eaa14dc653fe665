//! Which defences a test leaves out, to see that the attack they stop is real. Release builds leave out none.

/// Whether `FAASTLANE_TEST_WITHOUT`, a list with commas, names this defence.
#[cfg(debug_assertions)]
pub fn left_out(defence: &str) -> bool {
    std::env::var("FAASTLANE_TEST_WITHOUT")
        .is_ok_and(|list| list.split(',').any(|name| name.trim() == defence))
}

#[cfg(not(debug_assertions))]
pub fn left_out(_defence: &str) -> bool {
    false
}
