//! An array's elements, each found at once.

use std::sync::Arc;

use super::View;
use super::view::HEAD;
use crate::{Payload, PayloadError};

/// The elements of a payload that is an array, with an index of where they lie. Cloning shares it.
#[derive(Clone, Debug, PartialEq)]
pub struct Elements {
    array: Payload,
    /// In the array's flat form; the last one is where the last element ends.
    bounds: Arc<[usize]>,
    depth: usize,
}

impl Elements {
    /// `None` if the payload is no array.
    ///
    /// # Errors
    /// [`PayloadError::Damaged`] and [`PayloadError::TooDeep`] as [`Payload::view`].
    pub fn of(array: &Payload) -> Result<Option<Elements>, PayloadError> {
        let view = array.view()?;
        let Some(elements) = view.elements() else { return Ok(None) };
        let mut end = HEAD;
        let mut bounds = vec![end];
        bounds.extend(elements.map(|element| {
            end += element.bytes().len();
            end
        }));
        let depth = view.depth().saturating_sub(1);
        Ok(Some(Elements { array: array.clone(), bounds: bounds.into(), depth }))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.bounds.len() - 1
    }

    /// # Panics
    /// When there is no element at the position.
    pub fn get(&self, position: usize) -> View<'_> {
        View::new(&self.array, self.bounds[position]..self.bounds[position + 1], self.depth)
    }
}
