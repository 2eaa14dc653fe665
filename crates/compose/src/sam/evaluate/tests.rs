use super::*;
use faastlane_asl::source::Source;
use serde_json::{Value as Json, json};

/// The value of `V` in a template's `Outputs`, with the codes of what is wrong and what stands in.
fn evaluate(rest: &str, value: &str) -> (Json, Vec<&'static str>, Vec<String>) {
    let text = format!(
        "Resources:\n  F:\n    Type: AWS::Serverless::Function\n  T:\n    Type: AWS::DynamoDB::Table\n\
                        {rest}\nOutputs:\n  V: {value}\n"
    );
    let template = Template::read(&Source::new("template.yaml", text), "my shop").unwrap();
    let node = template.section("Outputs").unwrap().get("V").unwrap().clone();
    let mut evaluator = Evaluator::new(&template);
    let made = evaluator.value(&node).to_json();
    let codes = evaluator.findings.iter().map(|finding| finding.code).collect();
    let stand_ins = evaluator.stand_ins.iter().map(|stand_in| stand_in.what.clone()).collect();
    (serde_json::from_str(made.as_str()).unwrap(), codes, stand_ins)
}

const SECTIONS: &str = r#"Parameters:
  Stage: { Type: String, Default: dev }
  Zones: { Type: CommaDelimitedList, Default: "a, b" }
  Count: { Type: Number, Default: 3 }
  Open: { Type: String }
Mappings:
  Sizes:
    dev: { memory: 256 }
Conditions:
  IsDev: !Equals [!Ref Stage, dev]
  IsThree: !Equals [!Ref Count, 3]
  Both: !And [!Condition IsDev, Condition: IsThree]
  Neither: !Not [!Or [!Condition IsDev, !Equals [a, b]]]
  Loop: !Not [!Condition Loop]"#;

#[test]
fn functions_that_need_no_account() {
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:F";
    for (value, expected) in [
        ("!Ref Stage", json!("dev")),
        ("!Ref Zones", json!(["a", "b"])),
        ("!Ref AWS::Region", json!("us-east-1")),
        ("!Ref AWS::StackName", json!("my-shop")),
        ("!Ref F", json!("F")),
        ("!GetAtt F.Arn", json!(arn)),
        ("{Fn::GetAtt: [F, Arn]}", json!(arn)),
        ("!Ref F.Version", json!(arn)),
        (
            "!Sub '${F.Arn}:$LATEST ${!F} ${AWS::AccountId}'",
            json!(format!("{arn}:$LATEST ${{F}} 000000000000")),
        ),
        ("!Sub ['${A}-${Stage}', {A: !Ref Count}]", json!("3-dev")),
        ("!Join ['-', [a, !Ref Stage, 1, true]]", json!("a-dev-1-true")),
        ("!Join ['', !Ref Zones]", json!("ab")),
        ("!Select [1, !Split [',', 'x,y,z']]", json!("y")),
        ("!FindInMap [Sizes, !Ref Stage, memory]", json!(256)),
        ("!FindInMap [Sizes, prod, memory, DefaultValue: 1]", json!(1)),
        ("!If [IsDev, yes, no]", json!("yes")),
        ("!If [Both, 1, 2]", json!(1)),
        ("!If [Neither, 1, 2]", json!(2)),
        ("[a, !If [IsDev, !Ref AWS::NoValue, b]]", json!(["a"])),
        ("{a: !Ref AWS::NoValue, b: 1}", json!({ "b": 1 })),
        ("!Base64 hi", json!("aGk=")),
        ("{Fn::ToJsonString: {a: [1, !Ref Stage]}}", json!(r#"{"a":[1,"dev"]}"#)),
        ("{Fn::Length: !Ref Zones}", json!(2)),
        ("{Ref: x, other: 1}", json!({ "Ref": "x", "other": 1 })),
    ] {
        assert_eq!(evaluate(SECTIONS, value), (expected, vec![], vec![]), "{value}");
    }
}

#[test]
fn what_only_a_deployed_stack_knows_has_a_stand_in() {
    for (value, expected, what) in [
        ("!Ref T", json!("T"), "the name of `T`"),
        ("!GetAtt T.Arn", json!("arn:aws:dynamodb:us-east-1:000000000000:T"), "the ARN of `T`"),
        ("!GetAtt T.StreamArn", json!("T.StreamArn"), "`StreamArn` of `T`"),
        ("!Ref Open", json!("Open"), "the value of the parameter `Open`, which has no default,"),
        ("!ImportValue net", json!("net"), "the export `net` of another stack"),
        ("!Ref ServerlessRestApi", json!("ServerlessRestApi"), "the name of `ServerlessRestApi`"),
        ("!GetAtt FRole.Arn", json!("FRole"), "the name of `FRole`"),
        ("'{{resolve:ssm:x}}'", json!("{{resolve:ssm:x}}"), "what `{{resolve:…}}` names"),
    ] {
        assert_eq!(evaluate(SECTIONS, value), (expected, vec![], vec![what.to_owned()]), "{value}");
    }
}

#[test]
fn mistakes_are_found_where_they_are_evaluated() {
    for (value, code) in [
        ("!Ref Stagee", "FL0252"),
        ("!Sub '${Nothing}'", "FL0252"),
        ("!GetAtt Nothing.Arn", "FL0252"),
        ("!GetAtt FF.Arn", "FL0252"),
        ("!GetAtt F", "FL0251"),
        ("!Join [a]", "FL0251"),
        ("!Join [a, b]", "FL0251"),
        ("!Sub [1, 2, 3]", "FL0251"),
        ("!Sub '${Zones}'", "FL0251"),
        ("!Select [7, [a]]", "FL0251"),
        ("!Split ['', a]", "FL0251"),
        ("!FindInMap [Sizes, prod, memory]", "FL0252"),
        ("!If [Nothing, 1, 2]", "FL0252"),
        ("!If [Loop, 1, 2]", "FL0251"),
        ("!If [1, 2]", "FL0251"),
        ("{Fn::Unheard: 1}", "FL0251"),
    ] {
        assert_eq!(evaluate(SECTIONS, value).1, vec![code], "{value}");
    }
}

#[test]
fn what_would_grow_without_end_is_refused() {
    let chain: String = (0..500).map(|n| format!("\n  C{n}: !Not [!Condition C{}]", n + 1)).collect();
    let conditions = format!("Conditions:{chain}\n  C500: !Equals [a, b]");
    assert_eq!(evaluate(&conditions, "!If [C0, 1, 2]").1, vec!["FL0251"]);

    let long = "x".repeat(100_000);
    let parameters = format!("Parameters:\n  P: {{ Type: String, Default: {long} }}");
    let many = format!("!Sub '{}'", "${P}".repeat(1000));
    assert_eq!(evaluate(&parameters, &many).1, vec!["FL0251"]);
}
