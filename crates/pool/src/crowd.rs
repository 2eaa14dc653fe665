//! Which CPUs instances run on while there are as many executions as CPUs.
//!
//! A hand-over between two processes costs twice as much when each of them is on a CPU of its own: one interrupts the other
//! for it. Where every CPU has an execution anyway, each execution keeps to one. Where CPUs are idle, and in an execution that
//! computes for long, the kernel places them better than we could.

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// After so many executions in a row that had CPUs to spare an instance may use all again. More than one: whether there are
/// some changes from one moment to the next.
const QUIET: u32 = 32;

/// The executions of one bundle that are under way.
pub(crate) struct Crowd {
    /// Those that we may run on; empty where that cannot be asked for.
    cpus: Vec<usize>,
    all: CpuSet,
    running: Mutex<Running>,
}

struct Running {
    executions: usize,
    /// By position in [`Crowd::cpus`]: how many of them keep to it.
    at: Vec<usize>,
}

/// Where an instance is.
#[derive(Default)]
pub(crate) struct Home {
    /// By position in [`Crowd::cpus`]; `None` while the kernel places it.
    cpu: Option<usize>,
    quiet: u32,
}

impl Crowd {
    pub(crate) fn new() -> Self {
        let all = sched_getaffinity(None).unwrap_or_else(|_| CpuSet::new());
        let cpus: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| all.is_set(*cpu)).collect();
        let at = vec![0; cpus.len()];
        Self { cpus, all, running: Mutex::new(Running { executions: 0, at }) }
    }

    /// One more execution, until the value is dropped.
    pub(crate) fn enter(&self) -> Visit<'_> {
        self.running().executions += 1;
        Visit { crowd: self, cpu: None }
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets all threads of these processes run on `cpus`. A thread that has ended meanwhile is no matter, nor is one that may
    /// not be moved: then the kernel places it.
    fn assign(&self, processes: impl Iterator<Item = u32>, cpus: &CpuSet) {
        for process in processes {
            let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
            let ids = threads.filter_map(|thread| thread.file_name().to_str()?.parse().ok());
            for thread in ids.filter_map(Pid::from_raw) {
                sched_setaffinity(Some(thread), cpus).ok();
            }
        }
    }
}

/// An execution among the others.
pub(crate) struct Visit<'a> {
    crowd: &'a Crowd,
    cpu: Option<usize>,
}

impl Visit<'_> {
    /// Finds the CPU for an instance in which the execution begins or goes on. `processes` are those that may be placed.
    pub(crate) fn settle(&mut self, home: &mut Home, processes: impl Iterator<Item = u32>) {
        self.leave();
        let crowd = self.crowd;
        let mut running = crowd.running();
        if crowd.cpus.len() < 2 || running.executions < crowd.cpus.len() {
            drop(running);
            home.quiet += 1;
            if home.quiet > QUIET {
                self.spread(home, processes);
            }
            return;
        }
        home.quiet = 0;
        let cpu = choose(&running.at, home.cpu);
        running.at[cpu] += 1;
        drop(running);
        self.cpu = Some(cpu);
        if home.cpu.replace(cpu) != Some(cpu) {
            let mut one = CpuSet::new();
            one.set(crowd.cpus[cpu]);
            crowd.assign(processes, &one);
        }
    }

    /// Lets the instance use all CPUs: it has more to do than hand things over.
    pub(crate) fn spread(&mut self, home: &mut Home, processes: impl Iterator<Item = u32>) {
        self.leave();
        if home.cpu.take().is_some() {
            self.crowd.assign(processes, &self.crowd.all);
        }
    }

    fn leave(&mut self) {
        if let Some(cpu) = self.cpu.take() {
            self.crowd.running().at[cpu] -= 1;
        }
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.leave();
        self.crowd.running().executions -= 1;
    }
}

/// Stays where it is, as moving costs as much as a short execution; unless that is clearly fuller than elsewhere.
fn choose(at: &[usize], home: Option<usize>) -> usize {
    let least = at.iter().copied().min().unwrap_or(0);
    let stays = |cpu: &usize| at[*cpu] == least || (least > 0 && at[*cpu] == least + 1);
    home.filter(stays).or_else(|| at.iter().position(|others| *others == least)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_stays_unless_elsewhere_is_clearly_less() {
        assert_eq!(choose(&[0, 0], None), 0);
        assert_eq!(choose(&[1, 0], None), 1);
        assert_eq!(choose(&[3, 4], Some(1)), 1);
        assert_eq!(choose(&[2, 4], Some(1)), 0);
        assert_eq!(choose(&[0, 1], Some(1)), 0, "a CPU with nothing to do is worth the move");
        assert_eq!(choose(&[1, 1], Some(1)), 1);
    }

    #[test]
    fn threads_keep_to_a_cpu_only_while_there_are_as_many_executions() {
        let crowd = Crowd::new();
        if crowd.cpus.len() < 2 {
            return assert!(crowd.running().at.len() < 2);
        }
        // A process of its own, whose threads nobody else counts on.
        let mut other = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let process = Pid::from_child(&other);
        let allowed = || sched_getaffinity(Some(process)).unwrap().count() as usize;
        let mut home = Home::default();
        let others: Vec<Visit<'_>> = crowd.cpus.iter().skip(1).map(|_| crowd.enter()).collect();
        let mut visit = crowd.enter();
        visit.settle(&mut home, std::iter::once(other.id()));
        assert_eq!(allowed(), 1);
        visit.spread(&mut home, std::iter::once(other.id()));
        assert_eq!(allowed(), crowd.cpus.len());
        visit.settle(&mut home, std::iter::once(other.id()));
        drop(others);
        for _ in 0..=QUIET {
            assert_eq!(allowed(), 1);
            visit.settle(&mut home, std::iter::once(other.id()));
        }
        assert_eq!(allowed(), crowd.cpus.len());
        drop(visit);
        assert_eq!(crowd.running().executions, 0);
        assert!(crowd.running().at.iter().all(|here| *here == 0));
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
