//! Finding and reading a workflow's definition: in a folder, a file or a template.

use crate::code;
use crate::config::Config;
use crate::finding::alternatives;
use crate::sam::{Project, is_template};
use crate::text_file::{absolute, read_source};
use crate::workflow::read_config;
use faastlane_asl::definition::{ExecutionType, StateMachine};
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_asl::source::Source;
use std::path::{Path, PathBuf};

/// The definition's file names, of which one may be there.
const DEFINITION_FILES: [&str; 3] = ["workflow.asl.json", "workflow.asl.yaml", "workflow.asl.yml"];
/// What the original Faastlane called it; taken where there is none of the others.
const FALLBACK_DEFINITION_FILE: &str = "workflow.json";

/// Of AWS SAM, in the order in which it looks for them.
const TEMPLATE_FILES: [&str; 3] = ["template.yaml", "template.yml", "template.json"];

/// A definition without mistakes, whatever its functions are.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The workflow's: from `faastlane.toml`, else the folder's.
    pub name: String,
    pub machine: StateMachine,
}

/// Reads only the definition of a workflow: a folder, a definition file or a template in one.
///
/// # Errors
///
/// Everything that keeps the definition from being found or read, in the order of the files.
pub fn load_definition(path: &Path) -> Result<Definition, Vec<Diagnostic>> {
    let ReadDefinition { name, source, project } = read(path)?;
    let mut findings = Vec::new();
    match parse(&source, ExecutionType::Standard, project.as_ref(), None, &mut findings) {
        Some(machine) => Ok(Definition { name, machine }),
        None => Err(findings),
    }
}

/// Finds the definition of a workflow: a folder, a definition file in one, or a template. The workflow's name, and the
/// text.
///
/// # Errors
///
/// Everything that keeps the definition from being found or read, in the order of the files.
pub fn read_definition(path: &Path) -> Result<(String, Source), Vec<Diagnostic>> {
    let ReadDefinition { name, source, .. } = read(path)?;
    Ok((name, source))
}

/// The text of a definition, and the template that it comes from.
struct ReadDefinition {
    /// The workflow's.
    name: String,
    source: Source,
    project: Option<Project>,
}

fn read(path: &Path) -> Result<ReadDefinition, Vec<Diagnostic>> {
    let (path, selection) = split_selection(path);
    let shown_root = if path.is_dir() { path.as_path() } else { path.parent().unwrap_or(Path::new("")) };
    let root = absolute(shown_root).map_err(|finding| vec![finding])?;
    let mut findings = Vec::new();
    let config = read_config(shown_root, &root, &mut findings);
    let opened = open_definition(&path, selection.as_deref(), &config, &root, &mut findings);
    let Ok(Opened { definition, definition_file, project }) = opened else { return Err(findings) };
    let name = match (&config.name, &project) {
        (None, Some(project)) => project.name.clone(),
        _ => workflow_name(&config, &root, &definition_file),
    };
    Ok(ReadDefinition { name, source: definition, project })
}

/// A definition that was read, and the template that it comes from.
pub(crate) struct Opened {
    pub(crate) definition: Source,
    /// Absolute.
    pub(crate) definition_file: PathBuf,
    pub(crate) project: Option<Project>,
}

/// What keeps it from being opened is added to the findings.
pub(crate) struct NotOpened;

pub(crate) fn open_definition(
    path: &Path,
    selection: Option<&str>,
    config: &Config,
    root: &Path,
    findings: &mut Vec<Diagnostic>,
) -> Result<Opened, NotOpened> {
    let mut refuse = |finding: Diagnostic| {
        findings.push(finding);
        NotOpened
    };
    let (file, source) = if path.is_dir() {
        match find_definition(path, selection, config) {
            Ok(file) => read_source(&file).map(|source| (file, source)).map_err(&mut refuse)?,
            Err(finding) => return Err(refuse(finding)),
        }
    } else if path.exists() {
        read_source(path).map(|source| (path.to_owned(), source)).map_err(&mut refuse)?
    } else {
        let message = format!("there is nothing at {}", path.display());
        return Err(refuse(Diagnostic::error(code::NO_WORKFLOW, message).hint(
            "Name a workflow folder, a definition file or a template; `faastlane init NAME` makes one.",
        )));
    };
    let definition_file = absolute(&file).map_err(&mut refuse)?;
    if !is_template(&source) {
        if let Some(selection) = selection {
            let message = format!("{} is no template with a state machine `{selection}`", source.name);
            let hint = format!("A definition is one state machine: leave `#{selection}` out.");
            return Err(refuse(Diagnostic::error(code::NO_STATE_MACHINE, message).hint(hint)));
        }
        return Ok(Opened { definition: source, definition_file, project: None });
    }
    match Project::read(&source, &file, &folder_name(root), selection) {
        Ok((project, warnings)) => {
            findings.extend(warnings);
            let definition_file = absolute(&project.definition_file()).map_err(|finding| {
                findings.push(finding);
                NotOpened
            })?;
            let definition = project.definition().clone();
            Ok(Opened { definition, definition_file, project: Some(project) })
        }
        Err(found) => {
            findings.extend(found);
            Err(NotOpened)
        }
    }
}

/// What was opened, with the definition that is given. Where one is given there need be no other.
pub(crate) fn with_given(
    given: Option<Source>,
    opened: Result<Opened, NotOpened>,
    root: &Path,
    findings: &mut Vec<Diagnostic>,
) -> Result<Opened, NotOpened> {
    let Some(definition) = given else { return opened };
    Ok(match opened {
        Ok(opened) => Opened { definition, ..opened },
        Err(NotOpened) => {
            findings.clear();
            Opened { definition, definition_file: root.join(DEFINITION_FILES[0]), project: None }
        }
    })
}

/// Parses the definition. `unused_template` is a template beside it that may know what its placeholders stand for.
pub(crate) fn parse(
    definition: &Source,
    execution_type: ExecutionType,
    project: Option<&Project>,
    unused_template: Option<&Path>,
    findings: &mut Vec<Diagnostic>,
) -> Option<StateMachine> {
    let (machine, mut found) = match faastlane_asl::parse_as(definition, execution_type) {
        Ok(parsed) => (Some(parsed.machine), parsed.warnings),
        Err(found) => (None, found),
    };
    if let Some(project) = project {
        project.report_unreplaced(&mut found);
    }
    if let Some(template) = unused_template {
        let has_placeholder = |finding: &Diagnostic| {
            let place = finding.place.as_ref();
            let written = place.and_then(|(source, span)| source.text.get(span.start..span.end));
            written.is_some_and(|written| written.contains("${"))
        };
        for finding in found.iter_mut().filter(|finding| has_placeholder(finding)) {
            let template = template.display();
            finding.hint =
                Some(format!("{template} may say what it stands for: `faastlane run {template}`."));
        }
    }
    findings.extend(found);
    machine
}

/// Takes `#ID` off a path, unless the path with it is there.
pub(crate) fn split_selection(path: &Path) -> (PathBuf, Option<String>) {
    match path.to_str().and_then(|text| text.rsplit_once('#')) {
        Some((start, id)) if !path.exists() && !id.is_empty() => {
            let start = if start.is_empty() { "." } else { start };
            (PathBuf::from(start), Some(id.to_owned()))
        }
        _ => (path.to_owned(), None),
    }
}

fn find_definition(folder: &Path, selection: Option<&str>, config: &Config) -> Result<PathBuf, Diagnostic> {
    if selection.is_some() {
        // Only a template has several state machines.
        return find_template(folder).ok_or_else(|| {
            let message = format!("{} has no template", folder.display());
            Diagnostic::error(code::NO_DEFINITION, message)
                .hint(format!("Expected {}.", alternatives(&TEMPLATE_FILES)))
        });
    }
    if let (Some(name), Some(source)) = (&config.definition, &config.source) {
        let file = folder.join(&name.value);
        return if file.is_file() {
            Ok(file)
        } else {
            Err(Diagnostic::error(code::NO_DEFINITION, format!("there is no definition {}", file.display()))
                .at(source, name.span)
                .label("no such file"))
        };
    }
    let template = find_template(folder);
    let there: Vec<&str> = DEFINITION_FILES.into_iter().filter(|name| folder.join(name).is_file()).collect();
    match (&there[..], template) {
        ([name], _) => Ok(folder.join(name)),
        ([], Some(template)) => Ok(template),
        ([], None) if folder.join(FALLBACK_DEFINITION_FILE).is_file() => {
            Ok(folder.join(FALLBACK_DEFINITION_FILE))
        }
        ([], None) => {
            let message = format!("{} has no definition", folder.display());
            let hint = match other_definition(folder) {
                Some(other) => {
                    format!("{other} is there: name it, or set `definition = \"{other}\"` in faastlane.toml.")
                }
                None => {
                    let names = [&DEFINITION_FILES[..], &["an AWS SAM template.yaml"]].concat();
                    format!("Expected {}.", alternatives(&names))
                }
            };
            Err(Diagnostic::error(code::NO_DEFINITION, message).hint(hint))
        }
        _ => Err(Diagnostic::error(
            code::NO_DEFINITION,
            format!("{} has several definitions: {}", folder.display(), there.join(", ")),
        )
        .hint("Keep one, name the one you mean, or set `definition` under [workflow] in faastlane.toml.")),
    }
}

/// A template under the name that AWS SAM expects. A file of that name may well be something else.
pub(crate) fn find_template(folder: &Path) -> Option<PathBuf> {
    let files = TEMPLATE_FILES.into_iter().map(|name| folder.join(name));
    files
        .filter(|file| file.is_file())
        .find(|file| read_source(file).is_ok_and(|source| is_template(&source)))
}

/// A definition under a name of its own.
fn other_definition(folder: &Path) -> Option<String> {
    let names =
        std::fs::read_dir(folder).ok()?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut definitions: Vec<String> = names
        .filter(|name| [".asl.json", ".asl.yaml", ".asl.yml"].iter().any(|end| name.ends_with(end)))
        .collect();
    definitions.sort();
    definitions.into_iter().next()
}

/// Whether this folder looks like a workflow's: by its definition, or its `faastlane.toml`.
pub fn holds_workflow(folder: &Path) -> bool {
    let names = DEFINITION_FILES.into_iter().chain([FALLBACK_DEFINITION_FILE, "faastlane.toml"]);
    names.into_iter().any(|name| folder.join(name).is_file())
}

pub(crate) fn workflow_name(config: &Config, root: &Path, definition_file: &Path) -> String {
    if let Some(name) = &config.name {
        return name.value.clone();
    }
    let file_name = definition_file.file_name().unwrap_or_default().to_string_lossy();
    let stem = file_name.split('.').next().unwrap_or_default();
    let own_name = !stem.is_empty() && stem != "workflow" && config.definition.is_none();
    if own_name { stem.to_owned() } else { folder_name(root) }
}

fn folder_name(root: &Path) -> String {
    // `..` has no name of its own.
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    root.file_name().map_or_else(|| "workflow".to_owned(), |folder| folder.to_string_lossy().into_owned())
}
