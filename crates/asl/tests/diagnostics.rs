//! Every definition in `definitions/bad`, and what is said about it. Each snapshot is what a person would read.

use faastlane_asl::diagnostic::{Diagnostic, Severity};
use faastlane_asl::parse;
use faastlane_asl::source::Source;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

#[test]
fn bad_definitions_are_explained() {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir("tests/definitions/bad").unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 30);
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        let source = Source::new(name, std::fs::read_to_string(&file).unwrap());
        let findings = parse(&source).expect_err(name);
        assert!(findings.iter().any(|finding| finding.severity == Severity::Error), "{name}");
        insta::assert_snapshot!(name.replace('.', "-"), render(&findings));
    }
}

/// A code without a page cannot be explained; a code that no definition here provokes is not tested.
#[test]
fn every_code_has_a_page_and_a_definition_that_provokes_it() {
    let pages = std::fs::read_dir("../../docs/errors").unwrap();
    let pages: BTreeSet<String> = pages
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|code| code.starts_with("FL01"))
        .collect();
    let mut provoked = BTreeSet::new();
    for entry in std::fs::read_dir("tests/definitions/bad").unwrap() {
        let file = entry.unwrap().path();
        let source = Source::new(file.to_str().unwrap(), std::fs::read_to_string(&file).unwrap());
        provoked.extend(parse(&source).unwrap_err().into_iter().map(|finding| finding.code.to_owned()));
    }
    provoked.insert(too_deep()[0].code.to_owned());
    provoked.insert(too_large()[0].code.to_owned());
    assert_eq!(pages, provoked);
}

#[test]
fn nesting_is_bounded() {
    insta::assert_snapshot!(render(&too_deep()), @r"
    FL0103 error: the definition is nested too deep
      deep:1:205 at /
      | more than 200 levels
      hint: Flatten it; 200 levels are the most that is read.
    ");
}

/// Within the parsers' own limits, beyond them, and far beyond any stack.
#[test]
fn nesting_never_overflows_the_stack() {
    for depth in [195, 300, 1_000, 200_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("- ", ""), ("? ", "")] {
            let nested = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            for name in ["deep.json", "deep.yaml", "deep"] {
                assert!(parse(&Source::new(name, nested.as_str())).is_err());
            }
        }
    }
}

/// It runs here even so.
fn too_large() -> Vec<Diagnostic> {
    let comment = "x".repeat(1 << 20);
    let text = format!(r#"{{"Comment":"{comment}","StartAt":"A","States":{{"A":{{"Type":"Succeed"}}}}}}"#);
    parse(&Source::new("large", text)).unwrap().warnings
}

fn too_deep() -> Vec<Diagnostic> {
    let nested = format!("{{\"a\":{}{}}}", "[".repeat(250), "]".repeat(250));
    parse(&Source::new("deep", nested)).unwrap_err()
}

fn render(findings: &[Diagnostic]) -> String {
    let mut text = String::new();
    for finding in findings {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let (source, span) = finding.place.as_ref().expect("a definition has text");
        let (line, column) = source.line_column(span.start);
        let location = match finding.location.as_deref() {
            Some("") | None => "/",
            Some(location) => location,
        };
        writeln!(text, "{} {severity}: {}", finding.code, finding.message).unwrap();
        writeln!(text, "  {}:{line}:{column} at {location}", source.name).unwrap();
        let quoted = source.text.lines().nth(line - 1).filter(|line| line.len() <= 200);
        if let Some(quoted) = quoted {
            let marked = source.text[span.start..span.end].chars().count().max(1);
            writeln!(text, "  | {}", quoted.replace('\t', " ")).unwrap();
            writeln!(text, "  | {}{}", " ".repeat(column - 1), "^".repeat(marked)).unwrap();
        }
        if let Some(label) = &finding.label {
            writeln!(text, "  | {label}").unwrap();
        }
        if let Some(hint) = &finding.hint {
            writeln!(text, "  hint: {hint}").unwrap();
        }
    }
    text
}
