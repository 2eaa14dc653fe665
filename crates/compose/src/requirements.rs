//! Installing requirements, once: a list that has been installed for a Python is found again by its digest.

use crate::code;
use crate::plan::PythonInstall;
use crate::progress::Progress;
use crate::requirement_list::RequirementList;
use crate::text_file::describe;
use faastlane_asl::diagnostic::Diagnostic;
use fs4::{FileExt, TryLockError};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};

/// How much of pip's output an error repeats.
const LAST_LINES: usize = 12;

/// The folder in which a list is installed for a Python; installs it there unless it is.
pub(crate) fn installed(
    list: &RequirementList,
    functions: &[String],
    python: &PythonInstall,
    cache_directory: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<PathBuf, Diagnostic> {
    let flavour = if python.free_threaded { "t" } else { "" };
    let environment = format!("{}{flavour} {}", python.version_text(), std::env::consts::ARCH);
    let digest = list.digest(&environment);
    let cache = cache_directory.join("requirements");
    let folder = cache.join(&digest);
    if folder.is_dir() {
        return Ok(folder);
    }
    let unusable = |problem: io::Error| {
        Diagnostic::error(
            code::CACHE_UNUSABLE,
            format!("cannot use the cache {}: {}", cache.display(), describe(&problem)),
        )
        .hint("Make it writable, or name another with `XDG_CACHE_HOME`.")
    };
    fs::create_dir_all(&cache).map_err(unusable)?;
    // Held until the end of this function; the system lets go of it if this process dies.
    let lock = File::create(cache.join(format!("{digest}.lock"))).map_err(unusable)?;
    match FileExt::try_lock(&lock) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            progress(Progress::WaitingForOther { functions: functions.to_owned() });
            FileExt::lock(&lock).map_err(unusable)?;
        }
        Err(TryLockError::Error(problem)) => return Err(unusable(problem)),
    }
    if folder.is_dir() {
        return Ok(folder);
    }
    let partial = cache.join(format!("{digest}.partial"));
    if partial.exists() {
        // Of a run that was interrupted.
        fs::remove_dir_all(&partial).map_err(unusable)?;
    }
    fs::create_dir(&partial).map_err(unusable)?;
    fs::write(partial.join("requirements.txt"), list.text()).map_err(unusable)?;
    progress(Progress::Installing { functions: functions.to_owned(), python: python.version_text() });
    let result = run_pip(python, &partial, functions, progress);
    if result.is_ok() {
        fs::rename(partial.join("packages"), &folder).map_err(unusable)?;
        progress(Progress::Installed { functions: functions.to_owned() });
    }
    fs::remove_dir_all(&partial).map_err(unusable)?;
    result.map(|()| folder)
}

/// Installs `partial/requirements.txt` into `partial/packages`.
fn run_pip(
    python: &PythonInstall,
    partial: &Path,
    functions: &[String],
    progress: &mut dyn FnMut(Progress),
) -> Result<(), Diagnostic> {
    let packages = partial.join("packages");
    // pip makes the folder only when there is something to put in it.
    let prepared = fs::create_dir(&packages);
    let child = Command::new(&python.executable)
        .args(["-E", "-m", "pip", "install", "--no-input", "--disable-pip-version-check"])
        // The folder is the function's alone: what else is installed somewhere, and as whom, is no concern of its.
        .args(["--no-warn-script-location", "--no-warn-conflicts", "--root-user-action=ignore"])
        .args(["--progress-bar", "off", "--target"])
        .arg(&packages)
        .arg("-r")
        .arg(partial.join("requirements.txt"))
        // A user's general settings for pip that contradict --target.
        .env("PIP_USER", "0")
        .env_remove("PIP_TARGET")
        .env_remove("PIP_PREFIX")
        .current_dir(partial)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let finished = prepared.and(child).and_then(|child| follow(child, progress));
    let (succeeded, lines) = finished.map_err(|problem| {
        let message = format!("cannot run pip of {}: {}", python.executable.display(), describe(&problem));
        Diagnostic::error(code::REQUIREMENTS_FAILED, message)
    })?;
    if succeeded {
        return Ok(());
    }
    if lines.iter().any(|line| line.ends_with("No module named pip")) {
        let message = format!("{} has no pip to install requirements with", python.executable.display());
        return Err(Diagnostic::error(code::NO_PIP, message).hint(format!(
            "Run `{} -m ensurepip`, or on Debian and Ubuntu `apt-get install python3-pip`.",
            python.executable.display()
        )));
    }
    let message = format!("the requirements of {} cannot be installed", functions.join(", "));
    let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
    Err(Diagnostic::error(code::REQUIREMENTS_FAILED, message).hint(format!("pip said:\n{}", last.join("\n"))))
}

/// Passes on what a process prints until it ends; says whether it succeeded, and all that it printed.
fn follow(mut child: Child, progress: &mut dyn FnMut(Progress)) -> io::Result<(bool, Vec<String>)> {
    let (sender, receiver) = channel();
    let streams: [Option<Box<dyn io::Read + Send>>; 2] = [
        child.stdout.take().map(|stream| Box::new(stream) as Box<dyn io::Read + Send>),
        child.stderr.take().map(|stream| Box::new(stream) as Box<dyn io::Read + Send>),
    ];
    for stream in streams.into_iter().flatten() {
        let sender: Sender<String> = sender.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                // Nobody listens any more when the receiver is gone; the pipe is still to be emptied.
                let _ = sender.send(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
        });
    }
    drop(sender);
    let mut lines = Vec::new();
    for line in receiver {
        progress(Progress::PipLine(line.clone()));
        lines.push(line);
    }
    Ok((child.wait()?.success(), lines))
}
