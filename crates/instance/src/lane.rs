//! Lanes: sequential states run on one CPU, where a hand-over is cheapest; parallel ones may use all.

use faastlane_domain::Cpus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The threads of one domain, as far as CPUs go.
#[derive(Clone)]
pub(crate) struct Threads {
    first: i32,
    /// The function started threads of its own: they would share the lane's CPU, so this domain stays off it.
    several: Arc<AtomicBool>,
    all: Cpus,
}

impl Threads {
    pub(crate) fn new(first: i32, all: Cpus) -> Self {
        Self { first, several: Arc::new(AtomicBool::new(false)), all }
    }

    /// The number of its first thread.
    pub(crate) fn first(&self) -> i32 {
        self.first
    }

    /// `thread` of this domain is about to start another, which inherits the CPUs it may run on.
    pub(crate) fn let_go(&self, thread: i32) {
        self.several.store(true, Ordering::Relaxed);
        self.all.assign(thread);
    }
}

/// Pins and unpins the orchestrator and the domains as executions narrow and widen.
pub(crate) struct Lane {
    all: Cpus,
    /// The one that it is all pinned to, once something was.
    one: Option<Cpus>,
    /// By position in the plan; `None` for domains of other processes, which the kernel places.
    domains: Vec<Option<(Threads, bool)>>,
    orchestrator_pinned: bool,
}

impl Lane {
    /// Where `pin` is false nothing is ever pinned.
    pub(crate) fn new(all: Cpus, domains: Vec<Option<Threads>>, pin: bool) -> Self {
        let domains =
            domains.into_iter().map(|threads| threads.filter(|_| pin).map(|threads| (threads, false)));
        Self { all, one: None, domains: domains.collect(), orchestrator_pinned: false }
    }

    /// `domain` is about to be called; `alone` says that no other call is under way.
    pub(crate) fn before_call(&mut self, domain: usize, alone: bool) {
        let Some((threads, pinned)) = &mut self.domains[domain] else { return };
        let pin = alone && !threads.several.load(Ordering::Relaxed);
        if pin && self.one.is_none() {
            // The supervisor may have found it a CPU, as one of many instances.
            self.one = Cpus::current().ok();
        }
        let cpus = self.one.as_ref().filter(|_| pin).unwrap_or(&self.all);
        if pin != *pinned {
            cpus.assign(threads.first);
            *pinned = pin;
        }
        if pin != self.orchestrator_pinned {
            cpus.assign(0);
            self.orchestrator_pinned = pin;
        }
    }

    /// A second call begins while `others` are under way: they may need the CPU they were pinned to.
    pub(crate) fn widen(&mut self, others: impl Iterator<Item = usize>) {
        for domain in others {
            if let Some((threads, pinned @ true)) = &mut self.domains[domain] {
                self.all.assign(threads.first);
                *pinned = false;
            }
        }
    }
}
