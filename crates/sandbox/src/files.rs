//! Which files a domain thread may reach: Landlock rules.
//!
//! For now they keep it out of `/proc`, through which a process can read and write its own memory, whatever keys it carries,
//! and see the descriptors of its other threads. Everything else is as the file permissions say.

use landlock::{
    ABI, Access, AccessFs, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
    RulesetStatus,
};
use std::path::PathBuf;

/// What libraries look up in `/proc` and what tells nothing about any process.
const HARMLESS: &[&str] = &[
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys",
    "/proc/uptime",
    "/proc/version",
];

/// The second version: a thread under rules of the first one cannot move a file from one folder to another.
const RULES: ABI = ABI::V2;

/// Restricts the calling thread, and those it starts from now on. `false` where the kernel has no Landlock: then nothing is
/// restricted.
pub(crate) fn restrict() -> Result<bool, RulesetError> {
    let all = AccessFs::from_all(RULES);
    let mut rules = Ruleset::default().handle_access(all)?.create()?;
    for entry in top_level_folders() {
        if let Ok(folder) = PathFd::new(entry) {
            rules = rules.add_rule(PathBeneath::new(folder, all))?;
        }
    }
    for path in HARMLESS {
        if let Ok(file) = PathFd::new(path) {
            let read =
                if *path == "/proc/sys" { AccessFs::from_read(RULES) } else { AccessFs::ReadFile.into() };
            rules = rules.add_rule(PathBeneath::new(file, read))?;
        }
    }
    Ok(rules.restrict_self()?.ruleset != RulesetStatus::NotEnforced)
}

fn top_level_folders() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("/").into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_name() != "proc" && entry.path().is_dir());
    folders.map(|entry| entry.path()).collect()
}

/// The version of Landlock that this kernel has, if it has it.
pub fn landlock_version() -> Option<u32> {
    const VERSION_ONLY: u32 = 1;
    // SAFETY: with this flag the call takes no memory and makes nothing.
    let version = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0usize, VERSION_ONLY)
    };
    u32::try_from(version).ok()
}
