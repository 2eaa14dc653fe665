//! Which CPUs instances run on.
//!
//! A hand-over between two processes costs twice as much when each of them is on a CPU of its own: one interrupts the other
//! for it. Where every CPU has an execution anyway, each execution keeps to one; so does one whose like were quick and did one
//! thing after the other, which can make no use of another CPU. Everywhere else, and in an execution that computes for long,
//! the kernel places them better than we could.

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use std::cell::Cell;
use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// After so many executions in a row that had CPUs to spare an instance may use all again. More than one: whether there are
/// some changes from one moment to the next.
const QUIET: u32 = 32;

/// After so many executions that were quick and had one call at a time an instance keeps to one CPU.
const NARROW: u32 = 8;
/// A slow one counts against so many of them: now and then one is held up by something else.
const SLOW: u32 = 4;
/// What is quick.
const QUICK: Duration = Duration::from_millis(1);

thread_local! {
    /// Whether this thread keeps to a CPU with the instance it belongs to.
    static NEAR: Cell<bool> = const { Cell::new(false) };
}

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
    /// How sure it is that executions are quick, and never have two domains at the same time: at most twice [`NARROW`].
    narrow: u32,
    /// The last one had two domains at the same time.
    wide: bool,
    /// The thread that follows the executions is for this instance alone, and goes where it goes.
    pub(crate) has_thread: bool,
}

impl Home {
    /// What an execution was that has ended.
    pub(crate) fn ran(&mut self, took: Duration, one_at_a_time: bool) {
        self.wide = !one_at_a_time;
        self.narrow = match one_at_a_time {
            true if took <= QUICK => (self.narrow + 1).min(2 * NARROW),
            true => self.narrow.saturating_sub(SLOW),
            false => 0,
        };
    }

    /// Whether it has no use for a second CPU.
    fn is_narrow(&self) -> bool {
        self.narrow >= if self.cpu.is_some() { 1 } else { NARROW }
    }
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

    /// Lets the calling thread run anywhere again. For before it starts others, which would have its CPU.
    pub(crate) fn free_thread(&self) {
        if NEAR.take() {
            sched_setaffinity(None, &self.all).ok();
        }
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
        let crowded = running.executions >= crowd.cpus.len();
        if crowd.cpus.len() < 2 || !(crowded || home.is_narrow()) {
            drop(running);
            home.quiet += 1;
            if home.quiet > QUIET || home.wide {
                self.spread(home, processes);
            }
            return;
        }
        home.quiet = 0;
        let here = crowd.cpus.iter().position(|cpu| *cpu == sched_getcpu());
        let cpu = choose(&running.at, home.cpu.or(here));
        running.at[cpu] += 1;
        drop(running);
        self.cpu = Some(cpu);
        let moves = home.cpu.replace(cpu) != Some(cpu);
        let mut one = CpuSet::new();
        one.set(crowd.cpus[cpu]);
        if moves {
            crowd.assign(processes, &one);
        }
        if home.has_thread && (moves || !NEAR.get()) {
            NEAR.set(sched_setaffinity(None, &one).is_ok());
        }
    }

    /// Lets the instance use all CPUs: it has more to do than hand things over.
    pub(crate) fn spread(&mut self, home: &mut Home, processes: impl Iterator<Item = u32>) {
        self.leave();
        if home.cpu.take().is_some() {
            self.crowd.assign(processes, &self.crowd.all);
            self.crowd.free_thread();
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
        // Alone, but quick and one thing after the other.
        let (quick, slow) = (Duration::from_micros(80), Duration::from_millis(20));
        (0..NARROW).for_each(|_| home.ran(quick, true));
        visit.settle(&mut home, std::iter::once(other.id()));
        assert_eq!(allowed(), 1);
        home.ran(slow, true);
        visit.settle(&mut home, std::iter::once(other.id()));
        assert_eq!(allowed(), 1, "one that was held up is no matter");
        home.ran(quick, false);
        visit.settle(&mut home, std::iter::once(other.id()));
        assert_eq!(allowed(), crowd.cpus.len());
        drop(visit);
        assert_eq!(crowd.running().executions, 0);
        assert!(crowd.running().at.iter().all(|here| *here == 0));
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
