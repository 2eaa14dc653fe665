//! The system calls this crate makes, one thin function each.
//!
//! Futexes here are never `FUTEX_PRIVATE`: a mailbox may be shared with a domain in another process.

use crate::keys::Key;
use std::ffi::c_void;
use std::io;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

pub(crate) const PAGE: usize = 4096;

pub(crate) fn page_ceil(len: usize) -> usize {
    len.next_multiple_of(PAGE)
}

fn check(result: libc::c_long) -> io::Result<usize> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result as usize) }
}

/// `pkey_alloc(2)`: the calling thread gets full access to the new key.
pub(crate) fn pkey_alloc() -> io::Result<u32> {
    // SAFETY: pkey_alloc takes two numbers and touches no memory.
    check(unsafe { libc::syscall(libc::SYS_pkey_alloc, 0, 0) }).map(|key| key as u32)
}

/// `pkey_free(2)`.
pub(crate) fn pkey_free(key: u32) -> io::Result<()> {
    // SAFETY: pkey_free takes a number and touches no memory.
    check(unsafe { libc::syscall(libc::SYS_pkey_free, key) }).map(drop)
}

/// `pkey_mprotect(2)`, or `mprotect(2)` where there is no key.
///
/// # Safety
/// The caller owns `[address, address + len)`, and nothing relies on the protection it had.
pub(crate) unsafe fn protect(address: usize, len: usize, prot: i32, key: Option<Key>) -> io::Result<()> {
    let result = match key {
        // SAFETY: as the caller promises.
        Some(key) => unsafe {
            libc::syscall(libc::SYS_pkey_mprotect, address, len, prot, u32::from(key.number()))
        },
        // SAFETY: as the caller promises.
        None => unsafe { libc::syscall(libc::SYS_mprotect, address, len, prot) },
    };
    check(result).map(drop)
}

/// `mmap(2)`, without `MAP_FIXED`.
pub(crate) fn map(len: usize, prot: i32, flags: i32, fd: i32) -> io::Result<usize> {
    map_from(len, prot, flags, fd, 0)
}

/// The same, of a file from `offset` on.
pub(crate) fn map_from(len: usize, prot: i32, flags: i32, fd: i32, offset: usize) -> io::Result<usize> {
    assert!(flags & (libc::MAP_FIXED | libc::MAP_FIXED_NOREPLACE) == 0);
    // SAFETY: without MAP_FIXED the kernel picks a range that nothing uses.
    check(unsafe { libc::syscall(libc::SYS_mmap, 0usize, len, prot, flags, fd, offset) })
}

/// `mmap(2)` of private memory at `address`, not accessible yet. Fails where something is there already.
pub(crate) fn map_at(address: usize, len: usize) -> io::Result<usize> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED_NOREPLACE;
    // SAFETY: nothing that is mapped is replaced.
    check(unsafe { libc::syscall(libc::SYS_mmap, address, len, libc::PROT_NONE, flags, -1, 0usize) })
}

/// `mmap(2)` of a shared file over what is at `address`, not accessible yet.
///
/// # Safety
/// The caller owns the range.
pub(crate) unsafe fn map_over(address: usize, len: usize, fd: i32) -> io::Result<usize> {
    let flags = libc::MAP_SHARED | libc::MAP_NORESERVE | libc::MAP_FIXED;
    // SAFETY: as the caller promises.
    check(unsafe { libc::syscall(libc::SYS_mmap, address, len, libc::PROT_NONE, flags, fd, 0usize) })
}

/// `mremap(2)` of a whole mapping to `to`.
///
/// # Safety
/// The caller owns the mapping, and what is at `to` may be replaced.
pub(crate) unsafe fn move_to(from: usize, len: usize, to: usize) -> io::Result<()> {
    let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
    // SAFETY: as the caller promises.
    check(unsafe { libc::syscall(libc::SYS_mremap, from, len, len, flags, to) }).map(drop)
}

/// `munmap(2)`.
///
/// # Safety
/// Nothing uses the range any more.
pub(crate) unsafe fn unmap(address: usize, len: usize) {
    // SAFETY: as the caller promises; a failure leaves the range mapped, which wastes it and no more.
    unsafe { libc::munmap(address as *mut c_void, len) };
}

/// Where this process has a limit of its writable memory (`RLIMIT_DATA`): lets it have so many bytes more, if it may.
pub(crate) fn raise_data_limit(bytes: usize) -> io::Result<()> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel fills the structure, and reads it.
    unsafe {
        check(libc::getrlimit(libc::RLIMIT_DATA, &mut limit).into())?;
        if limit.rlim_cur == libc::RLIM_INFINITY {
            return Ok(());
        }
        limit.rlim_cur = limit.rlim_cur.saturating_add(bytes as u64).min(limit.rlim_max);
        check(libc::setrlimit(libc::RLIMIT_DATA, &limit).into()).map(drop)
    }
}

/// Puts the calling thread, and those it starts, under a system-call filter.
pub(crate) fn filter(program: &[libc::sock_filter]) -> io::Result<()> {
    let filter = libc::sock_fprog { len: program.len() as u16, filter: program.as_ptr().cast_mut() };
    let pointer = std::ptr::from_ref(&filter);
    // SAFETY: the kernel copies the program during the call.
    check(unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, pointer) }).map(drop)
}

/// Sleeps while `word` holds `seen`, at most `timeout`. Returns early at a wake-up, a signal, or for no reason.
pub(crate) fn futex_wait(word: &AtomicU32, seen: u32, timeout: Option<Duration>) {
    let spec = timeout.map(|timeout| libc::timespec {
        tv_sec: timeout.as_secs() as libc::time_t,
        tv_nsec: libc::c_long::from(timeout.subsec_nanos()),
    });
    let spec = spec.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the word lives as long as the borrow; the timeout is null or points at a local.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, seen, spec, 0usize, 0u32) };
}

/// Wakes one thread that sleeps on `word`.
pub(crate) fn futex_wake(word: &AtomicU32) {
    // SAFETY: FUTEX_WAKE only uses the address, which is valid for the borrow.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, 1, 0usize, 0usize, 0u32) };
}

/// Nanoseconds of `CLOCK_MONOTONIC`, comparable between the processes of a host.
pub fn monotonic_nanos() -> u64 {
    let mut spec = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a local of the right type; CLOCK_MONOTONIC always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut spec) };
    spec.tv_sec as u64 * 1_000_000_000 + spec.tv_nsec as u64
}
