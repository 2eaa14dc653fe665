//! Whatever is written where a path or a call belongs: it is read or refused, never a panic, and what is read can be
//! evaluated.

use faastlane_asl::intrinsic::Call;
use faastlane_asl::path::{Found, Path, PathError, ReferencePath, Scope, Selected};
use faastlane_asl::random::SplitMix64;
use faastlane_payload::Payload;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::borrow::Cow;

struct Documents(Payload);

impl Documents {
    fn new(document: Value) -> Documents {
        Documents(Payload::from_value(document))
    }
}

impl Scope for Documents {
    fn input(&self) -> &Payload {
        &self.0
    }
    fn context(&self) -> &Payload {
        &self.0
    }
    fn variable(&self, name: &str) -> Option<&Payload> {
        (name == "a").then_some(&self.0)
    }
}

/// Pieces that paths and calls are made of, put together at random.
fn text(start: &'static str) -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "$",
        "$$",
        "$a",
        "$no",
        ".",
        "..",
        "a",
        "b",
        "\u{e9}",
        "[",
        "]",
        "[*]",
        "[0]",
        "[-1]",
        "[1:]",
        "[:9]",
        "[0,1]",
        "['a']",
        "['a','b']",
        "[?(",
        "@",
        "@.a",
        ")]",
        "(",
        ")",
        "()",
        "length()",
        "sum()",
        "concat(\"x\", $.s)",
        " in ",
        " size ",
        " anyof ",
        " ",
        ",",
        "'",
        "\"",
        "\\",
        "\\u00e9",
        "==",
        "<",
        "&&",
        "||",
        "!",
        "=~",
        "/a.*/i",
        "1",
        "-1.5",
        "1e400",
        "null",
        "'x'",
        "States.Array(",
        "States.Format('{}', ",
        "States.MathAdd(",
        "States.ArrayRange(1, 3, ",
        "States.StringSplit(",
        "$.list",
        "$.s",
    ]);
    prop::collection::vec(pieces, 0..12).prop_map(move |pieces| format!("{start}{}", pieces.concat()))
}

fn check_offset(text: &str, error: &PathError) {
    assert!(text.is_char_boundary(error.offset), "{text}: {error} at {}", error.offset);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_a_path_or_refused(text in prop_oneof![text(""), text("$"), text("$.list[?("), any::<String>()]) {
        let document = json!({"a": {"b": [1, {"a": 2}]}, "list": [1, "x", null, {"a": 1}], "\u{e9}": 1});
        let documents = Documents::new(document.clone());
        match Path::parse(&text) {
            Ok(path) => {
                prop_assert_eq!(path.as_str(), &text);
                let found = path.find(&documents).unwrap().map(Selected::into_value);
                if path.unassigned(&documents).is_some() {
                    prop_assert_eq!(found, None);
                } else {
                    prop_assert!(path.is_definite() || found.as_ref().is_none_or(Value::is_array) || text.ends_with(')'));
                    let in_value = path.find_in_value(&document).unwrap().into_value();
                    prop_assert_eq!(found, in_value.map(Cow::into_owned), "flat and decoded");
                }
            }
            Err(error) => check_offset(&text, &error),
        }
        if let Ok(path) = ReferencePath::parse(&text)
            && let Ok(draft) = path.place(&documents.0, json!("new").into())
        {
            let after = Payload::from_draft(&draft);
            prop_assert_eq!(path.path().find_in_value(after.value().unwrap()).unwrap(), Found::One(&json!("new")));
        }
    }

    #[test]
    fn any_text_is_a_call_or_refused(
        text in prop_oneof![text("States.Array("), text("States.Format('{}\\{', "), text("States.ArrayRange("), text("")],
        seed in any::<u64>(),
    ) {
        let documents = Documents::new(json!({"a": 1, "list": [1, 2], "s": "a,b"}));
        match Call::parse(&text) {
            Ok(call) => {
                prop_assert_eq!(call.as_str(), text.trim_end());
                let first = call.evaluate(&documents, &mut SplitMix64::new(seed));
                prop_assert_eq!(first, call.evaluate(&documents, &mut SplitMix64::new(seed)));
            }
            Err(error) => check_offset(&text, &error),
        }
    }
}
