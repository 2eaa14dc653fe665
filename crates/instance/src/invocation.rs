//! One call of a function: what is asked for, and what is made of the answer.

use faastlane_domain::{Outcome, Outgoing, Received, Region, Returned};
use faastlane_machine::{InvocationId, InvocationLog, Micros, NextCall};
use faastlane_payload::{Backing, Payload};
use std::any::Any;
use std::fmt::Write;
use std::sync::Arc;

/// A call that waits for its domain, or is under way.
pub(crate) struct Invocation {
    pub(crate) id: InvocationId,
    /// By position in the plan.
    pub(crate) function: usize,
    /// The state's name.
    pub(crate) state: Arc<str>,
    /// The event that scheduled it.
    pub(crate) scheduled_id: u64,
    pub(crate) state_deadline: Option<Micros>,
    pub(crate) request_id: String,
    /// The result shows what the function printed.
    pub(crate) wants_log: bool,
    /// What follows it in its domain.
    pub(crate) ahead: Vec<NextCall>,
}

impl Invocation {
    /// Its log, but for what the function printed, if the result is to show it.
    pub(crate) fn log(&self, returned: &Returned, memory_mb: u32) -> Option<InvocationLog> {
        self.wants_log.then(|| InvocationLog {
            request_id: self.request_id.clone(),
            printed: String::new(),
            // Both are the domain's own account.
            duration_us: returned.returned_ns.saturating_sub(returned.called_ns) / 1000,
            memory_mb,
        })
    }
}

/// A payload that came out of a domain, as the machine carries it.
struct HandedOver(Received);

impl AsRef<[u8]> for HandedOver {
    fn as_ref(&self) -> &[u8] {
        self.0.as_ref()
    }
}

impl Backing for HandedOver {}

pub(crate) fn payload_of(received: Received) -> Payload {
    Payload::from_flat(Box::new(HandedOver(received)))
}

/// A payload on its way into a domain.
pub(crate) enum Delivery {
    /// Nobody else holds it, and it lies in pages of its own: they move. `None` once they have.
    Pages(Option<Region>),
    Owned(Box<dyn Backing>),
    Shared(Payload),
}

impl Delivery {
    pub(crate) fn of(payload: Payload) -> Self {
        let backing = match payload.into_backing() {
            Ok(backing) => backing,
            Err(shared) => return Self::Shared(shared),
        };
        match (backing as Box<dyn Any>).downcast::<HandedOver>() {
            Ok(handed_over) => match handed_over.0 {
                Received::Region(region) => Self::Pages(Some(region)),
                Received::Copied(bytes) => Self::Owned(Box::new(bytes.into_vec())),
                shelved @ Received::Shelved(_) => Self::Owned(Box::new(HandedOver(shelved))),
            },
            Err(other) => match other.downcast::<Vec<u8>>() {
                Ok(bytes) => Self::Owned(bytes),
                // No other kind of backing is ever made here.
                Err(_) => Self::Owned(Box::new(Vec::new())),
            },
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Pages(region) => region.as_ref().map_or(0, |region| region.as_ref().len()),
            Self::Owned(backing) => (**backing).as_ref().len(),
            Self::Shared(payload) => payload.len(),
        }
    }

    pub(crate) fn outgoing(&mut self) -> Outgoing<'_> {
        match self {
            Self::Pages(region) => match region.take() {
                Some(region) => Outgoing::Region(region),
                None => Outgoing::Bytes(&[]),
            },
            Self::Owned(backing) => Outgoing::Bytes((**backing).as_ref()),
            Self::Shared(payload) => Outgoing::Bytes(payload.flat()),
        }
    }
}

/// What a call came to, as the machine understands it.
pub(crate) enum Answer {
    Succeeded(Payload),
    Failed { error: String, cause: String },
}

/// `function` is the name, for the cause.
pub(crate) fn answer_of(outcome: Outcome, function: &str) -> Answer {
    match outcome {
        Outcome::Ok(received) => Answer::Succeeded(payload_of(received)),
        Outcome::Error(error) => {
            let (error, cause) = error_and_cause(&error);
            Answer::Failed { error, cause }
        }
        Outcome::TooLarge => too_large(function),
    }
}

/// A result or an event that does not fit.
pub(crate) fn too_large(function: &str) -> Answer {
    Answer::Failed {
        error: "States.DataLimitExceeded".into(),
        cause: format!(
            "The payload of function '{function}' exceeds the maximum number of bytes that this workflow allows \
             (max_payload in faastlane.toml)."
        ),
    }
}

/// The cause of a call of a function that there is not, as AWS Lambda words it.
pub(crate) fn not_found(function: &str, request_id: &str) -> String {
    format!(
        "Function not found: arn:aws:lambda:us-east-1:000000000000:function:{function} (Service: Lambda, Status Code: \
         404, Request ID: {request_id})"
    )
}

/// An error object as AWS puts it into a history: the error is its `errorType`, the cause its JSON text.
pub(crate) fn error_and_cause(flat: &[u8]) -> (String, String) {
    let payload = Payload::from_flat(Box::new(flat.to_vec()));
    let error = payload
        .value()
        .ok()
        .and_then(|value| value.get("errorType")?.as_str().map(str::to_owned))
        .unwrap_or_else(|| "Lambda.Unknown".into());
    let cause =
        payload.to_json().unwrap_or_else(|_| "the function reported an error that cannot be read".into());
    (error, cause)
}

/// A request id in the form of a UUID, different for every invocation of every execution.
pub(crate) fn request_id(seed: u64, invocation: InvocationId) -> String {
    let high = mix(seed ^ mix(invocation.0));
    let low = mix(high ^ seed.rotate_left(32));
    // Version 4, variant 1.
    let high = high & !0xf000 | 0x4000;
    let low = low & !(0b11 << 62) | 0b10 << 62;
    let mut id = String::with_capacity(36);
    let written = write!(
        id,
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    );
    debug_assert!(written.is_ok(), "writing to a string cannot fail");
    id
}

/// The finaliser of SplitMix64.
fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_are_uuids_and_differ() {
        let ids: Vec<String> =
            (0..100).flat_map(|seed| (0..10).map(move |n| request_id(seed, InvocationId(n)))).collect();
        let mut unique = ids.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), ids.len());
        for id in ids {
            assert_eq!(id.len(), 36, "{id}");
            assert_eq!(&id[14..15], "4", "{id}");
            assert!("89ab".contains(&id[19..20]), "{id}");
        }
    }

    #[test]
    fn an_error_object_becomes_its_type_and_its_text() {
        let payload =
            Payload::from_json(r#"{"errorMessage":"no","errorType":"ValueError","stackTrace":[]}"#).unwrap();
        let (error, cause) = error_and_cause(payload.flat());
        assert_eq!(error, "ValueError");
        assert_eq!(cause, r#"{"errorMessage":"no","errorType":"ValueError","stackTrace":[]}"#);
        assert_eq!(error_and_cause(&[6, 255, 255, 255, 255]).0, "Lambda.Unknown");
    }
}
