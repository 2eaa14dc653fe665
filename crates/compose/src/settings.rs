//! The settings that can come from several sides, and which side wins: flag or environment, then the workflow's
//! `faastlane.toml`, then the user's own file, then the default.

use crate::config::Preferences;
use crate::toml_reader::Located;
use faastlane_asl::definition::ExecutionType;
use faastlane_asl::source::{Source, Span};
use faastlane_mock::MockFile;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// What the composer is told from outside the workflow folder. Nothing in this crate reads the environment itself.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    pub overrides: Overrides,
    /// `PATH`, where Python is looked for.
    pub search_path: OsString,
    /// `VIRTUAL_ENV`
    pub virtual_environment: Option<PathBuf>,
    /// Variables by which a wrapper such as pyenv's picks a version (`PYENV_VERSION`): what a wrapper was found to
    /// stand for is remembered together with them.
    pub wrapper_variables: BTreeMap<&'static str, OsString>,
    /// Where installed requirements and probe results are kept; made when needed.
    pub cache_directory: PathBuf,
    /// The user's own settings, which need not exist.
    pub user_file: Option<PathBuf>,
    /// What is to answer instead of functions.
    pub mocks: Option<MockFile>,
}

/// Flags and `FAASTLANE_…` variables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    pub python: Option<PythonRequest>,
    pub max_payload_bytes: Option<u64>,
    pub isolation: Option<RequestedIsolation>,
    /// The type of the state machine; STANDARD without.
    pub execution_type: Option<ExecutionType>,
}

/// A value and who said so.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting<T> {
    pub value: T,
    pub origin: Origin,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// A flag or an environment variable.
    CommandLine,
    /// The workflow's file or the user's.
    File(Source, Span),
    /// The template of an AWS SAM project, which the command line and the workflow's file win over.
    Template(Source, Span),
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine => f.write_str("the command line"),
            Self::File(source, span) | Self::Template(source, span) => {
                write!(f, "{}:{}", source.name, source.line_column(span.start).0)
            }
            Self::Default => f.write_str("the default"),
        }
    }
}

/// The settings in force, and who made them so.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub python: Setting<PythonRequest>,
    pub max_payload_bytes: Setting<u64>,
    pub isolation: Setting<RequestedIsolation>,
}

impl Settings {
    pub(crate) fn resolve(surroundings: &Surroundings, project: &Preferences, user: &Preferences) -> Self {
        let overrides = &surroundings.overrides;
        let files = [project, user];
        Self {
            python: strongest(
                overrides.python.clone(),
                files,
                |file| file.python.clone(),
                PythonRequest::Any,
            ),
            max_payload_bytes: strongest(
                overrides.max_payload_bytes,
                files,
                |file| file.max_payload_bytes.clone(),
                DEFAULT_MAX_PAYLOAD_BYTES,
            ),
            isolation: strongest(
                overrides.isolation,
                files,
                |file| file.isolation.clone(),
                RequestedIsolation::Auto,
            ),
        }
    }
}

/// The first side that says something.
fn strongest<T>(
    command_line: Option<T>,
    files: [&Preferences; 2],
    pick: impl Fn(&Preferences) -> Option<Located<T>>,
    default: T,
) -> Setting<T> {
    if let Some(value) = command_line {
        return Setting { value, origin: Origin::CommandLine };
    }
    for file in files {
        if let (Some(located), Some(source)) = (pick(file), &file.source) {
            return Setting { value: located.value, origin: Origin::File(source.clone(), located.span) };
        }
    }
    Setting { value: default, origin: Origin::Default }
}

/// What is asked for; what is really planned is an [`crate::Isolation`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequestedIsolation {
    /// The strongest that the host has.
    #[default]
    Auto,
    Mpk,
    Process,
    None,
}

impl FromStr for RequestedIsolation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "mpk" => Ok(Self::Mpk),
            "process" => Ok(Self::Process),
            "none" => Ok(Self::None),
            _ => Err("expected auto, mpk, process or none".to_owned()),
        }
    }
}

/// Which Python is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PythonRequest {
    /// The first usable one.
    #[default]
    Any,
    /// `3.12` or `3.12.1`: the first usable one of that version.
    Version(u8, u8, Option<u8>),
    /// A command on `PATH`, such as `python3.12`.
    Command(String),
    /// An executable or a virtual environment.
    Path(PathBuf),
}

impl PythonRequest {
    /// Reads a version, a command's name, or a path (anything with a `/`), the latter relative to `base`.
    pub fn parse(text: &str, base: &Path) -> Result<Self, String> {
        if text.is_empty() {
            return Err("expected a version such as 3.12, a command or a path".to_owned());
        }
        if text.contains('/') {
            return Ok(Self::Path(base.join(text)));
        }
        if !text.starts_with(|first: char| first.is_ascii_digit()) {
            return Ok(Self::Command(text.to_owned()));
        }
        let parts: Option<Vec<u8>> = text.split('.').map(|part| part.parse().ok()).collect();
        match parts.as_deref() {
            Some([major, minor]) => Ok(Self::Version(*major, *minor, None)),
            Some([major, minor, micro]) => Ok(Self::Version(*major, *minor, Some(*micro))),
            _ => Err("expected a version such as 3.12 or 3.12.1".to_owned()),
        }
    }
}

impl fmt::Display for PythonRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Version(major, minor, None) => write!(f, "{major}.{minor}"),
            Self::Version(major, minor, Some(micro)) => write!(f, "{major}.{minor}.{micro}"),
            Self::Command(command) => f.write_str(command),
            Self::Path(path) => write!(f, "{}", path.display()),
        }
    }
}

/// The largest payload unless something else is said, in bytes of the flat form: 1,024 times what Step Functions takes. 64 MiB of
/// JSON fit, unless they are an array of one-digit numbers, which take two bytes of text each and nine flat ones.
pub const DEFAULT_MAX_PAYLOAD_BYTES: u64 = 256 << 20;

/// The flat form holds a string's length in 32 bits, so no limit above that could be kept.
const LARGEST_MAX_PAYLOAD_BYTES: u64 = u32::MAX as u64;

/// Reads a size such as `64MiB`, `1.5 MB` or `4096` (bytes).
pub fn parse_size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 8] = [
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("kB", 1_000),
        ("KB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("B", 1),
    ];
    let expected = || "expected a size such as 64MiB".to_owned();
    let text = text.trim();
    let (number, unit) = UNITS
        .iter()
        .find_map(|(suffix, unit)| text.strip_suffix(suffix).map(|number| (number.trim_end(), *unit)))
        .unwrap_or((text, 1));
    let bytes = match number.split_once('.') {
        Some((whole, fraction)) if is_digits(whole) && is_digits(fraction) => {
            (number.parse::<f64>().map_err(|_| expected())? * unit as f64) as u64
        }
        None if is_digits(number) => {
            number.parse::<u64>().ok().and_then(|n| n.checked_mul(unit)).unwrap_or(u64::MAX)
        }
        _ => return Err(expected()),
    };
    if bytes == 0 {
        return Err("expected more than nothing".to_owned());
    }
    if bytes > LARGEST_MAX_PAYLOAD_BYTES {
        return Err("expected less than 4GiB".to_owned());
    }
    Ok(bytes)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("64MiB", 64 << 20),
            ("1 kB", 1000),
            ("1.5KiB", 1536),
            ("12", 12),
            ("3B", 3),
            ("3.9 GiB", 4187593113),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in
            ["", "MiB", "-1", "1e3", "64 apples", "0", "4GiB", "99999999999999999999GiB", ".5MiB", "1."]
        {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn python_requests() {
        let base = Path::new("/w");
        for (text, request) in [
            ("3.12", PythonRequest::Version(3, 12, None)),
            ("3.12.1", PythonRequest::Version(3, 12, Some(1))),
            ("python3.12", PythonRequest::Command("python3.12".to_owned())),
            (".venv/bin/python", PythonRequest::Path("/w/.venv/bin/python".into())),
            ("/usr/bin/python3", PythonRequest::Path("/usr/bin/python3".into())),
        ] {
            assert_eq!(PythonRequest::parse(text, base), Ok(request), "{text}");
        }
        for text in ["", "3", "3.x", "3.12.1.0", "3.999"] {
            assert!(PythonRequest::parse(text, base).is_err(), "{text}");
        }
    }
}
