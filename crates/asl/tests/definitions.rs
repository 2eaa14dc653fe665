//! Good definitions: what they are read as, in both formats.

use faastlane_asl::definition::{
    Comparison, Condition, DataFlow, Dynamic, Flow, ItemSource, Operand, PathFlow, Resource, ResultPath,
    Selection, StateKind, StateMachine, StringSource, Test, Timestamp, Transition, WaitUntil,
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

/// The data flow of a state in JSONPath.
fn paths(machine: &StateMachine, name: &str) -> PathFlow {
    let state = machine.flow.states.iter().find(|state| &*state.name == name).unwrap();
    match &state.data {
        DataFlow::JsonPath(paths) => (**paths).clone(),
        DataFlow::Jsonata(_) => panic!("{name} is in JSONata"),
    }
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
fn every_field_arrives() {
    let machine = read("everything.json").machine;
    assert_eq!(machine.comment.as_deref(), Some("every state, every field"));
    assert_eq!((machine.version.as_deref(), machine.timeout_seconds), (Some("1.0"), Some(3600)));
    let kind =
        |name: &str| machine.flow.states.iter().find(|state| &*state.name == name).unwrap().kind.clone();
    let to = |name: &str| {
        let position = machine.flow.states.iter().position(|state| &*state.name == name).unwrap();
        move |transition: &Transition| matches!(transition, Transition::Next(index) if index.get() == position)
    };

    let StateKind::Pass(pass) = kind("Prepare") else { panic!() };
    let data = paths(&machine, "Prepare");
    assert!(matches!(&data.input_path, Selection::Path(path) if path.as_str() == "$.order"));
    assert!(matches!(&data.result_path, ResultPath::At(path) if path.as_str() == "$.prepared"));
    assert_eq!(data.output_path, Selection::Whole);
    assert_eq!(
        pass.result.unwrap().value().unwrap().to_string(),
        "{\"exact\":12345678901234567890.10,\"none\":null,\"text\":\"é\\n😀\"}"
    );
    assert!(data.parameters.is_some());
    assert!(to("Call")(&pass.transition));

    let StateKind::Task(task) = kind("Call") else { panic!() };
    assert_eq!(task.resource, Resource::Function("resize".into()));
    let data = paths(&machine, "Call");
    assert_eq!((data.input_path, data.output_path), (Selection::Empty, Selection::Empty));
    assert_eq!(data.result_path, ResultPath::Discard);
    assert!(data.parameters.is_some() && data.result_selector.is_some());
    assert_eq!(task.timeout, Some(Dynamic::Fixed(10)));
    assert_eq!(task.heartbeat, Some(Dynamic::Fixed(9)));
    let [first, second] = task.retry.as_slice() else { panic!() };
    assert_eq!(first.error_equals, ["Busy", "States.Timeout"]);
    assert_eq!((first.interval_seconds, first.max_attempts, first.backoff_rate), (2, 0, 1.5));
    assert_eq!((first.max_delay_seconds, first.full_jitter, second.full_jitter), (Some(60), true, false));
    let [first, second] = task.catch.as_slice() else { panic!() };
    assert!(matches!(&first.result_path, ResultPath::At(path) if path.as_str() == "$.error"));
    assert_eq!(
        (&second.error_equals[..], &second.result_path),
        (&["States.ALL".to_owned()][..], &ResultPath::Replace)
    );
    assert!(to("Give up")(&Transition::Next(first.next)));

    let StateKind::Task(task) = kind("Invoke") else { panic!() };
    assert_eq!(task.resource, Resource::LambdaInvoke { function: Some("label".into()) });
    assert!(matches!(&task.timeout, Some(Dynamic::Path(path)) if path.as_str() == "$.timeout"));
    assert!(matches!(&task.heartbeat, Some(Dynamic::Path(path)) if path.reads_context()));
    let StateKind::Task(task) = kind("Invoke by path") else { panic!() };
    assert_eq!(task.resource, Resource::LambdaInvoke { function: None });

    let StateKind::Choice(choice) = kind("Decide") else { panic!() };
    assert_eq!(choice.rules.len(), 12);
    assert!(to("Give up by path")(&Transition::Next(choice.default.unwrap())));
    assert!(
        matches!(&choice.rules[1].condition, Condition::Not(inner) if matches!(**inner, Condition::Test { .. }))
    );
    let Condition::And(all) = &choice.rules[2].condition else { panic!() };
    assert!(matches!(&all[1], Condition::Or(any) if any.len() == 2));

    let waits = ["Pause", "Pause by path", "Pause until", "Pause until path"].map(|name| match kind(name) {
        StateKind::Wait(wait) => wait.until,
        other => panic!("{other:?}"),
    });
    assert_eq!(waits[0], WaitUntil::Seconds(Dynamic::Fixed(0)));
    assert!(matches!(&waits[1], WaitUntil::Seconds(Dynamic::Path(path)) if path.as_str() == "$.seconds"));
    assert_eq!(
        waits[2],
        WaitUntil::Timestamp(Dynamic::Fixed(Timestamp { nanos: 1_457_917_140_500_000_000 }))
    );
    assert!(matches!(&waits[3], WaitUntil::Timestamp(Dynamic::Path(path)) if path.as_str() == "$.until"));
}

#[test]
fn flows_arrive_within_their_states() {
    let machine = read("everything.json").machine;
    let kind =
        |name: &str| machine.flow.states.iter().find(|state| &*state.name == name).unwrap().kind.clone();

    let StateKind::Parallel(parallel) = kind("Both") else { panic!() };
    let starts = parallel.branches.iter().map(|branch| &*branch.state(branch.start_at).name);
    assert_eq!(starts.collect::<Vec<_>>(), ["Left", "Right"]);
    let data = paths(&machine, "Both");
    assert!(data.parameters.is_some() && data.result_selector.is_some());
    assert_eq!((parallel.retry.len(), parallel.catch.len()), (1, 1));

    let StateKind::Map(map) = kind("Each") else { panic!() };
    assert_eq!(&*map.processor.state(map.processor.start_at).name, "Item");
    assert!(matches!(&map.items, ItemSource::Path(Selection::Path(path)) if path.as_str() == "$.items"));
    assert!(map.item_selector.is_some());
    assert_eq!(map.max_concurrency, Some(Dynamic::Fixed(3)));
    assert_eq!(map.tolerated_failure_count, Some(Dynamic::Fixed(1)));
    assert!(
        matches!(&map.tolerated_failure_percentage, Some(Dynamic::Path(path)) if path.as_str() == "$.percentage")
    );

    let StateKind::Map(map) = kind("Each as before") else { panic!() };
    assert_eq!(&*map.processor.state(map.processor.start_at).name, "Old item");
    assert!(map.item_selector.is_some());
    assert!(matches!(&map.max_concurrency, Some(Dynamic::Path(path)) if path.as_str() == "$.width"));
    assert!(matches!(&map.tolerated_failure_count, Some(Dynamic::Path(path)) if path.as_str() == "$.count"));

    let StateKind::Fail(fail) = kind("Give up") else { panic!() };
    assert_eq!(fail.error, Some(StringSource::Fixed("Stopped".into())));
    assert_eq!(fail.cause, Some(StringSource::Fixed("nothing helped".into())));
    let StateKind::Fail(fail) = kind("Give up by path") else { panic!() };
    assert!(matches!(&fail.error, Some(StringSource::Path(path)) if path.as_str() == "$.Error"));
    assert!(matches!(&fail.cause, Some(StringSource::Path(path)) if path.as_str() == "$.Cause"));
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
    assert_eq!((&machine.comment, &machine.version, machine.timeout_seconds), (&None, &None, None));
    let state = machine.flow.state(machine.flow.start_at);
    let StateKind::Task(task) = &state.kind else { panic!("{state:?}") };
    assert_eq!(task.resource, Resource::Function("f".into()));
    let data = paths(&machine, "T");
    assert_eq!((&data.input_path, &data.output_path), (&Selection::Whole, &Selection::Whole));
    assert_eq!(data.result_path, ResultPath::Replace);
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
        (r#""Seconds": 99999999"#, WaitUntil::Seconds(Dynamic::Fixed(99_999_999))),
        (
            r#""Timestamp": "1970-01-01T00:00:00Z""#,
            WaitUntil::Timestamp(Dynamic::Fixed(Timestamp { nanos: 0 })),
        ),
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
    let percentage = |value| Some(Dynamic::Fixed(value));
    assert_eq!(map(r#""ToleratedFailurePercentage": 0"#).tolerated_failure_percentage, percentage(0.0));
    assert_eq!(map(r#""ToleratedFailurePercentage": 100"#).tolerated_failure_percentage, percentage(100.0));
    assert_eq!(map(r#""MaxConcurrency": 0"#).max_concurrency, Some(Dynamic::Fixed(0)));
}

/// What cannot be obeyed and does no harm is said, and the machine runs.
/// Step Functions takes such definitions.
#[test]
fn a_result_writer_without_all_its_parts_is_warned_of() {
    let text = |writer: &str| {
        format!(
            r#"{{"StartAt":"M","States":{{"M":{{"Type":"Map","End":true,"ResultWriter":{writer},"ItemProcessor":{{
               "ProcessorConfig":{{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"}},
               "StartAt":"I","States":{{"I":{{"Type":"Pass","End":true}}}}}}}}}}}}"#
        )
    };
    let (resource, parameters) =
        (r#""Resource":"arn:aws:states:::s3:putObject""#, r#""Parameters":{"Bucket":"b"}"#);
    let config = r#""WriterConfig":{"Transformation":"NONE"}"#;
    for (parts, code, place) in [
        (vec![], Some("FL0111"), "/States/M/ResultWriter"),
        (vec![parameters], Some("FL0111"), "/States/M/ResultWriter"),
        (vec![resource], Some("FL0111"), "/States/M/ResultWriter"),
        (vec![parameters, config], Some("FL0136"), "/States/M/ResultWriter/Parameters"),
        (vec![config], None, ""),
        (vec![resource, parameters], None, ""),
        (vec![resource, parameters, config], None, ""),
    ] {
        let writer = format!("{{{}}}", parts.join(","));
        let warnings = parse(&Source::new("definition", text(&writer))).unwrap().warnings;
        let found =
            warnings.first().map(|warning| (warning.code, warning.location.as_deref().unwrap_or_default()));
        assert_eq!(found, code.map(|code| (code, place)), "{writer}");
    }
}

#[test]
fn warnings_come_with_the_machine() {
    let text = r#"{ "StartAt": "T", "States": { "T": { "Type": "Task", "Resource": "f", "End": true,
                    "Retry": [ { "ErrorEquals": ["States.Timout"] } ] } } }"#;
    let warnings = parse(&Source::new("definition", text)).unwrap().warnings;
    assert_eq!(warnings.iter().map(|warning| warning.code).collect::<Vec<_>>(), ["FL0135"]);
}

/// A variable that the states around set only afterwards, or where they catch what failed inside, is another one.
#[test]
fn inside_variables_may_be_called_as_later_ones_outside() {
    let text = |from: &str| {
        format!(
            r#"{{"StartAt":"{from}","QueryLanguage":"JSONata","States":{{
                "Split":{{"Type":"Parallel","Next":"After","Assign":{{"n":2}},
                    "Catch":[{{"ErrorEquals":["States.ALL"],"Assign":{{"n":3}},"Next":"After"}}],
                    "Branches":[{{"StartAt":"In","States":{{"In":{{"Type":"Pass","Assign":{{"n":1}},"Output":"{{% $n %}}","End":true}}}}}}]}},
                "After":{{"Type":"Pass","Output":"{{% $n %}}",{}}}}}}}"#,
            if from == "Split" { r#""End":true"# } else { r#""Next":"Split""# }
        )
    };
    assert_eq!(parse(&Source::new("after", text("Split"))).map(|parsed| parsed.warnings), Ok(vec![]));
    let before = text("After").replace(r#""Next":"After","Assign""#, r#""End":true,"Assign""#);
    let codes = parse(&Source::new("before", before)).unwrap_err().into_iter().map(|finding| finding.code);
    assert_eq!(codes.collect::<Vec<_>>(), ["FL0143"]);
}
