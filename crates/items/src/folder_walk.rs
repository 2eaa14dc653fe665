//! The files below a folder in the order of their keys, as a service that speaks S3 lists them.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

/// Holds the entries of one folder for each level, not those of the whole tree. Folders behind symbolic links are
/// not walked: they may lie outside, and may lead back.
pub(crate) struct FolderWalk {
    root: PathBuf,
    prefix: String,
    /// The entries still to come of each level, the last first.
    levels: Vec<Vec<Entry>>,
}

/// A file, by the key that it has as an object.
pub(crate) struct File {
    pub(crate) key: String,
    pub(crate) metadata: Metadata,
}

struct Entry {
    /// Ends with `/` for a folder, so that entries sort as their keys do.
    key: String,
    is_folder: bool,
}

impl FolderWalk {
    /// The files whose keys start with `prefix`, which need not be a folder's name.
    pub(crate) fn new(root: &Path, prefix: &str) -> io::Result<Self> {
        let mut walk = Self { root: root.to_owned(), prefix: prefix.to_owned(), levels: Vec::new() };
        walk.enter("")?;
        Ok(walk)
    }

    fn enter(&mut self, folder: &str) -> io::Result<()> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(self.root.join(folder))? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                let message = format!("the name of {} is not UTF-8", entry.path().display());
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            };
            let is_folder = entry.file_type()?.is_dir();
            let key = format!("{folder}{name}{}", if is_folder { "/" } else { "" });
            if key.starts_with(&self.prefix) || (is_folder && self.prefix.starts_with(&key)) {
                entries.push(Entry { key, is_folder });
            }
        }
        entries.sort_unstable_by(|one, other| other.key.cmp(&one.key));
        self.levels.push(entries);
        Ok(())
    }

    fn step(&mut self) -> io::Result<Option<File>> {
        while let Some(level) = self.levels.last_mut() {
            let Some(entry) = level.pop() else {
                self.levels.pop();
                continue;
            };
            if entry.is_folder {
                self.enter(&entry.key)?;
                continue;
            }
            let metadata = std::fs::metadata(self.root.join(&entry.key))?;
            if metadata.is_file() {
                return Ok(Some(File { key: entry.key, metadata }));
            }
        }
        Ok(None)
    }
}

impl Iterator for FolderWalk {
    type Item = io::Result<File>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_in_the_order_of_their_bytes() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a/z", "a-b", "a.txt", "b/c/d", "b/c.txt", "ab", "a/b/c"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
        let keys = |prefix: &str| {
            let walk = FolderWalk::new(folder.path(), prefix).unwrap();
            walk.map(|file| file.unwrap().key).collect::<Vec<_>>()
        };
        assert_eq!(keys(""), ["a-b", "a.txt", "a/b/c", "a/z", "ab", "b/c.txt", "b/c/d"]);
        assert_eq!(keys("a/"), ["a/b/c", "a/z"]);
        assert_eq!(keys("b/c"), ["b/c.txt", "b/c/d"]);
        assert_eq!(keys("c"), [""; 0]);
    }

    #[test]
    fn a_link_to_a_folder_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("..", folder.path().join("up")).unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        std::os::unix::fs::symlink("file", folder.path().join("link")).unwrap();
        let keys: Vec<_> =
            FolderWalk::new(folder.path(), "").unwrap().map(|file| file.unwrap().key).collect();
        assert_eq!(keys, ["file", "link"]);
    }
}
