//! What the objects of a payload were like that have been decoded: those in an array mostly have the same keys in the same order.

use crate::object::Object;

/// Deeper ones are not remembered.
const LEVELS: usize = 6;
/// Nor are objects with more members.
const MEMBERS: usize = 24;

/// The last object of each level of nesting, while one payload is decoded.
pub(crate) struct Shapes<'a, 'b>([Shape<'a, 'b>; LEVELS]);

/// The last object of one level.
pub(crate) struct Shape<'a, 'b> {
    /// None when there is none to go by.
    dict: Option<Object<'a>>,
    /// How many members it has, each another key.
    count: usize,
    members: [Option<Member<'a, 'b>>; MEMBERS],
}

pub(crate) struct Member<'a, 'b> {
    pub(crate) key: &'b [u8],
    pub(crate) string: Object<'a>,
    /// The value's flat form where it cannot be changed, so that two may have it; else empty.
    pub(crate) value: &'b [u8],
}

impl<'a, 'b> Shapes<'a, 'b> {
    pub(crate) fn new() -> Self {
        Self([const { Shape { dict: None, count: 0, members: [const { None }; MEMBERS] } }; LEVELS])
    }

    pub(crate) fn at(&mut self, level: usize) -> Option<&mut Shape<'a, 'b>> {
        self.0.get_mut(level)
    }
}

impl<'a, 'b> Shape<'a, 'b> {
    /// The last object, if it has so many members: another one may be like it.
    pub(crate) fn last(&self, count: usize) -> Option<&Object<'a>> {
        self.dict.as_ref().filter(|_| self.count == count)
    }

    pub(crate) fn member(&mut self, at: usize) -> Option<&mut Member<'a, 'b>> {
        self.members.get_mut(at)?.as_mut()
    }

    /// To be called for each member of a new object.
    pub(crate) fn set_member(&mut self, at: usize, member: Member<'a, 'b>) {
        self.dict = None;
        if let Some(place) = self.members.get_mut(at) {
            *place = Some(member);
        }
    }

    /// All members are set: of `dict`, which is the last object now.
    pub(crate) fn set_last(&mut self, dict: &Object<'a>, count: usize) {
        // With a key that comes twice, members and dict would not agree.
        let agrees = (1..=MEMBERS).contains(&count) && dict.dict_len() == count;
        (self.dict, self.count) = (agrees.then(|| dict.clone()), count);
    }
}
