//! The states that take no time and decide nothing.

use crate::data::Documents;
use crate::failure::Failure;
use crate::run::Run;
use crate::trial::Stage;
use faastlane_asl::definition::{Fail, Pass, StringSource, Transition};
use serde_json::Value;

impl<'m> Run<'m, '_> {
    pub(crate) fn run_pass(&mut self, slot: u32, pass: &'m Pass) -> Result<(), Failure> {
        let input = self.effective_input(slot)?;
        if let Some(result) = &pass.result {
            self.inspect(Stage::Result, result);
        }
        let result = pass.result.clone().unwrap_or(input);
        self.pass_on(slot, result, pass.transition)
    }

    pub(crate) fn run_succeed(&mut self, slot: u32) -> Result<(), Failure> {
        let input = self.selected_input(slot)?;
        self.pass_on(slot, input, Transition::End)
    }

    /// Never returns `Ok`: failing is what the state does.
    pub(crate) fn run_fail(&mut self, slot: u32, fail: &'m Fail) -> Result<(), Failure> {
        // It has no `InputPath` of its own, so this is its input.
        self.selected_input(slot)?;
        let error = fail.error.as_ref().map(|error| self.text(slot, "Error", error)).transpose()?;
        let cause = fail.cause.as_ref().map(|cause| self.text(slot, "Cause", cause)).transpose()?;
        Err(Failure { error, cause, in_state: false, evaluated: None })
    }

    fn text(&mut self, slot: u32, field: &str, text: &StringSource) -> Result<String, Failure> {
        let input = self.execution.branches[slot].input.clone();
        let by_path = format!("{field}Path");
        let (found, written) = match text {
            StringSource::Fixed(text) => return Ok(text.clone()),
            StringSource::Path(path) => {
                let found = self
                    .find(slot, path, &input)?
                    .ok_or_else(|| self.not_found(slot, &by_path, path, &input))?;
                (found.value()?.clone(), path.as_str())
            }
            StringSource::Call(call) => (self.call_intrinsic(slot, &by_path, call, &input)?, call.as_str()),
            StringSource::Expression(expression) => {
                let found = self.expression(slot, field, expression, &Documents::of(&input))?;
                return match found {
                    Value::String(text) => Ok(text),
                    other => Err(Failure::unexpected(field, expression, "string", &other)),
                };
            }
        };
        match found {
            Value::String(text) => Ok(text),
            _ => Err(Failure::runtime(format!("The {by_path} field '{written}' must refer to a string."))),
        }
    }
}
