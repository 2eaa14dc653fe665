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
    children_of("/proc/self/task")
}

/// `tasks` is the folder of a process's threads.
fn children_of(tasks: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for thread in fs::read_dir(tasks).into_iter().flatten().flatten() {
        // A thread that has ended meanwhile has none.
        let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        found.extend(children.split_whitespace().filter_map(|number| number.parse::<u32>().ok()));
    }
    found
}

/// This process and all that came of it, whoever started them.
pub(crate) fn with_descendants(process: u32) -> Vec<u32> {
    let mut found = vec![process];
    let mut next = 0;
    while let Some(process) = found.get(next).copied() {
        found.extend(children_of(&format!("/proc/{process}/task")));
        next += 1;
    }
    found
}

/// The sum over processes of a size in one of the kernel's files about each.
pub(crate) fn sizes(processes: &[u32], file: &str, name: &str) -> io::Result<u64> {
    let of_process = |process: &u32| {
        let path = format!("/proc/{process}/{file}");
        let told = |error: io::Error| io::Error::new(error.kind(), format!("{path}: {error}"));
        let text = fs::read_to_string(&path).map_err(told)?;
        kib(&text, name).map(|kib| kib << 10).ok_or_else(|| io::Error::other(format!("{path} has no {name}")))
    };
    processes.iter().map(of_process).sum()
}

/// The `name:  123 kB` of such a file.
fn kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
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

    #[test]
    fn a_process_that_was_started_descends_from_this_one() {
        let mut child =
            std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let found = with_descendants(std::process::id());
        drop(child.stdin.take());
        let its = child.id();
        child.wait().unwrap();
        assert!(found.contains(&its) && found[0] == std::process::id(), "{found:?}");
    }

    #[test]
    fn sizes_are_found_by_their_whole_name_and_added_up() {
        let text = "Rss:   9 kB\nPss:    5 kB\nPss_Dirty:  1 kB\n";
        assert_eq!((kib(text, "Pss"), kib(text, "Swap")), (Some(5), None));
        let this = std::process::id();
        let once = sizes(&[this], "status", "VmPTE").unwrap();
        assert!(once > 0 && sizes(&[this, this], "status", "VmPTE").unwrap() >= 2 * once);
        let missing = sizes(&[this], "no-such-file", "Pss").unwrap_err();
        assert!(missing.to_string().contains("no-such-file"), "{missing}");
    }
}
