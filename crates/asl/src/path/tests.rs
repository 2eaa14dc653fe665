use super::*;
use serde_json::json;

fn store() -> Value {
    json!({
        "a": {"b": 1, "b c": 2, "d.e": 3, "it's": 4, "\u{e9}": 5, "x-y": 6, "null": null},
        "list": [10, 20, 30, 40],
        "books": [
            {"title": "one", "price": 8, "isbn": "x"},
            {"title": "two", "price": 12.5},
            {"title": "three", "price": 22, "isbn": "y", "tags": ["new"]}
        ],
        "limit": 10
    })
}

fn find(path: &str) -> Option<Value> {
    Path::parse(path)
        .unwrap_or_else(|error| panic!("{path}: {error}"))
        .find_in(&Payload::from_value(store()))
        .unwrap()
        .map(Selected::into_value)
}

#[test]
fn definite_paths_find_one_value_or_nothing() {
    for (path, expected) in [
        ("$.a.b", Some(json!(1))),
        ("$['a']['b']", Some(json!(1))),
        ("$.a['b c']", Some(json!(2))),
        ("$.a[\"d.e\"]", Some(json!(3))),
        (r"$.a['it\'s']", Some(json!(4))),
        (r"$.a['\u00e9']", Some(json!(5))),
        ("$.a.\u{e9}", Some(json!(5))),
        ("$.a.x-y", Some(json!(6))),
        ("$.a.null", Some(Value::Null)),
        ("$.list[0]", Some(json!(10))),
        ("$.list[-1]", Some(json!(40))),
        ("$.list[-5]", None),
        ("$.list[4]", None),
        ("$.list.b", None),
        ("$.a[0]", None),
        ("$.a.b.c", None),
        ("$.nothing", None),
        ("$.a['b','x-y','nothing']", Some(json!({"b": 1, "x-y": 6}))),
    ] {
        assert_eq!(find(path), expected, "{path}");
        assert!(Path::parse(path).unwrap().is_definite());
    }
}

#[test]
fn indefinite_paths_find_an_array() {
    for (path, expected) in [
        ("$.list[*]", json!([10, 20, 30, 40])),
        ("$.list[0,2,9]", json!([10, 30])),
        ("$.list[1:3]", json!([20, 30])),
        ("$.list[:1]", json!([10])),
        ("$.list[-2:]", json!([30, 40])),
        ("$.list[3:1]", json!([])),
        ("$.list[1:99]", json!([20, 30, 40])),
        ("$.list[-99:1]", json!([10])),
        ("$.books[*].title", json!(["one", "two", "three"])),
        (
            "$.books[*]['title','isbn']",
            json!([{"title": "one", "isbn": "x"}, {"title": "two"}, {"title": "three", "isbn": "y"}]),
        ),
        ("$['a','limit'].b", json!([1])),
        ("$.books[*].tags[0]", json!(["new"])),
        ("$..price", json!([8, 12.5, 22])),
        ("$..books[0].title", json!(["one"])),
        ("$..[0]", json!([10, {"title": "one", "price": 8, "isbn": "x"}, "new"])),
        ("$..*[1]", json!([20, {"title": "two", "price": 12.5}])),
        ("$.limit[*]", json!([])),
        ("$.list[9][*]", json!([])),
        ("$.list[*].x", json!([])),
        ("$.list[*][0:1]", json!([])),
    ] {
        assert_eq!(find(path), Some(expected), "{path}");
        assert!(!Path::parse(path).unwrap().is_definite());
    }
    assert_eq!(find("$.a.*").unwrap().as_array().unwrap().len(), 7);
}

#[test]
fn an_indefinite_path_is_never_without_a_result() {
    for path in [
        "$.nothing[*]",
        "$.nothing.at.all[0:1].x",
        "$.nothing..x",
        "$.a[0:1]",
        "$.limit[0,1]",
        "$.limit[?(@.x)]",
        "$.list['a','b'].x",
    ] {
        assert_eq!(find(path), Some(json!([])), "{path}");
    }
    assert_eq!(find("$.nothing[*].length()"), Some(json!([])));
    assert_eq!(find("$.limit['a','b']"), None);
}

#[test]
fn filters_choose_elements() {
    let titles = |filter: &str| find(&format!("$.books[?({filter})].title")).unwrap();
    for (filter, expected) in [
        ("@.price < 10", json!(["one"])),
        ("@.price<=12.5", json!(["one", "two"])),
        ("@.price > $.limit", json!(["two", "three"])),
        ("@.price == 8.0", json!(["one"])),
        ("@.price != 8", json!(["two", "three"])),
        ("@.title == 'two'", json!(["two"])),
        ("'two' == @.title", json!(["two"])),
        ("@.isbn", json!(["one", "three"])),
        ("!@.isbn", json!(["two"])),
        ("!(@.isbn)", json!(["two"])),
        ("@.isbn && @.price > 10", json!(["three"])),
        ("@.price < 10 || @.price > 20 && @.isbn == 'z'", json!(["one"])),
        ("(@.price < 10 || @.price > 20) && @.isbn == 'y'", json!(["three"])),
        ("@.title =~ /T.*/i", json!(["two", "three"])),
        ("@.title =~ /t/", json!([])),
        ("@.title in ['one', \"three\"]", json!(["one", "three"])),
        ("@.title nin ['one']", json!(["two", "three"])),
        ("@.tags contains 'new'", json!(["three"])),
        ("@.tags contains 'old'", json!([])),
        ("@.title contains 'o'", json!(["one", "two"])),
        ("'t' CONTAINS 't' && @.isbn", json!(["one", "three"])),
        ("@.tags[?(@ == 'new')]", json!(["three"])),
        ("@.tags[?(@ == 'old')]", json!(["three"])),
        ("@.isbn == null", json!([])),
        ("@.isbn != 'x'", json!(["two", "three"])),
        ("@.isbn nin ['x']", json!(["two", "three"])),
        ("@.isbn in 'x'", json!([])),
        ("@.isbn nin 'x'", json!([])),
        ("@.tags.length() == 1", json!(["three"])),
        ("@['title'].length() == 5", json!([])),
        ("@.title size 5", json!(["three"])),
        ("@.tags size 1", json!(["three"])),
        ("@.tags empty false", json!(["three"])),
        ("@.title empty true", json!([])),
        ("@.tags subsetof ['new', 'old']", json!(["three"])),
        ("@.tags subsetof ['old']", json!([])),
        ("@.tags anyof ['old', 'new']", json!(["three"])),
        ("@.tags noneof ['old']", json!(["three"])),
        ("@.price == '8'", json!(["one"])),
        ("@.price === '8'", json!([])),
        ("@.price !== 8", json!(["two", "three"])),
        ("@.price < 'z'", json!(["one", "two", "three"])),
        ("@.price =~ /\\d+/", json!(["one", "three"])),
        ("/[a-z]w.*/ =~ @.title", json!(["two"])),
        ("@.tags =~ /n.*/", json!(["three"])),
        ("@.tags == ['new']", json!(["three"])),
        ("@ == {\"title\": \"two\", \"price\": 12.5}", json!(["two"])),
        ("@.price in [8, [1], 'x']", json!(["one"])),
        ("@..nothing", json!([])),
        ("@..price", json!(["one", "two", "three"])),
        ("@.*", json!(["one", "two", "three"])),
    ] {
        assert_eq!(titles(filter), expected, "{filter}");
    }
    assert_eq!(find("$.list[?(@ > 15 && @ < 35)]"), Some(json!([20, 30])));
    assert_eq!(find("$..[?(@.isbn == 'x')].price"), Some(json!([8])), "as itself, not as an element as well");
    assert_eq!(find("$..[?(@ == 20)]"), Some(json!([])), "numbers have no turn of their own");
    assert_eq!(find("$.a[?(@.b == 1)].x-y"), Some(json!([6])), "an object is asked itself");
}

#[test]
fn functions_end_a_path() {
    for (path, expected) in [
        ("$.list.length()", Some(json!(4))),
        ("$.a.length()", Some(json!(7))),
        ("$.books.size()", Some(json!(3))),
        ("$.books[*].length()", Some(json!([3, 2, 4]))),
        ("$.a['b','null'].length()", Some(json!([null, null]))),
        ("$..books.length()", Some(json!(3))),
        ("$.books[0].title.length()", Some(Value::Null)),
        ("$.limit.length()", Some(Value::Null)),
        ("$.nothing.length()", None),
        ("$.list[*].sum()", None),
        ("$.a.sum()", None),
        ("$.a.sum(1, $.list)", Some(json!(101.0))),
        ("$.list.stddev()", Some(json!(125.0f64.sqrt()))),
        ("$.list.first()", Some(json!(10))),
        ("$.list.last()", Some(json!(40))),
        ("$.list.index(1)", Some(json!(20))),
        ("$.list.index(-2)", Some(json!(30))),
        ("$.list.index(4)", None),
        ("$.books[1].keys()", Some(json!(["title", "price"]))),
        ("$.list.keys()", Some(Value::Null)),
        ("$.list.append(50, \"x\")", Some(json!([10, 20, 30, 40, 50, "x"]))),
        ("$..title.concat(\"-\", $.limit)", Some(json!("onetwothree-10"))),
        ("$.list.max()", Some(json!(40.0))),
        ("$.list.min()", Some(json!(10.0))),
        ("$.list.sum()", Some(json!(100.0))),
        ("$..price.avg()", Some(json!(42.5 / 3.0))),
    ] {
        assert_eq!(find(path), expected, "{path}");
    }
}

/// Input, context, and the one variable there is.
struct Documents(Payload, Payload, Payload);

impl Scope for Documents {
    fn input(&self) -> &Payload {
        &self.0
    }
    fn context(&self) -> &Payload {
        &self.1
    }
    fn variable(&self, name: &str) -> Option<&Payload> {
        (name == "order" || name == "\u{e9}2").then_some(&self.2)
    }
}

#[test]
fn roots_choose_the_document() {
    let payload = |x: &str| Payload::from_value(json!({ "x": x }));
    let documents = Documents(payload("input"), payload("context"), payload("variable"));
    let found = |path: &str| Path::parse(path).unwrap().find(&documents).unwrap().map(Selected::into_value);
    assert_eq!(found("$.x"), Some(json!("input")));
    assert_eq!(found("$$.x"), Some(json!("context")));
    assert_eq!(found("$$"), Some(json!({"x": "context"})));
    assert_eq!(found("$order.x"), Some(json!("variable")));
    assert_eq!(found("$order['x']"), Some(json!("variable")));
    assert_eq!(found("$\u{e9}2"), Some(json!({"x": "variable"})));
    assert_eq!(found("$order[*]"), Some(json!(["variable"])));
    assert_eq!(found("$order[?(@.x == $.x)].x"), Some(json!(["variable"])));
    assert_eq!(found("$order.y"), None);
    assert_eq!(found("$orders"), None);
    assert_eq!(found("$orders[*]"), None);
    let unassigned = |path: &str| Path::parse(path).unwrap().unassigned(&documents).map(str::to_owned);
    assert_eq!(unassigned("$orders[*]"), Some("orders".to_owned()));
    assert_eq!(unassigned("$order.y"), None);
    assert_eq!(Path::parse("$_a1.b").unwrap().variable(), Some("_a1"));
    assert_eq!(Path::parse("$.a.b").unwrap().variable(), None);
    for (path, reaches) in [
        ("$$", true),
        ("$$.Execution", true),
        ("$$.Execution.Input.x", true),
        ("$$..Input", true),
        ("$$.State", false),
    ] {
        assert_eq!(Path::parse(path).unwrap().may_reach_context(&["Execution", "Input"]), reaches, "{path}");
    }
    assert!(Path::parse("$").unwrap().is_whole());
    assert!(!Path::parse("$$").unwrap().is_whole());
}

#[test]
fn why_nothing_is_found_is_said_as_jayway_says_it() {
    let documents = Documents(
        Payload::from_value(store()),
        Payload::from_value(json!({})),
        Payload::from_value(json!({})),
    );
    for (path, reason) in [
        ("$.no", "No results for path: $['no']"),
        ("$.a.no", "No results for path: $['a']['no']"),
        ("$.no.b.c", "Missing property in path $['no']"),
        ("$.no.length()", "Missing property in path $['no']"),
        ("$.a.b.c.d", "Property ['c'] not found in path $['a']['b']"),
        ("$.list.x", "Property ['x'] not found in path $['list']"),
        ("$.list[9]", "No results for path: $['list'][9]"),
        ("$.list[9].x", "No results for path: $['list'][9]['x']"),
        ("$.a.b[0].x", "Filter: [0]['x'] can only be applied to arrays. Current context is: 1"),
        ("$.list['a','b']", "No results for path: $['list']['a','b']"),
    ] {
        assert_eq!(find(path), None, "{path}");
        assert_eq!(Path::parse(path).unwrap().reason(&documents).unwrap(), reason);
    }
    let variable = Path::parse("$no.x").unwrap().reason(&documents).unwrap();
    assert_eq!(variable, "the variable '$no' has not been assigned");
}

#[test]
fn mistakes_are_placed() {
    for (path, offset) in [
        ("", 0),
        ("a", 0),
        ("$.", 2),
        ("$.a..", 5),
        ("$.a[", 4),
        ("$.a[0", 5),
        ("$.a['b]", 7),
        ("$.a[x]", 4),
        ("$.a[0:x]", 6),
        ("$.a b", 3),
        ("$.a.b()", 4),
        ("$.a.length(1)", 4),
        ("$.a.index()", 4),
        ("$.a.sum(x)", 8),
        ("$.a.sum(1", 9),
        ("$.a[:]", 5),
        ("$.a[0:4:2]", 7),
        ("$.a[?(@.x <> 1)]", 11),
        ("$.a[?(@.x inside [1])]", 10),
        ("$.a[?(@.x == /a/)]", 13),
        ("$.a[?(@.x =~ 'a')]", 13),
        ("$.a[?(@.x == {)]", 13),
        ("$1a", 1),
        ("$a-b", 2),
        ("$states.input", 1),
        ("$[?(@.x == $a)]", 12),
        ("$.a[99999999999999999999]", 4),
        ("$.a[?(@.x == )]", 13),
        ("$.a[?(@.x == 1]", 14),
        ("$.a[?(1)]", 6),
        ("$.a[?(@.x =~ /(/)]", 13),
        (r"$['\ud800']", 5),
        (r"$['\u12']", 5),
    ] {
        assert_eq!(Path::parse(path).map_err(|error| error.offset), Err(offset), "{path}");
    }
    for (before, middle, after) in [
        ("$[?(", "(", "@"),
        ("$[?(", "@[?(", "@"),
        ("$[?(@ in ", "[", ""),
        ("$", ".sum($", ""),
        ("$[?(@ in ", "{\"a\":", "1"),
    ] {
        let deep = format!("{before}{}{after}", middle.repeat(100_000));
        assert!(Path::parse(&deep).is_err(), "{before}{middle}");
    }
}

#[test]
fn names_of_variables_follow_unicode() {
    for name in ["a", "_", "a1", "\u{e9}t\u{e9}", "\u{5909}\u{6570}", "statesman", &"x".repeat(80)] {
        assert!(is_variable_name(name), "{name}");
    }
    for name in ["", "1a", "a-b", "a b", "a.b", "$a", "states", &"x".repeat(81)] {
        assert!(!is_variable_name(name), "{name}");
    }
    assert!(Path::parse(&format!("${}", "x".repeat(81))).is_err());
}

#[test]
fn reference_paths_point_at_one_place() {
    for path in ["$", "$.a", "$.a['b c'][0].d", "$$.Execution.Id", "$seconds", "$a.b[0]"] {
        assert!(ReferencePath::parse(path).is_ok(), "{path}");
    }
    for (path, offset) in [
        ("$.a[*]", 3),
        ("$..a", 1),
        ("$.a[1:2]", 3),
        ("$.a[0,1]", 3),
        ("$['a','b']", 1),
        ("$.a[-1]", 3),
        ("$.a[?(@)]", 3),
        ("$.a.length()", 3),
        ("a", 0),
    ] {
        assert_eq!(ReferencePath::parse(path).map_err(|error| error.offset), Err(offset), "{path}");
    }
}

#[test]
fn set_makes_objects_but_no_elements() {
    for (path, document, expected) in [
        ("$", json!({"a": 1}), Some(json!("new"))),
        ("$.b", json!({"a": 1}), Some(json!({"a": 1, "b": "new"}))),
        ("$.a", json!({"a": 1}), Some(json!({"a": "new"}))),
        ("$.a.b.c", json!({"a": {}}), Some(json!({"a": {"b": {"c": "new"}}}))),
        ("$.a[1]", json!({"a": [1, 2]}), Some(json!({"a": [1, "new"]}))),
        ("$.a[1].x", json!({"a": [1, {}]}), Some(json!({"a": [1, {"x": "new"}]}))),
        ("$.a[2]", json!({"a": [1, 2]}), None),
        ("$.a.b", json!({"a": 1}), None),
        ("$.a.b", json!({"a": null}), None),
        ("$.n[0]", json!({}), None),
        ("$.a", json!([1]), None),
        ("$.a", json!("text"), None),
    ] {
        let payload = Payload::from_value(document.clone());
        let reference = ReferencePath::parse(path).unwrap();
        let result = reference
            .place(&payload, Draft::Value(json!("new")))
            .map(|draft| Payload::from_draft(&draft).value().unwrap().clone());
        let no_room = PlaceError::NoRoom { path: path.to_owned(), input: document.to_string() };
        assert_eq!(result, expected.ok_or(no_room), "{path}");
    }
}

#[test]
fn long_paths_and_deep_documents_need_no_stack() {
    let mut document = json!({"x": 1});
    for _ in 0..900 {
        document = json!({"a": document});
    }
    let found = |path: &str| {
        let found = Path::parse(path).unwrap().find_in_value(&document).unwrap();
        found.into_value().unwrap().as_array().unwrap().len()
    };
    assert_eq!(found(&format!("$..{}", "a.".repeat(899) + "a")), 1);
    assert_eq!(found(&format!("${}", "[?(@)]".repeat(20_000))), 1);
    assert_eq!(found(&format!("$..[?(@.x{})]", " && @.x".repeat(20_000))), 1);
    assert_eq!(found("$..[?(@.x == 1 || @..[?(@.x == 1)])].x"), 1);
}

#[test]
fn what_would_not_end_is_given_up() {
    let wide: Value = (0..300).map(|number| json!({"a": [number], "b": {"c": number}})).collect();
    let text: Value = (0..300).map(|_| json!("x".repeat(10_000))).collect();
    let deep = (0..60).fold(json!(1), |inner, _| json!([inner]));
    for (path, document) in [
        ("$..*..*..*..*..*..*..*..*..*..*", &deep),
        ("$..[?($..[?($..[?(@..c == 1)])])]", &wide),
        ("$..[?(@..c != 1 && $..[?($..c == 2)])]", &wide),
        ("$[?(@ in $..c || $[?(@ in $..a)])]", &wide),
        ("$[?($..* anyof $..*)]", &wide),
        ("$[?($[?(@ =~ /(x?){40}y/)])]", &text),
    ] {
        let place = Place { start: document, document, strict: false };
        let found = Path::parse(path).unwrap().select(place, &mut Budget::of(500_000));
        assert!(found == Err(FindError::TooCostly), "{path}");
    }
    let path = Path::parse("$..*..*..*..*..*..*..*..*..*..*").unwrap();
    assert!(path.find_in(&Payload::from_value(deep)).is_err_and(|error| error == FindError::TooCostly));
}
