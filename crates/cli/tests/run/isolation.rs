//! What keeps functions apart, attacked by functions. Addresses travel in events, as a trace or a log would carry them.

use crate::workflow::{Run, Workflow, chain, mpk, text};
use serde_json::{Value, json};

/// Keeps a secret, and says where.
const KEEPS: &str = "import ctypes\n\
    secret = ctypes.create_string_buffer(b'the secret', 1 << 16)\n\
    def handler(event, context):\n    \
        return ctypes.addressof(secret)\n";

/// Attacks on an address that end in a returned value where nothing isolates.
const READS: &str = "import ctypes\n\
    def handler(event, context): return ctypes.string_at(event, 10).decode()\n";
const WRITES: &str = "import ctypes\n\
    def handler(event, context):\n    \
        ctypes.memmove(event, b'overwrite ', 10)\n    \
        return ctypes.string_at(event, 10).decode()\n";
const READS_ON_A_THREAD: &str = "import ctypes, threading\n\
    def handler(event, context):\n    \
        found = []\n    \
        thread = threading.Thread(target=lambda: found.append(ctypes.string_at(event, 10).decode()))\n    \
        thread.start()\n    \
        thread.join()\n    \
        return found[0]\n";
const READS_NATIVELY: &str = "import ctypes\n\
    def handler(event, context):\n    \
        copy = ctypes.create_string_buffer(10)\n    \
        ctypes.CDLL(None).memcpy(ctypes.byref(copy), ctypes.c_void_p(event), 10)\n    \
        return copy.raw.decode()\n";

#[track_caller]
fn assert_violation(run: &Run, verb: &str, attacker: &str, victim: &str) {
    assert_eq!((run.exit, &run.report["status"]), (Some(105), &json!("FAILED")), "{run:#?}");
    let (error, cause) = run.error();
    assert_eq!(error, "Faastlane.IsolationViolation", "{cause}");
    let expected =
        [format!("function `{attacker}` {verb} address "), format!("belongs to function `{victim}`")];
    assert!(expected.iter().all(|part| cause.contains(part)), "{cause}");
    assert!(run.report.get("output").is_none(), "{run:#?}");
}

#[test]
fn another_functions_memory_cannot_be_read_or_written() {
    let attacks = [
        ("read", READS, "the secret"),
        ("wrote to", WRITES, "overwrite "),
        ("read", READS_ON_A_THREAD, "the secret"),
        ("read", READS_NATIVELY, "the secret"),
    ];
    let keys = mpk();
    for (verb, attack, stolen) in attacks {
        let workflow = Workflow::chain(&[("keep", KEEPS), ("attack", attack)]);
        // The attack is real: where nothing isolates, it succeeds.
        assert_eq!(workflow.run_under("none", &json!({})).output(), stolen, "{attack}");
        if keys {
            assert_violation(&workflow.run_under("mpk", &json!({})), verb, "attack", "keep");
        }
        // Elsewhere the address is the attacker's own, or nobody's.
        let run = workflow.run_under("process", &json!({}));
        assert_ne!(run.report["output"], json!("the secret"), "{attack}");
    }
}

/// Every libc has a function for it, and once it worked.
#[test]
fn a_function_cannot_give_itself_rights() {
    if !mpk() {
        return;
    }
    let code = "import ctypes\n\
                def handler(event, context):\n    \
                    for key in range(1, 16): ctypes.CDLL(None).pkey_set(key, 0)\n    \
                    return ctypes.string_at(event, 10).decode()\n";
    let run = Workflow::chain(&[("keep", KEEPS), ("climb", code)]).run_under("mpk", &json!({}));
    let (error, cause) = run.error();
    assert_eq!((run.exit, error), (Some(105), "Faastlane.IsolationViolation"), "{cause}");
    assert!(cause.contains("function `climb` tried to change its rights"), "{cause}");
}

/// The function itself gets a number, as from the kernel.
#[test]
fn people_read_why_a_memory_call_was_refused() {
    if !mpk() {
        return;
    }
    let code = "import ctypes, tempfile\n\
                libc = ctypes.CDLL('libc.so.6', use_errno=True)\n\
                def handler(event, context):\n    \
                    page = ctypes.c_void_p(event & -4096)\n    \
                    refused = [libc.munmap(page, 4096), ctypes.get_errno()]\n    \
                    libc.mmap.restype = ctypes.c_void_p\n    \
                    with tempfile.TemporaryFile() as file:\n        \
                        file.truncate(4096)\n        \
                        libc.mmap(None, 4096, 5, 1, file.fileno(), 0)\n    \
                    return refused\n";
    let workflow = Workflow::chain(&[("keep", KEEPS), ("unmap", code)]);
    let output = workflow.command().args(["--isolation", "mpk"]).output().unwrap();
    let told = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{told}");
    for line in [
        "faastlane: refused munmap of 4096 bytes at 0x",
        "it belongs to function `keep`",
        "faastlane: refused mmap of 4096 bytes at 0x0: code comes from files, privately",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
}

#[test]
fn people_read_who_did_what_to_whom() {
    if !mpk() {
        return;
    }
    let workflow = Workflow::chain(&[("keep", KEEPS), ("attack", READS)]);
    let output = workflow.command().args(["--isolation", "mpk"]).output().unwrap();
    let stderr = text(&output.stderr);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(105), ""), "{stderr}");
    assert!(
        stderr.contains("error: Faastlane.IsolationViolation\ncause: function `attack` read address 0x"),
        "{stderr}"
    );
}

#[test]
fn a_violation_can_be_caught_but_not_retried_away() {
    if !mpk() {
        return;
    }
    let mut machine = chain(&["keep", "attack"]);
    machine["States"]["ATTACK"]["Retry"] =
        json!([{ "ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 1 }]);
    let functions = [("keep", KEEPS), ("attack", READS)];
    let run = Workflow::new(&machine).functions(&functions).run_under("mpk", &json!({}));
    assert_violation(&run, "read", "attack", "keep");
    machine["States"]["ATTACK"]["Catch"] = json!([{ "ErrorEquals": ["States.ALL"], "Next": "Caught" }]);
    machine["States"]["Caught"] = json!({ "Type": "Succeed" });
    let run = Workflow::new(&machine).functions(&functions).run_under("mpk", &json!({}));
    assert_eq!(run.output()["Error"], "Faastlane.IsolationViolation");
}

#[test]
fn an_attack_while_loading_is_stopped_before_anything_runs() {
    if !mpk() {
        return;
    }
    // The executable's own variables, which its program headers lead to.
    let code = "import ctypes, struct\n\
                getauxval = ctypes.CDLL(None).getauxval\n\
                getauxval.restype = ctypes.c_void_p\n\
                headers, size, count = (getauxval(kind) for kind in (3, 4, 5))\n\
                headers = [(headers, struct.unpack('IIQQQQQQ', ctypes.string_at(headers + size * index, size)))\n    \
                           for index in range(count)]\n\
                base = next(at - header[3] for at, header in headers if header[0] == 6)\n\
                writable = [base + header[3] + header[6] - 8 for at, header in headers if header[0] == 1 and header[1] & 2]\n\
                print('ready')\n\
                print(ctypes.string_at(writable[-1], 8))\n\
                def handler(event, context): return 1\n";
    let run = Workflow::chain(&[("attack", code)]).run_under("mpk", &json!({}));
    assert_eq!((run.exit, run.codes()), (Some(105), vec!["FL0313"]), "{run:#?}");
    assert!(run.report.to_string().contains("function `attack` read address"), "{run:#?}");
}

#[test]
fn a_trust_group_shares_a_domain() {
    let reads = "import ctypes, state\n\
                 def handler(event, context): return [ctypes.string_at(event, 10).decode(), state.count]\n";
    let keeps = format!("import state\nstate.count += 1\n{KEEPS}");
    let workflow = Workflow::chain(&[("keep", &keeps), ("read", reads)])
        .file("functions/state.py", "count = 0\n")
        .config("[trust]\nfriends = [\"keep\", \"read\"]\n");
    for isolation in ["auto", "process", "none"] {
        let run = workflow.run_under(isolation, &json!({}));
        assert_eq!(run.output(), &json!(["the secret", 1]), "{isolation}");
        let domains: Vec<&Value> =
            run.report["states"].as_array().unwrap().iter().map(|state| &state["domain"]).collect();
        assert_eq!(domains, ["friends", "friends"], "{isolation}");
    }
}

#[test]
fn members_of_a_trust_group_print_under_their_own_names() {
    let code = "def handler(event, context): print(context.function_name); return event";
    let workflow = Workflow::chain(&[("one", code), ("two", code), ("three", code)])
        .config("[trust]\nfriends = [\"one\", \"three\"]\n");
    let run = workflow.run(&json!(1));
    run.output();
    for name in ["one", "two", "three"] {
        assert_eq!(run.printed(name), [name]);
    }
}

#[test]
fn functions_share_no_state_and_keep_their_own() {
    let code = "import decimal, sys, os\n\
                calls = []\n\
                def handler(event, context):\n    \
                    calls.append(1)\n    \
                    sys.setrecursionlimit(sys.getrecursionlimit() + 1)\n    \
                    decimal.getcontext().prec += 1\n    \
                    os.environ['MARK'] = os.environ.get('MARK', '') + 'x'\n    \
                    os.chdir('..')\n    \
                    return event + [[len(calls), sys.getrecursionlimit() > 1001, decimal.getcontext().prec, os.environ['MARK'],\n            \
                                     os.getcwd().count('/')]]\n";
    let mut machine = chain(&["one", "two"]);
    machine["States"]["TWO"] = json!({ "Type": "Task", "Resource": "two", "Next": "Again" });
    machine["States"]["Again"] = json!({ "Type": "Task", "Resource": "one", "End": true });
    let workflow = Workflow::new(&machine).functions(&[("one", code), ("two", code)]);
    for isolation in ["auto", "process", "none"] {
        for _warm_state_ends_with_a_run in 0..2 {
            let run = workflow.run_under(isolation, &json!([]));
            let output = run.output().as_array().unwrap();
            assert_eq!(output[0], output[1], "{isolation}");
            assert_eq!(
                output[0].as_array().unwrap()[0..4],
                [json!(1), json!(false), json!(29), json!("x")],
                "{isolation}"
            );
            assert_eq!(
                output[2].as_array().unwrap()[0..4],
                [json!(2), json!(true), json!(30), json!("xx")],
                "{isolation}"
            );
        }
    }
}

#[test]
fn closing_descriptors_hurts_nobody_else() {
    let closes = "import os\ndef handler(event, context):\n    os.closerange(0, 4096)\n    return event\n";
    let prints = "def handler(event, context):\n    print('still here')\n    return open(__file__).read(3)\n";
    let workflow = Workflow::chain(&[("close", closes), ("print", prints), ("last", closes)]);
    for isolation in ["auto", "process", "none"] {
        let run = workflow.run_under(isolation, &json!({}));
        assert_eq!(run.output(), "def", "{isolation}");
        assert_eq!(run.lines(), [("print", "still here")], "{isolation}");
    }
}

#[test]
fn a_function_sets_no_limits_for_others() {
    let code = "import os, resource\n\
                def attempt(what, *arguments):\n    \
                    try:\n        \
                        return what(*arguments)\n    \
                    except (OSError, ValueError) as error:\n        \
                        return str(error)\n\
                def handler(event, context):\n    \
                    before = resource.getrlimit(resource.RLIMIT_NOFILE)\n    \
                    answers = [attempt(resource.setrlimit, resource.RLIMIT_AS, (1, 1)),\n        \
                               attempt(resource.prlimit, 0, resource.RLIMIT_NOFILE, (1, 1)),\n        \
                               attempt(os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(1))]\n    \
                    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before\n    \
                    return answers\n";
    let workflow = Workflow::chain(&[("limit", code)]);
    for isolation in ["auto", "process", "none"] {
        let run = workflow.run_under(isolation, &json!({}));
        let refused = "[Errno 1] Operation not permitted";
        assert_eq!(
            run.output(),
            &json!(["not allowed to raise maximum limit", refused, refused]),
            "{isolation}"
        );
    }
}

#[test]
fn more_functions_than_keys() {
    let names: Vec<String> = (0..20).map(|number| format!("f{number}")).collect();
    let code = "def handler(event, context): return event + [context.function_name]";
    let functions: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), code)).collect();
    let workflow = Workflow::chain(&functions);
    let run = workflow.run(&json!([]));
    assert_eq!(run.output(), &json!(names));
    if !mpk() {
        return;
    }
    assert_eq!(run.report["isolation"], "mpk");
    let placed = |placement: &str| {
        let states = run.report["states"].as_array().unwrap().iter();
        states.filter(|state| state["placement"] == placement).count()
    };
    assert!(placed("thread") >= 11, "{run:#?}");
    assert_eq!(placed("thread") + placed("process"), 20, "{run:#?}");
    let mut command = crate::workflow::faastlane();
    let output = command.arg("plan").arg(workflow.path("")).output().unwrap();
    let plan = text(&output.stdout);
    assert!(plan.contains("f19") && plan.contains("process"), "{plan}");
    assert!(plan.contains("keys"), "{plan}");
}

#[test]
fn threads_of_several_domains_work_at_once() {
    let code = "import hashlib, threading\n\
                from concurrent.futures import ThreadPoolExecutor\n\
                def digest(number):\n    \
                    return hashlib.sha256(bytes([number]) * 300_000).hexdigest()[:4]\n\
                def handler(event, context):\n    \
                    with ThreadPoolExecutor(8) as pool:\n        \
                        digests = list(pool.map(digest, range(60)))\n    \
                    started = [threading.Thread(target=lambda: [dict(a=i) for i in range(2000)]) for _ in range(50)]\n    \
                    [thread.start() for thread in started]\n    \
                    [thread.join() for thread in started]\n    \
                    return digests\n";
    let branch = |name: &str| {
        let state = name.to_uppercase();
        json!({ "StartAt": state, "States": { &state: { "Type": "Task", "Resource": name, "End": true } } })
    };
    let workflow =
        Workflow::new(&json!({ "StartAt": "All", "States": { "All": { "Type": "Parallel", "End": true,
        "Branches": [branch("one"), branch("two"), branch("three"), branch("four")] } } }))
        .functions(&[("one", code), ("two", code), ("three", code), ("four", code)]);
    for isolation in ["auto", "process", "none"] {
        let run = workflow.run_under(isolation, &json!({}));
        let output = run.output().as_array().unwrap();
        assert_eq!(output[0].as_array().unwrap().len(), 60);
        assert!(output.iter().all(|digests| digests == &output[0]), "{isolation}");
    }
}

#[test]
fn ctypes_works_in_a_domain() {
    let code = "import ctypes, os\n\
                def handler(event, context):\n    \
                    libc = ctypes.CDLL(None)\n    \
                    return [libc.getpid() == os.getpid(), ctypes.string_at(b'hi')].__repr__()\n";
    let workflow = Workflow::chain(&[("call", code)]);
    for isolation in ["auto", "process", "none"] {
        assert_eq!(workflow.run_under(isolation, &json!({})).output(), "[True, b'hi']", "{isolation}");
    }
}

/// libffi writes a callback's code through a second mapping of a file. Where native code is bound by keys, no code can be
/// written at all.
#[test]
fn python_called_from_native_code_needs_code_that_is_written() {
    let code = "import ctypes\n\
                def handler(event, context):\n    \
                    compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))\n    \
                    numbers = (ctypes.c_int * 5)(5, 3, 1, 4, 2)\n    \
                    ctypes.CDLL(None).qsort(numbers, 5, 4, compare(lambda a, b: a[0] - b[0]))\n    \
                    return list(numbers)\n";
    let workflow = Workflow::chain(&[("call", code)]);
    for isolation in ["process", "none"] {
        assert_eq!(
            workflow.run_under(isolation, &json!({})).output(),
            &json!([1, 2, 3, 4, 5]),
            "{isolation}"
        );
    }
    if mpk() {
        assert_eq!(workflow.run_under("mpk", &json!({})).function_error().0, "MemoryError");
    }
}

#[test]
fn memory_can_run_out_for_one_function() {
    let workflow = Workflow::chain(&[("greedy", "def handler(event, context): return len('x' * 10**14)")]);
    for isolation in ["auto", "process", "none"] {
        let run = workflow.run_under(isolation, &json!({}));
        assert_eq!(run.function_error().0, "MemoryError", "{isolation}");
    }
}

#[test]
fn memory_cannot_be_code_and_data() {
    if !mpk() {
        return;
    }
    let code = "import mmap\n\
                def handler(event, context):\n    \
                    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)\n";
    let run = Workflow::chain(&[("code", code)]).run_under("mpk", &json!({}));
    assert_eq!(run.function_error().0, "PermissionError");
}

#[test]
fn domains_of_the_second_process_are_kept_apart_too() {
    if !mpk() {
        return;
    }
    let mut names: Vec<String> = (0..18).map(|number| format!("pass{number}")).collect();
    names.extend(["keep".to_owned(), "attack".to_owned()]);
    let pass = "def handler(event, context): return event";
    let functions = names.iter().map(|name| match name.as_str() {
        "keep" => ("keep", KEEPS),
        "attack" => ("attack", READS),
        name => (name, pass),
    });
    let workflow = Workflow::chain(&functions.collect::<Vec<_>>());
    assert_eq!(workflow.run_under("none", &json!({})).output(), "the secret");
    let run = workflow.run_under("mpk", &json!({}));
    assert_violation(&run, "read", "attack", "keep");
    assert_eq!(run.report["states"].as_array().unwrap().len(), 20);
}
