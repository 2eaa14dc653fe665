//! The processes that this one started, how long they ran, and how much of that was the functions' own.

use rustix::io::Errno;
use serde::Serialize;
use std::fs;
use std::io;

/// On average over all executions that were measured, in microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct CpuTime {
    /// Of all processes that take part.
    pub per_execution_us: f64,
    /// By the clocks of the functions' threads.
    pub functions_us: f64,
}

impl CpuTime {
    /// What part of it was not the functions' own, 0 to 1.
    pub fn other_share(&self) -> f64 {
        (1.0 - self.functions_us / self.per_execution_us).clamp(0.0, 1.0)
    }
}

/// What the kernel says that all threads of these processes have run, in nanoseconds. Threads that ended are not among them.
pub(crate) fn of_processes(processes: &[u32]) -> io::Result<u64> {
    let mut sum = 0;
    for process in processes {
        for thread in fs::read_dir(format!("/proc/{process}/task"))? {
            let path = thread?.path().join("schedstat");
            let text = match fs::read_to_string(&path) {
                Err(error) if has_ended(&error) => continue,
                text => text?,
            };
            let ran = text.split_whitespace().next().and_then(|number| number.parse::<u64>().ok());
            sum += ran.ok_or_else(|| io::Error::other(format!("{} has no number", path.display())))?;
        }
    }
    Ok(sum)
}

/// Whether a file about a thread is not there any more, or was not when it was read.
fn has_ended(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(Errno::SRCH.raw_os_error())
}

/// The processes that this one has started, and those that they were copied into.
pub(crate) fn children() -> Vec<u32> {
    let mut found = Vec::new();
    for thread in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        // A thread that has ended meanwhile has none.
        let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        found.extend(children.split_whitespace().filter_map(|number| number.parse::<u32>().ok()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_run() {
        let this = [std::process::id()];
        let before = of_processes(&this).unwrap();
        assert!(before > 0 && of_processes(&this).unwrap() >= before);
        assert_eq!(of_processes(&[]).unwrap(), 0);
    }

    #[test]
    fn what_is_not_the_functions_is_the_rest() {
        let time = |per_execution_us, functions_us| CpuTime { per_execution_us, functions_us }.other_share();
        assert_eq!([time(100.0, 25.0), time(100.0, 100.0), time(100.0, 101.0)], [0.75, 0.0, 0.0]);
    }
}
