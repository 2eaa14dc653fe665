//! Names of states, as they are read from reports: the same few come again and again, and each thread makes them once.

use serde::{Deserialize, Deserializer};
use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;

/// More than a workflow has. Names beyond are made anew.
const MOST: usize = 1024;

thread_local! {
    static KNOWN: RefCell<HashSet<Arc<str>>> = RefCell::default();
}

fn known(name: &str) -> Arc<str> {
    KNOWN.with_borrow_mut(|known| {
        if let Some(name) = known.get(name) {
            return Arc::clone(name);
        }
        if known.len() == MOST {
            known.clear();
        }
        let name: Arc<str> = name.into();
        known.insert(Arc::clone(&name));
        name
    })
}

pub(crate) fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<str>, D::Error> {
    Ok(known(<&str>::deserialize(from)?))
}

pub(crate) fn read_some<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Arc<str>>, D::Error> {
    Ok(<Option<&str>>::deserialize(from)?.map(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_made_once_until_there_are_too_many() {
        let first = known("a state");
        assert!(Arc::ptr_eq(&first, &known("a state")));
        (0..MOST).for_each(|number| drop(known(&number.to_string())));
        assert!(!Arc::ptr_eq(&first, &known("a state")));
        assert_eq!(first, known("a state"));
    }
}
