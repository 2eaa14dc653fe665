//! Digests of files and folders, to tell one state of some code from another.

use sha2::{Digest, Sha256};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Larger files (models, data) count by size and time of change, so that starting a run stays fast.
const LARGEST_READ_BYTES: u64 = 4 << 20;

/// Folders that are made from the rest or have nothing to do with it.
const SKIPPED_FOLDERS: [&str; 8] =
    ["__pycache__", ".git", ".hg", ".faastlane", ".aws-sam", "node_modules", ".pytest_cache", ".mypy_cache"];

/// A digest under construction. What is added is framed by lengths, so that no two sequences of additions are alike.
#[derive(Default)]
pub(crate) struct TreeDigest(Sha256);

impl TreeDigest {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// Adds a file or a whole folder, under a name of its own. What cannot be read counts as absent: whoever needs it
    /// says what is wrong with it.
    pub(crate) fn add_path(&mut self, name: &str, path: &Path) {
        self.add(name.as_bytes());
        let Ok(metadata) = fs::metadata(path) else { return };
        if metadata.is_dir() {
            self.add_folder(path);
        } else if metadata.is_file() && metadata.len() <= LARGEST_READ_BYTES {
            self.add(&fs::read(path).unwrap_or_default());
        } else {
            self.add(&metadata.len().to_le_bytes());
            self.add(&metadata.mtime().to_le_bytes());
            self.add(&metadata.mtime_nsec().to_le_bytes());
        }
    }

    fn add_folder(&mut self, folder: &Path) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        let mut entries: Vec<_> = entries.flatten().collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            let Ok(kind) = entry.file_type() else { continue };
            let skipped = kind.is_dir()
                && (SKIPPED_FOLDERS.contains(&name.as_str()) || path.join("pyvenv.cfg").exists());
            if skipped {
                continue;
            }
            if kind.is_symlink() && path.is_dir() {
                // Followed, a link to a folder above would never end.
                self.add(name.as_bytes());
                self.add(fs::read_link(&path).unwrap_or_default().as_os_str().as_encoded_bytes());
            } else {
                self.add_path(&name, &path);
            }
        }
    }

    /// 64 hexadecimal digits.
    pub(crate) fn finish(self) -> String {
        format!("{:x}", self.0.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest_of(folder: &Path) -> String {
        let mut digest = TreeDigest::default();
        digest.add_path("", folder);
        digest.finish()
    }

    #[test]
    fn changes_with_names_and_contents_and_not_with_what_python_leaves() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        fs::write(folder.path().join("sub/a.py"), "1").unwrap();
        let first = digest_of(folder.path());
        fs::create_dir(folder.path().join("sub/__pycache__")).unwrap();
        fs::write(folder.path().join("sub/__pycache__/a.pyc"), "x").unwrap();
        assert_eq!(digest_of(folder.path()), first);
        fs::write(folder.path().join("sub/a.py"), "2").unwrap();
        let second = digest_of(folder.path());
        assert_ne!(second, first);
        fs::rename(folder.path().join("sub/a.py"), folder.path().join("sub/b.py")).unwrap();
        assert_ne!(digest_of(folder.path()), second);
    }

    #[test]
    fn a_link_to_a_folder_above_ends() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("..", folder.path().join("up")).unwrap();
        assert_eq!(digest_of(folder.path()).len(), 64);
    }
}
