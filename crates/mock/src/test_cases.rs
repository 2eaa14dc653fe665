//! AWS's mock configuration file: test cases of state machines, which name mocked responses for Task states.

use crate::code;
use crate::mocks::{Attempts, Reply, StateMock};
use faastlane_asl::document::{Findings, Member, Node, did_you_mean};
use faastlane_asl::source::Span;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Machine {
    pub(crate) name: String,
    pub(crate) cases: Vec<Case>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) states: Vec<MockedState>,
}

/// A state's name, where it is written, and what answers for it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MockedState {
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) mock: StateMock,
}

/// The last number of an attempt that a range may name.
const MOST_ATTEMPTS: u32 = 99_999_999;

pub(crate) fn read(root: &Node, members: &[Member], findings: &mut Findings<'_>) -> Vec<Machine> {
    findings.only(members, &["StateMachines", "MockedResponses"], "the mock file");
    let machines = findings.required(members, "StateMachines", "the mock file", root.span);
    let responses = findings.required(members, "MockedResponses", "the mock file", root.span);
    let (Some(machines), Some(responses)) = (machines, responses) else { return Vec::new() };
    let responses = read_responses(&responses.value, findings);
    let mut read = Vec::new();
    for machine in findings.object(&machines.value, "`StateMachines`").unwrap_or_default() {
        let owner = format!("the state machine `{}`", machine.key);
        let Some(members) = findings.object(&machine.value, &owner) else { continue };
        findings.only(members, &["TestCases"], &owner);
        let Some(cases) = findings.required(members, "TestCases", &owner, machine.key_span) else { continue };
        let cases = findings.object(&cases.value, "`TestCases`").unwrap_or_default();
        let cases = cases.iter().map(|case| read_case(case, &responses, findings)).collect();
        read.push(Machine { name: machine.key.clone(), cases });
    }
    read
}

fn read_case(
    case: &Member,
    responses: &BTreeMap<&str, Option<StateMock>>,
    findings: &mut Findings<'_>,
) -> Case {
    let owner = format!("the test case `{}`", case.key);
    let mut states = Vec::new();
    for state in findings.object(&case.value, &owner).unwrap_or_default() {
        let owner = format!("what answers for the state `{}`", state.key);
        let Some(name) = findings.string(&state.value, &owner) else { continue };
        match responses.get(name) {
            Some(Some(mock)) => {
                states.push(MockedState { name: state.key.clone(), span: state.key_span, mock: mock.clone() })
            }
            // It is there, and what is wrong with it has been said.
            Some(None) => {}
            None => {
                let known: Vec<&str> = responses.keys().copied().collect();
                let hint = did_you_mean(name, &known, "mocked response");
                let message = format!("there is no mocked response `{name}`");
                findings.error(
                    code::NOTHING_TO_MOCK,
                    state.value.span,
                    message,
                    "not in `MockedResponses`",
                    &hint,
                );
            }
        }
    }
    Case { name: case.key.clone(), states }
}

/// By name; `None` for those with a mistake in them.
fn read_responses<'n>(node: &'n Node, findings: &mut Findings<'_>) -> BTreeMap<&'n str, Option<StateMock>> {
    let mut responses = BTreeMap::new();
    for response in findings.object(node, "`MockedResponses`").unwrap_or_default() {
        let before = findings.found.len();
        let answers = read_attempts(response, findings);
        let mock = StateMock { response: response.key.clone(), answers };
        responses.insert(response.key.as_str(), (findings.found.len() == before).then_some(mock));
    }
    responses
}

fn read_attempts(response: &Member, findings: &mut Findings<'_>) -> Vec<Attempts> {
    let owner = format!("the mocked response `{}`", response.key);
    let mut attempts: Vec<Attempts> = Vec::new();
    for member in findings.object(&response.value, &owner).unwrap_or_default() {
        let Some((first, last)) = range(&member.key) else {
            let message = format!("{owner} has no attempt `{}`", member.key);
            let hint = "Attempts are numbered from 0: `\"0\"` is the first, `\"1-2\"` are the next two.";
            findings.error(code::WRONG_SHAPE, member.key_span, message, "neither a number nor a range", hint);
            continue;
        };
        if attempts.iter().any(|earlier| earlier.first <= last && first <= earlier.last) {
            let message = format!("{owner} answers twice to one attempt");
            findings.error(
                code::WRONG_SHAPE,
                member.key_span,
                message,
                "overlaps an earlier range",
                "Keep one.",
            );
        }
        if let Some(reply) = read_reply(member, findings) {
            attempts.push(Attempts { first, last, reply });
        }
    }
    attempts
}

fn range(text: &str) -> Option<(u32, u32)> {
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|number| digits && *number <= MOST_ATTEMPTS)
    };
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (number(first.trim())?, number(last.trim())?),
        None => (number(text)?, number(text)?),
    };
    (first <= last).then_some((first, last))
}

fn read_reply(attempt: &Member, findings: &mut Findings<'_>) -> Option<Reply> {
    let owner = format!("attempt `{}`", attempt.key);
    let members = findings.object(&attempt.value, &owner)?;
    findings.only(members, &["Return", "Throw"], &owner);
    let member = |name: &str| members.iter().find(|member| member.key == name);
    match (member("Return"), member("Throw")) {
        (Some(returned), None) => Some(Reply::Return(returned.value.to_value())),
        (None, Some(thrown)) => read_throw(thrown, findings),
        (Some(_), Some(thrown)) => {
            let message = format!("{owner} both returns and throws");
            findings.error(
                code::WRONG_SHAPE,
                thrown.key_span,
                message,
                "besides `Return`",
                "Keep one of the two.",
            );
            None
        }
        (None, None) => {
            if members.is_empty() {
                let hint = "`{\"Return\": …}` or `{\"Throw\": {\"Error\": …, \"Cause\": …}}`.";
                let message = format!("{owner} says neither `Return` nor `Throw`");
                findings.error(code::WRONG_SHAPE, attempt.value.span, message, "nothing is said here", hint);
            }
            None
        }
    }
}

fn read_throw(thrown: &Member, findings: &mut Findings<'_>) -> Option<Reply> {
    let members = findings.object(&thrown.value, "`Throw`")?;
    findings.only(members, &["Error", "Cause"], "`Throw`");
    let error = findings.required(members, "Error", "`Throw`", thrown.key_span);
    let cause = findings.required(members, "Cause", "`Throw`", thrown.key_span);
    let error = findings.string(&error?.value, "`Error`")?.to_owned();
    let cause = findings.string(&cause?.value, "`Cause`")?.to_owned();
    Some(Reply::Throw { error, cause })
}

#[cfg(test)]
mod tests {
    use super::range;

    #[test]
    fn ranges() {
        assert_eq!(range("0"), Some((0, 0)));
        assert_eq!(range("1-2"), Some((1, 2)));
        assert_eq!(range("3 - 3"), Some((3, 3)));
        for text in ["", "-", "-1", "1-", "2-1", "a", "+1", "4294967296", "1-2-3"] {
            assert_eq!(range(text), None, "{text}");
        }
    }
}
