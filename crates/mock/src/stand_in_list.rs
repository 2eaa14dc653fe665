//! The list of stand-ins: `[{"function": NAME, "kind": "echo"}]`, the same under `functions`, or `{NAME: "echo"}`.

use crate::code;
use crate::kind::{self, KINDS};
use crate::mocks::StandIn;
use faastlane_asl::document::{Findings, Kind, Member, Node};
use faastlane_asl::source::Span;

/// A stand-in and where its function is named.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Named {
    pub(crate) function: String,
    pub(crate) span: Span,
    pub(crate) stand_in: StandIn,
}

/// Other members of an item (a runtime, a remark) are for others to read.
pub(crate) fn read_list(items: &[Node], findings: &mut Findings<'_>) -> Vec<Named> {
    let mut list = Vec::new();
    for item in items {
        let Some(members) = findings.object(item, "a stand-in") else { continue };
        let function = findings.required(members, "function", "a stand-in", item.span);
        let kind = findings.required(members, "kind", "a stand-in", item.span);
        let name = function.and_then(|function| findings.string(&function.value, "`function`"));
        let stand_in = kind.and_then(|kind| read_kind(&kind.value, findings));
        if let (Some(function), Some(name), Some(stand_in)) = (function, name, stand_in) {
            list.push(Named { function: name.to_owned(), span: function.value.span, stand_in });
        }
    }
    report_twice(&list, findings);
    list
}

pub(crate) fn read_mapping(members: &[Member], findings: &mut Findings<'_>) -> Vec<Named> {
    if let [Member { key, value: Node { kind: Kind::Array(items), .. }, .. }] = members
        && key == "functions"
    {
        return read_list(items, findings);
    }
    let read = members.iter().filter_map(|member| {
        let stand_in = read_kind(&member.value, findings)?;
        Some(Named { function: member.key.clone(), span: member.key_span, stand_in })
    });
    read.collect()
}

fn read_kind(node: &Node, findings: &mut Findings<'_>) -> Option<StandIn> {
    let text = findings.string(node, "the kind of a stand-in")?;
    match kind::parse(text) {
        Ok(stand_in) => Some(stand_in),
        Err(problem) => {
            let message = format!("there is no stand-in of the kind `{text}`");
            findings.error(code::UNKNOWN_KIND, node.span, message, &problem, KINDS);
            None
        }
    }
}

fn report_twice(list: &[Named], findings: &mut Findings<'_>) {
    for (index, named) in list.iter().enumerate() {
        if list[..index].iter().any(|earlier| earlier.function == named.function) {
            let message = format!("the function `{}` has two stand-ins", named.function);
            findings.error(code::WRONG_SHAPE, named.span, message, "the second", "Remove one of the two.");
        }
    }
}
