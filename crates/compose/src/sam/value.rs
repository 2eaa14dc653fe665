//! Values of a template, its functions evaluated; and their text as JSON, of which every part knows its place.

use crate::sam::text::Text;
use faastlane_asl::source::Span;
use serde_json::Number;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Value {
    /// In the template.
    pub(crate) span: Span,
    pub(crate) kind: ValueKind,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ValueKind {
    /// `AWS::NoValue`, and what could not be evaluated, which has been reported.
    Absent,
    Null,
    Bool(bool),
    Number(Number),
    Text(Text),
    List(Vec<Value>),
    Object(Vec<Entry>),
}

/// A name and a value of an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) value: Value,
}

impl Value {
    pub(crate) fn absent(span: Span) -> Self {
        Self { span, kind: ValueKind::Absent }
    }

    pub(crate) fn text(span: Span, text: impl Into<String>) -> Self {
        Self { span, kind: ValueKind::Text(Text::standing_for(span, text)) }
    }

    /// What a message says was found.
    pub(crate) fn describe(&self) -> &'static str {
        match self.kind {
            ValueKind::Absent => "nothing",
            ValueKind::Null => "null",
            ValueKind::Bool(_) => "true or false",
            ValueKind::Number(_) => "a number",
            ValueKind::Text(_) => "a string",
            ValueKind::List(_) => "a list",
            ValueKind::Object(_) => "an object",
        }
    }

    /// Strings, and what CloudFormation makes strings of.
    pub(crate) fn as_text(&self) -> Option<Text> {
        match &self.kind {
            ValueKind::Text(text) => Some(text.clone()),
            ValueKind::Number(number) => Some(Text::standing_for(self.span, number.to_string())),
            ValueKind::Bool(flag) => Some(Text::standing_for(self.span, flag.to_string())),
            _ => None,
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        match &self.kind {
            ValueKind::Object(entries) => {
                entries.iter().find(|entry| entry.key == name).map(|entry| &entry.value)
            }
            _ => None,
        }
    }

    /// The value as JSON.
    pub(crate) fn to_json(&self) -> Text {
        let mut json = Text::default();
        write_json(self, &mut json);
        json
    }
}

fn write_json(value: &Value, json: &mut Text) {
    let span = value.span;
    match &value.kind {
        ValueKind::Absent | ValueKind::Null => json.push_for("null", span),
        ValueKind::Bool(flag) => json.push_for(&flag.to_string(), span),
        ValueKind::Number(number) => json.push_for(&number.to_string(), span),
        ValueKind::Text(text) => write_string(text, span, json),
        ValueKind::List(items) => {
            json.push_for("[", span);
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    json.push_for(",", span);
                }
                write_json(item, json);
            }
            json.push_for("]", span);
        }
        ValueKind::Object(entries) => {
            json.push_for("{", span);
            for (index, entry) in entries.iter().enumerate() {
                if index > 0 {
                    json.push_for(",", span);
                }
                write_string(&Text::standing_for(entry.key_span, entry.key.as_str()), entry.key_span, json);
                json.push_for(":", entry.key_span);
                write_json(&entry.value, json);
            }
            json.push_for("}", span);
        }
    }
}

/// Characters that stand for themselves keep their places.
fn write_string(text: &Text, span: Span, json: &mut Text) {
    json.push_for("\"", span);
    let plain = text.as_str();
    let mut done = 0;
    for (position, character) in plain.char_indices() {
        if !matches!(character, '"' | '\\' | '\u{0}'..='\u{1f}') {
            continue;
        }
        let end = position + character.len_utf8();
        json.push_range(text, done..position);
        let quoted = serde_json::Value::from(character.to_string()).to_string();
        json.push_for(&quoted[1..quoted.len() - 1], text.written(position..end));
        done = end;
    }
    json.push_range(text, done..plain.len());
    json.push_for("\"", span);
}

#[cfg(test)]
mod tests {
    use super::*;
    use faastlane_asl::source::Source;

    #[test]
    fn json_of_a_value_leads_back_to_it() {
        let source = Source::new("t.yaml", "'say \"hi\" \\ twice'");
        let span = Span { start: 0, end: source.text.len() };
        let text = Text::of_scalar(&source, span, "say \"hi\" \\ twice");
        let entry =
            Entry { key: "a\n".into(), key_span: span, value: Value { span, kind: ValueKind::Text(text) } };
        let json = Value { span, kind: ValueKind::Object(vec![entry]) }.to_json();
        assert_eq!(json.as_str(), r#"{"a\n":"say \"hi\" \\ twice"}"#);
        let start = json.as_str().find("twice").unwrap();
        let written = json.written(start..start + 5);
        assert_eq!(&source.text[written.start..written.end], "twice");
    }
}
