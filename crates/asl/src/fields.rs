//! The fields of one object, read by name and type. What is read is what is known: the rest is reported at the end.

use crate::code;
use crate::definition::StringSource;
use crate::intrinsic::Call;
use crate::node::{At, Kind, Node};
use crate::path::{Path, PathError, ReferencePath};
use crate::report::{Report, Spot};
use crate::suggest::nearest;
use serde_json::Number;
use std::fmt;
use std::ops::RangeInclusive;

/// A field, and what stands for it in the other query language. Where that is there, which is reported, it is not said as
/// well that the field is missing.
const COUNTERPARTS: [(&str, &str); 9] = [
    ("Condition", "Variable"),
    ("Condition", "And"),
    ("Condition", "Or"),
    ("Condition", "Not"),
    ("Variable", "Condition"),
    ("Seconds", "SecondsPath"),
    ("Seconds", "TimestampPath"),
    ("Arguments", "Parameters"),
    ("Parameters", "Arguments"),
];

/// An object being read. Getters return `None` both for a field that is absent and for one that is wrong, which they
/// have then reported: nothing is built from a definition with errors.
pub(crate) struct Fields<'a> {
    pub(crate) at: At<'a>,
    /// What messages call the object: ``the Task state `Hello` ``.
    pub(crate) owner: String,
    asked: Vec<&'static str>,
    /// Unknown fields that have been reported already.
    reported: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    /// Reports what is not an object.
    pub(crate) fn of(at: At<'a>, owner: impl Into<String>, report: &mut Report) -> Option<Self> {
        let owner = owner.into();
        if matches!(at.node.kind, Kind::Object(_)) {
            return Some(Fields { at, owner, asked: Vec::new(), reported: Vec::new() });
        }
        wrong_type(&at, &owner, "an object", report);
        None
    }

    /// The field, if it is there. Its name is known from now on.
    pub(crate) fn get(&mut self, name: &'static str) -> Option<At<'a>> {
        if !self.asked.contains(&name) {
            self.asked.push(name);
        }
        self.at.get(name)
    }

    /// Reports that there is none of the operators of a choice rule.
    pub(crate) fn report_no_operator(&self, names: &[&'static str], hint: &str, report: &mut Report) {
        self.report_missing_part("test", names, hint, report);
    }

    /// The field, which must be there.
    pub(crate) fn require(&mut self, name: &'static str, hint: &str, report: &mut Report) -> Option<At<'a>> {
        let found = self.get(name);
        if found.is_none() {
            self.report_missing(&[name], hint, report);
        }
        found
    }

    /// Reports that none of `names` is there; where one is only misspelt, that.
    pub(crate) fn report_missing(&mut self, names: &[&'static str], hint: &str, report: &mut Report) {
        let stands_for_one =
            |(ours, theirs): &(&str, &str)| names.contains(ours) && self.is_unknown_here(theirs);
        if COUNTERPARTS.iter().any(stands_for_one) {
            return;
        }
        let members: Vec<_> = self.at.members().into_iter().flatten().collect();
        for (written, at) in members {
            if self.is_unknown(written)
                && let Some(meant) = nearest(written, names.iter().copied())
            {
                self.reported.push(written);
                self.report_unknown(written, &at, format!("Did you mean `{meant}`?"), report);
                return;
            }
        }
        let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let what = match quoted.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        };
        self.report_missing_part(&what, names, hint, report);
    }

    fn report_missing_part(&self, what: &str, names: &[&'static str], hint: &str, report: &mut Report) {
        report
            .error(code::MISSING_FIELD, self.at.key_spot(), format!("{} has no {what}", self.owner))
            .label(format!("{what} is missing here"))
            .aws(missing_in_aws_words(names))
            .hint(hint);
    }

    /// Whether there is a field of this name that nothing here reads, so that it is reported.
    fn is_unknown_here(&self, name: &str) -> bool {
        !self.asked.contains(&name) && self.at.get(name).is_some()
    }

    fn is_unknown(&self, name: &str) -> bool {
        !self.asked.contains(&name) && !self.reported.contains(&name)
    }

    fn report_unknown(&self, name: &str, at: &At<'_>, hint: String, report: &mut Report) {
        report
            .error(code::UNKNOWN_FIELD, at.key_spot(), format!("{} has no field `{name}`", self.owner))
            .aws(format!("Field '{name}' is not supported"))
            .label("not known here")
            .hint(hint);
    }

    pub(crate) fn string(&mut self, name: &'static str, report: &mut Report) -> Option<&'a str> {
        let at = self.get(name)?;
        string(&at, format_args!("`{name}`"), report)
    }

    pub(crate) fn owned_string(&mut self, name: &'static str, report: &mut Report) -> Option<String> {
        self.string(name, report).map(str::to_owned)
    }

    pub(crate) fn boolean(&mut self, name: &'static str, report: &mut Report) -> Option<bool> {
        let at = self.get(name)?;
        boolean(&at, &format!("`{name}`"), report)
    }

    pub(crate) fn list(&mut self, name: &'static str, report: &mut Report) -> Option<Vec<At<'a>>> {
        let at = self.get(name)?;
        list(&at, format_args!("`{name}`"), report)
    }

    /// A whole number in `range`.
    pub(crate) fn integer(
        &mut self,
        name: &'static str,
        range: RangeInclusive<u32>,
        report: &mut Report,
    ) -> Option<u32> {
        let at = self.get(name)?;
        let Kind::Number(number) = &at.node.kind else {
            wrong_type(&at, format_args!("`{name}`"), "a whole number", report);
            return None;
        };
        let value = number.as_u64().and_then(|value| u32::try_from(value).ok());
        let value = value.filter(|value| range.contains(value));
        if value.is_none() {
            let (least, most) = range.into_inner();
            report
                .error(
                    code::OUT_OF_RANGE,
                    at.spot(),
                    format!("`{name}` must be a whole number from {least} to {most}"),
                )
                .aws(out_of_range_in_aws_words(number, least, most))
                .label(format!("found {}", at.node.describe()));
        }
        value
    }

    /// A path, or a call of an intrinsic function in its place.
    pub(crate) fn path_or_call(&mut self, name: &'static str, report: &mut Report) -> Option<StringSource> {
        let at = self.get(name)?;
        let text = string(&at, format_args!("`{name}`"), report)?;
        let parsed = if is_call(text) {
            Call::parse(text).map(StringSource::Call)
        } else {
            Path::parse(text).map(StringSource::Path)
        };
        let report_it = |error: PathError| {
            let spot = report.inside(at.spot(), text, error.offset);
            report
                .error(code::BAD_PATH, spot, format!("`{name}` is neither a path nor a call"))
                .label(error.message)
                .hint("Such as `$.error.message` or `States.Format('{} failed', $.name)`.");
        };
        parsed.map_err(report_it).ok()
    }

    pub(crate) fn reference_path(
        &mut self,
        name: &'static str,
        report: &mut Report,
    ) -> Option<ReferencePath> {
        let at = self.get(name)?;
        let text = string(&at, format_args!("`{name}`"), report)?;
        ReferencePath::parse(text).map_err(|error| report_path(&at, name, text, &error, report)).ok()
    }

    /// The one of `names` that is there. Reports more than one.
    pub(crate) fn at_most_one(
        &mut self,
        names: &[&'static str],
        report: &mut Report,
    ) -> Option<&'static str> {
        self.know(names);
        let position = |written: &str| names.iter().position(|name| *name == written);
        let mut present: Vec<(usize, Spot<'a>)> = self
            .at
            .raw_members()
            .iter()
            .filter_map(|member| Some((position(&member.key)?, self.at.member(member).key_spot())))
            .collect();
        present.sort_by_key(|(position, _)| *position);
        present.dedup_by_key(|(position, _)| *position);
        let (first, first_spot) = present.first()?;
        let first = names[*first];
        for (name, spot) in &present[1..] {
            let name = names[*name];
            let earlier = report.in_words(first_spot.span);
            report
                .error(
                    code::EXCLUSIVE_FIELDS,
                    spot.clone(),
                    format!("`{first}` and `{name}` exclude each other"),
                )
                .aws(format!("There should only be one of the following fields: [{first}, {name}]"))
                .label(format!("`{first}` is at {earlier}"))
                .hint("Keep one of the two.");
        }
        Some(first)
    }

    /// From now on these names are known.
    pub(crate) fn know(&mut self, names: &[&'static str]) {
        if self.asked.ends_with(names) {
            return;
        }
        for name in names {
            if !self.asked.contains(name) {
                self.asked.push(name);
            }
        }
    }

    /// Reports a field that the language has, and that is not supported yet. It is never proposed for a misspelt one.
    pub(crate) fn not_yet(&mut self, name: &'static str, what: &str, hint: &str, report: &mut Report) {
        if let Some(at) = self.at.get(name) {
            self.reported.push(name);
            report
                .error(code::NOT_SUPPORTED_YET, at.key_spot(), format!("`{name}` is not supported yet"))
                .label(what)
                .hint(hint);
        }
    }

    /// Reports a field of the other query language.
    pub(crate) fn refuse_of_language(
        &mut self,
        name: &'static str,
        language: &str,
        hint: &str,
        report: &mut Report,
    ) {
        if let Some(at) = self.at.get(name).filter(|_| self.is_unknown(name)) {
            self.reported.push(name);
            let message =
                format!("`{name}` is a field of {language}, which {} is not written in", self.owner);
            let own = if language == "JSONata" { "JSONPath" } else { "JSONata" };
            report
                .error(code::OTHER_LANGUAGE, at.key_spot(), message)
                .label(language)
                .hint(hint)
                .aws(format!(
                    "The QueryLanguage is set to '{own}', but field '{name}' is only supported for the '{language}' QueryLanguage"
                ));
        }
    }

    /// Reports a field that other objects of its kind have.
    pub(crate) fn refuse(&mut self, name: &'static str, hint: &str, report: &mut Report) {
        if let Some(at) = self.at.get(name) {
            self.reported.push(name);
            self.report_unknown(name, &at, hint.to_owned(), report);
        }
    }

    /// Whether there is a field that nobody asked for.
    pub(crate) fn has_unknown(&self) -> bool {
        self.at.raw_members().iter().any(|member| self.is_unknown(&member.key))
    }

    /// Reports every field that nobody asked for.
    pub(crate) fn finish(self, report: &mut Report) {
        for member in self.at.raw_members() {
            let name = member.key.as_str();
            if self.is_unknown(name) && !report.is_full() {
                let at = self.at.member(member);
                let meant = nearest(name, self.asked.iter().copied());
                let hint = meant.map_or_else(|| self.known(), |known| format!("Did you mean `{known}`?"));
                self.report_unknown(name, &at, hint, report);
            }
        }
    }

    fn known(&self) -> String {
        const MANY: usize = 16;
        let first = self.asked.iter().take(MANY).copied().collect::<Vec<_>>().join(", ");
        format!("Known here: {first}{}.", if self.asked.len() > MANY { ", and others" } else { "" })
    }
}

fn missing_in_aws_words(names: &[&'static str]) -> String {
    match names {
        [name] => format!("These fields are required: [{name}]"),
        _ => format!("This object should have only one of the following fields: [{}]", names.join(", ")),
    }
}

fn out_of_range_in_aws_words(number: &Number, least: u32, most: u32) -> String {
    match number.as_f64() {
        Some(value) if value < f64::from(least) => format!("Minimum value is {least}"),
        Some(value) if value > f64::from(most) => format!("Maximum value is {most}"),
        _ => "Expected value of type Integer".to_owned(),
    }
}

pub(crate) fn wrong_type(at: &At<'_>, what: impl fmt::Display, expected: &str, report: &mut Report) {
    report
        .error(code::WRONG_TYPE, at.spot(), format!("{what} must be {expected}"))
        .label(format!("found {}", at.node.describe()));
}

pub(crate) fn boolean(at: &At<'_>, what: &str, report: &mut Report) -> Option<bool> {
    let Kind::Bool(flag) = at.node.kind else {
        wrong_type(at, what, "true or false", report);
        return None;
    };
    Some(flag)
}

pub(crate) fn string<'a>(at: &At<'a>, what: impl fmt::Display, report: &mut Report) -> Option<&'a str> {
    let text = at.as_str();
    if text.is_none() {
        wrong_type(at, what, "a string", report);
    }
    text
}

pub(crate) fn list<'a>(at: &At<'a>, what: impl fmt::Display, report: &mut Report) -> Option<Vec<At<'a>>> {
    let items = at.items().map(Iterator::collect);
    if items.is_none() {
        wrong_type(at, what, "a list", report);
    }
    items
}

pub(crate) fn path(at: &At<'_>, what: &str, report: &mut Report) -> Option<Path> {
    let text = string(at, what, report)?;
    Path::parse(text).map_err(|error| report_path(at, what.trim_matches('`'), text, &error, report)).ok()
}

fn report_path(at: &At<'_>, name: &str, text: &str, error: &PathError, report: &mut Report) {
    let spot = report.inside(at.spot(), text, error.offset);
    report
        .error(code::BAD_PATH, spot, format!("`{name}` is not a valid path"))
        .label(error.message.clone())
        .hint(if is_call(text) {
            "Intrinsic functions are for the `.$` fields of `Parameters`, `ItemSelector` and `ResultSelector`."
        } else {
            "A path starts with `$` (the input), `$$` (the context object) or `$name` (a variable): `$.order.items[0]`."
        });
}

fn is_call(text: &str) -> bool {
    text.starts_with("States.")
}

/// A list that needs at least one item; reports an empty one.
pub(crate) fn not_empty(node: &Node, spot: Spot<'_>, what: &str, of: &str, report: &mut Report) -> bool {
    let empty = match &node.kind {
        Kind::Array(items) => items.is_empty(),
        Kind::Object(members) => members.is_empty(),
        _ => false,
    };
    if empty {
        report
            .error(code::EMPTY, spot, format!("{what} is empty"))
            .aws("Value cannot be empty")
            .label(format!("at least one {of} is needed"));
    }
    !empty
}
