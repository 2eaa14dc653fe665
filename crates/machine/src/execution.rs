//! The whole state of one execution, and its two entrances.

use crate::action::{Action, Outcome};
use crate::branch::Branches;
use crate::event::{Event, HistoryLevel, Identity, Micros, Start, TimerId};
use crate::machine::Machine;
use crate::run::Run;
use crate::trial::Trial;
use faastlane_asl::random::SplitMix64;
use faastlane_payload::Payload;
use std::collections::VecDeque;
use std::sync::Arc;

/// One execution of a machine. Equal executions go on equally.
#[derive(Clone, Debug, PartialEq)]
pub struct Execution {
    pub(crate) identity: Arc<Identity>,
    pub(crate) input: Payload,
    pub(crate) started_at: Micros,
    pub(crate) now: Micros,
    pub(crate) random: SplitMix64,
    pub(crate) history: HistoryLevel,
    pub(crate) branches: Branches,
    /// Branches that can go on, by slot and serial. One that has been cancelled since stays here until its turn.
    pub(crate) ready: VecDeque<(u32, u32)>,
    /// The last event of the history.
    pub(crate) last_event: u64,
    pub(crate) last_serial: u32,
    /// The machine's `TimeoutSeconds`.
    pub(crate) deadline: Option<TimerId>,
    pub(crate) outcome: Option<Outcome>,
    /// Of an execution that runs one state only.
    pub(crate) trial: Option<Box<Trial>>,
}

impl Execution {
    /// Starts an execution and runs it to where it waits for something.
    pub fn start(machine: &Machine, start: Start) -> (Execution, Vec<Action>) {
        Execution::begin(machine, start, None)
    }

    /// Runs only the state that the machine starts at, and shows what happens in it.
    pub fn start_trial(machine: &Machine, start: Start, trial: Trial) -> (Execution, Vec<Action>) {
        Execution::begin(machine, start, Some(Box::new(trial)))
    }

    fn begin(machine: &Machine, start: Start, trial: Option<Box<Trial>>) -> (Execution, Vec<Action>) {
        let mut execution = Execution {
            identity: start.identity,
            input: start.input,
            started_at: start.at,
            now: start.at,
            random: SplitMix64::new(start.seed),
            history: start.history,
            branches: Branches::default(),
            ready: VecDeque::new(),
            last_event: 0,
            last_serial: 0,
            deadline: None,
            outcome: None,
            trial,
        };
        let mut actions = Vec::new();
        Run { machine, execution: &mut execution, actions: &mut actions }.begin();
        (execution, actions)
    }

    /// Takes one event and runs to where the execution waits again. Appends to `actions`; the last one is
    /// [`Action::Finished`] if the execution ended. Events that nobody waits for (any more) change nothing.
    pub fn step(&mut self, machine: &Machine, event: Event, actions: &mut Vec<Action>) {
        if self.outcome.is_some() {
            return;
        }
        self.now = self.now.max(event.at());
        let mut run = Run { machine, execution: self, actions };
        run.take(event);
        run.until_blocked();
    }

    /// How it ended, if it has.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// An identifier for something that a branch waits for: its slot, so that it is found again, and a serial, so that
    /// nothing later in the slot is mistaken for it.
    pub(crate) fn next_id(&mut self, slot: u32) -> u64 {
        u64::from(slot) << 32 | u64::from(self.next_serial())
    }

    pub(crate) fn next_serial(&mut self) -> u32 {
        self.last_serial = self.last_serial.wrapping_add(1);
        self.last_serial
    }
}
