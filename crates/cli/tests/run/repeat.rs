//! `faastlane run --repeat`: many executions, their counts, and what they would be billed; and the limits of an instance.

use crate::processes::{may_mark, signal, started, until};
use crate::workflow::{Run, Workflow, chain, faastlane, fed, parse, piped, text};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};

/// Runs a workflow so often, for programs.
fn repeated(workflow: &Workflow, flags: &[&str], event: &Value) -> Run {
    let mut command = workflow.command();
    command.args(["--json", "--input", "-", "--repeat"]).args(flags);
    Run::of(fed(&mut command, event.to_string().as_bytes()))
}

fn counts(run: &Run) -> [&Value; 6] {
    let report = &run.report;
    ["succeeded", "failed", "timed_out", "aborted", "without_instance", "not_run"].map(|name| &report[name])
}

#[test]
fn many_executions_in_few_instances() {
    let double = "def handler(event, context): return event * 2";
    let workflow = Workflow::chain(&[("first", double), ("second", double)]);
    let run = repeated(&workflow, &["20", "--concurrency", "4"], &json!(5));
    assert_eq!(
        (run.exit, counts(&run)),
        (Some(0), [20, 0, 0, 0, 0, 0].map(Value::from).each_ref()),
        "{run:#?}"
    );
    let number = |name: &str| run.report[name].as_u64().unwrap_or_else(|| panic!("{name}: {run:#?}"));
    let cold = number("cold_starts");
    assert!((1..=4).contains(&cold), "{run:#?}");
    assert_eq!(number("warm_starts"), 20 - cold);
    assert!(number("peak_instances") <= 4);
    assert_eq!(number("differing_outputs"), 0);
    assert!(run.report["executions_per_second"].as_f64().unwrap() > 0.0);
    for times in ["duration_us", "latency_us"] {
        let [p50, p90, p99, max] = ["p50", "p90", "p99", "max"].map(|name| run.report[times][name].as_u64());
        assert!(p50 > Some(0) && p50 <= p90 && p90 <= p99 && p99 <= max, "{run:#?}");
    }
}

#[test]
fn what_executions_are_billed() {
    let workflow = Workflow::chain(&[
        ("first", "def handler(event, context): return event"),
        ("second", "def handler(event, context): return context.memory_limit_in_mb"),
    ])
    .config("[functions.second]\nmemory = 512\n");
    let run = repeated(&workflow, &["5"], &json!({}));
    let metering = &run.report["metering"];
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{metering:#}"));
    assert_eq!((&metering["executions"], &metering["calls"]), (&json!(5), &json!(10)));
    assert_eq!((&metering["cold_starts"], &run.report["warm_starts"]), (&json!(1), &json!(4)));
    // 128 MB, which is what a function has that asks for nothing, and 512.
    let unit = &metering["one_unit"];
    assert_eq!(unit["memory_mb"], 640);
    assert_eq!((&unit["requests"], &metering["apart"]["requests"]), (&json!(5), &json!(10)));
    assert!(number(&unit["billed_ms"]) >= 5.0, "each execution is at least a millisecond: {metering:#}");
    assert_eq!(number(&unit["gb_ms"]), number(&unit["billed_ms"]) * 640.0 / 1024.0);
    let [first, second] = metering["functions"].as_array().unwrap().as_slice() else {
        panic!("{metering:#}")
    };
    assert_eq!(
        (&first["name"], &first["calls"], &first["memory_mb"]),
        (&json!("first"), &json!(5), &json!(128))
    );
    assert_eq!(number(&second["gb_ms"]), number(&second["billed_ms"]) / 2.0);
    let apart = &metering["apart"]["billed_ms"];
    assert_eq!(number(&apart["aws_lambda"]), number(&first["billed_ms"]) + number(&second["billed_ms"]));
    assert!(number(&apart["azure_functions"]) >= 1000.0, "100 ms a call at least: {metering:#}");
    assert_eq!(number(&apart["google_cloud_functions"]) % 100.0, 0.0);
    assert_eq!(number(&metering["apart"]["gb_ms"]), number(&first["gb_ms"]) + number(&second["gb_ms"]));
    for share in ["cold_start_share", "interaction_share"] {
        assert!((0.0..=1.0).contains(&number(&metering[share])), "{metering:#}");
    }
    assert!(number(&metering["peak_memory_bytes"]) > f64::from(1 << 20), "{metering:#}");
    assert_eq!(metering["peak_memory_is"], "resident_sizes");
}

#[test]
fn one_execution_is_billed_too() {
    let workflow = Workflow::chain(&[("one", "def handler(event, context): return 1")]);
    let run = workflow.run(&json!({}));
    assert_eq!(run.output(), 1);
    let metering = &run.report["metering"];
    assert_eq!((&metering["executions"], &metering["cold_starts"]), (&json!(1), &json!(1)));
    assert_eq!(metering["one_unit"]["billed_ms"], run.report["billed_ms"]);
    let stderr = text(&workflow.command().output().unwrap().stderr);
    assert!(stderr.contains("a container for each function: 1 request, AWS Lambda"), "{stderr}");
}

#[test]
fn people_read_a_table_and_nothing_else() {
    let workflow = Workflow::chain(&[("one", "def handler(event, context): return 1")]);
    let output = workflow.command().args(["--repeat", "3"]).output().unwrap();
    let stderr = text(&output.stderr);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(0), ""), "{stderr}");
    assert!(stderr.contains(" ×3, 1 at a time: 3 succeeded in "), "{stderr}");
    assert!(stderr.contains("starts: 1 cold, 2 warm; "), "{stderr}");
    assert!(
        stderr.contains("p50") && stderr.contains("\nexecution") && stderr.contains("\nwith its start"),
        "{stderr}"
    );
    assert!(!stderr.contains('\r') && !stderr.contains("differ"), "no progress without a terminal: {stderr}");
}

#[test]
fn failures_are_counted_and_the_first_is_shown() {
    let code = "calls = 0\n\
                def handler(event, context):\n    \
                    global calls\n    \
                    calls += 1\n    \
                    print('call', calls)\n    \
                    if calls == 3: raise ValueError('the third')\n    \
                    return calls\n";
    let workflow = Workflow::chain(&[("count", code)]);
    let run = repeated(&workflow, &["5"], &json!({}));
    assert_eq!(
        (run.exit, counts(&run)),
        (Some(100), [4, 1, 0, 0, 0, 0].map(Value::from).each_ref()),
        "{run:#?}"
    );
    assert_eq!(run.report["differing_outputs"], 3);
    let failure = &run.report["first_failure"];
    assert_eq!(
        (&failure["error"], &failure["logs"][0]["text"]),
        (&json!("ValueError"), &json!("call 3")),
        "{run:#?}"
    );

    let output = workflow.command().args(["--repeat", "5"]).output().unwrap();
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(100), "{stderr}");
    assert!(stderr.contains("count | call 3\n") && !stderr.contains("call 2"), "{stderr}");
    assert!(stderr.contains("ValueError: the third\n"), "{stderr}");
    assert!(stderr.contains("4 succeeded, 1 failed in "), "{stderr}");
    assert!(stderr.contains("3 of 4 outputs differ from the first\n"), "{stderr}");
}

#[test]
fn functions_that_cannot_be_loaded_are_said_once() {
    let workflow = Workflow::chain(&[("wrong", "import no_such_module\n")]);
    let run = repeated(&workflow, &["50", "--concurrency", "2"], &json!({}));
    assert_eq!((run.exit, run.codes()), (Some(101), vec!["FL0310"]), "{run:#?}");
    let output = workflow.command().args(["--repeat", "50"]).output().unwrap();
    let stderr = text(&output.stderr);
    assert_eq!(stderr.matches("cannot be loaded").count(), 1, "{stderr}");
    assert_eq!(stderr.matches("Traceback").count(), 1, "{stderr}");
}

#[test]
fn an_interrupt_ends_what_runs_and_begins_nothing() {
    let workflow = Workflow::new(&chain(&["stay"]));
    let marker = workflow.path("marks/started");
    let code = format!(
        "import time\ndef handler(event, context):\n    open({marker:?}, 'w').close()\n    time.sleep(600)\n"
    );
    let workflow = may_mark(workflow, "stay").file("functions/stay.py", code);
    let (child, _) = started(&workflow, &["--json", "--repeat", "3"]);
    signal("INT", child.id());
    let output = child.wait_with_output().unwrap();
    let report = parse(&text(&output.stdout)).unwrap();
    let counts = ["succeeded", "aborted", "not_run"].map(|name| &report[name]);
    assert_eq!(
        (output.status.code(), counts),
        (Some(130), [0, 1, 2].map(Value::from).each_ref()),
        "{report:#}"
    );
}

#[test]
fn flags_that_do_not_go_together() {
    for flags in [&["--concurrency", "2"][..], &["--repeat", "2", "--history"], &["--repeat", "0"]] {
        let output = faastlane().arg("run").args(flags).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {}", text(&output.stderr));
    }
}

/// A function that needs too much once: the first time, since it leaves a mark.
fn hungry_once() -> Workflow {
    let workflow = Workflow::new(&chain(&["hungry"]));
    let marker = workflow.path("marks/eaten");
    let code = format!(
        "import os\n\
         def handler(event, context):\n    \
             if os.path.exists({marker:?}): return 'enough'\n    \
             open({marker:?}, 'w').close()\n    \
             return len(bytearray(b'x') * (1 << 30))\n"
    );
    workflow
        .file("marks/empty", "")
        .config("[limits]\ninstance_memory_mb = 128\n[functions.hungry]\nwritable_files = [\"marks\"]\n")
        .file("functions/hungry.py", code)
}

/// What `doctor` says of a check: its status and its detail.
fn doctor(name: &str) -> (String, String) {
    let report = parse(&text(&faastlane().args(["doctor", "--json"]).output().unwrap().stdout)).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{report:#}"));
    (check["status"].as_str().unwrap().to_owned(), check["detail"].as_str().unwrap().to_owned())
}

#[test]
fn a_function_that_needs_too_much_fails_alone() {
    let run = repeated(&hungry_once(), &["3"], &json!({}));
    assert_eq!(
        (run.exit, counts(&run)),
        (Some(100), [2, 1, 0, 0, 0, 0].map(Value::from).each_ref()),
        "{run:#?}"
    );
    let failure = &run.report["first_failure"];
    if doctor("memory limits").0 == "ok" {
        assert_eq!(failure["error"], "Runtime.ExitError", "{failure:#}");
        let cause = failure["cause"].as_str().unwrap();
        assert!(cause.contains("killed") && cause.contains("more memory than the 128 MB"), "{cause}");
        let metering = &run.report["metering"];
        assert_eq!(metering["peak_memory_is"], "control_group", "{metering:#}");
        let peak = metering["peak_memory_bytes"].as_u64().unwrap();
        assert!((100 << 20..=128 << 20).contains(&peak), "{peak}");
        // The execution whose instance died got another one, in which the next ones ran.
        assert_eq!((&metering["cold_starts"], &metering["one_unit"]["memory_mb"]), (&json!(1), &json!(128)));
    } else {
        assert_eq!(failure["error"], "MemoryError", "{failure:#}");
    }
}

#[test]
fn a_function_that_needs_too_much_can_be_caught() {
    let mut definition = chain(&["hungry"]);
    definition["States"]["HUNGRY"]["Catch"] = json!([{ "ErrorEquals": ["States.ALL"], "Next": "Less" }]);
    definition["States"]["Less"] = json!({ "Type": "Pass", "Result": "went on", "End": true });
    let workflow = hungry_once().file("workflow.asl.json", definition.to_string());
    assert_eq!(workflow.run(&json!({})).output(), "went on");
}

#[test]
fn an_instance_with_limits_is_in_groups_of_its_own_that_go_with_it() {
    let workflow = Workflow::new(&chain(&["stay"]));
    let marker = workflow.path("marks/started");
    let code = format!(
        "import time\ndef handler(event, context):\n    open({marker:?}, 'w').close()\n    time.sleep(600)\n"
    );
    let limits = "[limits]\ninstance_memory_mb = 256\ninstance_cpus = 0.5\n";
    let workflow = may_mark(workflow, "stay").file("functions/stay.py", code);
    let config = fs::read_to_string(workflow.path("faastlane.toml")).unwrap() + limits;
    let workflow = workflow.config(&config);
    let (child, processes) = started(&workflow, &[]);
    let groups_of = |process: &u32| {
        let text = fs::read_to_string(format!("/proc/{process}/cgroup")).unwrap();
        let groups = text.lines().filter_map(|line| line.rsplit('/').next()).map(str::to_owned);
        groups.filter(|group| group.starts_with("faastlane-")).collect::<Vec<_>>()
    };
    let groups: Vec<_> = processes.iter().map(groups_of).collect();
    let kept = ["memory limits", "CPU limits"].iter().any(|name| doctor(name).0 == "ok");
    signal("INT", child.id());
    child.wait_with_output().unwrap();
    assert!(groups.iter().all(|of_process| of_process.is_empty() != kept), "{groups:?}");
    // Groups of other instances may come and go; those of this command's process must be gone.
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let mounts = mounts.lines().filter(|line| line.contains(" - cgroup"));
    for mount in mounts.filter_map(|line| line.split(' ').nth(4)) {
        for group in groups.iter().flatten() {
            assert!(!holds(mount.as_ref(), group, 3), "{group} is left in {mount}");
        }
    }
}

/// Whether a folder, or one so deep in it, has this name.
fn holds(folder: &std::path::Path, name: &str, depth: usize) -> bool {
    let below = fs::read_dir(folder).into_iter().flatten().flatten();
    below
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .any(|entry| entry.file_name() == name || depth > 0 && holds(&entry.path(), name, depth - 1))
}

/// Only builds with debug assertions leave anything out.
#[cfg(debug_assertions)]
#[test]
fn without_control_groups_each_process_has_a_limit() {
    let workflow = hungry_once();
    let mut command = workflow.command();
    command.env("FAASTLANE_TEST_WITHOUT", "control-groups").args(["--json", "--repeat", "3"]);
    let run = Run::of(fed(&mut command, b""));
    assert_eq!(counts(&run), [2, 1, 0, 0, 0, 0].map(Value::from).each_ref(), "{run:#?}");
    assert_eq!(run.report["first_failure"]["error"], "MemoryError", "{run:#?}");
    // The instance lives on.
    assert_eq!(run.report["cold_starts"], 1);

    let mut doctor = faastlane();
    let doctor = doctor.env("FAASTLANE_TEST_WITHOUT", "control-groups").arg("doctor").output().unwrap();
    let said = text(&doctor.stdout);
    assert!(said.contains("only of each process alone, by RLIMIT_DATA"), "{said}");
    let mut plan = faastlane();
    plan.env("FAASTLANE_TEST_WITHOUT", "control-groups").arg("plan").arg(workflow.path("."));
    let said = text(&plan.output().unwrap().stdout);
    assert!(said.contains("only each of its processes is held to that, by RLIMIT_DATA"), "{said}");
}

#[test]
fn what_holds_an_instance_is_in_the_plan() {
    let workflow = Workflow::chain(&[("one", "def handler(event, context): return 1")])
        .config("[limits]\ninstance_memory_mb = 256\ninstance_cpus = 0.5\n");
    let output = faastlane().arg("plan").arg(workflow.path(".")).output().unwrap();
    let said = text(&output.stdout);
    let ((memory, how), (cpu, _)) = (doctor("memory limits"), doctor("CPU limits"));
    if memory == "ok" {
        assert!(
            said.contains(&format!("an instance may use 256 MB of memory: {how} holds it to that")),
            "{said}"
        );
    }
    let expected = match cpu.as_str() {
        "ok" => "holds it to that",
        _ => "nothing holds it to that here",
    };
    let line = said.lines().find(|line| line.contains("an instance may use 0.5 CPUs")).unwrap();
    assert!(line.contains(expected), "{said}");
    let run = workflow.run(&json!({}));
    assert_eq!(run.output(), 1);
}

/// Waits for a line of a command's stderr that says this.
fn said(lines: &mut impl Iterator<Item = std::io::Result<String>>, what: &str) -> String {
    let mut before = String::new();
    for line in lines {
        let line = line.unwrap();
        before.push_str(&line);
        before.push('\n');
        if line.contains(what) {
            return before;
        }
    }
    panic!("it never said {what:?}, but\n{before}");
}

#[test]
fn a_change_is_taken_up_while_what_runs_ends_as_it_began() {
    let returns = |what: &str, file: &str| {
        format!(
            "import os, time\n\
             def handler(event, context):\n    \
                 open(f'{{event}}/began-{{os.getpid()}}', 'w').close()\n    \
                 while not os.path.exists(event + '/{file}'): time.sleep(0.001)\n    \
                 return {what}\n"
        )
    };
    let workflow = may_mark(Workflow::chain(&[("waits", &returns("1", "first"))]), "waits");
    let marks = workflow.path("marks");
    let mut command = workflow.command();
    command.args(["--json", "--watch", "--input", "-", "--repeat", "3", "--concurrency", "2"]);
    let mut child = piped(&mut command);
    child.stdin.take().unwrap().write_all(json!(marks).to_string().as_bytes()).unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
    // With the empty file that makes the folder.
    until("two run", || fs::read_dir(&marks).unwrap().count() == 3);

    // What cannot be loaded changes nothing.
    fs::write(workflow.path("functions/waits.py"), "raise RuntimeError('half done')").unwrap();
    let told = said(&mut stderr, "goes on as it was");
    assert!(told.contains("half done") && told.contains("FL0310"), "{told}");
    fs::write(workflow.path("functions/waits.py"), returns("2", "second")).unwrap();
    said(&mut stderr, "executions that begin now run what it is now");
    fs::write(marks.join("second"), "").unwrap();
    fs::write(marks.join("first"), "").unwrap();
    let rest: Vec<String> = stderr.map(Result::unwrap).collect();
    let output = child.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["succeeded"], 3, "{report:#} {rest:#?}");
    assert_eq!(report["differing_outputs"], 1, "two began as 1, the third as 2: {report:#}");
}
