//! The test suite of the reference implementation, against this one.

use super::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Source: `test/test-suite` of <https://github.com/jsonata-js/jsonata>; its licence lies beside it. One JSON object a line:
/// first the datasets, then the cases.
const SUITE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/jsonata-suite/suite.jsonl"));

/// Deeper than the suite goes, where no caller's stack has to be small.
const DEPTH: usize = 1_000;
const STACK_BYTES: usize = 64 << 20;

/// The cases that give something else, and why.
const DEVIATIONS: &[(&str, &str)] = &[
    ("function-encodeUrl/case002", LONE_SURROGATE),
    ("function-encodeUrlComponent/case002", LONE_SURROGATE),
    ("function-eval/case000", EVAL),
    ("function-eval/case001", EVAL),
    ("function-eval/case002", EVAL),
    ("function-eval/case003", EVAL),
    ("function-eval/case004", EVAL),
    ("function-eval/case005", EVAL),
    ("function-eval/case006", EVAL),
    ("function-eval/case007", EVAL),
    ("range-operator/case021", MEMORY),
    ("range-operator/case024", MEMORY),
];
const LONE_SURROGATE: &str =
    "A string here is Unicode, as in JSON that is sound: half a character cannot be in it.";
const EVAL: &str = "Step Functions has no `$eval`, but `$parse`.";
const MEMORY: &str =
    "Ten million numbers are more than the budget's memory; Step Functions stops below a million.";

struct Bindings(Json);

impl Scope for Bindings {
    fn variable(&self, name: &str) -> Option<Variable<'_>> {
        Some(Variable::Value(Cow::Borrowed(self.0.get(name)?)))
    }
}

/// As a case expects it and as it came: a value, `undefined` or a code.
fn outcome(case: &Json, datasets: &BTreeMap<String, Json>) -> (String, String) {
    let input = case.get("data").or_else(|| datasets.get(case["dataset"].as_str()?));
    let budget =
        Budget { depth: case["depth"].as_u64().map_or(DEPTH, |depth| depth as usize), ..Budget::default() };
    let mut random = SplitMix64::new(1);
    let mut environment = Environment { random: &mut random, now: 1_700_000_000_000_000, budget };
    let bindings = Bindings(case.get("bindings").cloned().unwrap_or(json!({})));
    let text = case["expr"].as_str().unwrap();
    let actual = match parse::parse_with_code(text) {
        Err(code) => code.to_owned(),
        Ok(()) => match Expression::parse(text).unwrap().compute(input, &bindings, &mut environment) {
            Ok(Computed::Nothing) => "undefined".to_owned(),
            Ok(Computed::Function) => "function".to_owned(),
            Ok(Computed::Value(value)) => shown(&value, case),
            Err(error) => error.code().unwrap_or("U1001").to_owned(),
        },
    };
    let expected = match (&case["code"], &case["undefined"], &case["result_re"]) {
        (Json::String(code), _, _) => code.clone(),
        (_, Json::Bool(true), _) => "undefined".to_owned(),
        (_, _, Json::String(pattern)) => {
            let text = actual.trim_matches('"');
            let matches = regex::Regex::new(pattern).unwrap().is_match(text);
            if matches { actual.clone() } else { pattern.clone() }
        }
        _ => shown(&case["result"], case),
    };
    (expected, actual)
}

/// Members in the order of their keys, numbers by value, and where the order of items does not count, those too.
fn shown(value: &Json, case: &Json) -> String {
    fn sorted(value: &Json, unordered: bool) -> String {
        match value {
            Json::Object(members) => {
                let members: BTreeMap<_, _> =
                    members.iter().map(|(key, value)| (key, sorted(value, unordered))).collect();
                format!("{members:?}")
            }
            Json::Array(items) => {
                let mut items: Vec<String> = items.iter().map(|item| sorted(item, unordered)).collect();
                if unordered {
                    items.sort();
                }
                format!("[{}]", items.join(","))
            }
            Json::Number(number) => number.as_f64().map_or(number.to_string(), |float| format!("{float:?}")),
            other => other.to_string(),
        }
    }
    sorted(value, case["unordered"] == true)
}

#[test]
fn the_suite_of_the_reference_implementation_passes() {
    let run = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(|| {
        let mut datasets = BTreeMap::new();
        let mut differing = BTreeMap::new();
        let mut cases = 0;
        for line in SUITE.lines() {
            let case: Json = serde_json::from_str(line).unwrap();
            let Some(name) = case["name"].as_str() else {
                datasets.insert(case["dataset"].as_str().unwrap().to_owned(), case["data"].clone());
                continue;
            };
            cases += 1;
            let (expected, actual) = outcome(&case, &datasets);
            if expected != actual {
                differing.insert(
                    name.to_owned(),
                    format!("{}\n  expected {expected}\n  came     {actual}", case["expr"]),
                );
            }
        }
        (cases, differing)
    });
    let (cases, differing) = run.unwrap().join().unwrap();
    let known: BTreeSet<&str> = DEVIATIONS.iter().map(|(name, _)| *name).collect();
    let news: Vec<_> = differing.iter().filter(|(name, _)| !known.contains(name.as_str())).collect();
    let gone: Vec<_> = known.iter().filter(|name| !differing.contains_key(**name)).collect();
    let report: Vec<String> = news.iter().map(|(name, what)| format!("{name}: {what}")).collect();
    assert!(news.is_empty(), "{} of {cases} cases differ:\n{}", news.len(), report.join("\n"));
    assert!(gone.is_empty(), "these cases pass now: {gone:?}");
    assert_eq!((cases, differing.len()), (1_602, DEVIATIONS.len()));
}
