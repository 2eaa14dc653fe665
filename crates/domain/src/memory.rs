//! Memory calls of a domain, made on its behalf: checked against the owners, tagged with its key.
//!
//! Decided on the arguments alone, which the kernel copied from the caller's registers: never on memory that the caller can
//! change meanwhile.

use crate::descriptor;
use crate::executable::{self, CodeError};
use crate::keys::{self, Key};
use crate::owners::{DomainIndex, Holds, Owners};
use crate::sys;
use crate::test_switch::without;
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
            advise(range, a[2] as i32, owners)
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
    if owners.owns(owner, &range) || without("monitor-owners") { Ok(range) } else { Err(libc::EPERM) }
}

/// Flags of `mmap` that say no more than where, and what happens to memory that nobody shares.
const MAP_FLAGS: i32 = libc::MAP_TYPE
    | libc::MAP_ANONYMOUS
    | libc::MAP_FIXED
    | libc::MAP_FIXED_NOREPLACE
    | libc::MAP_32BIT
    | libc::MAP_NORESERVE
    | libc::MAP_POPULATE
    | libc::MAP_NONBLOCK
    | libc::MAP_LOCKED
    | libc::MAP_STACK
    | libc::MAP_DENYWRITE
    | libc::MAP_EXECUTABLE;

const ACCESS: i32 = libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC;

/// Code that is writable, or that comes from no file, is refused: see [`executable`].
fn map(call: &MemoryCall, owner: DomainIndex, key: Key, owners: &mut Owners) -> Result<i64, Errno> {
    let [address, len, prot, flags, fd, offset] = call.arguments.map(|argument| argument as usize);
    let (prot, flags) = (prot as i32, flags as i32);
    let kind = flags & libc::MAP_TYPE;
    let anonymous = flags & libc::MAP_ANONYMOUS != 0;
    if prot & !ACCESS != 0 || ![libc::MAP_PRIVATE, libc::MAP_SHARED].contains(&kind) {
        return Err(libc::EINVAL);
    }
    if flags & !MAP_FLAGS != 0 {
        return Err(libc::EPERM);
    }
    if len == 0 || len > TOP || offset % sys::PAGE != 0 {
        return Err(libc::EINVAL);
    }
    let replaced =
        if flags & libc::MAP_FIXED != 0 { Some(own_range(address, len, owner, owners)?) } else { None };
    let shared = kind == libc::MAP_SHARED;
    let file = if anonymous {
        None
    } else {
        Some(descriptor::open(call.thread, fd as i32, shared).map_err(|error| errno(&error))?)
    };
    let mapped = match &file {
        _ if prot & libc::PROT_EXEC == 0 => map_data(call, file.as_ref(), prot, key),
        Some(file) if prot & libc::PROT_WRITE == 0 && !shared => {
            if flags & libc::MAP_FIXED_NOREPLACE != 0 {
                return Err(libc::EPERM);
            }
            let at = replaced.as_ref().map(|range| range.start);
            // SAFETY: what is replaced is the domain's own, and the owners are locked: nobody else maps code.
            unsafe { executable::map_code(file, offset as u64, len, at) }.map_err(|error| code_errno(&error))
        }
        _ if without("wx") => map_data(call, file.as_ref(), prot, keys::DEFAULT),
        _ => return Err(libc::EACCES),
    };
    let range = mapped.inspect_err(|_| {
        // A call that fails may have unmapped what it was to replace, and others may map there.
        replaced.into_iter().for_each(|range| owners.remove(range));
    })?;
    let holds = match (prot & libc::PROT_EXEC != 0, anonymous || shared) {
        (true, _) => Holds::Code,
        (false, true) => Holds::Memory,
        (false, false) => Holds::File,
    };
    let at = range.start as i64;
    owners.enter(range, owner, holds);
    Ok(at)
}

fn map_data(
    call: &MemoryCall,
    file: Option<&std::fs::File>,
    prot: i32,
    key: Key,
) -> Result<Range<usize>, Errno> {
    let [address, len, _, flags, _, offset] = call.arguments.map(|argument| argument as usize);
    let descriptor = file.map_or(usize::MAX, |file| file.as_raw_fd() as usize);
    // Not accessible until it is tagged.
    let at = raw(libc::SYS_mmap, [address, len, libc::PROT_NONE as usize, flags, descriptor, offset])?;
    let range = at as usize..at as usize + sys::page_ceil(len);
    // SAFETY: the range was just mapped for the domain.
    let tagged = unsafe { sys::protect(range.start, range.len(), prot, Some(key)) };
    tagged.map_err(|error| {
        // SAFETY: as above; nobody was told of it.
        unsafe { sys::unmap(range.start, range.len()) };
        errno(&error)
    })?;
    Ok(range)
}

fn code_errno(error: &CodeError) -> Errno {
    match error {
        CodeError::System(error) => errno(error),
        CodeError::NoRoom => libc::ENOMEM,
        CodeError::NotAFile | CodeError::WritesRights { .. } | CodeError::AtJoin(_) => libc::EACCES,
    }
}

fn errno(error: &std::io::Error) -> Errno {
    error.raw_os_error().unwrap_or(libc::EINVAL)
}

/// Nothing becomes executable that was not when it was mapped: what was scanned then may have been written since.
fn protect(
    address: usize,
    len: usize,
    prot: i32,
    owner: DomainIndex,
    key: Key,
    owners: &Owners,
) -> Result<i64, Errno> {
    let allowed = if without("wx") { ACCESS } else { libc::PROT_READ | libc::PROT_WRITE };
    if prot & !allowed != 0 {
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

/// Advice that changes no contents.
const KEEPS: &[i32] = &[
    libc::MADV_NORMAL,
    libc::MADV_RANDOM,
    libc::MADV_SEQUENTIAL,
    libc::MADV_WILLNEED,
    libc::MADV_HUGEPAGE,
    libc::MADV_NOHUGEPAGE,
    libc::MADV_DONTDUMP,
    libc::MADV_COLD,
    libc::MADV_PAGEOUT,
    libc::MADV_POPULATE_READ,
    libc::MADV_POPULATE_WRITE,
];
/// Advice by which pages lose what was written to them. On code it would bring back what the file has.
const DROPS: &[i32] = &[libc::MADV_DONTNEED, libc::MADV_FREE];

/// Of the advice left out, `MADV_MERGEABLE` tells what others have in memory, `MADV_REMOVE` changes the file, and no function's
/// libraries use the rest.
fn advise(range: Range<usize>, advice: i32, owners: &Owners) -> Result<i64, Errno> {
    let allowed = KEEPS.contains(&advice) || DROPS.contains(&advice) && !owners.has_code(&range);
    if !allowed {
        return Err(libc::EPERM);
    }
    raw(libc::SYS_madvise, [range.start, range.len(), advice as usize, 0, 0, 0])
}

/// Code stays where it was scanned: elsewhere it has other neighbours.
fn remap(a: [usize; 6], owner: DomainIndex, owners: &mut Owners) -> Result<i64, Errno> {
    let [old, old_len, new_len, flags, new, _] = a;
    if flags & !(libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED) as usize != 0 {
        return Err(libc::EPERM);
    }
    let from = own_range(old, old_len, owner, owners)?;
    let fixed = flags & libc::MREMAP_FIXED as usize != 0;
    let replaced = if fixed { Some(own_range(new, new_len, owner, owners)?) } else { None };
    if owners.has_code(&from) {
        return Err(libc::EPERM);
    }
    if new_len == 0 || new_len > TOP {
        return Err(libc::EINVAL);
    }
    let file = owners.is_file(owner, &from);
    let at = raw(libc::SYS_mremap, [old, from.len(), new_len, flags, new, 0]).inspect_err(|_| {
        // As in `map`.
        replaced.into_iter().for_each(|range| owners.remove(range));
    })? as usize;
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
