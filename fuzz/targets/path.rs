//! A path in the first line, a JSON document behind it: the path is read or refused, and finds the same in the flat and
//! in the decoded document.

#![no_main]

use faastlane_asl::path::{Path, ReferencePath, Selected};
use faastlane_payload::Payload;
use libfuzzer_sys::fuzz_target;
use std::borrow::Cow;

fuzz_target!(|text: &str| {
    let (written, json) = text.split_once('\n').unwrap_or((text, "{\"a\": [1, {\"b\": \"x\"}]}"));
    let path = match Path::parse(written) {
        Ok(path) => path,
        Err(error) => {
            assert!(written.is_char_boundary(error.offset), "{error:?}");
            return;
        }
    };
    assert_eq!(path.as_str(), written);
    let Ok(document) = Payload::from_json(json) else { return };
    let value = document.value().unwrap();
    let found = path.find_in(&document).map(|found| found.map(Selected::into_value));
    let in_value = path.find_in_value(value).map(|found| found.into_value().map(Cow::into_owned));
    // Copies cost, and only the first makes them.
    if found.is_ok() {
        assert_eq!(found, in_value);
    }
    if let Ok(reference) = ReferencePath::parse(written)
        && let Ok(draft) = reference.place(&document, serde_json::Value::Null.into())
    {
        let placed = Payload::from_draft(&draft);
        let there = reference.path().find_in(&placed).unwrap().map(Selected::into_value);
        assert_eq!(there, Some(serde_json::Value::Null));
    }
});
