//! What a state does with its data: `InputPath`, templates, `ResultSelector`, `ResultPath`, `OutputPath`, and the size
//! limit. What a state does not read is passed on as it came.

use crate::branch::Item;
use crate::context;
use crate::failure::Failure;
use crate::run::Run;
use faastlane_asl::definition::{NumberOrPath, ResultPath, Selection, Transition};
use faastlane_asl::intrinsic::Call;
use faastlane_asl::path::{Path, Scope};
use faastlane_asl::template::Template;
use faastlane_payload::{MAX_DEPTH, Payload, PayloadError};
use serde_json::{Value, json};
use std::borrow::Cow;

/// What happens to a state's result, and where it goes.
#[derive(Clone, Copy)]
pub(crate) struct Exit<'m> {
    pub(crate) result_selector: Option<&'m Template>,
    pub(crate) result_path: &'m ResultPath,
    pub(crate) output_path: &'m Selection,
    pub(crate) transition: Transition,
}

/// The documents that paths start at.
pub(crate) struct Documents<'a> {
    pub(crate) input: &'a Payload,
    pub(crate) context: Payload,
}

impl Scope for Documents<'_> {
    fn input(&self) -> &Payload {
        self.input
    }

    fn context(&self) -> &Payload {
        &self.context
    }

    /// No state assigns any yet.
    fn variable(&self, _name: &str) -> Option<&Payload> {
        None
    }
}

impl<'m> Run<'m, '_> {
    /// The state's input behind `InputPath`.
    pub(crate) fn selected_input(&self, slot: u32, input_path: &Selection) -> Result<Payload, Failure> {
        self.select(slot, input_path, &self.execution.branches[slot].input)
    }

    /// The effective input: behind `InputPath`, and `Parameters` where there are any.
    pub(crate) fn effective_input(
        &mut self,
        slot: u32,
        input_path: &Selection,
        parameters: Option<&Template>,
    ) -> Result<Payload, Failure> {
        let selected = self.selected_input(slot, input_path)?;
        match parameters {
            Some(template) => self.fill(slot, template, &selected),
            None => Ok(selected),
        }
    }

    /// Leaves the state with what its result becomes.
    pub(crate) fn complete(&mut self, slot: u32, result: Payload, exit: Exit<'m>) -> Result<(), Failure> {
        let result = match exit.result_selector {
            Some(template) => self.fill(slot, template, &result)?,
            None => result,
        };
        let placed = self.place(slot, exit.result_path, result)?;
        let output = self.select(slot, exit.output_path, &placed)?;
        self.leave(slot, output, exit.transition);
        Ok(())
    }

    /// The state's input with a result in it.
    pub(crate) fn place(&self, slot: u32, path: &ResultPath, result: Payload) -> Result<Payload, Failure> {
        let input = &self.execution.branches[slot].input;
        match path {
            ResultPath::Replace => Ok(result),
            ResultPath::Discard => Ok(input.clone()),
            ResultPath::At(path) => {
                let placed = path.place(input, result.view()?.into())?;
                self.made(slot, Payload::from_draft(&placed))
            }
        }
    }

    pub(crate) fn select(
        &self,
        slot: u32,
        selection: &Selection,
        payload: &Payload,
    ) -> Result<Payload, Failure> {
        match selection {
            Selection::Whole => Ok(payload.clone()),
            Selection::Empty => Ok(Payload::from_value(json!({}))),
            Selection::Path(path) => match self.find(slot, path, payload)? {
                Some(found) => self.made(slot, found),
                None => Err(not_found(path)),
            },
        }
    }

    /// What a path finds in a payload or in the context.
    pub(crate) fn find(&self, slot: u32, path: &Path, payload: &Payload) -> Result<Option<Payload>, Failure> {
        let context = self.context(slot, None, |members| path.may_reach_context(members))?;
        let documents = Documents { input: payload, context };
        Ok(path.find(&documents)?.map(|selected| Payload::from_draft(&selected.into())))
    }

    /// A template filled in from a payload.
    pub(crate) fn fill(
        &mut self,
        slot: u32,
        template: &Template,
        payload: &Payload,
    ) -> Result<Payload, Failure> {
        self.fill_for_item(slot, template, payload, None)
    }

    /// The same, where `$$.Map.Item` is an item that the branch itself is not about.
    pub(crate) fn fill_for_item(
        &mut self,
        slot: u32,
        template: &Template,
        payload: &Payload,
        item: Option<&Item>,
    ) -> Result<Payload, Failure> {
        let context = self.context(slot, item, |members| template.may_reach_context(members))?;
        let documents = Documents { input: payload, context };
        let filled = template.evaluate(&documents, &mut self.execution.random)?;
        self.made(slot, filled)
    }

    /// What a call of an intrinsic function gives.
    pub(crate) fn call_intrinsic(
        &mut self,
        slot: u32,
        field: &str,
        call: &Call,
        payload: &Payload,
    ) -> Result<Value, Failure> {
        let reached = |members: &[&str]| call.any_path(&mut |path| path.may_reach_context(members));
        let documents = Documents { input: payload, context: self.context(slot, None, reached)? };
        let value = call.evaluate(&documents, &mut self.execution.random);
        value.map_err(|error| error.in_field(field, &documents).into())
    }

    /// The context object, empty if nobody looks at any of it. `item` is the one in it if there is one, else the
    /// branch's own.
    pub(crate) fn context(
        &self,
        slot: u32,
        item: Option<&Item>,
        reached: impl Fn(&[&str]) -> bool,
    ) -> Result<Payload, Failure> {
        if !reached(&[]) {
            return Ok(Payload::from_value(Value::Null));
        }
        let branch = &self.execution.branches[slot];
        let item = item.or(branch.item.as_ref());
        Ok(context::build(self.execution, branch, self.state(slot), item, reached)?)
    }

    /// A payload that was put together here, within the limits that every payload keeps.
    pub(crate) fn made(&self, slot: u32, payload: Payload) -> Result<Payload, Failure> {
        if payload.depth().is_err_and(|error| error == PayloadError::TooDeep) {
            return Err(Failure::runtime(format!("The data nests deeper than {MAX_DEPTH} levels.")));
        }
        if payload.len() > self.machine.limits().payload_bytes {
            return Err(Failure::data_limit(&self.state(slot).name));
        }
        Ok(payload)
    }

    /// A number of the definition, or the one that its path finds.
    pub(crate) fn number(
        &self,
        slot: u32,
        field: &str,
        number: &NumberOrPath,
        input: &Payload,
    ) -> Result<u32, Failure> {
        let path = match number {
            NumberOrPath::Fixed(number) => return Ok(*number),
            NumberOrPath::Path(path) => path,
        };
        let found = self.find(slot, path.path(), input)?.ok_or_else(|| not_found(path.path()))?;
        let value = found.value()?;
        if value.as_i64().is_some_and(i64::is_negative) {
            return Err(Failure::runtime(format!("{field} cannot be negative.")));
        }
        value.as_u64().and_then(|number| u32::try_from(number).ok()).ok_or_else(|| {
            Failure::runtime(format!(
                "The {field}Path field refers to value \"{}\" which is not a valid integer: {path}",
                plain(value)
            ))
        })
    }
}

pub(crate) fn not_found(path: &Path) -> Failure {
    Failure::runtime(format!("Invalid path '{path}': it finds nothing."))
}

/// A string without quotes, anything else as JSON: as Step Functions quotes values in causes.
pub(crate) fn plain(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}
