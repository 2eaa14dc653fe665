//! A call of an intrinsic function in the first line, its input as JSON behind it: it is read or refused, and gives the
//! same for the same seed.

#![no_main]

use faastlane_asl::intrinsic::Call;
use faastlane_asl::path::Scope;
use faastlane_asl::random::SplitMix64;
use faastlane_payload::Payload;
use libfuzzer_sys::fuzz_target;

struct Document(Payload);

impl Scope for Document {
    fn input(&self) -> &Payload {
        &self.0
    }

    fn context(&self) -> &Payload {
        &self.0
    }

    fn variable(&self, name: &str) -> Option<&Payload> {
        (name == "v").then_some(&self.0)
    }
}

fuzz_target!(|text: &str| {
    let (written, json) = text.split_once('\n').unwrap_or((text, "{\"a\": [1, 2.5, \"x\"]}"));
    let call = match Call::parse(written) {
        Ok(call) => call,
        Err(error) => {
            assert!(written.is_char_boundary(error.offset), "{error:?}");
            return;
        }
    };
    let Ok(document) = Payload::from_json(json) else { return };
    let document = Document(document);
    let evaluate = || call.evaluate(&document, &mut SplitMix64::new(7));
    assert_eq!(evaluate(), evaluate());
});
