//! Calls of functions: from the machine's wish to the domain, and back with what came of it.

use crate::invocation::{Answer, Delivery, Invocation, answer_of, not_found, request_id, too_large};
use crate::message::{CallReport, HandReport, Report};
use crate::orchestrator::Orchestrator;
use crate::queue::{Queue, Underway};
use crate::timers::Due;
use faastlane_domain::{
    CallHeader, Outcome, Received, Reply, Returned, ShelfPlace, exit_now, monotonic_nanos,
};
use faastlane_machine::{Event, InvocationId, Micros, StatePath};
use faastlane_payload::Payload;
use std::sync::Arc;

/// How long a call that nobody waits for may keep its domain from others. Long enough for one that was about to end anyway; what
/// waits behind it would wait longer for another instance to come up.
const GRACE: Micros = 50_000;

/// What the machine says of an invocation, besides its function and its payload.
pub(crate) struct Wanted {
    /// The state's name.
    pub(crate) state: Arc<str>,
    pub(crate) state_deadline: Option<Micros>,
    pub(crate) wants_log: bool,
    pub(crate) path: StatePath,
}

impl Orchestrator {
    /// A Task that calls no function, and has no stand-in.
    pub(crate) fn refuse_service(&mut self, invocation: InvocationId, resource: &str) {
        let cause = format!("Nothing here answers for {resource} but a stand-in: run with --mock.");
        self.timers.set(Due::Failure(invocation, "States.Runtime".into(), cause), self.now());
    }

    pub(crate) fn invoke(&mut self, id: InvocationId, name: &Arc<str>, payload: Payload, wanted: Wanted) {
        let Some(running) = &self.running else { return };
        let Some(&function) = self.functions.get(name) else {
            let cause = not_found(name, &request_id(running.seed, id));
            self.timers.set(Due::Failure(id, "Lambda.ResourceNotFoundException".into(), cause), self.now());
            return;
        };
        let invocation = Invocation {
            id,
            function,
            state: Arc::clone(&wanted.state),
            scheduled_id: running.last_scheduled,
            state_deadline: wanted.state_deadline,
            request_id: request_id(running.seed, id),
            ahead: self.calls_ahead(id, function, &wanted),
            wants_log: wanted.wants_log,
        };
        let (domain, _) = self.places[function];
        let Some(invocation) = self.has_gone_on(domain, invocation, &payload) else { return };
        self.queues[domain].push(invocation, payload);
        self.bound_grace(domain);
        self.dispatch(domain);
    }

    /// Lets the time run that a call may still take which nobody waits for, if others wait behind it.
    fn bound_grace(&mut self, domain: usize) {
        if let Some((abandoned, since)) = self.queues[domain].held_up() {
            let due = Due::Grace(abandoned);
            self.timers.cancel(due.clone());
            self.timers.set(due, since.saturating_add(GRACE));
        }
    }

    /// A call has had its grace. If others still wait for it to end, it is left behind with the whole instance: nothing less
    /// stops native code that does not return.
    pub(crate) fn ask_for_another_instance(&mut self, abandoned: InvocationId) {
        let holds = |queue: &Queue| queue.held_up().is_some_and(|(id, _)| id == abandoned);
        if self.queues.iter().any(holds) {
            self.reporter.send(&Report::Stuck);
            self.reporter.ring();
        }
    }

    /// Calls the first in line, as long as there is a seat for it.
    pub(crate) fn dispatch(&mut self, domain: usize) {
        // Whether it is still to be called is known when the journal has been replayed.
        if self.replays() {
            return;
        }
        while let Some((seat, invocation, payload)) = self.queues[domain].pop() {
            self.call(domain, seat, invocation, payload);
        }
        self.consider_lane(domain);
    }

    fn call(&mut self, domain: usize, seat: usize, invocation: Invocation, payload: Payload) {
        let alone = !self.queues.iter().any(Queue::is_busy);
        if !alone {
            let others = self.queues.iter().enumerate().filter(|(_, queue)| queue.is_busy());
            self.lane.widen(others.map(|(at, _)| at));
        }
        let lane = self.queues[domain].seats[seat].lane;
        if lane == 0 {
            self.lane.before_call(domain, alone);
        }
        let function = &self.assignment.plan.functions[invocation.function];
        let handed_ns = monotonic_nanos();
        let now = self.micros(handed_ns);
        let own_deadline = function.timeout_seconds.map(|seconds| now + Micros::from(seconds) * 1_000_000);
        let deadline = [own_deadline, invocation.state_deadline].into_iter().flatten().min();
        let mut delivery = Delivery::of(payload);
        let event_bytes = delivery.len() as u64;
        let header = CallHeader {
            function: self.places[invocation.function].1,
            request_id: &invocation.request_id,
            deadline_ms: deadline.map_or(0, |at| at / 1000),
        };
        let id = invocation.id;
        // Before the function has its turn: it may be the last thing that this process sees.
        let state = Arc::clone(&invocation.state);
        self.reporter.send(&Report::Handed(HandReport { domain, lane, invocation: id, state }));
        let ahead = self.aheads(&invocation.ahead);
        let event = delivery.outgoing();
        let mailbox = &mut self.queues[domain].seats[seat].mailbox;
        let called = mailbox.call_run(header, &ahead, self.epoch_us, event);
        if let Err(error) = called {
            let answer = match error.kind() {
                std::io::ErrorKind::FileTooLarge => too_large(&function.name),
                _ => Answer::Failed {
                    error: "Lambda.Unknown".into(),
                    cause: format!("cannot hand the event over: {error}"),
                },
            };
            self.reporter.later(Report::Freed { domain, lane });
            if let Answer::Failed { error, cause } = answer {
                self.timers.set(Due::Failure(id, error, cause), now);
            }
            return;
        }
        if let Some(at) = own_deadline {
            self.timers.set(Due::Function(id), at);
        }
        self.expect(domain, seat, &invocation);
        let underway = Underway { invocation, abandoned: None, handed_ns, event_bytes };
        self.queues[domain].seats[seat].underway = Some(underway);
    }

    pub(crate) fn collect_replies(&mut self) -> bool {
        let mut worked = false;
        for domain in 0..self.queues.len() {
            for seat in 0..self.queues[domain].seats.len() {
                let here = &mut self.queues[domain].seats[seat];
                if here.underway.is_none() {
                    continue;
                }
                match here.mailbox.poll() {
                    Ok(Some(Reply::Returned(returned))) => {
                        worked = true;
                        here.ahead.clear();
                        self.take_back(domain, seat, returned, None);
                    }
                    Ok(Some(Reply::HandedOn(returned))) => {
                        worked = true;
                        let next = here.ahead.pop_front();
                        self.take_back(domain, seat, returned, next);
                    }
                    Ok(_) => {}
                    // Its pages cannot be taken back from it, so nothing here can go on.
                    Err(_) => exit_now(crate::FAULTED),
                }
            }
        }
        worked
    }

    /// `next` is what the domain has gone on with.
    fn take_back(&mut self, domain: usize, seat: usize, returned: Returned, next: Option<Invocation>) {
        let here = &mut self.queues[domain].seats[seat];
        let lane = here.lane;
        let Some(underway) = here.underway.take() else { return };
        // What has been handed on may have waited to be looked for.
        let received_ns = match monotonic_nanos() {
            now if next.is_some() => returned.returned_ns.clamp(underway.handed_ns, now),
            now => now,
        };
        let took_ns = returned.returned_ns.saturating_sub(returned.called_ns);
        self.queues[domain].took(took_ns, received_ns - underway.handed_ns);
        let memory_mb = self.assignment.plan.functions[underway.invocation.function].memory_mb;
        let log = underway.invocation.log(&returned, memory_mb);
        let Invocation { id: invocation, function, scheduled_id, request_id, .. } = underway.invocation;
        self.timers.cancel(Due::Function(invocation));
        let goes_on = next.is_some();
        if let Some(next) = next {
            self.begin_next(domain, seat, next, received_ns);
        }
        let running = match &self.running {
            Some(running) if underway.abandoned.is_none() => running,
            _ if goes_on => return,
            _ => {
                self.reporter.later(Report::Freed { domain, lane });
                return self.dispatch(domain);
            }
        };
        let shelved = match &returned.outcome {
            Outcome::Ok(Received::Shelved(shelved)) => Some(shelved.place()),
            _ => None,
        };
        let answer = answer_of(returned.outcome, &self.assignment.plan.functions[function].name);
        let since = |ns: u64| ns.clamp(underway.handed_ns, received_ns) - running.started_ns;
        self.reporter.later(Report::Call(CallReport {
            scheduled_id,
            function,
            domain,
            lane,
            request_id,
            handed_ns: since(underway.handed_ns),
            called_ns: since(returned.called_ns),
            returned_ns: since(returned.returned_ns),
            received_ns: since(received_ns),
            event_bytes: underway.event_bytes,
            result_bytes: match &answer {
                Answer::Succeeded(payload) => payload.len() as u64,
                Answer::Failed { cause, .. } => cause.len() as u64,
            },
        }));
        let at = self.micros(received_ns);
        let event = match (answer, log) {
            (Answer::Succeeded(output), None) => {
                Event::InvocationSucceeded { invocation, output, log: None, at }
            }
            (Answer::Succeeded(output), Some(log)) => {
                self.reporter.send(&self.log_tails.ask(invocation, (domain, lane), output, log));
                self.reporter.ring();
                return self.dispatch(domain);
            }
            (Answer::Failed { error, cause }, _) => Event::InvocationFailed { invocation, error, cause, at },
        };
        // The next call may end this process; what this one came to is kept then.
        match shelved {
            Some(ShelfPlace { slot, len }) => {
                self.shelf.share(ShelfPlace { slot, len });
                self.reporter.send(&Report::Shelved { invocation, slot, len, at });
                // The supervisor may as well read while other things are done.
                self.reporter.ring();
            }
            None => self.journal(&event),
        }
        self.dispatch(domain);
        self.fold(event);
        if goes_on {
            self.end_unwanted_run(domain, seat);
        }
    }

    /// Nobody waits for an invocation any more.
    pub(crate) fn forget(&mut self, invocation: InvocationId) {
        self.log_tails.forget(invocation);
        self.timers.forget(invocation);
        self.stand_ins.forget(invocation);
        self.abandon(invocation);
    }

    /// Gives up on an invocation; returns the timeout of its function, in seconds.
    pub(crate) fn abandon(&mut self, id: InvocationId) -> u32 {
        let now = self.now();
        for domain in 0..self.queues.len() {
            if let Some(function) = self.queues[domain].function_of(id) {
                self.queues[domain].cancel(id, now);
                self.bound_grace(domain);
                return self.assignment.plan.functions[function].timeout_seconds.unwrap_or(0);
            }
        }
        0
    }
}
