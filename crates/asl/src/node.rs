//! The tree both formats are read into: JSON values, each with its place in the text.

use crate::report::Spot;
use crate::source::Span;
use serde_json::{Number, Value};
use std::rc::Rc;

/// How deep a definition may nest. AWS stops far earlier by the size of the text; here it bounds every recursion.
pub(crate) const MAX_DEPTH: usize = 200;

/// A value and its place in the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub span: Span,
    pub kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    Array(Vec<Node>),
    /// In the order of the text; a name given twice is there twice.
    Object(Vec<Member>),
}

/// A name and a value of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    pub key: String,
    pub key_span: Span,
    pub value: Node,
}

impl Node {
    /// The first member of this name, where this is an object that has it.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Object(members) => {
                members.iter().find(|member| member.key == name).map(|member| &member.value)
            }
            _ => None,
        }
    }

    /// The value without its places. Of a name given twice the last counts.
    pub fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(flag) => Value::Bool(*flag),
            Kind::Number(number) => Value::Number(number.clone()),
            Kind::String(text) => Value::String(text.clone()),
            Kind::Array(items) => Value::Array(items.iter().map(Node::to_value).collect()),
            Kind::Object(members) => Value::Object(
                members.iter().map(|member| (member.key.clone(), member.value.to_value())).collect(),
            ),
        }
    }

    /// Whether any string in it is like this.
    pub(crate) fn any_string(&self, like: &dyn Fn(&str) -> bool) -> bool {
        match &self.kind {
            Kind::String(text) => like(text),
            Kind::Array(items) => items.iter().any(|item| item.any_string(like)),
            Kind::Object(members) => members.iter().any(|member| member.value.any_string(like)),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) => false,
        }
    }

    /// What a message says was found instead: `the string "on"`, `a list`.
    pub fn describe(&self) -> String {
        match &self.kind {
            Kind::Null => "null".into(),
            Kind::Bool(flag) => flag.to_string(),
            Kind::Number(number) => format!("the number {}", shorten(&number.to_string())),
            Kind::String(text) => format!("the string {}", shorten(&format!("{text:?}"))),
            Kind::Array(items) if items.is_empty() => "an empty list".into(),
            Kind::Array(_) => "a list".into(),
            Kind::Object(members) if members.is_empty() => "an empty object".into(),
            Kind::Object(_) => "an object".into(),
        }
    }
}

fn shorten(text: &str) -> String {
    const LIMIT: usize = 40;
    match text.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The way from the root to a node. It is written out only where something is found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Way<'a>(Option<Rc<(Way<'a>, Step<'a>)>>);

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Member(&'a str),
    Item(usize),
}

impl<'a> Way<'a> {
    fn to(&self, step: Step<'a>) -> Way<'a> {
        Way(Some(Rc::new((self.clone(), step))))
    }

    /// As a JSON pointer.
    pub(crate) fn pointer(&self) -> String {
        let mut steps = Vec::new();
        let mut way = self;
        while let Some(last) = &way.0 {
            steps.push(last.1);
            way = &last.0;
        }
        let mut pointer = String::new();
        for step in steps.into_iter().rev() {
            pointer.push('/');
            match step {
                Step::Member(key) => pointer.push_str(&key.replace('~', "~0").replace('/', "~1")),
                Step::Item(index) => pointer.push_str(&index.to_string()),
            }
        }
        pointer
    }
}

/// A node together with the way to it.
#[derive(Clone, Debug)]
pub(crate) struct At<'a> {
    pub(crate) node: &'a Node,
    way: Way<'a>,
    key_span: Option<Span>,
}

impl<'a> At<'a> {
    pub(crate) fn root(node: &'a Node) -> Self {
        At { node, way: Way::default(), key_span: None }
    }

    pub(crate) fn member(&self, member: &'a Member) -> Self {
        let way = self.way.to(Step::Member(&member.key));
        At { node: &member.value, way, key_span: Some(member.key_span) }
    }

    pub(crate) fn item(&self, index: usize, node: &'a Node) -> Self {
        At { node, way: self.way.to(Step::Item(index)), key_span: None }
    }

    /// The members, where this is an object.
    pub(crate) fn members(&self) -> Option<impl Iterator<Item = (&'a str, At<'a>)>> {
        match &self.node.kind {
            Kind::Object(members) => {
                Some(members.iter().map(|member| (member.key.as_str(), self.member(member))))
            }
            _ => None,
        }
    }

    /// The members as they are, none where this is no object: for who looks at many and goes to few.
    pub(crate) fn raw_members(&self) -> &'a [Member] {
        match &self.node.kind {
            Kind::Object(members) => members,
            _ => &[],
        }
    }

    /// The items, where this is a list.
    pub(crate) fn items(&self) -> Option<impl ExactSizeIterator<Item = At<'a>>> {
        match &self.node.kind {
            Kind::Array(items) => Some(items.iter().enumerate().map(|(index, node)| self.item(index, node))),
            _ => None,
        }
    }

    /// The first member of this name, where this is an object that has it.
    pub(crate) fn get(&self, name: &str) -> Option<At<'a>> {
        match &self.node.kind {
            Kind::Object(members) => {
                members.iter().find(|member| member.key == name).map(|member| self.member(member))
            }
            _ => None,
        }
    }

    /// The node that a JSON pointer relative to this one names.
    pub(crate) fn descend(&self, pointer: &str) -> Option<At<'a>> {
        let mut at = self.clone();
        for token in pointer.split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
            at = match &at.node.kind {
                Kind::Object(_) => at.get(&token)?,
                Kind::Array(items) => {
                    let index: usize = token.parse().ok()?;
                    at.item(index, items.get(index)?)
                }
                _ => return None,
            };
        }
        Some(at)
    }

    pub(crate) fn as_str(&self) -> Option<&'a str> {
        match &self.node.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value's place.
    pub(crate) fn spot(&self) -> Spot<'a> {
        Spot { span: self.node.span, way: self.way.clone() }
    }

    /// The place of the value's name; of the value itself where it has none (an item of a list, the root).
    pub(crate) fn key_spot(&self) -> Spot<'a> {
        Spot { span: self.key_span.unwrap_or(self.node.span), way: self.way.clone() }
    }
}

/// Where byte `offset` of a decoded string stands in the text. Exact where the string is written out as it is or with
/// JSON's escapes; else the whole literal.
pub(crate) fn position_in_string(text: &str, literal: Span, decoded: &str, offset: usize) -> Span {
    let raw = text.get(literal.start..literal.end).unwrap_or_default();
    let exact = if let Some(start) = raw.find(decoded) {
        (!decoded.is_empty()).then_some(start + offset.min(decoded.len()))
    } else if raw.starts_with('"') {
        position_among_escapes(raw, offset)
    } else {
        None
    };
    let Some(start) = exact.map(|position| literal.start + position) else { return literal };
    let width = text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    Span { start, end: start + width }
}

/// Walks a double-quoted literal; `None` at an escape that JSON does not have.
fn position_among_escapes(raw: &str, offset: usize) -> Option<usize> {
    let mut decoded = 0;
    let mut position = 1;
    while decoded < offset {
        let rest = raw.get(position..)?;
        let mut chars = rest.chars();
        let (taken, made) = match chars.next()? {
            '\\' => match chars.next()? {
                'u' => {
                    let unit = u32::from_str_radix(rest.get(2..6)?, 16).ok()?;
                    match char::from_u32(unit) {
                        Some(plain) => (6, plain.len_utf8()),
                        None => (12, 4),
                    }
                }
                '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' => (2, 1),
                _ => return None,
            },
            plain => (plain.len_utf8(), plain.len_utf8()),
        };
        position += taken;
        decoded += made;
    }
    (position < raw.len()).then_some(position)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointed_at(literal: &str, decoded: &str, offset: usize) -> String {
        let text = format!("x: {literal},");
        let span = Span { start: 3, end: 3 + literal.len() };
        let found = position_in_string(&text, span, decoded, offset);
        text[found.start..found.end].to_owned()
    }

    #[test]
    fn an_offset_in_a_string_is_found_in_its_literal() {
        assert_eq!(pointed_at(r#""$.a[b""#, "$.a[b", 4), "b");
        assert_eq!(pointed_at(r#""$.a""#, "$.a", 3), "\"", "the end is the closing quote");
        assert_eq!(pointed_at(r#""$\u002ea!b""#, "$.a!b", 3), "!");
        assert_eq!(pointed_at(r#""\ud83d\ude00\n!""#, "😀\n!", 5), "!");
        assert_eq!(pointed_at("$.a[b", "$.a[b", 4), "b", "plain YAML");
        assert_eq!(pointed_at("'it''s'", "it's", 3), "'it''s'", "the whole where the escapes are others");
    }
}
