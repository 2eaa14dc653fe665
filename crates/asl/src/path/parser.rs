//! Text to path. Recursive descent over bytes; offsets in errors are bytes from the beginning of the whole text.

use super::function::{Argument, Function, Kind};
use super::{Path, PathError, Root, Segment, is_variable_name, variable};
use serde_json::Value;
use std::sync::Arc;

/// Parentheses in filters, filters in filters, and calls in arguments.
pub(super) const MAX_DEPTH: usize = 32;

pub(super) fn path(text: &str) -> Result<Path, PathError> {
    path_with_offsets(text).map(|(path, _)| path)
}

/// Also where each segment begins.
pub(super) fn path_with_offsets(text: &str) -> Result<(Path, Vec<usize>), PathError> {
    match prefix(text)? {
        (path, offsets, length) if length == text.len() => Ok((path, offsets)),
        (_, _, offset) => Err(PathError { message: "a path goes on with `.` or `[`".to_owned(), offset }),
    }
}

/// Up to the first character that does not continue the path, with the number of bytes before it.
pub(super) fn prefix(text: &str) -> Result<(Path, Vec<usize>, usize), PathError> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    if !parser.eat("$") {
        return parser.fail("a path starts with `$`");
    }
    let root =
        if parser.eat("$") { Root::Context } else { parser.variable()?.map_or(Root::Input, Root::Variable) };
    let (path, offsets) = parser.rest_of_path(root, 0)?;
    Ok((path, offsets, parser.at))
}

pub(super) struct Parser<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    pub(super) depth: usize,
}

pub(super) type Parsed<T> = Result<T, PathError>;

impl<'t> Parser<'t> {
    pub(super) fn fail<T>(&self, message: impl Into<String>) -> Parsed<T> {
        Err(PathError { message: message.into(), offset: self.at })
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn eat(&mut self, token: &str) -> bool {
        let found = self.text[self.at..].starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    pub(super) fn expect(&mut self, token: &str) -> Parsed<()> {
        if self.eat(token) { Ok(()) } else { self.fail(format!("`{token}` is missing here")) }
    }

    pub(super) fn skip_space(&mut self) {
        while self.peek().is_some_and(|next| next == b' ' || next == b'\t') {
            self.at += 1;
        }
    }

    /// The name behind the `$`, if there is one.
    fn variable(&mut self) -> Parsed<Option<Arc<str>>> {
        let rest = &self.text[self.at..];
        let name = &rest[..variable::name_length(rest)];
        if name == variable::RESERVED {
            return self
                .fail("`$states` is for JSONata; in JSONPath the input is `$` and the context object `$$`");
        }
        if !name.is_empty() && !is_variable_name(name) {
            return self.fail("the name of a variable has at most 80 characters");
        }
        self.at += name.len();
        Ok((!name.is_empty()).then(|| name.into()))
    }

    /// From behind the root to the first character that does not continue a path.
    pub(super) fn rest_of_path(&mut self, root: Root, start: usize) -> Parsed<(Path, Vec<usize>)> {
        let (mut segments, mut offsets, mut function) = (Vec::new(), Vec::new(), None);
        while function.is_none() {
            let begin = self.at;
            let segment = match self.peek() {
                Some(b'[') => self.bracket()?,
                Some(b'.') if self.eat("..") => {
                    segments.push(Segment::Descend);
                    offsets.push(begin);
                    match self.peek() {
                        Some(b'[') => self.bracket()?,
                        _ => self.name(&mut function)?,
                    }
                }
                Some(b'.') => {
                    self.at += 1;
                    match self.peek() {
                        Some(b'[') => self.bracket()?,
                        _ => self.name(&mut function)?,
                    }
                }
                _ => break,
            };
            if function.is_none() {
                segments.push(segment);
                offsets.push(begin);
            }
        }
        let last = segments.len().saturating_sub(1);
        let definite = segments.iter().enumerate().all(|(position, segment)| match segment {
            Segment::Key(_) | Segment::Index(_) => true,
            Segment::Keys(_) => position == last && function.is_none(),
            _ => false,
        });
        let text = self.text[start..self.at].into();
        let function = function.map(Box::new);
        Ok((Path { text, root, segments, function, definite }, offsets))
    }

    /// `name`, `*` or `length()`, behind the dot.
    fn name(&mut self, function: &mut Option<Function>) -> Parsed<Segment> {
        if self.eat("*") {
            return Ok(Segment::Wildcard);
        }
        let rest = &self.text[self.at..];
        let ends = |next: char| ".[]()\"' ,=<>!&|?@*:;/\\~#^{}`$%+".contains(next) || next.is_control();
        let length = rest.find(ends).unwrap_or(rest.len());
        if length == 0 {
            return self.fail("a name is missing here; other characters go into brackets: `['a name']`");
        }
        let name = &rest[..length];
        if rest[length..].starts_with('(') {
            *function = Some(self.call(name)?);
        } else {
            self.at += length;
        }
        Ok(Segment::Key(name.to_owned()))
    }

    /// `length()`, `concat("-", $.name)`
    fn call(&mut self, name: &str) -> Parsed<Function> {
        let begin = self.at;
        let kind = Kind::named(name).or_else(|message| self.fail(message))?;
        self.at += name.len();
        self.expect("(")?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.fail(format!("calls and filters nest at most {MAX_DEPTH} deep"));
        }
        self.skip_space();
        let mut arguments = Vec::new();
        if !self.eat(")") {
            arguments = self.list(Self::argument)?;
            self.skip_space();
            self.expect(")")?;
        }
        self.depth -= 1;
        if !kind.takes(arguments.len()) {
            self.at = begin;
            return self.fail(format!("`{name}` does not take {} arguments", arguments.len()));
        }
        Ok(Function { kind, arguments })
    }

    fn argument(&mut self) -> Parsed<Argument> {
        let begin = self.at;
        match self.peek() {
            Some(b'$') => {
                self.at += 1;
                Ok(Argument::Path(self.rest_of_path(Root::Input, begin)?.0))
            }
            Some(b'"') => self.quoted().map(Value::String).map(Argument::Literal),
            _ => match self.word() {
                Ok(number @ Value::Number(_)) => Ok(Argument::Literal(number)),
                _ => {
                    self.at = begin;
                    self.fail("expected a path, a number or a \"text\"")
                }
            },
        }
    }

    fn bracket(&mut self) -> Parsed<Segment> {
        self.expect("[")?;
        self.skip_space();
        let segment = match self.peek() {
            Some(b'\'' | b'"') => {
                let mut keys = self.list(Self::quoted)?;
                if keys.len() == 1 { Segment::Key(keys.remove(0)) } else { Segment::Keys(keys) }
            }
            Some(b'*') => {
                self.at += 1;
                Segment::Wildcard
            }
            Some(b'?') => {
                self.at += 1;
                self.skip_space();
                self.expect("(")?;
                let filter = self.filter()?;
                self.skip_space();
                self.expect(")")?;
                Segment::Filter(filter)
            }
            Some(b'0'..=b'9' | b'-' | b':') => self.indices()?,
            _ => return self.fail("expected a quoted name, an index, a slice, `*` or a filter `?(…)`"),
        };
        self.skip_space();
        self.expect("]")?;
        Ok(segment)
    }

    pub(super) fn list<T>(&mut self, one: impl Fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = vec![one(self)?];
        loop {
            self.skip_space();
            if !self.eat(",") {
                return Ok(items);
            }
            self.skip_space();
            items.push(one(self)?);
        }
    }

    fn indices(&mut self) -> Parsed<Segment> {
        let from = if self.peek() == Some(b':') { None } else { Some(self.integer()?) };
        self.skip_space();
        if self.eat(":") {
            self.skip_space();
            let to = if self.peek() == Some(b']') { None } else { Some(self.integer()?) };
            if from.is_none() && to.is_none() {
                return self.fail("a slice has a beginning or an end; `[*]` is for all elements");
            }
            self.skip_space();
            if self.peek() == Some(b':') {
                return self.fail("a slice has no step: `[from:to]`");
            }
            return Ok(Segment::Slice { from, to });
        }
        let mut indices: Vec<i64> = from.into_iter().collect();
        if self.eat(",") {
            self.skip_space();
            indices.extend(self.list(Self::integer)?);
        }
        Ok(if indices.len() == 1 { Segment::Index(indices[0]) } else { Segment::Indices(indices) })
    }

    fn integer(&mut self) -> Parsed<i64> {
        let rest = &self.text[self.at..];
        let sign = usize::from(rest.starts_with('-'));
        let digits = rest[sign..].bytes().take_while(u8::is_ascii_digit).count();
        match rest[..sign + digits].parse() {
            Ok(number) => {
                self.at += sign + digits;
                Ok(number)
            }
            Err(_) => self.fail("expected an integer"),
        }
    }

    /// `'it\'s'` or `"…"`.
    pub(super) fn quoted(&mut self) -> Parsed<String> {
        let quote = match self.peek() {
            Some(quote @ (b'\'' | b'"')) => char::from(quote),
            _ => return self.fail("expected a name in quotes"),
        };
        self.at += 1;
        let mut name = String::new();
        loop {
            let Some(next) = self.text[self.at..].chars().next() else {
                return self.fail(format!("the closing {quote} is missing"));
            };
            self.at += next.len_utf8();
            match next {
                '\\' => name.push(self.escape()?),
                next if next == quote => return Ok(name),
                next => name.push(next),
            }
        }
    }

    /// Behind the backslash.
    fn escape(&mut self) -> Parsed<char> {
        let Some(next) = self.text[self.at..].chars().next() else {
            return self.fail("a character is missing behind the `\\`");
        };
        self.at += next.len_utf8();
        Ok(match next {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => self.unicode_escape()?,
            other => other,
        })
    }

    /// Four hexadecimal digits behind `\u`, or a surrogate pair of them.
    fn unicode_escape(&mut self) -> Parsed<char> {
        let start = self.at;
        let first = self.four_hex_digits()?;
        let second = if (0xD800..0xDC00).contains(&first) && self.eat("\\u") {
            Some(self.four_hex_digits()?)
        } else {
            None
        };
        let units = [Some(first), second];
        let mut decoded = char::decode_utf16(units.into_iter().flatten());
        match (decoded.next(), decoded.next()) {
            (Some(Ok(character)), None) => Ok(character),
            _ => Err(PathError {
                message: "half of a surrogate pair is no character".to_owned(),
                offset: start,
            }),
        }
    }

    fn four_hex_digits(&mut self) -> Parsed<u16> {
        let digits = self
            .text
            .get(self.at..self.at + 4)
            .filter(|digits| digits.bytes().all(|d| d.is_ascii_hexdigit()));
        match digits.and_then(|digits| u16::from_str_radix(digits, 16).ok()) {
            Some(unit) => {
                self.at += 4;
                Ok(unit)
            }
            None => self.fail("expected four hexadecimal digits"),
        }
    }
}
