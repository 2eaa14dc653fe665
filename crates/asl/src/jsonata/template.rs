//! A value in which every string `{% … %}` is an expression.

use super::{Environment, Expression, QueryError, Scope, delimited};
use serde_json::{Map, Value};

/// A parsed template.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    root: Node,
}

/// What holds no expression is kept as one literal, however large.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    Literal(Value),
    Object(Vec<(String, Node)>),
    Array(Vec<Node>),
    Expression(Expression),
}

/// Why a value is not a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// A JSON pointer, from the template's root, to the string that is no expression.
    pub pointer: String,
    /// A lower-case sentence.
    pub message: String,
    /// Bytes from the beginning of the string.
    pub offset: usize,
}

impl Template {
    /// # Errors
    /// A string `{% … %}` holds no JSONata.
    pub fn parse(value: &Value) -> Result<Template, TemplateError> {
        node(value, "").map(|root| Template { root })
    }

    /// The value of a member of the root where it is a literal: `FunctionName` of `lambda:invoke`, say.
    pub fn literal(&self, member: &str) -> Option<&Value> {
        match &self.root {
            Node::Literal(literal) => literal.get(member),
            Node::Object(members) => members.iter().find_map(|(name, node)| match node {
                Node::Literal(literal) if name == member => Some(literal),
                _ => None,
            }),
            _ => None,
        }
    }

    /// The expression, where the whole template is one.
    pub fn expression(&self) -> Option<&Expression> {
        match &self.root {
            Node::Expression(expression) => Some(expression),
            _ => None,
        }
    }

    /// Every expression in it.
    pub fn each_expression<'a>(&'a self, visit: &mut impl FnMut(&'a Expression)) {
        self.root.each_expression(visit);
    }

    /// What it gives; `field` is the name of the field that holds it, for the error.
    ///
    /// # Errors
    /// An expression gives no value: see [`Expression::evaluate`].
    pub fn evaluate(
        &self,
        field: &str,
        scope: &impl Scope,
        environment: &mut Environment<'_>,
    ) -> Result<Value, QueryError> {
        self.root.evaluate(field, scope, environment)
    }
}

impl Node {
    fn each_expression<'a>(&'a self, visit: &mut impl FnMut(&'a Expression)) {
        match self {
            Node::Literal(_) => {}
            Node::Object(members) => members.iter().for_each(|(_, node)| node.each_expression(visit)),
            Node::Array(items) => items.iter().for_each(|node| node.each_expression(visit)),
            Node::Expression(expression) => visit(expression),
        }
    }

    fn evaluate(
        &self,
        field: &str,
        scope: &impl Scope,
        environment: &mut Environment<'_>,
    ) -> Result<Value, QueryError> {
        Ok(match self {
            Node::Literal(literal) => literal.clone(),
            Node::Expression(expression) => expression.evaluate(field, scope, environment)?,
            Node::Object(members) => {
                let mut object = Map::new();
                for (name, node) in members {
                    let value = node.evaluate(&format!("{field}/{name}"), scope, environment)?;
                    object.insert(name.clone(), value);
                }
                Value::Object(object)
            }
            Node::Array(items) => {
                let mut array = Vec::with_capacity(items.len());
                for (index, node) in items.iter().enumerate() {
                    array.push(node.evaluate(&format!("{field}[{index}]"), scope, environment)?);
                }
                Value::Array(array)
            }
        })
    }
}

/// The definition's nesting bounds the recursion.
fn node(value: &Value, pointer: &str) -> Result<Node, TemplateError> {
    let is_literal = |node: &Node| matches!(node, Node::Literal(_));
    match value {
        Value::String(text) => match delimited(text) {
            Some(inner) => match Expression::parse(inner.text) {
                Ok(expression) => Ok(Node::Expression(expression)),
                Err(error) => Err(TemplateError {
                    pointer: pointer.to_owned(),
                    message: error.message,
                    offset: inner.offset + error.offset,
                }),
            },
            None => Ok(Node::Literal(value.clone())),
        },
        Value::Object(object) => {
            let mut members = Vec::with_capacity(object.len());
            for (name, value) in object {
                let token = name.replace('~', "~0").replace('/', "~1");
                members.push((name.clone(), node(value, &format!("{pointer}/{token}"))?));
            }
            let all_literal = members.iter().all(|(_, node)| is_literal(node));
            Ok(if all_literal { Node::Literal(value.clone()) } else { Node::Object(members) })
        }
        Value::Array(array) => {
            let mut items = Vec::with_capacity(array.len());
            for (index, value) in array.iter().enumerate() {
                items.push(node(value, &format!("{pointer}/{index}"))?);
            }
            let all_literal = items.iter().all(is_literal);
            Ok(if all_literal { Node::Literal(value.clone()) } else { Node::Array(items) })
        }
        _ => Ok(Node::Literal(value.clone())),
    }
}
