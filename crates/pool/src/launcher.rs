//! Where instances of a bundle come from.

use crate::instance::{Instance, StartError, StartedUp};
use faastlane_asl::source::Source;
use faastlane_compose::Plan;
use std::path::PathBuf;

/// Starts instances of one bundle, as many as are wanted, from any thread.
#[derive(Debug)]
pub struct Launcher {
    executable: PathBuf,
    plan: Plan,
    definition: Source,
}

impl Launcher {
    /// `executable` becomes an instance when its first argument is [`crate::INSTANCE_ARGUMENT`].
    pub fn new(executable: PathBuf, plan: Plan, definition: Source) -> Self {
        Self { executable, plan, definition }
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// A new instance, with every function loaded. Its processes end when the calling thread does.
    pub fn launch(&self, stop: &dyn Fn() -> bool) -> Result<(Instance, StartedUp), StartError> {
        Instance::start(&self.executable, &self.plan, &self.definition, stop)
    }
}
