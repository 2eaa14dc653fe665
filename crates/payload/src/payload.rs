use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::Value;

use crate::flat::{self, Draft, Pieces, View};
use crate::{MAX_DEPTH, PayloadError, text};

/// Bytes that a payload keeps alive but that may live elsewhere: a heap buffer, or a region of pages whose
/// ownership moves with the payload.
pub trait Backing: AsRef<[u8]> + Send + Sync + Any {}

impl Backing for Vec<u8> {}

/// One value on its way between states. Cloning shares it.
///
/// It holds a flat form, a decoded value, or both; or the pieces of a flat form. The form that it did not come in
/// is made at the first request and kept, so that a payload that is only passed on is never parsed, and one that
/// waits for its turn takes no room.
#[derive(Clone)]
pub struct Payload(Arc<Forms>);

#[derive(Default)]
struct Forms {
    flat: OnceLock<Box<dyn Backing>>,
    /// What the flat form will be made of: its length in bytes, and the pieces until it is made.
    pieces: Option<(usize, Mutex<Pieces>)>,
    /// How deep the flat form nests at most, once it is known to be sound.
    depth: OnceLock<Result<usize, PayloadError>>,
    value: OnceLock<Result<Value, PayloadError>>,
}

impl Payload {
    /// A payload of `value`. Nesting is not checked here: a value beyond [`MAX_DEPTH`](crate::MAX_DEPTH) is
    /// refused by whoever reads its flat form, and by [`Payload::to_json`].
    pub fn from_value(value: Value) -> Payload {
        let forms = Forms::default();
        forms.value.get_or_init(|| Ok(value));
        Payload(Arc::new(forms))
    }

    /// A payload of bytes in the flat form, which are not looked at before [`Payload::value`] or
    /// [`Payload::view`] is called.
    pub fn from_flat(backing: Box<dyn Backing>) -> Payload {
        let forms = Forms::default();
        forms.flat.get_or_init(|| backing);
        Payload(Arc::new(forms))
    }

    /// A payload put together from parts of others. As with [`Payload::from_value`], nesting is not checked here.
    pub fn from_draft(draft: &Draft<'_>) -> Payload {
        let mut pieces = Pieces::default();
        let depth = pieces.add(draft);
        let mut forms = Forms::default();
        if pieces.is_one() {
            forms.flat.get_or_init(|| Box::new(pieces.joined()));
        } else {
            forms.pieces = Some((pieces.length(), Mutex::new(pieces)));
        }
        // A higher bound may be too high: then `view` finds out.
        if depth <= MAX_DEPTH {
            forms.depth.get_or_init(|| Ok(depth));
        }
        Payload(Arc::new(forms))
    }

    /// A payload of one JSON text. As in Python, the last of duplicate keys wins. Numbers keep their value
    /// where `i64` or `f64` can hold it and their text where not.
    ///
    /// # Errors
    /// [`PayloadError::NotJson`] with the place, [`PayloadError::TooDeep`].
    pub fn from_json(json: &str) -> Result<Payload, PayloadError> {
        text::parse(json).map(Payload::from_value)
    }

    /// The decoded value.
    ///
    /// # Errors
    /// [`PayloadError::Damaged`] and [`PayloadError::TooDeep`] when this came as a flat form that is no
    /// payload.
    pub fn value(&self) -> Result<&Value, PayloadError> {
        self.0.value.get_or_init(|| flat::decode(self.0.flat())).as_ref().map_err(PayloadError::clone)
    }

    /// The value where it lies in the flat form, which is checked at the first request.
    ///
    /// # Errors
    /// As [`Payload::value`]; [`PayloadError::TooDeep`] also for a value that was made here.
    pub fn view(&self) -> Result<View<'_>, PayloadError> {
        Ok(View::new(self, 0..self.flat().len(), self.depth()?))
    }

    /// A bound of how deep it nests, for which nothing is put together that need not be.
    ///
    /// # Errors
    /// As [`Payload::view`].
    pub fn depth(&self) -> Result<usize, PayloadError> {
        self.0.depth.get_or_init(|| flat::check(self.flat())).clone()
    }

    /// The flat form; what it came with if that is how it came, however damaged.
    pub fn flat(&self) -> &[u8] {
        self.0.flat()
    }

    /// JSON text in one line. Integers are digits, floats are the shortest text that reads back the same,
    /// written as Python writes them (`1.0`, `1e-07`).
    ///
    /// # Errors
    /// As [`Payload::value`]; [`PayloadError::TooDeep`] also for a value that was made here.
    pub fn to_json(&self) -> Result<String, PayloadError> {
        text::write(self.value()?)
    }

    /// Length of the flat form in bytes: what size limits count.
    #[expect(clippy::len_without_is_empty, reason = "a payload always holds a value, so none is empty")]
    pub fn len(&self) -> usize {
        match (&self.0.pieces, self.0.flat.get()) {
            (Some((length, _)), None) => *length,
            _ => self.flat().len(),
        }
    }

    /// Whether [`Payload::value`] costs nothing any more.
    pub fn is_decoded(&self) -> bool {
        self.0.value.get().is_some()
    }

    /// Gives up the bytes, so that the pages they lie in can move on without a copy.
    ///
    /// # Errors
    /// The payload itself when others share it or when it has no flat form yet.
    pub fn into_backing(self) -> Result<Box<dyn Backing>, Payload> {
        match Arc::try_unwrap(self.0) {
            Ok(mut forms) => forms.flat.take().ok_or_else(|| Payload(Arc::new(forms))),
            Err(shared) => Err(Payload(shared)),
        }
    }
}

impl Forms {
    fn flat(&self) -> &[u8] {
        let backing = self.flat.get_or_init(|| match (&self.pieces, self.value.get()) {
            (Some((_, pieces)), _) => {
                let mut pieces = pieces.lock().unwrap_or_else(PoisonError::into_inner);
                Box::new(std::mem::take(&mut *pieces).joined())
            }
            (None, Some(Ok(value))) => Box::new(flat::encode(value)),
            (None, _) => Box::new(Vec::new()),
        });
        backing.as_ref().as_ref()
    }
}

impl Drop for Forms {
    /// Takes the value apart level by level: the compiler's own drop would recurse as deep as the value
    /// nests.
    fn drop(&mut self) {
        let Some(Ok(value)) = self.value.take() else { return };
        let mut containers = vec![value];
        while let Some(container) = containers.pop() {
            let holds_more = |value: &Value| matches!(value, Value::Array(_) | Value::Object(_));
            match container {
                Value::Array(elements) => containers.extend(elements.into_iter().filter(holds_more)),
                Value::Object(members) => {
                    containers.extend(members.into_iter().map(|(_, value)| value).filter(holds_more));
                }
                _ => {}
            }
        }
    }
}

/// The JSON text, shortened.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 200;
        match self.to_json() {
            Ok(json) if json.len() <= SHOWN => write!(f, "Payload({json})"),
            Ok(json) => {
                let start: String = json.chars().take(SHOWN).collect();
                write!(f, "Payload({start}… {} bytes)", self.len())
            }
            Err(error) => write!(f, "Payload({error}; {} bytes)", self.len()),
        }
    }
}

/// Equal values: the order of an object's members does not count, and `1` is not `1.0`. Damaged payloads are
/// equal when their bytes are.
impl PartialEq for Payload {
    fn eq(&self, other: &Payload) -> bool {
        match (self.value(), other.value()) {
            (Ok(ours), Ok(theirs)) => ours == theirs,
            (Err(_), Err(_)) => self.flat() == other.flat(),
            _ => false,
        }
    }
}
