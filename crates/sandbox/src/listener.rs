//! The monitor's end of a filter: calls that wait for an answer.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

#[repr(C)]
#[derive(Default)]
struct Notification {
    id: u64,
    thread: u32,
    flags: u32,
    number: i32,
    architecture: u32,
    instruction_pointer: u64,
    arguments: [u64; 6],
}

#[repr(C)]
struct Response {
    id: u64,
    value: i64,
    error: i32,
    flags: u32,
}

const RECEIVE: libc::c_ulong = 0xc050_2100;
const SEND: libc::c_ulong = 0xc018_2101;
const SET_FLAGS: libc::c_ulong = 0x4008_2104;
const SYNC_WAKE_UP: u64 = 1;
const CONTINUE: u32 = 1;

/// A system call of a confined thread, whose caller waits.
#[derive(Clone, Copy, Debug)]
pub struct AskedCall {
    id: u64,
    /// In the monitor's own numbering of threads.
    pub thread: i32,
    pub number: i64,
    pub arguments: [u64; 6],
}

#[derive(Debug)]
pub struct Listener(OwnedFd);

impl Listener {
    /// Takes over a descriptor that [`crate::Confinement::enter`] handed out.
    ///
    /// Fails when it is not an open descriptor.
    pub fn from_handed_over(descriptor: i32) -> io::Result<Self> {
        // SAFETY: asks about a number.
        if unsafe { libc::fcntl(descriptor, libc::F_GETFD) } < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: open, made for us by the thread that enters its confinement, which closes its own copy.
        let listener = Self(unsafe { OwnedFd::from_raw_fd(descriptor) });
        // The waker and the woken usually share a CPU; kernels before 6.6 do not know the hint, and do without.
        // SAFETY: takes a number.
        unsafe { libc::ioctl(listener.0.as_raw_fd(), SET_FLAGS, SYNC_WAKE_UP) };
        Ok(listener)
    }

    /// The next call. `None` when the caller went away before we looked.
    pub fn receive(&self) -> io::Result<Option<AskedCall>> {
        let mut notification = Notification::default();
        // SAFETY: the kernel fills a structure of this layout, which must be zero before.
        if unsafe { libc::ioctl(self.0.as_raw_fd(), RECEIVE, &raw mut notification) } != 0 {
            let error = io::Error::last_os_error();
            return match error.raw_os_error() {
                Some(libc::ENOENT | libc::EINTR) => Ok(None),
                _ => Err(error),
            };
        }
        Ok(Some(AskedCall {
            id: notification.id,
            thread: notification.thread as i32,
            number: i64::from(notification.number),
            arguments: notification.arguments,
        }))
    }

    /// Lets the caller go on, as if its system call had returned `result` (a value, or an errno).
    pub fn answer(&self, call: &AskedCall, result: Result<i64, i32>) {
        let (value, error) = match result {
            Ok(value) => (value, 0),
            Err(errno) => (0, -errno),
        };
        self.send(&Response { id: call.id, value, error, flags: 0 });
    }

    /// Lets the kernel make the call after all. Not for decisions on security: arguments in memory may have changed.
    pub fn let_through(&self, call: &AskedCall) {
        self.send(&Response { id: call.id, value: 0, error: 0, flags: CONTINUE });
    }

    fn send(&self, response: &Response) {
        // SAFETY: the kernel reads a structure of this layout. It fails only when the caller is gone, and then nobody waits.
        unsafe { libc::ioctl(self.0.as_raw_fd(), SEND, std::ptr::from_ref(response)) };
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
