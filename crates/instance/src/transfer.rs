//! A distributed Map's items and results, between the machine and the supervisor.

use crate::message::{ChildOutcome, ChildReport, FlatPayload, TransferAnswer, TransferRequest};
use faastlane_machine::{Action, ChildResult, Event, Micros, Outcome, TransferId};
use faastlane_payload::Payload;

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
        Action::OpenResults { transfer, resource, arguments, config, map_run } => (
            transfer.0,
            TransferRequest::OpenResults {
                resource: resource.to_string(),
                arguments: flat(&arguments),
                config: config.to_string(),
                map_run: map_run.to_string(),
            },
        ),
        Action::WriteResult { transfer, result } => {
            (transfer.0, TransferRequest::WriteResult(Box::new(child(*result))))
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
            Event::ItemsRead { transfer, items: items.into_iter().map(payload).collect(), ended, at }
        }
        TransferAnswer::Written(result) => Event::ResultsWritten { transfer, result: payload(result), at },
        TransferAnswer::Failed { error, cause } => Event::TransferFailed { transfer, error, cause, at },
    }
}

fn flat(payload: &Payload) -> FlatPayload {
    FlatPayload(payload.flat().to_vec())
}

fn payload(flat: FlatPayload) -> Payload {
    Payload::from_flat(Box::new(flat.0))
}

fn child(result: ChildResult) -> ChildReport {
    ChildReport {
        name: result.name.to_string(),
        id: result.id.to_string(),
        input: flat(&result.input),
        started_us: result.started_at,
        ended_us: result.ended_at,
        outcome: match result.outcome {
            Outcome::Succeeded(output) => ChildOutcome::Succeeded(flat(&output)),
            Outcome::Failed { error, cause } => ChildOutcome::Failed { error, cause },
            Outcome::TimedOut => ChildOutcome::TimedOut,
            Outcome::Aborted { .. } => ChildOutcome::Aborted,
        },
    }
}
