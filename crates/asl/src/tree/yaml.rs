//! YAML 1.2 with the core schema, as far as it says what JSON can say.
//!
//! Built from the parser's events on a stack of our own, so that neither nesting nor aliases cost more than they should.

mod scalar;

use super::{depth, report_too_deep};
use crate::code;
use crate::node::{Kind, MAX_DEPTH, Member, Node};
use crate::report::{Report, Spot};
use crate::source::Span;
use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use std::borrow::Cow;
use std::collections::HashMap;

/// The most nodes that aliases may add. Ten lines of aliases to aliases can stand for a billion.
const MAX_ALIASED_NODES: usize = 100_000;

/// Reads `text`, which starts at byte `base` of the source.
pub(super) fn read(text: &str, base: usize, report: &mut Report) -> Option<Node> {
    let offsets = Offsets::new(text, base);
    let mut builder =
        Builder { open: Vec::new(), root: None, anchors: HashMap::new(), aliased: 0, documents: 0 };
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
                report
                    .error(code::NOT_YAML, spot(span), "the definition is not YAML")
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
        report
            .error(
                code::NOT_A_STATE_MACHINE,
                spot(Span { start: base, end: base }),
                "the definition is empty",
            )
            .hint("A state machine is an object with `StartAt` and `States`.");
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

/// A list or an object whose end has not come.
enum Open {
    Array { start: Span, anchor: usize, items: Vec<Node> },
    Object { start: Span, anchor: usize, members: Vec<Member>, key: Option<(String, Span)> },
}

/// What an anchor names.
struct Anchored {
    node: Node,
    nodes: usize,
    depth: usize,
}

struct Builder {
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
                self.check_collection(tag.as_ref(), "seq", span)?;
                self.open.push(Open::Array { start: span, anchor, items: Vec::new() });
                Ok(())
            }
            Event::MappingStart(anchor, tag) => {
                self.check_collection(tag.as_ref(), "map", span)?;
                self.open.push(Open::Object { start: span, anchor, members: Vec::new(), key: None });
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
    ) -> Result<(), Refusal> {
        if let Some(tag) = tag
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
        Ok(())
    }

    fn close(&mut self, end: Span) -> Result<(), Refusal> {
        // The parser closes only what it opened, and a mapping only after a value.
        let Some(open) = self.open.pop() else { return Ok(()) };
        let (start, anchor, kind, last) = match open {
            Open::Array { start, anchor, items } => {
                let last = items.last().map(|item| item.span.end);
                (start, anchor, Kind::Array(items), last)
            }
            Open::Object { start, anchor, members, .. } => {
                let last = members.last().map(|member| member.value.span.end);
                (start, anchor, Kind::Object(members), last)
            }
        };
        // In block style the end is reported where the next thing starts; aliased items stand elsewhere.
        let end = if end.end > end.start { end.end } else { last.unwrap_or(end.end) };
        self.complete(Node { span: Span { start: start.start, end: end.max(start.start) }, kind }, anchor)
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

fn refuse(span: Span, what: impl Into<String>, hint: &'static str) -> Result<(), Refusal> {
    Err(Refusal::NotJson { span, what: what.into(), hint })
}

fn count(node: &Node) -> usize {
    1 + match &node.kind {
        Kind::Array(items) => items.iter().map(count).sum(),
        Kind::Object(members) => members.iter().map(|member| count(&member.value)).sum(),
        _ => 0,
    }
}
