//! What holds for any template: no panic, findings that point into it, and no definition where something is wrong.

use super::*;
use crate::config::Config;
use crate::functions::FunctionFolders;
use proptest::prelude::*;

const EVERYTHING: &str = include_str!("everything.yaml");

/// Reads `text` as a template, each state machine of it, and each function.
fn read_all(text: &str) -> Vec<String> {
    let source = Source::new("template.yaml", text);
    let folder = tempfile::tempdir().unwrap();
    let config = Config::default();
    let mut read = Vec::new();
    is_template(&source);
    for selection in [None, Some("Machine"), Some("Written"), Some("Joined")] {
        let (project, findings) = match Project::read(&source, Path::new("template.yaml"), "shop", selection)
        {
            Ok((project, warnings)) => (Some(project), warnings),
            Err(findings) => (None, findings),
        };
        assert!(project.is_some() || findings.iter().any(|finding| finding.severity == Severity::Error));
        check(text, &findings);
        let Some(project) = project else { continue };
        let mut found = match faastlane_asl::parse(project.definition()) {
            Ok(parsed) => {
                read.push(project.name.clone());
                parsed.warnings
            }
            Err(found) => found,
        };
        project.report_unreplaced(&mut found);
        check(text, &found);
        let folders = FunctionFolders {
            root: folder.path(),
            beside_definition: folder.path(),
            config: &config,
            project: Some(&project),
        };
        let around = Around {
            folders: &folders,
            template_folder: folder.path(),
            cache_directory: folder.path(),
            python_is_set: false,
        };
        for name in project.function_names() {
            let function = project.function(name, &around);
            let (_, findings) = function.unwrap_or_default();
            check(text, &findings);
        }
    }
    read
}

fn check(text: &str, findings: &[Diagnostic]) {
    for finding in findings {
        if let Some((source, span)) = &finding.place {
            assert_eq!(&*source.text, text, "a place in another text");
            assert!(text.get(span.start..span.end).is_some(), "{span:?} is not in the text: {finding:?}");
        }
    }
}

#[test]
fn the_template_that_is_edited_has_no_mistake() {
    assert_eq!(read_all(EVERYTHING), ["dev-machine", "Written", "Joined"]);
}

/// One edit: a piece of the text is replaced by what matters to templates.
fn edits() -> impl Strategy<Value = (prop::sample::Index, usize, String)> {
    let insertion = prop_oneof![
        4 => prop::sample::select(vec![
            "", "{", "}", "[", "]", ",", ":", "\"", "'", "\\", "\n", " ", "- ", "&a ", "*a", "|\n", ">\n", "!Ref ", "!Sub ",
            "!GetAtt ", "!If ", "!Join ", "!Select ", "!Split ", "!FindInMap ", "!Equals ", "!Not ", "!ImportValue ", "!Base64 ",
            "${", "${Hello}", "${Hello.Arn}", "${!x}", "$", "Ref: ", "Fn::Sub: ", "Stage", "IsDev", "Machine", "Bye", "null",
            "AWS::NoValue", "AWS::StackName", "-1", "é", "😀", "\u{0}", "\u{85}", "\u{feff}",
        ]).prop_map(str::to_owned),
        1 => ".{0,8}",
    ];
    (any::<prop::sample::Index>(), 0usize..60, insertion)
}

fn boundary(text: &str, mut position: usize) -> usize {
    while !text.is_char_boundary(position) {
        position -= 1;
    }
    position
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn an_edited_template_never_panics(edits in prop::collection::vec(edits(), 1..4)) {
        let mut text = EVERYTHING.to_owned();
        for (index, length, insertion) in edits {
            let start = boundary(&text, index.index(text.len()));
            let end = boundary(&text, (start + length).min(text.len()));
            text.replace_range(start..end, &insertion);
        }
        read_all(&text);
    }

    #[test]
    fn any_text_never_panics(text in ".{0,200}") {
        read_all(&text);
        read_all(&format!("Resources: {text}"));
    }
}
