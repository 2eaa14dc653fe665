//! What this process has that it would have to let go.

use super::report::LeftOver;
use crate::processes::children;
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Stacks of threads and the allocator's stretches that are kept for later: so many mappings more are no leak. An instance
/// that was not let go leaves at least three.
pub(super) const MAPPINGS: usize = 24;
/// Threads that were told to end have so long to do so.
const GRACE: Duration = Duration::from_secs(5);
/// How every stretch of memory is named that is shared with instances.
const SHARED: &str = "memfd:faastlane";

/// A folder for everything temporary of this process from now on, so that nothing of another one's is taken for it.
pub(super) fn own_scratch() -> io::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("faastlane-churn-").tempdir()?;
    tempfile::env::override_temp_dir(folder.path()).map_err(|_| {
        io::Error::other("this process has a folder of its own for what is temporary already")
    })?;
    Ok(folder)
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Possessions {
    processes: usize,
    threads: usize,
    descriptors: usize,
    mappings: usize,
    /// Descriptors and mappings of memory that is shared with instances.
    shared: usize,
    /// Entries of the folder for what is temporary.
    scratch: usize,
}

impl Possessions {
    pub(super) fn now(scratch: &Path) -> io::Result<Self> {
        let maps = fs::read_to_string("/proc/self/maps")?;
        let descriptors: Vec<_> = fs::read_dir("/proc/self/fd")?.collect::<io::Result<_>>()?;
        // The one that the folder is read with is closed by now.
        let targets = descriptors.iter().filter_map(|entry| fs::read_link(entry.path()).ok());
        let shared_descriptors = targets.filter(|target| target.to_string_lossy().contains(SHARED)).count();
        Ok(Self {
            processes: children().len(),
            threads: fs::read_dir("/proc/self/task")?.count(),
            descriptors: descriptors.len() - 1,
            mappings: maps.lines().count(),
            shared: maps.lines().filter(|line| line.contains(SHARED)).count() + shared_descriptors,
            scratch: fs::read_dir(scratch)?.count(),
        })
    }

    /// What there is more of now; so many mappings more are none.
    pub(super) fn compare(&self, scratch: &Path, mappings: usize) -> io::Result<Vec<LeftOver>> {
        let since = Instant::now();
        loop {
            let more = self.less_than(&Self::now(scratch)?, mappings);
            if more.iter().all(|one| one.within_bound) || since.elapsed() > GRACE {
                return Ok(more);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn less_than(&self, now: &Self, mappings: usize) -> Vec<LeftOver> {
        let compared = |what, before: usize, after: usize, bound: usize| LeftOver {
            what,
            before,
            after,
            more_allowed: bound,
            within_bound: after.saturating_sub(before) <= bound,
        };
        vec![
            compared("processes", 0, now.processes, 0),
            compared("threads", self.threads, now.threads, 0),
            compared("descriptors", self.descriptors, now.descriptors, 0),
            compared("mappings", self.mappings, now.mappings, mappings),
            compared("shared memory", 0, now.shared, 0),
            compared("scratch directories", 0, now.scratch, 0),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_before_is_left_over() {
        let before =
            Possessions { processes: 0, threads: 3, descriptors: 9, mappings: 100, shared: 0, scratch: 0 };
        assert!(before.less_than(&before, 24).iter().all(|one| one.within_bound));
        let few = Possessions { mappings: 124, descriptors: 8, ..before.clone() };
        assert!(before.less_than(&few, 24).iter().all(|one| one.within_bound));
        let wrong = [
            Possessions { processes: 1, ..before.clone() },
            Possessions { threads: 4, ..before.clone() },
            Possessions { descriptors: 10, ..before.clone() },
            Possessions { mappings: 125, ..before.clone() },
            Possessions { shared: 1, ..before.clone() },
            Possessions { scratch: 1, ..before.clone() },
        ];
        for now in wrong {
            let not: Vec<_> =
                before.less_than(&now, 24).into_iter().filter(|one| !one.within_bound).collect();
            assert_eq!(not.len(), 1, "{now:?}: {not:?}");
        }
    }

    #[test]
    fn this_process_has_something() {
        let folder = tempfile::tempdir().unwrap();
        let now = Possessions::now(folder.path()).unwrap();
        assert!(now.threads > 0 && now.descriptors > 0 && now.mappings > 0, "{now:?}");
        assert_eq!(now.scratch, 0);
    }
}
