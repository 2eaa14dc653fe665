//! Wait: until a time, or for a while.

use crate::action::{Action, TimerPurpose};
use crate::branch::Activity;
use crate::data::{Exit, not_found, plain};
use crate::event::{Micros, TimerId};
use crate::failure::Failure;
use crate::run::{Run, after_seconds};
use faastlane_asl::definition::{ResultPath, StateKind, Timestamp, Wait, WaitUntil};
use faastlane_payload::Payload;

impl<'m> Run<'m, '_> {
    pub(crate) fn begin_wait(&mut self, slot: u32, wait: &'m Wait) -> Result<(), Failure> {
        let input = self.selected_input(slot, &wait.input_path)?;
        let at = self.wait_until(slot, &wait.until, &input)?;
        if at <= self.execution.now {
            return self.leave_wait(slot, wait, input);
        }
        let timer = TimerId(self.execution.next_id(slot));
        self.execution.branches[slot].activity = Activity::Waiting { timer };
        self.actions.push(Action::SetTimer { timer, at, purpose: TimerPurpose::Wait });
        Ok(())
    }

    pub(crate) fn end_wait(&mut self, slot: u32) {
        let StateKind::Wait(wait) = &self.state(slot).kind else { unreachable!("only a Wait state waits") };
        let result =
            self.selected_input(slot, &wait.input_path).and_then(|input| self.leave_wait(slot, wait, input));
        self.settle(slot, result);
    }

    fn leave_wait(&mut self, slot: u32, wait: &'m Wait, input: Payload) -> Result<(), Failure> {
        let exit = Exit {
            result_selector: None,
            result_path: &ResultPath::Replace,
            output_path: &wait.output_path,
            transition: wait.transition,
        };
        self.complete(slot, input, exit)
    }

    fn wait_until(&self, slot: u32, until: &WaitUntil, input: &Payload) -> Result<Micros, Failure> {
        match until {
            WaitUntil::Seconds(seconds) => Ok(after_seconds(self.execution.now, *seconds)),
            WaitUntil::Timestamp(timestamp) => Ok(micros(*timestamp)),
            WaitUntil::SecondsPath(path) => {
                let found = self.find(slot, path.path(), input)?.ok_or_else(|| not_found(path.path()))?;
                let value = found.value()?;
                let seconds = value.as_u64().and_then(|seconds| u32::try_from(seconds).ok());
                seconds.map(|seconds| after_seconds(self.execution.now, seconds)).ok_or_else(|| {
                    let value = plain(value);
                    Failure::runtime(format!(
                        "The SecondsPath parameter does not reference an integer value: {path} == {value}"
                    ))
                })
            }
            WaitUntil::TimestampPath(path) => {
                let found = self.find(slot, path.path(), input)?.ok_or_else(|| not_found(path.path()))?;
                let value = found.value()?;
                value.as_str().and_then(Timestamp::parse).map(micros).ok_or_else(|| {
                    let value = plain(value);
                    Failure::runtime(format!(
                        "The TimestampPath parameter does not reference a valid ISO-8601 extended offset \
                         date-time format string: {path} == {value}"
                    ))
                })
            }
        }
    }
}

/// Rounded up, so that nobody wakes too early; before 1970 is 1970.
fn micros(timestamp: Timestamp) -> Micros {
    Micros::try_from(timestamp.nanos.max(0).saturating_add(999) / 1_000).unwrap_or(Micros::MAX)
}
