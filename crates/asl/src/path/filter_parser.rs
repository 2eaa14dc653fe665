//! Text to filter: what stands between `?(` and `)`.

use super::PathError;
use super::Root;
use super::compare::{Operator, Pattern, SIGNS, WORDS};
use super::filter::{Filter, Term};
use super::parser::{MAX_DEPTH, Parsed, Parser};
use serde_json::Value;

impl Parser<'_> {
    /// `… || …`, up to what does not continue it.
    pub(super) fn filter(&mut self) -> Parsed<Filter> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.fail(format!("calls and filters nest at most {MAX_DEPTH} deep"));
        }
        let mut parts = vec![self.both()?];
        while self.eat("||") {
            parts.push(self.both()?);
        }
        self.depth -= 1;
        Ok(only(parts, Filter::Any))
    }

    /// Stops at `||` and `)`.
    fn both(&mut self) -> Parsed<Filter> {
        let mut parts = vec![self.one()?];
        while self.eat("&&") {
            parts.push(self.one()?);
        }
        Ok(only(parts, Filter::All))
    }

    fn one(&mut self) -> Parsed<Filter> {
        self.skip_space();
        let mut negations = 0usize;
        while self.eat("!") {
            negations += 1;
            self.skip_space();
        }
        let filter = if self.eat("(") {
            let inner = self.filter()?;
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
        if self.peek() == Some(b'/') {
            let pattern = self.pattern()?;
            self.skip_space();
            self.expect("=~")?;
            self.skip_space();
            return Ok(Filter::Matches(self.term()?, pattern));
        }
        let left = self.term()?;
        self.skip_space();
        if self.eat("=~") {
            self.skip_space();
            return Ok(Filter::Matches(left, self.pattern()?));
        }
        if let Some(operator) = self.operator() {
            self.skip_space();
            if self.peek() == Some(b'/') {
                return self.fail("a regular expression stands behind `=~`");
            }
            return Ok(Filter::Compare(left, operator, self.term()?));
        }
        match left {
            Term::Literal(_) => {
                self.at = begin;
                self.fail("a literal alone is no condition")
            }
            path => Ok(Filter::Exists(path)),
        }
    }

    fn operator(&mut self) -> Option<Operator> {
        if let Some((_, operator)) = SIGNS.iter().find(|(sign, _)| self.eat(sign)) {
            return Some(*operator);
        }
        let rest = &self.text[self.at..];
        let word = &rest[..rest.find(|next: char| !next.is_ascii_alphabetic()).unwrap_or(rest.len())];
        let (_, operator) = WORDS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name))?;
        self.at += word.len();
        Some(*operator)
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
            _ => self.literal().map(Term::Literal),
        }
    }

    /// A number, `true`, `false`, `null`, a list of literals, or an object as in JSON.
    fn literal(&mut self) -> Parsed<Value> {
        match self.peek() {
            Some(b'\'' | b'"') => self.quoted().map(Value::String),
            Some(b'[') => {
                self.at += 1;
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return self.fail(format!("lists nest at most {MAX_DEPTH} deep"));
                }
                let mut items = Vec::new();
                self.skip_space();
                if !self.eat("]") {
                    items = self.list(Self::literal)?;
                    self.skip_space();
                    self.expect("]")?;
                }
                self.depth -= 1;
                Ok(Value::Array(items))
            }
            Some(b'{') => {
                let mut objects = serde_json::Deserializer::from_str(&self.text[self.at..]).into_iter();
                match objects.next() {
                    Some(Ok(object)) => {
                        self.at += objects.byte_offset();
                        Ok(object)
                    }
                    _ => self.fail("the object is not JSON"),
                }
            }
            _ => self.word(),
        }
    }

    pub(super) fn word(&mut self) -> Parsed<Value> {
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

/// One part stands for itself.
fn only(mut parts: Vec<Filter>, several: impl Fn(Vec<Filter>) -> Filter) -> Filter {
    match parts.pop() {
        Some(part) if parts.is_empty() => part,
        last => {
            parts.extend(last);
            several(parts)
        }
    }
}
