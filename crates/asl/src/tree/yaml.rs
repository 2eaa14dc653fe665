//! YAML 1.2 with the core schema, as far as it says what JSON can say.
//!
//! Built from the parser's events on a stack of our own, so that neither nesting nor aliases cost more than they should.

mod scalar;

use super::{depth, report_empty, report_too_deep};
use crate::code;
use crate::node::{Kind, MAX_DEPTH, Member, Node};
use crate::report::{Report, Spot};
use crate::source::Span;
use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use std::borrow::Cow;
use std::collections::HashMap;

/// The most nodes that aliases may add. Ten lines of aliases to aliases can stand for a billion.
const MAX_ALIASED_NODES: usize = 100_000;

/// Which tags a text may use besides YAML's own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tags {
    Refused,
    /// `!Ref`, `!GetAtt`, …
    CloudFormation,
}

/// CloudFormation's functions in their long form. The tag is what follows `Fn::`.
const FUNCTIONS: [&str; 22] = [
    "Ref",
    "Condition",
    "Fn::And",
    "Fn::Base64",
    "Fn::Cidr",
    "Fn::Contains",
    "Fn::EachMemberEquals",
    "Fn::Equals",
    "Fn::FindInMap",
    "Fn::GetAtt",
    "Fn::GetAZs",
    "Fn::If",
    "Fn::ImportValue",
    "Fn::Join",
    "Fn::Length",
    "Fn::Not",
    "Fn::Or",
    "Fn::Select",
    "Fn::Split",
    "Fn::Sub",
    "Fn::ToJsonString",
    "Fn::Transform",
];

/// Reads `text`, which starts at byte `base` of the source.
pub(super) fn read(text: &str, base: usize, tags: Tags, report: &mut Report) -> Option<Node> {
    let offsets = Offsets::new(text, base);
    let mut builder =
        Builder { tags, open: Vec::new(), root: None, anchors: HashMap::new(), aliased: 0, documents: 0 };
    for event in Parser::new_from_str(text) {
        let outcome = match event {
            Ok((event, span)) => {
                let span = offsets.span(span.start.index(), span.end.index());
                builder.event(event, span)
            }
            Err(error) => {
                let start = error.marker().index();
                let span = offsets.span(start, start + 1);
                if error.info() == "recursion limit exceeded" {
                    report_too_deep(span, report);
                    return None;
                }
                let message = format!("the {} is not YAML", report.subject);
                report
                    .error(code::NOT_YAML, spot(span), message)
                    .label(error.info())
                    .hint("Look at the indentation and the quotes of this line and the one before.");
                return None;
            }
        };
        match outcome {
            Ok(()) => {}
            Err(Refusal::TooDeep(span)) => {
                report_too_deep(span, report);
                return None;
            }
            Err(Refusal::NotJson { span, what, hint }) => {
                report
                    .error(code::NOT_A_JSON_VALUE, spot(span), "the YAML says what JSON cannot say")
                    .label(what)
                    .hint(hint);
                return None;
            }
        }
    }
    if builder.root.is_none() {
        report_empty(base, report);
    }
    builder.root
}

fn spot(span: Span) -> Spot<'static> {
    Spot::of_text(span)
}

/// From the parser's positions, which count characters, to bytes of the source.
struct Offsets {
    base: usize,
    /// The byte of each character; `None` where they are the same.
    bytes: Option<Vec<usize>>,
    length: usize,
}

impl Offsets {
    fn new(text: &str, base: usize) -> Self {
        let bytes = (!text.is_ascii()).then(|| text.char_indices().map(|(byte, _)| byte).collect());
        Offsets { base, bytes, length: text.len() }
    }

    fn byte(&self, character: usize) -> usize {
        let byte = match &self.bytes {
            Some(bytes) => bytes.get(character).copied().unwrap_or(self.length),
            None => character.min(self.length),
        };
        self.base + byte
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span { start: self.byte(start), end: self.byte(end.max(start)) }
    }
}

/// Why the text is no tree.
enum Refusal {
    TooDeep(Span),
    NotJson { span: Span, what: String, hint: &'static str },
}

/// A list or an object whose end has not come. `function` is the CloudFormation function whose argument it is.
enum Open {
    Array {
        start: Span,
        anchor: usize,
        function: Option<&'static str>,
        items: Vec<Node>,
    },
    Object {
        start: Span,
        anchor: usize,
        function: Option<&'static str>,
        members: Vec<Member>,
        key: Option<(String, Span)>,
    },
}

/// What an anchor names.
struct Anchored {
    node: Node,
    nodes: usize,
    depth: usize,
}

struct Builder {
    tags: Tags,
    open: Vec<Open>,
    root: Option<Node>,
    anchors: HashMap<usize, Anchored>,
    /// Nodes that came from aliases so far.
    aliased: usize,
    documents: usize,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Refusal> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return refuse(
                        span,
                        "a second document",
                        "A definition is one document; remove what follows `---`.",
                    );
                }
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.scalar(&text, style, anchor, tag.as_deref(), span)
            }
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::SequenceStart(anchor, tag) => {
                let function = self.check_collection(tag.as_ref(), "seq", span)?;
                self.open.push(Open::Array { start: span, anchor, function, items: Vec::new() });
                Ok(())
            }
            Event::MappingStart(anchor, tag) => {
                let function = self.check_collection(tag.as_ref(), "map", span)?;
                self.open.push(Open::Object {
                    start: span,
                    anchor,
                    function,
                    members: Vec::new(),
                    key: None,
                });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<(), Refusal> {
        if let Some(Open::Object { key: key @ None, .. }) = self.open.last_mut() {
            if style == ScalarStyle::Plain && text == "<<" {
                let hint =
                    "Merge keys are YAML 1.1; write the fields out, or use an alias for a whole value.";
                return refuse(span, "a merge key", hint);
            }
            *key = Some((text.to_owned(), span));
            self.remember(anchor, &Node { span, kind: Kind::String(text.to_owned()) });
            return Ok(());
        }
        if let Some(function) = tag.and_then(|tag| self.function(tag)) {
            let argument = Node { span, kind: Kind::String(text.to_owned()) };
            return self.complete(call(function, argument), anchor);
        }
        let kind = match tag {
            None => scalar::resolve(text, style == ScalarStyle::Plain),
            Some(tag) => scalar::resolve_tagged(text, tag),
        };
        match kind {
            Ok(kind) => self.complete(Node { span, kind }, anchor),
            Err(scalar::Unrepresentable { what, hint }) => refuse(span, what, hint),
        }
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Refusal> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            return refuse(
                span,
                "an alias inside of what it stands for",
                "Write the value out; it would never end.",
            );
        };
        if let Some(Open::Object { key: key @ None, .. }) = self.open.last_mut() {
            let Kind::String(text) = &anchored.node.kind else {
                return refuse(span, "a name that is not a string", "Write the name out.");
            };
            *key = Some((text.clone(), span));
            return Ok(());
        }
        if self.open.len() + anchored.depth > MAX_DEPTH {
            return Err(Refusal::TooDeep(span));
        }
        self.aliased += anchored.nodes;
        if self.aliased > MAX_ALIASED_NODES {
            let what = format!("aliases that stand for more than {MAX_ALIASED_NODES} values");
            return refuse(span, what, "Use fewer aliases of aliases.");
        }
        let node = anchored.node.clone();
        self.complete(node, 0)
    }

    fn check_collection(
        &self,
        tag: Option<&Cow<'_, Tag>>,
        expected: &str,
        span: Span,
    ) -> Result<Option<&'static str>, Refusal> {
        let function = tag.and_then(|tag| self.function(tag));
        if let Some(tag) = tag
            && function.is_none()
            && !(tag.is_yaml_core_schema() && tag.suffix == expected)
        {
            let scalar::Unrepresentable { what, hint } = scalar::unknown_tag(tag);
            return refuse(span, what, hint);
        }
        if let Some(Open::Object { key: None, .. }) = self.open.last() {
            return refuse(
                span,
                "a name that is a list or an object",
                "Names of fields and states are strings.",
            );
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(Refusal::TooDeep(span));
        }
        Ok(function)
    }

    /// The function that a tag is short for.
    fn function(&self, tag: &Tag) -> Option<&'static str> {
        let is_local = self.tags == Tags::CloudFormation && tag.handle == "!";
        FUNCTIONS.into_iter().find(|function| {
            is_local && function.strip_prefix("Fn::").unwrap_or(function) == tag.suffix.as_str()
        })
    }

    fn close(&mut self, end: Span) -> Result<(), Refusal> {
        // The parser closes only what it opened, and a mapping only after a value.
        let Some(open) = self.open.pop() else { return Ok(()) };
        let (start, anchor, function, kind, last) = match open {
            Open::Array { start, anchor, function, items } => {
                let last = items.last().map(|item| item.span.end);
                (start, anchor, function, Kind::Array(items), last)
            }
            Open::Object { start, anchor, function, members, .. } => {
                let last = members.last().map(|member| member.value.span.end);
                (start, anchor, function, Kind::Object(members), last)
            }
        };
        // In block style the end is reported where the next thing starts; aliased items stand elsewhere.
        let end = if end.end > end.start { end.end } else { last.unwrap_or(end.end) };
        let node = Node { span: Span { start: start.start, end: end.max(start.start) }, kind };
        let node = match function {
            Some(function) => call(function, node),
            None => node,
        };
        self.complete(node, anchor)
    }

    fn complete(&mut self, node: Node, anchor: usize) -> Result<(), Refusal> {
        self.remember(anchor, &node);
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::Array { items, .. }) => items.push(node),
            Some(Open::Object { members, key, .. }) => match key.take() {
                Some((key, key_span)) => members.push(Member { key, key_span, value: node }),
                None => return refuse(node.span, "a name that is not a string", "Write the name out."),
            },
        }
        Ok(())
    }

    fn remember(&mut self, anchor: usize, node: &Node) {
        // The parser numbers anchors from 1.
        if anchor != 0 {
            let anchored = Anchored { node: node.clone(), nodes: count(node), depth: depth(node) };
            self.anchors.insert(anchor, anchored);
        }
    }
}

/// A function in its long form: an object of one member.
fn call(function: &str, argument: Node) -> Node {
    let span = argument.span;
    Node {
        span,
        kind: Kind::Object(vec![Member { key: function.to_owned(), key_span: span, value: argument }]),
    }
}

fn refuse<T>(span: Span, what: impl Into<String>, hint: &'static str) -> Result<T, Refusal> {
    Err(Refusal::NotJson { span, what: what.into(), hint })
}

fn count(node: &Node) -> usize {
    1 + match &node.kind {
        Kind::Array(items) => items.iter().map(count).sum(),
        Kind::Object(members) => members.iter().map(|member| count(&member.value)).sum(),
        _ => 0,
    }
}
