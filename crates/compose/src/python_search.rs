//! Finding a Python that can be loaded into a domain: CPython 3.10 or later that comes with a shared library.

use crate::code;
use crate::plan::PythonInstall;
use crate::python_probe::{ProbeReport, probe};
use crate::settings::{Origin, PythonRequest, Setting, Surroundings};
use faastlane_asl::diagnostic::Diagnostic;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A Python that was looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct PythonCandidate {
    /// As it was found: a link, a wrapper, or the executable itself.
    pub path: PathBuf,
    /// `None` where it could not even be asked.
    pub version: Option<(u8, u8, u8)>,
    /// Whether it can install requirements.
    pub has_pip: bool,
    pub verdict: Result<PythonInstall, PassedOver>,
}

/// Why a Python cannot be used, and what would change that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    pub reason: String,
    /// A command or a sentence.
    pub remedy: Option<String>,
}

/// The oldest version whose stable ABI has all that the domains need.
const OLDEST_MINOR: u8 = 10;
/// Beyond the newest today; `python3.NN` is looked for by name.
const NEWEST_MINOR: u8 = 20;

/// The Python that a workflow in `root` gets, and the virtual environments that were passed over on the way.
pub(crate) fn find(
    wanted: &Setting<PythonRequest>,
    root: &Path,
    surroundings: &Surroundings,
) -> Result<(PythonInstall, Vec<String>), Diagnostic> {
    let mut passed_over = Vec::new();
    let mut notes = Vec::new();
    for path in candidates(&wanted.value, root, surroundings) {
        let candidate = examine(&path, root, surroundings);
        match candidate.verdict {
            Ok(install) if fits(&wanted.value, install.version) => return Ok((install, notes)),
            Ok(install) => {
                let reason = format!("is {}", install.version_text());
                passed_over.push((path, PassedOver { reason, remedy: None }));
            }
            Err(verdict) => {
                if is_virtual_environment(&path) {
                    notes.push(format!("the virtual environment's {} {}", path.display(), verdict.reason));
                }
                passed_over.push((path, verdict));
            }
        }
    }
    Err(nothing_found(wanted, &passed_over))
}

/// Every Python that a workflow in `root` could get, usable or not, each interpreter once.
pub fn survey(root: &Path, surroundings: &Surroundings) -> Vec<PythonCandidate> {
    let mut seen = BTreeSet::new();
    candidates(&PythonRequest::Any, root, surroundings)
        .into_iter()
        .map(|path| examine(&path, root, surroundings))
        .filter(|candidate| match &candidate.verdict {
            Ok(install) => seen.insert((install.libpython.clone(), install.prefix.clone())),
            Err(_) => true,
        })
        .collect()
}

/// Where to look, in order, each place once.
fn candidates(wanted: &PythonRequest, root: &Path, surroundings: &Surroundings) -> Vec<PathBuf> {
    let mut found = Vec::new();
    match wanted {
        PythonRequest::Path(path) => return vec![interpreter_at(path)],
        PythonRequest::Command(command) => found.extend(on_search_path(command, surroundings)),
        PythonRequest::Any | PythonRequest::Version(..) => {
            let environments = surroundings.virtual_environment.iter().cloned();
            for environment in environments.chain([root.join(".venv"), root.join("venv")]) {
                found.push(environment.join("bin/python"));
            }
            if let PythonRequest::Version(major, minor, _) = wanted {
                found.extend(on_search_path(&format!("python{major}.{minor}"), surroundings));
            }
            found.extend(on_search_path("python3", surroundings));
            for minor in (OLDEST_MINOR..=NEWEST_MINOR).rev() {
                found.extend(on_search_path(&format!("python3.{minor}"), surroundings));
            }
            if let PythonRequest::Version(major, minor, _) = wanted {
                found.extend(behind_shims(&format!("{major}.{minor}."), surroundings));
            }
        }
    }
    let mut seen = BTreeSet::new();
    found.retain(|path| path.is_file() && seen.insert(one_name_each(path)));
    found
}

/// A link to another interpreter (`/bin/python3`) is the same candidate; a link in a virtual environment is not.
fn one_name_each(path: &Path) -> PathBuf {
    if is_virtual_environment(path) {
        return path.to_owned();
    }
    match path.canonicalize() {
        Ok(target) if target.file_name().is_some_and(|name| name.to_string_lossy().starts_with("python")) => {
            target
        }
        _ => path.to_owned(),
    }
}

fn interpreter_at(path: &Path) -> PathBuf {
    if path.is_dir() { path.join("bin/python") } else { path.to_owned() }
}

fn on_search_path(command: &str, surroundings: &Surroundings) -> Vec<PathBuf> {
    std::env::split_paths(&surroundings.search_path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(command))
        .filter(|path| path.is_file())
        .collect()
}

/// pyenv installs versions that its shims refuse to run until they are chosen.
fn behind_shims(version_start: &str, surroundings: &Surroundings) -> Vec<PathBuf> {
    let shims = std::env::split_paths(&surroundings.search_path).filter(|folder| folder.ends_with("shims"));
    let mut found: Vec<PathBuf> = shims
        .filter_map(|folder| std::fs::read_dir(folder.parent()?.join("versions")).ok())
        .flat_map(|versions| versions.flatten())
        .filter(|version| version.file_name().to_string_lossy().starts_with(version_start))
        .map(|version| version.path().join("bin/python3"))
        .collect();
    found.sort();
    found.reverse();
    found
}

fn is_virtual_environment(interpreter: &Path) -> bool {
    interpreter.ancestors().nth(2).is_some_and(|prefix| prefix.join("pyvenv.cfg").is_file())
}

fn fits(wanted: &PythonRequest, (major, minor, micro): (u8, u8, u8)) -> bool {
    match wanted {
        PythonRequest::Version(a, b, None) => (*a, *b) == (major, minor),
        PythonRequest::Version(a, b, Some(c)) => (*a, *b, *c) == (major, minor, micro),
        _ => true,
    }
}

fn examine(path: &Path, root: &Path, surroundings: &Surroundings) -> PythonCandidate {
    let unasked = |reason: String| PythonCandidate {
        path: path.to_owned(),
        version: None,
        has_pip: false,
        verdict: Err(PassedOver { reason, remedy: None }),
    };
    if !path.is_file() {
        return unasked("is not there".to_owned());
    }
    match probe(path, root, surroundings) {
        Ok(report) => PythonCandidate {
            path: path.to_owned(),
            version: Some(report.version),
            has_pip: report.has_pip,
            verdict: judge(report),
        },
        Err(reason) => unasked(reason),
    }
}

fn judge(report: ProbeReport) -> Result<PythonInstall, PassedOver> {
    let (major, minor, micro) = report.version;
    if (major, minor) < (3, OLDEST_MINOR) {
        let reason = format!("is {major}.{minor}.{micro}, older than 3.{OLDEST_MINOR}");
        return Err(PassedOver { reason, remedy: None });
    }
    if report.implementation != "cpython" {
        return Err(PassedOver {
            reason: format!("is {}, not CPython", report.implementation),
            remedy: None,
        });
    }
    match shared_library(&report) {
        Some(libpython) => Ok(PythonInstall {
            executable: report.executable,
            version: report.version,
            libpython,
            prefix: report.prefix,
            base_prefix: report.base_prefix,
            sys_path: report.path,
            free_threaded: report.free_threaded,
        }),
        None => Err(PassedOver {
            reason: format!("({major}.{minor}.{micro}) has no shared libpython"),
            remedy: Some(remedy(&report)),
        }),
    }
}

/// The interpreter's own shared library. What `Py_ENABLE_SHARED` says is not enough: Debian packs the library apart, and
/// conda ships one with an interpreter that was linked without it.
fn shared_library(report: &ProbeReport) -> Option<PathBuf> {
    let (major, minor, _) = report.version;
    let flavour = if report.free_threaded { "t" } else { "" };
    let mut names: Vec<String> =
        report.library_names.iter().filter(|name| name.contains(".so")).cloned().collect();
    names.push(format!("libpython{major}.{minor}{flavour}.so.1.0"));
    names.push(format!("libpython{major}.{minor}{flavour}.so"));
    let mut folders = Vec::new();
    for folder in report.library_folder.iter().cloned().chain([report.base_prefix.join("lib")]) {
        folders.extend(report.multiarch.as_ref().map(|multiarch| folder.join(multiarch)));
        folders.push(folder);
    }
    folders.push(report.base_prefix.join("lib64"));
    folders.extend(report.build_folder.clone());
    if report.shared {
        // Only then: a library of the same version elsewhere belongs to another build.
        folders.extend(loader_folders());
    }
    folders
        .iter()
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .find_map(|file| file.canonicalize().ok().filter(|file| file.is_file()))
}

/// What `/etc/ld.so.conf.d` adds to the loader's folders.
fn loader_folders() -> Vec<PathBuf> {
    let Ok(files) = std::fs::read_dir("/etc/ld.so.conf.d") else { return Vec::new() };
    files
        .flatten()
        .filter_map(|file| std::fs::read_to_string(file.path()).ok())
        .flat_map(|text| {
            text.lines().map(str::trim).filter(|l| l.starts_with('/')).map(PathBuf::from).collect::<Vec<_>>()
        })
        .collect()
}

/// The command that gives this interpreter a shared library.
fn remedy(report: &ProbeReport) -> String {
    let (major, minor, micro) = report.version;
    let base = &report.base_prefix;
    if base.components().any(|part| part.as_os_str() == ".pyenv" || part.as_os_str() == "pyenv") {
        return format!(
            "PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install --force {major}.{minor}.{micro}"
        );
    }
    if base == Path::new("/usr") && Path::new("/etc/debian_version").exists() {
        return format!("apt-get install libpython{major}.{minor}");
    }
    if base == Path::new("/usr") && Path::new("/etc/redhat-release").exists() {
        return "dnf install python3-libs".to_owned();
    }
    "rebuild it with ./configure --enable-shared".to_owned()
}

fn nothing_found(wanted: &Setting<PythonRequest>, passed_over: &[(PathBuf, PassedOver)]) -> Diagnostic {
    let (code, message) = match &wanted.value {
        PythonRequest::Any => (code::NO_PYTHON, "there is no Python that can be used".to_owned()),
        request => (code::PYTHON_NOT_AS_ASKED, format!("there is no usable Python `{request}`")),
    };
    let mut hint = String::new();
    for (path, verdict) in passed_over {
        hint.push_str(&format!("{} {}.\n", path.display(), verdict.reason));
    }
    let remedy = passed_over.iter().find_map(|(_, verdict)| verdict.remedy.clone());
    hint.push_str(&match (remedy, &wanted.value) {
        (Some(remedy), _) => format!("To mend it: `{remedy}`"),
        (None, PythonRequest::Version(major, minor, _)) => {
            format!(
                "Install CPython {major}.{minor} with its shared library; on Debian and Ubuntu: \
                 `apt-get install python{major}.{minor} libpython{major}.{minor}`"
            )
        }
        (None, _) => format!(
            "Install CPython 3.{OLDEST_MINOR} or later with its shared library; on Debian and Ubuntu: \
             `apt-get install python3 libpython3-dev`"
        ),
    });
    let mut finding = Diagnostic::error(code, message).hint(hint);
    match &wanted.origin {
        Origin::File(source, span) => finding.at(source, *span).label("asked for here"),
        Origin::Template(source, span) => {
            let another =
                "Or try it with another: `--python 3.N`, or `python` under [workflow] in faastlane.toml.";
            let hint = finding.hint.take().map_or_else(String::new, |hint| format!("{hint}\n"));
            finding.at(source, *span).label("asked for here").hint(format!("{hint}{another}"))
        }
        _ => finding,
    }
}
