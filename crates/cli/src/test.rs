//! `faastlane test`: the cases of a folder, each one an execution whose end is compared with what is expected.
//!
//! `discovery` finds the cases and `case` reads them, `expectation` compares, `verdict` says what came of it, `update`
//! writes it down. A case is run as `faastlane run` runs it.

mod case;
mod discovery;
mod expectation;
mod update;
mod verdict;

use crate::args::TestArguments;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::run::{self, say};
use crate::run_failure::of_instance;
use crate::surroundings::surroundings;
use crate::terminal::Terminal;
use crate::{host, render_diagnostic, waterfall};
use case::Case;
use discovery::Found;
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_compose::{Host, Surroundings};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};
use verdict::{Notes, Outcome, Verdict, colored};

pub(crate) fn execute(arguments: &TestArguments) -> anyhow::Result<Exit> {
    let begin = Instant::now();
    let cases = match discovery::find(&arguments.path).and_then(|cases| chosen(cases, arguments)) {
        Ok(cases) => cases,
        Err(finding) => return refuse(arguments, *finding),
    };
    let suite = Suite {
        cases: &cases,
        next: AtomicUsize::new(0),
        surroundings: surroundings(arguments.settings.overrides()),
        host: host::probe(),
        interrupt: Interrupt::listen()?,
        update: arguments.update,
    };
    let verdicts = suite.run(arguments)?;
    let took = begin.elapsed();
    let exit = exit_of(&verdicts, &suite.interrupt);
    if arguments.json {
        say(&report(&verdicts, cases.len(), took))?;
    } else {
        print_summary(&verdicts, cases.len(), took)?;
    }
    Ok(exit)
}

fn chosen(cases: Vec<Found>, arguments: &TestArguments) -> Result<Vec<Found>, Box<Diagnostic>> {
    let filters = &arguments.filter;
    let wanted = |found: &Found| filters.is_empty() || filters.iter().any(|text| found.name.contains(text));
    let (chosen, left): (Vec<_>, Vec<_>) = cases.into_iter().partition(wanted);
    if chosen.is_empty() {
        let message = format!("no test case has `{}` in its name", filters.join("` or `"));
        let hint =
            format!("There are {}, such as `{}`.", left.len(), left.first().map_or("", |found| &found.name));
        return Err(Box::new(Diagnostic::error(discovery::NO_CASES, message).hint(hint)));
    }
    Ok(chosen)
}

fn refuse(arguments: &TestArguments, finding: Diagnostic) -> anyhow::Result<Exit> {
    let findings = [finding];
    if arguments.json {
        say(&json!({ "format_version": 1, "diagnostics": render_diagnostic::to_json(&findings) }))?;
    } else {
        render_diagnostic::print(&findings)?;
    }
    Ok(Exit::for_findings(&findings))
}

/// What the threads that run cases share.
struct Suite<'c> {
    cases: &'c [Found],
    /// The first case that nobody has taken yet.
    next: AtomicUsize,
    surroundings: Surroundings,
    host: Host,
    interrupt: Interrupt,
    update: bool,
}

impl Suite<'_> {
    /// Runs all cases, and says what comes of each as soon as it is known. The verdicts are in the order of the cases.
    fn run(&self, arguments: &TestArguments) -> io::Result<Vec<Verdict>> {
        let cpus = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let jobs = arguments.jobs.map_or(cpus, NonZeroUsize::get).min(self.cases.len());
        let (send, receive) = channel();
        std::thread::scope(|scope| {
            for _ in 0..jobs {
                let send = send.clone();
                // An instance ends with the thread that started it, so each thread brings its cases to their end.
                scope.spawn(move || self.work(&send));
            }
            drop(send);
            let mut verdicts = Vec::new();
            for (index, verdict) in receive {
                if !arguments.json {
                    let terminal = Terminal::stderr();
                    let said = verdict.line(terminal) + &verdict.details(terminal);
                    io::stderr().lock().write_all(said.as_bytes())?;
                }
                verdicts.push((index, verdict));
            }
            verdicts.sort_by_key(|(index, _)| *index);
            Ok(verdicts.into_iter().map(|(_, verdict)| verdict).collect())
        })
    }

    fn work(&self, send: &Sender<(usize, Verdict)>) {
        while !self.interrupt.came() {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(found) = self.cases.get(index) else { return };
            // Nobody listens any more when what was said could not be written.
            if send.send((index, self.verdict(found))).is_err() {
                return;
            }
        }
    }

    fn verdict(&self, found: &Found) -> Verdict {
        let begin = Instant::now();
        let mut notes = Notes::default();
        let result = match &found.case {
            Ok(Case { skip: Some(reason), .. }) => Outcome::Skipped(reason.clone()),
            Ok(case) => self.outcome(case, &mut notes).unwrap_or_else(|findings| Outcome::Error {
                malformed: findings.iter().any(|finding| finding.code.starts_with("FL05")),
                findings,
            }),
            Err(findings) => Outcome::Error { findings: findings.clone(), malformed: true },
        };
        let file = found.file.display().to_string();
        Verdict { name: found.name.clone(), file, took: begin.elapsed(), result, notes }
    }

    fn outcome(&self, case: &Case, notes: &mut Notes) -> Result<Outcome, Vec<Diagnostic>> {
        if case.expect.is_none() && !self.update {
            let finding = Diagnostic::error(case::BAD_CASE, "the test case expects nothing");
            let hint = "Write `expect`, or let `faastlane test --update` write what comes out.";
            return Err(vec![finding.at(&case.source, case.root).hint(hint)]);
        }
        let path = match &case.workflow {
            Some(named) => named.clone(),
            None => discovery::workflow_around(&case.file).ok_or_else(|| {
                let finding = Diagnostic::error(case::BAD_CASE, "the test case belongs to no workflow");
                let hint =
                    "Put it into the workflow's folder, or name the workflow: `\"workflow\": \"PATH\"`.";
                vec![finding.at(&case.source, case.root).hint(hint)]
            })?,
        };
        let surroundings = Surroundings { mocks: case.mocks.clone(), ..self.surroundings.clone() };
        let begin = Instant::now();
        let (workflow, plan, input) =
            run::prepare(&path, &surroundings, Ok(case.input.clone()), &self.host, &mut notes.warnings)?;
        let ran = run::run(&workflow, &plan, &input, case.time_scale, None, &self.interrupt, begin)
            .map_err(|failure| vec![of_instance(&failure.error, &workflow, &plan).0])?;
        let lines =
            ran.logs.iter().map(|line| (waterfall::function_of(&plan, line).to_owned(), line.text.clone()));
        notes.printed.extend(lines);
        let actual = expectation::actual(&ran.record);
        let difference = case.expect.as_ref().map(|expect| expect.difference(&actual));
        match difference {
            Some(None) => Ok(Outcome::Passed),
            // What an interrupted execution came to is nothing to expect.
            _ if self.update && !self.interrupt.came() => {
                let expect = expectation::updated(case.expect.as_ref(), &actual);
                update::write(case, &expect).map_err(|finding| vec![*finding])?;
                Ok(Outcome::Updated)
            }
            Some(Some(difference)) => Ok(Outcome::Failed(Box::new(difference))),
            None => Ok(Outcome::Skipped("interrupted".to_owned())),
        }
    }
}

fn exit_of(verdicts: &[Verdict], interrupt: &Interrupt) -> Exit {
    let any = |wanted: fn(&Outcome) -> bool| verdicts.iter().any(|verdict| wanted(&verdict.result));
    if interrupt.came() {
        Exit::Interrupted
    } else if any(|result| matches!(result, Outcome::Error { malformed: true, .. })) {
        Exit::Usage
    } else if any(Outcome::is_failure) {
        Exit::ExecutionFailed
    } else {
        Exit::Succeeded
    }
}

/// How many cases came to what.
struct Counts {
    run: usize,
    passed: usize,
    updated: usize,
    failed: usize,
    skipped: usize,
    /// An interrupt came first.
    not_run: usize,
}

impl Counts {
    fn of(verdicts: &[Verdict], cases: usize) -> Self {
        let count =
            |wanted: fn(&Outcome) -> bool| verdicts.iter().filter(|verdict| wanted(&verdict.result)).count();
        let skipped = count(|result| matches!(result, Outcome::Skipped(_)));
        Self {
            run: verdicts.len() - skipped,
            passed: count(|result| matches!(result, Outcome::Passed)),
            updated: count(|result| matches!(result, Outcome::Updated)),
            failed: count(Outcome::is_failure),
            skipped,
            not_run: cases - verdicts.len(),
        }
    }
}

fn print_summary(verdicts: &[Verdict], cases: usize, took: Duration) -> io::Result<()> {
    let terminal = Terminal::stderr();
    let counts = Counts::of(verdicts, cases);
    let plural = if counts.run == 1 { "" } else { "s" };
    let mut parts = vec![format!("{} passed", counts.passed)];
    for (count, word) in [
        (counts.failed, "failed"),
        (counts.updated, "updated"),
        (counts.skipped, "skipped"),
        (counts.not_run, "not run"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    let word =
        colored(terminal, if counts.failed == 0 { "32;1" } else { "31;1" }, &format!("{:>8}", "Summary"));
    let mut text = format!("{:-<12}\n", "");
    let (seconds, parts) = (took.as_secs_f64(), parts.join(", "));
    text.push_str(&format!("{word} [{seconds:>8.3}s] {} test{plural} run: {parts}\n", counts.run));
    let failed = verdicts.iter().filter(|verdict| verdict.result.is_failure());
    text.extend(failed.map(|verdict| verdict.line(terminal)));
    io::stderr().lock().write_all(text.as_bytes())
}

fn report(verdicts: &[Verdict], cases: usize, took: Duration) -> Value {
    let counts = Counts::of(verdicts, cases);
    json!({
        "format_version": 1,
        "summary": {
            "run": counts.run,
            "passed": counts.passed,
            "failed": counts.failed,
            "updated": counts.updated,
            "skipped": counts.skipped,
            "not_run": counts.not_run,
            "duration_us": took.as_micros() as u64,
        },
        "tests": verdicts.iter().map(Verdict::to_json).collect::<Vec<_>>(),
    })
}
