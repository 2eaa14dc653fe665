//! Which files the functions of a domain may reach.

use crate::assignment::Assignment;
use faastlane_compose::{FunctionPlan, PythonInstall};
use faastlane_sandbox::{Files, can_part_temporary};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// What is read of an installation of Python. Not its whole prefix, which can be a folder of somebody's.
const OF_PYTHON: &[&str] = &["bin", "include", "lib", "lib64", "libexec", "pyvenv.cfg", "share", "ssl"];

/// What a domain may read and write: its functions' code, their libraries and interpreter, and its scratch directory.
pub(crate) fn files_of(assignment: &Assignment, domain: usize) -> Files {
    let mut files = with_code(assignment, domain);
    files.writable.push(scratch_of(assignment, domain));
    files
}

/// The folder that a domain has in the place of `/tmp`: its scratch directory. None where this process may not mount, or
/// where something that it needs is in `/tmp`: then `/tmp` is closed to it.
pub(crate) fn temporary(assignment: &Assignment, domain: usize) -> Option<PathBuf> {
    static CAN: OnceLock<bool> = OnceLock::new();
    let files = with_code(assignment, domain);
    let mut needed = files.readable.iter().chain(&files.listed).chain(&files.writable);
    if needed.any(|path| path.starts_with(TEMPORARY)) || !*CAN.get_or_init(can_part_temporary) {
        return None;
    }
    Some(assignment.scratch[domain].clone())
}

/// The scratch directory of a domain, as the domain sees it.
pub(crate) fn scratch_of(assignment: &Assignment, domain: usize) -> PathBuf {
    match temporary(assignment, domain) {
        Some(_) => TEMPORARY.into(),
        None => assignment.scratch[domain].clone(),
    }
}

const TEMPORARY: &str = "/tmp";

fn with_code(assignment: &Assignment, domain: usize) -> Files {
    let plan = &assignment.plan;
    let (own, others): (Vec<&FunctionPlan>, Vec<_>) =
        plan.functions.iter().partition(|function| function.domain == domain);
    let mut files = Files::default();
    for function in own {
        let excluded: Vec<PathBuf> = others.iter().flat_map(|other| not_for(function, other)).collect();
        let paths = [&function.directory, &function.file].into_iter().chain(&function.sys_path);
        paths.for_each(|path| allow(&real(path), &excluded, &mut files));
    }
    let granted = assignment.grants(domain);
    files.readable.extend(granted.files.iter().chain(&granted.writable_files).cloned());
    files.writable.extend(granted.writable_files.iter().cloned());
    of_python(&plan.pythons[plan.domains[domain].python], &mut files);
    files.readable.sort();
    files.readable.dedup();
    files
}

/// What of `other` is not for `function`: the module's file, and the folder that it is in unless `function` is in there too.
/// Functions that have one package in common have all of it in common.
fn not_for(function: &FunctionPlan, other: &FunctionPlan) -> Vec<PathBuf> {
    let together = real(&function.directory).starts_with(real(&other.directory));
    match (together, other.own_folder) {
        (true, true) => Vec::new(),
        (true, false) if function.file == other.file => Vec::new(),
        (true, false) => vec![real(&other.file)],
        (false, _) => vec![real(&other.file), real(&other.directory)],
    }
}

fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Allows `path` and what is in it, but for what belongs to `others`. A rule cannot leave anything out, so that a folder
/// with code of others is allowed entry by entry; those names can be seen.
fn allow(path: &Path, others: &[PathBuf], files: &mut Files) {
    if others.iter().any(|other| other == path) {
        return;
    }
    if !others.iter().any(|other| other.starts_with(path)) {
        files.readable.push(path.to_owned());
        return;
    }
    if files.listed.iter().any(|listed| listed == path) {
        return;
    }
    files.listed.push(path.to_owned());
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        // Compiled code of others would be in there.
        if entry.file_name() != "__pycache__" {
            allow(&entry.path(), others, files);
        }
    }
}

fn of_python(python: &PythonInstall, files: &mut Files) {
    for prefix in [&python.prefix, &python.base_prefix] {
        files.readable.extend(OF_PYTHON.iter().map(|part| prefix.join(part)));
    }
    files.readable.extend([python.executable.clone(), python.libpython.clone()]);
}
