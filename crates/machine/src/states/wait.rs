//! Wait: until a time, or for a while.

use crate::action::{Action, TimerPurpose};
use crate::branch::Activity;
use crate::data::{Documents, plain};
use crate::event::{Micros, TimerId};
use crate::failure::Failure;
use crate::run::{Run, after_seconds};
use faastlane_asl::definition::{Dynamic, StateKind, Timestamp, Wait, WaitUntil};
use faastlane_asl::jsonata::Expression;
use faastlane_asl::path::ReferencePath;
use faastlane_payload::Payload;
use serde_json::Value;

impl<'m> Run<'m, '_> {
    pub(crate) fn begin_wait(&mut self, slot: u32, wait: &'m Wait) -> Result<(), Failure> {
        let input = self.selected_input(slot)?;
        let at = self.wait_until(slot, &wait.until, &input)?;
        if at <= self.execution.now {
            return self.pass_on(slot, input, wait.transition);
        }
        let timer = TimerId(self.execution.next_id(slot));
        self.execution.branches[slot].activity = Activity::Waiting { timer };
        self.actions.push(Action::SetTimer { timer, at, purpose: TimerPurpose::Wait });
        Ok(())
    }

    pub(crate) fn end_wait(&mut self, slot: u32) {
        let StateKind::Wait(wait) = &self.state(slot).kind else { unreachable!("only a Wait state waits") };
        let result = self.selected_input(slot).and_then(|input| self.pass_on(slot, input, wait.transition));
        self.settle(slot, result);
    }

    fn wait_until(&mut self, slot: u32, until: &WaitUntil, input: &Payload) -> Result<Micros, Failure> {
        let now = self.execution.now;
        match until {
            WaitUntil::Seconds(Dynamic::Fixed(seconds)) => Ok(after_seconds(now, *seconds)),
            WaitUntil::Timestamp(Dynamic::Fixed(timestamp)) => Ok(micros(*timestamp)),
            WaitUntil::Seconds(Dynamic::Path(path)) => {
                let found = self.found(slot, "SecondsPath", path, input)?;
                let value = found.value()?;
                seconds(value).map(|seconds| after_seconds(now, seconds)).ok_or_else(|| {
                    let value = plain(value);
                    Failure::runtime(format!(
                        "The SecondsPath parameter does not reference an integer value: {path} == {value}"
                    ))
                })
            }
            WaitUntil::Timestamp(Dynamic::Path(path)) => {
                let found = self.found(slot, "TimestampPath", path, input)?;
                let value = found.value()?;
                instant(value).ok_or_else(|| not_an_instant("TimestampPath", path.as_str(), value))
            }
            WaitUntil::Seconds(Dynamic::Expression(expression)) => {
                let value = self.expression(slot, "Seconds", expression, &Documents::of(input))?;
                seconds(&value)
                    .map(|seconds| after_seconds(now, seconds))
                    .ok_or_else(|| Failure::unexpected("Seconds", expression, "number", &value))
            }
            WaitUntil::Timestamp(Dynamic::Expression(expression)) => {
                let value = self.expression(slot, "Timestamp", expression, &Documents::of(input))?;
                instant(&value).ok_or_else(|| wrong_instant(expression, &value))
            }
        }
    }

    fn found(
        &self,
        slot: u32,
        field: &str,
        path: &ReferencePath,
        input: &Payload,
    ) -> Result<Payload, Failure> {
        let found = self.find(slot, path.path(), input)?;
        found.ok_or_else(|| self.not_found(slot, field, path.path(), input))
    }
}

fn seconds(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|seconds| u32::try_from(seconds).ok())
}

fn instant(value: &Value) -> Option<Micros> {
    value.as_str().and_then(Timestamp::parse).map(micros)
}

fn not_an_instant(field: &str, written: &str, value: &Value) -> Failure {
    Failure::runtime(format!(
        "The {field} parameter does not reference a valid ISO-8601 extended offset date-time format string: \
         {written} == {}",
        plain(value)
    ))
}

fn wrong_instant(expression: &Expression, value: &Value) -> Failure {
    match value {
        Value::String(_) => not_an_instant("Timestamp", expression.as_str(), value),
        other => Failure::unexpected("Timestamp", expression, "string", other),
    }
}

/// Rounded up, so that nobody wakes too early; before 1970 is 1970.
fn micros(timestamp: Timestamp) -> Micros {
    Micros::try_from(timestamp.nanos.max(0).saturating_add(999) / 1_000).unwrap_or(Micros::MAX)
}
