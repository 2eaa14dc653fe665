use faastlane_payload::MAX_DEPTH;
use faastlane_payload::flat::{BYTES_DEPTH, NDARRAY_DEPTH, Ndarray, tag};

use crate::binary::{Binary, is_extended_json};
use crate::keys::Keys;
use crate::number::{Grammar, grammar};
use crate::object::{Object, Python, Raised};
use crate::shapes::{Member, Shape, Shapes};

/// In a payload of fewer bytes it is not worth while to look for objects that are alike.
const FEW: usize = 256;

/// Makes the object of a flat form. Raises when it is damaged, too deep, or too large for memory.
///
/// The bytes may come from another domain as they are: lengths are checked, and what a count reserves is
/// bounded by the bytes that are there. Without `binary`, bytes and arrays are damage.
pub(crate) fn decode<'a>(
    python: Python<'a>,
    keys: &mut Keys<'a>,
    binary: Option<&Binary<'a>>,
    bytes: &[u8],
) -> Result<Object<'a>, Raised> {
    let mut input = Input { python, rest: bytes };
    let mut shapes = if bytes.len() < FEW { None } else { Some(Shapes::new()) };
    let object = input.value(&mut Known { keys, shapes: shapes.as_mut(), binary }, 0)?;
    input.end()?;
    Ok(object)
}

/// What need not be made again.
struct Known<'k, 'a, 'b> {
    keys: &'k mut Keys<'a>,
    shapes: Option<&'k mut Shapes<'a, 'b>>,
    /// If there may be any, what makes bytes and arrays.
    binary: Option<&'k Binary<'a>>,
}

impl<'a, 'b> Known<'_, 'a, 'b> {
    /// Of the last object at this depth.
    fn shape(&mut self, depth: usize) -> Option<&mut Shape<'a, 'b>> {
        self.shapes.as_mut()?.at(depth)
    }
}

#[derive(Clone, Copy)]
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

    fn value(&mut self, known: &mut Known<'_, 'a, 'b>, depth: usize) -> Result<Object<'a>, Raised> {
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
                    list.set_element(index, body.value(known, depth + 1)?)?;
                }
                body.end()?;
                Ok(list)
            }
            tag::OBJECT => {
                let (count, body) = self.body(depth, 5)?;
                let dict = match body.like_the_last(known, depth, count)? {
                    Some(dict) => dict,
                    None => body.object(known, depth, count)?,
                };
                match known.binary {
                    Some(binary) if count == 1 && body.begins_extended_json() => binary.revived(dict),
                    _ => Ok(dict),
                }
            }
            tag::BYTES | tag::NDARRAY => match known.binary {
                Some(binary) => self.binary(binary, tag, depth),
                None => Err(self.damaged()),
            },
            _ => Err(self.damaged()),
        }
    }

    /// Bytes or an array, behind the tag.
    fn binary(&mut self, binary: &Binary<'a>, tag: u8, depth: usize) -> Result<Object<'a>, Raised> {
        let length = u64::from_le_bytes(self.array()?);
        let body = self.take(usize::try_from(length).map_err(|_| self.damaged())?)?;
        let levels = if tag == tag::BYTES { BYTES_DEPTH } else { NDARRAY_DEPTH };
        if depth + levels > MAX_DEPTH {
            return Err(self.too_deep());
        }
        if tag == tag::BYTES {
            return self.python.bytes(body);
        }
        binary.array(self.python, Ndarray::read(body).ok_or_else(|| self.damaged())?)
    }

    /// Whether the first key of the members `self` is stands for something else than a dict.
    fn begins_extended_json(mut self) -> bool {
        self.rest.get(4) == Some(&b'$') && self.text().is_ok_and(is_extended_json)
    }

    fn too_deep(&self) -> Raised {
        self.python.recursion_error(c"arrays and objects nest deeper than 1000 levels")
    }

    /// The object whose members `self` is.
    fn object(
        mut self,
        known: &mut Known<'_, 'a, 'b>,
        depth: usize,
        count: usize,
    ) -> Result<Object<'a>, Raised> {
        let python = self.python;
        let dict = python.dict()?;
        for at in 0..count {
            let key = self.text()?;
            let (value, form) = self.value_and_form(known, depth + 1)?;
            let string = known.keys.get(python, key)?;
            dict.set_member(string, &value)?;
            if let Some(shape) = known.shapes.as_mut().and_then(|shapes| shapes.at(depth)) {
                shape.set_member(at, Member { key, string: string.clone(), value: form });
            }
        }
        self.end()?;
        if let Some(shape) = known.shape(depth) {
            shape.set_last(&dict, count);
        }
        Ok(dict)
    }

    /// The same, made of a copy of the last object on its level; none where their keys differ. A copy makes neither room for
    /// members nor what both have: half the time.
    fn like_the_last(
        mut self,
        known: &mut Known<'_, 'a, 'b>,
        depth: usize,
        count: usize,
    ) -> Result<Option<Object<'a>>, Raised> {
        let last = known.shape(depth).and_then(|shape| shape.last(count));
        let Some(dict) = last.map(Object::dict_copy).transpose()? else { return Ok(None) };
        for at in 0..count {
            let key = self.text()?;
            let last = known.shape(depth).and_then(|shape| shape.member(at));
            let Some(last) = last.filter(|last| last.key == key) else { return Ok(None) };
            if !last.value.is_empty() && self.rest.starts_with(last.value) {
                self.rest = &self.rest[last.value.len()..];
                continue;
            }
            let (value, form) = self.value_and_form(known, depth + 1)?;
            let Some(last) = known.shape(depth).and_then(|shape| shape.member(at)) else { return Ok(None) };
            dict.set_member(&last.string, &value)?;
            last.value = form;
        }
        self.end()?;
        if let Some(shape) = known.shape(depth) {
            shape.set_last(&dict, count);
        }
        Ok(Some(dict))
    }

    /// The next value, and its bytes if it cannot be changed.
    fn value_and_form(
        &mut self,
        known: &mut Known<'_, 'a, 'b>,
        depth: usize,
    ) -> Result<(Object<'a>, &'b [u8]), Raised> {
        let before = self.rest;
        let value = self.value(known, depth)?;
        let form = match before.first() {
            Some(&(tag::ARRAY | tag::OBJECT | tag::NDARRAY)) | None => &[],
            Some(_) => &before[..before.len() - self.rest.len()],
        };
        Ok((value, form))
    }

    /// The count of a container's elements, each of which takes `least` bytes, and the bytes they lie in.
    fn body(&mut self, depth: usize, least: usize) -> Result<(usize, Input<'a, 'b>), Raised> {
        if depth == MAX_DEPTH {
            return Err(self.too_deep());
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
