//! What runs executions one after the other, whatever becomes of its instance.

use crate::instance::{Instance, InstanceError, RunInput, StartError, StartedUp};
use crate::launcher::Launcher;
use crate::logs::LogLine;
use crate::record::Record;
use std::sync::Arc;

/// Runs executions of one bundle, one at a time, in an instance of its own.
pub struct Worker {
    instance: Instance,
    /// The instance ends with it.
    _launcher: Arc<Launcher>,
}

impl Worker {
    pub fn start(launcher: &Arc<Launcher>, stop: &dyn Fn() -> bool) -> Result<(Self, StartedUp), StartError> {
        let (instance, started) = launcher.launch(stop)?;
        Ok((Self { instance, _launcher: launcher.clone() }, started))
    }

    /// Runs one execution to its end.
    pub fn run(&mut self, run: &RunInput<'_>) -> Result<Record, InstanceError> {
        self.instance.run(run)
    }

    /// Ends the instance; what functions printed and no record holds yet.
    pub fn close(self) -> Vec<LogLine> {
        self.instance.close()
    }
}
