//! A `/tmp` of a thread's own: a mount namespace in which a folder of its stands there.

use std::ffi::CStr;
use std::io;
use std::ptr::null;

/// Where every program expects to write.
const TEMPORARY: &CStr = c"/tmp";

/// Puts the calling thread into a mount namespace of its own. What is mounted in it is not seen outside.
fn part_mounts() -> io::Result<()> {
    // SAFETY: changes this thread's own namespace; the strings are C strings.
    unsafe {
        if libc::unshare(libc::CLONE_NEWNS) != 0
            || libc::mount(c"none".as_ptr(), c"/".as_ptr(), null(), libc::MS_REC | libc::MS_PRIVATE, null())
                != 0
        {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Lets the calling thread, and those it starts, see `folder` at `/tmp`.
pub(crate) fn stand_in(folder: &CStr) -> io::Result<()> {
    part_mounts()?;
    // SAFETY: changes this thread's own namespace; the strings are C strings.
    let mounted = unsafe { libc::mount(folder.as_ptr(), TEMPORARY.as_ptr(), null(), libc::MS_BIND, null()) };
    if mounted == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Whether this process may give its threads a `/tmp` each: as root, and where a container does not refuse it.
pub fn can_part_temporary() -> bool {
    // In a thread that ends, for there is no way back.
    std::thread::spawn(|| part_mounts().is_ok()).join().unwrap_or(false)
}
