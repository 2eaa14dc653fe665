//! Readers and writers against a folder and against a service that speaks S3.

mod s3_server;

use std::io::Write;
use std::path::Path;

use faastlane_items::{
    Destination, ErrorName, Item, ItemsError, Limits, OutputType, ReaderSpec, ResultFile, ResultWriter,
    S3Store, Store, Stores, open,
};
use faastlane_payload::Payload;
use flate2::Compression;
use flate2::write::GzEncoder;
use s3_server::S3Server;
use serde_json::{Value, json};

const GET: &str = "arn:aws:states:::s3:getObject";
const LIST: &str = "arn:aws:states:::s3:listObjectsV2";

fn folder(path: &Path) -> Stores {
    let by_name = [("data".to_owned(), Store::Folder(path.to_owned()))].into();
    Stores { by_name, ..Stores::default() }
}

fn s3(server: &S3Server) -> Stores {
    let store = S3Store { endpoint: Some(server.endpoint.clone()), ..S3Store::default() };
    let environment = [("AWS_ACCESS_KEY_ID", "the-key"), ("AWS_SECRET_ACCESS_KEY", "the-secret")];
    Stores {
        by_name: [("data".to_owned(), Store::S3(store))].into(),
        environment: environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
    }
}

fn try_read(
    stores: &Stores,
    resource: &str,
    parameters: Value,
    config: Value,
) -> Result<Vec<Item>, ItemsError> {
    let spec = ReaderSpec::parse(resource, &parameters, Some(&config))?;
    open(&spec, stores, Limits::default())?.collect()
}

fn read(stores: &Stores, resource: &str, parameters: Value, config: Value) -> Vec<(Value, String)> {
    let items = try_read(stores, resource, parameters, config).unwrap();
    items.into_iter().map(|item| (item.value.value().unwrap().clone(), item.source.to_string())).collect()
}

/// The same objects in a folder and in a bucket.
fn both(objects: &[(&str, Vec<u8>)]) -> (tempfile::TempDir, S3Server) {
    let (directory, server) = (tempfile::tempdir().unwrap(), S3Server::start());
    for (key, bytes) in objects {
        let path = directory.path().join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        server.put(&format!("data/{key}"), bytes.clone());
    }
    (directory, server)
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zstandard(text: &str) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest)
}

#[test]
fn objects_compressed_or_not() {
    let text = "id,name\n1,Ada\n";
    let (directory, server) = both(&[
        ("in/a.csv", text.into()),
        ("in/a.csv.gz", gzipped(text)),
        ("in/a.csv.gzip", [gzipped("id,name\n"), gzipped("1,Ada\n")].concat()),
        ("in/a.csv.zst", zstandard(text)),
        ("in/ä b+c%20.csv", text.into()),
    ]);
    for stores in [folder(directory.path()), s3(&server)] {
        for key in ["in/a.csv", "in/a.csv.gz", "in/a.csv.gzip", "in/a.csv.zst", "in/ä b+c%20.csv"] {
            let config = json!({ "InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW" });
            let items = read(&stores, GET, json!({ "Bucket": "data", "Key": key }), config);
            assert_eq!(items, [(json!({ "id": "1", "name": "Ada" }), format!("s3://data/{key}"))]);
        }
    }
}

#[test]
fn a_bucket_that_is_named_as_a_folder() {
    let (directory, _) = both(&[("a.json", b"[1]".to_vec())]);
    let bucket = format!("file://{}", directory.path().display());
    let parameters = json!({ "Bucket": bucket, "Key": "a.json" });
    let items = read(&Stores::default(), GET, parameters, json!({ "InputType": "JSON" }));
    assert_eq!(items, [(json!(1), format!("{bucket}/a.json"))]);
}

#[test]
fn a_bucket_with_another_name_over_there() {
    let server = S3Server::start();
    server.put("real-name/a.json", "[1]");
    let mut stores = s3(&server);
    if let Some(Store::S3(store)) = stores.by_name.get_mut("data") {
        store.bucket = Some("real-name".to_owned());
    }
    let parameters = json!({ "Bucket": "data", "Key": "a.json", "VersionId": "v1" });
    let items = read(&stores, GET, parameters, json!({ "InputType": "JSON" }));
    assert_eq!(items, [(json!(1), "s3://data/a.json".to_owned())]);
    assert_eq!(server.state.lock().unwrap().requests, ["GET /real-name/a.json?versionId=v1"]);
}

#[test]
fn listings_by_prefix_in_pages() {
    let (directory, server) = both(&[
        ("p1/b.txt", b"12".to_vec()),
        ("p1/a.txt", b"1".to_vec()),
        ("p10/c.txt", b"123".to_vec()),
        ("q/d.txt", b"".to_vec()),
    ]);
    for stores in [folder(directory.path()), s3(&server)] {
        let keys = |parameters: Value| {
            let items = read(&stores, LIST, parameters, json!({}));
            assert!(items.iter().all(|(_, source)| source == "s3://data"));
            items.into_iter().map(|(item, _)| item["Key"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let all = ["p1/a.txt", "p1/b.txt", "p10/c.txt", "q/d.txt"];
        assert_eq!(keys(json!({ "Bucket": "data" })), all);
        assert_eq!(keys(json!({ "Bucket": "data", "MaxKeys": 1 })), all);
        assert_eq!(keys(json!({ "Bucket": "data", "Prefix": "p1" })), all[..3]);
        assert_eq!(keys(json!({ "Bucket": "data", "Prefix": "p1/" })), all[..2]);
        assert_eq!(keys(json!({ "Bucket": "data", "StartAfter": "p1/a.txt" })), all[1..]);
        assert_eq!(keys(json!({ "Bucket": "data", "Prefix": "none" })), [""; 0]);
    }
    let items = read(&s3(&server), LIST, json!({ "Bucket": "data", "Prefix": "p10" }), json!({}));
    let expected = json!({
        "Etag": "\"05704fbd\"", "Key": "p10/c.txt", "LastModified": 1_668_699_881, "Size": 3,
        "StorageClass": "STANDARD",
    });
    assert_eq!(items[0].0, expected);
    let pages =
        server.state.lock().unwrap().requests.iter().filter(|line| line.contains("max-keys=1")).count();
    assert_eq!(pages, 4);
}

#[test]
fn the_objects_of_a_listing_as_one_data_set() {
    let (directory, server) = both(&[
        ("in/1.jsonl", b"1\n2\n".to_vec()),
        ("in/2.jsonl.gz", gzipped("3\n")),
        ("in/folder-marker", b"".to_vec()),
        ("in10/3.jsonl", b"4\n".to_vec()),
    ]);
    for stores in [folder(directory.path()), s3(&server)] {
        let config = json!({ "InputType": "JSONL", "Transformation": "LOAD_AND_FLATTEN" });
        let items = read(&stores, LIST, json!({ "Bucket": "data", "Prefix": "in/" }), config);
        let expected = [(1, "in/1.jsonl"), (2, "in/1.jsonl"), (3, "in/2.jsonl.gz")];
        assert_eq!(items, expected.map(|(item, key)| (json!(item), format!("s3://data/{key}"))));
    }
}

#[test]
fn inventories() {
    let manifest = json!({
        "sourceBucket": "source", "destinationBucket": "arn:aws:s3:::data", "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size", "files": [{ "key": "inv/1.csv.gz" }, { "key": "inv/2.csv" }],
    });
    let (directory, server) = both(&[
        ("inv/manifest.json", manifest.to_string().into()),
        ("inv/1.csv.gz", gzipped("\"source\",\"a.csv\",\"3399671\"\n")),
        ("inv/2.csv", b"\"source\",\"b/\",\"0\"\n".to_vec()),
        ("inv/orc.json", json!({ "fileFormat": "ORC", "fileSchema": "x", "files": [] }).to_string().into()),
        ("inv/bad.json", b"{}".to_vec()),
    ]);
    for stores in [folder(directory.path()), s3(&server)] {
        let of = |key: &str, config: Value| {
            try_read(&stores, GET, json!({ "Bucket": "data", "Key": key }), config)
        };
        for config in [json!({ "InputType": "MANIFEST" }), json!({ "ManifestType": "S3_INVENTORY" })] {
            let items = of("inv/manifest.json", config).unwrap();
            let values: Vec<&Value> = items.iter().map(|item| item.value.value().unwrap()).collect();
            let expected = [
                json!({ "Bucket": "source", "Key": "a.csv", "Size": "3399671" }),
                json!({ "Bucket": "source", "Key": "b/", "Size": "0" }),
            ];
            assert_eq!(values, expected.iter().collect::<Vec<_>>());
        }
        let cause = |key: &str| of(key, json!({ "InputType": "MANIFEST" })).unwrap_err().cause;
        let expected = "The inventory's format is ORC; only CSV is supported. Source: s3://data/inv/orc.json";
        assert_eq!(cause("inv/orc.json"), expected);
        assert!(cause("inv/bad.json").starts_with("The inventory's manifest has no text `fileFormat`."));
        assert!(cause("inv/1.csv.gz").starts_with("The manifest is not JSON"));
    }
}

#[test]
fn athena_manifests() {
    let (directory, server) = both(&[
        ("m.csv", b"s3://data/out/1.gz\n\n\"s3://data/out/2\"\n".to_vec()),
        ("out/1.gz", b"".to_vec()),
        ("out/2", b"[3]\n".to_vec()),
        ("bad.csv", b"out/2\n".to_vec()),
    ]);
    std::fs::write(directory.path().join("out/1.gz"), gzipped("1\n2\n")).unwrap();
    server.put("data/out/1.gz", gzipped("1\n2\n"));
    for stores in [folder(directory.path()), s3(&server)] {
        let config = json!({ "InputType": "JSONL", "ManifestType": "ATHENA_DATA" });
        let items = read(&stores, GET, json!({ "Bucket": "data", "Key": "m.csv" }), config.clone());
        let values: Vec<Value> = items.into_iter().map(|(value, _)| value).collect();
        assert_eq!(values, [json!(1), json!(2), json!([3])]);
        let error =
            try_read(&stores, GET, json!({ "Bucket": "data", "Key": "bad.csv" }), config).unwrap_err();
        assert_eq!(error.cause, "Line 1 of the manifest is not `s3://bucket/key`: out/2");
    }
}

#[test]
fn what_cannot_be_read_says_why() {
    let (directory, server) = both(&[("secret", b"[]".to_vec())]);
    server.state.lock().unwrap().forbidden = Some("data/secret".to_owned());
    let json_file = || json!({ "InputType": "JSON" });
    for stores in [folder(directory.path()), s3(&server)] {
        let cause = |parameters: Value| {
            let error = try_read(&stores, GET, parameters, json_file()).unwrap_err();
            assert_eq!(error.name, ErrorName::ItemReaderFailed);
            error.cause
        };
        let missing = "The specified key does not exist. (Service: Amazon S3; Status Code: 404; \
                       Error Code: NoSuchKey) Bucket: data, Key: a.json";
        assert_eq!(cause(json!({ "Bucket": "data", "Key": "a.json" })), missing);
        let no_bucket = cause(json!({ "Bucket": "other", "Key": "a.json" }));
        assert!(no_bucket.starts_with("The specified bucket does not exist"), "{no_bucket}");
        for key in ["../outside", "a/../../outside", "./a", "a//b", ".."] {
            let refused = cause(json!({ "Bucket": "data", "Key": key }));
            assert!(refused.starts_with(&format!("The key `{key}` is refused in `data`")), "{refused}");
        }
    }
    let parameters = json!({ "Bucket": "data", "Key": "secret" });
    let error = try_read(&s3(&server), GET, parameters.clone(), json_file()).unwrap_err();
    let denied = "Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied) \
                  Bucket: data, Key: secret";
    assert_eq!(error.cause, denied);
    let mut unsigned = s3(&server);
    if let Some(Store::S3(store)) = unsigned.by_name.get_mut("data") {
        store.anonymous = true;
    }
    assert_eq!(try_read(&unsigned, GET, parameters, json_file()).unwrap_err().cause, denied);
    let versioned = json!({ "Bucket": "data", "Key": "secret", "VersionId": "1" });
    let error = try_read(&folder(directory.path()), GET, versioned, json_file()).unwrap_err();
    assert!(error.cause.contains("have no versions"));
    let gone = folder(&directory.path().join("gone"));
    let error = try_read(&gone, LIST, json!({ "Bucket": "data" }), json!({})).unwrap_err();
    assert!(error.cause.contains("which is not there"), "{error}");
}

const MAP_RUN: &str = "arn:aws:states:us-east-1:1:mapRun:orders/get:run-1";

fn destination(bucket: &str, prefix: &str) -> Destination {
    let parameters = json!({ "Bucket": bucket, "Prefix": prefix });
    Destination::parse("arn:aws:states:::s3:putObject", &parameters).unwrap()
}

fn writer(stores: &Stores, prefix: &str, output_type: OutputType, max_file_bytes: u64) -> ResultWriter {
    let destination = destination("data", prefix);
    ResultWriter::open(&destination, output_type, stores, MAP_RUN.to_owned(), max_file_bytes).unwrap()
}

fn write(writer: &mut ResultWriter, file: ResultFile, record: Value) {
    writer.write(file, &Payload::from_value(record)).unwrap();
}

fn write_all(stores: &Stores, prefix: &str, output_type: OutputType) -> Value {
    let mut writer = writer(stores, prefix, output_type, ResultWriter::MAX_FILE_BYTES);
    for (file, record) in [
        (ResultFile::Succeeded, json!({ "id": 1 })),
        (ResultFile::Failed, json!({ "Error": "Oops" })),
        (ResultFile::Succeeded, json!("plain")),
        (ResultFile::Pending, json!({ "Input": "{}" })),
        (ResultFile::Failed, json!({ "Status": "ABORTED" })),
    ] {
        write(&mut writer, file, record);
    }
    writer.finish().unwrap().value().unwrap().clone()
}

/// The object, from the folder and from the bucket, which have to agree.
fn written(directory: &Path, server: &S3Server, key: &str) -> String {
    let bytes = std::fs::read(directory.join(key)).unwrap();
    assert_eq!(Some(&bytes), server.get(&format!("data/{key}")).as_ref());
    String::from_utf8(bytes).unwrap()
}

#[test]
fn results_have_a_file_for_each_way_to_end() {
    let (directory, server) = both(&[]);
    for stores in [folder(directory.path()), s3(&server)] {
        let result = write_all(&stores, "jobs/", OutputType::Json);
        let expected = json!({
            "MapRunArn": MAP_RUN,
            "ResultWriterDetails": { "Bucket": "data", "Key": "jobs/run-1/manifest.json" },
        });
        assert_eq!(result, expected);
    }
    let object = |key: &str| written(directory.path(), &server, &format!("jobs/run-1/{key}"));
    let manifest: Value = serde_json::from_str(&object("manifest.json")).unwrap();
    let files = |status: &str| {
        let key = format!("{status}_0.json");
        json!([{ "Key": format!("jobs/run-1/{key}"), "Size": object(&key).len() }])
    };
    let expected = json!({
        "DestinationBucket": "data",
        "MapRunArn": MAP_RUN,
        "ResultFiles": { "FAILED": files("FAILED"), "PENDING": files("PENDING"), "SUCCEEDED": files("SUCCEEDED") },
    });
    assert_eq!(manifest, expected);
    assert_eq!(object("SUCCEEDED_0.json"), "[{\"id\":1},\"plain\"]");
    assert_eq!(object("FAILED_0.json"), "[{\"Error\":\"Oops\"},{\"Status\":\"ABORTED\"}]");
    assert_eq!(object("PENDING_0.json"), "[{\"Input\":\"{}\"}]");
}

#[test]
fn results_can_be_lines() {
    let (directory, server) = both(&[]);
    for stores in [folder(directory.path()), s3(&server)] {
        write_all(&stores, "lines", OutputType::JsonLines);
    }
    let object = |key: &str| written(directory.path(), &server, &format!("lines/run-1/{key}"));
    assert_eq!(object("SUCCEEDED_0.jsonl"), "{\"id\":1}\n\"plain\"\n");
    assert_eq!(object("FAILED_0.jsonl"), "{\"Error\":\"Oops\"}\n{\"Status\":\"ABORTED\"}\n");
}

#[test]
fn files_roll_before_they_are_too_large() {
    let (directory, server) = both(&[]);
    const MOST: u64 = 20;
    for stores in [folder(directory.path()), s3(&server)] {
        let mut writer = writer(&stores, "", OutputType::Json, MOST);
        // Two of six bytes fit with brackets and a comma; three would make 22 bytes.
        for output in ["aaaa", "bbbb", "cccc", "a single one beyond the limit", "d"] {
            write(&mut writer, ResultFile::Succeeded, json!(output));
        }
        writer.finish().unwrap();
    }
    let expected = ["[\"aaaa\",\"bbbb\"]", "[\"cccc\"]", "[\"a single one beyond the limit\"]", "[\"d\"]"];
    for (number, text) in expected.iter().enumerate() {
        assert_eq!(written(directory.path(), &server, &format!("run-1/SUCCEEDED_{number}.json")), *text);
    }
    let manifest = written(directory.path(), &server, "run-1/manifest.json");
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["ResultFiles"]["SUCCEEDED"].as_array().unwrap().len(), expected.len());
}

#[test]
fn large_results_go_up_in_parts_and_come_back() {
    const CHILDREN: usize = 12;
    let (directory, server) = both(&[]);
    let large = "x".repeat(1 << 20);
    for stores in [folder(directory.path()), s3(&server)] {
        let mut writer = writer(&stores, "p", OutputType::Json, ResultWriter::MAX_FILE_BYTES);
        for index in 0..CHILDREN {
            write(&mut writer, ResultFile::Succeeded, json!([index, large]));
        }
        writer.finish().unwrap();
        let parameters = json!({ "Bucket": "data", "Key": "p/run-1/SUCCEEDED_0.json" });
        let items = read(&stores, GET, parameters, json!({ "InputType": "JSON" }));
        let indexes: Vec<&Value> = items.iter().map(|(item, _)| &item[0]).collect();
        assert_eq!(json!(indexes), json!((0..CHILDREN).collect::<Vec<_>>()));
    }
    let parts = server.state.lock().unwrap().parts.len();
    assert_eq!(parts, 2, "12 MiB in parts of 8 MiB");
}

#[test]
fn a_writer_that_is_given_up_leaves_nothing() {
    let (directory, server) = both(&[]);
    for stores in [folder(directory.path()), s3(&server)] {
        let mut writer = writer(&stores, "p", OutputType::Json, ResultWriter::MAX_FILE_BYTES);
        let large = json!("x".repeat(9 << 20));
        write(&mut writer, ResultFile::Succeeded, large);
        drop(writer);
    }
    let state = server.state.lock().unwrap();
    assert_eq!((state.objects.len(), state.parts.len()), (0, 0));
    let left = std::fs::read_dir(directory.path().join("p/run-1")).map_or(0, Iterator::count);
    assert_eq!(left, 0);
}

#[test]
fn what_cannot_be_written_says_why() {
    let server = S3Server::start();
    let open = |bucket: &str, stores: &Stores| {
        ResultWriter::open(&destination(bucket, ""), OutputType::Json, stores, MAP_RUN.to_owned(), 100)
    };
    let missing = open("other", &s3(&server)).err().unwrap();
    assert_eq!(missing.name, ErrorName::ResultWriterFailed);
    let mut stores = s3(&server);
    if let Some(Store::S3(store)) = stores.by_name.get_mut("data") {
        store.bucket = Some("gone".to_owned());
    }
    let writer = open("data", &stores).unwrap();
    let error = writer.finish().err().unwrap();
    assert_eq!(error.name, ErrorName::ResultWriterFailed);
    assert!(error.cause.contains("NoSuchBucket"), "{error}");
}

#[test]
fn readers_and_writers_can_move_to_another_thread() {
    fn moves<T: Send>() {}
    moves::<faastlane_items::Items>();
    moves::<ResultWriter>();
}
