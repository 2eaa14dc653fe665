//! The log of one invocation, as Lambda shows its end to whoever asks for it.

use crate::event::Micros;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

/// What a function printed while it ran, and what Lambda's own lines around that say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvocationLog {
    /// What the function's context shows as `aws_request_id`.
    pub request_id: String,
    /// Lines, each with its end. No more than the last [`InvocationLog::TAIL_BYTES`] are looked at.
    pub printed: String,
    /// How long the handler ran.
    pub duration_us: Micros,
    pub memory_mb: u32,
}

impl InvocationLog {
    /// How much of a log a result shows, in bytes.
    ///
    /// Source: `LogResult` of <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>.
    pub const TAIL_BYTES: usize = 4096;

    /// The log of a stand-in, which prints nothing and has the memory that Lambda gives where none is asked for.
    pub fn of_stand_in(request_id: String, duration_us: Micros) -> Self {
        Self { request_id, printed: String::new(), duration_us, memory_mb: 128 }
    }

    /// The last bytes of the log in base64. The memory that the function used is not in it: nobody measures that.
    pub(crate) fn tail(&self) -> String {
        let Self { request_id, printed, duration_us, memory_mb } = self;
        let log = format!(
            "START RequestId: {request_id} Version: $LATEST\n{printed}END RequestId: {request_id}\n\
             REPORT RequestId: {request_id}\tDuration: {}.{:02} ms\tBilled Duration: {} ms\tMemory Size: {memory_mb} MB\t\n",
            duration_us / 1000,
            duration_us % 1000 / 10,
            duration_us.div_ceil(1000).max(1),
        );
        BASE64.encode(&log.as_bytes()[log.len().saturating_sub(Self::TAIL_BYTES)..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(log: &InvocationLog) -> String {
        String::from_utf8(BASE64.decode(log.tail()).unwrap()).unwrap()
    }

    #[test]
    fn what_was_printed_stands_between_lambdas_own_lines() {
        let mut log = InvocationLog {
            request_id: "id".to_owned(),
            printed: "one\ntwo é\n".to_owned(),
            duration_us: 1_509,
            memory_mb: 512,
        };
        assert_eq!(
            shown(&log),
            "START RequestId: id Version: $LATEST\none\ntwo é\nEND RequestId: id\n\
             REPORT RequestId: id\tDuration: 1.50 ms\tBilled Duration: 2 ms\tMemory Size: 512 MB\t\n"
        );
        log.printed = "x".repeat(10_000) + "\n";
        let tail = shown(&log);
        assert_eq!(tail.len(), InvocationLog::TAIL_BYTES);
        assert!(tail.starts_with("xxx") && tail.contains("x\nEND RequestId: id\nREPORT"), "{tail}");
    }
}
