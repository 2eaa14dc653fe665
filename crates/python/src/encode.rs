use faastlane_payload::MAX_DEPTH;
use faastlane_payload::flat::{BYTES_DEPTH, NDARRAY_DEPTH, tag};

use crate::binary::{Binary, is_extended_json};
use crate::number::{Grammar, grammar};
use crate::object::{Kind, Object, Python, Raised};
use crate::output::{Full, Output, Writer};

/// Why an object was not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fail {
    /// `json.dumps` would not take it: the exception is set.
    Raised,
    /// The output is too small.
    Full { needed: usize },
}

impl From<Raised> for Fail {
    fn from(_: Raised) -> Fail {
        Fail::Raised
    }
}

impl From<Full> for Fail {
    fn from(full: Full) -> Fail {
        Fail::Full { needed: full.needed }
    }
}

/// Writes the flat form of what `json.dumps(object, allow_nan=False)` would write, and returns its length.
///
/// `on_demand` is called with `"default"`, an object that `json` does not know and whether it is a key; it
/// returns the text of a number or raises.
pub(crate) fn encode<'a>(
    python: Python<'a>,
    object: &Object<'a>,
    on_demand: &Object<'a>,
    output: Output<'_>,
) -> Result<usize, Fail> {
    encode_and_look(python, object, on_demand, None, output).map(|written| written.len)
}

/// What was written.
pub(crate) struct Encoded {
    pub(crate) len: usize,
    /// Who decodes it gets the same as the object itself, and nobody but the caller has a hold of any part of the object that
    /// can change: it may be handed on in place of a copy.
    pub(crate) can_move: bool,
}

/// The same, and whether the object can be handed on itself. The caller has the only reference to it then. With `binary`, bytes and
/// arrays are written as well.
pub(crate) fn encode_and_look<'a>(
    python: Python<'a>,
    object: &Object<'a>,
    on_demand: &Object<'a>,
    binary: Option<&Binary<'a>>,
    output: Output<'_>,
) -> Result<Encoded, Fail> {
    let mut encoder = Encoder { python, on_demand, binary, out: output.writer(), can_move: true };
    encoder.value(object, None)?;
    Ok(Encoded { len: encoder.out.len(), can_move: encoder.can_move })
}

struct Encoder<'a, 'b, 'o> {
    python: Python<'a>,
    on_demand: &'b Object<'a>,
    binary: Option<&'b Binary<'a>>,
    out: Writer<'o>,
    can_move: bool,
}

/// A container that is being written, and those around it.
struct Around<'a, 's> {
    container: &'s Object<'a>,
    depth: usize,
    outer: Option<&'s Around<'a, 's>>,
}

impl<'a> Encoder<'a, '_, '_> {
    fn value(&mut self, object: &Object<'a>, outer: Option<&Around<'a, '_>>) -> Result<(), Fail> {
        self.look(object, outer.is_some());
        match object.kind() {
            Kind::Null => Ok(self.out.tag(tag::NULL)?),
            Kind::False => Ok(self.out.tag(tag::FALSE)?),
            Kind::True => Ok(self.out.tag(tag::TRUE)?),
            Kind::Text => {
                self.out.tag(tag::STRING)?;
                Ok(self.out.text(object.utf8()?)?)
            }
            Kind::Integer => match object.as_i64()? {
                Some(integer) => self.integer(integer),
                None => {
                    self.out.tag(tag::NUMBER)?;
                    Ok(self.out.text(object.digits()?.utf8()?)?)
                }
            },
            Kind::Float => {
                let float = self.finite(object)?;
                self.out.tag(tag::FLOAT)?;
                Ok(self.out.write(&float.to_le_bytes())?)
            }
            Kind::List => self.list(object, &self.inside(object, outer)?),
            Kind::Tuple => self.tuple(object, &self.inside(object, outer)?),
            Kind::ListLike => {
                let around = self.inside(object, outer)?;
                let sequence = object.sequence()?;
                if sequence.kind() == Kind::Tuple {
                    self.tuple(&sequence, &around)
                } else {
                    self.list(&sequence, &around)
                }
            }
            Kind::Dict => self.dict(object, &self.inside(object, outer)?),
            Kind::DictLike => self.dict_like(object, &self.inside(object, outer)?),
            Kind::Bytes | Kind::Other => match self.binary {
                Some(binary) => self.binary(binary, object, outer.map_or(0, |outer| outer.depth)),
                None => self.other(object),
            },
        }
    }

    /// Notes what keeps the object from being handed on: a class that JSON does not give back, or another reference, through
    /// which somebody would see what its receiver changes.
    fn look(&mut self, object: &Object<'a>, is_inside: bool) {
        self.can_move &= match object.kind() {
            Kind::Null | Kind::False | Kind::True => true,
            Kind::Text | Kind::Integer | Kind::Float => object.is_exact_scalar(),
            Kind::List | Kind::Dict => object.is_held_by(isize::from(is_inside)),
            Kind::Bytes => object.is_exact_bytes(),
            Kind::Tuple | Kind::ListLike | Kind::DictLike | Kind::Other => false,
        };
    }

    /// Steps into a container, which must not lie in itself.
    fn inside<'s>(
        &self,
        container: &'s Object<'a>,
        outer: Option<&'s Around<'a, 's>>,
    ) -> Result<Around<'a, 's>, Raised> {
        let mut around = outer;
        while let Some(further) = around {
            if further.container.is(container) {
                return Err(self.python.value_error(c"Circular reference detected"));
            }
            around = further.outer;
        }
        let depth = outer.map_or(1, |outer| outer.depth + 1);
        if depth > MAX_DEPTH {
            return Err(self.too_deep());
        }
        Ok(Around { container, depth, outer })
    }

    fn list(&mut self, list: &Object<'a>, around: &Around<'a, '_>) -> Result<(), Fail> {
        let opened = self.out.open(tag::ARRAY)?;
        let mut count = 0;
        // Asked each time: an element's class may run code that shortens the list.
        while count < list.list_len() {
            self.value(&list.list_element(count)?, Some(around))?;
            count += 1;
        }
        Ok(self.out.close(&opened, count)?)
    }

    fn tuple(&mut self, tuple: &Object<'a>, around: &Around<'a, '_>) -> Result<(), Fail> {
        let opened = self.out.open(tag::ARRAY)?;
        let count = tuple.tuple_len();
        for index in 0..count {
            self.value(&tuple.tuple_element(index)?, Some(around))?;
        }
        Ok(self.out.close(&opened, count)?)
    }

    fn dict(&mut self, dict: &Object<'a>, around: &Around<'a, '_>) -> Result<(), Fail> {
        let opened = self.out.open(tag::OBJECT)?;
        let (mut place, mut count) = (0, 0);
        while let Some((key, value)) = dict.next_member(&mut place) {
            self.key(&key)?;
            self.value(&value, Some(around))?;
            count += 1;
        }
        Ok(self.out.close(&opened, count)?)
    }

    fn dict_like(&mut self, dict: &Object<'a>, around: &Around<'a, '_>) -> Result<(), Fail> {
        let opened = self.out.open(tag::OBJECT)?;
        let items = dict.items()?;
        let count = items.list_len();
        for index in 0..count {
            let item = items.list_element(index)?;
            if item.kind() != Kind::Tuple || item.tuple_len() != 2 {
                return Err(self.python.value_error(c"items must return 2-tuples").into());
            }
            self.key(&item.tuple_element(0)?)?;
            self.value(&item.tuple_element(1)?, Some(around))?;
        }
        Ok(self.out.close(&opened, count)?)
    }

    /// A key, converted as `json.dumps` does.
    fn key(&mut self, key: &Object<'a>) -> Result<(), Fail> {
        self.can_move &= key.kind() == Kind::Text && key.is_exact_scalar();
        let written = match key.kind() {
            Kind::Text => {
                let text = key.utf8()?;
                // It will be decoded as what it stands for.
                self.can_move &= self.binary.is_none() || !is_extended_json(text);
                self.out.text(text)
            }
            Kind::Null => self.out.text(b"null"),
            Kind::False => self.out.text(b"false"),
            Kind::True => self.out.text(b"true"),
            Kind::Integer => self.out.text(key.digits()?.utf8()?),
            Kind::Float => {
                let float = self.finite(key)?;
                let out = &mut self.out;
                self.python.with_float_repr(float, |repr| out.text(repr))?
            }
            _ => {
                let raised = self.default(key, true).err();
                return Err(raised.unwrap_or_else(|| self.python.type_error(c"a key that is no key")).into());
            }
        };
        Ok(written?)
    }

    fn finite(&self, float: &Object<'a>) -> Result<f64, Raised> {
        let float = float.as_f64()?;
        if float.is_finite() {
            return Ok(float);
        }
        Err(self.python.value_error(c"Out of range float values are not JSON compliant"))
    }

    fn integer(&mut self, integer: i64) -> Result<(), Fail> {
        self.out.tag(tag::INTEGER)?;
        Ok(self.out.write(&integer.to_le_bytes())?)
    }

    fn default(&self, object: &Object<'a>, is_key: bool) -> Result<Object<'a>, Raised> {
        let python = self.python;
        self.on_demand.call([python.text(b"default")?, object.clone(), python.bool(is_key)])
    }

    /// Bytes, an array, or what is neither; so many containers are around it.
    fn binary(&mut self, binary: &Binary<'a>, object: &Object<'a>, depth: usize) -> Result<(), Fail> {
        let plain = match object.kind() {
            Kind::Bytes => object.clone(),
            _ => binary.plain(object)?,
        };
        if plain.is_none() {
            return self.other(object);
        }
        if plain.kind() != Kind::Tuple {
            self.has_room_below(depth, BYTES_DEPTH)?;
            self.out.tag(tag::BYTES)?;
            return Ok(self.out.long(plain.buffer()?.bytes())?);
        }
        self.has_room_below(depth, NDARRAY_DEPTH)?;
        let dtype = plain.tuple_element(0)?;
        let (dtype, shape, array) = (dtype.utf8()?, plain.tuple_element(1)?, plain.tuple_element(2)?);
        let (dimensions, data) = (shape.tuple_len(), array.buffer()?);
        let Ok(dimensions_byte) = u8::try_from(dimensions) else {
            return Err(self.python.value_error(c"a numpy array of more than 255 dimensions").into());
        };
        let length = 4 + dtype.len() + 1 + 8 * dimensions + data.bytes().len();
        self.out.tag(tag::NDARRAY)?;
        self.out.write(&(length as u64).to_le_bytes())?;
        self.out.text(dtype)?;
        self.out.write(&[dimensions_byte])?;
        for at in 0..dimensions {
            let dimension = shape.tuple_element(at)?.as_i64()?.unwrap_or(i64::MAX);
            self.out.write(&dimension.to_le_bytes())?;
        }
        Ok(self.out.write(data.bytes())?)
    }

    /// What is written nests so deep where it is JSON.
    fn has_room_below(&self, depth: usize, levels: usize) -> Result<(), Raised> {
        if depth + levels > MAX_DEPTH { Err(self.too_deep()) } else { Ok(()) }
    }

    fn too_deep(&self) -> Raised {
        let message = c"maximum recursion depth exceeded: lists and dicts nest deeper than 1000 levels";
        self.python.recursion_error(message)
    }

    #[cold]
    fn other(&mut self, object: &Object<'a>) -> Result<(), Fail> {
        let number = self.default(object, false)?;
        let text = number.utf8()?;
        if grammar(text) == Grammar::None {
            return Err(self.python.value_error(c"Out of range float values are not JSON compliant").into());
        }
        // Digits are ASCII, so the text is; a number that fits the shorter form takes it.
        match std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()) {
            Some(integer) => self.integer(integer),
            None => {
                self.out.tag(tag::NUMBER)?;
                Ok(self.out.text(text)?)
            }
        }
    }
}
