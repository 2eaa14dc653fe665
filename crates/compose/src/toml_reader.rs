//! Reading a TOML table key by key, so that every mistake in a file is found at once, each with its place.

use crate::code;
use crate::finding::did_you_mean;
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_asl::source::{Source, Span};
use std::ops::{Range, RangeInclusive};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and its place in the file that says it.
#[derive(Clone, Debug, PartialEq)]
pub struct Located<T> {
    pub value: T,
    pub span: Span,
}

pub(crate) struct TomlReader<'a> {
    source: &'a Source,
    pub(crate) findings: Vec<Diagnostic>,
}

impl<'a> TomlReader<'a> {
    pub(crate) fn new(source: &'a Source) -> Self {
        Self { source, findings: Vec::new() }
    }

    /// The file's root table; an empty one, and findings, where the text is no TOML.
    pub(crate) fn root(&mut self) -> DeTable<'a> {
        let (table, errors) = DeTable::parse_recoverable(&self.source.text);
        if errors.is_empty() {
            return table.into_inner();
        }
        for problem in errors {
            let span = problem.span().unwrap_or(0..0);
            let finding = Diagnostic::error(code::NOT_TOML, format!("{} is not TOML", self.source.name));
            self.findings.push(finding.at(self.source, to_span(&span)).label(problem.message().trim()));
        }
        DeTable::new()
    }

    /// Reports every key of a table that nobody reads.
    pub(crate) fn known_keys(&mut self, table: &DeTable<'_>, what: &str, known: &[&str]) {
        for key in table.keys() {
            let name = key.get_ref().as_ref();
            if known.contains(&name) {
                continue;
            }
            let hint = did_you_mean(name, known.iter().copied())
                .unwrap_or_else(|| format!("The keys of {what} are {}.", known.join(", ")));
            self.reject(
                code::UNKNOWN_KEY,
                &key.span(),
                format!("unknown key `{name}` in {what}"),
                "unknown key",
                hint,
            );
        }
    }

    pub(crate) fn table<'t, 'i>(&mut self, parent: &'t DeTable<'i>, key: &str) -> Option<&'t DeTable<'i>> {
        let value = parent.get(key)?;
        self.as_table(value, key)
    }

    pub(crate) fn as_table<'t, 'i>(
        &mut self,
        value: &'t Spanned<DeValue<'i>>,
        key: &str,
    ) -> Option<&'t DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(value, key, "a table");
        }
        table
    }

    /// A string under a key, read further by `parse`, which says what it expected.
    pub(crate) fn parsed<T>(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<Located<T>> {
        let value = table.get(key)?;
        self.parse_value(value, key, parse)
    }

    pub(crate) fn parse_value<T>(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<Located<T>> {
        let Some(text) = value.get_ref().as_str() else {
            self.wrong_type(value, key, "a string");
            return None;
        };
        match parse(text) {
            Ok(parsed) => Some(Located { value: parsed, span: to_span(&value.span()) }),
            Err(expected) => {
                let message = format!("`{text}` is no value for `{key}`");
                self.findings.push(
                    Diagnostic::error(code::BAD_VALUE, message)
                        .at(self.source, to_span(&value.span()))
                        .label(expected),
                );
                None
            }
        }
    }

    pub(crate) fn string(&mut self, table: &DeTable<'_>, key: &str) -> Option<Located<String>> {
        self.parsed(table, key, |text| match text {
            "" => Err("expected some text".to_owned()),
            _ => Ok(text.to_owned()),
        })
    }

    pub(crate) fn boolean(&mut self, table: &DeTable<'_>, key: &str) -> Option<bool> {
        let value = table.get(key)?;
        let boolean = value.get_ref().as_bool();
        if boolean.is_none() {
            self.wrong_type(value, key, "true or false");
        }
        boolean
    }

    /// A number under a key, whole or not, within a range; `unit` is for the reader.
    pub(crate) fn number(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
        unit: &str,
        range: RangeInclusive<f64>,
    ) -> Option<f64> {
        let value = table.get(key)?;
        let text = match value.get_ref() {
            DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
                .map(|number| number.to_string())
                .unwrap_or_else(|_| integer.as_str().to_owned()),
            DeValue::Float(float) => float.as_str().to_owned(),
            _ => {
                self.wrong_type(value, key, &format!("a number of {unit}"));
                return None;
            }
        };
        let number = text.parse().ok().filter(|number| range.contains(number));
        if number.is_none() {
            let label = format!("expected {} to {} {unit}", range.start(), range.end());
            let message = format!("`{text}` is no value for `{key}`");
            self.findings.push(
                Diagnostic::error(code::BAD_VALUE, message)
                    .at(self.source, to_span(&value.span()))
                    .label(label),
            );
        }
        number
    }

    /// A whole number under a key, within a range; `unit` is for the reader.
    pub(crate) fn integer(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
        unit: &str,
        range: RangeInclusive<u32>,
    ) -> Option<u32> {
        let value = table.get(key)?;
        let Some(integer) = value.get_ref().as_integer() else {
            self.wrong_type(value, key, &format!("a whole number of {unit}"));
            return None;
        };
        let number = i64::from_str_radix(integer.as_str(), integer.radix()).unwrap_or(i64::MAX);
        match u32::try_from(number).ok().filter(|number| range.contains(number)) {
            Some(number) => Some(number),
            None => {
                let label = format!("expected {} to {} {unit}", range.start(), range.end());
                let message = format!("`{number}` is no value for `{key}`");
                self.findings.push(
                    Diagnostic::error(code::BAD_VALUE, message)
                        .at(self.source, to_span(&value.span()))
                        .label(label),
                );
                None
            }
        }
    }

    /// Strings in an array under a key.
    pub(crate) fn strings(&mut self, value: &Spanned<DeValue<'_>>, key: &str) -> Vec<Located<String>> {
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(value, key, "an array of strings");
            return Vec::new();
        };
        array.iter().filter_map(|item| self.parse_value(item, key, |text| Ok(text.to_owned()))).collect()
    }

    fn wrong_type(&mut self, value: &Spanned<DeValue<'_>>, key: &str, expected: &str) {
        let found = value.get_ref();
        let mut finding = Diagnostic::error(code::BAD_VALUE, format!("`{key}` has the wrong type"))
            .at(self.source, to_span(&value.span()))
            .label(format!("expected {expected}, found {}", article(found.type_str())));
        if expected == "a string" && !found.is_array() && !found.is_table() {
            finding = finding.hint("Put it in quotes.");
        }
        self.findings.push(finding);
    }

    pub(crate) fn reject(
        &mut self,
        code: &'static str,
        span: &Range<usize>,
        message: String,
        label: &str,
        hint: String,
    ) {
        self.findings
            .push(Diagnostic::error(code, message).at(self.source, to_span(span)).label(label).hint(hint));
    }
}

pub(crate) fn to_span(range: &Range<usize>) -> Span {
    Span { start: range.start, end: range.end }
}

fn article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}
