//! A trial: one state alone, with what stands in for its work, and the stages that its data goes through.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/test-state-isolation.html>.

use crate::action::{Action, Outcome};
use crate::branch::{Group, Source};
use crate::failure::Failure;
use crate::item::{Item, List};
use crate::run::Run;
use crate::variables::Variables;
use faastlane_asl::definition::{ItemReader, Map, StateKind, Transition};
use faastlane_payload::flat::{Draft, Elements};
use faastlane_payload::{Payload, PayloadError};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is given to the state that a machine starts at. It is the only one that runs: the execution ends when that state
/// is left, and what is inside of a Parallel or Map is not run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trial {
    /// What stands in for a Task's resource, or for all that a Parallel or Map runs. Those two fail without.
    pub mock: Option<Mock>,
    /// How often the retrier of an error has been used before.
    pub retries: u32,
    /// How many iterations of a Map failed.
    pub failed_iterations: u32,
    /// The items that a Map's `ItemReader` would have read: an array, or an object whose members they are.
    pub items: Option<Payload>,
    /// The variables that were set before, by name.
    pub variables: BTreeMap<Arc<str>, Payload>,
    /// In place of the context object.
    pub context: Option<Payload>,
}

/// How a mocked state's work ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Mock {
    /// With the raw result.
    Result(Payload),
    Error {
        error: Option<String>,
        cause: Option<String>,
    },
}

/// What a trial shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Inspection {
    /// The data at one stage, or a number that the state computed.
    Stage(Stage, Payload),
    /// The state, or one try of it, failed.
    Failed { error: Option<String>, cause: Option<String>, recovery: Recovery },
    /// The state was left.
    Left { next: Option<Arc<str>> },
}

/// In the order in which a state goes through them; none goes through all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// JSONPath's, as are all `…Path` and `…Parameters`.
    AfterInputPath,
    AfterParameters,
    /// JSONata's.
    AfterArguments,
    /// The array that a Map goes over.
    AfterItemsPath,
    /// What the `ItemsPointer` of a Map's reader leads to.
    AfterItemsPointer,
    /// A number.
    MaxConcurrency,
    /// A number.
    ToleratedFailureCount,
    /// A number from 0 to 100.
    ToleratedFailurePercentage,
    /// What each iteration gets, as one array.
    AfterItemSelector,
    /// What each child execution gets, as one array.
    AfterItemBatcher,
    /// The raw result of a Task, or the `Result` of a Pass.
    Result,
    AfterResultSelector,
    AfterResultPath,
    /// All variables when the state is left, as one object; not shown where there are none.
    Variables,
}

/// What came of a failure. An execution whose state would be tried again waits before that, and is best given up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Recovery {
    /// The retrier, from 0, and the whole seconds before the next try; the most there can be where they are drawn.
    Retry {
        retrier: usize,
        seconds: u64,
    },
    /// The catcher, from 0. `exhausted` is the retrier that was used up before.
    Catch {
        catcher: usize,
        exhausted: Option<usize>,
    },
    Nothing {
        exhausted: Option<usize>,
    },
}

impl<'m> Run<'m, '_> {
    /// Shows a stage of the state on trial. Nothing where there is no trial.
    pub(crate) fn inspect(&mut self, stage: Stage, value: &Payload) {
        if self.execution.trial.is_some() {
            self.actions.push(Action::Inspected(Inspection::Stage(stage, value.clone())));
        }
    }

    pub(crate) fn inspect_number(&mut self, stage: Stage, number: impl Into<Value>) {
        if self.execution.trial.is_some() {
            let value = Payload::from_value(number.into());
            self.actions.push(Action::Inspected(Inspection::Stage(stage, value)));
        }
    }

    pub(crate) fn inspect_failure(&mut self, failure: &Failure, recovery: Recovery) {
        if self.execution.trial.is_some() {
            let Failure { error, cause, .. } = failure.clone();
            self.actions.push(Action::Inspected(Inspection::Failed { error, cause, recovery }));
        }
    }

    /// A failure with its place. On trial it has none: there is no history that it could point into.
    pub(crate) fn placed(&self, slot: u32, failure: Failure) -> Failure {
        if self.execution.trial.is_some() {
            return Failure { in_state: false, ..failure };
        }
        failure.placed(&self.state(slot).name, self.execution.branches[slot].entered_event)
    }

    /// Ends the execution where the state on trial is left.
    pub(crate) fn end_trial(&mut self, slot: u32, output: Payload, transition: Transition) {
        let branch = &self.execution.branches[slot];
        let next = match transition {
            Transition::Next(next) => Some(Arc::clone(&self.machine.flow(&branch.turns).state(next).name)),
            Transition::End => None,
        };
        match object_of(&branch.variables) {
            Ok(Some(variables)) => self.inspect(Stage::Variables, &variables),
            Ok(None) => {}
            Err(error) => return self.fail_state(slot, error.into()),
        }
        self.actions.push(Action::Inspected(Inspection::Left { next }));
        self.finish(Outcome::Succeeded(output));
    }

    /// What stands in for the work of the state on trial.
    pub(crate) fn mock(&self) -> Option<Mock> {
        self.execution.trial.as_ref()?.mock.clone()
    }

    /// Ends a Parallel on trial with what stands in for its branches.
    pub(crate) fn try_parallel(&mut self, slot: u32, transition: Transition) -> Result<(), Failure> {
        let result = self.mocked_result()?;
        self.complete(slot, result, transition)
    }

    fn mocked_result(&self) -> Result<Payload, Failure> {
        match self.mock() {
            Some(Mock::Result(result)) => Ok(result),
            Some(Mock::Error { error, cause }) => {
                Err(Failure { error, cause, in_state: false, evaluated: None })
            }
            None => {
                Err(Failure::runtime("What is inside of this state is only run in a whole state machine."))
            }
        }
    }

    /// The items of a Map on trial, in place of those that its reader would read. What the reader is asked is evaluated
    /// all the same. `None` without a trial, or without items.
    pub(crate) fn tried_items(
        &mut self,
        slot: u32,
        reader: &'m ItemReader,
        input: &Payload,
    ) -> Result<Option<Source>, Failure> {
        let Some(trial) = &self.execution.trial else { return Ok(None) };
        let items = trial.items.clone();
        let arguments = self.transfer_arguments(slot, reader.arguments.as_ref(), input)?;
        let limit = match &reader.max_items {
            Some(number) => self.number(slot, "MaxItems", number, input)?,
            None => 0,
        };
        let Some(items) = items else { return Ok(None) };
        let list = List::of(&items)?.ok_or_else(|| {
            Failure::runtime(
                "The items that are given for the ItemReader are neither an array nor an object.",
            )
        })?;
        if reader.config.get("ItemsPointer").is_some() {
            self.inspect(Stage::AfterItemsPointer, &items);
        }
        // No limit is written as 0.
        let most = if limit == 0 { usize::MAX } else { limit as usize };
        let items = list.read_from(place_of(arguments.value()?).into(), most)?;
        Ok(Some(Source::Items { items, next: 0 }))
    }

    /// Ends a Map on trial: shows what its iterations would get, then what stands in for them.
    pub(crate) fn try_map(&mut self, slot: u32, map: &'m Map, group: Group) -> Result<(), Failure> {
        let tolerance = group.tolerance;
        let mut total = group.source.total();
        // There may be nothing to show it by: what a reader reads is only known where it is given.
        let known = matches!(group.source, Source::Items { .. });
        let batcher = map.distributed.as_ref().and_then(|distributed| distributed.batcher.as_ref());
        if known && map.item_selector.is_some() {
            let inputs = self.item_inputs(slot, map, group.clone())?;
            self.inspect(Stage::AfterItemSelector, &inputs);
        }
        if let Some(batcher) = batcher.filter(|_| known) {
            let batches = self.batches(slot, map, batcher, group)?;
            self.inspect(Stage::AfterItemBatcher, &batches);
        }
        let result = self.mocked_result()?;
        if let (false, Some(results)) = (known, Elements::of(&result)?) {
            total = u32::try_from(results.count()).unwrap_or(u32::MAX);
        }
        let failed = self.execution.trial.as_ref().map_or(0, |trial| trial.failed_iterations);
        if failed > 0 && tolerance.is_exceeded(failed, total) {
            return Err(Failure::threshold());
        }
        self.complete(slot, result, map.transition)
    }

    pub(crate) fn array_of(&self, slot: u32, parts: &[Payload]) -> Result<Payload, Failure> {
        let parts = parts.iter().map(|part| part.view().map(Draft::Part)).collect::<Result<_, _>>()?;
        self.made(slot, Payload::from_draft(&Draft::Array(parts)))
    }

    /// How often the state on trial was tried before.
    pub(crate) fn earlier_tries(&self) -> u32 {
        self.execution.trial.as_ref().map_or(0, |trial| trial.retries)
    }
}

/// The URI of what a reader is asked to read: an object, or a bucket whose objects are listed.
fn place_of(arguments: &Value) -> String {
    let text = |name: &str| arguments.get(name).and_then(Value::as_str);
    let bucket = format!("s3://{}", text("Bucket").unwrap_or_default());
    text("Key").map_or_else(|| bucket.clone(), |key| format!("{bucket}/{key}"))
}

/// `None` where there are no variables.
fn object_of(variables: &Variables) -> Result<Option<Payload>, PayloadError> {
    if variables.is_empty() {
        return Ok(None);
    }
    let members = variables.iter().map(|(name, value)| Ok(((&**name).into(), Draft::Part(value.view()?))));
    Ok(Some(Payload::from_draft(&Draft::Object(members.collect::<Result<_, PayloadError>>()?))))
}

/// The context object of a trial, with the item that a Map is at.
pub(crate) fn context_with_item(given: &Payload, item: Option<&Item>) -> Result<Payload, PayloadError> {
    let Some(item) = item else { return Ok(given.clone()) };
    let mut context = given.value()?.clone();
    if let Some(members) = context.as_object_mut() {
        let item = Payload::from_draft(&item.context(true)?);
        members.insert("Map".to_owned(), json!({ "Item": item.value()? }));
    }
    Ok(Payload::from_value(context))
}

/// Whether a state's result goes through `ResultSelector` and `ResultPath`.
pub(crate) fn has_result(kind: &StateKind) -> bool {
    matches!(kind, StateKind::Task(_) | StateKind::Pass(_) | StateKind::Parallel(_) | StateKind::Map(_))
}
