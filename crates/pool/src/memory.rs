//! How much memory an instance had in use at most.

use serde::Serialize;
use std::fs;

/// The most that an instance had in use since it was started, as AWS Lambda counts "max memory used".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryUse {
    pub peak_bytes: u64,
    pub measured: MemoryMeasure,
}

impl MemoryUse {
    /// The larger one.
    pub(crate) fn max(self, other: Option<Self>) -> Self {
        other.filter(|other| other.peak_bytes > self.peak_bytes).unwrap_or(self)
    }
}

/// Where a peak comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MemoryMeasure {
    /// What the kernel charged to the instance's control group: its files in memory too, and shared pages once. Pages that it
    /// shares with the process that it was copied from are not its own.
    ControlGroup,
    /// The largest resident size of each of its processes (`VmHWM`), added up: pages that they share count in each of them, and
    /// they need not have been that large at the same time.
    ResidentSizes,
}

/// Of processes that are in no control group of their own. One that has ended says nothing any more.
pub(crate) fn resident_sizes(processes: impl Iterator<Item = u32>) -> MemoryUse {
    let peak_bytes = processes.map(|process| high_water_bytes(process).unwrap_or(0)).sum();
    MemoryUse { peak_bytes, measured: MemoryMeasure::ResidentSizes }
}

fn high_water_bytes(process: u32) -> Option<u64> {
    field_kib(&fs::read_to_string(format!("/proc/{process}/status")).ok()?, "VmHWM").map(|kib| kib << 10)
}

/// A size in a `/proc/PID/status`, in KiB.
pub(crate) fn field_kib(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_a_peak_and_none_has_none() {
        let this = resident_sizes([std::process::id()].into_iter());
        assert!(this.peak_bytes > 1 << 20, "{this:?}");
        // No process has this number: it is the largest that the kernel gives, and one.
        assert_eq!(resident_sizes([(1 << 22) + 1].into_iter()).peak_bytes, 0);
    }

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let status = "Name:\tx\nVmHWMish:\t  1 kB\nVmHWM:\t  2048 kB\nVmData: 3 kB\n";
        assert_eq!(field_kib(status, "VmHWM"), Some(2048));
        assert_eq!(field_kib(status, "VmPeak"), None);
    }
}
