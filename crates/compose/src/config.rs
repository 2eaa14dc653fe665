//! `faastlane.toml`, and the user's own file.
//!
//! ```toml
//! [workflow]
//! name = "claims"                  # default: the folder's name
//! definition = "claims.asl.json"   # default: workflow.asl.json, .yaml or .yml, else workflow.json
//! python = "3.12"                  # a version, a command or a path; default: the first that can be used
//! max_payload = "64MiB"
//! isolation = "auto"               # auto, mpk, process or none
//! binary = true                    # bytes and numpy arrays may be sent as they are; default: only what JSON has
//!
//! [functions.resize]
//! handler = "image.resize"         # module.function, or just the function
//! path = "src/resize"              # default: functions/resize.py, functions/resize/, resize.py, resize/
//! python = "3.11"
//! timeout = 30                     # seconds
//! memory = 512                     # MB, for context.memory_limit_in_mb
//! env = { MODE = "fast" }
//! network = true                   # what it may do besides; default: nothing of this
//! subprocess = true
//! files = ["reference"]            # to be read
//! writable_files = ["/var/reports"]
//!
//! [trust]
//! pricing = ["quote", "discount"]  # these share one domain
//!
//! [stores]                         # see store_config.rs
//! my-bucket = "data"
//!
//! [limits]                         # of one instance, all its functions and the orchestrator together; default: none
//! instance_memory_mb = 1024
//! instance_cpus = 0.5
//! ```
//!
//! The user's file holds `python`, `max_payload` and `isolation`, without a table around them.

use crate::code;
use crate::plan::Grants;
use crate::settings::{PythonRequest, RequestedIsolation, parse_size};
use crate::store_config::{StoreConfig, read_stores};
use crate::toml_reader::{Located, TomlReader, to_span};
use faastlane_asl::diagnostic::Diagnostic;
use faastlane_asl::source::Source;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use toml::de::DeTable;

/// What a workflow's `faastlane.toml` says; empty where there is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    pub source: Option<Source>,
    pub name: Option<Located<String>>,
    /// Relative to the workflow folder.
    pub definition: Option<Located<String>>,
    pub preferences: Preferences,
    /// Whether functions may send each other bytes and numpy's arrays.
    pub binary: bool,
    /// In the order of their names.
    pub functions: Vec<FunctionConfig>,
    /// In the order of their names.
    pub trust: Vec<TrustGroup>,
    /// In the order of their names.
    pub stores: Vec<StoreConfig>,
    pub limits: InstanceLimits,
}

/// What one instance may use at most: all its functions and the orchestrator together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct InstanceLimits {
    pub memory_mb: Option<u32>,
    /// CPU time in a time: 0.5 is half of one CPU.
    pub cpus: Option<f64>,
}

/// The settings that a user's own file can hold too.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preferences {
    pub source: Option<Source>,
    pub python: Option<Located<PythonRequest>>,
    pub max_payload_bytes: Option<Located<u64>>,
    pub isolation: Option<Located<RequestedIsolation>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct FunctionConfig {
    pub name: Located<String>,
    /// `module.function` or `function`.
    pub handler: Option<Located<String>>,
    /// Relative to the workflow folder.
    pub path: Option<Located<String>>,
    pub python: Option<Located<PythonRequest>>,
    pub timeout_seconds: Option<u32>,
    pub memory_mb: Option<u32>,
    pub env: BTreeMap<String, String>,
    pub grants: Grants,
}

/// Functions that trust each other and share a domain.
#[derive(Clone, Debug, PartialEq)]
pub struct TrustGroup {
    pub name: Located<String>,
    pub functions: Vec<Located<String>>,
}

/// Step Functions' own limit on `TimeoutSeconds`.
const MAX_TIMEOUT_SECONDS: u32 = 99_999_999;
/// A terabyte: only there to catch a size in bytes.
const MAX_MEMORY_MB: u32 = 1 << 20;
/// Nothing starts in less.
const MIN_INSTANCE_MEMORY_MB: u32 = 64;
/// The least that the kernel can hold a group of processes to, and more than any machine has.
const INSTANCE_CPUS: RangeInclusive<f64> = 0.01..=4096.0;

impl Config {
    /// Reads a workflow's file; `base` is its folder.
    pub(crate) fn read(source: &Source, base: &Path) -> (Self, Vec<Diagnostic>) {
        let mut reader = TomlReader::new(source);
        let root = reader.root();
        reader.known_keys(&root, "faastlane.toml", &["workflow", "functions", "trust", "stores", "limits"]);
        let mut config = Self { source: Some(source.clone()), ..Self::default() };
        if let Some(workflow) = reader.table(&root, "workflow") {
            let known = ["name", "definition", "python", "max_payload", "isolation", "binary"];
            reader.known_keys(workflow, "[workflow]", &known);
            config.name = reader.string(workflow, "name");
            config.definition = reader.string(workflow, "definition");
            config.preferences = read_preferences(&mut reader, workflow, source, base);
            config.binary = reader.boolean(workflow, "binary").unwrap_or_default();
        }
        if let Some(functions) = reader.table(&root, "functions") {
            config.functions = read_functions(&mut reader, functions, base);
        }
        if let Some(trust) = reader.table(&root, "trust") {
            config.trust = read_trust(&mut reader, trust);
        }
        if let Some(stores) = reader.table(&root, "stores") {
            config.stores = read_stores(&mut reader, stores, base);
        }
        if let Some(limits) = reader.table(&root, "limits") {
            reader.known_keys(limits, "[limits]", &["instance_memory_mb", "instance_cpus"]);
            let memory_range = MIN_INSTANCE_MEMORY_MB..=MAX_MEMORY_MB;
            config.limits = InstanceLimits {
                memory_mb: reader.integer(limits, "instance_memory_mb", "MB", memory_range),
                cpus: reader.number(limits, "instance_cpus", "CPUs", INSTANCE_CPUS),
            };
        }
        (config, reader.findings)
    }

    pub(crate) fn function(&self, name: &str) -> Option<&FunctionConfig> {
        self.functions.iter().find(|function| function.name.value == name)
    }

    /// Renames the functions that are called by another name than the file gives them.
    pub(crate) fn rename<'n>(&mut self, name: impl Fn(&str) -> Option<&'n str>) {
        let functions = self.functions.iter_mut().map(|function| &mut function.name);
        let members = self.trust.iter_mut().flat_map(|group| &mut group.functions);
        for located in functions.chain(members) {
            if let Some(name) = name(&located.value) {
                located.value = name.to_owned();
            }
        }
    }

    /// The trust group that a function is in.
    pub(crate) fn group_of(&self, function: &str) -> Option<&TrustGroup> {
        self.trust.iter().find(|group| group.functions.iter().any(|member| member.value == function))
    }
}

impl Preferences {
    /// Reads the user's own file; `base` is its folder.
    pub(crate) fn read(source: &Source, base: &Path) -> (Self, Vec<Diagnostic>) {
        let mut reader = TomlReader::new(source);
        let root = reader.root();
        reader.known_keys(&root, "the user's settings", &["python", "max_payload", "isolation"]);
        let preferences = read_preferences(&mut reader, &root, source, base);
        (preferences, reader.findings)
    }
}

fn read_preferences(
    reader: &mut TomlReader<'_>,
    table: &DeTable<'_>,
    source: &Source,
    base: &Path,
) -> Preferences {
    Preferences {
        source: Some(source.clone()),
        python: reader.parsed(table, "python", |text| PythonRequest::parse(text, base)),
        max_payload_bytes: reader.parsed(table, "max_payload", parse_size),
        isolation: reader.parsed(table, "isolation", str::parse),
    }
}

fn read_functions(reader: &mut TomlReader<'_>, functions: &DeTable<'_>, base: &Path) -> Vec<FunctionConfig> {
    let mut found = Vec::new();
    for (key, value) in functions {
        let name = key.get_ref().as_ref();
        let Some(table) = reader.as_table(value, name) else { continue };
        let known = [
            "handler",
            "path",
            "python",
            "timeout",
            "memory",
            "env",
            "network",
            "subprocess",
            "files",
            "writable_files",
        ];
        reader.known_keys(table, &format!("[functions.{name}]"), &known);
        found.push(FunctionConfig {
            name: Located { value: name.to_owned(), span: to_span(&key.span()) },
            handler: reader.parsed(table, "handler", parse_handler),
            path: reader.string(table, "path"),
            python: reader.parsed(table, "python", |text| PythonRequest::parse(text, base)),
            timeout_seconds: reader.integer(table, "timeout", "seconds", 1..=MAX_TIMEOUT_SECONDS),
            memory_mb: reader.integer(table, "memory", "MB", 1..=MAX_MEMORY_MB),
            env: read_env(reader, table),
            grants: Grants {
                network: reader.boolean(table, "network").unwrap_or_default(),
                subprocess: reader.boolean(table, "subprocess").unwrap_or_default(),
                files: read_paths(reader, table, "files", base),
                writable_files: read_paths(reader, table, "writable_files", base),
            },
        });
    }
    found
}

pub(crate) fn parse_handler(text: &str) -> Result<String, String> {
    let well_formed =
        text.split(['.', '/']).all(|part| !part.is_empty()) && !text.contains(char::is_whitespace);
    if well_formed { Ok(text.to_owned()) } else { Err("expected module.function or function".to_owned()) }
}

fn read_env(reader: &mut TomlReader<'_>, function: &DeTable<'_>) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    let Some(table) = reader.table(function, "env") else { return env };
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        if name.is_empty() || name.contains(['=', '\0']) {
            let message = format!("`{name}` cannot be the name of an environment variable");
            let hint = "Use letters, digits and `_`.".to_owned();
            reader.reject(code::BAD_VALUE, &key.span(), message, "not a name", hint);
            continue;
        }
        let parsed = reader.parse_value(value, name, |text| match text.contains('\0') {
            true => Err("expected no NUL character".to_owned()),
            false => Ok(text.to_owned()),
        });
        if let Some(located) = parsed {
            env.insert(name.to_owned(), located.value);
        }
    }
    env
}

/// Paths that are there, relative to `base`.
fn read_paths(reader: &mut TomlReader<'_>, function: &DeTable<'_>, key: &str, base: &Path) -> Vec<PathBuf> {
    let Some(value) = function.get(key) else { return Vec::new() };
    let Some(array) = value.get_ref().as_array() else {
        // Says what it expected.
        reader.strings(value, key);
        return Vec::new();
    };
    let grantable = |text: &str| match std::fs::canonicalize(base.join(text)) {
        Ok(path) if path == Path::new("/") || path.starts_with("/proc") => {
            Err("through /proc a function can reach the memory of others: grant less".to_owned())
        }
        Ok(path) => Ok(path.to_string_lossy().into_owned()),
        Err(error) => Err(format!("expected a file or folder that can be reached: {error}")),
    };
    let paths = array.iter().filter_map(|item| reader.parse_value(item, key, grantable));
    paths.map(|located| PathBuf::from(located.value)).collect()
}

fn read_trust(reader: &mut TomlReader<'_>, trust: &DeTable<'_>) -> Vec<TrustGroup> {
    trust
        .iter()
        .map(|(key, value)| {
            let name = key.get_ref().as_ref();
            TrustGroup {
                name: Located { value: name.to_owned(), span: to_span(&key.span()) },
                functions: reader.strings(value, name),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Config, Vec<Diagnostic>) {
        Config::read(&Source::new("faastlane.toml", text), Path::new("/w"))
    }

    /// Code and the text under the caret of each finding.
    fn findings(text: &str) -> Vec<(&'static str, String)> {
        let (_, findings) = read(text);
        findings
            .into_iter()
            .map(|finding| {
                let (source, span) = finding.place.unwrap();
                (finding.code, source.text[span.start..span.end].to_owned())
            })
            .collect()
    }

    #[test]
    fn everything_that_can_be_said() {
        let (config, findings) = read(
            r#"
            [workflow]
            name = "claims"
            definition = "claims.asl.yaml"
            python = "3.12"
            max_payload = "1MiB"
            isolation = "process"
            binary = true
            [functions.resize-image]
            handler = "image.resize"
            path = "src/resize"
            python = "./venv"
            timeout = 30
            memory = 512
            env = { MODE = "fast", EMPTY = "" }
            network = true
            files = ["/usr/share", "/etc"]
            [trust]
            pricing = ["quote", "discount"]
            [limits]
            instance_memory_mb = 1024
            instance_cpus = 1.5
            "#,
        );
        assert_eq!(findings, []);
        assert_eq!(config.name.unwrap().value, "claims");
        assert_eq!(config.preferences.python.unwrap().value, PythonRequest::Version(3, 12, None));
        assert_eq!(config.preferences.max_payload_bytes.unwrap().value, 1 << 20);
        assert_eq!(config.preferences.isolation.unwrap().value, RequestedIsolation::Process);
        assert!(config.binary);
        let function = &config.functions[0];
        assert_eq!(function.name.value, "resize-image");
        assert_eq!(function.python.as_ref().unwrap().value, PythonRequest::Path("/w/venv".into()));
        assert_eq!((function.timeout_seconds, function.memory_mb), (Some(30), Some(512)));
        assert_eq!(function.env["MODE"], "fast");
        let files = ["/usr/share", "/etc"].map(PathBuf::from).to_vec();
        assert_eq!(function.grants, Grants { network: true, files, ..Grants::default() });
        assert_eq!(config.trust[0].functions[1].value, "discount");
        assert_eq!(config.limits, InstanceLimits { memory_mb: Some(1024), cpus: Some(1.5) });
    }

    #[test]
    fn every_mistake_is_found_at_its_place() {
        let text = "[workflow]\nnmae = 'x'\npython = 3.12\nisolation = 'mkp'\nmax_payload = 'big'\nbinary = 'yes'\n\
                    [functions.a]\ntimeout = 0\nmemory = '1GB'\nhandler = '.x'\nenv = { 'A=B' = 'x', C = 1 }\n\
                    [trust]\ng = ['a', 2]\n[extra]\n";
        let mut found = findings(text);
        found.sort();
        let expected = [
            ("FL0211", "extra"),
            ("FL0211", "nmae"),
            ("FL0212", "'.x'"),
            ("FL0212", "'1GB'"),
            ("FL0212", "'A=B'"),
            ("FL0212", "'big'"),
            ("FL0212", "'mkp'"),
            ("FL0212", "'yes'"),
            ("FL0212", "0"),
            ("FL0212", "1"),
            ("FL0212", "2"),
            ("FL0212", "3.12"),
        ];
        assert_eq!(found, expected.map(|(code, place)| (code, place.to_owned())));
    }

    #[test]
    fn a_grant_is_of_something_that_is_there_and_not_of_everything() {
        let text = "[functions.a]\nnetwork = 'yes'\nfiles = ['/', '/proc/self', '/no/such/file', 1]\n\
                    writable_files = '/usr'\n";
        let mut found = findings(text);
        found.sort();
        let places = ["'/'", "'/no/such/file'", "'/proc/self'", "'/usr'", "'yes'", "1"];
        assert_eq!(found, places.map(|place| ("FL0212", place.to_owned())));
    }

    #[test]
    fn limits_of_an_instance_are_numbers_that_can_be_kept() {
        let (config, found) = read("[limits]\ninstance_cpus = 2\n");
        assert_eq!((config.limits.cpus, found), (Some(2.0), Vec::new()));
        for value in ["0", "0.001", "-1", "nan", "inf", "'2'", "5000"] {
            assert_eq!(
                findings(&format!("[limits]\ninstance_cpus = {value}\n")),
                [("FL0212", value.to_owned())]
            );
        }
        for value in ["63", "'1GB'", "1073741824", "512.5"] {
            assert_eq!(
                findings(&format!("[limits]\ninstance_memory_mb = {value}\n")),
                [("FL0212", value.to_owned())]
            );
        }
        let (_, found) = read("[limits]\ninstance_memory = 512\n");
        assert_eq!(found[0].hint.as_deref(), Some("Did you mean `instance_memory_mb`?"));
    }

    #[test]
    fn unknown_keys_name_the_nearest() {
        let (_, findings) = read("[workflow]\nmax_paylod = '1MiB'\n");
        assert_eq!(findings[0].hint.as_deref(), Some("Did you mean `max_payload`?"));
    }

    #[test]
    fn text_that_is_no_toml() {
        assert_eq!(findings("[workflow\nname = 'x'\n").first().map(|finding| finding.0), Some("FL0210"));
    }
}
