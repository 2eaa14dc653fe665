//! Instances are copies of one template: what they have in common, what not, and what functions do about it.

use crate::pool::{output, pool, submission};
use crate::processes::{may_mark, signal, started};
use crate::workflow::{Run, Workflow, chain};
use serde_json::{Value, json};
use std::time::Duration;

const WARM: Duration = Duration::from_secs(60);

/// A function that waits until as many of it run side by side as the input says, each in an instance of its own, and then
/// returns what `expression` gives.
fn side_by_side(at_import: &str, expression: &str) -> Workflow {
    let workflow = Workflow::new(&chain(&["meet"]));
    let marks = workflow.path("marks");
    let code = format!(
        "{at_import}\n\
         import os, time\n\
         MARKS = {marks:?}\n\
         def handler(event, context):\n    \
             open(os.path.join(MARKS, str(os.getpid())), 'w').close()\n    \
             while len(os.listdir(MARKS)) < event: time.sleep(0.001)\n    \
             return {expression}\n"
    );
    let config = format!("[functions.meet]\nwritable_files = [{marks:?}]\n");
    workflow.functions(&[("meet", &code)]).file("marks/.made", "").config(&config)
}

/// What it returns in two instances.
fn in_two_instances(at_import: &str, expression: &str) -> [Value; 2] {
    outputs_of_two(&side_by_side(at_import, expression))
}

fn outputs_of_two(workflow: &Workflow) -> [Value; 2] {
    let (pool, _) = pool(workflow, 2, 0, WARM);
    // The file that made the folder counts too.
    let tickets = [(); 2].map(|()| pool.submit(submission(json!(3))).unwrap());
    tickets.map(output)
}

#[test]
fn instances_share_what_was_imported_and_draw_numbers_of_their_own() {
    let import = "import os, random, tempfile, uuid\nIMPORTED = os.urandom(8).hex()\nrandom.seed(7)\ntempfile.gettempdir()\n";
    let values = "[IMPORTED, random.random(), str(uuid.uuid4()), str(uuid.uuid1()), context.log_stream_name, \
                  os.path.isdir(tempfile.mkdtemp())]";
    let [one, two] = in_two_instances(import, values);
    assert_eq!(one[0], two[0], "both are copies of one process");
    for drawn in 1..5 {
        assert_ne!(one[drawn], two[drawn], "{one} {two}");
    }
    assert_eq!((&one[5], &two[5]), (&json!(true), &json!(true)));
}

#[test]
fn hashes_differ_where_a_function_asks_for_that() {
    let workflow = side_by_side("", "hash('faastlane')");
    let [one, two] = outputs_of_two(&workflow);
    assert_eq!(one, two, "both are copies of one process");
    let config = std::fs::read_to_string(workflow.path("faastlane.toml")).unwrap();
    std::fs::remove_dir_all(workflow.path("marks")).unwrap();
    let own = "env = { PYTHONHASHSEED = \"random\" }\n";
    let workflow = workflow.config(&format!("{config}{own}")).file("marks/.made", "");
    let [one, two] = outputs_of_two(&workflow);
    assert_ne!(one, two);
}

#[test]
fn functions_can_do_what_is_to_be_done_around_a_snapshot() {
    let import = "import faastlane, snapshot_restore_py as aws\n\
                  done = []\n\
                  @faastlane.before_snapshot\n\
                  def close(): done.append('closed')\n\
                  @faastlane.after_restore\n\
                  def reopen(): done.append('reopened')\n\
                  aws.register_before_snapshot(done.append, 'closed first, as in Lambda')\n\
                  aws.register_after_restore(done.append, 'reopened last')\n";
    let expected = json!(["closed first, as in Lambda", "closed", "reopened", "reopened last"]);
    assert_eq!(in_two_instances(import, "done"), [expected.clone(), expected]);
}

#[test]
fn work_after_a_restore_that_fails_is_told_with_its_traceback() {
    let code = "import faastlane\n\
                @faastlane.after_restore\n\
                def reconnect(): raise ConnectionError('nobody is there')\n\
                def handler(event, context): return 1\n";
    let workflow = Workflow::chain(&[("connected", code)]);
    let run = workflow.run(&json!({}));
    let finding = &run.report["diagnostics"][0];
    assert_eq!(finding["code"], "FL0310", "{run:#?}");
    let told = finding.to_string();
    assert!(told.contains("nobody is there") && told.contains("after_restore"), "{told}");
}

#[test]
fn threads_of_an_import_go_on_where_nothing_can_be_copied() {
    let import = "import threading\n\
                  beats = []\n\
                  def beat():\n    \
                      while True:\n        \
                          beats.append(1); time.sleep(0.001)\n\
                  import time\n\
                  threading.Thread(target=beat, daemon=True).start()\n";
    let code = format!(
        "{import}def handler(event, context):\n    \
             before = len(beats)\n    \
             while len(beats) == before: time.sleep(0.001)\n    \
             return 'beats'\n"
    );
    let workflow = Workflow::chain(&[("beating", &code)]);
    let run = workflow.run(&json!({}));
    assert_eq!(run.output(), "beats");
    let why = run.report["not_copied"].as_str().unwrap_or_else(|| panic!("{run:#?}"));
    assert!(why.contains("importing the functions started 1 thread"), "{why}");
    assert_eq!(
        Workflow::chain(&[("quiet", "def handler(event, context): return 1")]).run(&json!({})).report["not_copied"],
        Value::Null
    );
}

#[test]
fn a_template_that_was_killed_is_made_anew() {
    let retry = json!([{ "ErrorEquals": ["Runtime.ExitError"], "IntervalSeconds": 1, "MaxAttempts": 1 }]);
    let mut definition = chain(&["stay"]);
    definition["States"]["STAY"]["Retry"] = retry;
    let workflow = Workflow::new(&definition);
    let marker = workflow.path("marks/started");
    let code = format!(
        "import os, time\n\
         def handler(event, context):\n    \
             if os.path.exists({marker:?}): return 'again'\n    \
             open({marker:?}, 'w').close()\n    \
             time.sleep(600)\n"
    );
    let workflow = may_mark(workflow, "stay").functions(&[("stay", &code)]);
    let (child, all) = started(&workflow, &["--json"]);
    // The template, and the instance that is a copy of it.
    assert!(all.len() >= 2, "{all:?}");
    all.into_iter().for_each(|process| signal("KILL", process));
    let run = Run::of(child.wait_with_output().unwrap());
    assert_eq!((run.output(), &run.report["instances"]), (&json!("again"), &json!(2)));
}
