//! `faastlane validate`: everything that is wrong with a workflow and can be seen without running it.

use crate::args::ValidateArguments;
use crate::exit::Exit;
use crate::render_diagnostic;
use crate::surroundings::surroundings;
use faastlane_compose::{Overrides, Workflow, load};
use serde_json::json;
use std::io::{self, Write};

pub(crate) fn execute(arguments: &ValidateArguments) -> anyhow::Result<Exit> {
    let overrides = Overrides { execution_type: arguments.execution_type, ..Overrides::default() };
    let loaded = load(&arguments.path, &surroundings(overrides));
    let exit = if loaded.is_ok() { Exit::Succeeded } else { Exit::InvalidDefinition };
    let findings = match &loaded {
        Ok(workflow) => &workflow.warnings,
        Err(findings) => findings,
    };
    if arguments.json {
        let report = json!({
            "format_version": 1,
            "result": if loaded.is_ok() { "OK" } else { "FAIL" },
            "valid": loaded.is_ok(),
            "diagnostics": render_diagnostic::to_aws_json(findings),
        });
        writeln!(io::stdout(), "{report:#}")?;
        return Ok(exit);
    }
    render_diagnostic::print(findings)?;
    if let Ok(workflow) = &loaded {
        writeln!(io::stdout(), "{}", summary(workflow))?;
    }
    Ok(exit)
}

fn summary(workflow: &Workflow) -> String {
    let counted = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let states = counted(workflow.state_count(), "state");
    let functions = counted(workflow.functions.len(), "function");
    format!("{} is valid: {states}, {functions}", workflow.name)
}
