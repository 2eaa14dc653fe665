use faastlane_payload::MAX_DEPTH;
use faastlane_payload::flat::tag;

use crate::keys::Keys;
use crate::number::{Grammar, grammar};
use crate::object::{Object, Python, Raised};

/// Makes the object of a flat form. Raises when it is damaged, too deep, or too large for memory.
///
/// The bytes may come from another domain as they are: lengths are checked, and what a count reserves is
/// bounded by the bytes that are there.
pub(crate) fn decode<'a>(
    python: Python<'a>,
    keys: &mut Keys<'a>,
    bytes: &[u8],
) -> Result<Object<'a>, Raised> {
    let mut input = Input { python, rest: bytes };
    let object = input.value(keys, 0)?;
    input.end()?;
    Ok(object)
}

struct Input<'a, 'b> {
    python: Python<'a>,
    rest: &'b [u8],
}

impl<'a, 'b> Input<'a, 'b> {
    #[cold]
    fn damaged(&self) -> Raised {
        self.python.value_error(c"damaged payload")
    }

    fn take(&mut self, length: usize) -> Result<&'b [u8], Raised> {
        match self.rest.split_at_checked(length) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(self.damaged()),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Raised> {
        match self.rest.split_first_chunk::<N>() {
            Some((array, rest)) => {
                self.rest = rest;
                Ok(*array)
            }
            None => Err(self.damaged()),
        }
    }

    fn text(&mut self) -> Result<&'b [u8], Raised> {
        let length = u32::from_le_bytes(self.array()?);
        self.take(length as usize)
    }

    fn end(&self) -> Result<(), Raised> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.damaged()) }
    }

    fn value(&mut self, keys: &mut Keys<'a>, depth: usize) -> Result<Object<'a>, Raised> {
        let python = self.python;
        let [tag] = self.array()?;
        match tag {
            tag::NULL => Ok(python.none()),
            tag::FALSE => Ok(python.bool(false)),
            tag::TRUE => Ok(python.bool(true)),
            tag::INTEGER => python.integer(i64::from_le_bytes(self.array()?)),
            tag::FLOAT => match f64::from_le_bytes(self.array()?) {
                float if float.is_finite() => python.float(float),
                _ => Err(self.damaged()),
            },
            tag::NUMBER => {
                let text = self.text()?;
                match grammar(text) {
                    Grammar::Integer => python.integer_of(&python.text(text)?),
                    Grammar::Decimal => python.float_of(&python.text(text)?),
                    Grammar::None => Err(self.damaged()),
                }
            }
            tag::STRING => python.text(self.text()?),
            tag::ARRAY => {
                let (count, mut body) = self.body(depth, 1)?;
                let list = python.list(count)?;
                for index in 0..count {
                    list.set_element(index, body.value(keys, depth + 1)?)?;
                }
                body.end()?;
                Ok(list)
            }
            tag::OBJECT => {
                let (count, mut body) = self.body(depth, 5)?;
                let dict = python.dict()?;
                for _ in 0..count {
                    let key = body.text()?;
                    let value = body.value(keys, depth + 1)?;
                    dict.set_member(keys.get(python, key)?, &value)?;
                }
                body.end()?;
                Ok(dict)
            }
            _ => Err(self.damaged()),
        }
    }

    /// The count of a container's elements, each of which takes `least` bytes, and the bytes they lie in.
    fn body(&mut self, depth: usize, least: usize) -> Result<(usize, Input<'a, 'b>), Raised> {
        if depth == MAX_DEPTH {
            return Err(self.python.recursion_error(c"arrays and objects nest deeper than 1000 levels"));
        }
        let count = u32::from_le_bytes(self.array()?) as usize;
        let length = u64::from_le_bytes(self.array()?);
        let rest = self.take(usize::try_from(length).map_err(|_| self.damaged())?)?;
        if count > rest.len() / least {
            return Err(self.damaged());
        }
        Ok((count, Input { python: self.python, rest }))
    }
}
