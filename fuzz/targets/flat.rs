//! Bytes that a domain wrote: they are a value or are refused, the same whoever reads them, and what is read survives a trip.

#![no_main]

use faastlane_payload::Payload;
use faastlane_payload::flat::View;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// Found by stepping from part to part.
fn stepped_over(view: View<'_>) -> Value {
    if let Some(elements) = view.elements() {
        return Value::Array(elements.map(stepped_over).collect());
    }
    match view.members() {
        Some(members) => Value::Object(members.map(|(key, value)| (key.to_owned(), stepped_over(value))).collect()),
        None => view.to_value(),
    }
}

fuzz_target!(|bytes: &[u8]| {
    let payload = Payload::from_flat(Box::new(bytes.to_vec()));
    assert_eq!(payload.view().err(), payload.value().err());
    let Ok(value) = payload.value() else { return };
    assert_eq!(payload.view().map(stepped_over), Ok(value.clone()));
    let again = Payload::from_value(value.clone());
    let reread = Payload::from_flat(Box::new(again.flat().to_vec()));
    assert_eq!(reread.value(), Ok(value));
    let json = payload.to_json().expect("what was read is not too deep");
    assert_eq!(Payload::from_json(&json).expect("it was written as JSON"), payload);
});
