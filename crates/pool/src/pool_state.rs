//! What the threads of a pool agree on: who has work, who waits for some, and what is left to be done.

use crate::logs::LogLine;
use crate::pool::{PoolCounts, PoolLimits, Request, TooManyRequests};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar};

/// Behind one lock, which is never held while something runs.
#[derive(Default)]
pub(crate) struct State {
    /// Executions that nobody has taken yet. Empty while an instance is idle.
    waiting: VecDeque<Request>,
    /// Instances that are being started: each takes what waits when it is up.
    starting: usize,
    /// The one that ran last is the last.
    idle: Vec<Desk>,
    /// Given to an idle instance that has not woken up yet.
    handed: HashMap<u64, Request>,
    next_desk: u64,
    /// How often the launcher was replaced.
    age: u64,
    counts: PoolCounts,
    /// What functions printed and no record holds.
    pub(crate) leftover: Vec<LogLine>,
}

/// Where an instance gets its work.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    id: u64,
    /// Of the launcher that its instance is from.
    age: u64,
    pub(crate) bell: Arc<Condvar>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// An instance has it, or will.
    Placed,
    /// The caller is to start one more.
    NeedsInstance,
}

impl State {
    /// The warmest instance gets it, else a new one, else it waits for whichever is free first.
    pub(crate) fn take(&mut self, request: Request, limits: &PoolLimits) -> Result<Taken, TooManyRequests> {
        if let Some(desk) = self.idle.pop() {
            self.counts.running += 1;
            self.handed.insert(desk.id, request);
            desk.bell.notify_one();
            return Ok(Taken::Placed);
        }
        let without_instance = (self.waiting.len() + 1).saturating_sub(self.starting);
        let grows = without_instance > 0 && self.counts.instances < limits.most.get();
        if without_instance.saturating_sub(usize::from(grows)) > limits.queue {
            self.counts.refused += 1;
            return Err(TooManyRequests { running: self.counts.running, waiting: self.waiting.len() });
        }
        self.waiting.push_back(request);
        if !grows {
            return Ok(Taken::Placed);
        }
        self.counts.instances += 1;
        self.counts.peak_instances = self.counts.peak_instances.max(self.counts.instances);
        self.starting += 1;
        Ok(Taken::NeedsInstance)
    }

    pub(crate) fn age(&self) -> u64 {
        self.age
    }

    /// The launcher has been replaced. Instances of the one before get no more work.
    pub(crate) fn retire_all(&mut self) {
        self.age += 1;
        // What one of them was given and has not taken is the next ones'; not least since nobody else would be woken for it.
        self.wake_all();
        self.idle.clear();
    }

    pub(crate) fn is_retired(&self, desk: &Desk) -> bool {
        desk.age != self.age
    }

    /// An instance is up, which is from the launcher of this age.
    pub(crate) fn started(&mut self, age: u64) -> (Desk, Option<Request>) {
        self.starting -= 1;
        let desk = Desk { id: self.next_desk, age, bell: Arc::default() };
        self.next_desk += 1;
        let request = self.next_for(&desk);
        (desk, request)
    }

    /// An instance did not come up; whose execution that ends.
    pub(crate) fn start_failed(&mut self) -> Option<Request> {
        self.starting -= 1;
        self.counts.failed_starts += 1;
        self.waiting.pop_front()
    }

    /// An instance has done its work. `ran` tells whether it ran, cold or not; the work was given up otherwise.
    pub(crate) fn finished(&mut self, desk: &Desk, ran: Option<bool>) -> Option<Request> {
        self.count(ran);
        self.next_for(desk)
    }

    /// An instance went away over its work.
    pub(crate) fn lost(&mut self, cold: bool) {
        self.count(Some(cold));
    }

    fn count(&mut self, ran: Option<bool>) {
        self.counts.running -= 1;
        match ran {
            Some(true) => self.counts.cold += 1,
            Some(false) => self.counts.warm += 1,
            None => {}
        }
    }

    /// Work, or else a place among the idle.
    fn next_for(&mut self, desk: &Desk) -> Option<Request> {
        if self.is_retired(desk) {
            return None;
        }
        let request = self.waiting.pop_front();
        match request {
            Some(_) => self.counts.running += 1,
            None => self.idle.push(desk.clone()),
        }
        request
    }

    /// What an idle instance was given.
    pub(crate) fn handed(&mut self, desk: &Desk) -> Option<Request> {
        self.handed.remove(&desk.id)
    }

    /// An idle instance goes.
    pub(crate) fn leave(&mut self, desk: &Desk) {
        self.idle.retain(|other| other.id != desk.id);
    }

    /// Whether the caller, whose instance is gone, is to start another one. Its thread has ended otherwise.
    pub(crate) fn needs_another(&mut self) -> bool {
        let needed = self.waiting.len() > self.starting;
        match needed {
            true => self.starting += 1,
            false => self.thread_ended(),
        }
        needed
    }

    pub(crate) fn all_waiting(&mut self) -> VecDeque<Request> {
        std::mem::take(&mut self.waiting)
    }

    pub(crate) fn wake_all(&self) {
        self.idle.iter().for_each(|desk| desk.bell.notify_one());
    }

    pub(crate) fn thread_ended(&mut self) {
        self.counts.instances -= 1;
    }

    pub(crate) fn counts(&self) -> PoolCounts {
        PoolCounts { waiting: self.waiting.len(), ..self.counts }
    }
}
