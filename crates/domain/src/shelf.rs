//! Where large results lie while an execution is under way: memory that the orchestrator shares with the supervisor, and with no
//! domain. A result is copied there once, when it is taken out of the domain's reach; the journal only says where it is.
//!
//! The supervisor's process owns the memory, so what was put there before the instance died can still be read.

use crate::mapping::{Mapping, trusted_key};
use crate::sys;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How many results it holds. A workflow that holds more large ones at a time has the others copied into the journal.
const SLOTS: usize = 8;
/// Bytes of a slot. What is larger goes into the journal, too: memory for it would be kept for nothing most of the time.
const SLOT: usize = 4 << 20;

/// Bytes of the file a shelf lives in. Pages are taken when they are written.
pub const SHELF_LEN: usize = sys::PAGE + SLOTS * SLOT;

/// The first page: for each slot, whether the supervisor is yet to read it.
#[repr(C)]
struct Words {
    unread: [AtomicU32; SLOTS],
}

#[derive(Debug)]
struct Memory(Mapping);

impl Memory {
    fn open(file: BorrowedFd<'_>) -> io::Result<Self> {
        Ok(Self(Mapping::shared(file, SHELF_LEN, trusted_key())?))
    }

    fn words(&self) -> &Words {
        // SAFETY: the page is mapped as long as `self`, was zero at first, and holds only atomics.
        unsafe { &*(self.0.address() as *const Words) }
    }

    fn slot(&self, number: usize) -> usize {
        self.0.address() + sys::PAGE + number * SLOT
    }
}

/// The orchestrator's side.
#[derive(Debug)]
pub struct Shelf {
    memory: Memory,
    /// The one that was used last is the last: its pages are there, and near.
    free: Mutex<Vec<usize>>,
}

impl Shelf {
    pub fn open(file: BorrowedFd<'_>) -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self { memory: Memory::open(file)?, free: Mutex::new((0..SLOTS).rev().collect()) }))
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Vec<usize>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves what lies there to the supervisor, too, which is to read it from now on: see [`ShelfReader::read`].
    pub fn share(&self, place: ShelfPlace) {
        self.memory.words().unread[place.slot as usize].store(1, Ordering::Release);
    }

    /// A copy of `len` bytes at `address`, which is memory of ours that a domain may write to; none where there is no room.
    pub(crate) fn put(self: &Arc<Self>, address: usize, len: usize) -> Option<Shelved> {
        if len > SLOT {
            return None;
        }
        let mut free = self.free();
        let is_read = |number: &usize| self.memory.words().unread[*number].load(Ordering::Acquire) == 0;
        let last = free.iter().rposition(is_read)?;
        let number = free.remove(last);
        drop(free);
        // SAFETY: the slot is nobody's, and long enough; a raw copy, since a domain may write there at the same time, and whatever
        // bytes result are checked by whoever decodes them.
        unsafe {
            std::ptr::copy_nonoverlapping(address as *const u8, self.memory.slot(number) as *mut u8, len)
        };
        Some(Shelved { shelf: Arc::clone(self), number, len })
    }
}

/// A result that lies there. Its place is free again when this is dropped and the supervisor has read it.
#[derive(Debug)]
pub struct Shelved {
    shelf: Arc<Shelf>,
    number: usize,
    len: usize,
}

impl Shelved {
    pub fn place(&self) -> ShelfPlace {
        ShelfPlace { slot: self.number as u32, len: self.len as u32 }
    }
}

impl AsRef<[u8]> for Shelved {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the slot is mapped as long as the shelf, was written up to `len`, and nobody writes to it before it is free.
        unsafe { std::slice::from_raw_parts(self.shelf.memory.slot(self.number) as *const u8, self.len) }
    }
}

impl Drop for Shelved {
    fn drop(&mut self) {
        self.shelf.free().push(self.number);
    }
}

/// Where on the shelf something lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShelfPlace {
    pub slot: u32,
    /// In bytes.
    pub len: u32,
}

/// The supervisor's side.
#[derive(Debug)]
pub struct ShelfReader(Memory);

impl ShelfReader {
    pub fn open(file: BorrowedFd<'_>) -> io::Result<Self> {
        Ok(Self(Memory::open(file)?))
    }

    /// Takes a copy of what lies there, once; none where nothing can lie.
    pub fn read(&self, place: ShelfPlace) -> Option<Vec<u8>> {
        let (number, len) = (place.slot as usize, place.len as usize);
        if number >= SLOTS || len > SLOT {
            return None;
        }
        let mut copy = Vec::with_capacity(len);
        // SAFETY: the range is in the slot, which is mapped as long as `self`, and the vector has room for it; a raw copy, since the
        // other process can write there.
        unsafe {
            std::ptr::copy_nonoverlapping(self.0.slot(number) as *const u8, copy.as_mut_ptr(), len);
            copy.set_len(len);
        }
        self.0.words().unread[number].store(0, Ordering::Release);
        Some(copy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::shared_file;
    use std::os::fd::AsFd;

    fn put(shelf: &Arc<Shelf>, bytes: &[u8]) -> Option<Shelved> {
        shelf.put(bytes.as_ptr() as usize, bytes.len())
    }

    #[test]
    fn a_slot_is_free_when_both_sides_have_done_with_it() {
        let file = shared_file(c"shelf", SHELF_LEN).unwrap();
        let (shelf, reader) = (Shelf::open(file.as_fd()).unwrap(), ShelfReader::open(file.as_fd()).unwrap());
        let first = put(&shelf, b"first").unwrap();
        let place = first.place();
        shelf.share(place);
        drop(first);
        let second = put(&shelf, b"second").unwrap();
        assert_ne!(second.place().slot, place.slot, "the first is not read yet");
        assert_eq!(reader.read(place).as_deref(), Some(&b"first"[..]));
        let third = put(&shelf, b"third").unwrap();
        assert_eq!((third.place().slot, third.as_ref()), (place.slot, &b"third"[..]));
        assert_eq!(second.as_ref(), b"second");
    }

    #[test]
    fn what_has_no_room_is_not_taken() {
        let file = shared_file(c"shelf", SHELF_LEN).unwrap();
        let shelf = Shelf::open(file.as_fd()).unwrap();
        assert!(put(&shelf, &vec![1; SLOT + 1]).is_none());
        let all: Vec<Shelved> = (0..SLOTS).map(|_| put(&shelf, &[7; SLOT]).unwrap()).collect();
        assert!(put(&shelf, b"more").is_none());
        drop(all);
        assert!(put(&shelf, b"more").is_some());
        let reader = ShelfReader::open(file.as_fd()).unwrap();
        for (slot, len) in [(SLOTS as u32, 1), (0, SLOT as u32 + 1), (u32::MAX, u32::MAX)] {
            assert_eq!(reader.read(ShelfPlace { slot, len }), None);
        }
    }
}
