//! Requirement files made into one list that means the same wherever pip reads it: included files in place, local paths
//! absolute. Its digest names the folder that the list is installed to.

use crate::code;
use crate::text_file::describe;
use crate::tree_digest::TreeDigest;
use faastlane_asl::diagnostic::Diagnostic;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What pip is to install together.
#[derive(Debug, Default)]
pub(crate) struct RequirementList {
    lines: Vec<String>,
    /// Local packages, constraints and folders of packages, which matter by their contents.
    local_paths: Vec<PathBuf>,
    read: BTreeSet<PathBuf>,
}

impl RequirementList {
    pub(crate) fn read(files: &[PathBuf]) -> Result<Self, Diagnostic> {
        let mut list = Self::default();
        for file in files {
            list.include(file)?;
        }
        Ok(list)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(crate) fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// Equal digests are satisfied by the same installation. `environment` is what a built package depends on besides:
    /// the Python and the platform.
    pub(crate) fn digest(&self, environment: &str) -> String {
        let mut digest = TreeDigest::default();
        digest.add(environment.as_bytes());
        digest.add(self.text().as_bytes());
        for path in &self.local_paths {
            digest.add_path(&path.to_string_lossy(), path);
        }
        digest.finish()
    }

    fn include(&mut self, file: &Path) -> Result<(), Diagnostic> {
        if !self.read.insert(file.to_owned()) {
            return Ok(());
        }
        let text = fs::read_to_string(file).map_err(|problem| {
            Diagnostic::error(
                code::UNREADABLE,
                format!("cannot read {}: {}", file.display(), describe(&problem)),
            )
            .hint("A requirements file is text in UTF-8.")
        })?;
        let folder = file.parent().unwrap_or(file);
        let text = text.trim_start_matches('\u{feff}').replace("\\\n", "");
        for line in text.lines().map(without_comment).filter(|line| !line.is_empty()) {
            self.add_line(line, folder)?;
        }
        Ok(())
    }

    fn add_line(&mut self, line: &str, folder: &Path) -> Result<(), Diagnostic> {
        if let Some(included) = option_value(line, "-r", "--requirement") {
            return self.include(&folder.join(included));
        }
        if let Some(constraints) = option_value(line, "-c", "--constraint") {
            let path = folder.join(constraints);
            self.lines.push(format!("-c {}", path.display()));
            self.local_paths.push(path);
            return Ok(());
        }
        if let Some(links) = option_value(line, "-f", "--find-links") {
            let path = folder.join(links);
            if !path.exists() {
                self.lines.push(line.to_owned());
                return Ok(());
            }
            self.lines.push(format!("-f {}", path.display()));
            self.local_paths.push(path);
            return Ok(());
        }
        // An editable package lives where its source is; in a cache it can only be installed.
        let line = option_value(line, "-e", "--editable").unwrap_or(line);
        let end = line.find([' ', ';', '[']).unwrap_or(line.len());
        let (target, rest) = line.split_at(end);
        let path = folder.join(target);
        if (target.starts_with('.') || target.contains('/')) && path.exists() {
            self.lines.push(format!("{}{rest}", path.display()));
            self.local_paths.push(path);
        } else {
            if let Some((_, path)) = line.split_once("file://") {
                self.local_paths.push(PathBuf::from(path.split([' ', ';', '#']).next().unwrap_or_default()));
            }
            self.lines.push(line.to_owned());
        }
        Ok(())
    }
}

/// pip's rule: a `#` starts a comment at the start of a line or after a blank.
fn without_comment(line: &str) -> &str {
    let line = line.trim();
    if line.starts_with('#') {
        return "";
    }
    let end = [" #", "\t#"].iter().filter_map(|start| line.find(start)).min().unwrap_or(line.len());
    line[..end].trim_end()
}

/// The value of an option in one of pip's spellings: `-r x`, `-rx`, `--requirement x`, `--requirement=x`.
fn option_value<'a>(line: &'a str, short: &str, long: &str) -> Option<&'a str> {
    if let Some(value) = line.strip_prefix(long) {
        return value.starts_with([' ', '\t', '=']).then(|| value[1..].trim());
    }
    line.strip_prefix(short).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_become_one_list_with_absolute_paths() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("pkg")).unwrap();
        fs::write(at("pins.txt"), "numpy<2\n").unwrap();
        fs::write(at("more.txt"), "requests  # for the fetch\n-r requirements.txt\n").unwrap();
        let text = "# ours\n\n-r more.txt\n--constraint=pins.txt\n-e ./pkg[fast] ; python_version > '3'\n\
                    numpy==1.26 \\\n  --hash=sha256:00\nhttps://host/x#egg=x\n";
        fs::write(at("requirements.txt"), text).unwrap();
        let list = RequirementList::read(&[at("requirements.txt")]).unwrap();
        let expected = [
            "requests".to_owned(),
            format!("-c {}", at("pins.txt").display()),
            format!("{}[fast] ; python_version > '3'", at("./pkg").display()),
            "numpy==1.26   --hash=sha256:00".to_owned(),
            "https://host/x#egg=x".to_owned(),
        ];
        assert_eq!(list.lines, expected);
        assert_eq!(list.local_paths, [at("pins.txt"), at("./pkg")]);
    }

    #[test]
    fn the_digest_follows_local_packages_and_the_python() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("requirements.txt");
        fs::create_dir(folder.path().join("pkg")).unwrap();
        fs::write(folder.path().join("pkg/setup.py"), "1").unwrap();
        fs::write(&file, "./pkg\n").unwrap();
        let digest = |environment: &str| {
            RequirementList::read(std::slice::from_ref(&file)).unwrap().digest(environment)
        };
        let first = digest("3.12");
        assert_eq!(digest("3.12"), first);
        assert_ne!(digest("3.13"), first);
        fs::write(folder.path().join("pkg/setup.py"), "2").unwrap();
        assert_ne!(digest("3.12"), first);
    }

    #[test]
    fn an_included_file_that_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("requirements.txt");
        fs::write(&file, "-r nowhere.txt\n").unwrap();
        let finding = RequirementList::read(&[file]).unwrap_err();
        assert_eq!(finding.code, code::UNREADABLE);
        assert!(finding.message.contains("nowhere.txt"), "{}", finding.message);
    }
}
