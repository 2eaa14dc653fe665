//! From a mock file to the mocks of one workflow: which state machine and test case count, and whether they fit.

use crate::code;
use crate::file::{Content, MockFile, SHAPES};
use crate::mocks::Mocks;
use crate::stand_in_list::Named;
use crate::test_cases::{Case, Machine};
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_asl::document::{Findings, did_you_mean, quoted};
use faastlane_asl::nearest;

/// What of a workflow can have a stand-in.
#[derive(Clone, Debug, Default)]
pub struct Targets<'w> {
    /// The workflow's name.
    pub workflow: &'w str,
    /// Its Task states.
    pub tasks: Vec<&'w str>,
    /// All its other states.
    pub other_states: Vec<&'w str>,
    /// The functions that its states name.
    pub functions: Vec<&'w str>,
    /// Whether a state names its function only when it runs.
    pub names_at_run_time: bool,
}

impl MockFile {
    /// The mocks for a workflow, and warnings about those that nothing calls.
    ///
    /// # Errors
    /// No state machine of this name, no such test case, or a mock of what is no Task state.
    pub fn choose(&self, targets: &Targets<'_>) -> Result<(Mocks, Vec<Diagnostic>), Vec<Diagnostic>> {
        match &self.content {
            Content::StandIns(list) => {
                if let Some(case) = &self.case {
                    let message =
                        format!("{} has no test cases, and so none called `{case}`", self.source.name);
                    let hint = "A list of stand-ins is taken as a whole: leave out what follows the `#`.";
                    return Err(vec![Diagnostic::error(code::NO_SUCH_CASE, message).hint(hint)]);
                }
                let warnings = list.iter().filter_map(|named| self.unused(named, targets)).collect();
                Ok((
                    Mocks::of_functions(
                        list.iter().map(|named| (named.function.clone(), named.stand_in.clone())),
                    ),
                    warnings,
                ))
            }
            Content::Machines(machines) => {
                let machine = self.machine(machines, targets.workflow).map_err(|finding| vec![finding])?;
                let case = self.case(machine).map_err(|finding| vec![finding])?;
                self.check_states(case, targets)?;
                let states = case.states.iter().map(|state| (state.name.clone(), state.mock.clone()));
                Ok((Mocks::of_states(states), Vec::new()))
            }
        }
    }

    fn machine<'m>(&self, machines: &'m [Machine], workflow: &str) -> Result<&'m Machine, Diagnostic> {
        let names: Vec<&str> = machines.iter().map(|machine| machine.name.as_str()).collect();
        match machines {
            [only] => Ok(only),
            _ => machines.iter().find(|machine| machine.name == workflow).ok_or_else(|| {
                let message = format!("{} has no state machine `{workflow}`", self.source.name);
                let hint = did_you_mean(workflow, &names, "state machine");
                Diagnostic::error(code::NO_SUCH_CASE, message).hint(hint)
            }),
        }
    }

    fn case<'m>(&self, machine: &'m Machine) -> Result<&'m Case, Diagnostic> {
        let names: Vec<&str> = machine.cases.iter().map(|case| case.name.as_str()).collect();
        let of_machine = format!("the state machine `{}` in {}", machine.name, self.source.name);
        match (&self.case, machine.cases.as_slice()) {
            (None, [only]) => Ok(only),
            (None, []) => {
                Err(Diagnostic::error(code::NO_SUCH_CASE, format!("{of_machine} has no test case")))
            }
            (None, _) => {
                let message = format!("{of_machine} has several test cases: {}", quoted(&names));
                let hint = format!("Name one behind the file: `{}#{}`.", self.source.name, names[0]);
                Err(Diagnostic::error(code::NO_SUCH_CASE, message).hint(hint))
            }
            (Some(wanted), cases) => cases.iter().find(|case| case.name == *wanted).ok_or_else(|| {
                let message = format!("{of_machine} has no test case `{wanted}`");
                let hint = did_you_mean(wanted, &names, "test case");
                Diagnostic::error(code::NO_SUCH_CASE, message).hint(hint)
            }),
        }
    }

    fn check_states(&self, case: &Case, targets: &Targets<'_>) -> Result<(), Vec<Diagnostic>> {
        let mut findings = Findings::new(&self.source, code::WRONG_SHAPE, SHAPES);
        for state in case.states.iter().filter(|state| !targets.tasks.contains(&state.name.as_str())) {
            let name = state.name.as_str();
            let (message, label, hint) = if targets.other_states.contains(&name) {
                let message = format!("the state `{name}` is no Task, and cannot be mocked");
                (
                    message,
                    "not a Task",
                    "Only a Task state calls something that can have a stand-in.".to_owned(),
                )
            } else {
                let message = format!("the workflow `{}` has no state `{name}`", targets.workflow);
                (message, "no such state", did_you_mean(name, &targets.tasks, "Task state in it"))
            };
            findings.error(code::NOTHING_TO_MOCK, state.span, message, label, &hint);
        }
        if findings.found.is_empty() { Ok(()) } else { Err(findings.found) }
    }

    fn unused(&self, named: &Named, targets: &Targets<'_>) -> Option<Diagnostic> {
        let name = named.function.as_str();
        if targets.names_at_run_time || targets.functions.contains(&name) {
            return None;
        }
        let message = format!("no state calls the function `{name}`, which has a stand-in");
        let finding = Diagnostic::warning(code::UNUSED_STAND_IN, message).at(&self.source, named.span);
        let finding = finding.label("never asked");
        Some(match nearest(name, targets.functions.iter().copied()) {
            Some(meant) => finding.hint(format!("Did you mean `{meant}`?")),
            None => finding,
        })
    }
}
