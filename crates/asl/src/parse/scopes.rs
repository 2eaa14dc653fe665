//! The variables of the whole machine: who sets them, who reads them, and whether they can be read there.
//!
//! Works on the tree, so that one mistake in a state does not make its variables look unknown.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html>.

use super::references::{Reference, Referred, of_expression, of_path};
use super::variables::RESERVED;
use crate::code;
use crate::jsonata;
use crate::node::{At, Kind};
use crate::path::is_variable_name;
use crate::report::{Report, Spot};
use crate::suggest::nearest;
use std::collections::{HashMap, HashSet};

/// The members of `$states`, in the order in which they are shown.
const STATES: [&str; 4] = ["input", "result", "errorOutput", "context"];

/// The variables that the states of one flow set.
struct Level<'a> {
    variables: HashMap<&'a str, Variable<'a>>,
    /// The states that may have run when the Parallel or Map starts that is being walked into.
    before: HashSet<&'a str>,
    /// A distributed Map's states run in executions of their own, and see nothing of what is around them.
    sees_around: bool,
}

struct Variable<'a> {
    /// The first place.
    set: Spot<'a>,
    /// The states that set it, themselves or in a rule or catcher.
    setters: Vec<&'a str>,
    read: bool,
}

struct Walk<'a, 'r> {
    /// Outermost first.
    levels: Vec<Level<'a>>,
    machine_is_jsonata: bool,
    report: &'r mut Report,
}

/// What `$states` has where an expression stands.
#[derive(Clone, Copy)]
struct Offers {
    result: bool,
    error_output: bool,
}

/// Fields whose members are data: only those that end in `.$` are evaluated in JSONPath.
const TEMPLATES: [&str; 7] =
    ["Parameters", "ResultSelector", "ItemSelector", "Assign", "Credentials", "BatchInput", "Result"];

/// Fields that hold states.
const FLOWS: [&str; 3] = ["Branches", "ItemProcessor", "Iterator"];

const NOTHING: Offers = Offers { result: false, error_output: false };

pub(super) fn check(root: &At<'_>, report: &mut Report) {
    let machine_is_jsonata = is_jsonata(root).unwrap_or(false);
    Walk { levels: Vec::new(), machine_is_jsonata, report }.flow(root, true);
}

fn is_jsonata(at: &At<'_>) -> Option<bool> {
    at.get("QueryLanguage").and_then(|at| at.as_str()).map(|language| language == "JSONata")
}

impl<'a> Walk<'a, '_> {
    fn flow(&mut self, flow: &At<'a>, sees_around: bool) {
        let states: Vec<(&'a str, At<'a>)> =
            flow.get("States").iter().filter_map(At::members).flatten().collect();
        self.levels.push(Level { variables: HashMap::new(), before: HashSet::new(), sees_around });
        for (name, state) in &states {
            self.collect(name, state);
        }
        let mut sources = None;
        for (name, state) in &states {
            let has_variables = self.levels.last().is_some_and(|level| !level.variables.is_empty());
            if has_variables && FLOWS.iter().any(|field| state.get(field).is_some()) {
                let before = before(name, sources.get_or_insert_with(|| sources_of(&states)));
                if let Some(level) = self.levels.last_mut() {
                    level.before = before;
                }
            }
            self.state(state);
        }
        let variables = self.levels.pop().map(|level| level.variables).unwrap_or_default();
        for (name, variable) in variables.into_iter().filter(|(_, variable)| !variable.read) {
            self.report
                .warning(code::UNUSED_VARIABLE, variable.set, format!("the variable `{name}` is never read"))
                .label("set here")
                .hint(format!("Read it as `${name}`, or remove it."));
        }
    }

    /// The variables that a state sets, with its rules and catchers.
    fn collect(&mut self, state_name: &'a str, state: &At<'a>) {
        let jsonata = is_jsonata(state).unwrap_or(self.machine_is_jsonata);
        // Those refuse `Assign`.
        let ends = state
            .get("Type")
            .and_then(|at| at.as_str())
            .is_some_and(|kind| ["Succeed", "Fail"].contains(&kind));
        let mut setters: Vec<At<'a>> = if ends { Vec::new() } else { vec![state.clone()] };
        for list in ["Choices", "Catch"] {
            setters.extend(state.get(list).iter().filter_map(At::items).flatten());
        }
        for (key, at) in setters.iter().filter_map(|at| at.get("Assign")).flat_map(members) {
            let name = if jsonata { key } else { key.strip_suffix(".$").unwrap_or(key) };
            if is_variable_name(name) && name != RESERVED {
                self.set(name, state_name, at.key_spot());
            }
        }
    }

    fn set(&mut self, name: &'a str, state: &'a str, spot: Spot<'a>) {
        let Some((own, around)) = self.levels.split_last_mut() else { return };
        if let Some(variable) = own.variables.get_mut(name) {
            variable.setters.push(state);
            return;
        }
        let mut read = false;
        if let Some(outer) = set_around(name, own.sees_around, around) {
            // That it is set here says enough of both.
            (outer.read, read) = (true, true);
            let there = self.report.in_words(outer.set.span);
            self.report
                .error(
                    code::OUTER_VARIABLE,
                    spot.clone(),
                    format!("`{name}` is a variable of the states around this one"),
                )
                .label(format!("it is set at {there}"))
                .hint("Branches run at the same time, so they set variables of their own: use another name.")
                .aws(format!("The variable name '{name}' was already defined in a parent scope."));
        }
        own.variables.insert(name, Variable { set: spot, setters: vec![state], read });
    }

    fn state(&mut self, state: &At<'a>) {
        let jsonata = is_jsonata(state).unwrap_or(self.machine_is_jsonata);
        let kind = state.get("Type").and_then(|at| at.as_str());
        let result = kind.is_some_and(|kind| ["Task", "Parallel", "Map"].contains(&kind));
        for member in state.raw_members() {
            let (name, at) = (member.key.as_str(), state.member(member));
            match name {
                // Nothing is read at a `ResultPath`.
                "Comment" | "ResultPath" => {}
                "Branches" => at.items().into_iter().flatten().for_each(|branch| self.flow(&branch, true)),
                "ItemProcessor" | "Iterator" => {
                    let config = at.get("ProcessorConfig").and_then(|config| config.get("Mode"));
                    let distributed = config.and_then(|mode| mode.as_str()) == Some("DISTRIBUTED");
                    self.flow(&at, !distributed);
                }
                "Catch" => {
                    let entries = at.items().into_iter().flatten().flat_map(members);
                    for (name, at) in entries.filter(|(name, _)| *name != "ResultPath") {
                        let error_output = ["Output", "Assign"].contains(&name);
                        self.field(name, &at, jsonata, Offers { result: false, error_output });
                    }
                }
                _ => {
                    let result = result && ["Output", "Assign"].contains(&name);
                    self.field(name, &at, jsonata, Offers { result, error_output: false });
                }
            }
        }
    }

    fn field(&mut self, name: &'a str, at: &At<'a>, jsonata: bool, offers: Offers) {
        if !at.node.any_string(&mentions_name) {
            return;
        }
        if jsonata {
            self.expressions(at, offers);
        } else {
            self.paths(name, at, TEMPLATES.contains(&name));
        }
    }

    /// `in_template` says that only names that end in `.$` hold paths.
    fn paths(&mut self, name: &str, at: &At<'a>, in_template: bool) {
        match &at.node.kind {
            Kind::String(text) => {
                let own = !in_template && (name.ends_with("Path") || name == "Variable");
                if own || name.ends_with(".$") {
                    for reference in of_path(text) {
                        self.reference(reference, at, text, 0, NOTHING);
                    }
                }
            }
            Kind::Object(_) => {
                for (name, member) in members(at.clone()) {
                    self.paths(name, &member, in_template || TEMPLATES.contains(&name));
                }
            }
            Kind::Array(_) => {
                for item in at.items().into_iter().flatten() {
                    self.paths("", &item, in_template);
                }
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(_) => {}
        }
    }

    fn expressions(&mut self, at: &At<'a>, offers: Offers) {
        match &at.node.kind {
            Kind::String(text) => {
                if let Some(inner) = jsonata::expression_in(text) {
                    for reference in of_expression(inner) {
                        self.reference(reference, at, text, "{%".len(), offers);
                    }
                }
            }
            Kind::Object(_) => members(at.clone()).for_each(|(_, member)| self.expressions(&member, offers)),
            Kind::Array(_) => {
                at.items().into_iter().flatten().for_each(|item| self.expressions(&item, offers));
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(_) => {}
        }
    }

    /// `base` is where the text of the reference begins in `text`.
    fn reference(&mut self, reference: Reference<'_>, at: &At<'a>, text: &str, base: usize, offers: Offers) {
        match reference.what {
            Referred::Variable(name) if self.read(name) => return,
            Referred::State("input" | "context") => return,
            Referred::State("result") if offers.result => return,
            Referred::State("errorOutput") if offers.error_output => return,
            _ => {}
        }
        if self.report.is_full() {
            return;
        }
        let spot = self.report.inside(at.spot(), text, base + reference.offset);
        match reference.what {
            Referred::Variable(name) => self.report_unassigned(name, spot),
            Referred::State(member) => report_member(member, spot, self.report),
            Referred::Root => {
                self.report
                    .error(code::NOT_THERE, spot, "`$$` is nothing in a state")
                    .label("there is no document around the expression")
                    .hint("The input is `$states.input`, the context object is `$states.context`.")
                    .aws("Reference to '$$' is not supported.");
            }
        }
    }

    /// Marks a variable as read; whether there is one.
    fn read(&mut self, name: &str) -> bool {
        for level in self.levels.iter_mut().rev() {
            if let Some(variable) = level.variables.get_mut(name) {
                variable.read = true;
                return true;
            }
            if !level.sees_around {
                return false;
            }
        }
        false
    }

    fn report_unassigned(&mut self, name: &str, spot: Spot<'_>) {
        let visible = self.levels.iter().flat_map(|level| level.variables.keys().copied());
        let hint = match nearest(name, visible) {
            _ if name == RESERVED => {
                "`$states` is for JSONata; in JSONPath the input is `$`, the context object `$$`.".into()
            }
            Some(near) => format!("Did you mean `${near}`?"),
            None => format!("Set it in a state before: `\"Assign\": {{ \"{name}\": … }}`."),
        };
        self.report
            .warning(code::UNASSIGNED_VARIABLE, spot, format!("no state assigns `${name}`"))
            .label("not a variable here")
            .hint(hint)
            .aws(format!("Variable '{name}' is possibly not defined."));
    }
}

/// The variable of this name that a state around may have set before these states start. One that is only set after
/// them, or by a catcher of the state that they are in, is another.
fn set_around<'v, 'a>(
    name: &str,
    mut sees_around: bool,
    around: &'v mut [Level<'a>],
) -> Option<&'v mut Variable<'a>> {
    for level in around.iter_mut().rev() {
        if !sees_around {
            return None;
        }
        sees_around = level.sees_around;
        let Level { variables, before, .. } = level;
        let found = variables.get_mut(name);
        if let Some(found) = found.filter(|found| found.setters.iter().any(|state| before.contains(state))) {
            return Some(found);
        }
    }
    None
}

/// From which states each state is reached in one transition.
fn sources_of<'a>(states: &[(&'a str, At<'a>)]) -> HashMap<&'a str, Vec<&'a str>> {
    let mut sources: HashMap<&str, Vec<&str>> = HashMap::new();
    for (name, state) in states {
        let mut targets: Vec<Option<At<'a>>> = vec![state.get("Next"), state.get("Default")];
        for list in ["Choices", "Catch"] {
            let entries = state.get(list);
            targets.extend(entries.iter().filter_map(At::items).flatten().map(|entry| entry.get("Next")));
        }
        for target in targets.iter().flatten().filter_map(At::as_str) {
            sources.entry(target).or_default().push(name);
        }
    }
    sources
}

/// The states from which a state is reached, itself only where it is in a circle.
fn before<'a>(state: &str, sources: &HashMap<&'a str, Vec<&'a str>>) -> HashSet<&'a str> {
    let mut before = HashSet::new();
    let mut open: Vec<&str> = sources.get(state).into_iter().flatten().copied().collect();
    while let Some(name) = open.pop() {
        if before.insert(name) {
            open.extend(sources.get(name).into_iter().flatten());
        }
    }
    before
}

/// Whether `$` is followed by what may be a name, or by another `$`.
fn mentions_name(text: &str) -> bool {
    let behind = |at: usize| text[at + 1..].chars().next();
    let named = |next: char| next.is_alphabetic() || next == '_' || next == '$';
    text.match_indices('$').any(|(at, _)| behind(at).is_some_and(named))
}

fn report_member(member: &str, spot: Spot<'_>, report: &mut Report) {
    let hint = match member {
        "result" => "A Task, Parallel or Map state has a result, in its `Output` and `Assign`.".to_owned(),
        "errorOutput" => "The entries of `Catch` have it, in their `Output` and `Assign`.".to_owned(),
        _ => match nearest(member, STATES) {
            Some(near) => format!("Did you mean `$states.{near}`?"),
            None => format!("`$states` has {}.", STATES.join(", ")),
        },
    };
    report
        .error(code::NOT_THERE, spot, format!("there is no `$states.{member}` here"))
        .label("does not exist")
        .hint(hint)
        .aws(format!("Field '$states.{member}' does not exist."));
}

fn members<'a>(at: At<'a>) -> impl Iterator<Item = (&'a str, At<'a>)> {
    at.members().into_iter().flatten().collect::<Vec<_>>().into_iter()
}
