//! The few shapes that a file's tree is made of, read with findings about those that are wrong.

use crate::diagnostic::Diagnostic;
use crate::node::{Kind, Member, Node};
use crate::source::{Source, Span};
use crate::suggest::nearest;

/// What was found while a file was read.
pub struct Findings<'s> {
    pub source: &'s Source,
    pub found: Vec<Diagnostic>,
    /// Of what has another shape than it should.
    shape_code: &'static str,
    /// How the file is to look, in a sentence.
    shape_hint: &'static str,
}

impl<'s> Findings<'s> {
    /// `shape_code` and `shape_hint` are for what has another shape than it should.
    pub fn new(source: &'s Source, shape_code: &'static str, shape_hint: &'static str) -> Self {
        Self { source, found: Vec::new(), shape_code, shape_hint }
    }

    /// Notes an error with a caret under the first line of `span`.
    pub fn error(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        label: &str,
        hint: &str,
    ) {
        // A caret under a whole object hides what it means.
        let written = self.source.text.get(span.start..span.end).unwrap_or_default();
        let line = written.lines().next().unwrap_or_default().trim_end();
        let span = Span { start: span.start, end: span.start + line.len() };
        self.found.push(Diagnostic::error(code, message).at(self.source, span).label(label).hint(hint));
    }

    fn wrong_shape(&mut self, node: &Node, owner: &str, expected: &str) {
        let message = format!("{owner} must be {expected}");
        self.error(
            self.shape_code,
            node.span,
            message,
            &format!("this is {}", node.describe()),
            self.shape_hint,
        );
    }

    /// The members of an object.
    pub fn object<'n>(&mut self, node: &'n Node, owner: &str) -> Option<&'n [Member]> {
        match &node.kind {
            Kind::Object(members) => Some(members),
            _ => {
                self.wrong_shape(node, owner, "an object");
                None
            }
        }
    }

    /// The text of a string.
    pub fn string<'n>(&mut self, node: &'n Node, owner: &str) -> Option<&'n str> {
        match &node.kind {
            Kind::String(text) => Some(text),
            _ => {
                self.wrong_shape(node, owner, "a string");
                None
            }
        }
    }

    /// A member that must be there. One that is only misspelt is said to be that.
    pub fn required<'n>(
        &mut self,
        members: &'n [Member],
        name: &str,
        owner: &str,
        span: Span,
    ) -> Option<&'n Member> {
        if let Some(member) = members.iter().find(|member| member.key == name) {
            return Some(member);
        }
        let misspelt = members.iter().find(|member| nearest(&member.key, [name]).is_some());
        let (span, label) = match misspelt {
            Some(member) => (member.key_span, format!("did you mean `{name}`?")),
            None => (span, format!("`{name}` is missing here")),
        };
        self.error(self.shape_code, span, format!("{owner} has no `{name}`"), &label, self.shape_hint);
        None
    }

    /// Reports members that nobody knows.
    pub fn only(&mut self, members: &[Member], known: &[&str], owner: &str) {
        for member in members.iter().filter(|member| !known.contains(&member.key.as_str())) {
            let hint = match nearest(&member.key, known.iter().copied()) {
                Some(meant) => format!("Did you mean `{meant}`?"),
                None => format!("Known are {}.", quoted(known)),
            };
            let message = format!("{owner} has no member `{}`", member.key);
            self.error(self.shape_code, member.key_span, message, "not known here", &hint);
        }
    }
}

/// `` `a`, `b` ``
pub fn quoted<'a>(names: impl IntoIterator<Item = &'a (impl AsRef<str> + 'a)>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{}`", name.as_ref())).collect();
    names.join(", ")
}

/// ``Did you mean `x`?``, else which there are.
pub fn did_you_mean(written: &str, known: &[&str], what: &str) -> String {
    match (nearest(written, known.iter().copied()), known) {
        (Some(meant), _) => format!("Did you mean `{meant}`?"),
        (None, []) => format!("There is no {what}."),
        (None, _) => format!("There is {}.", quoted(known)),
    }
}
