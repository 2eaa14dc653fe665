//! The states that take no time and decide nothing.

use crate::data::{Exit, not_found};
use crate::failure::Failure;
use crate::run::Run;
use faastlane_asl::definition::{Fail, Pass, ResultPath, StringOrPath, Succeed, Transition};
use faastlane_payload::Payload;
use serde_json::Value;

impl<'m> Run<'m, '_> {
    pub(crate) fn run_pass(&mut self, slot: u32, pass: &'m Pass) -> Result<(), Failure> {
        let input = self.effective_input(slot, &pass.input_path, pass.parameters.as_ref())?;
        let result = match &pass.result {
            Some(result) => Payload::from_value(result.clone()),
            None => input,
        };
        let exit = Exit {
            result_selector: None,
            result_path: &pass.result_path,
            output_path: &pass.output_path,
            transition: pass.transition,
        };
        self.complete(slot, result, exit)
    }

    pub(crate) fn run_succeed(&mut self, slot: u32, succeed: &'m Succeed) -> Result<(), Failure> {
        let result = self.selected_input(slot, &succeed.input_path)?;
        let exit = Exit {
            result_selector: None,
            result_path: &ResultPath::Replace,
            output_path: &succeed.output_path,
            transition: Transition::End,
        };
        self.complete(slot, result, exit)
    }

    /// Never returns `Ok`: failing is what the state does.
    pub(crate) fn run_fail(&mut self, slot: u32, fail: &Fail) -> Result<(), Failure> {
        let error = fail.error.as_ref().map(|error| self.text(slot, "ErrorPath", error)).transpose()?;
        let cause = fail.cause.as_ref().map(|cause| self.text(slot, "CausePath", cause)).transpose()?;
        Err(Failure { error, cause, in_state: false })
    }

    fn text(&mut self, slot: u32, field: &str, text: &StringOrPath) -> Result<String, Failure> {
        let input = self.execution.branches[slot].input.clone();
        let (found, written) = match text {
            StringOrPath::Fixed(text) => return Ok(text.clone()),
            StringOrPath::Path(path) => {
                let found = self.find(slot, path, &input)?.ok_or_else(|| not_found(path))?;
                (found.value()?.clone(), path.as_str())
            }
            StringOrPath::Call(call) => (self.call_intrinsic(slot, field, call, &input)?, call.as_str()),
        };
        match found {
            Value::String(text) => Ok(text),
            _ => Err(Failure::runtime(format!("The {field} field '{written}' must refer to a string."))),
        }
    }
}
