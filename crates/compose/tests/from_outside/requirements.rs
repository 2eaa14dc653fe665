//! Installing requirements with the pip of a real Python, from files only.

use crate::folder::{Folder, host_with_keys};
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_compose::{Plan, Progress, plan};
use std::path::Path;
use std::process::Command;

fn plan_of(folder: &Folder) -> (Result<Plan, Vec<Diagnostic>>, Vec<Progress>) {
    let mut progress = Vec::new();
    let plan = plan(&folder.load().unwrap(), &host_with_keys(15), &mut |step| progress.push(step));
    (plan, progress)
}

/// A wheel of one module, which pip installs without looking anywhere else.
fn make_wheel(python: &Path, file: &Path) {
    let program = r"
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    wheel.writestr('demo.py', 'ANSWER = 42\n')
    wheel.writestr('demo-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n')
    wheel.writestr('demo-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n')
    wheel.writestr('demo-1.0.dist-info/RECORD', '')
";
    let status = Command::new(python).args(["-c", program]).arg(file).status().unwrap();
    assert!(status.success());
}

/// A folder of two functions, the first of which needs a package that lies beside it.
fn folder_with_wheel() -> Folder {
    let folder = Folder::calling(&["needs", "plain"]);
    let python = plan_of(&folder).0.unwrap().pythons[0].executable.clone();
    make_wheel(&python, &folder.root().join("functions/demo-1.0-py3-none-any.whl"));
    folder.write("functions/needs.requirements.txt", "./demo-1.0-py3-none-any.whl\n");
    folder
}

#[test]
fn are_installed_once_and_found_first() {
    let folder = folder_with_wheel();
    let (planned, progress) = plan_of(&folder);
    let planned = planned.unwrap_or_else(|findings| panic!("{findings:?}"));
    let packages = &planned.functions[0].sys_path[1];
    assert!(packages.join("demo.py").is_file(), "{}", packages.display());
    assert_eq!(planned.functions[1].sys_path.len(), planned.functions[0].sys_path.len() - 1);
    assert!(matches!(&progress[0], Progress::Installing { functions, .. } if functions == &["needs"]));
    assert!(progress.iter().any(|step| matches!(step, Progress::PipLine(line) if line.contains("demo"))));
    assert_eq!(progress.last(), Some(&Progress::Installed { functions: vec!["needs".to_owned()] }));

    let (again, progress) = plan_of(&folder);
    assert_eq!((again.unwrap(), progress), (planned, Vec::new()));
}

#[test]
fn are_installed_once_by_runs_that_start_together() {
    let folder = folder_with_wheel();
    let installed: usize = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..3).map(|_| scope.spawn(|| plan_of(&folder))).collect();
        runs.into_iter()
            .map(|run| {
                let (plan, progress) = run.join().unwrap();
                assert!(plan.unwrap().functions[0].sys_path[1].join("demo.py").is_file());
                progress.iter().filter(|step| matches!(step, Progress::Installed { .. })).count()
            })
            .sum()
    });
    assert_eq!(installed, 1);
}

#[test]
fn that_cannot_be_installed_are_said_in_pips_words() {
    let folder = Folder::calling(&["f"]);
    folder.write("functions/f.requirements.txt", "--no-index\nno-such-package==1.0\n");
    let (plan, _) = plan_of(&folder);
    let findings = plan.unwrap_err();
    assert_eq!(findings[0].code, "FL0231");
    assert!(findings[0].hint.as_deref().unwrap().contains("no-such-package"), "{:?}", findings[0].hint);
    let left: Vec<_> = std::fs::read_dir(folder.beside("cache/requirements")).unwrap().flatten().collect();
    assert!(left.iter().all(|entry| entry.path().is_file()), "only the lock may stay: {left:?}");
}

#[test]
fn of_an_interrupted_run_are_installed_anew() {
    let folder = folder_with_wheel();
    let (planned, _) = plan_of(&folder);
    let packages = planned.unwrap().functions[0].sys_path[1].clone();
    std::fs::rename(&packages, packages.with_extension("partial")).unwrap();
    let (again, _) = plan_of(&folder);
    assert!(again.unwrap().functions[0].sys_path[1].join("demo.py").is_file());
    assert!(!packages.with_extension("partial").exists());
}

#[test]
fn without_pip_say_how_to_get_it() {
    let mut folder = Folder::calling(&["f"]);
    folder.search_only(&["py/bin"]);
    let python = folder.fake_python("py/bin/python3", [3, 12, 0], Some("libpython3.12.so.1.0"));
    plan_of(&folder).0.unwrap();
    let body = std::fs::read_to_string(&python).unwrap();
    let body = body.replace(
        "#!/bin/sh\n",
        "if [ \"$2\" = -m ]; then echo \"$0: No module named pip\" >&2; exit 1; fi\n",
    );
    crate::folder::script(&python, &body);
    folder.write("requirements.txt", "demo\n");
    let findings = plan_of(&folder).0.unwrap_err();
    assert_eq!(findings[0].code, "FL0230");
    assert!(findings[0].hint.as_deref().unwrap().contains("-m ensurepip"));
}
