//! A mock file, read: which of the formats it has, and what is in it.

use crate::code;
use crate::stand_in_list::{self, Named};
use crate::test_cases::{self, Machine};
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_asl::document::{self, Findings, Kind, Member, Node};
use faastlane_asl::source::Source;

/// A mock file without mistakes that can be seen without a workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct MockFile {
    pub(crate) source: Source,
    /// The test case that was asked for.
    pub(crate) case: Option<String>,
    pub(crate) content: Content,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    /// By function.
    StandIns(Vec<Named>),
    /// By state, in AWS's format.
    Machines(Vec<Machine>),
}

impl MockFile {
    /// Reads a file, of which `case` is the test case to take: what follows the `#` of `--mock FILE#CASE`.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn read(source: &Source, case: Option<&str>) -> Result<Self, Vec<Diagnostic>> {
        let root = document::read(source, "the mock file", code::UNREADABLE)?;
        Self::from_node(source, &root, case)
    }

    /// As [`Self::read`], from a part of a file that has been read.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn from_node(source: &Source, root: &Node, case: Option<&str>) -> Result<Self, Vec<Diagnostic>> {
        let mut findings = Findings::new(source, code::WRONG_SHAPE, SHAPES);
        let content = match &root.kind {
            Kind::Array(items) => Content::StandIns(stand_in_list::read_list(items, &mut findings)),
            Kind::Object(members) if is_aws(members) => {
                Content::Machines(test_cases::read(root, members, &mut findings))
            }
            Kind::Object(members) => Content::StandIns(stand_in_list::read_mapping(members, &mut findings)),
            _ => {
                let message = "the mock file holds no mocks";
                let label = format!("this is {}", root.describe());
                findings.error(code::WRONG_SHAPE, root.span, message, &label, SHAPES);
                Content::StandIns(Vec::new())
            }
        };
        if findings.found.is_empty() {
            Ok(Self { source: source.clone(), case: case.map(str::to_owned), content })
        } else {
            Err(findings.found)
        }
    }
}

/// A mapping of stand-ins holds strings; what holds objects is meant to be AWS's.
fn is_aws(members: &[Member]) -> bool {
    let is_object = |member: &Member| matches!(member.value.kind, Kind::Object(_));
    members.iter().any(|member| ["StateMachines", "MockedResponses"].contains(&member.key.as_str()))
        || members.iter().any(is_object)
}

/// What a mock file can look like.
pub(crate) const SHAPES: &str = "A mock file is AWS's (`StateMachines` and `MockedResponses`), or a list of stand-ins: \
     `[{\"function\": \"NAME\", \"kind\": \"echo\"}]`.";
