//! What the numbers were measured on.

use faastlane_compose::Host;
use serde::Serialize;
use std::fs;

#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// As the kernel names it; empty where it does not.
    pub processor: String,
    pub architecture: String,
    pub cpus: u32,
    pub kernel: String,
    /// How busy it was before the measurement began: threads that ran or wanted to, over the last minute.
    pub load: Option<f64>,
}

impl Machine {
    pub(crate) fn of(host: &Host) -> Self {
        let load = fs::read_to_string("/proc/loadavg").ok();
        Self {
            processor: field("/proc/cpuinfo", "model name").unwrap_or_default(),
            architecture: host.architecture.clone(),
            cpus: host.cpus,
            kernel: host.kernel.clone(),
            load: load.and_then(|text| text.split_whitespace().next()?.parse().ok()),
        }
    }
}

/// The first of the CPUs that this process may use: the one that a lane is on.
pub(crate) fn first_cpu() -> Option<u32> {
    let allowed = field("/proc/self/status", "Cpus_allowed_list")?;
    let digits: String = allowed.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// The first `name: value` of a file of the kernel's.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn there_is_a_cpu_to_run_on() {
        assert!(super::first_cpu().is_some());
    }
}
