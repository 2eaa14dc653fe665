//! Memory calls of a domain, made on its behalf: checked against the owners, tagged with its key.
//!
//! Decided on the arguments alone, which the kernel copied from the caller's registers: never on memory that the caller can
//! change meanwhile.

use crate::keys::{self, Key};
use crate::owners::{DomainIndex, Owners};
use crate::sys;
use std::ops::Range;
use std::os::fd::AsRawFd;

/// A memory call, as the caller's registers have it.
#[derive(Clone, Copy, Debug)]
pub struct MemoryCall {
    pub number: i64,
    pub arguments: [u64; 6],
    /// The thread that called; its descriptors are meant.
    pub thread: i32,
}

type Errno = i32;

/// Highest address of a user process on x86-64 with four-level tables.
const TOP: usize = 1 << 47;

/// Makes `call` for domain `owner`. Returns what the system call returns, or its errno.
pub fn perform(call: &MemoryCall, owner: DomainIndex, key: Key, owners: &mut Owners) -> Result<i64, Errno> {
    let a = call.arguments.map(|argument| argument as usize);
    match call.number {
        libc::SYS_mmap => map(call, owner, key, owners),
        libc::SYS_munmap => {
            let range = own_range(a[0], a[1], owner, owners)?;
            raw(libc::SYS_munmap, [range.start, range.len(), 0, 0, 0, 0])?;
            owners.remove(range);
            Ok(0)
        }
        libc::SYS_mprotect => protect(a[0], a[1], a[2] as i32, owner, key, owners),
        libc::SYS_madvise => {
            let range = own_range(a[0], a[1], owner, owners)?;
            raw(libc::SYS_madvise, [range.start, range.len(), a[2], 0, 0, 0])
        }
        libc::SYS_mremap => remap(a, owner, owners),
        libc::SYS_brk => grow_base_heap(a[0]),
        _ => Err(libc::ENOSYS),
    }
}

fn raw(number: i64, a: [usize; 6]) -> Result<i64, Errno> {
    // SAFETY: the callers have checked that what changes belongs to the domain that asked, which nothing else relies on.
    let result = unsafe { libc::syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]) };
    if result == -1 {
        return Err(std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL));
    }
    Ok(result)
}

fn page_range(address: usize, len: usize) -> Result<Range<usize>, Errno> {
    let aligned = address.is_multiple_of(sys::PAGE) && len != 0 && len <= TOP;
    let end = address.checked_add(if aligned { sys::page_ceil(len) } else { return Err(libc::EINVAL) });
    match end {
        Some(end) if end <= TOP => Ok(address..end),
        _ => Err(libc::ENOMEM),
    }
}

fn own_range(address: usize, len: usize, owner: DomainIndex, owners: &Owners) -> Result<Range<usize>, Errno> {
    let range = page_range(address, len)?;
    if owners.owns(owner, &range) { Ok(range) } else { Err(libc::EPERM) }
}

/// Writable and executable at once is refused, and so is code that comes from no file.
fn map(call: &MemoryCall, owner: DomainIndex, key: Key, owners: &mut Owners) -> Result<i64, Errno> {
    let [address, len, prot, flags, fd, offset] = call.arguments.map(|argument| argument as usize);
    let (prot, flags) = (prot as i32, flags as i32);
    let fixed = flags & libc::MAP_FIXED != 0;
    let anonymous = flags & libc::MAP_ANONYMOUS != 0;
    let executable = prot & libc::PROT_EXEC != 0;
    if executable && (anonymous || prot & libc::PROT_WRITE != 0) {
        return Err(libc::EACCES);
    }
    if flags & (libc::MAP_GROWSDOWN | libc::MAP_HUGETLB) != 0 {
        return Err(libc::EPERM);
    }
    if fixed {
        own_range(address, len, owner, owners)?;
    }
    let shared = flags & libc::MAP_TYPE != libc::MAP_PRIVATE;
    let file = if anonymous {
        None
    } else {
        Some(open_descriptor(call.thread, fd as i32, shared && prot & libc::PROT_WRITE != 0)?)
    };
    let descriptor = file.as_ref().map_or(usize::MAX, |file| file.as_raw_fd() as usize);
    // Not accessible until it is tagged; code is readable by all and tagged by none.
    let first = if executable { prot } else { libc::PROT_NONE };
    let at = raw(libc::SYS_mmap, [address, len, first as usize, flags as usize, descriptor, offset])?;
    let range = at as usize..at as usize + sys::page_ceil(len);
    if !executable {
        // SAFETY: the range was just mapped for the domain.
        unsafe { sys::protect(range.start, range.len(), prot, Some(key)) }.map_err(|error| errno(&error))?;
    }
    owners.give(range, owner, !anonymous && !shared);
    Ok(at)
}

/// A descriptor of the calling thread, whose table is its own, opened again for us.
fn open_descriptor(thread: i32, fd: i32, write: bool) -> Result<std::fs::File, Errno> {
    if fd < 0 {
        return Err(libc::EBADF);
    }
    std::fs::OpenOptions::new()
        .read(true)
        .write(write)
        .open(format!("/proc/self/task/{thread}/fd/{fd}"))
        .map_err(
            |error| if error.kind() == std::io::ErrorKind::NotFound { libc::EBADF } else { errno(&error) },
        )
}

fn errno(error: &std::io::Error) -> Errno {
    error.raw_os_error().unwrap_or(libc::EINVAL)
}

fn protect(
    address: usize,
    len: usize,
    prot: i32,
    owner: DomainIndex,
    key: Key,
    owners: &Owners,
) -> Result<i64, Errno> {
    if prot & libc::PROT_EXEC != 0 || prot & !(libc::PROT_READ | libc::PROT_WRITE) != 0 {
        return Err(libc::EACCES);
    }
    if len == 0 {
        return Ok(0);
    }
    let range = own_range(address, len, owner, owners)?;
    // A library's data after relocation, first values of thread-local storage among it: the loader copies those for the new
    // threads of every domain. It cannot be written any more, and holds addresses, not what functions work on.
    let relocated = prot == libc::PROT_READ && owners.is_file(owner, &range);
    let key = if relocated { keys::DEFAULT } else { key };
    // SAFETY: the range belongs to the domain that asked.
    unsafe { sys::protect(range.start, range.len(), prot, Some(key)) }.map_err(|error| errno(&error))?;
    Ok(0)
}

fn remap(a: [usize; 6], owner: DomainIndex, owners: &mut Owners) -> Result<i64, Errno> {
    let [old, old_len, new_len, flags, new, _] = a;
    if flags & !(libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED) as usize != 0 {
        return Err(libc::EPERM);
    }
    let from = own_range(old, old_len, owner, owners)?;
    if flags & libc::MREMAP_FIXED as usize != 0 {
        own_range(new, new_len, owner, owners)?;
    }
    if new_len == 0 {
        return Err(libc::EINVAL);
    }
    let file = owners.is_file(owner, &from);
    let at = raw(libc::SYS_mremap, [old, from.len(), new_len, flags, new, 0])? as usize;
    owners.remove(from);
    owners.give(at..at + sys::page_ceil(new_len), owner, file);
    Ok(at as i64)
}

/// The loader allocates from the base libc's heap on any thread. It may grow; nobody may shrink it under the others.
fn grow_base_heap(wanted: usize) -> Result<i64, Errno> {
    let now = raw(libc::SYS_brk, [0; 6])?;
    if wanted <= now as usize {
        return Ok(now);
    }
    raw(libc::SYS_brk, [wanted, 0, 0, 0, 0, 0])
}
