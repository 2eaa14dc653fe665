//! Paths that can never find anything: what a state gives is known as far as the definition spells it out, and is followed
//! to the state after it. Says nothing where it is not certain.
//!
//! Works on the tree. A state that is reached from several places, and the first one, may get anything.

use crate::code;
use crate::node::{At, Kind, Node};
use crate::path::Path;
use crate::report::Report;
use crate::source::Span;
use crate::suggest::nearest;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// What is known of a value.
#[derive(Clone)]
enum Shape<'a> {
    Anything,
    /// Written in the definition.
    Literal(&'a Node),
    /// An object of exactly these members.
    Object(Rc<Vec<(&'a str, Shape<'a>)>>),
}

/// A way that leads nowhere: the member that is not there, and those that are.
struct Missing<'p, 'a> {
    member: &'p str,
    known: Vec<&'a str>,
}

impl<'a> Shape<'a> {
    /// What a path of plain names finds.
    fn follow<'p>(&self, keys: &[&'p str]) -> Result<Shape<'a>, Missing<'p, 'a>> {
        let mut shape = self.clone();
        for key in keys {
            let next = match &shape {
                Shape::Anything => return Ok(Shape::Anything),
                Shape::Object(members) => {
                    members.iter().find(|(name, _)| name == key).map(|(_, member)| member.clone())
                }
                Shape::Literal(node) => match &node.kind {
                    Kind::Object(members) => members
                        .iter()
                        .find(|member| member.key == *key)
                        .map(|member| Shape::Literal(&member.value)),
                    // A name may be looked up in each item of a list.
                    Kind::Array(_) => return Ok(Shape::Anything),
                    _ => None,
                },
            };
            let Some(next) = next else { return Err(Missing { member: key, known: shape.names() }) };
            shape = next;
        }
        Ok(shape)
    }

    fn names(&self) -> Vec<&'a str> {
        match self {
            Shape::Anything => Vec::new(),
            Shape::Object(members) => members.iter().map(|(name, _)| *name).collect(),
            Shape::Literal(node) => match &node.kind {
                Kind::Object(members) => members.iter().map(|member| member.key.as_str()).collect(),
                _ => Vec::new(),
            },
        }
    }
}

/// Looks at the states of one flow.
pub(super) fn check(
    states: &[(&str, At<'_>)],
    start: Option<&str>,
    machine_is_jsonata: bool,
    report: &mut Report,
) {
    let by_name: HashMap<&str, &At<'_>> = states.iter().map(|(name, at)| (*name, at)).collect();
    let mut arrivals: HashMap<&str, usize> = HashMap::new();
    for target in start.into_iter().chain(states.iter().flat_map(|(_, state)| targets(state))) {
        *arrivals.entry(target).or_default() += 1;
    }
    // The state after this one that is reached from nowhere else.
    let following = |state: &At<'_>| -> Option<&At<'_>> {
        let next = state.get("Next")?.as_str()?;
        by_name.get(next).copied().filter(|_| arrivals.get(next) == Some(&1))
    };
    let followers: HashSet<*const Node> = states
        .iter()
        .filter_map(|(_, state)| following(state))
        .map(|at| std::ptr::from_ref(at.node))
        .collect();
    for (_, head) in states.iter().filter(|(_, state)| !followers.contains(&std::ptr::from_ref(state.node))) {
        let (mut state, mut input) = (head, Shape::Anything);
        loop {
            let language = state.get("QueryLanguage");
            let jsonata =
                language.and_then(|at| at.as_str()).map_or(machine_is_jsonata, |name| name == "JSONata");
            let output =
                if jsonata { expression_output(state, &input) } else { path_output(state, &input, report) };
            let Some(next) = following(state) else { break };
            (state, input) = (next, output);
        }
    }
}

fn targets<'a>(state: &At<'a>) -> Vec<&'a str> {
    let mut ends = vec![state.get("Next"), state.get("Default")];
    for list in ["Choices", "Catch"] {
        let entries = state.get(list);
        ends.extend(entries.iter().filter_map(At::items).flatten().map(|entry| entry.get("Next")));
    }
    ends.iter().flatten().filter_map(At::as_str).collect()
}

/// What a state in JSONata gives.
fn expression_output<'a>(state: &At<'a>, input: &Shape<'a>) -> Shape<'a> {
    match (state.get("Output"), state.get("Type").and_then(|at| at.as_str())) {
        (Some(output), _) => template(output.node, &|_, node| match &node.kind {
            Kind::String(text) => crate::jsonata::expression_in(text).is_some(),
            _ => false,
        }),
        (None, Some("Pass" | "Wait")) => input.clone(),
        (None, _) => Shape::Anything,
    }
}

/// What a template gives: its own members, and anything where it `evaluates`.
fn template<'a>(node: &'a Node, evaluates: &dyn Fn(&str, &Node) -> bool) -> Shape<'a> {
    match &node.kind {
        Kind::Object(members) => {
            let shape = |member: &'a crate::node::Member| {
                let name = member.key.as_str();
                match evaluates(name, &member.value) {
                    true => (name.strip_suffix(".$").unwrap_or(name), Shape::Anything),
                    false => (name, template(&member.value, evaluates)),
                }
            };
            Shape::Object(Rc::new(members.iter().map(shape).collect()))
        }
        Kind::Array(_) => Shape::Anything,
        _ if evaluates("", node) => Shape::Anything,
        _ => Shape::Literal(node),
    }
}

/// What a state in JSONPath gives. Reports its paths that find nothing.
fn path_output<'a>(state: &At<'a>, input: &Shape<'a>, report: &mut Report) -> Shape<'a> {
    let selected = select(state, "InputPath", input, report);
    for name in ["Parameters", "ItemSelector"] {
        state.get(name).iter().for_each(|at| check_template(at, &selected, report));
    }
    for at in ["ItemsPath", "SecondsPath", "TimestampPath"].iter().filter_map(|name| state.get(name)) {
        check_path(&at, &selected, report);
    }
    let result = match state.get("Type").and_then(|at| at.as_str()) {
        Some("Wait" | "Succeed") => return select(state, "OutputPath", &selected, report),
        Some("Pass") => match (state.get("Result"), state.get("Parameters")) {
            (Some(result), _) => Shape::Literal(result.node),
            (None, Some(parameters)) => template(parameters.node, &|name, _| name.ends_with(".$")),
            (None, None) => selected,
        },
        Some("Choice") => {
            check_rules(state, &selected, report);
            return Shape::Anything;
        }
        _ => match state.get("ResultSelector") {
            Some(selector) => template(selector.node, &|name, _| name.ends_with(".$")),
            None => Shape::Anything,
        },
    };
    let placed = match state.get("ResultPath") {
        None => result,
        Some(at) => match &at.node.kind {
            Kind::Null => input.clone(),
            Kind::String(text) if text == "$" => result,
            // What it is put into keeps its members, and gets one that is not followed.
            _ => Shape::Anything,
        },
    };
    select(state, "OutputPath", &placed, report)
}

fn select<'a>(state: &At<'a>, field: &str, from: &Shape<'a>, report: &mut Report) -> Shape<'a> {
    match state.get(field) {
        None => from.clone(),
        Some(at) if at.node.kind == Kind::Null => Shape::Object(Rc::default()),
        Some(at) => check_path(&at, from, report),
    }
}

/// What a path finds. Reports it where that is nothing.
fn check_path<'a>(at: &At<'a>, from: &Shape<'a>, report: &mut Report) -> Shape<'a> {
    if matches!(from, Shape::Anything) {
        return Shape::Anything;
    }
    let Some(path) = at.as_str().and_then(|text| Path::parse(text).ok()) else { return Shape::Anything };
    let Some(keys) = path.plain_keys() else { return Shape::Anything };
    let missing = match from.follow(&keys) {
        Ok(found) => return found,
        Err(missing) => missing,
    };
    let Missing { member, known } = missing;
    let hint = match nearest(member, known.iter().copied()) {
        Some(near) => format!("Did you mean `{near}`?"),
        None if known.is_empty() => "Nothing is there: the state before gives no object there.".to_owned(),
        None => format!("The state before gives {}.", known.join(", ")),
    };
    report
        .warning(code::NEVER_MATCHES, at.spot(), format!("`{path}` never finds anything"))
        .label(format!("there is no `{member}`"))
        .hint(hint);
    Shape::Anything
}

fn check_template(at: &At<'_>, from: &Shape<'_>, report: &mut Report) {
    if matches!(from, Shape::Anything) {
        return;
    }
    for (name, member) in at.members().into_iter().flatten() {
        if name.ends_with(".$") {
            check_path(&member, &from.clone(), report);
        }
        check_template(&member, from, report);
    }
    at.items().into_iter().flatten().for_each(|item| check_template(&item, from, report));
}

/// A Choice whose rules ask whether something is there may well know that it is not.
fn check_rules(state: &At<'_>, from: &Shape<'_>, report: &mut Report) {
    if matches!(from, Shape::Anything) {
        return;
    }
    let mut open: Vec<At<'_>> = state.get("Choices").iter().filter_map(At::items).flatten().collect();
    let mut variables = Vec::new();
    while let Some(rule) = open.pop() {
        if rule.get("IsPresent").is_some() {
            return;
        }
        variables.extend(rule.get("Variable"));
        for name in ["And", "Or"] {
            open.extend(rule.get(name).iter().filter_map(At::items).flatten());
        }
        open.extend(rule.get("Not"));
    }
    variables.iter().for_each(|at| {
        check_path(at, from, report);
    });
}

/// Reports a rule that an earlier one of the same Choice leaves nothing for.
pub(super) fn check_repeated_rules(rules: &[At<'_>], report: &mut Report) {
    let mut seen: HashMap<String, Span> = HashMap::new();
    for rule in rules.iter().filter(|_| rules.len() > 1) {
        let mut test = rule.node.to_value();
        if let Some(members) = test.as_object_mut() {
            members.retain(|name, _| !["Next", "Comment", "Assign", "Output"].contains(&name.as_str()));
        }
        let test = test.to_string();
        if let Some(earlier) = seen.get(&test) {
            let earlier = report.in_words(*earlier);
            report
                .warning(code::NEVER_MATCHES, rule.spot(), "an earlier rule asks the same")
                .label(format!("the one at {earlier} is taken"))
                .hint("Change the test, or remove the rule.");
        } else {
            seen.insert(test, rule.node.span);
        }
    }
}
