//! What an expression consists of.

use super::pattern::Pattern;
use super::signature::Signature;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A part of an expression, and what is done with its value.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// In bytes from the start of the expression.
    pub(super) offset: usize,
    /// How many levels of nodes are in it. It bounds every recursion over nodes.
    pub(super) height: usize,
    /// `[]`: one value stays an array.
    pub(super) keep_array: bool,
    /// An array constructor at the start or the end of a path: its array is not flattened.
    pub(super) cons_array: bool,
    /// It yields values together with the variables that belong to them.
    pub(super) tuple: bool,
    /// What few nodes have. Elsewhere, so that nodes are small: the parser moves them about on the stack.
    more: Box<More>,
}

/// What belongs to steps and to values that are filtered or grouped.
#[derive(Debug, Default)]
pub(super) struct More {
    /// `@$name`
    pub(super) focus: Option<String>,
    /// `#$name`
    pub(super) index: Option<String>,
    /// The `%` that means what this step starts from.
    pub(super) ancestor: Option<usize>,
    /// The `%`s in it whose step has not been found.
    pub(super) seeking: Vec<usize>,
    /// Filters of a value that is no step of a path.
    pub(super) predicates: Vec<Stage>,
    /// What is done with the values of a step.
    pub(super) stages: Vec<Stage>,
    pub(super) group: Option<Pairs>,
}

impl Deref for Node {
    type Target = More;

    fn deref(&self) -> &More {
        &self.more
    }
}

impl DerefMut for Node {
    fn deref_mut(&mut self) -> &mut More {
        &mut self.more
    }
}

pub(super) type Pairs = Vec<(Node, Node)>;

#[derive(Debug)]
pub(super) enum Kind {
    Name(String),
    Text(String),
    Number(f64),
    /// `true`, `false` and, where there is nothing, `null`.
    Constant(Option<bool>),
    /// Without the `$`; `$` alone is empty, `$$` is `$`.
    Variable(String),
    Wildcard,
    Descendants,
    /// `%`; the number counts the `%`s of the expression.
    Parent(usize),
    Pattern(Arc<Pattern>),
    Binary(Operator, Box<Node>, Box<Node>),
    Negate(Box<Node>),
    Array(Vec<Node>),
    Object(Pairs),
    Call {
        procedure: Box<Node>,
        arguments: Vec<Node>,
    },
    /// A call with `?` for some of the arguments.
    Partial {
        procedure: Box<Node>,
        arguments: Vec<Option<Node>>,
    },
    Lambda(Lambda),
    /// A call in the tail of a function, which takes its place.
    Tail(Box<Node>),
    Condition {
        condition: Box<Node>,
        then: Box<Node>,
        otherwise: Option<Box<Node>>,
    },
    Block(Vec<Node>),
    Bind(String, Box<Node>),
    Apply(Box<Node>, Box<Node>),
    Transform {
        pattern: Box<Node>,
        update: Box<Node>,
        delete: Option<Box<Node>>,
    },
    Path {
        steps: Vec<Node>,
        keep_singleton: bool,
    },
    Sort(Vec<Term>),
    /// What only the parser knows.
    Raw(Raw),
}

/// Forms that become parts of a path.
#[derive(Debug)]
pub(super) enum Raw {
    Dot(Box<Node>, Box<Node>),
    Filter(Box<Node>, Box<Node>),
    Group(Box<Node>, Pairs),
    Order(Box<Node>, Vec<Term>),
    Focus(Box<Node>, String),
    Index(Box<Node>, String),
    /// The end of the text, where a value should be.
    End,
}

#[derive(Debug)]
pub(super) struct Lambda {
    pub(super) parameters: Vec<String>,
    pub(super) signature: Option<Arc<Signature>>,
    pub(super) body: Box<Node>,
}

#[derive(Debug)]
pub(super) enum Stage {
    Filter(Node),
    Index(String),
}

#[derive(Debug)]
pub(super) struct Term {
    pub(super) descending: bool,
    pub(super) expression: Node,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Concatenate,
    And,
    Or,
    In,
    Range,
}

impl Operator {
    pub(super) const ALL: [(Operator, &'static str); 16] = [
        (Operator::Add, "+"),
        (Operator::Subtract, "-"),
        (Operator::Multiply, "*"),
        (Operator::Divide, "/"),
        (Operator::Remainder, "%"),
        (Operator::Equal, "="),
        (Operator::NotEqual, "!="),
        (Operator::Less, "<"),
        (Operator::LessOrEqual, "<="),
        (Operator::Greater, ">"),
        (Operator::GreaterOrEqual, ">="),
        (Operator::Concatenate, "&"),
        (Operator::And, "and"),
        (Operator::Or, "or"),
        (Operator::In, "in"),
        (Operator::Range, ".."),
    ];

    pub(super) fn of(symbol: &str) -> Option<Operator> {
        Operator::ALL.iter().find(|(_, known)| *known == symbol).map(|(operator, _)| *operator)
    }

    pub(super) fn symbol(self) -> &'static str {
        Operator::ALL.iter().find(|(known, _)| *known == self).map_or("", |(_, symbol)| symbol)
    }
}

impl Node {
    pub(super) fn new(kind: Kind, offset: usize) -> Node {
        let mut height = 0;
        kind.each_child(&mut |child| height = height.max(child.height));
        Node {
            kind,
            offset,
            height: height + 1,
            keep_array: false,
            cons_array: false,
            tuple: false,
            more: Box::default(),
        }
    }

    /// Every node directly in this one, in the order of the text as far as it matters.
    pub(super) fn each_child<'a>(&'a self, visit: &mut impl FnMut(&'a Node)) {
        self.kind.each_child(visit);
        for stage in self.predicates.iter().chain(&self.stages) {
            if let Stage::Filter(filter) = stage {
                visit(filter);
            }
        }
        for (key, value) in self.group.iter().flatten() {
            visit(key);
            visit(value);
        }
    }
}

impl Kind {
    fn each_child<'a>(&'a self, visit: &mut impl FnMut(&'a Node)) {
        match self {
            Kind::Binary(_, left, right) | Kind::Apply(left, right) => {
                visit(left);
                visit(right);
            }
            Kind::Negate(node) | Kind::Bind(_, node) | Kind::Tail(node) => visit(node),
            Kind::Lambda(lambda) => visit(&lambda.body),
            Kind::Array(nodes) | Kind::Block(nodes) | Kind::Path { steps: nodes, .. } => {
                nodes.iter().for_each(visit);
            }
            Kind::Object(pairs) => pairs.iter().for_each(|(key, value)| {
                visit(key);
                visit(value);
            }),
            Kind::Call { procedure, arguments } => {
                visit(procedure);
                arguments.iter().for_each(visit);
            }
            Kind::Partial { procedure, arguments } => {
                visit(procedure);
                arguments.iter().flatten().for_each(visit);
            }
            Kind::Condition { condition, then, otherwise } => {
                visit(condition);
                visit(then);
                otherwise.iter().for_each(|node| visit(node));
            }
            Kind::Transform { pattern, update, delete } => {
                visit(pattern);
                visit(update);
                delete.iter().for_each(|node| visit(node));
            }
            Kind::Sort(terms) => terms.iter().for_each(|term| visit(&term.expression)),
            Kind::Raw(raw) => raw.each_child(visit),
            Kind::Name(_)
            | Kind::Text(_)
            | Kind::Number(_)
            | Kind::Constant(_)
            | Kind::Variable(_)
            | Kind::Wildcard
            | Kind::Descendants
            | Kind::Parent(_)
            | Kind::Pattern(_) => {}
        }
    }
}

impl Raw {
    fn each_child<'a>(&'a self, visit: &mut impl FnMut(&'a Node)) {
        match self {
            Raw::Dot(left, right) | Raw::Filter(left, right) => {
                visit(left);
                visit(right);
            }
            Raw::Group(left, pairs) => {
                visit(left);
                pairs.iter().for_each(|(key, value)| {
                    visit(key);
                    visit(value);
                });
            }
            Raw::Order(left, terms) => {
                visit(left);
                terms.iter().for_each(|term| visit(&term.expression));
            }
            Raw::Focus(left, _) | Raw::Index(left, _) => visit(left),
            Raw::End => {}
        }
    }
}
