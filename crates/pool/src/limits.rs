//! Holding an instance to its limits: in control groups of its own, and where none can be made, by a limit of each process.

use crate::control_group::{ControlGroups, Controller, Group};
use crate::memory::{MemoryMeasure, MemoryUse, field_kib, resident_sizes};
use faastlane_compose::{LimitMeans, Limits};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use std::{fs, io};

/// With what this process can hold instances to a limit on memory.
pub fn memory_limit_means() -> LimitMeans {
    match ControlGroups::of_this_process().can(Controller::Memory) {
        Ok(version) => LimitMeans::Whole(version.to_string()),
        Err(reason) => LimitMeans::EachProcess {
            means: "RLIMIT_DATA, which counts what it reserves once its functions are loaded".to_owned(),
            reason: reason.to_owned(),
        },
    }
}

/// With what this process can hold instances to a limit on CPU time.
pub fn cpu_limit_means() -> LimitMeans {
    match ControlGroups::of_this_process().can(Controller::Cpu) {
        Ok(version) => LimitMeans::Whole(version.to_string()),
        Err(reason) => LimitMeans::Unavailable { reason: reason.to_owned() },
    }
}

/// The limits of one instance, in force for as long as this value lives. To be dropped when its processes have ended.
#[derive(Default)]
pub(crate) struct Held {
    memory_mb: Option<u32>,
    memory: Option<Group>,
    /// `None` also where the other group holds the CPU time too.
    cpu: Option<Group>,
}

impl Held {
    /// Makes the groups that the limits ask for and the host allows. Without limits there are none: it takes time to put a
    /// process into one.
    pub(crate) fn new(limits: &Limits) -> io::Result<Self> {
        let groups = ControlGroups::of_this_process();
        let make = |controller, wanted: bool| match wanted && groups.can(controller).is_ok() {
            true => groups.make(controller).map(Some),
            false => Ok(None),
        };
        let memory = make(Controller::Memory, limits.instance_memory_mb.is_some())?;
        // A process is in one group of a hierarchy: what is held by the same one needs the same group.
        let of_both = memory.as_ref().filter(|_| groups.are_one_hierarchy());
        let cpu = make(Controller::Cpu, limits.instance_cpus.is_some() && of_both.is_none())?;
        if let (Some(group), Some(mb)) = (&memory, limits.instance_memory_mb) {
            group.limit_memory(u64::from(mb) << 20)?;
        }
        if let (Some(group), Some(cpus)) = (cpu.as_ref().or(of_both), limits.instance_cpus) {
            group.limit_cpus(cpus)?;
        }
        Ok(Self { memory_mb: limits.instance_memory_mb, memory, cpu })
    }

    /// Puts a process of the instance under its limits. What it starts from now on is under them too.
    pub(crate) fn add(&self, process: u32) -> io::Result<()> {
        self.memory.iter().chain(&self.cpu).try_for_each(|group| group.add(process))
    }

    /// Where no control group holds the instance's memory: limits what its processes get besides what they have. To be called
    /// once everything is loaded: until then a process reserves more than it uses.
    pub(crate) fn limit_each(&self, processes: impl Iterator<Item = u32>) -> io::Result<()> {
        let (Some(mb), None) = (self.memory_mb, &self.memory) else { return Ok(()) };
        for process in processes {
            let status = fs::read_to_string(format!("/proc/{process}/status"))?;
            let has = field_kib(&status, "VmData").unwrap_or_default() << 10;
            let most = Some(has + (u64::from(mb) << 20));
            let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
            // Its functions cannot raise it. Its trusted threads do, by what they reserve for payloads.
            let maximum = getrlimit(Resource::Data).maximum;
            prlimit(pid, Resource::Data, Rlimit { current: most, maximum })?;
        }
        Ok(())
    }

    /// The most that the instance had in use until now.
    pub(crate) fn memory_use(&self, processes: impl Iterator<Item = u32>) -> MemoryUse {
        let charged = self.memory.as_ref().and_then(Group::peak_bytes);
        match charged {
            Some(peak_bytes) => MemoryUse { peak_bytes, measured: MemoryMeasure::ControlGroup },
            None => resident_sizes(processes),
        }
    }

    /// What is to be said of a process's end, where the kernel ended it because the instance needed more memory than it may have.
    pub(crate) fn out_of_memory(&self) -> Option<String> {
        let mb = self.memory_mb?;
        self.memory.as_ref()?.killed_any().then(|| {
            format!("the instance needed more memory than the {mb} MB that `instance_memory_mb` allows it")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(instance_memory_mb: Option<u32>, instance_cpus: Option<f64>) -> Limits {
        Limits { max_payload_bytes: 1 << 20, instance_memory_mb, instance_cpus }
    }

    #[test]
    fn without_limits_there_are_no_groups() {
        let held = Held::new(&limits(None, None)).unwrap();
        assert!(held.memory.is_none() && held.cpu.is_none());
        held.add(std::process::id()).unwrap();
        assert_eq!(held.out_of_memory(), None);
    }

    #[test]
    fn where_there_is_no_group_each_process_has_a_limit() {
        let mut child = std::process::Command::new("sleep").arg("600").spawn().unwrap();
        let held = Held { memory_mb: Some(64), ..Held::default() };
        held.limit_each([child.id()].into_iter()).unwrap();
        let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let data = limits.lines().find(|line| line.starts_with("Max data size")).unwrap();
        let bytes: u64 = data.split_whitespace().nth(3).unwrap().parse().unwrap();
        assert!((64 << 20..70 << 20).contains(&bytes), "{data}");
    }
}
