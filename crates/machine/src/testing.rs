//! For tests: machines from text.

use crate::machine::{Limits, Machine};
use faastlane_asl::source::Source;
use std::sync::Arc;

pub(crate) fn machine(definition: &str) -> Machine {
    let parsed = faastlane_asl::parse(&Source::new("test.asl.json", definition));
    let parsed = parsed.unwrap_or_else(|findings| panic!("{definition} is no state machine: {findings:#?}"));
    Machine::new(Arc::new(parsed.machine), Limits::default())
}
