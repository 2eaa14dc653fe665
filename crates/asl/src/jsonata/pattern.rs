//! Regular expressions, in JavaScript's notation, by an engine whose time is linear in the text.
//!
//! Not supported, because no engine with that promise can: look-ahead, look-behind and back-references. An expression
//! with one of them is refused when it is parsed.

use regex::{Regex, RegexBuilder};

/// What a compiled one may take, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

#[derive(Debug)]
pub(super) struct Pattern {
    source: String,
    /// About how many states it has: what each byte of a text may cost.
    states: usize,
    /// Whether a search may look at the whole text behind a match, for a longer one: `/a(.*b)?/`.
    looks_beyond: bool,
    engine: Regex,
}

/// A match; places are in bytes.
pub(super) struct Found<'t> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) groups: Vec<Option<&'t str>>,
}

impl Pattern {
    /// `flags` are of `i` and `m`.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub(super) fn parse(source: &str, flags: &str) -> Result<Pattern, String> {
        let engine = RegexBuilder::new(&translated(source))
            .case_insensitive(flags.contains('i'))
            .multi_line(flags.contains('m'))
            .size_limit(SIZE_LIMIT)
            .dfa_size_limit(SIZE_LIMIT)
            .nest_limit(100)
            .build();
        match engine {
            Ok(engine) => Ok(Pattern {
                source: source.to_owned(),
                states: states(source),
                looks_beyond: looks_beyond(source),
                engine,
            }),
            Err(regex::Error::CompiledTooBig(_)) => {
                Err(format!("The regular expression /{source}/ takes more than {SIZE_LIMIT} bytes"))
            }
            Err(error) => {
                let error = error.to_string();
                let reason =
                    error.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                Err(format!("Invalid regular expression /{source}/: {reason}"))
            }
        }
    }

    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// The steps that a search takes which begins so many bytes before the end of the text, and passes so many of them up
    /// to the end of its match.
    pub(super) fn cost(&self, left: usize, passed: usize) -> usize {
        let beyond = if self.looks_beyond { left } else { left.min(self.states) };
        1 + beyond.saturating_mul(self.states) / (1 << 11) + passed.saturating_mul(self.states) / (1 << 8)
    }

    /// The first match from a place on.
    pub(super) fn find<'t>(&self, text: &'t str, from: usize) -> Option<Found<'t>> {
        let captures = self.engine.captures_at(text, from)?;
        let whole = captures.get(0)?;
        let groups = captures.iter().skip(1).map(|group| group.map(|group| group.as_str())).collect();
        Some(Found { start: whole.start(), end: whole.end(), groups })
    }
}

/// No fewer than there are: each counted repetition repeats everything.
fn states(source: &str) -> usize {
    let counts = source.split('{').skip(1).filter_map(|count| {
        let count = count.split_once('}')?.0;
        count.split(',').filter_map(|number| number.parse::<usize>().ok()).max()
    });
    counts.fold(source.len().max(16), |states, count| states.saturating_mul(count.max(1)))
}

/// Something of any length has to be in what may be there or not: in an alternative, or in a group that repeats.
fn looks_beyond(source: &str) -> bool {
    let unlimited = source.contains(['*', '+']) || source.contains(",}");
    unlimited && (source.contains('|') || [")?", ")*", ")+", "){"].iter().any(|group| source.contains(group)))
}

/// The same in the engine's notation, where it differs: JavaScript's classes are of ASCII, `.` stops at four line ends,
/// and brackets and braces that mean nothing stand for themselves.
fn translated(source: &str) -> String {
    let letters: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len() + 8);
    let mut in_class = false;
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        at += 1;
        match letter {
            '\\' => {
                escape(&letters, &mut at, in_class, &mut out);
            }
            '[' if in_class => out.push_str("\\["),
            '[' => {
                in_class = true;
                let negated = letters.get(at) == Some(&'^');
                let empty = letters.get(at + usize::from(negated)) == Some(&']');
                if empty {
                    // `[]` matches nothing, `[^]` anything.
                    out.push_str(if negated { "(?s:.)" } else { "[^\\x00-\\x{10FFFF}]" });
                    at += 1 + usize::from(negated);
                    in_class = false;
                } else {
                    out.push('[');
                    if negated {
                        out.push('^');
                        at += 1;
                    }
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' if in_class => out.extend(['\\', letter]),
            '-' if in_class && letters.get(at) == Some(&'-') => out.push_str("\\-"),
            '.' if !in_class => out.push_str("[^\\n\\r\\x{2028}\\x{2029}]"),
            '{' if !in_class && !is_repetition(&letters[at..]) => out.push_str("\\{"),
            ']' => out.push_str("\\]"),
            _ => out.push(letter),
        }
    }
    out
}

/// Whether what follows a `{` counts.
fn is_repetition(letters: &[char]) -> bool {
    let Some(end) = letters.iter().position(|letter| *letter == '}') else { return false };
    let count = &letters[..end];
    count.first().is_some_and(char::is_ascii_digit)
        && count.iter().all(|letter| letter.is_ascii_digit() || *letter == ',')
        && count.iter().filter(|letter| **letter == ',').count() <= 1
}

fn escape(letters: &[char], at: &mut usize, in_class: bool, out: &mut String) {
    let Some(&letter) = letters.get(*at) else { return out.push_str("\\\\") };
    *at += 1;
    match letter {
        'd' if in_class => out.push_str("0-9"),
        'd' => out.push_str("[0-9]"),
        'D' => out.push_str("[^0-9]"),
        'w' if in_class => out.push_str("0-9A-Za-z_"),
        'w' => out.push_str("[0-9A-Za-z_]"),
        'W' => out.push_str("[^0-9A-Za-z_]"),
        'b' if in_class => out.push_str("\\x08"),
        'b' => out.push_str("(?-u:\\b)"),
        'B' => out.push_str("(?-u:\\B)"),
        's' | 'S' | 't' | 'n' | 'r' | 'f' | 'v' | 'x' | 'u' | '1'..='9' => out.extend(['\\', letter]),
        '0' => out.push_str("\\x00"),
        letter if letter.is_ascii_alphanumeric() => out.push(letter),
        letter if letter.is_ascii() => out.extend(['\\', letter]),
        letter => out.push(letter),
    }
}
