//! Asking a Python what it is. That takes a process and 20 ms or more, so answers are remembered for as long as nothing
//! that could change them has changed.

use crate::settings::Surroundings;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What an interpreter says of itself (`probe.py`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ProbeReport {
    pub(crate) implementation: String,
    pub(crate) version: (u8, u8, u8),
    pub(crate) executable: PathBuf,
    pub(crate) prefix: PathBuf,
    pub(crate) base_prefix: PathBuf,
    pub(crate) path: Vec<PathBuf>,
    /// `Py_ENABLE_SHARED`
    pub(crate) shared: bool,
    /// `INSTSONAME` and `LDLIBRARY`
    pub(crate) library_names: Vec<String>,
    /// `LIBDIR`
    pub(crate) library_folder: Option<PathBuf>,
    /// `LIBPL`
    pub(crate) build_folder: Option<PathBuf>,
    pub(crate) multiarch: Option<String>,
    pub(crate) free_threaded: bool,
    pub(crate) platform: String,
    pub(crate) has_pip: bool,
}

/// What an answer depends on. A wrapper (pyenv's shims) picks a version by variables and by files in or above the
/// working directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Dependencies {
    candidate: PathBuf,
    executable: FileMark,
    variables: Vec<(String, String)>,
    version_files: Vec<(PathBuf, FileMark)>,
}

/// A file's identity and the time of its last change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct FileMark {
    path: PathBuf,
    size: u64,
    modified_nanos: i128,
}

#[derive(Serialize, Deserialize)]
struct Remembered {
    dependencies: Dependencies,
    /// Where packages and `.pth` files come and go, which changes `sys.path`.
    package_folders: Vec<(PathBuf, Option<FileMark>)>,
    report: ProbeReport,
}

/// Files by which wrappers (pyenv, asdf, mise) pick a version.
const VERSION_FILES: [&str; 4] = [".python-version", ".tool-versions", "mise.toml", ".mise.toml"];

/// What the Python at `candidate` says of itself when it is run in the workflow folder, or why it says nothing.
pub(crate) fn probe(
    candidate: &Path,
    root: &Path,
    surroundings: &Surroundings,
) -> Result<ProbeReport, String> {
    let dependencies = Dependencies::of(candidate, root, surroundings);
    let memory = dependencies.as_ref().map(|dependencies| memory_file(dependencies, surroundings));
    if let (Some(dependencies), Some(memory)) = (&dependencies, &memory)
        && let Some(report) = recall(memory, dependencies)
    {
        return Ok(report);
    }
    let report = ask(candidate, root)?;
    if let (Some(dependencies), Some(memory)) = (dependencies, memory) {
        // A cache that cannot be written costs time and nothing else.
        let _ = remember(&memory, dependencies, &report);
    }
    Ok(report)
}

fn ask(candidate: &Path, root: &Path) -> Result<ProbeReport, String> {
    // -E: the workflow is to run alike whatever PYTHON… variables this shell has.
    let output = Command::new(candidate)
        .args(["-E", "-c", include_str!("probe.py")])
        .current_dir(root)
        .stdin(Stdio::null())
        .output()
        .map_err(|problem| format!("cannot be run: {}", crate::text_file::describe(&problem)))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let first = stderr.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("no message");
        return Err(format!("cannot be run: {first}"));
    }
    serde_json::from_slice(&output.stdout).map_err(|_| "does not answer like a Python".to_owned())
}

impl Dependencies {
    fn of(candidate: &Path, root: &Path, surroundings: &Surroundings) -> Option<Self> {
        let executable = FileMark::of(&fs::canonicalize(candidate).ok()?)?;
        let is_python =
            executable.path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("python"));
        let mut dependencies = Self {
            candidate: candidate.to_owned(),
            variables: Vec::new(),
            version_files: Vec::new(),
            executable,
        };
        if !(is_python && is_elf(candidate)) {
            for (name, value) in &surroundings.wrapper_variables {
                dependencies.variables.push(((*name).to_owned(), value.to_string_lossy().into_owned()));
            }
            let above = root.ancestors().flat_map(|folder| VERSION_FILES.map(|name| folder.join(name)));
            // pyenv's global choice.
            let global = candidate.parent().and_then(Path::parent).map(|folder| folder.join("version"));
            dependencies.version_files =
                above.chain(global).filter_map(|file| Some((file.clone(), FileMark::of(&file)?))).collect();
            dependencies.version_files.push((root.to_owned(), FileMark::of(root)?));
        }
        Some(dependencies)
    }
}

impl FileMark {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        let modified_nanos = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
        Some(Self { path: path.to_owned(), size: metadata.size(), modified_nanos })
    }
}

fn is_elf(path: &Path) -> bool {
    use std::io::Read;
    let mut magic = [0; 4];
    fs::File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && magic == *b"\x7fELF"
}

fn memory_file(dependencies: &Dependencies, surroundings: &Surroundings) -> PathBuf {
    let digest = Sha256::digest(dependencies.candidate.as_os_str().as_encoded_bytes());
    surroundings.cache_directory.join("pythons").join(format!("{digest:x}.json"))
}

fn recall(memory: &Path, dependencies: &Dependencies) -> Option<ProbeReport> {
    let remembered: Remembered = serde_json::from_slice(&fs::read(memory).ok()?).ok()?;
    let unchanged = remembered.dependencies == *dependencies
        && remembered.package_folders.iter().all(|(path, mark)| FileMark::of(path) == *mark);
    unchanged.then_some(remembered.report)
}

fn remember(memory: &Path, dependencies: Dependencies, report: &ProbeReport) -> std::io::Result<()> {
    let package_folders = report
        .path
        .iter()
        .filter(|path| path.ends_with("site-packages") || path.ends_with("dist-packages"))
        .cloned()
        .chain([report.prefix.join("pyvenv.cfg")])
        .map(|path| (path.clone(), FileMark::of(&path)))
        .collect();
    let remembered = Remembered { dependencies, package_folders, report: report.clone() };
    let folder = memory.parent().unwrap_or(memory);
    fs::create_dir_all(folder)?;
    let file = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer(&file, &remembered)?;
    file.persist(memory)?;
    Ok(())
}
