//! What a function may ask of the kernel: files, sockets, programs, and what a workflow grants.

use crate::workflow::{Workflow, mpk, text};
use serde_json::{Value, json};

/// Under which isolations the policy can be seen at work here.
fn isolations() -> Vec<&'static str> {
    if mpk() { vec!["mpk", "process"] } else { vec!["process"] }
}

/// Evaluates each expression of its event; one that raises gives the error's class and number.
const EVALUATES: &str = "import ctypes, os, shutil, socket, subprocess, sys, tempfile\n\
    def attempt(expression):\n    \
        try:\n        \
            return eval(expression)\n    \
        except OSError as error:\n        \
            return [type(error).__name__, error.errno]\n\
    def handler(event, context):\n    \
        return [attempt(expression) for expression in event]\n";

const NOT_PERMITTED: &str = "PermissionError";

fn refused(errno: i32) -> Value {
    json!([NOT_PERMITTED, errno])
}

fn asks(workflow: &Workflow, isolation: &str, expressions: &[&str]) -> Vec<Value> {
    workflow.run_under(isolation, &json!(expressions)).output().as_array().unwrap().clone()
}

#[test]
fn a_function_reads_its_own_files_and_nobody_elses() {
    let workflow =
        Workflow::chain(&[("look", EVALUATES), ("other", "def handler(event, context): return event\n")])
            .file("functions/beside.py", "value = 7\n")
            .file("functions/data.txt", "data")
            .file("elsewhere/secret.txt", "secret");
    let root = workflow.path("").canonicalize().unwrap().display().to_string();
    let other = format!("open('{root}/functions/other.py').read()");
    let writes = format!("open('{root}/functions/new.py', 'w')");
    let elsewhere = format!("open('{root}/elsewhere/secret.txt').read()");
    for isolation in isolations() {
        let found = asks(
            &workflow,
            isolation,
            &[
                "__import__('beside').value",
                "open('data.txt').read()",
                &other,
                &writes,
                &elsewhere,
                "open('/etc/shadow').read()",
                "open('/proc/self/mem', 'rb')",
                "open('/proc/self/environ', 'rb')",
                "os.listdir('/proc/self/map_files')",
                "os.listdir(os.path.dirname(os.environ['TMPDIR']))",
                "len(open('/etc/hosts').read()) > 0",
                "len(open('/dev/urandom', 'rb').read(4))",
            ],
        );
        assert_eq!(found[..2], [json!(7), json!("data")], "{isolation}");
        assert!(found[2..10].iter().all(|answer| answer == &refused(13)), "{isolation}: {found:#?}");
        assert_eq!(found[10..], [json!(true), json!(4)], "{isolation}");
    }
}

#[test]
fn folders_of_other_functions_are_closed_too() {
    let workflow = Workflow::new(&crate::workflow::chain(&["look", "other"]))
        .file("functions/look/handler.py", EVALUATES)
        .file("functions/other/handler.py", "def handler(event, context): return event\n")
        .file("functions/other/data.txt", "data")
        .file("functions/look/own.txt", "own");
    let root = workflow.path("").canonicalize().unwrap().display().to_string();
    let other = format!("open('{root}/functions/other/data.txt').read()");
    for isolation in isolations() {
        let found = asks(&workflow, isolation, &["open('own.txt').read()", &other]);
        assert_eq!(found, [json!("own"), refused(13)], "{isolation}");
    }
}

#[test]
fn a_scratch_directory_is_the_functions_own() {
    let workflow = Workflow::chain(&[("one", EVALUATES)]);
    let expressions = [
        "open(tempfile.gettempdir() + '/file', 'w').write('text')",
        "shutil.copy2(tempfile.gettempdir() + '/file', os.environ['HOME'] + '/copy') and 1",
        "os.listdir(tempfile.gettempdir()) == ['file', 'copy'] or os.listdir(tempfile.gettempdir()) == ['copy', 'file']",
        "os.environ['TMPDIR'] == os.environ['HOME'] == os.environ['TMP'] == os.environ['TEMP']",
        "tempfile.TemporaryFile().write(b'abc')",
    ];
    for isolation in isolations() {
        assert_eq!(
            asks(&workflow, isolation, &expressions),
            [json!(4), json!(1), json!(true), json!(true), json!(3)],
            "{isolation}"
        );
    }
}

#[test]
fn sockets_and_programs_are_refused_unless_granted() {
    let workflow = Workflow::chain(&[("one", EVALUATES)]);
    let expressions = [
        "socket.socket().close()",
        "socket.socket(socket.AF_UNIX).close()",
        "(lambda pair: pair[0].send(b'abc'))(socket.socketpair())",
        "subprocess.run(['/bin/true']).returncode",
        "os.fork()",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.execv('/bin/true', ['true'])",
    ];
    for isolation in isolations() {
        let found = asks(&workflow, isolation, &expressions);
        assert_eq!(found[..3], [refused(13), refused(13), json!(3)], "{isolation}");
        assert!(found[3..].iter().all(|answer| answer[0] == NOT_PERMITTED), "{isolation}: {found:#?}");
    }
}

#[test]
fn what_an_execution_failed_of_says_what_was_refused_and_what_grants_it() {
    for (asks, hint) in [
        (
            "socket.create_connection(('127.0.0.1', 9))",
            "no network (socket, connect). Granted by `[functions.one]` `network = true`",
        ),
        (
            "subprocess.run(['/bin/true'])",
            "(fork, clone, execve). Granted by `[functions.one]` `subprocess = true`",
        ),
        (
            "open('/etc/shadow')",
            "from `/etc/shadow` (open). Granted by `[functions.one]` `files = [\"/etc/shadow\"]`",
        ),
        ("os.nice(-1)", "The system call behind `return os.nice(-1)` is not among those"),
    ] {
        let code =
            format!("import os, socket, subprocess\ndef handler(event, context):\n    return {asks}\n");
        let workflow = Workflow::chain(&[("one", &code)]);
        for isolation in isolations() {
            let run = workflow.run_under(isolation, &json!({}));
            assert_eq!(run.failure().0, NOT_PERMITTED, "{isolation}");
            let said = run.report["hint"].as_str().unwrap();
            assert!(said.contains(hint), "{isolation}: {said}");
        }
        let stderr = text(&workflow.command().output().unwrap().stderr);
        assert!(stderr.contains("\nhint: ") && stderr.contains(hint), "{stderr}");
    }
}

#[test]
fn no_function_has_privileges() {
    let workflow = Workflow::chain(&[("one", EVALUATES)]);
    let expressions = [
        "os.chown(os.environ['HOME'], 1, 1)",
        "os.setuid(1)",
        "os.chroot('/usr')",
        "__import__('resource').getrlimit(4)",
        "os.nice(-1)",
    ];
    for isolation in isolations() {
        let found = asks(&workflow, isolation, &expressions);
        for index in [0, 1, 2, 4] {
            assert_eq!(found[index][0], NOT_PERMITTED, "{isolation}: {found:#?}");
        }
        assert_eq!(found[3], json!([0, 0]), "{isolation}");
    }
}

#[test]
fn what_is_granted_works_under_the_same_policy() {
    let workflow = Workflow::chain(&[("plain", EVALUATES), ("net", EVALUATES), ("sub", EVALUATES)])
        .file("shared/data.txt", "shared")
        .file("reports/old.txt", "old")
        .config(
            "[functions.net]\nnetwork = true\nfiles = [\"shared\"]\nwritable_files = [\"reports\"]\n\
             [functions.sub]\nsubprocess = true\n",
        );
    let root = workflow.path("").canonicalize().unwrap().display().to_string();
    let local = "(lambda server: (server.bind(('127.0.0.1', 0)), server.listen(), \
                 (lambda client: client.send(b'abc'))(socket.create_connection(server.getsockname())))[-1])(socket.socket())";
    let read = format!("open('{root}/shared/data.txt').read()");
    let change = format!("open('{root}/shared/data.txt', 'w')");
    let write = format!("open('{root}/reports/new.txt', 'w').write('new')");
    let output =
        "subprocess.run(['/bin/sh', '-c', 'echo $((40 + 2))'], capture_output=True, text=True).stdout";
    let shadow = "subprocess.run(['/bin/cat', '/etc/shadow'], capture_output=True).returncode";
    let nested = "subprocess.run([sys.executable, '-c', 'import socket; socket.socket()'], capture_output=True).returncode";
    let fork = "(lambda child: os._exit(3) if child == 0 else os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))(os.fork())";
    let asked = [local, &read, &change, &write, output, shadow, nested, fork];
    for isolation in isolations() {
        // Each function is asked alone, for the others get what it answers.
        for (name, expected) in [
            ("plain", [13, 13, 13, 13, 1, 1, 1, 1].map(refused)),
            (
                "net",
                [
                    json!(3),
                    json!("shared"),
                    refused(13),
                    json!(3),
                    refused(1),
                    refused(1),
                    refused(1),
                    refused(1),
                ],
            ),
            (
                "sub",
                [
                    refused(13),
                    refused(13),
                    refused(13),
                    refused(13),
                    json!("42\n"),
                    json!(1),
                    json!(1),
                    json!(3),
                ],
            ),
        ] {
            std::fs::write(workflow.path("workflow.asl.json"), crate::workflow::chain(&[name]).to_string())
                .unwrap();
            assert_eq!(asks(&workflow, isolation, &asked), expected, "{name} {isolation}");
        }
    }
}

#[test]
fn a_function_that_starts_programs_has_a_process_of_its_own() {
    let slow = "import subprocess\n\
                def handler(event, context): return subprocess.Popen(['/bin/sleep', '1000']).pid\n";
    let workflow = Workflow::chain(&[("one", slow), ("two", EVALUATES)])
        .config("[functions.one]\nsubprocess = true\n[functions.two]\nnetwork = true\n");
    let plan = crate::workflow::faastlane().arg("plan").arg(workflow.path("")).output().unwrap();
    let plan = text(&plan.stdout);
    assert!(["GRANTS", "subprocess", "network"].iter().all(|word| plan.contains(word)), "{plan}");
    let workflow = Workflow::chain(&[("one", slow)]).config("[functions.one]\nsubprocess = true\n");
    for isolation in isolations() {
        let run = workflow.run_under(isolation, &json!({}));
        assert_eq!(run.report["states"][0]["placement"], "process", "{isolation}");
        let child = format!("/proc/{}/exe", run.output());
        assert!(std::fs::read_link(&child).is_err(), "{child} outlived its function");
    }
}

#[test]
fn a_trust_group_is_granted_one_thing() {
    let code = "def handler(event, context): return event\n";
    let workflow = Workflow::chain(&[("one", code), ("two", code)])
        .config("[functions.one]\nnetwork = true\n[trust]\nfriends = [\"one\", \"two\"]\n");
    let run = workflow.run(&json!({}));
    assert_eq!(run.codes(), ["FL0213"], "{run:#?}");
}

/// What Lambda's functions write to. Where this process may not mount, or the workflow is in `/tmp` itself, it is closed.
#[test]
fn every_function_has_a_tmp_of_its_own() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::create_dir(folder.path().join("functions")).unwrap();
    write("workflow.asl.json", &crate::workflow::chain(&["first", "second"]).to_string());
    let handler = "import os\n\ndef handler(event, context):\n    seen = os.listdir('/tmp')\n    \
                   open('/tmp/mine', 'w').close()\n    return [*(event or []), seen]\n";
    write("functions/first.py", handler);
    write("functions/second.py", handler);
    let output = crate::workflow::faastlane().args(["run", "--json"]).arg(folder.path()).output().unwrap();
    let report = crate::workflow::parse(&text(&output.stdout)).unwrap();
    let closed = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).starts_with("/tmp")
        || !faastlane_sandbox::can_part_temporary();
    if closed {
        assert_eq!(report["error"], "PermissionError", "{report:#}");
    } else {
        assert_eq!(report["output"], json!([[], []]), "{report:#}");
    }
}
