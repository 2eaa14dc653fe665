//! What JSON has no form for: bytes, and arrays as numpy holds them. Where a payload meets JSON, they are objects with one
//! member, as in MongoDB's Extended JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// How deep `{"$binary": {"base64": …}}` nests.
pub const BYTES_DEPTH: usize = 2;
/// How deep `{"$ndarray": {"shape": […], …}}` nests.
pub const NDARRAY_DEPTH: usize = 3;

/// More than numpy itself takes.
const MAX_DIMENSIONS: usize = 64;

/// An array as numpy holds it, where it lies in a flat form. It has been checked that there is what the shape claims.
#[derive(Clone, Copy, Debug)]
pub struct Ndarray<'a> {
    /// The type of the elements, as `numpy.dtype.str` spells it: `<f8`.
    pub dtype: &'a str,
    /// A `u64` each.
    dimensions: &'a [[u8; 8]],
    /// The elements in C order.
    pub data: &'a [u8],
}

impl<'a> Ndarray<'a> {
    /// Reads what follows the tag and the length in bytes; `None` if it is damaged.
    pub fn read(body: &'a [u8]) -> Option<Ndarray<'a>> {
        let (length, body) = body.split_first_chunk()?;
        let (dtype, body) = body.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let dtype = std::str::from_utf8(dtype).ok()?;
        let (&dimensions, body) = body.split_first()?;
        if usize::from(dimensions) > MAX_DIMENSIONS {
            return None;
        }
        let (dimensions, data) = body.split_at_checked(usize::from(dimensions) * 8)?;
        let (dimensions, _) = dimensions.as_chunks();
        let array = Ndarray { dtype, dimensions, data };
        (array.claimed_length()? == data.len() as u64).then_some(array)
    }

    pub fn shape(self) -> impl ExactSizeIterator<Item = u64> + 'a {
        self.dimensions.iter().map(|dimension| u64::from_le_bytes(*dimension))
    }

    fn claimed_length(self) -> Option<u64> {
        self.shape().try_fold(element_length(self.dtype)?, u64::checked_mul)
    }
}

/// Bytes of one element of a type that is plain data: a byte order, a kind, a size, and the unit of a time.
fn element_length(dtype: &str) -> Option<u64> {
    let rest = dtype.strip_prefix(['<', '>', '|'])?;
    let kind = rest.chars().next().filter(|kind| "biufcmMSU".contains(*kind))?;
    let rest = &rest[1..];
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (size, unit) = rest.split_at(digits);
    let is_unit = |unit: &str| {
        let unit = unit.strip_prefix('[').and_then(|unit| unit.strip_suffix(']'));
        unit.is_some_and(|unit| unit.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    };
    if !(unit.is_empty() || "mM".contains(kind) && is_unit(unit)) {
        return None;
    }
    let characters = size.parse::<u64>().ok().filter(|size| *size > 0)?;
    characters.checked_mul(if kind == 'U' { 4 } else { 1 })
}

pub(super) fn bytes_to_json(bytes: &[u8]) -> Value {
    json!({ "$binary": { "base64": STANDARD.encode(bytes) } })
}

pub(super) fn ndarray_to_json(array: Ndarray<'_>) -> Value {
    json!({ "$ndarray": {
        "dtype": array.dtype,
        "shape": array.shape().collect::<Vec<_>>(),
        "base64": STANDARD.encode(array.data),
    } })
}
