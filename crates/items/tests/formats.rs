//! The formats of data sets, table by table.

use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use faastlane_items::{ErrorName, Item, Items, ItemsError, Limits, ReaderConfig, items_in};
use proptest::prelude::*;
use serde_json::{Value, json};

const SOURCE: &str = "s3://bucket/file";

fn config(config: Value) -> ReaderConfig {
    ReaderConfig::parse(&config).unwrap()
}

fn csv(header: &str) -> ReaderConfig {
    match header {
        "" => config(json!({ "InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW" })),
        given => {
            let headers: Vec<&str> = given.split(',').collect();
            config(json!({ "InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": headers }))
        }
    }
}

fn open(bytes: &[u8], config: &ReaderConfig, limit: u64) -> Result<Items, ItemsError> {
    items_in(Cursor::new(bytes.to_vec()), config, SOURCE, Limits { max_item_bytes: limit })
}

/// The items, those of objects with their keys, and the error that ended them.
fn read(bytes: impl AsRef<[u8]>, config: &ReaderConfig) -> (Vec<Value>, Option<ItemsError>) {
    read_within(bytes, config, 1 << 20)
}

fn read_within(
    bytes: impl AsRef<[u8]>,
    config: &ReaderConfig,
    limit: u64,
) -> (Vec<Value>, Option<ItemsError>) {
    let items = match open(bytes.as_ref(), config, limit) {
        Ok(items) => items,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let mut values = Vec::new();
    for item in items {
        match item {
            Ok(Item { value, key, .. }) => {
                let value = value.value().unwrap().clone();
                values.push(key.map_or_else(|| value.clone(), |key| json!({ "Key": key, "Value": value })));
            }
            Err(error) => return (values, Some(error)),
        }
    }
    (values, None)
}

fn whole(bytes: impl AsRef<[u8]>, config: &ReaderConfig) -> Vec<Value> {
    let (values, error) = read(bytes, config);
    assert_eq!(error, None);
    values
}

fn cause(bytes: impl AsRef<[u8]>, config: &ReaderConfig) -> String {
    let error = read(bytes, config).1.expect("an error");
    assert_eq!(error.name, ErrorName::ItemReaderFailed, "{error}");
    error.cause
}

#[test]
fn csv_rows_are_objects_of_strings() {
    let both = [json!({ "id": "1", "name": "Ada" }), json!({ "id": "2", "name": "Bob" })];
    for text in ["id,name\n1,Ada\n2,Bob", "id,name\r\n1,Ada\r\n2,Bob\r\n", "id,name\n\n1,Ada\n\n2,Bob\n\n"] {
        assert_eq!(whole(text, &csv("")), both, "{text:?}");
    }
    assert_eq!(whole("1,Ada\n2,Bob", &csv("id,name")), both);
    assert_eq!(whole("id,name\n", &csv("")), Vec::<Value>::new());
    assert_eq!(whole("", &csv("id,name")), Vec::<Value>::new());
}

#[test]
fn csv_fields_as_step_functions_reads_them() {
    let cases = [
        ("missing fields are empty", "x", "x", ""),
        ("further fields are skipped", "x,y,z", "x", "y"),
        ("quotes hold delimiters and newlines", "\"a,b\nc\",y", "a,b\nc", "y"),
        ("quotes are doubled in quotes", "\"say \"\"hi\"\"\",y", "say \"hi\"", "y"),
        ("a backslash is doubled", r"C:\\Program Files\\App.exe,y", r"C:\Program Files\App.exe", "y"),
        ("a backslash escapes the delimiter", r"a\,b,y", "a,b", "y"),
        ("a backslash escapes a quote", r#"\"a\",y"#, "\"a\"", "y"),
        ("a backslash escapes a quote in quotes", r#""a\"b",y"#, "a\"b", "y"),
        ("before anything else it vanishes", r"C:\Users\n,y", "C:Usersn", "y"),
        ("white space stays", " x , y ", " x ", " y "),
        ("text beyond ASCII", "Ærø,東京", "Ærø", "東京"),
    ];
    for (rule, row, a, b) in cases {
        assert_eq!(whole(row, &csv("a,b")), [json!({ "a": a, "b": b })], "{rule}");
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_header_however_the_file_comes() {
    let text = "\u{feff}a,b\n1,2\n";
    let header = config(json!({ "InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW" }));
    for most in 1..8 {
        let reader = Slices { bytes: Cursor::new(text.into()), most };
        let items = items_in(reader, &header, SOURCE, Limits::default()).unwrap();
        let rows: Vec<Value> = items.map(|item| item.unwrap().value.value().unwrap().clone()).collect();
        assert_eq!(rows, [json!({ "a": "1", "b": "2" })], "{most} bytes at a time");
    }
}

#[test]
fn csv_delimiters() {
    for (name, byte) in [("COMMA", ','), ("PIPE", '|'), ("SEMICOLON", ';'), ("SPACE", ' '), ("TAB", '\t')] {
        let reader = json!({ "InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", "CSVDelimiter": name });
        let text = format!("a{byte}b\n1\\{byte}1{byte}2\n");
        assert_eq!(whole(text, &config(reader)), [json!({ "a": format!("1{byte}1"), "b": "2" })], "{name}");
    }
}

#[test]
fn csv_mistakes() {
    assert_eq!(
        cause("a,b,a\n1,2,3", &csv("")),
        "CSV headers cannot contain duplicates. Source: s3://bucket/file"
    );
    assert_eq!(cause("", &csv("")), "The CSV file has no header: it is empty. Source: s3://bucket/file");
    let header = format!("{},b\n1,2", "a".repeat(10 << 10));
    assert_eq!(
        cause(header, &csv("")),
        "The CSV header is larger than the limit of 10240 bytes. Source: s3://bucket/file"
    );
    for foreign in [&b"\xff\xfe"[..], b"\xf8", b"\\\xf9", b"\xc3("] {
        let (values, error) = read([b"a\nok\n", foreign, b"\nok\n"].concat(), &csv(""));
        assert_eq!(values, [json!({ "a": "ok" })]);
        assert_eq!(error.unwrap().cause, "The CSV file is not UTF-8 in line 3. Source: s3://bucket/file");
    }
}

#[test]
fn json_arrays_and_objects() {
    let json_file = config(json!({ "InputType": "JSON" }));
    assert_eq!(
        whole(" [1, \"a,]}\", {\"b\":[1,{}]} ,[], null,-2.5e3] \n", &json_file),
        [json!(1), json!("a,]}"), json!({ "b": [1, {}] }), json!([]), json!(null), json!(-2500.0)]
    );
    assert_eq!(whole("[]", &json_file), Vec::<Value>::new());
    assert_eq!(whole("{}", &json_file), Vec::<Value>::new());
    assert_eq!(
        whole(r#"{"a": {"x": 1}, "b\n\"": 2}"#, &json_file),
        [json!({ "Key": "a", "Value": { "x": 1 } }), json!({ "Key": "b\n\"", "Value": 2 })]
    );
    let mut items = open(br#"{"a":1}"#, &json_file, 100).unwrap();
    let item = items.next().unwrap().unwrap();
    assert_eq!((item.key.as_deref(), &*item.source), (Some("a"), SOURCE));
    assert_eq!(item.value.value().unwrap(), &json!(1));
}

#[test]
fn items_pointers() {
    let pointer = |pointer: &str| config(json!({ "InputType": "JSON", "ItemsPointer": pointer }));
    let text = r#"{"x":[1,"]"],"data":{"a/b":[{"id":1},{"id":2}],"m~n":{"k":"v"},"n":3},"rows":[[],[7]]}"#;
    assert_eq!(whole(text, &pointer("/data/a~1b")), [json!({ "id": 1 }), json!({ "id": 2 })]);
    assert_eq!(whole(text, &pointer("/data/m~0n")), [json!({ "Key": "k", "Value": "v" })]);
    assert_eq!(whole(text, &pointer("/rows/1")), [json!(7)]);
    assert_eq!(whole("[1]", &pointer("")), [json!(1)]);
    let no_path =
        "The provided ReaderConfig.ItemsPointer does not match any valid path in the JSON structure.";
    for missing in ["/missing", "/data/a", "/rows/2", "/rows/x", "/data/n/0", "/"] {
        assert!(cause(text, &pointer(missing)).starts_with(no_path), "{missing}");
    }
    assert!(cause(text, &pointer("/data/n")).starts_with("Attempting to map over non-iterable node."));
}

#[test]
fn json_mistakes() {
    let json_file = config(json!({ "InputType": "JSON" }));
    for scalar in ["123", "\"text\"", "null", " true "] {
        assert!(
            cause(scalar, &json_file).starts_with("Attempting to map over non-iterable node."),
            "{scalar}"
        );
    }
    let broken = [
        "",
        "not-json",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[1 2]",
        "[1]x",
        "[1][2]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{1:2}",
        "[nul]",
        "[\"a]",
        "[{\"a\":1]",
        "[,1]",
        "]",
        "[1}",
        "{\"a\":1,}",
        "[:]",
        "{\"a\":1]",
    ];
    for text in broken {
        assert!(cause(text, &json_file).ends_with("Source: s3://bucket/file"), "{text}");
    }
    assert_eq!(read("[1, 2, oops]", &json_file).0, [json!(1), json!(2)]);
    let deep = format!("[{}]", "[".repeat(100_000));
    assert!(cause(deep, &json_file).contains("nest deeper than 1000 levels"));
    let deep = format!("[{}1{}]", "[".repeat(999), "]".repeat(999));
    assert_eq!(read(deep, &json_file).0.len(), 1);
}

#[test]
fn json_lines() {
    let lines = config(json!({ "InputType": "JSONL" }));
    assert_eq!(whole("{\"a\":1}\n\n  [2]  \r\n\"x\"", &lines), [json!({ "a": 1 }), json!([2]), json!("x")]);
    let (values, error) = read("1\n\n{\"a\":\n", &lines);
    assert_eq!(values, [json!(1)]);
    assert!(error.unwrap().cause.starts_with("Line 3 of the JSON Lines file: not JSON: "));
    assert!(cause(b"\xff\n", &lines).starts_with("The file is not UTF-8 in line 1."));
}

#[test]
fn an_item_has_a_limit() {
    let large = "x".repeat(1000);
    let cases = [
        (format!("[1,\"{large}\"]"), config(json!({ "InputType": "JSON" }))),
        (format!("1\n\"{large}\""), config(json!({ "InputType": "JSONL" }))),
        (format!("1\n\"{large}\""), csv("a")),
        (format!("1\n{large}\n"), csv("a")),
    ];
    for (text, config) in cases {
        let (values, error) = read_within(&text, &config, 500);
        assert_eq!(values.len(), 1, "{text}");
        assert_eq!(error.unwrap().name, ErrorName::DataLimitExceeded);
        assert_eq!(read_within(&text, &config, 1100).1, None);
    }
}

#[test]
fn max_items_ends_the_reading() {
    let three = |most: u64| config(json!({ "InputType": "JSON", "MaxItems": most }));
    assert_eq!(whole("[1,2,3]", &three(2)), [json!(1), json!(2)]);
    assert_eq!(whole("[1,2,3]", &three(0)).len(), 3);
    // What comes after is not even looked at.
    assert_eq!(whole("[1,2 oops", &three(1)), [json!(1)]);
}

/// Counts what is read of it, and would go on for ever.
struct Endless {
    next: Box<dyn FnMut() -> Vec<u8> + Send>,
    rest: Cursor<Vec<u8>>,
    given: Arc<AtomicUsize>,
}

impl Endless {
    fn new(start: &str, mut next: impl FnMut(usize) -> String + Send + 'static) -> (Self, Arc<AtomicUsize>) {
        let given = Arc::new(AtomicUsize::new(0));
        let mut index = 0;
        let next = move || {
            index += 1;
            next(index - 1).into_bytes()
        };
        let rest = Cursor::new(start.as_bytes().to_vec());
        (Self { next: Box::new(next), rest, given: Arc::clone(&given) }, given)
    }
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut length = self.rest.read(buffer)?;
        if length == 0 {
            self.rest = Cursor::new((self.next)());
            length = self.rest.read(buffer)?;
        }
        self.given.fetch_add(length, Ordering::Relaxed);
        Ok(length)
    }
}

#[test]
fn a_reader_is_never_more_than_a_chunk_ahead() {
    const AHEAD: usize = 64 << 10;
    const ITEMS: usize = 100_000;
    // Each item's text has 40 bytes in each format.
    type Line = fn(usize) -> String;
    let cases: [(&str, Line, ReaderConfig); 3] = [
        (
            "[",
            |at| format!("{{\"id\":1{at:09},\"text\":\"{:>12}\"}},", "x"),
            config(json!({ "InputType": "JSON" })),
        ),
        (
            "",
            |at| format!("{{\"id\":1{at:09},\"text\":\"{:>12}\"}}\n", "x"),
            config(json!({ "InputType": "JSONL" })),
        ),
        ("id,text\n", |at| format!("{at:010},{:>28}\n", "x"), csv("")),
    ];
    for (start, line, config) in cases {
        let (bytes, given) = Endless::new(start, line);
        let mut items = items_in(bytes, &config, SOURCE, Limits::default()).unwrap();
        for index in 0..ITEMS {
            let item = items.next().unwrap().unwrap();
            assert!(item.value.value().unwrap().is_object());
            let used = start.len() + (index + 1) * 40;
            let ahead = given.load(Ordering::Relaxed).saturating_sub(used);
            assert!(ahead <= AHEAD, "{ahead} bytes ahead after item {index} of {config:?}");
        }
    }
}

#[test]
fn a_quote_that_is_never_closed_does_not_take_the_rest_of_the_file() {
    let (bytes, given) = Endless::new("\"", |_| "x\n".to_owned());
    let mut items = items_in(bytes, &csv("a"), SOURCE, Limits { max_item_bytes: 1 << 20 }).unwrap();
    assert_eq!(items.next().unwrap().unwrap_err().name, ErrorName::DataLimitExceeded);
    assert!(items.next().is_none());
    assert!(given.load(Ordering::Relaxed) < 2 << 20);
}

fn configs() -> Vec<ReaderConfig> {
    vec![
        csv(""),
        csv("a,b"),
        config(json!({ "InputType": "JSON" })),
        config(json!({ "InputType": "JSON", "ItemsPointer": "/a/0" })),
        config(json!({ "InputType": "JSONL" })),
    ]
}

proptest! {
    #[test]
    fn any_bytes_end_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for config in configs() {
            let _ = read_within(&bytes, &config, 64);
        }
    }

    #[test]
    fn nearly_json_ends_without_a_panic(text in r#"[\[\]{}",:\\ a0-9.en\-]{0,80}"#) {
        for config in configs() {
            let _ = read_within(&text, &config, 64);
        }
        // What serde_json takes for an array, so do we, and with the same elements.
        if let Ok(Value::Array(elements)) = serde_json::from_str(&text) {
            prop_assert_eq!(whole(&text, &config(json!({ "InputType": "JSON" }))).len(), elements.len());
        } else if serde_json::from_str::<Value>(&text).is_err() {
            let refused = read(&text, &config(json!({ "InputType": "JSON" }))).1.is_some();
            prop_assert!(refused, "{}", text);
        }
    }

    #[test]
    fn what_a_csv_writer_writes_comes_back(rows in proptest::collection::vec(("[^\r]{0,9}", "\\PC{0,9}", "[,\"\n x]{0,9}"), 0..20)) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for (a, b, c) in &rows {
            // The crate's writer knows no backslashes.
            let escaped = [a, b, c].map(|field| field.replace('\\', "\\\\"));
            writer.write_record(["-", &escaped[0], &escaped[1], &escaped[2]]).unwrap();
        }
        let text = writer.into_inner().unwrap();
        let expected: Vec<Value> =
            rows.iter().map(|(a, b, c)| json!({ "_": "-", "a": a, "b": b, "c": c })).collect();
        prop_assert_eq!(whole(text, &csv("_,a,b,c")), expected);
    }

    #[test]
    fn elements_come_back_however_the_file_is_cut(values in proptest::collection::vec("\\PC{0,12}", 0..20), cut in 1_usize..7) {
        let array = json!(values);
        let text = serde_json::to_vec_pretty(&array).unwrap();
        let reader = Slices { bytes: Cursor::new(text), most: cut };
        let items = items_in(reader, &config(json!({ "InputType": "JSON" })), SOURCE, Limits::default()).unwrap();
        let read: Vec<Value> = items.map(|item| item.unwrap().value.value().unwrap().clone()).collect();
        prop_assert_eq!(Value::Array(read), array);
    }
}

/// Hands out a few bytes at a time.
struct Slices {
    bytes: Cursor<Vec<u8>>,
    most: usize,
}

impl Read for Slices {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(self.most);
        self.bytes.read(&mut buffer[..length])
    }
}
