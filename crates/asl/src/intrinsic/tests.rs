use super::*;
use faastlane_payload::Payload;
use serde_json::json;

struct Documents(Payload, Payload);

impl Documents {
    fn new(input: Value, context: Value) -> Documents {
        Documents(Payload::from_value(input), Payload::from_value(context))
    }
}

impl Scope for Documents {
    fn input(&self) -> &Payload {
        &self.0
    }
    fn context(&self) -> &Payload {
        &self.1
    }
    fn variable(&self, name: &str) -> Option<&Payload> {
        (name == "v").then_some(&self.0)
    }
}

fn evaluate(call: &str) -> Result<Value, CallError> {
    let input = json!({"n": 7, "s": "text", "list": [1, 2, 2.0, "2"], "o": {"a": [1, null], "b": "x"}});
    let documents = Documents::new(input, json!({"State": {"Name": "S"}}));
    let call = Call::parse(call).unwrap_or_else(|error| panic!("{call}: {error} at {}", error.offset));
    call.evaluate(&documents, &mut SplitMix64::new(1))
}

#[test]
fn functions_compute_what_the_developer_guide_says() {
    for (call, expected) in [
        ("States.Array()", json!([])),
        ("States.Array(1, 'a', $.n, null, true, States.Array(2.5))", json!([1, "a", 7, null, true, [2.5]])),
        ("States.ArrayContains($.list, 2)", json!(true)),
        ("States.ArrayContains($.list, 3)", json!(false)),
        ("States.ArrayGetItem($.list, 3)", json!("2")),
        ("States.ArrayLength($.list)", json!(4)),
        ("States.ArrayPartition($.list, 3)", json!([[1, 2, 2.0], ["2"]])),
        ("States.ArrayRange(1, 9, 2)", json!([1, 3, 5, 7, 9])),
        ("States.ArrayRange(1, 8, 2)", json!([1, 3, 5, 7])),
        ("States.ArrayRange(3, 1, -1)", json!([3, 2, 1])),
        ("States.ArrayRange(3, 1, 1)", json!([])),
        ("States.ArrayRange(1, 3, -1)", json!([])),
        ("States.ArrayRange(2, 2, 5)", json!([2])),
        ("States.ArrayUnique($.list)", json!([1, 2, "2"])),
        ("States.Base64Encode('Data to encode')", json!("RGF0YSB0byBlbmNvZGU=")),
        ("States.Base64Decode('RGVjb2RlZCBkYXRh')", json!("Decoded data")),
        (
            "States.Format('{} is {}, not {}.', $$.State.Name, $.n, $.o)",
            json!("S is 7, not {a=[1, null], b=x}."),
        ),
        (r"States.Format('\{\} it\'s {} \\', $.s)", json!(r"{} it's text \")),
        ("States.Hash('input data', 'SHA-1')", json!("aaff4a450a104cd177d28d18d74485e8cae074b7")),
        (
            "States.JsonMerge(States.StringToJson('{\"b\": 1, \"c\": 2}'), $.o, false)",
            json!({"b": "x", "c": 2, "a": [1, null]}),
        ),
        ("States.Format('{} {}', 1e10, 1.50)", json!("1.0E10 1.5")),
        ("States.JsonToString(1e-7)", json!("1.0E-7")),
        ("States.JsonToString($.o)", json!("{\"a\":[1,null],\"b\":\"x\"}")),
        ("States.MathAdd($.n, -1)", json!(6)),
        ("States.MathAdd($v.n, $v.list[0])", json!(8)),
        ("States.MathAdd(1.5, -2.5)", json!(0)),
        ("States.MathRandom(3, 4)", json!(3)),
        ("States.MathRandom(3, 4, 99)", json!(3)),
        ("States.StringSplit('This.is+a,,test', '.+,')", json!(["This", "is", "a", "test"])),
        ("States.StringToJson('{\"x\": [1]}')", json!({"x": [1]})),
    ] {
        assert_eq!(evaluate(call), Ok(expected), "{call}");
    }
}

#[test]
fn what_they_cannot_compute_fails_with_the_call() {
    for (call, message) in [
        ("States.ArrayGetItem($.list, 4)", "no element 4"),
        ("States.ArrayGetItem($.list, -1)", "no element -1"),
        ("States.ArrayGetItem($.s, 0)", "expected an array, got text"),
        ("States.ArrayPartition($.list, 0)", "must be positive"),
        ("States.ArrayRange(0, 1000, 1)", "at most 1000"),
        ("States.ArrayRange(0, 1, 0)", "cannot be 0"),
        ("States.ArrayRange(-9223372036854775808, 9223372036854775807, 1)", "at most 1000"),
        ("States.Base64Decode('?')", "Invalid"),
        ("States.Base64Decode('/w==')", "no text"),
        ("States.Format('{}')", "more {}"),
        ("States.Format('', 1)", "fewer {}"),
        ("States.Hash('x', 'CRC')", "no hash algorithm CRC"),
        ("States.JsonMerge($.o, $.o, true)", "shallow"),
        ("States.JsonMerge($.o, $.s, false)", "expected an object"),
        ("States.MathAdd('1', 1)", "expected a number"),
        ("States.MathAdd(9223372036854775807, 1)", "too large"),
        ("States.MathRandom(3, 3)", "larger"),
        ("States.MathRandom(-9223372036854775808, 9223372036854775807)", "larger"),
        ("States.StringToJson('{')", "EOF"),
        (r"States.Format('a\b')", "not before `b`"),
        (r"States.StringSplit('a', '\.')", "not before `.`"),
    ] {
        let Err(CallError::Failed { call: named, message: got }) = evaluate(call) else { panic!("{call}") };
        assert_eq!(named, call);
        assert!(got.contains(message), "{call}: {got}");
    }
    for path in ["$.no", "$v.no", "$no"] {
        let missing = Path::parse(path).unwrap();
        let call = format!("States.Array(States.MathAdd(1, {path}))");
        assert_eq!(evaluate(&call), Err(CallError::Missing(missing)));
    }
}

#[test]
fn the_variables_it_reads_are_known() {
    let call = Call::parse("States.Array($b, $.x, States.Format('$c', $a.x[0], $b[*], $$.State))").unwrap();
    assert_eq!(Vec::from_iter(call.variables()), ["a", "b"]);
}

#[test]
fn randomness_comes_from_the_seed() {
    let draw = |call: &str, seed: u64| {
        let documents = Documents::new(Value::Null, Value::Null);
        Call::parse(call).unwrap().evaluate(&documents, &mut SplitMix64::new(seed)).unwrap()
    };
    let call = "States.MathRandom(-5, 5)";
    let drawn: Vec<i64> = (0..200).map(|seed| draw(call, seed).as_i64().unwrap()).collect();
    assert!((-5..5).all(|wanted| drawn.contains(&wanted)) && !drawn.contains(&5));
    assert_eq!(draw("States.UUID()", 4), draw("States.UUID()", 4));
    assert_ne!(draw("States.UUID()", 4), draw("States.UUID()", 5));
    assert_eq!(draw("States.MathRandom(0, 1000000, 3)", 4), draw("States.MathRandom(0, 1000000, 3)", 5));
}

#[test]
fn mistakes_are_placed() {
    let deep = format!("{}1{}", "States.Array(".repeat(11), ")".repeat(11));
    for (call, offset) in [
        ("States.Nothing()", 0),
        ("States.UUID", 11),
        ("States.UUID(1)", 0),
        ("States.UUID() x", 14),
        ("States.Array(1", 14),
        ("States.Array(1 2)", 15),
        ("States.Array(1,)", 15),
        ("States.Array('a)", 13),
        ("States.Array($.a[)", 17),
        ("States.Array(x)", 13),
        ("States.Array(States.MathAdd(1))", 13),
        ("States.MathRandom(1)", 0),
        (&deep, 130),
    ] {
        assert_eq!(Call::parse(call).map_err(|error| error.offset), Err(offset), "{call}");
    }
}

#[test]
fn large_arrays_and_texts_take_no_squared_time() {
    let many: Value = (0..60_000).map(|number| json!([number % 40_000])).collect();
    let text: String = (0..60_000).filter_map(char::from_u32).collect();
    let documents = Documents::new(json!({"many": many, "text": text}), Value::Null);
    let length = |call: &str| {
        let value = Call::parse(call).unwrap().evaluate(&documents, &mut SplitMix64::new(1)).unwrap();
        value.as_array().unwrap().len()
    };
    assert_eq!(length("States.ArrayUnique($.many)"), 40_000);
    assert_eq!(length("States.StringSplit($.text, $.text)"), 0);
}

#[test]
fn deep_data_can_be_read_and_copies_have_an_end() {
    let deep = format!("{}{}", "[".repeat(900), "]".repeat(900));
    let wide: Value = (0..3_000).collect();
    let documents = Documents::new(json!({"deep": deep, "wide": wide}), Value::Null);
    let evaluate = |call: &str| Call::parse(call).unwrap().evaluate(&documents, &mut SplitMix64::new(1));
    assert_eq!(evaluate("States.JsonToString(States.StringToJson($.deep))"), Ok(json!(deep)));
    let call = Call::parse(&format!("States.Array({}1)", "$.wide, ".repeat(50))).unwrap();
    let made = call.evaluate_within(&documents, &mut SplitMix64::new(1), &mut Budget::of(100_000));
    let path = Path::parse("$.wide").unwrap();
    assert_eq!(made, Err(CallError::Unfollowed { path, error: FindError::TooCostly }));
}
