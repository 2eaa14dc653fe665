//! A domain's descriptor, opened again by the monitor, which has no table in common with it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;

/// What a descriptor may be used for, as `/proc/…/fdinfo` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rights {
    inode: u64,
    mount: u64,
    readable: bool,
    writable: bool,
}

/// Opens what descriptor `fd` of `thread` is open on, to be mapped: to be written only if `shared` and the domain may write it.
///
/// Opening by way of `/proc` asks for the rights of the monitor, which no policy binds; what the domain itself has opened for
/// reading, or by name only (`O_PATH`), it must not be given to write, or to read. The domain can put another file in the
/// descriptor's place meanwhile. So the file is opened first, and the descriptor asked afterwards, in one read of the kernel's, whether
/// it is open on that very file and for what.
pub(crate) fn open(thread: i32, fd: i32, shared: bool) -> io::Result<File> {
    let bad = || io::Error::from_raw_os_error(libc::EBADF);
    let denied = || io::Error::from_raw_os_error(libc::EACCES);
    if fd < 0 {
        return Err(bad());
    }
    let path = format!("/proc/self/task/{thread}/fd/{fd}");
    let info = || std::fs::read_to_string(format!("/proc/self/task/{thread}/fdinfo/{fd}")).map_err(|_| bad());
    let wanted = parse(&info()?).ok_or_else(bad)?;
    let write = shared && wanted.writable;
    // Without waiting: a pipe's other end may never come.
    let file = OpenOptions::new()
        .read(true)
        .write(write)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)
        .map_err(|error| if error.kind() == io::ErrorKind::NotFound { bad() } else { error })?;
    let has = parse(&info()?).ok_or_else(bad)?;
    let ours = std::fs::read_to_string(format!("/proc/thread-self/fdinfo/{}", file.as_raw_fd()))?;
    // Compared as the kernel prints both: what `fstat` says of an overlay is another number.
    if parse(&ours).is_none_or(|ours| (ours.inode, ours.mount) != (has.inode, has.mount)) {
        return Err(bad());
    }
    if !has.readable || write && !has.writable {
        return Err(denied());
    }
    Ok(file)
}

/// `None` for a descriptor that stands for a name only.
fn parse(info: &str) -> Option<Rights> {
    let field =
        |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim));
    let flags = i32::from_str_radix(field("flags")?, 8).ok()?;
    let mode = flags & libc::O_ACCMODE;
    (flags & libc::O_PATH == 0).then_some(Rights {
        inode: field("ino")?.parse().ok()?,
        mount: field("mnt_id")?.parse().ok()?,
        readable: mode == libc::O_RDONLY || mode == libc::O_RDWR,
        writable: mode == libc::O_WRONLY || mode == libc::O_RDWR,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(file: &File, shared: bool) -> Result<File, Option<i32>> {
        // SAFETY: asks for the caller's number.
        open(unsafe { libc::gettid() }, file.as_raw_fd(), shared).map_err(|error| error.raw_os_error())
    }

    #[test]
    fn what_is_open_for_reading_is_not_opened_for_writing() {
        use std::io::Write;
        let path = std::env::temp_dir().join(format!("faastlane-descriptor-{}", std::process::id()));
        std::fs::write(&path, b"text").unwrap();
        let readable = again(&File::open(&path).unwrap(), true).unwrap();
        assert_eq!((&readable).write(b"x").unwrap_err().raw_os_error(), Some(libc::EBADF));
        let both = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        (&again(&both, true).unwrap()).write_all(b"more").unwrap();
        assert!((&again(&both, false).unwrap()).write(b"x").is_err());
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn what_the_domain_cannot_read_is_not_opened() {
        let path = std::env::temp_dir().join(format!("faastlane-unreadable-{}", std::process::id()));
        let written = OpenOptions::new().write(true).create(true).truncate(true).open(&path).unwrap();
        assert_eq!(again(&written, false).unwrap_err(), Some(libc::EACCES));
        let named = OpenOptions::new().read(true).custom_flags(libc::O_PATH).open(&path).unwrap();
        assert_eq!(again(&named, false).unwrap_err(), Some(libc::EBADF));
        std::fs::remove_file(&path).unwrap();
    }
}
