//! What the fields of an `ItemReader` and a `ResultWriter` may say.

use faastlane_items::{
    CsvDelimiter, CsvHeader, Destination, ErrorName, Format, ListObjects, ManifestType, ReaderConfig,
    ReaderSpec, Source,
};
use serde_json::{Value, json};

const GET: &str = "arn:aws:states:::s3:getObject";
const LIST: &str = "arn:aws:states:::s3:listObjectsV2";
const PUT: &str = "arn:aws:states:::s3:putObject";

#[test]
fn everything_a_reader_config_can_say() {
    let config = ReaderConfig::parse(&json!({
        "InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["a", "b"], "CSVDelimiter": "TAB",
        "MaxItems": 5.0, "Transformation": "LOAD_AND_FLATTEN", "ManifestType": "ATHENA_DATA",
    }))
    .unwrap();
    let expected = ReaderConfig {
        format: Some(Format::Csv {
            delimiter: CsvDelimiter::Tab,
            header: CsvHeader::Given(vec!["a".to_owned(), "b".to_owned()]),
        }),
        manifest: Some(ManifestType::AthenaData),
        load_and_flatten: true,
        delimiter: CsvDelimiter::Tab,
        max_items: 5,
    };
    assert_eq!(config, expected);
    let most = ReaderConfig::parse(&json!({ "InputType": "JSONL", "MaxItems": 4_000_000_000_u64 })).unwrap();
    assert_eq!((most.max_items, most.format), (100_000_000, Some(Format::JsonLines)));
}

#[test]
fn everything_a_listing_can_say() {
    let parameters = json!({ "Bucket": "b", "Prefix": "p", "MaxKeys": 7, "StartAfter": "p/a" });
    let spec = ReaderSpec::parse("arn:aws-cn:states:::s3:listObjectsV2", &parameters, None).unwrap();
    let expected = ListObjects {
        bucket: "b".to_owned(),
        prefix: "p".to_owned(),
        max_keys: Some(7),
        start_after: Some("p/a".to_owned()),
    };
    assert_eq!(spec.source, Source::ListObjects(expected));
}

#[test]
fn what_does_not_go_together() {
    let key = || json!({ "Bucket": "b", "Key": "k" });
    let cases = [
        (GET, key(), json!({}), "needs an InputType"),
        (GET, key(), Value::Null, "needs an InputType"),
        (GET, key(), json!(5), "ReaderConfig is not an object"),
        (GET, json!([]), json!({ "InputType": "JSON" }), "Parameters is not an object"),
        (GET, json!({ "Key": "k" }), json!({ "InputType": "JSON" }), "needs `Bucket`"),
        (GET, json!({ "Bucket": "b" }), json!({ "InputType": "JSON" }), "needs `Key`"),
        (GET, json!({ "Bucket": 1, "Key": "k" }), json!({ "InputType": "JSON" }), "is not a string"),
        ("arn:aws:states:::s3:putObject", key(), json!({ "InputType": "JSON" }), "is not supported"),
        ("s3:getObject", key(), json!({ "InputType": "JSON" }), "is not supported"),
        (GET, key(), json!({ "InputType": "XML" }), "one of CSV, JSON"),
        (GET, key(), json!({ "InputType": "CSV" }), "needs CSVHeaderLocation"),
        (GET, key(), json!({ "InputType": "CSV", "CSVHeaderLocation": "LAST_ROW" }), "FIRST_ROW, GIVEN"),
        (GET, key(), json!({ "InputType": "CSV", "CSVHeaderLocation": "GIVEN" }), "needs CSVHeaders"),
        (
            GET,
            key(),
            json!({ "InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": [] }),
            "an array of strings",
        ),
        (
            GET,
            key(),
            json!({ "InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "CSVHeaders": ["a"] }),
            "goes with CSVHeaderLocation GIVEN",
        ),
        (GET, key(), json!({ "InputType": "JSON", "ItemsPointer": "a" }), "is not a JSON Pointer"),
        (GET, key(), json!({ "InputType": "JSON", "MaxItems": -1 }), "not negative"),
        (GET, key(), json!({ "InputType": "JSON", "MaxItems": 1.5 }), "whole number"),
        (GET, key(), json!({ "InputType": "JSON", "ManifestType": "S3_INVENTORY" }), "without an InputType"),
        (
            GET,
            key(),
            json!({ "InputType": "MANIFEST", "ManifestType": "ATHENA_DATA" }),
            "InputType of the data",
        ),
        (GET, key(), json!({ "ManifestType": "ATHENA_DATA" }), "needs an InputType"),
        (
            LIST,
            json!({ "Bucket": "b" }),
            json!({ "Transformation": "LOAD_AND_FLATTEN" }),
            "needs an InputType",
        ),
        (LIST, json!({ "Bucket": "b" }), json!({ "InputType": "MANIFEST" }), "read with s3:getObject"),
    ];
    for (resource, parameters, config, words) in cases {
        let error = ReaderSpec::parse(resource, &parameters, Some(&config)).unwrap_err();
        assert_eq!(error.name, ErrorName::Runtime);
        assert!(error.cause.contains(words), "{error} has no `{words}`");
    }
    let error = ReaderSpec::parse(GET, &key(), Some(&json!({ "InputType": "PARQUET" }))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "States.ItemReaderFailed: InputType PARQUET is not supported: use CSV, JSON or JSONL."
    );
}

#[test]
fn writers() {
    let destination = Destination::parse(PUT, &json!({ "Bucket": "b", "Prefix": "p/" })).unwrap();
    assert_eq!((destination.bucket.as_str(), destination.prefix.as_str()), ("b", "p"));
    let without_prefix = Destination::parse(PUT, &json!({ "Bucket": "b" })).unwrap();
    assert_eq!(without_prefix.prefix, "");
    for (resource, parameters) in [
        (GET, json!({ "Bucket": "b" })),
        (PUT, json!({})),
        (PUT, json!({ "Prefix": "p" })),
        (PUT, json!({ "Bucket": 1 })),
        (PUT, json!([])),
    ] {
        let error = Destination::parse(resource, &parameters).unwrap_err();
        assert_eq!(error.name, ErrorName::Runtime, "{resource} {parameters}");
    }
}
