//! What has happened to an execution, so that another instance can go on with it.

use faastlane_domain::monotonic_nanos;
use faastlane_instance::{BeginReport, Command, ResumeRequest, RunRequest};
use faastlane_machine::{Event, Micros};

/// The journal of one execution, and what of its reports the supervisor has.
///
/// It holds every event with its payload for as long as the execution lasts: what all its functions returned and what was read
/// for its distributed Maps, but not the input, which the supervisor has anyway.
#[derive(Default)]
pub(crate) struct Journal {
    begun: Option<BeginReport>,
    events: Vec<Event>,
    /// How many reports came that a replay makes again.
    pub(crate) told: u64,
    /// Answers to transfers that no event tells of yet: an instance may die before it gets to them.
    answers: Vec<(u64, Command)>,
}

impl Journal {
    pub(crate) fn begin(&mut self, begun: BeginReport) {
        self.begun = Some(begun);
    }

    pub(crate) fn push(&mut self, event: Event) {
        if let Event::ItemsRead { transfer, .. }
        | Event::ResultsWritten { transfer, .. }
        | Event::TransferFailed { transfer, .. } = &event
        {
            self.forget_answer(transfer.0);
        }
        self.events.push(event);
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    pub(crate) fn keep_answer(&mut self, transfer: u64, answer: Command) {
        self.answers.push((transfer, answer));
    }

    pub(crate) fn forget_answer(&mut self, transfer: u64) {
        self.answers.retain(|(of, _)| *of != transfer);
    }

    /// The execution's own time; 0 before it began.
    pub(crate) fn now(&self) -> Micros {
        let since = |ns: u64| monotonic_nanos().saturating_sub(ns) / 1000;
        self.begun.map_or(0, |begun| begun.at_us + since(begun.monotonic_ns))
    }

    /// Says to an instance what makes it go on from here, or begin.
    pub(crate) fn send(&self, run: RunRequest, command: &mut dyn FnMut(&Command)) {
        let Some(begun) = self.begun else { return command(&Command::Run(run)) };
        command(&Command::Resume(ResumeRequest { run, begun, told: self.told }));
        self.events.iter().for_each(|event| command(&Command::Replay(event.clone())));
        command(&Command::GoOn);
        self.answers.iter().for_each(|(_, answer)| command(answer));
    }
}
