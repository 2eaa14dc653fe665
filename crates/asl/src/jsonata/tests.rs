use super::*;
use serde_json::json;

struct States {
    input: Json,
    variables: Json,
}

impl Scope for States {
    fn variable(&self, name: &str) -> Option<Variable<'_>> {
        match name {
            "states" => Some(Variable::Members(vec![("input", Cow::Borrowed(&self.input))])),
            other => Some(Variable::Value(Cow::Borrowed(self.variables.get(other)?))),
        }
    }
}

fn states() -> States {
    let input = json!({
        "a": {"b": 41},
        "list": [{"x": 1}, {"x": 2}],
        "exact": 9_007_199_254_740_993_i64,
        "text": "hello$world",
        "float": 1.0,
    });
    States { input, variables: json!({"ja": "so", "number": 3}) }
}

fn query(text: &str, budget: Budget) -> Result<Json, QueryError> {
    let mut random = SplitMix64::new(7);
    let mut environment = Environment { random: &mut random, now: 1_732_000_000_123_456, budget };
    Expression::parse(text).unwrap().evaluate("Output", &states(), &mut environment)
}

/// What is said behind "the field 'Output'".
fn complaint(text: &str, budget: Budget) -> String {
    let message = query(text, budget).unwrap_err().to_string();
    let start = format!("The JSONata expression '{text}' specified for the field 'Output' ");
    message.strip_prefix(&start).unwrap_or(&message).to_owned()
}

#[test]
fn expressions_give_values() {
    for (text, expected) in [
        ("$states.input.a.b + 1", json!(42)),
        ("$states.input.list.x", json!([1, 2])),
        ("$states.input.list[x = 2]", json!({"x": 2})),
        ("$states.input.exact", json!(9_007_199_254_740_993_i64)),
        ("$states.input.float", json!(1.0)),
        ("$states.input.float + 0", json!(1)),
        ("{'z': 1, 'a': [1/4, 1e21]}", json!({"z": 1, "a": [0.25, 1e21]})),
        ("$ja & $string($number)", json!("so3")),
        ("$sum([1..4])", json!(10)),
        ("$variable := 1", json!(1)),
        ("$contains('hello$world', /^hello\\$/)", json!(true)),
        ("[1/0]", json!(["Infinity"])),
        ("$partition([1,2,3,4,5], 2)", json!([[1, 2], [3, 4], [5]])),
        ("$range(0, 6, 2)", json!([0, 2, 4, 6])),
        ("$range(3, 1, -1)", json!([3, 2, 1])),
        ("$hash('input', 'SHA-1')", json!("140f86aae51ab9e1cda9b4254fe98a74eb54c1a1")),
        ("$random(42)", json!(0.7275636800328681)),
        ("$parse('{\"a\":1}').a", json!(1)),
        ("$length($uuid())", json!(36)),
        ("$now()", json!("2024-11-19T07:06:40.123Z")),
        ("$millis()", json!(1_732_000_000_123_i64)),
        ("null", json!(null)),
        (
            "{'a': {'b': 1, 'k': {'b': 2}}} ~> |**[$exists(b)]|{'z': b + 10}, 'b'|",
            json!({"a": {"k": {"z": 12}, "z": 11}}),
        ),
        ("$replace('aé😀b', /./, '<$0>')", json!("<a><é><😀><b>")),
    ] {
        assert_eq!(query(text, Budget::default()), Ok(expected), "{text}");
    }
}

#[test]
fn errors_are_worded_as_on_step_functions() {
    for (text, expected) in [
        ("$doesNotExist", "returned nothing (undefined)."),
        ("$states.input.nothing", "returned nothing (undefined)."),
        ("$fn := function($x){$x}", "returned an unsupported result type."),
        ("{'f': $sum}", "returned an unsupported result type."),
        (
            "'a' + 1",
            "threw an error during evaluation. T2001: The left side of the \"+\" operator must evaluate to a number",
        ),
        (
            "$sum(['a'])",
            "threw an error during evaluation. T0412: Argument 1 of function \"sum\" must be an array of \"numbers\"",
        ),
        (
            "$abs('a')",
            "threw an error during evaluation. T0410: Argument 1 of function \"abs\" does not match function signature",
        ),
        ("$eval('1+1')", "threw an error during evaluation. T1006: Attempted to invoke a non-function"),
        ("$error('so')", "threw an error during evaluation. D3137: so"),
        (
            "1 < 'a'",
            "threw an error during evaluation. T2009: The values 1 and \"a\" either side of operator \"<\" must be of the same data type",
        ),
        (
            "$formatNumber(1, 'x')",
            "threw an error during evaluation. D3086: The sub-picture must not contain a passive character that is preceded by an active character and that is followed by another active character",
        ),
    ] {
        assert_eq!(complaint(text, Budget::default()), expected, "{text}");
    }
    let expression = Expression::parse("$x").unwrap();
    assert_eq!(
        QueryError::unexpected(&expression, "Items", "array", &json!("s")).to_string(),
        "The JSONata expression '$x' specified for the field 'Items' returned an unexpected result type. Expected 'array', but was 'string' for value: \"s\""
    );
}

#[test]
fn what_is_no_expression_is_refused_in_step_functions_words() {
    for (text, offset, message) in [
        ("a[1,2)", 3, "Expected \"]\", got \",\""),
        ("\"unterminated", 13, "String literal must be terminated by a matching quote"),
        (" 1 + ", 4, "Unexpected end of expression"),
        ("{\"a\":}", 5, "The symbol \"}\" cannot be used as a unary operator"),
        ("$x :=", 5, "Unexpected end of expression"),
        ("$match(\"a\", /abc", 16, "No terminating / in regular expression"),
        ("", 0, "Unexpected end of expression"),
        ("$a ? : 1", 5, "The symbol \":\" cannot be used as a unary operator"),
        ("1 2", 2, "Syntax error: \"2\""),
        ("ä ! b", 3, "Unknown operator: \"!\""),
        (
            "/a(?=b)/",
            1,
            "Invalid regular expression /a(?=b)/: look-around, including look-ahead and look-behind, is not supported",
        ),
    ] {
        let error = Expression::parse(text).unwrap_err();
        assert_eq!((error.message.as_str(), error.offset), (message, offset), "{text}");
    }
}

/// As large as a thread has to be that runs executions.
const STACK_BYTES: usize = 3 << 19;

fn on_a_small_stack<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
        thread.spawn_scoped(scope, run).unwrap().join().unwrap()
    })
}

const DEPTH: &str = "threw an error during evaluation: Stack overflow error: Check for non-terminating recursive function. Consider rewriting as tail-recursive.";
const STEPS: &str =
    "threw an error during evaluation: Expression evaluation timeout: Check for infinite loop";
const BYTES: &str = "threw an error during evaluation: Expression evaluation memory limit exceeded: Check for excessive memory usage";

#[test]
fn what_never_ends_ends() {
    let few = Budget { steps: 300_000, ..Budget::default() };
    for (text, expected) in [
        ("($f := function($x) { 1 + $f($x) }; $f(1))", DEPTH),
        ("($f := function($x) { $f($x + 1) }; $f(1))", STEPS),
        ("($f := function($x) { $g($x) }; $g := function($x) { $f($x) }; $f(1))", STEPS),
        ("($f := function($x) { $g($x) & '' }; $g := function($x) { $f($x) }; $f(1))", DEPTH),
        ("($f := function($x) { $map([1, 2], function($y) { [$f($y), 1] }) }; $f(1))", DEPTH),
        ("($f := function($x) { $sort([1, 2], function($a, $b) { $f(1) > 1 }) }; $f(1))", DEPTH),
        ("($f := function($x) { $replace('a', /a/, function($m) { $f($m) & '' }) & '' }; $f(1))", DEPTH),
        ("($f := function($x) { {'a': {'b': $f(1)}} ~> |a|{'c': 1}| }; $f(1))", DEPTH),
        ("($f := function($x, $g) { $x = 0 ? $g(1) : $f($x - 1, $g ~> $sum) }; $f(5000, $sum))", DEPTH),
        (
            "($f := function($x, $g) { $x = 0 ? $g(1) : $f($x - 1, $append($g, ?)) }; $f(5000, $sum))",
            "returned an unsupported result type.",
        ),
        ("($f := function($x, $n) { $n = 0 ? 1 : $f([[$x]], $n - 1) }; $f(1, 100000))", DEPTH),
        ("($f := function($x, $n) { $n = 0 ? 1 : $f({'x': $x}, $n - 1) }; $f(1, 100000))", DEPTH),
        ("($f := function($g, $n) { $n = 0 ? 1 : $f(function() { $g }, $n - 1) }; $f(1, 15000))", "1"),
        ("($y := function($f) { $f($f) }; $y($y))", STEPS),
        ("[1..10000000]", BYTES),
        ("$range(1, 1e300, 1)", BYTES),
        ("$sum([1..1000].([1..1000]))", STEPS),
        ("$count([1..1000]@$a.[1..1000]@$b.[1..1000])", STEPS),
        ("[1..1000]^($count([1..$]))", STEPS),
        ("$pad('', 1e9)", BYTES),
        ("$pad('x', -1e300, 'ab')", BYTES),
        ("($p := function($s, $n) { $n = 0 ? $s : $p($s & $s, $n - 1) }; $length($p('x', 40)))", STEPS),
        ("$replace($pad('', 100000, 'a'), 'a', $pad('', 10000, 'b'))", STEPS),
        ("$replace($pad('', 100000, 'a'), /a/, $pad('', 10000, 'b'))", STEPS),
        ("$replace($pad('', 1000, 'a'), /(a*)/, $pad('', 20000, '$1'))", STEPS),
        ("$join([1..100000].$string($), $pad('', 10000))", STEPS),
        ("$reduce([1..100000], $append)", STEPS),
        ("$distinct([1..100000])", STEPS),
        ("$contains($pad('', 1000000, 'a'), /(a*)*b/)", "false"),
        ("$contains($pad('', 30, 'a'), /^(a+)+$/)", "true"),
        ("$count($match($pad('', 20000, 'a'), /a.*b|a/))", STEPS),
        ("$contains($pad('', 100000, 'ab'), /((a?){50}){50}c/)", STEPS),
        ("$count($split($pad('', 20000, 'abcd efgh '), /\\s+/))", "4001"),
        ("$formatInteger(1e300, 'I')", BYTES),
        ("$length($formatInteger(1e300, 'w'))", "670"),
        ("$formatInteger(1/0, 'w')", "threw an error during evaluation. D1001: Number out of range: null"),
        ("$fromMillis(1, '[Y,999999999-999999999]')", BYTES),
        ("$toMillis('1', '[Y999999999999999999]')", "-2177452800000"),
        ("$formatNumber(1e-300, '0.0e0')", "\"10.0e-301\""),
    ] {
        let came = on_a_small_stack(|| match query(text, few) {
            Ok(value) => value.to_string(),
            Err(_) => complaint(text, few),
        });
        assert_eq!(came, expected, "{text}");
    }
}

#[test]
fn the_default_budget_holds_large_work() {
    for (text, expected) in [
        ("$sum([1..873782])", json!(381_747_928_653_i64)),
        ("$length($pad('', 4194304))", json!(4_194_304)),
        ("$count($map([1..10000], function($x) { $x * 2 }))", json!(10_000)),
    ] {
        assert_eq!(query(text, Budget::default()), Ok(expected), "{text}");
    }
}

#[test]
fn nesting_is_bounded_when_it_is_parsed() {
    for (open, close) in
        [("(", ")"), ("[", "]"), ("{'a':", "}"), ("-", ""), ("$f(", ")"), ("a[", "]"), ("|a|", "|")]
    {
        for levels in [60, 100_000] {
            let text = format!("{}1{}", open.repeat(levels), close.repeat(levels));
            let parsed = on_a_small_stack(|| Expression::parse(&text).map(|_| ()));
            match parsed {
                Ok(()) => assert!(levels == 60, "{open}"),
                Err(error) => {
                    assert_eq!(error.message, "The expression nests deeper than 160 levels", "{open}")
                }
            }
        }
    }
    for (start, more) in
        [("1", "+1"), ("a", ".b"), ("a", "[0]"), ("a", "(1)"), ("a", "~>$b"), ("a", "?b:c"), ("a", "&b")]
    {
        let text = format!("{start}{}", more.repeat(100_000));
        let error = on_a_small_stack(|| Expression::parse(&text).unwrap_err());
        assert_eq!(error.message, "The expression nests deeper than 160 levels", "{more}");
    }
    let longest = format!("1{}", "+1".repeat(100));
    assert_eq!(on_a_small_stack(|| query(&longest, Budget::default())), Ok(json!(101)));
    let too_long = format!("1{}", "+1".repeat(150));
    assert_eq!(on_a_small_stack(|| complaint(&too_long, Budget::default())), DEPTH);
}

#[test]
fn deep_documents_pass_and_are_not_walked_through() {
    let mut deep = json!(1);
    for _ in 0..faastlane_payload::MAX_DEPTH {
        deep = json!({"a": deep, "b": []});
    }
    let states = States { input: json!(1), variables: json!({"deep": deep}) };
    let evaluate = |text: &str| {
        let mut random = SplitMix64::new(7);
        let budget = Budget::default();
        let mut environment = Environment { random: &mut random, now: 0, budget };
        let result = Expression::parse(text).unwrap().evaluate("Output", &states, &mut environment);
        // A payload takes deep values apart without recursion.
        result.map(faastlane_payload::Payload::from_value).map_err(|error| error.to_string())
    };
    on_a_small_stack(|| {
        assert!(evaluate("$deep").is_ok());
        assert!(evaluate("[$deep, {'x': $deep}]").is_ok());
        for text in ["$string($deep)", "$deep = $deep", "$deep.**", "$clone($deep)", "$deep ~> |a|{'b': 1}|"]
        {
            assert!(evaluate(text).is_err_and(|error| error.ends_with(DEPTH)), "{text}");
        }
    });
    drop(faastlane_payload::Payload::from_value(states.variables));
}

#[test]
fn evaluations_repeat() {
    let text = "[$random(), $uuid(), $shuffle([1..10]), $now('[F], [D1o] [MNn] [Y]')]";
    assert_eq!(query(text, Budget::default()), query(text, Budget::default()));
    assert_eq!(
        query("$now('[F], [D1o] [MNn] [Y]')", Budget::default()),
        Ok(json!("tuesday, 19th November 2024"))
    );
}

#[test]
fn what_is_read_is_known() {
    let reads = |text: &str| {
        let expression = Expression::parse(text).unwrap();
        let variables: Vec<String> = expression.variables().map(str::to_owned).collect();
        let members = ["input", "result", "errorOutput", "context"];
        let states: Vec<&str> =
            members.into_iter().filter(|member| expression.may_read_states(&[member])).collect();
        (variables.join(" "), states.join(" "))
    };
    for (text, variables, states) in [
        ("1", "", ""),
        ("$states.input.a + $sum($foo)", "states foo", "input"),
        ("$states", "states", "input result errorOutput context"),
        ("$states.*", "states", "input result errorOutput context"),
        ("($x := $y; $x + $z)", "y z", ""),
        ("($x := $x + 1; $x)", "x", ""),
        ("(($x := 1); $x)", "x", ""),
        ("function($a, $b) { $a + $c }", "c", ""),
        ("$states.context.Execution.Input[$i]", "states i", "context"),
        ("$states.result.list@$l.other[$l.a = $m]", "states m", "result"),
        ("$c ? ($d := 1) : $states.errorOutput", "c states", "errorOutput"),
    ] {
        assert_eq!(reads(text), (variables.to_owned(), states.to_owned()), "{text}");
    }
    let expression = Expression::parse("$states.context.State.Name").unwrap();
    assert!(expression.may_read_states(&["context", "State"]));
    assert!(!expression.may_read_states(&["context", "Execution", "Input"]));
    assert!(Expression::parse("$states.context").unwrap().may_read_states(&[
        "context",
        "Execution",
        "Input"
    ]));
    assert!(!Expression::parse("$foo").unwrap().may_read_states(&[]));
    assert_eq!(Expression::parse(" $states.input ").unwrap().as_states_member(), Some("input"));
    assert_eq!(Expression::parse("$states.input.a").unwrap().as_states_member(), None);
}

#[test]
fn references_to_no_input_are_found() {
    for (text, expected) in [
        ("phone", vec![("phone", 0)]),
        ("$ & name.first", vec![("$", 0), ("name", 4)]),
        ("$$.a", vec![("$$", 0)]),
        ("[1, *]", vec![("*", 4)]),
        ("$states.input[a = 1].(b + $)", vec![]),
        ("$map($states.input, function($v) { $v.a })", vec![]),
        ("$states.input{a: b}^(c)", vec![]),
        ("$sum(items)", vec![("items", 5)]),
    ] {
        let expression = Expression::parse(text).unwrap();
        let found: Vec<(&str, usize)> =
            expression.top_level_references().iter().map(|(name, at)| (name.as_str(), *at)).collect();
        assert_eq!(found, expected, "{text}");
    }
}

fn fill(template: Json) -> Result<Json, String> {
    let mut random = SplitMix64::new(7);
    let mut environment = Environment { random: &mut random, now: 0, budget: Budget::default() };
    let template = Template::parse(&template).unwrap();
    template.evaluate("Output", &states(), &mut environment).map_err(|error| error.to_string())
}

#[test]
fn templates_are_filled_in() {
    let literal = json!({"a": [null, 0, 0.1, " {% $states.input %} ", "$states.input", "{%", "{%}", "x {% 1 %}"], "b.$": "$"});
    assert!(Template::parse(&literal).unwrap().is_literal());
    assert_eq!(fill(literal.clone()), Ok(literal));
    assert_eq!(fill(json!("{% $states.input.a %}")), Ok(json!({"b": 41})));
    assert_eq!(
        fill(json!({"z": "{%$number%}", "a": ["{% 1 + 1 %}", {"k": "{% $ja %}", "l": 1}]})),
        Ok(json!({"z": 3, "a": [2, {"k": "so", "l": 1}]}))
    );
    for (template, field) in [
        (json!("{% $no %}"), "Output"),
        (json!({"a": {"b/c": "{% $no %}"}}), "Output/a/b/c"),
        (json!({"l": [1, ["{% $no %}"]]}), "Output/l[1][0]"),
    ] {
        let expected = format!(
            "The JSONata expression '$no' specified for the field '{field}' returned nothing (undefined)."
        );
        assert_eq!(fill(template), Err(expected));
    }
    let template = Template::parse(&json!({"FunctionName": "f", "Payload": "{% $states.input %}"})).unwrap();
    assert_eq!(template.literal("FunctionName"), Some(&json!("f")));
    assert_eq!(template.literal("Payload"), None);
    assert!(template.may_read_states(&["input"]) && !template.may_read_states(&["context"]));
    let error = Template::parse(&json!({"a/b": [{"c": "{%  1 + %}"}]})).unwrap_err();
    assert_eq!((error.pointer.as_str(), error.offset), ("/a~1b/0/c", 7));
}

#[test]
fn a_filtered_array_that_starts_a_path_gives_nothing_as_in_the_reference_implementation() {
    assert_eq!(complaint("[{'a': 1}][0].a", Budget::default()), "returned nothing (undefined).");
    assert_eq!(query("([{'a': 1}])[0].a", Budget::default()), Ok(json!(1)));
}

/// Pieces that expressions are made of, so that random ones are often sound.
const PIECES: &[&str] = &[
    "$states",
    ".input",
    ".list",
    ".x",
    "$",
    "$$",
    "%",
    "*",
    "**",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ";",
    ":",
    "?",
    "=",
    "!=",
    "<",
    ">",
    "+",
    "-",
    "/",
    "&",
    "and ",
    "or ",
    "in ",
    "..",
    ":=",
    "~>",
    "^(",
    "@$v",
    "#$i",
    "|",
    "1",
    "2.5",
    "-1",
    "1e300",
    "'a'",
    "''",
    "null",
    "true",
    "nothing",
    "$v",
    "$i",
    "$f := ",
    "$f(",
    "function($v){",
    "function($v)<n:n>{",
    "$map(",
    "$sum(",
    "$string(",
    "$replace(",
    "$match(",
    "$split(",
    "/a+/",
    "/(.)|b/",
    "$formatNumber(",
    "'#,##0.0'",
    "$fromMillis(",
    "$toMillis(",
    "'[Y]-[M01]'",
    "$formatInteger(",
    "'Ww'",
    "$pad(",
    "$substring(",
    "$sort(",
    "$reduce(",
    "$zip(",
    "$append(",
    "$spread(",
    "$partition(",
    "$range(",
    "$hash(",
    "$parse(",
    "$power(",
    "$number(",
    "$lookup(",
    " ",
];

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,60}") {
        let _ = Expression::parse(&text);
    }

    #[test]
    fn no_expression_makes_the_evaluation_panic(
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 1..16),
    ) {
        let text = pieces.concat();
        let budget = Budget { steps: 20_000, depth: 30, bytes: 1 << 20 };
        if let Ok(expression) = Expression::parse(&text) {
            let mut random = SplitMix64::new(1);
            let mut environment = Environment { random: &mut random, now: 1, budget };
            let first = expression.evaluate("Output", &states(), &mut environment);
            let mut random = SplitMix64::new(1);
            let mut environment = Environment { random: &mut random, now: 1, budget };
            proptest::prop_assert_eq!(first, expression.evaluate("Output", &states(), &mut environment));
        }
    }

    /// Calls of every function with values of every type.
    #[test]
    fn no_arguments_make_a_function_panic(
        function in proptest::sample::select(native::names()),
        arguments in proptest::collection::vec(proptest::sample::select(ARGUMENTS), 0..4),
    ) {
        let text = format!("${function}({})", arguments.join(", "));
        let budget = Budget { steps: 20_000, depth: 30, bytes: 1 << 20 };
        let _ = query(&text, budget);
        let places = ", ?".repeat(arguments.len());
        let partial = format!("(${function}(?{places}))({})", arguments.join(", "));
        let _ = query(&partial, budget);
    }
}

const ARGUMENTS: &[&str] = &[
    "nothing",
    "null",
    "true",
    "0",
    "-1",
    "2.5",
    "1e300",
    "-1e300",
    "1/0",
    "''",
    "'a'",
    "'aé😀b'",
    "'12'",
    "'%zz'",
    "'[Y]'",
    "'[Y0001]-[M01]-[D01]'",
    "'[f001]'",
    "'#,##0.0#;(0)'",
    "'0.0e0'",
    "'Ww'",
    "'i'",
    "'A'",
    "'0;o'",
    "'2017-11-07'",
    "[]",
    "[1, 2]",
    "['b', 'a']",
    "[[1], {}]",
    "{}",
    "{'a': 1}",
    "{'zero-digit': '٠'}",
    "/a/",
    "/(b*)/",
    "function($x) { $x }",
    "function($x, $y) { $y }",
    "$sum",
    "$states.input",
];
