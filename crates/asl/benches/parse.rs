//! What reading and checking a definition costs: the limit is 10 ms for 1,000 states. Run `cargo bench -p faastlane-asl`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use faastlane_asl::parse;
use faastlane_asl::source::Source;
use serde_json::{Map, Value, json};
use std::hint::black_box;

const STATES: usize = 1_000;

/// Tasks, passes, choices and waits, as workflows have them, one after the other.
fn definition() -> Value {
    let state = |index: usize| {
        let next = format!("state-{}", index + 1);
        match index % 4 {
            0 => json!({ "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": { "FunctionName": "resize", "Payload": { "id.$": "$.id", "n.$": "$count" } },
                "ResultSelector": { "name.$": "$.Payload.name" }, "ResultPath": "$.resized",
                "Retry": [{ "ErrorEquals": ["States.Timeout"], "MaxAttempts": 2 }],
                "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "failed" }], "Next": next }),
            1 => json!({ "Type": "Pass", "Parameters": { "text.$": "States.Format('{}!', $.name)" },
                "Assign": { "count": 1 }, "ResultPath": "$.text", "Next": next }),
            2 => json!({ "Type": "Choice", "Default": next, "Choices": [
                { "And": [{ "Variable": "$.a", "IsPresent": true }, { "Variable": "$.a", "NumericLessThan": 5 }],
                  "Next": "failed" }] }),
            _ => json!({ "Type": "Pass", "QueryLanguage": "JSONata",
                "Output": "{% $merge([$states.input, { 'n': $count + 1 }]) %}", "Next": next }),
        }
    };
    let mut states: Map<String, Value> =
        (0..STATES - 2).map(|index| (format!("state-{index}"), state(index))).collect();
    states.insert(format!("state-{}", STATES - 2), json!({ "Type": "Succeed" }));
    states.insert("failed".to_owned(), json!({ "Type": "Fail", "Error": "Failed" }));
    json!({ "StartAt": "state-0", "States": states })
}

/// The same as block YAML.
fn yaml(value: &Value, indent: usize, text: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                text.push_str(&format!("\n{pad}{name:?}:"));
                yaml(member, indent + 2, text);
            }
        }
        other => text.push_str(&format!(" {other}")),
    }
}

fn bench_parse(criterion: &mut Criterion) {
    let definition = definition();
    let mut block = String::new();
    yaml(&definition, 0, &mut block);
    let mut group = criterion.benchmark_group("parse 1,000 states");
    group.throughput(Throughput::Elements(STATES as u64));
    for (name, text) in [("json", format!("{definition:#}")), ("yaml", block)] {
        let source = Source::new(format!("bench.asl.{name}"), text);
        if let Err(findings) = parse(&source) {
            panic!("{findings:#?}");
        }
        group.bench_function(name, |bencher| bencher.iter(|| black_box(parse(&source))));
    }
    group.finish();
}

criterion_group!(benches, bench_parse);
criterion_main!(benches);
