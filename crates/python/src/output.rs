use std::marker::PhantomData;

/// Memory of the domain's outbox that a result or an error may be written to. Only what is written is
/// touched, so the range may be large and sparse.
#[derive(Debug, Clone, Copy)]
pub struct Output<'a> {
    start: *mut u8,
    capacity: usize,
    lent: PhantomData<&'a mut [u8]>,
}

impl<'a> Output<'a> {
    /// `capacity` bytes at `start`.
    ///
    /// # Safety
    /// The range is writable by this thread, and nothing else reads or writes it, for `'a`.
    pub unsafe fn new(start: *mut u8, capacity: usize) -> Output<'a> {
        Output { start, capacity, lent: PhantomData }
    }

    pub(crate) fn writer(self) -> Writer<'a> {
        Writer { output: self, len: 0 }
    }
}

impl<'a> From<&'a mut [u8]> for Output<'a> {
    fn from(bytes: &'a mut [u8]) -> Output<'a> {
        Output { start: bytes.as_mut_ptr(), capacity: bytes.len(), lent: PhantomData }
    }
}

/// The range is too small: the value takes at least this many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full {
    pub(crate) needed: usize,
}

/// Appends to an [`Output`].
pub(crate) struct Writer<'a> {
    output: Output<'a>,
    /// At most `output.capacity`; what lies below has been written.
    len: usize,
}

impl Writer<'_> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Full> {
        let needed = self.len.saturating_add(bytes.len());
        if needed > self.output.capacity {
            return Err(Full { needed });
        }
        // SAFETY: `len + bytes.len()` is within the capacity of memory that is ours by `Output`'s contract,
        // so `bytes` is not part of it.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.output.start.add(self.len), bytes.len())
        };
        self.len = needed;
        Ok(())
    }

    pub(crate) fn tag(&mut self, tag: u8) -> Result<(), Full> {
        self.write(&[tag])
    }

    /// A length in 32 bits and the text.
    pub(crate) fn text(&mut self, text: &[u8]) -> Result<(), Full> {
        let needed = self.len.saturating_add(text.len());
        let length = u32::try_from(text.len()).map_err(|_| Full { needed })?;
        self.write(&length.to_le_bytes())?;
        self.write(text)
    }

    /// A length in 64 bits and the bytes.
    pub(crate) fn long(&mut self, bytes: &[u8]) -> Result<(), Full> {
        self.write(&(bytes.len() as u64).to_le_bytes())?;
        self.write(bytes)
    }

    /// The head of an array or object whose count and length follow by [`Writer::close`].
    pub(crate) fn open(&mut self, tag: u8) -> Result<Opened, Full> {
        self.tag(tag)?;
        self.write(&[0; COUNT_AND_LENGTH])?;
        Ok(Opened { body: self.len })
    }

    pub(crate) fn close(&mut self, opened: &Opened, count: usize) -> Result<(), Full> {
        let count = u32::try_from(count).map_err(|_| Full { needed: self.len.saturating_add(count) })?;
        let length = (self.len - opened.body) as u64;
        let end = self.len;
        self.len = opened.body - COUNT_AND_LENGTH;
        self.write(&count.to_le_bytes())?;
        self.write(&length.to_le_bytes())?;
        self.len = end;
        Ok(())
    }
}

const COUNT_AND_LENGTH: usize = 4 + 8;

/// A container that is being written; its elements start at `body`.
pub(crate) struct Opened {
    body: usize,
}
