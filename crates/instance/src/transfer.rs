//! A distributed Map's items and results, between the machine and the supervisor.

use crate::message::{FlatPayload, ItemReport, TransferAnswer, TransferRequest};
use faastlane_asl::definition::OutputType;
use faastlane_machine::{Action, Event, Micros, ReadItem, TransferId};
use faastlane_payload::Payload;
use std::sync::Arc;

/// What the machine wants of a transfer, for the supervisor; `None` for what is about something else.
pub(crate) fn request(action: Action) -> Option<(u64, TransferRequest)> {
    Some(match action {
        Action::OpenItems { transfer, resource, arguments, config, max_items } => (
            transfer.0,
            TransferRequest::OpenItems {
                resource: resource.to_string(),
                arguments: flat(&arguments),
                config: config.to_string(),
                max_items,
            },
        ),
        Action::ReadItems { transfer, at_most } => (transfer.0, TransferRequest::ReadItems { at_most }),
        Action::OpenResults { transfer, resource, arguments, output_type, map_run } => (
            transfer.0,
            TransferRequest::OpenResults {
                resource: resource.to_string(),
                arguments: flat(&arguments),
                json_lines: output_type == OutputType::JsonLines,
                map_run: map_run.to_string(),
            },
        ),
        Action::WriteResult { transfer, succeeded, records } => {
            let records = records.iter().map(flat).collect();
            (transfer.0, TransferRequest::WriteResult { succeeded, records })
        }
        Action::CloseResults { transfer } => (transfer.0, TransferRequest::CloseResults),
        Action::CancelTransfer { transfer } => (transfer.0, TransferRequest::Cancel),
        _ => return None,
    })
}

/// What the machine is told of an answer.
pub(crate) fn event(transfer: u64, answer: TransferAnswer, at: Micros) -> Event {
    let transfer = TransferId(transfer);
    match answer {
        TransferAnswer::Items { items, ended } => {
            Event::ItemsRead { transfer, items: read_items(items), ended, at }
        }
        TransferAnswer::Written(result) => Event::ResultsWritten { transfer, result: payload(result), at },
        TransferAnswer::Failed { error, cause } => Event::TransferFailed { transfer, error, cause, at },
    }
}

fn read_items(items: Vec<ItemReport>) -> Vec<ReadItem> {
    let mut current: Arc<str> = Arc::default();
    let item = |ItemReport { value, key, source }| {
        if let Some(source) = source {
            current = source.into();
        }
        ReadItem { value: payload(value), key: key.map(Arc::from), source: Arc::clone(&current) }
    };
    items.into_iter().map(item).collect()
}

fn flat(payload: &Payload) -> FlatPayload {
    FlatPayload(payload.flat().to_vec())
}

fn payload(flat: FlatPayload) -> Payload {
    Payload::from_flat(Box::new(flat.0))
}
