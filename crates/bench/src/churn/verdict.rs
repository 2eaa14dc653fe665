//! Whether an execution went as its definition says, whatever became of its attempts.

use super::fate::{Fate, Fault};
use super::ledger::Told;
use super::report::AttemptsKilled;
use super::workflow::{CAUGHT, MEND, RETRIES, STEPS, step_name};
use faastlane_pool::{EventRecord, Record, Status};
use serde_json::{Value, json};

/// What is to be said of one execution.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// Empty where all is right.
    pub(super) problems: Vec<String>,
    pub(super) told: Told,
    pub(super) killed: AttemptsKilled,
    /// The failure of a step was caught.
    pub(super) caught: bool,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Returned,
    /// Its process was killed.
    Signal,
    Crashed,
    TimedOut,
}

impl Outcome {
    fn of(event: &EventRecord) -> Option<Self> {
        let (error, cause) = (event.error.as_deref(), event.cause.as_deref().unwrap_or_default());
        match (event.kind, error) {
            ("LambdaFunctionSucceeded", _) => Some(Self::Returned),
            // The limit is its state's, or its function's.
            ("LambdaFunctionTimedOut", Some("States.Timeout"))
            | ("LambdaFunctionFailed", Some("Sandbox.Timedout")) => Some(Self::TimedOut),
            ("LambdaFunctionFailed", Some("Runtime.ExitError")) if cause.contains("signal: killed") => {
                Some(Self::Signal)
            }
            ("LambdaFunctionFailed", Some("Runtime.ExitError")) if cause.contains("SIGSEGV") => {
                Some(Self::Crashed)
            }
            _ => None,
        }
    }

    /// A signal can hit any attempt, and on a busy machine a second can be over before a function has done anything.
    fn may_follow_from(self, planned: Option<Fault>) -> bool {
        match self {
            Self::Returned => planned.is_none(),
            Self::Crashed => planned == Some(Fault::Crash),
            Self::Signal | Self::TimedOut => true,
        }
    }
}

/// Holds what was recorded, and the numbers of the events that were told meanwhile, against what had to happen.
pub(super) fn judge(fate: &Fate, record: &Record, told: &[u64]) -> Verdict {
    let mut reading = Reading { fate, events: &record.events, verdict: Verdict::default() };
    let end = reading.walk();
    let mut verdict = reading.verdict;
    match end {
        Ok(end) => {
            verdict.problems.extend(end.differs_from(record));
            verdict.problems.extend(calls(record, &verdict));
        }
        Err(problem) => verdict.problems.push(problem),
    }
    verdict.problems.extend(numbering(&record.events));
    if !told.iter().copied().eq(record.events.iter().map(|event| event.id)) {
        verdict.problems.push(format!("was told {} events, and has {}", told.len(), record.events.len()));
    }
    let losses = record.instances.saturating_sub(1);
    verdict.told.made_again = losses.saturating_sub(verdict.killed.by_signal + verdict.killed.by_crash);
    verdict
}

/// Numbers count from 1, and each event follows from the one before it: the first state from none, as in Step Functions.
fn numbering(events: &[EventRecord]) -> Option<String> {
    let wrong = (1..).zip(events).find(|(id, event)| {
        let previous = if *id <= 2 { 0 } else { id - 1 };
        (event.id, event.previous_id) != (*id, previous)
    });
    wrong.map(|(id, event)| format!("event {id} has the number {}, after {}", event.id, event.previous_id))
}

/// A call that came back is one attempt's.
fn calls(record: &Record, verdict: &Verdict) -> Option<String> {
    let returned: usize = record.states.iter().map(|state| state.calls.len()).sum();
    let attempts: u32 = verdict.told.attempts.iter().sum();
    let killed = verdict.killed.by_signal + verdict.killed.by_crash + verdict.killed.by_timeout;
    let succeeded = attempts.saturating_sub(killed) as usize;
    // One that was given up on a busy machine can come back later.
    let most = succeeded + verdict.killed.timeouts_not_planned as usize;
    (returned < succeeded || returned > most)
        .then(|| format!("{returned} calls came back, of {succeeded} attempts that succeeded"))
}

/// How an execution has to end.
enum End {
    Succeeded(Value),
    Failed(String),
}

impl End {
    fn differs_from(&self, record: &Record) -> Option<String> {
        match self {
            Self::Succeeded(expected) => {
                let output = record.output.as_ref().and_then(|output| output.value().ok());
                (record.status != Status::Succeeded || output != Some(expected)).then(|| {
                    format!("ended {:?} with {output:?} in place of success with {expected}", record.status)
                })
            }
            Self::Failed(expected) => {
                let as_expected = record.status == Status::Failed
                    && record.error.as_ref() == Some(expected)
                    && record.output.is_none();
                (!as_expected).then(|| {
                    format!(
                        "ended {:?} with {:?} in place of failure with {expected}",
                        record.status, record.error
                    )
                })
            }
        }
    }
}

/// A history that is read from its start.
struct Reading<'a> {
    fate: &'a Fate,
    events: &'a [EventRecord],
    verdict: Verdict,
}

impl<'a> Reading<'a> {
    fn next(&mut self) -> Result<&'a EventRecord, String> {
        let (first, rest) = self.events.split_first().ok_or("its history ends too early")?;
        self.events = rest;
        Ok(first)
    }

    fn expect(&mut self, kind: &str, state: Option<&str>) -> Result<&'a EventRecord, String> {
        let event = self.next()?;
        let of_state = state.is_none() || event.state.as_deref() == state;
        if event.kind == kind && of_state {
            return Ok(event);
        }
        let found = event.state.as_deref().unwrap_or_default();
        Err(format!(
            "event {} is {} of `{found}` in place of {kind} of `{}`",
            event.id,
            event.kind,
            state.unwrap_or_default()
        ))
    }

    /// Reads to the end; what the execution has to end with.
    fn walk(&mut self) -> Result<End, String> {
        self.expect("ExecutionStarted", None)?;
        let (mut trail, mut mended) = (Vec::new(), false);
        for step in 0..STEPS {
            match self.step(step)? {
                None => trail.push(step),
                Some(_) if step == CAUGHT => {
                    self.expect("PassStateEntered", Some(MEND))?;
                    self.expect("PassStateExited", Some(MEND))?;
                    mended = true;
                }
                Some(error) => {
                    let failed = self.expect("ExecutionFailed", None)?;
                    self.at_end()?;
                    return match failed.error.as_deref() == Some(&error) {
                        true => Ok(End::Failed(error)),
                        false => Err(format!("failed with {:?} in place of {error}", failed.error)),
                    };
                }
            }
        }
        self.expect("ExecutionSucceeded", None)?;
        self.at_end()?;
        self.verdict.caught = mended;
        let mut output = self.fate.input();
        output["trail"] = json!(trail);
        if mended {
            output["mended"] = json!(true);
        }
        Ok(End::Succeeded(output))
    }

    fn at_end(&self) -> Result<(), String> {
        self.events
            .first()
            .map_or(Ok(()), |event| Err(format!("goes on with event {}, {}", event.id, event.kind)))
    }

    /// One state with all its attempts; the error that it was left with, if it was.
    fn step(&mut self, step: usize) -> Result<Option<String>, String> {
        let name = step_name(step);
        self.expect("TaskStateEntered", Some(&name))?;
        for attempt in 0..=RETRIES[step] {
            self.expect("LambdaFunctionScheduled", Some(&name))?;
            self.expect("LambdaFunctionStarted", Some(&name))?;
            self.verdict.told.attempts[step] += 1;
            let event = self.next()?;
            let outcome = Outcome::of(event).ok_or_else(|| {
                format!("event {} is {} with {:?}: {:?}", event.id, event.kind, event.error, event.cause)
            })?;
            let planned = self.fate.planned(step, attempt as usize);
            if !outcome.may_follow_from(planned) {
                return Err(format!(
                    "attempt {attempt} of `{name}` was to be {planned:?}, and was {outcome:?}"
                ));
            }
            self.verdict.killed.count(outcome, planned);
            if outcome == Outcome::Returned {
                self.expect("TaskStateExited", Some(&name))?;
                return Ok(None);
            }
            if attempt == RETRIES[step] {
                if step == CAUGHT {
                    self.expect("TaskStateExited", Some(&name))?;
                }
                return Ok(Some(event.error.clone().unwrap_or_default()));
            }
        }
        Err(format!("`{name}` has no attempt"))
    }
}

impl AttemptsKilled {
    fn count(&mut self, outcome: Outcome, planned: Option<Fault>) {
        match outcome {
            Outcome::Returned => {}
            Outcome::Signal => self.by_signal += 1,
            Outcome::Crashed => self.by_crash += 1,
            Outcome::TimedOut => {
                self.by_timeout += 1;
                self.timeouts_not_planned += u32::from(planned != Some(Fault::Loop));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use faastlane_compose::Isolation;
    use faastlane_payload::Payload;
    use std::collections::BTreeMap;

    /// Kind, state, error and cause of an event.
    type Happened<'a> = (&'static str, Option<&'a str>, Option<&'a (&'a str, &'a str)>);

    const CRASH: (&str, &str) =
        ("Runtime.ExitError", "Runtime exited with error: SIGSEGV: function `x` crashed");
    const KILLED: (&str, &str) = ("Runtime.ExitError", "Runtime exited with error: signal: killed");

    /// The history of an execution whose steps failed so before they succeeded, or did not.
    fn record(failures: &[(usize, &[(&str, &str)])]) -> Record {
        let mut events = vec![("ExecutionStarted", None, None)];
        let (mut trail, mut failed) = (Vec::new(), None);
        let names: Vec<String> = (0..STEPS).map(step_name).collect();
        for (step, name) in names.iter().enumerate() {
            let its = failures.iter().find(|(of, _)| *of == step).map_or(&[][..], |(_, its)| its);
            events.push(("TaskStateEntered", Some(&**name), None));
            for failure in its.iter().map(Some).chain([None]).take(RETRIES[step] as usize + 1) {
                events.push(("LambdaFunctionScheduled", Some(name), None));
                events.push(("LambdaFunctionStarted", Some(name), None));
                let kind = if failure.is_some() { "LambdaFunctionFailed" } else { "LambdaFunctionSucceeded" };
                events.push((kind, Some(name), failure));
            }
            let exhausted = its.len() > RETRIES[step] as usize;
            if exhausted && step != CAUGHT {
                failed = its.last();
                break;
            }
            events.push(("TaskStateExited", Some(name), None));
            match exhausted {
                true => events
                    .extend([("PassStateEntered", Some(MEND), None), ("PassStateExited", Some(MEND), None)]),
                false => trail.push(step),
            }
        }
        events.push((if failed.is_some() { "ExecutionFailed" } else { "ExecutionSucceeded" }, None, failed));
        let mut output = json!({ "id": 1, "faults": {}, "trail": trail });
        if trail.len() < STEPS {
            output["mended"] = json!(true);
        }
        let event = |id: u64, (kind, state, error): &Happened<'_>| EventRecord {
            id,
            previous_id: if id <= 2 { 0 } else { id - 1 },
            at_us: 0,
            kind,
            state: state.map(Into::into),
            error: error.map(|(error, _)| (*error).to_owned()),
            cause: error.map(|(_, cause)| (*cause).to_owned()),
        };
        Record {
            status: if failed.is_some() { Status::Failed } else { Status::Succeeded },
            output: failed.is_none().then(|| Payload::from_value(output)),
            error: failed.map(|(error, _)| (*error).to_owned()),
            cause: None,
            violation: false,
            isolation: Isolation::Process,
            instances: 1,
            started: None,
            not_copied: None,
            no_lane: None,
            duration_us: 0,
            interaction_us: 0,
            billed_ms: 0,
            memory: None,
            functions: Vec::new(),
            states: Vec::new(),
            mocked: Vec::new(),
            events: (1..).zip(&events).map(|(id, happened)| event(id, happened)).collect(),
            logs: Vec::new(),
        }
    }

    /// All but what is said of calls, which these records have none of.
    fn problems(record: &Record, faults: &[(usize, &[Fault])]) -> Vec<String> {
        let faults: BTreeMap<usize, Vec<Fault>> =
            faults.iter().map(|(step, its)| (*step, its.to_vec())).collect();
        let told: Vec<u64> = record.events.iter().map(|event| event.id).collect();
        let mut record = record.clone();
        let input = Fate { id: 1, faults: faults.clone() }.input();
        if let Some(output) = &record.output {
            let mut output = output.value().unwrap().clone();
            output["faults"] = input["faults"].clone();
            record.output = Some(Payload::from_value(output));
        }
        let mut problems = judge(&Fate { id: 1, faults }, &record, &told).problems;
        problems.retain(|problem| !problem.contains("calls came back"));
        problems
    }

    const NONE: [String; 0] = [];

    #[test]
    fn what_happens_as_defined_is_right() {
        assert_eq!(problems(&record(&[]), &[]), NONE);
        assert_eq!(problems(&record(&[(1, &[KILLED]), (2, &[CRASH])]), &[(2, &[Fault::Crash])]), NONE);
        assert_eq!(problems(&record(&[(CAUGHT, &[KILLED, KILLED])]), &[]), NONE);
        let hopeless = [Fault::Crash; 4];
        assert_eq!(problems(&record(&[(2, &[CRASH, CRASH, CRASH, CRASH])]), &[(2, &hopeless)]), NONE);
    }

    #[test]
    fn what_was_to_go_wrong_and_did_not_is_found() {
        assert_eq!(problems(&record(&[]), &[(2, &[Fault::Crash])]).len(), 1);
        assert_eq!(problems(&record(&[(2, &[CRASH])]), &[]).len(), 1);
        assert_eq!(problems(&record(&[(0, &[("Unheard.Of", "")])]), &[]).len(), 1);
    }

    #[test]
    fn lost_and_doubled_events_are_found() {
        let right = record(&[(1, &[KILLED])]);
        for position in 0..right.events.len() {
            let mut lost = right.clone();
            lost.events.remove(position);
            assert!(!problems(&lost, &[]).is_empty(), "without event {position}");
            let mut doubled = right.clone();
            doubled.events.insert(position, right.events[position].clone());
            assert!(!problems(&doubled, &[]).is_empty(), "event {position} twice");
        }
        let told = vec![1; right.events.len()];
        assert!(!judge(&Fate { id: 1, faults: BTreeMap::new() }, &right, &told).problems.is_empty());
    }

    #[test]
    fn another_end_is_found() {
        let mut wrong = record(&[]);
        wrong.output = Some(Payload::from_value(json!({ "id": 1, "faults": {}, "trail": [0, 1, 2, 4] })));
        assert_eq!(problems(&wrong, &[]).len(), 1);
        let mut wrong = record(&[(0, &[KILLED; 4])]);
        wrong.error = Some("States.Timeout".into());
        assert_eq!(problems(&wrong, &[]).len(), 1);
    }
}
