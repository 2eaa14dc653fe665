//! Functions that cannot be loaded, and interpreters that cannot be started.

use serde_json::{Value, json};

use crate::world::{self, folder, function};

pub(crate) const SCENARIOS: &[(&str, fn())] = &[
    ("a missing module is named", missing_module),
    ("a missing import is named", missing_import),
    ("a syntax error has its place", syntax_error),
    ("what a module raises has its lines", raising_module),
    ("a missing handler is named", missing_handler),
    ("no handler by convention", no_handler),
    ("a handler that cannot be called", constant_handler),
    ("a module that exits", leaving_module),
    ("the function that fails is named", second_function),
    ("a bad configuration", bad_configuration),
    ("a damaged configuration", damaged_configuration),
    ("a missing symbol is named", missing_symbol),
];

fn failure(functions: Vec<Value>) -> (Option<u32>, Value) {
    let (failure, error) = world::start(functions).err().expect("it cannot be loaded");
    (failure.function, error)
}

fn broken(file: &str) -> String {
    folder().join("broken").join(file).display().to_string()
}

#[track_caller]
fn check(function: &str, kind: &str, message: &str, trace: &[String]) {
    let (index, error) = failure(vec![world::function(function)]);
    assert_eq!(index, Some(0));
    let expected = json!({"errorMessage": message, "errorType": kind, "requestId": "", "stackTrace": trace});
    assert_eq!(error, expected);
}

fn missing_module() {
    check(
        "broken/absent",
        "Runtime.ImportModuleError",
        "Unable to import module 'absent': No module named 'absent'",
        &[],
    );
}

fn missing_import() {
    let message = "Unable to import module 'needs': No module named 'sibling_that_is_not_there'";
    let file = broken("needs.py");
    let line = format!("  File \"{file}\", line 1, in <module>\n    import sibling_that_is_not_there\n");
    check("broken/needs", "Runtime.ImportModuleError", message, &[line]);
}

fn syntax_error() {
    let message = "Syntax error in module 'syntax': invalid syntax (syntax.py, line 2)";
    let line = format!("  File \"{}\" Line 2\n        return 1 +\n", broken("syntax.py"));
    check("broken/syntax", "Runtime.UserCodeSyntaxError", message, &[line]);
}

fn raising_module() {
    let file = broken("raises.py");
    let lines = [
        format!("  File \"{file}\", line 8, in <module>\n    limit()\n"),
        format!("  File \"{file}\", line 5, in limit\n    return {{}}[\"limit\"]\n"),
    ];
    check("broken/raises", "KeyError", "'limit'", &lines);
}

fn missing_handler() {
    check("first/same:lost", "Runtime.HandlerNotFound", "Handler 'lost' missing on module 'same'", &[]);
}

fn no_handler() {
    let message = "Handler missing on module 'sibling': it has no handler, lambda_handler or main";
    check("sibling", "Runtime.HandlerNotFound", message, &[]);
}

fn constant_handler() {
    let message = "Handler 'handler' on module 'constant' is not callable";
    check("broken/constant", "Runtime.HandlerNotFound", message, &[]);
}

fn leaving_module() {
    let message = "RequestId:  Error: Runtime exited with error: exit status 1: no licence";
    let line =
        format!("  File \"{}\", line 3, in <module>\n    sys.exit(\"no licence\")\n", broken("leaves.py"));
    check("broken/leaves", "Runtime.ExitError", message, &[line]);
}

fn second_function() {
    let (index, error) = failure(vec![function("first/same"), function("broken/absent")]);
    assert_eq!((index, &error["errorType"]), (Some(1), &json!("Runtime.ImportModuleError")));
}

fn bad_configuration() {
    let (failure, error) = world::start_with(json!({"functions": []})).err().expect("sys_path is missing");
    assert_eq!(failure.function, None);
    let expected =
        json!({"errorMessage": "'sys_path'", "errorType": "KeyError", "requestId": "", "stackTrace": []});
    assert_eq!(error, expected);
}

fn damaged_configuration() {
    let deep = (0..1_001).fold(json!(1), |inner, _| json!([inner]));
    let (failure, error) = world::start_with(json!({"sys_path": deep})).err().expect("it cannot be read");
    assert_eq!(failure.function, None);
    assert_eq!(error["errorMessage"], "arrays and objects nest deeper than 1000 levels");
}

fn missing_symbol() {
    let missing = world::resolve(&mut |name| name == "PyFloat_AsDouble").err();
    assert_eq!(missing, Some(c"PyFloat_AsDouble"));
}
