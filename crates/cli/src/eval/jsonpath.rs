//! JSONPath, and intrinsic functions in its place.

use super::{BAD_EXPRESSION, Documents, NO_VALUE, Written, described};
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_asl::intrinsic::{Call, CallError};
use faastlane_asl::nearest;
use faastlane_asl::path::{FindError, Path, PathError, Scope, Selected};
use faastlane_asl::random::SplitMix64;
use faastlane_asl::source::Span;
use faastlane_payload::Payload;
use serde_json::Value;

/// How many bytes of a path are searched for the part that finds nothing.
const SEARCHED: usize = 1_000;

impl Scope for Documents {
    fn input(&self) -> &Payload {
        &self.input
    }

    fn context(&self) -> &Payload {
        &self.context
    }

    fn variable(&self, name: &str) -> Option<&Payload> {
        self.variables.get(name)
    }
}

pub(super) fn evaluate(
    written: Written<'_>,
    documents: &Documents,
    random: &mut SplitMix64,
) -> Result<Value, Box<Diagnostic>> {
    let text = written.text;
    if text.starts_with("States.") {
        let call = Call::parse(text).map_err(|error| {
            refused(written, &error, "the call cannot be read", "`States.Format('{}', $.name)`")
        })?;
        return call.evaluate(documents, random).map_err(|error| match error {
            CallError::Missing(path) => missing(written, &path, documents),
            CallError::Unfollowed { path, error } => unfollowed(written, &path, &error),
            CallError::Failed { call, message } => {
                let finding = written.finding_over(NO_VALUE, "the function fails", written.place_of(&call));
                Box::new(
                    finding.label(message).hint("In a workflow this is the error States.IntrinsicFailure."),
                )
            }
        });
    }
    let path = Path::parse(text).map_err(|error| {
        refused(
            written,
            &error,
            "the path cannot be read",
            "`$.items[0]`, `$$.Execution.Id` or `$variable.name`",
        )
    })?;
    match path.find(documents) {
        Ok(Some(selected)) => Ok(selected.into_value()),
        Ok(None) => Err(missing(written, &path, documents)),
        Err(error) => Err(unfollowed(written, &path, &error)),
    }
}

fn refused(written: Written<'_>, error: &PathError, message: &str, examples: &str) -> Box<Diagnostic> {
    let finding = written.finding(BAD_EXPRESSION, message, error.offset);
    Box::new(finding.label(error.message.clone()).hint(format!("Such as {examples}.")))
}

fn unfollowed(written: Written<'_>, path: &Path, error: &FindError) -> Box<Diagnostic> {
    let finding =
        written.finding_over(NO_VALUE, "the path cannot be evaluated", written.place_of(path.as_str()));
    let finding = finding.label(error.to_string());
    Box::new(match error {
        FindError::TooCostly => finding.hint("Name the way to the values instead of searching with `..`."),
        FindError::Unreadable(_) => finding,
    })
}

/// The caret stands behind what is there.
fn missing(written: Written<'_>, path: &Path, documents: &Documents) -> Box<Diagnostic> {
    let place = written.place_of(path.as_str());
    if let Some(variable) = path.unassigned(documents) {
        let hint = match nearest(variable, documents.variables.keys().map(String::as_str)) {
            Some(near) => format!("Did you mean `${near}`?"),
            None => "Give its value in a file: `--variables FILE` with one JSON object.".to_owned(),
        };
        let finding = written.finding_over(NO_VALUE, format!("there is no variable `${variable}`"), place);
        return Box::new(finding.label("has no value").hint(hint));
    }
    let (there, found) = longest_found(path.as_str(), documents);
    let span = Span { start: (place.start + there).min(place.end), end: place.end };
    let asked = path.as_str()[there..].trim_start_matches(['.', '[', '\'', '"']);
    let asked = asked.split(['.', '[', ']', '\'', '"']).next().unwrap_or_default();
    let hint = found.map_or_else(String::new, |found| described(&path.as_str()[..there], &found, asked));
    let finding = written.finding_over(NO_VALUE, "the path finds nothing", span);
    Box::new(finding.label("not there").hint(hint))
}

/// How many bytes of a path find something, and what.
fn longest_found(text: &str, documents: &Documents) -> (usize, Option<Value>) {
    let ends = (0..text.len().min(SEARCHED)).rev().filter(|end| text.is_char_boundary(*end));
    for end in ends {
        let found = Path::parse(&text[..end]).ok().and_then(|path| path.find(documents).ok().flatten());
        // Half a name may find something, too; it is a step only where the next one begins.
        if let Some(found) = found.filter(|_| text[end..].starts_with(['.', '['])) {
            return (end, Some(Selected::into_value(found)));
        }
    }
    (0, None)
}
