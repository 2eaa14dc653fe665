//! Bytes and numpy's arrays between functions, where a workflow lets them.

use crate::workflow::Workflow;
use serde_json::{Value, json};

const BINARY: &str = "[workflow]\nbinary = true\n";

/// What it was given, by type.
const SHOWS: &str = "def handler(event, context):\n    \
        return {name: f'{type(value).__name__} {value!r}' for name, value in event.items()}\n";

fn task(resource: &str, next: &str) -> Value {
    json!({ "Type": "Task", "Resource": resource, "Next": next })
}

#[test]
fn bytes_go_from_function_to_function_and_a_choice_looks_beside_them() {
    let makes = "def handler(event, context):\n    \
        return {'kind': 'image', 'bytes': bytes(range(256)) * event, 'array': bytearray(b'\\0x'),\n            \
                'view': memoryview(b'abcdef')[::2], 'nothing': b'', 'list': [b'1', {'deep': b'2'}]}\n";
    let reads = "def handler(event, context):\n    \
        assert event['bytes'] == bytes(range(256)) * (len(event['bytes']) // 256)\n    \
        assert all(type(event[name]) is bytes for name in ('bytes', 'array', 'view', 'nothing')), event\n    \
        return [len(event['bytes']), event['array'], event['view'], event['nothing'], event['list']]\n";
    let workflow = Workflow::new(&json!({ "StartAt": "Make", "States": {
        "Make": task("make", "Which"),
        "Which": { "Type": "Choice", "Default": "Wrong", "Choices": [
            { "And": [{ "Variable": "$.kind", "StringEquals": "image" },
                      { "Variable": "$.bytes", "IsPresent": true },
                      { "Variable": "$.bytes", "IsString": false }], "Next": "Read" }] },
        "Wrong": { "Type": "Fail" },
        "Read": { "Type": "Task", "Resource": "read", "End": true } } }))
    .functions(&[("make", makes), ("read", reads)])
    .config(BINARY);
    let binary = |base64: &str| json!({ "$binary": { "base64": base64 } });
    for isolation in ["auto", "process", "none"] {
        // Small ones are copied, large ones may move with their pages.
        for times in [1, 8192] {
            let run = workflow.run_under(isolation, &json!(times));
            let list = json!([binary("MQ=="), { "deep": binary("Mg==") }]);
            let expected = json!([256 * times, binary("AHg="), binary("YWNl"), binary(""), list]);
            assert_eq!(run.output(), &expected, "{isolation}");
        }
    }
}

#[test]
fn without_the_setting_they_are_what_they_are_on_lambda() {
    let workflow =
        Workflow::chain(&[("make", "def handler(event, context): return {'bytes': b'x'}"), ("show", SHOWS)]);
    for config in ["", "[workflow]\nbinary = false\n"] {
        let workflow = workflow.path("faastlane.toml");
        std::fs::write(workflow, config).unwrap();
    }
    let run = workflow.run(&json!({}));
    let (error, cause) = run.function_error();
    assert_eq!(error, "Runtime.MarshalError");
    assert_eq!(
        cause["errorMessage"],
        "Unable to marshal response: Object of type bytes is not JSON serializable"
    );
    // Extended JSON is an object like any other, and bytes as a whole result are its text.
    let event = json!({ "a": { "$binary": { "base64": "eA==" } } });
    let workflow = Workflow::chain(&[("show", SHOWS)]);
    assert_eq!(workflow.run(&event).output(), &json!({ "a": "dict {'$binary': {'base64': 'eA=='}}" }));
    let workflow = Workflow::chain(&[("text", "def handler(event, context): return b'[1]'")]);
    assert_eq!(workflow.run(&event).output(), &json!([1]));
    assert_eq!(
        workflow.config(BINARY).run(&event).output(),
        &json!({ "$binary": { "base64": "WzFd" } }),
        "as it is"
    );
}

#[test]
fn states_hand_them_on_unharmed_and_what_computes_sees_extended_json() {
    let workflow = Workflow::new(&json!({ "StartAt": "Make", "States": {
        "Make": { "Type": "Task", "Resource": "make", "ResultSelector": { "b.$": "$.b", "size.$": "$.size" },
                  "ResultPath": "$.made", "Next": "Pick" },
        "Pick": { "Type": "Pass", "Parameters": {
            "picked.$": "$.made.b", "list.$": "States.Array($.made.b)", "text.$": "States.JsonToString($.made.b)",
            "inside.$": "$..base64", "each": ["written", { "$binary": { "base64": "dw==" } }] }, "Next": "Lots" },
        "Lots": { "Type": "Parallel", "ResultPath": "$.lots", "Next": "Compute", "Branches": [
            { "StartAt": "Map", "States": { "Map": { "Type": "Map", "ItemsPath": "$.list", "End": true,
                "ItemProcessor": { "StartAt": "Same", "States": {
                    "Same": { "Type": "Task", "Resource": "same", "End": true } } } } } },
            { "StartAt": "Whole", "States": { "Whole": {
                "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "OutputPath": "$.Payload",
                "Parameters": { "FunctionName": "same", "Payload.$": "$.picked" }, "End": true } } }] },
        "Compute": { "Type": "Pass", "QueryLanguage": "JSONata",
            "Output": "{% $merge([$states.input, { 'type': $type($states.input.picked) }]) %}", "Next": "Show" },
        "Show": { "Type": "Task", "Resource": "show", "End": true } } }))
    .functions(&[
        ("make", "def handler(event, context): return {'b': b'\\xff', 'size': 1}"),
        ("same", "def handler(event, context):\n    assert type(event) is bytes, event\n    return event"),
        ("show", SHOWS),
    ])
    .config(BINARY);
    let run = workflow.run(&json!({}));
    let expected = json!({
        "picked": "bytes b'\\xff'",
        "list": "list [b'\\xff']",
        "text": "str '{\"$binary\":{\"base64\":\"/w==\"}}'",
        "inside": "list ['/w==']",
        "each": "list ['written', b'w']",
        "lots": "list [[b'\\xff'], b'\\xff']",
        "type": "str 'object'",
    });
    assert_eq!(run.output(), &expected);
}

#[test]
fn extended_json_that_stands_for_nothing_is_refused() {
    let workflow = Workflow::chain(&[("show", SHOWS)]).config(BINARY);
    let refused = |written: Value| {
        let run = workflow.run(&json!({ "a": written }));
        let (error, cause) = run.function_error();
        assert_eq!(error, "Runtime.UnmarshalError");
        cause["errorMessage"].as_str().unwrap().to_owned()
    };
    for written in [json!({ "base64": "e" }), json!({ "base64": 1 }), json!({}), json!("eA=="), json!(null)] {
        let message = refused(json!({ "$binary": written }));
        assert!(message.starts_with("Unable to unmarshal input: $binary cannot be read: "), "{message}");
    }
    let array = json!({ "dtype": "<f8", "shape": [1], "base64": "AAAAAAAA8D8=" });
    assert_eq!(
        refused(json!({ "$ndarray": array })),
        "Unable to unmarshal input: a numpy array was sent to this function, which cannot import numpy: \
         No module named 'numpy'"
    );
    // With anything beside it, it is an object like any other.
    let beside = json!({ "$binary": 1, "other": 2 });
    let run = workflow.run(&json!({ "a": beside }));
    assert_eq!(run.output(), &json!({ "a": "dict {'$binary': 1, 'other': 2}" }));
}

#[test]
fn functions_of_a_trust_group_hand_on_what_they_would_decode() {
    let makes = "def handler(event, context):\n    \
        return {'exact': b'x', 'array': bytearray(b'y'), 'written': {'$binary': {'base64': 'eg=='}}}\n";
    let workflow = Workflow::chain(&[("make", makes), ("show", SHOWS)]);
    let workflow = workflow.config(&format!("{BINARY}[trust]\nboth = ['make', 'show']\n"));
    let run = workflow.run(&json!({}));
    let expected = json!({ "exact": "bytes b'x'", "array": "bytes b'y'", "written": "bytes b'z'" });
    assert_eq!(run.output(), &expected);
}

const MAKES_ARRAYS: &str = "import numpy\n\
    def handler(event, context):\n    \
        return {\n        \
            'plain': numpy.arange(6.0).reshape(2, 3), 'across': numpy.arange(6).reshape(2, 3).T,\n        \
            'number': numpy.array(7), 'big': numpy.arange(3, dtype='>i4'), 'empty': numpy.zeros((0, 4)),\n        \
            'days': numpy.array(['2020-01-01', 'NaT'], dtype='M8[D]'), 'text': numpy.array(['é', 'ab']),\n        \
            'bytes': numpy.array([b'a', b'bc']), 'flags': numpy.array([True, False]),\n        \
            'complex': numpy.array([1 + 2j]), 'nan': numpy.array([float('nan')]), 'given': event,\n        \
            'large': numpy.arange(event['count'], dtype='<u4'), 'every': numpy.arange(10)[::3],\n    }\n";
const READS_ARRAYS: &str = "import numpy\n\
    def handler(event, context):\n    \
        given = event.pop('given')\n    \
        event['given'] = given['array']\n    \
        for array in event.values():\n        \
            assert type(array) is numpy.ndarray and array.flags.writeable and array.flags.owndata, array\n    \
        large = event.pop('large')\n    \
        assert large.shape == (given['count'],) and (large == numpy.arange(given['count'])).all()\n    \
        shown = {name: [array.dtype.str, list(array.shape), str(array.tolist())] for name, array in event.items()}\n    \
        return {'shown': shown, 'again': event['plain']}\n";

#[test]
fn arrays_arrive_as_the_functions_own() {
    let workflow = Workflow::chain(&[("make", MAKES_ARRAYS), ("read", READS_ARRAYS)])
        .file("requirements.txt", "numpy==2.2.6\n")
        .config(BINARY);
    let given = json!({ "$ndarray": { "dtype": "<i2", "shape": [1, 2], "base64": "AQACAA==" } });
    for (isolation, count) in [("auto", 1), ("auto", 1 << 18), ("process", 1 << 18), ("none", 1 << 18)] {
        let run = workflow.run_under(isolation, &json!({ "count": count, "array": given }));
        assert_ne!(run.exit, Some(101), "are PyPI, or a cache of what it holds, within reach? {run:#?}");
        let shown = json!({
            "plain": ["<f8", [2, 3], "[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]"],
            "across": ["<i8", [3, 2], "[[0, 3], [1, 4], [2, 5]]"],
            "number": ["<i8", [], "7"],
            "big": [">i4", [3], "[0, 1, 2]"],
            "empty": ["<f8", [0, 4], "[]"],
            "days": ["<M8[D]", [2], "[datetime.date(2020, 1, 1), None]"],
            "text": ["<U2", [2], "['é', 'ab']"],
            "bytes": ["|S2", [2], "[b'a', b'bc']"],
            "flags": ["|b1", [2], "[True, False]"],
            "complex": ["<c16", [1], "[(1+2j)]"],
            "nan": ["<f8", [1], "[nan]"],
            "every": ["<i8", [4], "[0, 3, 6, 9]"],
            "given": ["<i2", [1, 2], "[[1, 2]]"],
        });
        let base64 = "AAAAAAAAAAAAAAAAAADwPwAAAAAAAABAAAAAAAAACEAAAAAAAAAQQAAAAAAAABRA";
        let again = json!({ "$ndarray": { "dtype": "<f8", "shape": [2, 3], "base64": base64 } });
        assert_eq!(run.output(), &json!({ "shown": shown, "again": again }), "{isolation}");
    }
}

#[test]
fn arrays_that_are_not_plain_data_are_refused_and_so_are_damaged_ones() {
    let makes = "import numpy\n\
        def handler(event, context):\n    \
            if type(event) is str:\n        \
                return {'made': eval(event)}\n    \
            return str(event)\n";
    let workflow =
        Workflow::chain(&[("make", makes)]).file("requirements.txt", "numpy==2.2.6\n").config(BINARY);
    for (made, reason) in [
        (
            "numpy.array([object()])",
            "a numpy array of dtype object cannot be sent: its elements are not plain data",
        ),
        (
            "numpy.zeros(2, dtype=[('a', 'i4'), ('b', 'f8')])",
            "a numpy array of dtype [('a', '<i4'), ('b', '<f8')] cannot be sent: its elements are not plain data",
        ),
        (
            "numpy.zeros(2, 'V3')",
            "a numpy array of dtype |V3 cannot be sent: its elements are not plain data",
        ),
        (
            "numpy.ma.array([1])",
            "a MaskedArray cannot be sent: only numpy.ndarray itself, as numpy.asarray makes",
        ),
        ("numpy.float32(1)", "Object of type float32 is not JSON serializable"),
        ("set()", "Object of type set is not JSON serializable"),
    ] {
        let run = workflow.run(&json!(made));
        let (error, cause) = run.function_error();
        assert_eq!(error, "Runtime.MarshalError", "{made}");
        assert_eq!(cause["errorMessage"], format!("Unable to marshal response: {reason}"), "{made}");
    }
    for (dtype, shape, base64) in [
        ("<f8", json!([2]), "AAAAAAAA8D8="),
        ("<f8", json!([]), "AAAAAAAA8D8AAAAAAADwPw=="),
        ("<f8", json!([-1]), "AAAAAAAA8D8="),
        ("<f8", json!([1_u64 << 40]), "AAAAAAAA8D8="),
        ("O", json!([1]), "AAAAAAAA8D8="),
        ("i4,i4", json!([1]), "AAAAAAAA8D8="),
        ("nonsense", json!([1]), "AAAAAAAA8D8="),
        ("<f8", json!("x"), "AAAAAAAA8D8="),
    ] {
        let array = json!({ "$ndarray": { "dtype": dtype, "shape": shape, "base64": base64 } });
        let run = workflow.run(&array);
        let (error, cause) = run.function_error();
        assert_eq!(error, "Runtime.UnmarshalError", "{array}");
        let message = cause["errorMessage"].as_str().unwrap();
        assert!(message.starts_with("Unable to unmarshal input: $ndarray cannot be read: "), "{message}");
    }
}
