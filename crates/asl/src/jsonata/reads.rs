//! What an expression reads.

use super::ast::{Kind, Node, Stage};

#[derive(Debug, Default)]
pub(super) struct Reads {
    /// Names that are bound outside, also those of functions.
    pub(super) variables: Vec<String>,
    /// The members of `$states` that are read, from `$states` on.
    states: Vec<Vec<String>>,
    pub(super) top_level: Vec<(String, usize)>,
}

impl Reads {
    pub(super) fn of(root: &Node) -> Reads {
        let mut walk = Walk { reads: Reads::default(), bound: Vec::new() };
        walk.node(root, true);
        walk.reads
    }

    pub(super) fn may_read_states(&self, members: &[&str]) -> bool {
        self.states.iter().any(|read| read.iter().zip(members).all(|(read, member)| read == member))
    }
}

struct Walk<'a> {
    reads: Reads,
    /// The variables of the expression's own, inner ones last.
    bound: Vec<&'a str>,
}

impl<'a> Walk<'a> {
    /// `at_top`: it is evaluated for the input that an expression as a whole does not have.
    fn node(&mut self, node: &'a Node, at_top: bool) {
        match &node.kind {
            Kind::Variable(name) => self.variable(name, node.offset, at_top, Vec::new()),
            Kind::Name(name) if at_top => self.reads.top_level.push((name.clone(), node.offset)),
            Kind::Wildcard if at_top => self.reads.top_level.push(("*".to_owned(), node.offset)),
            Kind::Descendants if at_top => self.reads.top_level.push(("**".to_owned(), node.offset)),
            Kind::Path { steps, .. } => return self.path(node, steps, at_top),
            Kind::Block(parts) => self.scoped(|walk| parts.iter().for_each(|part| walk.node(part, at_top))),
            Kind::Bind(name, value) => {
                self.node(value, at_top);
                self.bound.push(name);
            }
            Kind::Lambda(lambda) => self.scoped(|walk| {
                walk.bound.extend(lambda.parameters.iter().map(String::as_str));
                walk.node(&lambda.body, false);
            }),
            Kind::Binary(_, left, right) => {
                self.node(left, at_top);
                self.scoped(|walk| walk.node(right, at_top));
            }
            Kind::Condition { condition, then, otherwise } => {
                self.node(condition, at_top);
                self.scoped(|walk| walk.node(then, at_top));
                self.scoped(|walk| otherwise.iter().for_each(|node| walk.node(node, at_top)));
            }
            Kind::Transform { .. } | Kind::Sort(_) => {
                self.scoped(|walk| node.each_child(&mut |child| walk.node(child, false)));
                return;
            }
            _ => {
                let mut own = Vec::new();
                node.each_child(&mut |child| own.push(child));
                let later = later_of(node);
                own.truncate(own.len() - later);
                own.into_iter().for_each(|child| self.node(child, at_top));
            }
        }
        self.later(node);
    }

    /// Filters and groups, which are evaluated for the value.
    fn later(&mut self, node: &'a Node) {
        self.scoped(|walk| {
            for stage in node.predicates.iter().chain(&node.stages) {
                match stage {
                    Stage::Filter(filter) => walk.node(filter, false),
                    Stage::Index(name) => walk.bound.push(name),
                }
            }
            for (key, value) in node.group.iter().flatten() {
                walk.node(key, false);
                walk.node(value, false);
            }
        });
    }

    fn path(&mut self, node: &'a Node, steps: &'a [Node], at_top: bool) {
        let depth = self.bound.len();
        for (index, step) in steps.iter().enumerate() {
            match &step.kind {
                Kind::Variable(name)
                    if index == 0 && step.stages.is_empty() && step.predicates.is_empty() =>
                {
                    let plain = steps[1..].iter().map_while(|step| match &step.kind {
                        Kind::Name(name) => Some(name.clone()),
                        _ => None,
                    });
                    self.variable(name, step.offset, at_top, plain.collect());
                }
                _ => self.node(step, at_top && index == 0),
            }
            self.bound.extend(step.focus.as_deref());
            self.bound.extend(step.index.as_deref());
            for stage in &step.stages {
                if let Stage::Index(name) = stage {
                    self.bound.push(name);
                }
            }
        }
        self.later(node);
        self.bound.truncate(depth);
    }

    fn variable(&mut self, name: &'a str, offset: usize, at_top: bool, members: Vec<String>) {
        match name {
            "" if at_top => self.reads.top_level.push(("$".to_owned(), offset)),
            "" => {}
            "$" => self.reads.top_level.push(("$$".to_owned(), offset)),
            _ if self.bound.contains(&name) => {}
            _ => {
                if !self.reads.variables.iter().any(|known| known == name) {
                    self.reads.variables.push(name.to_owned());
                }
                if name == "states" {
                    self.reads.states.push(members);
                }
            }
        }
    }

    /// What is bound inside is not bound behind it.
    fn scoped(&mut self, walk: impl FnOnce(&mut Self)) {
        let depth = self.bound.len();
        walk(self);
        self.bound.truncate(depth);
    }
}

/// How many of a node's children are filters and groups.
fn later_of(node: &Node) -> usize {
    let filters =
        node.predicates.iter().chain(&node.stages).filter(|stage| matches!(stage, Stage::Filter(_)));
    filters.count() + node.group.as_ref().map_or(0, |pairs| 2 * pairs.len())
}
