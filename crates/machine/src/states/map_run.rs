//! Distributed Maps: each item, or batch of items, is an execution of its own, with a history of its own. Items can be
//! read, and results written, while it runs, so that neither has to fit into memory.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html>.

use super::group::Start;
use crate::action::Action;
use crate::branch::{Activity, Batch, ChildExecution, Group, MapRun, Source};
use crate::child_result::Results;
use crate::data::Documents;
use crate::event::{ReadItem, TransferId};
use crate::failure::Failure;
use crate::history::{Detail, EventKind};
use crate::item::{Item, Place};
use crate::run::Run;
use faastlane_asl::definition::{Distributed, ItemBatcher, ItemReader, Map, ResultWriter};
use faastlane_payload::Payload;
use faastlane_payload::flat::Draft;
use serde_json::{Value, json};
use std::sync::Arc;

/// How many items are asked for at a time.
const READ_AHEAD: u32 = 1_000;

impl<'m> Run<'m, '_> {
    pub(super) fn begin_map_run(
        &mut self,
        slot: u32,
        distributed: &'m Distributed,
        group: Group,
    ) -> Result<(), Failure> {
        let input = group.input.clone();
        let batch = match &distributed.batcher {
            Some(batcher) => Some(self.batch(slot, batcher, &input)?),
            None => None,
        };
        let results = Results::of(distributed.writer.as_ref())?;
        let name = distributed.label.as_ref().unwrap_or(&self.state(slot).name).clone();
        let machine = self.execution.identity.state_machine_id.replacen(":stateMachine:", ":mapRun:", 1);
        let arn: Arc<str> = format!("{machine}/{name}:{}", self.execution.random.uuid()).into();
        let transfer = TransferId(self.execution.next_id(slot));
        self.record(slot, EventKind::MapRunStarted, Detail::MapRun(Arc::clone(&arn)));
        let run = MapRun { arn, transfer, batch, results, closing: false };
        self.execution.branches[slot].activity =
            Activity::Group(Box::new(Group { run: Some(Box::new(run)), ..group }));
        let opened = self.open_transfers(slot, distributed, &input);
        if let Err(failure) = opened {
            self.fail_group(slot, failure);
            return Ok(());
        }
        self.go_on_with_group(slot)
    }

    fn batch(&mut self, slot: u32, batcher: &'m ItemBatcher, input: &Payload) -> Result<Batch, Failure> {
        let items = match &batcher.max_items {
            Some(number) => self.number(slot, "MaxItemsPerBatch", number, input)?.max(1) as usize,
            None => usize::MAX,
        };
        let bytes = match &batcher.max_input_bytes {
            Some(number) => self.number(slot, "MaxInputBytesPerBatch", number, input)? as usize,
            None => self.machine.limits().payload_bytes,
        };
        let batch_input = match &batcher.batch_input {
            Some(template) => {
                Some(self.fill_template(slot, "BatchInput", template, &Documents::of(input))?)
            }
            None => None,
        };
        Ok(Batch { input: batch_input, items, bytes })
    }

    /// What all child executions of a Map on trial get, as one array.
    pub(crate) fn batches(
        &mut self,
        slot: u32,
        map: &'m Map,
        batcher: &'m ItemBatcher,
        group: Group,
    ) -> Result<Payload, Failure> {
        let batch = Some(self.batch(slot, batcher, &group.input)?);
        let transfer = TransferId(self.execution.next_id(slot));
        let run = MapRun { arn: Arc::from(""), transfer, batch, results: Results::Plain, closing: false };
        let group = Group { run: Some(Box::new(run)), ..group };
        self.execution.branches[slot].activity = Activity::Group(Box::new(group));
        let mut batches = Vec::new();
        while self.group(slot).has_children_left() {
            let Some(start) = self.next_batch(slot, map)? else { break };
            batches.push(start.input);
        }
        self.array_of(slot, &batches)
    }

    fn open_transfers(
        &mut self,
        slot: u32,
        distributed: &'m Distributed,
        input: &Payload,
    ) -> Result<(), Failure> {
        if let Some(reader) = &distributed.reader {
            self.open_items(slot, reader, input)?;
        }
        if let Some(writer @ ResultWriter { resource: Some(resource), .. }) = &distributed.writer {
            let arguments = self.transfer_arguments(slot, writer.arguments.as_ref(), input)?;
            let (transfer, map_run) = self.map_run(slot);
            self.actions.push(Action::OpenResults {
                transfer,
                resource: Arc::clone(resource),
                arguments,
                output_type: writer.config.unwrap_or_default().output_type,
                map_run,
            });
        }
        Ok(())
    }

    fn open_items(&mut self, slot: u32, reader: &'m ItemReader, input: &Payload) -> Result<(), Failure> {
        let arguments = self.transfer_arguments(slot, reader.arguments.as_ref(), input)?;
        let max_items = match &reader.max_items {
            Some(number) => Some(self.number(slot, "MaxItems", number, input)?),
            None => None,
        };
        let (transfer, _) = self.map_run(slot);
        self.actions.push(Action::OpenItems {
            transfer,
            resource: Arc::clone(&reader.resource),
            arguments,
            config: reader.config.clone(),
            // No limit is written as 0.
            max_items: max_items.filter(|limit| *limit > 0),
        });
        Ok(())
    }

    pub(crate) fn transfer_arguments(
        &mut self,
        slot: u32,
        arguments: Option<&'m faastlane_asl::definition::PayloadTemplate>,
        input: &Payload,
    ) -> Result<Payload, Failure> {
        match arguments {
            Some(template) => self.fill_template(slot, "Arguments", template, &Documents::of(input)),
            None => Ok(Payload::from_value(json!({}))),
        }
    }

    pub(super) fn map_run(&mut self, slot: u32) -> (TransferId, Arc<str>) {
        match &self.group(slot).run {
            Some(run) => (run.transfer, Arc::clone(&run.arn)),
            None => unreachable!("only a distributed Map has transfers"),
        }
    }

    pub(super) fn ask_for_items(&mut self, slot: u32) {
        let (transfer, _) = self.map_run(slot);
        if let Source::Stream(stream) = &mut self.group(slot).source
            && !std::mem::replace(&mut stream.asked, true)
        {
            self.actions.push(Action::ReadItems { transfer, at_most: READ_AHEAD });
        }
    }

    pub(crate) fn items_read(&mut self, transfer: TransferId, items: Vec<ReadItem>, ended: bool) {
        let Some(slot) = self.group_of(transfer) else { return };
        if let Source::Stream(stream) = &mut self.group(slot).source {
            stream.asked = false;
            stream.ended = ended;
            stream.buffer.extend(items);
        }
        let result = self.go_on_with_group(slot);
        self.settle(slot, result);
    }

    /// The next batch: as many items as it may have, `{"BatchInput": …, "Items": […]}`.
    pub(super) fn next_batch(&mut self, slot: u32, map: &'m Map) -> Result<Option<Start>, Failure> {
        let Some(Batch { input, items: most, bytes }) =
            self.group(slot).run.as_ref().and_then(|run| run.batch.clone())
        else {
            return Ok(None);
        };
        if let Source::Stream(stream) = &self.group(slot).source
            && !stream.ended
            && stream.buffer.len() < most.min(READ_AHEAD as usize)
        {
            self.ask_for_items(slot);
            return Ok(None);
        }
        let mut items: Vec<Payload> = Vec::new();
        let mut length = input.as_ref().map_or(0, json_len);
        while items.len() < most {
            let Some(item) = self.peek_item(slot) else { break };
            let selected = self.selected_item(slot, map, &item)?;
            length += json_len(&selected) + 1;
            // One item is a batch however large it is.
            if length > bytes && !items.is_empty() {
                break;
            }
            items.push(selected);
            self.next_item(slot);
        }
        let mut members = Vec::new();
        if let Some(input) = &input {
            members.push(("BatchInput".into(), Draft::Part(input.view()?)));
        }
        let views = items.iter().map(|item| item.view().map(Draft::Part)).collect::<Result<_, _>>()?;
        members.push(("Items".into(), Draft::Array(views)));
        let batch = self.made(slot, Payload::from_draft(&Draft::Object(members)))?;
        Ok(Some(Start { input: batch, item: None }))
    }

    /// The next item, which stays where it is.
    fn peek_item(&mut self, slot: u32) -> Option<Item> {
        match &self.group(slot).source {
            Source::Branches(_) => None,
            Source::Items { items, next } => ((*next as usize) < items.count())
                .then(|| Item { place: Place::In(items.clone()), index: *next }),
            Source::Stream(stream) => {
                let item = stream.buffer.front()?.clone();
                Some(Item { place: Place::Alone(item), index: stream.taken })
            }
        }
    }

    /// Makes the first branch of a child what it is, and writes the first event of its history.
    pub(super) fn begin_child_execution(&mut self, child: u32, slot: u32) {
        let name: Arc<str> = self.execution.random.uuid().into();
        let (_, arn) = self.map_run(slot);
        // The run's ARN without what tells it from other runs of the Map.
        let run = arn.rsplit_once(':').map_or(&*arn, |(run, _)| run);
        let id = format!("{}:{name}", run.replacen(":mapRun:", ":execution:", 1)).into();
        let started_at = self.execution.now;
        let branch = &mut self.execution.branches[child];
        let input = branch.input.clone();
        branch.child =
            Some(Box::new(ChildExecution { name, id, input: input.clone(), started_at, last_event: 0 }));
        branch.root = Some(child);
        branch.last_event = 0;
        // It sees nothing of what is around the Map.
        branch.variables = Arc::default();
        self.record_without_state(child, EventKind::ExecutionStarted, Detail::Input(input));
        self.execution.branches[child].last_event = 0;
    }

    pub(crate) fn transfer_failed(&mut self, transfer: TransferId, failure: Failure) {
        let Some(slot) = self.group_of(transfer) else { return };
        self.cancel_inside(Some(slot));
        self.fail_group(slot, failure);
    }

    /// The run's own end, before that of its state.
    pub(super) fn fail_map_run(&mut self, slot: u32, failure: &Failure) {
        if !matches!(&self.execution.branches[slot].activity, Activity::Group(group) if group.run.is_some()) {
            return;
        }
        let (transfer, _) = self.map_run(slot);
        self.actions.push(Action::CancelTransfer { transfer });
        let placed =
            failure.clone().placed(&self.state(slot).name, self.execution.branches[slot].entered_event);
        let detail = Detail::Failure { error: placed.error, cause: placed.cause };
        self.record(slot, EventKind::MapRunFailed, detail);
    }

    /// A Map that is given up from outside.
    pub(crate) fn cancel_map_run(&mut self, slot: u32) {
        if self.group(slot).run.is_some() {
            let (transfer, _) = self.map_run(slot);
            self.actions.push(Action::CancelTransfer { transfer });
            self.record(slot, EventKind::MapRunAborted, Detail::Nothing);
        }
    }
}

/// How long a payload is as JSON, which is how a batch's bytes are counted.
fn json_len(payload: &Payload) -> usize {
    payload.value().map_or(0, |value: &Value| value.to_string().len())
}
