//! `faastlane bench peers`: what benchmarks compare with, and the installation of what some of them need.

use super::rendering::table;
use crate::args::parse_python;
use crate::env_vars;
use crate::exit::Exit;
use clap::Args;
use faastlane_bench::{BenchError, Outside, WAYS, install, python};
use faastlane_compose::{PythonInstall, PythonRequest};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// What a hop and a chain are compared with, what each promises, and whether it can be run
#[derive(Debug, Args)]
pub(crate) struct PeersArguments {
    /// Install what they need, at fixed versions, into the cache folder: from PyPI, the npm registry and crates.io
    #[arg(long)]
    install: bool,
    /// The Python for all ways: a version, a command or a path
    #[arg(long, env = env_vars::PYTHON, value_parser = parse_python)]
    python: Option<PythonRequest>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(arguments: &PeersArguments) -> anyhow::Result<Exit> {
    super::measure(
        &arguments.python,
        arguments.json,
        |report: &Value, width| Ok(render(report, width)),
        |report| match report["failed"].as_array() {
            Some(failed) if !failed.is_empty() => Exit::Unexpected,
            _ => Exit::Succeeded,
        },
        |outside, progress| list(arguments.install, outside, progress),
    )
}

fn list(
    wants_install: bool,
    outside: &Outside<'_>,
    progress: &mut dyn FnMut(&str),
) -> Result<Value, BenchError> {
    let python = python(outside)?;
    let failed = if wants_install { install(outside, &python, progress) } else { Vec::new() };
    let failed: Vec<Value> = failed
        .into_iter()
        .map(|(environment, error)| json!({ "environment": environment.name(), "error": error.to_string() }))
        .collect();
    Ok(json!({ "format_version": 1, "peers": peers(outside, &python), "failed": failed }))
}

fn peers(outside: &Outside<'_>, python: &PythonInstall) -> Vec<Value> {
    let peer = |way: &faastlane_bench::Way| {
        let missing = way.missing(outside, python);
        let mut peer = json!(way);
        peer["missing"] = json!(missing);
        peer
    };
    WAYS.iter().map(peer).collect()
}

fn render(report: &Value, width: usize) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let peers = report["peers"].as_array().into_iter().flatten();
    let row = |peer: &Value| {
        let state = peer["missing"].as_str().unwrap_or("ready").to_owned();
        vec![
            text(&peer["name"]),
            text(&peer["about"]),
            text(&peer["isolation"]),
            text(&peer["durable"]),
            state,
        ]
    };
    let header = ["PEER", "WHAT IT IS", "KEEPS APART", "DURABLE", "HERE"];
    let mut shown = table(&header, header.len(), peers.map(row), width);
    shown.push('\n');
    for failed in report["failed"].as_array().into_iter().flatten() {
        // Writing to a string cannot fail.
        let _ =
            writeln!(shown, "\nnot installed: {}: {}", text(&failed["environment"]), text(&failed["error"]));
    }
    shown
}
