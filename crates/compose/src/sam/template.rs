//! A template as it is written: its sections and resources, before any function in it is evaluated.

use crate::code;
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_asl::source::{Source, Span};
use faastlane_asl::tree::{Kind, Member, Node, read_template};

/// A CloudFormation or SAM template.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(crate) source: Source,
    root: Node,
    /// `AWS::StackName`
    pub(crate) stack: String,
}

/// One resource of a template.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resource<'t> {
    /// Its logical id.
    pub(crate) id: &'t str,
    pub(crate) id_span: Span,
    /// `AWS::Serverless::Function`, …; empty where none is given.
    pub(crate) kind: &'t str,
    pub(crate) node: &'t Node,
}

impl Resource<'_> {
    pub(crate) fn property(&self, name: &str) -> Option<&Node> {
        self.node.get("Properties")?.get(name)
    }
}

impl Template {
    /// Reads a template. `folder` is the name of the folder it is in, which gives the stack its name.
    pub(crate) fn read(source: &Source, folder: &str) -> Result<Self, Vec<Diagnostic>> {
        let root = read_template(source)?;
        let stack = stack_name(folder);
        if !matches!(root.get("Resources").map(|node| &node.kind), Some(Kind::Object(_))) {
            let message = format!("{} has no `Resources`", source.name);
            let finding =
                Diagnostic::error(code::BAD_TEMPLATE, message).at(source, first_line(source, root.span));
            return Err(vec![finding.hint("A template is an object with `Resources`, each with a `Type`.")]);
        }
        Ok(Self { source: source.clone(), root, stack })
    }

    /// `Parameters`, `Mappings`, `Conditions`, `Globals` or `Resources`.
    pub(crate) fn section(&self, name: &str) -> Option<&Node> {
        self.root.get(name)
    }

    pub(crate) fn members(&self, section: &str) -> &[Member] {
        match self.section(section).map(|node| &node.kind) {
            Some(Kind::Object(members)) => members,
            _ => &[],
        }
    }

    /// In the order of the text.
    pub(crate) fn resources(&self) -> impl Iterator<Item = Resource<'_>> {
        self.members("Resources").iter().map(|member| {
            let kind = match member.value.get("Type").map(|node| &node.kind) {
                Some(Kind::String(kind)) => kind.as_str(),
                _ => "",
            };
            Resource { id: &member.key, id_span: member.key_span, kind, node: &member.value }
        })
    }

    pub(crate) fn resource(&self, id: &str) -> Option<Resource<'_>> {
        self.resources().find(|resource| resource.id == id)
    }
}

/// Whether a file is a template, as far as can be seen without reading it as one: it has `Resources`, and is no state
/// machine. A text that cannot be read is one if it is called so.
pub(crate) fn is_template(source: &Source) -> bool {
    if !source.text.contains("Resources") {
        return false;
    }
    match read_template(source) {
        Ok(root) => root.get("Resources").is_some() && root.get("States").is_none(),
        Err(_) => {
            let file_name = source.name.rsplit('/').next().unwrap_or_default();
            file_name.starts_with("template.")
        }
    }
}

/// A stack's name has letters, digits and hyphens, a letter first.
fn stack_name(folder: &str) -> String {
    let name: String = folder
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character } else { '-' })
        .skip_while(|character| !character.is_ascii_alphabetic())
        .collect();
    if name.is_empty() { "stack".to_owned() } else { name }
}

/// A caret under a whole object hides what it means.
pub(crate) fn first_line(source: &Source, span: Span) -> Span {
    let written = source.text.get(span.start..span.end).unwrap_or_default();
    let line = written.split(['\n', '\r']).next().unwrap_or_default();
    Span { start: span.start, end: span.start + line.trim_end().len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_and_other_files() {
        for (name, text, expected) in [
            ("template.yaml", "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    X: !Ref Y\n", true),
            ("infra.json", r#"{"Resources": {}}"#, true),
            ("template.yaml", "Resources: [", true),
            ("other.yaml", "Resources: [", false),
            ("template.yaml", "greeting: hello\n", false),
            ("a.json", r#"{"StartAt": "A", "States": {}, "Comment": "Resources"}"#, false),
        ] {
            assert_eq!(is_template(&Source::new(name, text)), expected, "{text}");
        }
    }

    #[test]
    fn a_folder_names_the_stack() {
        assert_eq!(stack_name("1 my_shop.v2"), "my-shop-v2");
        assert_eq!(stack_name("..."), "stack");
    }
}
