//! Text to path. Recursive descent over bytes; offsets in errors are bytes from the beginning of the whole text.

use super::filter::{Filter, Operator, Pattern, Term};
use super::function::Function;
use super::{Path, PathError, Root, Segment, is_variable_name, variable};
use serde_json::Value;

/// Parentheses and negations in filters, and filters in filters.
const MAX_FILTER_DEPTH: usize = 32;

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

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

type Parsed<T> = Result<T, PathError>;

impl<'t> Parser<'t> {
    fn fail<T>(&self, message: impl Into<String>) -> Parsed<T> {
        Err(PathError { message: message.into(), offset: self.at })
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.text[self.at..].starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn expect(&mut self, token: &str) -> Parsed<()> {
        if self.eat(token) { Ok(()) } else { self.fail(format!("`{token}` is missing here")) }
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|next| next == b' ' || next == b'\t') {
            self.at += 1;
        }
    }

    /// The name behind the `$`, if there is one.
    fn variable(&mut self) -> Parsed<Option<String>> {
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
        Ok((!name.is_empty()).then(|| name.to_owned()))
    }

    /// From behind the root to the first character that does not continue a path.
    fn rest_of_path(&mut self, root: Root, start: usize) -> Parsed<(Path, Vec<usize>)> {
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
            Segment::Keys(_) => position == last,
            _ => false,
        });
        let text = self.text[start..self.at].into();
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
        if rest[length..].starts_with("()") {
            *function = Function::named(name);
            if function.is_none() {
                return self.fail(format!(
                    "there is no function `{name}()`; there are length, min, max, sum and avg"
                ));
            }
            self.at += length + 2;
        } else {
            self.at += length;
        }
        Ok(Segment::Key(name.to_owned()))
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
                let filter = self.either()?;
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

    fn list<T>(&mut self, one: impl Fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
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
    fn quoted(&mut self) -> Parsed<String> {
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

/// Filters.
impl Parser<'_> {
    fn either(&mut self) -> Parsed<Filter> {
        self.depth += 1;
        if self.depth > MAX_FILTER_DEPTH {
            return self.fail(format!("a filter nests at most {MAX_FILTER_DEPTH} deep"));
        }
        let mut filter = self.both()?;
        while self.eat("||") {
            filter = Filter::Or(Box::new(filter), Box::new(self.both()?));
        }
        self.depth -= 1;
        Ok(filter)
    }

    /// Stops at `||` and `)`.
    fn both(&mut self) -> Parsed<Filter> {
        let mut filter = self.one()?;
        while self.eat("&&") {
            filter = Filter::And(Box::new(filter), Box::new(self.one()?));
        }
        Ok(filter)
    }

    fn one(&mut self) -> Parsed<Filter> {
        self.skip_space();
        let mut negations = 0usize;
        while self.eat("!") {
            negations += 1;
            self.skip_space();
        }
        let filter = if self.eat("(") {
            let inner = self.either()?;
            self.skip_space();
            self.expect(")")?;
            inner
        } else {
            self.comparison()?
        };
        self.skip_space();
        Ok(if negations % 2 == 1 { Filter::Not(Box::new(filter)) } else { filter })
    }

    fn comparison(&mut self) -> Parsed<Filter> {
        let begin = self.at;
        let left = self.term()?;
        self.skip_space();
        if self.eat("=~") {
            self.skip_space();
            return Ok(Filter::Matches(left, self.pattern()?));
        }
        const OPERATORS: [(&str, Operator); 10] = [
            ("==", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<>", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
            ("in ", Operator::In),
            ("nin ", Operator::NotIn),
            ("contains ", Operator::Contains),
        ];
        for (token, operator) in OPERATORS {
            if self.eat(token) {
                self.skip_space();
                return Ok(Filter::Compare(left, operator, self.term()?));
            }
        }
        match left {
            Term::Literal(_) => {
                self.at = begin;
                self.fail("a literal alone is no condition")
            }
            path => Ok(Filter::Exists(path)),
        }
    }

    fn term(&mut self) -> Parsed<Term> {
        let begin = self.at;
        match self.peek() {
            Some(b'@') => {
                self.at += 1;
                Ok(Term::Element(self.rest_of_path(Root::Input, begin)?.0))
            }
            Some(b'$') => {
                self.at += 1;
                Ok(Term::Document(self.rest_of_path(Root::Input, begin)?.0))
            }
            Some(b'\'' | b'"') => Ok(Term::Literal(Value::String(self.quoted()?))),
            _ => self.json_literal(),
        }
    }

    /// A number, `true`, `false`, `null`, or a list of literals.
    fn json_literal(&mut self) -> Parsed<Term> {
        if self.eat("[") {
            let mut items = Vec::new();
            self.skip_space();
            if !self.eat("]") {
                items = self.list(|parser| match parser.peek() {
                    Some(b'\'' | b'"') => parser.quoted().map(Value::String),
                    _ => parser.word(),
                })?;
                self.skip_space();
                self.expect("]")?;
            }
            return Ok(Term::Literal(Value::Array(items)));
        }
        self.word().map(Term::Literal)
    }

    fn word(&mut self) -> Parsed<Value> {
        let rest = &self.text[self.at..];
        let length = rest
            .find(|next: char| !(next.is_ascii_alphanumeric() || "+-.".contains(next)))
            .unwrap_or(rest.len());
        match serde_json::from_str(&rest[..length]) {
            Ok(value) => {
                self.at += length;
                Ok(value)
            }
            Err(_) => self.fail("expected `@…`, `$…`, a quoted string, a number, true, false or null"),
        }
    }

    /// `/regular expression/`, with `i` behind it where case does not matter.
    fn pattern(&mut self) -> Parsed<Pattern> {
        let begin = self.at;
        self.expect("/")?;
        let mut source = String::new();
        loop {
            let Some(next) = self.text[self.at..].chars().next() else {
                return self.fail("the closing / is missing");
            };
            self.at += next.len_utf8();
            match next {
                '/' => break,
                '\\' if self.eat("/") => source.push('/'),
                '\\' => {
                    source.push('\\');
                    source.extend(self.text[self.at..].chars().next());
                    self.at += self.text[self.at..].chars().next().map_or(0, char::len_utf8);
                }
                next => source.push(next),
            }
        }
        let ignore_case = self.eat("i");
        let regex =
            regex::RegexBuilder::new(&format!("^(?:{source})$")).case_insensitive(ignore_case).build();
        match regex {
            Ok(regex) => Ok(Pattern { text: self.text[begin..self.at].to_owned(), regex }),
            Err(error) => Err(PathError {
                message: format!("the regular expression is invalid: {error}"),
                offset: begin,
            }),
        }
    }
}
