//! The state machine as types that cannot hold an invalid machine: every transition points at a state that exists,
//! every path has been parsed, every number is in range. Only [`crate::parse`] builds these.
//!
//! Source: <https://states-language.net/spec.html>, and the Step Functions developer guide where it goes further.

use crate::intrinsic::Call;
use crate::jsonata;
use crate::path::{Path, ReferencePath};
use crate::source::Span;
use crate::template;
use faastlane_payload::Payload;
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
    pub data: DataFlow,
    /// Variables that are set when the state is left; of a Choice, when no rule holds.
    pub assign: Option<PayloadTemplate>,
    pub kind: StateKind,
}

/// How a state gets from its input to its output, in its query language. What a type of state has no field for is at its
/// default.
#[derive(Clone, Debug, PartialEq)]
pub enum DataFlow {
    JsonPath(Box<PathFlow>),
    Jsonata(JsonataFlow),
}

/// The five fields of JSONPath.
#[derive(Clone, Debug, PartialEq)]
pub struct PathFlow {
    pub input_path: Selection,
    pub parameters: Option<template::Template>,
    pub result_selector: Option<template::Template>,
    pub result_path: ResultPath,
    pub output_path: Selection,
}

/// The two fields of JSONata.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonataFlow {
    pub arguments: Option<jsonata::Template>,
    pub output: Option<jsonata::Template>,
}

/// A value that is computed from data when a state runs: in JSONPath members `name.$` are paths or calls, in JSONata
/// strings `{% … %}` are expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum PayloadTemplate {
    JsonPath(template::Template),
    Jsonata(jsonata::Template),
}

impl PayloadTemplate {
    /// The value of a member of the root where it is a literal: `FunctionName` of `lambda:invoke`, say.
    pub fn literal(&self, member: &str) -> Option<&Value> {
        match self {
            PayloadTemplate::JsonPath(template) => template.literal(member),
            PayloadTemplate::Jsonata(template) => template.literal(member),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum StateKind {
    Task(Box<Task>),
    Pass(Pass),
    Choice(Choice),
    Wait(Wait),
    Succeed,
    Fail(Fail),
    Parallel(Parallel),
    Map(Box<Map>),
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

/// A value given in the definition, or found when the state runs: by a path (`TimeoutSecondsPath`), or by an expression
/// in the field itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Dynamic<T> {
    Fixed(T),
    Path(ReferencePath),
    Expression(jsonata::Expression),
}

/// A string given in the definition, or found when the state runs.
#[derive(Clone, Debug, PartialEq)]
pub enum StringSource {
    Fixed(String),
    Path(Path),
    /// An intrinsic function's result.
    Call(Call),
    Expression(jsonata::Expression),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    pub resource: Resource,
    /// `Resource` as it was written, as Step Functions' causes name the task.
    pub resource_text: Arc<str>,
    /// Of the `Resource` value in the source.
    pub resource_span: Span,
    /// `Credentials`: a role. It is evaluated and recorded; functions run with the rights of the workflow all the same.
    pub credentials: Option<PayloadTemplate>,
    pub timeout: Option<Dynamic<u32>>,
    pub heartbeat: Option<Dynamic<u32>>,
    pub retry: Vec<Retrier>,
    pub catch: Vec<Catcher>,
    pub transition: Transition,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Resource {
    /// A bare function name, or the function of a Lambda ARN. The effective input is the event, the result the output.
    Function(Arc<str>),
    /// `arn:aws:states:::lambda:invoke`. `Parameters` or `Arguments` hold `FunctionName` and `Payload`; the result is
    /// wrapped as AWS wraps it (`{"ExecutedVersion", "Payload", "SdkHttpMetadata", "SdkResponseMetadata", "StatusCode"}`, and
    /// `"LogResult"` where `LogType` asks for it).
    LambdaInvoke {
        /// The function's bare name where `FunctionName` is a literal; `None` where it is computed.
        function: Option<Arc<str>>,
    },
    /// Another integration: `sqs:sendMessage`, `aws-sdk:s3:getObject`. Nothing here answers it but a mock.
    Service {
        /// What stands behind `arn:aws:states:::`, without the pattern.
        api: Arc<str>,
        pattern: Pattern,
    },
    /// An activity's ARN. Nothing here answers it but a mock.
    Activity(Arc<str>),
}

/// How a service integration answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// With what the service returns at once.
    RequestResponse,
    /// `.sync`, `.sync:2`: when the job that was started has ended.
    Sync,
    /// `.waitForTaskToken`: when somebody returns `$$.Task.Token`.
    TaskToken,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Pass {
    pub result: Option<Payload>,
    pub transition: Transition,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// At least one.
    pub rules: Vec<ChoiceRule>,
    pub default: Option<StateIndex>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ChoiceRule {
    pub condition: Condition,
    pub assign: Option<PayloadTemplate>,
    /// JSONata's, in place of the state's.
    pub output: Option<jsonata::Template>,
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
    /// `Condition` of JSONata.
    Expression(jsonata::Expression),
    /// `"Condition": true`
    Literal(bool),
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
    pub until: WaitUntil,
    pub transition: Transition,
}

#[derive(Clone, Debug, PartialEq)]
pub enum WaitUntil {
    Seconds(Dynamic<u32>),
    Timestamp(Dynamic<Timestamp>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Fail {
    pub error: Option<StringSource>,
    pub cause: Option<StringSource>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Parallel {
    /// At least one.
    pub branches: Vec<Flow>,
    pub retry: Vec<Retrier>,
    pub catch: Vec<Catcher>,
    pub transition: Transition,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// `ItemProcessor`, or the older `Iterator`.
    pub processor: Flow,
    /// Child executions, where the items are to run as executions of their own.
    pub distributed: Option<Distributed>,
    pub items: ItemSource,
    /// `ItemSelector`, or the older `Parameters`.
    pub item_selector: Option<PayloadTemplate>,
    /// `None`, like 0, is no limit.
    pub max_concurrency: Option<Dynamic<u32>>,
    pub tolerated_failure_count: Option<Dynamic<u32>>,
    /// 0 to 100.
    pub tolerated_failure_percentage: Option<Dynamic<f64>>,
    pub retry: Vec<Retrier>,
    pub catch: Vec<Catcher>,
    pub transition: Transition,
}

/// Where the items of a Map are.
#[derive(Clone, Debug, PartialEq)]
pub enum ItemSource {
    /// `ItemsPath`
    Path(Selection),
    /// `Items` of JSONata; without it the state's input.
    Items(Option<jsonata::Template>),
}

/// What a distributed Map has besides.
///
/// Source: <https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct Distributed {
    pub execution_type: ExecutionType,
    /// In the names of the child executions, in place of the state's.
    pub label: Option<Arc<str>>,
    /// Reads the items in place of `ItemsPath` or `Items`.
    pub reader: Option<ItemReader>,
    pub batcher: Option<ItemBatcher>,
    pub writer: Option<ResultWriter>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecutionType {
    Standard,
    Express,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ItemReader {
    /// `arn:aws:states:::s3:getObject` or `arn:aws:states:::s3:listObjectsV2`.
    pub resource: Arc<str>,
    /// `Parameters` or `Arguments`: bucket and key.
    pub arguments: Option<PayloadTemplate>,
    /// `ReaderConfig` as it was written, an object, but for `MaxItems`.
    pub config: Value,
    pub max_items: Option<Dynamic<u32>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ItemBatcher {
    pub batch_input: Option<PayloadTemplate>,
    pub max_items: Option<Dynamic<u32>>,
    pub max_input_bytes: Option<Dynamic<u32>>,
}

/// Source: <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct ResultWriter {
    /// `arn:aws:states:::s3:putObject`; without it the results stay in the Map's output.
    pub resource: Option<Arc<str>>,
    /// `Parameters` or `Arguments`: bucket and prefix.
    pub arguments: Option<PayloadTemplate>,
    pub config: Option<WriterConfig>,
}

/// `WriterConfig`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriterConfig {
    /// Without it [`Transformation::None`] where results are exported, else [`Transformation::Compact`].
    pub transformation: Option<Transformation>,
    pub output_type: OutputType,
}

/// What is told of a child execution that has succeeded. Of one that has not, everything is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transformation {
    /// Everything: name, times, input and output.
    None,
    /// Its output.
    Compact,
    /// The elements of its output, where that is an array; else its output.
    Flatten,
}

/// How the results of all child executions are put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputType {
    /// One array.
    #[default]
    Json,
    /// One value a line.
    JsonLines,
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
    /// JSONPath's.
    pub result_path: ResultPath,
    /// JSONata's; without it the output is the error.
    pub output: Option<jsonata::Template>,
    pub assign: Option<PayloadTemplate>,
    pub next: StateIndex,
}
