//! Functions as they are: handlers, modules, files, environment, context, output.

use crate::workflow::{Workflow, chain, fed, text};
use serde_json::json;

#[test]
fn every_kind_of_handler() {
    let workflow = Workflow::chain(&[
        ("lambda", "def lambda_handler(event, context): return [*event, context.function_name]"),
        ("plain", "def handler(event, context): return [*event, context.function_name]"),
        ("openwhisk", "def main(event): return [*event, 'openwhisk']"),
        ("default", "def handler(event, context=None): return [*event, context is not None]"),
        ("own", "def decide(event, context): return [*event, 'own']\ndef handler(event): raise SystemExit"),
        ("made", "handler = lambda event, context: [*event, 'lambda']"),
    ])
    .config("[functions.own]\nhandler = \"own.decide\"\n");
    let run = workflow.run(&json!([]));
    assert_eq!(run.output(), &json!(["lambda", "plain", "openwhisk", true, "own", "lambda"]));
}

#[test]
fn a_folder_has_its_own_modules_and_data_files() {
    let code = "import rates, parts.tax\n\
                print(open('data/title.txt').read())\n\
                def handler(event, context):\n    \
                    with open('data/title.txt') as file:\n        \
                        return [*event, rates.RATE, parts.tax.TAX, file.read()]\n";
    let workflow = Workflow::new(&chain(&["first", "second"]))
        .file("functions/first/first.py", code)
        .file("functions/first/rates.py", "RATE = 1")
        .file("functions/first/parts/__init__.py", "")
        .file("functions/first/parts/tax.py", "from rates import RATE\nTAX = RATE + 1")
        .file("functions/first/data/title.txt", "one")
        .file("functions/second/second.py", code)
        .file("functions/second/rates.py", "RATE = 10")
        .file("functions/second/parts/__init__.py", "")
        .file("functions/second/parts/tax.py", "from rates import RATE\nTAX = RATE + 1")
        .file("functions/second/data/title.txt", "two");
    let run = workflow.run(&json!([]));
    assert_eq!(run.output(), &json!([1, 2, "one", 10, 11, "two"]));
    // Both print while they are loaded, side by side.
    let mut lines = run.lines();
    lines.sort();
    assert_eq!(lines, [("first", "one"), ("second", "two")]);
}

#[test]
fn files_move_between_folders() {
    let code = "import os, tempfile\n\
                def handler(event, context):\n    \
                    with tempfile.TemporaryDirectory() as folder:\n        \
                        os.mkdir(f'{folder}/done')\n        \
                        open(f'{folder}/note', 'w').write('moved')\n        \
                        os.rename(f'{folder}/note', f'{folder}/done/note')\n        \
                        return open(f'{folder}/done/note').read()\n";
    assert_eq!(Workflow::chain(&[("mover", code)]).run(&json!({})).output(), &json!("moved"));
}

#[test]
fn environment_is_per_function() {
    let code = "import os\n\
                AT_IMPORT = os.environ.get('MODE')\n\
                def handler(event, context):\n    \
                    return [*event, AT_IMPORT, os.environ.get('MODE'), os.getenv('SECRET'), sorted(os.environ)]\n";
    let workflow = Workflow::chain(&[("one", code), ("two", code)]).config(
        "[functions.one]\nenv = { MODE = \"fast\", SECRET = \"s3cr3t é\" }\n[functions.two]\nenv = { MODE = \"slow\" }\n",
    );
    for isolation in ["auto", "process", "none"] {
        let run = workflow.run_under(isolation, &json!([]));
        let output = run.output().as_array().unwrap();
        assert_eq!(output[0..3], [json!("fast"), json!("fast"), json!("s3cr3t é")]);
        assert_eq!(output[4..7], [json!("slow"), json!("slow"), json!(null)]);
        for names in [&output[3], &output[7]] {
            // The caller's own environment stays the caller's.
            assert!(!names.to_string().contains("CARGO"), "{names}");
        }
    }
}

#[test]
fn the_context_says_what_lambdas_says() {
    let code = "import time\n\
                def handler(event, context):\n    \
                    before = context.get_remaining_time_in_millis()\n    \
                    time.sleep(0.02)\n    \
                    return event + [{'id': context.aws_request_id, 'name': context.function_name,\n        \
                        'memory': context.memory_limit_in_mb, 'before': before,\n        \
                        'after': context.get_remaining_time_in_millis(), 'arn': context.invoked_function_arn}]\n";
    let workflow = Workflow::chain(&[("one", code), ("two", code)])
        .config("[functions.one]\ntimeout = 3\nmemory = 512\n");
    let run = workflow.run(&json!([]));
    let [one, two] = run.output().as_array().unwrap().as_slice() else { panic!("{run:#?}") };
    assert_eq!((&one["name"], &two["name"]), (&json!("one"), &json!("two")));
    assert_eq!((&one["memory"], &two["memory"]), (&json!("512"), &json!("128")));
    assert!(one["arn"].as_str().unwrap().ends_with(":function:one"), "{one}");
    let before = one["before"].as_i64().unwrap();
    assert!((2000..=3000).contains(&before), "{one}");
    assert!(before - one["after"].as_i64().unwrap() >= 19, "{one}");
    assert_ne!(one["id"], two["id"]);
    assert_eq!(one["id"], run.report["states"][0]["calls"][0]["request_id"]);
}

#[test]
fn remaining_time_is_until_the_states_timeout() {
    let code = "def handler(event, context): return context.get_remaining_time_in_millis()";
    let workflow = Workflow::new(&json!({ "StartAt": "Look", "States": {
        "Look": { "Type": "Task", "Resource": "look", "TimeoutSeconds": 2, "End": true } } }))
    .functions(&[("look", code)]);
    let left = workflow.run(&json!({})).output().as_i64().unwrap();
    assert!((1000..=2000).contains(&left), "{left}");
}

const PRINTS: &str = "import logging, os, sys\n\
    logging.getLogger().setLevel(logging.INFO)\n\
    print('loaded')\n\
    def handler(event, context):\n    \
        print('print', event)\n    \
        logging.info('logged %s', event)\n    \
        sys.stderr.write('to stderr\\n')\n    \
        os.write(1, b'native one\\n')\n    \
        os.write(2, b'native two\\n')\n    \
        print('über', '\\N{GRINNING FACE}')\n    \
        print('no end', end='')\n    \
        return event + 1\n";

#[test]
fn output_is_captured_in_order_under_the_functions_name() {
    let workflow = Workflow::chain(&[("one", PRINTS), ("two", PRINTS)]);
    for isolation in ["auto", "process", "none"] {
        let run = workflow.run_under(isolation, &json!(1));
        assert_eq!(run.output(), &json!(3));
        for (function, event) in [("one", 1), ("two", 2)] {
            let lines = run.printed(function);
            assert_eq!(lines.len(), 8, "{isolation}: {lines:#?}");
            assert_eq!(lines[0..2], ["loaded".to_owned(), format!("print {event}")]);
            let log = lines[2];
            assert!(log.starts_with("[INFO]\t") && log.ends_with(&format!("\tlogged {event}")), "{log}");
            assert_eq!(lines[3..], ["to stderr", "native one", "native two", "über 😀", "no end"]);
        }
        assert_eq!(run.stderr, "", "{isolation}");
    }
}

#[test]
fn people_see_output_below_the_state_that_printed_it() {
    let workflow = Workflow::chain(&[("one", PRINTS), ("two", PRINTS)]);
    let output = fed(workflow.command().args(["--input", "-"]), b"1");
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!((output.status.code(), stdout.as_str()), (Some(0), "3\n"), "{stderr}");
    let position = |part: &str| stderr.find(part).unwrap_or_else(|| panic!("no {part:?} in {stderr}"));
    let order = ["one | loaded", "\nONE ", "one | print 1", "\nTWO ", "two | print 2", "SUCCEEDED in "];
    let positions = order.map(position);
    assert!(positions.is_sorted(), "{stderr}");
}

#[test]
fn much_output_is_complete() {
    let code = "def handler(event, context):\n    \
                    for number in range(event):\n        \
                        print('line', number)\n    \
                    print('x' * 1_000_000)\n";
    let run = Workflow::chain(&[("speak", code)]).run(&json!(20_000));
    run.output();
    let lines = run.printed("speak");
    assert!((0..20_000).all(|number| lines[number] == format!("line {number}")));
    assert_eq!(lines[20_000..].concat(), "x".repeat(1_000_000));
}

#[test]
fn functions_can_use_the_standard_library() {
    let code = "import asyncio, csv, datetime, decimal, hashlib, io, json, os, random, re, socket, sqlite3, struct\n\
                import subprocess, tempfile, threading, time, urllib.request, uuid, zlib, multiprocessing, queue\n\
                from concurrent.futures import ThreadPoolExecutor\n\
                def handler(event, context):\n    \
                    with tempfile.TemporaryDirectory() as folder:\n        \
                        path = os.path.join(folder, 'a.db')\n        \
                        with sqlite3.connect(path) as database:\n            \
                            database.execute('create table t (x)')\n            \
                            database.execute('insert into t values (3)')\n            \
                            rows = database.execute('select x from t').fetchall()\n    \
                    async def later():\n        \
                        await asyncio.sleep(0.001)\n        \
                        return 4\n    \
                    with ThreadPoolExecutor(4) as pool:\n        \
                        squares = list(pool.map(lambda x: x * x, range(20)))\n    \
                    here, there = socket.socketpair()\n    \
                    here.sendall(b'hi')\n    \
                    return [rows, asyncio.run(later()), sum(squares), there.recv(2).decode(),\n            \
                            zlib.decompress(zlib.compress(b'x' * 1000)).decode()[:1], hashlib.sha256(b'').hexdigest()[:8],\n            \
                            len(str(uuid.uuid4())), time.localtime(0).tm_year]\n";
    let workflow = Workflow::chain(&[("use", code)]);
    for isolation in ["auto", "process", "none"] {
        let run = workflow.run_under(isolation, &json!({}));
        assert_eq!(run.output(), &json!([[[3]], 4, 2470, "hi", "x", "e3b0c442", 36, 1970]), "{isolation}");
    }
}
