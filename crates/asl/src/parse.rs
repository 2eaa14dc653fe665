//! From text to the typed state machine: the whole, and its flows. States are read in [`state`].

mod choice;
mod data_flow;
mod express;
mod literals;
mod map;
mod reachability;
mod references;
mod resource;
mod retry;
mod scopes;
mod shapes;
mod single;
mod state;
mod variables;

use crate::code;
use crate::definition::{ExecutionType, Flow, StateIndex, StateMachine};
use crate::diagnostic::Diagnostic;
use crate::fields::{Fields, not_empty, string};
use crate::node::At;
use crate::report::{Report, Spot};
use crate::source::{Source, Span};
use crate::suggest::nearest;
use crate::tree;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

pub use single::{is_single_state, parse_state};

/// Characters of a state's name that Step Functions takes.
const LONGEST_STATE_NAME: usize = 80;

/// The most seconds that any field takes.
const MAX_SECONDS: u32 = 99_999_999;

/// Characters of a definition that AWS takes.
///
/// Source: <https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html>.
const LONGEST_DEFINITION: usize = 1_048_576;

/// A definition without errors.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    pub machine: StateMachine,
    /// In the order of the text.
    pub warnings: Vec<Diagnostic>,
}

/// Reads a definition, JSON or YAML: by the ending of the source's name (`.json`, `.yaml`, `.yml`), else by its first
/// character.
///
/// # Errors
/// What is wrong with it, warnings included, in the order of the text: everything, up to 200 errors.
pub fn parse(source: &Source) -> Result<Parsed, Vec<Diagnostic>> {
    parse_as(source, ExecutionType::Standard)
}

/// [`parse`], for a state machine of this type: EXPRESS ones have no tasks that wait, and no distributed Maps.
///
/// # Errors
/// As [`parse`].
pub fn parse_as(source: &Source, execution_type: ExecutionType) -> Result<Parsed, Vec<Diagnostic>> {
    let mut report = Report::new(source);
    report_too_large(source, &mut report);
    let root = tree::read(source, &mut report);
    let machine = root.as_ref().and_then(|root| machine(&At::root(root), execution_type, &mut report));
    let failed = report.has_errors();
    let findings = report.finish();
    match machine {
        Some(machine) if !failed => Ok(Parsed { machine, warnings: findings }),
        _ => Err(findings),
    }
}

/// How the fields of a state select and compute: `QueryLanguage`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    JsonPath,
    Jsonata,
}

/// What the states of one flow need to know of what is around them.
#[derive(Clone, Copy)]
struct Scope<'a, 'm> {
    dialect: Dialect,
    /// Of the whole machine. What is inside of a Parallel or Map is in it too, whatever that state itself is in.
    machine: Dialect,
    /// Of the execution that runs these states: the machine's, or that of a distributed Map.
    execution_type: ExecutionType,
    /// The states of this flow.
    states: &'m HashMap<&'a str, StateIndex>,
    /// The states of the whole machine, with the first place of each.
    everywhere: &'m HashMap<&'a str, Spot<'a>>,
}

/// AWS takes no more text than this; so that what runs here can run there, it is said, and no more.
fn report_too_large(source: &Source, report: &mut Report) {
    let length = source.text.chars().count();
    if length > LONGEST_DEFINITION {
        let start = Spot::of_text(Span { start: 0, end: 0 });
        report
            .warning(code::NOT_ON_AWS, start, "AWS takes no definition of more than 1,048,576 characters")
            .label(format!("{length} characters"))
            .hint("Move a part into a state machine of its own, and start it from this one.");
    }
}

fn machine(root: &At<'_>, execution_type: ExecutionType, report: &mut Report) -> Option<StateMachine> {
    if root.members().is_none() {
        report
            .error(code::NOT_A_STATE_MACHINE, root.spot(), "the definition is not a state machine")
            .aws("Definition must be a valid JSON object")
            .label(format!("found {}", root.node.describe()))
            .hint("A state machine is an object with `StartAt` and `States`.");
        return None;
    }
    let mut everywhere = HashMap::new();
    collect_names(root, &mut everywhere, report);

    let mut fields = Fields::of(root.clone(), "the state machine", report)?;
    let comment = fields.owned_string("Comment", report);
    let version = fields.owned_string("Version", report);
    if let (Some(written), Some(at)) = (&version, fields.get("Version"))
        && written != "1.0"
    {
        report
            .error(
                code::UNKNOWN_VALUE,
                at.spot(),
                format!("there is no version {written:?} of the states language"),
            )
            .aws("Value should be one of the following: [1.0]")
            .hint("The only one is \"1.0\"; the field can be left out.");
    }
    let timeout_seconds = fields.integer("TimeoutSeconds", 1..=MAX_SECONDS, report);
    let dialect = dialect(&mut fields, Dialect::JsonPath, Dialect::JsonPath, report);
    let flow = flow(&mut fields, (dialect, execution_type), &everywhere, report);
    fields.finish(report);
    scopes::check(root, report);
    Some(StateMachine { comment, version, timeout_seconds, flow: flow? })
}

/// The dialect of an object: its own, or the one around it.
fn dialect(fields: &mut Fields<'_>, around: Dialect, machine: Dialect, report: &mut Report) -> Dialect {
    let Some(at) = fields.get("QueryLanguage") else { return around };
    match string(&at, "`QueryLanguage`", report) {
        Some("JSONata") => Dialect::Jsonata,
        Some("JSONPath") if machine == Dialect::Jsonata => {
            report
                .error(
                    code::UNKNOWN_VALUE,
                    at.spot(),
                    "a state of a JSONata state machine cannot be in JSONPath",
                )
                .aws("'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine")
                .hint("Write the machine in JSONPath, and the states that need it in JSONata.");
            Dialect::JsonPath
        }
        Some("JSONPath") | None => Dialect::JsonPath,
        Some(other) => {
            let hint = match nearest(other, ["JSONPath", "JSONata"]) {
                Some(known) => format!("Did you mean \"{known}\"?"),
                None => "It is \"JSONPath\" or \"JSONata\".".into(),
            };
            report
                .error(code::UNKNOWN_VALUE, at.spot(), format!("there is no query language {other:?}"))
                .aws("Value should be one of the following: [JSONPath, JSONata]")
                .hint(hint);
            around
        }
    }
}

/// Reads `StartAt` and `States`. Other fields are the caller's. The states of every flow are in the machine's query
/// language unless they say otherwise themselves: what the Parallel or Map around them says is for its own fields.
fn flow<'a>(
    fields: &mut Fields<'a>,
    (machine, execution_type): (Dialect, ExecutionType),
    everywhere: &HashMap<&'a str, Spot<'a>>,
    report: &mut Report,
) -> Option<Flow> {
    let start_hint = "Name the state to begin with.";
    let start = fields.require("StartAt", start_hint, report);
    let states_hint = "List the states by name: `\"States\": { \"Hello\": { \"Type\": \"Task\", … } }`.";
    let states_at = fields.require("States", states_hint, report)?;
    let Some(members) = states_at.members() else {
        crate::fields::wrong_type(&states_at, "`States`", "an object", report);
        return None;
    };
    if !not_empty(states_at.node, states_at.key_spot(), "`States`", "state", report) {
        return None;
    }
    let mut states = HashMap::new();
    let mut named: Vec<(&str, At<'_>)> = Vec::new();
    for (name, at) in members {
        // Of a name given twice, which has been reported, the first counts.
        if let Entry::Vacant(entry) = states.entry(name) {
            entry.insert(StateIndex(named.len() as u32));
            named.push((name, at));
        }
    }
    let scope = Scope { dialect: machine, machine, execution_type, states: &states, everywhere };
    let start_at = start.as_ref().and_then(|at| scope.resolve(at, "`StartAt`", report));
    let states: Vec<_> = named.iter().map(|(name, at)| state::read(name, at, &scope, report)).collect();
    let start_name = start.as_ref().and_then(At::as_str);
    reachability::check(start_name, &named, report);
    shapes::check(&named, start_name, machine == Dialect::Jsonata, report);
    Some(Flow { start_at: start_at?, states: states.into_iter().collect::<Option<_>>()? })
}

impl<'a, 'm> Scope<'a, 'm> {
    /// The same, for what is inside of a state in this dialect.
    fn speaking(&self, dialect: Dialect) -> Scope<'a, 'm> {
        Scope { dialect, ..*self }
    }

    /// The state that a transition names. `what` is the field, in back quotes.
    fn resolve(&self, at: &At<'_>, what: &str, report: &mut Report) -> Option<StateIndex> {
        let name = string(at, what, report)?;
        if let Some(index) = self.states.get(name) {
            return Some(*index);
        }
        if let Some(elsewhere) = self.everywhere.get(name) {
            let there = report.in_words(elsewhere.span);
            report
                .error(code::STATE_OUT_OF_SCOPE, at.spot(), format!("{what} leads out of its branch, to `{name}`"))
                .aws(missing_target(what, name))
                .label(format!("`{name}` is at {there}"))
                .hint("A transition stays among the states of one `States` object; end the branch, and go on after it.");
            return None;
        }
        let near = if report.is_full() { None } else { nearest(name, self.states.keys().copied()) };
        let hint = match near {
            Some(known) => format!("Did you mean `{known}`?"),
            None if report.is_full() => String::new(),
            None => {
                let mut known: Vec<&str> = self.states.keys().copied().collect();
                known.sort_unstable();
                known.truncate(10);
                format!("States here: {}.", known.join(", "))
            }
        };
        report
            .error(
                code::UNKNOWN_STATE,
                at.spot(),
                format!("{what} names a state that does not exist, `{name}`"),
            )
            .aws(missing_target(what, name))
            .label("unknown state")
            .hint(hint);
        None
    }
}

/// AWS's words for a transition to nowhere.
fn missing_target(what: &str, name: &str) -> String {
    format!("Missing '{}' target: {name}", what.trim_matches('`'))
}

/// Every state's name, in every flow below. Names are unique within the whole machine, and of a bearable length.
///
/// Source: <https://states-language.net/spec.html#states-fields>.
fn collect_names<'a>(flow: &At<'a>, everywhere: &mut HashMap<&'a str, Spot<'a>>, report: &mut Report) {
    let mut here: Vec<&str> = Vec::new();
    for (name, state) in flow.get("States").iter().filter_map(At::members).flatten() {
        let spot = state.key_spot();
        let length = name.chars().count();
        if length == 0 || length > LONGEST_STATE_NAME {
            report
                .error(code::BAD_STATE_NAME, spot.clone(), "the name of a state must have 1 to 80 characters")
                .label(format!("{length} characters"));
        }
        match everywhere.get(name) {
            Some(earlier) if !here.contains(&name) => {
                let earlier = report.in_words(earlier.span);
                report
                    .error(code::DUPLICATE_STATE, spot, format!("there are two states `{name}`"))
                    .label(format!("the other is at {earlier}"))
                    .hint("Rename one: a name is unique within the whole state machine, branches included.");
            }
            Some(_) => {}
            None => {
                here.push(name);
                everywhere.insert(name, spot);
            }
        }
        for branch in state.get("Branches").iter().filter_map(At::items).flatten() {
            collect_names(&branch, everywhere, report);
        }
        for processor in ["ItemProcessor", "Iterator"].iter().filter_map(|name| state.get(name)) {
            collect_names(&processor, everywhere, report);
        }
    }
}
