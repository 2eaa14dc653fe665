//! Variables while an expression is evaluated.

use super::value::{Key, Tuple, Value, bury};
use std::cell::RefCell;
use std::rc::{Rc, Weak};

/// Variables, and the scope around them.
#[derive(Clone)]
pub(super) struct Frame<'a>(Rc<Variables<'a>>);

struct Variables<'a>(RefCell<Inner<'a>>);

#[derive(Default)]
struct Inner<'a> {
    bindings: Vec<(Key<'a>, Value<'a>)>,
    around: Option<Frame<'a>>,
}

/// A frame that a function was bound in: the function may hold the frame in turn.
pub(super) struct Knot<'a>(Weak<Variables<'a>>);

impl<'a> Frame<'a> {
    pub(super) fn new(bindings: Vec<(Key<'a>, Value<'a>)>, around: Option<&Frame<'a>>) -> Frame<'a> {
        Frame(Rc::new(Variables(RefCell::new(Inner { bindings, around: around.cloned() }))))
    }

    pub(super) fn of_tuple(tuple: &Tuple<'a>, around: &Frame<'a>) -> Frame<'a> {
        Frame::new(tuple.bindings.clone(), Some(around))
    }

    pub(super) fn bind(&self, key: Key<'a>, value: Value<'a>) {
        let bindings = &mut self.0.0.borrow_mut().bindings;
        let replaced = match bindings.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => std::mem::replace(known, value),
            None => {
                bindings.push((key, value));
                return;
            }
        };
        bury(vec![replaced]);
    }

    /// `None` where nothing of that name was ever bound.
    pub(super) fn find(&self, key: Key<'a>) -> Option<Value<'a>> {
        let mut frame = self.clone();
        loop {
            let around = {
                let inner = frame.0.0.borrow();
                if let Some((_, value)) = inner.bindings.iter().find(|(known, _)| *known == key) {
                    return Some(value.clone());
                }
                inner.around.clone()?
            };
            frame = around;
        }
    }

    pub(super) fn knot(&self) -> Knot<'a> {
        Knot(Rc::downgrade(&self.0))
    }

    /// Takes the frames apart that nobody else has.
    pub(super) fn empty_into(self, out: &mut Vec<Value<'a>>) {
        let mut next = Some(self);
        while let Some(frame) = next {
            if Rc::strong_count(&frame.0) > 1 {
                return;
            }
            let inner = std::mem::take(&mut *frame.0.0.borrow_mut());
            out.extend(inner.bindings.into_iter().map(|(_, value)| value));
            next = inner.around;
        }
    }
}

impl Drop for Variables<'_> {
    fn drop(&mut self) {
        let inner = std::mem::take(self.0.get_mut());
        let mut grave: Vec<Value<'_>> = inner.bindings.into_iter().map(|(_, value)| value).collect();
        if let Some(around) = inner.around {
            around.empty_into(&mut grave);
        }
        bury(grave);
    }
}

impl Knot<'_> {
    /// Unbinds what is bound there, so that functions and frames that hold each other go away.
    pub(super) fn untie(&self) {
        if let Some(variables) = self.0.upgrade() {
            let bindings = std::mem::take(&mut variables.0.borrow_mut().bindings);
            bury(bindings.into_iter().map(|(_, value)| value).collect());
        }
    }
}
