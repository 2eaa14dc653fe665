//! AWS SAM and CloudFormation templates as the source of a workflow: the state machine is one of its resources, and so
//! are the functions that the machine calls.
//!
//! `template` reads the file; `evaluate` works out CloudFormation's functions, as far as that can be done without an
//! account; `state_machine` makes the definition, `function` what the composer needs of a function. A string keeps the
//! places that its parts were written at (`text`), so that a finding in a definition leads back to the file.
//!
//! Source: <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification.html>.

mod evaluate;
mod function;
mod layer;
mod placeholders;
#[cfg(test)]
mod properties;
mod state_machine;
mod template;
mod text;
mod value;

pub(crate) use function::Around;
pub(crate) use template::is_template;

use crate::functions::FunctionSource;
use evaluate::Evaluator;
use faastlane_asl::diagnostic::{Diagnostic, Severity};
use faastlane_asl::source::Source;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use template::Template;

/// A template, and the one state machine of it that is to run.
pub(crate) struct Project {
    template: Template,
    definition: state_machine::Definition,
    /// The state machine's.
    pub(crate) name: String,
    /// Of functions and state machines, by logical id.
    names: BTreeMap<String, String>,
}

impl Project {
    /// Reads a template. `file` is its path as the user would type it, `folder` the name of its folder, `selection` the
    /// logical id of the state machine that is meant.
    ///
    /// # Errors
    ///
    /// What keeps it from having a definition. Warnings come with the project.
    pub(crate) fn read(
        source: &Source,
        file: &Path,
        folder: &str,
        selection: Option<&str>,
    ) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        let template = Template::read(source, folder)?;
        let names = names(&template);
        let mut evaluator = Evaluator::new(&template);
        evaluator.names.clone_from(&names);
        let mut findings = Vec::new();
        let chosen = state_machine::choose(&template, &mut evaluator, selection);
        let made = match chosen {
            Ok(machine) => state_machine::definition(&mut evaluator, machine, file, &mut findings)
                .map(|definition| (definition, machine.id.to_owned())),
            Err(finding) => {
                findings.push(finding);
                None
            }
        };
        findings.append(&mut evaluator.findings);
        let failed = findings.iter().any(|finding| finding.severity == Severity::Error);
        match made {
            Some((definition, id)) if !failed => {
                let name = names.get(&id).cloned().unwrap_or(id);
                Ok((Self { template, definition, name, names }, findings))
            }
            _ => Err(findings),
        }
    }

    /// The template's text.
    pub(crate) fn source(&self) -> &Source {
        &self.template.source
    }

    /// The definition, its substitutions made.
    pub(crate) fn definition(&self) -> &Source {
        &self.definition.source
    }

    /// The file of the definition, as the user would type it.
    pub(crate) fn definition_file(&self) -> PathBuf {
        self.definition.file.clone()
    }

    /// Says of placeholders in the definition that nothing replaces them, where that matters to what was found in it.
    pub(crate) fn report_unreplaced(&self, findings: &mut Vec<Diagnostic>) {
        self.definition.report_unreplaced(findings);
    }

    /// The name by which states call the function of a logical id.
    pub(crate) fn function_name(&self, id: &str) -> Option<&str> {
        self.template.resource(id).filter(|resource| resource.is_function())?;
        self.names.get(id).map(String::as_str)
    }

    /// The names of all functions.
    pub(crate) fn function_names(&self) -> impl Iterator<Item = &str> {
        let functions = self.template.resources().filter(|resource| resource.is_function());
        functions.filter_map(|function| self.names.get(function.id).map(String::as_str))
    }

    /// Reads the function of a name, if the template has one: the function where it can be run, and what is to be said
    /// about it.
    pub(crate) fn function(
        &self,
        name: &str,
        around: &Around<'_>,
    ) -> Option<(Option<FunctionSource>, Vec<Diagnostic>)> {
        let mut evaluator = Evaluator::new(&self.template);
        evaluator.names.clone_from(&self.names);
        let resource = self.template.resources().find(|resource| {
            resource.is_function() && self.names.get(resource.id).is_some_and(|own| own == name)
        })?;
        if !evaluator.exists(resource.node) {
            return None;
        }
        let (function, mut findings) = function::read(&mut evaluator, resource, name, around);
        findings.append(&mut evaluator.findings);
        findings.sort_by_key(|finding| finding.place.as_ref().map_or(0, |(_, span)| span.start));
        let failed = findings.iter().any(|finding| finding.severity == Severity::Error);
        Some((function.filter(|_| !failed), findings))
    }
}

/// What functions and state machines are called: as the template says, else by their logical ids. A name that cannot be
/// one (an ARN, an empty string) is not taken; what is wrong with it is not what keeps a workflow from running.
fn names(template: &Template) -> BTreeMap<String, String> {
    let mut evaluator = Evaluator::new(template);
    let mut names = BTreeMap::new();
    for resource in template.resources() {
        let properties: &[&str] = match (resource.is_function(), resource.is_state_machine()) {
            (true, _) => &["FunctionName"],
            (_, true) => &["Name", "StateMachineName"],
            _ => continue,
        };
        let given = properties.iter().find_map(|property| resource.property(property));
        let name =
            given.and_then(|node| evaluator.value(node).as_text()).map(|text| text.as_str().to_owned());
        let name = name.filter(|name| is_name(name)).unwrap_or_else(|| resource.id.to_owned());
        names.insert(resource.id.to_owned(), name);
    }
    names
}

fn is_name(name: &str) -> bool {
    const LONGEST: usize = 80;
    (1..=LONGEST).contains(&name.len())
        && name.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '-' | '_'))
}
