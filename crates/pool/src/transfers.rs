//! Distributed Maps' items and results: read and written here, on the supervisor's side, a chunk at a time.

use faastlane_compose::{StoreConfig, StoreTarget};
use faastlane_instance::{FlatPayload, ItemReport, TransferAnswer, TransferRequest};
use faastlane_items::{
    Destination, Items, ItemsError, Limits, OutputType, ReaderSpec, ResultFile, ResultWriter, S3Store, Store,
    Stores, open,
};
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
            TransferRequest::OpenResults { resource, arguments, json_lines, map_run } => {
                let output_type = if json_lines { OutputType::JsonLines } else { OutputType::Json };
                let destination = Destination::parse(&resource, &value(&arguments))?;
                let most = ResultWriter::MAX_FILE_BYTES;
                self.writer = Some(ResultWriter::open(&destination, output_type, stores, map_run, most)?);
                Ok(None)
            }
            TransferRequest::WriteResult { succeeded, records } => {
                let file = if succeeded { ResultFile::Succeeded } else { ResultFile::Failed };
                if let Some(writer) = &mut self.writer {
                    for record in records {
                        writer.write(file, &Payload::from_flat(Box::new(record.0)))?;
                    }
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
        let mut before = None;
        let reader = self.items.as_mut();
        let mut ended = reader.is_none();
        if let Some(reader) = reader {
            while items.len() < at_most as usize && bytes < CHUNK_BYTES {
                let Some(item) = reader.next() else {
                    ended = true;
                    break;
                };
                let item = item?;
                let value = flat(&item.value);
                bytes += value.0.len();
                let is_new = before.as_ref() != Some(&item.source);
                let source = is_new.then(|| item.source.to_string());
                before = Some(item.source);
                items.push(ItemReport { value, key: item.key, source });
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

fn value(flat: &FlatPayload) -> Value {
    Payload::from_flat(Box::new(flat.0.clone())).value().cloned().unwrap_or_default()
}

fn flat(payload: &Payload) -> FlatPayload {
    FlatPayload(payload.flat().to_vec())
}
