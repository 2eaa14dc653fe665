//! What runs executions one after the other, whatever becomes of its instance.

use crate::execution::{Execution, Followed};
use crate::instance::{Instance, InstanceError, RunInput, StartError, StartedUp};
use crate::launcher::Launcher;
use crate::logs::LogLine;
use crate::record::Record;
use std::sync::Arc;

/// Runs executions of one bundle, one at a time, in an instance of its own.
///
/// An instance that dies takes nothing with it but the attempts that were under way: the execution goes on in another one.
pub struct Worker {
    launcher: Arc<Launcher>,
    /// `None` once it was lost.
    instance: Option<Instance>,
    has_thread: bool,
    /// What was printed in instances that are gone, and no record holds.
    logs: Vec<LogLine>,
}

impl Worker {
    pub fn start(launcher: &Arc<Launcher>, stop: &dyn Fn() -> bool) -> Result<(Self, StartedUp), StartError> {
        let (instance, started) = launcher.launch(stop)?;
        let worker = Self {
            launcher: launcher.clone(),
            instance: Some(instance),
            has_thread: false,
            logs: Vec::new(),
        };
        Ok((worker, started))
    }

    /// Executions are run from one thread, which may be kept to the CPU that suits them: until [`Self::free_thread`].
    pub fn take_thread(&mut self) {
        self.has_thread = true;
        self.instance.iter_mut().for_each(Instance::take_thread);
    }

    /// Lets the calling thread run on all CPUs that it may, until the next execution.
    pub fn free_thread(&self) {
        self.launcher.crowd.free_thread();
    }

    /// Runs one execution to its end, in as many instances as that takes.
    ///
    /// # Errors
    /// There is no instance to begin or to go on in.
    pub fn run(&mut self, run: &RunInput<'_>) -> Result<Record, InstanceError> {
        let launcher = self.launcher.clone();
        let mut execution = Execution::new(&launcher, run);
        if self.instance.as_mut().is_some_and(|instance| !instance.is_fit()) {
            self.lose();
        }
        let mut began = false;
        let ending = loop {
            let instance = match &mut self.instance {
                Some(instance) => instance,
                None => match launcher.launch(run.stop) {
                    Ok((mut instance, started)) => {
                        if self.has_thread {
                            instance.take_thread();
                        }
                        *execution.started.get_or_insert_default() += started.took;
                        self.instance.insert(instance)
                    }
                    Err(StartError { error: InstanceError::Interrupted, .. }) if began => {
                        break execution.aborted();
                    }
                    Err(StartError { error, logs }) => {
                        self.logs.append(&mut execution.logs);
                        self.logs.extend(logs);
                        return Err(error);
                    }
                },
            };
            began = true;
            match execution.follow(instance) {
                Ok(Followed::Ended(ending)) => break ending,
                Ok(Followed::Lost) => {
                    self.lose();
                    execution.logs.append(&mut self.logs);
                }
                Err(error) => {
                    self.logs.append(&mut execution.logs);
                    return Err(error);
                }
            }
        };
        let mut logs = std::mem::take(&mut self.logs);
        if let Some(instance) = &mut self.instance {
            execution.weigh(instance);
            execution.leave(instance);
            logs.extend(instance.take_logs(execution.places().into_iter()));
        }
        Ok(execution.record(ending, logs))
    }

    /// The numbers of the processes of its instance; none while it has no instance.
    pub fn processes(&self) -> Vec<u32> {
        self.instance.iter().flat_map(Instance::processes).collect()
    }

    /// Ends the instance, and keeps what was printed there.
    fn lose(&mut self) {
        self.logs.extend(self.instance.take().map(Instance::close).unwrap_or_default());
    }

    /// Ends the instance; what functions printed and no record holds yet.
    pub fn close(mut self) -> Vec<LogLine> {
        self.lose();
        self.logs
    }
}
