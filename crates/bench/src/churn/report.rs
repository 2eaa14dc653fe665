//! What `faastlane bench churn` found: plain data, as `--json` prints it.

use super::ChurnOptions;
use super::fate::Fate;
use super::ledger::Told;
use super::verdict::judge;
use crate::report::Heading;
use faastlane_compose::Isolation;
use faastlane_pool::{Completion, Status};
use serde::Serialize;
use std::collections::BTreeSet;
use std::time::Duration;

/// `faastlane bench churn --json`.
#[derive(Clone, Debug, Serialize)]
pub struct ChurnReport {
    #[serde(flatten)]
    pub heading: Heading,
    pub isolation: Isolation,
    pub seed: u64,
    pub concurrency: usize,
    /// What part of the attempts was to be killed, 0 to 1.
    pub killed: f64,
    /// As many as were asked for, or as there was time for.
    pub executions: usize,
    pub succeeded: usize,
    /// Because an attempt failed that had no retry left, and no Catch.
    pub failed: usize,
    /// Those that succeeded through the Catch.
    pub caught: usize,
    /// Of functions, retries included.
    pub attempts: u64,
    pub attempts_killed: AttemptsKilled,
    /// Processes of instances that were killed, whether they had an attempt under way or not; and of the template.
    pub signals: usize,
    pub template_signals: usize,
    pub instances_made: u64,
    pub seconds: f64,
    pub executions_per_second: f64,
    pub left_over: Vec<LeftOver>,
    /// How much is wrong; 0 is what it should be.
    pub wrong: usize,
    /// The first of what is wrong.
    pub findings: Vec<String>,
}

/// How attempts ended that did not return.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AttemptsKilled {
    pub by_signal: u32,
    pub by_crash: u32,
    pub by_timeout: u32,
    /// Those of the last that no function looped for: a busy machine's, or because another process of the instance was killed.
    pub timeouts_not_planned: u32,
}

/// What there is more of than before, or is not.
#[derive(Clone, Debug, Serialize)]
pub struct LeftOver {
    pub what: &'static str,
    pub before: usize,
    pub after: usize,
    /// So many more are no leak.
    pub more_allowed: usize,
    pub within_bound: bool,
}

impl LeftOver {
    pub(super) fn finding(&self) -> Option<String> {
        let Self { what, before, after, .. } = self;
        (!self.within_bound).then(|| format!("{what}: {before} before, {after} after"))
    }
}

/// How much of what is wrong a report names.
const NAMED: usize = 20;

/// What is known of the executions that are over.
pub(super) struct Tally {
    executions: usize,
    succeeded: usize,
    failed: usize,
    caught: usize,
    killed: AttemptsKilled,
    pub(super) signals: usize,
    pub(super) template_signals: usize,
    pub(super) instances_made: u64,
    pub(super) took: Duration,
    pub(super) problems: Vec<String>,
    /// By the numbers of executions that have a record.
    pub(super) told: Vec<(u64, Told)>,
    /// Those that have none.
    pub(super) lost: BTreeSet<u64>,
}

impl Tally {
    pub(super) fn new(executions: usize) -> Self {
        Self {
            executions: 0,
            succeeded: 0,
            failed: 0,
            caught: 0,
            killed: AttemptsKilled::default(),
            signals: 0,
            template_signals: 0,
            instances_made: 0,
            took: Duration::ZERO,
            problems: Vec::new(),
            told: Vec::with_capacity(executions),
            lost: BTreeSet::new(),
        }
    }

    pub(super) fn add(&mut self, fate: Fate, completion: Completion, told: &[u64]) {
        self.executions += 1;
        let record = match completion.outcome {
            Ok(record) => record,
            Err(error) => {
                self.lost.insert(fate.id);
                self.problems.push(format!("execution {} is lost: {error}", fate.id));
                return;
            }
        };
        let verdict = judge(&fate, &record, told);
        self.succeeded += usize::from(record.status == Status::Succeeded);
        self.failed += usize::from(record.status == Status::Failed);
        self.caught += usize::from(verdict.caught);
        self.killed.by_signal += verdict.killed.by_signal;
        self.killed.by_crash += verdict.killed.by_crash;
        self.killed.by_timeout += verdict.killed.by_timeout;
        self.killed.timeouts_not_planned += verdict.killed.timeouts_not_planned;
        let problems = verdict.problems.into_iter();
        self.problems.extend(problems.map(|problem| format!("execution {}: {problem}", fate.id)));
        self.told.push((fate.id, verdict.told));
    }

    /// For whoever waits.
    pub(super) fn line(&self, of: usize) -> String {
        let AttemptsKilled { by_signal, by_crash, by_timeout, .. } = self.killed;
        format!(
            "{} of {of} executions; attempts killed: {by_signal} by signals, {by_crash} by crashes, {by_timeout} by timeouts; {} wrong",
            self.executions,
            self.problems.len()
        )
    }

    fn attempts(&self) -> u64 {
        self.told.iter().flat_map(|(_, told)| told.attempts).map(u64::from).sum()
    }
}

impl ChurnReport {
    pub(super) fn new(
        heading: Heading,
        isolation: Isolation,
        options: &ChurnOptions,
        tally: Tally,
        left_over: Vec<LeftOver>,
    ) -> Self {
        let attempts = tally.attempts();
        let seconds = tally.took.as_secs_f64();
        let mut findings = tally.problems;
        findings.extend(left_over.iter().filter_map(LeftOver::finding));
        let wrong = findings.len();
        findings.truncate(NAMED);
        Self {
            heading,
            isolation,
            seed: options.seed,
            concurrency: options.concurrency.get(),
            killed: options.killed,
            executions: tally.executions,
            succeeded: tally.succeeded,
            failed: tally.failed,
            caught: tally.caught,
            attempts,
            attempts_killed: tally.killed,
            signals: tally.signals,
            template_signals: tally.template_signals,
            instances_made: tally.instances_made,
            seconds,
            executions_per_second: tally.executions as f64 / seconds.max(f64::EPSILON),
            left_over,
            wrong,
            findings,
        }
    }
}
