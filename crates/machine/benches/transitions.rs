//! What a transition costs, without the functions: the limits are 1 µs for a Pass or a Choice that reads nothing, and 5 µs
//! with the JSONPath that workflows have. Run `cargo bench -p faastlane-machine`.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use faastlane_asl::source::Source;
use faastlane_machine::{Action, Event, Execution, HistoryLevel, Identity, Limits, Machine, Start};
use faastlane_payload::Payload;
use serde_json::{Value, json};
use std::hint::black_box;
use std::sync::Arc;

/// Of one measurement; what it takes to start the execution is a thousandth of it.
const TRANSITIONS: u32 = 1_000;

fn machine(definition: &Value, transitions_per_step: u32) -> Machine {
    let source = Source::new("bench.asl.json", definition.to_string());
    let parsed = faastlane_asl::parse(&source).unwrap_or_else(|findings| panic!("{findings:#?}"));
    Machine::new(Arc::new(parsed.machine), Limits { transitions_per_step, ..Limits::default() })
}

fn start(input: &Value) -> Start {
    let identity = Arc::new(Identity {
        execution_id: "arn:execution".into(),
        execution_name: "execution".into(),
        role: None,
        state_machine_id: "arn:machine".into(),
        state_machine_name: "machine".into(),
    });
    Start {
        input: Payload::from_value(input.clone()),
        at: 1_700_000_000_000_000,
        seed: 42,
        identity,
        history: HistoryLevel::Types,
    }
}

/// States that lead to each other for ever: a step ends with its limit of transitions. A Choice that never holds leads
/// to an end.
fn endless(first: Value, second: Value) -> Value {
    let end = json!({ "Type": "Choice", "Choices": [
        { "Variable": "$.end", "IsPresent": true, "Next": "End" } ], "Default": "First" });
    json!({ "StartAt": "First", "States": {
        "First": first, "Second": second, "Third": end, "End": { "Type": "Succeed" } } })
}

fn order() -> Value {
    let line = |number: u32| json!({ "sku": format!("sku-{number}"), "count": number, "price": 12.5 });
    json!({
        "order": { "id": "o-1", "customer": { "name": "Ada", "tier": "gold" },
                   "lines": (0..10).map(line).collect::<Vec<_>>() },
        "count": 0,
    })
}

fn bench_transitions(criterion: &mut Criterion) {
    let plain_pass = json!({ "Type": "Pass", "Next": "Second" });
    let choice = json!({ "Type": "Choice", "Choices": [
        { "Variable": "$.order.customer.tier", "StringEquals": "none", "Next": "Third" },
        { "Variable": "$.count", "NumericLessThan": 10, "Next": "First" } ], "Default": "Third" });
    let filters = json!({ "Type": "Pass", "InputPath": "$.order",
        "Parameters": { "id.$": "$.id", "name.$": "$.customer.name", "first.$": "$.lines[0].sku",
                        "text.$": "States.Format('{} of {}', $.id, $.customer.name)" },
        "ResultPath": "$.result", "Next": "Second" });
    let jsonata = json!({ "Type": "Pass", "QueryLanguage": "JSONata", "Next": "Second",
        "Output": { "order": "{% $states.input.order %}", "count": "{% $states.input.count + 1 - 1 %}" } });
    let back = json!({ "Type": "Pass", "Next": "Third" });
    let mut group = criterion.benchmark_group("transition");
    group.throughput(Throughput::Elements(u64::from(TRANSITIONS)));
    for (name, first, second) in [
        ("pass", &plain_pass, &json!({ "Type": "Pass", "Next": "Third" })),
        ("pass and choice", &plain_pass, &choice),
        ("pass with jsonpath", &filters, &choice),
        ("pass with jsonata", &jsonata, &back),
    ] {
        let machine = machine(&endless(first.clone(), second.clone()), TRANSITIONS);
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            let order = order();
            bencher.iter(|| black_box(Execution::start(&machine, start(&order))));
        });
    }
    group.finish();
}

/// Items of one Map, each through one Pass.
fn bench_map(criterion: &mut Criterion) {
    const ITEMS: u32 = 1_000;
    let machine = machine(
        &json!({ "StartAt": "Each", "States": { "Each": { "Type": "Map", "End": true,
            "ItemProcessor": { "StartAt": "One", "States": { "One": { "Type": "Pass", "End": true } } } } } }),
        1_000_000,
    );
    let items = Value::from((0..ITEMS).collect::<Vec<_>>());
    let mut group = criterion.benchmark_group("map");
    group.throughput(Throughput::Elements(u64::from(ITEMS)));
    group.bench_function("iteration", |bencher| {
        bencher.iter(|| black_box(Execution::start(&machine, start(&items))));
    });
    group.finish();
}

/// 100,000 transitions in steps of 10,000, as a program that waits for nothing takes them.
fn bench_long_loop(criterion: &mut Criterion) {
    let choice = json!({ "Type": "Choice", "Choices": [
        { "Variable": "$.count", "NumericLessThan": 10, "Next": "First" } ], "Default": "Third" });
    let machine = machine(&endless(json!({ "Type": "Pass", "Next": "Second" }), choice), 10_000);
    let mut group = criterion.benchmark_group("loop");
    group.throughput(Throughput::Elements(100_000)).sample_size(10);
    group.bench_function("of 100,000 Choice and Pass", |bencher| {
        let order = order();
        bencher.iter(|| {
            let (mut execution, mut actions) = Execution::start(&machine, start(&order));
            for _ in 1..10 {
                assert!(matches!(actions.last(), Some(Action::Yield)));
                actions.clear();
                execution.step(&machine, Event::Continue { at: 1_700_000_000_000_000 }, &mut actions);
            }
            execution
        });
    });
    group.finish();
}

criterion_group!(benches, bench_transitions, bench_map, bench_long_loop);
criterion_main!(benches);
