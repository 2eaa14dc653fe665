//! The functions of the language, and those that Step Functions adds. `$eval` is not among them.
//!
//! Source: <https://docs.jsonata.org/overview>, "Function library", and
//! <https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html>.

mod array;
mod aws;
mod date_parse;
mod date_picture;
mod encoding;
mod higher_order;
mod integer;
mod numeric;
mod object;
mod picture;
mod string;
mod text_match;
mod time;
mod words;

use super::apply::Function;
use super::error::Fault;
use super::evaluate::{Evaluator, Outcome};
use super::signature::Signature;
use super::value::{Array, Object, Text, Value};
use std::rc::Rc;
use std::sync::LazyLock;

pub(super) struct Native {
    pub(super) name: &'static str,
    pub(super) signature: Signature,
    /// How many arguments the reference implementation has names for: what `$map` and its like pass.
    pub(super) arity: usize,
    pub(super) run: for<'a> fn(&mut Evaluator<'a, '_>, Arguments<'a>) -> Outcome<'a>,
}

type Row =
    (&'static str, &'static str, usize, for<'a> fn(&mut Evaluator<'a, '_>, Arguments<'a>) -> Outcome<'a>);

const ROWS: &[Row] = &[
    ("sum", "<a<n>:n>", 1, numeric::sum),
    ("count", "<a:n>", 1, numeric::count),
    ("max", "<a<n>:n>", 1, numeric::max),
    ("min", "<a<n>:n>", 1, numeric::min),
    ("average", "<a<n>:n>", 1, numeric::average),
    ("number", "<(nsb)-:n>", 1, numeric::number),
    ("floor", "<n-:n>", 1, numeric::floor),
    ("ceil", "<n-:n>", 1, numeric::ceil),
    ("round", "<n-n?:n>", 2, numeric::round),
    ("abs", "<n-:n>", 1, numeric::abs),
    ("sqrt", "<n-:n>", 1, numeric::sqrt),
    ("power", "<n-n:n>", 2, numeric::power),
    ("formatBase", "<n-n?:s>", 2, numeric::format_base),
    ("formatNumber", "<n-so?:s>", 3, picture::format_number),
    ("formatInteger", "<n-s:s>", 2, integer::format_integer),
    ("parseInteger", "<s-s:n>", 2, integer::parse_integer),
    ("string", "<x-b?:s>", 1, string::string),
    ("substring", "<s-nn?:s>", 3, string::substring),
    ("substringBefore", "<s-s:s>", 2, string::substring_before),
    ("substringAfter", "<s-s:s>", 2, string::substring_after),
    ("lowercase", "<s-:s>", 1, string::lowercase),
    ("uppercase", "<s-:s>", 1, string::uppercase),
    ("length", "<s-:n>", 1, string::length),
    ("trim", "<s-:s>", 1, string::trim),
    ("pad", "<s-ns?:s>", 3, string::pad),
    ("join", "<a<s>s?:s>", 2, string::join),
    ("match", "<s-f<s:o>n?:a<o>>", 3, text_match::match_all),
    ("contains", "<s-(sf):b>", 2, text_match::contains),
    ("replace", "<s-(sf)(sf)n?:s>", 4, text_match::replace),
    ("split", "<s-(sf)n?:a<s>>", 3, text_match::split),
    ("base64encode", "<s-:s>", 1, encoding::base64_encode),
    ("base64decode", "<s-:s>", 1, encoding::base64_decode),
    ("encodeUrlComponent", "<s-:s>", 1, encoding::encode_url_component),
    ("encodeUrl", "<s-:s>", 1, encoding::encode_url),
    ("decodeUrlComponent", "<s-:s>", 1, encoding::decode_url_component),
    ("decodeUrl", "<s-:s>", 1, encoding::decode_url),
    ("boolean", "<x-:b>", 1, object::boolean),
    ("not", "<x-:b>", 1, object::not),
    ("exists", "<x:b>", 1, object::exists),
    ("type", "<x:s>", 1, object::type_of),
    ("keys", "<x-:a<s>>", 1, object::keys),
    ("lookup", "<x-s:x>", 2, object::lookup),
    ("spread", "<x-:a<o>>", 1, object::spread),
    ("merge", "<a<o>:o>", 1, object::merge),
    ("clone", "<(oa)-:o>", 1, object::clone),
    ("error", "<s?:x>", 1, object::error),
    ("assert", "<bs?:x>", 2, object::assert),
    ("append", "<xx:a>", 2, array::append),
    ("reverse", "<a:a>", 1, array::reverse),
    ("shuffle", "<a:a>", 1, array::shuffle),
    ("distinct", "<x:x>", 1, array::distinct),
    ("zip", "<a+>", 0, array::zip),
    ("sort", "<af?:a>", 2, array::sort),
    ("map", "<af>", 2, higher_order::map),
    ("filter", "<af>", 2, higher_order::filter),
    ("single", "<af?>", 2, higher_order::single),
    ("reduce", "<afj?:j>", 3, higher_order::reduce),
    ("sift", "<o-f?:o>", 2, higher_order::sift),
    ("each", "<o-f:a>", 2, higher_order::each),
    ("now", "<s?s?:s>", 2, time::now),
    ("millis", "<:n>", 0, time::millis),
    ("toMillis", "<s-s?:n>", 2, date_parse::to_millis),
    ("fromMillis", "<n-s?s?:s>", 3, time::from_millis),
    ("random", "<n?:n>", 1, aws::random),
    ("partition", "<an:a<a>>", 2, aws::partition),
    ("range", "<nnn:a<n>>", 3, aws::range),
    ("hash", "<s-s?:s>", 2, aws::hash),
    ("uuid", "<:s>", 0, aws::uuid),
    ("parse", "<s-:x>", 1, aws::parse),
];

static NATIVES: LazyLock<Vec<Native>> = LazyLock::new(|| {
    let natives = ROWS.iter().filter_map(|&(name, signature, arity, run)| {
        let signature = Signature::parse(signature).ok()?;
        Some(Native { name, signature, arity, run })
    });
    let mut natives: Vec<Native> = natives.collect();
    natives.sort_by_key(|native| native.name);
    natives
});

impl Native {
    pub(super) fn find<'a>(name: &str) -> Option<Value<'a>> {
        let natives: &'static [Native] = &NATIVES;
        let index = natives.binary_search_by_key(&name, |native| native.name).ok()?;
        Some(Value::Function(Rc::new(Function::Native(&natives[index]))))
    }

    /// Whether the language has a function of this name.
    pub(super) fn is_known(name: &str) -> bool {
        ROWS.iter().any(|row| row.0 == name)
    }
}

#[cfg(test)]
pub(super) fn names() -> Vec<&'static str> {
    ROWS.iter().map(|row| row.0).collect()
}

/// What a function is called with. An argument of another type than the function takes is a fault, which only a call
/// can meet that no signature was checked for.
pub(super) struct Arguments<'a>(Vec<Value<'a>>);

impl<'a> From<Vec<Value<'a>>> for Arguments<'a> {
    fn from(values: Vec<Value<'a>>) -> Self {
        Arguments(values)
    }
}

impl<'a> Arguments<'a> {
    /// Nothing where it was not given.
    pub(super) fn take(&mut self, index: usize) -> Value<'a> {
        self.0.get_mut(index).map_or(Value::Undefined, |value| std::mem::replace(value, Value::Undefined))
    }

    fn of<T>(
        &mut self,
        index: usize,
        wanted: impl FnOnce(Value<'a>) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        match self.take(index) {
            Value::Undefined => Ok(None),
            other => match wanted(other) {
                Some(value) => Ok(Some(value)),
                None => Err(Fault::new("T0410").at_argument(index + 1)),
            },
        }
    }

    pub(super) fn text(&mut self, index: usize) -> Result<Option<Text<'a>>, Fault> {
        self.of(index, |value| if let Value::Text(text) = value { Some(text) } else { None })
    }

    pub(super) fn number(&mut self, index: usize) -> Result<Option<f64>, Fault> {
        self.of(index, |value| if let Value::Number(number) = value { Some(number.float) } else { None })
    }

    pub(super) fn array(&mut self, index: usize) -> Result<Option<Array<'a>>, Fault> {
        self.of(index, |value| if let Value::Array(array) = value { Some(array) } else { None })
    }

    pub(super) fn object(&mut self, index: usize) -> Result<Option<Object<'a>>, Fault> {
        self.of(index, |value| if let Value::Object(object) = value { Some(object) } else { None })
    }

    pub(super) fn function(&mut self, index: usize) -> Result<Option<Rc<Function<'a>>>, Fault> {
        self.of(index, |value| if let Value::Function(function) = value { Some(function) } else { None })
    }

    pub(super) fn into_values(self) -> Vec<Value<'a>> {
        self.0
    }
}
