//! What a state does with its data, in either query language, and the size limit. What a state does not read is passed
//! on as it came.

use crate::context;
use crate::failure::Failure;
use crate::item::Item;
use crate::run::Run;
use crate::trial::{self, Stage};
use faastlane_asl::definition::{
    DataFlow, Dynamic, JsonataFlow, PathFlow, PayloadTemplate, ResultPath, Selection, Transition,
};
use faastlane_asl::intrinsic::Call;
use faastlane_asl::path::{Path, Scope};
use faastlane_asl::template::Template;
use faastlane_payload::{MAX_DEPTH, Payload, PayloadError};
use serde_json::{Value, json};
use std::borrow::Cow;

/// What the fields of a state are evaluated against.
#[derive(Clone, Copy)]
pub(crate) struct Documents<'a> {
    /// `$` of JSONPath.
    pub(crate) at: &'a Payload,
    /// `$states.result`
    pub(crate) result: Option<&'a Payload>,
    /// `$states.errorOutput`
    pub(crate) error_output: Option<&'a Payload>,
    /// `$$.Map.Item`, where it is not the branch's own.
    pub(crate) item: Option<&'a Item>,
}

impl<'a> Documents<'a> {
    pub(crate) fn of(at: &'a Payload) -> Documents<'a> {
        Documents { at, result: None, error_output: None, item: None }
    }
}

/// The documents that paths start at.
pub(crate) struct PathScope<'a> {
    input: &'a Payload,
    context: Payload,
    variables: &'a crate::variables::Variables,
}

impl Scope for PathScope<'_> {
    fn input(&self) -> &Payload {
        self.input
    }

    fn context(&self) -> &Payload {
        &self.context
    }

    fn variable(&self, name: &str) -> Option<&Payload> {
        self.variables.get(name)
    }
}

impl<'m> Run<'m, '_> {
    fn path_flow(&self, slot: u32) -> Option<&'m PathFlow> {
        match &self.state(slot).data {
            DataFlow::JsonPath(flow) => Some(flow),
            DataFlow::Jsonata(_) => None,
        }
    }

    /// The state's input, in JSONPath behind `InputPath`.
    pub(crate) fn selected_input(&mut self, slot: u32) -> Result<Payload, Failure> {
        let input = &self.execution.branches[slot].input;
        let Some(flow) = self.path_flow(slot) else { return Ok(input.clone()) };
        let selected = self.select(slot, &flow.input_path, input)?;
        self.inspect(Stage::AfterInputPath, &selected);
        Ok(selected)
    }

    /// The effective input: behind `Parameters` or `Arguments`, where there are any.
    pub(crate) fn effective_input(&mut self, slot: u32) -> Result<Payload, Failure> {
        let selected = self.selected_input(slot)?;
        self.arguments(slot, &selected)
    }

    /// `selected` behind `Parameters` or `Arguments`.
    pub(crate) fn arguments(&mut self, slot: u32, selected: &Payload) -> Result<Payload, Failure> {
        match &self.state(slot).data {
            DataFlow::JsonPath(flow) => {
                let effective = match &flow.parameters {
                    Some(template) => self.fill(slot, template, &Documents::of(selected))?,
                    None => selected.clone(),
                };
                self.inspect(Stage::AfterParameters, &effective);
                Ok(effective)
            }
            DataFlow::Jsonata(JsonataFlow { arguments: Some(template), .. }) => {
                let effective = self.query(slot, "Arguments", template, &Documents::of(selected))?;
                self.inspect(Stage::AfterArguments, &effective);
                Ok(effective)
            }
            DataFlow::Jsonata(_) => Ok(selected.clone()),
        }
    }

    /// Leaves a state that has no result of its own with what came in.
    pub(crate) fn pass_on(
        &mut self,
        slot: u32,
        input: Payload,
        transition: Transition,
    ) -> Result<(), Failure> {
        let documents = Documents::of(&input);
        self.leave_with(slot, &documents, transition)
    }

    /// Leaves a state with what its result becomes.
    pub(crate) fn complete(
        &mut self,
        slot: u32,
        result: Payload,
        transition: Transition,
    ) -> Result<(), Failure> {
        let documents = Documents { result: Some(&result), ..Documents::of(&result) };
        self.leave_with(slot, &documents, transition)
    }

    fn leave_with(
        &mut self,
        slot: u32,
        documents: &Documents<'_>,
        transition: Transition,
    ) -> Result<(), Failure> {
        let state = self.state(slot);
        let assigned = self.assigned(slot, state.assign.as_ref(), documents)?;
        let output = self.output(slot, documents)?;
        self.leave(slot, output, assigned, transition);
        Ok(())
    }

    /// What the state's result becomes.
    pub(crate) fn output(&mut self, slot: u32, documents: &Documents<'_>) -> Result<Payload, Failure> {
        match &self.state(slot).data {
            DataFlow::JsonPath(flow) => {
                let result = match &flow.result_selector {
                    Some(template) => self.fill(slot, template, documents)?,
                    None => documents.at.clone(),
                };
                let has_result = trial::has_result(&self.state(slot).kind);
                if has_result {
                    self.inspect(Stage::AfterResultSelector, &result);
                }
                let placed = self.place(slot, &flow.result_path, result)?;
                if has_result {
                    self.inspect(Stage::AfterResultPath, &placed);
                }
                self.select(slot, &flow.output_path, &placed)
            }
            DataFlow::Jsonata(JsonataFlow { output: Some(template), .. }) => {
                self.query(slot, "Output", template, documents)
            }
            DataFlow::Jsonata(_) => Ok(documents.at.clone()),
        }
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
                None => Err(self.invalid_path(slot, path, payload)),
            },
        }
    }

    pub(crate) fn path_scope<'a>(
        &'a self,
        slot: u32,
        documents: &Documents<'a>,
        reached: impl Fn(&[&str]) -> bool,
    ) -> Result<PathScope<'a>, Failure> {
        Ok(PathScope {
            input: documents.at,
            context: self.context(slot, documents.item, reached)?,
            variables: &self.execution.branches[slot].variables,
        })
    }

    /// What a path finds in a payload, in the context or in a variable.
    pub(crate) fn find(&self, slot: u32, path: &Path, payload: &Payload) -> Result<Option<Payload>, Failure> {
        let documents = Documents::of(payload);
        let scope = self.path_scope(slot, &documents, |members| path.may_reach_context(members))?;
        Ok(path.find(&scope)?.map(|selected| Payload::from_draft(&selected.into())))
    }

    /// The failure of a path of a field that finds nothing.
    pub(crate) fn not_found(&self, slot: u32, field: &str, path: &Path, payload: &Payload) -> Failure {
        let documents = Documents::of(payload);
        match self.path_scope(slot, &documents, |members| path.may_reach_context(members)) {
            Ok(scope) => faastlane_asl::template::missing(field, path, &scope).into(),
            Err(failure) => failure,
        }
    }

    /// The same for the fields in which Step Functions passes on what its JSONPath library says: `InputPath`,
    /// `OutputPath`, and those that refer to a number.
    fn invalid_path(&self, slot: u32, path: &Path, payload: &Payload) -> Failure {
        let documents = Documents::of(payload);
        match self.path_scope(slot, &documents, |members| path.may_reach_context(members)) {
            Ok(scope) => match path.reason(&scope) {
                Ok(reason) => Failure::runtime(format!("Invalid path '{path}' : {reason}")),
                Err(error) => error.into(),
            },
            Err(failure) => failure,
        }
    }

    /// A template in either language.
    pub(crate) fn fill_template(
        &mut self,
        slot: u32,
        field: &str,
        template: &PayloadTemplate,
        documents: &Documents<'_>,
    ) -> Result<Payload, Failure> {
        match template {
            PayloadTemplate::JsonPath(template) => self.fill(slot, template, documents),
            PayloadTemplate::Jsonata(template) => self.query(slot, field, template, documents),
        }
    }

    /// A template of JSONPath, filled in.
    pub(crate) fn fill(
        &mut self,
        slot: u32,
        template: &Template,
        documents: &Documents<'_>,
    ) -> Result<Payload, Failure> {
        let mut random = self.execution.random.clone();
        let scope = self.path_scope(slot, documents, |members| template.may_reach_context(members))?;
        let filled = template.evaluate(&scope, &mut random)?;
        self.execution.random = random;
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
        let mut random = self.execution.random.clone();
        let reached = |members: &[&str]| call.any_path(&mut |path| path.may_reach_context(members));
        let documents = Documents::of(payload);
        let scope = self.path_scope(slot, &documents, reached)?;
        let value = call.evaluate(&scope, &mut random).map_err(|error| error.in_field(field, &scope))?;
        self.execution.random = random;
        Ok(value)
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

    /// A whole number of the definition, or the one that its path or expression gives.
    pub(crate) fn number(
        &mut self,
        slot: u32,
        field: &str,
        number: &Dynamic<u32>,
        input: &Payload,
    ) -> Result<u32, Failure> {
        let path = match number {
            Dynamic::Fixed(number) => return Ok(*number),
            Dynamic::Path(path) => path,
            Dynamic::Expression(expression) => {
                let value = self.expression(slot, field, expression, &Documents::of(input))?;
                return whole(&value).ok_or_else(|| Failure::unexpected(field, expression, "number", &value));
            }
        };
        let found = self.find(slot, path.path(), input)?;
        let found = found.ok_or_else(|| self.invalid_path(slot, path.path(), input))?;
        let value = found.value()?;
        if value.as_i64().is_some_and(i64::is_negative) {
            return Err(Failure::runtime(format!("{field} cannot be negative.")));
        }
        // Step Functions reads digits in a string as well.
        let digits = value.as_str().and_then(|text| text.parse().ok());
        whole(value).or(digits).ok_or_else(|| not_an_integer(field, path.as_str(), value))
    }

    /// A percentage of the definition, or the one that its path or expression gives.
    pub(crate) fn percentage(
        &mut self,
        slot: u32,
        field: &str,
        number: &Dynamic<f64>,
        input: &Payload,
    ) -> Result<f64, Failure> {
        let value = match number {
            Dynamic::Fixed(number) => return Ok(*number),
            Dynamic::Path(path) => {
                let found = self.find(slot, path.path(), input)?;
                let found = found.ok_or_else(|| self.invalid_path(slot, path.path(), input))?;
                let value = found.value()?.clone();
                value.as_f64().ok_or_else(|| not_an_integer(field, path.as_str(), &value))?
            }
            Dynamic::Expression(expression) => {
                let value = self.expression(slot, field, expression, &Documents::of(input))?;
                value.as_f64().ok_or_else(|| Failure::unexpected(field, expression, "number", &value))?
            }
        };
        match value {
            below if below < 0.0 => Err(Failure::runtime(format!("{field} cannot be negative."))),
            above if above > 100.0 => Err(Failure::runtime(format!("{field} cannot be more than 100."))),
            fitting => Ok(fitting),
        }
    }
}

/// A whole number, also where it is written as a float.
fn whole(value: &Value) -> Option<u32> {
    let number = value.as_number()?;
    if let Some(number) = number.as_u64() {
        return u32::try_from(number).ok();
    }
    let float = number.as_f64().filter(|float| float.fract() == 0.0)?;
    (0.0..=f64::from(u32::MAX)).contains(&float).then_some(float as u32)
}

fn not_an_integer(field: &str, path: &str, value: &Value) -> Failure {
    Failure::runtime(format!(
        "The {field}Path field refers to value \"{}\" which is not a valid integer: {path}",
        plain(value)
    ))
}

/// A string without quotes, anything else as JSON: as Step Functions quotes values in causes.
pub(crate) fn plain(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}
