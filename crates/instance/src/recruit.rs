//! More lanes: when calls of one domain come at the same time, copies of its process take some of them.
//!
//! A hop to another process costs more than short calls take, and making the process costs more still. So a lane is wanted when
//! what waits in line would take longer than that: known from the calls that have come back, now or in earlier instances, or from the time that
//! the first has taken already.

use crate::invocation::error_and_cause;
use crate::message::Report;
use crate::orchestrator::Orchestrator;
use crate::queue::Queue;
use crate::timers::Due;
use faastlane_compose::WORTH_A_LANE_NS;
use faastlane_domain::{Mailbox, Reply};
use std::os::fd::AsFd;

impl Orchestrator {
    /// Asks for a lane if calls wait in line for `domain` and it is worth it, or looks again later.
    pub(crate) fn consider_lane(&mut self, domain: usize) {
        let queue = &self.queues[domain];
        if queue.waiting() == 0 || !self.may_have_lane(domain) {
            return;
        }
        match queue.usual {
            Some(usual) => {
                let in_line_ns = usual.busy_ns * queue.waiting() as u64 / queue.seats.len() as u64;
                if in_line_ns > WORTH_A_LANE_NS {
                    self.want_lane(domain);
                }
            }
            None => {
                let due = Due::Lane(domain);
                if !self.timers.is_set(&due) {
                    self.timers.set(due, self.now() + WORTH_A_LANE_NS / 1000);
                }
            }
        }
    }

    /// The first call has taken so long that it would have been worth a lane.
    pub(crate) fn consider_lane_again(&mut self, domain: usize) {
        let queue = &self.queues[domain];
        if queue.usual.is_none() && queue.waiting() > 0 && self.may_have_lane(domain) {
            self.want_lane(domain);
        }
    }

    /// One lane at a time is made, and no more than there are CPUs.
    fn may_have_lane(&self, domain: usize) -> bool {
        let seats = &self.queues[domain].seats;
        let most = self.most_lanes[self.assignment.plan.domains[domain].host as usize];
        seats.iter().all(|seat| seat.up) && (seats.len() as u32) < most
    }

    fn want_lane(&mut self, domain: usize) {
        let host = self.assignment.plan.domains[domain].host;
        let lane = self.queues[domain].seats.len() as u32;
        for domain in self.domains_of(host) {
            // Its processes need memory; without, it stays as it is.
            let mailbox = self
                .assignment
                .mailbox_file(domain)
                .and_then(|file| Mailbox::shared(file.as_fd(), lane, self.assignment.max_payload(), None));
            match mailbox {
                Ok(mut mailbox) => {
                    mailbox.use_shelf(&self.shelf);
                    self.queues[domain].add_seat(lane, mailbox);
                }
                Err(_) => return self.no_lane(host, lane),
            }
        }
        self.reporter.send(&Report::LaneWanted { host, lane });
        self.reporter.ring();
    }

    fn domains_of(&self, host: u32) -> Vec<usize> {
        let domains = self.assignment.plan.domains.iter().enumerate();
        domains.filter(|(_, domain)| domain.host == host).map(|(index, _)| index).collect()
    }

    /// A lane cannot be had; none is asked for any more.
    pub(crate) fn no_lane(&mut self, host: u32, lane: u32) {
        for domain in self.domains_of(host) {
            self.queues[domain].seats.retain(|seat| seat.lane != lane);
        }
        self.most_lanes[host as usize] = lane;
    }

    /// Takes in that domains of new lanes answer.
    pub(crate) fn welcome_lanes(&mut self) -> bool {
        let is_coming = |queue: &Queue| queue.seats.iter().any(|seat| !seat.up);
        let coming: Vec<usize> = (0..self.queues.len()).filter(|&at| is_coming(&self.queues[at])).collect();
        let mut worked = false;
        for domain in coming {
            let mut failed = None;
            for seat in self.queues[domain].seats.iter_mut().filter(|seat| !seat.up) {
                match seat.mailbox.poll() {
                    Ok(Some(Reply::Started)) => {
                        seat.up = true;
                        worked = true;
                    }
                    Ok(Some(Reply::StartFailed(error))) => failed = Some((seat.lane, error)),
                    Ok(_) | Err(_) => {}
                }
            }
            if let Some((lane, error)) = failed {
                let host = self.assignment.plan.domains[domain].host;
                self.reporter.send(&Report::LaneFailed {
                    host,
                    lane,
                    domain,
                    cause: error_and_cause(&error).1,
                });
                self.no_lane(host, lane);
            }
            self.dispatch(domain);
        }
        worked
    }
}
