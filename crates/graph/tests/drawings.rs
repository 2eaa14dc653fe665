//! Small machines, as they are drawn.

use faastlane_asl::source::Source;
use faastlane_graph::{Execution, Format, Graph, Outcome, Visit};
use insta::assert_snapshot;
use std::fmt::Write;

fn graph(definition: &str) -> Graph {
    let parsed = faastlane_asl::parse(&Source::new("definition.json", definition));
    Graph::read("claims", &parsed.unwrap_or_else(|findings| panic!("{findings:#?}")).machine)
}

/// Most of what there is to draw.
const CLAIMS: &str = r#"{
  "Comment": "Pays claims",
  "StartAt": "Load",
  "States": {
    "Load": {
      "Type": "Parallel",
      "Branches": [
        { "StartAt": "Customer", "States": { "Customer": { "Type": "Task", "Resource": "load_customer", "End": true } } },
        {
          "StartAt": "Wait a moment",
          "States": {
            "Wait a moment": { "Type": "Wait", "Seconds": 3, "Next": "Claim" },
            "Claim": { "Type": "Task", "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:load_claim", "End": true }
          }
        }
      ],
      "Catch": [{ "ErrorEquals": ["NotFound", "States.Timeout"], "Next": "Refuse" }],
      "Next": "Check"
    },
    "Check": {
      "Type": "Choice",
      "Choices": [
        { "Variable": "$.score", "NumericGreaterThan": 5, "Next": "Items" },
        { "And": [{ "Variable": "$.name", "IsPresent": true }, { "Not": { "Variable": "$.name", "StringMatches": "A*" } }], "Next": "Load" },
        { "Variable": "$.again", "BooleanEquals": true, "Next": "Check" }
      ],
      "Default": "Refuse"
    },
    "Items": {
      "Type": "Map",
      "MaxConcurrency": 4,
      "ItemProcessor": { "StartAt": "Item", "States": { "Item": {
        "Type": "Task", "Resource": "pay", "Retry": [{ "ErrorEquals": ["Busy"], "MaxAttempts": 2 }], "End": true } } },
      "End": true
    },
    "Refuse": { "Type": "Fail", "Error": "Refused" }
  }
}"#;

fn visit(state: &str, entered_us: u64, exited_us: Option<u64>, outcome: Outcome) -> Visit {
    Visit { state: state.to_owned(), entered_us, exited_us, outcome }
}

/// One in which the second branch fails.
fn execution() -> Execution {
    Execution {
        status: "FAILED".to_owned(),
        duration_us: 9_000,
        visits: vec![
            visit("Load", 0, Some(5_000), Outcome::Caught),
            visit("Customer", 0, None, Outcome::Stopped),
            visit("Wait a moment", 0, Some(3_000), Outcome::Succeeded),
            visit("Claim", 3_000, None, Outcome::Failed),
            visit("Refuse", 5_000, None, Outcome::Failed),
        ],
    }
}

#[test]
fn as_svg() {
    assert_snapshot!(graph(CLAIMS).draw(Format::Svg));
}

#[test]
fn as_mermaid() {
    assert_snapshot!(graph(CLAIMS).draw(Format::Mermaid));
}

#[test]
fn as_dot() {
    assert_snapshot!(graph(CLAIMS).draw(Format::Dot));
}

#[test]
fn with_an_execution() {
    let mut graph = graph(CLAIMS);
    graph.mark(execution()).unwrap();
    let svg = graph.draw(Format::Svg);
    // A branch's state that was never left was over when the Parallel was.
    let words =
        ["FAILED in 9.00 ms", "5.00 ms · caught", "5.00 ms · stopped", "2.00 ms · failed", "not reached (3)"];
    for expected in words {
        assert!(svg.contains(expected), "no {expected} in {svg}");
    }
    assert_snapshot!(graph.draw(Format::Mermaid));
}

#[test]
fn an_execution_of_another_workflow_is_refused() {
    let mut other = execution();
    other.visits.extend(["Zebra", "Ant", "Zebra"].map(|state| visit(state, 0, None, Outcome::Succeeded)));
    assert_eq!(graph(CLAIMS).mark(other), Err(vec!["Ant".to_owned(), "Zebra".to_owned()]));
}

/// A Parallel of as many branches of two states.
fn branches(count: usize) -> String {
    let mut definition =
        r#"{ "StartAt": "P", "States": { "P": { "Type": "Parallel", "End": true, "Branches": ["#.to_owned();
    for branch in 0..count {
        let comma = if branch == 0 { "" } else { "," };
        let _ = write!(
            definition,
            r#"{comma}{{ "StartAt": "A{branch}", "States": {{
                "A{branch}": {{ "Type": "Task", "Resource": "a", "Next": "B{branch}" }},
                "B{branch}": {{ "Type": "Succeed" }} }} }}"#
        );
    }
    definition + "] } } }"
}

#[test]
fn many_branches_that_are_alike_become_a_card() {
    let mut all = graph(&branches(200));
    let before = all.draw(Format::Dot);
    assert!(before.contains("A199"));
    all.collapse();
    let names: Vec<&str> = all.shown().map(|(_, node)| all.nodes[node].name.as_str()).collect();
    assert_eq!(names, ["P", "A0", "B0", "A1", "B1", "A2", "B2", "… 197 more like these"]);
    let card = all.nodes.last().unwrap();
    assert_eq!((card.count, card.stands_for[0].as_str()), (197, "A3"));
    // As many as can be read are all shown.
    let mut few = graph(&branches(8));
    few.collapse();
    assert_eq!(few.shown().count(), 17);
}

#[test]
fn a_branch_that_failed_is_not_hidden_among_those_that_did_not() {
    let mut graph = graph(&branches(50));
    let mut visits = vec![visit("P", 0, None, Outcome::Failed)];
    for branch in 0..50 {
        let outcome = if branch == 33 { Outcome::Failed } else { Outcome::Succeeded };
        visits.push(visit(&format!("A{branch}"), 0, Some(10), outcome));
        if branch != 33 {
            visits.push(visit(&format!("B{branch}"), 10, Some(20), Outcome::Succeeded));
        }
    }
    graph.mark(Execution { status: "FAILED".to_owned(), duration_us: 20, visits }).unwrap();
    graph.collapse();
    let names: Vec<&str> = graph.shown().map(|(_, node)| graph.nodes[node].name.as_str()).collect();
    assert_eq!(names, ["P", "A0", "B0", "A1", "B1", "A2", "B2", "… 46 more like these", "A33", "B33"]);
}

#[test]
fn many_states_that_are_alike_become_a_card() {
    let mut rules = String::new();
    let mut states = String::new();
    for state in 0..30 {
        let comma = if state == 0 { "" } else { "," };
        let _ =
            write!(rules, r#"{comma}{{ "Variable": "$.n", "NumericEquals": {state}, "Next": "S{state}" }}"#);
        let _ = write!(states, r#", "S{state}": {{ "Type": "Pass", "Next": "End" }}"#);
    }
    let definition = format!(
        r#"{{ "StartAt": "C", "States": {{ "C": {{ "Type": "Choice", "Choices": [{rules}] }}, "End": {{ "Type": "Succeed" }} {states} }} }}"#
    );
    let mut graph = graph(&definition);
    graph.collapse();
    assert_snapshot!(graph.draw(Format::Mermaid));
}

#[test]
fn deep_and_large_machines_are_drawn() {
    let mut deep = r#"{ "StartAt": "S0", "States": { "S0": { "Type": "Succeed" } } }"#.to_owned();
    for level in 1..60 {
        deep = format!(
            r#"{{ "StartAt": "S{level}", "States": {{ "S{level}": {{ "Type": "Map", "End": true, "ItemProcessor": {deep} }} }} }}"#
        );
    }
    // Each state leads to the next, and to one far away.
    let states: Vec<String> = (0..5_000)
        .map(|state| {
            let far = state * 7_919 % 5_000;
            format!(
                r#""S{state}": {{ "Type": "Choice", "Choices": [{{ "Variable": "$.x", "IsNull": true, "Next": "S{far}" }}], "Default": "S{}" }}"#,
                state + 1
            )
        })
        .collect();
    let tangle = format!(
        r#"{{ "StartAt": "S0", "States": {{ {}, "S5000": {{ "Type": "Succeed" }} }} }}"#,
        states.join(",")
    );
    for (definition, count) in [(deep, 60), (tangle, 5_001)] {
        let mut graph = graph(&definition);
        graph.collapse();
        assert_eq!(graph.shown().count(), count);
        for format in [Format::Svg, Format::Mermaid, Format::Dot] {
            assert!(graph.draw(format).contains(&format!("S{}", count - 1)));
        }
    }
}
