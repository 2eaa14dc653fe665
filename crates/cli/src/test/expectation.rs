//! What a case expects, and how what came out differs from it.

use crate::test::case::BAD_CASE;
use faastlane_asl::document::{Findings, Kind, Member, Node};
use faastlane_pool::{Record, Status};
use serde_json::{Map, Value, json};
use similar::TextDiff;

/// Members of `expect`, of which those count that are there.
const MEMBERS: [&str; 5] = ["status", "output", "error", "cause", "events"];

const STATUSES: [&str; 4] = ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"];

/// Lines that a difference is shown with.
const CONTEXT: usize = 3;

#[derive(Clone, Debug)]
pub(crate) struct Expectation(Map<String, Value>);

/// Two values that should be alike.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    pub(crate) expected: Value,
    pub(crate) actual: Value,
    /// Line by line.
    pub(crate) diff: String,
}

impl Expectation {
    pub(crate) fn read(node: &Node, findings: &mut Findings<'_>) -> Option<Self> {
        let members = findings.object(node, "`expect`")?;
        findings.only(members, &MEMBERS, "`expect`");
        members.iter().for_each(|member| check(member, findings));
        let get = |name: &str| members.iter().find(|member| member.key == name);
        let fails = get("error").or_else(|| get("cause"));
        if let (Some(_), Some(failure)) = (get("output"), fails) {
            let message = "`expect` has both an output and a failure";
            let hint = "An execution that fails has no output: keep one of the two.";
            findings.error(BAD_CASE, failure.key_span, message, "besides `output`", hint);
        }
        let mut expected = Map::new();
        let status = if fails.is_some() { "FAILED" } else { "SUCCEEDED" };
        expected.insert("status".to_owned(), json!(status));
        expected.extend(members.iter().map(|member| (member.key.clone(), member.value.to_value())));
        Some(Self(expected))
    }

    /// How what came out differs; `None` where it does not.
    pub(crate) fn difference(&self, actual: &Value) -> Option<Difference> {
        let expected = Value::Object(self.0.clone());
        let mut came = Map::new();
        for name in MEMBERS {
            let Some(value) = actual.get(name) else { continue };
            // What an execution failed with is worth knowing where it should not have.
            let unforeseen = ["error", "cause"].contains(&name) && self.0["status"] != actual["status"];
            match self.0.get(name) {
                Some(expected) if name == "cause" => {
                    came.insert(name.to_owned(), as_expected(expected, value))
                }
                Some(_) => came.insert(name.to_owned(), value.clone()),
                None if unforeseen && !value.is_null() => came.insert(name.to_owned(), value.clone()),
                None => None,
            };
        }
        let actual = Value::Object(came);
        let aligned = aligned(&expected, &actual);
        if aligned == actual {
            return None;
        }
        let (left, right) = (shown(&aligned), shown(&actual));
        let diff = TextDiff::from_lines(&left, &right);
        let diff = diff.unified_diff().context_radius(CONTEXT).header("expected", "actual").to_string();
        Some(Difference { expected, actual, diff })
    }
}

/// What is to be expected of a case from now on. What was open (`$any`) stays so where it fits, and only what was looked
/// at is.
pub(crate) fn updated(earlier: Option<&Expectation>, actual: &Value) -> Value {
    let mut expected = Map::new();
    for name in MEMBERS {
        let Some(value) = actual.get(name).filter(|value| !value.is_null()) else { continue };
        let before = earlier.and_then(|earlier| earlier.0.get(name));
        let unasked = name == "events" && before.is_none()
            || earlier.is_some_and(|earlier| {
                ["output", "cause"].contains(&name)
                    && before.is_none()
                    && earlier.0["status"] == actual["status"]
            });
        if unasked {
            continue;
        }
        let value = match before {
            Some(before) if name == "cause" => kept_open(before, &as_expected(before, value)),
            Some(before) => kept_open(before, value),
            None if name == "cause" => without_request_id(value),
            None => value.clone(),
        };
        expected.insert(name.to_owned(), value);
    }
    Value::Object(expected)
}

/// What an execution came to, under the names that `expect` has.
pub(crate) fn actual(record: &Record) -> Value {
    let mut actual = json!({ "status": record.status });
    if record.status == Status::Succeeded {
        let output = record.output.as_ref().and_then(|output| output.value().ok().cloned());
        actual["output"] = output.unwrap_or(Value::Null);
    } else {
        actual["error"] = json!(record.error);
        actual["cause"] = json!(record.cause);
    }
    actual["events"] = record.events.iter().map(|event| json!(event.kind)).collect();
    actual
}

fn check(member: &Member, findings: &mut Findings<'_>) {
    let value = member.value.to_value();
    if is_any(&value) {
        return;
    }
    match member.key.as_str() {
        "status" if !value.as_str().is_some_and(|status| STATUSES.contains(&status)) => {
            let message = "`status` is none that an execution can have";
            let hint = format!("One of {}.", STATUSES.join(", "));
            findings.error(BAD_CASE, member.value.span, message, "not a status", &hint);
        }
        "error" => {
            findings.string(&member.value, "`error`");
        }
        "events" => match &member.value.kind {
            Kind::Array(events) => {
                for event in events {
                    findings.string(event, "an event");
                }
            }
            _ => {
                let message = "`events` must be a list of event types";
                let label = format!("this is {}", member.value.describe());
                findings.error(
                    BAD_CASE,
                    member.value.span,
                    message,
                    &label,
                    "Such as `[\"ExecutionStarted\", …]`.",
                );
            }
        },
        _ => {}
    }
}

/// `{"$any": true}`: whatever it is.
fn is_any(value: &Value) -> bool {
    value.as_object().is_some_and(|members| members.len() == 1 && members.get("$any") == Some(&json!(true)))
}

/// A cause that is expected as an object is one in JSON text.
fn as_expected(expected: &Value, cause: &Value) -> Value {
    let text = cause.as_str().filter(|_| expected.is_object() && !is_any(expected));
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| cause.clone())
}

/// Lambda's error object has an id that is another one each time.
fn without_request_id(cause: &Value) -> Value {
    let object: Option<Map<String, Value>> = cause.as_str().and_then(|text| serde_json::from_str(text).ok());
    match object {
        Some(mut object) if object.contains_key("requestId") => {
            object.insert("requestId".to_owned(), json!({ "$any": true }));
            Value::Object(object)
        }
        _ => cause.clone(),
    }
}

/// What is expected, with all that fits replaced by what came, so that only the rest differs.
fn aligned(expected: &Value, actual: &Value) -> Value {
    match (expected, actual) {
        _ if is_any(expected) => actual.clone(),
        (Value::Number(one), Value::Number(other)) if same_number(one, other) => actual.clone(),
        (Value::Object(expected), Value::Object(actual)) => {
            let member = |(name, value): (&String, &Value)| {
                let aligned = actual.get(name).map_or_else(|| value.clone(), |actual| aligned(value, actual));
                (name.clone(), aligned)
            };
            Value::Object(expected.iter().map(member).collect())
        }
        (Value::Array(expected), Value::Array(actual)) => {
            let item = |(index, value): (usize, &Value)| {
                actual.get(index).map_or_else(|| value.clone(), |actual| aligned(value, actual))
            };
            Value::Array(expected.iter().enumerate().map(item).collect())
        }
        _ => expected.clone(),
    }
}

/// What came, with `$any` wherever it was before.
fn kept_open(before: &Value, actual: &Value) -> Value {
    match (before, actual) {
        _ if is_any(before) => before.clone(),
        (Value::Object(before), Value::Object(actual)) => {
            let member = |(name, value): (&String, &Value)| {
                (
                    name.clone(),
                    before.get(name).map_or_else(|| value.clone(), |before| kept_open(before, value)),
                )
            };
            Value::Object(actual.iter().map(member).collect())
        }
        (Value::Array(before), Value::Array(actual)) => {
            let item = |(index, value): (usize, &Value)| {
                before.get(index).map_or_else(|| value.clone(), |before| kept_open(before, value))
            };
            Value::Array(actual.iter().enumerate().map(item).collect())
        }
        _ => actual.clone(),
    }
}

/// By value: 1, 1.0 and 1e0 are the same. Integers are compared exactly.
fn same_number(one: &serde_json::Number, other: &serde_json::Number) -> bool {
    let (one, other) = (one.to_string(), other.to_string());
    match (one.parse::<i128>(), other.parse::<i128>()) {
        (Ok(one), Ok(other)) => one == other,
        _ => {
            let double = one.parse::<f64>().ok().filter(|one| one.is_finite());
            one == other || double.is_some_and(|one| other.parse() == Ok(one))
        }
    }
}

/// As lines, with the members of objects in one order.
fn shown(value: &Value) -> String {
    format!("{:#}\n", sorted(value))
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            Value::Object(members.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differs(expected: Value, actual: Value) -> Option<String> {
        let expectation = Expectation(expected.as_object().unwrap().clone());
        expectation.difference(&actual).map(|difference| difference.diff)
    }

    fn number(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn numbers_by_value_and_members_in_any_order() {
        let actual = json!({ "status": "SUCCEEDED", "output": { "b": number("1.0"), "a": [number("2e1"), true] }, "events": [] });
        let same = json!({ "status": "SUCCEEDED", "output": { "a": [20, true], "b": 1 } });
        assert_eq!(differs(same, actual.clone()), None);
        for other in
            [json!({"a": [20, 1], "b": 1}), json!({"a": [20], "b": 1}), json!({"a": [20, true]}), json!(null)]
        {
            let expected = json!({ "status": "SUCCEEDED", "output": other });
            assert!(differs(expected, actual.clone()).is_some(), "{other}");
        }
        let large = |text: &str| json!({ "status": "SUCCEEDED", "output": number(text) });
        assert!(differs(large("9007199254740993"), large("9007199254740992")).is_some());
        assert!(differs(large("1e400"), large("2e400")).is_some(), "neither fits into a double");
    }

    #[test]
    fn only_what_differs_is_shown() {
        let actual = json!({ "status": "SUCCEEDED", "output": { "id": "7f", "n": 2, "last": [1] } });
        let expected =
            json!({ "status": "SUCCEEDED", "output": { "n": 1, "id": { "$any": true }, "last": [1] } });
        let diff = differs(expected, actual).unwrap();
        let changed: Vec<&str> = diff.lines().skip(2).filter(|line| line.starts_with(['-', '+'])).collect();
        assert_eq!(changed, ["-    \"n\": 1", "+    \"n\": 2"]);
    }

    #[test]
    fn a_cause_may_be_expected_as_the_object_that_it_holds() {
        let actual =
            json!({ "status": "FAILED", "error": "E", "cause": r#"{"errorType":"E","requestId":"1"}"# });
        let expected =
            |id: Value| json!({ "status": "FAILED", "cause": { "errorType": "E", "requestId": id } });
        assert_eq!(differs(expected(json!({ "$any": true })), actual.clone()), None);
        assert!(differs(expected(json!("2")), actual.clone()).is_some());
        assert!(differs(json!({ "status": "FAILED", "cause": "x" }), actual.clone()).is_some());
        let succeeds = differs(json!({ "status": "SUCCEEDED" }), actual).unwrap();
        assert!(succeeds.contains("+  \"error\": \"E\""), "{succeeds}");
    }

    #[test]
    fn an_update_keeps_what_was_open_and_does_not_look_at_more() {
        let earlier = Expectation(
            json!({ "status": "SUCCEEDED", "output": { "id": { "$any": true }, "n": 1 } })
                .as_object()
                .unwrap()
                .clone(),
        );
        let actual = json!({ "status": "SUCCEEDED", "output": { "id": "7f", "n": 2 }, "events": ["X"] });
        let expected = json!({ "status": "SUCCEEDED", "output": { "id": { "$any": true }, "n": 2 } });
        assert_eq!(updated(Some(&earlier), &actual), expected);
        assert_eq!(updated(None, &actual)["output"]["id"], "7f");
    }
}
