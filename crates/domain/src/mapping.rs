//! Memory of our own from `mmap`, and whose key it carries.

use crate::keys::{self, Key};
use crate::sys;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// A mapping that this value owns: readable, writable, never executable, zero at first.
#[derive(Debug)]
pub(crate) struct Mapping {
    address: usize,
    len: usize,
}

impl Mapping {
    /// Private memory with `key`. Pages are taken when they are touched.
    pub(crate) fn private(len: usize, key: Option<Key>) -> io::Result<Self> {
        Self::new(len, key, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE, -1, 0)
    }

    /// Like [`Mapping::private`], at `address`, where nothing may be yet.
    pub(crate) fn at(address: usize, len: usize, key: Option<Key>) -> io::Result<Self> {
        let len = sys::page_ceil(len);
        let mapping = Self { address: sys::map_at(address, len)?, len };
        mapping.tag(key)?;
        Ok(mapping)
    }

    /// The first `len` bytes of a file that other processes map too.
    pub(crate) fn shared(file: BorrowedFd<'_>, len: usize, key: Option<Key>) -> io::Result<Self> {
        Self::shared_from(file, 0, len, key)
    }

    /// `len` bytes of such a file from `offset` on, a multiple of the page's size.
    pub(crate) fn shared_from(
        file: BorrowedFd<'_>,
        offset: usize,
        len: usize,
        key: Option<Key>,
    ) -> io::Result<Self> {
        Self::new(len, key, libc::MAP_SHARED | libc::MAP_NORESERVE, file.as_raw_fd(), offset)
    }

    /// Maps as much of another shared file in its place. No thread may use it meanwhile.
    pub(crate) fn replace(&self, file: BorrowedFd<'_>, key: Option<Key>) -> io::Result<()> {
        // SAFETY: the mapping is ours; whoever uses it does so through addresses, which stay.
        unsafe { sys::map_over(self.address, self.len, file.as_raw_fd())? };
        self.tag(key)
    }

    fn new(len: usize, key: Option<Key>, flags: i32, fd: i32, offset: usize) -> io::Result<Self> {
        let len = sys::page_ceil(len);
        // Not readable until it is tagged: no domain may see it in between.
        let address = sys::map_from(len, libc::PROT_NONE, flags, fd, offset)?;
        let mapping = Self { address, len };
        mapping.tag(key)?;
        Ok(mapping)
    }

    pub(crate) fn address(&self) -> usize {
        self.address
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Gives the whole mapping to `key`. Without a key (where the processor has none) nothing changes hands.
    pub(crate) fn tag(&self, key: Option<Key>) -> io::Result<()> {
        // SAFETY: the mapping is ours, and stays readable and writable.
        unsafe { sys::protect(self.address, self.len, libc::PROT_READ | libc::PROT_WRITE, key) }
    }

    /// Makes the lowest page fault, so that a stack that overflows stops there.
    pub(crate) fn guard_lowest_page(&self) -> io::Result<()> {
        // SAFETY: the mapping is ours, and nothing uses its lowest page yet.
        unsafe { sys::protect(self.address, sys::PAGE, libc::PROT_NONE, None) }
    }

    /// Zeroes `[0, used)` and gives everything behind it back to the kernel, which makes it zero too.
    pub(crate) fn wipe(&self, used: usize) {
        /// Beyond this, fresh pages are cheaper than memory kept in case it is needed again.
        const KEEP: usize = 4 << 20;
        let used = used.min(self.len);
        let kept = if used > KEEP { 0 } else { used };
        // SAFETY: the mapping is ours, and the calling thread may touch its key; `kept` is within it.
        unsafe { std::ptr::write_bytes(self.address as *mut u8, 0, kept) };
        self.drop_behind(kept);
    }

    /// Makes everything behind the first `used` bytes zero.
    pub(crate) fn drop_behind(&self, used: usize) {
        let end_of_page = sys::page_ceil(used);
        // SAFETY: inside the mapping, which is ours; the calling thread may touch its key.
        unsafe { std::ptr::write_bytes((self.address + used) as *mut u8, 0, end_of_page - used) };
        if end_of_page < self.len {
            // SAFETY: as above. MADV_DONTNEED on private anonymous memory reads as zero afterwards.
            unsafe {
                libc::madvise(
                    (self.address + end_of_page) as *mut _,
                    self.len - end_of_page,
                    libc::MADV_DONTNEED,
                )
            };
        }
    }

    /// Leaves the memory mapped for as long as the process lives.
    pub(crate) fn leak(self) -> usize {
        let address = self.address;
        std::mem::forget(self);
        address
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and whoever could use it borrowed this value.
        unsafe { sys::unmap(self.address, self.len) };
    }
}

/// The key new trusted memory carries: the trusted threads' own, once there is one.
pub(crate) fn trusted_key() -> Option<Key> {
    keys::trusted()
}
