//! Reading a workflow folder: the definition, `faastlane.toml` and where each function's code is. Everything that is
//! wrong with them is said at once, and none of it needs a Python or a particular host.

use crate::code;
use crate::config::{Config, Preferences};
use crate::config_check::check_config;
use crate::finding::alternatives;
use crate::flow_walk::{Call, calls, walk};
use crate::functions::{FunctionFolders, FunctionSource};
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
    /// From `faastlane.toml`, else the folder's.
    pub name: String,
    /// Absolute.
    pub root: PathBuf,
    pub definition: Source,
    /// Absolute.
    pub definition_file: PathBuf,
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

/// Reads a workflow: a folder, or a definition file in one.
///
/// # Errors
///
/// Everything that is wrong with it, warnings included, in the order of the files.
pub fn load(path: &Path, surroundings: &Surroundings) -> Result<Workflow, Vec<Diagnostic>> {
    let shown_root = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
    let root = absolute(shown_root).map_err(|finding| vec![finding])?;
    let mut findings = Vec::new();
    let config = read_config(shown_root, &root, &mut findings);
    let user = read_user_file(surroundings, &mut findings);
    let read = definition_file(path, &config).and_then(|file| Ok((read_source(&file)?, absolute(&file)?)));
    let (definition, definition_file) = match read {
        Ok(definition) => definition,
        Err(finding) => {
            findings.push(finding);
            return Err(findings);
        }
    };
    let execution_type = surroundings.overrides.execution_type.unwrap_or(ExecutionType::Standard);
    let machine = match faastlane_asl::parse_as(&definition, execution_type) {
        Ok(parsed) => {
            findings.extend(parsed.warnings);
            parsed.machine
        }
        Err(found) => {
            findings.extend(found);
            return Err(findings);
        }
    };
    let beside_definition = definition_file.parent().unwrap_or(&root);
    let folders = FunctionFolders { root: &root, beside_definition, config: &config };
    let calls = calls(&machine.flow);
    let name = workflow_name(&config, &root, &definition_file);
    // Which functions need code depends on them.
    let mocks = choose_mocks(surroundings, &name, &machine, &calls, &mut findings)?;
    let functions = find_functions(&folders, &definition, &calls, mocks.as_ref(), &mut findings);
    findings.extend(check_config(&config, &folders, &calls, &functions));
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(findings);
    }
    Ok(Workflow {
        name,
        root,
        definition,
        definition_file,
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

/// Reads only the definition of a workflow: a folder, or a definition file in one.
///
/// # Errors
///
/// Everything that keeps the definition from being found or read, in the order of the files.
pub fn load_definition(path: &Path) -> Result<Definition, Vec<Diagnostic>> {
    let one = |finding| vec![finding];
    let shown_root = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
    let root = absolute(shown_root).map_err(one)?;
    let mut findings = Vec::new();
    let config = read_config(shown_root, &root, &mut findings);
    let file = definition_file(path, &config).map_err(one)?;
    let source = read_source(&file).map_err(one)?;
    let machine = faastlane_asl::parse(&source)?.machine;
    Ok(Definition { name: workflow_name(&config, &root, &absolute(&file).map_err(one)?), machine })
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

/// The definition that a path means: a folder's, or the file itself.
fn definition_file(path: &Path, config: &Config) -> Result<PathBuf, Diagnostic> {
    if path.is_dir() {
        find_definition(path, config)
    } else if path.exists() {
        Ok(path.to_owned())
    } else {
        Err(Diagnostic::error(code::NO_WORKFLOW, format!("there is nothing at {}", path.display()))
            .hint("Name a workflow folder or a definition file; `faastlane init NAME` makes one."))
    }
}

fn find_definition(folder: &Path, config: &Config) -> Result<PathBuf, Diagnostic> {
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
    let there: Vec<&str> = DEFINITION_FILES.into_iter().filter(|name| folder.join(name).is_file()).collect();
    match there[..] {
        [name] => Ok(folder.join(name)),
        [] if folder.join(FALLBACK_DEFINITION_FILE).is_file() => Ok(folder.join(FALLBACK_DEFINITION_FILE)),
        [] => {
            let message = format!("{} has no definition", folder.display());
            let hint = match other_definition(folder) {
                Some(other) => {
                    format!("{other} is there: name it, or set `definition = \"{other}\"` in faastlane.toml.")
                }
                None => format!("Expected {}.", alternatives(&DEFINITION_FILES)),
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
    // `..` has no name of its own.
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    match root.file_name() {
        _ if own_name => stem.to_owned(),
        Some(folder) => folder.to_string_lossy().into_owned(),
        None => "workflow".to_owned(),
    }
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

fn find_functions(
    folders: &FunctionFolders<'_>,
    definition: &Source,
    calls: &[Call],
    mocks: Option<&Mocks>,
    findings: &mut Vec<Diagnostic>,
) -> Vec<FunctionSource> {
    let mut functions = Vec::new();
    let has_stand_in = |name: &str| mocks.is_some_and(|mocks| mocks.answers_for_function(name));
    let of_mocked_state = |call: &Call| mocks.is_some_and(|mocks| mocks.answers_for_state(&call.state));
    let mut seen = BTreeSet::new();
    let real = |call: &&Call| !of_mocked_state(call) && !call.function.as_deref().is_some_and(has_stand_in);
    for call in calls.iter().filter(real) {
        let Some(name) = call.function.as_deref().filter(|name| seen.insert((*name).to_owned())) else {
            continue;
        };
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
            match folders.find(&name) {
                Ok(function) => functions.push(function),
                Err(finding) => findings.push(place_at_call(finding, definition, call, calls)),
            }
        }
    }
    functions
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
