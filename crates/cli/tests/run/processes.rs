//! Interrupts, closed pipes, and that nothing is left behind.

use crate::workflow::{Run, Workflow, chain, piped, text};
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// The processes below one, by their numbers.
pub(crate) fn below(process: u32) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    for task in fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|number| number.parse().ok()) {
            found.insert(child);
            found.extend(below(child));
        }
    }
    found
}

fn runs(process: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    status.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(30), "not within 30 s: {what}");
        std::thread::yield_now();
    }
}

pub(crate) fn signal(name: &str, process: u32) {
    let killed = Command::new("kill").args(["-s", name, &process.to_string()]).status().unwrap();
    // The command ends the others when one has been killed.
    assert!(killed.success() || !runs(process));
}

/// Starts a function that says so in a file and then does `code`; returns the command and all its processes.
pub(crate) fn started(workflow: &Workflow, arguments: &[&str]) -> (Child, BTreeSet<u32>) {
    let marker = workflow.path("marks/started");
    drop(fs::remove_file(&marker));
    let child = piped(workflow.command().args(arguments));
    until("the function runs", || marker.exists());
    let all = below(child.id());
    assert!(!all.is_empty());
    (child, all)
}

/// Grants a function the folder in which it leaves its mark.
pub(crate) fn may_mark(workflow: Workflow, function: &str) -> Workflow {
    workflow
        .file("marks/empty", "")
        .config(&format!("[functions.{function}]\nwritable_files = [\"marks\"]\n"))
}

fn marks_and(code: &str) -> Workflow {
    let workflow = Workflow::new(&chain(&["stay", "other"]));
    let marker = workflow.path("marks/started");
    let code = format!(
        "import os, time, threading, subprocess\n\
         def handler(event, context):\n    print('begun')\n    open({marker:?}, 'w').close()\n    {code}\n"
    );
    let workflow = may_mark(workflow, "stay").file("functions/stay.py", code);
    workflow.file("functions/other.py", "def handler(event, context): return 1")
}

/// Whoever kills a process of an instance takes no more than the attempts that were under way there.
#[test]
fn an_execution_goes_on_when_somebody_kills_its_processes() {
    for isolation in ["process", "none"] {
        let workflow = marks_and("");
        let go = workflow.path("marks/go");
        let wait = format!("while not os.path.exists({go:?}): time.sleep(0.01)");
        let code = fs::read_to_string(workflow.path("functions/stay.py")).unwrap() + &format!("    {wait}\n");
        let mut machine = chain(&["stay", "other"]);
        machine["States"]["STAY"]["Retry"] =
            json!([{ "ErrorEquals": ["Runtime.ExitError"], "IntervalSeconds": 1, "MaxAttempts": 20 }]);
        let workflow =
            workflow.file("functions/stay.py", code).file("workflow.asl.json", machine.to_string());
        let (child, instance) =
            started(&workflow, &["--isolation", isolation, "--time-scale", "0.01", "--json"]);
        // One after the other: the rest of an instance may be gone before its turn comes.
        for process in instance {
            drop(Command::new("kill").args(["-s", "KILL", &process.to_string()]).output());
        }
        fs::write(&go, "").unwrap();
        let run = Run::of(child.wait_with_output().unwrap());
        assert_eq!(run.output(), &json!(1), "{isolation}");
        assert!(run.report["instances"].as_u64().unwrap() > 1, "{isolation}");
    }
}

#[test]
fn an_interrupt_ends_everything() {
    for code in [
        "time.sleep(600)",
        "while True: pass",
        "threading.Thread(target=time.sleep, args=[600]).start(); time.sleep(600)",
    ] {
        let workflow = marks_and(code);
        for isolation in ["auto", "process", "none"] {
            let (child, all) = started(&workflow, &["--isolation", isolation]);
            let begin = Instant::now();
            signal("INT", child.id());
            let output = child.wait_with_output().unwrap();
            let stderr = text(&output.stderr);
            assert_eq!(output.status.code(), Some(130), "{isolation}: {code}: {stderr}");
            assert!(begin.elapsed() < Duration::from_secs(5), "{isolation}: {code}: {:?}", begin.elapsed());
            assert!(stderr.contains("ABORTED"), "{stderr}");
            until("every process is gone", || !all.iter().any(|process| runs(*process)));
        }
    }
}

#[test]
fn an_interrupted_run_is_still_one_object() {
    let (child, _) = started(&marks_and("time.sleep(600)"), &["--json"]);
    signal("INT", child.id());
    let output = child.wait_with_output().unwrap();
    let report = crate::workflow::parse(&text(&output.stdout)).unwrap();
    assert_eq!((output.status.code(), &report["status"]), (Some(130), &json!("ABORTED")), "{report:#}");
    assert_eq!(report["logs"][0]["text"], "begun", "{report:#}");
}

#[test]
fn an_interrupt_while_functions_are_loaded() {
    let workflow = Workflow::new(&chain(&["load"]));
    let marker = workflow.path("marks/started");
    let code = format!("import time\nprint('loading')\nopen({marker:?}, 'w').close()\ntime.sleep(600)\n");
    let workflow = may_mark(workflow, "load").file("functions/load.py", code);
    for isolation in ["auto", "process", "none"] {
        let (child, all) = started(&workflow, &["--isolation", isolation]);
        signal("INT", child.id());
        let output = child.wait_with_output().unwrap();
        let stderr = text(&output.stderr);
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(130), ""), "{stderr}");
        assert!(stderr.starts_with("load | loading\n") && stderr.contains("FL0314"), "{stderr}");
        until("every process is gone", || !all.iter().any(|process| runs(*process)));
        let (child, _) = started(&workflow, &["--isolation", isolation, "--json"]);
        signal("TERM", child.id());
        let output = child.wait_with_output().unwrap();
        let report = crate::workflow::parse(&text(&output.stdout)).unwrap();
        assert_eq!((output.status.code(), &report["diagnostics"][0]["code"]), (Some(130), &json!("FL0314")));
    }
}

#[test]
fn processes_of_an_instance_do_not_outlive_the_command() {
    let workflow = marks_and("time.sleep(600)");
    for isolation in ["auto", "process", "none"] {
        let (mut child, all) = started(&workflow, &["--isolation", isolation]);
        signal("KILL", child.id());
        child.wait().unwrap();
        until("every process is gone", || !all.iter().any(|process| runs(*process)));
    }
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let workflow = Workflow::chain(&[("make", "def handler(event, context): return 'x' * 10_000_000")]);
    for flags in [&[][..], &["--json"]] {
        let mut child = piped(workflow.command().args(flags));
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut [0]).unwrap();
        drop(stdout);
        let output = child.wait_with_output().unwrap();
        let stderr = text(&output.stderr);
        assert!(output.status.code() == Some(0), "{:?}: {stderr}", output.status);
        assert!(!stderr.contains("panicked") && !stderr.contains("Broken pipe"), "{stderr}");
    }
}

#[test]
fn a_closed_stderr_is_no_error() {
    let workflow = Workflow::chain(&[("one", "def handler(event, context): return 1")]);
    let mut child = piped(&mut workflow.command());
    drop(child.stderr.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(0), "1\n"));
}

#[test]
fn functions_start_no_processes_and_send_no_signals() {
    let code = "import os, signal, subprocess\n\
                def attempt(what, *arguments):\n    \
                    try:\n        \
                        return repr(what(*arguments))\n    \
                    except Exception as error:\n        \
                        return type(error).__name__\n\
                def handler(event, context):\n    \
                    return [attempt(subprocess.run, ['true']), attempt(os.fork), os.system('true') != 0,\n        \
                            attempt(os.kill, os.getpid(), signal.SIGKILL), attempt(os.kill, os.getppid(), 15)]\n";
    let workflow = Workflow::chain(&[("start", code)]);
    for isolation in ["auto", "process", "none"] {
        let run = workflow.run_under(isolation, &json!({}));
        let refused = "PermissionError";
        assert_eq!(run.output(), &json!([refused, refused, true, refused, refused]), "{isolation}");
    }
}
