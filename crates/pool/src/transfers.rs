//! Distributed Maps' items and results: read and written here, on the supervisor's side, a chunk at a time.

use faastlane_compose::{StoreConfig, StoreTarget};
use faastlane_instance::{ChildOutcome, ChildReport, FlatPayload, TransferAnswer, TransferRequest};
use faastlane_items::{
    ChildResult, ChildStatus, Items, ItemsError, Limits, MapRun, ReaderSpec, ResultWriter, S3Store, Store,
    Stores, WriterSpec, open,
};
use faastlane_machine::rfc3339;
use faastlane_payload::Payload;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// Bytes after which a chunk of items is sent, however few they are.
const CHUNK_BYTES: usize = 256 << 10;

/// What `[stores]` of a workflow says, with the credentials that the environment has.
pub fn stores(configured: &[StoreConfig], environment: BTreeMap<String, String>) -> Stores {
    let store = |target: &StoreTarget| match target.clone() {
        StoreTarget::Folder(folder) => Store::Folder(folder),
        StoreTarget::S3 { endpoint, region, bucket, anonymous } => {
            Store::S3(S3Store { endpoint, region, bucket, anonymous })
        }
    };
    let by_name = configured.iter().map(|config| (config.name.value.clone(), store(&config.target)));
    Stores { by_name: by_name.collect(), environment }
}

/// The transfers of one execution.
pub(crate) struct Transfers<'a> {
    stores: &'a Stores,
    open: HashMap<u64, Transfer>,
}

#[derive(Default)]
struct Transfer {
    items: Option<Items>,
    writer: Option<ResultWriter>,
    /// What went wrong before anybody asked.
    failed: Option<ItemsError>,
}

impl<'a> Transfers<'a> {
    pub(crate) fn new(stores: &'a Stores) -> Self {
        Self { stores, open: HashMap::new() }
    }

    /// Does what an instance asks for; `None` where it waits for no answer.
    pub(crate) fn serve(&mut self, transfer: u64, request: TransferRequest) -> Option<TransferAnswer> {
        if matches!(request, TransferRequest::Cancel) {
            self.open.remove(&transfer);
            return None;
        }
        let stores = self.stores;
        let open = self.open.entry(transfer).or_default();
        match open.serve(request, stores) {
            Ok(answer) => answer,
            Err(error) => {
                let (error, cause) = (error.name.to_string(), error.cause);
                self.open.remove(&transfer);
                Some(TransferAnswer::Failed { error, cause })
            }
        }
    }
}

impl Transfer {
    fn serve(
        &mut self,
        request: TransferRequest,
        stores: &Stores,
    ) -> Result<Option<TransferAnswer>, ItemsError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        match request {
            TransferRequest::OpenItems { resource, arguments, config, max_items } => {
                let opened = open_items(&resource, &arguments, &config, max_items, stores);
                self.items = opened.map_err(|error| self.failed = Some(error)).ok();
                Ok(None)
            }
            TransferRequest::ReadItems { at_most } => self.read(at_most).map(Some),
            TransferRequest::OpenResults { resource, arguments, config, map_run } => {
                self.writer = open_results(&resource, &arguments, &config, map_run, stores)?;
                Ok(None)
            }
            TransferRequest::WriteResult(child) => {
                if let Some(writer) = &mut self.writer {
                    writer.write(&child_result(*child))?;
                }
                Ok(None)
            }
            TransferRequest::CloseResults => match self.writer.take() {
                Some(writer) => Ok(Some(TransferAnswer::Written(flat(&writer.finish()?)))),
                None => Ok(Some(TransferAnswer::Written(flat(&Payload::from_value(json!({})))))),
            },
            TransferRequest::Cancel => Ok(None),
        }
    }

    fn read(&mut self, at_most: u32) -> Result<TransferAnswer, ItemsError> {
        let mut items = Vec::new();
        let mut bytes = 0;
        let source = self.items.as_mut();
        let mut ended = source.is_none();
        if let Some(source) = source {
            while items.len() < at_most as usize && bytes < CHUNK_BYTES {
                let Some(item) = source.next() else {
                    ended = true;
                    break;
                };
                // What this crate reads is sound.
                let input = item?.input().unwrap_or_else(|_| Payload::from_value(Value::Null));
                bytes += input.len();
                items.push(flat(&input));
            }
        }
        Ok(TransferAnswer::Items { items, ended })
    }
}

fn open_items(
    resource: &str,
    arguments: &FlatPayload,
    config: &str,
    max_items: Option<u32>,
    stores: &Stores,
) -> Result<Items, ItemsError> {
    let mut config: Value = serde_json::from_str(config).unwrap_or_default();
    if let (Some(limit), Value::Object(config)) = (max_items, &mut config) {
        config.insert("MaxItems".to_owned(), json!(limit));
    }
    let config = config.as_object().filter(|config| !config.is_empty()).map(|_| &config);
    open(&ReaderSpec::parse(resource, &value(arguments), config)?, stores, Limits::default())
}

fn open_results(
    resource: &str,
    arguments: &FlatPayload,
    config: &str,
    map_run: String,
    stores: &Stores,
) -> Result<Option<ResultWriter>, ItemsError> {
    let config: Value = serde_json::from_str(config).unwrap_or_default();
    let config = config.as_object().filter(|config| !config.is_empty()).map(|_| &config);
    let spec = WriterSpec::parse(Some(resource), Some(&value(arguments)), config)?;
    let Some(destination) = spec.destination else { return Ok(None) };
    let machine = map_run.rsplit_once(':').map_or(&*map_run, |(machine, _)| machine);
    let state_machine_arn = machine.replacen(":mapRun:", ":stateMachine:", 1);
    let run = MapRun { arn: map_run, state_machine_arn };
    ResultWriter::open(&destination, spec.config, stores, run, ResultWriter::MAX_FILE_BYTES).map(Some)
}

fn child_result(child: ChildReport) -> ChildResult {
    ChildResult {
        execution_arn: Some(child.id),
        name: Some(child.name),
        input: Payload::from_flat(Box::new(child.input.0)),
        status: match child.outcome {
            ChildOutcome::Succeeded(output) => {
                ChildStatus::Succeeded { output: Payload::from_flat(Box::new(output.0)) }
            }
            ChildOutcome::Failed { error, cause } => ChildStatus::Failed { error, cause },
            ChildOutcome::TimedOut => ChildStatus::TimedOut { error: None, cause: None },
            ChildOutcome::Aborted => ChildStatus::Aborted,
        },
        start_date: Some(rfc3339(child.started_us)),
        stop_date: Some(rfc3339(child.ended_us)),
    }
}

fn value(flat: &FlatPayload) -> Value {
    Payload::from_flat(Box::new(flat.0.clone())).value().cloned().unwrap_or_default()
}

fn flat(payload: &Payload) -> FlatPayload {
    FlatPayload(payload.flat().to_vec())
}
