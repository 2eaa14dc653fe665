//! What `load` finds in a folder, and what it says about a wrong one.

use crate::folder::{Folder, calls, places};
use faastlane_compose::{Origin, PythonRequest, RequestedIsolation, load};

const CODE: &str = "def handler(event, context): return event\n";

#[test]
fn a_function_is_found_by_every_convention() {
    // File of the function, then: module, entry file, working directory.
    let table = [
        ("functions/f.py", "f", "functions"),
        ("functions/f/f.py", "f", "functions/f"),
        ("functions/f/handler.py", "handler", "functions/f"),
        ("functions/f/lambda_function.py", "lambda_function", "functions/f"),
        ("functions/f/app.py", "app", "functions/f"),
        ("functions/f/main.py", "main", "functions/f"),
        ("functions/f/index.py", "index", "functions/f"),
        ("functions/f/__main__.py", "main__", "functions/f"),
        ("f.py", "f", ""),
        ("f/f.py", "f", "f"),
    ];
    for (file, module, directory) in table {
        let folder = Folder::new(&[("workflow.asl.json", &calls(&["f"])), (file, CODE)]);
        let workflow = folder.load().unwrap_or_else(|findings| panic!("{file}: {findings:?}"));
        let function = &workflow.functions[0];
        assert_eq!(function.module, module, "{file}");
        assert_eq!(function.file, folder.root().join(file), "{file}");
        assert_eq!(
            function.directory.strip_prefix(folder.root()).unwrap().to_str().unwrap(),
            directory,
            "{file}"
        );
        assert_eq!((function.handler.as_deref(), function.memory_mb), (None, 128));
    }
}

#[test]
fn a_handler_names_module_and_callable() {
    // Handler, then: module, callable, file.
    let table = [
        ("image.resize", "image", "resize", "image.py"),
        ("deep/image.resize", "deep.image", "resize", "deep/image.py"),
        ("deep.image.resize", "deep.image", "resize", "deep/image.py"),
        ("pack.run", "pack", "run", "pack/__init__.py"),
        ("run", "app", "run", "app.py"),
    ];
    for (handler, module, callable, file) in table {
        let folder = Folder::new(&[
            ("workflow.asl.json", &calls(&["f"])),
            ("faastlane.toml", &format!("[functions.f]\nhandler = '{handler}'\npath = 'src'\n")),
            ("src/image.py", CODE),
            ("src/app.py", CODE),
            ("src/deep/image.py", CODE),
            ("src/pack/__init__.py", CODE),
        ]);
        let workflow = folder.load().unwrap_or_else(|findings| panic!("{handler}: {findings:?}"));
        let function = &workflow.functions[0];
        assert_eq!(
            (function.module.as_str(), function.handler.as_deref()),
            (module, Some(callable)),
            "{handler}"
        );
        assert_eq!(function.file, folder.root().join("src").join(file), "{handler}");
    }
}

#[test]
fn definitions_and_names() {
    // Files, what is loaded, the workflow's name.
    let table: [(&[&str], &str, &str); 7] = [
        (&["workflow.asl.json"], "", "flow"),
        (&["workflow.json"], "", "flow"),
        (&["workflow.asl.yaml", "workflow.json"], "", "flow"),
        (&["workflow.asl.yml"], "", "flow"),
        (&["claims.asl.json"], "claims.asl.json", "claims"),
        (&["workflow.asl.json", "claims.json"], "claims.json", "claims"),
        (&["workflow.asl.json"], "workflow.asl.json", "flow"),
    ];
    for (files, loaded, name) in table {
        let folder = Folder::new(&[("f.py", CODE)]);
        for file in files {
            folder.write(file, &calls(&["f"]));
        }
        let workflow = load(&folder.root().join(loaded), &folder.surroundings).unwrap();
        assert_eq!(workflow.name, name, "{files:?} {loaded}");
        let expected = folder.root().join(if loaded.is_empty() { files[0] } else { loaded });
        assert_eq!(workflow.definition_file, expected);
    }
}

#[test]
fn requirements_of_the_workflow_come_before_the_functions_own() {
    let folder = Folder::calling(&["file"]);
    folder.write("workflow.asl.json", &calls(&["file", "folder"]));
    folder.write("functions/folder/app.py", CODE);
    for path in ["requirements.txt", "functions/file.requirements.txt", "functions/folder/requirements.txt"] {
        folder.write(path, "requests\n");
    }
    let workflow = folder.load().unwrap();
    let of = |index: usize| {
        let files = workflow.functions[index].requirements.iter();
        files
            .map(|file| file.strip_prefix(folder.root()).unwrap().to_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(of(0), ["requirements.txt", "functions/file.requirements.txt"]);
    assert_eq!(of(1), ["requirements.txt", "functions/folder/requirements.txt"]);
}

#[test]
fn every_mistake_of_a_folder_at_once() {
    let folder = Folder::new(&[
        ("workflow.asl.json", &calls(&["price", "empty", "taken"])),
        ("functions/prise.py", CODE),
        ("functions/empty/data.csv", ""),
        ("functions/taken.py", CODE),
        ("functions/taken/app.py", CODE),
        (
            "faastlane.toml",
            "[workflow]\nnmae = 'x'\n[functions.takn]\ntimeout = 1\n[trust]\ng = ['taken', 'taken', 'x']\n",
        ),
    ]);
    let findings = folder.load().unwrap_err();
    let expected = [
        ("FL0211", "nmae"),
        ("FL0204", "\"price\""),
        ("FL0205", "\"empty\""),
        ("FL0207", "\"taken\""),
        ("FL0214", "takn"),
        ("FL0213", "'taken'"),
        ("FL0213", "'x'"),
    ];
    assert_eq!(places(&findings), expected.map(|(code, place)| (code, place.to_owned())));
    let hint = findings[1].hint.as_deref().unwrap();
    assert!(
        hint.starts_with("Did you mean `prise`? Looked for functions/price.py, functions/price/"),
        "{hint}"
    );
}

#[test]
fn places_that_hold_no_workflow() {
    let folder = Folder::new(&[("other.asl.json", "{}")]);
    let at = |path: &str| load(&folder.root().join(path), &folder.surroundings).unwrap_err()[0].clone();
    assert_eq!(at("nowhere").code, "FL0201");
    assert_eq!(at("").code, "FL0202");
    assert!(at("").hint.unwrap().contains("other.asl.json is there"));
    folder.write("workflow.asl.json", "{}");
    folder.write("workflow.asl.yaml", "{}");
    assert!(at("").message.contains("several definitions"));
    std::fs::write(folder.root().join("latin.asl.json"), b"{\"Comment\": \"\xe9\"}").unwrap();
    let finding = at("latin.asl.json");
    assert_eq!(finding.code, "FL0203");
    assert!(finding.message.contains("byte 13"), "{}", finding.message);
}

#[test]
fn no_name_of_a_function_leads_out_of_the_folder() {
    for name in ["../f", "/etc/f", ".hidden", ".."] {
        let folder = Folder::new(&[("workflow.asl.json", &calls(&[name])), ("functions/g.py", CODE)]);
        folder.write("../f.py", CODE);
        let findings = folder.load().unwrap_err();
        assert!(
            findings.iter().all(|finding| matches!(finding.code, "FL0204" | "FL0133")),
            "{name}: {findings:?}"
        );
    }
}

#[test]
fn a_call_that_names_its_function_when_it_runs_may_mean_any() {
    let definition = r#"{ "StartAt": "Any", "States": { "Any": { "Type": "Task", "End": true,
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": { "FunctionName.$": "$.function", "Payload.$": "$" } } } }"#;
    let folder = Folder::new(&[("workflow.asl.json", definition)]);
    assert_eq!(folder.load().unwrap_err()[0].code, "FL0206");
    folder.write("functions/b.py", CODE);
    folder.write("functions/a/app.py", CODE);
    folder.write("functions/data/table.csv", "");
    let names: Vec<String> =
        folder.load().unwrap().functions.into_iter().map(|function| function.name).collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn trust_groups_share_one_python() {
    let folder = Folder::calling(&["a", "b"]);
    folder.write("faastlane.toml", "[functions.b]\npython = '3.12'\n[trust]\ng = ['a', 'b']\n");
    assert_eq!(places(&folder.load().unwrap_err()), [("FL0213", "'b'".to_owned())]);
    folder.write("faastlane.toml", "[trust]\na = ['a', 'b']\nempty = []\n");
    let expected = [("FL0213", "a".to_owned()), ("FL0213", "empty".to_owned())];
    assert_eq!(places(&folder.load().unwrap_err()), expected);
}

#[test]
fn the_nearest_setting_wins() {
    let mut folder = Folder::calling(&["a"]);
    let user_file = folder.beside("config.toml");
    std::fs::write(&user_file, "isolation = 'none'\nmax_payload = '2MiB'\npython = '3.11'\n").unwrap();
    folder.surroundings.user_file = Some(user_file);
    folder.write("faastlane.toml", "[workflow]\nmax_payload = '3MiB'\npython = '3.12'\n");
    folder.overrides().python = Some(PythonRequest::Version(3, 13, None));
    let settings = folder.load().unwrap().settings;
    assert_eq!(settings.isolation.value, RequestedIsolation::None);
    assert_eq!(settings.max_payload_bytes.value, 3 << 20);
    assert_eq!(settings.python.value, PythonRequest::Version(3, 13, None));
    assert!(
        settings.isolation.origin.to_string().ends_with("config.toml:1"),
        "{}",
        settings.isolation.origin
    );
    assert_eq!(settings.python.origin, Origin::CommandLine);
}
