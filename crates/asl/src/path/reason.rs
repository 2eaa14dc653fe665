//! Why a definite path finds nothing, in the words of Jayway, which Step Functions passes on for `InputPath`,
//! `OutputPath` and the paths of numbers.

use super::{Path, Scope, Segment, walk};
use faastlane_payload::PayloadError;

impl Path {
    /// `No results for path: $['a']['b']` for a last part that is not there, and where it ends for an earlier one.
    ///
    /// # Errors
    /// The payload came in a flat form that is none.
    pub fn reason(&self, scope: &impl Scope) -> Result<String, PayloadError> {
        let Some(document) = self.document(scope) else {
            let name = self.variable().unwrap_or_default();
            return Ok(format!("the variable '${name}' has not been assigned"));
        };
        let start = document.view()?;
        for (position, segment) in self.segments.iter().enumerate() {
            if walk(&self.segments[..=position], start).is_some_and(|(_, rest)| rest.is_empty()) {
                continue;
            }
            let before = shown(&self.segments[..position]);
            let found = walk(&self.segments[..position], start).map(|(found, _)| found);
            let is_last = position + 1 == self.segments.len() && self.function.is_none();
            let is_object = found.is_some_and(|found| found.members().is_some());
            let is_array = found.is_some_and(|found| found.elements().is_some());
            return Ok(match segment {
                Segment::Key(_) if !is_object => {
                    format!("Property {} not found in path {before}", fragment(segment))
                }
                Segment::Key(_) if !is_last => {
                    format!("Missing property in path {before}{}", fragment(segment))
                }
                Segment::Index(_) if !is_array => {
                    let rest: String = self.segments[position..].iter().map(fragment).collect();
                    let found = found.map_or_else(String::new, |found| found.to_value().to_string());
                    format!("Filter: {rest} can only be applied to arrays. Current context is: {found}")
                }
                _ => format!("No results for path: {}", shown(&self.segments)),
            });
        }
        Ok(format!("No results for path: {}", shown(&self.segments)))
    }
}

fn shown(segments: &[Segment]) -> String {
    segments.iter().fold("$".to_owned(), |text, segment| text + &fragment(segment))
}

fn fragment(segment: &Segment) -> String {
    match segment {
        Segment::Key(name) => format!("['{name}']"),
        Segment::Index(index) => format!("[{index}]"),
        Segment::Keys(names) => {
            let names: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
            format!("[{}]", names.join(","))
        }
        Segment::Indices(indices) => {
            let indices: Vec<String> = indices.iter().map(i64::to_string).collect();
            format!("[{}]", indices.join(","))
        }
        Segment::Slice { from, to } => {
            let bound = |bound: &Option<i64>| bound.map_or_else(String::new, |bound| bound.to_string());
            format!("[{}:{}]", bound(from), bound(to))
        }
        Segment::Wildcard => "[*]".to_owned(),
        Segment::Descend => "..".to_owned(),
        Segment::Filter(_) => "[?]".to_owned(),
    }
}
