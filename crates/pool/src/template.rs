//! The template of a bundle: processes with its functions loaded, of which instances are copies.

use crate::instance::{Instance, Part, StartError};
use crate::limits::Held;
use crate::logs::LogLine;
use crate::process::{CopyError, Copying, HostProcess, Inheritance, Spawner};
use crate::scratch::Scratch;
use faastlane_asl::source::Source;
use faastlane_compose::{FunctionPlan, Placement, Plan};
use faastlane_domain::{RING_LEN, SHELF_LEN, shared_file, shared_len};
use faastlane_instance::{Assignment, Descriptors, DomainSize, Order, OrderChannel};
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;

/// What the processes of one instance share with each other and with the supervisor.
pub(crate) struct Shared {
    pub(crate) commands: File,
    pub(crate) doorbell: File,
    pub(crate) shelf: File,
    /// Of each domain, one for each lane; none in the first lane of those that are threads of the instance's own process.
    pub(crate) mailboxes: Vec<Option<File>>,
    pub(crate) pipes: Vec<(PipeReader, PipeWriter)>,
    pub(crate) scratch: Scratch,
    pub(crate) held: Held,
}

impl Shared {
    fn make(plan: &Plan) -> io::Result<Self> {
        let max_payload = usize::try_from(plan.limits.max_payload_bytes).unwrap_or(usize::MAX);
        let len = plan.lanes as usize * shared_len(max_payload);
        let mailbox = |placement: Placement| match placement {
            Placement::Thread if plan.lanes == 1 => Ok(None),
            _ => shared_file(c"faastlane-mailbox", len).map(Some),
        };
        Ok(Self {
            commands: shared_file(c"faastlane-commands", RING_LEN)?,
            doorbell: shared_file(c"faastlane-doorbell", 4096)?,
            shelf: shared_file(c"faastlane-shelf", SHELF_LEN)?,
            mailboxes: plan
                .domains
                .iter()
                .map(|domain| mailbox(domain.placement))
                .collect::<io::Result<_>>()?,
            pipes: plan.domains.iter().map(|_| io::pipe()).collect::<io::Result<_>>()?,
            scratch: Scratch::make(plan.domains.len())?,
            held: Held::new(&plan.limits)?,
        })
    }

    /// What one of the processes gets of it.
    fn part(&self, plan: &Plan, host: u32) -> io::Result<(Inheritance, Descriptors)> {
        let mut inheritance = Inheritance::default();
        let mut logs = vec![-1; plan.domains.len()];
        let mut mailboxes = vec![-1; plan.domains.len()];
        for (index, domain) in plan.domains.iter().enumerate() {
            if domain.host == host {
                logs[index] = inheritance.add(self.pipes[index].1.as_fd().try_clone_to_owned()?);
            }
            if let Some(file) = self.mailboxes[index].as_ref().filter(|_| host == 0 || domain.host == host) {
                mailboxes[index] = inheritance.add_copy(file)?;
            }
        }
        let descriptors = Descriptors {
            reports: -1,
            orders: -1,
            commands: if host == 0 { inheritance.add_copy(&self.commands)? } else { -1 },
            doorbell: inheritance.add_copy(&self.doorbell)?,
            shelf: if host == 0 { inheritance.add_copy(&self.shelf)? } else { -1 },
            logs,
            mailboxes,
        };
        Ok((inheritance, descriptors))
    }
}

/// The processes of a bundle with its functions loaded and parked: they can be copied, or go on as an instance themselves.
pub(crate) struct Template {
    instance: Instance,
    /// Of each process.
    orders: Vec<OrderChannel>,
    /// What functions printed while they were loaded, until an instance has it.
    printed: Vec<LogLine>,
    domains: Vec<DomainSize>,
}

impl Template {
    /// Starts the processes and waits until every function is loaded.
    pub(crate) fn start(
        executable: &Path,
        spawner: &Spawner,
        plan: &Arc<Plan>,
        definition: &Source,
        stop: &dyn Fn() -> bool,
    ) -> Result<Self, StartError> {
        let shared = Shared::make(plan)?;
        let (mut hosts, mut orders) = (Vec::new(), Vec::new());
        for host in 0..plan.hosts() {
            let (inheritance, descriptors) = shared.part(plan, host)?;
            let assignment = Assignment {
                plan: plan.seen_by(host),
                definition_name: definition.name.to_string(),
                definition: definition.text.to_string(),
                host,
                lane: 0,
                scratch: shared.scratch.folders().to_owned(),
                descriptors,
            };
            let (process, channel) = HostProcess::start(executable, spawner, assignment, inheritance)?;
            hosts.push(process);
            orders.push(channel);
        }
        let mut instance = Instance::of(plan.clone(), shared, hosts, Vec::new())?;
        match instance.await_loaded(stop) {
            Ok(domains) => {
                let printed = instance.take_logs((0..plan.domains.len()).map(|domain| (domain, 0)));
                Ok(Self { instance, orders, printed, domains })
            }
            Err(error) => Err(StartError { error, logs: instance.close() }),
        }
    }

    /// How much memory each domain takes.
    pub(crate) fn domains(&self) -> &[DomainSize] {
        &self.domains
    }

    pub(crate) fn processes(&self) -> impl Iterator<Item = u32> {
        self.instance.processes()
    }

    /// Another instance, which is not ready yet. What functions printed while they were loaded is the first one's.
    pub(crate) fn copy(&mut self) -> Result<Instance, CopyError> {
        let plan = self.instance.plan().clone();
        if let Some(function) = plan.functions.iter().find(|function| wants_own_hashes(function)) {
            let why = format!("`{}` wants other hashes in each (PYTHONHASHSEED=random)", function.name);
            return Err(CopyError::Refused(why));
        }
        let shared = Shared::make(&plan)?;
        // All are asked before the first has answered: they are copied side by side.
        let mut copying = Vec::new();
        for (process, orders) in self.instance.hosts().iter().zip(&self.orders) {
            let scratch = shared.scratch.folders().to_owned();
            let part = shared.part(&plan, process.part.host).map_err(CopyError::from);
            copying.push(part.and_then(|(inheritance, descriptors)| {
                process.copy(orders, 0, scratch, descriptors, inheritance)
            }));
        }
        let taken: Vec<_> = copying.into_iter().map(|copying| copying.and_then(Copying::take)).collect();
        let hosts = taken.into_iter().collect::<Result<_, _>>()?;
        Ok(Instance::of(plan, shared, hosts, std::mem::take(&mut self.printed))?)
    }

    /// One more process for an instance.
    pub(crate) fn copy_lane(&self, instance: &mut Instance, part: Part) -> Result<(), CopyError> {
        let (inheritance, descriptors, pipes) = instance.lane_part(part)?;
        let scratch = Scratch::make(instance.plan().domains.len())?;
        let host = part.host as usize;
        let (process, orders) = (&self.instance.hosts()[host], &self.orders[host]);
        let folders = scratch.folders().to_owned();
        let process = process.copy(orders, part.lane, folders, descriptors, inheritance)?.take()?;
        Ok(instance.add_lane(process, scratch, pipes)?)
    }

    /// Lets the processes be an instance themselves, which is not ready yet.
    pub(crate) fn into_instance(mut self) -> io::Result<Instance> {
        self.instance.put_back_logs(self.printed);
        self.orders.iter().try_for_each(|orders| orders.order(&Order::GoOn, &[]))?;
        Ok(self.instance)
    }
}

/// CPython takes the seed of its hashes when it starts; copies have the template's.
fn wants_own_hashes(function: &FunctionPlan) -> bool {
    function.env.get("PYTHONHASHSEED").is_some_and(|seed| seed == "random")
}
