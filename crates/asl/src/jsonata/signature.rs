//! Which arguments a function takes: `<s-nn?:s>`.
//!
//! Source: <https://docs.jsonata.org/programming#function-signatures>.

use super::error::Fault;
use super::value::{Array, Value};

#[derive(Debug, PartialEq)]
pub(super) struct Signature(Vec<Parameter>);

#[derive(Debug, Default, PartialEq)]
struct Parameter {
    /// The letters of the types it takes, `m` for a missing value.
    accepts: String,
    is_array: bool,
    /// What an array may hold.
    subtype: Option<String>,
    optional: bool,
    repeated: bool,
    /// The context stands in for it.
    context: bool,
}

impl Signature {
    /// With its angle brackets.
    ///
    /// # Errors
    /// `S0401`, `S0402`.
    pub(super) fn parse(text: &str) -> Result<Signature, Fault> {
        let letters: Vec<char> = text.chars().collect();
        let mut parameters: Vec<Parameter> = Vec::new();
        let mut at = 1;
        while let Some(&letter) = letters.get(at).filter(|letter| **letter != ':') {
            let accepts = match letter {
                's' | 'n' | 'b' | 'l' | 'o' => format!("{letter}m"),
                'a' | 'x' => "asnblfom".to_owned(),
                'f' => "f".to_owned(),
                'j' => "asnblom".to_owned(),
                '(' => {
                    let end = closing(&letters, at, '(', ')');
                    let choice: String = letters[(at + 1).min(end)..end].iter().collect();
                    if choice.contains('<') {
                        return Err(Fault::value("S0402", super::error::quoted(&choice)));
                    }
                    at = end;
                    choice + "m"
                }
                _ => {
                    at = modify(parameters.last_mut(), &letters, at)? + 1;
                    continue;
                }
            };
            parameters.push(Parameter { accepts, is_array: letter == 'a', ..Parameter::default() });
            at += 1;
        }
        Ok(Signature(parameters))
    }

    /// The arguments as the function gets them: arrays where it wants arrays, and the context where it stands in.
    ///
    /// # Errors
    /// `T0410`, `T0411`, `T0412`.
    pub(super) fn validate<'a>(
        &self,
        arguments: Vec<Value<'a>>,
        context: &Value<'a>,
    ) -> Result<Vec<Value<'a>>, Fault> {
        let supplied: Vec<char> = arguments.iter().map(letter).collect();
        let Some(counts) = fit(&self.0, &supplied, true) else {
            return Err(self.misfit(&supplied));
        };
        let mut validated = Vec::with_capacity(self.0.len());
        let mut arguments = arguments.into_iter();
        let mut index = 0;
        for (parameter, count) in self.0.iter().zip(counts) {
            if count == 0 && parameter.context {
                if !parameter.accepts.contains(letter(context)) {
                    return Err(Fault::new("T0411").at_argument(index + 1));
                }
                validated.push(context.clone());
            } else if count == 0 {
                validated.push(arguments.next().unwrap_or(Value::Undefined));
                index += 1;
            }
            for argument in arguments.by_ref().take(count) {
                index += 1;
                validated.push(parameter.coerced(argument, index, count)?);
            }
        }
        Ok(validated)
    }

    /// The first argument behind those that fit.
    fn misfit(&self, supplied: &[char]) -> Fault {
        let mut good = 0;
        for length in 1..=self.0.len() {
            match fit(&self.0[..length], supplied, false) {
                Some(counts) => good = counts.iter().sum(),
                None => break,
            }
        }
        Fault::new("T0410").at_argument(good + 1)
    }
}

impl Parameter {
    fn coerced<'a>(&self, argument: Value<'a>, index: usize, count: usize) -> Result<Value<'a>, Fault> {
        if !self.is_array || matches!(argument, Value::Undefined) {
            return Ok(argument);
        }
        let holds = |value: &Value<'a>, subtype: &str| subtype.starts_with(letter(value));
        let fits = match (&self.subtype, &argument) {
            (None, _) => true,
            (Some(subtype), Value::Array(array)) => array.iter().all(|item| holds(&item, subtype)),
            (Some(subtype), other) => count == 1 && subtype.len() == 1 && holds(other, subtype),
        };
        if !fits {
            let kind = match self.subtype.as_deref() {
                Some("a") => "\"arrays\"",
                Some("b") => "\"booleans\"",
                Some("f") => "\"functions\"",
                Some("n") => "\"numbers\"",
                Some("o") => "\"objects\"",
                Some("s") => "\"strings\"",
                _ => "undefined",
            };
            return Err(Fault::new("T0412").at_argument(index).and(kind.to_owned()));
        }
        Ok(match argument {
            Value::Array(_) => argument,
            other => Value::Array(Array::new(vec![other])),
        })
    }
}

/// How many of the letters each parameter takes, the first as many as they can, so that all fit. `None` if they do not.
fn fit(parameters: &[Parameter], letters: &[char], all: bool) -> Option<Vec<usize>> {
    // Whether the parameters from here fit the letters from there, found from the end, so that nothing is tried twice.
    let width = letters.len() + 1;
    let mut fits = vec![vec![false; width]; parameters.len() + 1];
    for (at, end) in fits[parameters.len()].iter_mut().enumerate() {
        *end = !all || at == letters.len();
    }
    let most = |parameter: &Parameter, at: usize| {
        let limit = if parameter.repeated { letters.len() } else { 1 };
        letters[at..].iter().take(limit).take_while(|letter| parameter.accepts.contains(**letter)).count()
    };
    let least = |parameter: &Parameter| usize::from(!parameter.optional);
    for (number, parameter) in parameters.iter().enumerate().rev() {
        for at in 0..width {
            fits[number][at] =
                (least(parameter)..=most(parameter, at)).any(|count| fits[number + 1][at + count]);
        }
    }
    let mut at = 0;
    let mut counts = Vec::with_capacity(parameters.len());
    for (number, parameter) in parameters.iter().enumerate() {
        let mut possible = (least(parameter)..=most(parameter, at)).rev();
        let count = possible.find(|count| fits[number + 1][at + count])?;
        counts.push(count);
        at += count;
    }
    (!all || at == letters.len()).then_some(counts)
}

fn letter(value: &Value<'_>) -> char {
    match value {
        Value::Undefined => 'm',
        Value::Null => 'l',
        Value::Bool(_) => 'b',
        Value::Number(_) => 'n',
        Value::Text(_) => 's',
        Value::Array(_) | Value::Tuples(_) => 'a',
        Value::Object(_) => 'o',
        Value::Function(_) => 'f',
    }
}

/// Where the bracket that opens at `start` closes, or the end.
fn closing(letters: &[char], start: usize, open: char, close: char) -> usize {
    let mut depth = 0;
    for (at, letter) in letters.iter().enumerate().skip(start) {
        if *letter == open {
            depth += 1;
        } else if *letter == close {
            depth -= 1;
            if depth == 0 {
                return at;
            }
        }
    }
    letters.len()
}

/// Reads what qualifies the parameter before it; gives the place of its last letter.
fn modify(parameter: Option<&mut Parameter>, letters: &[char], at: usize) -> Result<usize, Fault> {
    let Some(parameter) = parameter else { return Ok(at) };
    match letters[at] {
        '-' => (parameter.context, parameter.optional) = (true, true),
        '?' => parameter.optional = true,
        '+' => parameter.repeated = true,
        '<' => {
            if !parameter.is_array && parameter.accepts != "f" {
                let kind = parameter.accepts.trim_end_matches('m');
                return Err(Fault::value("S0401", super::error::quoted(kind)));
            }
            let end = closing(letters, at, '<', '>');
            parameter.subtype = Some(letters[(at + 1).min(end)..end].iter().collect());
            return Ok(end);
        }
        _ => {}
    }
    Ok(at)
}
