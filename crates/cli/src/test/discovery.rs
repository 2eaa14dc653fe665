//! Which cases there are in a folder, what they are called, and which workflow they are about.

use crate::test::case::Case;
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_compose::holds_workflow;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) const NO_CASES: &str = "FL0511";

/// Ends of the names of case files.
const ENDS: [&str; 3] = [".test.json", ".test.yaml", ".test.yml"];
/// The case file of a case that has a folder of its own.
const OF_FOLDER: [&str; 3] = ["test.json", "test.yaml", "test.yml"];

/// A case that was found, or what is wrong with it.
pub(crate) struct Found {
    /// Of the file, unless the case has a name of its own: its path in the folder of cases.
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    pub(crate) case: Result<Case, Vec<Diagnostic>>,
}

pub(crate) fn is_of_folder(name: &str) -> bool {
    OF_FOLDER.contains(&name)
}

/// All cases, in the order of their files.
///
/// # Errors
/// There is no such folder, or no case in it.
pub(crate) fn find(path: &Path) -> Result<Vec<Found>, Box<Diagnostic>> {
    let below = path.join("tests");
    let folder = if below.is_dir() { below } else { path.to_owned() };
    let mut files = Vec::new();
    let walked = if folder.is_file() {
        files.push((String::new(), folder.clone()));
        Ok(())
    } else {
        walk(&folder, "", &mut files)
    };
    let shown = folder.display();
    if let Err(problem) = walked {
        let finding =
            Diagnostic::error(NO_CASES, format!("cannot look for test cases in {shown}: {problem}"));
        let hint = "Name a folder with test cases, or a workflow folder with `tests` in it.";
        return Err(Box::new(finding.hint(hint)));
    }
    if files.is_empty() {
        let hint =
            "A test case is a file `NAME.test.json` (or `.yaml`), or a folder with a `test.json` in it.";
        let finding = Diagnostic::error(NO_CASES, format!("there is no test case in {shown}"));
        return Err(Box::new(finding.hint(hint)));
    }
    Ok(files.into_iter().map(|(name, file)| found(name, file)).collect())
}

fn found(name: String, file: PathBuf) -> Found {
    let case = Case::read(&file);
    let own = case.as_ref().ok().and_then(|case| case.name.clone());
    let name = own.or((!name.is_empty()).then_some(name)).unwrap_or_else(|| file.display().to_string());
    Found { name, file, case }
}

fn walk(folder: &Path, within: &str, files: &mut Vec<(String, PathBuf)>) -> std::io::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<std::io::Result<_>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    if let Some(own) = entries.iter().find(|entry| entry.file_name().to_str().is_some_and(is_of_folder)) {
        files.push((within.to_owned(), own.path()));
        return Ok(());
    }
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let inside =
            |name: &str| if within.is_empty() { name.to_owned() } else { format!("{within}/{name}") };
        if name.starts_with('.') {
            continue;
        }
        // What a link leads to may be the folder it is in.
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &inside(&name), files)?;
        } else if let Some(stem) = ENDS.iter().find_map(|end| name.strip_suffix(end)) {
            files.push((inside(stem), entry.path()));
        }
    }
    Ok(())
}

/// The workflow of a case that names none: the nearest folder around it that holds one.
pub(crate) fn workflow_around(file: &Path) -> Option<PathBuf> {
    let around = |file: &Path| {
        let mut folders = file.ancestors().skip(1).map(|folder| match folder.as_os_str().is_empty() {
            true => PathBuf::from("."),
            false => folder.to_owned(),
        });
        folders.find(|folder| holds_workflow(folder))
    };
    around(file).or_else(|| around(&std::path::absolute(file).ok()?))
}
