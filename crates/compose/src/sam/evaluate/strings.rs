//! The functions that make, take apart and pick: `Sub`, `Join`, `Split`, `Select`, `FindInMap`.

use super::{Evaluator, MOST_MADE_BYTES, items};
use crate::code;
use crate::finding::did_you_mean;
use crate::sam::text::Text;
use crate::sam::value::{Value, ValueKind};
use faastlane_asl::source::Span;
use faastlane_asl::tree::{Kind, Member, Node};

impl Evaluator<'_> {
    pub(super) fn sub(&mut self, argument: &Node, span: Span) -> Value {
        let (pattern, variables): (&Node, &[Member]) = match &argument.kind {
            Kind::String(_) => (argument, &[]),
            Kind::Array(items) => match items.as_slice() {
                [pattern, Node { kind: Kind::Object(variables), .. }] => (pattern, variables),
                [pattern] => (pattern, &[]),
                _ => return self.wrong_argument("Fn::Sub", "a string, or a string and variables", span),
            },
            _ => return self.wrong_argument("Fn::Sub", "a string, or a string and variables", span),
        };
        let Kind::String(decoded) = &pattern.kind else {
            return self.wrong_argument("Fn::Sub", "a string, or a string and variables", span);
        };
        self.note_dynamic_reference(decoded, pattern.span);
        let pattern = Text::of_scalar(&self.template.source, pattern.span, decoded);
        let mut made = Text::default();
        let mut done = 0;
        while let Some(start) = decoded[done..].find("${").map(|offset| done + offset) {
            let Some(end) = decoded[start..].find('}').map(|offset| start + offset) else { break };
            made.push_range(&pattern, done..start);
            let name = decoded[start + 2..end].trim();
            done = end + 1;
            if let Some(literal) = name.strip_prefix('!') {
                made.push_for(&format!("${{{literal}}}"), pattern.written(start..done));
                continue;
            }
            let place = pattern.written(start..done);
            let value = match variables.iter().find(|variable| variable.key == name) {
                Some(variable) => self.value(&variable.value),
                None => match name.split_once('.') {
                    Some((id, attribute)) => self.attribute(id, attribute, place),
                    None => self.reference(name, place),
                },
            };
            let text = self.text_of(&value, &format!("`${{{name}}}`"));
            made.push_for(text.as_str(), place);
            if made.len() > MOST_MADE_BYTES {
                break;
            }
        }
        made.push_range(&pattern, done..decoded.len());
        self.made(span, made)
    }

    pub(super) fn join(&mut self, argument: &Node, span: Span) -> Value {
        let Some([delimiter, list]) = items(argument) else {
            return self.wrong_argument("Fn::Join", "a delimiter and a list", span);
        };
        let delimiter = self.text(delimiter, "the delimiter of `Fn::Join`");
        let list = match self.value(list).kind {
            ValueKind::List(list) => list,
            ValueKind::Absent => return Value::absent(span),
            _ => return self.wrong_argument("Fn::Join", "a delimiter and a list", span),
        };
        let mut made = Text::default();
        for (index, item) in list.iter().enumerate() {
            if index > 0 {
                made.push_for(delimiter.as_str(), item.span);
            }
            made.push(&self.text_of(item, "an item of `Fn::Join`"));
            if made.len() > MOST_MADE_BYTES {
                break;
            }
        }
        self.made(span, made)
    }

    pub(super) fn split(&mut self, argument: &Node, span: Span) -> Value {
        let Some([delimiter, text]) = items(argument) else {
            return self.wrong_argument("Fn::Split", "a delimiter and a string", span);
        };
        let delimiter = self.text(delimiter, "the delimiter of `Fn::Split`");
        let text = self.text(text, "what `Fn::Split` splits");
        if delimiter.as_str().is_empty() {
            return self.wrong(span, "the delimiter of `Fn::Split` is empty".to_owned(), "by nothing", None);
        }
        let parts = text.as_str().split(delimiter.as_str()).map(|part| Value::text(span, part));
        Value { span, kind: ValueKind::List(parts.collect()) }
    }

    pub(super) fn select(&mut self, argument: &Node, span: Span) -> Value {
        let Some([index, list]) = items(argument) else {
            return self.wrong_argument("Fn::Select", "an index and a list", span);
        };
        let index = self.text(index, "the index of `Fn::Select`");
        let list = match self.value(list).kind {
            ValueKind::List(list) => list,
            ValueKind::Absent => return Value::absent(span),
            _ => return self.wrong_argument("Fn::Select", "an index and a list", span),
        };
        let length = list.len();
        let selected = index.as_str().parse().ok().and_then(|index: usize| list.into_iter().nth(index));
        selected.unwrap_or_else(|| {
            let label = format!("the list has {length}");
            self.wrong(span, format!("`Fn::Select` finds no item {}", index.as_str()), &label, None)
        })
    }

    pub(super) fn find_in_map(&mut self, argument: &Node, span: Span) -> Value {
        let expected = "the names of a map and of its two levels of keys";
        let Some([map, first, second, rest @ ..]) = items(argument) else {
            return self.wrong_argument("Fn::FindInMap", expected, span);
        };
        let keys = [map, first, second].map(|node| (node.span, self.text(node, "a key of `Fn::FindInMap`")));
        let mut found = self.template.section("Mappings");
        let mut missing = None;
        for (span, key) in &keys {
            let next = found.and_then(|node| node.get(key.as_str()));
            if next.is_none() {
                missing = Some((*span, key.as_str(), found));
                break;
            }
            found = next;
        }
        match (missing, found) {
            (None, Some(node)) => self.value(node),
            (Some((span, key, level)), _) => {
                if let Some(default) = rest.first().and_then(|options| options.get("DefaultValue")) {
                    return self.value(default);
                }
                let known = match level.map(|node| &node.kind) {
                    Some(Kind::Object(members)) => members.as_slice(),
                    _ => &[],
                };
                let names = known.iter().map(|member| member.key.as_str());
                let hint = did_you_mean(key, names.clone()).unwrap_or_else(|| {
                    format!("There are: {}.", names.take(10).collect::<Vec<_>>().join(", "))
                });
                let message = format!("there is no `{key}` in `Mappings`");
                let hint = (!known.is_empty()).then_some(hint);
                self.find(code::UNKNOWN_REFERENCE, span, message, "looked for here", hint)
            }
            (None, None) => self.wrong_argument("Fn::FindInMap", expected, span),
        }
    }
}
