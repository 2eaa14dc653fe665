//! Bytes in events and results, and arrays where there is no numpy.

use faastlane_payload::Payload;
use serde_json::{Value, json};

use crate::world::{self, World, function};

pub(crate) const SCENARIOS: &[(&str, fn())] = &[
    ("bytes are written and read", bytes),
    ("bytes nest as deep as their JSON", depth),
    ("bytes that are damaged fail the invocation", damaged),
    ("bytes are damage where they may not be sent", switched_off),
    ("memory of bytes is given back", memory),
];

fn world(binary: bool) -> World {
    let sys_path: Value = serde_json::from_str(&std::env::var("FAASTLANE_TEST_SYS_PATH").unwrap()).unwrap();
    let functions = ["values:evaluate", "values:echo", "values:describe"].map(function);
    let config = json!({ "sys_path": sys_path, "functions": functions, "binary": binary });
    world::start_with(config).map_err(|(_, error)| error).unwrap()
}

fn flat_bytes(bytes: &[u8]) -> Vec<u8> {
    [&[9][..], &(bytes.len() as u64).to_le_bytes(), bytes].concat()
}

fn flat_list(element: &[u8]) -> Vec<u8> {
    [&[7, 1, 0, 0, 0][..], &(element.len() as u64).to_le_bytes(), element].concat()
}

/// What a function sees of an event.
fn shown(world: &mut World, event: &[u8]) -> String {
    let shown = world.call_flat("values:describe", event).unwrap();
    shown.value().unwrap().as_str().unwrap().to_owned()
}

fn bytes() {
    let mut world = world(true);
    for (expression, bytes) in [
        ("b''", b"".to_vec()),
        ("b'\\0\\xff'", vec![0, 255]),
        ("bytearray(b'ab')", b"ab".to_vec()),
        ("memoryview(b'abcdef')", b"abcdef".to_vec()),
        ("memoryview(b'abcdef')[::-2]", b"fdb".to_vec()),
        ("memoryview(b'abcdef').cast('H', [3])", b"abcdef".to_vec()),
        ("memoryview(bytearray())", b"".to_vec()),
        ("type('Named', (bytes,), {})(b'x')", b"x".to_vec()),
        ("b'0123456789' * 100000", b"0123456789".repeat(100_000)),
    ] {
        let result = world.call("values:evaluate", &json!(expression)).expect(expression);
        assert_eq!(result.flat(), flat_bytes(&bytes), "{expression}");
        let inside = world.call("values:evaluate", &json!(format!("[{expression}]"))).expect(expression);
        assert_eq!(inside.flat(), flat_list(&flat_bytes(&bytes)), "{expression}");
        let again = world.call_flat("values:echo", inside.flat()).expect(expression);
        assert_eq!(again.flat(), inside.flat(), "{expression}");
    }
    assert_eq!(shown(&mut world, &flat_bytes(b"\0x")), "b'\\x00x'");

    // Records that are alike, and those of Extended JSON.
    let records: Vec<Value> = (0..20)
        .map(|number| match number % 3 {
            0 => json!({ "$binary": { "base64": "eA==" } }),
            1 => json!({ "$binary": { "base64": "eQ==" } }),
            _ => json!({ "$other": { "base64": "eA==" } }),
        })
        .collect();
    let expected: Vec<&str> = (0..20)
        .map(|number| match number % 3 {
            0 => "b'x'",
            1 => "b'y'",
            _ => "{'$other': {'base64': 'eA=='}}",
        })
        .collect();
    let records = Payload::from_value(json!(records));
    assert_eq!(shown(&mut world, records.flat()), format!("[{}]", expected.join(", ")));
    let message = world.call("values:evaluate", &json!("{b'k': 1}")).unwrap_err();
    assert!(message["errorMessage"].as_str().unwrap().contains("keys must be str"), "{message}");
}

fn depth() {
    let mut world = world(true);
    let nested = |levels: usize| (0..levels).fold(flat_bytes(b"x"), |inner, _| flat_list(&inner));
    let deepest = world.call_flat("values:echo", &nested(998)).unwrap();
    assert_eq!(deepest.depth(), Ok(1000));
    let error = world.call_flat("values:echo", &nested(999)).unwrap_err();
    assert_eq!(error["errorType"], "Runtime.UnmarshalError");
    let wrapped = "(lambda made: [made := [made] for _ in range(998)] and made)(b'x')";
    assert_eq!(world.call("values:evaluate", &json!(wrapped)).unwrap().depth(), Ok(1000));
    let error = world.call("values:evaluate", &json!(format!("[{wrapped}]"))).unwrap_err();
    assert_eq!(error["errorType"], "Runtime.MarshalError");
    assert!(error["errorMessage"].as_str().unwrap().contains("nest deeper than 1000 levels"), "{error}");
}

fn damaged() {
    let mut world = world(true);
    let mut refused = |event: &[u8]| {
        let error = world.call_flat("values:echo", event).unwrap_err();
        assert_eq!(error["errorType"], "Runtime.UnmarshalError", "{event:?}");
        error["errorMessage"].as_str().unwrap().to_owned()
    };
    let damage = "Unable to unmarshal input: damaged payload";
    for length in [0, 1, 3, 1 << 40, u64::MAX] {
        let bytes = [&[9][..], &length.to_le_bytes(), b"ab"].concat();
        assert_eq!(refused(&bytes), damage);
    }
    let array = |dtype: &str, data: &[u8]| {
        let head = [&[dtype.len() as u8, 0, 0, 0], dtype.as_bytes(), &[1], &1_u64.to_le_bytes()].concat();
        [&[10][..], &((head.len() + data.len()) as u64).to_le_bytes(), &head, data].concat()
    };
    assert_eq!(refused(&array("<f8", &[0; 7])), damage);
    assert_eq!(refused(&array("|O8", &[0; 8])), damage);
    for length in 0..array("<f8", &[0; 8]).len() {
        assert_eq!(refused(&array("<f8", &[0; 8])[..length]), damage, "{length}");
    }
}

fn switched_off() {
    let mut world = world(false);
    let error = world.call_flat("values:echo", &flat_bytes(b"x")).unwrap_err();
    assert_eq!(error["errorMessage"], "Unable to unmarshal input: damaged payload");
    let error = world.call("values:evaluate", &json!("[b'x']")).unwrap_err();
    assert_eq!(
        error["errorMessage"],
        "Unable to marshal response: Object of type bytes is not JSON serializable"
    );
    let extended = Payload::from_value(json!({ "$binary": { "base64": "eA==" } }));
    assert_eq!(shown(&mut world, extended.flat()), "{'$binary': {'base64': 'eA=='}}");
}

fn memory() {
    let mut world = world(true);
    let large = flat_list(&flat_bytes(&[7; 100_000]));
    let written = Payload::from_value(json!([{ "$binary": { "base64": "eHh4".repeat(10_000) } }]));
    let round = |world: &mut World| {
        world.call_flat("values:echo", &large).unwrap();
        world.call_flat("values:echo", written.flat()).unwrap();
        world.call("values:evaluate", &json!("[memoryview(b'x' * 50000)[::2], set()]")).unwrap_err();
        world.call("values:evaluate", &json!("bytearray(100000)")).unwrap();
    };
    (0..100).for_each(|_| round(&mut world));
    let before = world::resident();
    (0..1_000).for_each(|_| round(&mut world));
    let grown = world::resident().saturating_sub(before);
    // One that is forgotten in each round would be 25 MB at least.
    assert!(grown < 8 << 20, "{grown} bytes more");
}
