//! Memory that an object shows (PEP 3118), pinned while it is looked at.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use crate::api::Api;
use crate::object::{PyObject, Python, Raised};

/// `Py_buffer`, the same in every CPython from 3.3 on, and part of the stable ABI from 3.11 on.
#[repr(C)]
pub(crate) struct PyBuffer {
    start: *mut c_void,
    owner: *mut PyObject,
    length: isize,
    item_size: isize,
    is_read_only: c_int,
    dimensions: c_int,
    format: *mut c_char,
    shape: *mut isize,
    strides: *mut isize,
    suboffsets: *mut isize,
    internal: *mut c_void,
}

/// Bytes in a row.
pub(crate) struct Buffer<'a> {
    python: Python<'a>,
    api: &'a Api,
    raw: PyBuffer,
}

const SIMPLE: c_int = 0;
const WRITABLE: c_int = 1;

impl<'a> Buffer<'a> {
    /// Raises when the object has none, or its bytes lie apart, or they may not be written where that is wanted.
    ///
    /// # Safety
    /// `object` is alive, and `api` is `python`'s.
    pub(crate) unsafe fn of(
        python: Python<'a>,
        api: &'a Api,
        object: *mut PyObject,
        writable: bool,
    ) -> Result<Buffer<'a>, Raised> {
        let null = ptr::null_mut();
        let mut raw = PyBuffer {
            start: null,
            owner: ptr::null_mut(),
            length: 0,
            item_size: 0,
            is_read_only: 0,
            dimensions: 0,
            format: ptr::null_mut(),
            shape: ptr::null_mut(),
            strides: ptr::null_mut(),
            suboffsets: ptr::null_mut(),
            internal: null,
        };
        // SAFETY: the object is alive, as the caller promises, and `Python` says that the lock is held. It may be moved
        // after: only the shape and strides of what is filled in, which were not asked for, could point into itself.
        let status = unsafe {
            (api.PyObject_GetBuffer)(object, &raw mut raw, if writable { WRITABLE } else { SIMPLE })
        };
        if status < 0 { Err(Raised) } else { Ok(Buffer { python, api, raw }) }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        if self.raw.length == 0 {
            return &[];
        }
        // SAFETY: without flags that ask for more, a buffer is `length` bytes in a row, pinned until it is released. The lock
        // is held meanwhile and no code of Python runs, so nobody else writes to them, unless native code of the function
        // does so without the lock: that garbles its own result.
        unsafe { std::slice::from_raw_parts(self.raw.start.cast(), self.raw.length.cast_unsigned()) }
    }

    /// Writes over all of it; raises when `bytes` are not as many. For one that was asked to be writable.
    pub(crate) fn fill(&self, bytes: &[u8]) -> Result<(), Raised> {
        if self.raw.is_read_only != 0 || self.raw.length.cast_unsigned() != bytes.len() {
            return Err(self.python.value_error(c"damaged payload"));
        }
        // SAFETY: it is writable and as long as `bytes`, which come from a payload and are no part of it.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.raw.start.cast(), bytes.len()) };
        Ok(())
    }
}

impl Drop for Buffer<'_> {
    fn drop(&mut self) {
        // SAFETY: it was filled in by `PyObject_GetBuffer` and is released once; the lock is held.
        unsafe { (self.api.PyBuffer_Release)(&raw mut self.raw) };
    }
}
