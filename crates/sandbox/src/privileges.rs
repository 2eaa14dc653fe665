//! Privileges that no domain has: capabilities, and a process that others may look into.

use std::io;

const VERSION_3: u32 = 0x2008_0522;

#[repr(C)]
struct Header {
    version: u32,
    thread: i32,
}

/// Takes every capability from the calling thread and those it starts, root's among them.
pub(crate) fn drop_capabilities() -> io::Result<()> {
    // SAFETY: each changes the calling thread only; the kernel reads the structures during the call.
    unsafe {
        for capability in 0..64 {
            // Without the right to drop them there is none to gain either: no program adds any after `no_new_privs`.
            if libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 {
                break;
            }
        }
        libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
        let none = [0u32; 6];
        let header = Header { version: VERSION_3, thread: 0 };
        if libc::syscall(libc::SYS_capset, &raw const header, none.as_ptr()) != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Keeps the memory of this process out of core dumps and out of reach of its user's other processes.
pub fn close_process() -> io::Result<()> {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: attributes of the process; the kernel reads the structure during the call.
    let results = unsafe {
        [libc::setrlimit(libc::RLIMIT_CORE, &none), libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0)]
    };
    if results == [0, 0] { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Ends all processes of a group: those that a function started go with the process that it was in.
pub fn end_group(group: u32) {
    if let Ok(group @ 2..) = i32::try_from(group) {
        // SAFETY: sends a signal. It fails when nobody is left.
        unsafe { libc::kill(-group, libc::SIGKILL) };
    }
}

/// Whether a thread may have descriptors and a working directory of its own here. Containers can forbid it.
pub fn can_part_descriptors() -> bool {
    // SAFETY: changes the tables of a thread that does nothing else.
    let part = || unsafe { libc::unshare(libc::CLONE_FS | libc::CLONE_FILES) } == 0;
    std::thread::spawn(part).join().unwrap_or(false)
}

/// Whether a thread here can give up what capabilities it has, so that none is left to it.
pub fn can_drop_capabilities() -> bool {
    // In a thread that ends, for there is no way back.
    let drop = || drop_capabilities().is_ok() && holds_none().unwrap_or(false);
    std::thread::spawn(drop).join().unwrap_or(false)
}

/// Whether the calling thread has no capability, neither in force nor to be had.
fn holds_none() -> io::Result<bool> {
    let mut held = [u32::MAX; 6];
    let header = Header { version: VERSION_3, thread: 0 };
    // SAFETY: asks about the calling thread; the kernel fills the six words that this version has.
    let asked = unsafe { libc::syscall(libc::SYS_capget, &raw const header, held.as_mut_ptr()) };
    if asked == 0 { Ok(held == [0; 6]) } else { Err(io::Error::last_os_error()) }
}
