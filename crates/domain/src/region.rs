//! Regions: runs of pages that large payloads live in, and whose ownership moves with them.
//!
//! A domain encodes its result into a region that carries its key. The orchestrator re-tags the region to the trusted key,
//! and, when the payload goes on, to the key of the receiver: the bytes never move, and the sender has lost them in hardware.
//! A region that nobody holds is zero, all of it.

use crate::keys::Key;
use crate::mapping::{Mapping, trusted_key};
use crate::sys;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Where regions come from and go back to.
#[derive(Clone, Debug)]
pub struct RegionPool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    region_len: usize,
    free: Mutex<Vec<Mapping>>,
}

impl RegionPool {
    /// Every region is `region_len` bytes of address space; memory is taken as it is used.
    pub fn new(region_len: usize) -> Self {
        Self(Arc::new(Shared { region_len, free: Mutex::new(Vec::new()) }))
    }

    /// A region on the trusted key, all zero.
    pub(crate) fn take(&self) -> io::Result<Region> {
        let free = self.0.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mapping = match free {
            Some(mapping) => mapping,
            None => {
                // A limit of the process's memory is there for what functions ask for. This is reserved, and taken as payloads
                // need it.
                sys::raise_data_limit(self.0.region_len)?;
                Mapping::private(self.0.region_len, trusted_key())?
            }
        };
        Ok(Region { mapping: Some(mapping), used: 0, pool: self.clone() })
    }
}

/// A region that the orchestrator holds: on the trusted key, with a payload in its first `used` bytes.
#[derive(Debug)]
pub struct Region {
    /// `None` only while it is dropped.
    mapping: Option<Mapping>,
    used: usize,
    pool: RegionPool,
}

impl Region {
    fn mapping(&self) -> &Mapping {
        self.mapping.as_ref().expect("a region keeps its mapping until it is dropped")
    }

    pub(crate) fn address(&self) -> usize {
        self.mapping().address()
    }

    pub(crate) fn len(&self) -> usize {
        self.mapping().len()
    }

    /// Copies `bytes` to the start of the region.
    pub(crate) fn fill(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() > self.len() {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        // SAFETY: the region is on the trusted key, ours alone, and long enough.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.address() as *mut u8, bytes.len()) };
        self.used = bytes.len();
        Ok(())
    }

    /// Gives the region to a domain.
    pub(crate) fn lend(self, key: Option<Key>) -> io::Result<LentRegion> {
        self.mapping().tag(key)?;
        Ok(LentRegion { region: Some(self) })
    }
}

impl AsRef<[u8]> for Region {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the first `used` bytes are mapped, initialised, on the trusted key, and nobody else can write them.
        unsafe { std::slice::from_raw_parts(self.address() as *const u8, self.used) }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        if let Some(mapping) = self.mapping.take() {
            mapping.wipe(self.used);
            self.pool.0.free.lock().unwrap_or_else(PoisonError::into_inner).push(mapping);
        }
    }
}

/// A region that carries a domain's key at the moment. The orchestrator does not read it.
#[derive(Debug)]
pub(crate) struct LentRegion {
    /// `None` only while it is given back.
    region: Option<Region>,
}

impl LentRegion {
    fn region(&self) -> &Region {
        self.region.as_ref().expect("a lent region is there until it is taken back")
    }

    pub(crate) fn address(&self) -> usize {
        self.region().address()
    }

    pub(crate) fn len(&self) -> usize {
        self.region().len()
    }

    /// Takes the region back, with what the domain left in its first `used` bytes; what it left behind them is gone.
    pub(crate) fn take_back(mut self, used: usize) -> io::Result<Region> {
        let mut region = self.region.take().expect("a lent region is there until it is taken back");
        region.mapping().tag(trusted_key())?;
        region.used = used.min(region.len());
        region.mapping().drop_behind(region.used);
        Ok(region)
    }
}

impl Drop for LentRegion {
    fn drop(&mut self) {
        let Some(mut region) = self.region.take() else { return };
        if region.mapping().tag(trusted_key()).is_err() {
            // It still carries the domain's key, so nobody else may have it: leave it where it is.
            region.mapping = None;
            return;
        }
        region.mapping().drop_behind(region.used);
    }
}

/// Copies `len` bytes at `address` out, and zeroes them there.
pub(crate) fn copy_out(address: usize, len: usize) -> Box<[u8]> {
    let copy = copy_of(address, len);
    // SAFETY: as in `copy_of`.
    unsafe { std::ptr::write_bytes(address as *mut u8, 0, len) };
    copy
}

/// Copies `len` bytes at `address`, where they stay.
pub(crate) fn copy_of(address: usize, len: usize) -> Box<[u8]> {
    let mut copy = Vec::with_capacity(len);
    // SAFETY: the callers give ranges of memory that is theirs and mapped for good; raw copies, since a domain may write
    // there at the same time, and whatever bytes result are checked by whoever decodes them.
    unsafe {
        std::ptr::copy_nonoverlapping(address as *const u8, copy.as_mut_ptr(), len);
        copy.set_len(len);
    }
    copy.into_boxed_slice()
}
