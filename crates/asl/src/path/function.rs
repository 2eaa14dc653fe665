//! Functions that end a path: `$.items.length()`, `$.prices.sum()`.

use super::budget::Budget;
use super::evaluate::{Place, position};
use super::{FindError, Found, Path};
use serde_json::{Number, Value, json};

/// A call at the end of a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Function {
    pub(super) kind: Kind,
    pub(super) arguments: Vec<Argument>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Append,
    Avg,
    Concat,
    First,
    Index,
    Keys,
    Last,
    Length,
    Max,
    Min,
    StdDev,
    Sum,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Argument {
    Literal(Value),
    /// `$…`: from the document.
    Path(Path),
}

/// Name, function, and the least and most arguments.
const FUNCTIONS: [(&str, Kind, usize, usize); 13] = [
    ("append", Kind::Append, 1, usize::MAX),
    ("avg", Kind::Avg, 0, usize::MAX),
    ("concat", Kind::Concat, 0, usize::MAX),
    ("first", Kind::First, 0, 0),
    ("index", Kind::Index, 1, 1),
    ("keys", Kind::Keys, 0, 0),
    ("last", Kind::Last, 0, 0),
    ("length", Kind::Length, 0, 0),
    ("max", Kind::Max, 0, usize::MAX),
    ("min", Kind::Min, 0, usize::MAX),
    ("size", Kind::Length, 0, 0),
    ("stddev", Kind::StdDev, 0, usize::MAX),
    ("sum", Kind::Sum, 0, usize::MAX),
];

impl Kind {
    /// # Errors
    /// What there is instead.
    pub(super) fn named(name: &str) -> Result<Kind, String> {
        let found = FUNCTIONS.iter().find(|entry| entry.0 == name).map(|entry| entry.1);
        found.ok_or_else(|| {
            let names: Vec<&str> = FUNCTIONS.iter().map(|entry| entry.0).collect();
            format!("there is no function `{name}()`; there are {}", names.join(", "))
        })
    }

    /// Whether it takes this many arguments.
    pub(super) fn takes(self, count: usize) -> bool {
        FUNCTIONS.iter().any(|entry| entry.1 == self && (entry.2..=entry.3).contains(&count))
    }
}

impl Function {
    /// Whether an argument is a path, so that the whole document is needed.
    pub(super) fn reads_document(&self) -> bool {
        self.arguments.iter().any(|argument| matches!(argument, Argument::Path(_)))
    }

    /// `None` where there is nothing to compute it of.
    pub(super) fn of_value(
        &self,
        value: &Value,
        document: &Value,
        budget: &mut Budget,
    ) -> Result<Option<Value>, FindError> {
        let elements: Option<Vec<&Value>> = value.as_array().map(|array| array.iter().collect());
        match (self.kind, value, elements) {
            (Kind::Length, Value::Object(object), _) => Ok(Some(json!(object.len()))),
            (Kind::Length, Value::Array(array), _) => Ok(Some(json!(array.len()))),
            (Kind::Keys, Value::Object(object), _) => {
                budget.spend(object.len())?;
                Ok(Some(object.keys().map(|key| Value::from(key.as_str())).collect()))
            }
            (Kind::Length | Kind::Keys, ..) => Ok(Some(Value::Null)),
            (Kind::Append, other, None) => {
                budget.spend_on(other)?;
                Ok(Some(other.clone()))
            }
            (_, _, elements) => self.of(elements, document, budget),
        }
    }

    /// Of everything that a path with `..` found.
    pub(super) fn of_all(
        &self,
        values: &[&Value],
        document: &Value,
        budget: &mut Budget,
    ) -> Result<Option<Value>, FindError> {
        match self.kind {
            // As if `[*]` stood before it.
            Kind::Length => Ok(Some(json!(values.iter().map(|value| size(value)).sum::<usize>()))),
            Kind::Keys => Ok(Some(Value::Null)),
            _ => self.of(Some(values.to_vec()), document, budget),
        }
    }

    fn of(
        &self,
        elements: Option<Vec<&Value>>,
        document: &Value,
        budget: &mut Budget,
    ) -> Result<Option<Value>, FindError> {
        let mut arguments = Vec::with_capacity(self.arguments.len());
        for argument in &self.arguments {
            match argument.value(document, budget)? {
                Some(value) => arguments.push(value),
                None => return Ok(None),
            }
        }
        budget.spend(elements.as_ref().map_or(0, Vec::len))?;
        Ok(match self.kind {
            Kind::First => chosen(elements, 0, budget)?,
            Kind::Last => chosen(elements, -1, budget)?,
            Kind::Index => match arguments.first().and_then(Value::as_i64) {
                Some(index) => chosen(elements, index, budget)?,
                None => None,
            },
            Kind::Append => {
                let mut whole = Vec::new();
                for element in elements.into_iter().flatten() {
                    budget.spend_on(element)?;
                    whole.push(element.clone());
                }
                whole.extend(arguments);
                Some(Value::Array(whole))
            }
            Kind::Concat => {
                let own = elements.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
                let text: String = own.chain(arguments.iter().flat_map(texts)).collect();
                budget.spend_on_text(&text)?;
                Some(Value::String(text))
            }
            kind => {
                let own = elements.into_iter().flatten();
                let numbers: Vec<f64> =
                    own.chain(arguments.iter().flat_map(parts)).filter_map(Value::as_f64).collect();
                aggregate(kind, &numbers).map(Value::Number)
            }
        })
    }
}

impl Argument {
    fn value(&self, document: &Value, budget: &mut Budget) -> Result<Option<Value>, FindError> {
        let path = match self {
            Argument::Literal(value) => return Ok(Some(value.clone())),
            Argument::Path(path) => path,
        };
        let found = path.select(Place { start: document, document, strict: false }, budget)?;
        found.copied(budget)
    }
}

impl Found<'_> {
    fn copied(self, budget: &mut Budget) -> Result<Option<Value>, FindError> {
        self.spend_on_copy(budget)?;
        Ok(self.into_value().map(std::borrow::Cow::into_owned))
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Array(array) => array.len(),
        Value::Object(object) => object.len(),
        _ => 0,
    }
}

fn chosen(
    elements: Option<Vec<&Value>>,
    index: i64,
    budget: &mut Budget,
) -> Result<Option<Value>, FindError> {
    let elements = elements.unwrap_or_default();
    let Some(found) = position(index, elements.len()).and_then(|position| elements.get(position)) else {
        return Ok(None);
    };
    budget.spend_on(found)?;
    Ok(Some((*found).clone()))
}

/// What an argument adds to the elements: itself, or what is in it.
fn parts(argument: &Value) -> &[Value] {
    match argument {
        Value::Array(array) => array,
        single => std::slice::from_ref(single),
    }
}

fn texts(argument: &Value) -> impl Iterator<Item = String> {
    parts(argument).iter().map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned))
}

/// `None` of no numbers.
fn aggregate(kind: Kind, numbers: &[f64]) -> Option<Number> {
    let count = numbers.len() as f64;
    let total: f64 = numbers.iter().sum();
    let result = match kind {
        Kind::Sum => total,
        Kind::Avg => total / count,
        Kind::Min => numbers.iter().copied().fold(f64::INFINITY, f64::min),
        Kind::Max => numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        _ => {
            let squares: f64 = numbers.iter().map(|number| number * number).sum();
            (squares / count - (total / count).powi(2)).max(0.0).sqrt()
        }
    };
    (!numbers.is_empty()).then(|| Number::from_f64(result)).flatten()
}
