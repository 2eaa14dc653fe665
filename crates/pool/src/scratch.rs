//! Scratch directories: what a function writes for as long as an execution lasts.

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::Errno;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use tempfile::TempDir;

/// A folder for each domain, in one that only this user can enter. They go with this value.
pub(crate) struct Scratch {
    /// By position in the plan.
    folders: Vec<PathBuf>,
    /// Tells of everything that gets a name in them, so that they need not be read where nothing has. `None` where the user has
    /// no more watches.
    additions: Option<OwnedFd>,
    _parent: TempDir,
}

impl Scratch {
    pub(crate) fn make(domains: usize) -> io::Result<Self> {
        let parent = tempfile::Builder::new().prefix("faastlane-").tempdir()?;
        // Its real path: Landlock and the function see that one.
        let real = fs::canonicalize(parent.path())?;
        let folders: Vec<PathBuf> = (0..domains).map(|domain| real.join(domain.to_string())).collect();
        folders.iter().try_for_each(|folder| DirBuilder::new().mode(0o700).create(folder))?;
        let additions = watch(&folders).ok();
        Ok(Self { folders, additions, _parent: parent })
    }

    pub(crate) fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// Removes what an earlier execution, or loading, left.
    pub(crate) fn empty(&self) -> io::Result<()> {
        if !self.may_hold_something() {
            return Ok(());
        }
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

    /// Forgets what it is told of, so what it tells of must be removed.
    fn may_hold_something(&self) -> bool {
        let Some(additions) = &self.additions else { return true };
        let mut told = false;
        loop {
            match rustix::io::read(additions, &mut [0; 4096]) {
                Ok(1..) => told = true,
                Err(Errno::AGAIN) => return told,
                Err(Errno::INTR) => {}
                Ok(0) | Err(_) => return true,
            }
        }
    }
}

fn watch(folders: &[PathBuf]) -> rustix::io::Result<OwnedFd> {
    let additions = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
    for folder in folders {
        inotify::add_watch(
            &additions,
            folder,
            WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::ONLYDIR,
        )?;
    }
    Ok(additions)
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
        assert!(scratch.additions.is_none() || !scratch.may_hold_something());
        // However it gets there.
        fs::write(elsewhere.path().join("moved"), "").unwrap();
        fs::rename(elsewhere.path().join("moved"), folder.join("moved")).unwrap();
        scratch.empty().unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        fs::hard_link(elsewhere.path().join("kept"), folder.join("linked")).unwrap();
        scratch.empty().unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        drop(scratch);
        assert!(!folder.exists());
    }
}
