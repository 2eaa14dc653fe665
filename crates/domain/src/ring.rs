//! A byte ring between two processes: one writes messages, the other reads them, nobody makes a system call unless it has to
//! sleep or the other does.
//!
//! The reader's process owns the memory, so what was written before the writer died can still be read.

use crate::mapping::{Mapping, trusted_key};
use crate::sys;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
use std::time::Duration;

const DATA_AT: usize = sys::PAGE;
/// More than a large payload, so that who writes one seldom waits for the reader.
const CAPACITY: usize = 2 << 20;

/// How long a writer sleeps at most before it looks again whether there is room.
const FULL: Duration = Duration::from_millis(2);

/// Bytes of the file a ring lives in.
pub const RING_LEN: usize = DATA_AT + CAPACITY;

#[repr(C)]
struct Words {
    /// Bytes ever written, and ever read.
    written: AtomicU64,
    read: AtomicU64,
    /// Counts what the reader should wake up for, and what the writer should.
    reader_bell: AtomicU32,
    writer_bell: AtomicU32,
    writer_sleeps: AtomicU32,
}

#[derive(Debug)]
struct Ring {
    memory: Mapping,
}

impl Ring {
    fn open(file: BorrowedFd<'_>) -> io::Result<Self> {
        Ok(Self { memory: Mapping::shared(file, RING_LEN, trusted_key())? })
    }

    fn words(&self) -> &Words {
        // SAFETY: the page is mapped as long as `self`, was zero at first, and holds only atomics.
        unsafe { &*(self.memory.address() as *const Words) }
    }

    /// Where byte number `position` is, and how many follow it before the ring wraps.
    fn place(&self, position: u64) -> (*mut u8, usize) {
        let at = (position % CAPACITY as u64) as usize;
        ((self.memory.address() + DATA_AT + at) as *mut u8, CAPACITY - at)
    }
}

/// The writing end.
#[derive(Debug)]
pub struct RingWriter {
    ring: Ring,
}

impl RingWriter {
    pub fn open(file: BorrowedFd<'_>) -> io::Result<Self> {
        Ok(Self { ring: Ring::open(file)? })
    }

    /// Writes a message of any length. Sleeps while the ring is full and the reader has not caught up. Does not wake the
    /// reader unless it must: see [`Self::ring`].
    pub fn write(&mut self, message: &[u8]) {
        self.write_waking(message, &|| true);
    }

    /// The same for a reader that sleeps on something else as well, or that waits for something the writer has to do: `wake`
    /// is called, too, whenever the ring is full, and again from time to time as long as it is. It tells whether there still is a
    /// reader: without one the rest is not written, and nothing is to be written any more.
    pub fn write_waking(&mut self, message: &[u8], wake: &dyn Fn() -> bool) {
        if self.put(&(message.len() as u64).to_le_bytes(), wake) {
            self.put(message, wake);
        }
    }

    /// Begins a message of `len` bytes, which follow with [`Self::part`].
    pub fn begin(&mut self, len: usize) {
        self.part(&(len as u64).to_le_bytes());
    }

    /// The next bytes of a message that was begun.
    pub fn part(&mut self, bytes: &[u8]) {
        self.put(bytes, &|| true);
    }

    fn put(&mut self, mut bytes: &[u8], wake: &dyn Fn() -> bool) -> bool {
        let words = self.ring.words();
        let mut written = words.written.load(Ordering::Relaxed);
        while !bytes.is_empty() {
            let rings = words.writer_bell.load(Ordering::Acquire);
            let room = CAPACITY - (written - words.read.load(Ordering::Acquire)) as usize;
            if room == 0 {
                words.writer_sleeps.store(1, Ordering::SeqCst);
                fence(Ordering::SeqCst);
                if written - words.read.load(Ordering::SeqCst) == CAPACITY as u64 {
                    self.ring();
                    if !wake() {
                        return false;
                    }
                    sys::futex_wait(&words.writer_bell, rings, Some(FULL));
                }
                continue;
            }
            let (at, contiguous) = self.ring.place(written);
            let len = bytes.len().min(room).min(contiguous);
            // SAFETY: `len` bytes from `at` are inside the ring, and the reader has finished with them.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), at, len) };
            written += len as u64;
            words.written.store(written, Ordering::Release);
            bytes = &bytes[len..];
        }
        true
    }

    /// Wakes the reader.
    pub fn ring(&self) {
        let words = self.ring.words();
        words.reader_bell.fetch_add(1, Ordering::Release);
        sys::futex_wake(&words.reader_bell);
    }
}

/// What is in a ring was not put there by a writer of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingDamaged;

/// The reading end. Whoever can write the other process's memory can write anything into the ring: no place and no length in it is
/// believed.
#[derive(Debug)]
pub struct RingReader {
    ring: Ring,
    /// Longest message, in bytes.
    longest: usize,
    /// What was taken out of the ring and not yet read begins at `next`.
    taken: Vec<u8>,
    next: usize,
}

/// Bytes that are taken out at once when so many are there: small messages come many at a time.
const TAKE: usize = 32 << 10;

/// Bytes of the length in front of a message.
const HEAD: usize = size_of::<u64>();

impl RingReader {
    /// Messages of more than `longest` bytes are damage.
    pub fn open(file: BorrowedFd<'_>, longest: usize) -> io::Result<Self> {
        Ok(Self { ring: Ring::open(file)?, longest, taken: Vec::new(), next: 0 })
    }

    /// The next whole message.
    ///
    /// # Errors
    /// There is something else. Nothing is to be read any more.
    pub fn read(&mut self) -> Result<Option<&[u8]>, RingDamaged> {
        loop {
            let there = &self.taken[self.next..];
            let len = there.first_chunk().map(|head| u64::from_le_bytes(*head));
            let whole = match len {
                Some(len) if len > self.longest as u64 => return Err(RingDamaged),
                Some(len) => HEAD.saturating_add(len as usize),
                None => HEAD,
            };
            if len.is_some() && there.len() >= whole {
                let message = self.next + HEAD..self.next + whole;
                self.next += whole;
                return Ok(Some(&self.taken[message]));
            }
            let missing = whole - there.len();
            if !self.take(missing.max(TAKE))? {
                return Ok(None);
            }
        }
    }

    /// Takes out what is there; false if nothing is.
    fn take(&mut self, at_most: usize) -> Result<bool, RingDamaged> {
        let words = self.ring.words();
        let read = words.read.load(Ordering::Relaxed);
        let there = words.written.load(Ordering::Acquire).wrapping_sub(read);
        if there == 0 {
            return Ok(false);
        }
        if there > CAPACITY as u64 {
            return Err(RingDamaged);
        }
        let there = there as usize;
        self.taken.drain(..std::mem::take(&mut self.next));
        if self.taken.is_empty() {
            // Room for a large message is not kept.
            self.taken.shrink_to(2 * TAKE);
        }
        let (at, contiguous) = self.ring.place(read);
        let len = at_most.min(there).min(contiguous);
        let start = self.taken.len();
        self.taken.reserve(len);
        // SAFETY: `len` bytes from `at` are inside the ring and written; the vector has room for them.
        unsafe {
            std::ptr::copy_nonoverlapping(at, self.taken.as_mut_ptr().add(start), len);
            self.taken.set_len(start + len);
        }
        words.read.store(read.wrapping_add(len as u64), Ordering::SeqCst);
        fence(Ordering::SeqCst);
        if words.writer_sleeps.swap(0, Ordering::SeqCst) != 0 {
            words.writer_bell.fetch_add(1, Ordering::Release);
            sys::futex_wake(&words.writer_bell);
        }
        Ok(true)
    }

    /// Sleeps until the writer rings, or for `timeout`. `rings` is from before the last look.
    pub fn wait(&self, rings: u32, timeout: Duration) {
        sys::futex_wait(&self.ring.words().reader_bell, rings, Some(timeout));
    }

    /// How often the writer rang.
    pub fn rings(&self) -> u32 {
        self.ring.words().reader_bell.load(Ordering::Acquire)
    }
}

/// Memory that two processes can share, of `len` bytes, all zero. It can be made no shorter: who reads what another has cut off
/// dies of it.
pub fn shared_file(name: &std::ffi::CStr, len: usize) -> io::Result<std::fs::File> {
    use std::os::fd::{AsRawFd, FromRawFd};
    // SAFETY: the name is a C string; the descriptor is new and ours.
    let file = unsafe {
        let descriptor = libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING);
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        std::fs::File::from_raw_fd(descriptor)
    };
    file.set_len(len as u64)?;
    // SAFETY: sets what may be done with a file of ours.
    match unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, libc::F_SEAL_SHRINK | libc::F_SEAL_SEAL) }
    {
        0 => Ok(file),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn messages_arrive_whole_and_in_order_even_when_longer_than_the_ring() {
        let file = shared_file(c"ring", RING_LEN).unwrap();
        let mut reader = RingReader::open(file.as_fd(), usize::MAX).unwrap();
        let mut writer = RingWriter::open(file.as_fd()).unwrap();
        let lengths = [0, 1, 7, 8, 4096, 3 * CAPACITY + 5, 2, CAPACITY];
        let message = |len: usize| (0..len).map(|i| (i * 31 + len) as u8).collect::<Vec<_>>();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..3 {
                    lengths.iter().for_each(|&len| writer.write(&message(len)));
                    for len in lengths {
                        writer.begin(len);
                        message(len).chunks(5000).for_each(|part| writer.part(part));
                    }
                }
                writer.ring();
            });
            for len in (0..6).flat_map(|_| lengths) {
                let got = loop {
                    let rings = reader.rings();
                    match reader.read().unwrap() {
                        Some(got) => break got.to_vec(),
                        None => reader.wait(rings, Duration::from_millis(1)),
                    }
                };
                assert!(got == message(len), "a message of {len} bytes came out different");
            }
        });
        assert_eq!(reader.read(), Ok(None));
    }

    #[test]
    fn no_place_and_no_length_is_believed() {
        let message = [7; 100];
        let damage: [&dyn Fn(&Words); 4] = [
            &|words| words.written.store(u64::MAX, Ordering::Relaxed),
            &|words| words.read.store(u64::MAX, Ordering::Relaxed),
            &|words| words.read.store(1 << 40, Ordering::Relaxed),
            &|words| words.written.store(CAPACITY as u64 + 109, Ordering::Relaxed),
        ];
        for damage in damage {
            let file = shared_file(c"ring", RING_LEN).unwrap();
            let mut reader = RingReader::open(file.as_fd(), 100).unwrap();
            let mut writer = RingWriter::open(file.as_fd()).unwrap();
            writer.write(&message);
            assert_eq!(reader.read(), Ok(Some(&message[..])));
            damage(writer.ring.words());
            assert_eq!(reader.read(), Err(RingDamaged));
        }
        for len in [101, 1 << 32, u64::MAX - 7, u64::MAX] {
            let file = shared_file(c"ring", RING_LEN).unwrap();
            let mut reader = RingReader::open(file.as_fd(), 100).unwrap();
            RingWriter::open(file.as_fd()).unwrap().part(&len.to_le_bytes());
            assert_eq!(reader.read(), Err(RingDamaged), "{len}");
        }
    }

    #[test]
    fn what_is_shared_cannot_be_cut_off() {
        let file = shared_file(c"ring", RING_LEN).unwrap();
        assert!(file.set_len(0).is_err());
    }
}
