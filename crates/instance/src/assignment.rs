//! What the supervisor tells an instance when it starts it.

use crate::message::Reporter;
use crate::order::OrderChannel;
use faastlane_compose::{Grants, Isolation, Placement, Plan};
use faastlane_domain::{RingReader, RingWriter, Shelf};
use faastlane_sandbox::inherited;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;

/// Travels as JSON, in a file that the instance inherits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Assignment {
    pub plan: Plan,
    /// Of the file that the definition came from, for its errors and its format.
    pub definition_name: String,
    pub definition: String,
    /// Which of the plan's hosts this process is. Host 0 has the orchestrator.
    pub host: u32,
    /// 0 in the instance itself. Else this process is a copy of one of it, which takes some of the calls that come at the same
    /// time.
    pub lane: u32,
    /// The scratch directory of each domain, by position in the plan.
    pub scratch: Vec<PathBuf>,
    pub descriptors: Descriptors,
}

/// Numbers of inherited descriptors, or positions among those that come with an order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Descriptors {
    pub reports: i32,
    /// Where orders come from; -1 in a copy, which gets none.
    pub orders: i32,
    /// Host 0 only reads it.
    pub commands: i32,
    pub doorbell: i32,
    /// Of host 0 alone.
    pub shelf: i32,
    /// Where the functions of each domain print, by position in the plan; -1 where the domain is another host's.
    pub logs: Vec<i32>,
    /// The shared mailboxes of each domain, by position in the plan; -1 where there are none, in host 0 without lanes.
    pub mailboxes: Vec<i32>,
}

impl Descriptors {
    /// The same, with each given as `number` says; -1 stays.
    pub fn renumbered(&self, number: impl Fn(i32) -> i32) -> Self {
        let one = |descriptor: i32| if descriptor < 0 { -1 } else { number(descriptor) };
        let all = |descriptors: &[i32]| descriptors.iter().map(|&descriptor| one(descriptor)).collect();
        Self {
            reports: one(self.reports),
            orders: one(self.orders),
            commands: one(self.commands),
            doorbell: one(self.doorbell),
            shelf: one(self.shelf),
            logs: all(&self.logs),
            mailboxes: all(&self.mailboxes),
        }
    }
}

fn open(descriptor: i32) -> io::Result<File> {
    File::options().read(true).write(true).open(format!("/proc/self/fd/{descriptor}"))
}

impl Assignment {
    pub(crate) fn read(path: &str) -> io::Result<Self> {
        Ok(serde_json::from_reader(io::BufReader::new(File::open(path)?))?)
    }

    pub(crate) fn reporter(&self) -> io::Result<Reporter> {
        Ok(Reporter::new(RingWriter::open(open(self.descriptors.reports)?.as_fd())?))
    }

    pub(crate) fn commands(&self) -> io::Result<RingReader> {
        RingReader::open(open(self.descriptors.commands)?.as_fd(), usize::MAX)
    }

    pub(crate) fn orders(&self) -> io::Result<OrderChannel> {
        Ok(inherited(self.descriptors.orders)?.into())
    }

    pub(crate) fn doorbell_file(&self) -> io::Result<File> {
        open(self.descriptors.doorbell)
    }

    pub(crate) fn shelf(&self) -> io::Result<Arc<Shelf>> {
        Shelf::open(open(self.descriptors.shelf)?.as_fd())
    }

    pub(crate) fn mailbox_file(&self, domain: usize) -> io::Result<File> {
        open(self.descriptors.mailboxes[domain])
    }

    pub(crate) fn log(&self, domain: usize) -> i32 {
        self.descriptors.logs[domain]
    }

    /// The domains of this host, by position in the plan.
    pub(crate) fn local_domains(&self) -> Vec<usize> {
        (0..self.plan.domains.len()).filter(|&domain| self.plan.domains[domain].host == self.host).collect()
    }

    /// Whether the domain's mailbox is shared between two processes.
    pub(crate) fn is_remote(&self, domain: usize) -> bool {
        self.lane > 0 || self.plan.domains[domain].placement != Placement::Thread
    }

    pub(crate) fn has_orchestrator(&self) -> bool {
        self.host == 0 && self.lane == 0
    }

    /// A process that may have children has none: the monitor could not tell their memory from its own.
    pub(crate) fn uses_keys(&self) -> bool {
        self.plan.isolation == Isolation::Mpk && !self.has_children()
    }

    /// Whether a function of this process can write the memory of the threads that start, watch and copy it. They are bound then.
    /// Where functions share a process without keys, they share it with the orchestrator, and nothing is promised.
    pub(crate) fn shares_memory(&self) -> bool {
        self.host != 0 && !self.uses_keys()
    }

    /// Whether a function of this process may start others.
    pub fn has_children(&self) -> bool {
        self.local_domains().into_iter().any(|domain| self.grants(domain).subprocess)
    }

    /// What the functions of a domain may do besides: all of them the same.
    pub(crate) fn grants(&self, domain: usize) -> &Grants {
        &self.plan.functions[self.plan.domains[domain].functions[0]].grants
    }

    pub(crate) fn max_payload(&self) -> usize {
        usize::try_from(self.plan.limits.max_payload_bytes).unwrap_or(usize::MAX)
    }
}
