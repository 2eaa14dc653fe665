//! The words for what a stand-in does: `echo`, `raise X('…')`, `return VALUE`, and `sleep N then …` before any of them.

use crate::literal::{self, Literal};
use crate::mocks::{Behaviour, StandIn};
use serde_json::Value;

/// What is said to whoever wrote something else.
pub(crate) const KINDS: &str = "Known are `echo`, `raise Exception('message')`, `return VALUE` (JSON or Python), `return N KiB bytes`, and \
     `sleep SECONDS then …` before any of them.";

/// The longest sleep in seconds: the largest number of seconds in the language.
const MOST_SECONDS: f64 = 99_999_999.0;

/// Reads the words; an error says what is wrong with them, for the caret's label.
pub(crate) fn parse(text: &str) -> Result<StandIn, String> {
    let text = text.trim();
    let Some(rest) = word(text, "sleep") else {
        return Ok(StandIn { sleep_us: 0, behaviour: behaviour(text)? });
    };
    let (seconds, rest) = rest.split_once(char::is_whitespace).ok_or("what it does then is missing")?;
    let rest = rest.trim_start();
    let rest = word(rest, "seconds").or_else(|| word(rest, "s")).unwrap_or(rest);
    let number: Option<f64> = seconds.parse().ok();
    let number = number
        .filter(|number| (0.0..=MOST_SECONDS).contains(number))
        .ok_or_else(|| format!("`{seconds}` is no number of seconds"))?;
    let then = word(rest, "then").ok_or("`then` is missing behind the seconds")?;
    Ok(StandIn { sleep_us: (number * 1e6) as u64, behaviour: behaviour(then)? })
}

/// What follows a word at the start of the text.
fn word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let rest = text.strip_prefix(word)?;
    if rest.starts_with(char::is_whitespace) { Some(rest.trim_start()) } else { None }
}

fn behaviour(text: &str) -> Result<Behaviour, String> {
    if text == "echo" {
        return Ok(Behaviour::Echo);
    }
    if let Some(raised) = word(text, "raise") {
        return raise(raised);
    }
    match word(text, "return") {
        Some(returned) => bytes_of_size(returned).map_or_else(|| value(returned), Ok),
        None if text == "return" => Ok(Behaviour::Return(Value::Null)),
        None => Err("not known".to_owned()),
    }
}

/// `X`, `X()`, `X('message')`; a number is a message, too, as `str` shows it.
fn raise(text: &str) -> Result<Behaviour, String> {
    let end = text.find('(').unwrap_or(text.len());
    let (class, arguments) = text.split_at(end);
    let class = class.trim_end();
    let is_name = |part: &str| {
        part.starts_with(|first: char| first.is_alphabetic() || first == '_')
            && part.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
    };
    if !class.split('.').all(is_name) {
        return Err("an exception's class is missing".to_owned());
    }
    let message = if arguments.is_empty() { Some(String::new()) } else { message(arguments) };
    let message = message.ok_or("the exception takes one string")?;
    // Python names a class without the module that it is in.
    let class = class.rsplit('.').next().unwrap_or(class).to_owned();
    Ok(Behaviour::Raise { class, message, written: format!("raise {text}") })
}

/// The only argument, or nothing, between brackets.
fn message(arguments: &str) -> Option<String> {
    let inside = arguments.strip_prefix('(')?.trim_start();
    if is_remark(inside.strip_prefix(')').unwrap_or("x")) {
        return Some(String::new());
    }
    let (literal, rest) = literal::read(inside)?;
    let rest = rest.trim_start().strip_prefix(')')?;
    match literal {
        Literal::Value(Value::String(text)) if is_remark(rest) => Some(text),
        Literal::Value(Value::Number(number)) if is_remark(rest) => Some(number.to_string()),
        _ => None,
    }
}

fn value(text: &str) -> Result<Behaviour, String> {
    let (literal, rest) = literal::read(text).ok_or("neither JSON nor a Python literal")?;
    if !is_remark(rest) {
        return Err("something follows the value".to_owned());
    }
    match literal {
        Literal::Value(value) => Ok(Behaviour::Return(value)),
        // Lambda's runtime takes bytes for the text of the response.
        Literal::Bytes(bytes) => serde_json::from_slice(&bytes)
            .map(Behaviour::Return)
            .map_err(|_| "bytes are the text of the response, and these are no JSON".to_owned()),
    }
}

/// `257 KiB bytes`: a response of that length.
fn bytes_of_size(text: &str) -> Option<Behaviour> {
    let mut words = text.split_whitespace();
    let count: u64 = words.next()?.parse().ok()?;
    let unit = match words.next()? {
        "bytes" => return is_remark(&words.collect::<String>()).then_some(Behaviour::Bytes(count)),
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        _ => return None,
    };
    let last = words.next()? == "bytes" && is_remark(&words.collect::<String>());
    last.then(|| Behaviour::Bytes(count.saturating_mul(unit)))
}

/// Nothing, or a remark in brackets for whoever reads the file.
fn is_remark(rest: &str) -> bool {
    let rest = rest.trim();
    rest.is_empty() || rest.starts_with('(') && rest.ends_with(')')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn parsed(text: &str) -> (u64, Behaviour) {
        let stand_in = parse(text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
        (stand_in.sleep_us, stand_in.behaviour)
    }

    #[test]
    fn every_kind() {
        let raise = |class: &str, message: &str, written: &str| Behaviour::Raise {
            class: class.into(),
            message: message.into(),
            written: written.into(),
        };
        assert_eq!(parsed("echo"), (0, Behaviour::Echo));
        assert_eq!(parsed(" sleep 1.5 then echo "), (1_500_000, Behaviour::Echo));
        assert_eq!(parsed("sleep 2 seconds then return 1"), (2_000_000, Behaviour::Return(json!(1))));
        let text = "raise ValueError('no (really)')";
        assert_eq!(parsed(text), (0, raise("ValueError", "no (really)", text)));
        assert_eq!(parsed("raise a.b.Odd").1, raise("Odd", "", "raise a.b.Odd"));
        assert_eq!(parsed("raise Odd()").1, raise("Odd", "", "raise Odd()"));
        assert_eq!(parsed("raise Odd(3)").1, raise("Odd", "3", "raise Odd(3)"));
        assert_eq!(parsed("return {'a': None}").1, Behaviour::Return(json!({"a": null})));
        assert_eq!(parsed("return b'[1, \"x\"]' (as it is)").1, Behaviour::Return(json!([1, "x"])));
        assert_eq!(parsed("return").1, Behaviour::Return(json!(null)));
        assert_eq!(parsed("return 3 KiB bytes").1, Behaviour::Bytes(3072));
        assert_eq!(parsed("return 12 bytes").1, Behaviour::Bytes(12));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, problem) in [
            ("", "not known"),
            ("ecko", "not known"),
            ("raise", "not known"),
            ("raise 'x'", "class is missing"),
            ("raise X('a', 'b')", "takes one string"),
            ("raise X(f'a')", "takes one string"),
            ("return x", "neither JSON"),
            ("return 1 2", "something follows"),
            ("return b'x'", "no JSON"),
            ("sleep 1", "then is missing"),
            ("sleep 1 echo", "`then` is missing"),
            ("sleep long then echo", "`long` is no number"),
            ("sleep -1 then echo", "`-1` is no number"),
            ("sleep 1 then sleep 1 then echo", "not known"),
        ] {
            let said = parse(text).unwrap_err();
            assert!(said.contains(problem), "{text}: {said}");
        }
    }
}
