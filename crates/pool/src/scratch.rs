//! Scratch directories: what a function writes for as long as an execution lasts.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use tempfile::TempDir;

/// A folder for each domain, in one that only this user can enter. They go with this value.
pub(crate) struct Scratch {
    /// By position in the plan.
    folders: Vec<PathBuf>,
    _parent: TempDir,
}

impl Scratch {
    pub(crate) fn make(domains: usize) -> io::Result<Self> {
        let parent = tempfile::Builder::new().prefix("faastlane-").tempdir()?;
        // Its real path: Landlock and the function see that one.
        let real = fs::canonicalize(parent.path())?;
        let folders: Vec<PathBuf> = (0..domains).map(|domain| real.join(domain.to_string())).collect();
        folders.iter().try_for_each(|folder| DirBuilder::new().mode(0o700).create(folder))?;
        Ok(Self { folders, _parent: parent })
    }

    pub(crate) fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// Removes what an earlier execution, or loading, left.
    pub(crate) fn empty(&self) -> io::Result<()> {
        for folder in &self.folders {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    fs::remove_dir_all(entry.path())?;
                } else {
                    fs::remove_file(entry.path())?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn folders_are_private_emptied_and_removed() {
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("kept"), "").unwrap();
        let scratch = Scratch::make(2).unwrap();
        let folder = scratch.folders()[1].clone();
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        fs::create_dir_all(folder.join("a/b")).unwrap();
        fs::write(folder.join("a/b/file"), "left over").unwrap();
        symlink(elsewhere.path(), folder.join("link")).unwrap();
        scratch.empty().unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        assert!(elsewhere.path().join("kept").exists());
        drop(scratch);
        assert!(!folder.exists());
    }
}
