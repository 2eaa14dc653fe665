//! Which files a domain thread may reach: Landlock rules, which allow what they name and nothing else.
//!
//! Nothing of `/proc` that belongs to a process: through it a process can read and write its own memory, whatever keys it
//! carries, and see the descriptors of its other threads.

use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use std::path::{Path, PathBuf};

/// The files of a domain, besides those of the system. Paths that do not exist are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// Files, and folders with all that is in them.
    pub readable: Vec<PathBuf>,
    /// Folders whose entries may be listed and, unless they are named elsewhere, not read.
    pub listed: Vec<PathBuf>,
    pub writable: Vec<PathBuf>,
}

/// What programs and libraries of the system are made of.
const SYSTEM: &[&str] = &["/usr", "/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin"];

/// Configuration that libraries read, and that says nothing that a function must not know. Not `/etc` as a whole: a rule
/// cannot leave anything out, and file permissions do not keep root from `/etc/shadow`.
const CONFIGURATION: &[&str] = &[
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/crypto-policies",
    "/etc/debian_version",
    "/etc/fonts",
    "/etc/gai.conf",
    "/etc/group",
    "/etc/host.conf",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/locale.alias",
    "/etc/localtime",
    "/etc/magic",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/pki/ca-trust",
    "/etc/pki/tls/certs",
    "/etc/pki/tls/openssl.cnf",
    "/etc/protocols",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/timezone",
];

/// What libraries look up about the machine and what tells nothing about any process.
const MACHINE: &[&str] = &[
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys/crypto",
    "/proc/sys/kernel/cap_last_cap",
    "/proc/sys/kernel/ngroups_max",
    "/proc/sys/kernel/osrelease",
    "/proc/sys/kernel/ostype",
    "/proc/sys/kernel/pid_max",
    "/proc/sys/kernel/random",
    "/proc/sys/kernel/threads-max",
    "/proc/sys/kernel/version",
    "/proc/sys/net/core/somaxconn",
    "/proc/sys/vm/overcommit_memory",
    "/proc/uptime",
    "/proc/version",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
    "/sys/kernel/mm/transparent_hugepage",
];

const DEVICES: &[&str] = &["/dev/full", "/dev/random", "/dev/urandom", "/dev/zero"];

/// Everything that this version can name is refused unless a rule allows it; older kernels know less.
const RULES: ABI = ABI::V6;

/// Restricts the calling thread, and those it starts from now on. `false` where the kernel has no Landlock: then nothing is
/// restricted.
pub(crate) fn restrict(files: &Files, programs: bool) -> Result<bool, RulesetError> {
    let all = AccessFs::from_all(RULES);
    let execute = if programs { AccessFs::Execute.into() } else { BitFlags::EMPTY };
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let mut rules = no_rules()?;
    for path in SYSTEM {
        rules = allow(rules, Path::new(path), read | execute)?;
    }
    for path in CONFIGURATION.iter().chain(MACHINE).chain(DEVICES) {
        rules = allow(rules, Path::new(path), read)?;
    }
    rules = allow(rules, Path::new("/dev/null"), AccessFs::ReadFile | AccessFs::WriteFile)?;
    for path in &files.readable {
        rules = allow(rules, path, read | execute)?;
    }
    for path in &files.listed {
        rules = allow(rules, path, AccessFs::ReadDir.into())?;
    }
    for path in &files.writable {
        rules = allow(rules, path, all & !AccessFs::Execute & !AccessFs::MakeChar & !AccessFs::MakeBlock)?;
    }
    Ok(rules.restrict_self()?.ruleset != RulesetStatus::NotEnforced)
}

/// The same, with no file to reach.
pub(crate) fn restrict_to_none() -> Result<bool, RulesetError> {
    Ok(no_rules()?.restrict_self()?.ruleset != RulesetStatus::NotEnforced)
}

/// What refuses all that no rule allows.
fn no_rules() -> Result<RulesetCreated, RulesetError> {
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(RULES))?
        .scope(Scope::AbstractUnixSocket | Scope::Signal)?
        .create()
}

/// A path that does not exist, or that even this process cannot reach, needs no rule.
fn allow(
    rules: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    let Ok(opened) = PathFd::new(path) else { return Ok(rules) };
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(RULES) };
    if access.is_empty() { Ok(rules) } else { rules.add_rule(PathBeneath::new(opened, access)) }
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
