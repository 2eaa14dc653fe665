//! Which Python a workflow gets. The Pythons are scripts that say of themselves what the test wants.

use crate::folder::{Folder, host_with_keys, script};
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_compose::{Plan, PythonRequest, plan, survey};
use std::fs;

const LIBRARY: &str = "libpython3.12.so.1.0";

fn plan_of(folder: &Folder) -> Result<Plan, Vec<Diagnostic>> {
    plan(&folder.load().unwrap(), &host_with_keys(15), &mut |_| {})
}

/// The version that the workflow of a folder gets.
fn version_of(folder: &Folder) -> (u8, u8, u8) {
    plan_of(folder).unwrap_or_else(|findings| panic!("{findings:?}")).pythons[0].version
}

#[test]
fn the_first_usable_one_is_taken() {
    let mut folder = Folder::calling(&["f"]);
    folder.search_only(&["a/bin", "b/bin"]);
    folder.fake_python("a/bin/python3", [3, 12, 0], None);
    folder.fake_python("b/bin/python3", [3, 9, 0], Some("libpython3.9.so.1.0"));
    folder.fake_python("b/bin/python3.11", [3, 11, 4], Some("libpython3.11.so.1.0"));
    assert_eq!(version_of(&folder), (3, 11, 4));

    folder.fake_python("b/bin/python3.12", [3, 12, 5], Some(LIBRARY));
    assert_eq!(version_of(&folder), (3, 12, 5), "the newest by name");

    folder.fake_python("flow/.venv/bin/python", [3, 12, 6], Some(LIBRARY));
    assert_eq!(version_of(&folder), (3, 12, 6), "the folder's environment");

    folder.fake_python("active/bin/python", [3, 12, 7], Some(LIBRARY));
    folder.surroundings.virtual_environment = Some(folder.beside("active"));
    assert_eq!(version_of(&folder), (3, 12, 7), "the active environment");
}

#[test]
fn an_environment_that_cannot_be_used_is_mentioned() {
    let mut folder = Folder::calling(&["f"]);
    folder.search_only(&["a/bin"]);
    folder.fake_python("a/bin/python3", [3, 12, 0], Some(LIBRARY));
    folder.fake_python("flow/.venv/bin/python", [3, 12, 6], None);
    folder.write(".venv/pyvenv.cfg", "");
    let plan = plan_of(&folder).unwrap();
    assert_eq!(plan.pythons[0].version, (3, 12, 0));
    assert!(plan.notes[0].contains(".venv/bin/python (3.12.6) has no shared libpython"), "{:?}", plan.notes);
}

#[test]
fn what_is_asked_for_is_taken_or_refused() {
    let mut folder = Folder::calling(&["f"]);
    folder.search_only(&["a/bin", "pyenv/shims"]);
    folder.fake_python("a/bin/python3", [3, 12, 0], Some(LIBRARY));
    folder.fake_python("a/bin/mine", [3, 12, 1], Some(LIBRARY));
    folder.fake_python("pyenv/versions/3.12.9/bin/python3", [3, 12, 9], Some(LIBRARY));
    fs::create_dir_all(folder.beside("pyenv/shims")).unwrap();
    let table = [
        (PythonRequest::Version(3, 12, None), Some((3, 12, 0))),
        (PythonRequest::Version(3, 12, Some(9)), Some((3, 12, 9))),
        (PythonRequest::Version(3, 13, None), None),
        (PythonRequest::Command("mine".to_owned()), Some((3, 12, 1))),
        (PythonRequest::Command("yours".to_owned()), None),
        (PythonRequest::Path(folder.beside("a/bin/mine")), Some((3, 12, 1))),
        (PythonRequest::Path(folder.beside("pyenv/versions/3.12.9")), None),
        (PythonRequest::Path(folder.beside("nowhere")), None),
    ];
    for (request, expected) in table {
        folder.overrides().python = Some(request.clone());
        match (plan_of(&folder), expected) {
            (Ok(plan), Some(version)) => assert_eq!(plan.pythons[0].version, version, "{request}"),
            (Err(findings), None) => assert_eq!(findings[0].code, "FL0221", "{request}"),
            (outcome, _) => panic!("{request}: {outcome:?}"),
        }
    }
}

#[test]
fn a_failure_lists_every_candidate_and_a_remedy() {
    let mut folder = Folder::calling(&["f"]);
    folder.search_only(&["a/bin", ".pyenv/bin"]);
    fs::create_dir_all(folder.beside("a/bin")).unwrap();
    script(&folder.beside("a/bin/python3"), "echo 'no such version' >&2; exit 127");
    script(&folder.beside("a/bin/python3.12"), "echo hello");
    folder.fake_python(".pyenv/bin/python3.11", [3, 11, 7], None);
    folder.fake_python("a/bin/python3.10", [3, 8, 0], None);
    let findings = plan_of(&folder).unwrap_err();
    assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["FL0220"]);
    let hint = findings[0].hint.as_deref().unwrap();
    for part in [
        "a/bin/python3 cannot be run: no such version",
        "a/bin/python3.12 does not answer like a Python",
        ".pyenv/bin/python3.11 (3.11.7) has no shared libpython",
        "a/bin/python3.10 is 3.8.0, older than 3.10",
        "PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install --force 3.11.7",
    ] {
        assert!(hint.contains(part), "{part} is missing in:\n{hint}");
    }
    assert_eq!(survey(&folder.root(), &folder.surroundings).len(), 4);
}

#[test]
fn a_workflow_without_functions_needs_no_python() {
    let definition = r#"{ "StartAt": "P", "States": { "P": { "Type": "Pass", "End": true } } }"#;
    let mut folder = Folder::new(&[("workflow.asl.json", definition)]);
    folder.search_only(&[]);
    let plan = plan_of(&folder).unwrap();
    assert_eq!((plan.pythons.len(), plan.domains.len()), (0, 0));
}

#[test]
fn functions_may_have_pythons_of_their_own() {
    let mut folder = Folder::calling(&["a", "b", "c"]);
    folder.search_only(&["bin/bin"]);
    folder.fake_python("bin/bin/python3", [3, 12, 0], Some(LIBRARY));
    folder.fake_python("bin/bin/python3.11", [3, 11, 0], Some("libpython3.11.so.1.0"));
    folder.write("faastlane.toml", "[functions.b]\npython = '3.11'\n");
    let plan = plan_of(&folder).unwrap();
    let versions: Vec<u8> = plan.domains.iter().map(|domain| plan.pythons[domain.python].version.1).collect();
    assert_eq!(versions, [12, 11, 12]);
}

#[test]
fn an_answer_is_remembered_until_something_changes() {
    let mut folder = Folder::calling(&["f"]);
    folder.search_only(&["a/bin"]);
    let python = folder.fake_python("a/bin/python3", [3, 12, 0], Some(LIBRARY));
    let runs = || fs::read_to_string(python.with_extension("runs")).unwrap().lines().count();
    version_of(&folder);
    version_of(&folder);
    assert_eq!(runs(), 1);

    // It is a script, so it may choose a version by such a file.
    folder.write(".python-version", "3.12");
    version_of(&folder);
    assert_eq!(runs(), 2);
    folder.surroundings.wrapper_variables.insert("PYENV_VERSION", "3.12".into());
    version_of(&folder);
    version_of(&folder);
    assert_eq!(runs(), 3);

    folder.fake_python("a/bin/python3", [3, 12, 10], Some(LIBRARY));
    assert_eq!(version_of(&folder), (3, 12, 10));
}

#[test]
fn a_library_that_went_away_is_noticed() {
    let mut folder = Folder::calling(&["f"]);
    folder.search_only(&["a/bin"]);
    folder.fake_python("a/bin/python3", [3, 12, 0], Some(LIBRARY));
    version_of(&folder);
    fs::remove_file(folder.beside("a/lib").join(LIBRARY)).unwrap();
    assert_eq!(plan_of(&folder).unwrap_err()[0].code, "FL0220");
}
