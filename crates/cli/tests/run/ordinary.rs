//! Ordinary code, which no policy may keep from working, and which leaves nothing behind however often it runs.

use crate::processes::{below, may_mark};
use crate::workflow::{Workflow, mpk, parse, piped, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// Under which isolations functions are kept apart here.
fn isolations() -> &'static [&'static str] {
    if mpk() { &["mpk", "process"] } else { &["process"] }
}

/// A file, a database in the scratch directory, threads, memory and a pair of sockets in each execution; and a result whose pages move. At
/// two of them it waits until it has been looked at.
const BUSY: &str = r#"
import os, socket, sqlite3, tempfile, threading, time

calls = 0

def handler(event, context):
    global calls
    calls += 1
    found = []
    threads = [threading.Thread(target=lambda part: found.append(sum(range(part))), args=[1000 * part]) for part in (1, 2, 3)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    path = os.path.join(tempfile.gettempdir(), "numbers.db")
    assert not os.path.exists(path), "the scratch directory is empty at the start"
    base = sqlite3.connect(path)
    with base:
        # Nothing of it is to outlive the execution.
        base.execute("pragma synchronous = off")
        base.execute("create table numbers (number integer)")
        base.executemany("insert into numbers values (?)", [(number,) for number in range(100)])
    total = base.execute("select sum(number) from numbers").fetchone()[0]
    base.close()
    with tempfile.TemporaryFile() as file: file.write(b"x" * 10_000)
    one, other = socket.socketpair()
    with one, other:
        one.send(b"abc")
        other.recv(3)
    block = bytearray(4 << 20)
    if calls in LOOKED_AT:
        open(os.path.join(MARKS, f"at-{calls}"), "w").close()
        while not os.path.exists(os.path.join(MARKS, f"looked-{calls}")): time.sleep(0.001)
    return {"total": total, "sums": sorted(found), "more": "x" * 100_000, "block": len(block)}
"#;

const COUNTS: &str =
    "def handler(event, context): return [event['total'], event['sums'], len(event['more'])]\n";

/// What processes have: memory in bytes, each shared page by its share; open descriptors; mappings.
#[derive(Debug, Default)]
struct Holdings {
    memory: u64,
    descriptors: usize,
    mappings: usize,
    threads: usize,
}

impl Holdings {
    fn of(processes: &BTreeSet<u32>) -> Self {
        let mut all = Self::default();
        for process in processes {
            let read = |what: &str| fs::read_to_string(format!("/proc/{process}/{what}")).unwrap();
            all.memory += memory(&read("smaps"));
            all.mappings += read("maps").lines().count();
            // Those of each thread: a function's have a table of their own.
            for thread in fs::read_dir(format!("/proc/{process}/task")).unwrap() {
                all.descriptors += fs::read_dir(thread.unwrap().path().join("fd")).unwrap().count();
                all.threads += 1;
            }
        }
        all
    }
}

/// But for the rings between the processes, which are of one size, and all of whose pages have been used after two thousand
/// executions or so.
fn memory(smaps: &str) -> u64 {
    let mut in_ring = false;
    let mut bytes = 0;
    for line in smaps.lines() {
        match line.split_once(':') {
            Some(("Pss", size)) if !in_ring => {
                bytes += size.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10;
            }
            // What begins a mapping: its device has a colon, too.
            Some((before, _)) if before.contains('-') => {
                in_ring = ["reports", "commands"]
                    .iter()
                    .any(|ring| line.contains(&format!("memfd:faastlane-{ring}")));
            }
            _ => {}
        }
    }
    bytes
}

#[test]
fn a_thousand_executions_in_one_instance_leave_nothing_behind() {
    const WARM: u32 = 200;
    const LAST: u32 = WARM + 1000;
    for isolation in isolations() {
        let workflow = may_mark(Workflow::chain(&[("busy", ""), ("counts", COUNTS)]), "busy");
        let marks = workflow.path("marks");
        let code = format!("MARKS = {marks:?}\nLOOKED_AT = ({WARM}, {LAST})\n{BUSY}");
        let workflow = workflow.file("functions/busy.py", code);
        let mut command = workflow.command();
        command.args(["--json", "--isolation", isolation, "--repeat", &LAST.to_string()]);
        let mut child = piped(&mut command);
        let held = [WARM, LAST].map(|call| {
            while !marks.join(format!("at-{call}")).exists() {
                assert_eq!(child.try_wait().unwrap(), None, "{isolation}: it ended before call {call}");
                std::thread::sleep(Duration::from_millis(5));
            }
            let processes = below(child.id());
            let held = Holdings::of(&processes);
            fs::write(marks.join(format!("looked-{call}")), "").unwrap();
            (processes, held)
        });
        let output = child.wait_with_output().unwrap();
        let report = parse(&text(&output.stdout)).unwrap();
        assert_eq!(
            [&report["succeeded"], &report["cold_starts"], &report["differing_outputs"]],
            [&json!(LAST), &json!(1), &json!(0)],
            "{isolation}: {report:#}"
        );
        let [(at_first, warm), (at_last, last)] = held;
        assert_eq!(at_first, at_last, "{isolation}: the same processes");
        assert_eq!(warm.threads, last.threads, "{isolation}: {warm:?} {last:?}");
        assert_eq!(warm.descriptors, last.descriptors, "{isolation}: {warm:?} {last:?}");
        // What an allocator gives back depends on where it was put.
        assert!(last.mappings <= warm.mappings + 4, "{isolation}: {warm:?} {last:?}");
        assert!(last.memory <= warm.memory + warm.memory / 33, "{isolation}: {warm:?} {last:?}");
    }
}

/// Answers every request for as long as the test runs.
fn serve(listener: TcpListener) {
    let answer = |mut stream: TcpStream| {
        let mut request = Vec::new();
        let mut part = [0; 1024];
        while !request.windows(4).any(|end| end == b"\r\n\r\n") {
            match stream.read(&mut part) {
                Ok(len @ 1..) => request.extend_from_slice(&part[..len]),
                _ => return,
            }
        }
        let path = String::from_utf8_lossy(&request).split(' ').nth(1).unwrap_or_default().to_owned();
        let body = json!({ "path": path }).to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        );
        drop(write!(stream, "{head}Connection: close\r\n\r\n{body}"));
    };
    std::thread::spawn(move || listener.incoming().flatten().for_each(answer));
}

/// By the standard library, by a library, and by name.
const ASKS: &str = r#"
import json, urllib.request
import requests

def attempt(ask):
    try:
        return ask()
    except Exception as error:
        while error.__context__ is not None and not isinstance(error, PermissionError):
            error = error.__context__
        return type(error).__name__

def handler(event, context):
    # No proxy of whoever runs this.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    session = requests.Session()
    session.trust_env = False
    return [
        attempt(lambda: json.load(opener.open(f"http://127.0.0.1:{event}/one", timeout=10))["path"]),
        attempt(lambda: session.get(f"http://127.0.0.1:{event}/two", timeout=10).json()["path"]),
        attempt(lambda: session.get(f"http://localhost:{event}/three", timeout=10).json()["path"]),
    ]
"#;

#[test]
fn a_local_server_answers_whom_the_network_is_granted_and_nobody_else() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = json!(listener.local_addr().unwrap().port());
    serve(listener);
    let workflow = Workflow::chain(&[("asks", ASKS)]).file("requirements.txt", "requests==2.32.3\n");
    let ask = |workflow: &Workflow, isolation: &str| {
        let run = workflow.run_under(isolation, &port);
        assert_ne!(run.exit, Some(101), "are PyPI, or a cache of what it holds, within reach? {run:#?}");
        run.output().clone()
    };
    for isolation in isolations() {
        let answers = ask(&workflow, isolation);
        let refused = |at: usize| answers[at] == json!("PermissionError");
        assert!(refused(0) && refused(1), "{isolation}: {answers}");
        assert!(!answers[2].as_str().unwrap().starts_with('/'), "{isolation}: {answers}");
    }
    let workflow = workflow.config("[functions.asks]\nnetwork = true\n");
    for isolation in isolations() {
        assert_eq!(ask(&workflow, isolation), json!(["/one", "/two", "/three"]), "{isolation}");
    }
}

/// Learns, and says how well; with processes it would be faster, and it has none.
const LEARNS: &str = r#"
import numpy
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

def handler(event, context):
    features, kinds = load_iris(return_X_y=True)
    known, asked, known_kinds, asked_kinds = train_test_split(features, kinds, random_state=1)
    plane = PCA(2).fit(known)
    line = LogisticRegression(max_iter=500).fit(plane.transform(known), known_kinds)
    forest = RandomForestClassifier(20, random_state=1, n_jobs=2).fit(known, known_kinds)
    scores = [line.score(plane.transform(asked), asked_kinds), forest.score(asked, asked_kinds)]
    return [bool(score > 0.85) for score in scores] + [numpy.linalg.matrix_rank(known).item()]
"#;

#[test]
fn scikit_learn_learns() {
    let requirements = "scikit-learn==1.6.1\nnumpy==2.2.6\nscipy==1.15.3\n";
    let workflow = Workflow::chain(&[("learns", LEARNS)]).file("requirements.txt", requirements);
    for isolation in isolations() {
        let run = workflow.run_under(isolation, &Value::Null);
        assert_ne!(run.exit, Some(101), "are PyPI, or a cache of what it holds, within reach? {run:#?}");
        assert_eq!(run.output(), &json!([true, true, 4]), "{isolation}");
    }
}
