//! Large payloads, and the limit.

use crate::workflow::Workflow;
use serde_json::json;

/// Makes a string of so many bytes, in which every place differs from those near it.
const MAKES: &str = "def handler(event, context):\n    \
        part = ''.join(f'{number:08x}' for number in range(131_072))\n    \
        return (part * (event // len(part) + 1))[:event]\n";
const PASSES: &str = "def handler(event, context): return event";
const DIGESTS: &str = "import hashlib\n\
    def handler(event, context): return [len(event), hashlib.md5(event.encode()).hexdigest()]\n";

#[test]
fn large_strings_arrive_whole() {
    let workflow = Workflow::chain(&[("make", MAKES), ("pass", PASSES), ("digest", DIGESTS)])
        .config("[workflow]\nmax_payload = \"65MiB\"\n");
    for size in [1, 16, 64] {
        let bytes = size << 20;
        let digests = ["auto", "process", "none"].map(|isolation| {
            let run = workflow.run_under(isolation, &json!(bytes));
            let output = run.output();
            assert_eq!(output[0], bytes, "{isolation}");
            output[1].clone()
        });
        assert_eq!(digests[0], digests[1], "{size} MiB");
        assert_eq!(digests[0], digests[2], "{size} MiB");
    }
}

#[test]
fn a_large_input_arrives_and_a_large_output_leaves() {
    let workflow = Workflow::chain(&[("pass", PASSES)]);
    let event = json!("é".repeat(8 << 20));
    let run = workflow.run(&event);
    assert!(run.output() == &event);
}

#[test]
fn results_beyond_the_limit_can_be_caught() {
    let workflow = Workflow::new(&json!({ "StartAt": "Make", "States": {
        "Make": { "Type": "Task", "Resource": "make", "End": true,
                  "Catch": [{ "ErrorEquals": ["Small"], "Next": "Never" }] },
        "Never": { "Type": "Succeed" } } }))
    .functions(&[("make", MAKES)])
    .config("[workflow]\nmax_payload = \"1MiB\"\n");
    for isolation in ["auto", "process", "none"] {
        let run = workflow.run_under(isolation, &json!(1_000_000));
        assert_eq!(run.output().as_str().unwrap().len(), 1_000_000, "{isolation}");
        let run = workflow.run_under(isolation, &json!(1_048_600));
        let (error, cause) = run.failure();
        assert_eq!(error, "States.DataLimitExceeded", "{isolation}");
        assert!(cause.contains("make") && cause.contains("max_payload"), "{isolation}: {cause}");
    }
}

#[test]
fn an_input_beyond_the_limit_is_refused() {
    let workflow = Workflow::chain(&[("pass", PASSES)]);
    let run = workflow.run_text(&["--max-payload", "1KiB"], &json!("x".repeat(2000)).to_string());
    assert_eq!((run.exit, run.codes()), (Some(2), vec!["FL0303"]));
    let said = run.report.to_string();
    assert!(said.contains("takes 2005 bytes, and max_payload is 1024"), "{said}");
}

#[test]
fn a_path_can_cut_a_large_payload() {
    let workflow = Workflow::new(&json!({ "StartAt": "Make", "States": {
        "Make": { "Type": "Task", "Resource": "make", "ResultPath": "$.large", "Next": "Pass" },
        "Pass": { "Type": "Task", "Resource": "pass", "InputPath": "$.small", "ResultPath": "$.small", "Next": "Digest" },
        "Digest": { "Type": "Task", "Resource": "digest", "InputPath": "$.large", "ResultPath": "$.digest",
                    "OutputPath": "$.digest", "End": true } } }))
    .functions(&[("make", "def handler(event, context): return event['letter'] * (16 << 20)"), ("pass", PASSES), ("digest", DIGESTS)]);
    let run = workflow.run(&json!({ "letter": "z", "small": 1 }));
    assert_eq!(run.output()[0], 16 << 20);
}
