//! Payloads from outside: text in, text out, flat in between, and what hostile input does.

use faastlane_payload::flat::{Draft, Elements, View};
use faastlane_payload::{Backing, MAX_DEPTH, Payload, PayloadError};
use proptest::prelude::*;
use serde_json::{Value, json};

fn flat(json: &str) -> Vec<u8> {
    Payload::from_json(json).unwrap().flat().to_vec()
}

fn through_flat(json: &str) -> String {
    Payload::from_flat(Box::new(flat(json))).to_json().unwrap()
}

#[test]
fn numbers_take_the_form_that_holds_them() {
    let integer = |i: i64| [&[3][..], &i.to_le_bytes()].concat();
    let float = |f: f64| [&[4][..], &f.to_le_bytes()].concat();
    let text = |t: &str| [&[5][..], &u32::try_from(t.len()).unwrap().to_le_bytes(), t.as_bytes()].concat();
    for (json, bytes, again) in [
        ("0", integer(0), "0"),
        ("-0", integer(0), "0"),
        ("9223372036854775807", integer(i64::MAX), "9223372036854775807"),
        ("-9223372036854775808", integer(i64::MIN), "-9223372036854775808"),
        ("9223372036854775808", text("9223372036854775808"), "9223372036854775808"),
        ("1.0", float(1.0), "1.0"),
        ("-0.0", float(-0.0), "-0.0"),
        ("1.50", float(1.5), "1.5"),
        ("0.1", float(0.1), "0.1"),
        ("1E2", float(100.0), "100.0"),
        ("1e16", float(1e16), "1e+16"),
        ("123456789012345680.0", float(1.234_567_890_123_456_8e17), "1.2345678901234568e+17"),
        ("1234567890123456.7", float(1_234_567_890_123_456.7), "1234567890123456.8"),
        ("9007199254740993.0", float(9_007_199_254_740_992.0), "9007199254740992.0"),
        ("0.0001", float(0.0001), "0.0001"),
        ("0.00001", float(0.000_01), "1e-05"),
        ("0.00012345", float(0.000_123_45), "0.00012345"),
        ("5e-324", float(5e-324), "5e-324"),
        ("1e-400", float(0.0), "0.0"),
        ("1.7976931348623157e308", float(f64::MAX), "1.7976931348623157e+308"),
        ("1e400", text("1e+400"), "1e+400"),
    ] {
        assert_eq!(flat(json), bytes, "{json}");
        assert_eq!(through_flat(json), again, "{json}");
        assert_eq!(Payload::from_json(json).unwrap().to_json().unwrap(), again, "{json}");
        assert_eq!(Payload::from_json(json).unwrap(), Payload::from_flat(Box::new(bytes)), "{json}");
    }
}

#[test]
fn the_flat_form_is_the_specified_one() {
    let bytes = flat(r#"{"a":[null,true],"é":"x"}"#);
    let mut expected = vec![8, 2, 0, 0, 0, 35, 0, 0, 0, 0, 0, 0, 0];
    expected.extend([1, 0, 0, 0, b'a']);
    expected.extend([7, 2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    expected.extend([2, 0, 0, 0, 0xc3, 0xa9]);
    expected.extend([6, 1, 0, 0, 0, b'x']);
    expected[5] = u8::try_from(expected.len() - 13).unwrap();
    assert_eq!(bytes, expected);
}

#[test]
fn the_last_of_duplicate_keys_wins_in_text_and_flat() {
    assert_eq!(through_flat(r#"{"a":1,"b":2,"a":3}"#), r#"{"a":3,"b":2}"#);
    let mut bytes = flat(r#"{"a":1,"b":3}"#);
    let key = bytes.iter().position(|&byte| byte == b'b').unwrap();
    bytes[key] = b'a';
    assert_eq!(Payload::from_flat(Box::new(bytes)).to_json().unwrap(), r#"{"a":3}"#);
}

#[test]
fn text_that_is_not_json_is_refused_with_its_place() {
    let error = Payload::from_json("{\n  \"a\": NaN }").unwrap_err();
    assert_eq!(error, PayloadError::NotJson { message: "expected value".into(), line: 2, column: 8 });
    for text in ["", "1 2", "Infinity", "01", "'a'", "[1,]", r#""\ud800""#, "\u{feff}1"] {
        assert!(matches!(Payload::from_json(text), Err(PayloadError::NotJson { .. })), "{text}");
    }
}

#[test]
fn nesting_stops_at_the_limit_in_every_direction() {
    let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(through_flat(&nested(MAX_DEPTH)), nested(MAX_DEPTH));
    for levels in [MAX_DEPTH + 1, 10_000, 1_000_000] {
        assert_eq!(Payload::from_json(&nested(levels)).unwrap_err(), PayloadError::TooDeep);
        assert_eq!(Payload::from_json(&"{\"a\":".repeat(levels)).unwrap_err(), PayloadError::TooDeep);
    }
    let brackets_in_strings = format!("[\"{}\\\"[\"]", "[{".repeat(MAX_DEPTH));
    assert_eq!(through_flat(&brackets_in_strings), brackets_in_strings);

    let deep = (0..1_000_000).fold(Value::Null, |inner, level| match level % 2 {
        0 => Value::Array(vec![inner]),
        _ => Value::Object([("a".to_owned(), inner)].into_iter().collect()),
    });
    let deep = Payload::from_value(deep);
    assert_eq!(deep.to_json(), Err(PayloadError::TooDeep));
    let read = Payload::from_flat(Box::new(deep.flat().to_vec()));
    assert_eq!(read.value(), Err(PayloadError::TooDeep));
}

#[test]
fn damage_is_named() {
    for (bytes, what) in [
        (vec![], "a length that reaches beyond the end"),
        (vec![11], "an unknown tag"),
        (vec![0, 0], "bytes after the value"),
        (vec![6, 1, 0, 0, 0, 0xff], "text that is not UTF-8"),
        (vec![6, 255, 255, 255, 255, b'a'], "a length that reaches beyond the end"),
        ([&[4][..], &f64::NAN.to_le_bytes()].concat(), "a float that is not finite"),
        ([&[4][..], &f64::INFINITY.to_le_bytes()].concat(), "a float that is not finite"),
        (vec![5, 3, 0, 0, 0, b'N', b'a', b'N'], "a number that is none"),
        (vec![5, 2, 0, 0, 0, b' ', b'1'], "a number that is none"),
        (vec![5, 0, 0, 0, 0], "a number that is none"),
        (
            [&[7, 255, 255, 255, 255][..], &u64::MAX.to_le_bytes()].concat(),
            "a length that reaches beyond the end",
        ),
        (
            [&[7, 255, 255, 255, 255][..], &1_u64.to_le_bytes(), &[0]].concat(),
            "a length that reaches beyond the end",
        ),
        ([&[7, 1, 0, 0, 0][..], &2_u64.to_le_bytes(), &[0, 0]].concat(), "bytes after the last element"),
        // The inner array claims bytes that belong to the outer one.
        (
            [&[7, 2, 0, 0, 0][..], &14_u64.to_le_bytes(), &[7, 1, 0, 0, 0], &2_u64.to_le_bytes(), &[0, 0]]
                .concat(),
            "a length that reaches beyond the end",
        ),
    ] {
        let payload = Payload::from_flat(Box::new(bytes.clone()));
        let Err(PayloadError::Damaged { what: found, at }) = payload.value() else {
            panic!("{bytes:?} was taken");
        };
        assert_eq!(found, what, "{bytes:?}");
        assert_eq!(payload.view().unwrap_err(), PayloadError::Damaged { what, at }, "{bytes:?}");
    }
}

#[test]
fn bytes_move_on_only_from_the_last_reference() {
    let payload = Payload::from_flat(Box::new(vec![0_u8]));
    let other = payload.clone();
    let payload = payload.into_backing().err().expect("another reference holds it");
    drop(other);
    assert_eq!((*payload.into_backing().ok().unwrap()).as_ref(), [0]);

    let undecoded = Payload::from_value(json!([1])).into_backing().err().expect("it has no bytes yet");
    assert_eq!(undecoded.len(), flat("[1]").len());
    assert!(undecoded.into_backing().is_ok());
}

struct Counted(Vec<u8>, std::sync::Arc<std::sync::atomic::AtomicUsize>);
impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        &self.0
    }
}
impl Backing for Counted {}

#[test]
fn a_flat_payload_is_decoded_once_and_only_when_asked() {
    let reads = std::sync::Arc::default();
    let payload = Payload::from_flat(Box::new(Counted(flat("[1]"), std::sync::Arc::clone(&reads))));
    assert!(!payload.is_decoded());
    assert_eq!(reads.load(std::sync::atomic::Ordering::Relaxed), 0);
    assert_eq!(payload.value(), Ok(&json!([1])));
    assert_eq!(payload.clone().value(), Ok(&json!([1])));
    assert!(payload.is_decoded());
    assert_eq!(reads.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[test]
fn it_shows_itself_shortened() {
    assert_eq!(format!("{:?}", Payload::from_value(json!({"a": [1.0]}))), r#"Payload({"a":[1.0]})"#);
    let long = format!("{:?}", Payload::from_value(json!("é".repeat(1000))));
    assert!(long.ends_with("é… 2005 bytes)") && long.len() < 450, "{long}");
    assert_eq!(
        format!("{:?}", Payload::from_flat(Box::new(vec![11_u8]))),
        "Payload(damaged payload: an unknown tag at byte 1; 1 bytes)"
    );
}

/// Members and elements of a view, as a value.
fn by_view(view: View<'_>) -> Value {
    if let Some(elements) = view.elements() {
        return Value::Array(elements.map(by_view).collect());
    }
    match view.members() {
        Some(members) => {
            Value::Object(members.map(|(key, value)| (key.to_owned(), by_view(value))).collect())
        }
        None => view.to_value(),
    }
}

#[test]
fn parts_are_found_where_they_lie() {
    let payload = Payload::from_value(json!({"a": [1, {"b": "x"}, 2.5], "n": null}));
    let view = payload.view().unwrap();
    assert_eq!(view.count(), Some(2));
    let list = view.member("a").unwrap();
    assert_eq!((list.count(), list.element(2).map(View::to_value)), (Some(3), Some(json!(2.5))));
    assert_eq!(list.element(1).unwrap().member("b").map(View::to_value), Some(json!("x")));
    for nothing in [view.member("b"), view.element(0), list.member("a"), list.element(3)] {
        assert!(nothing.is_none(), "{nothing:?}");
    }
    let elements = Elements::of(&Payload::from_draft(&list.into())).unwrap().unwrap();
    let values: Vec<Value> = (0..elements.count()).map(|at| elements.get(at).to_value()).collect();
    assert_eq!(values, [json!(1), json!({"b": "x"}), json!(2.5)]);
    assert_eq!(Elements::of(&payload), Ok(None));
    assert_eq!(Elements::of(&Payload::from_value(json!([]))).unwrap().unwrap().count(), 0);
}

#[test]
fn large_parts_are_shared_until_somebody_asks() {
    let large = Payload::from_value(json!("x".repeat(100_000)));
    let draft = Draft::Array(vec![large.view().unwrap().into(), json!(1).into()]);
    let payload = Payload::from_draft(&draft);
    drop(draft);
    assert_eq!((payload.len(), payload.depth()), (13 + 100_005 + 9, Ok(1)));
    let large = large.into_backing().err().expect("the draft's payload shares it");
    assert_eq!(payload.flat().len(), payload.len());
    assert!(large.into_backing().is_ok(), "copied, and given up");
}

#[test]
fn drafts_are_as_deep_as_their_parts() {
    let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    let deepest = Payload::from_value(nested(MAX_DEPTH));
    let part = deepest.view().unwrap();
    assert!(Payload::from_draft(&part.into()).view().is_ok());
    let deeper = Payload::from_draft(&Draft::Array(vec![part.into()]));
    assert_eq!(deeper.view().unwrap_err(), PayloadError::TooDeep);
    let deeper = Payload::from_draft(&Draft::Object(vec![("a".into(), nested(MAX_DEPTH).into())]));
    assert_eq!(deeper.view().unwrap_err(), PayloadError::TooDeep);

    // What is known of a part may be too much: it is no deeper than the whole.
    let lopsided = Payload::from_value(json!([nested(MAX_DEPTH - 1), 1]));
    let shallow = lopsided.view().unwrap().element(1).unwrap();
    let draft = Draft::Array(vec![Draft::Array(vec![shallow.into()])]);
    assert_eq!(Payload::from_draft(&draft).view().map(by_view), Ok(json!([[1]])));
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |f| serde_json::Number::from_f64(f).map(Value::Number)),
        "-?[1-9][0-9]{18,60}".prop_map(|digits| serde_json::from_str(&digits).unwrap()),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Arrays and objects around a few parts, some of which are large enough to be shared.
fn any_draft() -> impl Strategy<Value = Value> {
    let large = (1_000_usize..6_000).prop_map(|length| Value::from("x".repeat(length)));
    prop_oneof![any_value(), large].prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A draft of the value that a view shows, in which containers are put together down to `levels`.
fn taken_apart(view: View<'_>, levels: usize) -> Draft<'_> {
    if levels == 0 {
        return view.into();
    }
    if let Some(elements) = view.elements() {
        return Draft::Array(elements.map(|element| taken_apart(element, levels - 1)).collect());
    }
    match view.members() {
        Some(members) => {
            Draft::Object(members.map(|(key, value)| (key.into(), taken_apart(value, levels - 1))).collect())
        }
        None => view.into(),
    }
}

/// The flat form of an array, its parts as they are given.
fn flat_ndarray(dtype: &str, shape: &[u64], data: &[u8]) -> Vec<u8> {
    let mut body = (dtype.len() as u32).to_le_bytes().to_vec();
    body.extend_from_slice(dtype.as_bytes());
    body.push(shape.len() as u8);
    body.extend(shape.iter().flat_map(|dimension| dimension.to_le_bytes()));
    body.extend_from_slice(data);
    [&[10][..], &(body.len() as u64).to_le_bytes(), &body].concat()
}

fn flat_bytes(bytes: &[u8]) -> Vec<u8> {
    [&[9][..], &(bytes.len() as u64).to_le_bytes(), bytes].concat()
}

fn flat_list(elements: &[Vec<u8>]) -> Vec<u8> {
    let body = elements.concat();
    [&[7][..], &(elements.len() as u32).to_le_bytes(), &(body.len() as u64).to_le_bytes(), &body].concat()
}

#[test]
fn bytes_and_arrays_are_extended_json_where_it_is_json() {
    let data: Vec<u8> = [1.0_f64, -2.5].iter().flat_map(|number| number.to_le_bytes()).collect();
    let bytes = flat_list(&[
        flat_bytes(b"\0\xff"),
        flat_bytes(b""),
        flat_ndarray("<f8", &[2, 1], &data),
        flat_ndarray(">U1", &[], b"\0\0\0a"),
        flat_ndarray("<M8[ns]", &[0, 3], b""),
        vec![1],
    ]);
    let payload = Payload::from_flat(Box::new(bytes.clone()));
    let expected = json!([
        { "$binary": { "base64": "AP8=" } },
        { "$binary": { "base64": "" } },
        { "$ndarray": { "dtype": "<f8", "shape": [2, 1], "base64": "AAAAAAAA8D8AAAAAAAAEwA==" } },
        { "$ndarray": { "dtype": ">U1", "shape": [], "base64": "AAAAYQ==" } },
        { "$ndarray": { "dtype": "<M8[ns]", "shape": [0, 3], "base64": "" } },
        false,
    ]);
    assert_eq!(payload.value(), Ok(&expected));
    assert_eq!(payload.to_json().unwrap(), expected.to_string());
    assert_eq!(payload.view().map(by_view), Ok(expected));
    // What is copied as it lies stays what it is, which JSON does not.
    let parts = payload.view().unwrap().elements().unwrap().map(Draft::Part).collect();
    assert_eq!(Payload::from_draft(&Draft::Array(parts)).flat(), bytes);
    assert_ne!(Payload::from_json(&payload.to_json().unwrap()).unwrap().flat(), bytes);
}

#[test]
fn arrays_that_are_not_what_they_claim_are_damaged() {
    for (dtype, shape, length) in [
        ("<f8", vec![2], 15),
        ("<f8", vec![2], 17),
        ("<f8", vec![], 0),
        ("<f8", vec![1 << 61, 8], 0),
        ("<f8", vec![u64::MAX], 8),
        ("<f0", vec![3], 0),
        ("<U0", vec![3], 0),
        ("|O8", vec![1], 8),
        ("|V8", vec![1], 8),
        ("f8", vec![1], 8),
        ("<é8", vec![1], 8),
        ("<", vec![1], 8),
        ("", vec![1], 8),
        ("<f8[ns]", vec![1], 8),
        ("<M8[n s]", vec![1], 8),
        ("<M8[ns", vec![1], 8),
        ("<f99999999999999999999", vec![0], 0),
        ("<u1", vec![1; 65], 1),
    ] {
        let bytes = flat_ndarray(dtype, &shape, &vec![0; length]);
        let payload = Payload::from_flat(Box::new(bytes));
        let what = "an array that is not what it claims";
        let found = payload.value().unwrap_err();
        assert!(
            matches!(found, PayloadError::Damaged { what: found, .. } if found == what),
            "{dtype}: {found:?}"
        );
        assert_eq!(payload.view().unwrap_err(), found);
    }
    for length in [0, 3, u64::MAX] {
        let claimed = [&[9][..], &length.to_le_bytes(), b"ab"].concat();
        assert!(Payload::from_flat(Box::new(claimed)).value().is_err(), "{length}");
    }
    let broken_off = flat_ndarray("<f8", &[1], &[0; 8]);
    for length in 1..broken_off.len() {
        assert!(Payload::from_flat(Box::new(broken_off[..length].to_vec())).value().is_err(), "{length}");
    }
}

#[test]
fn bytes_and_arrays_nest_as_deep_as_their_json() {
    let nested = |levels: usize, innermost: Vec<u8>| {
        let flat = (0..levels).fold(innermost, |inner, _| flat_list(&[inner]));
        Payload::from_flat(Box::new(flat))
    };
    for (innermost, levels) in [(flat_bytes(b"x"), 2), (flat_ndarray("|u1", &[1], b"x"), 3)] {
        let deepest = nested(MAX_DEPTH - levels, innermost.clone());
        assert_eq!(deepest.depth(), Ok(MAX_DEPTH));
        assert!(deepest.to_json().is_ok());
        let deeper = nested(MAX_DEPTH - levels + 1, innermost);
        assert_eq!(deeper.depth(), Err(PayloadError::TooDeep));
        assert_eq!(deeper.value(), Err(PayloadError::TooDeep));
    }
}

proptest! {
    #[test]
    fn mutated_arrays_never_panic(
        length in 0_u64..40,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let array = flat_ndarray("<i4", &[length, 2], &vec![7; 8 * length as usize]);
        let mut bytes = flat_list(&[flat_bytes(&array), array, vec![2]]);
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        read_hostile(bytes);
    }

    #[test]
    fn drafts_become_what_they_were_made_of(value in any_draft(), levels in 0_usize..4) {
        let whole = Payload::from_value(value.clone());
        let again = Payload::from_draft(&taken_apart(whole.view().unwrap(), levels));
        prop_assert_eq!(again.len(), whole.len());
        prop_assert!(again.depth().unwrap() >= whole.depth().unwrap());
        prop_assert_eq!(again.flat(), whole.flat());
        prop_assert_eq!(again.view().map(View::to_value), Ok(value));
    }

    #[test]
    fn values_survive_every_trip(value in any_value()) {
        let payload = Payload::from_value(value.clone());
        let read = Payload::from_flat(Box::new(payload.flat().to_vec()));
        prop_assert_eq!(read.value(), Ok(&value));
        let json = payload.to_json().unwrap();
        let reread = Payload::from_json(&json).unwrap();
        prop_assert_eq!(reread.value(), Ok(&value));
        prop_assert_eq!(reread.flat(), payload.flat());
        prop_assert_eq!(serde_json::from_str::<Value>(&json).is_ok(), true);
    }

    #[test]
    fn any_float_reads_back_and_says_that_it_is_one(
        float in any::<f64>().prop_filter("finite", |float| float.is_finite()),
    ) {
        let json = Payload::from_value(json!(float)).to_json().unwrap();
        prop_assert_eq!(json.parse::<f64>().unwrap().to_bits(), float.to_bits());
        prop_assert!(json.contains(['.', 'e']), "{}", json);
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(prop_oneof![0_u8..12, any::<u8>()], 0..200)) {
        read_hostile(bytes);
    }

    #[test]
    fn mutated_payloads_never_panic(
        value in any_value(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = Payload::from_value(value).flat().to_vec();
        read_hostile(bytes[..cut.index(bytes.len())].to_vec());
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        read_hostile(bytes);
    }
}

/// Whatever a damaged payload is taken for must itself survive a trip.
fn read_hostile(bytes: Vec<u8>) {
    let payload = Payload::from_flat(Box::new(bytes));
    assert_eq!(payload.view().err(), payload.value().err());
    if let Ok(value) = payload.value() {
        assert_eq!(payload.view().map(by_view), Ok(value.clone()));
        let again = Payload::from_value(value.clone());
        let reread = Payload::from_flat(Box::new(again.flat().to_vec()));
        assert_eq!(reread.value(), Ok(value));
        assert_eq!(Payload::from_json(&payload.to_json().unwrap()).unwrap(), payload);
    }
}
