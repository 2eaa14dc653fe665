//! Reading a workflow folder: the definition, `faastlane.toml` and where each function's code is. Everything that is
//! wrong with them is said at once, and none of it needs a Python or a particular host.

use crate::config::{Config, Preferences};
use crate::config_check::check_config;
use crate::definition_search::{
    Opened, find_template, open_definition, parse, split_selection, with_given, workflow_name,
};
use crate::flow_walk::{Call, calls, walk};
use crate::function_search::find_functions;
use crate::functions::{FunctionFolders, FunctionSource};
use crate::sam::Around;
use crate::settings::{Settings, Surroundings};
use crate::text_file::{absolute, read_source};
use faastlane_asl::definition::{ExecutionType, StateKind, StateMachine};
use faastlane_asl::diagnostic::{Diagnostic, Severity};
use faastlane_asl::source::Source;
use faastlane_mock::{Mocks, Targets};
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

impl Workflow {
    /// States of the machine, those in a Parallel or Map included.
    pub fn state_count(&self) -> usize {
        let mut count = 0;
        walk(&self.machine.flow, &mut |_, _| count += 1);
        count
    }
}

pub(crate) fn read_config(shown_root: &Path, root: &Path, findings: &mut Vec<Diagnostic>) -> Config {
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
