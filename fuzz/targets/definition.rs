//! Any text is a definition or is explained, as JSON and as YAML, and every finding points into it.

#![no_main]

use faastlane_asl::source::Source;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for name in ["workflow.asl.json", "workflow.asl.yaml"] {
        let source = Source::new(name, text);
        let findings = match faastlane_asl::parse(&source) {
            Ok(parsed) => parsed.warnings,
            Err(findings) => findings,
        };
        for finding in findings {
            if let Some((source, span)) = &finding.place {
                assert!(span.start <= span.end && span.end <= source.text.len(), "{finding:?}");
                assert!(source.text.is_char_boundary(span.start), "{finding:?}");
            }
        }
    }
});
