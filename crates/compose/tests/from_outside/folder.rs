//! A workflow folder made for one test, and a world around it that the test knows.

use faastlane_asl::diagnostic::Diagnostic;
use faastlane_compose::{Host, Keys, LimitMeans, Overrides, Surroundings, Workflow, load};
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

pub(crate) struct Folder {
    folder: TempDir,
    pub(crate) surroundings: Surroundings,
}

impl Folder {
    /// A folder with these files, each a path and a text.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let surroundings = Surroundings {
            search_path: std::env::var_os("PATH").unwrap_or_default(),
            cache_directory: folder.path().join("cache"),
            ..Surroundings::default()
        };
        let made = Self { folder, surroundings };
        for (path, text) in files {
            made.write(path, text);
        }
        made
    }

    /// A folder whose definition calls these functions one after the other; each is a file.
    pub(crate) fn calling(functions: &[&str]) -> Self {
        let folder = Self::new(&[("workflow.asl.json", &calls(functions))]);
        for function in functions {
            folder.write(&format!("functions/{function}.py"), "def handler(event, context): return event\n");
        }
        folder
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let file = self.root().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// The workflow folder, beside which are the cache and the Pythons of the test.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("flow")
    }

    pub(crate) fn beside(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn load(&self) -> Result<Workflow, Vec<Diagnostic>> {
        load(&self.root(), &self.surroundings)
    }

    /// Puts a Python at a path beside the workflow that says of itself what it is told to. `library` is a file in
    /// `lib/` that is made, if named.
    pub(crate) fn fake_python(&self, path: &str, version: [u8; 3], library: Option<&str>) -> PathBuf {
        let file = self.beside(path);
        let prefix = file.ancestors().nth(2).unwrap();
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        if let Some(library) = library {
            fs::create_dir_all(prefix.join("lib")).unwrap();
            fs::write(prefix.join("lib").join(library), "").unwrap();
        }
        let report = serde_json::json!({
            "implementation": "cpython", "version": version, "executable": file, "prefix": prefix, "base_prefix": prefix,
            "path": [prefix.join("lib/python")], "shared": library.is_some(), "library_names": [], "library_folder": null,
            "build_folder": null, "multiarch": null, "free_threaded": false, "platform": "linux-x86_64", "has_pip": false,
        });
        script(&file, &format!("echo run >> {0}.runs\necho '{report}'", file.display()));
        file
    }

    /// Looks for Python in these folders beside the workflow only.
    pub(crate) fn search_only(&mut self, folders: &[&str]) {
        let paths = folders.iter().map(|folder| self.beside(folder));
        self.surroundings.search_path = std::env::join_paths(paths).unwrap_or_else(|_| OsString::new());
    }

    pub(crate) fn overrides(&mut self) -> &mut Overrides {
        &mut self.surroundings.overrides
    }
}

/// A definition with a Task for each function, in this order.
pub(crate) fn calls(functions: &[&str]) -> String {
    let mut states = serde_json::Map::new();
    for (index, function) in functions.iter().enumerate() {
        let mut state = serde_json::json!({ "Type": "Task", "Resource": function });
        match functions.get(index + 1) {
            Some(next) => state["Next"] = format!("Do {next}").into(),
            None => state["End"] = true.into(),
        }
        states.insert(format!("Do {function}"), state);
    }
    serde_json::json!({ "StartAt": format!("Do {}", functions[0]), "States": states }).to_string()
}

/// Makes an executable shell script. A shell writes it: were it open for writing in this process, a child that another
/// test starts at that moment would hold it open, and it could not be run ("text file busy").
pub(crate) fn script(file: &Path, body: &str) {
    let mut shell = Command::new("sh")
        .args(["-c", "cat > \"$0\" && chmod +x \"$0\""])
        .arg(file)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    write!(shell.stdin.take().unwrap(), "#!/bin/sh\n{body}\n").unwrap();
    assert!(shell.wait().unwrap().success());
}

pub(crate) fn host_with_keys(keys: u32) -> Host {
    Host {
        cpus: 2,
        memory_bytes: 1 << 30,
        kernel: "6.1.0".to_owned(),
        architecture: "x86_64".to_owned(),
        keys: Keys::Available(keys),
        glibc: Some((2, 36)),
        landlock: Some(1),
        memory_limits: LimitMeans::Whole("a control group (version 2)".to_owned()),
        cpu_limits: LimitMeans::Unavailable { reason: "the group has no cpu controller".to_owned() },
    }
}

/// Codes and the text under the caret, in the order of the findings.
pub(crate) fn places(findings: &[Diagnostic]) -> Vec<(&'static str, String)> {
    findings
        .iter()
        .map(|finding| {
            let text =
                finding.place.as_ref().map(|(source, span)| source.text[span.start..span.end].to_owned());
            (finding.code, text.unwrap_or_default())
        })
        .collect()
}
