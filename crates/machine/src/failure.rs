//! Errors of states, and which of them Retry and Catch take.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>.

use crate::event::Micros;
use faastlane_asl::definition::{Catcher, Retrier};
use faastlane_asl::path::{FindError, PlaceError};
use faastlane_asl::random::SplitMix64;
use faastlane_asl::template::EvaluationError;
use faastlane_payload::PayloadError;

/// The error name of a domain that touched what is not its own. Trying again would only touch it again, so
/// `States.ALL` does not retry it; Catch may handle it.
pub const ISOLATION_VIOLATION: &str = "Faastlane.IsolationViolation";

pub(crate) const ALL: &str = "States.ALL";
pub(crate) const TASK_FAILED: &str = "States.TaskFailed";
pub(crate) const TIMEOUT: &str = "States.Timeout";
pub(crate) const HEARTBEAT_TIMEOUT: &str = "States.HeartbeatTimeout";
pub(crate) const RUNTIME: &str = "States.Runtime";
pub(crate) const QUERY_EVALUATION_ERROR: &str = "States.QueryEvaluationError";
pub(crate) const DATA_LIMIT_EXCEEDED: &str = "States.DataLimitExceeded";

/// Step Functions cuts causes here (bytes).
const MAX_CAUSE: usize = 32_768;

/// The longest delay between two tries, in seconds: the largest number of seconds in the language.
const MAX_DELAY: f64 = 99_999_999.0;

/// Why a state failed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    pub(crate) error: Option<String>,
    pub(crate) cause: Option<String>,
    /// The state's definition and its data do not fit; the cause does not say yet which state it is about.
    pub(crate) in_state: bool,
    /// Of a JSONata expression that gave no value: the field it stands in, `Output/total`.
    pub(crate) evaluated: Option<String>,
}

impl Failure {
    pub(crate) fn new(error: &str, cause: impl Into<String>) -> Failure {
        Failure {
            error: Some(error.to_owned()),
            cause: Some(shortened(cause.into())),
            in_state: false,
            evaluated: None,
        }
    }

    /// The definition does not fit the data.
    pub(crate) fn runtime(cause: impl Into<String>) -> Failure {
        Failure { in_state: true, ..Failure::new(RUNTIME, cause) }
    }

    pub(crate) fn data_limit(subject: &str) -> Failure {
        let cause = format!(
            "The state/task '{subject}' returned a result with a size exceeding the maximum number of bytes service limit."
        );
        Failure::new(DATA_LIMIT_EXCEEDED, cause)
    }

    /// A JSONata expression gave no value, or one of the wrong type.
    pub(crate) fn query(location: impl Into<String>, cause: impl Into<String>) -> Failure {
        let failure = Failure::new(QUERY_EVALUATION_ERROR, cause);
        Failure { in_state: true, evaluated: Some(location.into()), ..failure }
    }

    /// More iterations of a Map failed than it stands.
    pub(crate) fn threshold() -> Failure {
        let cause = "The specified tolerated failure threshold was exceeded";
        Failure::new("States.ExceedToleratedFailureThreshold", cause)
    }

    /// With the place of a failure that does not name it yet, as Step Functions words it.
    pub(crate) fn placed(self, state: &str, entered_event: u64) -> Failure {
        let cause = match self.cause {
            Some(cause) if self.in_state => Some(shortened(format!(
                "An error occurred while executing the state '{state}' (entered at the event id #{entered_event}). {cause}"
            ))),
            cause => cause,
        };
        Failure { cause, in_state: false, ..self }
    }
}

impl From<EvaluationError> for Failure {
    fn from(error: EvaluationError) -> Self {
        let name = match error {
            EvaluationError::Missing { .. }
            | EvaluationError::Unassigned { .. }
            | EvaluationError::TooCostly { .. } => RUNTIME,
            EvaluationError::Intrinsic { .. } => "States.IntrinsicFailure",
            EvaluationError::Unreadable(error) => return error.into(),
        };
        Failure { in_state: true, ..Failure::new(name, error.to_string()) }
    }
}

impl From<FindError> for Failure {
    fn from(error: FindError) -> Self {
        match error {
            FindError::Unreadable(error) => error.into(),
            FindError::TooCostly => Failure::runtime(format!("A path cannot be evaluated: {error}.")),
        }
    }
}

impl From<PayloadError> for Failure {
    fn from(error: PayloadError) -> Self {
        Failure::runtime(format!("The payload cannot be read: {error}"))
    }
}

impl From<PlaceError> for Failure {
    fn from(error: PlaceError) -> Self {
        match error {
            PlaceError::NoRoom { .. } => {
                Failure { in_state: true, ..Failure::new("States.ResultPathMatchFailure", error.to_string()) }
            }
            PlaceError::Unreadable(error) => error.into(),
        }
    }
}

fn shortened(mut text: String) -> String {
    if text.len() > MAX_CAUSE {
        let end = (0..=MAX_CAUSE).rfind(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
    }
    text
}

/// The first retrier for an error, by position. If it is used up, no other is looked for.
pub(crate) fn retrier_for(retriers: &[Retrier], error: Option<&str>) -> Option<usize> {
    const NOT_RETRIED: [&str; 3] = [RUNTIME, DATA_LIMIT_EXCEEDED, ISOLATION_VIOLATION];
    retriers.iter().position(|retrier| matches_any(&retrier.error_equals, error, &NOT_RETRIED))
}

/// The first catcher for an error, by position. Unlike the developer guide's text, Step Functions lets `States.ALL` catch a result
/// over the size limit.
pub(crate) fn catcher_for(catchers: &[Catcher], error: Option<&str>) -> Option<usize> {
    catchers.iter().position(|catcher| matches_any(&catcher.error_equals, error, &[RUNTIME]))
}

/// `only_by_name` are the errors that no wildcard stands for.
fn matches_any(names: &[String], error: Option<&str>, only_by_name: &[&str]) -> bool {
    let wild = error.is_none_or(|error| !only_by_name.contains(&error));
    names.iter().any(|name| match name.as_str() {
        ALL => wild,
        TASK_FAILED if wild => !matches!(error, Some(TIMEOUT | HEARTBEAT_TIMEOUT)),
        TIMEOUT => matches!(error, Some(TIMEOUT | HEARTBEAT_TIMEOUT)),
        name => Some(name) == error,
    })
}

/// Until the next try, where `earlier` tries of this retrier have gone before.
pub(crate) fn backoff(retrier: &Retrier, earlier: u32, random: &mut SplitMix64) -> Micros {
    let exponent = i32::try_from(earlier).unwrap_or(i32::MAX);
    let limit = retrier.max_delay_seconds.map_or(MAX_DELAY, f64::from);
    let seconds = (f64::from(retrier.interval_seconds) * retrier.backoff_rate.powi(exponent)).min(limit);
    let delay = (seconds * 1e6) as Micros;
    if retrier.full_jitter { random.up_to(delay) } else { delay }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retrier(error_equals: &[&str]) -> Retrier {
        Retrier {
            error_equals: error_equals.iter().map(|name| (*name).to_owned()).collect(),
            interval_seconds: 1,
            max_attempts: 3,
            backoff_rate: 2.0,
            max_delay_seconds: None,
            full_jitter: false,
        }
    }

    #[test]
    fn wildcards_stand_for_most_errors() {
        for (names, error, retried) in [
            (&["E"][..], Some("E"), true),
            (&["E", "F"], Some("F"), true),
            (&["E"], Some("F"), false),
            (&["E"], None, false),
            (&[ALL], None, true),
            (&[ALL], Some("E"), true),
            (&[ALL], Some(TIMEOUT), true),
            (&[ALL], Some(RUNTIME), false),
            (&[ALL], Some(DATA_LIMIT_EXCEEDED), false),
            (&[ALL], Some(ISOLATION_VIOLATION), false),
            (&[ISOLATION_VIOLATION], Some(ISOLATION_VIOLATION), true),
            (&[TASK_FAILED], Some("E"), true),
            (&[TASK_FAILED], Some(TIMEOUT), false),
            (&[TASK_FAILED], Some(HEARTBEAT_TIMEOUT), false),
            (&[TASK_FAILED], Some(RUNTIME), false),
            (&[TIMEOUT], Some(HEARTBEAT_TIMEOUT), true),
            (&[HEARTBEAT_TIMEOUT], Some(HEARTBEAT_TIMEOUT), true),
            (&[HEARTBEAT_TIMEOUT], Some(TIMEOUT), false),
        ] {
            assert_eq!(retrier_for(&[retrier(names)], error).is_some(), retried, "{names:?} and {error:?}");
        }
        let caught = |error| {
            let error_equals = vec![ALL.to_owned()];
            let next = first_state();
            let result_path = faastlane_asl::definition::ResultPath::Replace;
            let catcher = Catcher { error_equals, result_path, output: None, assign: None, next };
            catcher_for(&[catcher], Some(error)).is_some()
        };
        assert!(caught(ISOLATION_VIOLATION) && caught(DATA_LIMIT_EXCEEDED) && !caught(RUNTIME));
    }

    fn first_state() -> faastlane_asl::definition::StateIndex {
        let text = r#"{"StartAt": "S", "States": {"S": {"Type": "Succeed"}}}"#;
        crate::testing::machine(text).definition().flow.start_at
    }

    #[test]
    fn delays_grow_to_their_limit() {
        let mut random = SplitMix64::new(1);
        let plain = retrier(&[ALL]);
        assert_eq!(
            [0, 1, 2, 3].map(|n| backoff(&plain, n, &mut random)),
            [1_000_000, 2_000_000, 4_000_000, 8_000_000]
        );
        assert_eq!(backoff(&plain, u32::MAX, &mut random), 99_999_999_000_000);
        let limited = Retrier { max_delay_seconds: Some(3), ..plain.clone() };
        assert_eq!([0, 1, 2].map(|n| backoff(&limited, n, &mut random)), [1_000_000, 2_000_000, 3_000_000]);
        let jittered = Retrier { full_jitter: true, ..limited };
        let drawn: Vec<Micros> = (0..100).map(|_| backoff(&jittered, 5, &mut random)).collect();
        assert!(drawn.iter().all(|delay| *delay <= 3_000_000));
        assert!(drawn.iter().any(|delay| *delay < 1_000_000) && drawn.iter().any(|delay| *delay > 2_000_000));
    }
}
