//! Reading the tree of a mock file: the few shapes that its formats are made of.

use crate::code;
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_asl::document::{Kind, Member, Node};
use faastlane_asl::nearest;
use faastlane_asl::source::{Source, Span};

/// Where findings go.
pub(crate) struct Findings<'s> {
    pub(crate) source: &'s Source,
    pub(crate) found: Vec<Diagnostic>,
}

impl<'s> Findings<'s> {
    pub(crate) fn new(source: &'s Source) -> Self {
        Self { source, found: Vec::new() }
    }

    pub(crate) fn error(
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
        self.error(code::WRONG_SHAPE, node.span, message, &format!("this is {}", node.describe()), SHAPES);
    }

    /// The members of an object.
    pub(crate) fn object<'n>(&mut self, node: &'n Node, owner: &str) -> Option<&'n [Member]> {
        match &node.kind {
            Kind::Object(members) => Some(members),
            _ => {
                self.wrong_shape(node, owner, "an object");
                None
            }
        }
    }

    pub(crate) fn string<'n>(&mut self, node: &'n Node, owner: &str) -> Option<&'n str> {
        match &node.kind {
            Kind::String(text) => Some(text),
            _ => {
                self.wrong_shape(node, owner, "a string");
                None
            }
        }
    }

    /// A member that must be there. One that is only misspelt is said to be that.
    pub(crate) fn required<'n>(
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
        self.error(code::WRONG_SHAPE, span, format!("{owner} has no `{name}`"), &label, SHAPES);
        None
    }

    /// Reports members that nobody knows.
    pub(crate) fn only(&mut self, members: &[Member], known: &[&str], owner: &str) {
        for member in members.iter().filter(|member| !known.contains(&member.key.as_str())) {
            let hint = match nearest(&member.key, known.iter().copied()) {
                Some(meant) => format!("Did you mean `{meant}`?"),
                None => format!("Known are {}.", quoted(known)),
            };
            let message = format!("{owner} has no member `{}`", member.key);
            self.error(code::WRONG_SHAPE, member.key_span, message, "not known here", &hint);
        }
    }
}

/// What a mock file can look like.
pub(crate) const SHAPES: &str = "A mock file is AWS's (`StateMachines` and `MockedResponses`), or a list of stand-ins: \
     `[{\"function\": \"NAME\", \"kind\": \"echo\"}]`.";

/// `` `a`, `b` ``
pub(crate) fn quoted<'a>(names: impl IntoIterator<Item = &'a (impl AsRef<str> + 'a)>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{}`", name.as_ref())).collect();
    names.join(", ")
}

/// ``Did you mean `x`?``, else which there are.
pub(crate) fn did_you_mean(written: &str, known: &[&str], what: &str) -> String {
    match (nearest(written, known.iter().copied()), known) {
        (Some(meant), _) => format!("Did you mean `{meant}`?"),
        (None, []) => format!("There is no {what}."),
        (None, _) => format!("There is {}.", quoted(known)),
    }
}
