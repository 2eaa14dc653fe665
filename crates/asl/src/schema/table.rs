//! The fields of the language: name, what they take, and one sentence about each.
//!
//! Source: <https://states-language.net/spec.html>, and the Step Functions developer guide where it goes further.

/// What a field takes. A field of JSONata's takes an expression, `{% … %}`, in the place of most values.
#[derive(Clone, Copy, Debug)]
pub(super) enum Takes {
    Anything,
    Object,
    Text,
    Flag,
    /// A whole number between two.
    Whole(u32, u32),
    /// The same, or an expression.
    WholeOrExpression(u32, u32),
    /// At least this.
    Number(f64),
    /// `$.a`, `$$.a`, `$name`
    Path,
    /// A path, or null for nothing.
    PathOrNull,
    /// A path, or a call such as `States.Format(…)`.
    PathOrCall,
    /// A truth value, or an expression.
    FlagOrExpression,
    /// A list, or an expression that finds one.
    ListOrExpression,
    /// An object, or an expression that finds one.
    ObjectOrExpression,
    Timestamp,
    /// An instant, or an expression.
    TimestampOrExpression,
    OneOf(&'static [&'static str]),
    Texts,
    /// One of [`OBJECTS`], by its name.
    A(&'static str),
    ListOf(&'static str),
    /// What the names of child executions begin with.
    Label,
    /// States by their names.
    States,
}

/// Name, what it takes, and one sentence.
pub(super) type Field = (&'static str, Takes, &'static str);

/// What must hold between fields.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    Needs(&'static str),
    AtMostOne(&'static [&'static str]),
    ExactlyOne(&'static [&'static str]),
    /// Where the first is there, exactly one of the others is.
    With(&'static str, &'static [Field]),
}

/// A kind of object.
pub(super) struct Object {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) fields: &'static [&'static [Field]],
    pub(super) rules: &'static [Rule],
}

use Rule::{AtMostOne, ExactlyOne, Needs, With};
use Takes::*;

const MAX_SECONDS: u32 = 99_999_999;
/// The longest that `MaxDelaySeconds` may be: a year.
const MAX_DELAY: u32 = 31_622_400;

/// Fields that only JSONPath has. A state that says it is in JSONata has none of them.
pub(super) const JSONPATH_ONLY: &[&str] = &[
    "InputPath",
    "OutputPath",
    "Parameters",
    "ResultSelector",
    "ResultPath",
    "Result",
    "TimeoutSecondsPath",
    "HeartbeatSecondsPath",
    "SecondsPath",
    "TimestampPath",
    "ErrorPath",
    "CausePath",
    "ItemsPath",
    "MaxConcurrencyPath",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentagePath",
];

/// The values of `Type`, with the object of each.
pub(super) const STATE_TYPES: [&str; 8] =
    ["Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map"];

const QUERY_LANGUAGE: Field = (
    "QueryLanguage",
    OneOf(&["JSONPath", "JSONata"]),
    "How fields select and compute: JSONPath, the default, or JSONata.",
);
const COMMENT: Field = ("Comment", Text, "A note for people; it has no effect.");
const ASSIGN: Field = ("Assign", Object, "Sets variables that later states read as `$name`.");
const OUTPUT: Field = ("Output", Anything, "JSONata: the state's output.");
const NEXT: Field = ("Next", Text, "The name of the state that follows.");
const END: Field = ("End", Flag, "True for a state after which the machine, branch or item is done.");

const COMMON: &[Field] =
    &[("Type", OneOf(&STATE_TYPES), "What kind of state this is."), COMMENT, QUERY_LANGUAGE];
const TRANSITION: &[Field] = &[NEXT, END];
const INPUT_OUTPUT: &[Field] = &[
    (
        "InputPath",
        PathOrNull,
        "JSONPath: the part of the input that the state works on; null stands for `{}`.",
    ),
    (
        "OutputPath",
        PathOrNull,
        "JSONPath: the part of the result that becomes the output; null stands for `{}`.",
    ),
];
const RESULT_PATH: Field = (
    "ResultPath",
    PathOrNull,
    "JSONPath: where the result goes in the input; null drops it, `$` replaces the input.",
);
const PARAMETERS: Field =
    ("Parameters", Anything, "JSONPath: what is given on; fields that end in `.$` hold a path or a call.");
const ARGUMENTS: Field = ("Arguments", ObjectOrExpression, "JSONata: what is given on.");
const RESULT_SELECTOR: Field = (
    "ResultSelector",
    Object,
    "JSONPath: makes a new result out of the result; fields that end in `.$` hold a path.",
);
const RECOVERY: &[Field] = &[
    (
        "Retry",
        ListOf("retrier"),
        "When and how often to try again after an error; the first that matches counts.",
    ),
    ("Catch", ListOf("catcher"), "Where to go on after an error; the first that matches counts."),
];

pub(super) const OBJECTS: &[Object] = &[
    Object {
        name: "stateMachine",
        about: "A state machine in the Amazon States Language.",
        fields: &[
            FLOW,
            &[COMMENT, QUERY_LANGUAGE],
            &[
                ("Version", OneOf(&["1.0"]), "The version of the language; there is only one."),
                (
                    "TimeoutSeconds",
                    Whole(1, MAX_SECONDS),
                    "Seconds after which the execution ends as timed out.",
                ),
            ],
        ],
        rules: &[Needs("StartAt"), Needs("States")],
    },
    Object {
        name: "branch",
        about: "A branch of a Parallel state: states of its own.",
        fields: &[FLOW, &[COMMENT]],
        rules: &[Needs("StartAt"), Needs("States")],
    },
    Object {
        name: "processor",
        about: "What a Map state runs for each item: states of their own.",
        fields: &[
            FLOW,
            &[COMMENT, ("ProcessorConfig", A("processorConfig"), "Where the items are worked on.")],
        ],
        rules: &[Needs("StartAt"), Needs("States")],
    },
    Object {
        name: "processorConfig",
        about: "Where the items of a Map state are worked on.",
        fields: &[&[
            (
                "Mode",
                OneOf(&["INLINE", "DISTRIBUTED"]),
                "INLINE, the default, works in this execution; DISTRIBUTED in one execution for each item or batch.",
            ),
            (
                "ExecutionType",
                OneOf(&["STANDARD", "EXPRESS"]),
                "The kind of the executions of a distributed Map.",
            ),
        ]],
        rules: &[],
    },
    Object {
        name: "Task",
        about: "Calls a function or another service.",
        fields: &[
            COMMON,
            TRANSITION,
            INPUT_OUTPUT,
            RECOVERY,
            &[
                (
                    "Resource",
                    Text,
                    "The function: its bare name, its ARN, or the ARN of a service integration.",
                ),
                PARAMETERS,
                ARGUMENTS,
                RESULT_SELECTOR,
                RESULT_PATH,
                OUTPUT,
                ASSIGN,
                ("Credentials", ObjectOrExpression, "The role that the task takes on, as `RoleArn`."),
                (
                    "TimeoutSeconds",
                    WholeOrExpression(1, MAX_SECONDS),
                    "Seconds after which the task fails with States.Timeout.",
                ),
                ("TimeoutSecondsPath", Path, "JSONPath: where the number of seconds is found."),
                (
                    "HeartbeatSeconds",
                    WholeOrExpression(1, MAX_SECONDS),
                    "Seconds between two signs of life; fewer than TimeoutSeconds.",
                ),
                ("HeartbeatSecondsPath", Path, "JSONPath: where the number of seconds is found."),
            ],
        ],
        rules: &[
            Needs("Resource"),
            ExactlyOne(&["Next", "End"]),
            AtMostOne(&["TimeoutSeconds", "TimeoutSecondsPath"]),
            AtMostOne(&["HeartbeatSeconds", "HeartbeatSecondsPath"]),
        ],
    },
    Object {
        name: "Pass",
        about: "Hands its input on, changed or not.",
        fields: &[
            COMMON,
            TRANSITION,
            INPUT_OUTPUT,
            &[PARAMETERS, ("Result", Anything, "JSONPath: a fixed result."), RESULT_PATH, OUTPUT, ASSIGN],
        ],
        rules: &[ExactlyOne(&["Next", "End"])],
    },
    Object {
        name: "Choice",
        about: "Goes on to one state or another, by conditions.",
        fields: &[
            COMMON,
            INPUT_OUTPUT,
            &[
                ("Choices", ListOf("rule"), "The rules; the first whose condition is true counts."),
                ("Default", Text, "The state that follows where no rule's condition is true."),
                OUTPUT,
                ASSIGN,
            ],
        ],
        rules: &[Needs("Choices")],
    },
    Object {
        name: "Wait",
        about: "Waits for a time or until an instant.",
        fields: &[
            COMMON,
            TRANSITION,
            INPUT_OUTPUT,
            &[
                ("Seconds", WholeOrExpression(0, MAX_SECONDS), "How long to wait."),
                ("SecondsPath", Path, "JSONPath: where the number of seconds is found."),
                ("Timestamp", TimestampOrExpression, "Until when to wait, such as 2026-03-14T01:59:00Z."),
                ("TimestampPath", Path, "JSONPath: where the instant is found."),
                OUTPUT,
                ASSIGN,
            ],
        ],
        rules: &[
            ExactlyOne(&["Next", "End"]),
            ExactlyOne(&["Seconds", "SecondsPath", "Timestamp", "TimestampPath"]),
        ],
    },
    Object {
        name: "Succeed",
        about: "Ends the machine, branch or item well.",
        fields: &[COMMON, INPUT_OUTPUT, &[OUTPUT]],
        rules: &[],
    },
    Object {
        name: "Fail",
        about: "Ends the machine, branch or item with an error.",
        fields: &[
            COMMON,
            &[
                ("Error", Text, "The error's name; in JSONata also an expression."),
                (
                    "ErrorPath",
                    PathOrCall,
                    "JSONPath: where the error's name is found, or a call that makes it.",
                ),
                ("Cause", Text, "What happened, for people; in JSONata also an expression."),
                ("CausePath", PathOrCall, "JSONPath: where the cause is found, or a call that makes it."),
            ],
        ],
        rules: &[AtMostOne(&["Error", "ErrorPath"]), AtMostOne(&["Cause", "CausePath"])],
    },
    Object {
        name: "Parallel",
        about: "Runs branches at the same time; its result is the list of their outputs.",
        fields: &[
            COMMON,
            TRANSITION,
            INPUT_OUTPUT,
            RECOVERY,
            &[
                ("Branches", ListOf("branch"), "The branches, each with states of its own."),
                PARAMETERS,
                ARGUMENTS,
                RESULT_SELECTOR,
                RESULT_PATH,
                OUTPUT,
                ASSIGN,
            ],
        ],
        rules: &[Needs("Branches"), ExactlyOne(&["Next", "End"])],
    },
    Object {
        name: "Map",
        about: "Runs the same states for each item of a list; its result is the list of their outputs.",
        fields: &[COMMON, TRANSITION, INPUT_OUTPUT, RECOVERY, MAP],
        rules: &[
            ExactlyOne(&["Next", "End"]),
            ExactlyOne(&["ItemProcessor", "Iterator"]),
            AtMostOne(&["ItemSelector", "Parameters"]),
            AtMostOne(&["MaxConcurrency", "MaxConcurrencyPath"]),
            AtMostOne(&["ToleratedFailureCount", "ToleratedFailureCountPath"]),
            AtMostOne(&["ToleratedFailurePercentage", "ToleratedFailurePercentagePath"]),
        ],
    },
    Object {
        name: "retrier",
        about: "When and how often to try again.",
        fields: &[&[
            COMMENT,
            ERROR_EQUALS,
            ("IntervalSeconds", Whole(1, MAX_SECONDS), "Seconds before the first new try; 1 without."),
            ("MaxAttempts", Whole(0, MAX_SECONDS), "How often to try again at most; 3 without, 0 for never."),
            ("BackoffRate", Number(1.0), "What each delay is multiplied with; 2.0 without."),
            ("MaxDelaySeconds", Whole(1, MAX_DELAY), "The longest delay."),
            (
                "JitterStrategy",
                OneOf(&["FULL", "NONE"]),
                "FULL draws each delay evenly from zero to the computed one.",
            ),
        ]],
        rules: &[Needs("ErrorEquals")],
    },
    Object {
        name: "catcher",
        about: "Where to go on after an error.",
        fields: &[&[COMMENT, ERROR_EQUALS, NEXT, RESULT_PATH, OUTPUT, ASSIGN]],
        rules: &[Needs("ErrorEquals"), Needs("Next")],
    },
    Object {
        name: "rule",
        about: "A condition, and the state that follows where it is true.",
        fields: &[
            CONDITION,
            OPERATORS,
            &[
                NEXT,
                COMMENT,
                ("Condition", FlagOrExpression, "JSONata: an expression that is true or false."),
                OUTPUT,
                ASSIGN,
            ],
        ],
        rules: &[
            Needs("Next"),
            ExactlyOne(&["Variable", "And", "Or", "Not", "Condition"]),
            With("Variable", OPERATORS),
        ],
    },
    Object {
        name: "condition",
        about: "A condition within a rule.",
        fields: &[CONDITION, OPERATORS, &[COMMENT]],
        rules: &[ExactlyOne(&["Variable", "And", "Or", "Not"]), With("Variable", OPERATORS)],
    },
    Object {
        name: "itemReader",
        about: "Where a distributed Map reads its items from.",
        fields: &[&[
            ("Resource", Text, "The ARN of the action that reads, such as arn:aws:states:::s3:getObject."),
            PARAMETERS,
            ARGUMENTS,
            ("ReaderConfig", A("readerConfig"), "How what is read is taken apart."),
        ]],
        rules: &[Needs("Resource"), AtMostOne(&["Parameters", "Arguments"])],
    },
    Object {
        name: "readerConfig",
        about: "How what a distributed Map reads is taken apart.",
        fields: &[&[
            (
                "InputType",
                OneOf(&["CSV", "JSON", "JSONL", "PARQUET", "MANIFEST"]),
                "The format of what is read.",
            ),
            ("CSVHeaderLocation", OneOf(&["FIRST_ROW", "GIVEN"]), "Where the names of the columns are."),
            ("CSVHeaders", Texts, "The names of the columns, where they are given."),
            (
                "CSVDelimiter",
                OneOf(&["COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"]),
                "What is between two columns; a comma without.",
            ),
            ("ItemsPointer", Text, "A JSON pointer to the list of items within the file."),
            ("ManifestType", OneOf(&["ATHENA_DATA", "S3_INVENTORY"]), "The kind of a manifest."),
            ("Transformation", OneOf(&["NONE", "LOAD_AND_FLATTEN"]), "Whether listed objects are loaded."),
            ("MaxItems", WholeOrExpression(1, MAX_ITEMS), "The most items that are read."),
            ("MaxItemsPath", Path, "JSONPath: where the most items is found."),
        ]],
        rules: &[AtMostOne(&["MaxItems", "MaxItemsPath"])],
    },
    Object {
        name: "itemBatcher",
        about: "How a distributed Map groups items.",
        fields: &[&[
            ("BatchInput", Anything, "What every batch has beside its items."),
            ("MaxItemsPerBatch", WholeOrExpression(1, MAX_ITEMS), "The most items of a batch."),
            ("MaxItemsPerBatchPath", Path, "JSONPath: where the most items of a batch is found."),
            ("MaxInputBytesPerBatch", WholeOrExpression(1, 262_144), "The most bytes of a batch."),
            ("MaxInputBytesPerBatchPath", Path, "JSONPath: where the most bytes of a batch is found."),
        ]],
        rules: &[
            AtMostOne(&["MaxItemsPerBatch", "MaxItemsPerBatchPath"]),
            AtMostOne(&["MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath"]),
        ],
    },
    Object {
        name: "resultWriter",
        about: "Where a distributed Map writes its results to.",
        fields: &[&[
            ("Resource", Text, "The ARN of the action that writes, such as arn:aws:states:::s3:putObject."),
            PARAMETERS,
            ARGUMENTS,
            ("WriterConfig", A("writerConfig"), "How results are written."),
        ]],
        rules: &[AtMostOne(&["Parameters", "Arguments"])],
    },
    Object {
        name: "writerConfig",
        about: "How a distributed Map writes its results.",
        fields: &[&[
            ("OutputType", OneOf(&["JSON", "JSONL"]), "The format of what is written."),
            (
                "Transformation",
                OneOf(&["NONE", "COMPACT", "FLATTEN"]),
                "What is kept of each execution's result.",
            ),
        ]],
        rules: &[],
    },
];

const MAX_ITEMS: u32 = 100_000_000;

const FLOW: &[Field] = &[
    ("StartAt", Text, "The name of the first state."),
    ("States", States, "The states by their names, of up to 80 characters."),
];

const ERROR_EQUALS: Field =
    ("ErrorEquals", Texts, "The names of errors; States.ALL for every one, alone and last.");

const MAP: &[Field] = &[
    ("ItemProcessor", A("processor"), "The states that each item goes through."),
    ("Iterator", A("processor"), "The former name of ItemProcessor."),
    ("ItemsPath", PathOrNull, "JSONPath: where the list of items is found; `$` without."),
    ("Items", ListOrExpression, "JSONata: the items."),
    ("ItemSelector", ObjectOrExpression, "The input of each item's states; the item itself without."),
    ("Parameters", Anything, "The former name of ItemSelector."),
    ("ItemReader", A("itemReader"), "Distributed: where items are read from."),
    ("ItemBatcher", A("itemBatcher"), "Distributed: groups items, so that several go together."),
    ("ResultWriter", A("resultWriter"), "Distributed: where results are written to."),
    ("Label", Label, "Distributed: a name for the executions, of up to 40 characters."),
    (
        "MaxConcurrency",
        WholeOrExpression(0, u32::MAX),
        "How many items at the same time; 0, the default, is no limit.",
    ),
    ("MaxConcurrencyPath", Path, "JSONPath: where the number of items at the same time is found."),
    ("ToleratedFailureCount", WholeOrExpression(0, u32::MAX), "How many items may fail; 0 without."),
    ("ToleratedFailureCountPath", Path, "JSONPath: where the number of items that may fail is found."),
    (
        "ToleratedFailurePercentage",
        WholeOrExpression(0, 100),
        "How many items of a hundred may fail; 0 without.",
    ),
    (
        "ToleratedFailurePercentagePath",
        Path,
        "JSONPath: where the percentage of items that may fail is found.",
    ),
    RESULT_SELECTOR,
    RESULT_PATH,
    OUTPUT,
    ASSIGN,
];

const CONDITION: &[Field] = &[
    ("Variable", Path, "The path of the value that is tested."),
    ("And", ListOf("condition"), "True where all of these are."),
    ("Or", ListOf("condition"), "True where one of these is."),
    ("Not", A("condition"), "True where this is not."),
];

pub(super) const OPERATORS: &[Field] = &[
    ("IsPresent", Flag, "Whether there is a value at all."),
    ("IsNull", Flag, "Whether the value is null."),
    ("IsNumeric", Flag, "Whether the value is a number."),
    ("IsString", Flag, "Whether the value is a string."),
    ("IsBoolean", Flag, "Whether the value is true or false."),
    ("IsTimestamp", Flag, "Whether the value is an instant such as 2026-03-14T01:59:00Z."),
    ("StringMatches", Text, "A pattern for the string, in which `*` stands for any characters."),
    ("BooleanEquals", Flag, "The truth value that the value is equal to."),
    ("BooleanEqualsPath", Path, "The path of a truth value that the value is equal to."),
    ("NumericEquals", Number(f64::NEG_INFINITY), "A number that the value is equal to."),
    ("NumericEqualsPath", Path, "The path of a number that the value is equal to."),
    ("NumericLessThan", Number(f64::NEG_INFINITY), "A number that the value is less than."),
    ("NumericLessThanPath", Path, "The path of a number that the value is less than."),
    ("NumericGreaterThan", Number(f64::NEG_INFINITY), "A number that the value is greater than."),
    ("NumericGreaterThanPath", Path, "The path of a number that the value is greater than."),
    ("NumericLessThanEquals", Number(f64::NEG_INFINITY), "A number that the value is at most."),
    ("NumericLessThanEqualsPath", Path, "The path of a number that the value is at most."),
    ("NumericGreaterThanEquals", Number(f64::NEG_INFINITY), "A number that the value is at least."),
    ("NumericGreaterThanEqualsPath", Path, "The path of a number that the value is at least."),
    ("StringEquals", Text, "A string that the value is equal to."),
    ("StringEqualsPath", Path, "The path of a string that the value is equal to."),
    ("StringLessThan", Text, "A string that the value comes before."),
    ("StringLessThanPath", Path, "The path of a string that the value comes before."),
    ("StringGreaterThan", Text, "A string that the value comes after."),
    ("StringGreaterThanPath", Path, "The path of a string that the value comes after."),
    ("StringLessThanEquals", Text, "A string that the value comes before or is equal to."),
    ("StringLessThanEqualsPath", Path, "The path of a string that the value comes before or is equal to."),
    ("StringGreaterThanEquals", Text, "A string that the value comes after or is equal to."),
    ("StringGreaterThanEqualsPath", Path, "The path of a string that the value comes after or is equal to."),
    ("TimestampEquals", Timestamp, "An instant that the value is equal to."),
    ("TimestampEqualsPath", Path, "The path of an instant that the value is equal to."),
    ("TimestampLessThan", Timestamp, "An instant that the value is before."),
    ("TimestampLessThanPath", Path, "The path of an instant that the value is before."),
    ("TimestampGreaterThan", Timestamp, "An instant that the value is after."),
    ("TimestampGreaterThanPath", Path, "The path of an instant that the value is after."),
    ("TimestampLessThanEquals", Timestamp, "An instant that the value is not after."),
    ("TimestampLessThanEqualsPath", Path, "The path of an instant that the value is not after."),
    ("TimestampGreaterThanEquals", Timestamp, "An instant that the value is not before."),
    ("TimestampGreaterThanEqualsPath", Path, "The path of an instant that the value is not before."),
];
