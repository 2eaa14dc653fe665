//! How an execution ended.

use crate::record::Status;
use faastlane_instance::FinishReport;
use faastlane_payload::Payload;
use std::time::Duration;

pub(crate) struct Ending {
    pub(crate) status: Status,
    pub(crate) output: Option<Payload>,
    pub(crate) error: Option<String>,
    pub(crate) cause: Option<String>,
    pub(crate) duration_ns: u64,
}

impl Ending {
    fn new(status: Status, duration_ns: u64) -> Self {
        Self { status, output: None, error: None, cause: None, duration_ns }
    }

    pub(crate) fn of(finish: FinishReport) -> Self {
        match finish {
            FinishReport::Succeeded { output, duration_ns } => {
                let output = Some(Payload::from_flat(Box::new(output)));
                Self { output, ..Self::new(Status::Succeeded, duration_ns) }
            }
            FinishReport::Failed { error, cause, duration_ns } => {
                Self { error, cause, ..Self::new(Status::Failed, duration_ns) }
            }
            FinishReport::TimedOut { duration_ns } => Self::new(Status::TimedOut, duration_ns),
            FinishReport::Aborted { error, cause, duration_ns } => {
                Self { error, cause, ..Self::new(Status::Aborted, duration_ns) }
            }
        }
    }

    pub(crate) fn aborted(after: Duration) -> Self {
        Self::new(Status::Aborted, after.as_nanos() as u64)
    }

    pub(crate) fn failed(error: &str, cause: String, after: Duration) -> Self {
        let (error, cause) = (Some(error.to_owned()), Some(cause));
        Self { error, cause, ..Self::new(Status::Failed, after.as_nanos() as u64) }
    }
}
