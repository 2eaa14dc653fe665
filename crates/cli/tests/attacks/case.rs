//! An attack, and how it must end.

use crate::workflow::{Run, Workflow, fed, mpk};
use serde_json::{Value, json};
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;

/// What is told of the victim that nobody else may ever see.
const SECRET: &str = "kept-5e1f9c07d2";

/// Whether the command under test can leave out a defence that `FAASTLANE_TEST_WITHOUT` names. Builds with debug assertions
/// will; until they do, the attacks that need it are not shown to be real ones.
const HAS_SWITCHES: bool = cfg!(debug_assertions);

const KIT: &str = include_str!("kit.py");
const VICTIM: &str = include_str!("keep.py");

/// The attacker has a turn before the victim has been given its secret, and one after.
const HANDLER: &str = "def handler(event, context):\n    \
    return before() if 'early' in event and 'before' in globals() else tried(attack, event, context) if 'page' in event else None\n";

pub(crate) struct Case {
    pub(crate) id: &'static str,
    /// What the attacker does, for the table.
    pub(crate) title: &'static str,
    /// Python: a function `attack(at)`, where `at` is what the victim says of itself. It has all of `kit.py`.
    pub(crate) source: &'static str,
    /// Of `faastlane.toml`.
    pub(crate) config: &'static str,
    /// How many functions there are between the victim and it, which do nothing.
    pub(crate) between: usize,
    pub(crate) mpk: End,
    pub(crate) process: End,
    /// What stops it, for the table.
    pub(crate) defence: &'static str,
    pub(crate) proof: Proof,
}

/// How an attack must end.
#[derive(Clone, Copy)]
pub(crate) enum End {
    /// The instance ends, and the execution with `Faastlane.IsolationViolation`, which names the attacker.
    Violation,
    /// The kernel or the monitor says no; the function goes on.
    Refused,
    /// What it looks for is not there for it.
    Nothing,
    /// The attacker's own instance ends as by any crash, with `Runtime.ExitError`.
    Crash,
    /// The instance ends, in the one way or the other.
    Ends,
    /// Whatever comes of it comes to its own process, or its own result.
    Contained,
    /// Not an attack: it must work.
    Works,
    /// It succeeds to this day, for the reason given.
    Open(&'static str),
}

/// How it is shown that the attack is a real one, which succeeds where its defence is missing.
pub(crate) enum Proof {
    /// It succeeds under `--isolation none`.
    Unisolated,
    /// It succeeds against a function of its own trust group.
    SameDomain,
    /// It succeeds without these defences.
    Without(&'static str),
    /// It succeeds without these defences, under this isolation. Under the others it needs no defence.
    WithoutIn(&'static str, &'static str),
    /// It is not shown, for the reason given.
    Missing(&'static str),
}

/// How an attack ended.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    Violation,
    Refused,
    Nothing,
    Crashed,
    /// What it returned could not be read by the function that it was for.
    Damaged,
    /// It returned something that it should not have.
    Got,
    /// The victim's secret came out, or something of the victim's changed, or the victim died of it.
    Harmed(String),
    /// Neither of these: the attack itself is wrong.
    Unclear(String),
}

impl Ended {
    fn of(run: &Run) -> Self {
        let told = format!("{}{}", run.report, run.stderr);
        if told.contains(SECRET) {
            return Self::Harmed("the secret came out".into());
        }
        let output = &run.report["output"];
        match run.exit {
            Some(105) => Self::Violation,
            Some(100) if run.report["error"] == "Runtime.ExitError" => match last_state(run) {
                Some("ATTACK") => Self::Crashed,
                other => Self::Harmed(format!("the instance died in {other:?}")),
            },
            Some(100) if run.report["error"] == "Runtime.UnmarshalError" => Self::Damaged,
            Some(0) if output["changed"] != json!([]) => {
                Self::Harmed(format!("changed: {}", output["changed"]))
            }
            Some(0) => Self::of_attempt(&output["attack"]),
            _ => Self::Unclear(told),
        }
    }

    /// What `tried` in `kit.py` returned.
    fn of_attempt(attempt: &Value) -> Self {
        match (attempt["refused"].as_str(), &attempt["got"]) {
            (Some("EPERM" | "EACCES" | "ENOSYS"), _) => Self::Refused,
            (Some("EFAULT" | "ENOMEM" | "EBADF" | "ESRCH"), _) | (None, Value::Null) => Self::Nothing,
            (Some(_), _) => Self::Unclear(attempt.to_string()),
            (None, _) => Self::Got,
        }
    }

    fn is_success(&self) -> bool {
        matches!(self, Self::Got | Self::Harmed(_))
    }
}

/// The state that was entered last.
fn last_state(run: &Run) -> Option<&str> {
    run.report["states"].as_array()?.last()?["name"].as_str()
}

impl End {
    fn is(self, ended: &Ended) -> bool {
        match self {
            Self::Violation => *ended == Ended::Violation,
            Self::Refused => *ended == Ended::Refused,
            Self::Nothing => *ended == Ended::Nothing,
            Self::Crash => *ended == Ended::Crashed,
            Self::Ends => matches!(ended, Ended::Violation | Ended::Crashed),
            Self::Contained => {
                matches!(
                    ended,
                    Ended::Refused | Ended::Nothing | Ended::Crashed | Ended::Damaged | Ended::Got
                )
            }
            Self::Works => *ended == Ended::Got,
            Self::Open(_) => ended.is_success(),
        }
    }

    /// For the table.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Violation => "violation",
            Self::Refused => "refused",
            Self::Nothing => "finds nothing",
            Self::Crash => "crash of its own",
            Self::Ends => "instance ends",
            Self::Contained => "harms only itself",
            Self::Works => "works",
            Self::Open(_) => "**open**",
        }
    }

    pub(crate) fn reason(self) -> Option<&'static str> {
        if let Self::Open(reason) = self { Some(reason) } else { None }
    }
}

impl Proof {
    /// For the table.
    pub(crate) fn words(&self) -> String {
        let names =
            |names: &str| names.split(',').map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        match self {
            Self::Unisolated => "`--isolation none`".into(),
            Self::SameDomain => "one trust group".into(),
            Self::Without(_) | Self::WithoutIn(..) if !HAS_SWITCHES => "not shown yet".into(),
            Self::Without(without) => format!("without {}", names(without)),
            Self::WithoutIn(isolation, without) => format!("without {} ({isolation})", names(without)),
            Self::Missing(reason) => (*reason).into(),
        }
    }
}

impl Case {
    /// Runs it under each isolation that this host has, and then where its defence is missing.
    pub(crate) fn check(&self) {
        for (isolation, expected) in [("process", self.process), ("mpk", self.mpk)] {
            if is_under_test(isolation) {
                self.ends_as(isolation, expected);
            }
        }
        match self.proof {
            Proof::Unisolated if is_under_test("none") => self.succeeds("none", &self.workflow(), None),
            Proof::SameDomain if is_under_test("process") => {
                let friends = self.workflow().config("[trust]\nfriends = [\"keep\", \"attack\"]\n");
                self.succeeds("process", &friends, None);
            }
            Proof::Without(defences) => {
                for isolation in ["process", "mpk"] {
                    self.succeeds_without(isolation, defences);
                }
            }
            Proof::WithoutIn(isolation, defences) => self.succeeds_without(isolation, defences),
            Proof::Unisolated | Proof::SameDomain | Proof::Missing(_) => {}
        }
    }

    fn ends_as(&self, isolation: &str, expected: End) {
        let run = attacked(&self.workflow(), isolation, None);
        let ended = Ended::of(&run);
        assert!(
            expected.is(&ended),
            "{} ({}) under {isolation}: {ended:?}, not {}\n{run:#?}",
            self.id,
            self.title,
            expected.words()
        );
        if ended == Ended::Violation {
            let (error, cause) = run.error();
            assert_eq!(error, "Faastlane.IsolationViolation", "{cause}");
            // Who wrote what all can write is not known.
            let blamed = ["function `attack` ", "a function made up "];
            assert!(blamed.iter().any(|begin| cause.starts_with(begin)), "{}: {cause}", self.id);
        }
    }

    fn succeeds(&self, isolation: &str, workflow: &Workflow, without: Option<&str>) {
        let run = attacked(workflow, isolation, without);
        let ended = Ended::of(&run);
        assert!(
            ended.is_success(),
            "{} ({}) under {isolation} without {without:?} should have succeeded: {ended:?}\n{run:#?}",
            self.id,
            self.title
        );
    }

    fn succeeds_without(&self, isolation: &str, defences: &str) {
        // Only root has capabilities to leave to a function. For others the kernel itself stops such an attack.
        let possible = !defences.contains("capabilities") || is_root();
        if HAS_SWITCHES && possible && is_under_test(isolation) {
            self.succeeds(isolation, &self.workflow(), Some(defences));
        }
    }

    fn workflow(&self) -> Workflow {
        let attack = format!("from kit import *\n{}\n{HANDLER}", undented(self.source));
        workflow(&attack, self.between).config(self.config)
    }
}

fn workflow(attack: &str, between: usize) -> Workflow {
    let early = json!({ "Type": "Task", "Resource": "attack", "Parameters": { "early": true }, "ResultPath": null,
        "Next": "KEEP" });
    let task = |name: &str, next: &str| json!({ "Type": "Task", "Resource": name, "Next": next });
    let others: Vec<String> = (0..between).map(|number| format!("other{number}")).collect();
    let next = |number: usize| others.get(number).map_or("ATTACK", String::as_str);
    // Functions are placed in the order of their states.
    let mut states = serde_json::Map::new();
    if between == 0 {
        states.insert("EARLY".into(), early);
    }
    states.insert("KEEP".into(), task("keep", next(0)));
    for (number, other) in others.iter().enumerate() {
        states.insert(other.clone(), task(other, next(number + 1)));
    }
    states.insert("ATTACK".into(), task("attack", "CHECK"));
    states.insert("CHECK".into(), json!({ "Type": "Task", "Resource": "keep", "End": true }));
    let start = if between == 0 { "EARLY" } else { "KEEP" };
    let workflow = Workflow::new(&json!({ "StartAt": start, "States": states }));
    let workflow = workflow.functions(&[("keep", VICTIM), ("attack", attack), ("kit", KIT)]);
    let passes_on = "def handler(event, context): return event\n";
    others.iter().fold(workflow, |workflow, other| workflow.functions(&[(other, passes_on)]))
}

/// Runs all cases after which a function goes on, one after the other in one function: none makes way for another.
pub(crate) fn check_together(cases: &[&'static Case], isolation: &str, end: impl Fn(&Case) -> End) {
    if !is_under_test(isolation) {
        return;
    }
    let is_quiet = |case: &Case| matches!(end(case), End::Refused | End::Nothing | End::Works);
    let quiet: Vec<&&Case> = cases.iter().filter(|case| is_quiet(case) && case.config.is_empty()).collect();
    let names: Vec<&str> = quiet.iter().map(|case| case.id).collect();
    let attack = format!(
        "import {}\nfrom kit import tried\ndef handler(event, context):\n    \
             return {{each.__name__: each.handler(dict(event), context) for each in [{0}]}}\n",
        names.join(", ")
    );
    let workflow = quiet.iter().fold(workflow(&attack, 0), |workflow, case| {
        let code = format!("from kit import *\n{}\n{HANDLER}", undented(case.source));
        workflow.file(&format!("functions/{}.py", case.id), code)
    });
    let run = attacked(&workflow, isolation, None);
    let output = run.output();
    assert_eq!(output["changed"], json!([]), "{run:#?}");
    assert!(!format!("{}{}", run.report, run.stderr).contains(SECRET), "{run:#?}");
    let wrong: Vec<String> = quiet
        .iter()
        .map(|case| (case, Ended::of_attempt(&output["attack"][case.id])))
        .filter(|(case, ended)| !end(case).is(ended))
        .map(|(case, ended)| format!("{} ({}): {ended:?}, not {}", case.id, case.title, end(case).words()))
        .collect();
    assert!(wrong.is_empty(), "under {isolation}: {wrong:#?}");
}

fn attacked(workflow: &Workflow, isolation: &str, without: Option<&str>) -> Run {
    let mut command = workflow.command();
    command.args(["--json", "--isolation", isolation, "--input", "-"]);
    if let Some(defences) = without {
        command.env("FAASTLANE_TEST_WITHOUT", defences);
    }
    // Small payloads are copied and large ones move with their pages: this one is large.
    let input = json!({ "secret": SECRET, "more": SECRET.repeat(10_000) });
    Run::of(fed(&mut command, input.to_string().as_bytes()))
}

/// Whether this host has the isolation, and `FAASTLANE_ATTACKS_UNDER` names no other one: an emulated machine has time for one.
pub(crate) fn is_under_test(isolation: &str) -> bool {
    static KEYS: OnceLock<bool> = OnceLock::new();
    let wanted = std::env::var("FAASTLANE_ATTACKS_UNDER").map_or(true, |only| only == isolation);
    wanted && (isolation != "mpk" || *KEYS.get_or_init(mpk))
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// Python that is written at the depth of the Rust around it.
fn undented(source: &str) -> String {
    let lines = || source.lines().filter(|line| !line.trim().is_empty());
    let depth = lines().map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    lines().map(|line| format!("{}\n", &line[depth..])).collect()
}

/// Cases, and a test for each.
macro_rules! attacks {
    ($($id:ident: $title:literal {
        $source:literal $(with: $config:literal,)? $(between: $between:literal,)?
        mpk: $mpk:expr, process: $process:expr, by: $defence:literal, real: $proof:expr $(,)?
    })*) => {
        pub(crate) const CASES: &[$crate::case::Case] = &[$(
            $crate::case::Case {
                id: stringify!($id), title: $title, source: $source, config: concat!($($config)?), between: 0 $(+ $between)?,
                mpk: $mpk, process: $process, defence: $defence, proof: $proof,
            }
        ),*];
        $(
            #[test]
            fn $id() {
                CASES.iter().find(|case| case.id == stringify!($id)).unwrap().check();
            }
        )*
    };
}
pub(crate) use attacks;
