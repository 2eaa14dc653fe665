//! `faastlane init`: a workflow that runs as it is.

use crate::args::InitArguments;
use crate::exit::Exit;
use crate::render_diagnostic;
use faastlane_asl::diagnostic::Diagnostic;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

const OCCUPIED: &str = "FL0240";
const NOT_WRITABLE: &str = "FL0241";

/// Path in the new folder, and text. `{name}` in the text is the folder's name.
const FILES: [(&str, &str); 7] = [
    ("workflow.asl.json", include_str!("../template/workflow.asl.json")),
    ("faastlane.toml", include_str!("../template/faastlane.toml")),
    ("functions/price.py", include_str!("../template/functions/price.py")),
    ("functions/discount.py", include_str!("../template/functions/discount.py")),
    ("functions/receipt.py", include_str!("../template/functions/receipt.py")),
    ("events/default.json", include_str!("../template/events/default.json")),
    ("README.md", include_str!("../template/README.md")),
];

pub(crate) fn execute(arguments: &InitArguments) -> anyhow::Result<Exit> {
    let folder = &arguments.name;
    let shown = folder.display();
    if is_occupied(folder) {
        let message = format!("{shown} is there already, and not empty");
        return refuse(
            OCCUPIED,
            message,
            "Name a folder that is not there yet, or an empty one.",
            Exit::Usage,
        );
    }
    if let Err(problem) = write_files(folder) {
        let message = format!("cannot write {shown}: {problem}");
        return refuse(NOT_WRITABLE, message, "Choose a place that you may write to.", Exit::Unexpected);
    }
    let mut stderr = io::stderr().lock();
    writeln!(stderr, "made {shown}: a workflow with three functions")?;
    writeln!(stderr, "next: faastlane run {shown} --input {}", folder.join("events/default.json").display())?;
    Ok(Exit::Succeeded)
}

fn is_occupied(folder: &Path) -> bool {
    match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        // A file, or a folder that cannot be looked into.
        Err(_) => fs::symlink_metadata(folder).is_ok(),
    }
}

fn write_files(folder: &Path) -> io::Result<()> {
    let name = std::path::absolute(folder)?;
    let name = name.file_name().unwrap_or_default().to_string_lossy();
    for (path, text) in FILES {
        let file = folder.join(path);
        fs::create_dir_all(file.parent().unwrap_or(folder))?;
        // `{name}` alone: the functions have braces of their own.
        fs::write(&file, if path == "README.md" { text.replace("{name}", &name) } else { text.to_owned() })?;
    }
    Ok(())
}

fn refuse(code: &'static str, message: String, hint: &str, exit: Exit) -> anyhow::Result<Exit> {
    render_diagnostic::print(&[Diagnostic::error(code, message).hint(hint)])?;
    Ok(exit)
}
