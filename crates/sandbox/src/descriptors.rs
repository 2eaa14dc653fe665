//! Descriptors of the whole process, by their numbers.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

/// Takes over a descriptor that this process inherited, and that nothing else in it closes.
///
/// Fails when it is not an open descriptor.
pub fn inherited(number: i32) -> io::Result<OwnedFd> {
    // SAFETY: asks about a number.
    if unsafe { libc::fcntl(number, libc::F_GETFD) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: open, and the caller's alone.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Writes to a descriptor that somebody else holds.
pub fn write_log(number: i32, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: the kernel reads the bytes, and says so where there is no such descriptor.
    match unsafe { libc::write(number, bytes.as_ptr().cast(), bytes.len()) } {
        written @ 0.. => Ok(written as usize),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Closes all descriptors of this process but the standard streams and `kept`, whoever holds them: for a copy of a process, in
/// which they are those of the original.
pub fn close_others(kept: &[i32]) -> io::Result<()> {
    let mut kept: Vec<u32> = kept.iter().filter_map(|&number| u32::try_from(number).ok()).collect();
    kept.sort_unstable();
    let mut first = 3;
    for number in kept.into_iter().filter(|&number| number >= 3).chain([u32::MAX]) {
        // The last range ends with the highest number there can be.
        let last = if number == u32::MAX { number } else { number - 1 };
        if first <= last {
            // SAFETY: in the copy nobody uses the others' descriptors.
            if unsafe { libc::syscall(libc::SYS_close_range, first, last, 0u32) } != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        first = number.saturating_add(1);
    }
    Ok(())
}
