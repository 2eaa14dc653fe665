//! An expression that only passes on what it finds: `$states.input.order.id`, `$total`. It is found where it lies, without
//! evaluating anything, and numbers stay as they were written.

use super::Scope;
use serde_json::Value;

#[derive(Clone, Debug)]
pub(super) struct Reference {
    /// `states` or a variable's.
    variable: String,
    /// What follows it.
    members: Vec<String>,
}

impl Reference {
    pub(super) fn of(text: &str) -> Option<Reference> {
        let mut parts = text.strip_prefix('$')?.split('.');
        let is_name = |part: &&str| {
            part.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
                && part.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
                && !["and", "or", "in", "null", "true", "false"].contains(part)
        };
        let variable = parts.next().filter(is_name)?;
        let members: Vec<&str> = parts.collect();
        if !members.iter().all(is_name) || (variable == "states" && members.is_empty()) {
            return None;
        }
        Some(Reference {
            variable: variable.to_owned(),
            members: members.into_iter().map(str::to_owned).collect(),
        })
    }

    /// What is there: `Some(None)` is nothing. `None` where JSONata has to look: a name may be a function's, and a list on
    /// the way is mapped over.
    pub(super) fn find(&self, scope: &impl Scope) -> Option<Option<Value>> {
        let (mut at, members) = if self.variable == "states" {
            let (member, rest) = self.members.split_first()?;
            (scope.state(member), rest)
        } else {
            (Some(scope.variable(&self.variable)?), &self.members[..])
        };
        for name in members {
            at = match at {
                Some(Value::Object(mut object)) => object.swap_remove(name),
                Some(Value::Array(_)) => return None,
                _ => return Some(None),
            };
        }
        Some(at)
    }
}
