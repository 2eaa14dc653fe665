//! Choice: the first rule that holds.

use crate::data::Documents;
use crate::failure::Failure;
use crate::run::Run;
use faastlane_asl::definition::{
    Choice, Comparison, Condition, DataFlow, Operand, Test, Timestamp, Transition,
};
use faastlane_asl::number;
use faastlane_asl::path::{Path, Scope};
use faastlane_payload::Payload;
use serde_json::Value;
use std::cmp::Ordering;

impl<'m> Run<'m, '_> {
    pub(crate) fn run_choice(&mut self, slot: u32, choice: &'m Choice) -> Result<(), Failure> {
        let input = self.selected_input(slot)?;
        let documents = Documents::of(&input);
        let chosen = match &self.state(slot).data {
            DataFlow::JsonPath(_) => self.first_test(slot, choice, &documents)?,
            DataFlow::Jsonata(_) => self.first_condition(slot, choice, &documents)?,
        };
        let state = self.state(slot);
        let (assign, next) = match (chosen.map(|index| &choice.rules[index]), choice.default) {
            (Some(rule), _) => (rule.assign.as_ref(), rule.next),
            (None, Some(default)) => (state.assign.as_ref(), default),
            (None, None) => {
                let cause =
                    "Failed to transition out of the state. The state does not point to a next state.";
                return Err(Failure { in_state: true, ..Failure::new("States.NoChoiceMatched", cause) });
            }
        };
        let assigned = self.assigned(slot, assign, &documents)?;
        let output = match chosen {
            Some(index) if matches!(state.data, DataFlow::Jsonata(_)) => {
                self.rule_output(slot, choice, index, &documents)?
            }
            _ => self.output(slot, &documents)?,
        };
        self.leave(slot, output, assigned, Transition::Next(next));
        Ok(())
    }

    /// A rule's own `Output`; the state's is for when no rule holds.
    fn rule_output(
        &mut self,
        slot: u32,
        choice: &'m Choice,
        index: usize,
        documents: &Documents<'_>,
    ) -> Result<Payload, Failure> {
        match &choice.rules[index].output {
            Some(output) => self.query(slot, &format!("Choices[{index}]/Output"), output, documents),
            None => Ok(documents.at.clone()),
        }
    }

    /// The first rule that holds.
    fn first_test(
        &self,
        slot: u32,
        choice: &Choice,
        documents: &Documents<'_>,
    ) -> Result<Option<usize>, Failure> {
        let reads_context = choice.rules.iter().any(|rule| reads_context(&rule.condition));
        let scope = self.path_scope(slot, documents, |_| reads_context)?;
        for (index, rule) in choice.rules.iter().enumerate() {
            if holds(&rule.condition, &scope)? {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    fn first_condition(
        &mut self,
        slot: u32,
        choice: &Choice,
        documents: &Documents<'_>,
    ) -> Result<Option<usize>, Failure> {
        for (index, rule) in choice.rules.iter().enumerate() {
            let holds = match &rule.condition {
                Condition::Literal(literal) => *literal,
                Condition::Expression(expression) => {
                    let field = format!("Choices[{index}]/Condition");
                    match self.expression(slot, &field, expression, documents)? {
                        Value::Bool(holds) => holds,
                        other => return Err(Failure::unexpected(&field, expression, "boolean", &other)),
                    }
                }
                Condition::And(_) | Condition::Or(_) | Condition::Not(_) | Condition::Test { .. } => {
                    unreachable!("a rule of JSONata has a condition")
                }
            };
            if holds {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }
}

fn reads_context(condition: &Condition) -> bool {
    match condition {
        Condition::And(parts) | Condition::Or(parts) => parts.iter().any(reads_context),
        Condition::Not(part) => reads_context(part),
        Condition::Test { variable, test } => {
            variable.reads_context() || other_path(test).is_some_and(Path::reads_context)
        }
        Condition::Expression(_) | Condition::Literal(_) => false,
    }
}

fn other_path(test: &Test) -> Option<&Path> {
    match test {
        Test::BooleanEquals(Operand::Path(path))
        | Test::StringCompare(_, Operand::Path(path))
        | Test::NumericCompare(_, Operand::Path(path))
        | Test::TimestampCompare(_, Operand::Path(path)) => Some(path),
        _ => None,
    }
}

fn holds(condition: &Condition, documents: &impl Scope) -> Result<bool, Failure> {
    Ok(match condition {
        Condition::And(parts) => {
            for part in parts {
                if !holds(part, documents)? {
                    return Ok(false);
                }
            }
            true
        }
        Condition::Or(parts) => {
            for part in parts {
                if holds(part, documents)? {
                    return Ok(true);
                }
            }
            false
        }
        Condition::Not(part) => !holds(part, documents)?,
        Condition::Literal(literal) => *literal,
        Condition::Expression(_) => unreachable!("a test of JSONPath is no expression"),
        Condition::Test { variable, test } => match (test, variable.find(documents)?) {
            (Test::IsPresent(expected), selected) => selected.is_some() == *expected,
            (test, Some(selected)) => passes(test, &selected.into_value(), documents)?,
            (_, None) => return Err(invalid(variable)),
        },
    })
}

/// Values of other types than a test is about do not pass it.
fn passes(test: &Test, value: &Value, documents: &impl Scope) -> Result<bool, Failure> {
    Ok(match test {
        // A value that was found is present.
        Test::IsPresent(expected) => *expected,
        Test::IsNull(expected) => value.is_null() == *expected,
        Test::IsNumeric(expected) => value.is_number() == *expected,
        Test::IsString(expected) => value.is_string() == *expected,
        Test::IsBoolean(expected) => value.is_boolean() == *expected,
        Test::IsTimestamp(expected) => timestamp(value).is_some() == *expected,
        Test::StringMatches(pattern) => value.as_str().is_some_and(|text| matches(pattern, text)),
        Test::BooleanEquals(operand) => {
            let other = match operand {
                Operand::Literal(literal) => Some(*literal),
                Operand::Path(path) => compared(path, documents)?.as_bool(),
            };
            value.as_bool().is_some_and(|value| Some(value) == other)
        }
        Test::StringCompare(comparison, Operand::Literal(other)) => {
            value.as_str().is_some_and(|value| accepts(*comparison, value.cmp(other)))
        }
        Test::StringCompare(comparison, Operand::Path(path)) => {
            let other = compared(path, documents)?;
            value
                .as_str()
                .zip(other.as_str())
                .is_some_and(|(value, other)| accepts(*comparison, value.cmp(other)))
        }
        Test::NumericCompare(comparison, operand) => {
            let other = match operand {
                Operand::Literal(number) => Value::Number(number.clone()),
                Operand::Path(path) => compared(path, documents)?,
            };
            match (value, &other) {
                (Value::Number(value), Value::Number(other)) => {
                    accepts(*comparison, number::compare(value, other))
                }
                _ => false,
            }
        }
        Test::TimestampCompare(comparison, operand) => {
            let other = match operand {
                Operand::Literal(instant) => Some(*instant),
                Operand::Path(path) => timestamp(&compared(path, documents)?),
            };
            timestamp(value).zip(other).is_some_and(|(value, other)| accepts(*comparison, value.cmp(&other)))
        }
    })
}

/// The value of a `…Path` operator.
fn compared(path: &Path, documents: &impl Scope) -> Result<Value, Failure> {
    Ok(path.find(documents)?.ok_or_else(|| invalid(path))?.into_value())
}

fn invalid(path: &Path) -> Failure {
    Failure::runtime(format!(
        "Invalid path '{path}': The choice state's condition path references an invalid value."
    ))
}

fn timestamp(value: &Value) -> Option<Timestamp> {
    Timestamp::parse(value.as_str()?)
}

fn accepts(comparison: Comparison, ordering: Ordering) -> bool {
    match comparison {
        Comparison::Equals => ordering.is_eq(),
        Comparison::LessThan => ordering.is_lt(),
        Comparison::LessThanEquals => ordering.is_le(),
        Comparison::GreaterThan => ordering.is_gt(),
        Comparison::GreaterThanEquals => ordering.is_ge(),
    }
}

/// `*` is any run of characters, a backslash takes the character behind it literally. Goes back to the last `*` only,
/// so that no pattern takes more than pattern times text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut wanted = Vec::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        wanted.push(match character {
            '*' => None,
            '\\' => Some(characters.next().unwrap_or('\\')),
            other => Some(other),
        });
    }
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut place, mut star) = (0, 0, None);
    while at < text.len() {
        match wanted.get(place) {
            Some(None) => {
                star = Some((place, at));
                place += 1;
            }
            Some(Some(character)) if *character == text[at] => {
                place += 1;
                at += 1;
            }
            _ => match star {
                Some((star_place, taken)) => {
                    star = Some((star_place, taken + 1));
                    place = star_place + 1;
                    at = taken + 1;
                }
                None => return false,
            },
        }
    }
    wanted[place..].iter().all(Option::is_none)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_match_any_run() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "anything", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "abcbc", true),
            ("a*b*c", "axxbyybc", true),
            ("a*b", "abc", false),
            ("log-*.txt", "log-1.txt", true),
            (r"\*", "*", true),
            (r"\*", "a", false),
            (r"\\", r"\", true),
            (r"a\*b*", "a*bcd", true),
            ("*\u{e9}*", "caf\u{e9}s", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
        assert!(!matches(&"*a".repeat(1_000), &"a".repeat(999)));
    }
}
