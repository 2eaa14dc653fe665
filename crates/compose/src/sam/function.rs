//! A function of a template: its code, and what the template says of how to run it.

use crate::code;
use crate::config::{FunctionConfig, parse_handler};
use crate::functions::{DEFAULT_MEMORY_MB, FunctionFolders, FunctionSource, folder_entry, split_handler};
use crate::sam::evaluate::{Evaluator, StandIn};
use crate::sam::layer::{self, Layers};
use crate::sam::state_machine::known_once_deployed;
use crate::sam::template::{Resource, first_line};
use crate::sam::value::{Value, ValueKind};
use crate::settings::{Origin, PythonRequest, Setting};
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_asl::source::Span;
use faastlane_asl::tree::Node;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The oldest Python whose functions can be run.
const OLDEST_MINOR: u8 = 10;

/// What is around the functions of a template.
pub(crate) struct Around<'a> {
    pub(crate) folders: &'a FunctionFolders<'a>,
    /// Absolute.
    pub(crate) template_folder: &'a Path,
    /// Where code that stands in the template is put.
    pub(crate) cache_directory: &'a Path,
    /// Whether `faastlane.toml` or the command line asks for a Python, which then counts.
    pub(crate) python_is_set: bool,
}

/// A function resource while it is read.
pub(crate) struct Reader<'r, 't> {
    pub(crate) evaluator: &'r mut Evaluator<'t>,
    resource: Resource<'t>,
    /// `Globals.Function`, where it applies.
    globals: Option<&'t Node>,
    config: Option<&'r FunctionConfig>,
    warnings: Vec<Diagnostic>,
}

/// Reads a function. What is wrong with it is added to the evaluator's findings.
pub(crate) fn read(
    evaluator: &mut Evaluator<'_>,
    resource: Resource<'_>,
    name: &str,
    around: &Around<'_>,
) -> (Option<FunctionSource>, Vec<Diagnostic>) {
    let template = evaluator.template;
    let Some(resource) = template.resource(resource.id) else { return (None, Vec::new()) };
    let is_sam = resource.kind == "AWS::Serverless::Function";
    let globals = template.section("Globals").and_then(|globals| globals.get("Function")).filter(|_| is_sam);
    let config = around.folders.config.function(name);
    let mut reader = Reader { evaluator, resource, globals, config, warnings: Vec::new() };
    let function = reader.function(name, around);
    (function, reader.warnings)
}

impl<'t> Reader<'_, 't> {
    fn function(&mut self, name: &str, around: &Around<'_>) -> Option<FunctionSource> {
        self.evaluator.stand_ins.clear();
        let image = self.property("PackageType").and_then(|value| Some((value.span, value.as_text()?)));
        if let Some((span, _)) = image.filter(|(_, kind)| kind.as_str() == "Image") {
            let hint =
                "A function is a folder with Python code: give it a `CodeUri`, a `Handler` and a `Runtime`.";
            return self.refuse(span, "a container image", Some(hint.to_owned()));
        }
        let python = self.python(around);
        let handler = self.handler();
        let code = self.code(name, around);
        let env = self.environment(name);
        let timeout_seconds = self.number("Timeout");
        let memory_mb = self.number("MemorySize");
        let layers = self.layers(around);
        let (folder, code_span) = code?;
        let (handler, handler_span) = handler?;
        let python = python.ok()?;
        let config = self.config;
        let configured = config.and_then(|config| config.handler.as_ref());
        let (module, callable) = match configured.map(|handler| split_handler(&handler.value)) {
            Some((Some(module), callable)) => (Some(module), callable),
            Some((None, callable)) => (split_handler(&handler).0, callable),
            None => split_handler(&handler),
        };
        let entry = match folder_entry(name, &folder, module) {
            Ok(entry) => entry,
            Err(finding) => {
                let finding = match (configured, &around.folders.config.source) {
                    (Some(handler), Some(source)) => finding.at(source, handler.span),
                    _ => self.at(finding, handler_span.unwrap_or(code_span)),
                };
                self.evaluator.findings.push(finding);
                return None;
            }
        };
        let Layers { folders: layers, requirements: of_layers } = layers;
        let own = folder.join("requirements.txt");
        Some(FunctionSource {
            name: name.to_owned(),
            module: entry.module,
            file: entry.file,
            handler: callable.map(str::to_owned),
            directory: entry.directory,
            own_folder: entry.own_folder,
            layers,
            requirements: of_layers.into_iter().chain([own]).filter(|file| file.is_file()).collect(),
            python,
            env,
            timeout_seconds: config.and_then(|config| config.timeout_seconds).or(timeout_seconds),
            memory_mb: config.and_then(|config| config.memory_mb).or(memory_mb).unwrap_or(DEFAULT_MEMORY_MB),
            grants: config.map(|config| config.grants.clone()).unwrap_or_default(),
        })
    }

    /// A property of the function, else of all functions.
    fn property(&mut self, name: &str) -> Option<Value> {
        let of_all = self.globals.and_then(|globals| globals.get(name));
        for node in [self.resource.property(name), of_all].into_iter().flatten() {
            let value = self.evaluator.value(node);
            if value.kind != ValueKind::Absent {
                return Some(value);
            }
        }
        None
    }

    /// Gives a finding its place in the template.
    fn at(&self, finding: Diagnostic, span: Span) -> Diagnostic {
        let source = &self.evaluator.template.source;
        finding.at(source, first_line(source, span))
    }

    /// The function cannot be run here.
    fn refuse<T>(&mut self, span: Span, label: &str, hint: Option<String>) -> Option<T> {
        let message = format!("the function `{}` cannot be run here", self.resource.id);
        let finding = self.at(Diagnostic::error(code::FUNCTION_NOT_RUNNABLE, message), span).label(label);
        self.evaluator.findings.push(match hint {
            Some(hint) => finding.hint(hint),
            None => finding,
        });
        None
    }

    /// The Python that the function asks for. `Err` where it asks for something else, which has been reported.
    fn python(&mut self, around: &Around<'_>) -> Result<Option<Setting<PythonRequest>>, ()> {
        if let Some(python) = around.folders.configured_python(self.config) {
            return Ok(Some(python));
        }
        let Some(runtime) = self.property("Runtime") else { return Ok(None) };
        let text = self.evaluator.text_of(&runtime, "`Runtime`");
        let Some(version) = text.as_str().strip_prefix("python") else {
            let hint = "Functions are in Python here; keep others out of the workflow.".to_owned();
            let label = format!("`{}` is no Python", text.as_str());
            return self.refuse::<()>(runtime.span, &label, Some(hint)).map(|()| None).ok_or(());
        };
        if around.python_is_set {
            return Ok(None);
        }
        let minor = version.strip_prefix("3.").and_then(|minor| minor.parse::<u8>().ok());
        match minor {
            Some(minor) if minor >= OLDEST_MINOR => {
                let source = &self.evaluator.template.source;
                let origin = Origin::Template(source.clone(), first_line(source, runtime.span));
                Ok(Some(Setting { value: PythonRequest::Version(3, minor, None), origin }))
            }
            _ => {
                let label = format!("expected `python3.{OLDEST_MINOR}` or later");
                let hint =
                    "Try it with a newer one: `--python 3.12`, or `python = \"3.12\"` under [workflow] in \
                            faastlane.toml."
                        .to_owned();
                self.refuse::<()>(runtime.span, &label, Some(hint)).map(|()| None).ok_or(())
            }
        }
    }

    /// `module.function`, and where it stands.
    fn handler(&mut self) -> Option<(String, Option<Span>)> {
        let Some(value) = self.property("Handler") else {
            if let Some(configured) = self.config.and_then(|config| config.handler.as_ref()) {
                return Some((configured.value.clone(), None));
            }
            let message = format!("the function `{}` has no `Handler`", self.resource.id);
            let hint = "Name the module and the callable in it: `Handler: app.lambda_handler`.".to_owned();
            self.evaluator.wrong(self.resource.id_span, message, "`Handler` is missing here", Some(hint));
            return None;
        };
        let text = self.evaluator.text_of(&value, "`Handler`").as_str().to_owned();
        if parse_handler(&text).is_ok() && text.contains('.') {
            return Some((text, Some(value.span)));
        }
        let message = format!("`{text}` is no value for `Handler`");
        self.evaluator.wrong(value.span, message, "expected module.function", None);
        None
    }

    /// The folder of the function's code, and where the template names it.
    fn code(&mut self, name: &str, around: &Around<'_>) -> Option<(PathBuf, Span)> {
        if let Some(path) = self.config.and_then(|config| config.path.as_ref()) {
            return match around.folders.configured_place(name, path) {
                Ok(place) => Some((place, self.resource.id_span)),
                Err(finding) => {
                    self.evaluator.findings.push(finding);
                    None
                }
            };
        }
        if let Some(inline) = self.property("InlineCode") {
            return self.inline(&inline, around);
        }
        let code = self.property("CodeUri").or_else(|| self.property("Code"));
        let Some(code) = code else {
            let is_sam = self.resource.kind == "AWS::Serverless::Function";
            let here = (around.template_folder.to_owned(), self.resource.id_span);
            return match is_sam {
                true => Some(here),
                false => self.refuse(here.1, "has no `Code`", Some(LOCAL_CODE.to_owned())),
            };
        };
        if let Some(inline) = code.get("ZipFile") {
            return self.inline(&inline.clone(), around);
        }
        let ValueKind::Text(path) = &code.kind else {
            let label = match code.get("ImageUri") {
                Some(_) => "a container image",
                None => "code in S3, which is not fetched",
            };
            return self.refuse(code.span, label, Some(LOCAL_CODE.to_owned()));
        };
        if path.as_str().starts_with("s3://") || path.as_str().starts_with("https://") {
            return self.refuse(code.span, "code in S3, which is not fetched", Some(LOCAL_CODE.to_owned()));
        }
        let folder: PathBuf = around.template_folder.join(path.as_str()).components().collect();
        match (folder.is_dir(), folder.is_file()) {
            (true, _) => Some((folder, code.span)),
            (false, true) => self.refuse(
                code.span,
                "a file, not a folder",
                Some("Name the folder that it is in.".to_owned()),
            ),
            (false, false) => {
                let message = format!("there is no function `{}`", self.resource.id);
                let finding = self.at(Diagnostic::error(code::NO_FUNCTION, message), code.span);
                let hint = "The path is relative to the template.";
                self.evaluator.findings.push(finding.label("no such folder").hint(hint));
                None
            }
        }
    }

    /// Puts code that stands in the template into a file, as Lambda does: `index.py`.
    fn inline(&mut self, value: &Value, around: &Around<'_>) -> Option<(PathBuf, Span)> {
        let text = self.evaluator.text_of(value, "the code of a function");
        let digest = format!("{:x}", Sha256::digest(text.as_str()));
        let folder = around.cache_directory.join("inline").join(digest);
        let file = folder.join("index.py");
        if !file.is_file()
            && let Err(problem) = write_whole(&folder, &file, text.as_str())
        {
            let problem = crate::text_file::describe(&problem);
            let message = format!("cannot write the inline code of `{}`: {problem}", self.resource.id);
            let finding = Diagnostic::error(code::CACHE_UNUSABLE, message);
            self.evaluator.findings.push(finding.hint(format!("It goes to {}.", folder.display())));
            return None;
        }
        Some((folder, value.span))
    }

    /// `Environment.Variables` of all functions, of this one, and of `faastlane.toml`; the later ones win.
    fn environment(&mut self, name: &str) -> BTreeMap<String, String> {
        let configured = self.config.map(|config| config.env.clone()).unwrap_or_default();
        let mut env = BTreeMap::new();
        let mut unknown: BTreeMap<String, Vec<StandIn>> = BTreeMap::new();
        for node in [
            self.globals.and_then(|globals| globals.get("Environment")),
            self.resource.property("Environment"),
        ] {
            let Some(variables) = node.and_then(|node| node.get("Variables")) else { continue };
            let faastlane_asl::tree::Kind::Object(members) = &variables.kind else {
                let label = format!("found {}", variables.describe());
                self.evaluator.wrong(
                    variables.span,
                    "`Variables` must be an object".to_owned(),
                    &label,
                    None,
                );
                continue;
            };
            for member in members.iter().filter(|member| !configured.contains_key(&member.key)) {
                self.evaluator.stand_ins.clear();
                let key = &member.key;
                let value = self.evaluator.value(&member.value);
                if value.kind == ValueKind::Absent {
                    continue;
                }
                let text = self.evaluator.text_of(&value, &format!("the variable `{key}`"));
                if key.is_empty() || key.contains(['=', '\0']) || text.as_str().contains('\0') {
                    let message = format!("`{}` cannot be an environment variable", key.escape_debug());
                    self.evaluator.wrong(member.key_span, message, "a character that none may have", None);
                    continue;
                }
                env.insert(key.clone(), text.as_str().to_owned());
                unknown.insert(key.clone(), std::mem::take(&mut self.evaluator.stand_ins));
            }
        }
        let source = &self.evaluator.template.source;
        for (variable, stand_ins) in &unknown {
            let hint =
                format!("Set it in faastlane.toml: `[functions.{name}] env = {{ {variable} = \"…\" }}`.");
            self.warnings
                .extend(stand_ins.iter().map(|known| known_once_deployed(source, known).hint(hint.clone())));
        }
        env.extend(configured);
        env
    }

    /// A whole number from 1.
    fn number(&mut self, name: &str) -> Option<u32> {
        let value = self.property(name)?;
        let text = value.as_text();
        let number = text.and_then(|text| text.as_str().parse::<u32>().ok()).filter(|number| *number > 0);
        if number.is_none() {
            let message = format!("`{name}` must be a whole number from 1");
            let label = format!("found {}", value.describe());
            self.evaluator.wrong(value.span, message, &label, None);
        }
        number
    }

    /// The layers of all functions, then those of this one.
    fn layers(&mut self, around: &Around<'_>) -> Layers {
        let of_all = self.globals.and_then(|globals| globals.get("Layers"));
        let mut layers = Layers::default();
        for node in [of_all, self.resource.property("Layers")].into_iter().flatten() {
            let value = self.evaluator.value(node);
            let ValueKind::List(items) = value.kind else {
                if value.kind != ValueKind::Absent {
                    let label = format!("found {}", value.describe());
                    self.evaluator.wrong(value.span, "`Layers` must be a list".to_owned(), &label, None);
                }
                continue;
            };
            for item in items {
                layer::add(self.evaluator, &item, around.template_folder, &mut layers, &mut self.warnings);
            }
        }
        layers
    }
}

const LOCAL_CODE: &str = "Give the path of a folder, relative to the template.";

/// A reader never finds half a file.
fn write_whole(folder: &Path, file: &Path, text: &str) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let written = tempfile::NamedTempFile::new_in(folder)?;
    fs::write(written.path(), text)?;
    written.persist(file)?;
    Ok(())
}
