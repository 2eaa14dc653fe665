//! Probing the host.

use faastlane_compose::{Host, Keys};
use faastlane_domain::KeysUnavailable;
use std::fs;
use std::path::PathBuf;

pub(crate) fn probe() -> Host {
    Host {
        cpus: std::thread::available_parallelism()
            .map_or(1, |cpus| u32::try_from(cpus.get()).unwrap_or(u32::MAX)),
        memory_bytes: memory_bytes(),
        kernel: read("/proc/sys/kernel/osrelease"),
        architecture: std::env::consts::ARCH.to_owned(),
        keys: keys(),
        glibc: glibc(),
        landlock: faastlane_sandbox::landlock_version(),
        memory_limits: faastlane_pool::memory_limit_means(),
        cpu_limits: faastlane_pool::cpu_limit_means(),
    }
}

/// Whether `/proc/cpuinfo` names a feature of the processor.
pub(crate) fn cpu_has(flag: &str) -> bool {
    let cpuinfo = read("/proc/cpuinfo");
    let flags = cpuinfo.lines().find(|line| line.starts_with("flags") || line.starts_with("Features"));
    flags.is_some_and(|flags| flags.split_whitespace().any(|word| word == flag))
}

/// A small file of the kernel's, empty where it has none of that name.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(path).map(|text| text.trim_end().to_owned()).unwrap_or_default()
}

fn keys() -> Keys {
    match faastlane_domain::probe_keys() {
        Ok(available) => Keys::Available(available),
        Err(KeysUnavailable::NotSupported) if cfg!(target_arch = "x86_64") && !cpu_has("pku") => Keys::Unavailable {
            reason: "the processor has no protection keys, or the hypervisor hides them".to_owned(),
            remedy: "Use a machine with Intel Xeon Scalable (2017) or AMD EPYC 7003 (2021) or later; under KVM, \
                     pass the processor through with `-cpu host`"
                .to_owned(),
        },
        Err(KeysUnavailable::NotSupported) if cfg!(target_arch = "x86_64") => Keys::Unavailable {
            reason: "the kernel gives no protection keys".to_owned(),
            remedy: "Boot a kernel with CONFIG_X86_INTEL_MEMORY_PROTECTION_KEYS and without `nopku`".to_owned(),
        },
        Err(KeysUnavailable::NotSupported) => Keys::Unavailable {
            reason: format!("protection keys are not supported on {}", std::env::consts::ARCH),
            remedy: "Use an x86-64 machine".to_owned(),
        },
        Err(refused @ KeysUnavailable::Refused(_)) => Keys::Unavailable {
            reason: refused.to_string(),
            remedy: "Update Docker to 23 or later, or run the container with a seccomp profile that allows \
                     pkey_alloc, pkey_free and pkey_mprotect"
                .to_owned(),
        },
    }
}

fn memory_bytes() -> u64 {
    let meminfo = read("/proc/meminfo");
    let total = meminfo.lines().find_map(|line| {
        line.strip_prefix("MemTotal:")?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
    });
    let limit = read("/sys/fs/cgroup/memory.max").parse().unwrap_or(u64::MAX);
    total.map_or(0, |kib| kib * 1024).min(limit)
}

/// Asking the library for its version takes a foreign call; its file says it too: `stable release version 2.36.`
fn glibc() -> Option<(u32, u32)> {
    if !cfg!(target_env = "gnu") {
        return None;
    }
    let maps = read("/proc/self/maps");
    let library = maps.lines().find_map(|line| {
        let path = PathBuf::from(line.split_whitespace().last()?);
        (path.file_name()? == "libc.so.6").then_some(path)
    })?;
    let bytes = fs::read(library).ok()?;
    let phrase = b"release version ";
    let start = bytes.windows(phrase.len()).position(|window| window == phrase)? + phrase.len();
    let version: String = bytes[start..].iter().take(10).map(|byte| char::from(*byte)).collect();
    let (major, rest) = version.split_once('.')?;
    let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_host_has_something_of_everything() {
        let host = probe();
        assert!(host.cpus > 0);
        assert!(host.memory_bytes > 1 << 20);
        assert!(host.kernel.starts_with(|first: char| first.is_ascii_digit()), "{}", host.kernel);
        if cfg!(target_env = "gnu") {
            assert!(host.glibc.is_some_and(|version| version > (2, 0)), "{:?}", host.glibc);
        }
    }
}
