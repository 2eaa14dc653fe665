//! Results that wait for what their functions printed: the supervisor holds the reading ends of the log pipes.

use crate::message::Report;
use faastlane_machine::{Event, InvocationId, InvocationLog, Micros};
use faastlane_payload::Payload;
use std::collections::HashMap;

/// What came back from functions whose logs are on their way.
#[derive(Default)]
pub(crate) struct LogTails {
    waiting: HashMap<InvocationId, (Payload, InvocationLog)>,
}

impl LogTails {
    /// Keeps a result; `log` lacks what the function printed. The report asks for that.
    pub(crate) fn ask(
        &mut self,
        id: InvocationId,
        (domain, lane): (usize, u32),
        output: Payload,
        log: InvocationLog,
    ) -> Report {
        let request_id = log.request_id.clone();
        self.waiting.insert(id, (output, log));
        Report::LogWanted { invocation: id.0, domain, lane, request_id }
    }

    /// What the machine is told once the log is there; `None` if nobody waits for it any more.
    pub(crate) fn answer(&mut self, invocation: u64, printed: String, at: Micros) -> Option<Event> {
        let invocation = InvocationId(invocation);
        let (output, log) = self.waiting.remove(&invocation)?;
        let log = Some(Box::new(InvocationLog { printed, ..log }));
        Some(Event::InvocationSucceeded { invocation, output, log, at })
    }

    /// Nobody waits for this invocation any more.
    pub(crate) fn forget(&mut self, invocation: InvocationId) {
        self.waiting.remove(&invocation);
    }

    /// The execution is over.
    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }
}
