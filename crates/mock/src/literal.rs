//! What a function returns, as it is written in Python or in JSON: the literals of both.

use serde_json::{Map, Number, Value};

/// A literal and what follows it in the text.
pub(crate) type Read<'t> = Option<(Literal, &'t str)>;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Value(Value),
    /// `b'…'`
    Bytes(Vec<u8>),
}

/// How deep a literal may nest: far more than anybody writes on one line.
const MOST_DEPTH: u32 = 100;

/// Reads a literal from the start of `text`; `None` where there is none.
pub(crate) fn read(text: &str) -> Read<'_> {
    let text = text.trim_start();
    let bytes = text.strip_prefix(['b', 'B']).filter(|rest| rest.starts_with(['\'', '"']));
    if let Some(rest) = bytes {
        let (written, rest) = string(rest)?;
        let bytes = written.chars().map(|letter| u8::try_from(u32::from(letter)).ok());
        return Some((Literal::Bytes(bytes.collect::<Option<_>>()?), rest));
    }
    let (value, rest) = value(text, MOST_DEPTH)?;
    Some((Literal::Value(value), rest))
}

fn value(text: &str, depth: u32) -> Option<(Value, &str)> {
    let depth = depth.checked_sub(1)?;
    let text = text.trim_start();
    match text.chars().next()? {
        '\'' | '"' => string(text).map(|(text, rest)| (Value::String(text), rest)),
        '[' => items(&text[1..], ']', depth),
        '(' => items(&text[1..], ')', depth),
        '{' => members(&text[1..], depth),
        '-' | '0'..='9' => number(text),
        _ => constant(text),
    }
}

fn constant(text: &str) -> Option<(Value, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let value = match word {
        "None" | "null" => Value::Null,
        "True" | "true" => Value::Bool(true),
        "False" | "false" => Value::Bool(false),
        _ => return None,
    };
    Some((value, rest))
}

fn number(text: &str) -> Option<(Value, &str)> {
    let part = |letter: char| letter.is_ascii_digit() || matches!(letter, '-' | '+' | '.' | 'e' | 'E');
    let end = text.find(|letter| !part(letter)).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let number: Number = serde_json::from_str(digits).ok()?;
    Some((Value::Number(number), rest))
}

/// A list or a tuple, behind its bracket. A comma may follow the last item.
fn items(text: &str, close: char, depth: u32) -> Option<(Value, &str)> {
    let mut items = Vec::new();
    let mut rest = text.trim_start();
    loop {
        if let Some(rest) = rest.strip_prefix(close) {
            return Some((Value::Array(items), rest));
        }
        let (item, after) = value(rest, depth)?;
        items.push(item);
        rest = separated(after, close)?;
    }
}

fn members(text: &str, depth: u32) -> Option<(Value, &str)> {
    let mut members = Map::new();
    let mut rest = text.trim_start();
    loop {
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((Value::Object(members), rest));
        }
        let (name, after) = string(rest)?;
        let (member, after) = value(after.trim_start().strip_prefix(':')?, depth)?;
        members.insert(name, member);
        rest = separated(after, '}')?;
    }
}

/// Past the comma behind an item, or at the closing bracket.
fn separated(text: &str, close: char) -> Option<&str> {
    let text = text.trim_start();
    match text.strip_prefix(',') {
        Some(rest) => Some(rest.trim_start()),
        None => text.starts_with(close).then_some(text),
    }
}

/// A string in single or double quotes, with Python's and JSON's escapes.
pub(crate) fn string(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    let mut written = String::new();
    let mut letters = text[1..].char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            _ if letter == quote => return Some((written, &text[1 + at + 1..])),
            '\n' => return None,
            '\\' => written.push(escaped(&mut letters)?),
            _ => written.push(letter),
        }
    }
    None
}

fn escaped(letters: &mut std::str::CharIndices<'_>) -> Option<char> {
    let code = |letters: &mut std::str::CharIndices<'_>, digits: usize| {
        let hex = letters.as_str().get(..digits).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))?;
        letters.nth(digits - 1)?;
        u32::from_str_radix(hex, 16).ok()
    };
    Some(match letters.next()?.1 {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        '0' => '\0',
        same @ ('\\' | '\'' | '"' | '/') => same,
        'x' => char::from_u32(code(letters, 2)?)?,
        'U' => char::from_u32(code(letters, 8)?)?,
        'u' => {
            let first = code(letters, 4)?;
            if !(0xd800..0xdc00).contains(&first) {
                return char::from_u32(first);
            }
            // JSON writes what is beyond 16 bits as two surrogates.
            if !letters.as_str().starts_with("\\u") {
                return None;
            }
            letters.nth(1)?;
            let second = code(letters, 4)?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
            char::from_u32(0x10000 + ((first - 0xd800) << 10) + second)?
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_languages_are_read() {
        for (text, value) in [
            ("None", json!(null)),
            ("true", json!(true)),
            ("{'a': True, \"b\": [1, 2.5, -3e2,], }", json!({"a": true, "b": [1, 2.5, -300.0]})),
            ("(1, 'x')", json!([1, "x"])),
            (r#"'it\'s \x41é\n'"#, json!("it's Aé\n")),
            (r#""\ud83d\ude00 \U0001F600""#, json!("😀 😀")),
            ("{}", json!({})),
        ] {
            let expected = value.to_string().replace("-300.0", "-3e+2");
            match read(text) {
                Some((Literal::Value(read), "")) => assert_eq!(read.to_string(), expected, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
        assert_eq!(read(r#"b'"x\xff"' tail"#), Some((Literal::Bytes(b"\"x\xff\"".to_vec()), " tail")));
    }

    #[test]
    fn what_is_no_literal_is_refused() {
        let deep = "[".repeat(5000);
        for text in
            ["", "x", "'open", "{1: 2}", "[1 2]", "01", "b'é\u{100}'", "'\\ud800'", "nul", "f'x'", &deep]
        {
            let read = read(text);
            assert!(read.is_none(), "{text}: {read:?}");
        }
    }
}
