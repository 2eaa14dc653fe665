//! Which CPUs threads run on. A hand-over between two threads costs least when both are on one.

use std::io;

/// A set of CPUs.
#[derive(Clone, Copy)]
pub struct Cpus(libc::cpu_set_t);

impl Cpus {
    /// Those that the calling thread may run on.
    pub fn allowed() -> io::Result<Self> {
        // SAFETY: a zeroed set is valid, and the kernel fills it up to the size given.
        unsafe {
            let mut set: libc::cpu_set_t = std::mem::zeroed();
            match libc::sched_getaffinity(0, size_of_val(&set), &mut set) {
                0 => Ok(Self(set)),
                _ => Err(io::Error::last_os_error()),
            }
        }
    }

    /// The one that the calling thread runs on.
    pub fn current() -> io::Result<Self> {
        // SAFETY: a zeroed set is the empty one, and the kernel numbers CPUs below CPU_SETSIZE on all machines we know.
        unsafe {
            let mut one: libc::cpu_set_t = std::mem::zeroed();
            match usize::try_from(libc::sched_getcpu()) {
                Ok(cpu) if cpu < libc::CPU_SETSIZE as usize => libc::CPU_SET(cpu, &mut one),
                _ => return Err(io::Error::last_os_error()),
            }
            Ok(Self(one))
        }
    }

    /// Lets `thread` (0 is the caller) run on these. A thread that has ended is no error worth telling.
    pub fn assign(&self, thread: i32) {
        // SAFETY: the kernel copies the set.
        unsafe { libc::sched_setaffinity(thread, size_of_val(&self.0), &self.0) };
    }
}
