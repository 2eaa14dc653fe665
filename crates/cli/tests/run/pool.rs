//! The pool as a library: what the command and a server drive.

use crate::processes::until;
use crate::workflow::{Workflow, chain, faastlane, parse, text};
use faastlane_asl::source::Source;
use faastlane_compose::Plan;
use faastlane_payload::Payload;
use faastlane_pool::{InstanceError, Launcher, Pool, PoolLimits, Record, Status, Stores, Submission, Ticket};
use serde_json::{Value, json};
use std::fs;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

/// A pool of instances of a workflow, and what interrupts it.
pub(crate) fn pool(
    workflow: &Workflow,
    most: usize,
    queue: usize,
    keep_warm: Duration,
) -> (Pool, Arc<AtomicBool>) {
    let output = faastlane().args(["plan", "--json"]).arg(workflow.path(".")).output().unwrap();
    let report = parse(&text(&output.stdout)).unwrap();
    let plan: Plan = serde_json::from_value(report["plan"].clone()).unwrap();
    let definition = fs::read_to_string(workflow.path("workflow.asl.json")).unwrap();
    let definition = Source::new("workflow.asl.json", definition);
    let launcher = Launcher::new(env!("CARGO_BIN_EXE_faastlane").into(), plan, definition);
    let limits = PoolLimits { most: NonZeroUsize::new(most).unwrap(), queue, keep_warm };
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    (Pool::new(Arc::new(launcher), limits, move || flag.load(Ordering::Relaxed)), interrupted)
}

pub(crate) fn submission(input: Value) -> Submission {
    Submission {
        name: "test".to_owned(),
        input: Payload::from_value(input),
        seed: 1,
        time_scale: 1.0,
        history: None,
        stores: Arc::new(Stores::default()),
    }
}

pub(crate) fn output(ticket: Ticket) -> Value {
    let record: Record = ticket.wait().outcome.unwrap();
    assert_eq!(record.status, Status::Succeeded, "{record:#?}");
    record.output.unwrap().value().unwrap().clone()
}

/// A function that says that it has begun, stays until it may go if the input names a gate, and returns its process.
fn gated() -> Workflow {
    let workflow = Workflow::new(&chain(&["gated"]));
    let marks = workflow.path("marks");
    let code = format!(
        "import os, time\n\
         def handler(event, context):\n    \
             if event:\n        \
                 open(os.path.join({marks:?}, event + '-begun'), 'w').close()\n        \
                 while not os.path.exists(os.path.join({marks:?}, event)): time.sleep(0.001)\n    \
             return os.getpid()\n"
    );
    workflow
        .file("marks/empty", "")
        .config("[functions.gated]\nwritable_files = [\"marks\"]\n")
        .file("functions/gated.py", code)
}

fn open_gate(workflow: &Workflow, gate: &str) {
    fs::write(workflow.path("marks").join(gate), "").unwrap();
}

fn await_begin(workflow: &Workflow, gate: &str) {
    let begun = workflow.path("marks").join(format!("{gate}-begun"));
    until("an execution has begun", || begun.exists());
}

#[test]
fn more_than_may_wait_is_refused() {
    let workflow = gated();
    let (pool, _) = pool(&workflow, 1, 1, Duration::MAX);
    let first = pool.submit(submission(json!("a"))).unwrap();
    await_begin(&workflow, "a");
    let second = pool.submit(submission(Value::Null)).unwrap();
    let refused = pool.submit(submission(Value::Null)).unwrap_err();
    assert_eq!((refused.running, refused.waiting), (1, 1));
    assert!(refused.to_string().starts_with("too many requests: 1 executions run, and 1 wait"), "{refused}");
    open_gate(&workflow, "a");
    let (first, second) = (first.wait(), second.wait());
    assert!(first.cold_start.is_some() && second.cold_start.is_none());
    assert!(second.outcome.is_ok() && second.waited > Duration::ZERO);
    // Free again.
    output(pool.submit(submission(Value::Null)).unwrap());
    let counts = pool.counts();
    assert_eq!((counts.cold, counts.warm, counts.refused), (1, 2, 1), "{counts:?}");
    assert_eq!((counts.running, counts.waiting, counts.peak_instances), (0, 0, 1), "{counts:?}");
}

#[test]
fn an_instance_that_is_being_started_takes_its_own_work() {
    let workflow = gated();
    // None may wait, but for those that an instance is started for.
    let (pool, _) = pool(&workflow, 2, 0, Duration::MAX);
    let tickets = ["a", "b"].map(|gate| pool.submit(submission(json!(gate))).unwrap());
    assert!(pool.submit(submission(Value::Null)).is_err());
    ["a", "b"].iter().for_each(|gate| await_begin(&workflow, gate));
    ["a", "b"].iter().for_each(|gate| open_gate(&workflow, gate));
    let [first, second] = tickets.map(output);
    assert_ne!(first, second, "each in an instance of its own");
}

#[test]
fn the_warmest_instance_is_picked_and_all_end_in_time() {
    let workflow = gated();
    let (warm, _) = pool(&workflow, 2, 0, Duration::MAX);
    let tickets = ["a", "b"].map(|gate| warm.submit(submission(json!(gate))).unwrap());
    ["a", "b"].iter().for_each(|gate| await_begin(&workflow, gate));
    let mut tickets = tickets.into_iter();
    for gate in ["a", "b"] {
        open_gate(&workflow, gate);
        let last = output(tickets.next().unwrap());
        if gate == "b" {
            for _ in 0..4 {
                assert_eq!(output(warm.submit(submission(Value::Null)).unwrap()), last);
            }
        }
    }
    assert_eq!(warm.counts().instances, 2);

    let (brief, _) = pool(&workflow, 2, 0, Duration::ZERO);
    output(brief.submit(submission(Value::Null)).unwrap());
    until("the pool has shrunk to nothing", || brief.counts().instances == 0);
    output(brief.submit(submission(Value::Null)).unwrap());
    assert_eq!(brief.counts().cold, 2);
}

#[test]
fn each_record_has_the_lines_of_its_own_execution() {
    let print = "def handler(event, context):\n    print(context.function_name, event)\n    return event\n";
    let workflow = Workflow::chain(&[("first", print), ("second", print)]);
    let (pool, _) = pool(&workflow, 1, 0, Duration::MAX);
    for round in 0..20 {
        let record = pool.submit(submission(json!(round))).unwrap().wait().outcome.unwrap();
        let mut printed: Vec<_> = record.logs.iter().map(|line| line.text.as_str()).collect();
        printed.sort_unstable();
        assert_eq!(printed, [format!("first {round}"), format!("second {round}")]);
    }
    assert_eq!(pool.close(), []);
}

#[test]
fn a_pool_survives_instances_that_do_not_come_up() {
    let workflow = Workflow::new(&chain(&["needs"]));
    let needed = workflow.path("marks/needed");
    let code =
        format!("print('looking')\nopen({needed:?}).close()\ndef handler(event, context): return 'up'\n");
    let workflow = workflow
        .file("marks/empty", "")
        .config("[functions.needs]\nfiles = [\"marks\"]\n")
        .file("functions/needs.py", code);
    let (pool, _) = pool(&workflow, 1, 2, Duration::MAX);
    let tickets = [0, 1, 2].map(|_| pool.submit(submission(Value::Null)).unwrap());
    for ticket in tickets {
        let failure = ticket.wait().outcome.unwrap_err();
        assert!(matches!(failure.error, InstanceError::SetUp(_)), "{failure:?}");
        assert_eq!(failure.logs[0].text, "looking");
    }
    assert_eq!(pool.counts().failed_starts, 3);
    fs::write(&needed, "").unwrap();
    assert_eq!(output(pool.submit(submission(Value::Null)).unwrap()), "up");
}

#[test]
fn an_interrupt_aborts_what_runs_and_gives_up_what_waits() {
    let workflow = gated();
    let (pool, interrupted) = pool(&workflow, 1, 1, Duration::MAX);
    let running = pool.submit(submission(json!("a"))).unwrap();
    await_begin(&workflow, "a");
    let waiting = pool.submit(submission(json!("b"))).unwrap();
    interrupted.store(true, Ordering::Relaxed);
    assert_eq!(running.wait().outcome.unwrap().status, Status::Aborted);
    let given_up = waiting.wait().outcome.unwrap_err();
    assert!(matches!(given_up.error, InstanceError::Interrupted), "{given_up:?}");
    let late = pool.submit(submission(Value::Null)).unwrap().wait().outcome.unwrap_err();
    assert!(matches!(late.error, InstanceError::Interrupted), "{late:?}");
    assert!(!workflow.path("marks/b-begun").exists());
}

#[test]
fn closing_ends_everything_and_answers_everybody() {
    let workflow = gated();
    let (pool, _) = pool(&workflow, 1, 1, Duration::MAX);
    let (send, answers) = channel();
    for gate in ["a", "b"] {
        let send = send.clone();
        let then = move |completion| send.send((gate, completion)).unwrap();
        pool.submit_then(submission(json!(gate)), then).unwrap();
        if gate == "a" {
            await_begin(&workflow, "a");
        }
    }
    pool.close();
    drop(send);
    let ended = answers.iter().map(|(gate, completion)| match completion.outcome {
        Ok(record) => (gate, Some(record.status)),
        Err(_) => (gate, None),
    });
    let mut ended: Vec<_> = ended.collect();
    ended.sort_by_key(|(gate, _)| *gate);
    assert_eq!(ended, [("a", Some(Status::Aborted)), ("b", None)]);
}
