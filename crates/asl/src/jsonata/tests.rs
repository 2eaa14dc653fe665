use super::*;
use serde_json::json;

struct States(Value, Value);

impl Scope for States {
    fn variable(&self, name: &str) -> Option<Value> {
        self.1.get(name).cloned()
    }
    fn state(&self, member: &str) -> Option<Value> {
        self.0.get(member).cloned()
    }
}

fn evaluate(text: &str) -> Result<Value, String> {
    let input = json!({
        "input": {"n": 2, "list": [1, 2, 3], "exact": 12345678901234567890_u64, "o": {"a": [{"b": 1}, {"b": 2}]}, "null": null},
        "context": {"State": {"Name": "s"}},
    });
    let scope = States(input, json!({"v": {"w": 7}, "x": 1}));
    let mut random = SplitMix64::new(7);
    let mut environment =
        Environment { random: &mut random, now: 1_700_000_000_000_000, budget: Budget::default() };
    let expression = Expression::parse(text).map_err(|error| error.message)?;
    expression.evaluate("Output", &scope, &mut environment).map_err(|error| error.message)
}

#[test]
fn expressions_are_evaluated() {
    for (text, expected) in [
        ("1 + 2", json!(3)),
        ("1 / 2", json!(0.5)),
        ("$states.input.n", json!(2)),
        ("$states.input.exact", json!(12345678901234567890_u64)),
        ("$states.input.`null`", json!(null)),
        ("$states.input.o.a.b", json!([1, 2])),
        ("$sum($states.input.list) + $x", json!(7)),
        ("$v.w", json!(7)),
        ("$states.context.State.Name & '!'", json!("s!")),
        ("{'b': 1, 'a': [1..3]}", json!({"b": 1, "a": [1, 2, 3]})),
        ("$map($states.input.list, function($i) { $i * 2 })", json!([2, 4, 6])),
        ("$partition([1, 2, 3, 4, 5], 2)", json!([[1, 2], [3, 4], [5]])),
        ("$range(0, 10, 5)", json!([0, 5, 10])),
        ("$range(3, 1, -1)", json!([3, 2, 1])),
        ("$hash('abc')", json!("a9993e364706816aba3e25717850c26c9cd0d89d")),
        ("$hash('abc', 'MD5')", json!("900150983cd24fb0d6963f7d28e17f72")),
        ("$parse('{\"a\": [1]}')", json!({"a": [1]})),
        ("$millis()", json!(1_700_000_000_000_u64)),
        ("$now()", json!("2023-11-14T22:13:20.000Z")),
        ("$now('[Y0001]')", json!("2023")),
        ("$length($uuid())", json!(36)),
        ("$random() = $random()", json!(false)),
        ("$random(1) = $random(1)", json!(true)),
    ] {
        assert_eq!(evaluate(text), Ok(expected), "{text}");
    }
}

#[test]
fn what_goes_wrong_is_worded_as_step_functions_words_it() {
    for (text, expected) in [
        ("$nothing", "returned nothing (undefined)."),
        ("$states.input.nothing", "returned nothing (undefined)."),
        ("$states.input.n.deeper", "returned nothing (undefined)."),
        ("$sum", "returned an unsupported result type."),
        ("$f := function($x){$x}", "returned an unsupported result type."),
    ] {
        let message = format!("The JSONata expression '{text}' specified for the field 'Output' {expected}");
        assert_eq!(evaluate(text), Err(message));
    }
    for text in [
        "1 + 'a'",
        "$eval('1')",
        "$hash('a', 'no')",
        "$partition([1], 0)",
        "$range(0, 5000, 1)",
        "$error('x')",
    ] {
        let said = evaluate(text).unwrap_err();
        assert!(said.contains("threw an error during evaluation. "), "{said}");
    }
}

/// Each ends within its budget, and none overflows the stack of a thread.
#[test]
fn evil_expressions_end() {
    let nested = format!("{}1{}", "(".repeat(100_000), ")".repeat(100_000));
    for text in [
        "($f := function($n) { 1 + $f($n + 1) }; $f(0))",
        "($f := function($n) { $g($n) }; $g := function($n) { [$f($n)] }; $f(0))",
        "$count($map([1..9999999], function($i) { [1..9999999] }))",
        "$pad('x', 2000000000)",
        "[1..9999999].([1..9999999])",
        "$match('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', /(a+)+$/)",
        &nested,
    ] {
        let thread = std::thread::Builder::new().stack_size(2 << 20);
        let text = text.to_owned();
        let shown = text.chars().take(60).collect::<String>();
        let ended = thread.spawn(move || evaluate(&text).map(|_| ())).unwrap().join();
        assert!(ended.is_ok(), "{shown}");
    }
}

#[test]
fn templates_hold_expressions_and_literals() {
    let template = json!({"a": "{% $states.input.n %}", "b": [" {% x %} ", "{%1+1%}"], "c": {"d": null}});
    let scope = States(json!({"input": {"n": 5}}), json!({}));
    let mut random = SplitMix64::new(0);
    let mut environment = Environment { random: &mut random, now: 0, budget: Budget::default() };
    let parsed = Template::parse(&template).unwrap();
    assert_eq!(
        parsed.evaluate("Output", &scope, &mut environment),
        Ok(json!({"a": 5, "b": [" {% x %} ", 2], "c": {"d": null}}))
    );
    let parsed = Template::parse(&json!({"deep": [1, {"x": "{% $no %}"}]})).unwrap();
    let error = parsed.evaluate("Output", &scope, &mut environment).unwrap_err();
    assert_eq!(error.field, "Output/deep[1]/x");
    let error = Template::parse(&json!({"a/b": ["{%   ( %}"]})).unwrap_err();
    assert_eq!(error.pointer, "/a~1b/0");
}

#[test]
fn what_an_expression_reads_is_known() {
    let expression = Expression::parse("$states.input.a + $foo").unwrap();
    assert!(expression.may_read_state("input") && !expression.may_read_state("context"));
    assert!(expression.may_read("foo") && !expression.may_read("bar"));
    let whole = Expression::parse("$keys($states)").unwrap();
    assert!(whole.may_read_state("context"));
}
