//! Map: how many at a time, which items, and what each iteration gets.

use super::group::Start;
use crate::branch::{Activity, Group, Source, Stream, Tolerance};
use crate::data::Documents;
use crate::event::TransferId;
use crate::failure::Failure;
use crate::history::{Detail, EventKind};
use crate::item::{Item, List, Place};
use crate::run::Run;
use crate::trial::Stage;
use faastlane_asl::definition::{ItemSource, Map, Selection};
use faastlane_payload::Payload;
use serde_json::Value;

/// How many child executions run at a time where the definition does not say.
///
/// Source: <https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html>.
const CHILD_EXECUTIONS: u32 = 10_000;

impl<'m> Run<'m, '_> {
    pub(crate) fn begin_map(&mut self, slot: u32, map: &'m Map) -> Result<(), Failure> {
        let input = self.selected_input(slot)?;
        let concurrency = match &map.max_concurrency {
            Some(number) => Some(self.number(slot, "MaxConcurrency", number, &input)?),
            None => None,
        };
        let reader = map.distributed.as_ref().and_then(|distributed| distributed.reader.as_ref());
        let source = match reader {
            Some(reader) => match self.tried_items(slot, reader, &input)? {
                Some(source) => source,
                None => Source::Stream(Stream::default()),
            },
            None => Source::Items { items: self.items(slot, map, &input)?, next: 0 },
        };
        // The length of what is still to be read is not known.
        let length = if reader.is_some() { 0 } else { source.total() };
        self.record(slot, EventKind::MapStateStarted, Detail::Length(length));
        self.inspect_number(Stage::MaxConcurrency, concurrency.unwrap_or(0));
        let tolerance = self.tolerance(slot, map, &input)?;
        let group = Group { tolerance, ..Group::new(input, source) };
        if self.execution.trial.is_some() {
            return self.try_map(slot, map, group);
        }
        let concurrency = concurrency.filter(|limit| *limit > 0);
        match &map.distributed {
            None => {
                let concurrency = concurrency.unwrap_or(u32::MAX);
                self.begin_group(slot, Group { concurrency, ..group })
            }
            Some(distributed) => {
                let concurrency = concurrency.unwrap_or(CHILD_EXECUTIONS);
                self.begin_map_run(slot, distributed, Group { concurrency, ..group })
            }
        }
    }

    fn tolerance(&mut self, slot: u32, map: &'m Map, input: &Payload) -> Result<Tolerance, Failure> {
        let count = match &map.tolerated_failure_count {
            Some(number) => Some(self.number(slot, "ToleratedFailureCount", number, input)?),
            None => None,
        };
        let percentage = match &map.tolerated_failure_percentage {
            Some(number) => Some(self.percentage(slot, "ToleratedFailurePercentage", number, input)?),
            None => None,
        };
        if let Some(count) = count {
            self.inspect_number(Stage::ToleratedFailureCount, count);
        }
        if let Some(percentage) = percentage {
            self.inspect_number(Stage::ToleratedFailurePercentage, percentage);
        }
        Ok(Tolerance { count, percentage })
    }

    /// The items that are in the state's own data. In a distributed Map these can be the members of an object. The
    /// developer guide says so of every Map, but Step Functions refuses an object in an inline one.
    fn items(&mut self, slot: u32, map: &'m Map, input: &Payload) -> Result<List, Failure> {
        let list = if map.distributed.is_some() { List::of } else { List::of_array };
        match &map.items {
            ItemSource::Path(path) => {
                let items = self.select(slot, path, input)?;
                let list = list(&items)?.ok_or_else(|| {
                    let path = match path {
                        Selection::Path(path) => path.as_str(),
                        _ => "$",
                    };
                    let shown = path.strip_prefix('$').filter(|rest| rest.starts_with('$')).unwrap_or(path);
                    Failure::runtime(format!("Reference path \"{shown}\" must point to array."))
                })?;
                self.inspect(Stage::AfterItemsPath, &items);
                Ok(list)
            }
            ItemSource::Items(None) => {
                list(input)?.ok_or_else(|| wrong_items("$states.input", input.value()))
            }
            ItemSource::Items(Some(template)) => {
                let items = self.query(slot, "Items", template, &Documents::of(input))?;
                let written = template.as_expression().map_or("Items", |expression| expression.as_str());
                list(&items)?.ok_or_else(|| wrong_items(written, items.value()))
            }
        }
    }

    /// What the next iteration, or the next child execution, starts with.
    pub(super) fn next_items(&mut self, slot: u32, map: &'m Map) -> Result<Option<Start>, Failure> {
        if self.group(slot).run.as_ref().is_some_and(|run| run.batch.is_some()) {
            return self.next_batch(slot, map);
        }
        let Some(item) = self.next_item(slot) else { return Ok(None) };
        let input = self.selected_item(slot, map, &item)?;
        Ok(Some(Start { input, item: Some(item) }))
    }

    /// An item, behind `ItemSelector`.
    pub(super) fn selected_item(&mut self, slot: u32, map: &'m Map, item: &Item) -> Result<Payload, Failure> {
        let input = self.group(slot).input.clone();
        match &map.item_selector {
            Some(selector) => {
                let documents = Documents { item: Some(item), ..Documents::of(&input) };
                self.fill_template(slot, "ItemSelector", selector, &documents)
            }
            None => Ok(item.input()?),
        }
    }

    /// What all iterations of a Map on trial get, as one array.
    pub(crate) fn item_inputs(&mut self, slot: u32, map: &'m Map, group: Group) -> Result<Payload, Failure> {
        self.execution.branches[slot].activity = Activity::Group(Box::new(group));
        let mut inputs = Vec::new();
        while self.group(slot).has_children_left() {
            let Some(item) = self.next_item(slot) else { break };
            inputs.push(self.selected_item(slot, map, &item)?);
        }
        self.array_of(slot, &inputs)
    }

    /// The next item; `None` where it has not been read yet, in which case it has been asked for.
    pub(super) fn next_item(&mut self, slot: u32) -> Option<Item> {
        match &mut self.group(slot).source {
            Source::Branches(_) => None,
            Source::Items { items, next } => {
                let item = Item { place: Place::In(items.clone()), index: *next };
                *next += 1;
                Some(item)
            }
            Source::Stream(stream) => {
                let Some(item) = stream.buffer.pop_front() else {
                    self.ask_for_items(slot);
                    return None;
                };
                let index = stream.taken;
                stream.taken += 1;
                Some(Item { place: Place::Alone(item), index })
            }
        }
    }

    /// The group that a transfer is for, if it is still there.
    pub(super) fn group_of(&mut self, transfer: TransferId) -> Option<u32> {
        let slot = crate::run::slot_of(transfer.0);
        let branch = self.execution.branches.get(slot)?;
        match &branch.activity {
            Activity::Group(group) => group.run.as_ref().filter(|run| run.transfer == transfer).map(|_| slot),
            _ => None,
        }
    }
}

fn wrong_items(written: &str, items: Result<&Value, faastlane_payload::PayloadError>) -> Failure {
    match items {
        Ok(value) => Failure::unexpected_value("Items", written, "array", value),
        Err(error) => error.into(),
    }
}
