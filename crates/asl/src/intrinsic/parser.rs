//! Text to call.

use super::function::Function;
use super::{Argument, Call};
use crate::path::{Path, PathError};

/// How deep calls may nest, as in Step Functions.
const MAX_DEPTH: usize = 10;

pub(super) fn call(text: &str) -> Result<Call, PathError> {
    let mut parser = Parser { text, at: 0 };
    let call = parser.call(1)?;
    parser.skip_space();
    if parser.at < text.len() {
        return parser.fail("nothing may follow the call");
    }
    Ok(call)
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn fail<T>(&self, message: impl Into<String>) -> Result<T, PathError> {
        Err(PathError { message: message.into(), offset: self.at })
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn eat(&mut self, token: char) -> bool {
        self.skip_space();
        let found = self.rest().starts_with(token);
        self.at += usize::from(found) * token.len_utf8();
        found
    }

    fn call(&mut self, depth: usize) -> Result<Call, PathError> {
        let start = self.at;
        if depth > MAX_DEPTH {
            return self.fail(format!("calls nest at most {MAX_DEPTH} deep"));
        }
        let length = self.rest().find(|next: char| !next.is_ascii_alphanumeric() && next != '.');
        let name = &self.rest()[..length.unwrap_or(self.rest().len())];
        let Some(function) = Function::named(name) else {
            return self.fail(format!("there is no intrinsic function `{name}`"));
        };
        self.at += name.len();
        if !self.eat('(') {
            return self.fail(format!("`{name}` needs its arguments in parentheses"));
        }
        let mut arguments = Vec::new();
        if !self.eat(')') {
            loop {
                self.skip_space();
                arguments.push(self.argument(depth)?);
                if self.eat(')') {
                    break;
                }
                if !self.eat(',') {
                    return self.fail("`,` or `)` is missing here");
                }
            }
        }
        if let Err(expected) = function.takes(arguments.len()) {
            let message = format!("`{name}` takes {expected}, not {}", arguments.len());
            return Err(PathError { message, offset: start });
        }
        Ok(Call { text: self.text[start..self.at].to_owned(), function, arguments })
    }

    fn argument(&mut self, depth: usize) -> Result<Argument, PathError> {
        let start = self.at;
        match self.rest().chars().next() {
            Some('$') => {
                let (path, length) = Path::parse_prefix(self.rest())
                    .map_err(|error| PathError { offset: start + error.offset, ..error })?;
                self.at += length;
                Ok(Argument::Path(path))
            }
            Some('\'') => self.quoted(),
            Some('S') => self.call(depth + 1).map(Argument::Call),
            _ => {
                let length =
                    self.rest().find(|next: char| ",() ".contains(next)).unwrap_or(self.rest().len());
                match serde_json::from_str(&self.rest()[..length]) {
                    Ok(value) => {
                        self.at += length;
                        Ok(Argument::Literal(value))
                    }
                    Err(_) => self.fail("expected a path, a 'text', a number, true, false, null or a call"),
                }
            }
        }
    }

    fn quoted(&mut self) -> Result<Argument, PathError> {
        let mut escaped = false;
        for (offset, character) in self.rest().char_indices().skip(1) {
            match character {
                '\'' if !escaped => {
                    let text = self.rest()[1..offset].to_owned();
                    self.at += offset + 1;
                    return Ok(Argument::Text(text));
                }
                '\\' => escaped = !escaped,
                _ => escaped = false,
            }
        }
        self.fail("the closing ' is missing")
    }
}
