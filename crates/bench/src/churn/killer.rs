//! Signals from outside: processes of instances, and now and then of the template, are killed at random moments.

use super::ChurnOptions;
use super::fate::{Random, SIGNALS};
use super::workflow::STEPS;
use crate::processes::children;
use faastlane_pool::Launcher;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::fs;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// One signal in so many is for a process of the template.
const TEMPLATES: usize = 50;

/// Orders signals, so many for each execution that is over. They end with this value.
pub(super) struct Killer {
    random: Random,
    /// How many signals an execution stands for.
    rate: f64,
    since: Instant,
    /// `None` once no signal is to be sent any more.
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<(usize, usize)>>,
}

struct Order {
    delay: Duration,
    of_template: bool,
    /// Which of the processes.
    draw: u64,
}

impl Killer {
    pub(super) fn start(launcher: Arc<Launcher>, options: &ChurnOptions) -> Self {
        let (orders, taken) = channel();
        Self {
            random: Random::of(options.seed, u64::MAX),
            rate: options.killed * SIGNALS * STEPS as f64,
            since: Instant::now(),
            orders: Some(orders),
            thread: Some(std::thread::spawn(move || send_signals(&launcher, &taken))),
        }
    }

    /// The delay is up to twice as long as it took from the execution before this one: any moment of an execution can be hit.
    pub(super) fn one_is_over(&mut self) {
        let gap = self.since.elapsed();
        self.since = Instant::now();
        let wanted = self.rate.floor() as usize + usize::from(self.random.part() < self.rate.fract());
        for _ in 0..wanted {
            let delay = gap.mul_f64(2.0 * self.random.part());
            let of_template = self.random.below(TEMPLATES) == 0;
            let order = Order { delay, of_template, draw: self.random.next() };
            if let Some(orders) = &self.orders {
                // It fails only when the thread panicked.
                orders.send(order).ok();
            }
        }
    }

    /// How many signals reached a process of an instance, and of the template.
    pub(super) fn end(mut self) -> (usize, usize) {
        self.orders = None;
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

fn send_signals(launcher: &Launcher, orders: &Receiver<Order>) -> (usize, usize) {
    let (mut instances, mut templates) = (0, 0);
    for order in orders {
        std::thread::sleep(order.delay);
        let template = launcher.template_processes();
        let candidates = match order.of_template {
            true => template,
            false => children().into_iter().filter(|child| !template.contains(child)).collect(),
        };
        if candidates.is_empty() {
            continue;
        }
        let process = candidates[(order.draw % candidates.len() as u64) as usize];
        if kill(process) {
            *(if order.of_template { &mut templates } else { &mut instances }) += 1;
        }
    }
    (instances, templates)
}

/// Kills a child of ours that runs. A number can be another process's by now, so it is looked at again once it is held.
fn kill(process: u32) -> bool {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    let Some(held) = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) else { return false };
    is_running_child(process) && pidfd_send_signal(&held, Signal::KILL).is_ok()
}

fn is_running_child(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let Some((_, rest)) = stat.rsplit_once(')') else { return false };
    let mut fields = rest.split_whitespace();
    let runs = fields.next().is_some_and(|state| !["Z", "X"].contains(&state));
    runs && fields.next().and_then(|parent| parent.parse().ok()) == Some(std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    #[test]
    fn only_a_child_that_runs_is_killed() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        assert!(children().contains(&child.id()));
        assert!(!kill(1) && !kill(std::process::id()));
        assert!(kill(child.id()));
        assert_eq!(child.wait().unwrap().signal(), Some(9));
        assert!(!kill(child.id()));
    }
}
