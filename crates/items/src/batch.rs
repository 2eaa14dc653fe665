//! `ItemBatcher`: items put together, a batch for each child execution.

use faastlane_payload::Payload;
use serde_json::{Value, json};

use crate::error::ItemsError;

/// How large a batch is, and what goes into each. Step Functions wants at least one of the two limits; the limit of a
/// child's input holds anyway, so that the caller puts it into `max_input_bytes` if that is the smaller one.
#[derive(Clone, Debug, PartialEq)]
pub struct Batcher {
    /// `MaxItemsPerBatch`; at least 1.
    pub max_items: Option<u64>,
    /// `MaxInputBytesPerBatch`: bytes of the JSON text of a child's whole input, `BatchInput` included.
    pub max_input_bytes: u64,
    /// `BatchInput`, evaluated.
    pub batch_input: Option<Payload>,
}

impl Batcher {
    /// The inputs of the child executions: `{"BatchInput": …, "Items": […]}`, in the order of the items.
    pub fn batches<I, E>(&self, items: I) -> Batches<I::IntoIter>
    where
        I: IntoIterator<Item = Result<Payload, E>>,
        E: From<ItemsError>,
    {
        Batches { batcher: self.clone(), items: items.into_iter(), next: None, ended: false }
    }
}

/// An iterator over batches; it holds one batch and the item after it.
pub struct Batches<I> {
    batcher: Batcher,
    items: I,
    /// What did not fit any more.
    next: Option<(Value, u64)>,
    ended: bool,
}

impl<I, E> Batches<I>
where
    I: Iterator<Item = Result<Payload, E>>,
    E: From<ItemsError>,
{
    fn item(&mut self) -> Result<Option<(Value, u64)>, E> {
        if let Some(item) = self.next.take() {
            return Ok(Some(item));
        }
        match self.items.next() {
            None => Ok(None),
            Some(item) => {
                let item = item?;
                let length = json_length(&item)?;
                Ok(Some((value_of(&item)?, length)))
            }
        }
    }

    fn batch(&mut self) -> Result<Option<Payload>, E> {
        let batch_input = self.batcher.batch_input.clone();
        let frame = match &batch_input {
            None => r#"{"Items":[]}"#.len() as u64,
            Some(input) => r#"{"BatchInput":,"Items":[]}"#.len() as u64 + json_length(input)?,
        };
        let limit = self.batcher.max_input_bytes;
        let most = self.batcher.max_items.map_or(u64::MAX, |items| items.max(1));
        let (mut items, mut bytes) = (Vec::new(), frame);
        while (items.len() as u64) < most {
            let Some((item, length)) = self.item()? else { break };
            let with_comma = length + u64::from(!items.is_empty());
            if bytes + with_comma > limit {
                if items.is_empty() {
                    return Err(ItemsError::too_large("A batch of one item", limit).into());
                }
                self.next = Some((item, length));
                break;
            }
            bytes += with_comma;
            items.push(item);
        }
        if items.is_empty() {
            return Ok(None);
        }
        let batch = match &batch_input {
            None => json!({ "Items": items }),
            Some(input) => json!({ "BatchInput": value_of(input)?, "Items": items }),
        };
        Ok(Some(Payload::from_value(batch)))
    }
}

impl<I, E> Iterator for Batches<I>
where
    I: Iterator<Item = Result<Payload, E>>,
    E: From<ItemsError>,
{
    type Item = Result<Payload, E>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let batch = self.batch().transpose();
        self.ended = !matches!(batch, Some(Ok(_)));
        batch
    }
}

fn json_length(payload: &Payload) -> Result<u64, ItemsError> {
    match payload.to_json() {
        Ok(text) => Ok(text.len() as u64),
        Err(error) => Err(ItemsError::runtime(format!("An item cannot be put into a batch: {error}."))),
    }
}

fn value_of(payload: &Payload) -> Result<Value, ItemsError> {
    match payload.value() {
        Ok(value) => Ok(value.clone()),
        Err(error) => Err(ItemsError::runtime(format!("An item cannot be put into a batch: {error}."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn batches(batcher: &Batcher, items: &[Value]) -> Vec<Result<Value, ItemsError>> {
        let items = items.iter().map(|item| Ok::<_, ItemsError>(Payload::from_value(item.clone())));
        batcher.batches(items).map(|batch| batch.map(|batch| batch.value().unwrap().clone())).collect()
    }

    #[test]
    fn by_number_with_input() {
        let input = Payload::from_value(json!({ "factCheck": "December 2022" }));
        let batcher = Batcher { max_items: Some(2), max_input_bytes: 1000, batch_input: Some(input) };
        let expected = [
            Ok(json!({ "BatchInput": { "factCheck": "December 2022" }, "Items": [1, 2] })),
            Ok(json!({ "BatchInput": { "factCheck": "December 2022" }, "Items": [3] })),
        ];
        assert_eq!(batches(&batcher, &[json!(1), json!(2), json!(3)]), expected);
    }

    #[test]
    fn by_bytes_of_the_whole_input() {
        // {"Items":["aa","bb"]} has 21 bytes.
        let items = [json!("aa"), json!("bb"), json!("cc")];
        let batcher = |bytes| Batcher { max_items: None, max_input_bytes: bytes, batch_input: None };
        assert_eq!(
            batches(&batcher(21), &items),
            [Ok(json!({ "Items": ["aa", "bb"] })), Ok(json!({ "Items": ["cc"] }))]
        );
        assert_eq!(batches(&batcher(20), &items).len(), 3);
        let refused = batches(&batcher(15), &items);
        assert_eq!(refused, [Err(ItemsError::too_large("A batch of one item", 15))]);
    }

    #[test]
    fn no_items_make_no_batch() {
        let batcher = Batcher { max_items: Some(1), max_input_bytes: 100, batch_input: None };
        assert_eq!(batches(&batcher, &[]), []);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_limit_passed(
            items in proptest::collection::vec("[a-z]{0,20}", 0..50), most in 1_u64..10, bytes in 40_u64..200,
        ) {
            let items: Vec<Value> = items.into_iter().map(Value::String).collect();
            let batcher = Batcher { max_items: Some(most), max_input_bytes: bytes, batch_input: None };
            let mut seen = Vec::new();
            for batch in batches(&batcher, &items) {
                let batch = batch.unwrap();
                prop_assert!(batch.to_string().len() as u64 <= bytes);
                let batch = batch["Items"].as_array().unwrap();
                prop_assert!(!batch.is_empty() && batch.len() as u64 <= most);
                seen.extend(batch.iter().cloned());
            }
            prop_assert_eq!(seen, items);
        }
    }
}
