//! `faastlane plan`: where each state would run on this host, and why.

use crate::args::PlanArguments;
use crate::exit::Exit;
use crate::surroundings::surroundings;
use crate::table;
use crate::terminal::Terminal;
use crate::{host, progress, render_diagnostic};
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_compose::{Grants, Isolation, Plan, PythonInstall, load};
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write as _};

pub(crate) fn execute(arguments: &PlanArguments) -> anyhow::Result<Exit> {
    let mut warnings = Vec::new();
    let planned = make_plan(arguments, &mut warnings);
    let exit = planned.as_ref().map_or_else(|findings| Exit::for_findings(findings), |_| Exit::Succeeded);
    let findings = planned.as_ref().err().unwrap_or(&warnings);
    if arguments.json {
        let report = json!({
            "format_version": 1,
            "plan": planned.as_ref().ok(),
            "diagnostics": render_diagnostic::to_json(findings),
        });
        writeln!(io::stdout(), "{report:#}")?;
        return Ok(exit);
    }
    render_diagnostic::print(findings)?;
    if let Ok(plan) = &planned {
        io::stdout().write_all(render(plan, Terminal::stdout().width)?.as_bytes())?;
    }
    Ok(exit)
}

fn make_plan(arguments: &PlanArguments, warnings: &mut Vec<Diagnostic>) -> Result<Plan, Vec<Diagnostic>> {
    let workflow = load(&arguments.workflow.path, &surroundings(arguments.workflow.overrides()))?;
    warnings.extend(workflow.warnings.iter().cloned());
    faastlane_compose::plan(&workflow, &host::probe(), &mut progress::show)
}

pub(crate) fn render(plan: &Plan, width: usize) -> anyhow::Result<String> {
    let mut text = String::new();
    writeln!(text, "{}: isolation {}, {}", plan.workflow, plan.isolation.name(), plan.isolation_reason)?;
    for python in &plan.pythons {
        writeln!(text, "{}", python_line(python))?;
    }
    writeln!(text, "\n{}\n", states_table(plan, width))?;
    if !plan.domains.is_empty() {
        writeln!(text, "{}", domains_table(plan, width))?;
    }
    let by_reference: Vec<String> = plan
        .states
        .iter()
        .filter(|state| !state.by_reference_from.is_empty())
        .map(|state| format!("{} behind {}", state.name, state.by_reference_from.join(" and ")))
        .collect();
    if !by_reference.is_empty() {
        writeln!(
            text,
            "\nby reference: {}. The function gets the result itself, without leaving the interpreter, where that cannot be told \
             from a copy",
            by_reference.join(", ")
        )?;
    }
    if plan.lanes > 1 {
        writeln!(
            text,
            "\nlanes: up to {}. Where calls of a function come at the same time, and would wait for longer than it takes to \
             make another process, copies of its process take some of them",
            plan.lanes
        )?;
    }
    for note in &plan.notes {
        writeln!(text, "\nnote: {note}")?;
    }
    Ok(text)
}

fn python_line(python: &PythonInstall) -> String {
    let flavour = if python.free_threaded { " without the global lock" } else { "" };
    format!("Python {}{flavour}, {}", python.version_text(), python.executable.display())
}

fn states_table(plan: &Plan, width: usize) -> String {
    let mut table = table::with_header(&["STATE", "TYPE", "FUNCTION", "PLACEMENT", "DOMAIN", "WHY"], width);
    for state in &plan.states {
        table.add_row([
            format!("{}{}", "  ".repeat(state.within.len()), state.name),
            state.state_type.clone(),
            state.function.clone().unwrap_or_default(),
            state.placement.map_or_else(String::new, |placement| placement.name().to_owned()),
            state.domain.map_or_else(String::new, |domain| plan.domains[domain].name.clone()),
            state.reason.clone(),
        ]);
    }
    table::trimmed(&table)
}

fn domains_table(plan: &Plan, width: usize) -> String {
    let mut header = vec!["DOMAIN", "PROCESS", "KEY", "FUNCTIONS", "WHY"];
    let several_pythons = plan.domains.iter().map(|domain| domain.python).collect::<BTreeSet<_>>().len() > 1;
    if several_pythons {
        header.insert(4, "PYTHON");
    }
    let granted = plan.functions.iter().any(|function| !function.grants.is_empty());
    if granted {
        header.insert(header.len() - 1, "GRANTS");
    }
    let mut table = table::with_header(&header, width);
    for domain in &plan.domains {
        let names: Vec<&str> =
            domain.functions.iter().map(|&function| plan.functions[function].name.as_str()).collect();
        let grants = &plan.functions[domain.functions[0]].grants;
        let mut row = vec![
            domain.name.clone(),
            if domain.host == 0 { "the instance's".to_owned() } else { format!("{}", domain.host) },
            if plan.isolation == Isolation::Mpk && !grants.subprocess { "own" } else { "none" }.to_owned(),
            names.join(", "),
            domain.reason.clone(),
        ];
        if several_pythons {
            row.insert(4, plan.pythons[domain.python].version_text());
        }
        if granted {
            row.insert(row.len() - 1, granted_text(grants));
        }
        table.add_row(row);
    }
    table::trimmed(&table)
}

/// `network, reads /data`
fn granted_text(grants: &Grants) -> String {
    let mut words = Vec::new();
    words.extend(grants.network.then(|| "network".to_owned()));
    words.extend(grants.subprocess.then(|| "subprocess".to_owned()));
    words.extend(grants.files.iter().map(|path| format!("reads {}", path.display())));
    words.extend(grants.writable_files.iter().map(|path| format!("writes {}", path.display())));
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}
