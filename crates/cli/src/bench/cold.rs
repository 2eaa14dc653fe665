//! `faastlane bench cold`.

use super::rendering::{contestants, digits, footing, missing_lines, target_lines};
use crate::args::parse_python;
use crate::env_vars;
use crate::exit::Exit;
use clap::Args;
use faastlane_bench::{Cold, ColdOptions, ColdReport, IdleMemory};
use faastlane_compose::PythonRequest;
use std::fmt::Write as _;
use std::num::NonZeroUsize;

/// How long it takes until a new instance's first function runs, and what an instance takes
#[derive(Debug, Args)]
pub(crate) struct ColdArguments {
    /// Modules that each function imports, with commas; none where it is empty
    #[arg(long, value_name = "MODULES", value_delimiter = ',', default_value = "json,datetime,decimal", value_parser = parse_module)]
    imports: Vec<String>,
    /// In the workflow
    #[arg(long, value_name = "COUNT", default_value = "5")]
    functions: NonZeroUsize,
    /// Starts in a round; fewer of what takes long
    #[arg(long, value_name = "COUNT", default_value = "40")]
    starts: NonZeroUsize,
    /// How often each way has its turn
    #[arg(long, value_name = "COUNT", default_value = "5")]
    rounds: NonZeroUsize,
    /// Instances that are kept to see what one takes that has nothing to do
    #[arg(long, value_name = "COUNT", default_value = "10")]
    idle: NonZeroUsize,
    /// The Python for all ways: a version, a command or a path
    #[arg(long, env = env_vars::PYTHON, value_parser = parse_python)]
    python: Option<PythonRequest>,
    /// Print the numbers as one JSON object
    #[arg(long)]
    json: bool,
}

/// A name as `import` takes it; or nothing.
fn parse_module(text: &str) -> Result<String, String> {
    let is_name = |part: &str| {
        !part.starts_with(|first: char| first.is_ascii_digit())
            && !part.is_empty()
            && part.chars().all(|one| one == '_' || one.is_ascii_alphanumeric())
    };
    if text.is_empty() || text.split('.').all(is_name) {
        return Ok(text.to_owned());
    }
    Err("expected the name of a module, such as json or os.path".to_owned())
}

pub(super) fn execute(arguments: &ColdArguments) -> anyhow::Result<Exit> {
    let imports = arguments.imports.iter().filter(|module| !module.is_empty());
    let options = ColdOptions {
        imports: imports.cloned().collect(),
        functions: arguments.functions.get(),
        starts: arguments.starts.get(),
        rounds: arguments.rounds.get(),
        idle: arguments.idle.get(),
    };
    super::measure(
        &arguments.python,
        arguments.json,
        render,
        |_| Exit::Succeeded,
        |outside, progress| Cold { options: &options, outside }.run(progress),
    )
}

fn render(report: &ColdReport, width: usize) -> anyhow::Result<String> {
    let mut text = String::new();
    let imports = match report.imports.join(", ") {
        none if none.is_empty() => "nothing".to_owned(),
        some => some,
    };
    writeln!(
        text,
        "A cold start: {}.\n\n{} functions that import {imports}, rounds: {}\n",
        report.heading.metric.replace(", in microseconds", ""),
        report.functions,
        report.rounds
    )?;
    writeln!(text, "{}", contestants(&report.contests[0].contestants, width))?;
    for missing in &report.unavailable {
        writeln!(text, "\nnot measured: isolation {}: {}", missing.isolation, missing.reason)?;
    }
    text.push_str(&missing_lines(&report.missing_peers));
    if !report.missing_peers.iter().any(|missing| missing.peer.starts_with("a container")) {
        writeln!(
            text,
            "\na container: namespaces for mounts, processes, System V objects and the host's name, without a network, an \
             image or a runtime of its own; all start at once"
        )?;
    }
    let isolation = report.isolation.name();
    writeln!(text, "\n{}\n", memory_line(&report.memory, isolation))?;
    text.push_str(&target_lines(&report.targets));
    text.push_str(&footing(&report.heading, isolation));
    Ok(text)
}

fn memory_line(memory: &IdleMemory, isolation: &str) -> String {
    let idle = match memory {
        IdleMemory::ProportionalSetSize(idle) => idle,
        IdleMemory::Unreadable { reason } => {
            return format!("memory of one more instance: not measured, the kernel does not tell: {reason}");
        }
    };
    let mb = |bytes: u64| digits(bytes as f64 / 1e6);
    format!(
        "memory of one more instance, isolation {isolation}: {} MB when it is ready, {} MB once it has run; and {} MB of page \
         tables ({} processes, of {} instances, their shares of what they share counted; the template has {} MB)",
        mb(idle.ready_bytes),
        mb(idle.used_bytes),
        mb(idle.page_table_bytes),
        idle.processes,
        idle.instances,
        mb(idle.template_bytes),
    )
}

#[cfg(test)]
mod tests {
    use super::parse_module;

    #[test]
    fn modules_have_names() {
        for name in ["json", "os.path", "_x1", ""] {
            assert!(parse_module(name).is_ok(), "{name}");
        }
        for name in ["a b", "1a", "os.", ".os", "x;import y", "a-b"] {
            assert!(parse_module(name).is_err(), "{name}");
        }
    }
}
