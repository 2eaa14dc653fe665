//! From text to tokens.

use super::error::{Fault, quoted};
use super::pattern::Pattern;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    /// In bytes.
    pub(super) offset: usize,
}

#[derive(Clone, Debug)]
pub(super) enum TokenKind {
    /// A symbol, or one of `and`, `or`, `in`.
    Operator(&'static str),
    Name(String),
    Variable(String),
    Text(String),
    Number(f64),
    Constant(Option<bool>),
    Pattern(Arc<Pattern>),
    End,
}

/// A fault and where it is, in bytes.
pub(super) type Misread = (Fault, usize);

/// The longer ones first.
const SYMBOLS: [&str; 31] = [
    "..", ":=", "!=", ">=", "<=", "**", "~>", ".", "[", "]", "{", "}", "(", ")", ",", "@", "#", ";", ":",
    "?", "+", "-", "*", "/", "%", "|", "=", "<", ">", "^", "&",
];
const WORDS: [&str; 3] = ["and", "or", "in"];

impl TokenKind {
    pub(super) fn is(&self, symbol: &str) -> bool {
        matches!(self, TokenKind::Operator(operator) if *operator == symbol)
    }

    /// As the token's value stands in a message: JSON.
    pub(super) fn json(&self) -> String {
        match self {
            TokenKind::Number(number) => super::number::text(*number),
            TokenKind::Constant(Some(constant)) => constant.to_string(),
            TokenKind::Constant(None) => "null".to_owned(),
            TokenKind::Pattern(_) => "{}".to_owned(),
            other => quoted(&other.plain()),
        }
    }

    /// As it was written, more or less.
    pub(super) fn plain(&self) -> String {
        match self {
            TokenKind::Operator(symbol) => (*symbol).to_owned(),
            TokenKind::Name(text) | TokenKind::Variable(text) | TokenKind::Text(text) => text.clone(),
            TokenKind::Pattern(pattern) => pattern.source().to_owned(),
            TokenKind::End => "(end)".to_owned(),
            other => other.json(),
        }
    }
}

pub(super) struct Tokens<'t> {
    text: &'t str,
    position: usize,
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\u{b}')
}

/// What ends a name.
fn ends_name(character: char) -> bool {
    is_space(character) || ".[]{}(),@#;:?+-*/%|=<>^&!~".contains(character)
}

impl<'t> Tokens<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Tokens { text, position: 0 }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.position..]
    }

    fn fail<T>(&self, code: &'static str) -> Result<T, Misread> {
        Err((Fault::new(code), self.position))
    }

    /// The next token. Where an operator has to come, `/` divides; elsewhere it starts a regular expression.
    pub(super) fn next(&mut self, operator: bool) -> Result<Token, Misread> {
        self.skip()?;
        let offset = self.position;
        let kind = self.kind(operator)?;
        Ok(Token { kind, offset })
    }

    /// Over blanks and comments.
    fn skip(&mut self) -> Result<(), Misread> {
        loop {
            self.position += self.rest().len() - self.rest().trim_start_matches(is_space).len();
            let Some(comment) = self.rest().strip_prefix("/*") else { return Ok(()) };
            match comment.find("*/") {
                Some(length) => self.position += length + 4,
                None => return self.fail("S0106"),
            }
        }
    }

    fn kind(&mut self, operator: bool) -> Result<TokenKind, Misread> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(TokenKind::End) };
        if first == '/' && !operator {
            self.position += 1;
            return self.pattern();
        }
        if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            self.position += symbol.len();
            return Ok(TokenKind::Operator(symbol));
        }
        match first {
            '~' | '!' => Err((Fault::new("S0204").of(&first.to_string()), self.position)),
            '"' | '\'' => self.string(first),
            '0'..='9' => self.number(),
            '`' => match rest[1..].find('`') {
                Some(length) => {
                    self.position += length + 2;
                    Ok(TokenKind::Name(rest[1..=length].to_owned()))
                }
                None => {
                    self.position = self.text.len();
                    self.fail("S0105")
                }
            },
            _ => Ok(self.name()),
        }
    }

    fn name(&mut self) -> TokenKind {
        let rest = self.rest();
        let length = rest.find(ends_name).unwrap_or(rest.len());
        self.position += length;
        let name = &rest[..length];
        if let Some(variable) = name.strip_prefix('$') {
            return TokenKind::Variable(variable.to_owned());
        }
        if let Some(word) = WORDS.iter().find(|word| **word == name) {
            return TokenKind::Operator(word);
        }
        match name {
            "true" => TokenKind::Constant(Some(true)),
            "false" => TokenKind::Constant(Some(false)),
            "null" => TokenKind::Constant(None),
            _ => TokenKind::Name(name.to_owned()),
        }
    }

    fn number(&mut self) -> Result<TokenKind, Misread> {
        let rest = self.rest();
        let digits = |from: usize| {
            rest[from..]
                .find(|character: char| !character.is_ascii_digit())
                .map_or(rest.len(), |end| from + end)
        };
        let mut end = if rest.starts_with('0') { 1 } else { digits(0) };
        if rest[end..].starts_with('.') && digits(end + 1) > end + 1 {
            end = digits(end + 1);
        }
        if rest[end..].starts_with(['e', 'E']) {
            let sign = usize::from(rest[end + 1..].starts_with(['+', '-']));
            if digits(end + 1 + sign) > end + 1 + sign {
                end = digits(end + 1 + sign);
            }
        }
        match rest[..end].parse::<f64>() {
            Ok(number) if number.is_finite() => {
                self.position += end;
                Ok(TokenKind::Number(number))
            }
            _ => Err((Fault::new("S0102").of(&rest[..end]), self.position)),
        }
    }

    fn string(&mut self, quote: char) -> Result<TokenKind, Misread> {
        self.position += 1;
        let mut text = String::new();
        while let Some(character) = self.rest().chars().next() {
            self.position += character.len_utf8();
            match character {
                '\\' => text.push(self.escape()?),
                _ if character == quote => return Ok(TokenKind::Text(text)),
                _ => text.push(character),
            }
        }
        self.fail("S0101")
    }

    fn escape(&mut self) -> Result<char, Misread> {
        let Some(character) = self.rest().chars().next() else {
            return Err((Fault::new("S0103").of(""), self.position));
        };
        let plain = match character {
            '"' | '\\' | '/' => character,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let unit = self.unit()?;
                if (0xd800..0xdc00).contains(&unit) && self.rest().starts_with("\\u") {
                    let back = self.position;
                    self.position += 1;
                    let low = self.unit()?;
                    if (0xdc00..0xe000).contains(&low) {
                        let point = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                        return Ok(char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    self.position = back;
                }
                return Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            other => return Err((Fault::new("S0103").of(&other.to_string()), self.position)),
        };
        self.position += character.len_utf8();
        Ok(plain)
    }

    /// The four digits behind the `u` that is next.
    fn unit(&mut self) -> Result<u32, Misread> {
        let digits = self.text.get(self.position + 1..self.position + 5);
        match digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            Some(digits) => {
                self.position += 5;
                Ok(u32::from_str_radix(digits, 16).unwrap_or_default())
            }
            None => self.fail("S0104"),
        }
    }

    /// Behind the first `/`.
    fn pattern(&mut self) -> Result<TokenKind, Misread> {
        let start = self.position;
        let mut depth = 0_i64;
        let mut escaped = false;
        for (at, character) in self.text[start..].char_indices() {
            if character == '/' && depth == 0 && !escaped {
                let source = &self.text[start..start + at];
                if source.is_empty() {
                    return self.fail("S0301");
                }
                self.position = start + at + 1;
                let flags =
                    &self.rest()[..self.rest().len() - self.rest().trim_start_matches(['i', 'm']).len()];
                self.position += flags.len();
                return match Pattern::parse(source, flags) {
                    Ok(pattern) => Ok(TokenKind::Pattern(Arc::new(pattern))),
                    Err(message) => Err((Fault::message("S0303", message), start)),
                };
            }
            match character {
                '(' | '[' | '{' if !escaped => depth += 1,
                ')' | ']' | '}' if !escaped => depth -= 1,
                _ => {}
            }
            escaped = character == '\\' && !escaped;
        }
        self.position = self.text.len();
        self.fail("S0302")
    }
}
