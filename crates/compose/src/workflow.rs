//! Reading a workflow folder: the definition, `faastlane.toml` and where each function's code is. Everything that is
//! wrong with them is said at once, and none of it needs a Python or a particular host.

use crate::code;
use crate::config::{Config, Preferences};
use crate::config_check::check_config;
use crate::finding::alternatives;
use crate::flow_walk::{Call, calls, walk};
use crate::functions::{FunctionFolders, FunctionSource};
use crate::sam::{Around, Project, is_template};
use crate::settings::{
    DEFAULT_MAX_PAYLOAD_BYTES, Origin, PythonRequest, RequestedIsolation, Setting, Surroundings,
};
use crate::toml_reader::Located;
use faastlane_asl::definition::{ExecutionType, StateKind, StateMachine};
use faastlane_asl::diagnostic::{Diagnostic, Severity};
use faastlane_asl::source::Source;
use faastlane_mock::{Mocks, NO_STAND_IN, Targets};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A workflow without mistakes that can be seen from its folder alone.
#[derive(Clone, Debug)]
pub struct Workflow {
    /// From `faastlane.toml`, else the state machine's in a template, else the folder's.
    pub name: String,
    /// Absolute.
    pub root: PathBuf,
    /// As it runs. Where it comes from a template, with its substitutions made.
    pub definition: Source,
    /// Absolute. The template itself where the definition is in it.
    pub definition_file: PathBuf,
    /// The template of AWS SAM or CloudFormation that the workflow was taken from.
    pub template: Option<Source>,
    pub machine: Arc<StateMachine>,
    pub config: Config,
    pub settings: Settings,
    /// In order of first use in the definition; functions that only a call by name at run time can reach come last.
    pub functions: Vec<FunctionSource>,
    /// What answers instead of functions. Those it answers for are not among `functions`.
    pub mocks: Option<Mocks>,
    pub warnings: Vec<Diagnostic>,
    pub surroundings: Surroundings,
}

/// The settings in force, and who made them so.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub python: Setting<PythonRequest>,
    pub max_payload_bytes: Setting<u64>,
    pub isolation: Setting<RequestedIsolation>,
}

/// The definition's file names, of which one may be there.
const DEFINITION_FILES: [&str; 3] = ["workflow.asl.json", "workflow.asl.yaml", "workflow.asl.yml"];
/// What the original Faastlane called it; taken where there is none of the others.
const FALLBACK_DEFINITION_FILE: &str = "workflow.json";

/// Of AWS SAM, in the order in which it looks for them.
const TEMPLATE_FILES: [&str; 3] = ["template.yaml", "template.yml", "template.json"];

/// Reads a workflow: a folder, a definition file in one, or a template of AWS SAM or CloudFormation. `PATH#ID` is the
/// state machine of that logical id in a template.
///
/// # Errors
///
/// Everything that is wrong with it, warnings included, in the order of the files.
pub fn load(path: &Path, surroundings: &Surroundings) -> Result<Workflow, Vec<Diagnostic>> {
    load_from(path, None, surroundings)
}

/// Reads a workflow whose definition is given, in place of the one at the path.
///
/// # Errors
///
/// As [`load`].
pub fn load_with(
    path: &Path,
    definition: Source,
    surroundings: &Surroundings,
) -> Result<Workflow, Vec<Diagnostic>> {
    load_from(path, Some(definition), surroundings)
}

fn load_from(
    path: &Path,
    given: Option<Source>,
    surroundings: &Surroundings,
) -> Result<Workflow, Vec<Diagnostic>> {
    let (path, selection) = split_selection(path);
    let shown_root = if path.is_dir() { path.as_path() } else { path.parent().unwrap_or(Path::new("")) };
    let root = absolute(shown_root).map_err(|finding| vec![finding])?;
    let mut findings = Vec::new();
    let mut config = read_config(shown_root, &root, &mut findings);
    let user = read_user_file(surroundings, &mut findings);
    let opened = open_definition(&path, selection.as_deref(), &config, &root, &mut findings);
    let Ok(opened) = with_given(given, opened, &root, &mut findings) else { return Err(findings) };
    let Opened { definition, definition_file, project } = opened;
    let execution_type = surroundings.overrides.execution_type.unwrap_or(ExecutionType::Standard);
    let unused_template = project.is_none().then(|| find_template(&path)).flatten();
    let machine =
        parse(&definition, execution_type, project.as_ref(), unused_template.as_deref(), &mut findings);
    let Some(machine) = machine else { return Err(findings) };
    if let Some(project) = &project {
        config.rename(|id| project.function_name(id));
    }
    let beside_definition = definition_file.parent().unwrap_or(&root);
    let folders =
        FunctionFolders { root: &root, beside_definition, config: &config, project: project.as_ref() };
    let calls = calls(&machine.flow);
    let name = match (&config.name, &project) {
        (None, Some(project)) => project.name.clone(),
        _ => workflow_name(&config, &root, &definition_file),
    };
    // Which functions need code depends on them.
    let mocks = choose_mocks(surroundings, &name, &machine, &calls, &mut findings)?;
    let around = Around {
        folders: &folders,
        template_folder: &root,
        cache_directory: &surroundings.cache_directory,
        python_is_set: surroundings.overrides.python.is_some() || config.preferences.python.is_some(),
    };
    let functions = find_functions(&around, &definition, &calls, mocks.as_ref(), &mut findings);
    findings.extend(check_config(&config, &folders, &calls, &functions));
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(findings);
    }
    Ok(Workflow {
        name,
        root,
        definition,
        definition_file,
        template: project.map(|project| project.source().clone()),
        machine: Arc::new(machine),
        settings: Settings::resolve(surroundings, &config.preferences, &user),
        config,
        functions,
        mocks,
        warnings: findings,
        surroundings: surroundings.clone(),
    })
}

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
struct Opened {
    definition: Source,
    /// Absolute.
    definition_file: PathBuf,
    project: Option<Project>,
}

/// What keeps it from being opened is added to the findings.
struct NotOpened;

fn open_definition(
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
fn with_given(
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
fn parse(
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
fn split_selection(path: &Path) -> (PathBuf, Option<String>) {
    match path.to_str().and_then(|text| text.rsplit_once('#')) {
        Some((start, id)) if !path.exists() && !id.is_empty() => {
            let start = if start.is_empty() { "." } else { start };
            (PathBuf::from(start), Some(id.to_owned()))
        }
        _ => (path.to_owned(), None),
    }
}

impl Workflow {
    /// States of the machine, those in a Parallel or Map included.
    pub fn state_count(&self) -> usize {
        let mut count = 0;
        walk(&self.machine.flow, &mut |_, _| count += 1);
        count
    }
}

impl Settings {
    fn resolve(surroundings: &Surroundings, project: &Preferences, user: &Preferences) -> Self {
        let overrides = &surroundings.overrides;
        let files = [project, user];
        Self {
            python: strongest(
                overrides.python.clone(),
                files,
                |file| file.python.clone(),
                PythonRequest::Any,
            ),
            max_payload_bytes: strongest(
                overrides.max_payload_bytes,
                files,
                |file| file.max_payload_bytes.clone(),
                DEFAULT_MAX_PAYLOAD_BYTES,
            ),
            isolation: strongest(
                overrides.isolation,
                files,
                |file| file.isolation.clone(),
                RequestedIsolation::Auto,
            ),
        }
    }
}

/// The first side that says something.
fn strongest<T>(
    command_line: Option<T>,
    files: [&Preferences; 2],
    pick: impl Fn(&Preferences) -> Option<Located<T>>,
    default: T,
) -> Setting<T> {
    if let Some(value) = command_line {
        return Setting { value, origin: Origin::CommandLine };
    }
    for file in files {
        if let (Some(located), Some(source)) = (pick(file), &file.source) {
            return Setting { value: located.value, origin: Origin::File(source.clone(), located.span) };
        }
    }
    Setting { value: default, origin: Origin::Default }
}

fn read_config(shown_root: &Path, root: &Path, findings: &mut Vec<Diagnostic>) -> Config {
    let file = shown_root.join("faastlane.toml");
    if !file.exists() {
        return Config::default();
    }
    match read_source(&file) {
        Ok(source) => {
            let (config, found) = Config::read(&source, root);
            findings.extend(found);
            config
        }
        Err(finding) => {
            findings.push(finding);
            Config::default()
        }
    }
}

fn read_user_file(surroundings: &Surroundings, findings: &mut Vec<Diagnostic>) -> Preferences {
    let Some(file) = surroundings.user_file.as_deref().filter(|file| file.exists()) else {
        return Preferences::default();
    };
    match read_source(file) {
        Ok(source) => {
            let (preferences, found) = Preferences::read(&source, file.parent().unwrap_or(file));
            findings.extend(found);
            preferences
        }
        Err(finding) => {
            findings.push(finding);
            Preferences::default()
        }
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
fn find_template(folder: &Path) -> Option<PathBuf> {
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

/// Reads a text file, named as the user named it.
pub(crate) fn read_source(path: &Path) -> Result<Source, Diagnostic> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|problem| {
        Diagnostic::error(code::UNREADABLE, format!("cannot read {name}: {}", describe(&problem)))
    })?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(name, text)),
        Err(problem) => {
            let offset = problem.utf8_error().valid_up_to();
            Err(Diagnostic::error(
                code::UNREADABLE,
                format!("{name} is not text: byte {offset} is not UTF-8"),
            )
            .hint("Save it as UTF-8."))
        }
    }
}

/// An error of the operating system as the rest of a sentence: `no such file or directory`.
pub(crate) fn describe(problem: &std::io::Error) -> String {
    let text = problem.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// The plan travels as JSON, so its paths have to be text.
fn absolute(path: &Path) -> Result<PathBuf, Diagnostic> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let absolute = std::path::absolute(path).map_err(|problem| {
        Diagnostic::error(code::UNREADABLE, format!("cannot find {}: {}", path.display(), describe(&problem)))
    })?;
    match absolute.to_str() {
        Some(_) => Ok(absolute),
        None => {
            Err(Diagnostic::error(code::UNREADABLE, format!("the path {} is not UTF-8", absolute.display()))
                .hint("Rename the folder."))
        }
    }
}

fn workflow_name(config: &Config, root: &Path, definition_file: &Path) -> String {
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

/// The mocks that were asked for, as far as they concern this workflow. An error is all that has been found.
fn choose_mocks(
    surroundings: &Surroundings,
    workflow: &str,
    machine: &StateMachine,
    calls: &[Call],
    findings: &mut Vec<Diagnostic>,
) -> Result<Option<Mocks>, Vec<Diagnostic>> {
    let Some(file) = &surroundings.mocks else { return Ok(None) };
    let mut targets = Targets { workflow, ..Targets::default() };
    walk(&machine.flow, &mut |state, _| match state.kind {
        StateKind::Task(_) => targets.tasks.push(&state.name),
        _ => targets.other_states.push(&state.name),
    });
    targets.functions = calls.iter().filter_map(|call| call.function.as_deref()).collect();
    targets.names_at_run_time = calls.iter().any(|call| call.function.is_none());
    match file.choose(&targets) {
        Ok((mocks, warnings)) => {
            findings.extend(warnings);
            Ok(Some(mocks))
        }
        Err(found) => {
            findings.extend(found);
            Err(std::mem::take(findings))
        }
    }
}

/// What a file with mocks has for a workflow. Warnings go to `findings`.
///
/// # Errors
///
/// What is wrong with the mocks, and what has been found before.
pub fn mocks_for(
    surroundings: &Surroundings,
    workflow: &str,
    machine: &StateMachine,
    findings: &mut Vec<Diagnostic>,
) -> Result<Option<Mocks>, Vec<Diagnostic>> {
    choose_mocks(surroundings, workflow, machine, &calls(&machine.flow), findings)
}

fn find_functions(
    around: &Around<'_>,
    definition: &Source,
    calls: &[Call],
    mocks: Option<&Mocks>,
    findings: &mut Vec<Diagnostic>,
) -> Vec<FunctionSource> {
    let folders = around.folders;
    let mut functions = Vec::new();
    let has_stand_in = |name: &str| mocks.is_some_and(|mocks| mocks.answers_for_function(name));
    let of_mocked_state = |call: &Call| mocks.is_some_and(|mocks| mocks.answers_for_state(&call.state));
    let mut seen = BTreeSet::new();
    let real = |call: &&Call| !of_mocked_state(call) && !call.function.as_deref().is_some_and(has_stand_in);
    for call in calls.iter().filter(real) {
        let Some(name) = call.function.as_deref().filter(|name| seen.insert((*name).to_owned())) else {
            continue;
        };
        if let Some((function, found)) = declared(around, name) {
            functions.extend(function);
            add_new(findings, found);
            continue;
        }
        match folders.find(name) {
            Ok(function) => functions.push(function),
            Err(finding) if mocks.is_some() && finding.code == code::NO_FUNCTION => {
                findings.push(place_at_call(without_stand_in(finding, name), definition, call, calls));
            }
            Err(finding) => findings.push(place_at_call(finding, definition, call, calls)),
        }
        if let Some((taken, left)) = folders.rivals(name) {
            let message = format!("the function `{name}` is in two places");
            let hint = format!("{} is taken, {} is left: remove one.", taken.display(), left.display());
            findings.push(
                Diagnostic::warning(code::AMBIGUOUS_FUNCTION, message).at(definition, call.span).hint(hint),
            );
        }
    }
    if let Some(call) = calls.iter().find(|call| call.function.is_none() && !of_mocked_state(call)) {
        let mut candidates = folders.all_names();
        candidates.retain(|name| !has_stand_in(name));
        if candidates.is_empty() && functions.is_empty() && mocks.is_none() {
            let message =
                format!("`{}` names its function when it runs, but there is none to name", call.state);
            findings.push(
                Diagnostic::error(code::NO_CANDIDATES, message)
                    .at(definition, call.span)
                    .hint("Put the functions that it may call into functions/."),
            );
        }
        for name in candidates.into_iter().filter(|name| seen.insert(name.clone())) {
            match declared(around, &name) {
                Some((function, found)) => {
                    functions.extend(function);
                    // A template has functions for other things too. Whether this one is called, nobody knows yet.
                    let warn = |finding| Diagnostic { severity: Severity::Warning, ..finding };
                    add_new(findings, found.into_iter().map(warn).collect());
                }
                None => match folders.find(&name) {
                    Ok(function) => functions.push(function),
                    Err(finding) => findings.push(place_at_call(finding, definition, call, calls)),
                },
            }
        }
    }
    functions
}

/// What is wrong with the globals of a template is wrong with every function: it is said once.
fn add_new(findings: &mut Vec<Diagnostic>, found: Vec<Diagnostic>) {
    for finding in found {
        let is_known = |known: &Diagnostic| {
            known.place.is_some() && known.code == finding.code && known.place == finding.place
        };
        if !findings.iter().any(is_known) {
            findings.push(finding);
        }
    }
}

/// The function that the workflow's template declares under this name.
fn declared(around: &Around<'_>, name: &str) -> Option<(Option<FunctionSource>, Vec<Diagnostic>)> {
    around.folders.project?.function(name, around)
}

/// Under mocks a function may be missing: not every state has to be reached.
fn without_stand_in(finding: Diagnostic, name: &str) -> Diagnostic {
    let message = format!("the function `{name}` has neither a stand-in nor code");
    let hint = finding.hint.map_or_else(String::new, |hint| format!(" {hint}"));
    let hint = format!("Calling it fails with Lambda.ResourceNotFoundException.{hint}");
    Diagnostic { place: finding.place, ..Diagnostic::warning(NO_STAND_IN, message).hint(hint) }
}

/// Gives a finding that has no place the place of the call, and names the other states that make the same call.
fn place_at_call(finding: Diagnostic, definition: &Source, call: &Call, calls: &[Call]) -> Diagnostic {
    if finding.place.is_some() {
        return finding;
    }
    let others =
        calls.iter().filter(|other| other.function == call.function && other.state != call.state).count();
    let label = match others {
        0 => format!("called by `{}`", call.state),
        1 => format!("called by `{}` and one more state", call.state),
        _ => format!("called by `{}` and {others} more states", call.state),
    };
    finding.at(definition, call.span).label(label)
}
