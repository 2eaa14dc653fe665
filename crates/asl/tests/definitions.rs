//! Good definitions: what they are read as, in both formats.

use faastlane_asl::definition::{
    Comparison, Condition, Flow, NumberOrPath, Operand, Resource, ResultPath, Selection, StateKind,
    StateMachine, Test, Timestamp, Transition, WaitUntil,
};
use faastlane_asl::source::{Source, Span};
use faastlane_asl::{Parsed, parse};
use serde_json::json;

fn read(name: &str) -> Parsed {
    let text = std::fs::read_to_string(format!("tests/definitions/good/{name}")).unwrap();
    parse(&Source::new(name, text)).unwrap_or_else(|findings| panic!("{name}: {findings:#?}"))
}

fn machine(text: &str) -> StateMachine {
    parse(&Source::new("definition", text)).unwrap_or_else(|findings| panic!("{findings:#?}")).machine
}

/// Two formats have their states in two places, and nothing else that differs.
fn without_spans(mut machine: StateMachine) -> StateMachine {
    fn clear(flow: &mut Flow) {
        for state in &mut flow.states {
            state.span = Span::default();
            match &mut state.kind {
                StateKind::Task(task) => task.resource_span = Span::default(),
                StateKind::Parallel(parallel) => parallel.branches.iter_mut().for_each(clear),
                StateKind::Map(map) => clear(&mut map.processor),
                _ => {}
            }
        }
    }
    clear(&mut machine.flow);
    machine
}

#[test]
fn both_formats_are_the_same_machine() {
    let json = read("everything.json");
    let yaml = read("everything.yaml");
    assert_eq!(json.warnings, []);
    assert_eq!(yaml.warnings, []);
    assert_ne!(json.machine, yaml.machine, "the places differ");
    assert_eq!(without_spans(json.machine), without_spans(yaml.machine));
}

#[test]
fn everything_is_read() {
    insta::assert_debug_snapshot!(without_spans(read("everything.json").machine));
}

#[test]
fn places_are_those_of_names_and_resources() {
    for name in ["everything.json", "everything.yaml"] {
        let text = std::fs::read_to_string(format!("tests/definitions/good/{name}")).unwrap();
        let machine = read(name).machine;
        let state = machine.flow.states.iter().find(|state| &*state.name == "Plain").unwrap();
        let StateKind::Task(task) = &state.kind else { panic!("{state:?}") };
        assert_eq!(text[state.span.start..state.span.end].trim_matches('"'), "Plain");
        assert_eq!(text[task.resource_span.start..task.resource_span.end].trim_matches('"'), "resize");
    }
}

#[test]
fn defaults_are_those_of_the_specification() {
    let machine = machine(
        r#"{ "StartAt": "T", "States": { "T": { "Type": "Task", "Resource": "f", "End": true,
             "Retry": [ { "ErrorEquals": ["E"] } ] } } }"#,
    );
    assert_eq!((machine.comment, machine.version, machine.timeout_seconds), (None, None, None));
    let state = machine.flow.state(machine.flow.start_at);
    let StateKind::Task(task) = &state.kind else { panic!("{state:?}") };
    assert_eq!(task.resource, Resource::Function("f".into()));
    assert_eq!((&task.input_path, &task.output_path), (&Selection::Whole, &Selection::Whole));
    assert_eq!(task.result_path, ResultPath::Replace);
    assert_eq!((&task.timeout, &task.heartbeat), (&None, &None));
    assert_eq!(task.transition, Transition::End);
    let retrier = &task.retry[0];
    assert_eq!((retrier.interval_seconds, retrier.max_attempts, retrier.backoff_rate), (1, 3, 2.0));
    assert_eq!((retrier.max_delay_seconds, retrier.full_jitter), (None, false));
}

/// Each operator by its name: a table that is written out, against one that is not.
#[test]
fn every_choice_operator_is_read() {
    let comparisons = [
        ("Equals", Comparison::Equals),
        ("LessThan", Comparison::LessThan),
        ("LessThanEquals", Comparison::LessThanEquals),
        ("GreaterThan", Comparison::GreaterThan),
        ("GreaterThanEquals", Comparison::GreaterThanEquals),
    ];
    for (name, comparison) in comparisons {
        let string = Test::StringCompare(comparison, Operand::Literal("a".into()));
        assert_eq!(test(&format!("String{name}"), json!("a")), string);
        let numeric = Test::NumericCompare(comparison, Operand::Literal(5.into()));
        assert_eq!(test(&format!("Numeric{name}"), json!(5)), numeric);
        let timestamp =
            Test::TimestampCompare(comparison, Operand::Literal(Timestamp { nanos: 1_000_000_000 }));
        assert_eq!(test(&format!("Timestamp{name}"), json!("1970-01-01T00:00:01Z")), timestamp);

        let Test::StringCompare(found, Operand::Path(path)) =
            test(&format!("String{name}Path"), json!("$.b"))
        else {
            panic!("String{name}Path");
        };
        assert_eq!((found, path.as_str()), (comparison, "$.b"));
        let Test::NumericCompare(found, Operand::Path(path)) =
            test(&format!("Numeric{name}Path"), json!("$.b"))
        else {
            panic!("Numeric{name}Path");
        };
        assert_eq!((found, path.as_str()), (comparison, "$.b"));
        let by_path = test(&format!("Timestamp{name}Path"), json!("$.b"));
        let Test::TimestampCompare(found, Operand::Path(path)) = by_path else {
            panic!("Timestamp{name}Path")
        };
        assert_eq!((found, path.as_str()), (comparison, "$.b"));
    }
    for flag in [true, false] {
        assert_eq!(test("IsNull", json!(flag)), Test::IsNull(flag));
        assert_eq!(test("IsPresent", json!(flag)), Test::IsPresent(flag));
        assert_eq!(test("IsNumeric", json!(flag)), Test::IsNumeric(flag));
        assert_eq!(test("IsString", json!(flag)), Test::IsString(flag));
        assert_eq!(test("IsBoolean", json!(flag)), Test::IsBoolean(flag));
        assert_eq!(test("IsTimestamp", json!(flag)), Test::IsTimestamp(flag));
        assert_eq!(test("BooleanEquals", json!(flag)), Test::BooleanEquals(Operand::Literal(flag)));
    }
    assert!(matches!(test("BooleanEqualsPath", json!("$.b")), Test::BooleanEquals(Operand::Path(_))));
    assert_eq!(test("StringMatches", json!(r"a\*b*")), Test::StringMatches(r"a\*b*".into()));
}

/// How a rule with one operator is read.
fn test(operator: &str, operand: serde_json::Value) -> Test {
    let definition = json!({ "StartAt": "C", "States": {
        "C": { "Type": "Choice", "Choices": [ { "Variable": "$.a", operator: operand, "Next": "D" } ] },
        "D": { "Type": "Succeed" },
    } });
    let machine = machine(&definition.to_string());
    let StateKind::Choice(choice) = machine.flow.states[0].kind.clone() else { panic!("{machine:?}") };
    let Condition::Test { test, .. } = choice.rules[0].condition.clone() else { panic!("{choice:?}") };
    test
}

#[test]
fn a_definition_without_a_telling_name_is_told_by_its_first_character() {
    let json = r#" { "StartAt": "A", "States": { "A": { "Type": "Succeed" } } }"#;
    let yaml = "StartAt: A\nStates: { A: { Type: Succeed } }";
    assert_eq!(without_spans(machine(json)), without_spans(machine(yaml)));
    for (text, by_name) in
        [(json, "a.json"), (json, "a.asl.JSON"), (yaml, "a.yaml"), (yaml, "a.yml"), (json, "a.yaml")]
    {
        assert!(parse(&Source::new(by_name, text)).is_ok(), "{by_name}");
        assert!(
            parse(&Source::new(by_name, format!("\u{feff}{text}"))).is_ok(),
            "{by_name} with a byte order mark"
        );
    }
    assert!(parse(&Source::new("a.json", yaml)).is_err());
}

#[test]
fn waits_are_read() {
    for (field, until) in [
        (r#""Seconds": 99999999"#, WaitUntil::Seconds(99_999_999)),
        (r#""Timestamp": "1970-01-01T00:00:00Z""#, WaitUntil::Timestamp(Timestamp { nanos: 0 })),
    ] {
        let text = format!(
            r#"{{ "StartAt": "W", "States": {{ "W": {{ "Type": "Wait", {field}, "End": true }} }} }}"#
        );
        let machine = machine(&text);
        let StateKind::Wait(wait) = &machine.flow.states[0].kind else { panic!("{machine:?}") };
        assert_eq!(wait.until, until);
    }
}

#[test]
fn limits_of_numbers_are_inclusive() {
    let map = |fields: &str| {
        let machine = machine(&format!(
            r#"{{ "StartAt": "M", "States": {{ "M": {{ "Type": "Map", {fields}, "End": true,
                 "ItemProcessor": {{ "StartAt": "X", "States": {{ "X": {{ "Type": "Succeed" }} }} }} }} }} }}"#
        ));
        let StateKind::Map(map) = machine.flow.states[0].kind.clone() else { panic!("{machine:?}") };
        map
    };
    let percentage = |value| Some(NumberOrPath::Fixed(value));
    assert_eq!(map(r#""ToleratedFailurePercentage": 0"#).tolerated_failure_percentage, percentage(0));
    assert_eq!(map(r#""ToleratedFailurePercentage": 100"#).tolerated_failure_percentage, percentage(100));
    assert_eq!(map(r#""MaxConcurrency": 0"#).max_concurrency, percentage(0));
}

/// What cannot be obeyed and does no harm is said, and the machine runs.
#[test]
fn warnings_come_with_the_machine() {
    let text = r#"{ "StartAt": "T", "States": { "T": { "Type": "Task", "Resource": "f", "End": true,
                    "Retry": [ { "ErrorEquals": ["States.Timout"] } ] } } }"#;
    let warnings = parse(&Source::new("definition", text)).unwrap().warnings;
    assert_eq!(warnings.iter().map(|warning| warning.code).collect::<Vec<_>>(), ["FL0135"]);
}
