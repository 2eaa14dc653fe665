//! Going on with an execution whose instance died: its journal makes it again, and what is open then is done.
//!
//! While the journal is replayed, actions only note what is wanted: calls wait in their queues, timers and stand-ins have their
//! times, and an answer in the journal takes away what it answers. The supervisor has most reports already; the rest is made.

use crate::message::ResumeRequest;
use crate::orchestrator::Orchestrator;
use crate::timers::Due;
use faastlane_machine::Event;

impl Orchestrator {
    /// Begins the execution as it once began.
    pub(crate) fn resume(&mut self, request: ResumeRequest) {
        let ResumeRequest { run, begun, told } = request;
        // The wall clock may have been set meanwhile; the execution keeps its own.
        self.epoch_us = begun.at_us as i64 - (begun.monotonic_ns / 1000) as i64;
        self.start(run, begun, Some(told));
    }

    pub(crate) fn replays(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.replaying.is_some())
    }

    pub(crate) fn replay(&mut self, event: Event) {
        match &event {
            Event::InvocationSucceeded { invocation, .. }
            | Event::TaskSucceeded { invocation, .. }
            | Event::InvocationFailed { invocation, .. } => self.forget(*invocation),
            Event::TimerFired { timer, .. } => self.timers.cancel(Due::Machine(*timer)),
            Event::Continue { .. } => {
                if let Some(running) = &mut self.running {
                    running.yielded = false;
                }
            }
            Event::ItemsRead { .. }
            | Event::ResultsWritten { .. }
            | Event::TransferFailed { .. }
            | Event::Aborted { .. } => {}
        }
        self.fold(event);
    }

    /// The journal is complete. Calls that were under way in the instance that died are made again.
    pub(crate) fn resumed(&mut self) {
        let Some(running) = &mut self.running else { return };
        running.replaying = None;
        (0..self.queues.len()).for_each(|domain| self.dispatch(domain));
    }
}
