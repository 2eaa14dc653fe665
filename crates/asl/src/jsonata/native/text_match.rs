//! Matching: `$match`, `$contains`, `$replace`, `$split`, by text, by a regular expression, or by a function that acts
//! like one.

use super::{Arguments, Evaluator, Fault, Outcome};
use crate::jsonata::apply::Function;
use crate::jsonata::error::quoted;
use crate::jsonata::pattern::Pattern;
use crate::jsonata::value::{Array, Map, Object, Text, Value};
use std::rc::Rc;

/// A match. Places are in bytes.
struct Match<'a> {
    start: usize,
    end: usize,
    text: Text<'a>,
    groups: Vec<Value<'a>>,
    next: Next<'a>,
}

/// How the next match is found.
enum Next<'a> {
    Pattern(&'a Pattern),
    /// What the matcher gave, for a function that replaces, and what it gave for the next one.
    Matcher(Object<'a>, Option<Rc<Function<'a>>>),
}

/// A place of a text, in bytes and as JavaScript counts: in UTF-16 units.
#[derive(Clone, Copy, Default)]
struct Place {
    byte: usize,
    unit: usize,
}

impl Place {
    /// Moves to any byte.
    fn seek(&mut self, text: &str, byte: usize) -> f64 {
        if byte < self.byte {
            *self = Place::default();
        }
        self.move_to(text, byte)
    }

    /// Moves to a byte that is not before this place.
    fn move_to(&mut self, text: &str, byte: usize) -> f64 {
        self.unit += text[self.byte..byte].chars().map(char::len_utf16).sum::<usize>();
        self.byte = byte;
        self.unit as f64
    }
}

impl<'a> Evaluator<'a, '_> {
    /// What a regular expression gives as a function.
    pub(in crate::jsonata) fn matched(
        &mut self,
        pattern: &'a Pattern,
        text: Text<'a>,
        from: usize,
    ) -> Outcome<'a> {
        let Some(found) = self.search(pattern, &text, from)? else { return Ok(Value::Undefined) };
        self.spend(text.len() / 64)?;
        Ok(shown_to_functions(&found, pattern, &text, &mut Place::default()))
    }

    pub(in crate::jsonata) fn next_match(
        &mut self,
        pattern: &'a Pattern,
        text: &Text<'a>,
        from: usize,
    ) -> Outcome<'a> {
        match self.search_next(pattern, text, from)? {
            Some(found) => {
                self.spend(text.len() / 64)?;
                Ok(shown_to_functions(&found, pattern, text, &mut Place::default()))
            }
            None => Ok(Value::Undefined),
        }
    }

    fn search(
        &mut self,
        pattern: &'a Pattern,
        text: &Text<'a>,
        from: usize,
    ) -> Result<Option<Match<'a>>, Fault> {
        let left = text.len().saturating_sub(from);
        self.spend(pattern.cost(left, 0))?;
        let Some(found) = pattern.find(text, from) else {
            self.spend(pattern.cost(0, left))?;
            return Ok(None);
        };
        self.spend(pattern.cost(0, found.end - from))?;
        let groups = found.groups.iter().map(|group| group.map_or(Value::Undefined, Value::text)).collect();
        let (start, end) = (found.start, found.end);
        let text = Text::Made(text[start..end].into());
        Ok(Some(Match { start, end, text, groups, next: Next::Pattern(pattern) }))
    }

    fn search_next(
        &mut self,
        pattern: &'a Pattern,
        text: &Text<'a>,
        from: usize,
    ) -> Result<Option<Match<'a>>, Fault> {
        if from >= text.len() {
            return Ok(None);
        }
        match self.search(pattern, text, from)? {
            Some(found) if found.text.is_empty() => Err(Fault::value("D1004", quoted(pattern.source()))),
            found => Ok(found),
        }
    }

    /// The first match of a regular expression, or of a function that acts like one.
    fn find(&mut self, matcher: &Rc<Function<'a>>, text: &Text<'a>) -> Result<Option<Match<'a>>, Fault> {
        match &**matcher {
            Function::Pattern(pattern) => self.search(pattern, text, 0),
            _ => {
                let value = self.apply(matcher, vec![Value::Text(text.clone())], &Value::Null)?;
                self.match_of(value, text)
            }
        }
    }

    fn find_next(&mut self, found: &Match<'a>, text: &Text<'a>) -> Result<Option<Match<'a>>, Fault> {
        match &found.next {
            Next::Pattern(pattern) => self.search_next(pattern, text, found.end),
            Next::Matcher(_, Some(next)) => {
                let value = self.apply(next, Vec::new(), &Value::Null)?;
                self.match_of(value, text)
            }
            Next::Matcher(_, None) => Ok(None),
        }
    }

    /// What a matcher gave, understood.
    fn match_of(&mut self, value: Value<'a>, text: &Text<'a>) -> Result<Option<Match<'a>>, Fault> {
        self.spend(1 + text.len() / 64)?;
        let object = match value {
            Value::Undefined => return Ok(None),
            Value::Object(object) => object,
            _ => return Err(Fault::new("T1010")),
        };
        let place = |name| match object.get(name) {
            Some(Value::Number(number)) => Some(at_unit(text, number.float)),
            _ => None,
        };
        let (Some(start), Some(Value::Text(found))) = (place("start"), object.get("match")) else {
            return Err(Fault::new("T1010"));
        };
        let end = place("end").unwrap_or(text.len()).max(start);
        let groups = match object.get("groups") {
            Some(Value::Array(groups)) => groups.iter().collect(),
            _ => Vec::new(),
        };
        let next = match object.get("next") {
            Some(Value::Function(next)) => Some(next),
            _ => None,
        };
        Ok(Some(Match { start, end, text: found, groups, next: Next::Matcher(object, next) }))
    }
}

/// A match as functions get it.
fn shown_to_functions<'a>(
    found: &Match<'a>,
    pattern: &'a Pattern,
    text: &Text<'a>,
    place: &mut Place,
) -> Value<'a> {
    let mut map = Map::new();
    map.insert(Text::Borrowed("match"), Value::Text(found.text.clone()));
    map.insert(Text::Borrowed("start"), Value::number(place.move_to(text, found.start)));
    map.insert(Text::Borrowed("end"), Value::number(place.move_to(text, found.end)));
    map.insert(Text::Borrowed("groups"), Value::Array(Array::new(found.groups.clone())));
    let next = Function::Next { pattern, text: text.clone(), from: found.end };
    map.insert(Text::Borrowed("next"), Value::Function(Rc::new(next)));
    Value::Object(Object::new(map))
}

/// The byte where the UTF-16 unit of this number starts.
fn at_unit(text: &str, unit: f64) -> usize {
    let mut passed = 0.0;
    for (at, character) in text.char_indices() {
        if passed >= unit {
            return at;
        }
        passed += character.len_utf16() as f64;
    }
    text.len()
}

/// How many matches count: all of them where no limit is given.
fn limit(arguments: &mut Arguments<'_>, index: usize, code: &'static str) -> Result<f64, Fault> {
    match arguments.number(index)? {
        Some(limit) if limit < 0.0 => {
            let shown = super::super::number::text(limit);
            Err(Fault::value(code, shown).at_argument(index + 1))
        }
        limit => Ok(limit.unwrap_or(f64::INFINITY)),
    }
}

pub(super) fn contains<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let Some(text) = arguments.text(0)? else { return Ok(Value::Undefined) };
    evaluator.spend(text.len() / 64)?;
    Ok(match arguments.take(1) {
        Value::Text(part) => Value::Bool(text.contains(&*part)),
        Value::Function(matcher) => Value::Bool(evaluator.find(&matcher, &text)?.is_some()),
        _ => Value::Undefined,
    })
}

pub(super) fn match_all<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let (text, matcher) = (arguments.text(0)?, arguments.function(1)?);
    let (Some(text), Some(matcher)) = (text, matcher) else { return Ok(Value::Undefined) };
    let limit = limit(&mut arguments, 2, "D3040")?;
    let mut all = Vec::new();
    let mut place = Place::default();
    let mut next = if limit > 0.0 { evaluator.find(&matcher, &text)? } else { None };
    while let Some(found) = next.filter(|_| (all.len() as f64) < limit) {
        let mut map = Map::new();
        map.insert(Text::Borrowed("match"), Value::Text(found.text.clone()));
        map.insert(Text::Borrowed("index"), Value::number(place.seek(&text, found.start)));
        map.insert(Text::Borrowed("groups"), Value::Array(Array::new(found.groups.clone())));
        all.push(Value::Object(Object::new(map)));
        evaluator.allow_item(all.len())?;
        next = evaluator.find_next(&found, &text)?;
    }
    Ok(Value::Array(Array::sequence(all)))
}

pub(super) fn split<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let Some(text) = arguments.text(0)? else { return Ok(Value::Undefined) };
    let limit = limit(&mut arguments, 2, "D3020")?;
    let separator = arguments.take(1);
    let mut parts: Vec<Value<'a>> = Vec::new();
    match &separator {
        Value::Text(separator) => {
            evaluator.allow_bytes(text.len())?;
            let limit = if limit.is_finite() { limit as usize } else { usize::MAX };
            let mut push = |part: &str| {
                parts.push(Value::text(part));
                evaluator.allow_item(parts.len())
            };
            if separator.is_empty() {
                let mut buffer = [0; 4];
                text.chars()
                    .take(limit)
                    .try_for_each(|character| push(character.encode_utf8(&mut buffer)))?;
            } else {
                text.split(&**separator).take(limit).try_for_each(push)?;
            }
        }
        Value::Function(matcher) => {
            let mut start = 0;
            let mut next = if limit > 0.0 { evaluator.find(matcher, &text)? } else { None };
            while let Some(found) = next.filter(|_| (parts.len() as f64) < limit) {
                evaluator.allow_bytes(found.start.saturating_sub(start))?;
                parts.push(Value::text(&text[start.min(found.start)..found.start]));
                start = found.end;
                evaluator.allow_item(parts.len())?;
                next = evaluator.find_next(&found, &text)?;
            }
            if (parts.len() as f64) < limit {
                parts.push(Value::text(&text[start..]));
            }
        }
        _ => parts.push(Value::Text(text)),
    }
    Ok(Value::Array(Array::new(parts)))
}

pub(super) fn replace<'a>(evaluator: &mut Evaluator<'a, '_>, mut arguments: Arguments<'a>) -> Outcome<'a> {
    let Some(text) = arguments.text(0)? else { return Ok(Value::Undefined) };
    let (pattern, replacement) = (arguments.take(1), arguments.take(2));
    if matches!(&pattern, Value::Text(pattern) if pattern.is_empty()) {
        return Err(Fault::value("D3010", "\"\"".to_owned()).at_argument(2));
    }
    let limit = limit(&mut arguments, 3, "D3011")?;
    let matcher = match pattern {
        Value::Text(pattern) => return replace_text(evaluator, &text, &pattern, &replacement, limit),
        Value::Function(matcher) => matcher,
        _ => return Ok(Value::Text(text)),
    };
    let mut out = String::new();
    let (mut position, mut count, mut place) = (0, 0.0, Place::default());
    let mut next = if limit > 0.0 { evaluator.find(&matcher, &text)? } else { None };
    while let Some(found) = next.filter(|_| count < limit) {
        out.push_str(&text[position.min(found.start)..found.start]);
        let substitute = match &replacement {
            Value::Text(template) => Value::text(expanded(evaluator, template, &found)?),
            Value::Function(function) => {
                let shown = match &found.next {
                    Next::Pattern(pattern) => shown_to_functions(&found, pattern, &text, &mut place),
                    Next::Matcher(object, _) => Value::Object(object.clone()),
                };
                evaluator.apply(function, vec![shown], &Value::Null)?
            }
            _ => Value::Undefined,
        };
        let Value::Text(substitute) = substitute else {
            return Err(Fault::value("D3012", evaluator.shown(&substitute)?));
        };
        out.push_str(&substitute);
        evaluator.spend(1 + (found.start.saturating_sub(position) + substitute.len()) / 32)?;
        evaluator.allow_text(&out)?;
        position = match found.next {
            Next::Pattern(_) => found.end,
            Next::Matcher(..) => at_character(&text, found.start, found.text.chars().count()),
        };
        count += 1.0;
        next = evaluator.find_next(&found, &text)?;
    }
    evaluator.allow_bytes(out.len() + text.len() - position)?;
    out.push_str(&text[position..]);
    Ok(Value::text(out))
}

/// So many characters behind a place.
fn at_character(text: &str, from: usize, count: usize) -> usize {
    text[from..].char_indices().nth(count).map_or(text.len(), |(at, _)| from + at)
}

fn replace_text<'a>(
    evaluator: &mut Evaluator<'a, '_>,
    text: &Text<'a>,
    pattern: &str,
    replacement: &Value<'a>,
    limit: f64,
) -> Outcome<'a> {
    // What is no text is put in as JavaScript would put it in: a function by nothing sensible, so not at all.
    let Value::Text(replacement) = replacement else {
        return Err(Fault::value("D3012", "undefined".to_owned()));
    };
    let mut out = String::new();
    let mut rest: &str = text;
    let mut count = 0.0;
    while count < limit
        && let Some(at) = rest.find(pattern)
    {
        out.push_str(&rest[..at]);
        out.push_str(replacement);
        rest = &rest[at + pattern.len()..];
        count += 1.0;
        evaluator.spend(1 + (at + replacement.len()) / 32)?;
        evaluator.allow_text(&out)?;
    }
    evaluator.allow_bytes(out.len() + rest.len())?;
    out.push_str(rest);
    Ok(Value::text(out))
}

/// A replacement with `$0`, `$1` … and `$$` filled in.
fn expanded<'a>(
    evaluator: &mut Evaluator<'a, '_>,
    template: &str,
    found: &Match<'a>,
) -> Result<String, Fault> {
    let mut out = String::new();
    let mut rest = template;
    let most_digits = found.groups.len().max(1).ilog10() as usize + 1;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('0') {
            out.push_str(&found.text);
            rest = after;
        } else {
            let digits = rest.bytes().take(most_digits).take_while(u8::is_ascii_digit).count();
            let index = |digits: usize| rest[..digits].parse::<usize>().unwrap_or(0);
            let digits = if digits > 1 && index(digits) > found.groups.len() { digits - 1 } else { digits };
            if digits == 0 {
                out.push('$');
                continue;
            }
            if let Some(Value::Text(group)) =
                index(digits).checked_sub(1).and_then(|index| found.groups.get(index))
            {
                out.push_str(group);
            }
            rest = &rest[digits..];
        }
        evaluator.spend(1)?;
        evaluator.allow_text(&out)?;
    }
    out.push_str(rest);
    Ok(out)
}
