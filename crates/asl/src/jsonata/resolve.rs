//! Makes paths of what the parser read: steps in a row, filters as stages of their step, and for each `%` the step it
//! means.
//!
//! Source: `processAST` of <https://github.com/jsonata-js/jsonata>, version 2.0.6 (MIT).

#![expect(clippy::boxed_local, reason = "what is moved about in a recursion stays small")]

use super::ast::{Kind, Lambda, Node, Pairs, Raw, Stage, Term};
use super::error::Fault;
use super::parse::Ast;
use super::token::Misread;

pub(super) fn resolve(root: Node) -> Result<Ast, Misread> {
    let mut resolver = Resolver::default();
    let root = resolver.node(root)?;
    if matches!(root.kind, Kind::Parent(_)) || !root.seeking.is_empty() {
        return Err((Fault::new("S0217"), root.offset));
    }
    Ok(Ast { root, labels: resolver.labels })
}

/// What is known of each `%`, by its number.
#[derive(Default)]
struct Resolver {
    labels: Vec<usize>,
    /// How many steps back its step is.
    levels: Vec<usize>,
}

impl Resolver {
    fn node(&mut self, node: Node) -> Result<Node, Misread> {
        let Node { kind, offset, keep_array, .. } = node;
        let mut result = match kind {
            Kind::Raw(raw) => self.raw(raw, offset, keep_array)?,
            Kind::Name(name) => {
                let mut step = Node::new(Kind::Name(name), offset);
                step.keep_array = keep_array;
                Node::new(Kind::Path { steps: vec![step], keep_singleton: keep_array }, offset)
            }
            Kind::Parent(_) => {
                let slot = self.labels.len();
                self.labels.push(slot);
                self.levels.push(1);
                Node::new(Kind::Parent(slot), offset)
            }
            Kind::Negate(inner) => {
                let inner = self.node(*inner)?;
                match inner.kind {
                    Kind::Number(number) if inner.predicates.is_empty() && inner.group.is_none() => {
                        Node::new(Kind::Number(-number), inner.offset)
                    }
                    _ => {
                        let seeking = seeking_of(&inner);
                        with_seeking(Node::new(Kind::Negate(Box::new(inner)), offset), seeking)
                    }
                }
            }
            other => self.composed(other, offset)?,
        };
        result.keep_array |= keep_array;
        Ok(result)
    }

    fn boxed(&mut self, node: Box<Node>) -> Result<Box<Node>, Misread> {
        self.node(*node).map(Box::new)
    }

    fn nodes(&mut self, nodes: Vec<Node>) -> Result<Vec<Node>, Misread> {
        nodes.into_iter().map(|node| self.node(node)).collect()
    }

    fn pairs(&mut self, pairs: Pairs) -> Result<Pairs, Misread> {
        pairs.into_iter().map(|(key, value)| Ok((self.node(key)?, self.node(value)?))).collect()
    }

    /// Nodes whose parts become parts again. Each form has a function of its own, so that a level takes little stack.
    fn composed(&mut self, kind: Kind, offset: usize) -> Result<Node, Misread> {
        let kind = match kind {
            Kind::Binary(operator, left, right) => {
                let left = self.boxed(left)?;
                Kind::Binary(operator, left, self.boxed(right)?)
            }
            Kind::Array(items) => Kind::Array(self.nodes(items)?),
            Kind::Object(pairs) => Kind::Object(self.pairs(pairs)?),
            Kind::Block(parts) => Kind::Block(self.nodes(parts)?),
            Kind::Bind(name, value) => Kind::Bind(name, self.boxed(value)?),
            Kind::Apply(left, right) => {
                let left = self.boxed(left)?;
                Kind::Apply(left, self.boxed(right)?)
            }
            Kind::Call { procedure, arguments } => {
                let arguments = self.nodes(arguments)?;
                Kind::Call { procedure: self.boxed(procedure)?, arguments }
            }
            kind @ (Kind::Condition { .. } | Kind::Transform { .. }) => self.clauses(kind)?,
            kind @ (Kind::Partial { .. } | Kind::Lambda(_)) => self.function(kind)?,
            other => other,
        };
        Ok(finished(Node::new(kind, offset)))
    }

    fn clauses(&mut self, kind: Kind) -> Result<Kind, Misread> {
        Ok(match kind {
            Kind::Condition { condition, then, otherwise } => Kind::Condition {
                condition: self.boxed(condition)?,
                then: self.boxed(then)?,
                otherwise: otherwise.map(|node| self.boxed(node)).transpose()?,
            },
            Kind::Transform { pattern, update, delete } => Kind::Transform {
                pattern: self.boxed(pattern)?,
                update: self.boxed(update)?,
                delete: delete.map(|node| self.boxed(node)).transpose()?,
            },
            other => other,
        })
    }

    fn function(&mut self, kind: Kind) -> Result<Kind, Misread> {
        Ok(match kind {
            Kind::Partial { procedure, arguments } => {
                let arguments =
                    arguments.into_iter().map(|node| node.map(|node| self.node(node)).transpose());
                let arguments = arguments.collect::<Result<_, _>>()?;
                Kind::Partial { procedure: self.boxed(procedure)?, arguments }
            }
            Kind::Lambda(Lambda { parameters, signature, body }) => {
                let body = Box::new(tail(self.node(*body)?));
                Kind::Lambda(Lambda { parameters, signature, body })
            }
            other => other,
        })
    }

    fn raw(&mut self, raw: Raw, offset: usize, keep_array: bool) -> Result<Node, Misread> {
        match raw {
            Raw::End => Err((Fault::new("S0207"), offset)),
            Raw::Dot(left, right) => self.dot(left, right, offset),
            Raw::Filter(left, predicate) => self.filtered(left, predicate, offset),
            Raw::Group(left, pairs) => self.grouped(left, pairs, offset),
            Raw::Order(left, terms) => self.order(left, terms, offset),
            Raw::Focus(left, name) => self.focus(left, name, offset, keep_array),
            Raw::Index(left, name) => self.index(left, name, offset),
        }
    }

    fn grouped(&mut self, left: Box<Node>, pairs: Pairs, offset: usize) -> Result<Node, Misread> {
        let mut result = self.node(*left)?;
        if result.group.is_some() {
            return Err((Fault::new("S0210"), offset));
        }
        result.group = Some(self.pairs(pairs)?);
        Ok(result)
    }

    fn focus(
        &mut self,
        left: Box<Node>,
        name: String,
        offset: usize,
        keep_array: bool,
    ) -> Result<Node, Misread> {
        let mut result = self.node(*left)?;
        let step = last_step(&mut result);
        if !step.stages.is_empty() || !step.predicates.is_empty() {
            return Err((Fault::new("S0215"), offset));
        }
        if matches!(step.kind, Kind::Sort(_)) {
            return Err((Fault::new("S0216"), offset));
        }
        step.keep_array |= keep_array;
        step.focus = Some(name);
        step.tuple = true;
        Ok(result)
    }

    fn index(&mut self, left: Box<Node>, name: String, offset: usize) -> Result<Node, Misread> {
        let mut result = self.node(*left)?;
        if !matches!(result.kind, Kind::Path { .. }) {
            result.stages = std::mem::take(&mut result.predicates);
            result = Node::new(Kind::Path { steps: vec![result], keep_singleton: false }, offset);
        }
        let step = last_step(&mut result);
        if step.stages.is_empty() {
            step.index = Some(name);
        } else {
            step.stages.push(Stage::Index(name));
        }
        step.tuple = true;
        Ok(result)
    }

    fn dot(&mut self, left: Box<Node>, right: Box<Node>, offset: usize) -> Result<Node, Misread> {
        let left = self.node(*left)?;
        let mut seeking = Vec::new();
        if let Kind::Parent(slot) = left.kind {
            seeking.push(slot);
        }
        let (mut result, mut steps, keeps) = opened(left, offset);
        result.seeking.extend(seeking);
        let mut rest = self.node(*right)?;
        match rest.kind {
            Kind::Path { steps: more, .. } => steps.extend(more),
            _ => {
                rest.stages = std::mem::take(&mut rest.predicates);
                steps.push(rest);
            }
        }
        for step in &mut steps {
            match &mut step.kind {
                Kind::Number(number) => {
                    return Err((Fault::value("S0213", super::number::text(*number)), step.offset));
                }
                Kind::Constant(constant) => {
                    let text = constant.map_or("null".to_owned(), |constant| constant.to_string());
                    return Err((Fault::value("S0213", text), step.offset));
                }
                Kind::Text(text) => step.kind = Kind::Name(std::mem::take(text)),
                _ => {}
            }
        }
        let keep_singleton = keeps || steps.iter().any(|step| step.keep_array);
        let last = steps.len() - 1;
        for index in [0, last] {
            steps[index].cons_array |= matches!(steps[index].kind, Kind::Array(_));
        }
        self.resolve_parents(&mut result, &mut steps)?;
        Ok(closed(result, steps, keep_singleton))
    }

    fn order(&mut self, left: Box<Node>, terms: Vec<Term>, offset: usize) -> Result<Node, Misread> {
        let left = self.node(*left)?;
        let (mut result, mut steps, keeps) = opened(left, offset);
        let mut resolved = Vec::with_capacity(terms.len());
        for term in terms {
            resolved.push(Term { descending: term.descending, expression: self.node(term.expression)? });
        }
        let seeking = resolved.iter().flat_map(|term| seeking_of(&term.expression)).collect();
        steps.push(with_seeking(Node::new(Kind::Sort(resolved), offset), seeking));
        self.resolve_parents(&mut result, &mut steps)?;
        Ok(closed(result, steps, keeps))
    }

    fn filtered(&mut self, left: Box<Node>, predicate: Box<Node>, offset: usize) -> Result<Node, Misread> {
        let mut result = self.node(*left)?;
        let predicate = self.node(*predicate)?;
        self.filter(&mut result, predicate, offset)?;
        Ok(result)
    }

    /// Puts a filter behind a value.
    fn filter(&mut self, result: &mut Node, predicate: Node, offset: usize) -> Result<(), Misread> {
        let is_path = matches!(result.kind, Kind::Path { .. });
        let step = last_step(result);
        if step.group.is_some() {
            return Err((Fault::new("S0209"), offset));
        }
        for &slot in &predicate.seeking {
            if self.levels[slot] == 1 {
                self.seek(step, slot)?;
            } else {
                self.levels[slot] -= 1;
            }
        }
        step.seeking.extend(seeking_of(&predicate));
        step.height = step.height.max(predicate.height + 1);
        let stage = Stage::Filter(predicate);
        if is_path {
            step.stages.push(stage)
        } else {
            step.predicates.push(stage)
        }
        Ok(())
    }

    /// Finds the steps that the last step's `%`s mean.
    fn resolve_parents(&mut self, path: &mut Node, steps: &mut [Node]) -> Result<(), Misread> {
        let Some(slots) = steps.last().map(seeking_of) else { return Ok(()) };
        for slot in slots {
            let mut before = steps.len() - 1;
            while self.levels[slot] > 0 {
                if before == 0 {
                    path.seeking.push(slot);
                    break;
                }
                before -= 1;
                // Steps that only bind a variable start from the same value.
                while before > 0 && steps[before].focus.is_some() && steps[before - 1].focus.is_some() {
                    before -= 1;
                }
                self.seek(&mut steps[before], slot)?;
            }
        }
        Ok(())
    }

    fn seek(&mut self, node: &mut Node, slot: usize) -> Result<(), Misread> {
        match &mut node.kind {
            Kind::Name(_) | Kind::Wildcard => {
                self.levels[slot] = self.levels[slot].saturating_sub(1);
                if self.levels[slot] == 0 {
                    if let Some(other) = node.ancestor {
                        self.labels[slot] = self.labels[other];
                    }
                    node.ancestor = Some(slot);
                    node.tuple = true;
                }
            }
            Kind::Parent(_) => self.levels[slot] += 1,
            Kind::Block(parts) => {
                if let Some(last) = parts.last_mut() {
                    node.tuple = true;
                    self.seek(last, slot)?;
                }
            }
            Kind::Path { steps, .. } => {
                node.tuple = true;
                let mut steps = steps.iter_mut().rev();
                if let Some(last) = steps.next() {
                    self.seek(last, slot)?;
                }
                for step in steps {
                    if self.levels[slot] == 0 {
                        break;
                    }
                    self.seek(step, slot)?;
                }
            }
            _ => return Err((Fault::new("S0217"), node.offset)),
        }
        Ok(())
    }
}

/// A node of resolved parts, and what it has of them.
fn finished(mut node: Node) -> Node {
    node.keep_array = matches!(&node.kind, Kind::Apply(left, right) if left.keep_array || right.keep_array);
    node.cons_array = matches!(&node.kind, Kind::Block(parts) if parts.iter().any(starts_with_array));
    if matches!(node.kind, Kind::Lambda(_) | Kind::Apply(..) | Kind::Transform { .. }) {
        return node;
    }
    // What is called is no part of it.
    let procedure = match &node.kind {
        Kind::Call { procedure, .. } | Kind::Partial { procedure, .. } => {
            Some(std::ptr::from_ref(&**procedure))
        }
        _ => None,
    };
    let mut seeking = Vec::new();
    node.each_child(&mut |child| {
        if procedure != Some(std::ptr::from_ref(child)) {
            seeking.extend(seeking_of(child));
        }
    });
    with_seeking(node, seeking)
}

/// The `%`s in a node whose step is further out.
fn seeking_of(node: &Node) -> Vec<usize> {
    let own = match node.kind {
        Kind::Parent(slot) => Some(slot),
        _ => None,
    };
    node.seeking.iter().copied().chain(own).collect()
}

fn with_seeking(mut node: Node, seeking: Vec<usize>) -> Node {
    node.seeking = seeking;
    node
}

/// A path taken apart, or the start of one: what it has besides steps, its steps, and whether one value stays an array.
fn opened(mut node: Node, offset: usize) -> (Node, Vec<Node>, bool) {
    match &mut node.kind {
        Kind::Path { steps, keep_singleton } => {
            let (steps, keep_singleton) = (std::mem::take(steps), *keep_singleton);
            (node, steps, keep_singleton)
        }
        _ => (Node::new(Kind::Path { steps: Vec::new(), keep_singleton: false }, offset), vec![node], false),
    }
}

fn closed(mut result: Node, steps: Vec<Node>, keep_singleton: bool) -> Node {
    result.height = 1 + steps.iter().map(|step| step.height).max().unwrap_or(0);
    result.kind = Kind::Path { steps, keep_singleton };
    result
}

/// The last step of a path; anything else is its own.
fn last_step(node: &mut Node) -> &mut Node {
    let is_path = matches!(&node.kind, Kind::Path { steps, .. } if !steps.is_empty());
    if !is_path {
        return node;
    }
    let Node { kind: Kind::Path { steps, .. }, .. } = node else { unreachable!("a path, as was just seen") };
    let last = steps.len() - 1;
    &mut steps[last]
}

fn starts_with_array(node: &Node) -> bool {
    let first = match &node.kind {
        Kind::Path { steps, .. } => steps.first(),
        _ => None,
    };
    node.cons_array || first.is_some_and(|step| step.cons_array)
}

/// Marks the calls in the tail of a function.
fn tail(mut node: Node) -> Node {
    match node.kind {
        Kind::Call { .. } if node.predicates.is_empty() => {
            let offset = node.offset;
            Node::new(Kind::Tail(Box::new(node)), offset)
        }
        Kind::Condition { condition, then, otherwise } => {
            let then = Box::new(tail(*then));
            let otherwise = otherwise.map(|node| Box::new(tail(*node)));
            node.kind = Kind::Condition { condition, then, otherwise };
            node
        }
        Kind::Block(mut parts) => {
            if let Some(last) = parts.pop() {
                parts.push(tail(last));
            }
            node.kind = Kind::Block(parts);
            node
        }
        _ => node,
    }
}
