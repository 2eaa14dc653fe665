//! A JSONata expression, up to a line of its own with `---`, and the input as JSON behind it.

#![no_main]

use faastlane_asl::jsonata::{Budget, Environment, Expression, Scope, Variable};
use faastlane_asl::random::SplitMix64;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use std::borrow::Cow;

struct Input(Value);

impl Scope for Input {
    fn variable(&self, name: &str) -> Option<Variable<'_>> {
        match name {
            "v" => Some(Variable::Value(Cow::Borrowed(&self.0))),
            "states" => Some(Variable::Members(vec![("input", Cow::Borrowed(&self.0))])),
            _ => None,
        }
    }
}

fuzz_target!(|text: &str| {
    let (written, json) = text.split_once("\n---\n").unwrap_or((text, "{\"a\": [1, {\"b\": \"x\"}]}"));
    let expression = match Expression::parse(written) {
        Ok(expression) => expression,
        Err(error) => {
            assert!(written.is_char_boundary(error.offset), "{}", error.message);
            return;
        }
    };
    let Ok(input) = serde_json::from_str(json) else { return };
    let mut random = SplitMix64::new(7);
    let mut environment = Environment { random: &mut random, now: 1_700_000_000_000_000, budget: Budget::default() };
    // A failure is an answer, too.
    let _ = expression.evaluate("Output", &Input(input), &mut environment);
});
