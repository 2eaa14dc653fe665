//! Functions that are loaded, and called in every way.

use faastlane_payload::Payload;
use faastlane_python::{Call, InRun, Outcome};
use serde_json::{Value, json};

use crate::world::{self, World, folder, function};

pub(crate) const SCENARIOS: &[(&str, fn())] = &[
    ("results are what json makes of them", results),
    ("generated results are what json makes of them", generated_results),
    ("events are what json makes of them", events),
    ("records that are alike are made apart", records),
    ("damaged events fail the invocation", damaged_events),
    ("sizes", sizes),
    ("failures", failures),
    ("calling conventions", conventions),
    ("the context", context),
    ("output", output),
    ("logging", logging),
    ("modules of any name and place", modules),
    ("the interpreter's environment", environment),
    ("background threads go on while it waits", threads),
    ("memory is given back", memory),
];

fn world(places: &[&str]) -> World {
    world::start(places.iter().map(|place| function(place)).collect()).map_err(|(_, error)| error).unwrap()
}

/// What `json.dumps` says of an expression: its text, or its error's message.
fn dumps(world: &mut World, expression: &str) -> Result<String, String> {
    let said = world.call("values:dumps", &json!(expression)).unwrap();
    let said = said.value().unwrap();
    said["json"].as_str().map(str::to_owned).ok_or_else(|| said["error"].as_str().unwrap().to_owned())
}

#[track_caller]
fn marshal_error(world: &mut World, expression: &str) -> String {
    let error = world.call("values:evaluate", &json!(expression)).expect_err(expression);
    assert_eq!(error["errorType"], "Runtime.MarshalError", "{expression}: {error}");
    assert_eq!((&error["requestId"], &error["stackTrace"]), (&json!("request-1"), &json!([])));
    let message = error["errorMessage"].as_str().unwrap();
    message.strip_prefix("Unable to marshal response: ").expect(message).to_owned()
}

fn results() {
    let mut world = world(&["values:evaluate", "values:dumps"]);
    for expression in [
        "None",
        "[True, False]",
        "2**63",
        "-2**63",
        "-2**63-1",
        "10**400",
        "1.0",
        "-0.0",
        "1e16",
        "5e-324",
        "'é\\0'",
        "(1, (2,))",
        "{}",
        "[]",
        "{True: 1, None: 2, 1.5: 3, 7: 4, 2**70: 5, False: 6, 1e22: 7, 1e-7: 8}",
        "{1: 'a', '1': 'b'}",
        "{Colour.RED: Colour.RED}",
        "{Name('k'): Name('v')}",
        "[Ratio(1.5), Count(3)]",
        "{Ratio(2.5): 0, Count(4): 1}",
        "Point(1, 2)",
        "Backwards([1, 2, 3])",
        "Upper(a=1)",
        "moved()",
        "collections.OrderedDict(b=1, a=2)",
        "collections.defaultdict(list, a=[1])",
        "collections.Counter('aab')",
        "nested(900)",
        "math.pi",
        "'\\U0001f600'",
        "[[]] * 3",
        "'x' * 100000",
        "'é' * 100000",
    ] {
        let expected = Payload::from_json(&dumps(&mut world, expression).expect(expression)).unwrap();
        let result = world.call("values:evaluate", &json!(expression)).expect(expression);
        assert_eq!(result.to_json().unwrap(), expected.to_json().unwrap(), "{expression}");
    }
    for expression in [
        "{1, 2}",
        "object()",
        "[b'bytes']",
        "bytearray(b'1')",
        "1j",
        "[{'a': set()}]",
        "{(1, 2): 3}",
        "{b'k': 1}",
        "{object(): 1}",
        "circular('dict')",
        "circular('tuple')",
        "(lambda a: a.append(a) or a)([])",
        "10**5000",
        "{10**5000: 1}",
        "range(3)",
        "{}.keys()",
        "Point",
        "len",
    ] {
        let expected = dumps(&mut world, expression).expect_err(expression);
        assert_eq!(marshal_error(&mut world, expression), expected, "{expression}");
    }
    // The wording of these differs between versions of json, or is our own.
    let floats = "Out of range float values are not JSON compliant";
    let surrogates = "'utf-8' codec can't encode character '\\ud800' in position 1: surrogates not allowed";
    let deep = "maximum recursion depth exceeded: lists and dicts nest deeper than 1000 levels";
    for (expression, message) in [
        ("math.nan", floats),
        ("[-math.inf]", floats),
        ("{math.inf: 1}", floats),
        ("Ratio('nan')", floats),
        ("decimal.Decimal('NaN')", floats),
        ("decimal.Decimal('-Infinity')", floats),
        ("'a\\ud800'", surrogates),
        ("{'a\\ud800': 1}", surrogates),
        ("nested(1001)", deep),
        ("nested(100000)", deep),
        (
            "b'x'",
            "the bytes that the function returned cannot be read as JSON: Expecting value: line 1 column 1 (char 0)",
        ),
        ("b'NaN'", floats),
    ] {
        assert_eq!(marshal_error(&mut world, expression), message, "{expression}");
    }
    let shrunk = world.call("values:evaluate", &json!("shrinking()")).unwrap();
    assert_eq!(shrunk.to_json().unwrap(), "[1,{}]");
    assert!(world.call("values:evaluate", &json!("nested(1000)")).unwrap().value().is_ok());
    for (expression, text) in [
        ("decimal.Decimal('3.14')", "3.14"),
        ("decimal.Decimal(5)", "5"),
        ("decimal.Decimal('1E+3')", "1000.0"),
        ("decimal.Decimal('1' * 30)", "111111111111111111111111111111"),
        // Bytes are the text of the response, and mean what it says.
        (r#"b'"text"'"#, "\"text\""),
        (r#"b' {"a": [1, 2.50, null]} '"#, "{\"a\":[1,2.5,null]}"),
        (r#"'"\u00e9"'.encode()"#, "\"é\""),
    ] {
        assert_eq!(world.call("values:evaluate", &json!(expression)).unwrap().to_json().unwrap(), text);
    }
}

fn generated_results() {
    let mut world = world(&["values:generate"]);
    for seed in 0..3_000 {
        let pair = world.call("values:generate", &json!(seed)).unwrap();
        let pair = pair.value().unwrap();
        let expected = Payload::from_json(pair[1].as_str().unwrap()).unwrap();
        assert_eq!(Payload::from_value(pair[0].clone()).to_json(), expected.to_json(), "seed {seed}");
    }
}

fn events() {
    let mut world = world(&["values:texts", "values:agrees", "values:echo", "values:describe"]);
    let describe = |world: &mut World, text: &str| {
        let event = Payload::from_json(text).unwrap();
        let shown = world.call_flat("values:describe", event.flat());
        shown.map(|shown| shown.value().unwrap().as_str().unwrap().to_owned())
    };
    for (text, shown) in [
        ("[null, true, false, 1, 1.0, \"\\u00e9\", [], {}]", "[None, True, False, 1, 1.0, 'é', [], {}]"),
        ("9223372036854775808", "9223372036854775808"),
        ("1e400", "inf"), // as json.loads
        ("{\"a\":1,\"b\":2,\"a\":3}", "{'a': 3, 'b': 2}"),
    ] {
        assert_eq!(describe(&mut world, text).unwrap(), shown);
    }
    let error = describe(&mut world, &"9".repeat(5_000)).unwrap_err();
    assert_eq!(error["errorType"], "Runtime.UnmarshalError");
    let message = error["errorMessage"].as_str().unwrap();
    assert!(message.starts_with("Unable to unmarshal input: Exceeds the limit (4300"), "{message}");

    for seed in 0..3_000 {
        let text = world.call("values:texts", &json!(seed)).unwrap();
        let text = text.value().unwrap().as_str().unwrap();
        let value = Payload::from_json(text).unwrap().value().unwrap().clone();
        let agrees = world.call("values:agrees", &json!({"text": text, "value": value})).unwrap();
        assert_eq!(agrees.value().unwrap(), &json!(true), "{text}");
    }
    // Many keys that share a slot of the cache, and keys too long for it.
    let keys: Value = (0..5_000).map(|n| (format!("key{n}{}", "x".repeat(n % 90)), json!(n))).collect();
    for _ in 0..2 {
        assert_eq!(world.call("values:echo", &keys).unwrap().value().unwrap(), &keys);
    }
}

/// An array of records, which mostly have the keys and many of the values of the one before.
fn alike(seed: u64) -> Value {
    let mut state = seed;
    let mut random = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut record = |_| {
        let members = (0..1 + random(8)).map(|at| {
            let key = format!("key {}", if random(12) == 0 { at + 1 } else { at });
            let value = match random(9) {
                0 => json!(null),
                1 => json!(random(3) == 0),
                2 => json!(random(4)),
                3 => json!(random(4) as f64 / 2.0),
                4 => json!([random(3), {"deeper": random(3)}, {"deeper": random(3)}]),
                5 => json!({"inner": random(3), "other": "same"}),
                _ => json!("x".repeat(random(4) as usize)),
            };
            (key, value)
        });
        Value::Object(members.collect())
    };
    (0..40).map(&mut record).collect()
}

fn records() {
    let mut world = world(&["values:echo", "values:containers", "values:describe"]);
    for seed in 0..500 {
        let event = json!({"a": alike(seed), "b": alike(seed + 1)});
        assert_eq!(world.call("values:echo", &event).unwrap().value().unwrap(), &event, "seed {seed}");
        let counts = world.call("values:containers", &event).unwrap();
        let counts = counts.value().unwrap();
        assert_eq!(counts[0], counts[1], "seed {seed}: one object was given twice");
    }
    // A key twice in each record, whose last value counts, and an event of some length.
    let text = |text: &str| [&(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
    let number = |number: i64| [&[3][..], &number.to_le_bytes()].concat();
    let array = |tag: u8, count: u32, body: &[u8]| {
        [&[tag][..], &count.to_le_bytes(), &(body.len() as u64).to_le_bytes(), body].concat()
    };
    let record = |first, second| array(8, 2, &[text("a"), number(first), text("a"), number(second)].concat());
    let records = [record(1, 2), record(3, 2), record(3, 4), record(5, 4), record(5, 4), record(6, 1)];
    let event = array(7, 12, &[records.concat(), records.concat()].concat());
    let shown = world.call_flat("values:describe", &event).unwrap();
    let half = "{'a': 2}, {'a': 2}, {'a': 4}, {'a': 4}, {'a': 4}, {'a': 1}";
    assert_eq!(shown.value().unwrap(), &json!(format!("[{half}, {half}]")));
}

/// Changes each byte in turn.
fn damage(event: &Value) {
    let mut world = world(&["values:nothing", "values:echo"]);
    let whole = Payload::from_value(event.clone()).flat().to_vec();
    let mut refused = 0;
    for place in 0..whole.len() {
        for byte in [0, 1, 5, 7, 8, 9, 0x7f, 0xff] {
            let mut bytes = whole.clone();
            bytes[place] = byte;
            // What Rust's reader takes Python's takes, to the same value, and the other way round.
            let read = Payload::from_flat(Box::new(bytes.clone()));
            match world.call_flat("values:echo", &bytes) {
                Ok(echoed) => assert_eq!(echoed.value(), read.value(), "byte {place} = {byte}"),
                Err(error) => {
                    assert_eq!(error["errorType"], "Runtime.UnmarshalError");
                    assert!(read.value().is_err(), "byte {place} = {byte}: {error}");
                    refused += 1;
                }
            }
        }
        assert!(world.call_flat("values:nothing", &whole[..place]).is_err(), "cut at {place}");
    }
    assert!(refused > 100, "{refused}");
}

fn damaged_events() {
    damage(&json!({"text": "é", "list": [1, 2.5, null, true], "object": {"big": 1}, "n": 7}));
    let record = json!({"id": "a1", "price": 2.5, "side": "BUY", "legs": [{"n": 1}, {"n": 2}]});
    damage(&json!([record, record, {"id": "a2", "price": 2.5, "side": "BUY", "legs": []}, record]));

    let mut world = world(&["values:nothing"]);
    let head = |tag: u8, length: u64| [&[tag][..], &[0xff; 4], &length.to_le_bytes()].concat();
    for bytes in [head(7, u64::MAX), head(8, u64::MAX), head(7, 1), [head(7, 3), vec![0; 3]].concat()] {
        let error = world.call_flat("values:nothing", &bytes).unwrap_err();
        assert_eq!(error["errorMessage"], "Unable to unmarshal input: damaged payload");
    }
    let deep = (0..1_001).fold(json!(1), |inner, _| json!([inner]));
    let error = world.call("values:nothing", &deep).unwrap_err();
    let message = "Unable to unmarshal input: arrays and objects nest deeper than 1000 levels";
    assert_eq!(error["errorMessage"], message);
    assert!(world.call("values:nothing", &deep[0]).is_ok());
}

fn sizes() {
    let mut world = world(&["values:echo", "failures:divide", "failures:long"]);
    let event = Payload::from_value(json!({"a": ["x".repeat(1000), 1.5, null], "b": {"c": -1}}));
    let index = world.index("values:echo");
    let call = Call {
        function: index,
        event: event.flat(),
        request_id: "",
        deadline_ms: 0,
        in_run: InRun::default(),
    };
    for capacity in 0..event.len() {
        match world.call_into(&call, capacity).outcome {
            Outcome::TooLarge(needed) => assert!(needed > capacity && needed <= event.len(), "{needed}"),
            other => panic!("{other:?} in {capacity} bytes"),
        }
    }
    let returned = world.call_into(&call, event.len());
    assert_eq!(returned.outcome, Outcome::Ok(event.len()));
    assert!(0 < returned.called_ns && returned.called_ns <= returned.returned_ns);
    assert_eq!(world.read(event.len()).flat(), event.flat());

    // An error that finds too little room is shortened, and said to be too large only when even that fails.
    let by_zero = Payload::from_value(json!({"by": 0}));
    let call = Call { function: world.index("failures:divide"), event: by_zero.flat(), ..call };
    let Outcome::Error(length) = world.call_into(&call, 200).outcome else { panic!("it fits") };
    let message = "the function failed, and its error could not be described";
    assert_eq!(world.read(length).value().unwrap()["errorMessage"], message);
    assert!(matches!(world.call_into(&call, 20).outcome, Outcome::TooLarge(21..)));

    let error = world.call("failures:long", &json!(null)).unwrap_err();
    assert_eq!(error["errorMessage"].as_str().unwrap().len(), 256 * 1024);
}

fn failures() {
    let mut world = world(&[
        "failures:divide",
        "failures:chained",
        "failures:recursive",
        "failures:leave",
        "failures:interrupt",
        "failures:cancelled",
        "failures:rude",
        "failures:surrogate",
        "failures:dynamic",
        "failures:without_arguments",
        "failures:asynchronous",
    ]);
    let file = folder().join("failures.py");
    let source = std::fs::read_to_string(&file).unwrap();
    let line = |name: &str, text: &str| {
        let number = source.lines().position(|line| line.trim() == text).unwrap() + 1;
        format!("  File \"{}\", line {number}, in {name}\n    {text}\n", file.display())
    };
    let divide = [line("divide", "return helper(event[\"by\"])"), line("helper", "return 1 / by")];
    assert_eq!(
        world.call("failures:divide", &json!({"by": 0})).unwrap_err(),
        json!({"errorMessage": "division by zero", "errorType": "ZeroDivisionError", "requestId": "request-1",
               "stackTrace": divide})
    );
    assert_eq!(
        world.call("failures:chained", &json!(null)).unwrap_err(),
        json!({"errorMessage": "sold out", "errorType": "OutOfStock", "requestId": "request-1",
               "stackTrace": [line("chained", "raise OutOfStock(\"sold out\") from error")]})
    );
    let recursive = world.call("failures:recursive", &json!(null)).unwrap_err();
    assert_eq!(recursive["errorType"], "RecursionError");
    let trace = recursive["stackTrace"].as_array().unwrap();
    assert_eq!(trace[..3], vec![json!(line("recursive", "return recursive(event, context)")); 3]);
    let repeated = trace[3].as_str().unwrap();
    assert!(repeated.starts_with("  [Previous line repeated 9") && repeated.ends_with(" more times]\n"));

    let exit = |reason: &str| format!("RequestId: request-1 Error: Runtime exited {reason}");
    for (place, event, kind, message) in [
        ("leave", json!([]), "Runtime.ExitError", exit("without providing a reason")),
        ("leave", json!([0]), "Runtime.ExitError", exit("without providing a reason")),
        ("leave", json!([3]), "Runtime.ExitError", exit("with error: exit status 3")),
        ("leave", json!(["why"]), "Runtime.ExitError", exit("with error: exit status 1: why")),
        ("interrupt", json!(null), "KeyboardInterrupt", String::new()),
        ("cancelled", json!(null), "CancelledError", "too late".into()),
        ("rude", json!(null), "Rude", "<Rude, whose __str__ raised RuntimeError>".into()),
        ("surrogate", json!(null), "ValueError", "bad \\ud800 text".into()),
        ("dynamic", json!(null), "LookupError", "made up".into()),
    ] {
        let error = world.call(&format!("failures:{place}"), &event).unwrap_err();
        assert_eq!((&error["errorType"], &error["errorMessage"]), (&json!(kind), &json!(message)), "{place}");
    }
    let dynamic = world.call("failures:dynamic", &json!(null)).unwrap_err();
    assert_eq!(dynamic["stackTrace"][1], "  File \"<made up>\", line 1, in <module>\n");
    let error = world.call("failures:without_arguments", &json!(null)).unwrap_err();
    assert_eq!(error["errorMessage"], "without_arguments() takes 0 positional arguments but 2 were given");
    let error = world.call("failures:asynchronous", &json!(null)).unwrap_err();
    let message = "Unable to marshal response: Object of type coroutine is not JSON serializable";
    assert_eq!(error["errorMessage"], message);

    let unknown =
        Call { function: 99, event: &[0], request_id: "", deadline_ms: 0, in_run: InRun::default() };
    assert!(matches!(world.call_into(&unknown, 4096).outcome, Outcome::Error(_)));
    assert!(world.call("failures:divide", &json!({"by": 1})).is_ok());
}

fn conventions() {
    let cases = [
        ("both", json!([7, "request-1"])),
        ("optional_context", json!([7, "request-1"])),
        ("anything", json!([7, "request-1", 2])),
        ("only", json!([7])),
        ("only_and_keyword", json!([7, 1])),
        ("methods", json!([7, "request-1"])),
        ("one", json!([7])),
        ("two", json!([7, "request-1"])),
        ("static", json!([7])),
        ("of_class", json!([7])),
        ("one_call", json!([7])),
        ("partial_keyword", json!([7, false])),
        ("partial_two", json!([7, "request-1", 2])),
        ("decorated", json!(["wrapped", "request-1", 7])),
    ];
    let mut places: Vec<String> = cases.iter().map(|(name, _)| format!("conventions:{name}")).collect();
    places.extend(["conventions:built_in".into(), "conventions:partial_one".into()]);
    let mut world = world(&places.iter().map(String::as_str).collect::<Vec<_>>());
    for (name, expected) in cases {
        let result = world.call(&format!("conventions:{name}"), &json!(7));
        assert_eq!(
            result.map_err(|error| format!("{name}: {error}")).unwrap().value().unwrap(),
            &expected,
            "{name}"
        );
    }
    // A partial that has the event already takes one argument: the event comes as its context.
    let error = world.call("conventions:partial_one", &json!(7)).unwrap_err();
    assert_eq!(error["errorMessage"], "'int' object has no attribute 'aws_request_id'");
    let error = world.call("conventions:built_in", &json!(7)).unwrap_err();
    assert_eq!(error["errorType"], "TypeError");
}

fn context() {
    let mut configured = function("conventions:context");
    configured["memory_mb"] = json!(256);
    let mut world = world::start(vec![configured]).map_err(|(_, error)| error).unwrap();
    let shown = world.call("conventions:context", &json!(null)).unwrap();
    assert_eq!(
        shown.value().unwrap(),
        &json!({
            "aws_request_id": "request-1",
            "function_name": "conventions:context",
            "function_version": "$LATEST",
            "invoked_function_arn": "arn:aws:lambda:us-east-1:000000000000:function:conventions:context",
            "memory_limit_in_mb": "256",
            "log_group_name": "/aws/lambda/conventions:context",
            "remaining": 900_000,
            "identity": [null, null],
            "type": ["LambdaContext", true],
            "stream": "/[$LATEST]".to_owned() + &shown.value().unwrap()["stream"].as_str().unwrap()[10..],
        })
    );
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = u64::try_from(now.as_millis()).unwrap();
    for (deadline_ms, expected) in [(now + 60_000, 1..=60_000), (now - 1, 0..=0)] {
        let call = Call { function: 0, event: &[0], request_id: "r", deadline_ms, in_run: InRun::default() };
        let Outcome::Ok(length) = world.call_into(&call, 4096).outcome else { panic!("it succeeds") };
        let remaining = world.read(length).value().unwrap()["remaining"].as_i64().unwrap();
        assert!(expected.contains(&remaining), "{remaining}");
    }
}

fn output() {
    let mut world = world(&["prints:speak", "prints:silent", "prints:odd", "prints:native"]);
    assert_eq!(world.printed(), "\x1e0 \nimported\n");
    let speak = |world: &mut World, place: &str, request_id: &str| {
        let call = Call {
            function: world.index(place),
            event: &[0],
            request_id,
            deadline_ms: 0,
            in_run: InRun::default(),
        };
        assert!(matches!(world.call_into(&call, 4096).outcome, Outcome::Ok(_)));
        world.printed()
    };
    assert_eq!(speak(&mut world, "prints:speak", "id-a"), "\x1e0 id-a\none None\ntwo\nthree\nunfinished");
    assert_eq!(speak(&mut world, "prints:silent", "id-b"), "");
    assert_eq!(speak(&mut world, "prints:speak", "id-c"), "\n\x1e0 id-c\none None\ntwo\nthree\nunfinished");
    assert_eq!(speak(&mut world, "prints:speak", "id-c"), "\n\x1e0 id-c\none None\ntwo\nthree\nunfinished");
    let long = "é".repeat(10_000);
    assert_eq!(
        speak(&mut world, "prints:odd", "id-d"),
        format!("\n\x1e2 id-d\nlone \\ud800 surrogate\n{long}\n")
    );
    // What native code prints takes no marker, and its line comes out at once.
    assert_eq!(speak(&mut world, "prints:native", "id-e"), "from C\n");
}

fn logging() {
    let mut world = world(&["prints:log"]);
    world.printed();
    for _ in 0..2 {
        world.call("prints:log", &json!("now")).unwrap();
        let printed = world.printed();
        let mut lines = printed.lines();
        assert_eq!(lines.next(), Some("\x1e0 request-1"));
        let fields: Vec<&str> = lines.next().unwrap().split('\t').collect();
        assert_eq!((fields[0], &fields[2..]), ("[WARNING]", &["request-1", "careful now"][..]));
        let time: String = fields[1].chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(time, "0000-00-00T00:00:00.000Z");
        assert!(lines.next().unwrap().ends_with("\trequest-1\ttwo"));
        assert_eq!((lines.next(), lines.next()), (Some("lines"), None));
    }
}

fn modules() {
    let orders =
        json!({"name": "orders", "module": "shop.orders", "file": folder().join("shop/orders/__init__.py")});
    let functions = vec![orders, function("first/same"), function("second/same"), function("first/os")];
    let mut world = world::start(functions).map_err(|(_, error)| error).unwrap();
    for (place, expected) in [
        ("orders", json!(["shop.orders", 3, "sibling"])),
        ("first/same", json!("first")),
        ("second/same", json!("second")),
        ("first/os", json!("_faastlane_3_os")),
    ] {
        assert_eq!(world.call(place, &json!(null)).unwrap().value().unwrap(), &expected);
    }
}

fn environment() {
    let mut sys_path: Vec<Value> =
        serde_json::from_str(&std::env::var("FAASTLANE_TEST_SYS_PATH").unwrap()).unwrap();
    sys_path.insert(0, json!(folder()));
    let mut configured = function("prints:environment");
    configured["env"] = json!({"GREETING": "hello"});
    let config = json!({"sys_path": sys_path, "executable": "/venv/bin/python", "prefix": "/venv",
                        "functions": [configured]});
    let mut world = world::start_with(config).map_err(|(_, error)| error).unwrap();
    let result = world.call("prints:environment", &json!(null)).unwrap();
    let expected = json!(["hello", null, folder(), "/venv/bin/python", "/venv"]);
    assert_eq!(result.value().unwrap(), &expected);
}

fn threads() {
    let mut world = world(&["prints:start_worker", "prints:look_at_worker"]);
    world.call("prints:start_worker", &json!(null)).unwrap();
    loop {
        // The worker can only count while the lock is free.
        world.interpreter.release();
        world.interpreter.release();
        std::thread::yield_now();
        world.interpreter.acquire();
        world.interpreter.acquire();
        if world.call("prints:look_at_worker", &json!(null)).unwrap().value().unwrap() == &json!(1) {
            break;
        }
    }
    world.interpreter.release();
    assert!(world.call("prints:look_at_worker", &json!(null)).is_ok(), "a call takes the lock by itself");
}

fn memory() {
    let mut world = world(&["values:echo", "failures:divide", "values:evaluate"]);
    let round = |world: &mut World, n: usize| {
        let event = json!({format!("key{n}"): ["x".repeat(10_000), n, 1.5, [null, {"a": {}}]], "same": 1});
        world.call("values:echo", &event).unwrap();
        world.call("failures:divide", &json!({"by": 0, "text": "y".repeat(10_000)})).unwrap_err();
        world
            .call("values:evaluate", &json!("['z' * 10000, moved(), decimal.Decimal(1), set()]"))
            .unwrap_err();
        world.call_flat("values:echo", &Payload::from_value(event).flat()[..10_000]).unwrap_err();
    };
    (0..500).for_each(|n| round(&mut world, n));
    let before = world::resident();
    (500..3_000).for_each(|n| round(&mut world, n));
    let grown = world::resident().saturating_sub(before);
    // One forgotten object in each round would be 25 MB.
    assert!(grown < 8 << 20, "{grown} bytes more");
}
