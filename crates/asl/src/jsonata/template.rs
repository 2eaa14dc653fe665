//! Values in which every string that is wholly `{% … %}` is an expression: `Arguments`, `Output`, `Assign`, `Items` and
//! the like.

use super::{Environment, EvaluationError, Expression, Scope};
use faastlane_payload::Payload;
use serde_json::Value;

/// A parsed template.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    root: Node,
}

/// What holds no expression is kept as one literal, however large.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    Literal(Value),
    Expression(Expression),
    Object(Vec<(String, Node)>),
    Array(Vec<Node>),
}

/// Why a value is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// A JSON pointer, from the template's root, to the string that is no expression.
    pub pointer: String,
    /// The message that Step Functions gives.
    pub message: String,
    /// Where in that string, in bytes.
    pub offset: usize,
}

/// `States.QueryEvaluationError`, in Step Functions' words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    #[error(
        "The JSONata expression '{expression}' specified for the field '{field}' returned nothing (undefined)."
    )]
    Undefined { expression: String, field: String },
    /// The result is a function, or has one in it.
    #[error(
        "The JSONata expression '{expression}' specified for the field '{field}' returned an unsupported result type."
    )]
    Unsupported { expression: String, field: String },
    #[error(
        "The JSONata expression '{expression}' specified for the field '{field}' returned an unexpected result type. Expected '{expected}', but was '{actual}' for value: {value}"
    )]
    Unexpected {
        expression: String,
        field: String,
        expected: &'static str,
        actual: &'static str,
        /// As JSON.
        value: String,
    },
    #[error(
        "The JSONata expression '{expression}' specified for the field '{field}' threw an error during evaluation{error}"
    )]
    Failed { expression: String, field: String, error: EvaluationError },
}

impl QueryError {
    /// The field that the expression stands in, with the way inside of it: `Output/total`.
    pub fn field(&self) -> &str {
        match self {
            QueryError::Undefined { field, .. }
            | QueryError::Unsupported { field, .. }
            | QueryError::Unexpected { field, .. }
            | QueryError::Failed { field, .. } => field,
        }
    }

    /// The result is of another type than the field takes: `expected` is `array`, `boolean`, `number`, `string` or
    /// `object`.
    pub fn unexpected(
        expression: &Expression,
        field: &str,
        expected: &'static str,
        value: &Value,
    ) -> QueryError {
        QueryError::Unexpected {
            expression: expression.as_str().to_owned(),
            field: field.to_owned(),
            expected,
            actual: type_name(value),
            value: value.to_string(),
        }
    }
}

/// What Step Functions calls the type of a value in its messages.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The text between `{%` and `%}`, if that is what a string consists of.
pub fn expression_in(text: &str) -> Option<&str> {
    text.strip_prefix("{%")?.strip_suffix("%}")
}

impl Template {
    /// # Errors
    /// A string that is wholly `{% … %}` holds no expression.
    pub fn parse(value: &Value) -> Result<Template, TemplateError> {
        node(value, &mut Vec::new()).map(|root| Template { root })
    }

    /// Whether there is no expression in it.
    pub fn is_literal(&self) -> bool {
        matches!(self.root, Node::Literal(_))
    }

    /// The value, if there is no expression in it.
    pub fn as_literal(&self) -> Option<&Value> {
        if let Node::Literal(value) = &self.root { Some(value) } else { None }
    }

    /// The expression that is all of it.
    pub fn as_expression(&self) -> Option<&Expression> {
        if let Node::Expression(expression) = &self.root { Some(expression) } else { None }
    }

    /// The value of a member of the root where it is a literal: `FunctionName` of `lambda:invoke`, say.
    pub fn literal(&self, member: &str) -> Option<&Value> {
        match &self.root {
            Node::Literal(value) => value.get(member),
            Node::Object(members) => members.iter().find_map(|(name, node)| match node {
                Node::Literal(value) if name == member => Some(value),
                _ => None,
            }),
            _ => None,
        }
    }

    /// Every expression in it.
    pub fn expressions(&self) -> Vec<&Expression> {
        let mut all = Vec::new();
        self.root.each_expression(&mut |expression| all.push(expression));
        all
    }

    /// Whether any expression of it may read this part of `$states`: see [`Expression::may_read_states`].
    pub fn may_read_states(&self, members: &[&str]) -> bool {
        let mut reads = false;
        self.root.each_expression(&mut |expression| reads |= expression.may_read_states(members));
        reads
    }

    /// The value with the expressions filled in; it may nest as deep as the documents that were read. `field` is what errors call the whole: `Output`.
    ///
    /// # Errors
    /// Those of [`Expression::evaluate`], for the first expression that has one.
    pub fn evaluate(
        &self,
        field: &str,
        scope: &impl Scope,
        environment: &mut Environment<'_>,
    ) -> Result<Value, QueryError> {
        self.root.evaluate(&mut field.to_owned(), scope, environment)
    }
}

impl Node {
    fn each_expression<'a>(&'a self, visit: &mut impl FnMut(&'a Expression)) {
        match self {
            Node::Literal(_) => {}
            Node::Expression(expression) => visit(expression),
            Node::Object(members) => members.iter().for_each(|(_, node)| node.each_expression(visit)),
            Node::Array(items) => items.iter().for_each(|node| node.each_expression(visit)),
        }
    }

    /// `field` is as long again at the end as it was.
    fn evaluate(
        &self,
        field: &mut String,
        scope: &impl Scope,
        environment: &mut Environment<'_>,
    ) -> Result<Value, QueryError> {
        let length = field.len();
        Ok(match self {
            Node::Literal(value) => value.clone(),
            Node::Expression(expression) => expression.evaluate(field, scope, environment)?,
            Node::Object(members) => {
                let mut filled = serde_json::Map::with_capacity(members.len());
                for (name, node) in members {
                    field.push('/');
                    field.push_str(name);
                    match node.evaluate(field, scope, environment) {
                        Ok(value) => filled.insert(name.clone(), value),
                        Err(error) => return Err(given_up(Value::Object(filled), error)),
                    };
                    field.truncate(length);
                }
                Value::Object(filled)
            }
            Node::Array(items) => {
                let mut filled = Vec::with_capacity(items.len());
                for (index, node) in items.iter().enumerate() {
                    field.push_str(&format!("[{index}]"));
                    match node.evaluate(field, scope, environment) {
                        Ok(value) => filled.push(value),
                        Err(error) => return Err(given_up(Value::Array(filled), error)),
                    }
                    field.truncate(length);
                }
                Value::Array(filled)
            }
        })
    }
}

/// Lets go of what was filled in so far, which may nest deeper than the compiler's own drop should recurse.
fn given_up(filled: Value, error: QueryError) -> QueryError {
    drop(Payload::from_value(filled));
    error
}

/// `place` holds the names and indices on the way here; the definition's nesting bounds the recursion.
fn node(value: &Value, place: &mut Vec<String>) -> Result<Node, TemplateError> {
    match value {
        Value::Object(object) => {
            let mut members = Vec::with_capacity(object.len());
            for (key, value) in object {
                place.push(key.clone());
                members.push((key.clone(), node(value, place)?));
                place.pop();
            }
            let all_literal = members.iter().all(|(_, node)| matches!(node, Node::Literal(_)));
            Ok(if all_literal { Node::Literal(value.clone()) } else { Node::Object(members) })
        }
        Value::Array(array) => {
            let mut items = Vec::with_capacity(array.len());
            for (index, value) in array.iter().enumerate() {
                place.push(index.to_string());
                items.push(node(value, place)?);
                place.pop();
            }
            let all_literal = items.iter().all(|node| matches!(node, Node::Literal(_)));
            Ok(if all_literal { Node::Literal(value.clone()) } else { Node::Array(items) })
        }
        Value::String(text) => match expression_in(text) {
            Some(inner) => match Expression::parse(inner) {
                Ok(expression) => Ok(Node::Expression(expression)),
                Err(error) => Err(TemplateError {
                    pointer: pointer(place),
                    message: error.message,
                    offset: error.offset + "{%".len(),
                }),
            },
            None => Ok(Node::Literal(value.clone())),
        },
        scalar => Ok(Node::Literal(scalar.clone())),
    }
}

fn pointer(place: &[String]) -> String {
    place.iter().map(|name| format!("/{}", name.replace('~', "~0").replace('/', "~1"))).collect()
}
