//! A JSON file whose array's elements, or whose object's members, are the items.
//!
//! The file is cut into elements as it goes by: a cut looks at brackets, strings and commas, and an element's text is
//! parsed when it is whole. So what lies before the array that `ItemsPointer` points at, or after it, is stepped over
//! and not checked, and of two members of one name the first is taken.

use std::io::{BufRead, BufReader, Read};

use faastlane_payload::{MAX_DEPTH, Payload};

use crate::error::ItemsError;

/// How far a reader reads ahead, in bytes.
pub(crate) const CHUNK_BYTES: usize = 64 << 10;

const NO_SUCH_PATH: &str =
    "The provided ReaderConfig.ItemsPointer does not match any valid path in the JSON structure.";
const NOT_ITERABLE: &str = "Attempting to map over non-iterable node.";

pub(crate) struct JsonItems<R> {
    cutter: Cutter<R>,
    container: Container,
    first: bool,
    done: bool,
    /// Whether the items are the whole file, so that nothing may follow them.
    is_root: bool,
    text: Vec<u8>,
    /// Counts from 0; for messages.
    index: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum Container {
    Array,
    Object,
}

/// An element, or a member's name and value.
pub(crate) type Entry = (Option<String>, Payload);

impl<R: Read> JsonItems<R> {
    /// `pointer` is a JSON Pointer (RFC 6901), empty for the whole file.
    ///
    /// # Errors
    /// It points nowhere, or at neither an array nor an object; or the way there is not JSON.
    pub(crate) fn new(bytes: R, pointer: &str, max_item_bytes: u64) -> Result<Self, ItemsError> {
        let bytes = BufReader::with_capacity(CHUNK_BYTES, bytes);
        let mut cutter = Cutter { bytes, position: 0, max_item_bytes };
        for token in pointer.split('/').skip(1) {
            cutter.descend(&token.replace("~1", "/").replace("~0", "~"))?;
        }
        let container = match cutter.peek_past_space()? {
            Some(b'[') => Container::Array,
            Some(b'{') => Container::Object,
            Some(b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                // A scalar: say what it is if it is one, else that it is not JSON.
                let mut text = Vec::new();
                cutter.value(&mut text)?;
                parse(&text, "The JSON file")?;
                return Err(ItemsError::reader(NOT_ITERABLE));
            }
            _ => return Err(cutter.unexpected("an array or an object")),
        };
        cutter.skip(1);
        let is_root = pointer.is_empty();
        Ok(Self { cutter, container, first: true, done: false, is_root, text: Vec::new(), index: 0 })
    }

    fn entry(&mut self) -> Result<Option<Entry>, ItemsError> {
        if self.done {
            return Ok(None);
        }
        let end = if self.container == Container::Array { b']' } else { b'}' };
        if !self.cutter.next_element(self.first, end)? {
            self.done = true;
            if self.is_root && self.cutter.peek_past_space()?.is_some() {
                return Err(self.cutter.unexpected("the end of the file"));
            }
            return Ok(None);
        }
        self.first = false;
        let key = match self.container {
            Container::Array => None,
            Container::Object => Some(self.cutter.member_name(&mut self.text)?),
        };
        self.text.clear();
        self.cutter.value(&mut self.text)?;
        let value = parse(&self.text, &format!("Item {} of the JSON file", self.index))?;
        self.index += 1;
        Ok(Some((key, value)))
    }
}

impl<R: Read> Iterator for JsonItems<R> {
    type Item = Result<Entry, ItemsError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.entry().transpose()
    }
}

fn parse(text: &[u8], what: &str) -> Result<Payload, ItemsError> {
    let text = std::str::from_utf8(text).map_err(|_| ItemsError::reader(format!("{what} is not UTF-8.")))?;
    Payload::from_json(text).map_err(|error| ItemsError::reader(format!("{what}: {error}.")))
}

/// Cuts JSON text where values begin and end.
struct Cutter<R> {
    bytes: BufReader<R>,
    /// Bytes that have gone by.
    position: u64,
    max_item_bytes: u64,
}

impl<R: Read> Cutter<R> {
    fn peek(&mut self) -> Result<Option<u8>, ItemsError> {
        match self.bytes.fill_buf() {
            Ok(buffer) => Ok(buffer.first().copied()),
            Err(error) => {
                let cause = format!("The JSON file could not be read at byte {}: {error}.", self.position);
                Err(ItemsError::reader(cause))
            }
        }
    }

    fn skip(&mut self, bytes: usize) {
        self.bytes.consume(bytes);
        self.position += bytes as u64;
    }

    fn peek_past_space(&mut self) -> Result<Option<u8>, ItemsError> {
        loop {
            match self.peek()? {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.skip(1),
                other => return Ok(other),
            }
        }
    }

    fn unexpected(&self, expected: &str) -> ItemsError {
        ItemsError::reader(format!(
            "The JSON file is not JSON: expected {expected} at byte {}.",
            self.position
        ))
    }

    /// Goes to the next element or member; `false` at the container's end, which is then behind.
    fn next_element(&mut self, first: bool, end: u8) -> Result<bool, ItemsError> {
        match self.peek_past_space()? {
            Some(byte) if byte == end => {
                self.skip(1);
                Ok(false)
            }
            Some(b',') if !first => {
                self.skip(1);
                match self.peek_past_space()? {
                    Some(byte) if byte == end => Err(self.unexpected("a value")),
                    _ => Ok(true),
                }
            }
            Some(_) if first => Ok(true),
            _ => Err(self.unexpected(&format!("`,` or `{}`", char::from(end)))),
        }
    }

    /// Reads a member's name and the colon after it.
    fn member_name(&mut self, text: &mut Vec<u8>) -> Result<String, ItemsError> {
        if self.peek_past_space()? != Some(b'"') {
            return Err(self.unexpected("a member's name"));
        }
        text.clear();
        self.value(text)?;
        let name = parse(text, "A member's name in the JSON file")?;
        let name = name.value().ok().and_then(|name| name.as_str()).unwrap_or_default().to_owned();
        if self.peek_past_space()? != Some(b':') {
            return Err(self.unexpected("`:`"));
        }
        self.skip(1);
        Ok(name)
    }

    /// Goes into the member or the element that one token of a pointer names.
    fn descend(&mut self, token: &str) -> Result<(), ItemsError> {
        let no_such_path = || ItemsError::reader(NO_SUCH_PATH);
        let (end, wanted) = match self.peek_past_space()? {
            Some(b'{') => (b'}', None),
            Some(b'[') => (b']', Some(token.parse::<u64>().map_err(|_| no_such_path())?)),
            Some(_) => return Err(no_such_path()),
            None => return Err(self.unexpected("a value")),
        };
        self.skip(1);
        let mut text = Vec::new();
        let mut index = 0_u64;
        while self.next_element(index == 0, end)? {
            let is_it = match wanted {
                Some(wanted) => wanted == index,
                None => self.member_name(&mut text)? == token,
            };
            if is_it {
                return Ok(());
            }
            self.walk_value(|_, _| Ok(()))?;
            index += 1;
        }
        Err(no_such_path())
    }

    /// Copies one value's text.
    fn value(&mut self, text: &mut Vec<u8>) -> Result<(), ItemsError> {
        let limit = self.max_item_bytes;
        self.walk_value(|piece, position| {
            if (text.len() + piece.len()) as u64 > limit {
                return Err(ItemsError::too_large(&format!("The JSON item at byte {position}"), limit));
            }
            text.extend_from_slice(piece);
            Ok(())
        })
    }

    /// Goes past one value, piece by piece.
    fn walk_value(
        &mut self,
        mut visit: impl FnMut(&[u8], u64) -> Result<(), ItemsError>,
    ) -> Result<(), ItemsError> {
        self.peek_past_space()?;
        let start = self.position;
        let mut cut = Cut::default();
        loop {
            if self.peek()?.is_none() {
                return if cut.may_end_here() { Ok(()) } else { Err(self.unexpected("the rest of a value")) };
            }
            let (length, ended) = cut.advance(self.bytes.buffer());
            if cut.depth > MAX_DEPTH {
                let cause = format!(
                    "The JSON file is not a payload: arrays and objects nest deeper than {MAX_DEPTH} levels at byte {}.",
                    self.position
                );
                return Err(ItemsError::reader(cause));
            }
            visit(&self.bytes.buffer()[..length], start)?;
            self.skip(length);
            if ended {
                return if self.position > start { Ok(()) } else { Err(self.unexpected("a value")) };
            }
        }
    }
}

/// How far into a value the bytes so far have led.
#[derive(Default)]
struct Cut {
    depth: usize,
    in_string: bool,
    after_backslash: bool,
    /// A number or a word has begun, which only what follows ends.
    in_scalar: bool,
}

impl Cut {
    /// How many bytes of `buffer` belong to the value, and whether it ends after them.
    fn advance(&mut self, buffer: &[u8]) -> (usize, bool) {
        for (at, &byte) in buffer.iter().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.after_backslash => self.after_backslash = false,
                    b'\\' => self.after_backslash = true,
                    b'"' => {
                        self.in_string = false;
                        if self.depth == 0 {
                            return (at + 1, true);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            match byte {
                b',' | b':' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n' if self.depth == 0 => {
                    return (at, true);
                }
                b'"' | b'[' | b'{' if self.depth == 0 && self.in_scalar => return (at, true),
                b'"' => self.in_string = true,
                b'[' | b'{' => {
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return (at, false);
                    }
                }
                b']' | b'}' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return (at + 1, true);
                    }
                }
                _ => self.in_scalar = self.depth == 0,
            }
        }
        (buffer.len(), false)
    }

    fn may_end_here(&self) -> bool {
        self.in_scalar && self.depth == 0
    }
}
