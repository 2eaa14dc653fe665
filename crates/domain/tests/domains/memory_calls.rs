//! What a domain asks of the monitor about memory that is not its own, or that is to be code.

use crate::guest::{STACK, SYSTEM_CALL, TEXT};
use crate::scenarios::Stage;
use faastlane_domain::Outgoing;

const PAGE: u64 = 4096;
const READ: u64 = libc::PROT_READ as u64;
const WRITE: u64 = libc::PROT_WRITE as u64;
const EXECUTE: u64 = libc::PROT_EXEC as u64;
const PRIVATE: u64 = libc::MAP_PRIVATE as u64;
const SHARED: u64 = libc::MAP_SHARED as u64;
const ANONYMOUS: u64 = (libc::MAP_ANONYMOUS | libc::MAP_PRIVATE) as u64;
const FIXED: u64 = libc::MAP_FIXED as u64;
const NOBODY: u64 = u64::MAX;

impl Stage {
    /// Domain `domain` makes a system call. Errors are negative, as the kernel has them.
    fn system_call(&mut self, domain: usize, number: i64, arguments: &[u64], text: &[u8]) -> i64 {
        let mut event = Vec::new();
        event.extend(number.to_le_bytes());
        for at in 0..6 {
            event.extend(arguments.get(at).copied().unwrap_or(0).to_le_bytes());
        }
        event.extend(text);
        let result = self.call(domain, SYSTEM_CALL, Outgoing::Bytes(&event));
        result.as_ref().first_chunk().map_or(0, |bytes| i64::from_le_bytes(*bytes))
    }

    pub(crate) fn map(&mut self, arguments: [u64; 6]) -> i64 {
        self.system_call(1, libc::SYS_mmap, &arguments, &[])
    }

    pub(crate) fn open(&mut self, path: &str, flags: i32) -> i64 {
        let path = [path.as_bytes(), &[0]].concat();
        self.system_call(1, libc::SYS_open, &[TEXT, flags as u64, 0], &path)
    }

    /// A page of domain 0's stack.
    fn victim(&mut self) -> u64 {
        self.number(0, STACK, 0) & !(PAGE - 1)
    }

    fn mapped(&mut self) -> u64 {
        self.map([0, 4 * PAGE, READ | WRITE, ANONYMOUS, NOBODY, 0]) as u64
    }
}

/// Says by name which of `tries` did not end with its errno.
fn wrong(tries: Vec<(&str, i64, i32)>) -> String {
    let wrong: Vec<String> = tries
        .into_iter()
        .filter(|(_, got, errno)| *got != -i64::from(*errno))
        .map(|(what, got, errno)| format!("{what}: {got} instead of -{errno}"))
        .collect();
    if wrong.is_empty() { "refused".into() } else { wrong.join("; ") }
}

pub(crate) fn of_others(stage: &mut Stage) -> String {
    let victim = stage.victim();
    let own = stage.mapped();
    // Where the kernel has put them is not the same in every run.
    let (low, high) = (own.min(victim), own.max(victim) + PAGE);
    let dontneed = libc::MADV_DONTNEED as u64;
    let moved = (libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED) as u64;
    let libc_text = libc::getpid as *const () as u64 & !(PAGE - 1);
    let mut call = |number, arguments: &[u64]| stage.system_call(1, number, arguments, &[]);
    let refused = libc::EPERM;
    wrong(vec![
        ("map over", call(libc::SYS_mmap, &[victim, PAGE, READ, ANONYMOUS | FIXED, NOBODY, 0]), refused),
        ("drop", call(libc::SYS_madvise, &[victim, PAGE, dontneed]), refused),
        ("unmap", call(libc::SYS_munmap, &[victim, PAGE]), refused),
        (
            "unmap a range that begins or ends in one's own",
            call(libc::SYS_munmap, &[low, high - low]),
            refused,
        ),
        ("move away", call(libc::SYS_mremap, &[victim, PAGE, PAGE, moved, own]), refused),
        ("move over", call(libc::SYS_mremap, &[own, PAGE, PAGE, moved, victim]), refused),
        ("protect", call(libc::SYS_mprotect, &[victim, PAGE, READ | WRITE]), refused),
        ("unmap the base libc", call(libc::SYS_munmap, &[libc_text, PAGE]), refused),
        ("drop what is the base libc's", call(libc::SYS_madvise, &[libc_text, PAGE, dontneed]), refused),
        ("merge", call(libc::SYS_madvise, &[own, PAGE, libc::MADV_MERGEABLE as u64]), refused),
        (
            "grow down",
            call(libc::SYS_mprotect, &[own, PAGE, READ | libc::PROT_GROWSDOWN as u64]),
            libc::EACCES,
        ),
        ("wrap around", call(libc::SYS_munmap, &[own, u64::MAX - own + 1 - PAGE]), libc::EINVAL),
        ("take a key", call(libc::SYS_pkey_mprotect, &[own, PAGE, READ, 0]), refused),
    ])
}

pub(crate) fn own_works(stage: &mut Stage) -> String {
    let own = stage.mapped();
    let mut call = |number, arguments: &[u64]| stage.system_call(1, number, arguments, &[]);
    assert_eq!(call(libc::SYS_madvise, &[own, PAGE, libc::MADV_DONTNEED as u64]), 0);
    assert_eq!(call(libc::SYS_mprotect, &[own, PAGE, READ]), 0);
    let grown = call(libc::SYS_mremap, &[own + PAGE, PAGE, 64 * PAGE, libc::MREMAP_MAYMOVE as u64]) as u64;
    assert_eq!(call(libc::SYS_munmap, &[grown, 64 * PAGE]), 0);
    "done".into()
}

pub(crate) fn writable_code(stage: &mut Stage) -> String {
    let own = stage.mapped();
    let library = stage.open("/proc/self/exe", libc::O_RDONLY);
    let library = if library < 0 { stage.open(&own_path(), libc::O_RDONLY) } else { library } as u64;
    let code = stage.map([0, PAGE, READ | EXECUTE, PRIVATE, library, 0]);
    if code < 0 {
        return format!("code of a file: {code}");
    }
    let code = code as u64;
    let drop = stage.system_call(1, libc::SYS_madvise, &[code, PAGE, libc::MADV_DONTNEED as u64], &[]);
    let moved = (libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED) as u64;
    let remap = stage.system_call(1, libc::SYS_mremap, &[code, PAGE, PAGE, moved, own], &[]);
    let writable = stage.system_call(1, libc::SYS_mprotect, &[code, PAGE, READ | WRITE], &[]);
    assert_eq!(writable, 0, "code that is given up may be written");
    // By the filter, before the monitor is asked.
    let denied = libc::EPERM;
    wrong(vec![
        ("drop what was repaired", drop, libc::EPERM),
        ("move code", remap, libc::EPERM),
        (
            "back to code",
            stage.system_call(1, libc::SYS_mprotect, &[code, PAGE, READ | EXECUTE], &[]),
            denied,
        ),
        ("data to code", stage.system_call(1, libc::SYS_mprotect, &[own, PAGE, EXECUTE], &[]), denied),
        ("both at once", stage.map([0, PAGE, READ | WRITE | EXECUTE, ANONYMOUS, NOBODY, 0]), denied),
        ("code of no file", stage.map([0, PAGE, READ | EXECUTE, ANONYMOUS, NOBODY, 0]), denied),
        ("a file's, both", stage.map([0, PAGE, READ | WRITE | EXECUTE, PRIVATE, library, 0]), denied),
        ("a shared file's", stage.map([0, PAGE, READ | EXECUTE, SHARED, library, 0]), libc::EACCES),
    ])
}

fn own_path() -> String {
    std::env::current_exe().map_or_else(|_| String::new(), |path| path.display().to_string())
}

/// Landlock binds the domain, and not the monitor, which opens its descriptors again.
pub(crate) fn descriptors(stage: &mut Stage) -> String {
    let path = own_path();
    let readable = stage.open(&path, libc::O_RDONLY) as u64;
    let named = stage.open(&path, libc::O_PATH) as u64;
    wrong(vec![
        (
            "write what is open for reading",
            stage.map([0, PAGE, READ | WRITE, SHARED, readable, 0]),
            libc::EACCES,
        ),
        ("read what is only named", stage.map([0, PAGE, READ, PRIVATE, named, 0]), libc::EBADF),
        ("no descriptor", stage.map([0, PAGE, READ, PRIVATE, 999, 0]), libc::EBADF),
    ])
}
