//! Workflows that are taken from AWS SAM and CloudFormation templates.

use crate::folder::{Folder, calls, host_with_keys, places};
use faastlane_asl::diagnostic::{Diagnostic, Severity};
use faastlane_compose::{Origin, PythonRequest, Workflow, load, plan};

const CODE: &str = "def handler(event, context): return event\n";

/// A template with a state machine of these properties, and a function `Hello` in `hello/`.
fn template(machine: &str) -> String {
    format!(
        "Transform: AWS::Serverless-2016-10-31\n\
         Resources:\n\
         \x20 Machine:\n\
         \x20   Type: AWS::Serverless::StateMachine\n\
         \x20   Properties:\n{machine}\
         \x20 Hello:\n\
         \x20   Type: AWS::Serverless::Function\n\
         \x20   Properties:\n\
         \x20     CodeUri: hello/\n\
         \x20     Handler: app.handler\n\
         \x20     Runtime: python3.12\n"
    )
}

fn folder_of(template: &str) -> Folder {
    Folder::new(&[("template.yaml", template), ("hello/app.py", CODE)])
}

fn loaded(folder: &Folder) -> Workflow {
    folder.load().unwrap_or_else(|findings| panic!("{findings:#?}"))
}

fn errors(findings: &[Diagnostic]) -> Vec<Diagnostic> {
    findings.iter().filter(|finding| finding.severity == Severity::Error).cloned().collect()
}

fn names(workflow: &Workflow) -> Vec<&str> {
    workflow.functions.iter().map(|function| function.name.as_str()).collect()
}

#[test]
fn every_way_to_name_a_function_leads_to_it() {
    let task = |resource: &str, parameters: &str| {
        format!(
            "      DefinitionSubstitutions:\n\
             \x20       HelloArn: !GetAtt Hello.Arn\n\
             \x20       Hello: !Ref Hello\n\
             \x20       Long: {{ Fn::GetAtt: [Hello, Arn] }}\n\
             \x20     Definition:\n\
             \x20       StartAt: A\n\
             \x20       States:\n\
             \x20         A: {{ Type: Task, Resource: {resource}, {parameters}End: true }}\n"
        )
    };
    let invoke = |name: &str| {
        task("arn:aws:states:::lambda:invoke", &format!("Parameters: {{ FunctionName: {name} }}, "))
    };
    for machine in [
        task("!GetAtt Hello.Arn", ""),
        task("'${HelloArn}'", ""),
        task("'${Hello}'", ""),
        task("'${Long}:live'", ""),
        task("!Sub '${Hello.Arn}:$LATEST'", ""),
        task("!Sub ['${A}', { A: !GetAtt Hello.Arn }]", ""),
        task("!Join [':', [!GetAtt Hello.Arn, live]]", ""),
        invoke("'${HelloArn}:$LATEST'"),
        invoke("'${Hello}'"),
        invoke("!Ref Hello"),
        invoke("!Sub '${Hello.Arn}'"),
        invoke("!Sub 'arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:${Hello}'"),
    ] {
        let folder = folder_of(&template(&machine));
        let workflow = loaded(&folder);
        assert_eq!(names(&workflow), ["Hello"], "{machine}");
        let function = &workflow.functions[0];
        assert_eq!((function.module.as_str(), function.handler.as_deref()), ("app", Some("handler")));
        assert_eq!(function.file, folder.root().join("hello/app.py"));
        assert_eq!(
            (workflow.name.as_str(), workflow.warnings.len()),
            ("Machine", 0),
            "{:?}",
            workflow.warnings
        );
        assert_eq!(workflow.template.unwrap().name, workflow.definition_file.display().to_string().into());
    }
}

#[test]
fn a_definition_in_a_file_of_its_own() {
    let by_uri = "      DefinitionUri: ./machine/a.asl.json\n\
                  \x20     DefinitionSubstitutions: { HelloArn: !GetAtt Hello.Arn, Seconds: 5 }\n";
    let folder = folder_of(&template(by_uri));
    let json = r#"{ "StartAt": "W", "States": { "W": { "Type": "Wait", "Seconds": ${Seconds}, "Next": "A" },
        "A": { "Type": "Task", "Resource": "${HelloArn}", "End": true } } }"#;
    folder.write("machine/a.asl.json", json);
    let workflow = loaded(&folder);
    assert_eq!(names(&workflow), ["Hello"]);
    assert_eq!(workflow.definition_file, folder.root().join("machine/a.asl.json"));
    assert!(workflow.definition.text.contains(r#""Seconds": 5,"#), "{}", workflow.definition.text);
    assert!(workflow.definition.text.contains(":function:Hello\""), "{}", workflow.definition.text);

    folder.write("template.yaml", &template(&by_uri.replace("a.asl.json", "a.asl.yaml")));
    folder.write(
        "machine/a.asl.yaml",
        "StartAt: A\nStates:\n  A: # calls ${HelloArn}\n    Type: Task\n    Resource: ${HelloArn}\n    End: true\n",
    );
    assert_eq!(names(&loaded(&folder)), ["Hello"]);
}

#[test]
fn a_machine_of_plain_cloudformation() {
    let definition = calls(&["HELLO"]).replace('"', "\\\"").replace("HELLO", "${Hello.Arn}");
    let string = format!(r#"{{ "Fn::Sub": "{definition}" }}"#);
    let joined = r#"{ "Fn::Join": ["\n", ["{ \"StartAt\": \"A\", \"States\": { \"A\": { \"Type\": \"Task\",",
        { "Fn::Sub": "\"Resource\": \"${Hello}\", \"End\": true } } }" }]] }"#;
    for definition in [string.as_str(), joined] {
        let template = format!(
            r#"{{ "Resources": {{
                "Machine": {{ "Type": "AWS::StepFunctions::StateMachine",
                    "Properties": {{ "StateMachineName": "orders", "StateMachineType": "EXPRESS", "DefinitionString": {definition} }} }},
                "Hello": {{ "Type": "AWS::Lambda::Function",
                    "Properties": {{ "Runtime": "python3.12", "Handler": "app.handler", "Code": "hello" }} }} }} }}"#
        );
        let folder = Folder::new(&[("template.json", &template), ("hello/app.py", CODE)]);
        let workflow = loaded(&folder);
        assert_eq!((workflow.name.as_str(), names(&workflow)), ("orders", vec!["Hello"]));
    }
}

const BIG: &str = r#"Parameters:
  Stage: { Type: String, Default: dev }
Globals:
  Function:
    Runtime: python3.12
    Timeout: 20
    MemorySize: 512
    Layers: [!Ref Shared]
    Environment: { Variables: { STAGE: !Ref Stage, SHARED: from-globals, DEBUG: true } }
Resources:
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: workflow.json
      DefinitionSubstitutions: { One: !GetAtt One.Arn, Two: !Ref Two, Three: !GetAtt Three.Arn }
  One:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src
      Handler: pkg/deep.module.run
      Environment: { Variables: { SHARED: own, PEER: !GetAtt Two.Arn } }
  Two:
    Type: AWS::Serverless::Function
    Properties: { FunctionName: !Sub "${Stage}-two", Handler: app.handler, Timeout: 5, MemorySize: "1024", CodeUri: two }
  Three:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.handler
      InlineCode: |
        def handler(event, context):
            return "inline"
  NotCalled:
    Type: AWS::Serverless::Function
    Properties: { Runtime: java21, Handler: a.B::c, CodeUri: s3://bucket/key }
  Shared:
    Type: AWS::Serverless::LayerVersion
    Metadata: { BuildMethod: python3.12 }
    Properties: { ContentUri: layer }
"#;

fn big() -> Folder {
    Folder::new(&[
        ("template.yaml", BIG),
        ("workflow.json", &calls(&["${One}", "${Two}", "${Three}"])),
        ("src/pkg/deep/module.py", CODE),
        ("src/requirements.txt", "requests\n"),
        ("two/app.py", CODE),
        ("layer/requirements.txt", "six\n"),
        ("layer/python/shared.py", ""),
        ("requirements.txt", "pytest\n"),
    ])
}

#[test]
fn a_function_is_as_the_template_says() {
    let folder = big();
    let workflow = loaded(&folder);
    assert_eq!(names(&workflow), ["One", "dev-two", "Three"], "the function that nobody calls is left alone");
    let [one, two, three] = &workflow.functions[..] else { panic!("three functions") };
    let env = |text: &str| one.env[text].as_str().to_owned();
    assert_eq!((one.module.as_str(), one.handler.as_deref()), ("pkg.deep.module", Some("run")));
    assert_eq!(one.directory, folder.root().join("src"));
    assert_eq!((env("STAGE"), env("SHARED"), env("DEBUG")), ("dev".into(), "own".into(), "true".into()));
    assert_eq!(env("PEER"), "arn:aws:lambda:us-east-1:000000000000:function:dev-two");
    assert_eq!((one.timeout_seconds, one.memory_mb), (Some(20), 512));
    assert_eq!((two.timeout_seconds, two.memory_mb), (Some(5), 1024));
    let layer = folder.root().join("layer");
    assert_eq!(one.layers, [layer.join("python"), layer.clone()]);
    let requirements = [layer.join("requirements.txt"), folder.root().join("src/requirements.txt")];
    assert_eq!(one.requirements, requirements, "the project's own are for its developers");
    assert_eq!(
        std::fs::read_to_string(&three.file).unwrap(),
        "def handler(event, context):\n    return \"inline\"\n"
    );
    let python = one.python.as_ref().unwrap();
    assert_eq!(python.value, PythonRequest::Version(3, 12, None));
    assert!(matches!(&python.origin, Origin::Template(source, _) if source.name.ends_with("template.yaml")));
}

#[test]
fn the_command_line_and_the_workflows_file_win() {
    let mut folder = big();
    folder.write("other/main.py", CODE);
    folder.write(
        "faastlane.toml",
        "[workflow]\nname = 'mine'\n[functions.One]\ntimeout = 1\nmemory = 1\nenv = { SHARED = 'mine' }\n\
         handler = 'main.handler'\npython = '3.13'\npath = 'other'\n[functions.Two]\npython = '3.13'\n[trust]\npair = ['One', 'Two']\n",
    );
    let workflow = loaded(&folder);
    let [one, two, _] = &workflow.functions[..] else { panic!("three functions") };
    assert_eq!(workflow.name, "mine");
    assert_eq!((one.timeout_seconds, one.memory_mb, one.env["SHARED"].as_str()), (Some(1), 1, "mine"));
    assert_eq!((one.env["STAGE"].as_str(), &one.file), ("dev", &folder.root().join("other/main.py")));
    assert_eq!(two.python.as_ref().unwrap().value, PythonRequest::Version(3, 13, None));
    let members: Vec<&str> =
        workflow.config.trust[0].functions.iter().map(|member| member.value.as_str()).collect();
    assert_eq!(members, ["One", "dev-two"], "a logical id is the name that the states call");
    assert_eq!(workflow.warnings, []);

    folder.overrides().python = Some(PythonRequest::Version(3, 11, None));
    let workflow = loaded(&folder);
    assert_eq!(workflow.functions[2].python, None, "the workflow's setting counts");
}

#[test]
fn the_plan_has_the_layers_and_the_digest_has_the_template() {
    let mut folder = big();
    folder.search_only(&["py/bin"]);
    folder.fake_python("py/bin/python3", [3, 12, 0], Some("libpython3.12.so.1.0"));
    for file in ["src/requirements.txt", "layer/requirements.txt"] {
        folder.write(file, "");
    }
    let planned = |folder: &Folder| plan(&loaded(folder), &host_with_keys(15), &mut |_| {}).unwrap();
    let before = planned(&folder);
    let layer = folder.root().join("layer");
    let expected = [folder.root().join("src"), layer.join("python"), layer.clone()];
    assert_eq!(before.functions[0].sys_path[..3], expected);
    assert_eq!(before.bundle, planned(&folder).bundle);
    folder.write("layer/python/shared.py", "CHANGED = True\n");
    let changed = planned(&folder);
    assert_ne!(before.bundle, changed.bundle);
    folder.write("template.yaml", &BIG.replace("from-globals", "changed"));
    assert_ne!(changed.bundle, planned(&folder).bundle);

    folder.search_only(&["old/bin"]);
    folder.fake_python("old/bin/python3", [3, 11, 0], Some("libpython3.11.so.1.0"));
    let findings = plan(&loaded(&folder), &host_with_keys(15), &mut |_| {}).unwrap_err();
    assert_eq!(places(&findings), [("FL0221", "python3.12".to_owned())]);
    assert!(findings[0].hint.as_ref().unwrap().contains("--python 3.N"), "{findings:?}");
}

#[test]
fn one_of_several_state_machines() {
    let machine = "      Definition: { StartAt: A, States: { A: { Type: Task, Resource: !GetAtt Hello.Arn, End: true } } }\n";
    let second = format!(
        "{}  Other:\n    Type: AWS::Serverless::StateMachine\n    Properties:\n{machine}",
        template(machine)
    );
    let folder = folder_of(&second);
    let findings = folder.load().unwrap_err();
    assert_eq!(places(&findings), [("FL0250", "Other".to_owned())]);
    assert!(findings[0].message.ends_with("has several state machines: `Machine`, `Other`"), "{findings:?}");
    assert!(findings[0].hint.as_ref().unwrap().contains("template.yaml#Machine"), "{findings:?}");

    let at = |path: &str| load(&folder.beside(path), &folder.surroundings);
    assert_eq!(at("flow#Other").unwrap().name, "Other");
    assert_eq!(at("flow/template.yaml#Machine").unwrap().name, "Machine");
    let findings = at("flow#Othre").unwrap_err();
    assert_eq!((findings[0].code, findings[0].hint.as_deref()), ("FL0250", Some("Did you mean `Other`?")));
    folder.write("workflow.asl.json", &calls(&["Hello"]));
    assert_eq!(at("flow/workflow.asl.json#Other").unwrap_err()[0].code, "FL0250");
    assert_eq!(at("flow#Other").unwrap().name, "Other", "who names a resource means the template");
    assert_eq!(at("nowhere#Other").unwrap_err()[0].code, "FL0201");

    let conditional = second.replace("  Other:\n", "  Other:\n    Condition: Never\n")
        + "Conditions: { Never: !Equals [a, b] }\n";
    let folder = folder_of(&conditional);
    assert_eq!(loaded(&folder).name, "Machine", "the other is never made");
}

#[test]
fn which_file_is_the_source() {
    let machine = "      Definition: { StartAt: A, States: { A: { Type: Task, Resource: !GetAtt Hello.Arn, End: true } } }\n";
    let folder = folder_of(&template(machine));
    folder.write("workflow.json", "{}");
    assert_eq!(loaded(&folder).name, "Machine", "a template comes before the original's file");
    folder.write("hello.py", CODE);
    folder.write("workflow.asl.json", &calls(&["hello"]));
    assert_eq!(names(&loaded(&folder)), ["hello"], "a definition comes before the template");
    folder.write("faastlane.toml", "[workflow]\ndefinition = 'template.yaml'\n");
    assert_eq!(names(&loaded(&folder)), ["Hello"]);

    folder.write("faastlane.toml", "");
    folder.write("workflow.asl.json", &calls(&["${HelloArn}"]));
    let findings = folder.load().unwrap_err();
    assert_eq!(places(&findings), [("FL0133", "\"${HelloArn}\"".to_owned())]);
    assert!(findings[0].hint.as_ref().unwrap().contains("template.yaml may say"), "{findings:?}");

    let mail = Folder::new(&[("template.json", r#"{"subject": "Hello"}"#)]);
    assert_eq!(mail.load().unwrap_err()[0].code, "FL0202", "not every template is one of CloudFormation");
    let broken = Folder::new(&[("template.yaml", "Resources:\n  A: [\n")]);
    assert_eq!(broken.load().unwrap_err()[0].code, "FL0102");
    let empty = Folder::new(&[("template.yaml", "Resources:\n  A: { Type: AWS::S3::Bucket }\n")]);
    assert_eq!(empty.load().unwrap_err()[0].code, "FL0250");
}

#[test]
fn mistakes_in_a_definition_are_shown_where_they_are_written() {
    let folder = folder_of(&template(
        "      DefinitionUri: a.asl.json\n      DefinitionSubstitutions: { H: !GetAtt Hello.Arn, Arn: !Ref AWS::Region }\n",
    ));
    folder.write(
        "a.asl.json",
        r#"{ "StartAt": "A", "States": { "A": { "Type": "Task", "Resource": "${H}", "InputPath": "$.a[", "Next": "B" },
            "B": { "Type": "Task", "Resource": "${HH}", "Comment": "${Other}", "Nxet": "A", "End": true } } }"#,
    );
    let findings = folder.load().unwrap_err();
    let expected =
        [("FL0130", "\""), ("FL0133", "\"${HH}\""), ("FL0112", "\"Nxet\""), ("FL0254", "${Other}")];
    assert_eq!(places(&findings), expected.map(|(code, place)| (code, place.to_owned())));
    assert_eq!(findings[1].label.as_deref(), Some("nothing replaces `${HH}`"));
    assert_eq!(findings[1].hint.as_deref(), Some("Did you mean `H`?"));
    let (source, span) = findings[2].place.clone().unwrap();
    assert_eq!(source.line_column(span.start), (2, 80));
    assert!(source.name.ends_with("a.asl.json"));

    let inline = "      Definition:\n        StartAt: A\n        States:\n          A:\n            Type: Task\n\
                  \x20           Resource: !GetAtt Hello.Arn\n            ResultPath: $.a[b\n            Next: !Sub '${AWS::Region}x'\n";
    let findings = folder_of(&template(inline)).load().unwrap_err();
    assert_eq!(
        places(&findings)[..2],
        [("FL0130", "b".to_owned()), ("FL0120", "!Sub '${AWS::Region}x'".to_owned())]
    );
    assert!(findings[0].place.as_ref().unwrap().0.name.ends_with("template.yaml"));

    let string = "      DefinitionString: !Sub |\n        {\n          \"StartAt\": \"A\",\n          \"States\": { \"A\": {\n\
                  \x20           \"Type\": \"Task\", \"Resource\": \"${Hello.Arn}\", \"Next\": \"B\" } }\n        }\n";
    let text = template(string).replace("Serverless::StateMachine", "StepFunctions::StateMachine");
    let findings = folder_of(&text).load().unwrap_err();
    assert_eq!(places(&findings), [("FL0120", "\"B\"".to_owned())]);
    let broken = text.replace("\"StartAt\": \"A\",", "\"StartAt\": \"A\"");
    let findings = folder_of(&broken).load().unwrap_err();
    assert_eq!(findings[0].code, "FL0101");
    let (source, span) = findings[0].place.clone().unwrap();
    assert_eq!(source.line_column(span.start).0, 8, "{findings:#?}");
}

#[test]
fn definitions_that_cannot_be_had() {
    for (machine, code, place) in [
        ("      DefinitionUri: nowhere.json\n", "FL0253", "nowhere.json"),
        ("      DefinitionUri: s3://bucket/key\n", "FL0253", "s3://bucket/key"),
        ("      DefinitionUri: { Bucket: b, Key: k }\n", "FL0253", "{ Bucket: b, Key: k }"),
        ("      Definition: nothing\n", "FL0251", "nothing"),
        ("      DefinitionUri: 5\n", "FL0251", "5"),
        ("      Name: x\n", "FL0251", "Machine"),
        ("      DefinitionUri: a\n      Definition: {}\n", "FL0251", "a"),
        ("      Type: FAST\n      Definition: {}\n", "FL0251", "FAST"),
        ("      Definition: { StartAt: !Ref Nothing }\n", "FL0252", "!Ref Nothing"),
    ] {
        let findings = folder_of(&template(machine)).load().unwrap_err();
        assert_eq!(places(&findings), [(code, place.to_owned())], "{machine}");
    }
}

#[test]
fn functions_that_cannot_be_run_are_at_fault_only_where_they_are_called() {
    let machine = "      Definition: { StartAt: A, States: { A: { Type: Task, Resource: !GetAtt Bad.Arn, End: true } } }\n";
    let with = |properties: &str| {
        format!(
            "{}  Bad:\n    Type: AWS::Serverless::Function\n    Properties: {{ {properties} }}\n",
            template(machine)
        )
    };
    for (properties, code, place) in [
        ("CodeUri: hello, Handler: app.handler, Runtime: nodejs20.x", "FL0256", "nodejs20.x"),
        ("CodeUri: hello, Handler: app.handler, Runtime: python3.9", "FL0256", "python3.9"),
        ("PackageType: Image, ImageUri: x", "FL0256", "Image"),
        ("CodeUri: s3://b/k, Handler: app.handler", "FL0256", "s3://b/k"),
        ("CodeUri: hello/app.py, Handler: app.handler", "FL0256", "hello/app.py"),
        ("CodeUri: nowhere, Handler: app.handler", "FL0204", "nowhere"),
        ("CodeUri: hello, Handler: apq.handler", "FL0205", "apq.handler"),
        ("CodeUri: hello, Handler: handler", "FL0251", "handler"),
        ("CodeUri: hello", "FL0251", "Bad"),
        ("CodeUri: hello, Handler: app.handler, Timeout: soon", "FL0251", "soon"),
        ("CodeUri: hello, Handler: app.handler, Layers: x", "FL0251", "x"),
        ("CodeUri: hello, Handler: app.handler, Environment: { Variables: { A: [] } }", "FL0251", "[]"),
        (
            "CodeUri: hello, Handler: app.handler, Environment: { Variables: { A: !Ref Helo } }",
            "FL0252",
            "!Ref Helo",
        ),
    ] {
        let text = with(properties);
        let findings = folder_of(&text).load().unwrap_err();
        assert_eq!(places(&errors(&findings)), [(code, place.to_owned())], "{properties}");
        let uncalled = text.replace("!GetAtt Bad.Arn", "!GetAtt Hello.Arn");
        assert_eq!(loaded(&folder_of(&uncalled)).warnings, [], "{properties}");
        let by_name = text.replace(
            "!GetAtt Bad.Arn",
            "arn:aws:states:::lambda:invoke, Parameters: { FunctionName.$: $.f }",
        );
        let workflow = loaded(&folder_of(&by_name));
        assert_eq!(names(&workflow), ["Hello"], "{properties}");
        assert_eq!(places(&workflow.warnings), [(code, place.to_owned())], "{properties}");
    }
}

#[test]
fn what_only_a_deployed_stack_knows_is_said_where_it_matters() {
    let machine = "      DefinitionSubstitutions: { Table: !Ref Table, Unused: !GetAtt Table.Arn, H: !Ref Hello }\n\
                   \x20     Definition: { StartAt: A, States: { A: { Type: Task, Resource: '${H}', Comment: '${Table}', End: true } } }\n";
    let text = format!(
        "{}      Environment: {{ Variables: {{ T: !GetAtt Table.Arn, S: !Ref Stage }} }}\n\
         \x20     Layers: ['arn:aws:lambda:us-east-1:1:layer:x:1']\n\
         \x20 Table: {{ Type: AWS::DynamoDB::Table }}\nParameters: {{ Stage: {{ Type: String }} }}\n",
        template(machine)
    );
    let folder = folder_of(&text);
    let workflow = loaded(&folder);
    let expected = [
        ("FL0255", "!Ref Table"),
        ("FL0255", "!GetAtt Table.Arn"),
        ("FL0255", "!Ref Stage"),
        ("FL0257", "'arn:aws:lambda:us-east-1:1:layer:x:1'"),
    ];
    assert_eq!(places(&workflow.warnings), expected.map(|(code, place)| (code, place.to_owned())));
    assert_eq!(workflow.functions[0].env["T"], "arn:aws:dynamodb:us-east-1:000000000000:Table");
    folder.write("faastlane.toml", "[functions.Hello]\nenv = { T = 'x', S = 'y' }\n");
    assert_eq!(loaded(&folder).warnings.len(), 2, "what the workflow's file sets need not be known");
}
