//! The state machine as types that cannot hold an invalid machine: every transition points at a state that exists,
//! every path has been parsed, every number is in range. Only [`crate::parse`] builds these.
//!
//! Source: <https://states-language.net/spec.html>, and the Step Functions developer guide where it goes further.

use crate::intrinsic::Call;
use crate::path::{Path, ReferencePath};
use crate::source::Span;
use crate::template::Template;
use serde_json::Value;
use std::sync::Arc;

/// A whole definition.
#[derive(Clone, Debug, PartialEq)]
pub struct StateMachine {
    pub comment: Option<String>,
    pub version: Option<String>,
    /// Seconds after which the execution ends as `TIMED_OUT`.
    pub timeout_seconds: Option<u32>,
    pub flow: Flow,
}

/// States that start at one of them: the machine itself, a branch of a Parallel, the processor of a Map.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    pub start_at: StateIndex,
    /// In the order of the source.
    pub states: Vec<State>,
}

impl Flow {
    pub fn state(&self, index: StateIndex) -> &State {
        &self.states[index.0 as usize]
    }
}

/// A state of one flow, by position. Meaningless in any other flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StateIndex(pub(crate) u32);

impl StateIndex {
    pub fn get(self) -> usize {
        self.0 as usize
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub name: Arc<str>,
    pub comment: Option<String>,
    /// Of the state's name in the source.
    pub span: Span,
    pub kind: StateKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum StateKind {
    Task(Task),
    Pass(Pass),
    Choice(Choice),
    Wait(Wait),
    Succeed(Succeed),
    Fail(Fail),
    Parallel(Parallel),
    Map(Map),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    Next(StateIndex),
    End,
}

/// `InputPath`, `OutputPath`: a path, or `null`, which stands for `{}`.
#[derive(Clone, Debug, PartialEq)]
pub enum Selection {
    /// `$`, the default: the payload passes through unparsed.
    Whole,
    Path(Path),
    Empty,
}

/// `ResultPath`: where the result goes in the state's input.
#[derive(Clone, Debug, PartialEq)]
pub enum ResultPath {
    /// `$`, the default: the result replaces the input.
    Replace,
    At(ReferencePath),
    /// `null`: the input goes on, the result is dropped.
    Discard,
}

/// A number given in the definition, or found by a path when the state runs.
#[derive(Clone, Debug, PartialEq)]
pub enum NumberOrPath {
    Fixed(u32),
    Path(ReferencePath),
}

/// A string given in the definition, or found when the state runs.
#[derive(Clone, Debug, PartialEq)]
pub enum StringOrPath {
    Fixed(String),
    Path(Path),
    /// An intrinsic function's result.
    Call(Call),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    pub resource: Resource,
    /// `Resource` as it was written, as Step Functions' causes name the task.
    pub resource_text: Arc<str>,
    /// Of the `Resource` value in the source.
    pub resource_span: Span,
    pub input_path: Selection,
    pub parameters: Option<Template>,
    pub result_selector: Option<Template>,
    pub result_path: ResultPath,
    pub output_path: Selection,
    pub timeout: Option<NumberOrPath>,
    pub heartbeat: Option<NumberOrPath>,
    pub retry: Vec<Retrier>,
    pub catch: Vec<Catcher>,
    pub transition: Transition,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Resource {
    /// A bare function name, or the function of a Lambda ARN. The effective input is the event, the result the output.
    Function(Arc<str>),
    /// `arn:aws:states:::lambda:invoke`. `Parameters` hold `FunctionName` and `Payload`; the result is wrapped as AWS
    /// wraps it (`{"ExecutedVersion", "Payload", "SdkHttpMetadata", "SdkResponseMetadata", "StatusCode"}`).
    LambdaInvoke {
        /// The function's bare name where `Parameters.FunctionName` is a literal; `None` where it is `FunctionName.$`.
        function: Option<Arc<str>>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Pass {
    pub input_path: Selection,
    pub parameters: Option<Template>,
    pub result: Option<Value>,
    pub result_path: ResultPath,
    pub output_path: Selection,
    pub transition: Transition,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    pub input_path: Selection,
    pub output_path: Selection,
    /// At least one.
    pub rules: Vec<ChoiceRule>,
    pub default: Option<StateIndex>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ChoiceRule {
    pub condition: Condition,
    pub next: StateIndex,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// At least one.
    And(Vec<Condition>),
    /// At least one.
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Test {
        variable: Path,
        test: Test,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    IsNull(bool),
    IsPresent(bool),
    IsNumeric(bool),
    IsString(bool),
    IsBoolean(bool),
    IsTimestamp(bool),
    /// `StringMatches`: `*` is any run of characters, `\*` and `\\` are literal.
    StringMatches(String),
    BooleanEquals(Operand<bool>),
    StringCompare(Comparison, Operand<String>),
    NumericCompare(Comparison, Operand<serde_json::Number>),
    TimestampCompare(Comparison, Operand<Timestamp>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equals,
    LessThan,
    LessThanEquals,
    GreaterThan,
    GreaterThanEquals,
}

/// What a test compares with: a literal, or what a path finds (the `…Path` operators).
#[derive(Clone, Debug, PartialEq)]
pub enum Operand<T> {
    Literal(T),
    Path(Path),
}

/// An RFC 3339 instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub nanos: i128,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    pub input_path: Selection,
    pub output_path: Selection,
    pub until: WaitUntil,
    pub transition: Transition,
}

#[derive(Clone, Debug, PartialEq)]
pub enum WaitUntil {
    Seconds(u32),
    SecondsPath(ReferencePath),
    Timestamp(Timestamp),
    TimestampPath(ReferencePath),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Succeed {
    pub input_path: Selection,
    pub output_path: Selection,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Fail {
    pub error: Option<StringOrPath>,
    pub cause: Option<StringOrPath>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Parallel {
    /// At least one.
    pub branches: Vec<Flow>,
    pub input_path: Selection,
    pub parameters: Option<Template>,
    pub result_selector: Option<Template>,
    pub result_path: ResultPath,
    pub output_path: Selection,
    pub retry: Vec<Retrier>,
    pub catch: Vec<Catcher>,
    pub transition: Transition,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// `ItemProcessor`, or the older `Iterator`.
    pub processor: Flow,
    pub items_path: Selection,
    /// `ItemSelector`, or the older `Parameters`.
    pub item_selector: Option<Template>,
    /// `None`, like 0, is no limit.
    pub max_concurrency: Option<NumberOrPath>,
    pub tolerated_failure_count: Option<NumberOrPath>,
    /// 0 to 100.
    pub tolerated_failure_percentage: Option<NumberOrPath>,
    pub input_path: Selection,
    pub result_selector: Option<Template>,
    pub result_path: ResultPath,
    pub output_path: Selection,
    pub retry: Vec<Retrier>,
    pub catch: Vec<Catcher>,
    pub transition: Transition,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Retrier {
    /// At least one; `States.ALL` stands alone and in the last retrier.
    pub error_equals: Vec<String>,
    /// Default 1.
    pub interval_seconds: u32,
    /// Default 3; 0 is never.
    pub max_attempts: u32,
    /// Default 2.0; at least 1.0.
    pub backoff_rate: f64,
    pub max_delay_seconds: Option<u32>,
    /// `JitterStrategy`: `FULL` draws each delay evenly from zero to the computed one.
    pub full_jitter: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Catcher {
    /// At least one.
    pub error_equals: Vec<String>,
    pub result_path: ResultPath,
    pub next: StateIndex,
}
