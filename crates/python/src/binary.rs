//! Bytes and numpy's arrays, where a workflow lets its functions send them.

use std::ffi::CStr;

use faastlane_payload::flat::Ndarray;

use crate::object::{Object, Python, Raised};

const SOURCE: &CStr = match CStr::from_bytes_with_nul(concat!(include_str!("binary.py"), "\0").as_bytes()) {
    Ok(source) => source,
    Err(_) => panic!("it has no zero in it"),
};

/// What `binary.py` defines for us, under the same names.
pub(crate) struct Binary<'a> {
    plain: Object<'a>,
    room_for: Object<'a>,
    revived: Object<'a>,
}

impl<'a> Binary<'a> {
    pub(crate) fn load(python: Python<'a>) -> Result<Binary<'a>, Raised> {
        let names = python.run(SOURCE, c"<faastlane>", c"_faastlane_binary")?;
        Ok(Binary {
            plain: names.named(c"plain")?,
            room_for: names.named(c"room_for")?,
            revived: names.named(c"revived")?,
        })
    }

    /// What is to be written of an object: None if it is neither, an object with a buffer for bytes, or a tuple of dtype, shape
    /// and an object with a buffer for an array. Raises for an array that cannot be sent.
    pub(crate) fn plain(&self, object: &Object<'a>) -> Result<Object<'a>, Raised> {
        self.plain.call([object.clone()])
    }

    /// The array itself: the function's own copy of `sent`, which it may change.
    pub(crate) fn array(&self, python: Python<'a>, sent: Ndarray<'_>) -> Result<Object<'a>, Raised> {
        let shape = python.list(sent.shape().len())?;
        for (at, dimension) in sent.shape().enumerate() {
            // One that does not fit becomes negative, which numpy refuses.
            shape.set_element(at, python.integer(dimension.cast_signed())?)?;
        }
        let array = self.room_for.call([python.text(sent.dtype.as_bytes())?, shape])?;
        array.writable_buffer()?.fill(sent.data)?;
        Ok(array)
    }

    /// What a dict of Extended JSON stands for.
    pub(crate) fn revived(&self, dict: Object<'a>) -> Result<Object<'a>, Raised> {
        self.revived.call([dict])
    }
}

/// Whether an object with this key alone is Extended JSON.
pub(crate) fn is_extended_json(key: &[u8]) -> bool {
    key == b"$binary" || key == b"$ndarray"
}
