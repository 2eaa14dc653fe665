//! What supervisor and instance say to each other.

use crate::names;
use faastlane_domain::RingWriter;
use faastlane_machine::{Detail, Event, EventKind, HistoryEvent, Identity, InvocationId, Micros};
use postcard::ser_flavors::{Flavor, Size};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};

/// From the supervisor.
#[derive(Debug, Serialize, Deserialize)]
pub enum Command {
    /// Run the whole machine on this input.
    Run(RunRequest),
    /// Rebuild an execution whose instance died. Its journal follows, then [`Command::GoOn`].
    Resume(ResumeRequest),
    /// The next event of the journal.
    Replay(Event),
    /// The journal is complete: do what is still to be done.
    GoOn,
    /// End the execution that is under way.
    Abort { error: Option<String>, cause: Option<String> },
    /// What came of a transfer's request.
    Transfer { transfer: u64, answer: TransferAnswer },
    /// The end of what a function printed during an invocation: the answer to [`Report::LogWanted`].
    Log { invocation: u64, printed: String },
    /// The lane that was wanted cannot be had.
    NoLane { host: u32, lane: u32 },
}

/// What a supervisor answers to a [`TransferRequest`].
#[derive(Debug, Serialize, Deserialize)]
pub enum TransferAnswer {
    Items {
        items: Vec<ItemReport>,
        /// There are no more.
        ended: bool,
    },
    /// All results are written: what the Map's result is.
    Written(FlatPayload),
    Failed {
        error: String,
        cause: String,
    },
}

/// An item that was read.
#[derive(Debug, Serialize, Deserialize)]
pub struct ItemReport {
    pub value: FlatPayload,
    /// Of an object's member.
    pub key: Option<String>,
    /// Where it was read; `None` where the item before it in the same answer was.
    pub source: Option<String>,
}

/// A payload's flat form.
#[derive(Debug, Serialize, Deserialize)]
pub struct FlatPayload(#[serde(with = "serde_bytes")] pub Vec<u8>);

/// What a distributed Map wants of its items and results: the supervisor reads and writes them, since an instance reaches
/// neither files nor the network.
#[derive(Debug, Serialize, Deserialize)]
pub enum TransferRequest {
    OpenItems {
        resource: String,
        arguments: FlatPayload,
        /// `ReaderConfig`, JSON.
        config: String,
        max_items: Option<u32>,
    },
    /// To be answered.
    ReadItems {
        at_most: u32,
    },
    OpenResults {
        resource: String,
        arguments: FlatPayload,
        /// One record a line; else one array.
        json_lines: bool,
        /// Its ARN.
        map_run: String,
    },
    /// Of one child execution.
    WriteResult {
        succeeded: bool,
        records: Vec<FlatPayload>,
    },
    /// To be answered.
    CloseResults,
    Cancel,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct RunRequest {
    pub execution_name: String,
    /// The flat form.
    #[serde(with = "serde_bytes")]
    pub input: Vec<u8>,
    pub seed: u64,
    /// By how much waiting on purpose is shortened: Wait states, delays before retries, stand-ins that sleep. 1 is real time.
    pub time_scale: f64,
    /// Whether events come with their details, and those of child executions come at all.
    pub history: bool,
}

/// An execution that another instance began.
#[derive(Debug, Serialize, Deserialize)]
pub struct ResumeRequest {
    pub run: RunRequest,
    pub begun: BeginReport,
    /// How many reports the supervisor has of those that the machine's actions make: [`Report::Event`], [`Report::Mocked`] and
    /// [`Report::Transfer`]. The same journal makes the same ones in the same order, so that many are not made again.
    pub told: u64,
}

impl RunRequest {
    /// Who the execution is.
    pub(crate) fn identity(&self, workflow: &str) -> Identity {
        let arn = |kind: &str, rest: &str| -> Arc<str> {
            format!("arn:aws:states:local:000000000000:{kind}:{workflow}{rest}").into()
        };
        Identity {
            execution_id: arn("execution", &format!(":{}", self.execution_name)),
            execution_name: self.execution_name.as_str().into(),
            role: Some(format!("arn:aws:iam::000000000000:role/{workflow}").into()),
            state_machine_id: arn("stateMachine", ""),
            state_machine_name: workflow.into(),
        }
    }
}

/// From an instance, in the order things happened.
#[derive(Debug, Serialize, Deserialize)]
pub enum Report {
    /// A domain's interpreter runs, its functions are loaded, and it is parked.
    DomainUp {
        domain: usize,
        since_start_us: u64,
    },
    /// All domains of the process are parked; orders are taken from now on.
    Loaded(Vec<DomainSize>),
    /// The instance is one, and reads commands from now on.
    Ready,
    /// The instance cannot serve, and ends.
    SetUpFailed(SetUpFailure),
    /// An execution begins.
    Begun(BeginReport),
    /// What the machine is about to be told: written before anything comes of it.
    Journal(Event),
    /// The same for an invocation that succeeded with a large result, which lies on the shelf.
    Shelved {
        invocation: InvocationId,
        slot: u32,
        /// In bytes.
        len: u32,
        at: Micros,
    },
    /// A domain has an invocation from now on.
    Handed(HandReport),
    /// A domain has none any more: nobody waited for what came back, or it could not be handed over.
    Freed {
        domain: usize,
        lane: u32,
    },
    /// Calls wait in line for longer than it takes to make another lane: a copy of this host, with this number. Answered when
    /// its domains answer, or with [`Command::NoLane`].
    LaneWanted {
        host: u32,
        lane: u32,
    },
    /// What a function does after a restore failed in a lane: it takes no calls, and its process is of no use.
    LaneFailed {
        host: u32,
        lane: u32,
        /// By position in the plan.
        domain: usize,
        /// The error object, as JSON.
        cause: String,
    },
    /// A call that nobody waits for keeps its domain from one that somebody waits for: only another instance can go on.
    Stuck,
    Event(EventReport),
    Transfer {
        transfer: u64,
        request: TransferRequest,
    },
    /// A result is to show what its function printed. To be answered.
    LogWanted {
        invocation: u64,
        /// By position in the plan.
        domain: usize,
        lane: u32,
        request_id: String,
    },
    Call(CallReport),
    Mocked(MockReport),
    Finished(FinishReport),
    /// A thread of the process faulted, and the process ends.
    Fault(FaultReport),
}

/// When an execution began.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct BeginReport {
    /// Microseconds since the Unix epoch.
    pub at_us: u64,
    /// Nanoseconds of the monotonic clock, which is one for all processes.
    pub monotonic_ns: u64,
}

/// Who has a domain.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HandReport {
    /// By position in the plan.
    pub domain: usize,
    pub lane: u32,
    pub invocation: InvocationId,
    /// The state's name.
    #[serde(deserialize_with = "names::read")]
    pub state: Arc<str>,
}

/// How much memory bringing a domain up took, anonymous and private, in bytes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct DomainSize {
    pub domain: usize,
    pub bytes: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetUpFailure {
    /// By position in the plan; `None` when it was the process itself.
    pub domain: Option<usize>,
    /// What was tried: completes "cannot …".
    pub what: String,
    pub cause: String,
    /// The error object of a function that could not be loaded, as JSON.
    pub function_error: Option<String>,
}

impl SetUpFailure {
    pub(crate) fn of_process(what: &str, cause: String) -> Self {
        Self { domain: None, what: what.into(), cause, function_error: None }
    }

    pub(crate) fn of_domain(domain: usize, what: &str, cause: String) -> Self {
        Self { domain: Some(domain), what: what.into(), cause, function_error: None }
    }
}

/// An event of the history, without its payloads.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EventReport {
    pub id: u64,
    pub previous_id: u64,
    /// Microseconds since the Unix epoch.
    pub at_us: u64,
    pub kind: EventKind,
    /// The name of the child execution whose history it belongs to.
    pub execution: Option<Arc<str>>,
    #[serde(deserialize_with = "names::read_some")]
    pub state: Option<Arc<str>>,
    /// Of a Map iteration.
    pub index: Option<u32>,
    pub error: Option<String>,
    pub cause: Option<String>,
    /// As Step Functions' `GetExecutionHistory` gives them, JSON: an object with one member.
    pub details: Option<String>,
}

impl EventReport {
    pub(crate) fn of(event: HistoryEvent, details: Option<String>) -> Self {
        let (error, cause, index) = match event.detail {
            Detail::Failure { error, cause } => (error, cause, None),
            Detail::Evaluation { error, cause, .. } => (Some(error), Some(cause), None),
            Detail::Iteration(index) => (None, None, Some(index)),
            _ => (None, None, None),
        };
        Self {
            id: event.id,
            previous_id: event.previous_id,
            at_us: event.at,
            kind: event.kind,
            execution: event.execution,
            state: event.state,
            index,
            error,
            cause,
            details,
        }
    }
}

/// One invocation, once it has come back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CallReport {
    /// The event that scheduled it; 0 in a child execution, which has a history of its own.
    pub scheduled_id: u64,
    /// By position in the plan.
    pub function: usize,
    pub domain: usize,
    pub lane: u32,
    pub request_id: String,
    /// Nanoseconds since the execution started: handed to the domain, handler called, handler returned, back at the
    /// orchestrator. The two in the middle are the domain's own account.
    pub handed_ns: u64,
    pub called_ns: u64,
    pub returned_ns: u64,
    pub received_ns: u64,
    /// Bytes of the flat forms.
    pub event_bytes: u64,
    pub result_bytes: u64,
}

/// One invocation that a stand-in took.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MockReport {
    /// The event that scheduled it; 0 in a child execution, which has a history of its own.
    pub scheduled_id: u64,
    /// The function that was not called, by its bare name.
    pub function: Arc<str>,
}

/// How an execution ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum FinishReport {
    /// With its output in the flat form.
    Succeeded {
        #[serde(with = "serde_bytes")]
        output: Vec<u8>,
        duration_ns: u64,
    },
    Failed {
        error: Option<String>,
        cause: Option<String>,
        duration_ns: u64,
    },
    TimedOut {
        duration_ns: u64,
    },
    Aborted {
        error: Option<String>,
        cause: Option<String>,
        duration_ns: u64,
    },
}

/// What a thread did that ends the process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FaultReport {
    /// Whose process it was, as the plan counts hosts.
    pub host: u32,
    pub lane: u32,
    /// Whose thread it was, by position in the plan; `None` for a trusted thread, or where that cannot be known.
    pub domain: Option<usize>,
    pub trusted: bool,
    /// `None` when native code crashed.
    pub violation: Option<Violation>,
    /// `SIGSEGV`, `exit status 3`, …
    pub ending: String,
    /// One sentence.
    pub what: String,
}

/// A domain touched what is not its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Violation {
    Memory {
        address: u64,
        write: bool,
        /// Whose memory it is, by position in the plan; `None` for the trusted threads'.
        owner: Option<usize>,
    },
    SystemCall {
        number: i32,
    },
    /// It tried to change its rights to keys.
    Rights,
    /// It reported a fault that it did not have, or another's.
    Forged,
}

/// The writing end of the reports, for every trusted thread.
#[derive(Clone)]
pub(crate) struct Reporter(Arc<Mutex<Outlet>>);

/// An output can be large; room for one is not kept.
const MOST_KEPT: usize = 64 << 10;

struct Outlet {
    writer: RingWriter,
    /// What can wait until nothing else is to be done. It is everybody's, so that whoever speaks last says all of it.
    unsent: Vec<Report>,
    /// Kept for its room.
    encoded: Vec<u8>,
}

impl Outlet {
    fn send(&mut self, report: &Report) {
        if let Some(len) = long(report) {
            self.writer.begin(len);
            let parts = Parts { writer: &mut self.writer, small: Vec::new() };
            drop(postcard::serialize_with_flavor(report, parts));
            // The reader may as well read while other things are done.
            return self.writer.ring();
        }
        let mut encoded = std::mem::take(&mut self.encoded);
        encoded.clear();
        // Every report is plain data, which always has a form.
        if let Ok(encoded) = postcard::to_extend(report, encoded) {
            self.writer.write(&encoded);
            if encoded.capacity() <= MOST_KEPT {
                self.encoded = encoded;
            }
        }
    }

    fn flush(&mut self) {
        let mut unsent = std::mem::take(&mut self.unsent);
        unsent.drain(..).for_each(|report| self.send(&report));
        self.unsent = unsent;
    }
}

/// How long the encoded form of a report is that is to be written as it is encoded, so that its payloads are copied once.
fn long(report: &Report) -> Option<usize> {
    if !matches!(report, Report::Journal(_) | Report::Transfer { .. } | Report::Finished(_)) {
        return None;
    }
    let len = postcard::serialize_with_flavor(report, Size::default()).ok()?;
    (len > MOST_KEPT).then_some(len)
}

/// Writes a report as it is encoded: small things together, large ones from where they are.
struct Parts<'a> {
    writer: &'a mut RingWriter,
    small: Vec<u8>,
}

/// Bytes from which on something is written by itself.
const LARGE: usize = 1 << 10;

impl Parts<'_> {
    fn write_small(&mut self) {
        self.writer.part(&self.small);
        self.small.clear();
    }
}

impl Flavor for Parts<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.try_extend(&[byte])
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        if bytes.len() < LARGE {
            self.small.extend_from_slice(bytes);
            if self.small.len() > MOST_KEPT {
                self.write_small();
            }
        } else {
            self.write_small();
            self.writer.part(bytes);
        }
        Ok(())
    }

    fn finalize(mut self) -> postcard::Result<()> {
        self.write_small();
        Ok(())
    }
}

impl Reporter {
    pub(crate) fn new(writer: RingWriter) -> Self {
        Self(Arc::new(Mutex::new(Outlet { writer, unsent: Vec::new(), encoded: Vec::new() })))
    }

    fn outlet(&self) -> std::sync::MutexGuard<'_, Outlet> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be sent with the next [`Self::flush`] or [`Self::send`].
    pub(crate) fn later(&self, report: Report) {
        self.outlet().unsent.push(report);
    }

    /// Sends what waits; false if nothing did.
    pub(crate) fn flush(&self) -> bool {
        let mut outlet = self.outlet();
        let waits = !outlet.unsent.is_empty();
        outlet.flush();
        waits
    }

    /// Sends what waits, and then this.
    pub(crate) fn send(&self, report: &Report) {
        let mut outlet = self.outlet();
        outlet.flush();
        outlet.send(report);
    }

    /// Wakes the supervisor, who otherwise looks from time to time.
    pub(crate) fn ring(&self) {
        self.outlet().writer.ring();
    }
}
