//! Mock files as people write them: what is read, what is chosen, what is answered, and what is said about mistakes.

use faastlane_asl::diagnostic::{Diagnostic, Severity};
use faastlane_asl::source::Source;
use faastlane_mock::{Answer, Call, MockFile, Mocks, Outcome, Targets};
use faastlane_payload::Payload;
use proptest::prelude::*;
use serde_json::{Value, json};

/// As AWS documents it, with two machines.
const AWS: &str = r#"{
  "StateMachines": {
    "Orders": {"TestCases": {
      "Happy": {"Charge": "Charged"},
      "Retry": {"Charge": "ChargedLate"}
    }},
    "Other": {"TestCases": {"Only": {"Ask": "Charged"}}}
  },
  "MockedResponses": {
    "Charged": {"0": {"Return": {"StatusCode": 200, "Payload": {"paid": true}}}},
    "ChargedLate": {
      "0": {"Throw": {"Error": "Lambda.ServiceException", "Cause": "busy"}},
      "1-2": {"Throw": {"Error": "States.Timeout", "Cause": "slow"}},
      "3": {"Return": "at last"}
    }
  }
}"#;

fn targets() -> Targets<'static> {
    Targets {
        workflow: "Orders",
        tasks: vec!["Charge", "Ship"],
        other_states: vec!["Done"],
        functions: vec!["charge", "ship"],
        names_at_run_time: false,
    }
}

fn read(name: &str, text: &str, case: Option<&str>) -> Result<(Mocks, Vec<Diagnostic>), Vec<Diagnostic>> {
    MockFile::read(&Source::new(name, text), case).and_then(|file| file.choose(&targets()))
}

#[track_caller]
fn mocks(text: &str, case: Option<&str>) -> Mocks {
    let (mocks, warnings) = read("mocks.json", text, case).unwrap();
    assert_eq!(warnings, []);
    mocks
}

fn ask(mocks: &Mocks, state: &str, function: &str, attempt: u32, event: Value) -> Option<Answer> {
    let event = Payload::from_value(event);
    mocks.answer(&Call { state, attempt, function, event: &event, request_id: "id-1" })
}

fn now(outcome: Outcome) -> Option<Answer> {
    Some(Answer { after_us: 0, outcome })
}

/// Code and the text under the caret of the only finding.
#[track_caller]
fn finding(text: &str, case: Option<&str>) -> (&'static str, String, Diagnostic) {
    let mut findings = read("mocks.json", text, case).unwrap_err();
    assert_eq!(findings.len(), 1, "{findings:#?}");
    let found = findings.remove(0);
    let place = found.place.as_ref().map(|(source, span)| source.text[span.start..span.end].to_owned());
    (found.code, place.unwrap_or_default(), found)
}

#[test]
fn a_test_case_answers_for_its_states_by_attempt() {
    let mocks = mocks(AWS, Some("Retry"));
    let failed =
        |error: &str, cause: &str| now(Outcome::Failed { error: error.to_owned(), cause: cause.to_owned() });
    let answers: Vec<_> = (0..4).map(|attempt| ask(&mocks, "Charge", "any", attempt, json!(1))).collect();
    let late = failed("States.Timeout", "slow");
    let last = now(Outcome::TaskResult(Payload::from_value(json!("at last"))));
    assert_eq!(answers, [failed("Lambda.ServiceException", "busy"), late.clone(), late, last]);
    let Some(Answer { outcome: Outcome::Unforeseen(cause), .. }) = ask(&mocks, "Charge", "any", 4, json!(1))
    else {
        panic!("attempt 4 is not in the file");
    };
    assert!(cause.contains("ChargedLate") && cause.contains("attempt 4"), "{cause}");
    assert_eq!(ask(&mocks, "Ship", "ship", 0, json!(1)), None, "it is not mocked in this case");
}

#[test]
fn which_machine_and_case_count() {
    let (code, _, found) = finding(AWS, None);
    assert_eq!(code, "FL0504");
    assert!(found.message.contains("`Happy`, `Retry`"), "{}", found.message);
    assert_eq!(found.hint.as_deref(), Some("Name one behind the file: `mocks.json#Happy`."));
    let (code, _, found) = finding(AWS, Some("Hapy"));
    assert_eq!((code, found.hint.as_deref()), ("FL0504", Some("Did you mean `Happy`?")));
    let renamed = AWS.replace("\"Orders\"", "\"Orderz\"");
    assert_eq!(finding(&renamed, Some("Happy")).2.hint.as_deref(), Some("Did you mean `Orderz`?"));
    // A single machine counts whatever its name, and so does a single case.
    let one = r#"{"StateMachines": {"x": {"TestCases": {"y": {"Charge": "r"}}}}, "MockedResponses": {"r": {"0": {"Return": 1}}}}"#;
    assert!(mocks(one, None).answers_for_state("Charge"));
    assert!(mocks(one, Some("y")).answers_for_state("Charge"));
}

#[test]
fn mistakes_in_awss_format_are_shown_at_their_place() {
    for (old, new, code, place) in [
        ("\"StateMachines\"", "\"StateMachine\"", "FL0502", "\"StateMachine\""),
        ("\"TestCases\": {\"Only\"", "\"Cases\": {\"Only\"", "FL0502", ""),
        ("{\"Charge\": \"Charged\"}", "{\"Charge\": \"Chargd\"}", "FL0505", "\"Chargd\""),
        ("{\"Charge\": \"Charged\"}", "{\"Chargee\": \"Charged\"}", "FL0505", "\"Chargee\""),
        ("{\"Charge\": \"Charged\"}", "{\"Done\": \"Charged\"}", "FL0505", "\"Done\""),
        ("\"1-2\"", "\"0-2\"", "FL0502", "\"0-2\""),
        ("\"1-2\"", "\"two\"", "FL0502", "\"two\""),
        ("\"Return\": \"at last\"", "\"Retrun\": \"at last\"", "FL0502", "\"Retrun\""),
        ("{\"Return\": \"at last\"}", "{}", "FL0502", "{}"),
        ("{\"Return\": \"at last\"}", "{\"Return\": 1, \"Throw\": {}}", "FL0502", "\"Throw\""),
        (", \"Cause\": \"busy\"", "", "FL0502", "\"Throw\""),
        ("{\"Return\": \"at last\"}", "7", "FL0502", "7"),
    ] {
        let text = AWS.replacen(old, new, 1);
        assert_ne!(text, AWS, "{old}");
        let findings = read("mocks.json", &text, Some("Happy")).unwrap_err();
        let places: Vec<_> = findings
            .iter()
            .map(|found| {
                let (source, span) = found.place.as_ref().unwrap();
                (found.code, &source.text[span.start..span.end])
            })
            .collect();
        assert!(places.iter().any(|found| found.0 == code && found.1.contains(place)), "{new}: {places:?}");
    }
}

#[test]
fn a_list_answers_for_functions() {
    for text in [
        r#"[{"function": "charge", "kind": "echo", "runtime": "python3.12"}, {"function": "ship", "kind": "sleep 2 then return 'ok'"}]"#,
        r#"{"functions": [{"function": "charge", "kind": "echo"}, {"function": "ship", "kind": "sleep 2 then return 'ok'"}]}"#,
        r#"{"charge": "echo", "ship": "sleep 2 then return 'ok'"}"#,
    ] {
        let mocks = mocks(text, None);
        assert_eq!(
            ask(&mocks, "S", "charge", 0, json!({"a": 1})),
            now(Outcome::Returned(Payload::from_value(json!({"a": 1}))))
        );
        let shipped =
            Answer { after_us: 2_000_000, outcome: Outcome::Returned(Payload::from_value(json!("ok"))) };
        assert_eq!(ask(&mocks, "S", "ship", 7, json!(1)), Some(shipped));
        assert_eq!(ask(&mocks, "S", "other", 0, json!(1)), None);
    }
    let (from_yaml, _) = read("m.yaml", "charge: raise KeyError('a \"b\"')\n", None).unwrap();
    let Some(Answer { outcome: Outcome::Failed { error, cause }, .. }) =
        ask(&from_yaml, "S", "charge", 0, json!(1))
    else {
        panic!("it raises");
    };
    let cause: Value = serde_json::from_str(&cause).unwrap();
    assert_eq!(
        (error.as_str(), &cause["errorType"], &cause["errorMessage"]),
        ("KeyError", &json!("KeyError"), &json!("a \"b\""))
    );
    assert_eq!(cause["requestId"], "id-1");
    assert!(cause["stackTrace"][0].as_str().unwrap().contains("raise KeyError('a \"b\"')"));
    assert_eq!(mocks("[]", None), Mocks::default());
}

#[test]
fn a_response_may_be_as_large_as_step_functions_takes_it() {
    let fits = mocks(r#"{"charge": "return 256 KiB bytes"}"#, None);
    let Some(Answer { outcome: Outcome::Returned(text), .. }) = ask(&fits, "S", "charge", 0, json!(1)) else {
        panic!("256 KiB fit");
    };
    assert_eq!(text.to_json().unwrap().len(), 262_144);
    let large = mocks(r#"{"charge": "return 262145 bytes"}"#, None);
    assert_eq!(ask(&large, "S", "charge", 0, json!(1)), now(Outcome::TooLarge));
}

#[test]
fn mistakes_in_a_list_are_shown_at_their_place() {
    for (text, code, place) in [
        ("[1,", "FL0501", "[1,"),
        ("", "FL0501", ""),
        ("7", "FL0502", "7"),
        (r#"{"a": 1}"#, "FL0502", "1"),
        ("[7]", "FL0502", "7"),
        (r#"[{"function": "charge"}]"#, "FL0502", r#"{"function": "charge"}"#),
        (r#"[{"function": "charge", "kindd": "echo"}]"#, "FL0502", "\"kindd\""),
        (r#"[{"function": "charge", "kind": "ecko"}]"#, "FL0503", "\"ecko\""),
        (r#"{"charge": "return nothing"}"#, "FL0503", "\"return nothing\""),
        (
            r#"[{"function": "ship", "kind": "echo"}, {"function": "ship", "kind": "return"}]"#,
            "FL0502",
            "\"ship\"",
        ),
    ] {
        let (found, at, _) = finding(text, None);
        assert_eq!((found, at.as_str()), (code, place), "{text}");
    }
    assert_eq!(finding("[]", Some("Case")).0, "FL0504");
}

#[test]
fn a_stand_in_that_nothing_calls_is_a_warning() {
    let (_, warnings) = read("m.json", r#"{"chrge": "echo"}"#, None).unwrap();
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert_eq!((warning.code, warning.severity), ("FL0506", Severity::Warning));
    assert_eq!(warning.hint.as_deref(), Some("Did you mean `charge`?"));
    let file = MockFile::read(&Source::new("m.json", r#"{"x": "echo"}"#), None).unwrap();
    let (_, warnings) = file.choose(&Targets { names_at_run_time: true, ..targets() }).unwrap();
    assert_eq!(warnings, [], "a state may name it when it runs");
}

/// Texts that look like mock files, with something of everything in them.
fn mock_like() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"StateMachines\"",
        "\"MockedResponses\"",
        "\"TestCases\"",
        "\"0\"",
        "\"1-2\"",
        "\"Return\"",
        "\"Throw\"",
        "\"Error\"",
        "\"function\"",
        "\"kind\"",
        "\"echo\"",
        "\"raise X('é')\"",
        "null",
        "1",
        "\"return b'\\\"x\\\"'\"",
        "\"sleep 1e9 then echo\"",
        "\n",
        "- ",
        "a: ",
        "\"return {'a': (1,)}\"",
    ]);
    prop::collection::vec(word, 0..40).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn reading_never_panics(text in prop_oneof![mock_like(), any::<String>()], yaml in any::<bool>(), case in prop::option::of("[a-z]{0,3}")) {
        let name = if yaml { "m.yaml" } else { "m.json" };
        match read(name, &text, case.as_deref()) {
            Ok((mocks, _)) => drop(ask(&mocks, "Charge", "charge", 0, json!(null))),
            Err(findings) => prop_assert!(!findings.is_empty()),
        }
    }

    #[test]
    fn kinds_never_panic(text in "(sleep [0-9.e]{0,6} then )?(raise|return|echo)[ '\"(){}\\[\\]a-zé0-9,:\\\\]{0,30}") {
        let file = json!([{ "function": "charge", "kind": text }]).to_string();
        if let Err(findings) = read("m.json", &file, None) {
            prop_assert_eq!(findings[0].code, "FL0503");
        }
    }
}
