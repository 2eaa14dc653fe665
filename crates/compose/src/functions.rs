//! Finding the code of a function: a file or a folder, by convention or where `faastlane.toml` says.

use crate::code;
use crate::config::{Config, FunctionConfig};
use crate::finding::did_you_mean;
use crate::plan::Grants;
use crate::sam::Project;
use crate::settings::{Origin, PythonRequest, Setting};
use crate::toml_reader::Located;
use faastlane_asl::diagnostic::Diagnostic;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A function's code and how to call it, before it has an interpreter or a domain.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionSource {
    pub name: String,
    /// The name to load `file` under.
    pub module: String,
    /// Absolute.
    pub file: PathBuf,
    /// The callable in the module; `None` leaves the choice to the loader's convention.
    pub handler: Option<String>,
    /// Absolute; the function's working directory and first in its `sys.path`.
    pub directory: PathBuf,
    /// The folder that is the function's alone; `None` for a function that is one file among others.
    pub own_folder: Option<PathBuf>,
    /// Folders of modules that it shares with others, absolute; they come after its own in its `sys.path`.
    pub layers: Vec<PathBuf>,
    /// Requirement files that apply, the workflow's first.
    pub requirements: Vec<PathBuf>,
    /// Where it differs from the workflow's.
    pub python: Option<Setting<PythonRequest>>,
    pub env: BTreeMap<String, String>,
    pub timeout_seconds: Option<u32>,
    pub memory_mb: u32,
    pub grants: Grants,
}

/// What Lambda gives a function unless something else is said.
pub(crate) const DEFAULT_MEMORY_MB: u32 = 128;

/// Module files that a function's folder can start with, after `NAME.py`: Lambda's and OpenWhisk's conventions.
const ENTRY_FILES: [&str; 6] =
    ["handler.py", "lambda_function.py", "app.py", "main.py", "index.py", "__main__.py"];

/// The folders in which functions are looked for.
pub(crate) struct FunctionFolders<'a> {
    /// The workflow's, absolute.
    pub(crate) root: &'a Path,
    /// The definition's, absolute; mostly the same.
    pub(crate) beside_definition: &'a Path,
    pub(crate) config: &'a Config,
    /// The template that declares functions, where that is the workflow's source.
    pub(crate) project: Option<&'a Project>,
}

/// A module file and the folder it is imported from.
pub(crate) struct Entry {
    pub(crate) module: String,
    pub(crate) file: PathBuf,
    pub(crate) directory: PathBuf,
    pub(crate) own_folder: Option<PathBuf>,
}

impl FunctionFolders<'_> {
    /// Finds a function. The diagnostic has no place yet unless `faastlane.toml` is at fault: only the caller knows who
    /// asked for the function.
    pub(crate) fn find(&self, name: &str) -> Result<FunctionSource, Diagnostic> {
        let config = self.config.function(name);
        let (wanted_module, handler) = match config.and_then(|config| config.handler.as_ref()) {
            Some(handler) => split_handler(&handler.value),
            None => (None, None),
        };
        let place = match config.and_then(|config| config.path.as_ref()) {
            Some(path) => self.configured_place(name, path)?,
            None => self.conventional_place(name)?,
        };
        let entry = if place.is_dir() {
            folder_entry(name, &place, wanted_module)
        } else {
            file_entry(&place, wanted_module)
        };
        let entry = entry.map_err(|finding| self.blame_handler(finding, config))?;
        let requirements = self.requirements(name, &entry);
        Ok(FunctionSource {
            name: name.to_owned(),
            module: entry.module,
            file: entry.file,
            handler: handler.map(str::to_owned),
            requirements,
            directory: entry.directory,
            own_folder: entry.own_folder,
            layers: Vec::new(),
            python: self.configured_python(config),
            env: config.map(|config| config.env.clone()).unwrap_or_default(),
            timeout_seconds: config.and_then(|config| config.timeout_seconds),
            memory_mb: config.and_then(|config| config.memory_mb).unwrap_or(DEFAULT_MEMORY_MB),
            grants: config.map(|config| config.grants.clone()).unwrap_or_default(),
        })
    }

    /// Every name under `functions/` or in the template that could be a function: what a call that names its function
    /// only at run time may mean.
    pub(crate) fn all_names(&self) -> BTreeSet<String> {
        let mut names = names_in(&self.root.join("functions"));
        names.extend(self.config.functions.iter().map(|function| function.name.value.clone()));
        names.extend(self.project.into_iter().flat_map(Project::function_names).map(str::to_owned));
        names
    }

    /// Two places that both hold the function, of which the first is taken.
    pub(crate) fn rivals(&self, name: &str) -> Option<(PathBuf, PathBuf)> {
        if self.config.function(name).is_some_and(|config| config.path.is_some()) {
            return None;
        }
        let mut found = self.places(name).into_iter().filter(|place| holds_function(name, place));
        Some((found.next()?, found.next()?))
    }

    /// Where a function may be, in order of preference.
    fn places(&self, name: &str) -> Vec<PathBuf> {
        if !is_plain(name) {
            return Vec::new();
        }
        let mut places = Vec::new();
        for folder in [self.root.join("functions"), self.beside_definition.to_owned()] {
            places.push(folder.join(format!("{name}.py")));
            places.push(folder.join(name));
        }
        places
    }

    fn conventional_place(&self, name: &str) -> Result<PathBuf, Diagnostic> {
        let places = self.places(name);
        // A folder without an entry module (`data/` beside `data.py`) gives way to a place that has one.
        let taken = places.iter().find(|place| holds_function(name, place));
        if let Some(place) = taken.or_else(|| places.iter().find(|place| place.is_dir())) {
            return Ok(place.clone());
        }
        let finding = Diagnostic::error(code::NO_FUNCTION, format!("there is no function `{name}`"));
        if places.is_empty() {
            return Err(finding.hint("A function's name is made of letters, digits, `-` and `_`."));
        }
        let looked_at: Vec<String> = places.iter().map(|place| self.shown(place)).collect();
        let mut known = self.all_names();
        known.extend(names_in(self.beside_definition));
        let hint = did_you_mean(name, known.iter().map(String::as_str))
            .map_or_else(String::new, |question| format!("{question} "));
        Err(finding.hint(format!("{hint}Looked for {}.", looked_at.join(", "))))
    }

    /// The Python that `faastlane.toml` asks for.
    pub(crate) fn configured_python(
        &self,
        config: Option<&FunctionConfig>,
    ) -> Option<Setting<PythonRequest>> {
        let (python, source) = (config?.python.as_ref()?, self.config.source.as_ref()?);
        Some(Setting { value: python.value.clone(), origin: Origin::File(source.clone(), python.span) })
    }

    pub(crate) fn configured_place(&self, name: &str, path: &Located<String>) -> Result<PathBuf, Diagnostic> {
        let place = self.root.join(&path.value);
        let exists = place.is_dir() || place.is_file();
        match (&self.config.source, exists) {
            (Some(source), false) => {
                Err(Diagnostic::error(code::NO_FUNCTION, format!("there is no function `{name}`"))
                    .at(source, path.span)
                    .label("no such file or folder")
                    .hint("The path is relative to the workflow folder."))
            }
            _ => Ok(place),
        }
    }

    /// Points a finding about a handler's module at the handler.
    fn blame_handler(&self, finding: Diagnostic, config: Option<&FunctionConfig>) -> Diagnostic {
        match (config.and_then(|config| config.handler.as_ref()), &self.config.source) {
            (Some(handler), Some(source)) => finding.at(source, handler.span),
            _ => finding,
        }
    }

    fn requirements(&self, name: &str, entry: &Entry) -> Vec<PathBuf> {
        let of_function = match &entry.own_folder {
            Some(folder) => folder.join("requirements.txt"),
            None => entry.directory.join(format!("{name}.requirements.txt")),
        };
        let mut files = vec![self.root.join("requirements.txt"), of_function];
        files.dedup();
        files.retain(|file| file.is_file());
        files
    }

    /// A path as the user would write it: from the workflow folder where it lies in there.
    fn shown(&self, path: &Path) -> String {
        let inside = path.strip_prefix(self.root).unwrap_or(path).display();
        if path.extension().is_some() { format!("{inside}") } else { format!("{inside}/") }
    }
}

/// `image.resize` is module `image`, callable `resize`; `resize` is the callable alone.
pub(crate) fn split_handler(handler: &str) -> (Option<&str>, Option<&str>) {
    match handler.rsplit_once('.') {
        Some((module, callable)) => (Some(module), Some(callable)),
        None => (None, Some(handler)),
    }
}

fn file_entry(file: &Path, wanted_module: Option<&str>) -> Result<Entry, Diagnostic> {
    let module = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    if let Some(wanted) = wanted_module.filter(|wanted| *wanted != module) {
        let message =
            format!("the handler names the module `{wanted}`, but the function is {}", shown_name(file));
        return Err(Diagnostic::error(code::NO_ENTRY_MODULE, message).hint(format!(
            "Write `{module}.CALLABLE`, or make the function a folder with {wanted}.py in it."
        )));
    }
    let directory = file.parent().unwrap_or(file).to_owned();
    Ok(Entry { module, file: file.to_owned(), directory, own_folder: None })
}

pub(crate) fn folder_entry(
    name: &str,
    folder: &Path,
    wanted_module: Option<&str>,
) -> Result<Entry, Diagnostic> {
    let entry = |module: String, file: PathBuf| Entry {
        module,
        file,
        directory: folder.to_owned(),
        own_folder: Some(folder.to_owned()),
    };
    if let Some(wanted) = wanted_module {
        let module = wanted.replace('/', ".");
        let stem = folder.join(module.replace('.', "/"));
        let files = [stem.with_extension("py"), stem.join("__init__.py")];
        return match files.into_iter().find(|file| file.is_file()) {
            Some(file) => Ok(entry(module, file)),
            None => {
                let message = format!("the function `{name}` has no module `{wanted}`");
                Err(Diagnostic::error(code::NO_ENTRY_MODULE, message).label("named here").hint(format!(
                    "Expected {} in {}/.",
                    shown_name(&stem.with_extension("py")),
                    shown_name(folder)
                )))
            }
        };
    }
    match entry_file(name, folder) {
        Some(file) => Ok(entry(module_name(&file), file)),
        None => Err(Diagnostic::error(
            code::NO_ENTRY_MODULE,
            format!("the function `{name}` has no module to start with"),
        )
        .hint(format!(
            "Expected {name}.py, {} in {}/, or `handler = \"module.function\"` under [functions.{name}] in \
                 faastlane.toml.",
            ENTRY_FILES.join(", "),
            shown_name(folder),
        ))),
    }
}

fn entry_file(name: &str, folder: &Path) -> Option<PathBuf> {
    let own = format!("{name}.py");
    let names = std::iter::once(own.as_str()).chain(ENTRY_FILES);
    names.map(|file| folder.join(file)).find(|file| file.is_file())
}

/// OpenWhisk loads `__main__.py` as `main__`: under its own name it would hide the interpreter's main module, and run
/// what a script guards with `if __name__ == "__main__"`.
fn module_name(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    if stem == "__main__" { "main__".to_owned() } else { stem.into_owned() }
}

fn holds_function(name: &str, place: &Path) -> bool {
    place.is_file() || (place.is_dir() && entry_file(name, place).is_some())
}

/// The names of what could be functions in a folder.
fn names_in(folder: &Path) -> BTreeSet<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return BTreeSet::new() };
    entries
        .flatten()
        .filter_map(|entry| {
            let path = entry.path();
            let file_name = path.file_name()?.to_str()?;
            let name = if path.is_dir() { file_name } else { file_name.strip_suffix(".py")? };
            (is_plain(name) && !name.starts_with("__") && holds_function(name, &path))
                .then(|| name.to_owned())
        })
        .collect()
}

/// Whether a name can only be an entry of a folder, and no path out of it.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\0'])
}

fn shown_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
