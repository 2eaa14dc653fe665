//! A JSONata expression, up to a line of its own with `---`, and the input as JSON behind it.

#![no_main]

use faastlane_asl::jsonata::{Budget, Environment, Expression, Scope};
use faastlane_asl::random::SplitMix64;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

struct Input(Value);

impl Scope for Input {
    fn variable(&self, name: &str) -> Option<Value> {
        (name == "v").then(|| self.0.clone())
    }

    fn state(&self, member: &str) -> Option<Value> {
        (member == "input").then(|| self.0.clone())
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
