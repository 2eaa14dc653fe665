//! How long functions usually take: measured whenever they run, and kept for their bundle until the next time.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// In the cache, a file for each bundle.
const FOLDER: &str = "durations";

/// The file's form; one of another form counts as none.
const FORMAT_VERSION: u32 = 1;

/// Bundles that are kept; those that ran longest ago go first. Every change of a function makes another bundle.
const MOST_BUNDLES: usize = 256;

/// How long the calls of a function take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usual {
    /// Measured so far.
    pub calls: u64,
    /// From the handler's call to its return. Both are means in which the last calls count most, in nanoseconds.
    pub ns: u64,
    /// How long a call has its domain: from the event on its way in to the result on its way out.
    pub busy_ns: u64,
}

impl Usual {
    /// Of the first call.
    pub fn of(ns: u64, busy_ns: u64) -> Self {
        Self { calls: 1, ns, busy_ns }
    }

    pub fn add(&mut self, ns: u64, busy_ns: u64) {
        let mean = |so_far: u64, now: u64| ((3 * u128::from(so_far) + u128::from(now)) / 4) as u64;
        *self = Self { calls: self.calls + 1, ns: mean(self.ns, ns), busy_ns: mean(self.busy_ns, busy_ns) };
    }
}

/// How long a call has its domain: two digits that count, with a unit.
impl fmt::Display for Usual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let us = self.busy_ns as f64 / 1e3;
        let (value, unit) = match us {
            ..1e3 => (us, "µs"),
            ..1e6 => (us / 1e3, "ms"),
            _ => (us / 1e6, "s"),
        };
        if value < 10.0 { write!(f, "{value:.1} {unit}") } else { write!(f, "{value:.0} {unit}") }
    }
}

/// What is known of the functions of one bundle, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Durations(BTreeMap<String, Usual>);

#[derive(Serialize, Deserialize)]
struct Kept {
    format_version: u32,
    functions: BTreeMap<String, Usual>,
}

impl Durations {
    pub fn of(&self, function: &str) -> Option<Usual> {
        self.0.get(function).copied()
    }

    pub fn set(&mut self, function: &str, usual: Usual) {
        self.0.insert(function.to_owned(), usual);
    }

    /// A call of `function` took that long, and had its domain for that long.
    pub fn add(&mut self, function: &str, ns: u64, busy_ns: u64) {
        match self.0.get_mut(function) {
            Some(usual) => usual.add(ns, busy_ns),
            None => self.set(function, Usual::of(ns, busy_ns)),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was kept for `bundle`; nothing where nothing was.
    ///
    /// # Errors
    /// There is a file, and it cannot be read or is damaged. The next [`Self::keep`] replaces it.
    pub fn load(cache_directory: &Path, bundle: &str) -> io::Result<Self> {
        let text = match fs::read(file_of(cache_directory, bundle)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            read => read?,
        };
        let kept: Kept = serde_json::from_slice(&text)?;
        Ok(Self(if kept.format_version == FORMAT_VERSION { kept.functions } else { BTreeMap::new() }))
    }

    /// Keeps them for the next time, in place of what was kept. Whoever reads meanwhile gets either whole.
    ///
    /// # Errors
    /// The cache cannot be written.
    pub fn keep(&self, cache_directory: &Path, bundle: &str) -> io::Result<()> {
        let folder = cache_directory.join(FOLDER);
        fs::create_dir_all(&folder)?;
        let kept = Kept { format_version: FORMAT_VERSION, functions: self.0.clone() };
        let mut file = tempfile::NamedTempFile::new_in(&folder)?;
        serde_json::to_writer(&mut file, &kept)?;
        file.flush()?;
        file.persist(file_of(cache_directory, bundle))?;
        remove_oldest(&folder)
    }
}

fn file_of(cache_directory: &Path, bundle: &str) -> PathBuf {
    cache_directory.join(FOLDER).join(format!("{bundle}.json"))
}

fn remove_oldest(folder: &Path) -> io::Result<()> {
    let mut files: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder)?.flatten() {
        // One that another command has just removed is no error.
        if let Ok(changed) = entry.metadata().and_then(|metadata| metadata.modified()) {
            files.push((changed, entry.path()));
        }
    }
    files.sort();
    let too_many = files.len().saturating_sub(MOST_BUNDLES);
    files[..too_many].iter().for_each(|(_, file)| {
        fs::remove_file(file).ok();
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_calls_count_most() {
        let mut durations = Durations::default();
        for ns in [1000, 5000, 5000, 5000, 5000] {
            durations.add("f", ns, 2 * ns);
        }
        let usual = durations.of("f").unwrap();
        assert_eq!(usual.calls, 5);
        assert!((3500..5000).contains(&usual.ns), "{usual:?}");
        assert!((2 * usual.ns..2 * usual.ns + 8).contains(&usual.busy_ns), "{usual:?}");
        assert_eq!(durations.of("g"), None);
    }

    #[test]
    fn they_are_read_as_people_say_them() {
        let text = |ns| Usual::of(0, ns).to_string();
        assert_eq!(text(1_250), "1.2 µs");
        assert_eq!(text(48_000), "48 µs");
        assert_eq!(text(5_100_000), "5.1 ms");
        assert_eq!(text(2_000_000_000), "2.0 s");
    }

    #[test]
    fn what_is_kept_is_there_the_next_time_and_only_so_much_is_kept() {
        let cache = tempfile::tempdir().unwrap();
        assert!(Durations::load(cache.path(), "a").unwrap().is_empty());
        let mut durations = Durations::default();
        durations.add("f", 7, 8);
        durations.keep(cache.path(), "a").unwrap();
        assert_eq!(Durations::load(cache.path(), "a").unwrap(), durations);
        assert!(Durations::load(cache.path(), "b").unwrap().is_empty());

        fs::write(file_of(cache.path(), "a"), "{\"format_ver").unwrap();
        assert!(Durations::load(cache.path(), "a").is_err());
        fs::write(file_of(cache.path(), "a"), r#"{"format_version": 9, "functions": {}}"#).unwrap();
        assert!(Durations::load(cache.path(), "a").unwrap().is_empty());

        for bundle in 0..MOST_BUNDLES + 3 {
            durations.keep(cache.path(), &bundle.to_string()).unwrap();
        }
        assert_eq!(fs::read_dir(cache.path().join(FOLDER)).unwrap().count(), MOST_BUNDLES);
    }
}
