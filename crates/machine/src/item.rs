//! The items of a Map: where they lie, and what the context object tells of them.
//!
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html#contextobject-map>.

use crate::event::ReadItem;
use faastlane_payload::flat::{Draft, Elements, View};
use faastlane_payload::{Payload, PayloadError};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// `Map.Item.Source` of what comes from the state's input.
const STATE_DATA: &str = "STATE_DATA";

const KEY: &str = "Key";
const VALUE: &str = "Value";

/// Items that are there as a whole: an array's elements, or an object's members.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct List {
    /// Of an object, `{"Key": …, "Value": …}` for each member.
    elements: Elements,
    of_object: bool,
    /// Where a reader would have read them; `None` where they are the state's own data.
    source: Option<Arc<str>>,
}

impl List {
    /// `None` if the payload is no array.
    pub(crate) fn of_array(items: &Payload) -> Result<Option<List>, PayloadError> {
        let elements = Elements::of(items)?;
        Ok(elements.map(|elements| List { elements, of_object: false, source: None }))
    }

    /// `None` if the payload is neither an array nor an object. Members come as they were written; of two with one
    /// name, the last one counts.
    pub(crate) fn of(items: &Payload) -> Result<Option<List>, PayloadError> {
        let Some(members) = items.view()?.members() else { return List::of_array(items) };
        let mut pairs: Vec<(&str, View<'_>)> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for (key, value) in members {
            let place = *places.entry(key).or_insert(pairs.len());
            match pairs.get_mut(place) {
                Some(pair) => pair.1 = value,
                None => pairs.push((key, value)),
            }
        }
        let pairs = pairs.into_iter().map(|(key, value)| pair(key, value)).collect();
        let elements = Elements::of(&Payload::from_draft(&Draft::Array(pairs)))?;
        Ok(elements.map(|elements| List { elements, of_object: true, source: None }))
    }

    /// The same, read from `source`, and no more than `most` of them.
    pub(crate) fn read_from(self, source: Arc<str>, most: usize) -> Result<List, PayloadError> {
        let source = Some(source);
        if self.count() <= most {
            return Ok(List { source, ..self });
        }
        let first = (0..most).map(|index| Draft::Part(self.elements.get(index))).collect();
        let elements = Elements::of(&Payload::from_draft(&Draft::Array(first)))?;
        Ok(List { elements: elements.unwrap_or(self.elements), source, of_object: self.of_object })
    }

    pub(crate) fn count(&self) -> usize {
        self.elements.count()
    }
}

/// An item of a Map.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item {
    pub(crate) place: Place,
    pub(crate) index: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Place {
    /// Still in its list.
    In(List),
    Alone(ReadItem),
}

impl Item {
    /// What an iteration starts with where no `ItemSelector` says otherwise: the value; of an object's member,
    /// `{"Key": …, "Value": …}`.
    pub(crate) fn input(&self) -> Result<Payload, PayloadError> {
        Ok(match &self.place {
            Place::In(list) => Payload::from_draft(&list.elements.get(self.index as usize).into()),
            Place::Alone(item) => match &item.key {
                None => item.value.clone(),
                Some(key) => Payload::from_draft(&pair(key, item.value.view()?)),
            },
        })
    }

    /// `Map.Item` of the context object; its value only where anybody looks at it.
    pub(crate) fn context(&self, with_value: bool) -> Result<Draft<'_>, PayloadError> {
        let (key, source, value): (Option<Draft<'_>>, &str, View<'_>) = match &self.place {
            Place::In(list) => {
                let element = list.elements.get(self.index as usize);
                let part = |name| element.member(name).filter(|_| list.of_object);
                let source = list.source.as_deref().unwrap_or(STATE_DATA);
                (part(KEY).map(Draft::Part), source, part(VALUE).unwrap_or(element))
            }
            Place::Alone(item) => {
                let key = item.key.as_deref().map(|key| Draft::Value(Value::from(key)));
                (key, &item.source, item.value.view()?)
            }
        };
        let mut members = vec![("Index".into(), json!(self.index).into())];
        members.extend(key.map(|key| (KEY.into(), key)));
        members.push(("Source".into(), json!(source).into()));
        if with_value {
            members.push((VALUE.into(), value.into()));
        }
        Ok(Draft::Object(members))
    }
}

fn pair<'a>(key: &str, value: View<'a>) -> Draft<'a> {
    Draft::Object(vec![(KEY.into(), json!(key).into()), (VALUE.into(), value.into())])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(list: &List, index: u32) -> Value {
        let item = Item { place: Place::In(list.clone()), index };
        Payload::from_draft(&item.context(true).unwrap()).value().unwrap().clone()
    }

    #[test]
    fn of_two_members_with_one_name_the_last_counts() {
        let twice = Draft::Object(vec![
            ("a".into(), json!(1).into()),
            ("b".into(), json!(2).into()),
            ("a".into(), json!(3).into()),
        ]);
        let list = List::of(&Payload::from_draft(&twice)).unwrap().unwrap();
        assert_eq!(list.count(), 2);
        let expected = |index: u32, key: &str, value: u32| json!({ "Index": index, "Key": key, "Source": "STATE_DATA", "Value": value });
        assert_eq!([item(&list, 0), item(&list, 1)], [expected(0, "a", 3), expected(1, "b", 2)]);
    }

    #[test]
    fn a_part_of_a_list_is_a_list() {
        let list = List::of(&Payload::from_value(json!({ "a": 1, "b": 2 }))).unwrap().unwrap();
        let part = list.clone().read_from("s3://b/k".into(), 1).unwrap();
        assert_eq!((part.count(), part.of_object), (1, true));
        assert_eq!(item(&part, 0), json!({ "Index": 0, "Key": "a", "Source": "s3://b/k", "Value": 1 }));
        assert_eq!(list.read_from("s3://b/k".into(), 2).unwrap().count(), 2);
    }

    /// A member that is named as the parts of a pair are, is a value like any other.
    #[test]
    fn an_array_of_pairs_has_no_keys() {
        let pairs = json!([{ "Key": "k", "Value": 1 }]);
        let list = List::of(&Payload::from_value(pairs.clone())).unwrap().unwrap();
        assert_eq!(item(&list, 0), json!({ "Index": 0, "Source": "STATE_DATA", "Value": pairs[0] }));
    }
}
